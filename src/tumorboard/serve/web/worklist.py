"""The worklist: which studies there are, how urgent and how far, in the order in which they should be read.

Why it exists: order is the point. The most urgent come first, then those that waited longest; a study that nothing is
known of counts as MEDIUM and is never put behind one that was found to be LOW.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import Select, and_, case, func, or_, select

from tumorboard.serve.data.people import Edit, Urgency, WorkItem
from tumorboard.serve.data.tables import Job, Patient, Result, Study
from tumorboard.serve.data.words import JobState, ResultState, StudyState, WorkPriority, WorkState

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    Joined = Select[Study, Patient, Urgency]

MOST = 50
"""Rows on a page; more than anybody reads before the list is asked for anew."""

SHOWN = {
    "open": "to read",
    "all": "all",
    "attention": "needs attention",
    "working": "at work",
    "done": "processed",
    "read": "read",
    "stored": "earlier studies",
}
"""What may be looked at, and how a page calls it."""

_STATES: dict[str, tuple[StudyState, ...]] = {
    "attention": (StudyState.ATTENTION,),
    "working": (StudyState.RECEIVING, StudyState.QUEUED, StudyState.RUNNING),
    "done": (StudyState.DONE,),
    "stored": (StudyState.STORED,),
}
_RANK = case({p: n for n, p in enumerate(WorkPriority)}, value=Urgency.priority, else_=1)


@dataclass(frozen=True)
class Filter:
    """What of the worklist is wanted.

    Parameters
    ----------
    shown : str
        A key of :data:`SHOWN`; another means ``open``.
    text : str
        Part of a name, a patient ID or an accession number.
    days : int
        Only studies that came within so many days; 0 for all.
    page : int
        From 1 on.
    """

    shown: str = "open"
    text: str = ""
    days: int = 0
    page: int = 1


@dataclass(frozen=True)
class Row:
    """A study as the worklist shows it; see the tables for what the columns mean."""

    study: Study
    patient: Patient
    priority: str
    score: float | None
    reasons: tuple[str, ...]
    unseen: tuple[str, ...]
    notes: tuple[str, ...]
    stage: str
    bad: str
    why: str
    tries: int
    kinds: tuple[str, ...]
    reading: str
    edits: int


@dataclass(frozen=True)
class Page:
    """Rows, how many there are in all, and how many of each kind."""

    rows: tuple[Row, ...]
    total: int
    counts: dict[str, int] = field(default_factory=dict)


def worklist(session: Session, wanted: Filter, at: dt.datetime) -> Page:
    """Return a page of the worklist.

    Parameters
    ----------
    session : Session
        That reads.
    wanted : Filter
        Which studies.
    at : datetime
        Now; days are counted from it.
    """
    query = _filtered(_joined(), wanted, at)
    total = session.scalar(select(func.count()).select_from(query.subquery())) or 0
    order = (_RANK, func.coalesce(Urgency.score, 0).desc(), Study.first_at, Study.id)
    found = session.execute(query.order_by(*order).offset((wanted.page - 1) * MOST).limit(MOST)).all()
    beside = _Beside(session, [study.id for study, _, _ in found])
    return Page(tuple(beside.row(*one) for one in found), total, _counts(session))


def rows_of(session: Session, studies: Sequence[Study]) -> list[Row]:
    """Return studies as the worklist would show them, with as many queries for one as for many."""
    ids = [study.id for study in studies]
    current = select(Urgency).where(Urgency.study_id.in_(ids), Urgency.state == ResultState.CURRENT)
    urgency = {found.study_id: found for found in session.scalars(current.order_by(Urgency.id.desc()))}
    beside = _Beside(session, ids)
    return [beside.row(study, study.patient, urgency.get(study.id)) for study in studies]


def judged(urgency: Urgency | None) -> dict[str, Any]:
    """Return what triage said: ``priority``, ``reasons`` (sentences), ``not_assessable``, ``notes``."""
    said = urgency.reasons[0] if urgency and urgency.reasons and isinstance(urgency.reasons[0], dict) else {}
    reasons = [str(r.get("sentence", "")) for r in said.get("reasons", ()) if isinstance(r, dict)]
    if urgency and not said:
        reasons = [str(r) for r in urgency.reasons]
    return {
        "priority": str(said.get("priority") or (urgency.priority.value if urgency else "")),
        "reasons": tuple(reasons),
        "not_assessable": tuple(map(str, said.get("not_assessable", ()))),
        "notes": tuple(map(str, said.get("notes", ()))),
    }


def _joined() -> Joined:
    current = and_(Urgency.study_id == Study.id, Urgency.state == ResultState.CURRENT)
    query = select(Study, Patient, Urgency).join(Patient, Study.patient_id == Patient.id)
    return query.outerjoin(Urgency, current)


def _filtered(query: Joined, wanted: Filter, at: dt.datetime) -> Joined:
    read = select(WorkItem.id).where(WorkItem.study_id == Study.id, WorkItem.state == WorkState.COMPLETED).exists()
    if wanted.shown in _STATES:
        query = query.where(Study.state.in_(_STATES[wanted.shown]))
    else:
        query = query.where(Study.state.not_in((StudyState.STORED, StudyState.PURGED)))
    if wanted.shown not in SHOWN or wanted.shown == "open":
        query = query.where(~read)
    elif wanted.shown == "read":
        query = query.where(read)
    if wanted.days:
        query = query.where(Study.last_at >= at - dt.timedelta(days=wanted.days))
    if wanted.text.strip():
        query = query.where(_has(wanted.text))
    return query


def _has(text: str) -> Any:
    """Return that every word stands in a name, a patient ID, an accession number or a description."""
    places = (Patient.name, Patient.patient_id, Study.accession, Study.description)
    return and_(*(or_(*(place.icontains(word, autoescape=True) for place in places)) for word in text.split()[:8]))


def _counts(session: Session) -> dict[str, int]:
    by = dict(session.execute(select(Study.state, func.count()).group_by(Study.state)).all())
    return {name: sum(by.get(state, 0) for state in states) for name, states in _STATES.items()}


def latest(jobs: Sequence[Any]) -> list[Any]:
    """Return the last job of each step, of jobs (or rows of them) in their order; what came of earlier ones is past."""
    return list({job.step: job for job in jobs}.values())


class _Beside:
    """What stands beside studies in other tables, read with one query a table."""

    def __init__(self, session: Session, ids: list[int]) -> None:
        self.jobs: dict[int, list[Any]] = defaultdict(list)
        self.kinds: dict[int, list[str]] = defaultdict(list)
        told = (Job.study_id, Job.step, Job.state, Job.stage, Job.reason, Job.tries)
        for job in session.execute(select(*told).where(Job.study_id.in_(ids)).order_by(Job.id)):
            self.jobs[job.study_id].append(job)
        held = select(Result.study_id, Result.kind).where(Result.study_id.in_(ids), Result.state == ResultState.CURRENT)
        for study_id, kind in session.execute(held.distinct().order_by(Result.kind)):
            self.kinds[study_id].append(kind)
        items = select(WorkItem.study_id, WorkItem.state).where(WorkItem.study_id.in_(ids)).order_by(WorkItem.id)
        self.items = {study_id: state.value.lower() for study_id, state in session.execute(items)}
        counted = select(Edit.study_id, func.count()).where(Edit.study_id.in_(ids)).group_by(Edit.study_id)
        self.edits = dict(session.execute(counted).all())

    def row(self, study: Study, patient: Patient, urgency: Urgency | None) -> Row:
        jobs = latest(self.jobs[study.id])
        bad, now, waits = (
            next((j for j in jobs if j.state is state), None)
            for state in (JobState.ATTENTION, JobState.RUNNING, JobState.QUEUED)
        )
        told = bad or now or waits
        said = judged(urgency)
        return Row(
            study=study,
            patient=patient,
            priority=said["priority"],
            score=urgency.score if urgency else None,
            reasons=said["reasons"],
            unseen=said["not_assessable"],
            notes=said["notes"],
            stage=now.stage if now else "",
            bad=bad.step.value if bad else "",
            why=(told.reason if told else "") or study.reason,
            tries=told.tries if told else 0,
            kinds=tuple(self.kinds[study.id]),
            reading=self.items.get(study.id, ""),
            edits=self.edits.get(study.id, 0),
        )
