"""What a protocol may ask of a study, and how each question is answered.

Why it exists: the tables of :mod:`.protocol` name these checks row by row. What is not written in the
headers is "cannot tell", never "not met".
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Sequence as Many
from dataclasses import dataclass, field
from enum import StrEnum

from tumorboard.intake.evidence import SeriesVerdict
from tumorboard.sequences import Sequence
from tumorboard.series import Series

SAME_PARAMETER = 0.03
"""Relative difference within which two parameters are equal; chosen (vendors round)."""

ISOTROPIC = 0.1
"""Relative difference of the voxel edges within which a voxel is isotropic; chosen."""

ROUNDED_MM = 0.05
"""By how much a length may exceed its limit; chosen (lengths are written rounded)."""

PAIR = {"TR": ("tr_ms", "ms"), "TE": ("te_ms", "ms"), "TI": ("ti_ms", "ms"), "flip angle": ("flip_deg", "degrees")}
"""What is compared between T1 before and after contrast agent: name, tag, unit."""


class State(StrEnum):
    """Whether a requirement is met."""

    MET = "met"
    NOT_MET = "not met"
    CANNOT_TELL = "cannot tell"


Finding = tuple[State, str]


@dataclass(frozen=True)
class Requirement:
    """One line of a protocol.

    Parameters
    ----------
    text : str
        For the report's table.
    sequence : Sequence
        Of which.
    check : callable
        Takes the study and this row; returns a state and what was seen.
    dims : str
        ``2D`` or ``3D``: which of several such series is meant; empty for any.
    limit : float
        Where the check needs one: mm, tesla or a count.
    unverified : bool
        The source's own table was not read.
    """

    text: str
    sequence: Sequence
    check: Callable[[StudySeen, Requirement], Finding] = field(repr=False)
    dims: str = ""
    limit: float = 0.0
    unverified: bool = True


@dataclass(frozen=True)
class StudySeen:
    """The series of a study, each with what it is."""

    pairs: tuple[tuple[Series, SeriesVerdict], ...]

    def of(self, *sequences: Sequence) -> list[Series]:
        """Return the series that are one of these."""
        return [series for series, verdict in self.pairs if verdict.sequence in sequences]

    def pick(self, wanted: Requirement) -> Series | None:
        """Return the series that is meant: of the right dimensions where there is one, the thinnest."""
        found = self.of(wanted.sequence)
        right = [s for s in found if s.tags.acquisition_type == wanted.dims] or found
        return min(right, key=lambda s: s.tags.thickness_mm or 99.0, default=None)

    @property
    def injected_s(self) -> float | None:
        """The written start of the injection, s of the day."""
        starts = [s.tags.contrast_start_s for s, _ in self.pairs if s.tags.contrast_agent]
        return min((start for start in starts if start is not None), default=None)

    def moment(self, series: Series) -> str:
        """Return ``before`` or ``after`` the injection, or nothing where neither is known."""
        began, start = series.tags.acquired_s, self.injected_s
        if began is None:
            return ""
        if start is not None:
            return "before" if began < start else "after"
        if any(began <= t for t in _times(self.of(Sequence.T1))):
            return "before"
        shows = self.of(Sequence.T1C, Sequence.DSC, Sequence.DCE)
        return "after" if any(began > t for t in _times(shows)) else ""


def _times(series: Many[Series]) -> list[float]:
    return [s.tags.acquired_s for s in series if s.tags.acquired_s is not None]


def _answer(answer: bool | None, seen: str) -> Finding:
    """Turn yes, no or unknown into a finding."""
    return (State.CANNOT_TELL if answer is None else State.MET if answer else State.NOT_MET), seen


def present(seen: StudySeen, wanted: Requirement) -> Finding:
    """Ask whether there is one; with dimensions, one of those (or of unknown ones)."""
    found, unsure = seen.of(wanted.sequence), sum(not v.sure for _, v in seen.pairs)
    if wanted.dims:
        found = [s for s in found if s.tags.acquisition_type in (wanted.dims, "")]
    if found:
        return State.MET, f"{len(found)} series"
    if unsure:
        return State.CANNOT_TELL, f"none; {unsure} series not recognised for certain"
    return State.NOT_MET, "none"


Ask = Callable[[StudySeen, Series, Requirement], Finding]


def of_series(ask: Ask) -> Callable[[StudySeen, Requirement], Finding]:
    """Make a check of one that asks the series that is meant."""

    def check(seen: StudySeen, wanted: Requirement) -> Finding:
        series = seen.pick(wanted)
        return (State.CANNOT_TELL, "no such series") if series is None else ask(seen, series, wanted)

    return check


def _dimensions(_: StudySeen, series: Series, wanted: Requirement) -> Finding:
    kind = series.tags.acquisition_type
    return _answer(kind == wanted.dims if kind else None, kind or "MR Acquisition Type is not written")


def _prepared(_: StudySeen, series: Series, __: Requirement) -> Finding:
    t = series.tags
    if not t.scanning_sequence:
        return State.CANNOT_TELL, "Scanning Sequence is not written"
    inverted = "IR" in t.scanning_sequence or "MP" in t.sequence_variant or t.ti_ms is not None
    gradient = bool({"GR", "RM"} & set(t.scanning_sequence))
    echo, pulse = ("gradient" if gradient else "spin"), ("an" if inverted else "no")
    return _answer(gradient and inverted, f"{echo} echo with {pulse} inversion pulse")


def _spin_echo(_: StudySeen, series: Series, wanted: Requirement) -> Finding:
    """Ask for a spin echo; with a limit, for a train of more echoes than that."""
    codes, train = series.tags.scanning_sequence, series.tags.echo_train
    if not codes:
        return State.CANNOT_TELL, "Scanning Sequence is not written"
    if "SE" not in codes or "EP" in codes:
        return State.NOT_MET, "no spin echo"
    if not wanted.limit:
        return State.MET, "spin echo"
    return _answer(None if train is None else train > wanted.limit, f"spin echo, echo train {train or 'not written'}")


def _axial(_: StudySeen, series: Series, __: Requirement) -> Finding:
    if not series.planes:
        return State.CANNOT_TELL, "orientation is not known"
    a, b, c, d, e, f = series.planes[0].orientation
    normal = [abs(b * f - c * e), abs(c * d - a * f), abs(a * e - b * d)]
    plane = ("sagittal", "coronal", "axial")[normal.index(max(normal))]
    return _answer(plane == "axial", plane)


def _isotropic(_: StudySeen, series: Series, wanted: Requirement) -> Finding:
    step = _step_mm(series)
    if step is None:
        return State.CANNOT_TELL, "voxel size is not known"
    edges = sorted((*series.planes[0].spacing_mm, step))
    small = edges[-1] <= wanted.limit + ROUNDED_MM
    equal = edges[-1] - edges[0] <= ISOTROPIC * edges[-1]
    return _answer(small and equal, " x ".join(f"{e:.2f}" for e in edges) + " mm")


def _step_mm(series: Series) -> float | None:
    """Return the distance between planes: from their places, else from the tags."""
    if not series.planes:
        return None
    if len(series.planes) < 2:
        return series.tags.between_mm or series.tags.thickness_mm
    first, last = series.planes[0].position_mm, series.planes[-1].position_mm
    length = sum((x - y) ** 2 for x, y in zip(first, last, strict=True)) ** 0.5
    return float(length / (len(series.planes) - 1))


def _directions(_: StudySeen, series: Series, wanted: Requirement) -> Finding:
    if "TRACEW" in series.tags.image_type:
        return State.MET, "a trace image, combined from three directions"
    count = series.tags.directions
    told = f"{count} directions" if count else "directions are not written"
    return _answer(count >= wanted.limit if count else None, told)


def _field(_: StudySeen, series: Series, wanted: Requirement) -> Finding:
    tesla = series.tags.field_t
    if tesla is None:
        return State.CANNOT_TELL, "Magnetic Field Strength is not written"
    return _answer(tesla > wanted.limit, f"{tesla:.2g} T")


def _moment(wanted: str) -> Ask:
    def ask(seen: StudySeen, series: Series, _: Requirement) -> Finding:
        moment = seen.moment(series)
        told = f"{moment} the injection" if moment else "the time of injection is not known"
        return _answer(moment == wanted if moment else None, told)

    return ask


def _before_t1c(seen: StudySeen, series: Series, _: Requirement) -> Finding:
    began, t1c = series.tags.acquired_s, _times(seen.of(Sequence.T1C))
    if began is None or not t1c:
        return State.CANNOT_TELL, "times of acquisition are not known"
    minutes = (min(t1c) - began) / 60
    side = "before" if minutes > 0 else "after"
    return _answer(minutes > 0, f"{abs(minutes):.0f} min {side} the first T1 after contrast agent")


def matched(seen: StudySeen, wanted: Requirement) -> Finding:
    """Compare every T1 with every T1C and keep the pair that differs least."""
    compared = [_differences(a, b) for a in seen.of(Sequence.T1) for b in seen.of(Sequence.T1C)]
    known = [pair for pair in compared if pair is not None]
    if not known:
        return State.CANNOT_TELL, "no pair whose parameters are written"
    best = min(known, key=len)
    return _answer(not best, "; ".join(best) or "equal within 3 %")


def _differences(a: Series, b: Series) -> tuple[str, ...] | None:
    """Return in which parameters two series differ; None where fewer than two are written in both."""
    values = [(n, getattr(a.tags, tag), getattr(b.tags, tag), unit) for n, (tag, unit) in PAIR.items()]
    both = [v for v in values if v[1] is not None and v[2] is not None]
    if len(both) < 2:
        return None
    apart = [v for v in both if abs(v[1] - v[2]) > SAME_PARAMETER * max(abs(v[1]), abs(v[2]))]
    return tuple(f"{name} {x:g} and {y:g} {unit}" for name, x, y, unit in apart)


def dose(_: StudySeen, __: Requirement) -> Finding:
    """Ask for the dose, which no header tells reliably."""
    return State.CANNOT_TELL, "dose and body weight are not read"


has_dimensions = of_series(_dimensions)
is_prepared, is_spin_echo, is_axial = of_series(_prepared), of_series(_spin_echo), of_series(_axial)
is_isotropic, has_directions, has_field = of_series(_isotropic), of_series(_directions), of_series(_field)
is_before, is_after, is_before_t1c = of_series(_moment("before")), of_series(_moment("after")), of_series(_before_t1c)
