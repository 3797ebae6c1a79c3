"""How long digital patients live: a Weibull hazard with the effects that a public cohort shows.

Why it exists: a survival model can only be judged on a cohort whose effects are known, and an honest one must find
nothing where there are none (the null). **Nothing here may be applied to people.**

Source: proportional hazards with a Weibull baseline, fitted by us to UPENN-GBM clinical information v2.1 (595 patients
without an IDH mutation, 575 deaths; Bakas S et al., Sci Data 2022;9:453, CC BY 4.0); ``benchmarks/outcome.py`` fits
them again and prints both. Astrocytomas with an IDH mutation: deaths by days of UCSF-PDGM (11 in 89,678).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tumorboard.simulate.person.people import Diagnosis, Person, Resection

DECADE_CENTRE_YEARS = 64.0
"""Age at which the effect of age is 1."""


@dataclass(frozen=True)
class Hazard:
    """A Weibull hazard and what multiplies it.

    Parameters
    ----------
    shape : float
        Pure number; 1 is a constant hazard.
    scale_days : float
        Days after which exp(-1) of those with all effects 1 are alive.
    per_decade : float
        Hazard ratio of ten years of age.
    methylated : float
        Hazard ratio of a methylated MGMT promoter.
    resections : mapping of Resection to float
        Hazard ratio of each extent of the first resection.
    """

    shape: float
    scale_days: float
    per_decade: float = 1.0
    methylated: float = 1.0
    resections: Mapping[Resection, float] = field(default_factory=dict)

    def ratio(self, person: Person) -> float:
        """Return the hazard of a person against one with all effects 1."""
        decades = (person.age_years - DECADE_CENTRE_YEARS) / 10.0
        effect = self.per_decade**decades * self.resections.get(person.resection, 1.0)
        return float(effect * (self.methylated if person.mgmt_methylated else 1.0))


_WILDTYPE = Hazard(1.082, 324.1, 1.368, 0.422, {Resection.GROSS: 0.728})

HAZARDS: dict[Diagnosis, Hazard] = {
    Diagnosis.GLIOBLASTOMA: _WILDTYPE,
    Diagnosis.ASTROCYTOMA_WILDTYPE: _WILDTYPE,
    Diagnosis.ASTROCYTOMA_MUTANT: Hazard(1.0, 8153.0),
    Diagnosis.OLIGODENDROGLIOMA: Hazard(1.0, 16306.0),
    Diagnosis.METASTASIS: Hazard(1.0, 480.0, 1.15),
    Diagnosis.LYMPHOMA: Hazard(0.9, 1150.0, 1.30),
}
"""By diagnosis. That oligodendrogliomas have half the hazard of astrocytomas is chosen: none of 13 had died.

Metastases (median 11 months) and lymphoma (26 months) are chosen near what is usually quoted.
"""

NULL = Hazard(0.975, 581.8)
"""The same cohort fitted without any effect: for everybody when there is to be nothing to find."""


@dataclass(frozen=True)
class Outcome:
    """What is known of a person at the end of follow-up.

    Parameters
    ----------
    days : float
        From surgery to death or to the end of follow-up.
    dead : bool
        False when the person was alive then (censored).
    """

    days: float
    dead: bool


def survival(person: Person, days: NDArray[np.float64], null: bool = False) -> NDArray[np.float64]:
    """Return the chance of being alive after so many days.

    Parameters
    ----------
    person : Person
        Whose.
    days : ndarray
        At least 0.
    null : bool
        Without any effect.

    Returns
    -------
    ndarray of float64
        As ``days``; 1 at 0.

    Examples
    --------
    >>> person = Person(64.0, True, Diagnosis.GLIOBLASTOMA, 4, False, Resection.PARTIAL)
    >>> [round(float(s), 3) for s in survival(person, np.array([0.0, 324.1]))]
    [1.0, 0.368]
    """
    hazard = NULL if null else HAZARDS[person.diagnosis]
    ratio = 1.0 if null else hazard.ratio(person)
    return np.asarray(np.exp(-ratio * (np.asarray(days) / hazard.scale_days) ** hazard.shape))


def draw_outcome(
    person: Person, rng: np.random.Generator, followed_days: tuple[float, float] = (365.0, 3650.0), null: bool = False
) -> Outcome:
    """Draw when a person dies, and when follow-up ends.

    Parameters
    ----------
    person : Person
        Whose.
    rng : numpy.random.Generator
        Two values are drawn.
    followed_days : (float, float)
        Follow-up ends evenly between these; positive and rising.
    null : bool
        Without any effect.

    Returns
    -------
    Outcome

    Raises
    ------
    ValueError
        Follow-up that is not positive and rising.

    Examples
    --------
    >>> person = Person(64.0, True, Diagnosis.GLIOBLASTOMA, 4, False, Resection.PARTIAL)
    >>> outcome = draw_outcome(person, np.random.default_rng(0))
    >>> outcome.dead, round(outcome.days)
    (True, 227)
    """
    low, high = followed_days
    if not 0 < low <= high:
        raise ValueError(f"expected follow-up of positive, rising days; got {low:g} to {high:g}")
    hazard = NULL if null else HAZARDS[person.diagnosis]
    ratio = 1.0 if null else hazard.ratio(person)
    death = hazard.scale_days * (rng.standard_exponential() / ratio) ** (1.0 / hazard.shape)
    end = rng.uniform(low, high)
    return Outcome(float(min(death, end)), bool(death <= end))
