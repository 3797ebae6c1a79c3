"""``outcomes.csv``: how long patients lived, or were followed.

Why it exists: whether progression tells survival needs survival, which no image holds. Like every table that is typed
by people, it is refused row by row, and what stands in a patient or date cell is never repeated.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from pathlib import Path

from tumorboard.csv_text import Kept, iso_day, read_typed
from tumorboard.errors import InputError

COLUMNS = ("patient_id", "survival_days", "last_date", "dead")
"""Columns in the order they are documented; each row holds ``survival_days`` or ``last_date``."""

_WHERE = "outcomes"
_NUMBER = re.compile(r"\d+(\.\d+)?", re.ASCII)
_KEPT = Kept(
    where=_WHERE,
    title="table of outcomes",
    error=InputError,
    columns=COLUMNS,
    required=("patient_id", "dead"),
    max_bytes=20_000_000,
    if_empty="leave it out",
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is known of a patient at the end of follow-up.

    Parameters
    ----------
    patient : str
        As in the visits.
    days : float or None
        From the day from which time to progression counts; ``None`` where ``last`` is given instead.
    last : date or None
        Of death or of the last contact.
    dead : bool
        False when the patient was alive then (censored).
    """

    patient: str
    days: float | None
    last: dt.date | None
    dead: bool

    def days_from(self, start: dt.date) -> float:
        """Return survival in days from a start; negative where the last contact lies before it."""
        return float((self.last - start).days) if self.last is not None else float(self.days or 0.0)


@dataclass(frozen=True, slots=True)
class OutcomesTable:
    """Outcomes in the order of the rows, and what was tolerated in reading them."""

    rows: tuple[Outcome, ...]
    warnings: tuple[str, ...] = ()


def read_outcomes(path: Path) -> OutcomesTable:
    r"""Read a table of survival.

    Parameters
    ----------
    path : Path
        UTF-8 text with the columns ``patient_id``, ``dead`` (1, or 0 for alive at the last contact) and either
        ``survival_days`` (counted from the visit from which time to progression counts) or ``last_date``
        (``YYYY-MM-DD``, of death or of the last contact). One row a patient.

    Returns
    -------
    OutcomesTable

    Raises
    ------
    InputError
        Anything that cannot be read for certain; the message names the row.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as d:
    ...     table = Path(d) / "outcomes.csv"
    ...     _ = table.write_text("patient_id,survival_days,dead\nP1,412,1\n")
    ...     read_outcomes(table).rows[0].days
    412.0
    """
    table = read_typed(path, _KEPT)
    if not {"survival_days", "last_date"} & set(table.columns):
        raise InputError(
            "the column 'survival_days' or 'last_date'", got="neither of them", where=_WHERE, remedy="add one"
        )
    rows: dict[str, Outcome] = {}
    for line, cells in table.rows:
        outcome = _outcome(cells, f"{_WHERE} row {line}")
        if outcome.patient in rows:
            got = "a patient for the second time"
            raise InputError(
                "one row a patient", got=got, where=f"{_WHERE} row {line}", remedy="keep the later contact"
            )
        rows[outcome.patient] = outcome
    told = () if rows else ("the table of outcomes holds a header and no rows",)
    return OutcomesTable(tuple(rows.values()), (*table.warnings, *told))


def _outcome(cells: dict[str, str], where: str) -> Outcome:
    patient, dead = cells.get("patient_id", ""), cells.get("dead", "")
    if not patient:
        raise InputError("a patient_id", got="an empty cell", where=where, remedy="write that of the visits")
    if dead not in ("0", "1"):
        got = "another word" if dead else "an empty cell"
        raise InputError("dead as 0 or 1", got=got, where=where, remedy="write 1 for dead, 0 for alive when last seen")
    days, last = cells.get("survival_days", ""), cells.get("last_date", "")
    if bool(days) == bool(last):
        got = "both" if days else "none of them"
        raise InputError("survival_days or last_date", got=got, where=where, remedy="fill one of the two")
    if last:
        return Outcome(patient, None, iso_day(last, "last_date", where, InputError), dead == "1")
    if not _NUMBER.fullmatch(days):
        remedy = "write whole days without a unit; months are not days"
        raise InputError("survival_days as a number from 0", got="something else", where=where, remedy=remedy)
    return Outcome(patient, float(days), None, dead == "1")
