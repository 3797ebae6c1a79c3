"""Whether there is room for one more object.

Why it exists: a full disk must be told to the sender before it is full, with the status that makes it wait and try
again. Summing up sizes takes time, so the answer is kept for a moment.
"""

from __future__ import annotations

import time
from threading import Lock

from tumorboard.serve.data.session import Database
from tumorboard.serve.settings import KeepSettings
from tumorboard.serve.shelf.files import Shelf

GIB = 2**30
KEPT_SECONDS = 5.0
"""How long a sum is believed."""


class Room:
    """Room on the shelf, by the disk's free space and the department's quota.

    Parameters
    ----------
    db, shelf : Database, Shelf
        The department's.
    keep : KeepSettings
        Quota and reserve.
    """

    def __init__(self, db: Database, shelf: Shelf, keep: KeepSettings) -> None:
        self._db, self._shelf, self._keep = db, shelf, keep
        self._lock, self._used, self._at = Lock(), 0, float("-inf")

    def has(self, size: int = 0) -> bool:
        """Whether ``size`` bytes more can be kept."""
        if self._shelf.free_bytes() - size < self._keep.reserve_gib * GIB:
            return False
        quota = self._keep.disk_gib * GIB
        return not quota or self.used_bytes() + size <= quota

    def used_bytes(self) -> int:
        """Return the sum of what lies on the shelf, at most some seconds old."""
        with self._lock:
            if time.monotonic() - self._at > KEPT_SECONDS:
                self._used, self._at = stored_bytes(self._db), time.monotonic()
            return self._used


def stored_bytes(db: Database) -> int:
    """Return how many bytes the stored objects have."""
    from sqlalchemy import func, select

    from tumorboard.serve.data.tables import Instance
    from tumorboard.serve.data.words import InstanceState

    with db.read() as session:
        stored = select(func.sum(Instance.size)).where(Instance.state == InstanceState.STORED)
        return int(session.scalar(stored) or 0)
