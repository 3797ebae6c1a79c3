"""The key facts of the latest study, for a reader with one minute.

Why it exists: five to eight numbers carry most of a discussion. They are taken from the measurements
as they are; a change against the first study is arithmetic, never a response category.
"""

from __future__ import annotations

from collections.abc import Sequence as Many

from tumorboard.measurement import Measurement, StudyMeasurements
from tumorboard.report.model import Row
from tumorboard.report.tables import diameters_text, lesion_number, with_unit
from tumorboard.report.words import find, note_text, row, value_text

SHIFT_SEEN_MM = 1.0
"""Smallest midline shift that is given a direction; chosen."""

_VOLUMES = (("ET", "Enhancing tumour"), ("TC", "Tumour core"), ("WT", "Whole tumour"))


def key_facts(studies: Many[StudyMeasurements]) -> tuple[Row, ...]:
    """Return the key facts of the last of ``studies``, which are in order of date.

    Raises
    ------
    IndexError
        There is no study.
    """
    latest = studies[-1].measurements
    facts = [_volume(studies, region, label) for region, label in _VOLUMES]
    facts += [_largest(latest), _count(latest), _side(latest), _shift(latest)]
    cavity = find(latest, "volume", "RC", "mL")
    if isinstance(cavity.value, int | float) and cavity.value > 0:
        facts.append(row(cavity, "Resection cavity"))
    return tuple(facts)


def change_text(now: Measurement, before: Measurement) -> str:
    """Return the change of a value in per cent, or why there is none.

    Examples
    --------
    >>> none = Measurement.missing("volume", "ET", "mL", "T1C is missing")
    >>> change_text(none, none)
    'not assessable'
    """
    if not isinstance(now.value, int | float) or not isinstance(before.value, int | float):
        return "not assessable"
    if before.value == 0:
        return "no change (0 mL before)" if now.value == 0 else "new (0 mL before)"
    return f"{100 * (now.value - before.value) / before.value:+.0f} %".replace("-", "−").replace("+0 ", "±0 ")


def _volume(studies: Many[StudyMeasurements], region: str, label: str) -> Row:
    now = find(studies[-1].measurements, "volume", region, "mL")
    fact = row(now, label)
    if len(studies) < 2:
        return fact
    first = studies[0]
    change = change_text(now, find(first.measurements, "volume", region, "mL"))
    note = f"{change} against {first.study}" if change != "not assessable" else ""
    return fact.model_copy(update={"note": "; ".join(part for part in (fact.note, note) if part)})


def _largest(latest: tuple[Measurement, ...]) -> Row:
    """Diameters of the lesion with the largest product on enhancing tissue, else on FLAIR."""
    numbers = {n for m in latest if (n := lesion_number(m.region)) is not None}
    for reading, words in (("ce_only", "enhancing tissue alone"), ("flair", "on FLAIR")):
        products = [(_value(latest, f"diameter_product_{reading}", n), n) for n in numbers]
        known = [(value, -n) for value, n in products if value is not None]
        if known:
            lesion = -max(known)[1]
            text, _, product = diameters_text(latest, reading, lesion).partition(" (")
            note = f"lesion {lesion}, {words}" + (f"; product {product.rstrip(')')}" if product else "")
            return Row(label="Largest diameters", value=text.removesuffix(" mm"), unit="mm", note=note)
    reason = _why_no_diameter(latest)
    return Row(label="Largest diameters", value=f"not assessable: {reason}", assessable=False)


def _why_no_diameter(latest: tuple[Measurement, ...]) -> str:
    reasons = [m.reason for m in latest if m.name.startswith("longest_diameter") and m.reason]
    return reasons[0] if reasons else "no lesion was found"


def _value(latest: tuple[Measurement, ...], name: str, lesion: int) -> float | None:
    value = find(latest, name, f"lesion {lesion}").value
    return float(value) if isinstance(value, int | float) else None


def _count(latest: tuple[Measurement, ...]) -> Row:
    core, whole = find(latest, "lesion_count", "TC"), find(latest, "lesion_count", "WT")
    main, other = (core, whole) if core.value is not None else (whole, core)
    words = {"TC": "tumour core", "WT": "whole tumour"}
    fact = row(main, "Separate lesions")
    if main.value is None or other.value is None:
        return fact.model_copy(update={"note": f"of the {words[main.region]}" if fact.assessable else ""})
    return fact.model_copy(update={"note": f"of the core; {value_text(other)} of the whole tumour"})


def _side(latest: tuple[Measurement, ...]) -> Row:
    left, right = find(latest, "side_share_left", "WT", "%"), find(latest, "side_share_right", "WT", "%")
    if not isinstance(left.value, int | float) or not isinstance(right.value, int | float):
        return row(left, "Side")
    side, share = ("left", left) if left.value >= right.value else ("right", right)
    lobe, crosses = find(latest, "lobe", "WT"), find(latest, "crosses_midline", "WT")
    parts = [f"{with_unit(share)} of the whole tumour"]
    if lobe.value is not None:
        parts.append(f"lobe: {lobe.value} ({note_text(lobe) or 'measured'})")
    if crosses.value is not None:
        parts.append(f"crosses the midline: {crosses.value}")
    return Row(label="Side", value=side, note="; ".join(parts), method=share.method)


def _shift(latest: tuple[Measurement, ...]) -> Row:
    shift = find(latest, "midline_shift", "brain", "mm")
    fact = row(shift, "Midline shift")
    if not isinstance(shift.value, int | float) or abs(shift.value) < SHIFT_SEEN_MM:
        return fact
    side = "right" if shift.value > 0 else "left"
    size = fact.value.removeprefix("−")
    return fact.model_copy(update={"value": size, "note": f"to the patient's {side}; {fact.note}".removesuffix("; ")})
