"""Finding work items: the query of a request, and whether an item matches it.

Why it exists: other systems ask for "scheduled, high, of this patient" in DICOM's own way: exact values, lists of UIDs,
wildcards, ranges of time, and attributes inside sequences. What cannot be understood is refused, not ignored.

Source: PS3.18 8.3.4 (query parameters) and 11.9; PS3.4 C.2.2.2 (matching).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import translate
from typing import Any

from tumorboard.serve.ups.dicom_json import Json, values_of
from tumorboard.serve.ups.refused import Refused
from tumorboard.serve.ups.workitem import (
    CLASS_UID,
    INSTANCE_UID,
    LABEL,
    MODIFIED,
    PRIORITY,
    PROGRESS,
    READY,
    START,
    STATE,
    STUDY_UID,
    TRANSACTION_UID,
    WORKLIST,
    Workitem,
)

MOST_RESULTS = 1000
"""More are given page by page; chosen."""

RETURNED = (
    *(CLASS_UID, INSTANCE_UID, STATE, PRIORITY, LABEL, WORKLIST, START, READY, MODIFIED, STUDY_UID, PROGRESS),
    *("00100010", "00100020", "00100021", "00100030", "00100040", "00404018", "00400400"),
)
"""What is given of each item where the request names nothing: those above, the patient, the task and the reasons."""


@dataclass(frozen=True)
class Query:
    """What is asked for.

    Parameters
    ----------
    matches : mapping of tuple of str to str
        Values by path of tags.
    fields : tuple of str or None
        Tags to give beside :data:`RETURNED`; None for all.
    offset, limit : int
        The first item, and at most how many.
    fuzzy : bool
        Whether fuzzy matching was asked for, which there is none of.
    """

    matches: Mapping[tuple[str, ...], str]
    fields: tuple[str, ...] | None = ()
    offset: int = 0
    limit: int = MOST_RESULTS
    fuzzy: bool = False


def read_query(parameters: Iterable[tuple[str, str]]) -> Query:
    """Read the query of a request.

    Parameters
    ----------
    parameters : iterable of (str, str)
        In order, names may repeat.

    Returns
    -------
    Query

    Raises
    ------
    Refused
        400: an attribute that does not exist, or a number that is none.

    Examples
    --------
    >>> query = read_query([("ProcedureStepState", "SCHEDULED"), ("00404018.CodeValue", "110005"), ("limit", "5")])
    >>> query.matches, query.limit
    ({('00741000',): 'SCHEDULED', ('00404018', '00080100'): '110005'}, 5)
    """
    matches: dict[tuple[str, ...], str] = {}
    fields: list[str] | None = []
    numbers = {"offset": 0, "limit": MOST_RESULTS}
    fuzzy = False
    for name, value in parameters:
        if name in numbers:
            numbers[name] = _number(name, value)
        elif name == "fuzzymatching":
            fuzzy = value.lower() == "true"
        elif name == "includefield":
            wanted = value.split(",")
            fields = None if "all" in wanted or fields is None else [*fields, *(_path(w)[0] for w in wanted)]
        else:
            matches[_path(name)] = value
    if any(TRANSACTION_UID in path for path in matches):
        raise Refused(400, "The Transaction UID cannot be asked for.")
    limit = min(numbers["limit"], MOST_RESULTS)
    return Query(matches, None if fields is None else tuple(fields), numbers["offset"], limit, fuzzy)


def _number(name: str, value: str) -> int:
    if not re.fullmatch(r"[0-9]{1,9}", value):
        raise Refused(400, f"{name} is a whole number.")
    return int(value)


def _path(name: str) -> tuple[str, ...]:
    from pydicom.datadict import dictionary_VR, tag_for_keyword

    tags: list[str] = []
    for part in name.split("."):
        if re.fullmatch(r"[0-9A-Fa-f]{8}", part):
            tags.append(part.upper())
            continue
        number = tag_for_keyword(part)
        if number is None:
            raise Refused(400, "The query names an attribute that the standard does not know.")
        tags.append(f"{number:08X}")
    for tag in tags[:-1]:
        try:
            sequence = dictionary_VR(int(tag, 16)) == "SQ"
        except KeyError:
            sequence = False
        if not sequence:
            raise Refused(400, "Only sequences have attributes inside.")
    return tuple(tags)


def find(items: Iterable[Workitem], query: Query) -> tuple[list[Json], bool]:
    """Return what matches, and whether there are more than were asked for.

    Parameters
    ----------
    items : iterable of Workitem
        In the order in which they are given.
    query : Query

    Returns
    -------
    (list of dict, bool)
        Datasets in DICOM JSON.
    """
    found = [item for item in items if all(_matches(item.content, p, v) for p, v in query.matches.items())]
    page = found[query.offset : query.offset + query.limit]
    return [_given(item.content, query) for item in page], len(found) > query.offset + len(page)


def _given(content: Json, query: Query) -> Json:
    if query.fields is None:
        return dict(content)
    wanted = {*RETURNED, *query.fields, *(path[0] for path in query.matches)}
    return {tag: value for tag, value in content.items() if tag in wanted}


def _matches(content: Mapping[str, Any], path: tuple[str, ...], wanted: str) -> bool:
    from pydicom.datadict import dictionary_has_tag, dictionary_VR

    if wanted in {"", "*"}:
        return True
    number = int(path[-1], 16)
    vr = dictionary_VR(number) if dictionary_has_tag(number) else "LO"
    values = values_of(content, path)
    if vr == "UI":
        return bool(set(values) & set(re.split(r"[,\\]", wanted)))
    if vr in {"DA", "DT", "TM"} and "-" in wanted:
        return any(_within(v, wanted) for v in values)
    if "*" in wanted or "?" in wanted:
        pattern = re.compile(translate(wanted.replace("[", "[[]")), re.IGNORECASE if vr == "PN" else 0)
        return any(pattern.match(v) for v in values)
    return any(v.lower() == wanted.lower() if vr == "PN" else v == wanted for v in values)


def _within(value: str, wanted: str) -> bool:
    """Whether a date or time lies in a range such as ``20260101-20260131``; either end may be open."""
    low, _, high = wanted.partition("-")
    return value[: len(low)] >= low and (not high or value[: len(high)] <= high)
