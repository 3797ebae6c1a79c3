"""Tables that people type: tolerant reading of CSV, refusals that name the row; and the writing of tables.

Why it exists: spreadsheets write byte-order marks, semicolons and empty columns, and change dates. What harms nobody is
read; everything else is refused with the row and what would be right. What stands in a cell is repeated only where it
is nearly one of our own words, so no name and no date reaches a message.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from collections.abc import Sequence as Cells
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from tumorboard.errors import InputError, nearest_name

_ISO = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs"}
_Known = TypeVar("_Known")


@dataclass(frozen=True)
class Kept:
    """What a table is called and what it may hold.

    Parameters
    ----------
    where : str
        Its role in messages, for example ``events``; rows are named ``events row 3``.
    title : str
        The same in a sentence, for example ``table of events``.
    error : type of InputError
        What a refusal raises.
    columns, required : tuple of str
        Names in the order they are documented, and those that may not be missing.
    max_bytes : int
        Largest table that is read.
    if_empty : str
        What to do about an empty file.
    if_unknown : callable of str to str
        What to do about a column that is not ours, where more can be said than which name is near; else empty.
    """

    where: str
    title: str
    error: type[InputError]
    columns: tuple[str, ...]
    required: tuple[str, ...]
    max_bytes: int
    if_empty: str
    if_unknown: Callable[[str], str] = lambda _: ""


@dataclass(frozen=True)
class Typed:
    """A table whose header has been read; its rows are read as they are asked for.

    Parameters
    ----------
    columns : tuple of str
        Those it has, in its order.
    delimiter : str
        What separates its cells.
    warnings : tuple of str
        What was tolerated.
    rows : iterator of (int, dict of str to str)
        Line and stripped cells by column; rows without a word are left out.
    """

    columns: tuple[str, ...]
    delimiter: str
    warnings: tuple[str, ...]
    rows: Iterator[tuple[int, dict[str, str]]]


def read_typed(path: Path, kept: Kept) -> Typed:
    r"""Open a table and read its header.

    Parameters
    ----------
    path : Path
        UTF-8 text separated by commas, semicolons or tabs.
    kept : Kept
        What it may hold.

    Returns
    -------
    Typed
        Columns, warnings, and the rows, which raise as they are read.

    Raises
    ------
    InputError
        As ``kept.error``: no file, no table, or columns that are unknown, twice or missing.

    Examples
    --------
    >>> import tempfile
    >>> kept = Kept("doses", "table of doses", InputError, ("day", "mg"), ("day",), 1000, "leave it out")
    >>> with tempfile.TemporaryDirectory() as d:
    ...     _ = (Path(d) / "doses.csv").write_text("Day;mg\n1;4\n")
    ...     table = read_typed(Path(d) / "doses.csv", kept)
    >>> table.warnings, list(table.rows)
    (('the table of doses is separated by semicolons; read as such',), [(2, {'day': '1', 'mg': '4'})])
    """
    text = _text(path, kept)
    delimiter, told = _delimiter(text, kept)
    with_lines = _lines(text, delimiter, kept)
    columns = _header(next((cells for _, cells in with_lines if any(cells)), []), kept)
    rows = ((line, _row(columns, cells, line, kept)) for line, cells in with_lines if any(c.strip() for c in cells))
    return Typed(tuple(columns), delimiter, told, rows)


def _lines(text: str, delimiter: str, kept: Kept) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        for cells in reader:
            yield reader.line_num, cells
    except csv.Error as error:
        raise kept.error(
            "a table of text", got="a line that is none", where=kept.where, remedy="save it as CSV"
        ) from error


def _text(path: Path, kept: Kept) -> str:
    where = kept.where
    try:
        size = path.stat().st_size
        raw = path.read_bytes() if path.is_file() and size <= kept.max_bytes else None
    except OSError as error:
        raise kept.error("a file", got="nothing that can be read", where=where, remedy="check the name") from error
    if raw is None:
        raise kept.error(f"a {kept.title}", got="a folder, or a file far too large", where=where)
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        remedy = "save the table as CSV UTF-8"
        raise kept.error("text in UTF-8", got="another encoding, or no text", where=where, remedy=remedy) from error
    if not text.strip():
        raise kept.error(f"a {kept.title}", got="an empty file", where=where, remedy=kept.if_empty)
    return text


def _delimiter(text: str, kept: Kept) -> tuple[str, tuple[str, ...]]:
    """Return what separates the cells of the first line, and a warning where it is not a comma."""
    first = next(line for line in text.splitlines() if line.strip())
    best = max(_DELIMITERS, key=first.count)
    if best == "," or not first.count(best):
        return ",", ()
    return best, (f"the {kept.title} is separated by {_DELIMITERS[best]}; read as such",)


def _header(cells: Cells[str], kept: Kept) -> list[str]:
    columns, known, where = [cell.strip().lower() for cell in cells], kept.columns, kept.where
    while columns and not columns[-1]:
        columns.pop()
    if not set(columns) & set(known):
        got = "a first row that holds none of them"
        raise kept.error(f"a header with {', '.join(known)}", got=got, where=where, remedy="add the header row")
    for column in columns:
        if column not in known:
            remedy = kept.if_unknown(column) or _other_column(column, known)
            raise kept.error(f"the columns {', '.join(known)}", got=repr(column), where=where, remedy=remedy)
    if len(set(columns)) < len(columns):
        raise kept.error("each column once", got="a column twice", where=where, remedy="delete one")
    missing = [column for column in kept.required if column not in columns]
    if missing:
        got = f"no column {' and no column '.join(repr(m) for m in missing)}"
        *others, last = map(repr, kept.required)
        expected = f"the columns {', '.join(others)} and {last}" if others else f"the column {last}"
        raise kept.error(expected, got=got, where=where, remedy="add it")
    return columns


def _other_column(column: str, known: Cells[str]) -> str:
    near = nearest_name(column, known, cutoff=0.3)
    return f"did you mean {near!r}? Otherwise delete the column" if near else "delete the column"


def _row(columns: Cells[str], cells: Cells[str], line: int, kept: Kept) -> dict[str, str]:
    if any(cell.strip() for cell in cells[len(columns) :]):
        remedy = "put text that holds the separator in quotes"
        where = f"{kept.where} row {line}"
        raise kept.error(f"{len(columns)} cells", got=f"{len(cells)}", where=where, remedy=remedy)
    return {column: cell.strip() for column, cell in zip(columns, cells, strict=False)}


def iso_day(cell: str, column: str, where: str, error: type[InputError]) -> dt.date:
    """Return the day that a cell names as ``YYYY-MM-DD``.

    Raises
    ------
    InputError
        As ``error``: another form, or a day that no calendar has.

    Examples
    --------
    >>> iso_day("2021-03-04", "date", "events row 2", InputError)
    datetime.date(2021, 3, 4)
    """
    try:
        if _ISO.fullmatch(cell):
            return dt.date.fromisoformat(cell)
    except ValueError as impossible:
        raise error(f"a day of the calendar as {column}", got="one that does not exist", where=where) from impossible
    remedy = "write it as YYYY-MM-DD (spreadsheets like to change this when saving)"
    raise error(f"{column} as YYYY-MM-DD", got="another form", where=where, remedy=remedy)


def unknown_word(cell: str, known: Mapping[str, str], expected: str, where: str, error: type[InputError]) -> InputError:
    """Return the refusal of a cell that is none of our words; it is repeated only where it is nearly one.

    Parameters
    ----------
    cell : str
        As written; case does not matter.
    known : mapping of str to str
        What may be written, in small letters, and the word that is proposed for it.
    expected, where, error
        As in the refusal.

    Examples
    --------
    >>> print(unknown_word("surgry", {"surgery": "surgery"}, "an event of surgery", "events row 2", InputError))
    events row 2: expected an event of surgery; got 'surgry'. What to do: did you mean 'surgery'?
    """
    near = nearest_name(cell, known)
    got = f"{cell!r}" if near else "an empty cell" if not cell else "another word"
    remedy = f"did you mean {known[near]!r}?" if near else "use one of those"
    return error(expected, got=got, where=where, remedy=remedy)


def table_text(header: Iterable[str], rows: Iterable[Iterable[object]], delimiter: str = ",") -> str:
    r"""Return a table as text.

    Examples
    --------
    >>> table_text(("a", "b"), [(1, "x")], "\t")
    'a\tb\n1\tx\n'
    """
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return text.getvalue()
