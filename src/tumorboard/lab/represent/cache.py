"""Finished rows on disk, by the hash of everything that they depend on.

Why it exists: radiomics of five hundred patients takes an hour, and the second recipe must not pay for it again. A key
is made of contents and settings, never of names, so that it identifies nobody; what is damaged is made anew.
"""

from __future__ import annotations

import io
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tumorboard.store import digest, digest_file, write_atomic

_LINE = 33
"""Characters of the digest in front of the content, with its line end."""


@dataclass(frozen=True)
class Made:
    """What was computed of one unit.

    Parameters
    ----------
    values : mapping of str to float
        Columns; NaN where one is not defined.
    gaps : mapping of str to str
        What is missing, and why.
    material : ndarray or None
        For what learns inside the folds.
    """

    values: Mapping[str, float] = field(default_factory=dict)
    gaps: Mapping[str, str] = field(default_factory=dict)
    material: NDArray[np.generic] | None = None


def key_of(files: Iterable[Path], *told: str) -> str:
    """Return the hash of the contents of files and of what is told beside."""
    return digest(*(_content(p, p.stat().st_mtime_ns, p.stat().st_size) for p in files), *told)


@lru_cache(maxsize=4096)
def _content(path: Path, changed_ns: int, size: int) -> str:
    """Return a file's digest; it is read again when it changed."""
    return digest_file(path)


def read_made(folder: Path, key: str) -> Made | None:
    """Return a finished row, or None where there is none that is whole."""
    try:
        raw = (folder / key[:2] / key).read_bytes()
    except OSError:
        return None
    if raw[:_LINE] != f"{digest(raw[_LINE:])}\n".encode():
        return None
    told, _, array = raw[_LINE:].partition(b"\n")
    row = json.loads(told)
    values = {n: math.nan if v is None else float(v) for n, v in row["values"].items()}
    material = np.load(io.BytesIO(array), allow_pickle=False) if row["material"] else None
    return Made(values, row["gaps"], material)


def write_made(folder: Path, key: str, made: Made) -> None:
    """Keep a finished row.

    Raises
    ------
    OutputError
        The folder cannot be written, or the disk is full.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as d:
    ...     write_made(Path(d), "ab12", Made({"mean": 1.5, "kurtosis": math.nan}))
    ...     read_made(Path(d), "ab12").values
    {'mean': 1.5, 'kurtosis': nan}
    """
    values = {n: v if math.isfinite(v) else None for n, v in made.values.items()}
    told = {"values": values, "gaps": dict(made.gaps), "material": made.material is not None}
    array = io.BytesIO()
    if made.material is not None:
        np.save(array, made.material, allow_pickle=False)
    content = json.dumps(told).encode() + b"\n" + array.getvalue()
    write_atomic(folder / key[:2] / key, f"{digest(content)}\n".encode() + content)
