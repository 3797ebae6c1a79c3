"""``events.csv``: operations, radiotherapy, drugs, steroids and clinical state, by patient.

Why it exists: without them a response category is imaging only. The table is typed by people, so every
refusal names the row and what would be right. What stands in a patient or date cell is never repeated.
"""

from __future__ import annotations

import csv
import datetime as dt
import difflib
import io
import re
from collections.abc import Mapping
from collections.abc import Sequence as Cells
from dataclasses import dataclass
from pathlib import Path

from tumorboard.errors import EventsError
from tumorboard.study import Event, EventKind

COLUMNS = ("patient_id", "date", "end_date", "event", "value", "unit", "detail")
"""Columns in the order they are documented; ``date`` and ``event`` are required."""

REQUIRED = ("date", "event")
MAX_BYTES = 20_000_000
"""Largest table that is read."""

_ISO = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs"}
_WHERE = "events"


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
    text = _text(path)
    delimiter, told = _delimiter(text)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    rows: list[tuple[str, Event]] = []
    try:
        columns = _header(next((cells for cells in reader if any(cells)), []))
        for cells in reader:
            if any(cell.strip() for cell in cells):
                rows.append(_row(columns, cells, f"{_WHERE} row {reader.line_num}"))
    except csv.Error as error:
        raise EventsError(
            "a table of text", got="a line that is none", where=_WHERE, remedy="save it as CSV"
        ) from error
    if not rows:
        told.append("the table of events holds a header and no rows")
    return EventsTable(tuple(rows), tuple(told))


def _text(path: Path) -> str:
    try:
        size = path.stat().st_size
        raw = path.read_bytes() if path.is_file() and size <= MAX_BYTES else None
    except OSError as error:
        raise EventsError("a file", got="nothing that can be read", where=_WHERE, remedy="check the name") from error
    if raw is None:
        raise EventsError("a table of events", got="a folder, or a file far too large", where=_WHERE)
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        remedy = "save the table as CSV UTF-8"
        raise EventsError("text in UTF-8", got="another encoding, or no text", where=_WHERE, remedy=remedy) from error
    if not text.strip():
        raise EventsError("a table of events", got="an empty file", where=_WHERE, remedy="leave out --events")
    return text


def _delimiter(text: str) -> tuple[str, list[str]]:
    """Return what separates the cells of the first line, and a warning where it is not a comma."""
    first = next(line for line in text.splitlines() if line.strip())
    best = max(_DELIMITERS, key=first.count)
    if best == "," or not first.count(best):
        return ",", []
    return best, [f"the table of events is separated by {_DELIMITERS[best]}; read as such"]


def _header(cells: Cells[str]) -> list[str]:
    columns = [cell.strip().lower() for cell in cells]
    while columns and not columns[-1]:
        columns.pop()
    if not set(columns) & set(COLUMNS):
        got = "a first row that holds none of them"
        raise EventsError(f"a header with {', '.join(COLUMNS)}", got=got, where=_WHERE, remedy="add the header row")
    for column in columns:
        if column not in COLUMNS:
            near = difflib.get_close_matches(column, COLUMNS, n=1, cutoff=0.3)
            proposal = f"did you mean {near[0]!r}? Otherwise delete the column" if near else "delete the column"
            raise EventsError(f"the columns {', '.join(COLUMNS)}", got=repr(column), where=_WHERE, remedy=proposal)
    if len(set(columns)) < len(columns):
        raise EventsError("each column once", got="a column twice", where=_WHERE, remedy="delete one")
    missing = [column for column in REQUIRED if column not in columns]
    if missing:
        got = f"no column {' and no column '.join(repr(m) for m in missing)}"
        raise EventsError("the columns 'date' and 'event'", got=got, where=_WHERE, remedy="add it")
    return columns


def _row(columns: Cells[str], cells: Cells[str], where: str) -> tuple[str, Event]:
    if any(cell.strip() for cell in cells[len(columns) :]):
        remedy = "put text that holds the separator in quotes"
        raise EventsError(f"{len(columns)} cells", got=f"{len(cells)}", where=where, remedy=remedy)
    row = {column: cell.strip() for column, cell in zip(columns, cells, strict=False)}
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
    if not cell:
        return None
    try:
        if _ISO.fullmatch(cell):
            return dt.date.fromisoformat(cell)
    except ValueError as error:
        raise EventsError(f"a day of the calendar as {column}", got="one that does not exist", where=where) from error
    remedy = "write it as YYYY-MM-DD (spreadsheets like to change this when saving)"
    raise EventsError(f"{column} as YYYY-MM-DD", got="another form", where=where, remedy=remedy)


def _kind(cell: str, where: str) -> EventKind:
    kinds = [kind.value for kind in EventKind]
    if cell.lower() in kinds:
        return EventKind(cell.lower())
    near = difflib.get_close_matches(cell.lower(), kinds, n=1)
    got = f"{cell!r}" if near else "an empty cell" if not cell else "another word"
    remedy = f"did you mean {near[0]!r}?" if near else "use one of those"
    raise EventsError(f"an event of {', '.join(kinds)}", got=got, where=where, remedy=remedy)


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
