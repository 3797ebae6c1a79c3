"""``events.csv``: operations, radiotherapy, drugs, steroids and clinical state, by patient.

Why it exists: without them a response category is imaging only. The table is typed by people, so every
refusal names the row and what would be right. What stands in a patient or date cell is never repeated.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from collections.abc import Sequence as Cells
from dataclasses import dataclass
from pathlib import Path

from tumorboard.csv_text import Kept, iso_day, read_typed, unknown_word
from tumorboard.errors import EventsError
from tumorboard.study import Event, EventKind

COLUMNS = ("patient_id", "date", "end_date", "event", "value", "unit", "detail")
"""Columns in the order they are documented; ``date`` and ``event`` are required."""

REQUIRED = ("date", "event")
MAX_BYTES = 20_000_000
"""Largest table that is read."""

_WHERE = "events"
_KEPT = Kept(_WHERE, "table of events", EventsError, COLUMNS, REQUIRED, MAX_BYTES, if_empty="leave out --events")


@dataclass(frozen=True)
class EventsTable:
    """Events by patient as written, and what was tolerated in reading them."""

    rows: tuple[tuple[str, Event], ...]
    warnings: tuple[str, ...] = ()


def read_events(path: Path) -> tuple[tuple[str, Event], ...]:
    r"""Read a table of events.

    Parameters
    ----------
    path : Path
        UTF-8 text with the columns ``patient_id, date, end_date, event, value, unit, detail``; only
        ``date`` (``YYYY-MM-DD``) and ``event`` are required.

    Returns
    -------
    tuple of (str, Event)
        Patient as written (empty where the table does not say) and event, in the order of the rows.

    Raises
    ------
    EventsError
        Anything that cannot be read for certain; the message names the row.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as d:
    ...     table = Path(d) / "events.csv"
    ...     _ = table.write_text("patient_id,date,event,value,unit\nP1,2021-03-04,steroid,4,mg\n")
    ...     read_events(table)[0][1].kind
    <EventKind.STEROID: 'steroid'>
    """
    return read_table(path).rows


def read_table(path: Path) -> EventsTable:
    """Read a table of events together with warnings; see :func:`read_events`."""
    typed = read_typed(path, _KEPT)
    rows = tuple(_row(cells, f"{_WHERE} row {line}") for line, cells in typed.rows)
    told = () if rows else ("the table of events holds a header and no rows",)
    return EventsTable(rows, (*typed.warnings, *told))


def _row(row: Mapping[str, str], where: str) -> tuple[str, Event]:
    date = _date(row, "date", where)
    if date is None:
        raise EventsError("a date", got="an empty cell", where=where, remedy="write it as YYYY-MM-DD")
    end = _date(row, "end_date", where)
    if end is not None and end < date:
        raise EventsError("an end_date on or after date", got="one before it", where=where, remedy="correct the row")
    texts = {name: row.get(name, "") for name in ("value", "unit", "detail")}
    return row.get("patient_id", ""), Event(date, _kind(row.get("event", ""), where), end, **texts)


def _date(row: Mapping[str, str], column: str, where: str) -> dt.date | None:
    cell = row.get(column, "")
    return iso_day(cell, column, where, EventsError) if cell else None


def _kind(cell: str, where: str) -> EventKind:
    kinds = {kind.value: kind.value for kind in EventKind}
    if cell.lower() not in kinds:
        raise unknown_word(cell, kinds, f"an event of {', '.join(kinds)}", where, EventsError)
    return EventKind(cell.lower())


def assign(
    rows: Cells[tuple[str, Event]], names: Mapping[str, Cells[str]]
) -> tuple[dict[str, tuple[Event, ...]], tuple[str, ...]]:
    """Give each patient its events.

    Parameters
    ----------
    rows : sequence of (str, Event)
        From :func:`read_events`.
    names : mapping of str to sequence of str
        For each pseudonym, the names the table may call the patient by (case does not matter).

    Returns
    -------
    events : dict of str to tuple of Event
        By pseudonym, in order of date.
    warnings : tuple of str
        How many rows belong to patients that are not in the input.

    Raises
    ------
    EventsError
        A row without ``patient_id`` among several patients, a name two patients share, or no row for
        any patient of the input.
    """
    owners: dict[str, set[str]] = {}
    for pseudonym, called in names.items():
        for name in (pseudonym, f"sub-{pseudonym}", *called):
            owners.setdefault(name.casefold(), set()).add(pseudonym)
    events: dict[str, list[Event]] = {pseudonym: [] for pseudonym in names}
    strangers = 0
    for patient_id, event in rows:
        whose = owners.get(patient_id.casefold(), set()) if patient_id else set(names)
        if len(whose) > 1:
            got = "a name that two of them share" if patient_id else "rows without patient_id"
            remedy = "write the pseudonym into patient_id"
            raise EventsError("a patient_id that names one patient", got=got, where=_WHERE, remedy=remedy)
        strangers += not whose
        for pseudonym in whose:
            events[pseudonym].append(event)
    if rows and strangers == len(rows):
        got = f"{strangers} rows, all for other patients"
        remedy = "write the pseudonym (see the table of files) into patient_id, or leave the column out for one patient"
        raise EventsError("events of the patients in the input", got=got, where=_WHERE, remedy=remedy)
    told = (f"{strangers} rows of the table of events are for patients that are not in the input",) if strangers else ()
    return {p: tuple(sorted(e, key=lambda event: event.date)) for p, e in events.items()}, told
