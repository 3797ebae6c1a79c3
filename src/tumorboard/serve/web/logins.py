"""Sessions on the server: who is logged in from which browser, until when; and when an account is locked.

Why it exists: a token in a cookie says nothing, is kept only as its digest, is made anew at each log-in (so that a
fixed one is worth nothing), and ends when its user is silent, barred, or a day's work is over.
Source: OWASP Session Management Cheat Sheet; NIST SP 800-63B-4 5.2 (rate limiting).
"""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import delete, select

from tumorboard.serve.audit import record
from tumorboard.serve.data.people import Audit, Login, User
from tumorboard.serve.data.words import Role

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from tumorboard.serve.web.site import Site

LONGEST = dt.timedelta(hours=12)
"""A session ends after this time, however busy."""

TOUCH = dt.timedelta(seconds=30)
"""How exactly the last sign of life is kept; a write for each request would be much."""

FAILURES, LOCKED = 5, dt.timedelta(minutes=15)
"""So many wrong passwords in a row lock an account for so long."""

IN, OUT, WRONG, BARRED = "logged in", "logged out", "login failed", "login refused"
UNKNOWN = "(unknown)"
"""Who is noted where a name is none of ours; what was typed may be a password."""


@dataclass(frozen=True)
class Visitor:
    """Who is asking.

    Parameters
    ----------
    user_id : int
        Row of the user.
    name, shown_name : str
        As typed, and as pages call them.
    role : Role
        What they may do.
    csrf : str
        Token that a changing request must bring; empty for a machine, which sends its password each time.
    login_id : int
        Row of the session; 0 for a machine.
    """

    user_id: int
    name: str
    shown_name: str
    role: Role
    csrf: str = ""
    login_id: int = 0

    def may(self, least: Role) -> bool:
        """Whether the role reaches another; a researcher may what a reader may, an admin everything.

        Examples
        --------
        >>> Visitor(1, "a", "A", Role.RESEARCHER).may(Role.READER), Visitor(1, "a", "A", Role.READER).may(Role.ADMIN)
        (True, False)
        """
        order = list(Role)
        return order.index(self.role) >= order.index(least)


def try_login(site: Site, name: str, password: str, address: str) -> User | None:
    """Check a name and a password; note what came of it.

    Parameters
    ----------
    site : Site
        Where.
    name, password : str
        As typed.
    address : str
        Network address that asks; noted.

    Returns
    -------
    User or None
        None where they are wrong, or the user is barred or locked; which of them is not told.
    """
    at = site.clock()
    with site.db.read() as session:
        user = session.scalars(select(User).where(User.name == name)).one_or_none()
        locked = user is not None and _locked(session, user.name, at)
    usable = user is not None and user.active and not locked
    right = site.passwords.right(user.password if user is not None and usable else None, password)
    who = user.name if user else UNKNOWN
    with site.db.begin() as session:
        if right and user is not None:
            session.get_one(User, user.id).last_login_at = at
            session.add(Audit(at=at, who=who, what=IN, on="", detail={"from": address}))
            return user
        what = BARRED if user is not None and not usable else WRONG
        session.add(Audit(at=at, who=who, what=what, on="", detail={"from": address}))
    return None


def _locked(session: Session, name: str, at: dt.datetime) -> bool:
    rows = select(Audit.what).where(Audit.who == name, Audit.what.in_((IN, WRONG)), Audit.at > at - LOCKED)
    last = session.scalars(rows.order_by(Audit.id.desc()).limit(FAILURES)).all()
    return len(last) == FAILURES and IN not in last


def open_login(site: Site, user: User) -> str:
    """Begin a session, drop the ended ones, and return the token for the cookie."""
    token, at = secrets.token_urlsafe(32), site.clock()
    quiet = dt.timedelta(minutes=site.settings.web.session_minutes)
    with site.db.begin() as session:
        session.execute(delete(Login).where((Login.last_at < at - quiet) | (Login.created_at < at - LONGEST)))
        made = Login(token_digest=_digest(token), csrf=secrets.token_urlsafe(24), user_id=user.id)
        made.created_at = made.last_at = at
        session.add(made)
    return token


def find_visitor(site: Site, token: str) -> tuple[Visitor, bool] | None:
    """Return whom a token stands for, and whether to note a sign of life; None where it stands for nobody."""
    at = site.clock()
    with site.db.read() as session:
        row = session.execute(
            select(Login, User).join(User, Login.user_id == User.id).where(Login.token_digest == _digest(token))
        ).one_or_none()
    if row is None:
        return None
    login, user = row
    quiet = dt.timedelta(minutes=site.settings.web.session_minutes)
    if not user.active or at - login.last_at > quiet or at - login.created_at > LONGEST:
        return None
    return _visitor(user, login), at - login.last_at > min(TOUCH, quiet / 4)


def touch(session: Session, visitor: Visitor, at: dt.datetime) -> None:
    """Note a sign of life."""
    login = session.get(Login, visitor.login_id)
    if login is not None:
        login.last_at = at


def close_login(site: Site, visitor: Visitor) -> None:
    """End a session."""
    with site.db.begin() as session:
        session.execute(delete(Login).where(Login.id == visitor.login_id))
        record(session, visitor.name, OUT)


def machine(user: User) -> Visitor:
    """Return a user who sent name and password with the request."""
    return _visitor(user, None)


def _visitor(user: User, login: Login | None) -> Visitor:
    shown = user.shown_name or user.name
    if login is None:
        return Visitor(user.id, user.name, shown, user.role)
    return Visitor(user.id, user.name, shown, user.role, login.csrf, login.id)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
