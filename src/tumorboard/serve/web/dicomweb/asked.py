"""What a search asks: read from the address, checked, turned into conditions on columns.

Why it exists: everything in an address is a stranger's; a value becomes a bound parameter, never a part of a statement,
and what cannot be understood is refused instead of ignored. Source: PS3.18 8.3.4, PS3.4 C.2.2.2 (matching).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, func, or_, select

from tumorboard.serve.data.tables import Series, Study
from tumorboard.serve.web.dicomweb.attributes import LEVELS, MODALITIES, Attribute
from tumorboard.serve.web.refusals import BadRequest

MOST, USUAL = 5000, 1000
"""Most results of one answer, and how many where nothing is asked."""

LONGEST = 1024
"""Characters of a value; a list of UIDs is the longest."""

_UID = re.compile(r"[0-9.]{1,64}")
_RANGES = {"DA": re.compile(r"\d{8}"), "TM": re.compile(r"\d{2}(\d{2}(\d{2}(\.\d{1,6})?)?)?")}
_OWN = frozenset({"limit", "offset", "fuzzymatching", "includefield"})


@dataclass(frozen=True)
class Asked:
    """A search that was understood.

    Parameters
    ----------
    conditions : tuple
        On columns.
    limit, offset : int
        Which of the results.
    more : tuple of str
        Tags to be returned beside the usual ones; ``all`` for everything.
    warnings : tuple of str
        What was not done.
    """

    conditions: tuple[Any, ...]
    limit: int
    offset: int
    more: tuple[str, ...]
    warnings: tuple[str, ...]


def read_asked(level: str, items: Iterable[tuple[str, str]]) -> Asked:
    """Read the query of an address.

    Parameters
    ----------
    level : str
        ``studies``, ``series`` or ``instances``.
    items : iterable of (str, str)
        Names and values.

    Raises
    ------
    BadRequest
        A name is no attribute, or a value is none.

    Examples
    --------
    >>> asked = read_asked("studies", [("PatientID", "P*"), ("limit", "5"), ("0008103E", "x")])
    >>> len(asked.conditions), asked.limit, asked.warnings
    (1, 5, ('not matched: SeriesDescription',))
    """
    pairs = list(items)
    told = {name: value for name, value in pairs if name in _OWN}
    fuzzy = _switch(told.get("fuzzymatching", "false"))
    conditions, unmatched = [], []
    for name, value in pairs:
        if name in _OWN:
            continue
        if len(value) > LONGEST or "\x00" in value:
            raise BadRequest("a shorter value")
        tag, keyword = _known(name)
        attribute = next((a for a in LEVELS[level] if a.tag == tag), None)
        if tag == MODALITIES:
            conditions.append(_modalities(value))
        elif attribute is None:
            unmatched.append(keyword)
        elif value not in ("", "*"):
            conditions.append(_condition(attribute, value, fuzzy))
    more = tuple(dict.fromkeys(t for n, v in pairs if n == "includefield" for t in _fields(v)))
    limit, offset = min(_count(told.get("limit"), USUAL), MOST), _count(told.get("offset"), 0)
    return Asked(tuple(conditions), limit, offset, more, tuple(f"not matched: {k}" for k in unmatched))


def _known(name: str) -> tuple[str, str]:
    """Return tag and keyword of an attribute that DICOM knows, named by either."""
    from pydicom.datadict import keyword_for_tag, tag_for_keyword

    if re.fullmatch(r"[0-9A-Fa-f]{8}", name):
        keyword = keyword_for_tag(int(name, 16))
        if keyword:
            return name.upper(), keyword
    number = tag_for_keyword(name) if name.isidentifier() else None
    if number is None:
        raise BadRequest("the keyword or tag of a DICOM attribute")
    return f"{number:08X}", name


def _fields(value: str) -> list[str]:
    return ["all" if field == "all" else _known(field)[0] for field in value.split(",") if field]


def _condition(attribute: Attribute, value: str, fuzzy: bool) -> Any:
    column, kind = attribute.column, attribute.match
    if kind == "uid":
        uids = re.split(r"[,\\]", value)
        if not all(_UID.fullmatch(uid) for uid in uids):
            raise BadRequest("UIDs")
        return column.in_(uids)
    if kind == "whole":
        return column == _number(value)
    if kind == "range":
        return _range(attribute, value)
    if kind == "name" and fuzzy:
        words = [word for word in re.split(r"[\s^,*?]+", value) if word]
        return and_(*(column.icontains(word, autoescape=True) for word in words))
    return column.ilike(_pattern(value), escape="/") if kind == "name" else _text(column, value)


def _text(column: Any, value: str) -> Any:
    if "*" not in value and "?" not in value:
        return column == value
    return column.like(_pattern(value), escape="/")


def _pattern(value: str) -> str:
    escaped = re.sub(r"([/%_])", r"/\1", value)
    return escaped.replace("*", "%").replace("?", "_")


def _range(attribute: Attribute, value: str) -> Any:
    first, dash, last = value.partition("-")
    good = _RANGES[attribute.vr]
    if not all(good.fullmatch(end) for end in (first, last) if end) or not (first or last):
        raise BadRequest("a date or time, or a range of them")
    column = attribute.column
    if not dash:
        return column == first if attribute.vr == "DA" else column.startswith(first, autoescape=True)
    ends = [column >= first] if first else []
    ends += [func.substr(column, 1, len(last)) <= last] if last else []
    return and_(column != "", *ends)


def _modalities(value: str) -> Any:
    words = [word for word in re.split(r"[,\\]", value) if word and word != "*"]
    if not words:
        return Study.id.is_not(None)
    within = or_(*(_text(Series.modality, word) for word in words))
    return select(Series.id).where(Series.study_id == Study.id, within).exists()


def _number(value: str) -> int:
    if not re.fullmatch(r"[+-]?\d{1,12}", value):
        raise BadRequest("a whole number")
    return int(value)


def _count(value: str | None, usual: int) -> int:
    if value is None:
        return usual
    if not re.fullmatch(r"\d{1,9}", value):
        raise BadRequest("a count")
    return int(value)


def _switch(value: str) -> bool:
    if value not in ("true", "false"):
        raise BadRequest("true or false")
    return value == "true"
