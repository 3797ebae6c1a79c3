"""For those who keep it running: whether it lives, whether it can work, and its counters.

Why it exists: a supervisor asks without a log-in, so these answers hold no patient, no path and no version of a part.
"""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST
from sqlalchemy import select, text

from tumorboard.serve.data.people import Schema
from tumorboard.serve.data.words import Role
from tumorboard.serve.settings import is_loopback
from tumorboard.serve.web.doors import Door, address_of, public
from tumorboard.serve.web.metrics import exposition
from tumorboard.serve.web.site import Site, site_of

router = APIRouter()


@router.get("/health/live", dependencies=[public()])
def live() -> dict[str, str]:
    """Say that the process answers."""
    return {"status": "live"}


@router.get("/health/ready", dependencies=[public()])
def ready(request: Request) -> JSONResponse:
    """Say whether studies can be shown and taken in: the database answers, the shelf can be written, there is room."""
    checks = readiness(site_of(request))
    good = all(checks.values())
    said = {"status": "ready" if good else "not ready", "checks": checks}
    return JSONResponse(said, 200 if good else 503)


def readiness(site: Site) -> dict[str, bool]:
    """Return what must hold for work, and whether it does."""
    return {"database": _database(site), "shelf": site.shelf.incoming.is_dir(), "room": site.room.has()}


def _database(site: Site) -> bool:
    from sqlalchemy.exc import SQLAlchemyError

    try:
        with site.db.read() as session:
            session.execute(text("SELECT 1"))
            return session.scalars(select(Schema.version)).first() is not None
    except SQLAlchemyError:
        return False


_ADMIN = Door(Role.ADMIN)


@router.get("/metrics", dependencies=[public()])
async def metrics(request: Request) -> Response:
    """Return the counters, to this machine and to admins."""
    site = site_of(request)
    if not is_loopback(address_of(request)) or site.settings.web.names:
        await _ADMIN(request)
    from starlette.concurrency import run_in_threadpool

    return Response(await run_in_threadpool(exposition, site), media_type=CONTENT_TYPE_LATEST)
