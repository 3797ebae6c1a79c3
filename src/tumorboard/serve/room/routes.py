"""The reading room's addresses: the page, its images, corrections, decisions.

Why it exists: the page is a program of ours in the reader's browser, which asks here; and here alone it is decided what
is true. Nothing that comes from a page is believed: neither that it is the newest, nor its grid, nor its size.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from pydantic import ValidationError
from sqlalchemy import select
from starlette.concurrency import run_in_threadpool

from tumorboard.serve.data.people import Edit
from tumorboard.serve.data.words import Role
from tumorboard.serve.outlines.places import Place, place_of
from tumorboard.serve.outlines.versions import files_of_edit
from tumorboard.serve.room.assets import asset, assets_version
from tumorboard.serve.room.changes import (
    Changed,
    Decision,
    Teaching,
    change,
    decision,
    place_in,
    study_of,
    teaching,
)
from tumorboard.serve.room.pictures import UNCERTAINTY, picture, shown_of
from tumorboard.serve.room.state import Reading, job_of, onto_of
from tumorboard.serve.web.doors import allow, public
from tumorboard.serve.web.logins import Visitor
from tumorboard.serve.web.refusals import NotFound, TooLarge
from tumorboard.serve.web.show import TheSite
from tumorboard.serve.web.site import Site

if TYPE_CHECKING:
    pass

router = APIRouter(prefix="/room")

FOR_EVER = "private, max-age=31536000, immutable"
LARGEST_CHANGE = 64 * 2**20
"""Bytes of a change as JSON; a mask compresses to far less."""

Reader = Annotated[Visitor, allow(Role.READER, "study read")]
Looker = Annotated[Visitor, allow(Role.READER)]


@router.get("/static/{version}/{name:path}", dependencies=[public()])
def static(version: str, name: str, request: Request) -> Response:
    """Return a script, a style or a font of the room; its address holds the version, so browsers keep it."""
    found = asset(name)
    if found is None:
        raise NotFound
    kept = "public, max-age=31536000, immutable" if version == assets_version() else "no-cache"
    headers = {"cache-control": kept, "vary": "accept-encoding"}
    if "gzip" in request.headers.get("accept-encoding", "") and found.small is not None:
        return Response(found.small, media_type=found.kind, headers=headers | {"content-encoding": "gzip"})
    return Response(found.data, media_type=found.kind, headers=headers)


@router.get("/{study_key}")
def page(study_key: str, request: Request, site: TheSite, visitor: Reader) -> Response:
    """Show the viewer of a study."""
    with site.db.read() as session:
        study = study_of(session, study_key)
        said = {"study": study, "patient": study.patient, "there": place_of(site.settings, study) is not None}
        html = site.pages.get_template("room.html").render(
            visitor=visitor, version=assets_version(), state=study.state.value, reason=study.reason, **said
        )
    return Response(html, media_type="text/html")


@router.get("/{study_key}/state")
def state(study_key: str, site: TheSite, visitor: Looker) -> JSONResponse:
    """Tell everything that the viewer must know."""
    with site.db.read() as session:
        study = study_of(session, study_key)
        return JSONResponse(Reading(session, site.settings, study, place_in(site, study)).as_json(visitor))


@router.get("/{study_key}/progress")
def progress(
    study_key: str, site: TheSite, visitor: Annotated[Visitor, allow(Role.READER, wakes=False)]
) -> JSONResponse:
    """Tell how far the run of a study is; asked for by the page itself, which keeps nobody logged in."""
    with site.db.read() as session:
        return JSONResponse(job_of(session, study_of(session, study_key)))


@router.get("/{study_key}/image/{what}")
def image(study_key: str, what: str, request: Request, site: TheSite, visitor: Looker) -> Response:
    """Return a sequence, the outline or its uncertainty, as bytes for the viewer."""
    with site.db.read() as session:
        place = place_in(site, study_of(session, study_key))
    _check_shown(place, what)
    return _image(request, picture(site.settings.viewer, place, what))


@router.get("/{study_key}/beside/{other_key}/image/{what}")
def image_beside(
    study_key: str,
    other_key: str,
    what: str,
    request: Request,
    site: TheSite,
    visitor: Annotated[Visitor, allow(Role.READER, "study compared")],
) -> Response:
    """Return an image of another study of the same patient, on the grid of this one."""
    with site.db.read() as session:
        study, other = study_of(session, study_key), study_of(session, other_key)
        if study.patient_id != other.patient_id:
            raise NotFound("a study of the same patient")
        place, second = place_in(site, study), place_in(site, other)
    if what == UNCERTAINTY:
        raise NotFound
    _check_shown(second, what)
    return _image(request, picture(site.settings.viewer, second, what, onto_of(place, second)[0]))


@router.get("/{study_key}/edits/{number}/mask")
def mask(study_key: str, number: int, request: Request, site: TheSite, visitor: Looker) -> Response:
    """Return the mask of a version."""
    with site.db.read() as session:
        study = study_of(session, study_key)
        edit = session.scalars(select(Edit).where(Edit.study_id == study.id, Edit.number == number)).one_or_none()
        if edit is None:
            raise NotFound("a version of this outline")
        path = files_of_edit(site.settings, edit)[0]
    return _image(request, path.read_bytes())


@router.post("/{study_key}/edits")
async def save(study_key: str, request: Request, site: TheSite, visitor: Looker) -> JSONResponse:
    """Save a changed outline as a new version, measured."""
    return await _changed(Changed, change, study_key, request, site, visitor, 201)


@router.post("/{study_key}/decision")
async def decide(study_key: str, request: Request, site: TheSite, visitor: Looker) -> JSONResponse:
    """Accept or reject the newest version."""
    return await _changed(Decision, decision, study_key, request, site, visitor)


@router.put("/{study_key}/teaching")
async def teach(
    study_key: str, request: Request, site: TheSite, visitor: Annotated[Visitor, allow(Role.ADMIN)]
) -> JSONResponse:
    """Say whether corrections of a study may train networks."""
    return await _changed(Teaching, teaching, study_key, request, site, visitor)


async def _changed(
    model: Any, work: Any, study_key: str, request: Request, site: Site, visitor: Visitor, status: int = 200
) -> JSONResponse:
    """Read the body with a limit, check it, and let a thread do the work."""
    body = await _body(request)
    try:
        asked = model.model_validate_json(body)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])[:60]
        return JSONResponse({"detail": f"expected another value of {where or 'the body'}: {first['msg'][:200]}"}, 422)
    code, said = await run_in_threadpool(work, site, study_key, visitor, asked)
    return JSONResponse(said, code or status)


async def _body(request: Request) -> bytes:
    parts, taken = [], 0
    async for part in request.stream():
        taken += len(part)
        if taken > LARGEST_CHANGE:
            raise TooLarge(f"a body of at most {LARGEST_CHANGE // 2**20} MiB")
        parts.append(part)
    return b"".join(parts)


def _check_shown(place: Place, what: str) -> None:
    """Refuse what is no image of this study; nothing else ever becomes part of a path."""
    if what not in shown_of(place):
        raise NotFound("an image of this study")


def _image(request: Request, compressed: bytes) -> Response:
    """Answer with an image that the browser unpacks; its address names its content, so it is fetched once."""
    headers = {"cache-control": FOR_EVER if request.query_params.get("v") else "private, no-cache"}
    if "gzip" in request.headers.get("accept-encoding", ""):
        headers["content-encoding"] = "gzip"
        return Response(compressed, media_type="application/octet-stream", headers=headers)
    import gzip

    return Response(gzip.decompress(compressed), media_type="application/octet-stream", headers=headers)
