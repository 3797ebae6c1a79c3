"""A cohort of digital patients: many people, each with a course, images and an outcome; told by one seed.

Why it exists: recipes are trained and judged on cohorts. Every patient follows from the cohort's seed and its own
number alone, so that it does not matter how many are made at once, in which order, or after which stop.

In this version images depend on neither genotype nor outcome: a classifier of either must find nothing. Survival
depends on age, MGMT and resection, unless the cohort is a null one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from tumorboard.errors import InputError
from tumorboard.simulate.files.tree import (
    EVENT_COLUMNS,
    events_table,
    sessions_file,
    table_text,
    write_descriptions,
    write_subject,
)
from tumorboard.simulate.patient import (
    STUDY_IDS,
    CourseParameters,
    DigitalPatient,
    draw_course,
    imaged,
    study_dates,
    treatment_events,
)
from tumorboard.simulate.person.people import Diagnosis, Person, draw_person
from tumorboard.simulate.person.survival import Outcome, draw_outcome
from tumorboard.store import write_atomic

MOST_PATIENTS = 10_000
SPACINGS_MM = (1.0, 6.0)
POPULATION = "upenn-gbm"

WHOLE_ML = ((0.0, 5.0), (0.05, 12.4), (0.25, 39.9), (0.5, 81.7), (0.75, 125.5), (0.95, 197.2), (1.0, 230.0))
"""Whole tumour by its rank, mL: percentiles of 501 gliomas (UCSF-PDGM radiomic features, voxel volume of the whole
tumour, CC BY 4.0); both ends are chosen."""

CORE_PART = (0.3, 0.45)
"""Core as a part of the whole tumour; chosen."""

COLUMNS = ("participant_id", "age", "sex", "diagnosis", "grade", "idh", "mgmt", "resection", "survival_days", "dead")


@dataclass(frozen=True)
class CohortPlan:
    """What a cohort is; equal plans give equal bytes on one machine.

    Parameters
    ----------
    patients : int
        1 to 10,000.
    seed : int
        At least 0.
    visits : int
        1 to 3: before treatment, ten weeks, twenty-four weeks.
    spacing_mm : float
        1 to 6.
    null : bool
        Survival without any effect.

    Raises
    ------
    InputError
        Outside these ranges.

    Examples
    --------
    >>> CohortPlan(0)
    Traceback (most recent call last):
    tumorboard.errors.InputError: --patients: expected 1 to 10000; got 0. What to do: choose a number within.
    """

    patients: int
    seed: int = 7
    visits: int = len(STUDY_IDS)
    spacing_mm: float = 2.0
    null: bool = False

    def __post_init__(self) -> None:
        for option, value, low, high in (
            ("--patients", self.patients, 1, MOST_PATIENTS),
            ("--visits", self.visits, 1, len(STUDY_IDS)),
            ("--spacing-mm", self.spacing_mm, *SPACINGS_MM),
        ):
            if not low <= value <= high:
                told = f"{low:g} to {high:g}"
                raise InputError(told, got=f"{value:g}", where=option, remedy="choose a number within")

    def label(self, n: int) -> str:
        """Return the BIDS subject label of a patient."""
        return f"digital{n + 1:0{len(str(self.patients))}d}"


@dataclass(frozen=True)
class Member:
    """A patient of a cohort before any image is made."""

    label: str
    person: Person
    outcome: Outcome


def draw_member(plan: CohortPlan, n: int) -> Member:
    """Draw who patient ``n`` is and how long they live.

    Parameters
    ----------
    plan : CohortPlan
        Of which cohort.
    n : int
        From 0.

    Returns
    -------
    Member

    Examples
    --------
    >>> plan = CohortPlan(20)
    >>> draw_member(plan, 3) == draw_member(CohortPlan(20, visits=1), 3), draw_member(plan, 3).label
    (True, 'digital04')
    """
    rng = np.random.default_rng([plan.seed, n, 4])
    person = draw_person(rng, POPULATION, Diagnosis.GLIOBLASTOMA)
    return Member(plan.label(n), person, draw_outcome(person, rng, null=plan.null))


def draw_patient(plan: CohortPlan, n: int) -> DigitalPatient:
    """Draw the course of patient ``n`` and image it.

    Parameters
    ----------
    plan : CohortPlan
        Of which cohort.
    n : int
        From 0.

    Returns
    -------
    DigitalPatient

    Examples
    --------
    >>> patient = draw_patient(CohortPlan(3, visits=1, spacing_mm=6.0), 1)
    >>> [study.id for study in patient.studies]
    ['ses-01']
    """
    rng = np.random.default_rng([plan.seed, n, 5])
    ranks, volumes = (np.array(v) for v in zip(*WHOLE_ML, strict=True))
    whole = float(np.interp(rng.random(), ranks, volumes))
    core = whole * float(rng.uniform(*CORE_PART))
    course = draw_course(rng, plan.spacing_mm, CourseParameters(core_ml=(core, core), whole_ml=(whole, whole)))
    return imaged(plan.seed, course, rng, plan.visits)


def write_cohort(plan: CohortPlan, folder: Path, workers: int = 1) -> Iterator[int]:
    """Write a cohort as a BIDS tree; patients that are whole already are kept.

    Parameters
    ----------
    plan : CohortPlan
        What.
    folder : Path
        Root of the tree; made if absent. ``participants.tsv`` holds people and outcomes, ``events.csv`` treatment,
        ``derivatives/truth`` the label maps.
    workers : int
        Processes; the bytes do not depend on it.

    Yields
    ------
    int
        How many patients are whole: at first, and after each that is made.

    Raises
    ------
    OutputError
        The folder cannot be written; what is written stays, and the same call goes on.
    """
    members = [draw_member(plan, n) for n in range(plan.patients)]
    write_descriptions(folder, f"Digital cohort{' (null)' if plan.null else ''}", plan.seed)
    write_atomic(folder / "participants.tsv", participants(members))
    left = [n for n, m in enumerate(members) if not sessions_file(folder, m.label).exists()]
    write_atomic(folder / "events.csv", _events(plan, members))
    yield plan.patients - len(left)
    for made, _ in enumerate(_written(plan, folder, left, workers), 1):
        yield plan.patients - len(left) + made


def participants(members: Iterable[Member]) -> str:
    """Return ``participants.tsv``: who they are, and how long they lived.

    Parameters
    ----------
    members : iterable of Member
        In the order of the rows.

    Returns
    -------
    str
        Tab-separated, with a header.

    Examples
    --------
    >>> participants([]).split()[:2]
    ['participant_id', 'age']
    """
    return table_text(COLUMNS, (_row(m) for m in members), "\t")


def _row(member: Member) -> tuple[object, ...]:
    person, outcome = member.person, member.outcome
    return (
        f"sub-{member.label}",
        f"{person.age_years:.1f}",
        "M" if person.male else "F",
        person.diagnosis.value,
        person.grade,
        "mutant" if person.idh_mutant else "wildtype",
        "methylated" if person.mgmt_methylated else "unmethylated",
        person.resection.value,
        f"{outcome.days:.0f}",
        int(outcome.dead),
    )


def _written(plan: CohortPlan, folder: Path, left: list[int], workers: int) -> Iterator[None]:
    if workers <= 1 or len(left) <= 1:
        for n in left:
            _write_one(plan, n, folder)
            yield
        return
    # spawned, not forked: libraries hold threads that a fork would lose
    with ProcessPoolExecutor(min(workers, len(left)), mp_context=get_context("spawn")) as pool:
        for made in as_completed([pool.submit(_write_one, plan, n, folder) for n in left]):
            made.result()
            yield


def _write_one(plan: CohortPlan, n: int, folder: Path) -> None:
    write_subject(draw_patient(plan, n), folder, plan.label(n))


def _events(plan: CohortPlan, members: list[Member]) -> str:
    """Return the events of everybody; treatment is the same for all, up to the last visit."""
    last = study_dates()[plan.visits - 1]
    happened = [event for event in treatment_events() if event.date <= last]
    rows = [events_table(happened, m.label).partition("\n")[2] for m in members]
    return ",".join(EVENT_COLUMNS) + "\n" + "".join(rows)
