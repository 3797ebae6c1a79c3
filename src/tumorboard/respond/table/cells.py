"""Cells of ``visits.csv``: which columns there are, and what may stand in them.

Why it exists: the table is typed by people who write "follow-up", "improved" and 3.2 cm. What is meant for certain is
read; a number in another unit is refused, because a factor of ten makes a response out of nothing.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from tumorboard.csv_text import iso_day, unknown_word
from tumorboard.errors import VisitsError
from tumorboard.respond.visits import Compartment, Csf, Eye, Kind, Role, Status, SteroidReason, Trend

WHERE = "visits"
"""What the table is called in messages."""

COLUMNS = (
    *("patient_id", "date", "kind", "lesion_id", "compartment", "long_mm", "perp_mm", "volume_ml", "new_lesion"),
    *("t2flair", "dexamethasone_mg", "clinical", "role", "nontarget_status", "measurable", "slice_mm", "evaluable"),
    *("rt_end", "in_rt_field", "drug", "drug_start", "steroid_reason", "eye", "csf", "diameter_sd_mm", "volume_sd_ml"),
)
"""Columns in the order they are documented."""

REQUIRED = ("patient_id", "date", "kind", "lesion_id", "compartment")
SIZES = ("long_mm", "volume_ml")
"""At least one of these stands in the table."""

OF_VISIT = (
    *("kind", "t2flair", "clinical", "dexamethasone_mg", "steroid_reason", "evaluable", "rt_end", "drug", "drug_start"),
    *("eye", "csf"),
)
"""Columns that tell of the whole visit, named as the attributes of a visit."""

OF_LESION = {
    **{name: name for name in ("compartment", *SIZES, "perp_mm", "role", "measurable", "slice_mm", "in_rt_field")},
    **{"new_lesion": "new", "nontarget_status": "status"},
    **{name: name for name in ("diameter_sd_mm", "volume_sd_ml")},
}
"""Columns that tell of one lesion, and the attribute of a seen lesion that each becomes."""

_TELLING = (*SIZES, "perp_mm", "new_lesion", "role", "nontarget_status")
_TEXTS = ("patient_id", "lesion_id", "drug")
_DAYS = ("date", "rt_end", "drug_start")
_FLAGS = {"1": "yes true y", "0": "no false n"}
_TREND = {
    "stable": "unchanged same nochange",
    "better": "improved improving improvement",
    "worse": "worsened worsening progressive progressed progression deteriorated",
}
_EXTENT = {**_TREND, "better": f"{_TREND['better']} decreased", "worse": f"{_TREND['worse']} increased"}

_WORDS: dict[str, tuple[type[StrEnum] | Mapping[str, bool | None], Mapping[str, str]]] = {
    "kind": (
        Kind,
        {
            "baseline": "bl",
            "followup": "fu",
            "post_op": "postoperative postsurgery",
            "post_rt": "postradiotherapy postradiation postchemoradiotherapy postcrt",
        },
    ),
    "compartment": (Compartment, {"ce": "et enhancing contrastenhancing", "nce": "nonenhancing noncontrastenhancing"}),
    "t2flair": (Trend, _EXTENT),
    "clinical": (Trend, _TREND),
    "role": (Role, {"target": "targetlesion", "nontarget": "nontargetlesion"}),
    "nontarget_status": (Status, {"absent": "gone vanished disappeared resolved", "minimal": "", **_EXTENT}),
    "eye": (
        Eye,
        {
            "normal": "",
            "minor": "minorrpe minorrpeabnormality",
            "better": f"{_TREND['better']} decreased",
            "persistent": "",
            "recurrent": "recurrence new",
        },
    ),
    "csf": (Csf, {"negative": "neg", "suspicious": "", "persistent": "", "recurrent": "recurrence"}),
    "steroid_reason": (SteroidReason, {"tumour": "tumor", "other": "", "replacement": "physiological physiologic"}),
    "new_lesion": ({"1": True, "0": False}, _FLAGS),
    "evaluable": ({"1": True, "0": False}, _FLAGS),
    "in_rt_field": ({"1": True, "0": False}, _FLAGS),
    "measurable": ({"auto": None, "yes": True, "no": False}, {"auto": "", "yes": "1 true y", "no": "0 false n"}),
}
"""By column: what its words mean, and what else is understood as each (small letters, no spaces, no hyphens)."""


@dataclass(frozen=True, slots=True)
class Amount:
    """Unit of a column of numbers, and the largest and smallest that can be true."""

    unit: str
    most: float
    above_zero: bool = False


AMOUNTS = {
    "long_mm": Amount("mm", 300.0),
    "perp_mm": Amount("mm", 300.0),
    "volume_ml": Amount("mL", 2000.0),
    "dexamethasone_mg": Amount("mg", 200.0),
    "slice_mm": Amount("mm", 50.0, above_zero=True),
    "diameter_sd_mm": Amount("mm", 300.0),
    "volume_sd_ml": Amount("mL", 2000.0),
}
"""Columns of numbers: no head holds 300 mm or 2000 mL of tumour, and nobody is given 200 mg of dexamethasone a day."""

_UNITS = {
    "mm": {"mm": "", "cm": "multiply by 10", "m": "multiply by 1000", "um": "divide by 1000"},
    "mL": {
        "ml": "",
        "mm3": "divide by 1000",
        "ul": "divide by 1000",
        "l": "multiply by 1000",
        **{same: f"keep it (1 {same} is 1 mL)" for same in ("cm3", "ccm", "cc")},
    },
    "mg": {"mg": "", "g": "multiply by 1000", "ug": "divide by 1000", "mcg": "divide by 1000"},
}
_STEMS = {
    **{name.rpartition("_")[0]: name for name in AMOUNTS},
    **{"diameter": "long_mm", "width": "perp_mm", "steroid": "dexamethasone_mg"},
}
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)
_WITH_UNIT = re.compile(r"[+-]?[\d.,]+\s*([a-zµμ]+[3³^]*)(/\s*d(ay)?)?", re.IGNORECASE)
_NOT_FINITE = re.compile(r"[+-]?(nan|na|n/a|inf|infinity)", re.IGNORECASE)
_BETWEEN = re.compile(r"[\s_-]+")


def _understood() -> dict[str, dict[str, object]]:
    """Return by column what each word means that is understood in it."""
    meant: dict[str, dict[str, object]] = {}
    for column, (words, also) in _WORDS.items():
        values = {word.value: word for word in words} if isinstance(words, type) else dict(words)
        meant[column] = {
            _BETWEEN.sub("", word): values[name] for name, others in also.items() for word in (name, *others.split())
        }
    return meant


_MEANT = _understood()


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table as understood; ``said`` holds what its cells tell, by column, without empty ones."""

    line: int
    patient: str
    date: dt.date
    lesion: str
    said: Mapping[str, object]

    def number(self, column: str) -> float | None:
        """Return the number in a column; ``None`` where the cell is empty."""
        value = self.said.get(column)
        return value if isinstance(value, float) else None


def where(line: int) -> str:
    """Return how messages name a row.

    Examples
    --------
    >>> where(3)
    'visits row 3'
    """
    return f"{WHERE} row {line}"


@dataclass(frozen=True, slots=True)
class RowReader:
    """Understands rows; tables repeat themselves, so each cell of a column is understood once.

    Parameters
    ----------
    decimal_comma : bool
        Whether 12,5 is a number (where the cells are not separated by commas).

    Examples
    --------
    >>> cells = {"patient_id": "P1", "date": "2021-03-04", "kind": "Follow-up", "lesion_id": "L1", "long_mm": "12,5"}
    >>> row = RowReader(decimal_comma=True).read(2, cells)
    >>> row.said["kind"], row.said["long_mm"]
    (<Kind.FOLLOWUP: 'followup'>, 12.5)
    """

    decimal_comma: bool
    _known: dict[tuple[str, str], object] = field(default_factory=dict, init=False)

    def read(self, line: int, cells: Mapping[str, str]) -> Row:
        """Understand the cells of one row.

        Parameters
        ----------
        line : int
            Of the file, for messages.
        cells : mapping of str to str
            Stripped text by column.

        Raises
        ------
        VisitsError
            A cell that cannot be understood for certain, or a size without a lesion.
        """
        said: dict[str, object] = {}
        for written in cells.items():
            column, cell = written
            if cell:
                if written not in self._known:
                    self._known[written] = _value(cell, column, where(line), self.decimal_comma)
                said[column] = self._known[written]
        return _row(line, said)


def _row(line: int, said: dict[str, object]) -> Row:
    patient, date, lesion = (said.pop(column, None) for column in ("patient_id", "date", "lesion_id"))
    if not isinstance(patient, str):
        raise VisitsError(
            "a patient_id in each row", got="an empty cell", where=where(line), remedy="write the pseudonym"
        )
    if not isinstance(date, dt.date):
        raise VisitsError("a date", got="an empty cell", where=where(line), remedy="write it as YYYY-MM-DD")
    if not isinstance(lesion, str) and any(said.get(column, False) is not False for column in _TELLING):
        remedy = "name the lesion, the same at all visits; a visit without lesions has none of their cells"
        expected = "a lesion_id where a lesion is told of"
        raise VisitsError(expected, got="an empty cell", where=where(line), remedy=remedy)
    return Row(line, patient, date, lesion if isinstance(lesion, str) else "", said)


def _value(cell: str, column: str, at: str, decimal_comma: bool) -> object:
    if column in _TEXTS:
        return cell
    if column in _MEANT:
        return _word(cell, column, at)
    if column in _DAYS:
        return iso_day(cell, column, at, VisitsError)
    return _number(cell, column, at, decimal_comma)


def _word(cell: str, column: str, at: str) -> object:
    meant = _MEANT[column]
    plain = _BETWEEN.sub("", cell.lower())
    if plain in meant:
        return meant[plain]
    names = _WORDS[column][1]
    proposals = {word: name for name, others in names.items() for word in (name, *others.split())}
    raise unknown_word(cell, proposals, f"{column} as {', '.join(names)}", at, VisitsError)


def _number(cell: str, column: str, at: str, decimal_comma: bool) -> float:
    amount = AMOUNTS[column]
    text = cell.replace(",", ".") if decimal_comma and cell.count(",") == 1 else cell
    if not _NUMBER.fullmatch(text):
        raise _no_number(cell, column, at)
    value = float(text)
    expected = f"{column} as a number of {amount.unit}"
    if value < 0 or not math.isfinite(value) or (amount.above_zero and not value):
        got = "a number below 0" if value < 0 else "0" if not value else "one that is not finite"
        raise VisitsError(expected, got=got, where=at, remedy="leave the cell empty where it is unknown")
    if value > amount.most:
        remedy = f"check the number and its unit ({amount.unit})"
        raise VisitsError(f"{expected} up to {amount.most:g}", got="a larger one", where=at, remedy=remedy)
    return value


def _no_number(cell: str, column: str, at: str) -> VisitsError:
    """Return the refusal of a cell that is no plain number, with what it probably is."""
    unit = AMOUNTS[column].unit
    got, remedy = "text", "write digits, or leave the cell empty where it is unknown"
    with_unit = _WITH_UNIT.fullmatch(cell)
    if with_unit and (how := _conversion(with_unit[1], unit)) is not None:
        got, remedy = "a number with its unit", f"{how}{' and ' if how else ''}write the number alone"
    elif _NOT_FINITE.fullmatch(cell):
        got, remedy = "one that is not finite", "leave the cell empty where it is unknown"
    elif _NUMBER.fullmatch(cell.replace(",", ".")):
        got, remedy = "a comma in it", "write a point, or separate the cells by semicolons"
    return VisitsError(f"{column} as a number of {unit}", got=got, where=at, remedy=remedy)


def _conversion(written: str, unit: str) -> str | None:
    """Return how a number in the written unit becomes one in ours; ``None`` where it is no unit of that kind."""
    return _UNITS[unit].get(written.lower().replace("³", "3").replace("^", "").replace("µ", "u").replace("μ", "u"))


def if_unknown(column: str) -> str:
    """Return what to do about a column that is one of ours in another unit or under another name; else empty.

    Examples
    --------
    >>> if_unknown("long_cm"), if_unknown("volume (mm³)"), if_unknown("age")
    ("multiply by 10 and name it 'long_mm'", "divide by 1000 and name it 'volume_ml'", '')
    """
    for stem, name in _STEMS.items():
        rest = column[len(stem) :].strip(" _()[]") if column.startswith(stem) else ""
        how = _conversion(rest, AMOUNTS[name].unit)
        if how is not None:
            return f"{how}{' and ' if how else ''}name it {name!r}"
    return ""
