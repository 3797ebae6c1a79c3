"""The audit page: who saw or changed what, the latest first; for admins.

Why it exists: the table is of use only if somebody can look into it. Looking into it is noted too.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import Response
from sqlalchemy import select

from tumorboard.serve.data.people import Audit
from tumorboard.serve.data.tables import Study
from tumorboard.serve.data.words import Role
from tumorboard.serve.web.doors import allow
from tumorboard.serve.web.logins import Visitor
from tumorboard.serve.web.show import TheSite, show

router = APIRouter()

MOST = 200
"""Rows on a page."""


@router.get("/audit")
def audit_page(
    request: Request, site: TheSite, visitor: Annotated[Visitor, allow(Role.ADMIN, "audit opened")]
) -> Response:
    """Show the latest rows."""
    return _shown(request, site, visitor)


@router.post("/audit")
def audit_filtered(
    request: Request,
    site: TheSite,
    visitor: Annotated[Visitor, allow(Role.ADMIN, "audit opened")],
    who: Annotated[str, Form(max_length=64)] = "",
    what: Annotated[str, Form(max_length=64)] = "",
    on: Annotated[str, Form(max_length=128)] = "",
    before: Annotated[int, Form(ge=0, le=2**53)] = 0,
) -> Response:
    """Show rows of a user, a deed or a key."""
    return _shown(request, site, visitor, {"who": who.strip(), "what": what.strip(), "on": on.strip()}, before)


def _shown(
    request: Request, site: TheSite, visitor: Visitor, wanted: dict[str, str] | None = None, before: int = 0
) -> Response:
    wanted = wanted or {"who": "", "what": "", "on": ""}
    query = select(Audit).order_by(Audit.id.desc()).limit(MOST)
    for column, text in wanted.items():
        if text:
            query = query.where(getattr(Audit, column).icontains(text, autoescape=True))
    if before:
        query = query.where(Audit.id < before)
    with site.db.read() as session:
        rows = session.scalars(query).all()
        named = [row.on for row in rows if row.on]
        studies = set(session.scalars(select(Study.key).where(Study.key.in_(named))))
        people = session.scalars(select(Audit.who).distinct().order_by(Audit.who).limit(MOST)).all()
    return show(
        request,
        "audit.html",
        visitor,
        here="audit",
        rows=rows,
        wanted=wanted,
        studies=studies,
        people=people,
        more=len(rows) == MOST,
    )
