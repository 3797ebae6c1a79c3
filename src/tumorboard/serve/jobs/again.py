"""Trying again what ended in attention, on a person's word.

Why it exists: the reason is often outside: a full disk, a PACS that was down, an image that was sent anew.
"""

from __future__ import annotations

from tumorboard.errors import InputError
from tumorboard.serve.audit import record
from tumorboard.serve.data.session import Database
from tumorboard.serve.data.tables import Job, Study
from tumorboard.serve.data.words import JobState, Step, StudyState
from tumorboard.serve.queue.board import again


def try_again(db: Database, study_key: str, who: str) -> int:
    """Queue the jobs of a study that need attention; return how many.

    Parameters
    ----------
    db : Database
        The department's.
    study_key : str
        Which study.
    who : str
        On whose word.

    Raises
    ------
    InputError
        There is no such study.
    """
    with db.begin() as session:
        study = session.query(Study).filter_by(key=study_key).one_or_none()
        if study is None:
            raise InputError("the key of a study", got="another", where="study", remedy="see: tumorboard serve status")
        jobs = session.query(Job).filter_by(study_id=study.id, state=JobState.ATTENTION).all()
        for job in jobs:
            again(job)
            if job.step is Step.CHAIN and study.state is StudyState.ATTENTION:
                study.state, study.reason = StudyState.QUEUED, ""
        record(session, who, "study tried again", study.key, jobs=len(jobs))
        return len(jobs)
