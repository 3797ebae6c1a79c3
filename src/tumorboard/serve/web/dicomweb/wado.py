"""WADO-RS: retrieving objects, their metadata, bulk data and frames. Source: PS3.18 10.4.

Why it exists: objects are given as they lie on the shelf where the asker takes that, without compression where not;
pixels are never read for metadata.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse

from tumorboard.serve.web.dicomweb.common import (
    JSON,
    ROOT,
    Looker,
    Part,
    Range,
    Stored,
    Uid,
    accepted,
    file_bytes,
    multipart,
    read_dataset,
    stored_objects,
)
from tumorboard.serve.web.dicomweb.frames import KINDS, OCTETS, compressed_frames, frame_count, opened, plain_frame
from tumorboard.serve.web.refusals import NotAcceptable, NotFound
from tumorboard.serve.web.show import TheSite

router = APIRouter(prefix=ROOT)

DICOM = "application/dicom"
EXPLICIT = "1.2.840.10008.1.2.1"
MOST_FRAMES = 1000
"""Frames of one answer."""

PLAIN = frozenset({"1.2.840.10008.1.2", EXPLICIT})
_BINARY = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "UN"})

Frames = Annotated[str, Path(pattern="^[0-9]+(,[0-9]+)*$", max_length=4000)]
Tag = Annotated[str, Path(pattern=r"^[0-9A-Fa-f]{8}$")]


@router.get("/studies/{study_uid}")
def retrieve_study(request: Request, study_uid: Uid, site: TheSite, _visitor: Looker) -> Response:
    """Return all objects of a study."""
    return _objects(request, stored_objects(site, study_uid))


@router.get("/studies/{study_uid}/series/{series_uid}")
def retrieve_series(request: Request, study_uid: Uid, series_uid: Uid, site: TheSite, _visitor: Looker) -> Response:
    """Return all objects of a series."""
    return _objects(request, stored_objects(site, study_uid, series_uid))


@router.get("/studies/{study_uid}/series/{series_uid}/instances/{sop_uid}")
def retrieve_instance(
    request: Request, study_uid: Uid, series_uid: Uid, sop_uid: Uid, site: TheSite, _visitor: Looker
) -> Response:
    """Return one object."""
    return _objects(request, stored_objects(site, study_uid, series_uid, sop_uid))


@router.get("/studies/{study_uid}/metadata")
def study_metadata(request: Request, study_uid: Uid, site: TheSite, _visitor: Looker) -> Response:
    """Return the metadata of a study."""
    return _metadata(request, stored_objects(site, study_uid))


@router.get("/studies/{study_uid}/series/{series_uid}/metadata")
def series_metadata(request: Request, study_uid: Uid, series_uid: Uid, site: TheSite, _visitor: Looker) -> Response:
    """Return the metadata of a series."""
    return _metadata(request, stored_objects(site, study_uid, series_uid))


@router.get("/studies/{study_uid}/series/{series_uid}/instances/{sop_uid}/metadata")
def instance_metadata(
    request: Request, study_uid: Uid, series_uid: Uid, sop_uid: Uid, site: TheSite, _visitor: Looker
) -> Response:
    """Return the metadata of one object."""
    return _metadata(request, stored_objects(site, study_uid, series_uid, sop_uid))


@router.get("/studies/{study_uid}/series/{series_uid}/instances/{sop_uid}/frames/{numbers}")
def retrieve_frames(
    request: Request, study_uid: Uid, series_uid: Uid, sop_uid: Uid, numbers: Frames, site: TheSite, _visitor: Looker
) -> Response:
    """Return frames of one object; they count from 1."""
    (one, *_) = stored_objects(site, study_uid, series_uid, sop_uid)
    return _frames(request, one, [int(n) for n in numbers.split(",")[:MOST_FRAMES]])


@router.get("/studies/{study_uid}/series/{series_uid}/instances/{sop_uid}/bulkdata/{tag}")
def retrieve_bulkdata(
    request: Request, study_uid: Uid, series_uid: Uid, sop_uid: Uid, tag: Tag, site: TheSite, _visitor: Looker
) -> Response:
    """Return what metadata only name: the bytes of one element."""
    (one, *_) = stored_objects(site, study_uid, series_uid, sop_uid)
    if tag.upper() == "7FE00010":
        return _frames(request, one, None)
    found = read_dataset(one.file, pixels=False).get(int(tag, 16))
    if found is None or found.VR not in _BINARY or not isinstance(found.value, bytes):
        raise NotFound("bulk data of this object")
    return multipart([Part(OCTETS, _place(request, one) + f"/bulkdata/{tag}", lambda: [found.value])], OCTETS)


def _objects(request: Request, found: list[Stored]) -> Response:
    for wanted in accepted(request.headers.get("accept", "")):
        if wanted.kind == DICOM and len(found) == 1:
            return StreamingResponse(_content(found[0], wanted.syntax), media_type=_kind(found[0], wanted.syntax))
        if wanted.kind in ("multipart/related", "multipart/*", "*/*") and wanted.part in ("", DICOM, "*/*"):
            _check_syntax(wanted)
            parts = (_object(request, one, wanted.syntax) for one in found)
            return multipart(parts, DICOM)
    raise NotAcceptable(f'multipart/related; type="{DICOM}"')


def _object(request: Request, one: Stored, syntax: str) -> Part:
    return Part(_kind(one, syntax), _place(request, one), lambda: _content(one, syntax))


def _check_syntax(wanted: Range) -> None:
    if wanted.syntax not in ("", "*", EXPLICIT) and not wanted.syntax.startswith("1.2.840.10008.1.2"):
        raise NotAcceptable("a transfer syntax")


def _as_stored(one: Stored, syntax: str) -> bool:
    """Whether an object is given as it lies: it is asked so, or is plain, or cannot be had otherwise."""
    return syntax in ("*", one.instance.transfer_syntax) or one.instance.transfer_syntax == EXPLICIT


def _kind(one: Stored, syntax: str) -> str:
    given = one.instance.transfer_syntax if _as_stored(one, syntax) else EXPLICIT
    return f"{DICOM}; transfer-syntax={given}"


def _content(one: Stored, syntax: str) -> Iterator[bytes]:
    if _as_stored(one, syntax):
        return file_bytes(one.file)
    return iter([_plain(one)])


def _plain(one: Stored) -> bytes:
    """Return an object in explicit little endian, decompressed."""
    from pydicom.uid import ExplicitVRLittleEndian

    if one.instance.transfer_syntax in PLAIN:
        dataset = read_dataset(one.file, pixels=True)
        dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    else:
        dataset = opened(one.file)
        dataset.decompress(generate_instance_uid=False)
    out = io.BytesIO()
    dataset.save_as(out, implicit_vr=False, little_endian=True, enforce_file_format=True)
    return out.getvalue()


def _metadata(request: Request, found: list[Stored]) -> Response:
    kinds = {r.kind for r in accepted(request.headers.get("accept", ""))}
    if not kinds & {JSON, "application/json", "*/*", "application/*"}:
        raise NotAcceptable(JSON)
    return JSONResponse([_described(request, one) for one in found], media_type=JSON)


def _described(request: Request, one: Stored) -> dict[str, Any]:
    """Return the header of an object as DICOM JSON; what is large or are pixels by its address."""
    place = _place(request, one)
    dataset = read_dataset(one.file, pixels=False)
    said: dict[str, Any] = dataset.to_json_dict(
        bulk_data_threshold=1024,
        bulk_data_element_handler=lambda e: f"{place}/bulkdata/{int(e.tag):08X}",
        suppress_invalid_tags=True,
    )
    if one.instance.rows:
        said["7FE00010"] = {"vr": "OW", "BulkDataURI": f"{place}/bulkdata/7FE00010"}
    return said


def _frames(request: Request, one: Stored, numbers: list[int] | None) -> Response:
    dataset = opened(one.file)
    numbers = numbers or list(range(1, frame_count(dataset) + 1))
    if max(numbers) > frame_count(dataset) or min(numbers) < 1:
        raise NotFound("the number of a frame that is there")
    kind = _frame_kind(accepted(request.headers.get("accept", "")), one.instance.transfer_syntax)
    place = _place(request, one)
    if kind == OCTETS:
        first = plain_frame(dataset, numbers[0])  # made before the answer begins, so that a refusal can still be told
        parts = [Part(OCTETS, f"{place}/frames/{numbers[0]}", lambda: [first])]
        return multipart([*parts, *(_frame(dataset, n, place) for n in numbers[1:])], OCTETS)
    coded = compressed_frames(dataset, numbers)
    told = f"{kind}; transfer-syntax={one.instance.transfer_syntax}"
    return multipart([_coded(c, told, f"{place}/frames/{n}") for n, c in zip(numbers, coded, strict=True)], kind)


def _frame(dataset: Any, number: int, place: str) -> Part:
    return Part(OCTETS, f"{place}/frames/{number}", lambda: [plain_frame(dataset, number)])


def _coded(content: bytes, kind: str, place: str) -> Part:
    return Part(kind, place, lambda: [content])


def _frame_kind(wanted: list[Range], syntax: str) -> str:
    """Return as what frames are given: compressed as they are where that is taken, else plain."""
    own = KINDS.get(syntax, OCTETS)
    for one in wanted:
        part = one.part or ("" if one.kind in ("*/*", "multipart/related", "multipart/*") else one.kind)
        if part in (own, "image/*") or (part in (OCTETS, "") and one.syntax in ("*", syntax)):
            return own
        if part in (OCTETS, "", "*/*", "application/*") and one.syntax in ("", EXPLICIT):
            return OCTETS
    raise NotAcceptable(f'multipart/related; type="{OCTETS}"')


def _place(request: Request, one: Stored) -> str:
    return str(request.base_url).rstrip("/") + one.address
