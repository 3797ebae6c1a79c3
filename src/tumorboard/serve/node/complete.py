"""When a study is complete: nothing came for a while, and as much as the archive counts is there.

Why it exists: DICOM has no word for "that was all". A quiet time is what departments use; where the PACS can be asked
how many objects it has, a study waits for them, but not for ever. Source: PS3.4 C.3.4 (Number of Study Related
Instances, 0020,1208).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import TYPE_CHECKING

from tumorboard.serve.data.base import now
from tumorboard.serve.data.priority import Priority
from tumorboard.serve.data.session import Database
from tumorboard.serve.data.tables import Instance, Job, Series, Study
from tumorboard.serve.data.words import JobState, Origin, Step, StudyState
from tumorboard.serve.log import tell
from tumorboard.serve.node.inputs import input_digest, purged_objects
from tumorboard.serve.node.renew import renew_if_outdated, renew_later
from tumorboard.serve.queue.board import again, enqueue
from tumorboard.serve.settings import NodeSettings

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

Count = Callable[[str], int | None]
"""How many objects of a study (by its UID) the archive has; None where it cannot say."""


def complete_studies(db: Database, settings: NodeSettings, count: Count | None = None) -> list[str]:
    """Find the studies that are complete and enqueue them; return their keys.

    Parameters
    ----------
    db : Database
        The department's.
    settings : NodeSettings
        Quiet time and patience.
    count : callable, optional
        Asks the archive how many objects a study has.
    """
    done = []
    for study_id, uid in _quiet(db, settings.quiet_seconds):
        expected = None if count is None else count(uid)
        with db.begin() as session:
            study = session.get_one(Study, study_id)
            study.expected = expected
            if not _is_quiet(study, settings.quiet_seconds) or _is_awaited(session, study, settings):
                continue
            if study.key in close(session, study):
                done.append(study.key)
                tell("node", "study complete", study=study.key, version=study.version)
    return done


def close(session: Session, study: Study) -> list[str]:
    """End the wait for a study's objects; return the keys of the studies that there is work on now, this one first.

    Parameters
    ----------
    session : Session
        In a transaction that writes.
    study : Study
        One that was receiving.
    """
    gone = purged_objects(session, study)
    if gone:
        study.state = StudyState.ATTENTION
        study.reason = f"{gone} of its images were purged: send the whole study again"
        return []
    found = input_digest(session, study)
    if study.version and found == study.input_digest:
        _close_unchanged(session, study)
        return [study.key] if study.state is StudyState.DONE and renew_if_outdated(session, study) else []
    study.version += 1
    study.input_digest, study.state, study.reason = found, StudyState.QUEUED, ""
    job = enqueue(session, study, Step.CHAIN, found, priority=_priority(study))
    if job.state is JobState.DONE:  # back to an input that was worked on before: its results must hold again
        again(job)
    left, study.left_id = study.left_id, None
    others = [renew_later(session, patient) for patient in (study.patient_id, left) if patient is not None]
    return [study.key, *(key for keys in others for key in keys)]


def _close_unchanged(session: Session, study: Study) -> None:
    """Give a study to which nothing new came the state of its last job."""
    found = session.query(Job).filter_by(study_id=study.id, step=Step.CHAIN, input_digest=study.input_digest)
    job = found.one_or_none()
    ended = {JobState.DONE: StudyState.DONE, JobState.ATTENTION: StudyState.ATTENTION}
    study.state = ended.get(job.state, StudyState.QUEUED) if job else StudyState.QUEUED
    study.reason = job.reason if job and job.state is JobState.ATTENTION else ""


def _priority(study: Study) -> int:
    """Return how early a job is done: what is ordered as urgent before the rest."""
    ordered = Priority.of(study.ordered)
    return 0 if ordered is None else max(0, ordered - Priority.MEDIUM)


def _quiet(db: Database, seconds: float) -> list[tuple[int, str]]:
    with db.read() as session:
        quiet_since = now() - dt.timedelta(seconds=seconds)
        waiting = session.query(Study.id, Study.uid).filter(Study.state == StudyState.RECEIVING)
        return [(row.id, row.uid) for row in waiting.filter(Study.last_at <= quiet_since)]


def _is_quiet(study: Study, seconds: float) -> bool:
    return study.state is StudyState.RECEIVING and study.last_at <= now() - dt.timedelta(seconds=seconds)


def _is_awaited(session: Session, study: Study, settings: NodeSettings) -> bool:
    """Whether the archive has more of a study than we, and there is patience left."""
    if study.expected is None or now() - study.last_at > dt.timedelta(seconds=settings.patience_seconds):
        return False
    here = session.query(Instance).join(Series).filter(Series.study_id == study.id)
    return here.filter(Instance.origin != Origin.RESULT).count() < study.expected
