"""Keeping how urgent a study looks, from what a run found.

Why it exists: urgency is judged in its own room from the case folder; here it becomes a row. A judgement that fails
takes no result away, and a study that could not be processed is never put last.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from tumorboard.serve.data.base import now
from tumorboard.serve.data.people import Urgency
from tumorboard.serve.data.priority import Priority
from tumorboard.serve.data.tables import Study
from tumorboard.serve.data.words import ResultState, WorkPriority
from tumorboard.serve.jobs.run import Ran
from tumorboard.serve.log import tell
from tumorboard.serve.queue.board import Claim

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from tumorboard.serve.triage.urgency import Urgency as Judged


def keep_urgency(session: Session, claim: Claim, ran: Ran) -> None:
    """Judge a study that was worked on, and keep the judgement."""
    from tumorboard.serve.triage.urgency import not_processed, urgency_of

    ordered = _ordered(session, claim)
    try:
        judged = urgency_of(ran.case, ran.session, ordered)
    except Exception as error:  # the results stand; the study is shown as one that nothing is known of
        tell("worker", "urgency not judged", level=logging.ERROR, error=error, study=claim.study_key)
        judged = not_processed(ran.session, "its urgency could not be judged", ordered)
    _keep(session, claim, judged)


def keep_unprocessed(session: Session, claim: Claim, reason: str) -> None:
    """Keep that a study could not be worked on."""
    from tumorboard.serve.triage.urgency import not_processed

    _keep(session, claim, not_processed("", reason, _ordered(session, claim)))


def _ordered(session: Session, claim: Claim) -> Priority | None:
    return Priority.of(session.get_one(Study, claim.study_id).ordered)


def _keep(session: Session, claim: Claim, judged: Judged) -> None:
    from tumorboard.serve.ups.offer import offer_reading

    for old in session.query(Urgency).filter_by(study_id=claim.study_id, state=ResultState.CURRENT):
        old.state = ResultState.SUPERSEDED
    session.add(
        Urgency(
            study_id=claim.study_id,
            version=claim.version,
            score=judged.score,
            priority=WorkPriority(judged.priority.ups),
            reasons=[judged.as_json()],
        )
    )
    study = session.get(Study, claim.study_id)
    if study is not None:
        offer_reading(session, study, judged, now())
