"""DICOM JSON that came from outside: checked value by value before anything is done with it.

Why it exists: a worklist is written to over a network. A dataset that is not what its tags say is refused as a whole,
with the tag at fault; nothing is guessed. Values are checked by pydicom's rules for each representation.

Source: PS3.18 annex F (DICOM JSON model); PS3.5 6.2 (value representations).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from tumorboard.serve.ups.refused import Refused

Json = dict[str, Any]

MOST_DEPTH = 8
MOST_VALUES = 20_000
"""Deeper or larger datasets are no work items; chosen."""

_TAG = re.compile(r"[0-9A-F]{8}\Z")
_NUMBERS = {"DS", "IS", "FL", "FD", "SL", "SS", "UL", "US", "SV", "UV"}


def checked_dataset(content: Any) -> Json:
    """Return a dataset in DICOM JSON that is sound: known tags with their representation, and values that fit it.

    Parameters
    ----------
    content : object
        As read from JSON: a dataset, or a list that holds one.

    Returns
    -------
    dict

    Raises
    ------
    Refused
        400, with the tag at fault.

    Examples
    --------
    >>> checked_dataset([{"00741000": {"vr": "CS", "Value": ["SCHEDULED"]}}])
    {'00741000': {'vr': 'CS', 'Value': ['SCHEDULED']}}
    >>> checked_dataset({"00741000": {"vr": "CS", "Value": ["in progress?"]}})
    Traceback (most recent call last):
    tumorboard.serve.ups.refused.Refused: 400: 00741000 holds what its representation CS does not allow.
    """
    if isinstance(content, list) and len(content) == 1:
        content = content[0]
    if not isinstance(content, dict):
        raise Refused(400, "One dataset in DICOM JSON was expected.")
    budget = [MOST_VALUES]
    return _dataset(content, 0, budget)


def _dataset(content: Mapping[str, Any], depth: int, budget: list[int]) -> Json:
    if depth > MOST_DEPTH:
        raise Refused(400, f"The dataset is deeper than {MOST_DEPTH} sequences.")
    out: Json = {}
    for tag, element in sorted(content.items()):
        if not _TAG.match(tag) or not isinstance(element, dict):
            raise Refused(400, "A tag of eight hexadecimal digits with its element was expected.")
        out[tag] = _element(tag, element, depth, budget)
    return out


def _element(tag: str, element: Mapping[str, Any], depth: int, budget: list[int]) -> Json:
    vr = element.get("vr")
    if not isinstance(vr, str) or not _known(tag, vr):
        raise Refused(400, f"{tag} has not the representation that the standard gives it.")
    if set(element) - {"vr", "Value"}:
        raise Refused(400, f"{tag} holds bulk data, which a work item has none of.")
    values = element.get("Value", [])
    if not isinstance(values, list):
        raise Refused(400, f"{tag} has no list of values.")
    budget[0] -= len(values) + 1
    if budget[0] < 0:
        raise Refused(400, f"The dataset holds more than {MOST_VALUES} values.")
    if vr == "SQ":
        if not all(isinstance(item, dict) for item in values):
            raise Refused(400, f"{tag} has items that are no datasets.")
        return {"vr": vr, "Value": [_dataset(item, depth + 1, budget) for item in values]} if values else {"vr": vr}
    if not all(_fits(vr, value) for value in values):
        raise Refused(400, f"{tag} holds what its representation {vr} does not allow.")
    return {"vr": vr, "Value": values} if values else {"vr": vr}


def _known(tag: str, vr: str) -> bool:
    """Whether the standard gives a tag this representation; private and unknown tags are taken as they say."""
    from pydicom.datadict import dictionary_has_tag, dictionary_VR
    from pydicom.valuerep import STANDARD_VR

    number = int(tag, 16)
    if dictionary_has_tag(number):
        return vr in dictionary_VR(number).split(" or ")
    return vr in set(STANDARD_VR)


def _fits(vr: str, value: Any) -> bool:
    from pydicom import config
    from pydicom.valuerep import validate_value

    if value is None:
        return True
    if vr == "PN":
        if not isinstance(value, dict) or set(value) - {"Alphabetic", "Ideographic", "Phonetic"}:
            return False
        texts: list[Any] = list(value.values())
    else:
        texts = [value]
    if vr in _NUMBERS and isinstance(value, int | float) and not isinstance(value, bool):
        return True
    if not all(isinstance(t, str) and "\x00" not in t for t in texts):
        return False
    try:
        for text in texts:
            validate_value(vr, text, config.RAISE)
    except ValueError:
        return False
    return True


def values_of(dataset: Mapping[str, Any], path: Iterable[str]) -> list[str]:
    """Return the values at a path of tags as texts, through all items of sequences on the way.

    Of a person's name it is the alphabetic form.

    Examples
    --------
    >>> codes = {"00404018": {"vr": "SQ", "Value": [{"00080100": {"vr": "SH", "Value": ["110005"]}}]}}
    >>> values_of(codes, ("00404018", "00080100"))
    ['110005']
    """
    tags = tuple(path)
    values = dataset.get(tags[0], {}).get("Value", [])
    if len(tags) > 1:
        return [text for item in values if isinstance(item, dict) for text in values_of(item, tags[1:])]
    return [str(v.get("Alphabetic", "")) if isinstance(v, dict) else str(v) for v in values if v is not None]


def first(dataset: Mapping[str, Any], *path: str) -> str:
    """Return the first value at a path of tags as text; empty where there is none."""
    return next(iter(values_of(dataset, path)), "")


def element(vr: str, *values: Any) -> Json:
    """Return an element; empty values are left out.

    Examples
    --------
    >>> element("CS", "HIGH"), element("LO", "")
    ({'vr': 'CS', 'Value': ['HIGH']}, {'vr': 'LO'})
    """
    kept = [v for v in values if v not in ("", None)]
    return {"vr": vr, "Value": kept} if kept else {"vr": vr}
