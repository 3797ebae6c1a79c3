"""Courses judged by criteria: verdicts, times to progression, and what could not be run.

Why it exists: the one door through which the command, the chain, the laboratory and tests reach the engine.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from tumorboard.respond.criterion import CRITERIA, UNITS, Criterion, read_criterion
from tumorboard.respond.engine.chance import Chances, Errors
from tumorboard.respond.engine.raw import CriterionNotRun, Raw, raw_categories
from tumorboard.respond.engine.settle import Settled, settle
from tumorboard.respond.engine.words import sentence
from tumorboard.respond.times import time_to_progression
from tumorboard.respond.visits import Course
from tumorboard.verdict import Category, TimeToProgression, Verdict


@dataclass(frozen=True)
class Judging:
    """How courses are judged.

    Parameters
    ----------
    errors : Errors
        Of measurement, for probabilities.
    imaging_only : bool
        Images stand for all: missing facts are not asked for, known ones are left out. For cohorts without clinical
        data; never for a patient's care.
    """

    errors: Errors = field(default_factory=Errors)
    imaging_only: bool = False


@dataclass(frozen=True)
class NotRun:
    """A criterion that was not run on a patient, and why."""

    patient: str
    criterion: str
    reason: str


@dataclass(frozen=True)
class Judged:
    """Everything that was judged, in the order of patients, dates and criteria."""

    verdicts: tuple[Verdict, ...]
    times: tuple[TimeToProgression, ...]
    not_run: tuple[NotRun, ...]


def judge(course: Course, criterion: Criterion, how: Judging | None = None) -> list[Verdict]:
    """Judge one patient's course by one criterion.

    Parameters
    ----------
    course : Course
        Visits in order of date.
    criterion : Criterion
        From :func:`tumorboard.respond.read_criterion`.
    how : Judging, optional
        Errors of measurement; whether facts are needed.

    Returns
    -------
    list of Verdict
        One a visit, in order of date.

    Raises
    ------
    CriterionNotRun
        The criterion needs a value that nobody could verify and the user did not give.

    Examples
    --------
    >>> import datetime as dt
    >>> from tumorboard.respond.visits import Compartment, Kind, Seen, Trend, Visit
    >>> def visit(day, kind, mm):
    ...     lesion = Seen("A", Compartment.CE, mm, mm)
    ...     date = dt.date(2020, 1, 1) + dt.timedelta(days=day)
    ...     return Visit(date, kind, (lesion,), Trend.STABLE, Trend.STABLE, 0.0)
    >>> course = Course("P1", (visit(0, Kind.BASELINE, 20.0), visit(60, Kind.FOLLOWUP, 24.0)))
    >>> [(v.raw.value, v.rule) for v in judge(course, read_criterion("rano-hgg"))]
    [('BL', 'bl'), ('PD', 'pd.sum')]
    """
    how = how or Judging()
    raws = raw_categories(course, criterion)
    settled = settle(raws, criterion, needs_facts=not how.imaging_only)
    chances = Chances(criterion, how.errors)
    return [
        _verdict(course.patient, criterion, raw, s, chances.of(raw), not how.imaging_only)
        for raw, s in zip(raws, settled, strict=True)
    ]


def _verdict(
    patient: str,
    criterion: Criterion,
    raw: Raw,
    settled: Settled,
    chances: dict[Category, float],
    needs_facts: bool,
) -> Verdict:
    finding = raw.finding
    response = raw.category in (Category.CR, Category.CRU, Category.PR, Category.MR)
    reference = raw.baseline_date if finding is None or response else finding.nadir_date
    if raw.category is Category.BL:
        reference = None
    return Verdict(
        patient=patient,
        date=raw.visit.date,
        criterion=criterion.id,
        raw=raw.category,
        category=settled.category,
        confirmed=settled.confirmed,
        imaging_only=raw.images,
        total=None if finding is None else finding.total,
        unit=UNITS[criterion.measure],
        reference=reference,
        rule=raw.rule,
        reason=sentence(raw, settled, criterion, chances, needs_facts),
        probabilities=chances,
    )


def judge_all(
    courses: Iterable[Course], criteria: Iterable[Criterion] | None = None, how: Judging | None = None
) -> Judged:
    """Judge many courses by many criteria.

    Parameters
    ----------
    courses : iterable of Course
        Patients.
    criteria : iterable of Criterion, optional
        All of the field by default.
    how : Judging, optional
        As for :func:`judge`.

    Returns
    -------
    Judged

    Examples
    --------
    >>> import datetime as dt
    >>> from tumorboard.respond.visits import Compartment, Kind, Seen, Visit
    >>> three = tuple(Seen(name, Compartment.CE, 20.0, 20.0) for name in "ABC")
    >>> course = Course("P1", (Visit(dt.date(2020, 1, 1), Kind.BASELINE, three),))
    >>> judged = judge_all([course], [read_criterion("macdonald"), read_criterion("rano-2.0")])
    >>> [v.total for v in judged.verdicts], [n.criterion for n in judged.not_run]
    ([1200.0], ['rano-2.0'])
    """
    chosen = tuple(criteria) if criteria is not None else tuple(read_criterion(name) for name in CRITERIA)
    verdicts: list[Verdict] = []
    times: list[TimeToProgression] = []
    left: list[NotRun] = []
    for course in courses:
        mine: list[Verdict] = []
        for criterion in chosen:
            try:
                found = judge(course, criterion, how)
            except CriterionNotRun as error:
                left.append(NotRun(course.patient, criterion.id, str(error)))
                continue
            mine += found
            times += _times(course, found)
        verdicts += sorted(mine, key=lambda v: v.date)
    return Judged(tuple(verdicts), tuple(times), tuple(left))


def _times(course: Course, found: list[Verdict]) -> Iterator[TimeToProgression]:
    time = time_to_progression(course, found)
    if time is not None:
        yield time
