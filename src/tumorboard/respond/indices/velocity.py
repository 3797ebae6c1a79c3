"""Brain metastasis velocity: how many new metastases a year since the first radiosurgery.

Why it exists: it can be computed from the course that a case folder holds. Its classes were made at the first distant
failure after radiosurgery without whole-brain radiotherapy, so that is the day it is computed for, unless told
otherwise; a velocity at another day is a number whose class was not studied.

Source: Farris M et al., Int J Radiat Oncol Biol Phys 2017;98:131-141 (abstract); see ``bmv.toml``.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from functools import cache

from pydantic import field_validator

from tumorboard.respond.indices.base import Group, IndexResult, Table, check_limits, check_months, read_facts, told
from tumorboard.respond.indices.tables import HERE, shipped
from tumorboard.respond.visits import Course
from tumorboard.settings import read_model
from tumorboard.study import Event, EventKind

DAYS_A_YEAR = 365.25
STEREOTACTIC = ("srs", "radiosurgery", "stereotactic", "gamma knife", "gammaknife", "cyberknife")
"""Words by which an event of radiotherapy is known as radiosurgery (chosen)."""


class VelocityTable(Table):
    """The classes of a velocity."""

    groups: tuple[Group, ...]

    @field_validator("groups")
    @classmethod
    def _rising(cls, groups: tuple[Group, ...]) -> tuple[Group, ...]:
        check_limits(groups, "groups")
        return groups


@cache
def velocity_table() -> VelocityTable:
    """Return the table of the index."""
    return read_model(HERE / "bmv.toml", VelocityTable, "a table of the index")


def velocity(new_metastases: object, years: object, *, months: bool = False, digital: bool = False) -> IndexResult:
    """Divide the new metastases by the years since the first radiosurgery.

    Parameters
    ----------
    new_metastases : int or None
        Since the first radiosurgery, all together.
    years : float or None
        Since then.
    months : bool
        Tell the median survival of the class too.
    digital : bool
        The patient is simulated; months are then refused.

    Returns
    -------
    IndexResult
        Per year; not assessable on the day of the radiosurgery itself. Without any new metastasis the velocity is 0
        and has no months, for the source had no such patients.

    Raises
    ------
    InputError
        A negative or broken count, a time that cannot be, or months of a digital patient.

    Examples
    --------
    >>> r = velocity(3, 0.5)
    >>> r.value, r.group
    (6.0, '4-13')
    """
    check_months(months, digital)
    table = velocity_table()
    factors = {name: shipped().factors[name] for name in ("new_metastases", "years")}
    facts = read_facts(factors, {"new_metastases": new_metastases, "years": years})
    count, time = facts["new_metastases"], facts["years"]
    value = count / time if isinstance(count, float) and isinstance(time, float) and time > 0 else None
    group = None if value is None else next(g for g in table.groups if g.holds(value))
    missing = tuple(name for name, fact in facts.items() if fact is None)
    told_months = group.months if group is not None and months and count else None
    shown = "; ".join(factors[name].shown(fact) for name, fact in facts.items())
    if group is not None:
        text = f"{table.title}: {value:.3g} a year, {group.label}, class {group.name} ({shown})."
    else:
        text = f"{table.title} not assessable: {'a fact is missing' if missing else 'no time has passed'} ({shown})."
    return IndexResult(
        index=table.id,
        title=table.title,
        value=value,
        unit="/a",
        group=None if group is None else group.name,
        facts=facts,
        points={},
        missing=missing,
        possible=None if value is None else (value, value),
        possible_groups=tuple(g.name for g in table.groups) if group is None else (group.name,),
        months=told_months,
        source=table.source,
        version=table.version,
        unverified=table.doubts(months),
        sentence=told(table, text, told_months, months),
    )


def first_radiosurgery(events: Iterable[Event]) -> dt.date | None:
    """Return the day of the first radiosurgery among events.

    Parameters
    ----------
    events : iterable of Event
        Radiotherapy whose value or detail says radiosurgery, stereotactic or SRS counts; other radiotherapy does not.

    Returns
    -------
    date or None
        ``None`` where there is none.

    Examples
    --------
    >>> whole = Event(dt.date(2020, 1, 7), EventKind.RADIOTHERAPY, detail="whole brain")
    >>> srs = Event(dt.date(2021, 3, 4), EventKind.RADIOTHERAPY, detail="SRS 20 Gy")
    >>> first_radiosurgery([srs, whole])
    datetime.date(2021, 3, 4)
    """
    days = [
        e.date
        for e in events
        if e.kind is EventKind.RADIOTHERAPY and any(w in f"{e.value} {e.detail}".lower() for w in STEREOTACTIC)
    ]
    return min(days, default=None)


def velocity_of_course(
    course: Course,
    since: dt.date | None,
    *,
    at: dt.date | None = None,
    months: bool = False,
    digital: bool = False,
) -> IndexResult:
    """Compute the velocity from a patient's visits.

    Parameters
    ----------
    course : Course
        Its lesions that are marked new after ``since`` are counted, each once, at its first such visit.
    since : date or None
        Day of the first radiosurgery, see :func:`first_radiosurgery`.
    at : date or None
        Day to compute it for; ``None``: that of the first visit with a new lesion, else of the last visit.
    months, digital : bool
        As in :func:`velocity`.

    Returns
    -------
    IndexResult
        Not assessable without a radiosurgery, or without a visit that could be read after it.

    Raises
    ------
    InputError
        Months of a digital patient.

    Examples
    --------
    >>> from tumorboard.respond.visits import Compartment, Kind, Seen, Visit
    >>> lesions = tuple(Seen(name, Compartment.CE, new=True) for name in ("a", "b"))
    >>> course = Course("P01", (Visit(dt.date(2021, 4, 3), Kind.FOLLOWUP, lesions),))
    >>> velocity_of_course(course, dt.date(2021, 1, 1)).group
    '4-13'
    """
    if since is None:
        return velocity(None, None, months=months, digital=digital)
    visits = [v for v in course.visits if v.evaluable and v.date > since and (at is None or v.date <= at)]
    first: dict[str, dt.date] = {}
    for visit in visits:
        for lesion in visit.lesions:
            if lesion.new:
                first.setdefault(lesion.lesion, visit.date)
    if not visits:
        return velocity(None, None, months=months, digital=digital)
    day = at or min(first.values(), default=visits[-1].date)
    count = sum(seen <= day for seen in first.values())
    return velocity(count, (day - since).days / DAYS_A_YEAR, months=months, digital=digital)
