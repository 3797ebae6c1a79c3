"""The headers of one digital study: one scanner, one day, one fictional person, one clock.

Why it exists: :func:`.headers.draw_header` draws each series by itself, spoilt as departments spoil them.
A study that is to be shown needs series that agree with one another and with their own planes. Headers are
drawn until one fits; nothing is written into the description by hand.
"""

from __future__ import annotations

import datetime as dt
import re
from copy import deepcopy
from dataclasses import dataclass, field

import numpy as np
from pydicom import Dataset

from tumorboard.io.dicom.uids import uid_from
from tumorboard.simulate.files.header_words import AFTER, PLANES
from tumorboard.simulate.files.headers import draw_header
from tumorboard.simulate.files.tree import NOTICE

PERSON = {
    "PatientName": "Digital^Patient",
    "PatientBirthDate": "19400101",
    "PatientSex": "O",
    "PatientAge": "060Y",
    "PatientComments": NOTICE,
    "ImageComments": NOTICE,
    "ReferringPhysicianName": "",
    "AccessionNumber": "",
    "StudyID": "1",
    "PatientPosition": "HFS",
}
"""Who it is of, and that it is nobody."""

STUDY_DESCRIPTIONS = {
    "en": "MR Brain w/wo contrast",
    "de": "MRT Schädel nativ und KM",
    "fr": "IRM cérébrale avec injection",
    "es": "RM cerebral con contraste",
    "it": "RM encefalo senza e con mdc",
    "pt": "RM crânio com contraste",
    "nl": "MRI hersenen met contrast",
}
"""Study Description by language (chosen)."""

SAYS: dict[str, tuple[str, str]] = {
    "T1": ("t1|mprage|bravo|spgr|mpr", "flair|mra|spine"),
    "T1C": ("t1|mprage|bravo|spgr|mpr", "flair|mra|spine"),
    "T2": ("t2", r"flair|dark|fluid|\*|star|stir|tirm"),
    "FLAIR": ("flair|dark|da-fl|tirm", "t1"),
    "DWI": ("dwi|diff|dif|trace|resolve", "adc|tensor"),
    "localizer": ("loc|scout|survey|planung|uebersicht|rep|centratura|planscan", "t1|t2"),
    "derived": ("mpr|ref", "mip|t2"),
    "secondary capture": ("", "t1|t2|flair"),
}
"""What the description of a kind holds, and what it does not, as patterns; it tells its own kind and no other."""

_PHYSICS = ("ScanningSequence", "SequenceVariant", "RepetitionTime", "EchoTime", "FlipAngle")
_SHARED = ("Manufacturer", "ManufacturerModelName", "MagneticFieldStrength")
_MATCHED = ("RepetitionTime", "EchoTime", "InversionTime", "FlipAngle", "EchoTrainLength", "SequenceName")
_DROPPED = (
    *("SliceThickness", "SpacingBetweenSlices", "NumberOfTemporalPositions", "TemporalPositionIdentifier"),
    *("DiffusionBValue", "ContrastBolusAgent", "ContrastBolusStartTime"),
)

SERIES_S, INJECTION_S = 240.0, 90.0
"""Seconds from series to series, and from the injection to the next one (chosen)."""

DRAWS = 4000
"""Most headers that are drawn for one series."""


@dataclass(frozen=True)
class Wanted:
    """What a header must fit.

    Parameters
    ----------
    what : str
        A kind of :data:`~tumorboard.simulate.files.headers.KINDS`.
    plane : str
        ``axial``, ``coronal`` or ``sagittal``; empty where any may be named.
    dims : str
        ``2D`` or ``3D``; empty where either will do.
    after : bool
        Acquired, or made of what was acquired, after the injection.
    """

    what: str
    plane: str = ""
    dims: str = ""
    after: bool = False


@dataclass
class StudyHeaders:
    """Draws the headers of one study, in the order of acquisition.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of chance.
    seed : int
        Of the patient.
    study, date : str, date
        Name and fictional date of the study.
    vendor, language : str
        Of the study.
    """

    rng: np.random.Generator
    seed: int
    study: str
    date: dt.date
    vendor: str
    language: str
    _drawn: list[Dataset] = field(default_factory=list)
    _t1: dict[str, Dataset] = field(default_factory=dict)
    _injected_s: float | None = None
    _agent: str = ""

    def __post_init__(self) -> None:
        self._start_s = float(self.rng.integers(8 * 60, 17 * 60)) * 60.0

    @property
    def study_uid(self) -> str:
        """Study Instance UID."""
        return uid_from("digital patient", str(self.seed), self.study)

    def draw(self, wanted: Wanted) -> Dataset:
        """Return the next series' header: everything but planes and pixels.

        Raises
        ------
        ValueError
            No header that fits was drawn.

        Examples
        --------
        >>> headers = StudyHeaders(np.random.default_rng(0), 7, "ses-01", dt.date(2000, 1, 3), "GE", "en")
        >>> header = headers.draw(Wanted("FLAIR", "axial", "2D"))
        >>> str(header.PatientName), header.StudyDate, int(header.SeriesNumber)
        ('Digital^Patient', '20000103', 1)
        """
        header = next((h for h in (self._one(wanted) for _ in range(DRAWS)) if self._fits(h, wanted)), None)
        if header is None:
            raise ValueError(f"expected a header for {wanted.what}; none of {DRAWS} fits")
        agent = str(header.get("ContrastBolusAgent", ""))
        for keyword in {*_DROPPED} & {*header.dir()}:
            delattr(header, keyword)
        self._place(header)
        self._agree(header, wanted, agent)
        self._drawn.append(header)
        return deepcopy(header)

    def _one(self, wanted: Wanted) -> Dataset:
        header = draw_header(self.rng, wanted.what, self.vendor, self.language)
        scanning = _words(header, "ScanningSequence")
        if "InversionTime" in header and "IR" not in scanning:  # some vendors name no inversion; PS3.3 C.8.3.1 asks it
            header.ScanningSequence = [*scanning, "IR"]
        return header

    def _fits(self, header: Dataset, wanted: Wanted) -> bool:
        text = str(header.get("SeriesDescription", "")).lower()
        yes, no = SAYS[wanted.what]
        if not text or not re.search(yes, text) or re.search(no, text) or self._names_other_plane(text, wanted.plane):
            return False
        if wanted.what == "secondary capture":
            return True
        if any(not header.get(keyword) for keyword in _PHYSICS):
            return False
        if wanted.dims and header.get("MRAcquisitionType") != wanted.dims:
            return False
        if wanted.what == "T1C":
            return bool(header.get("ContrastBolusAgent")) and self._like_t1(header)
        return wanted.after or not self._says_after(text)

    def _names_other_plane(self, text: str, plane: str) -> bool:
        planes = ("axial", "sagittal", "coronal")
        if not plane:
            return False
        words = set(re.split(r"[^a-z]+", text))
        others = (n for n, name in enumerate(planes) if name != plane)
        return any(word.lower() in words for n in others for word in PLANES[self.language][n] if word)

    def _says_after(self, text: str) -> bool:
        plain = f" {_plain(text)} "
        return any(f" {_plain(words)} " in plain for words in AFTER[self.language])

    def _like_t1(self, header: Dataset) -> bool:
        """Whether a T1 after the injection is acquired as the one before, if that is of the same dimensions."""
        before = self._t1.get(str(header.get("MRAcquisitionType")))
        return before is None or all(header.get(k) == before.get(k) for k in ("ScanningSequence", "SequenceVariant"))

    def _place(self, header: Dataset) -> None:
        """Put a header into the study: person, day, clock, scanner, identifiers."""
        number = len(self._drawn) + 1
        for keyword, value in PERSON.items():
            setattr(header, keyword, value)
        header.PatientID, header.StudyDescription = f"DIGITAL-{self.seed}", STUDY_DESCRIPTIONS[self.language]
        header.StudyDate = header.SeriesDate = header.AcquisitionDate = self.date.strftime("%Y%m%d")
        header.StudyTime = _clock(self._start_s)
        header.SeriesTime = header.AcquisitionTime = _clock(self._start_s + SERIES_S * number)
        header.StudyInstanceUID, header.SeriesNumber = self.study_uid, number
        header.SeriesInstanceUID = uid_from(self.study_uid, "series", str(number))
        header.FrameOfReferenceUID = uid_from(self.study_uid, "frame of reference")
        header.BodyPartExamined = header.get("BodyPartExamined") or "BRAIN"
        for keyword in _SHARED if self._drawn else ():
            setattr(header, keyword, self._drawn[0].get(keyword))

    def _agree(self, header: Dataset, wanted: Wanted, agent: str) -> None:
        """Let T1 before and after the injection share their parameters, and say once when it was."""
        dims = str(header.get("MRAcquisitionType"))
        if wanted.what == "T1":
            self._t1[dims] = header
        if wanted.what == "T1C" and dims in self._t1:
            for keyword in _MATCHED:
                if keyword in self._t1[dims]:
                    setattr(header, keyword, self._t1[dims].get(keyword))
        if wanted.after and self._injected_s is None:
            self._agent = agent
            self._injected_s = self._start_s + SERIES_S * header.SeriesNumber - INJECTION_S
        if wanted.after and self._injected_s is not None:
            header.ContrastBolusAgent, header.ContrastBolusStartTime = self._agent, _clock(self._injected_s)


def _words(header: Dataset, keyword: str) -> list[str]:
    value = header.get(keyword, [])
    return [value] if isinstance(value, str) else list(value)


def _plain(text: str) -> str:
    return " ".join(re.split(r"[^a-z0-9+]+", text.lower())).strip()


def _clock(seconds: float) -> str:
    whole = int(seconds) % 86400
    return f"{whole // 3600:02d}{whole // 60 % 60:02d}{whole % 60:02d}"
