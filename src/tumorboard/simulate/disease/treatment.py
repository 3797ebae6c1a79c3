"""What happens to a digital patient over time, in numbers: surgery, radiotherapy, drugs, and what the tumour does.

Why it exists: response criteria are judged on courses whose true progression is known, with the things that deceive
them: blood after surgery, pseudoprogression, pseudoresponse, radiation necrosis. Chances are as usually quoted and
**unverified**; speeds are chosen. Nothing here may be applied to people.

Sources: Stupp R, N Engl J Med 2005;352:987 (treatment); Brandes AA, J Clin Oncol 2008;26:2192 (pseudoprogression by
MGMT); Brandsma D, Lancet Oncol 2008;9:453 (pseudoprogression and pseudoresponse).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from tumorboard.errors import InputError
from tumorboard.simulate.person.people import Person, Resection
from tumorboard.simulate.person.survival import Outcome

SURGERY_DAY, RADIOTHERAPY_DAYS = 4, (32, 74)
FIRST_VISITS = (0, 5, 100)
EVERY_DAYS = 70
"""Studies: before surgery, a day after it, four weeks after radiotherapy, then every ten weeks."""

REMOVED: dict[Resection, tuple[float, float]] = {
    Resection.GROSS: (0.97, 1.0),
    Resection.PARTIAL: (0.55, 0.9),
    Resection.BIOPSY: (0.0, 0.0),
}
"""Part of the core that surgery removes (chosen)."""

PSEUDO_CHANCE = {True: 0.35, False: 0.15}
"""Chance of pseudoprogression by MGMT methylation."""

BEVACIZUMAB_CHANCE, IMMUNOTHERAPY_CHANCE = 0.4, 0.12
"""Chance of each treatment of a progression (chosen)."""


class Truth(StrEnum):
    """What a visit really shows."""

    BASELINE = "baseline"
    POSTOPERATIVE = "post-operative"
    RESPONSE = "response"
    STABLE = "stable"
    PROGRESSION = "progression"
    PSEUDOPROGRESSION = "pseudoprogression"
    PSEUDORESPONSE = "pseudoresponse"
    RADIONECROSIS = "radiation necrosis"


@dataclass(frozen=True)
class Plan:
    """When what happens to a patient with a glioma; days from the first study, ``None`` for never.

    Parameters
    ----------
    removed : float
        Part of the core that surgery removes.
    progression : float
        True progression.
    pseudo : bool
        Whether radiotherapy is followed by pseudoprogression.
    bevacizumab, immunotherapy : float or None
        Start.
    shrinks : float
        Part of the residual tumour that is left after radiotherapy.
    doubling : float
        Days in which tumour that grows doubles.
    """

    removed: float
    progression: float
    pseudo: bool
    bevacizumab: float | None
    immunotherapy: float | None
    shrinks: float
    doubling: float


@dataclass(frozen=True)
class Visit:
    """What is there at one study.

    Parameters
    ----------
    day : int
        From the first study.
    truth : Truth
        What it really shows.
    core : float
        Volume of what is called core (tumour, or what imitates it), as a part of the first study's.
    oedema : float
        Volume of oedema as a part of the first study's.
    gd : float
        Factor of contrast agent.
    cavity : float
        Size of the cavity, 0 to 1.
    blood : bool
        Fresh blood at its wall.
    mass : float
        Displacement as a part of the first study's.
    steroid_mg, kps : float
        Dexamethasone per day, and Karnofsky index.
    treated : float
        Part of the core that treatment brought about, 0 to 1: inflamed tissue that imitates tumour.

    Raises
    ------
    InputError
        A negative dose, volume or day, or an index outside 0 to 100.
    """

    day: int
    truth: Truth
    core: float
    oedema: float
    gd: float = 1.0
    cavity: float = 0.0
    blood: bool = False
    mass: float = 1.0
    steroid_mg: float = 0.0
    kps: int = 90
    treated: float = 0.0

    def __post_init__(self) -> None:
        names = ("day", "core", "oedema", "gd", "cavity", "mass", "steroid_mg")
        for name, most in (*((n, np.inf) for n in names), ("kps", 100), ("treated", 1)):
            value = getattr(self, name)
            if not 0 <= value <= most:
                told = "at least 0" if most == np.inf else f"0 to {most:g}"
                raise InputError(told, got=f"{value:g}", where=f"visit: {name}", remedy="choose a value within")


def draw_plan(person: Person, outcome: Outcome, rng: np.random.Generator) -> Plan:
    """Draw what will happen.

    Parameters
    ----------
    person : Person
        Gives extent of resection and MGMT.
    outcome : Outcome
        Progression comes before death.
    rng : numpy.random.Generator
        Source; always the same number of draws.

    Returns
    -------
    Plan

    Examples
    --------
    >>> from tumorboard.simulate.person.people import draw_person
    >>> person = draw_person(np.random.default_rng(0), "upenn-gbm")
    >>> plan = draw_plan(person, Outcome(400.0, True), np.random.default_rng(0))
    >>> 60 < plan.progression < 400
    True
    """
    u = rng.random(7)
    low, high = REMOVED[person.resection]
    ends = outcome.days if outcome.dead else 1.4 * outcome.days
    progression = max(75.0, ends * (0.35 + 0.4 * u[0]))
    after = float(progression + 30.0)
    return Plan(
        removed=float(low + (high - low) * u[1]),
        progression=float(progression),
        pseudo=bool(u[2] < PSEUDO_CHANCE[person.mgmt_methylated] and progression > 190),
        bevacizumab=after if u[3] < BEVACIZUMAB_CHANCE else None,
        immunotherapy=after if u[3] > 1 - IMMUNOTHERAPY_CHANCE else None,
        shrinks=float(0.45 + 0.45 * u[4]),
        doubling=float(30.0 + 50.0 * u[5]),
    )


def visit_days(visits: int) -> tuple[int, ...]:
    """Return the days of so many studies.

    Examples
    --------
    >>> visit_days(5)
    (0, 5, 100, 170, 240)
    """
    later = (FIRST_VISITS[-1] + EVERY_DAYS * n for n in range(1, max(1, visits - 2)))
    return (*FIRST_VISITS, *later)[:visits]


def visit(plan: Plan, day: int) -> Visit:
    """Return what is there on a day.

    Parameters
    ----------
    plan : Plan
        Whose.
    day : int
        From the first study, at least 0.

    Returns
    -------
    Visit

    Raises
    ------
    InputError
        A day before the first study.

    Examples
    --------
    >>> plan = Plan(1.0, 300.0, True, None, None, 0.6, 40.0)
    >>> [visit(plan, day).truth.value for day in (0, 5, 100, 240, 380)]
    ['baseline', 'post-operative', 'pseudoprogression', 'stable', 'progression']
    """
    if day < SURGERY_DAY:
        return Visit(day, Truth.BASELINE, 1.0, 1.0, steroid_mg=8.0)
    left = 1.0 - plan.removed
    cavity = (1.0 if day < 30 else 0.75) * (plan.removed > 0)
    relief = max(0.25, left)
    if day < RADIOTHERAPY_DAYS[1]:
        return Visit(day, Truth.POSTOPERATIVE, left, 0.85, 1.0, cavity, day < 15, relief, 6.0, 80)
    return _followed(plan, day, left, cavity, relief)


def _followed(plan: Plan, day: int, left: float, cavity: float, relief: float) -> Visit:
    """Return what is there after radiotherapy: what is left, what imitates tumour, and what grows again."""
    settled = left * plan.shrinks
    pseudo = 0.35 * max(0.0, 1.0 - (day - 100) / 110.0) if plan.pseudo else 0.0
    grown = 0.0
    if day > plan.progression:
        doublings = min((day - plan.progression) / plan.doubling, 5.0)
        grown = min(0.03 * 2.0**doublings + 0.25 * (1 - np.exp(-doublings)) + 0.12, 1.3)
    flare = 0.0
    if plan.immunotherapy is not None and day >= plan.immunotherapy:
        flare = 0.4 * np.exp(-(((day - plan.immunotherapy - 60) / 50.0) ** 2))
    bevacizumab = plan.bevacizumab is not None and day >= plan.bevacizumab
    core = settled + pseudo + grown + flare
    oedema = 0.4 + 0.9 * pseudo + 0.7 * grown + 0.8 * flare
    truth = _told(plan, day, pseudo, flare, bevacizumab)
    worse = truth in (Truth.PROGRESSION, Truth.PSEUDORESPONSE)
    return Visit(
        day=day,
        truth=truth,
        core=min(core * (0.45 if bevacizumab else 1.0), 1.35),
        oedema=min(oedema * (0.85 if bevacizumab else 1.0), 1.4),
        gd=0.45 if bevacizumab else 1.0,
        cavity=cavity,
        mass=max(relief, min(1.0, core)),
        steroid_mg=(2.0 if bevacizumab else 6.0) if worse else 2.0 * (pseudo > 0.05),
        kps=60 if worse and day > plan.progression + 60 else 80 if worse else 90,
        treated=(pseudo + flare) / core if core > 0 else 0.0,
    )


def _told(plan: Plan, day: int, pseudo: float, flare: float, bevacizumab: bool) -> Truth:
    if day > plan.progression:
        if bevacizumab:
            return Truth.PSEUDORESPONSE
        return Truth.PSEUDOPROGRESSION if flare > 0.25 else Truth.PROGRESSION
    if pseudo > 0.05:
        return Truth.PSEUDOPROGRESSION
    return Truth.RESPONSE if day < 140 and plan.shrinks < 0.65 else Truth.STABLE
