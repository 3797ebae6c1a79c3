"""How pairs of studies lie to each other, kept in the case folder, so that no pair is laid onto each other twice.

Why it exists: laying two heads onto each other takes seconds; a patient with a dozen studies has a score of pairs, and
one new study adds two. A pair is taken from what was kept only while the images, masks and labels of both studies are
the same to the byte and the search is the same.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict

from tumorboard.prepare.gate import FitQuality
from tumorboard.respond.align.pairwise import SEARCH, PairFit
from tumorboard.respond.case.session import Session
from tumorboard.sequences import Sequence as Contrast
from tumorboard.store import digest, write_json

FITS = ".stages/fits.json"
"""Where they lie below the patient's folder."""

VERSION = "1"
"""Raised when the search or what is compared changes."""


class _Fit(BaseModel):
    """One pair on disk."""

    model_config = ConfigDict(frozen=True)

    key: str
    matrix: list[list[float]]
    sequences: list[tuple[Contrast, Contrast]]
    quality: dict[str, float]
    apart_mm: float | None
    middle_mm: list[float]


def read_fits(path: Path, sessions: Sequence[Session]) -> dict[tuple[str, str], PairFit]:
    """Return the kept fits that still hold.

    Parameters
    ----------
    path : Path
        A file of :func:`write_fits`.
    sessions : sequence of Session
        The studies as they are now.

    Returns
    -------
    dict of pairs of str to PairFit
        Empty where there is no file, or one that cannot be read: it is made anew then.

    Examples
    --------
    >>> read_fits(Path("nowhere") / FITS, [])
    {}
    """
    try:
        kept = {fit.key: fit for fit in map(_Fit.model_validate, json.loads(path.read_text(encoding="utf-8")))}
        pairs = {
            _key(one.digest, two.digest): (one.id, two.id) for one in sessions for two in sessions if one.id < two.id
        }
    except (OSError, ValueError, TypeError):  # a study that lacks a file is refused where it is read
        return {}
    return {pair: _fit(kept[key]) for key, pair in pairs.items() if key in kept}


def write_fits(path: Path, fits: Mapping[tuple[str, str], PairFit], digests: Mapping[str, str]) -> None:
    """Keep fits.

    Parameters
    ----------
    path : Path
        File to write, atomically.
    fits : mapping of pairs of str to PairFit
        :attr:`tumorboard.respond.align.Alignment.fits`.
    digests : mapping of str to str
        :attr:`~tumorboard.respond.case.session.Session.digest` of each study they are of.

    Raises
    ------
    OutputError
        The file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as d:
    ...     write_fits(Path(d) / "fits.json", {}, {})
    ...     read_fits(Path(d) / "fits.json", [])
    {}
    """
    listed = [
        _Fit(
            key=_key(digests[one], digests[two]),
            matrix=fit.matrix.tolist(),
            sequences=list(fit.sequences),
            quality=asdict(fit.quality),
            apart_mm=fit.apart_mm,
            middle_mm=fit.middle_mm.tolist(),
        ).model_dump(mode="json")
        for (one, two), fit in fits.items()
    ]
    write_json(path, listed)


def _key(one: str, two: str) -> str:
    return digest(VERSION, repr(SEARCH), one, two)


def _fit(kept: _Fit) -> PairFit:
    quality = FitQuality(**kept.quality)
    return PairFit(np.array(kept.matrix), tuple(kept.sequences), quality, kept.apart_mm, np.array(kept.middle_mm))
