"""Forms of glioma: enhancing, diffuse, multifocal and gliomatosis, from what the tumour is like to its labels.

Why it exists: one ring with oedema is not the disease. Volumes follow UCSF-PDGM (501 patients, by integrated type)
and parts of the tumour UPENN-GBM (59 with segmented features); shares of forms are chosen.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from tumorboard.errors import InputError
from tumorboard.simulate.body.anatomy import Anatomy
from tumorboard.simulate.body.bulge import before_swelling
from tumorboard.simulate.disease.growth import GrowthParameters, arrival_days, draw_voxel, white_matter_in
from tumorboard.simulate.fields import Float
from tumorboard.simulate.look import Look
from tumorboard.simulate.person.effects import Traits
from tumorboard.simulate.person.people import Diagnosis, Person


class Form(StrEnum):
    """How a glioma grows."""

    ENHANCING = "enhancing"
    DIFFUSE = "diffuse"
    MULTIFOCAL = "multifocal"
    GLIOMATOSIS = "gliomatosis"


LARGEST_ML = 400.0
"""Largest tumour that a brain of 1,100 mL or more has room for (chosen)."""

Ranks = tuple[tuple[float, float], ...]

WHOLE_ML: dict[Diagnosis, Ranks] = {
    Diagnosis.GLIOBLASTOMA: ((0, 6), (0.05, 17.3), (0.25, 45.5), (0.5, 88.5), (0.75, 130.6), (0.95, 196.7), (1, 230)),
    Diagnosis.ASTROCYTOMA_MUTANT: (
        *((0, 4), (0.05, 10.2), (0.25, 34.4), (0.5, 74.3)),
        *((0.75, 123.7), (0.95, 226.4), (1, 240)),
    ),
    Diagnosis.OLIGODENDROGLIOMA: ((0, 5), (0.05, 7.9), (0.25, 11.1), (0.5, 27.6), (0.75, 47.6), (0.95, 51.4), (1, 60)),
    Diagnosis.ASTROCYTOMA_WILDTYPE: (
        (0, 1.5),
        (0.05, 1.9),
        (0.25, 16.6),
        (0.5, 34.5),
        (0.75, 51.3),
        (0.95, 132.4),
        (1, 150),
    ),
}
"""Whole tumour by rank, mL: percentiles of UCSF-PDGM (mask of the whole tumour); both ends are chosen."""

CORE_PART: Ranks = ((0, 0.03), (0.05, 0.05), (0.25, 0.20), (0.5, 0.31), (0.75, 0.47), (0.95, 0.67), (1, 0.75))
NECROTIC_PART: Ranks = ((0, 0.0), (0.05, 0.08), (0.25, 0.20), (0.5, 0.33), (0.75, 0.46), (0.95, 0.67), (1, 0.75))
"""Core of the whole, and necrosis of the core, by rank: percentiles of UPENN-GBM."""

FORM_CHANCES = {Form.MULTIFOCAL: 0.13, Form.GLIOMATOSIS: 0.03}
"""Shares among tumours that enhance, and among those that do not (chosen)."""

SITES_MM: dict[str, tuple[tuple[float, float], ...]] = {
    "frontal": ((14.0, 40.0), (6.0, 50.0), (-4.0, 46.0)),
    "parietal": ((16.0, 40.0), (-64.0, -30.0), (22.0, 50.0)),
    "temporal": ((30.0, 52.0), (-46.0, 2.0), (-26.0, 4.0)),
    "occipital": ((12.0, 36.0), (-90.0, -66.0), (-6.0, 26.0)),
    "insular": ((28.0, 44.0), (-12.0, 20.0), (-8.0, 14.0)),
}
"""Boxes of |x|, y, z in MNI mm in whose white matter a tumour may begin (chosen)."""

SITE_WEIGHTS = {"frontal": 0.36, "parietal": 0.19, "temporal": 0.30, "occipital": 0.05, "insular": 0.10}
"""Shares of places of gliomas (unverified)."""


@dataclass(frozen=True)
class Glioma:
    """A tumour before it is drawn.

    Parameters
    ----------
    form : Form
        How it grows.
    site : str
        Key of :data:`SITES_MM`.
    whole_ml, core_ml : float
        Whole tumour and core at the first visit.
    necrotic_part : float
        Necrosis of the core, 0 to 1.
    enhances, mismatch, calcified : bool
        What is seen.
    look : Look
        Of its tissue.
    mass : float
        Amount of displacement.

    Raises
    ------
    InputError
        Volumes that no brain has room for, or a core larger than the whole.
    """

    form: Form
    site: str
    whole_ml: float
    core_ml: float
    necrotic_part: float
    enhances: bool
    mismatch: bool
    calcified: bool
    look: Look
    mass: float

    def __post_init__(self) -> None:
        if not 0 < self.whole_ml <= LARGEST_ML:
            told, got = f"a whole tumour above 0 to {LARGEST_ML:g} mL", f"{self.whole_ml:g} mL"
            raise InputError(told, got=got, where="digital tumour", remedy="choose a volume within")
        if not 0 < self.core_ml <= self.whole_ml:
            told, got = f"a core above 0 to {self.whole_ml:g} mL", f"{self.core_ml:g} mL"
            raise InputError(told, got=got, where="digital tumour", remedy="choose a volume within")

    @property
    def matters(self) -> dict[str, str]:
        """What each label is made of, where it differs from an ordinary glioblastoma."""
        if self.enhances:
            return {}
        return {"SNFH": "infiltrate", "NETC": "microcystic" if self.mismatch else "infiltrate"}

    @property
    def growth(self) -> GrowthParameters:
        """Rates of this form: what does not enhance is diffuse."""
        if self.form is Form.GLIOMATOSIS:
            return replace(GrowthParameters(), white_mm2_day=0.5, grey_mm2_day=0.1, leak_mm=34.0, leak_grey=0.25)
        if not self.enhances:
            return replace(GrowthParameters(), leak_mm=9.0, leak_grey=0.3, raggedness_day=10.0)
        return GrowthParameters()


def draw_glioma(person: Person, traits: Traits, rng: np.random.Generator) -> Glioma:
    """Draw form, place, volumes and look of a tumour.

    Parameters
    ----------
    person : Person
        Gives the integrated type, which decides volumes.
    traits : Traits
        What the tumour is like.
    rng : numpy.random.Generator
        Source; always the same number of draws.

    Returns
    -------
    Glioma

    Examples
    --------
    >>> from tumorboard.simulate.person.people import Diagnosis, draw_person
    >>> rng = np.random.default_rng(0)
    >>> glioma = draw_glioma(draw_person(rng, "upenn-gbm"), Traits(enhances=1.0), rng)
    >>> glioma.enhances, 1.5 < glioma.core_ml < glioma.whole_ml < 231
    (True, True)
    """
    ranks = rng.random(3)
    chances = rng.random(4)
    enhances = bool(chances[0] < traits.enhances)
    mismatch = bool(not enhances and chances[1] < traits.mismatch)
    whole = at_rank(WHOLE_ML[person.diagnosis], ranks[0])
    core_part = at_rank(CORE_PART, ranks[1]) if enhances else 0.85 if mismatch else 0.35 + 0.4 * ranks[1]
    form = _form(enhances, chances[2])
    if form is Form.GLIOMATOSIS:
        whole, core_part = max(whole, 90.0), 0.06
    core = min(max(core_part * whole / traits.oedema, 0.03 * whole), 0.9 * whole, 95.0)
    necrotic = float(np.clip(at_rank(NECROTIC_PART, ranks[2]) * traits.necrosis, 0.0, 0.8))
    mass = float(np.clip(rng.normal(0.16, 0.08), 0.0, 0.33) * (1.0 if enhances else 0.6))
    shrunk = before_swelling(whole, mass) / whole  # the volume is that of the displaced brain
    whole, core = whole * shrunk, core * shrunk
    calcified = bool(chances[3] < traits.calcified)
    return Glioma(form, _site(traits, rng), whole, core, necrotic, enhances, mismatch, calcified, traits, mass)


def at_rank(ranks: Ranks, rank: float) -> float:
    """Return the value at a rank from 0 to 1.

    Examples
    --------
    >>> at_rank(((0, 1.0), (1, 3.0)), 0.5)
    2.0
    """
    known, values = zip(*ranks, strict=True)
    return float(np.interp(rank, known, values))


def grown(glioma: Glioma, head: Anatomy, rng: np.random.Generator) -> tuple[Float, str]:
    """Grow a tumour: the order in which voxels become core, and where it began.

    Parameters
    ----------
    glioma : Glioma
        Which.
    head : Anatomy
        Where.
    rng : numpy.random.Generator
        Source.

    Returns
    -------
    days : ndarray of float32, shape (i, j, k)
        Infinite where it never came.
    side : str
        For example ``left frontal``.

    Raises
    ------
    GeometryError
        There is no room.
    """
    side, sign = (("left", -1.0), ("right", 1.0))[int(rng.integers(2))]
    first = draw_voxel(white_matter_in(head, SITES_MM[glioma.site], sign), rng)
    days = arrival_days(head, first, 1.35 * glioma.core_ml, rng, glioma.growth)
    for _ in range(int(rng.integers(1, 3)) if glioma.form is Form.MULTIFOCAL else 0):
        away = np.linalg.norm(head.mni_mm - head.mni_mm[(slice(None), *first)][:, None, None, None], axis=0)
        near = (
            (head.wm > 0.6) & (away > 28.0) & (away < 70.0) & (sign * head.mni_mm[0] > 8.0) & (head.mni_mm[2] > -25.0)
        )
        if near.any():
            part = float(rng.uniform(0.1, 0.35))
            more = arrival_days(head, draw_voxel(near, rng), part * glioma.core_ml, rng, glioma.growth)
            # a focus that is one voxel came at once: nothing to scale
            days = np.minimum(days, more * np.float32(_reach(days) / max(_reach(more), 1e-6)))
    return days, f"{side} {glioma.site}"


def _reach(days: Float) -> float:
    return float(days[np.isfinite(days)].max())


def _form(enhances: bool, chance: float) -> Form:
    if enhances:
        return Form.MULTIFOCAL if chance < FORM_CHANCES[Form.MULTIFOCAL] else Form.ENHANCING
    return Form.GLIOMATOSIS if chance < FORM_CHANCES[Form.GLIOMATOSIS] else Form.DIFFUSE


def _site(traits: Traits, rng: np.random.Generator) -> str:
    weights = {s: w * (traits.frontal if s == "frontal" else 1.0) for s, w in SITE_WEIGHTS.items()}
    place = rng.random() * sum(weights.values())
    for site, weight in weights.items():
        place -= weight
        if place < 0:
            return site
    return "frontal"
