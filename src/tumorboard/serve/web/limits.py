"""How often one address may ask: a number for each minute.

Why it exists: a password is guessed by asking often, and a page is brought down the same way. The count is kept in
memory, for one process serves all pages; the lock of an account stands in the audit table and outlives the process.
"""

from __future__ import annotations

import datetime as dt
from collections import OrderedDict
from collections.abc import Callable
from threading import Lock

MOST_ADDRESSES = 10_000
"""Addresses that are remembered; the one that was silent longest is forgotten first."""


class Pace:
    """Counts what comes from an address; in one minute no more than ``per_minute``.

    Parameters
    ----------
    per_minute : int
        How many; also how many at once.
    clock : callable
        The present moment.

    Examples
    --------
    >>> moments = iter([dt.datetime(2020, 1, 1, 0, 0, s) for s in (0, 0, 0, 31)])
    >>> pace = Pace(2, lambda: next(moments))
    >>> [pace.wait_s("10.0.0.1") for _ in range(4)]
    [0.0, 0.0, 30.0, 0.0]
    """

    def __init__(self, per_minute: int, clock: Callable[[], dt.datetime]) -> None:
        self._most, self._clock, self._lock = float(per_minute), clock, Lock()
        self._left: OrderedDict[str, tuple[float, dt.datetime]] = OrderedDict()

    def wait_s(self, address: str) -> float:
        """Count one, and return 0; or the seconds to wait where the address asked too often, and count none."""
        with self._lock:
            at = self._clock()
            left, since = self._left.get(address, (self._most, at))
            left = min(self._most, left + (at - since).total_seconds() * self._most / 60)
            enough = left >= 1
            self._left[address] = (left - 1 if enough else left, at)
            self._left.move_to_end(address)
            while len(self._left) > MOST_ADDRESSES:
                self._left.popitem(last=False)
            return 0.0 if enough else (1 - left) * 60 / self._most
