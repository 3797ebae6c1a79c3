"""``visits.csv``: a table of lesions and visits becomes courses of patients.

Why it exists: criteria want dates, sizes and doses that agree with each other. A table that contradicts itself would
still give a category, so whatever cannot be one course is refused with its row, and what is merely odd is told.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping
from collections.abc import Sequence as Rows
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tumorboard.csv_text import Kept, read_typed
from tumorboard.errors import VisitsError
from tumorboard.respond.table.cells import (
    COLUMNS,
    OF_LESION,
    OF_VISIT,
    REQUIRED,
    SIZES,
    WHERE,
    Row,
    RowReader,
    if_unknown,
    where,
)
from tumorboard.respond.table.checks import refuse_mixed_units, refuse_order, warnings
from tumorboard.respond.visits import Course, Seen, Visit

MAX_BYTES = 50_000_000
"""Largest table that is read."""

_KEPT = Kept(
    WHERE,
    "table of visits",
    VisitsError,
    COLUMNS,
    REQUIRED,
    MAX_BYTES,
    "give a row a lesion and visit",
    if_unknown,
)
_LASTING = ("compartment", "role")


@dataclass(frozen=True)
class Visits:
    """Patients' courses in order of their names, and what was odd or tolerated in reading them."""

    courses: tuple[Course, ...]
    warnings: tuple[str, ...] = ()


def read_visits(path: Path) -> Visits:
    r"""Read a table of visits, one row a lesion and visit.

    Parameters
    ----------
    path : Path
        UTF-8 text separated by commas, semicolons or tabs, with the columns of
        :data:`tumorboard.respond.table.cells.COLUMNS`; ``patient_id``, ``date`` (``YYYY-MM-DD``), ``kind``,
        ``lesion_id``, ``compartment`` and one of ``long_mm`` and ``volume_ml`` are required. Sizes are in mm and mL;
        empty is unknown, 0 is vanished. Facts of a visit that stand in one of its rows hold for all of them, and a
        lesion's compartment and role for all its visits. Order of rows does not matter.

    Returns
    -------
    Visits
        A course a patient, its visits by date and their lesions by name; and warnings, which name rows only.

    Raises
    ------
    VisitsError
        Anything that cannot be read for certain or contradicts itself; the message names the row.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as d:
    ...     table = Path(d) / "visits.csv"
    ...     _ = table.write_text(
    ...         "patient_id,date,kind,lesion_id,compartment,long_mm,perp_mm,clinical\n"
    ...         "P1,2021-03-04,baseline,L1,ce,32,21,\n"
    ...         "P1,2021-05-06,follow-up,L1,ce,20,11,improved\n"
    ...     )
    ...     (course,) = read_visits(table).courses
    >>> [(visit.kind.value, visit.lesions[0].long_mm, visit.clinical) for visit in course.visits]
    [('baseline', 32.0, None), ('followup', 20.0, <Trend.BETTER: 'better'>)]
    """
    typed = read_typed(path, _KEPT)
    if not set(SIZES) & set(typed.columns):
        remedy = "add one (empty where a size is unknown)"
        raise VisitsError(f"a column {' or '.join(SIZES)}", got="neither", where=WHERE, remedy=remedy)
    patients: defaultdict[str, list[Row]] = defaultdict(list)
    reader = RowReader(decimal_comma=typed.delimiter != ",")
    for line, cells in typed.rows:
        row = reader.read(line, cells)
        refuse_mixed_units(row)
        patients[row.patient].append(row)
    if not patients:
        raise VisitsError("rows of visits", got="a header alone", where=WHERE, remedy="give a row a lesion and visit")
    courses = tuple(_course(patient, patients[patient]) for patient in sorted(patients))
    told = warnings([(course, patients[course.patient]) for course in courses])
    return Visits(courses, (*typed.warnings, *told))


def _course(patient: str, rows: Rows[Row]) -> Course:
    lasting = _lasting(rows)
    days: defaultdict[dt.date, list[Row]] = defaultdict(list)
    for row in rows:
        days[row.date].append(row)
    visits = tuple(_visit(day, days[day], lasting) for day in sorted(days))
    refuse_order(visits, [min(row.line for row in days[visit.date]) for visit in visits])
    return Course(patient, visits)


def _lasting(rows: Rows[Row]) -> Mapping[str, Mapping[str, Any]]:
    """Return by lesion what is the same at all its visits."""
    by_lesion: defaultdict[str, list[Row]] = defaultdict(list)
    for row in rows:
        if row.lesion:
            by_lesion[row.lesion].append(row)
    lasting = {lesion: _agreed(its, _LASTING, "the visits of a lesion") for lesion, its in by_lesion.items()}
    for lesion, facts in lasting.items():
        if "compartment" not in facts:
            remedy = "write ce (enhancing) or nce (seen on T2/FLAIR alone)"
            at = where(by_lesion[lesion][0].line)
            raise VisitsError("a compartment of each lesion", got="empty cells", where=at, remedy=remedy)
    return lasting


def _agreed(rows: Rows[Row], columns: Iterable[str], among: str) -> dict[str, Any]:
    """Return the one value each column has in the rows, where it has any."""
    agreed: dict[str, Any] = {}
    for column in columns:
        for row in rows:
            if column in row.said and agreed.setdefault(column, row.said[column]) != row.said[column]:
                remedy = "correct the rows; an empty cell takes the value of the others"
                raise VisitsError(f"one {column} in {among}", got="two", where=where(row.line), remedy=remedy)
    return agreed


def _visit(day: dt.date, rows: Rows[Row], lasting: Mapping[str, Mapping[str, Any]]) -> Visit:
    facts = _agreed(rows, OF_VISIT, "the visit of a day")
    if "kind" not in facts:
        remedy = "write baseline, followup, post_op or post_rt"
        raise VisitsError("a kind of each visit", got="empty cells", where=where(rows[0].line), remedy=remedy)
    seen: dict[str, Seen] = {}
    for row in rows:
        if row.lesion in seen:
            remedy = "give each lesion a lesion_id of its own, or delete the row"
            raise VisitsError("a lesion once a day", got="a second row", where=where(row.line), remedy=remedy)
        if row.lesion:
            told: dict[str, Any] = {
                OF_LESION[column]: value for column, value in row.said.items() if column in OF_LESION
            }
            seen[row.lesion] = Seen(lesion=row.lesion, **{**told, **lasting[row.lesion]})
    return Visit(date=day, lesions=tuple(seen[name] for name in sorted(seen)), **facts)
