"""The list of jobs: enqueued once, claimed by one worker, tried again with back-off, in the end shown to a person.

Why it exists: the database alone says what is to be done. A worker that is killed leaves a job whose sign of life grows
old; it goes back and is taken by another. A job that fails, or kills its worker, again and again ends in `attention`
with its reason instead of for ever.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tumorboard.serve.data.base import now
from tumorboard.serve.data.session import Database
from tumorboard.serve.data.tables import Job, Study
from tumorboard.serve.data.words import JobState, Step, StudyState
from tumorboard.serve.settings import JobSettings

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

BUSY_SECONDS = 5.0
"""A job whose patient is at work is looked at again after this time."""

STOPPED = "the worker stopped while it was at it"
BEGUN = 0.5
"""How far a job whose worker stopped goes before its equals; less than a step of priority."""


@dataclass(frozen=True)
class Claim:
    """A job that this worker has: what to do, with which study, on which input."""

    job_id: int
    study_id: int
    study_key: str
    step: Step
    input_digest: str
    version: int
    tries: int
    worker: str


def enqueue(session: Session, study: Study, step: Step, input_digest: str, priority: int = 0) -> Job:
    """Return the job on an input of a study; made if there is none, and due again if it ended without being done.

    Parameters
    ----------
    session : Session
        In a transaction that writes.
    study : Study
        What is worked on.
    step : Step
        What is done.
    input_digest : str
        Names the input; a job is done once for each.
    priority : int
        Greater is earlier.
    """
    found = session.query(Job).filter_by(study_id=study.id, step=step, input_digest=input_digest).one_or_none()
    if found is None:
        found = Job(study_id=study.id, step=step, input_digest=input_digest, priority=priority)
        session.add(found)
        session.flush()
    elif found.state is JobState.ATTENTION:
        again(found)
    return found


def again(job: Job) -> None:
    """Let a job be tried anew, as if it never had been; for a person who removed the reason."""
    job.state, job.tries, job.reason, job.due_at, job.announced_at = JobState.QUEUED, 0, "", now(), None


def claim(db: Database, job_id: int, worker: str) -> Claim | None:
    """Take a job, if it waits and nobody works on the same patient.

    Parameters
    ----------
    db : Database
        The department's.
    job_id : int
        Which job.
    worker : str
        Name of the process, unique.

    Returns
    -------
    Claim or None
        None where another has it, it is done, or it is not yet due.
    """
    with db.begin() as session:
        job = session.get(Job, job_id, with_for_update=True)
        if job is None or job.state is not JobState.QUEUED or job.due_at > now():
            return None
        if job.step is Step.CHAIN and not _can_begin(session, job):
            return None
        job.state, job.worker, job.started_at, job.beat_at = JobState.RUNNING, worker, now(), now()
        job.tries += 1
        study = job.study
        if job.step is Step.CHAIN and study.state is StudyState.QUEUED:
            study.state = StudyState.RUNNING
        return Claim(job.id, study.id, study.key, job.step, job.input_digest, study.version, job.tries, worker)


def beat(db: Database, claim: Claim, stage: str | None = None) -> bool:
    """Give a sign of life; False when the job is no longer ours."""
    with db.begin() as session:
        job = session.get(Job, claim.job_id, with_for_update=True)
        if job is None or not _is_ours(job, claim):
            return False
        job.beat_at = now()
        if stage is not None:
            job.stage = stage[:32]
        return True


def finish(session: Session, claim: Claim, note: str = "") -> bool:
    """Mark a job as done, in the transaction that keeps what it made; False when it is no longer ours."""
    job = session.get(Job, claim.job_id, with_for_update=True)
    if job is None or not _is_ours(job, claim):
        return False
    job.state, job.reason, job.ended_at, job.stage = JobState.DONE, note[:500], now(), ""
    return True


def fail(db: Database, claim: Claim, reason: str, settings: JobSettings, *, final: bool = False) -> JobState | None:
    """Let a job be tried again later, or end it where trying again is of no use.

    Parameters
    ----------
    db : Database
        The department's.
    claim : Claim
        What this worker had.
    reason : str
        In words, without identifiers.
    settings : JobSettings
        Tries and back-off.
    final : bool
        The same input would fail again.

    Returns
    -------
    JobState or None
        What the job is now; None when it is no longer ours.
    """
    with db.begin() as session:
        job = session.get(Job, claim.job_id, with_for_update=True)
        if job is None or not _is_ours(job, claim):
            return None
        _put_back(job, reason, settings, final=final)
        return job.state


def put_back_orphans(db: Database, settings: JobSettings) -> list[int]:
    """Put back the jobs whose worker gave no sign of life for the time of a lease; return them."""
    with db.begin() as session:
        silent = now() - dt.timedelta(seconds=settings.lease_seconds)
        lost = session.query(Job).filter(Job.state == JobState.RUNNING, Job.beat_at < silent).all()
        for job in lost:
            _put_back(job, STOPPED, settings, at_once=True)
        return [job.id for job in lost]


def due(db: Database, *, also_announced: bool = False) -> list[tuple[int, float]]:
    """Return the jobs that can be begun now, the most urgent first, and mark them as announced.

    Of equally urgent ones those come first whose worker stopped: part of their work is done.

    Parameters
    ----------
    db : Database
        The department's.
    also_announced : bool
        Those too that were announced before; for when the carrier has lost them.

    Returns
    -------
    list of (int, float)
        Job and priority.
    """
    with db.begin() as session:
        waiting = session.query(Job).filter(Job.state == JobState.QUEUED, Job.due_at <= now())
        if not also_announced:
            waiting = waiting.filter(Job.announced_at.is_(None))
        found = waiting.all()
        for job in found:
            job.announced_at = now()
        ranks = [(job.id, job.priority + (BEGUN if job.reason == STOPPED else 0.0)) for job in found]
        return sorted(ranks, key=lambda rank: (-rank[1], rank[0]))


def _can_begin(session: Session, job: Job) -> bool:
    """Whether a run makes sense now: on the study's last input, all of it there, nobody at work on the patient."""
    study = job.study
    if job.input_digest != study.input_digest:
        job.state, job.reason, job.ended_at = JobState.DONE, "a later input took its place", now()
        return False
    of_patient = session.query(Job).join(Study).filter(Study.patient_id == study.patient_id)
    busy = of_patient.filter(Job.state == JobState.RUNNING, Job.step == Step.CHAIN).first()
    if busy is not None or study.state is StudyState.RECEIVING or _has_earlier(session, job):
        job.due_at, job.announced_at = now() + dt.timedelta(seconds=BUSY_SECONDS), None
        return False
    return True


def _has_earlier(session: Session, job: Job) -> bool:
    """Whether an earlier study of the patient can be begun now and is no less urgent: it comes first.

    The last run of a patient leaves the report, so it has to be that of the latest study.
    """
    from sqlalchemy import tuple_

    study = job.study
    waiting = session.query(Job.id).join(Study).filter(Study.patient_id == study.patient_id)
    waiting = waiting.filter(
        Job.step == Step.CHAIN, Job.state == JobState.QUEUED, Job.input_digest == Study.input_digest
    )
    waiting = waiting.filter(Job.due_at <= now(), Job.priority >= job.priority, Study.state == StudyState.QUEUED)
    moment = tuple_(Study.date, Study.time) < (study.date, study.time)
    return waiting.filter(Study.date != "", moment).first() is not None


def _is_ours(job: Job, claim: Claim) -> bool:
    return (job.state, job.worker, job.tries) == (JobState.RUNNING, claim.worker, claim.tries)


def _put_back(job: Job, reason: str, settings: JobSettings, *, final: bool = False, at_once: bool = False) -> None:
    job.reason, job.stage, job.announced_at = reason[:500], "", None
    if final or job.tries >= settings.tries:
        job.state, job.ended_at = JobState.ATTENTION, now()
        if job.step is Step.CHAIN and job.study.state in (StudyState.RUNNING, StudyState.QUEUED):
            job.study.state, job.study.reason = StudyState.ATTENTION, job.reason
        return
    wait = 0.0 if at_once else settings.backoff_seconds * 2 ** (job.tries - 1)
    job.state, job.due_at = JobState.QUEUED, now() + dt.timedelta(seconds=wait)
    if job.step is Step.CHAIN and job.study.state is StudyState.RUNNING:
        job.study.state = StudyState.QUEUED
