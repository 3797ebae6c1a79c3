"""Writing of ``verdicts.csv``, ``ttp.csv`` and ``visits.csv``.

Why it exists: a spreadsheet is where many readers go on working. What is unknown is an empty cell, never a 0; and the
visits that a case folder gave can be seen, corrected and judged again.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from collections.abc import Sequence as Cells
from pathlib import Path

from tumorboard.csv_text import table_text
from tumorboard.respond.table.cells import COLUMNS, OF_LESION, OF_VISIT
from tumorboard.respond.visits import Course, Seen, Visit
from tumorboard.store import write_atomic
from tumorboard.verdict import TimeToProgression, Verdict

VERDICT_COLUMNS = (
    *("patient_id", "date", "criterion", "raw_category", "category", "confirmed", "imaging_only", "probability", "sum"),
    *("reference", "rule", "reason"),
)
TIME_COLUMNS = ("patient_id", "criterion", "start", "progression_date", "days", "event")

_MEASURABLE = {True: "yes", False: "no", None: "auto"}


def write_verdicts(path: Path, verdicts: Iterable[Verdict]) -> None:
    """Write ``verdicts.csv``, one row a patient, visit and criterion.

    Parameters
    ----------
    path : Path
        File to write, atomically.
    verdicts : iterable of Verdict
        Written by patient and date; criteria of one visit stay in their order. Sums are in the unit that the reason
        names, with 4 decimals (small ones with 4 digits); probabilities have 3.

    Raises
    ------
    OutputError
        The file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from tumorboard.verdict import Category, Confirmed
    >>> day = dt.date(2021, 3, 4)
    >>> verdict = Verdict("P1", day, "rano-hgg", Category.SD, Category.NE, Confirmed.NOT_REQUIRED, Category.SD,
    ...                   441.25, "mm2", day, "sd", "no dose", {Category.SD: 0.9184, Category.PD: 0.0816})
    >>> with tempfile.TemporaryDirectory() as d:
    ...     write_verdicts(Path(d) / "verdicts.csv", [verdict])
    ...     (Path(d) / "verdicts.csv").read_text().splitlines()[1]
    'P1,2021-03-04,rano-hgg,SD,NE,not_required,SD,0.918,441.25,2021-03-04,sd,no dose'
    """
    rows = (
        (
            *(v.patient, v.date, v.criterion, v.raw, v.category, v.confirmed, v.imaging_only),
            *("" if v.probability is None else f"{v.probability:.3f}", _rounded(v.total), v.reference),
            *(v.rule, v.reason),
        )
        for v in sorted(verdicts, key=lambda v: (v.patient, v.date))
    )
    write_atomic(path, _csv(VERDICT_COLUMNS, rows))


def write_times(path: Path, times: Iterable[TimeToProgression]) -> None:
    """Write ``ttp.csv``, one row a patient and criterion.

    Parameters
    ----------
    path : Path
        File to write, atomically.
    times : iterable of TimeToProgression
        Written by patient; its criteria stay in their order. ``event`` is 1 for a progression, 0 for none so far.

    Raises
    ------
    OutputError
        The file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> time = TimeToProgression("P1", "mrano", dt.date(2021, 3, 4), None, 63, False)
    >>> with tempfile.TemporaryDirectory() as d:
    ...     write_times(Path(d) / "ttp.csv", [time])
    ...     (Path(d) / "ttp.csv").read_text().splitlines()[1]
    'P1,mrano,2021-03-04,,63,0'
    """
    rows = (
        (t.patient, t.criterion, t.start, t.progression, t.days, t.event)
        for t in sorted(times, key=lambda t: t.patient)
    )
    write_atomic(path, _csv(TIME_COLUMNS, rows))


def write_visits(path: Path, courses: Iterable[Course]) -> None:
    """Write ``visits.csv`` with all its columns, so that it can be completed and read again.

    Parameters
    ----------
    path : Path
        File to write, atomically.
    courses : iterable of Course
        Written in their order; numbers keep all their digits.

    Raises
    ------
    OutputError
        The file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from tumorboard.respond.visits import Compartment, Kind
    >>> seen = Seen("L1", Compartment.CE, long_mm=32.0, perp_mm=21.5)
    >>> course = Course("P1", (Visit(dt.date(2021, 3, 4), Kind.BASELINE, (seen,)),))
    >>> with tempfile.TemporaryDirectory() as d:
    ...     write_visits(Path(d) / "visits.csv", [course])
    ...     (Path(d) / "visits.csv").read_text().splitlines()[1]
    'P1,2021-03-04,baseline,L1,ce,32,21.5,,0,,,,,,auto,,1,,,,,,,,,'
    """
    rows = (
        _visit_cells(course.patient, visit, seen)
        for course in courses
        for visit in course.visits
        for seen in (visit.lesions or (None,))
    )
    write_atomic(path, _csv(COLUMNS, rows))


def _visit_cells(patient: str, visit: Visit, seen: Seen | None) -> Iterator[object]:
    """Yield one row; facts of the visit stand in each of its rows."""
    cells: dict[str, object] = {"patient_id": patient, "date": visit.date}
    cells |= {column: getattr(visit, column) for column in OF_VISIT}
    if seen is not None:
        cells |= {column: getattr(seen, attribute) for column, attribute in OF_LESION.items()}
        cells |= {"lesion_id": seen.lesion, "measurable": _MEASURABLE[seen.measurable]}
    return (cells.get(column) for column in COLUMNS)


def _csv(columns: Cells[str], rows: Iterable[Iterable[object]]) -> str:
    return table_text(columns, ([_cell(value) for value in row] for row in rows))


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, float):
        return repr(float(value)).removesuffix(".0")
    return value.isoformat() if isinstance(value, dt.date) else str(value)


def _rounded(total: float | None) -> float | None:
    """Round to 4 decimals; a small number to 4 digits, so that it does not become 0."""
    return total if total is None else round(total, 4) if abs(total) >= 1 else float(f"{total:.4g}")
