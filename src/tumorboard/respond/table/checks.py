"""What cannot be one course, and what is odd in one.

Why it exists: a decimal point in the wrong place, a unit changed half-way or a date of the wrong year makes a response
or a progression that nobody had. What is surely wrong is refused; what may be right is told with its rows.
"""

from __future__ import annotations

import datetime as dt
import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from collections.abc import Sequence as Rows
from itertools import pairwise
from typing import NamedTuple

from tumorboard.errors import VisitsError
from tumorboard.respond.table.cells import WHERE, Row, where
from tumorboard.respond.visits import REFERENCES, Course, Kind, Status, Visit

MAX_UNIT_FACTOR = 300.0
"""A volume beyond this factor of the ellipsoid of its diameters is in another unit (mm³ for mL, cm for mm: 1000)."""

MAX_YEARS = 60
"""Longest course of a patient; beyond it a year is mistyped."""

SMALLEST_IN_MM = 10.0
"""A table whose largest diameter is smaller, and that has no volume to compare, may be in cm."""

JUMPS = {"long_mm": 8.0, "volume_ml": 300.0}
"""Factors between two visits of a lesion that are likelier a change of unit than of the lesion."""


class Told(NamedTuple):
    """A patient as the warnings see it: the course, and rows by date and lesion."""

    course: Course
    rows: Rows[Row]
    lesions: Rows[Rows[Row]]
    kinds: dict[dt.date, Kind]


def ellipsoid_ml(long_mm: float, perp_mm: float) -> float:
    """Return the volume of an ellipsoid whose third diameter is the mean of the two, in mL.

    Examples
    --------
    >>> round(ellipsoid_ml(20.0, 20.0), 2)
    4.19
    """
    return math.pi / 6 * long_mm * perp_mm * (long_mm + perp_mm) / 2 / 1000


def refuse_mixed_units(row: Row) -> None:
    """Refuse a row whose volume and diameters cannot belong to one lesion.

    Raises
    ------
    VisitsError
        They differ by more than :data:`MAX_UNIT_FACTOR`.
    """
    long_mm, perp_mm, volume_ml = (row.number(column) for column in ("long_mm", "perp_mm", "volume_ml"))
    if not long_mm or not perp_mm or not volume_ml:
        return
    expected_ml = ellipsoid_ml(long_mm, perp_mm)
    if not expected_ml / MAX_UNIT_FACTOR <= volume_ml <= expected_ml * MAX_UNIT_FACTOR:
        expected = "diameters in mm and a volume in mL of one size"
        got = f"a volume far from what the diameters make (over {MAX_UNIT_FACTOR:g}-fold)"
        remedy = "if the diameters are in cm, multiply by 10; if the volume is in mm3, divide by 1000"
        raise VisitsError(expected, got=got, where=where(row.line), remedy=remedy)


def refuse_order(visits: Rows[Visit], lines: Rows[int]) -> None:
    """Refuse visits that cannot be one course.

    Parameters
    ----------
    visits : sequence of Visit
        By date, at least one.
    lines : sequence of int
        First row of each, for messages.

    Raises
    ------
    VisitsError
        No reference visit, a follow-up before it, a baseline after follow-ups, or visits too far apart.
    """
    kinds = [visit.kind for visit in visits]
    if not set(kinds) & set(REFERENCES):
        remedy = "name the visit that the others are compared with baseline"
        got = "follow-ups alone"
        raise VisitsError("a visit of kind baseline, post_op or post_rt", got=got, where=where(lines[0]), remedy=remedy)
    if kinds[0] is Kind.FOLLOWUP:
        remedy = "check the dates and kinds of this patient"
        got = "a follow-up dated before it"
        raise VisitsError("follow-ups after the baseline", got=got, where=where(lines[0]), remedy=remedy)
    first = kinds.index(Kind.FOLLOWUP) if Kind.FOLLOWUP in kinds else len(kinds)
    if Kind.BASELINE in kinds[first:]:
        remedy = "give the new course a patient_id of its own, or check the date"
        at = where(lines[kinds.index(Kind.BASELINE, first)])
        raise VisitsError("the baseline before all follow-ups", got="a baseline after one", where=at, remedy=remedy)
    if (visits[-1].date - visits[0].date).days > MAX_YEARS * 365.25:
        at, remedy = f"{WHERE} rows {lines[0]} and {lines[-1]}", "check the years"
        raise VisitsError(f"a course of at most {MAX_YEARS} years", got="a longer one", where=at, remedy=remedy)


def warnings(patients: Iterable[tuple[Course, Rows[Row]]]) -> tuple[str, ...]:
    """Return what is odd in the courses, a sentence a kind of oddity with its rows.

    Parameters
    ----------
    patients : iterable of (Course, sequence of Row)
        Courses and the rows they were made of.

    Returns
    -------
    tuple of str
        Without any name or date.
    """
    told = [_told(course, rows) for course, rows in patients]
    found = []
    for sentence, odd in _ODD:
        lines = sorted(line for one in told for line in odd(one))
        if lines:
            rows = f"{len(lines)} rows, the first is row {lines[0]}" if len(lines) > 1 else f"row {lines[0]}"
            found.append(f"{sentence} ({rows})")
    return (*found, *_all_small([row for one in told for row in one.rows]))


def _told(course: Course, rows: Rows[Row]) -> Told:
    by_date = sorted(rows, key=lambda row: (row.date, row.line))
    lesions: defaultdict[str, list[Row]] = defaultdict(list)
    for row in by_date:
        if row.lesion:
            lesions[row.lesion].append(row)
    return Told(course, by_date, list(lesions.values()), {visit.date: visit.kind for visit in course.visits})


def _swapped(told: Told) -> Iterator[int]:
    for row in told.rows:
        long_mm, perp_mm = row.number("long_mm"), row.number("perp_mm")
        if long_mm is not None and perp_mm is not None and perp_mm > long_mm:
            yield row.line


def _half_vanished(told: Told) -> Iterator[int]:
    for row in told.rows:
        sizes = [row.number("long_mm"), row.number("volume_ml")]
        if None not in sizes and bool(sizes[0]) != bool(sizes[1]):
            yield row.line


def _thickness(told: Told) -> Iterator[int]:
    for rows in told.lesions:
        known = [row for row in rows if row.number("slice_mm") is not None]
        yield from (b.line for a, b in pairwise(known) if a.number("slice_mm") != b.number("slice_mm"))


def _jumps(column: str) -> Callable[[Told], Iterator[int]]:
    """Return what finds rows where a size changes by a factor that a unit would."""

    def found(told: Told) -> Iterator[int]:
        for rows in told.lesions:
            known = [(row.line, size) for row in rows if (size := row.number(column))]
            yield from (line for (_, a), (line, b) in pairwise(known) if max(a, b) >= JUMPS[column] * min(a, b))

    return found


def _new_at_baseline(told: Told) -> Iterator[int]:
    first = told.course.visits[0].date
    for row in told.rows:
        if row.said.get("new_lesion") and (row.date == first or told.kinds[row.date] is Kind.BASELINE):
            yield row.line


def _new_again(told: Told) -> Iterator[int]:
    for rows in told.lesions:
        first = _appeared(rows)
        yield from (row.line for row in rows if row.said.get("new_lesion") and row is not first)


def _new_unmarked(told: Told) -> Iterator[int]:
    for rows in told.lesions:
        first = _appeared(rows)
        if told.kinds[first.date] is Kind.FOLLOWUP and not any(row.said.get("new_lesion") for row in rows):
            yield first.line


def _appeared(rows: Rows[Row]) -> Row:
    """Return the row of a lesion at which it is there for the first time; its first one where it never is."""
    return next((row for row in rows if not _gone(row)), rows[0])


def _gone(row: Row) -> bool:
    sizes = [size for column in ("long_mm", "volume_ml") if (size := row.number(column)) is not None]
    return not any(sizes) if sizes else row.said.get("nontarget_status") is Status.ABSENT


def _after_all(column: str) -> Callable[[Told], Iterator[int]]:
    """Return what finds rows whose day in the column is after the last visit."""

    def found(told: Told) -> Iterator[int]:
        last = told.course.visits[-1].date
        for row in told.rows:
            day = row.said.get(column)
            if isinstance(day, dt.date) and day > last:
                yield row.line

    return found


def _dose_missing(told: Told) -> Iterator[int]:
    visits = [visit for visit in told.course.visits if visit.evaluable]
    without = {visit.date for visit in visits if visit.dexamethasone_mg is None}
    if 0 < len(without) < len(visits):
        firsts = {row.date: row.line for row in reversed(told.rows)}
        yield from (firsts[day] for day in without)


_ODD: tuple[tuple[str, Callable[[Told], Iterator[int]]], ...] = (
    ("perp_mm is larger than long_mm: are they swapped?", _swapped),
    ("a lesion has vanished by long_mm or by volume_ml, but not by both", _half_vanished),
    ("slice_mm is not that of the lesion's visit before: what is measurable may change", _thickness),
    (f"long_mm changes {JUMPS['long_mm']:g}-fold or more between two visits: is one in cm?", _jumps("long_mm")),
    (f"volume_ml changes {JUMPS['volume_ml']:g}-fold or more between two visits: is one in mm3?", _jumps("volume_ml")),
    ("new_lesion is 1 at a baseline, where no lesion is new", _new_at_baseline),
    ("new_lesion is 1 at a visit that is not the lesion's first", _new_again),
    ("a lesion appears at a follow-up without new_lesion: is it new?", _new_unmarked),
    ("rt_end is after all visits of the patient", _after_all("rt_end")),
    ("drug_start is after all visits of the patient", _after_all("drug_start")),
    ("dexamethasone_mg is empty at visits of a patient who has it at others; 0 means none", _dose_missing),
)
"""Warnings: the sentence, and what finds its rows in one patient."""


def _all_small(rows: Rows[Row]) -> tuple[str, ...]:
    """Return a warning where all diameters may be in cm."""
    longest = [size for row in rows if (size := row.number("long_mm"))]
    if not longest or max(longest) >= SMALLEST_IN_MM or any(row.number("volume_ml") for row in rows):
        return ()
    return (f"no long_mm of the table reaches {SMALLEST_IN_MM:g}: are the diameters in cm?",)
