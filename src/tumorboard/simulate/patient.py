"""A digital patient: one head, three studies, one tumour that recedes and comes back.

Why it exists: a demonstration needs a course that may be shown to anybody, and tests need one whose
truth is known. It is not a patient and resembles none; its dates are fictional. Nothing learned from
it about genotype, prognosis or treatment may be applied to people.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy import ndimage as ndi

from tumorboard.labels import LabelMap
from tumorboard.sequences import Sequence
from tumorboard.simulate.body.anatomy import Anatomy, draw_anatomy
from tumorboard.simulate.body.background import Background, draw_background
from tumorboard.simulate.disease.growth import (
    GrowthParameters,
    arrival_days,
    core_mask,
    draw_voxel,
    solid_tissue,
    white_matter_in,
)
from tumorboard.simulate.disease.lesion import tumour_labels
from tumorboard.simulate.fields import Float, Mask
from tumorboard.simulate.scanner.mixture import Mixture, State, mixed
from tumorboard.simulate.scanner.render import scan
from tumorboard.study import Event, EventKind
from tumorboard.volume import Volume

FIRST_STUDY = dt.date(2000, 1, 3)
"""Date of the first study; fictional."""

STUDY_DAYS = (0, 70, 168)
"""Days of the studies: before treatment, ten weeks, twenty-four weeks (chosen)."""

STUDY_IDS = ("ses-01", "ses-02", "ses-03")

SITES_MM: dict[str, tuple[tuple[float, float], ...]] = {
    "frontal": ((22.0, 34.0), (12.0, 36.0), (12.0, 34.0)),
    "parietal": ((24.0, 36.0), (-56.0, -38.0), (24.0, 40.0)),
    "temporal": ((38.0, 48.0), (-36.0, -12.0), (-16.0, 0.0)),
}
"""Boxes of |x|, y, z in MNI mm in whose white matter a tumour may begin (chosen)."""


@dataclass(frozen=True)
class CourseParameters:
    """Volumes over the course; all chosen, ranges are drawn from evenly.

    Parameters
    ----------
    core_ml, whole_ml : (float, float)
        Tumour core and whole tumour in the first study, mL.
    core_second, whole_second : (float, float)
        The same in the second study as a part of the first.
    core_third, whole_third : (float, float)
        The same in the third study as a part of the first, without the satellite.
    satellite_core_ml, satellite_whole_ml : (float, float)
        The new lesion of the third study, mL.
    satellite_gap_mm : (float, float)
        Distance of its centre from the first tumour's core, mm.
    """

    core_ml: tuple[float, float] = (27.0, 34.0)
    whole_ml: tuple[float, float] = (70.0, 86.0)
    core_second: tuple[float, float] = (0.49, 0.57)
    whole_second: tuple[float, float] = (0.50, 0.60)
    core_third: tuple[float, float] = (0.85, 1.05)
    whole_third: tuple[float, float] = (0.85, 1.00)
    satellite_core_ml: tuple[float, float] = (1.4, 2.2)
    satellite_whole_ml: tuple[float, float] = (4.0, 6.0)
    satellite_gap_mm: tuple[float, float] = (24.0, 42.0)


@dataclass(frozen=True)
class Course:
    """A head and its tumour at the three studies, before any image is made.

    Parameters
    ----------
    head : Anatomy
        Without tumour.
    site : str
        Side and lobe in which the tumour began.
    states : tuple of State
        The tumour at each study, on the head's grid.
    background : Background
        What the head carries besides anatomy.
    """

    head: Anatomy
    site: str
    states: tuple[State, ...]
    background: Background

    @property
    def truths(self) -> tuple[LabelMap, ...]:
        """Label maps of the studies."""
        return tuple(state.truth for state in self.states)

    def mixture(self, n: int) -> Mixture:
        """Return the tissues of study ``n``, counted from 0."""
        return mixed(self.head, self.background, self.states[n])


@dataclass(frozen=True)
class DigitalStudy:
    """One study of a digital patient.

    Parameters
    ----------
    id : str
        ``ses-01`` …
    date : date
        Fictional.
    volumes : mapping of Sequence to Volume
        int16, RAS, skull-stripped: exactly 0 outside the brain.
    truth : LabelMap
        What was drawn: 1 NETC, 2 SNFH, 3 ET.
    """

    id: str
    date: dt.date
    volumes: Mapping[Sequence, Volume]
    truth: LabelMap


@dataclass(frozen=True)
class DigitalPatient:
    """A digital patient's studies in order of date, events, and the healthy head beneath.

    Parameters
    ----------
    seed : int
        Everything follows from it.
    site : str
        Side and lobe in which the tumour began, for example ``"left frontal"``.
    studies : tuple of DigitalStudy
        Three.
    events : tuple of Event
        Biopsy, radiotherapy, temozolomide, dexamethasone, clinical state and KPS.
    head : Anatomy
        Without tumour.
    """

    seed: int
    site: str
    studies: tuple[DigitalStudy, ...]
    events: tuple[Event, ...]
    head: Anatomy


def digital_patient(seed: int = 7, spacing_mm: float = 2.0) -> DigitalPatient:
    """Make a digital patient; on one machine the same seed gives the same bits.

    Parameters
    ----------
    seed : int
        Seed of the one generator.
    spacing_mm : float
        Voxel size, mm. Other sizes give another patient, not the same one resampled.

    Returns
    -------
    DigitalPatient
        A solitary glioblastoma, smaller after chemoradiation, grown again with a new satellite.

    Raises
    ------
    GeometryError
        A spacing that the atlas refuses, or so coarse that the tumour finds no place.

    Examples
    --------
    >>> patient = digital_patient(spacing_mm=6.0)
    >>> [study.id for study in patient.studies], patient.studies[0].volumes[Sequence.T1C].data.dtype
    (['ses-01', 'ses-02', 'ses-03'], dtype('int16'))
    """
    rng = np.random.default_rng(seed)
    course = draw_course(rng, spacing_mm)
    studies = tuple(
        DigitalStudy(study, date, scan(course.head, course.mixture(n), rng), course.states[n].truth)
        for n, (study, date) in enumerate(zip(STUDY_IDS, study_dates(), strict=True))
    )
    return DigitalPatient(seed, course.site, studies, treatment_events(), course.head)


def draw_course(rng: np.random.Generator, spacing_mm: float) -> Course:
    """Draw a head and what grows in it; no images.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of everything.
    spacing_mm : float
        Voxel size, mm.

    Raises
    ------
    GeometryError
        As :func:`digital_patient`.

    Examples
    --------
    >>> course = draw_course(np.random.default_rng(7), 6.0)
    >>> len(course.truths), course.truths[0].grid.matches(course.head.grid)
    (3, True)
    """
    head = draw_anatomy(rng, spacing_mm)
    site, seed_ijk = _draw_site(head, rng)
    truths = _course(head, seed_ijk, rng, CourseParameters())
    return Course(head, site, tuple(State.of_labels(t) for t in truths), draw_background(head, rng))


def study_dates() -> tuple[dt.date, ...]:
    """Return the fictional dates of the studies.

    Examples
    --------
    >>> [date.isoformat() for date in study_dates()]
    ['2000-01-03', '2000-03-13', '2000-06-19']
    """
    return tuple(_day(n) for n in STUDY_DAYS)


def treatment_events() -> tuple[Event, ...]:
    """Return what happens to the digital patient, in order of date (Stupp protocol, without resection).

    Source: Stupp R et al., N Engl J Med 2005;352:987-996 (60 Gy; temozolomide 75, then 150-200 mg/m²).

    Examples
    --------
    >>> [e.kind.value for e in treatment_events() if e.end_date]
    ['steroid', 'radiotherapy', 'drug', 'steroid', 'drug']
    """
    kinds = EventKind
    rows: tuple[tuple[int, EventKind, int | None, str, str, str], ...] = (
        (0, kinds.CLINICAL, None, "stable", "", "first seizure, no deficit"),
        (0, kinds.KPS, None, "90", "%", ""),
        (0, kinds.STEROID, 40, "4", "mg/d", "dexamethasone"),
        (4, kinds.SURGERY, None, "biopsy", "", "stereotactic biopsy: glioblastoma, IDH-wildtype (fictional)"),
        (14, kinds.RADIOTHERAPY, 55, "60", "Gy", "30 fractions"),
        (14, kinds.DRUG, 55, "75", "mg/m2/d", "temozolomide, concomitant"),
        (41, kinds.STEROID, 63, "2", "mg/d", "dexamethasone, tapering"),
        (70, kinds.CLINICAL, None, "stable", "", ""),
        (70, kinds.KPS, None, "90", "%", ""),
        (84, kinds.DRUG, 160, "150", "mg/m2/d", "temozolomide, adjuvant, days 1-5 of 28"),
        (168, kinds.CLINICAL, None, "worse", "", "new weakness"),
        (168, kinds.KPS, None, "70", "%", ""),
    )
    return tuple(
        Event(_day(start), kind, None if end is None else _day(end), value, unit, detail)
        for start, kind, end, value, unit, detail in rows
    )


def _day(n: int) -> dt.date:
    return FIRST_STUDY + dt.timedelta(days=n)


def _draw_site(head: Anatomy, rng: np.random.Generator) -> tuple[str, tuple[int, int, int]]:
    lobe = list(SITES_MM)[int(rng.integers(len(SITES_MM)))]
    side, sign = (("left", -1.0), ("right", 1.0))[int(rng.integers(2))]
    return f"{side} {lobe}", draw_voxel(white_matter_in(head, SITES_MM[lobe], sign), rng)


def _course(
    head: Anatomy, seed_ijk: tuple[int, int, int], rng: np.random.Generator, course: CourseParameters
) -> tuple[LabelMap, LabelMap, LabelMap]:
    growth = GrowthParameters()
    core_ml, whole_ml = rng.uniform(*course.core_ml), rng.uniform(*course.whole_ml)
    days = arrival_days(head, seed_ijk, 1.5 * core_ml, rng, growth)
    parts = ((1.0, 1.0), *((rng.uniform(*c), rng.uniform(*w)) for c, w in _later(course)))
    first, second, third = (
        tumour_labels(core_mask(days, head, core_ml * c, rng, growth), whole_ml * w, head, rng, growth)
        for c, w in parts
    )
    return first, second, _with_satellite(third, head, rng, course)


def _later(course: CourseParameters) -> tuple[tuple[tuple[float, float], tuple[float, float]], ...]:
    return (course.core_second, course.whole_second), (course.core_third, course.whole_third)


def _with_satellite(truth: LabelMap, head: Anatomy, rng: np.random.Generator, course: CourseParameters) -> LabelMap:
    """Add a small solid lesion in the same hemisphere's white matter, clear of the first tumour's oedema."""
    growth = GrowthParameters(rim_mm=30.0, raggedness_day=4.0, leak_mm=5.0)
    seed_ijk = draw_voxel(_satellite_places(truth, head, course), rng)
    core_ml, whole_ml = rng.uniform(*course.satellite_core_ml), rng.uniform(*course.satellite_whole_ml)
    days = arrival_days(head, seed_ijk, 1.5 * core_ml, rng, growth)
    small = tumour_labels(core_mask(days, head, core_ml, rng, growth), whole_ml, head, rng, growth)
    clear = ndi.binary_dilation(truth.data > 0, iterations=2)
    return truth.with_data(np.where(clear, truth.data, small.data))


def _satellite_places(truth: LabelMap, head: Anatomy, course: CourseParameters) -> Mask:
    spacing = head.grid.spacing_mm
    core = truth.region("TC")
    side = np.sign(np.median(head.mni_mm[0][core]))
    from_core = _distance_mm(~core, spacing)
    from_whole = _distance_mm(~truth.region("WT"), spacing)
    depth = _distance_mm(solid_tissue(head), spacing)
    low, high = course.satellite_gap_mm
    roomy = (from_core >= low) & (from_core <= high) & (from_whole >= 14.0) & (depth >= 4.0)
    return np.asarray(roomy & (head.wm > 0.6) & (side * head.mni_mm[0] > 12.0) & (head.mni_mm[2] > -30.0))


def _distance_mm(mask: Mask, spacing_mm: tuple[float, float, float]) -> Float:
    return np.asarray(ndi.distance_transform_edt(mask, sampling=spacing_mm), dtype=np.float32)
