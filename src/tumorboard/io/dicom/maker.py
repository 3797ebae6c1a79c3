"""Who made a DICOM result: the software, the algorithm, the settings and the one moment it is dated.

Why it exists: a result beside a patient's study must say what made it, and the same input must give the
same bytes. So nothing that writes results asks a clock or a random number; it asks its maker.
"""

from __future__ import annotations

import datetime as dt
import unicodedata
from dataclasses import dataclass
from typing import Literal

NOT_FOR_DIAGNOSIS = "Research software - not for diagnosis"
"""Stands in every result that a person may read."""

_ASCII = str.maketrans({"–": "-", "—": "-", "−": "-", "×": "x", "·": ".", "²": "2", "³": "3", "≥": ">=", "≤": "<="})

LONG_STRING = 64
"""Longest text of the value representation LO and of a code's meaning. Source: PS3.5 6.2."""


@dataclass(frozen=True)
class Maker:
    """The software, the algorithm and the settings behind a result.

    Parameters
    ----------
    software, version : str
        Name and version of the software.
    algorithm, algorithm_version : str
        What outlined the tumour.
    digital : bool
        Made of a simulated patient; every description says so.
    settings_digest : str
        Digest of everything that may change a result; goes into the UIDs.
    when : datetime
        The moment written into a result.
    family : str
        Kind of algorithm, a key of :data:`tumorboard.io.codes.FAMILIES`.
    algorithm_type : {'AUTOMATIC', 'SEMIAUTOMATIC', 'MANUAL'}
        ``MANUAL`` for masks drawn by hand. Source: PS3.3 C.8.20.2 (Segment Algorithm Type).

    Examples
    --------
    >>> maker = Maker("tumorboard", "0.1", "fuzzy", "1.0", False, "a1", dt.datetime(2026, 1, 2, 3, 4, 5))
    >>> maker.date, maker.time, maker.describe("segmentation")
    ('20260102', '030405', 'tumorboard segmentation - research')
    """

    software: str
    version: str
    algorithm: str
    algorithm_version: str
    digital: bool
    settings_digest: str
    when: dt.datetime
    family: Literal["cluster", "network", "manual"] = "cluster"
    algorithm_type: Literal["AUTOMATIC", "SEMIAUTOMATIC", "MANUAL"] = "AUTOMATIC"

    @property
    def date(self) -> str:
        """The moment's date as DICOM writes it (DA)."""
        return self.when.strftime("%Y%m%d")

    @property
    def time(self) -> str:
        """The moment's time as DICOM writes it (TM)."""
        return self.when.strftime("%H%M%S")

    def describe(self, what: str) -> str:
        """Return the description of a series of results, at most 64 characters."""
        return plain(f"{self.software} {what} - research{', simulated patient' if self.digital else ''}", LONG_STRING)


def plain(text: str, longest: int | None = None) -> str:
    """Return text in ASCII, so that it can stand in any source's character set.

    Parameters
    ----------
    text : str
        Any text of ours.
    longest : int, optional
        Characters kept.

    Examples
    --------
    >>> plain("Research – not for diagnosis, 5 × 4 mm²")
    'Research - not for diagnosis, 5 x 4 mm2'
    """
    folded = unicodedata.normalize("NFKD", text.translate(_ASCII)).encode("ascii", "ignore").decode()
    return folded.replace("\\", "/")[:longest].strip()
