"""Tables of a cohort: any columns, one row a patient, study, lesion or biopsy.

Why it exists: age, genes, outcomes and expression come as tables of any shape. A cell that says nothing is missing,
never a word; a column that is not there is named, with the nearest that is.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from tumorboard.errors import InputError
from tumorboard.lab.table import Unit

MISSING = frozenset({"", "n/a", "na", "nan", "null", ".", "not available", "unknown"})
"""Cells that say nothing, in small letters."""

PATIENT = ("participant_id", "patient_id", "patient", "subject_id", "subject", "case", "case_id", "id")
STUDY = ("session_id", "session", "study", "visit")
LESION = ("lesion", "lesion_id")
BIOPSY = ("biopsy", "biopsy_id")
"""What columns are called that say whose a row is; the first that is there counts."""

MOST_BYTES = 500 * 2**20


@dataclass(frozen=True)
class Sheet:
    r"""One table.

    Parameters
    ----------
    name : str
        Of its file, without ending.
    columns : tuple of str
        What it holds beside whose it is.
    rows : mapping of Unit to mapping of str to str
        Stripped cells by column; an empty word is a missing one. Biopsies are lesions named ``biopsy-1`` …

    Examples
    --------
    >>> sheet = parse_sheet("people", "participant_id,age\nsub-A,60\nsub-B,n/a\n")
    >>> sheet.columns, sheet.rows[Unit("B")]["age"]
    (('age',), '')
    """

    name: str
    columns: tuple[str, ...]
    rows: Mapping[Unit, Mapping[str, str]]

    @property
    def patients(self) -> tuple[str, ...]:
        """Patients in the order of the rows, each once."""
        return tuple(dict.fromkeys(u.patient for u in self.rows))

    @property
    def of_patients(self) -> bool:
        """Whether each row is a patient."""
        return all(not u.study and not u.lesion for u in self.rows)

    def cell(self, unit: Unit, column: str) -> str:
        r"""Return a cell of a unit: its own, else of its study, else of its patient, else of that patient's first row.

        Examples
        --------
        >>> sheet = parse_sheet("visits", "participant_id,session_id,kps\nA,ses-01,90\nA,ses-02,70\n")
        >>> sheet.cell(Unit("A", "ses-02", "1"), "kps"), sheet.cell(Unit("A"), "kps")
        ('70', '90')
        """
        for near in (unit, Unit(unit.patient, unit.study), Unit(unit.patient)):
            if near in self.rows:
                return self.rows[near][column]
        if unit.study:
            return ""
        first = self._first.get(unit.patient)
        return "" if first is None else self.rows[first][column]

    @cached_property
    def _first(self) -> Mapping[str, Unit]:
        """First row of each patient."""
        return {u.patient: u for u in reversed(list(self.rows))}


def read_sheet(path: Path) -> Sheet:
    """Read a table separated by tabs (``.tsv``), commas or semicolons.

    Raises
    ------
    InputError
        It cannot be read, or see :func:`parse_sheet`.
    """
    try:
        raw = path.read_bytes() if path.stat().st_size <= MOST_BYTES else b""
        text = raw.decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        remedy = "check the name, and save it as UTF-8"
        expected = "a table as CSV or TSV in UTF-8"
        raise InputError(expected, got="none that can be read", where="table", remedy=remedy) from error
    return parse_sheet(path.stem, text)


def parse_sheet(name: str, text: str) -> Sheet:
    r"""Read a table from text.

    Parameters
    ----------
    name : str
        What it is called.
    text : str
        With a header; one of its columns says whose a row is (:data:`PATIENT`).

    Returns
    -------
    Sheet

    Raises
    ------
    InputError
        No header, no column of patients, a column or a unit twice, or a row without a patient.

    Examples
    --------
    >>> parse_sheet("people", "name,age\nA,60\n")
    Traceback (most recent call last):
    ...
    tumorboard.errors.InputError: people: expected a column participant_id; got name, age. What to do: name that ...
    """
    lines = [line for line in text.splitlines() if line.strip()]
    if not lines:
        raise InputError("a table with a header", got="an empty file", where=name)
    delimiter = max("\t,;", key=lines[0].count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    header = [c.strip() for c in next(r for r in reader if any(r))]
    keys = _keys(header, name)
    plain = tuple(c for c in header if c and c not in keys.values())
    if len(set(plain)) < len(plain):
        twice = next(c for c in plain if plain.count(c) > 1)
        raise InputError("each column once", got=f"{twice!r} twice", where=name)
    rows: dict[Unit, Mapping[str, str]] = {}
    for number, cells in enumerate(reader, start=2):
        if any(c.strip() for c in cells):
            unit, told = _row(dict(zip(header, (c.strip() for c in cells), strict=False)), keys, name, number)
            if unit in rows:
                raise InputError("each patient, study or lesion once", got="one again", where=f"{name} row {number}")
            rows[unit] = {c: told.get(c, "") for c in plain}
    return Sheet(name, plain, rows)


def bare(patient: str) -> str:
    """Return a pseudonym without ``sub-``.

    Examples
    --------
    >>> bare("sub-01"), bare("P7")
    ('01', 'P7')
    """
    return patient.removeprefix("sub-")


def shown(names: Iterable[str], most: int = 12) -> str:
    """Return names for a message, some of them where they are many."""
    every = list(names)
    return ", ".join(every[:most]) + (f" and {len(every) - most} more" if len(every) > most else "")


def _keys(header: Sequence[str], name: str) -> dict[str, str]:
    """Return which columns say whose a row is."""
    small = {c.lower(): c for c in reversed(header)}
    found = {}
    for key, words in (("patient", PATIENT), ("study", STUDY), ("lesion", LESION), ("biopsy", BIOPSY)):
        column = next((small[w] for w in words if w in small), None)
        if column is not None:
            found[key] = column
    if "patient" not in found:
        remedy = "name that of the patients' pseudonyms so"
        raise InputError("a column participant_id", got=shown(header), where=name, remedy=remedy)
    if "lesion" in found and "study" not in found:
        return {k: v for k, v in found.items() if k != "lesion"} if name == "participants" else found
    return found


def _row(cells: Mapping[str, str], keys: Mapping[str, str], name: str, number: int) -> tuple[Unit, Mapping[str, str]]:
    who = {key: cells.get(column, "") for key, column in keys.items()}
    if not who["patient"]:
        raise InputError("a patient in every row", got="an empty cell", where=f"{name} row {number}")
    lesion = f"biopsy-{who['biopsy']}" if who.get("biopsy") else who.get("lesion", "")
    told = {c: "" if v.lower() in MISSING else v for c, v in cells.items()}
    return Unit(bare(who["patient"]), who.get("study", ""), lesion), told
