"""After a correction was accepted or taken back: the study's results are made anew, and those that rest on them.

Why it exists: a later study is judged against this one, so its verdicts are no longer true either.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tumorboard.serve.data.base import now
from tumorboard.serve.data.words import JobState, Step, StudyState
from tumorboard.serve.node.complete import close
from tumorboard.serve.queue.board import enqueue

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from tumorboard.serve.data.tables import Study


def renew(session: Session, study: Study) -> int:
    """Enqueue a study with its correction, and the later ones of its patient; return how many.

    Parameters
    ----------
    session : Session
        In a transaction that writes.
    study : Study
        Whose accepted correction changed; one that still waits for images is left to that.
    """
    if study.state is StudyState.RECEIVING or not close(session, study):
        return 0
    later = [
        s for s in study.patient.studies if s.state is StudyState.DONE and (s.date, s.time) > (study.date, study.time)
    ]
    for other in later:
        other.version += 1
        other.state = StudyState.QUEUED
        job = enqueue(session, other, Step.CHAIN, other.input_digest)
        job.state, job.tries, job.announced_at, job.due_at = JobState.QUEUED, 0, None, now()
    return 1 + len(later)
