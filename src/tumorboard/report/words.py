"""How a measurement is put into words: names, units, digits, and what to say when there is no number.

Why it exists: a reader must never meet a bare number, an internal name or a 0 that means "missing".
Every text about a measurement that is printed anywhere comes from here.
"""

from __future__ import annotations

from tumorboard.measure.signs.features import FEATURES
from tumorboard.measurement import Measurement
from tumorboard.report.model import Row

REGION_WORDS = {
    "ET": "Enhancing tumour (ET)",
    "NETC": "Necrosis and non-enhancing core (NETC)",
    "SNFH": "Oedema and infiltration (SNFH)",
    "RC": "Resection cavity (RC)",
    "TC": "Tumour core (TC = ET + NETC)",
    "WT": "Whole tumour (WT = TC + SNFH)",
    "NCE": "Tumour that does not enhance (NETC + SNFH)",
    "brain": "Brain",
    "brain tissue": "Brain without tumour and cavity",
    "necrosis": "Necrosis",
    "blood": "Fresh blood",
}

NAME_WORDS = {
    "volume": "volume",
    "volume_native": "volume on the slices as acquired",
    "lesion_count": "number of lesions",
    "largest_distance": "largest distance between lesions",
    "sum_of_products_ce_only": "sum of diameter products, enhancing tissue alone",
    "sum_of_products_filled": "sum of diameter products, with the enclosed core",
    "sum_of_products_flair": "sum of diameter products on FLAIR",
    "side_share_left": "share in the left hemisphere",
    "side_share_right": "share in the right hemisphere",
    "crosses_midline": "crosses the midline",
    "midline_shift": "midline shift",
    "centroid_mni_x": "centroid, MNI x (right +)",
    "centroid_mni_y": "centroid, MNI y (anterior +)",
    "centroid_mni_z": "centroid, MNI z (superior +)",
    "lobe": "lobe",
    "depth_to_cortex": "distance to the brain surface",
    "depth_to_ventricles": "distance to the ventricles",
    "ventricle_volume": "volume of the ventricles",
    "evans_index": "Evans index (width of frontal horns over brain)",
    "t1_bright_volume": "bright on T1 before contrast agent",
    "t2flair_mismatch": "T2-FLAIR mismatch",
    "t2flair_mismatch_share": "T2-FLAIR mismatch, share of the tumour",
    "t2flair_mismatch_rim": "T2-FLAIR mismatch, bright share of the rim",
    "volume_before": "volume before the operation",
    "volume_after": "volume after the operation",
    "volume_change": "change of volume",
    "residual_volume": "residual volume",
    "blood_volume": "volume of fresh blood",
    "extent_of_resection": "extent of resection",
    "resection_category": "category of the resection",
    "rano_resect_class": "RANO resect class",
    "tumour_to_brain_before": "part of the brain before the operation",
    "tumour_to_brain_after": "part of the brain after the operation",
    "midline_shift_before": "midline shift before the operation",
    "midline_shift_after": "midline shift after the operation",
    "midline_shift_change": "change of the midline shift",
    "days_before": "days from the study before to the operation",
    "days_after": "days from the operation to the study after",
    **{feature.name: f"{feature.code} {feature.title}" for feature in FEATURES},
}

UNIT_WORDS = {"1": "", "mm2": "mm²", "mm3": "mm³"}

_DIGITS = {"mL": 1, "mm": 1, "mm2": 0, "%": 0, "d": 0}
_UNSURE = {"coarse", "proxy"}


def number(value: float | int, unit: str) -> str:
    """Return a number with the digits its unit deserves; small volumes keep more, and never become 0.

    Examples
    --------
    >>> number(12.345, "mL"), number(0.034, "mL"), number(0.0004, "mL"), number(0, "mL"), number(812.4, "mm2")
    ('12.3', '0.03', '< 0.01', '0', '812')
    """
    if value == 0 or (isinstance(value, int) and unit == "1"):
        return f"{value:.0f}".replace("-", "−")
    digits = _DIGITS.get(unit, 2)
    if unit == "mL" and abs(value) < 1:
        digits = 2
    smallest = 10.0**-digits
    if abs(value) <= smallest / 2:
        return f"< {smallest:.{digits}f}" if value > 0 else f"> −{smallest:.{digits}f}"
    return f"{value:.{digits}f}".replace("-", "−")


def value_text(m: Measurement) -> str:
    """Return the value without unit, or ``not assessable: reason``."""
    if m.value is None:
        return f"not assessable: {m.reason}"
    return m.value if isinstance(m.value, str) else number(m.value, m.unit)


def unit_text(unit: str) -> str:
    """Return the unit as printed: mm² for ``mm2``, nothing for a pure number."""
    return UNIT_WORDS.get(unit, unit)


def note_text(m: Measurement) -> str:
    """Return what must stand beside the value: its quality when not measured directly, and its interval."""
    parts: list[str] = [m.quality] if m.quality in _UNSURE and m.value is not None else []
    if m.interval is not None:
        low, high = (number(bound, m.unit) for bound in m.interval)
        parts.append(f"interval {low} to {high} {unit_text(m.unit)}".rstrip())
    return "; ".join(parts)


def label_text(m: Measurement) -> str:
    """Return the name of a measurement in words, for example ``Whole tumour: lobe``."""
    region = REGION_WORDS.get(m.region, m.region[:1].upper() + m.region[1:])
    if m.name == "volume":
        return region
    if m.region in ("study", "brain"):
        name = NAME_WORDS.get(m.name, m.name.replace("_", " "))
        return name[:1].upper() + name[1:]
    return f"{region.partition(' (')[0]}: {NAME_WORDS.get(m.name, m.name.replace('_', ' '))}"


def row(m: Measurement, label: str = "") -> Row:
    """Return the row of a measurement; ``label`` replaces the name in words.

    Examples
    --------
    >>> row(Measurement.missing("volume", "ET", "mL", "T1C is missing")).value
    'not assessable: T1C is missing'
    """
    known = m.value is not None
    return Row(
        label=label or label_text(m),
        value=value_text(m),
        unit=unit_text(m.unit) if known else "",
        method=m.method,
        note=note_text(m),
        assessable=known,
    )


def find(measurements: tuple[Measurement, ...], name: str, region: str, unit: str = "1") -> Measurement:
    """Return a measurement by name and region, or one that says it was not measured."""
    for m in measurements:
        if (m.name, m.region) == (name, region):
            return m
    return Measurement.missing(name, region, unit, "not measured in this study")
