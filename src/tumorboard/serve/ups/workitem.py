"""A work item: its state and lock, and its dataset; what it must hold when it is made and when it ends.

Why it exists: a worklist that takes anything shows anything. What the standard requires at creation and in the final
states is checked here. Source: PS3.4 Table CC.2.5-3 (the final-state columns read in secondary sources: unverified).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tumorboard.serve.data.words import WorkPriority, WorkState
from tumorboard.serve.ups.dicom_json import Json, element, first, values_of
from tumorboard.serve.ups.refused import INCONSISTENT, Refused

UPS_PUSH = "1.2.840.10008.5.1.4.34.6.1"
"""SOP Class UID of every work item. Source: PS3.4 CC.3."""

CLASS_UID, INSTANCE_UID, TRANSACTION_UID = "00080016", "00080018", "00081195"
STATE, PRIORITY, LABEL, WORKLIST = "00741000", "00741200", "00741204", "00741202"
START, READY, MODIFIED = "00404005", "00404041", "00404010"
STUDY_UID = "0020000D"
PERFORMED, PROGRESS = "00741216", "00741002"

DEFAULT_LIST = "tumorboard"
"""Worklist Label where the request gives none."""

_AT_CREATION = {PRIORITY: "CS", LABEL: "LO", START: "DT", READY: "CS", STATE: "CS"}
_READINESS = ("READY", "UNAVAILABLE", "INCOMPLETE")

_COMPLETED = ("00404028", "00404019", "00404050", "00404051")
"""In an item of Performed Procedure Sequence: station name, workitem code, start, end."""

_CANCELED = ("00404052", "0074100E")
"""In an item of Progress Information Sequence: when, and the coded reason."""

UNSPECIFIED = {
    "00080100": element("SH", "110513"),
    "00080102": element("SH", "DCM"),
    "00080104": element("LO", "Discontinued for unspecified reason"),
}
"""Reason where who cancels gives none. Source: PS3.16 CID 9300."""

READING = {
    "00080100": element("SH", "110005"),
    "00080102": element("SH", "DCM"),
    "00080104": element("LO", "Interpretation"),
}
"""Workitem code of a study to be read. Source: PS3.16 CID 9231."""


@dataclass(frozen=True)
class Workitem:
    """A work item.

    Parameters
    ----------
    uid : str
        SOP Instance UID.
    content : dict
        Its dataset in DICOM JSON, without the transaction UID.
    state : WorkState
        As in the dataset.
    transaction_uid : str
        Known to who claimed it, and told nobody.
    claimed_by : str
        Name of the user who claimed it.
    """

    uid: str
    content: Json
    state: WorkState = WorkState.SCHEDULED
    transaction_uid: str = ""
    claimed_by: str = ""

    @property
    def priority(self) -> WorkPriority:
        """Scheduled Procedure Step Priority."""
        return WorkPriority(first(self.content, PRIORITY))

    @property
    def label(self) -> str:
        """Name of the worklist it stands in."""
        return first(self.content, WORKLIST)

    @property
    def study_uid(self) -> str:
        """The study it is about; empty where none is named."""
        return first(self.content, STUDY_UID)


def new_workitem(uid: str, dataset: Json, now: dt.datetime) -> Workitem:
    """Return a work item as it was asked for, checked and with what the server adds.

    Raises
    ------
    Refused
        400: something that is required is missing, or the state is not SCHEDULED.
    """
    for tag in _AT_CREATION:
        if not first(dataset, tag):
            raise Refused(400, f"{tag} is required in a new work item.", 0x0120)
    if first(dataset, STATE) != WorkState.SCHEDULED:
        raise Refused(400, "The provided value of UPS State was not SCHEDULED.", 0xC309)
    if first(dataset, TRANSACTION_UID):
        raise Refused(400, "A new work item has no Transaction UID.", 0x0106)
    if values_of(dataset, (PERFORMED, "00404050")):
        raise Refused(400, "Nothing was performed yet on a new work item.", 0x0106)
    check_values(dataset)
    content = {k: v for k, v in dataset.items() if k != TRANSACTION_UID}
    content[CLASS_UID], content[INSTANCE_UID] = element("UI", UPS_PUSH), element("UI", uid)
    content[MODIFIED] = element("DT", stamp(now))
    content.setdefault(PROGRESS, element("SQ"))
    content.setdefault(PERFORMED, element("SQ"))
    if not first(content, WORKLIST):
        content[WORKLIST] = element("LO", DEFAULT_LIST)
    return Workitem(uid, content)


def check_values(dataset: Mapping[str, Any]) -> None:
    """Refuse values that the standard's lists do not hold.

    Raises
    ------
    Refused
        400.
    """
    priority, ready = first(dataset, PRIORITY), first(dataset, READY)
    if priority and priority not in list(WorkPriority):
        raise Refused(400, "Scheduled Procedure Step Priority is HIGH, MEDIUM or LOW.", 0x0106)
    if ready and ready not in _READINESS:
        raise Refused(400, f"Input Readiness State is {', '.join(_READINESS)}.", 0x0106)


def check_final(item: Workitem, state: WorkState) -> None:
    """Refuse an end that does not say what was done, or why it was not.

    Raises
    ------
    Refused
        409, with DIMSE's C304.
    """
    sequence, tags = (PERFORMED, _COMPLETED) if state is WorkState.COMPLETED else (PROGRESS, _CANCELED)
    items = item.content.get(sequence, {}).get("Value", [])
    if not any(all(i.get(tag, {}).get("Value") for tag in tags) for i in items):
        raise Refused(409, f"{INCONSISTENT} {sequence} does not hold {', '.join(tags)}.", 0xC304)


def reading_task(
    uid: str,
    priority: WorkPriority,
    now: dt.datetime,
    *,
    study_uid: str = "",
    patient: Mapping[str, str] | None = None,
    reasons: str = "",
) -> Json:
    """Return the dataset of a study that is to be read.

    Parameters
    ----------
    uid : str
        SOP Instance UID of the work item.
    priority : WorkPriority
        From triage.
    now : datetime
        When it can begin.
    study_uid : str
        Study Instance UID.
    patient : mapping of str to str
        Values of patient attributes, by tag: ``{"00100020": "P1"}``.
    reasons : str
        Why it is urgent, in sentences.

    Examples
    --------
    >>> made = reading_task("1.2.3", WorkPriority.HIGH, dt.datetime(2026, 1, 2, 3, 4, 5), reasons="Shift: 6 mm.")
    >>> new_workitem("1.2.3", made, dt.datetime(2026, 1, 2)).priority.value
    'HIGH'
    """
    content = {
        INSTANCE_UID: element("UI", uid),
        PRIORITY: element("CS", priority.value),
        LABEL: element("LO", "Read study"),
        WORKLIST: element("LO", DEFAULT_LIST),
        START: element("DT", stamp(now)),
        READY: element("CS", "READY"),
        STATE: element("CS", WorkState.SCHEDULED.value),
        STUDY_UID: element("UI", study_uid),
        "00404018": element("SQ", READING),
        "00400400": element("LT", reasons[:10240]),
    }
    return content | person_elements(patient or {})


def person_elements(patient: Mapping[str, str]) -> Json:
    """Return the elements of patient attributes, given by tag.

    Examples
    --------
    >>> person_elements({"00100020": "P1"})
    {'00100020': {'vr': 'LO', 'Value': ['P1']}}
    """
    named = {tag: {"Alphabetic": value} if tag == "00100010" and value else value for tag, value in patient.items()}
    return {tag: element(_vr(tag), value) for tag, value in named.items()}


def _vr(tag: str) -> str:
    from pydicom.datadict import dictionary_VR

    return dictionary_VR(int(tag, 16))


def stamp(now: dt.datetime) -> str:
    """Return a moment as DICOM's DT, with its offset where it has one.

    Examples
    --------
    >>> stamp(dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.timezone.utc))
    '20260102030405+0000'
    """
    return now.strftime("%Y%m%d%H%M%S%z")
