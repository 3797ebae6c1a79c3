"""What can be done with a worklist: create, retrieve, search, claim, update, complete, cancel.

Why it exists: the rules stand here once, for the web and for whatever else speaks to the worklist. Source: PS3.18
chapter 11; PS3.4 annex CC.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from tumorboard.serve.data.words import WorkPriority, WorkState
from tumorboard.serve.ups import states
from tumorboard.serve.ups.dicom_json import Json, checked_dataset, element, first
from tumorboard.serve.ups.refused import MISSING_UID, WRONG_UID, Refused
from tumorboard.serve.ups.search import Query, find
from tumorboard.serve.ups.store import RANK, Worklist
from tumorboard.serve.ups.workitem import (
    CLASS_UID,
    INSTANCE_UID,
    MODIFIED,
    PRIORITY,
    PROGRESS,
    STATE,
    TRANSACTION_UID,
    UNSPECIFIED,
    Workitem,
    check_final,
    check_values,
    new_workitem,
    stamp,
)

_UID = re.compile(r"(0|[1-9][0-9]*)(\.(0|[1-9][0-9]*))*")

KEPT = (CLASS_UID, INSTANCE_UID, STATE, MODIFIED)
"""What an update cannot change."""


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


@dataclass(frozen=True)
class UpsService:
    """The worklist service.

    Parameters
    ----------
    worklist : Worklist
        Where items are kept.
    now : callable
        The clock.

    Examples
    --------
    >>> from tumorboard.serve.ups.store import MemoryWorklist
    >>> from tumorboard.serve.ups.workitem import reading_task
    >>> service = UpsService(MemoryWorklist())
    >>> uid = service.create(reading_task("1.2.3", WorkPriority.HIGH, dt.datetime(2026, 1, 2)), "1.2.3").uid
    >>> claim = {"00081195": element("UI", "1.9"), "00741000": element("CS", "IN PROGRESS")}
    >>> _ = service.change_state(uid, claim, "reader")
    >>> first(service.retrieve(uid), "00741000")
    'IN PROGRESS'
    """

    worklist: Worklist
    now: Callable[[], dt.datetime] = _now

    def create(self, content: Any, uid: str = "") -> Workitem:
        """Create a work item (11.4; N-CREATE).

        Parameters
        ----------
        content : object
            A dataset in DICOM JSON.
        uid : str
            SOP Instance UID; that of the dataset, or a new one, where empty.

        Raises
        ------
        Refused
            400: the dataset is not one of a new work item; 409: the UID is taken.
        """
        dataset = checked_dataset(content)
        uid = _sound_uid(uid or first(dataset, INSTANCE_UID) or _new_uid())
        if first(dataset, INSTANCE_UID) not in {"", uid}:
            raise Refused(400, "The dataset is of another UID than the request.", 0x0106)
        item = new_workitem(uid, dataset, self.now())
        if not self.worklist.add(item):
            raise Refused(409, "The Target Workitem already exists.", 0x0111)
        return item

    def retrieve(self, uid: str) -> Json:
        """Return the dataset of a work item, without its transaction UID (11.5; N-GET).

        Raises
        ------
        Refused
            404: there is none.
        """
        item = self.worklist.get(uid)
        if item is None:
            raise _unknown()
        return dict(item.content)

    def search(self, query: Query) -> tuple[list[Json], bool]:
        """Return what matches, the most urgent first, and whether there is more (11.9; C-FIND)."""
        return find(self.worklist.all(), query)

    def update(self, uid: str, content: Any, transaction_uid: str = "") -> Workitem:
        """Change attributes of a work item that is scheduled or that the user claimed (11.6; N-SET).

        Raises
        ------
        Refused
            400: the transaction UID is missing or another, the item is finished, or an attribute cannot be changed;
            404: there is none.
        """
        dataset = checked_dataset(content)
        transaction_uid = transaction_uid or first(dataset, TRANSACTION_UID)
        given = {tag: value for tag, value in dataset.items() if tag != TRANSACTION_UID}
        check_values(given)

        def updated(item: Workitem) -> Workitem:
            _may_update(item, transaction_uid)
            if any(tag in KEPT and item.content.get(tag) != value for tag, value in given.items()):
                raise Refused(400, "An update cannot change state, class, instance or time of modification.", 0x0106)
            return self._with(item, given)

        return self._changed(uid, updated)

    def change_state(self, uid: str, content: Any, user: str) -> tuple[Workitem, str]:
        """Claim, complete or cancel a work item (11.7; N-ACTION).

        Parameters
        ----------
        uid : str
            Of the work item.
        content : object
            DICOM JSON with Transaction UID and Procedure Step State.
        user : str
            Who asks; kept with the claim.

        Returns
        -------
        (Workitem, str)
            As it is afterwards, and a warning or nothing.

        Raises
        ------
        Refused
            400: the transaction UID is missing or another; 404: there is none; 409: the state does not allow it, or
            what an end requires is not there.
        """
        dataset = checked_dataset(content)
        asked = first(dataset, STATE)
        if asked not in list(WorkState):
            raise Refused(400, "Procedure Step State is IN PROGRESS, COMPLETED or CANCELED.", 0x0115)
        state, transaction_uid = WorkState(asked), first(dataset, TRANSACTION_UID)
        told: list[str] = []

        def changed(item: Workitem) -> Workitem:
            answer = states.change(item.state, state, item.transaction_uid, transaction_uid)
            told.append(answer.warning)
            if answer.becomes is None:
                return item
            if answer.becomes is not WorkState.IN_PROGRESS:
                check_final(item, answer.becomes)
                return self._in_state(item, answer.becomes)
            return replace(
                self._in_state(item, answer.becomes), transaction_uid=_sound_uid(transaction_uid), claimed_by=user[:64]
            )

        return self._changed(uid, changed), told[-1]

    def request_cancellation(self, uid: str, content: Any = None) -> tuple[Workitem, str]:
        """Ask for the end of a work item that somebody else has claimed, or nobody (11.8; N-ACTION).

        Parameters
        ----------
        uid : str
            Of the work item.
        content : object
            DICOM JSON with a reason, or nothing.

        Returns
        -------
        (Workitem, str)
            As it is afterwards, and a warning or nothing.

        Raises
        ------
        Refused
            404: there is none; 409: it is completed, or its performer cannot be told.
        """
        dataset = checked_dataset(content) if content else {}
        told: list[str] = []

        def canceled(item: Workitem) -> Workitem:
            answer = states.cancel(item.state)
            told.append(answer.warning)
            if answer.becomes is None:
                return item
            return self._in_state(self._with(item, {PROGRESS: self._why(dataset)}), answer.becomes)

        return self._changed(uid, canceled), told[-1]

    def raise_priority(self, uid: str, priority: WorkPriority) -> Workitem:
        """Raise the priority of a work item that is not finished; it is never lowered here.

        Raises
        ------
        Refused
            404: there is none.
        """

        def raised(item: Workitem) -> Workitem:
            finished = item.state in {WorkState.COMPLETED, WorkState.CANCELED}
            if finished or RANK[priority] >= RANK[item.priority]:
                return item
            return self._with(item, {PRIORITY: element("CS", priority.value)})

        return self._changed(uid, raised)

    def _changed(self, uid: str, how: Callable[[Workitem], Workitem]) -> Workitem:
        item = self.worklist.change(uid, how)
        if item is None:
            raise _unknown()
        return item

    def _with(self, item: Workitem, given: Json) -> Workitem:
        return replace(item, content={**item.content, **given, MODIFIED: element("DT", stamp(self.now()))})

    def _in_state(self, item: Workitem, state: WorkState) -> Workitem:
        return replace(self._with(item, {STATE: element("CS", state.value)}), state=state)

    def _why(self, dataset: Json) -> Json:
        coded = dataset.get("0074100E", {}).get("Value") or [UNSPECIFIED]
        return element(
            "SQ",
            {
                "00404052": element("DT", stamp(self.now())),
                "00741238": element("LT", first(dataset, "00741238")),
                "0074100E": element("SQ", *coded),
            },
        )


def _may_update(item: Workitem, transaction_uid: str) -> None:
    if item.state in {WorkState.COMPLETED, WorkState.CANCELED}:
        raise Refused(400, "The submitted request is inconsistent with the current state of the Workitem.", 0xC300)
    if item.state is WorkState.IN_PROGRESS and transaction_uid != item.transaction_uid:
        raise Refused(400, WRONG_UID if transaction_uid else MISSING_UID, 0xC301)


def _unknown() -> Refused:
    return Refused(404, "The Target Workitem was not found.", 0xC307)


def _new_uid() -> str:
    from pydicom.uid import generate_uid

    return str(generate_uid(prefix=None))


def _sound_uid(uid: str) -> str:
    if len(uid) > 64 or not _UID.fullmatch(uid):
        raise Refused(400, "A UID has at most 64 digits and dots.", 0x0106)
    return uid
