"""Machines that send a name and a password with every request, as DICOM software does over DICOMweb.

Why it exists: argon2 is slow on purpose; a viewer that asks for a thousand frames must not pay for it a thousand times.
Source: RFC 7617 (HTTP Basic).
"""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING

from sqlalchemy import select

from tumorboard.serve.data.people import User

if TYPE_CHECKING:
    import datetime as dt

    from tumorboard.serve.web.site import Site


class Machines:
    """Users whose name and password were right a moment ago, so that each of a thousand frames is not hashed anew.

    Examples
    --------
    >>> Machines().SECONDS
    60
    """

    SECONDS = 60
    """For how long a pair is believed."""

    MOST = 100
    """Users that are remembered."""

    def __init__(self) -> None:
        self._right: dict[str, tuple[str, dt.datetime]] = {}

    def get(self, site: Site, name: str, password: str) -> User | None:
        """Return the user if the pair was right within the last minute, and still would be."""
        with site.db.read() as session:
            user = session.scalars(select(User).where(User.name == name)).one_or_none()
        if user is None or not user.active:
            return None
        mark, at = self._right.get(name, ("", site.clock()))
        fresh = (site.clock() - at).total_seconds() < self.SECONDS
        return user if fresh and hmac.compare_digest(site.passwords.mark(user.password, password), mark) else None

    def keep(self, site: Site, user: User, password: str) -> None:
        """Remember that a pair was right."""
        if len(self._right) >= self.MOST:
            self._right.clear()
        self._right[user.name] = (site.passwords.mark(user.password, password), site.clock())
