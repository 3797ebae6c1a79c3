"""Where work items are kept: what a store can do, and one in memory.

Why it exists: the rules of a worklist do not care for its store. All a store must promise is that ``change`` is one
piece: two readers who claim the same study at one moment are told apart here.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Protocol

from tumorboard.serve.data.words import WorkPriority
from tumorboard.serve.ups.workitem import Workitem

Change = Callable[[Workitem], Workitem]

RANK = {WorkPriority.HIGH: 0, WorkPriority.MEDIUM: 1, WorkPriority.LOW: 2}
"""Order in a list, before the order of making."""


class Worklist(Protocol):
    """What a store of work items can do."""

    def add(self, item: Workitem) -> bool:
        """Keep a new work item; False where its UID is taken."""

    def get(self, uid: str) -> Workitem | None:
        """Return a work item; None where there is none."""

    def change(self, uid: str, how: Change) -> Workitem | None:
        """Replace a work item by what ``how`` makes of it, in one piece; None where there is none.

        Nothing changes where ``how`` raises.
        """

    def all(self) -> Iterable[Workitem]:
        """Return all work items: the most urgent first, of equal ones that which was made first."""


@dataclass
class MemoryWorklist:
    """Work items that last as long as the process, for tests and trials.

    Examples
    --------
    >>> shelf = MemoryWorklist()
    >>> shelf.add(Workitem("1.2.3", {})), shelf.add(Workitem("1.2.3", {}))
    (True, False)
    """

    _items: dict[str, Workitem] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, item: Workitem) -> bool:
        """See :class:`Worklist`."""
        with self._lock:
            if item.uid in self._items:
                return False
            self._items[item.uid] = item
            return True

    def get(self, uid: str) -> Workitem | None:
        """See :class:`Worklist`."""
        return self._items.get(uid)

    def change(self, uid: str, how: Change) -> Workitem | None:
        """See :class:`Worklist`."""
        with self._lock:
            if uid not in self._items:
                return None
            self._items[uid] = how(self._items[uid])
            return self._items[uid]

    def all(self) -> list[Workitem]:
        """See :class:`Worklist`."""
        return sorted(self._items.values(), key=lambda item: RANK[item.priority])
