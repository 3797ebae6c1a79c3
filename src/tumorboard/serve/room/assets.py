"""Scripts, styles and the vendored viewer of the reading room, read once and compressed once.

Why it exists: modules import each other by relative names, so they must all be of one release: the version stands in
the folder of their addresses. Only what lies in the package is served; a name is looked up, never joined to a path.
"""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

from tumorboard.store import digest

KINDS = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".txt": "text/plain"}
WORTH = 1024
"""Smaller files are not compressed."""


@dataclass(frozen=True)
class Asset:
    """A file that browsers fetch: its bytes, the same compressed (None where not worth it), and its media type."""

    data: bytes
    small: bytes | None
    kind: str


@cache
def asset(name: str) -> Asset | None:
    """Return a file by its name below ``static``; None where there is none.

    Examples
    --------
    >>> asset("../routes.py") is None, asset("main.js").kind
    (True, 'text/javascript')
    """
    path = _known().get(name)
    if path is None:
        return None
    data = path.read_bytes()
    small = gzip.compress(data, 6, mtime=0) if len(data) > WORTH else None
    return Asset(data, small, KINDS.get(path.suffix, "application/octet-stream"))


def warm() -> None:
    """Read and compress everything now, so that the first visitor need not wait for it."""
    for name in _known():
        asset(name)
    assets_version()


@cache
def assets_version() -> str:
    """Return a digest of all files, for their addresses."""
    return digest(*(name.encode() + path.read_bytes() for name, path in sorted(_known().items())))[:12]


@cache
def _known() -> dict[str, Path]:
    root = Path(str(files("tumorboard.serve.room") / "static"))
    return {path.relative_to(root).as_posix(): path for path in root.rglob("*") if path.is_file()}
