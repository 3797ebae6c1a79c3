"""Users: made, given another password or role, and barred, by the command line; never by a page.

Why it exists: who administers the machine decides who may log in; no page can be tricked into making a user.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tumorboard.errors import InputError, did_you_mean
from tumorboard.serve.audit import SYSTEM, record
from tumorboard.serve.data.session import Database
from tumorboard.serve.data.words import Role

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from tumorboard.serve.data.people import User

NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,31}")


def role_of(word: str) -> Role:
    """Return the role of a word.

    Raises
    ------
    InputError
        It is none.

    Examples
    --------
    >>> role_of("reader").value
    'reader'
    """
    known = [role.value for role in Role]
    if word not in known:
        raise InputError(
            "reader, researcher or admin", got="another word", where="--role", remedy=did_you_mean(word, known)
        )
    return Role(word)


def add_user(db: Database, name: str, role: Role, password: str, shown_name: str = "") -> None:
    """Make a user.

    Parameters
    ----------
    db : Database
        The department's.
    name : str
        What is typed to log in: small letters, digits, ``. _ -``; at most 32.
    role : Role
        What they may do.
    password : str
        12 to 256 characters; only its hash is kept.
    shown_name : str
        How pages call them; the name where it is empty.

    Raises
    ------
    InputError
        The name is none or is taken, or the password is too short or too long.
    """
    from tumorboard.serve.data.people import User
    from tumorboard.serve.web.passwords import Passwords

    if not NAME.fullmatch(name):
        raise InputError("a name of small letters, digits, dots, dashes (32 at most)", got="another", where="user")
    kept = Passwords().hashed(password)
    with db.begin() as session:
        if _found(session, name) is not None:
            remedy = "choose another name, or give this user a new password"
            raise InputError("a new name", got="one that is taken", where="user", remedy=remedy)
        session.add(User(name=name, shown_name=shown_name[:128], password=kept, role=role))
        record(session, SYSTEM, "user added", name, role=role.value)


def change_user(
    db: Database, name: str, *, role: Role | None = None, password: str | None = None, active: bool | None = None
) -> None:
    """Give a user another role or password, or bar them; what is None stays. They are logged out everywhere.

    Raises
    ------
    InputError
        There is no such user, or the password is too short or too long.
    """
    from sqlalchemy import delete

    from tumorboard.serve.data.people import Login
    from tumorboard.serve.web.passwords import Passwords

    kept = None if password is None else Passwords().hashed(password)
    with db.begin() as session:
        user = _known(session, name)
        told = {"role": role, "password": kept, "active": active}
        for column, value in told.items():
            if value is not None:
                setattr(user, column, value)
        session.execute(delete(Login).where(Login.user_id == user.id))
        record(session, SYSTEM, "user changed", name, changed=[c for c, v in told.items() if v is not None])


def list_users(db: Database) -> list[User]:
    """Return all users by name."""
    from sqlalchemy import select

    from tumorboard.serve.data.people import User

    with db.read() as session:
        return list(session.scalars(select(User).order_by(User.name)))


def _found(session: Session, name: str) -> User | None:
    from sqlalchemy import select

    from tumorboard.serve.data.people import User

    return session.scalars(select(User).where(User.name == name)).one_or_none()


def _known(session: Session, name: str) -> User:
    user = _found(session, name)
    if user is None:
        from sqlalchemy import select

        from tumorboard.serve.data.people import User

        remedy = did_you_mean(name, session.scalars(select(User.name)).all(), "add it first")
        raise InputError("a user who is there", got="another name", where="user", remedy=remedy)
    return user
