"""Files that browsers fetch and keep: style, scripts, vendored libraries, pictures of ours.

Why it exists: only what stands in the package is served; a name is looked up among those, never joined to a path.
"""

from __future__ import annotations

import mimetypes
from functools import cache
from importlib.resources import files
from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import FileResponse

from tumorboard.serve.web.doors import public
from tumorboard.serve.web.refusals import NotFound
from tumorboard.serve.web.templating import OTHERS, PACKAGE

router = APIRouter()

KEPT = "public, max-age=86400"
_TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".wasm": "application/wasm"}


@router.get("/static/{name:path}", dependencies=[public()])
def static(name: str) -> FileResponse:
    """Return a static file."""
    path = known().get(name)
    if path is None:
        raise NotFound
    kind = _TYPES.get(path.suffix) or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    return FileResponse(path, media_type=kind, headers={"cache-control": KEPT})


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
