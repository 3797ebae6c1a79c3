"""Making results anew that rest on earlier studies which have changed.

Why it exists: studies come in any order. A verdict that was given without an earlier study, or against one that was
corrected since, is made again, once; the older results stay, marked as superseded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tumorboard.serve.data.tables import Study
from tumorboard.serve.data.words import JobState, Step, StudyState
from tumorboard.serve.log import tell
from tumorboard.serve.node.inputs import is_outdated, purged_objects
from tumorboard.serve.queue.board import again, enqueue

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


def renew_later(session: Session, patient_id: int) -> list[str]:
    """Queue the studies of a patient that are done on earlier studies which have changed; return their keys.

    Parameters
    ----------
    session : Session
        In a transaction that writes.
    patient_id : int
        Row of the patient. Studies that wait or are at work find out by themselves.
    """
    session.flush()
    done = session.query(Study).filter_by(patient_id=patient_id, state=StudyState.DONE).all()
    return [study.key for study in done if renew_if_outdated(session, study)]


def renew_if_outdated(session: Session, study: Study) -> bool:
    """Queue a study that was worked on if its results rest on what is no longer so.

    Parameters
    ----------
    session : Session
        In a transaction that writes.
    study : Study
        Its last job is done.
    """
    if not study.version or study.prior or purged_objects(session, study) or not is_outdated(session, study):
        return False
    job = enqueue(session, study, Step.CHAIN, study.input_digest)
    if job.state is JobState.DONE:
        again(job)
    study.version += 1
    study.state, study.reason = StudyState.QUEUED, ""
    tell("node", "earlier studies changed", study=study.key, version=study.version)
    return True


def finish_case(session: Session, study: Study) -> bool:
    """Queue the latest study of a patient once more after an earlier one was run: its run leaves the patient's report.

    Parameters
    ----------
    session : Session
        In a transaction that writes.
    study : Study
        Whose run has ended.

    Returns
    -------
    bool
        False where it was the latest, or another run comes anyway. Its results are the same, and keep their version.
    """
    session.flush()
    of_patient = session.query(Study).filter_by(patient_id=study.patient_id, prior=False)
    others = [s for s in of_patient if (s.date, s.time) > (study.date, study.time)]
    if any(s.state in (StudyState.QUEUED, StudyState.RUNNING) for s in others):
        return False
    done = [s for s in others if s.state is StudyState.DONE]
    latest = max(done, key=lambda s: (s.date, s.time), default=None)
    if latest is None or not latest.version or purged_objects(session, latest):
        return False
    again(enqueue(session, latest, Step.CHAIN, latest.input_digest))
    latest.state = StudyState.QUEUED
    return True
