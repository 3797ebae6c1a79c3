"""Who digital patients are: age, sex, diagnosis and genotype with the shares of two public cohorts.

Why it exists: a cohort whose genotypes do not occur as often as in people teaches wrong priors. Only counts and
moments of the tables are used; nobody's row is.
Sources: UCSF-PDGM metadata v2 (n = 501; Calabrese E et al., Radiol Artif Intell 2022;4:e220058) and UPENN-GBM
clinical information v2.1 (611 patients; Bakas S et al., Sci Data 2022;9:453), both CC BY 4.0.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

import numpy as np

T = TypeVar("T")

AGES = (18.0, 95.0)
"""Years; who is drawn outside is drawn again."""


class Diagnosis(StrEnum):
    """Adult-type diffuse gliomas of WHO 2021 with the remainder below grade 4, metastases, and lymphoma."""

    GLIOBLASTOMA = "Glioblastoma, IDH-wildtype"
    ASTROCYTOMA_MUTANT = "Astrocytoma, IDH-mutant"
    ASTROCYTOMA_WILDTYPE = "Astrocytoma, IDH-wildtype"
    OLIGODENDROGLIOMA = "Oligodendroglioma, IDH-mutant, 1p/19q-codeleted"
    METASTASIS = "Brain metastases"
    LYMPHOMA = "Primary CNS lymphoma"


class Resection(StrEnum):
    """Extent of resection."""

    GROSS = "GTR"
    PARTIAL = "STR"
    BIOPSY = "biopsy"


@dataclass(frozen=True)
class Shares:
    """How those of one diagnosis are distributed.

    Parameters
    ----------
    patients : int
        Of the cohort; shares of diagnoses follow from it.
    age_mean, age_sd : float
        Years.
    male, methylated : float
        Parts from 0 to 1; MGMT among those with a clear result.
    grades : mapping of int to int
        WHO grade to patients.
    resections : mapping of Resection to int
        To patients.
    """

    patients: int
    age_mean: float
    age_sd: float
    male: float
    methylated: float
    grades: Mapping[int, int]
    resections: Mapping[Resection, int]


_G, _P, _B = Resection.GROSS, Resection.PARTIAL, Resection.BIOPSY

POPULATIONS: dict[str, dict[Diagnosis, Shares]] = {
    "ucsf-pdgm": {
        Diagnosis.GLIOBLASTOMA: Shares(374, 61.8, 12.0, 0.594, 252 / 357, {4: 374}, {_G: 218, _P: 114, _B: 41}),
        Diagnosis.ASTROCYTOMA_MUTANT: Shares(
            90, 38.1, 10.8, 0.611, 36 / 40, {2: 35, 3: 27, 4: 28}, {_G: 25, _P: 61, _B: 4}
        ),
        Diagnosis.ASTROCYTOMA_WILDTYPE: Shares(24, 58.1, 10.7, 0.583, 13 / 18, {2: 10, 3: 14}, {_G: 2, _P: 13, _B: 9}),
        Diagnosis.OLIGODENDROGLIOMA: Shares(13, 43.9, 14.4, 0.615, 1.0, {2: 11, 3: 2}, {_G: 3, _P: 10}),
    },
    "upenn-gbm": {
        Diagnosis.GLIOBLASTOMA: Shares(592, 63.6, 11.8, 0.604, 121 / 291, {4: 592}, {_G: 362, _P: 211}),
    },
    "ucsf-bmsr": {Diagnosis.METASTASIS: Shares(461, 60.8, 11.9, 0.41, 0.0, {0: 461}, {_B: 461})},
    "lymphoma": {Diagnosis.LYMPHOMA: Shares(100, 65.0, 11.0, 0.55, 0.0, {0: 100}, {_B: 100})},
}
"""Cohorts by name; lymphoma is chosen, as are sex and biopsy of metastases. Grade 0 stands for none.

MGMT of the 13 oligodendrogliomas was known in one; all are taken as methylated (chosen).
"""


@dataclass(frozen=True)
class Person:
    """A digital person before any image is made.

    Parameters
    ----------
    age_years : float
        At the first study.
    male : bool
        Sex as the tables give it.
    diagnosis : Diagnosis
        Integrated diagnosis.
    grade : int
        WHO grade, 2 to 4; 0 where there is none.
    mgmt_methylated : bool
        MGMT promoter.
    resection : Resection
        Of the first surgery.
    """

    age_years: float
    male: bool
    diagnosis: Diagnosis
    grade: int
    mgmt_methylated: bool
    resection: Resection

    @property
    def idh_mutant(self) -> bool:
        """Whether IDH1 or IDH2 is mutated; it is part of the diagnosis."""
        return self.diagnosis in (Diagnosis.ASTROCYTOMA_MUTANT, Diagnosis.OLIGODENDROGLIOMA)

    @property
    def codeleted(self) -> bool:
        """Whether 1p and 19q are lost together; it is part of the diagnosis."""
        return self.diagnosis is Diagnosis.OLIGODENDROGLIOMA


def draw_person(
    rng: np.random.Generator,
    population: str = "ucsf-pdgm",
    diagnosis: Diagnosis | None = None,
    grades: tuple[int, ...] = (),
) -> Person:
    """Draw a person.

    Parameters
    ----------
    rng : numpy.random.Generator
        Source of everything; each call draws the same number of values but for ages outside :data:`AGES`.
    population : str
        A name of :data:`POPULATIONS`.
    diagnosis : Diagnosis, optional
        Only those of this diagnosis.
    grades : tuple of int
        Only those of these WHO grades, in the shares that they have among themselves; none: all.

    Returns
    -------
    Person

    Raises
    ------
    KeyError
        There is no such population, or nobody of that diagnosis or of these grades in it.

    Examples
    --------
    >>> person = draw_person(np.random.default_rng(1), "upenn-gbm")
    >>> person.diagnosis.value, person.grade, person.idh_mutant
    ('Glioblastoma, IDH-wildtype', 4, False)
    >>> draw_person(np.random.default_rng(1), grades=(2, 3)).grade
    3
    """
    shares = POPULATIONS[population]
    counts = {d: sum(_of(s, grades).values()) for d, s in shares.items()}
    if not (counts[diagnosis] if diagnosis else sum(counts.values())):
        raise KeyError(grades)
    drawn = _pick(counts, rng)
    of = shares[diagnosis or drawn]
    return Person(
        age_years=_age(of, rng),
        male=bool(rng.random() < of.male),
        diagnosis=diagnosis or drawn,
        grade=_pick(_of(of, grades), rng),
        mgmt_methylated=bool(rng.random() < of.methylated),
        resection=_pick(of.resections, rng),
    )


def _of(shares: Shares, grades: tuple[int, ...]) -> dict[int, int]:
    return {g: n for g, n in shares.grades.items() if not grades or g in grades}


def _age(of: Shares, rng: np.random.Generator) -> float:
    while True:
        age = float(rng.normal(of.age_mean, of.age_sd))
        if AGES[0] <= age <= AGES[1]:
            return age


def _pick(counts: Mapping[T, int], rng: np.random.Generator) -> T:
    """Draw a key with a chance that is its part of all."""
    place = rng.random() * sum(counts.values())
    for key, count in counts.items():
        place -= count
        if place < 0:
            return key
    return list(counts)[-1]
