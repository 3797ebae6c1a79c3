"""A study that was judged, offered to be read: its work item is made, or made more urgent.

Why it exists: triage means nothing until it stands in a list that readers and their systems look at. The same study and
input give the same work item, however often a job is tried; a later input of a study whose reading has ended gives a
new one. Priority is never lowered here; whose study it is follows corrections.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import TYPE_CHECKING

from tumorboard.io.dicom.uids import uid_from
from tumorboard.serve.data.words import WorkPriority, WorkState
from tumorboard.serve.triage.urgency import Urgency
from tumorboard.serve.ups.database import fill, item_of
from tumorboard.serve.ups.dicom_json import element
from tumorboard.serve.ups.store import RANK
from tumorboard.serve.ups.workitem import MODIFIED, PRIORITY, new_workitem, person_elements, reading_task, stamp

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from tumorboard.serve.data.people import WorkItem
    from tumorboard.serve.data.tables import Study

REASONS = "00400400"
"""Comments on the Scheduled Procedure Step: why it is urgent, and what could not be assessed."""


def offer_reading(session: Session, study: Study, judged: Urgency, now: dt.datetime) -> WorkItem:
    """Make the work item of a study that is to be read, or raise the priority of the one that waits.

    Parameters
    ----------
    session : Session
        A transaction that may write.
    study : Study
        Row of the study.
    judged : Urgency
        From triage.
    now : datetime
        The present moment.

    Returns
    -------
    WorkItem
        Row of the work item.
    """
    from sqlalchemy import select

    from tumorboard.serve.data.people import WorkItem

    open_states = (WorkState.SCHEDULED, WorkState.IN_PROGRESS)
    waiting = session.scalars(
        select(WorkItem).where(WorkItem.study_id == study.id, WorkItem.state.in_(open_states)).order_by(WorkItem.id)
    ).first()
    if waiting is not None:
        return _raised(waiting, study, judged, now)
    uid = uid_from(study.uid, "reading", str(study.version))
    ended = session.scalars(select(WorkItem).where(WorkItem.uid == uid)).one_or_none()
    if ended is not None:
        return ended
    task = reading_task(
        uid,
        WorkPriority(judged.priority.ups),
        now,
        study_uid=study.uid,
        patient=_person(study),
        reasons=" ".join(judged.sentences),
    )
    row = WorkItem(uid=uid, study_id=study.id)
    fill(row, new_workitem(uid, task, now))
    session.add(row)
    return row


def _raised(row: WorkItem, study: Study, judged: Urgency, now: dt.datetime) -> WorkItem:
    item = item_of(row)
    given = person_elements(_person(study)) | {
        REASONS: element("LT", " ".join(judged.sentences)[:10240]),
        MODIFIED: element("DT", stamp(now)),
    }
    priority = WorkPriority(judged.priority.ups)
    if RANK[priority] < RANK[item.priority]:
        given[PRIORITY] = element("CS", priority.value)
    fill(row, replace(item, content={**item.content, **given}))
    return row


def _person(study: Study) -> dict[str, str]:
    person = study.patient
    return {
        "00100010": person.name,
        "00100020": person.patient_id,
        "00100021": person.issuer,
        "00100030": person.birth_date,
        "00100040": person.sex,
    }
