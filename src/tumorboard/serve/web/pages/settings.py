"""The settings page: what the department was told, to read and not to change.

Why it exists: whoever looks for the reason of a behaviour finds it; whoever breaks into a page changes nothing.
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import BaseModel
from sqlalchemy import select

from tumorboard.serve.data.people import Running
from tumorboard.serve.data.words import Role
from tumorboard.serve.settings import DepartmentSettings, Peer
from tumorboard.serve.web.doors import allow
from tumorboard.serve.web.logins import Visitor
from tumorboard.serve.web.ops import readiness
from tumorboard.serve.web.show import TheSite, show
from tumorboard.serve.web.users import list_users

router = APIRouter()

HIDDEN = frozenset({"home", "database", "certificate", "key", "authority"})
"""Paths and addresses that hold passwords: that they are set is told, not what they are."""


@router.get("/settings")
def settings_page(
    request: Request, site: TheSite, visitor: Annotated[Visitor, allow(Role.ADMIN, "settings opened")]
) -> Response:
    """Show settings, users, and which processes live."""
    with site.db.read() as session:
        running = session.scalars(select(Running).order_by(Running.part, Running.name)).all()
    return show(
        request,
        "settings.html",
        visitor,
        here="settings",
        parts=told(site.settings),
        users=list_users(site.db),
        running=running,
        checks=readiness(site),
        free=site.shelf.free_bytes() / 2**30,
    )


def told(settings: DepartmentSettings) -> list[tuple[str, str, list[tuple[str, str, str]]]]:
    """Return each part of the settings: name, what it is, and rows of (key, value, meaning).

    Examples
    --------
    >>> from pathlib import Path
    >>> parts = told(DepartmentSettings(home=Path("secret")))
    >>> parts[0][2][0][:2], parts[1][2][0][:2]
    (('home', 'set'), ('ae_title', 'TUMORBOARD'))
    """
    whole = list(type(settings).model_fields)
    plain = [name for name in whole if not isinstance(getattr(settings, name), BaseModel | tuple)]
    parts = [("department", "The department itself.", [_row(settings, name) for name in plain])]
    for name in whole:
        part = getattr(settings, name)
        if isinstance(part, BaseModel):
            parts.append((name, _purpose(part), [_row(part, key) for key in type(part).model_fields]))
    peers = [p for p in settings.peers if isinstance(p, Peer)]
    return parts + [(f"peer {p.name}", _purpose(p), [_row(p, key) for key in type(p).model_fields]) for p in peers]


def _purpose(part: BaseModel) -> str:
    return (part.__doc__ or "").splitlines()[0]


def _row(part: BaseModel, name: str) -> tuple[str, str, str]:
    value: Any = getattr(part, name)
    return name, _words(value, name in HIDDEN), type(part).model_fields[name].description or ""


def _words(value: Any, hidden: bool) -> str:
    if value is None or value in ("", ()):
        return "–"
    if hidden or isinstance(value, BaseModel):
        return "set"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
