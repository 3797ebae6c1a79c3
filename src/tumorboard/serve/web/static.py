"""Files that browsers fetch and keep: style, scripts, vendored libraries, pictures of ours.

Why it exists: only what stands in the package is served; a name is looked up among those, never joined to a path. Files
are few and small, so each is read once; an address that holds the digest of its file is kept by browsers for good.
Source: RFC 8246 (immutable), RFC 9110 13.1.2 (If-None-Match).
"""

from __future__ import annotations

import mimetypes
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.responses import Response

from tumorboard.serve.web.doors import public
from tumorboard.serve.web.refusals import NotFound
from tumorboard.serve.web.templating import OTHERS, PACKAGE
from tumorboard.store import digest

router = APIRouter()

KEPT, FOR_EVER = "public, max-age=86400", "public, max-age=31536000, immutable"
_TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".wasm": "application/wasm"}


@dataclass(frozen=True)
class File:
    """A static file: its bytes, their digest, its media type."""

    data: bytes
    version: str
    kind: str


@router.get("/static/{name:path}", dependencies=[public()])
async def static(name: str, request: Request, v: str = "") -> Response:
    """Return a static file, or that the browser has it; no thread is needed for that."""
    found = file_of(name)
    if found is None:
        raise NotFound
    headers = {"cache-control": FOR_EVER if v == found.version else KEPT, "etag": f'"{found.version}"'}
    if request.headers.get("if-none-match") == headers["etag"]:
        return Response(status_code=304, headers=headers)
    return Response(found.data, media_type=found.kind, headers=headers)


def file_of(name: str) -> File | None:
    """Return a static file by its name in addresses; None where there is none.

    Examples
    --------
    >>> file_of("style.css").kind, file_of("../app.py") is None
    ('text/css', True)
    """
    return _read(known()[name]) if name in known() else None


@cache
def _read(path: Path) -> File:
    kind = _TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    data = path.read_bytes()
    return File(data, digest(data)[:8], kind)


@cache
def known() -> dict[str, Path]:
    """Return every static file by its name in addresses."""
    found: dict[str, Path] = {}
    for package in (*OTHERS, PACKAGE):
        try:
            root = Path(str(files(package) / "static"))
        except ModuleNotFoundError:
            continue
        found |= {path.relative_to(root).as_posix(): path for path in root.rglob("*") if path.is_file()}
    return found
