"""A patient's visits as criteria see them: lesions with sizes, and the facts of the day.

Why it exists: criteria are written about lesions, doses and dates, not about voxels. Whether these come from a table
that a person typed or from a case folder makes no difference beyond this page.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum

from tumorboard.errors import InputError


class Kind(StrEnum):
    """What a visit is in the course of a treatment."""

    BASELINE = "baseline"
    FOLLOWUP = "followup"
    POST_OP = "post_op"
    POST_RT = "post_rt"


REFERENCES = (Kind.BASELINE, Kind.POST_OP, Kind.POST_RT)
"""Kinds that a later visit may be compared with; they are not judged themselves."""


class Compartment(StrEnum):
    """Enhancing tumour, or tumour that is seen on T2/FLAIR alone."""

    CE = "ce"
    NCE = "nce"


class Trend(StrEnum):
    """How something went against the reference: T2/FLAIR, or the clinical state."""

    STABLE = "stable"
    BETTER = "better"
    WORSE = "worse"


class Role(StrEnum):
    """Whether a reader made a lesion a target."""

    TARGET = "target"
    NONTARGET = "nontarget"


class Status(StrEnum):
    """What a reader says of a lesion that is not measured; ``MINIMAL`` is a residue that means nothing (PCNSL)."""

    ABSENT = "absent"
    MINIMAL = "minimal"
    BETTER = "better"
    STABLE = "stable"
    WORSE = "worse"


class Eye(StrEnum):
    """Eye examination in lymphoma."""

    NORMAL = "normal"
    MINOR = "minor"
    BETTER = "better"
    PERSISTENT = "persistent"
    RECURRENT = "recurrent"


class Csf(StrEnum):
    """Cytology of cerebrospinal fluid in lymphoma."""

    NEGATIVE = "negative"
    SUSPICIOUS = "suspicious"
    PERSISTENT = "persistent"
    RECURRENT = "recurrent"


class SteroidReason(StrEnum):
    """Why steroids are given: the tumour, something else, or replacement of the body's own."""

    TUMOUR = "tumour"
    OTHER = "other"
    REPLACEMENT = "replacement"


_LESION_WORDS: dict[str, type[StrEnum]] = {"compartment": Compartment, "role": Role, "status": Status}
_VISIT_WORDS: dict[str, type[StrEnum]] = {
    **{"kind": Kind, "t2flair": Trend, "clinical": Trend, "steroid_reason": SteroidReason},
    **{"eye": Eye, "csf": Csf},
}


def _worded(what: object, words: dict[str, type[StrEnum]]) -> None:
    """Take plain words for what they mean; criteria compare by identity."""
    for name, kind in words.items():
        value = getattr(what, name)
        if value is None or type(value) is kind:
            continue
        if value not in list(kind):
            expected = f"{name} as one of {', '.join(kind)}"
            raise InputError(expected, got=f"{value}", where="visit", remedy="use one of these words")
        object.__setattr__(what, name, kind(value))


@dataclass(frozen=True, slots=True)
class Seen:
    """One lesion at one visit.

    Words such as ``"ce"`` may be given for compartment, role and status.

    Parameters
    ----------
    lesion : str
        Its name, the same at all visits.
    compartment : Compartment
        Of what it consists.
    long_mm, perp_mm : float or None
        Longest diameter and the longest perpendicular to it, mm; 0 when it vanished, ``None`` when unknown.
    volume_ml : float or None
        Likewise, mL.
    new : bool
        It appeared after the baseline; told at its first visit.
    role : Role or None
        What a reader made of it; ``None`` leaves it to the criterion.
    status : Status or None
        What a reader says of it without measuring.
    measurable : bool or None
        What a reader says; ``None`` leaves it to the criterion's size rule.
    slice_mm : float or None
        Distance of the slices it was measured on.
    in_rt_field : bool or None
        Whether it lies within the high-dose field of radiotherapy.
    diameter_sd_mm, volume_sd_ml : float or None
        Standard deviation of the error of measurement; ``None`` leaves it to the settings.
    """

    lesion: str
    compartment: Compartment
    long_mm: float | None = None
    perp_mm: float | None = None
    volume_ml: float | None = None
    new: bool = False
    role: Role | None = None
    status: Status | None = None
    measurable: bool | None = None
    slice_mm: float | None = None
    in_rt_field: bool | None = None
    diameter_sd_mm: float | None = None
    volume_sd_ml: float | None = None

    def __post_init__(self) -> None:
        _worded(self, _LESION_WORDS)


@dataclass(frozen=True, slots=True)
class Visit:
    """What is known of a day; ``None`` is what nobody told. Plain words may be given for kinds, trends and reasons.

    Parameters
    ----------
    date : date
        Of the images.
    kind : Kind
        What it is in the course.
    lesions : tuple of Seen
        Those that were evaluated; a lesion of another visit that is not here was not evaluated.
    t2flair, clinical : Trend or None
        Against the baseline, or the best state since.
    dexamethasone_mg : float or None
        Per day.
    steroid_reason : SteroidReason or None
        Why a dose is given.
    evaluable : bool
        Whether the images can be read at all.
    rt_end : date or None
        End of the last radiotherapy.
    drug : str
        Name or class of the drug; empty when none or unknown.
    drug_start : date or None
        Of that drug.
    eye, csf
        Only in lymphoma.
    """

    date: dt.date
    kind: Kind
    lesions: tuple[Seen, ...] = ()
    t2flair: Trend | None = None
    clinical: Trend | None = None
    dexamethasone_mg: float | None = None
    steroid_reason: SteroidReason | None = None
    evaluable: bool = True
    rt_end: dt.date | None = None
    drug: str = ""
    drug_start: dt.date | None = None
    eye: Eye | None = None
    csf: Csf | None = None

    def __post_init__(self) -> None:
        _worded(self, _VISIT_WORDS)


@dataclass(frozen=True, slots=True)
class Course:
    """A patient's visits in order of date, each on a day of its own."""

    patient: str
    visits: tuple[Visit, ...]
