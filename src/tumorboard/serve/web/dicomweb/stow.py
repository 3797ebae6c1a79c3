"""STOW-RS: taking in objects over HTTP, through the same door as C-STORE. Source: PS3.18 10.5.

Why it exists: each object is told its own fate; one that cannot be kept takes no other with it, and success is told
only of what lies on the disk with its row.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from enum import IntEnum
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from starlette.concurrency import run_in_threadpool

from tumorboard.errors import FileFormatError
from tumorboard.serve.data.words import Role
from tumorboard.serve.log import tell
from tumorboard.serve.shelf.admit import admit
from tumorboard.serve.shelf.header import Header, read_header
from tumorboard.serve.web.dicomweb.attributes import element
from tumorboard.serve.web.dicomweb.common import JSON, ROOT, Uid, accepted
from tumorboard.serve.web.dicomweb.parts import Came, Parts, boundary_of
from tumorboard.serve.web.doors import allow
from tumorboard.serve.web.logins import Visitor
from tumorboard.serve.web.refusals import BadRequest, NoRoom, NotAcceptable
from tumorboard.serve.web.show import TheSite
from tumorboard.serve.web.site import Site

router = APIRouter(prefix=ROOT)

Storer = Annotated[Visitor, allow(Role.RESEARCHER, "objects stored")]


class Reason(IntEnum):
    """Why an object was not stored. Source: PS3.18 table 10.5.3-1 and PS3.4 B.2.3."""

    PROCESSING = 0x0110
    NO_ROOM = 0xA700
    OTHER_STUDY = 0xA900
    NOT_UNDERSTOOD = 0xC000


@dataclass
class Fates:
    """What became of the objects of a request."""

    site: Site
    sender: str
    study_uid: str
    base: str
    stored: list[dict[str, Any]] = field(default_factory=list)
    failed: list[dict[str, Any]] = field(default_factory=list)
    unknown: list[dict[str, Any]] = field(default_factory=list)

    def take(self, came: Came) -> None:
        """Take in one part; never raises."""
        if came.file is None:
            self.unknown.append(_reason(Reason.NO_ROOM))
            return
        try:
            self._take(came.file)
        finally:
            came.file.unlink(missing_ok=True)

    def _take(self, file: Path) -> None:
        try:
            header = read_header(file)
        except FileFormatError:
            self.unknown.append(_reason(Reason.NOT_UNDERSTOOD))
            return
        reason = self._kept(file, header)
        named = {"00081150": element("UI", header.sop_class), "00081155": element("UI", header.sop_uid)}
        if reason is None:
            place = (
                f"{self.base}{ROOT}/studies/{header.study_uid}/series/{header.series_uid}/instances/{header.sop_uid}"
            )
            self.stored.append(named | {"00081190": element("UR", place)})
        else:
            self.failed.append(named | _reason(reason))

    def _kept(self, file: Path, header: Header) -> Reason | None:
        if self.study_uid and header.study_uid != self.study_uid:
            return Reason.OTHER_STUDY
        if not self.site.room.has(header.size):
            return Reason.NO_ROOM
        try:
            done = admit(self.site.db, self.site.shelf, file, sender=self.sender, header=header)
        except OSError as error:
            tell("web", "object not stored", level=logging.ERROR, error=error)
            return Reason.NO_ROOM
        except Exception as error:  # a locked database: the sender keeps its copy and tries again
            tell("web", "object not stored", level=logging.ERROR, error=error)
            return Reason.PROCESSING
        tell("web", "object stored", study=done.study_key, coming=done.coming.value, reopened=done.reopened)
        return None

    @property
    def status(self) -> int:
        """All were stored, some, or none."""
        bad = len(self.failed) + len(self.unknown)
        return 200 if not bad else 202 if self.stored else 409

    def as_json(self) -> dict[str, Any]:
        """Return the answer as DICOM JSON. Source: PS3.18 I.2 (store instances response module)."""
        told: dict[str, Any] = {}
        if self.study_uid:
            told["00081190"] = element("UR", f"{self.base}{ROOT}/studies/{self.study_uid}")
        lists = {"00081198": self.failed, "00081199": self.stored, "0008119A": self.unknown}
        return told | {tag: {"vr": "SQ", "Value": items} for tag, items in lists.items() if items}


@router.post("/studies")
async def store(request: Request, site: TheSite, visitor: Storer) -> Response:
    """Store objects of any study."""
    return await _store(request, site, visitor, "")


@router.post("/studies/{study_uid}")
async def store_in_study(request: Request, study_uid: Uid, site: TheSite, visitor: Storer) -> Response:
    """Store objects of one study; others are refused."""
    return await _store(request, site, visitor, study_uid)


async def _store(request: Request, site: Site, visitor: Visitor, study_uid: str) -> Response:
    kinds = {r.kind for r in accepted(request.headers.get("accept", ""))}
    if not kinds & {JSON, "application/json", "application/*", "*/*"}:
        raise NotAcceptable(JSON)
    boundary = boundary_of(request.headers.get("content-type", ""))
    if not await run_in_threadpool(site.room.has, int(request.headers.get("content-length", "0"))):
        raise NoRoom
    fates = Fates(site, f"{visitor.name} (STOW)", study_uid, str(request.base_url).rstrip("/"))
    parts = Parts(boundary, site.shelf.incoming, int(site.settings.web.max_part_mib * 2**20), fates.take)
    try:
        async for piece in request.stream():
            await run_in_threadpool(parts.write, piece)
        parts.close()
    except OSError as error:
        tell("web", "body not kept", level=logging.ERROR, error=error)
        raise NoRoom from error
    finally:
        parts.drop()
    if not (fates.stored or fates.failed or fates.unknown):
        raise BadRequest("at least one object")
    return JSONResponse(fates.as_json(), fates.status, media_type=JSON)


def _reason(reason: Reason) -> dict[str, Any]:
    return {"00081197": element("US", int(reason))}
