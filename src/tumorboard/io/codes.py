"""What our classes, regions, measurements and units are called in DICOM's coding schemes.

Why it exists: another system understands a code, not our word. Each line names the public code of a thing
where the field has one (SCT, DCM, NCIt, UCUM; checked against PS3.16 as pydicom lists it); where it has
none, a private code of scheme 99TUMORBOARD says what is meant instead of one that says something near.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from tumorboard.labels import Tissue

PRIVATE = "99TUMORBOARD"
"""Our own coding scheme. Source: PS3.3 8.2 (private designators begin with 99)."""


class Code(NamedTuple):
    """A code of a scheme; the meaning is for people and at most 64 characters."""

    value: str
    scheme: str
    meaning: str


def own(value: str, meaning: str) -> Code:
    """Return a private code.

    Examples
    --------
    >>> own("RC", "Resection cavity")
    Code(value='RC', scheme='99TUMORBOARD', meaning='Resection cavity')
    """
    return Code(value, PRIVATE, meaning)


ABNORMAL = Code("49755003", "SCT", "Morphologically Abnormal Structure")
"""Category of every segment. Source: PS3.16 CID 7150."""

BRAIN = Code("12738006", "SCT", "Brain")
MR_BRAIN = Code("24590-2", "LN", "MR Brain")
"""Procedure reported (unverified: LOINC itself is not at hand)."""

LESION = Code("52988006", "SCT", "Lesion")

TISSUES: dict[Tissue, Code] = {
    Tissue.NETC: Code("C81175", "NCIt", "Non-Enhancing Lesion"),
    Tissue.SNFH: Code("79654002", "SCT", "Edema"),
    Tissue.ET: Code("C113842", "NCIt", "Enhancing Lesion"),
    Tissue.RC: own("RC", "Resection cavity"),
}
"""Type of each segment. Source: PS3.16 CID 7159; it has no resection cavity."""

REGIONS: dict[str, Code] = {
    **{tissue.name: code for tissue, code in TISSUES.items()},
    "TC": own("TC", "Tumour core: NETC and ET"),
    "WT": own("WT", "Whole tumour: NETC, SNFH and ET"),
    "brain": BRAIN,
}
"""Finding of each region; a lesion is :data:`LESION`."""

COLOURS: dict[Tissue, tuple[float, float, float]] = {
    Tissue.NETC: (45.0, 56.0, 36.0),
    Tissue.SNFH: (80.0, -40.0, 55.0),
    Tissue.ET: (78.0, 8.0, 78.0),
    Tissue.RC: (60.0, -12.0, -40.0),
}
"""Recommended display colours, CIELab (L 0-100, a and b -128-127): red, green, yellow, blue; chosen."""

FAMILIES: dict[str, Code] = {
    "cluster": Code("123107", "DCM", "Cluster Analysis"),
    "network": Code("123110", "DCM", "Artificial Intelligence"),
    "manual": Code("123109", "DCM", "Manual Processing"),
}
"""Kinds of algorithms. Source: PS3.16 CID 7162."""

UNITS: dict[str, Code] = {
    "mL": Code("mL", "UCUM", "milliliter"),
    "mm": Code("mm", "UCUM", "millimeter"),
    "mm2": Code("mm2", "UCUM", "square millimeter"),
    "%": Code("%", "UCUM", "percent"),
    "1": Code("1", "UCUM", "no units"),
}
"""Units of measurements."""

LONG_AXIS = Code("103339001", "SCT", "Long Axis")
PERPENDICULAR = Code("131189007", "SCT", "Perpendicular Axis")
VOLUME = Code("118565006", "SCT", "Volume")

READINGS = ("ce_only", "filled", "flair")
"""What a diameter is drawn in; ends its name."""

MEASUREMENTS: dict[str, Code] = {
    "volume": VOLUME,
    "volume_native": VOLUME,
    "lesion_count": Code("246206008", "SCT", "Number of lesions"),
    **{f"longest_diameter_{reading}": LONG_AXIS for reading in READINGS},
    **{f"perpendicular_diameter_{reading}": PERPENDICULAR for reading in READINGS},
}
"""Measurements that have a public code; every other one is private, its value our name."""

SHORT: dict[str, str] = {
    "depth_to_ventricles": "depth_ventricles",
    "t2flair_mismatch_share": "t2flair_mm_share",
    "t2flair_mismatch_rim": "t2flair_mm_rim",
    **{f"diameter_product_{reading}": f"product_{reading}" for reading in READINGS},
    **{f"largest_product_{reading}": f"max_prod_{reading}" for reading in READINGS},
    **{f"sum_of_products_{reading}": f"sum_prod_{reading}" for reading in READINGS},
}
"""Private code values of names longer than the 16 characters that every system reads (PS3.5 6.2, SH)."""

LEXICON = re.compile(r"vasari_F\d\d")
"""How names of features begin; that much is their private code value."""

ENGLISH = Code("en", "RFC5646", "English")
METHOD = Code("370129005", "SCT", "Measurement Method")
COMMENT = Code("121106", "DCM", "Comment")
SOURCE = Code("121112", "DCM", "Source of Measurement")
NOT_ATTEMPTED = Code("114007", "DCM", "Measurement not attempted")
REASON = own("reason", "Why it is not assessable")
LOWER, UPPER = own("lower", "Lower bound of the interval"), own("upper", "Upper bound of the interval")
QUALITY = own("quality", "Quality of the measurement")
QUALITIES = {
    "coarse": own("coarse", "Coarse: through the atlas"),
    "proxy": own("proxy", "Proxy: stands for what a reader would measure"),
}

WORDS: dict[str, Code] = {
    "yes": Code("373066001", "SCT", "Yes"),
    "no": Code("373067005", "SCT", "No"),
    "frontal": Code("83251001", "SCT", "Frontal lobe"),
    "parietal": Code("16630005", "SCT", "Parietal lobe"),
    "temporal": Code("78277001", "SCT", "Temporal lobe"),
    "occipital": Code("31065004", "SCT", "Occipital lobe"),
    "insula": Code("36169008", "SCT", "Insula"),
    "cerebellum": Code("113305005", "SCT", "Cerebellum"),
}
"""Values that are words and have a public code."""


RESPONSE_METHOD = Code("112021", "DCM", "Response Evaluation Method")
RESPONSE = Code("112048", "DCM", "Current Response")
RESPONSE_SUM = Code("112051", "DCM", "Measurement of Response")
IMAGING_ONLY = own("imaging_only", "Response by the images alone")
UNSETTLED = own("raw_category", "Response before windows and confirmation")
CONFIRMATION = own("confirmation", "Whether it was seen again")
REFERENCE_DATE = own("reference_date", "Date of the study compared with")
CHANCE = own("probability", "Probability under the errors of measurement")
CRITERION = own("criterion", "Response criterion, version and source")
RULE = own("rule", "Rule that made the category")
IN_WORDS = own("verdict", "Verdict in words")

CRITERIA: dict[str, Code] = {
    "recist-1.1": Code("126081", "DCM", "RECIST 1.1"),
    "rano-hgg": Code("C114879", "NCIt", "RANO"),
}
"""Criteria with a public code; others are private. Source: PS3.16 CID 6147 (unverified: that its RANO is of 2010)."""

CATEGORIES: dict[str, Code] = {
    "BL": Code("121079", "DCM", "Baseline"),
    "CR": Code("C4870", "NCIt", "Complete Response"),
    "CRu": Code("C165198", "NCIt", "Complete Response Unconfirmed"),
    "PR": Code("C18058", "NCIt", "Partial Response"),
    "MR": own("MR", "Minor response"),
    "SD": Code("C18213", "NCIt", "Stable Disease"),
    "PD": Code("C35571", "NCIt", "Progressive Disease"),
    "NE": Code("C62222", "NCIt", "Not Evaluable"),
}
"""Response categories; DICOM's own (CID 6143) are of single lesions. Source: NCIt as the data dictionary of the
Pediatric Cancer Data Commons maps it."""

CONFIRMED: dict[str, Code] = {
    "yes": own("confirmed", "Confirmed by another study"),
    "no": own("not_confirmed", "Not confirmed by another study"),
    "pending": own("pending", "Waits for another study"),
    "not_required": own("not_required", "Needs no confirmation"),
}
"""What became of a response or a progression."""


def criterion_code(name: str, title: str) -> Code:
    """Return the code of a response criterion, private where the field has none.

    Examples
    --------
    >>> criterion_code("recist-1.1", "RECIST 1.1 (brain)").value, criterion_code("mrano", "modified RANO")
    ('126081', Code(value='mrano', scheme='99TUMORBOARD', meaning='modified RANO'))
    """
    return CRITERIA.get(name) or own(name, title[:64])


def measurement_code(name: str) -> Code:
    """Return the code of a measurement, private where the field has none.

    Examples
    --------
    >>> measurement_code("volume").scheme, measurement_code("midline_shift")
    ('SCT', Code(value='midline_shift', scheme='99TUMORBOARD', meaning='midline shift'))
    >>> measurement_code("vasari_F05_proportion_enhancing").value
    'vasari_F05'
    """
    feature = LEXICON.match(name)  # features of the VASARI lexicon are known by their numbers
    value = feature.group() if feature else SHORT.get(name, name)
    return MEASUREMENTS.get(name) or own(value, name.replace("_", " ")[:64])


def unit_code(unit: str) -> Code:
    """Return the code of a unit.

    Examples
    --------
    >>> unit_code("mm2").meaning, unit_code("cm")
    ('square millimeter', Code(value='cm', scheme='UCUM', meaning='cm'))
    """
    return UNITS.get(unit) or Code(unit, "UCUM", unit)


def region_code(region: str) -> Code:
    """Return the code of what was found in a region; any lesion is a lesion.

    Examples
    --------
    >>> region_code("lesion 2").meaning, region_code("SNFH").meaning
    ('Lesion', 'Edema')
    """
    return REGIONS.get(region) or (LESION if region.startswith("lesion") else own(region, region))


def word_code(word: str) -> Code:
    """Return the code of a value that is a word; our word itself where there is none.

    Examples
    --------
    >>> word_code("temporal").scheme, word_code("insula").scheme
    ('SCT', 'SCT')
    """
    return WORDS.get(word) or own(word, word)


def word_of(value: str, scheme: str) -> str:
    """Return our word for a coded value.

    Examples
    --------
    >>> word_of("373066001", "SCT"), word_of("deep grey matter", PRIVATE)
    ('yes', 'deep grey matter')
    """
    return next((word for word, code in WORDS.items() if code[:2] == (value, scheme)), value)
