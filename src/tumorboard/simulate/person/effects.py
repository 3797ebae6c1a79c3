"""How a genotype shows in images: one table of effects, and one switch that takes them all away.

Why it exists: a radiogenomic method can only be judged where the size of the effect is known. Sizes are rounded from
the papers named and **unverified**; none may be used to read a real image. Under the null a tumour looks like that of
a stranger drawn from the same population: images keep their distribution and lose their meaning.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from tumorboard.simulate.look import Look
from tumorboard.simulate.person.genes import Tissue
from tumorboard.simulate.person.people import Person


@dataclass(frozen=True)
class Effect:
    """What one marker does to one quantity.

    Parameters
    ----------
    marker : str
        ``IDH``, ``1p/19q``, ``MGMT`` or a key of :attr:`Tissue.markers`.
    quantity : str
        A field of :class:`Traits`.
    factor : float
        By which it is multiplied.
    source : str
        Paper.
    """

    marker: str
    quantity: str
    factor: float
    source: str


EFFECTS: tuple[Effect, ...] = (
    Effect("IDH", "enhances", 0.38, "Carrillo JA, AJNR 2012;33:1349"),
    Effect("IDH", "frontal", 2.2, "Carrillo JA, AJNR 2012;33:1349"),
    Effect("IDH", "adc", 1.25, "Leu K, J Neurooncol 2017;134:177"),
    Effect("IDH", "cbv", 0.60, "Kickingereder P, Sci Rep 2015;5:16238"),
    Effect("IDH", "necrosis", 0.45, "Park CJ, Radiology 2021 (G12 of the list of systems)"),
    Effect("1p/19q", "calcified", 12.0, "Jenkinson MD, Brain 2006;129:1884"),
    Effect("1p/19q", "cbv", 1.35, "Jenkinson MD, Brain 2006;129:1884"),
    Effect("1p/19q", "mismatch", 0.0, "Patel SH, Clin Cancer Res 2017;23:6078"),
    Effect("MGMT", "adc", 1.06, "Moon WJ, Neuroradiology 2012;54:555"),
    Effect("MGMT", "oedema", 0.90, "chosen"),
    Effect("EGFR amplification", "cbv", 1.30, "Gupta A, AJNR 2015;36:1247"),
    Effect("EGFR amplification", "adc", 0.93, "Young RJ, J Neurooncol 2013;113:255"),
    Effect("CDKN2A deletion", "cbv", 1.15, "chosen"),
    Effect("TERT promoter", "necrosis", 1.20, "chosen"),
    Effect("PDGFRA", "oedema", 1.15, "chosen"),
    Effect("RB1", "ktrans", 1.15, "chosen"),
    Effect("TP53", "oedema", 0.92, "chosen"),
    Effect("EGFR", "adc", 0.85, "Jung WS, AJNR 2018;39:1413"),
    Effect("ALK", "necrosis", 1.40, "chosen"),
    Effect("KRAS", "cbv", 1.20, "chosen"),
    Effect("BRAF", "gd", 1.15, "chosen"),
    Effect("HER2", "oedema", 1.20, "chosen"),
)


@dataclass(frozen=True)
class Traits(Look):
    """What a tumour is like: its tissue, and chances and parts besides.

    Parameters
    ----------
    enhances, mismatch, calcified : float
        Chances from 0 to 1.
    frontal : float
        Odds of a frontal place against the usual.
    necrosis, oedema : float
        Factors of the parts of the tumour.
    """

    enhances: float = 0.97
    mismatch: float = 0.0
    calcified: float = 0.04
    frontal: float = 1.0
    necrosis: float = 1.0
    oedema: float = 1.0


MISMATCH_CHANCE = 0.42
"""T2-FLAIR mismatch among IDH-mutant tumours without codeletion (pooled sensitivity of the sign)."""

LOWER_GRADE_ENHANCES = 0.45
"""Chance that an IDH-wildtype tumour below grade 4 enhances (chosen)."""

SPREAD: dict[str, float] = {
    **{"necrosis": 0.12, "oedema": 0.12, "gd": 0.2, "adc": 0.14, "cbv": 0.38, "ktrans": 0.4},
    **{"t1": 0.07, "t2": 0.09, "fa": 0.25, "rough": 0.2},
}
"""Standard deviation of the natural logarithm of a factor between patients of one genotype (chosen near the spread
between patients of UPENN-GBM)."""

BEND = 0.22
"""Standard deviation of the skewness of texture between patients (chosen likewise)."""


def traits_of(person: Person, tissue: Tissue, rng: np.random.Generator) -> Traits:
    """Draw what the tumour of a person is like.

    Parameters
    ----------
    person : Person
        Integrated type, grade and MGMT.
    tissue : Tissue
        Other markers.
    rng : numpy.random.Generator
        Source of what differs between patients.

    Returns
    -------
    Traits

    Examples
    --------
    >>> from tumorboard.simulate.person.genes import draw_tissue
    >>> from tumorboard.simulate.person.people import Diagnosis, draw_person
    >>> rng = np.random.default_rng(0)
    >>> one = draw_person(rng, diagnosis=Diagnosis.OLIGODENDROGLIOMA)
    >>> traits = traits_of(one, draw_tissue(one, rng), rng)
    >>> traits.mismatch, traits.calcified > 0.4
    (0.0, True)
    """
    base = Traits(mismatch=MISMATCH_CHANCE if person.idh_mutant else 0.0)
    if person.grade < 4 and not person.idh_mutant:
        base = replace(base, enhances=LOWER_GRADE_ENHANCES)
    if person.grade == 2:
        base = replace(base, enhances=0.4 * base.enhances)
    values = vars(base).copy()
    for effect in EFFECTS:
        if altered(person, tissue).get(effect.marker):
            values[effect.quantity] *= effect.factor
    for name, spread in SPREAD.items():
        values[name] *= float(np.exp(spread * rng.standard_normal()))
    values["bend"] = float(BEND * rng.standard_normal())
    return Traits(**values)


def altered(person: Person, tissue: Tissue) -> Mapping[str, bool]:
    """Return every marker by name.

    Examples
    --------
    >>> from tumorboard.simulate.person.genes import draw_tissue
    >>> from tumorboard.simulate.person.people import draw_person
    >>> rng = np.random.default_rng(0)
    >>> person = draw_person(rng, "upenn-gbm")
    >>> altered(person, draw_tissue(person, rng))["IDH"]
    False
    """
    own = {"IDH": person.idh_mutant, "1p/19q": person.codeleted, "MGMT": person.mgmt_methylated}
    return {**own, **tissue.markers}
