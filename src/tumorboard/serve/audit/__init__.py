"""Who saw or changed what: one call, one row that nobody can change afterwards.

Why it exists: those who answer for patients' data must be able to say who looked. Rows name users and keys; patients
are found through the keys.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

SYSTEM = "system"
"""Who acts when nobody is logged in."""


def record(session: Session, who: str, what: str, on: str = "", **detail: Any) -> None:
    """Add a row to the audit table; it is kept with the transaction, or not at all.

    Parameters
    ----------
    session : Session
        In a transaction that writes.
    who : str
        Name of the user, or :data:`SYSTEM`.
    what : str
        A verb and its thing, such as ``study opened``; at most 64 characters.
    on : str
        Key of the study, patient or result.
    detail : JSON
        Anything else; no identifiers.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> record(SimpleNamespace(add=lambda row: print(row.who, row.what, row.on)), "anna", "study opened", "a1")
    anna study opened a1
    """
    from tumorboard.serve.data.people import Audit

    session.add(Audit(who=who[:64], what=what[:64], on=on[:128], detail=detail))
