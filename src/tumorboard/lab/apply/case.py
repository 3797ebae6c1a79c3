"""One patient's case folder as a cohort, with what tables say of the patient.

Why it exists: features of a new patient must come from the code that made those of the training patients. That code
reads cohorts; so a case folder is one, of one patient.

Source: docs/concepts/case-folder.md.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from tumorboard.errors import InputError
from tumorboard.lab.cohort import Cohort, Sheet, read_sheet
from tumorboard.lab.cohort.places import find_case
from tumorboard.study import Event, EventKind

CARD = "patient.json"


def read_case(root: Path, sheets: Iterable[Sheet] = ()) -> Cohort:
    """Read a case folder.

    Parameters
    ----------
    root : Path
        ``OUT/sub-…`` of ``tumorboard run``.
    sheets : iterable of Sheet
        Tables by patient; rows of others are not looked at.

    Returns
    -------
    Cohort
        Of one patient.

    Raises
    ------
    InputError
        It is no case folder.
    """
    if not (root / CARD).is_file():
        remedy = "give OUT/sub-… of tumorboard run"
        raise InputError("the case folder of one patient", got="another place", where="case", remedy=remedy)
    people, digital = find_case(root / CARD)
    (patient,) = people
    events = _events(root / CARD)
    happened = {patient: events} if events else {}
    return Cohort(people, {s.name: s for s in sheets}, digital, happened=happened).of([patient])


def read_tables(files: Sequence[Path]) -> tuple[Sheet, ...]:
    """Read tables by patient, each of another name.

    Raises
    ------
    InputError
        One cannot be read, or two have one name.
    """
    sheets = tuple(read_sheet(path) for path in files)
    if len({s.name for s in sheets}) < len(sheets):
        raise InputError("tables of different names", got="two of one name", where="--clinical", remedy="rename one")
    return sheets


def _events(card: Path) -> tuple[Event, ...]:
    try:
        told = json.loads(card.read_text(encoding="utf-8"))["events"]
        return tuple(
            Event(
                dt.date.fromisoformat(e["date"]),
                EventKind(e["event"]),
                dt.date.fromisoformat(e["end_date"]) if e["end_date"] else None,
                *(str(e[k]) for k in ("value", "unit", "detail")),
            )
            for e in told
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError("results of tumorboard run", got="a patient.json that is none", where="case") from error
