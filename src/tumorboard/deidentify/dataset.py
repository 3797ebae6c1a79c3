"""One dataset made free of its patient: the action table applied to every element, down through sequences.

Why it exists: here each code of the table becomes a deed. Nothing is kept that cannot be read, and a kept
text that holds anything known of the patient goes all the same.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from tumorboard.deidentify.actions import code_of
from tumorboard.deidentify.dates import cap_age, shift_moment
from tumorboard.deidentify.identifiers import Identifiers
from tumorboard.deidentify.private import safe_private_tags
from tumorboard.deidentify.secret import Secret, is_standard
from tumorboard.deidentify.words import (
    METHOD,
    OPTIONS,
    REMOVED,
    STANDARD_SCHEMES,
    clean_text,
    meaning_of,
)

NEVER_EMPTY = frozenset(
    (
        *("SegmentLabel", "CodeMeaning", "TextValue", "ROIName", "StructureSetLabel", "RTPlanLabel"),
        *("SegmentAlgorithmName", "AlgorithmName", "PulseSequenceName", "TrackingID", "FrameLabel", "EntityLabel"),
        "DeviceLabel",
    )
)
"""Attributes of type 1 or close to it: where no word is left, a dummy stands."""

_VALID = {
    "CS": re.compile(r"[A-Z0-9 _]{0,16}"),
    "DS": re.compile(r" *[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)? *"),
    "IS": re.compile(r" *[+-]?\d{1,11} *"),
}
_TEXT = frozenset(("LO", "SH", "ST", "LT", "UT", "UC", "CS", "AE", "PN"))
_DUMMIES: dict[str, Any] = {"IS": "0", "DS": "0", "AS": "000Y", "UR": "urn:removed"}


@dataclass(frozen=True)
class Rules:
    """What holds for all files of one patient.

    Parameters
    ----------
    secret : Secret
        Of the run.
    pseudonym : str
        New name and id.
    shift_days : int or None
        Days by which dates move; None keeps them.
    known : Identifiers
        What may stand in no output.
    """

    secret: Secret
    pseudonym: str
    shift_days: int | None
    known: Identifiers = field(repr=False)


def clean_dataset(dataset: Any, rules: Rules, counts: Counter[tuple[str, str]]) -> None:
    """Apply the action table to a dataset and its sequences, in place.

    Parameters
    ----------
    dataset : pydicom.Dataset
        Without file meta information.
    rules : Rules
        Of its patient.
    counts : Counter of (keyword, code)
        Grows by what was done; ``private`` and ``unknown`` stand for attributes without a keyword.

    Examples
    --------
    >>> from pydicom.dataset import Dataset
    >>> ds = Dataset()
    >>> ds.PatientName, ds.PatientComments, ds.SeriesDescription, ds.StudyDate = "Doe^Jo", "a", "Jo T1", "20240301"
    >>> clean_dataset(ds, Rules(Secret(bytes(32)), "P1", -1, Identifiers()), Counter())
    >>> str(ds.PatientName), "PatientComments" in ds, ds.SeriesDescription, ds.StudyDate
    ('P1', False, 'T1', '20240229')
    """
    _clean_code(dataset)
    safe = safe_private_tags(dataset)
    for tag in list(dataset.keys()):
        if tag.is_private:
            code = "K" if tag in safe else "X"
            if code == "X":
                del dataset[tag]
            counts["private", code] += 1
            continue
        try:
            element = dataset[tag]
            code = _apply(dataset, element, rules, counts)
            keyword = element.keyword
        except Exception:  # a value that cannot be read cannot be cleaned
            code, keyword = "X", ""
        if code == "X":
            del dataset[tag]
        counts[keyword or "unknown", code] += 1


def _apply(dataset: Any, element: Any, rules: Rules, counts: Counter[tuple[str, str]]) -> str:
    """Do what the table says to one element; returns the code that was done."""
    code = code_of(int(element.tag), element.VR, bool(element.keyword))
    if element.keyword == "SpecificCharacterSet":
        return "X"  # everything that is left is ASCII
    if code == "X":
        return code
    if element.VR == "SQ":
        if code == "Z":
            element.value = []
            return code
        for item in element.value or ():
            clean_dataset(item, rules, counts)
        return code
    if code in "KC" and not element.is_empty:
        return _keep(dataset, element, code, rules)
    _replace(element, code, rules)
    return code


def _replace(element: Any, code: str, rules: Rules) -> None:
    """Put in place of a value what the code says."""
    if element.is_empty and code != "P":
        return
    values = [str(v) for v in element.value] if element.VM > 1 else [str(element.value)]
    if element.VR == "UI" and code in "UD":
        new: Any = [v if is_standard(v) else rules.secret.uid(v) for v in values if v]
    elif element.VR in ("DA", "DT", "TM") and code in "SD":
        days = rules.shift_days or 0
        new = [moved for v in values if (moved := shift_moment(v, element.VR, days))]
    elif code == "A":
        new = [cap_age(v) for v in values]
    elif code == "P":
        new = [rules.pseudonym]
    elif code == "D":
        new = [_dummy(element)]
    else:
        new = []
    element.value = new[0] if len(new) == 1 else new or None


def _dummy(element: Any) -> Any:
    if element.VR in _TEXT:
        return REMOVED
    if element.VR in _DUMMIES:
        return _DUMMIES[element.VR]
    return b"\0\0" if element.VR.startswith("O") or element.VR == "UN" else 0


def _keep(dataset: Any, element: Any, code: str, rules: Rules) -> str:
    """Keep a value, its words of the field, or nothing; returns what was done."""
    if element.VR not in _TEXT and element.VR not in _VALID:
        return code
    values = [str(v) for v in element.value] if element.VM > 1 else [str(element.value)]
    pattern = _VALID.get(element.VR)
    if pattern is not None and element.VR != "CS":
        return code if all(pattern.fullmatch(v) for v in values) else "X"
    if code == "K" and all(v.isascii() and (pattern is None or pattern.fullmatch(v)) for v in values):
        if not any(rules.known.in_text(v) for v in values):
            return code
        element.value = REMOVED
        return "D"
    kept = [_cleaned(dataset, element, v, rules) for v in values]
    if element.VR == "CS":
        kept = [v.upper().replace("+", " ").replace("*", " ")[:16] for v in kept]
    element.value = kept[0] if len(kept) == 1 else kept
    return "C"


def _cleaned(dataset: Any, element: Any, value: str, rules: Rules) -> str:
    words = value if element.keyword == "CodeMeaning" and _is_published(dataset) else clean_text(value)
    if rules.known.in_text(words):
        words = ""
    return words or (REMOVED if element.keyword in NEVER_EMPTY else "")


def _is_published(dataset: Any) -> bool:
    return meaning_of(*_scheme_and_value(dataset)) is not None


def _scheme_and_value(dataset: Any) -> tuple[str, str]:
    try:
        return str(dataset.get("CodingSchemeDesignator") or ""), str(dataset.get("CodeValue") or "")
    except Exception:  # a damaged value is no published code
        return "", ""


def _clean_code(item: Any) -> None:
    """Give a code the meaning of its scheme; a site's own code loses its value (PS3.3 8.8)."""
    scheme, value = _scheme_and_value(item)
    if not scheme and not value:
        return
    meaning = meaning_of(scheme, value)
    if meaning is not None and "CodeMeaning" in item:
        item.CodeMeaning = meaning[:64]
    if scheme not in STANDARD_SCHEMES:
        for keyword in ("CodeValue", "LongCodeValue", "URNCodeValue"):
            if keyword in item:
                setattr(item, keyword, REMOVED)
        item.CodingSchemeDesignator = "99" + REMOVED


def mark(dataset: Any, options: tuple[str, ...], dates_kept: bool) -> None:
    """Record at the root of a dataset what was done (PS3.3 C.7.1.1, C.7.3.1, C.12.1).

    Parameters
    ----------
    dataset : pydicom.Dataset
        Cleaned.
    options : tuple of str
        Codes of :data:`tumorboard.deidentify.words.OPTIONS`.
    dates_kept : bool
        Whether dates are the original ones.
    """
    from pydicom.dataset import Dataset

    dataset.PatientIdentityRemoved = "YES"
    dataset.DeidentificationMethod = METHOD
    codes = []
    for value in options:
        item = Dataset()
        item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, "DCM", OPTIONS[value]
        codes.append(item)
    dataset.DeidentificationMethodCodeSequence = codes
    dataset.LongitudinalTemporalInformationModified = "UNMODIFIED" if dates_kept else "MODIFIED"
