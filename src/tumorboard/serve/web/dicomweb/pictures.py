"""Rendered objects: pictures for people, with a window, at a size. Source: PS3.18 8.3.5, 10.4.1.1.3.

Why it exists: a page shows a slice without a viewer. A picture is made of pixels alone; no text is drawn into it.
"""

from __future__ import annotations

import math
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from tumorboard.serve.web.dicomweb.common import ROOT, Looker, Stored, Uid, accepted, stored_objects
from tumorboard.serve.web.dicomweb.frames import Window, encoded, frame_count, opened, rendered
from tumorboard.serve.web.refusals import BadRequest, NotAcceptable, NotFound
from tumorboard.serve.web.show import TheSite

router = APIRouter(prefix=ROOT)

INSTANCE = "/studies/{study_uid}/series/{series_uid}/instances/{sop_uid}"
LARGEST, THUMBNAIL = 4096, 128
Windowed = Annotated[str | None, Query(max_length=100, description="centre,width,function")]
Viewport = Annotated[str | None, Query(max_length=100, description="width,height in pixels")]
Quality = Annotated[int, Query(ge=1, le=100)]


@router.get(INSTANCE + "/rendered")
def render_instance(  # noqa: PLR0913, PLR0917 - one parameter a part of the address
    request: Request,
    study_uid: Uid,
    series_uid: Uid,
    sop_uid: Uid,
    site: TheSite,
    _visitor: Looker,
    window: Windowed = None,
    viewport: Viewport = None,
    quality: Quality = 90,
) -> Response:
    """Return the middle frame of an object as a picture."""
    (one, *_) = stored_objects(site, study_uid, series_uid, sop_uid)
    return _picture(request, one, 0, read_window(window), read_viewport(viewport), quality)


@router.get(INSTANCE + "/frames/{number}/rendered")
def render_frame(  # noqa: PLR0913, PLR0917
    request: Request,
    study_uid: Uid,
    series_uid: Uid,
    sop_uid: Uid,
    number: int,
    site: TheSite,
    _visitor: Looker,
    window: Windowed = None,
    viewport: Viewport = None,
    quality: Quality = 90,
) -> Response:
    """Return a frame as a picture; frames count from 1."""
    (one, *_) = stored_objects(site, study_uid, series_uid, sop_uid)
    if number < 1:
        raise NotFound("the number of a frame that is there")
    return _picture(request, one, number, read_window(window), read_viewport(viewport), quality)


@router.get(INSTANCE + "/thumbnail")
def instance_thumbnail(
    request: Request, study_uid: Uid, series_uid: Uid, sop_uid: Uid, site: TheSite, _visitor: Looker
) -> Response:
    """Return a small picture of an object."""
    (one, *_) = stored_objects(site, study_uid, series_uid, sop_uid)
    return _picture(request, one, 0, None, (THUMBNAIL, THUMBNAIL), 80)


@router.get("/studies/{study_uid}/series/{series_uid}/thumbnail")
def series_thumbnail(request: Request, study_uid: Uid, series_uid: Uid, site: TheSite, _visitor: Looker) -> Response:
    """Return a small picture of a series: of its middle object."""
    found = stored_objects(site, study_uid, series_uid)
    return _picture(request, found[len(found) // 2], 0, None, (THUMBNAIL, THUMBNAIL), 80)


def read_window(text: str | None) -> Window | None:
    """Read a window; functions other than the linear one are shown as linear.

    Raises
    ------
    BadRequest
        It is none.

    Examples
    --------
    >>> read_window("40,80,linear")
    Window(centre=40.0, width=80.0)
    """
    if text is None:
        return None
    parts = text.split(",")
    try:
        centre, width = float(parts[0]), float(parts[1])
    except (ValueError, IndexError) as error:
        raise BadRequest("window=centre,width,function") from error
    if not (math.isfinite(centre) and math.isfinite(width) and width > 0):
        raise BadRequest("a window with a width")
    return Window(centre, width)


def read_viewport(text: str | None) -> tuple[int, int] | None:
    """Read the size of a viewport in pixels.

    Raises
    ------
    BadRequest
        It is none, or too large.

    Examples
    --------
    >>> read_viewport("512,256")
    (512, 256)
    """
    if text is None:
        return None
    parts = text.split(",")
    if len(parts) < 2 or not all(p.isascii() and p.isdigit() and len(p) <= 5 for p in parts[:2]):
        raise BadRequest("viewport=width,height")
    size = int(parts[0]), int(parts[1])
    if not all(1 <= side <= LARGEST for side in size):
        raise BadRequest(f"a viewport of 1 to {LARGEST} pixels a side")
    return size


def _picture(
    request: Request, one: Stored, number: int, window: Window | None, size: tuple[int, int] | None, quality: int
) -> Response:
    kind = _kind(request)
    dataset = opened(one.file)
    pixels = rendered(dataset, number or (frame_count(dataset) + 1) // 2, window, size)
    return Response(encoded(pixels, kind, quality), media_type=kind)


def _kind(request: Request) -> str:
    for wanted in accepted(request.headers.get("accept", "")):
        if wanted.kind in ("image/png", "image/jpeg"):
            return wanted.kind
        if wanted.kind in ("*/*", "image/*"):
            return "image/jpeg"
    raise NotAcceptable("image/jpeg or image/png")
