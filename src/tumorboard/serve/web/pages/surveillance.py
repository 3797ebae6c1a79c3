"""The surveillance page: throughput, failures, drift, corrections.

Why it exists: what happens after release is looked at by those who use it, not only by those who made it.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request
from fastapi.responses import Response

from tumorboard.serve.data.words import Role
from tumorboard.serve.web.doors import allow
from tumorboard.serve.web.logins import Visitor
from tumorboard.serve.web.show import TheSite, show
from tumorboard.serve.web.watch import DAYS, LOW, watch

router = APIRouter()


@router.get("/surveillance")
def surveillance_page(
    request: Request, site: TheSite, visitor: Annotated[Visitor, allow(Role.READER, "surveillance opened")]
) -> Response:
    """Show what is watched."""
    with site.db.read() as session:
        watched = watch(session, site.settings, site.clock())
    return show(request, "surveillance.html", visitor, here="surveillance", watched=watched, days=DAYS, low=LOW)
