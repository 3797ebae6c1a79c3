"""What the DICOMweb services share: UIDs in addresses, finding objects, opening files, media types, multipart answers.

Why it exists: a UID in an address is checked once; an object whose file is gone is told as gone; what is asked for by
``Accept`` is read by one rule. Sources: PS3.18 8.7 (media types), 8.6 (multipart); RFC 9110 12.5.1; RFC 2387.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from email.message import Message
from pathlib import Path as File
from typing import Annotated, Any

from fastapi import Path
from fastapi.responses import StreamingResponse
from sqlalchemy import select
from sqlalchemy.orm import contains_eager

from tumorboard.serve.data.tables import Instance, Series, Study
from tumorboard.serve.data.words import InstanceState, Role
from tumorboard.serve.shelf.admit import file_of
from tumorboard.serve.web.doors import allow
from tumorboard.serve.web.logins import Visitor
from tumorboard.serve.web.refusals import NotFound
from tumorboard.serve.web.site import Site

ROOT = "/dicomweb"
Uid = Annotated[str, Path(pattern=r"^[0-9.]{1,64}$")]
Searcher = Annotated[Visitor, allow(Role.READER, "objects searched")]
Looker = Annotated[Visitor, allow(Role.READER, "objects retrieved")]
JSON = "application/dicom+json"
BLOCK = 1 << 20


@dataclass(frozen=True)
class Stored:
    """An object and where it lies."""

    instance: Instance
    file: File

    @property
    def address(self) -> str:
        """Its address below the root of the service."""
        series = self.instance.series
        return f"{ROOT}/studies/{series.study.uid}/series/{series.uid}/instances/{self.instance.uid}"


def stored_objects(site: Site, study_uid: str, series_uid: str = "", sop_uid: str = "") -> list[Stored]:
    """Return the stored objects of a study, a series, or one object, in order.

    Raises
    ------
    NotFound
        There is none, or it was purged.
    """
    query = (
        select(Instance)
        .join(Instance.series)
        .join(Series.study)
        .options(contains_eager(Instance.series).contains_eager(Series.study))
        .where(Study.uid == study_uid, Instance.state == InstanceState.STORED)
        .order_by(Series.number, Series.id, Instance.number, Instance.id)
    )
    query = query.where(Series.uid == series_uid) if series_uid else query
    query = query.where(Instance.uid == sop_uid) if sop_uid else query
    with site.db.read() as session:
        found = [Stored(i, file_of(site.shelf, i)) for i in session.scalars(query)]
    there = [one for one in found if one.file.is_file()]
    if not there:
        raise NotFound("the UID of a stored object")
    return there


@dataclass(frozen=True)
class Range:
    """A media range of an ``Accept``: its type, the type of its parts, its transfer syntax, its weight."""

    kind: str
    part: str = ""
    syntax: str = ""
    weight: float = 1.0
    more: dict[str, str] = field(default_factory=dict)


def accepted(header: str) -> list[Range]:
    """Read an ``Accept``, the most wanted first; an empty one takes everything.

    Examples
    --------
    >>> accepted('multipart/related; type="application/dicom"; transfer-syntax=*, */*;q=0.1')[0]
    Range(kind='multipart/related', part='application/dicom', syntax='*', weight=1.0, more={})
    >>> [r.kind for r in accepted("")]
    ['*/*']
    """
    ranges = []
    for text in _split(header[:2000]):
        message = Message()
        message["content-type"] = text
        told = {str(k).lower(): str(v) for k, v in (message.get_params() or [])[1:]}
        weight = _weight(told.pop("q", "1"))
        kind = text.partition(";")[0].strip().lower()
        ranges.append(Range(kind, told.pop("type", "").lower(), told.pop("transfer-syntax", ""), weight, told))
    wanted = [r for r in ranges if r.weight > 0] if ranges else [Range("*/*")]
    return sorted(wanted, key=lambda r: -r.weight)


def _split(header: str) -> list[str]:
    out, quoted, start = [], False, 0
    for at, sign in enumerate(header):
        quoted ^= sign == '"'
        if sign == "," and not quoted:
            out.append(header[start:at])
            start = at + 1
    return [text.strip() for text in (*out, header[start:]) if text.strip()]


def _weight(text: str) -> float:
    try:
        weight = float(text)
    except ValueError:
        return 0.0
    return min(1.0, weight) if weight > 0 else 0.0


@dataclass(frozen=True)
class Part:
    """A part of a multipart answer: its content type, its address, and what gives its bytes."""

    kind: str
    place: str
    content: Callable[[], Iterable[bytes]]


def multipart(parts: Iterable[Part], kind: str) -> StreamingResponse:
    """Return an answer of several parts, made while it is sent. Source: RFC 2387.

    Parameters
    ----------
    parts : iterable of Part
        In order.
    kind : str
        Type of the parts.
    """
    boundary = secrets.token_hex(16)
    return StreamingResponse(
        _written(parts, boundary), media_type=f'multipart/related; type="{kind}"; boundary={boundary}'
    )


def _written(parts: Iterable[Part], boundary: str) -> Iterator[bytes]:
    for part in parts:
        yield f"--{boundary}\r\nContent-Type: {part.kind}\r\nContent-Location: {part.place}\r\n\r\n".encode()
        yield from part.content()
        yield b"\r\n"
    yield f"--{boundary}--\r\n".encode()


def file_bytes(file: File) -> Iterator[bytes]:
    """Yield a file in blocks."""
    with file.open("rb") as stream:
        while block := stream.read(BLOCK):
            yield block


def read_dataset(file: File, *, pixels: bool) -> Any:
    """Return a data set; without its pixels unless asked for.

    Raises
    ------
    NotFound
        It cannot be read any more.
    """
    import pydicom

    try:
        return pydicom.dcmread(file, stop_before_pixels=not pixels, force=False)
    except Exception as error:  # pydicom raises many kinds on damaged files
        raise NotFound("an object that can be read") from error
