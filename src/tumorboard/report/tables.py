"""The tables of one study: volumes, extent, location, signs, and one line a lesion.

Why it exists: a table of every number in the order of a file is unreadable. Measurements are sorted
into the tables below by name; one that no table claims is printed under "Other", so none is lost.
Of the features of a lexicon those that were answered have a line each, and the others one together.
"""

from __future__ import annotations

import re

from tumorboard.measure.signs.features import FEATURES
from tumorboard.measure.signs.mismatch import NAMES as MISMATCH
from tumorboard.measurement import Measurement, StudyMeasurements
from tumorboard.report.model import Matrix, Row, Table
from tumorboard.report.words import NAME_WORDS, find, note_text, row, unit_text, value_text

_REGION_ORDER = ("ET", "NETC", "TC", "SNFH", "WT", "RC", "brain")
_LESION = re.compile(r"lesion (\d+)$")

TABLES: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        "Volumes and extent",
        (
            "volume",
            "volume_native",
            "lesion_count",
            "sum_of_products_ce_only",
            "sum_of_products_filled",
            "sum_of_products_flair",
            "largest_distance",
        ),
    ),
    (
        "Location",
        (
            "side_share_left",
            "side_share_right",
            "crosses_midline",
            "midline_shift",
            "evans_index",
            "ventricle_volume",
            "t1_bright_volume",
            "lobe",
            "depth_to_cortex",
            "depth_to_ventricles",
            "centroid_mni_x",
            "centroid_mni_y",
            "centroid_mni_z",
        ),
    ),
)
"""Title of each table and the measurements it shows, in order."""

SIGNS = "VASARI and signs"
"""Title of the table of features."""

_SIGNS = {**{f.name: f.code for f in FEATURES}, **{name: NAME_WORDS[MISMATCH[0][0]] for name, _ in MISMATCH}}
"""Measurements of that table, and what they are called where there is no value."""

READINGS = (
    ("ce_only", "Enhancing alone"),
    ("filled", "With enclosed core"),
    ("flair", "FLAIR"),
)
"""Readings of the two diameters, as columns of the lesion table."""

MAX_LESIONS = 15
"""Lesions printed; the others stand in ``measurements.csv``."""

_LESION_NAMES = {"volume", "measurable"} | {
    f"{kind}_{reading}"
    for kind in ("longest_diameter", "perpendicular_diameter", "diameter_product", "largest_product")
    for reading, _ in READINGS
}


def lesion_number(region: str) -> int | None:
    """Return n of region ``lesion n``, else None.

    Examples
    --------
    >>> lesion_number("lesion 12"), lesion_number("WT")
    (12, None)
    """
    match = _LESION.match(region)
    return int(match.group(1)) if match else None


def study_tables(measurements: StudyMeasurements) -> tuple[Table, ...]:
    """Return the tables of a study that have rows."""
    left = [m for m in measurements.measurements if not _in_lesion_table(m)]
    tables = []
    for title, names in TABLES:
        chosen = sorted((m for m in left if m.name in names), key=lambda m: _rank(m, names))
        left = [m for m in left if m.name not in names]
        tables.append(Table(title=title, rows=tuple(row(m) for m in chosen)))
    tables.append(Table(title=SIGNS, rows=_sign_rows([m for m in left if m.name in _SIGNS])))
    left = [m for m in left if m.name not in _SIGNS]
    tables.append(Table(title="Other", rows=tuple(row(m) for m in left)))
    return tuple(table for table in tables if table.rows)


def _sign_rows(signs: list[Measurement]) -> tuple[Row, ...]:
    """Return a line for each sign that was answered, and one for all that were not; methods stand in the CSV."""
    rows = [
        Row(label=NAME_WORDS[m.name], value=value_text(m), unit=unit_text(m.unit), note=note_text(m))
        for m in signs
        if m.value is not None
    ]
    absent = ", ".join(dict.fromkeys(_SIGNS[m.name] for m in signs if m.value is None))
    if absent:
        told = "The reason for each, and how the others were read, stand in measurements.csv."
        rows.append(Row(label="Left to a reader", value=absent, method=told, assessable=False))
    return tuple(rows)


def lesion_matrix(measurements: StudyMeasurements) -> Matrix | None:
    """Return one line a lesion with volume, diameters by reading and measurability; None without lesions.

    A column that holds the same ``not assessable`` throughout becomes one note below the table.
    """
    all_of = measurements.measurements
    numbers = sorted({n for m in all_of if (n := lesion_number(m.region)) is not None})
    if not numbers:
        return None
    shown = numbers[:MAX_LESIONS]
    columns = [("Volume", [_single(all_of, "volume", n) for n in shown])]
    columns += [(title, [diameters_text(all_of, reading, n) for n in shown]) for reading, title in READINGS]
    columns.append(("Measurable", [_single(all_of, "measurable", n) for n in shown]))
    kept, notes = _fold(columns)
    if len(numbers) > len(shown):
        notes.append(f"{len(numbers) - len(shown)} smaller lesions stand in measurements.csv.")
    return Matrix(
        title="Lesions, the largest first (diameters: longest × perpendicular)",
        header=("Lesion", *(title for title, _ in kept)),
        rows=tuple((str(n), *(texts[at] for _, texts in kept)) for at, n in enumerate(shown)),
        notes=tuple(notes),
    )


def _in_lesion_table(m: Measurement) -> bool:
    return lesion_number(m.region) is not None and m.name in _LESION_NAMES


def _rank(m: Measurement, names: tuple[str, ...]) -> tuple[int, int]:
    region = _REGION_ORDER.index(m.region) if m.region in _REGION_ORDER else len(_REGION_ORDER)
    return names.index(m.name), region


def with_unit(m: Measurement) -> str:
    """Return value and unit in one text, or ``not assessable: reason``."""
    return f"{value_text(m)} {unit_text(m.unit)}".strip() if m.value is not None else value_text(m)


def _single(all_of: tuple[Measurement, ...], name: str, lesion: int) -> str:
    return with_unit(find(all_of, name, f"lesion {lesion}"))


def _never() -> Measurement:
    """Return what stands for a reading that does not apply to a study."""
    return find((), "", "")


def diameters_text(all_of: tuple[Measurement, ...], reading: str, lesion: int) -> str:
    """Return ``a × b mm (c mm²)`` of one lesion and reading, or ``not assessable: reason``."""
    names = (f"longest_diameter_{reading}", f"perpendicular_diameter_{reading}", f"diameter_product_{reading}")
    longest, perpendicular, product = (find(all_of, name, f"lesion {lesion}") for name in names)
    for m in (longest, perpendicular):
        if m.value is None:
            return value_text(m)
    text = f"{value_text(longest)} × {value_text(perpendicular)} mm"
    if product.value is None:
        return text
    other = value_text(find(all_of, f"largest_product_{reading}", f"lesion {lesion}"))
    more = f"; {other} on another slice" if other not in (value_text(product), value_text(_never())) else ""
    return f"{text} ({value_text(product)} mm²{more})"


def _fold(columns: list[tuple[str, list[str]]]) -> tuple[list[tuple[str, list[str]]], list[str]]:
    """Split columns into those worth printing and one sentence for each that is missing throughout."""
    kept, notes = [], []
    for title, texts in columns:
        if set(texts) == {value_text(_never())}:
            continue
        if len(set(texts)) == 1 and texts[0].startswith("not assessable"):
            notes.append(f"{title}: {texts[0]}.")
        else:
            kept.append((title, texts))
    return kept, notes
