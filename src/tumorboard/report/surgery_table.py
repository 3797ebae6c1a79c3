"""One operation in a table: before, after, and what was removed, with intervals and categories.

Why it exists: an operation has some thirty numbers, and a list of them is unreadable. Here each region is a line and
each study a column; a cell that cannot be filled names its reason below, and lines of which nothing is known stand
there too.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator, Mapping
from collections.abc import Sequence as Many
from dataclasses import dataclass
from string import ascii_lowercase

from tumorboard.measurement import Measurement
from tumorboard.report.model import Matrix, Operation, Picture
from tumorboard.report.words import NAME_WORDS, REGION_WORDS, find, label_text, number, unit_text
from tumorboard.respond.surgery import Surgery

BEFORE, AFTER, CHANGE, CATEGORY = "Before", "After", "Removed, or change", "Category"


@dataclass(frozen=True)
class _Line:
    """A line: a region, and which measurement of it stands in which column (empty: none)."""

    region: str
    before: str = ""
    after: str = ""
    change: str = ""
    category: str = ""
    label: str = ""

    @property
    def title(self) -> str:
        return self.label or REGION_WORDS[self.region]

    def cells(self, surgery: Surgery) -> list[Measurement | None]:
        """Return what stands in each column after the first."""
        names = (self.before, self.after, self.change, self.category)
        return [find(surgery.measurements, name, self.region) if name else None for name in names]


_VOLUMES = ("volume_before", "volume_after", "volume_change")

LINES: tuple[_Line, ...] = (
    _Line("ET", "volume_before", "residual_volume", "extent_of_resection", "resection_category"),
    _Line("TC", "volume_before", "residual_volume", "extent_of_resection"),
    _Line("NCE", "volume_before", "residual_volume", "extent_of_resection"),
    _Line("WT", "volume_before", "residual_volume", "extent_of_resection", "resection_category"),
    _Line("study", category="rano_resect_class", label=NAME_WORDS["rano_resect_class"]),
    _Line("RC", after="volume_after"),
    _Line("blood", after="blood_volume"),
    _Line("ET", after="blood_volume", label="Fresh blood that had been outlined as enhancing"),
    _Line("necrosis", *_VOLUMES),
    _Line("brain tissue", *_VOLUMES),
    _Line("brain", *_VOLUMES),
    _Line("TC", "tumour_to_brain_before", "tumour_to_brain_after", label="Tumour core, part of the brain"),
    _Line("brain", "midline_shift_before", "midline_shift_after", "midline_shift_change", label="Midline shift"),
)
"""Lines in order; volumes of single tissues stand in ``surgery.json``."""

IN_BRACKETS = "In brackets: the interval of the outline; for what was removed, that of both outlines."

TOLD_HOW = (("extent_of_resection", "ET"), ("resection_category", "ET"), ("resection_category", "WT"))
"""Measurements whose method is printed below, beside that of the RANO resect class."""


def operation_section(
    surgery: Surgery, date: dt.date | None, studies: Mapping[str, dt.date], pictures: Many[Picture] = ()
) -> Operation:
    """Return one operation for reading.

    Parameters
    ----------
    surgery : Surgery
        What was measured.
    date : date or None
        Of the operation.
    studies : mapping of str to date
        Dates of the studies by id.
    pictures : sequence of Picture
        Before beside after.

    Returns
    -------
    Operation

    Examples
    --------
    >>> from tumorboard.respond.surgery import assess_surgery
    >>> shown = operation_section(assess_surgery(None, None, None), None, {})
    >>> shown.table.rows, shown.table.notes[0]
    ((), 'Not assessable: no dated study from before the operation.')
    """
    reasons: dict[str, str] = {}
    rows: list[tuple[str, ...]] = []
    left: dict[str, list[str]] = {}
    for line in LINES:
        cells = line.cells(surgery)
        if any(m is not None and m.value is not None for m in cells):
            rows.append((line.title, *(_text(m, reasons) for m in cells)))
        else:
            why = next(m.reason for m in cells if m is not None)
            left.setdefault(why, []).append(line.title.partition(" (")[0])
    if not rows:
        left = {reason: [] for reason in left}
    cautions = [f"Caution: {caution}." for caution in surgery.cautions]
    notes = (*cautions, *([IN_BRACKETS] * bool(rows)), *_not_assessable(reasons, left), *_methods(surgery))
    header = ("What", BEFORE, AFTER, CHANGE, CATEGORY)
    table = Matrix(title=_title(surgery, date, studies), header=header, rows=tuple(rows), notes=notes)
    return Operation(table=table, pictures=tuple(pictures))


def _title(surgery: Surgery, date: dt.date | None, studies: Mapping[str, dt.date]) -> str:
    """Return which operation it is, and how far the studies lie from it."""
    day = f", {date.isoformat()}" if date else ""
    sides = []
    for when, study in (("before", surgery.before), ("after", surgery.after)):
        known = find(surgery.measurements, f"days_{when}", "study", "d").value
        shown = f" of {studies[study].isoformat()}" if study in studies else ""
        days = f" ({number(float(known), 'd')} d {when})" if isinstance(known, int | float) else ""
        sides.append(f"{study}{shown}{days}" if study else f"no study {when}")
    return f"{surgery.kind.capitalize()} {surgery.number or ''}".rstrip() + f"{day}: {' and '.join(sides)}"


def _text(m: Measurement | None, reasons: dict[str, str]) -> str:
    """Return one cell; a new reason gets the next letter."""
    if m is None:
        return ""
    if m.value is None:
        reasons.setdefault(m.reason, ascii_lowercase[len(reasons) % 26])
        return f"not assessable ({reasons[m.reason]})"
    if isinstance(m.value, str):
        return m.value
    if m.name == "rano_resect_class":
        return f"class {m.value:.0f}"
    value = _number(m, float(m.value))
    bounds = "" if m.interval is None else f" ({' to '.join(_number(m, bound) for bound in m.interval)})"
    return f"{value} {unit_text(m.unit)}{bounds}{' proxy' if m.quality == 'proxy' else ''}"


def _number(m: Measurement, value: float) -> str:
    """Return a number; changes have their sign, and an extent is never rounded up to the next category.

    Examples
    --------
    >>> from tumorboard.measurement import Source
    >>> told = {"region": "ET", "unit": "%", "method": "m", "source": Source(file="f")}
    >>> m = Measurement(name="extent_of_resection", value=99.96, **told)
    >>> _number(m, 99.96), _number(m.model_copy(update={"name": "volume_change"}), 2.34)
    ('99.9', '+2.3')
    """
    if m.unit == "%":
        value = math.floor(10.0 * value + 1e-9) / 10.0 if m.name == "extent_of_resection" else value
        text = f"{value:.1f}".replace("-", "−")
    else:
        text = number(value, m.unit)
    return f"+{text}" if m.name.endswith("_change") and value > 0 else text


def _not_assessable(reasons: Mapping[str, str], left: Mapping[str, list[str]]) -> Iterator[str]:
    """Yield each reason once: with the letter that stands in cells, and the lines of which it left nothing."""
    for reason in dict.fromkeys((*reasons, *left)):
        letter = f"({reasons[reason]})" if reason in reasons else ""
        lines = "; ".join(left.get(reason, ()))
        yield f"Not assessable{' ' * bool(letter)}{letter}{f': {lines}' if lines else ''}: {reason}."


def _methods(surgery: Surgery) -> Iterator[str]:
    """Yield each method once, with what was made by it."""
    made: dict[str, list[str]] = {}
    for name, region in (*TOLD_HOW, ("rano_resect_class", "study")):
        m = find(surgery.measurements, name, region)
        if m.method:
            made.setdefault(m.method, []).append(label_text(m))
    for method, labels in made.items():
        yield f"{'; '.join(labels)}: {method}"
