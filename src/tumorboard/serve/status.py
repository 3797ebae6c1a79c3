"""How a department is: which processes live, how many studies and jobs are in which state, what needs attention.

Why it exists: the first question of whoever is called at night, answered without opening a page or a log.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from tumorboard.serve.data.base import now
from tumorboard.serve.data.session import Database
from tumorboard.serve.data.words import JobState
from tumorboard.serve.processes import BEAT_SECONDS
from tumorboard.serve.shelf.room import stored_bytes


@dataclass(frozen=True)
class Status:
    """How a department is.

    Parameters
    ----------
    alive : tuple of (str, int, int)
        Part, process number, port (0 where it has none), for each process that gave a sign of life.
    studies, jobs : dict of str to int
        How many are in which state.
    attention : tuple of (str, str, str)
        Key of the study, step and reason of each job that a person must look at, the latest first.
    stored_bytes : int
        What lies on the shelf.
    """

    alive: tuple[tuple[str, int, int], ...]
    studies: dict[str, int]
    jobs: dict[str, int]
    attention: tuple[tuple[str, str, str], ...]
    stored_bytes: int


def status_of(db: Database) -> Status:
    """Return how the department is now."""
    from sqlalchemy import func

    from tumorboard.serve.data.people import Running
    from tumorboard.serve.data.tables import Job, Study

    stored = stored_bytes(db)
    with db.read() as session:
        since = now() - dt.timedelta(seconds=4 * BEAT_SECONDS)
        living = session.query(Running).filter(Running.beat_at >= since).order_by(Running.part, Running.pid)
        studies = session.query(Study.state, func.count()).group_by(Study.state)
        jobs = session.query(Job.state, func.count()).group_by(Job.state)
        bad = session.query(Study.key, Job.step, Job.reason).join(Job.study).filter(Job.state == JobState.ATTENTION)
        return Status(
            tuple((row.part, row.pid, int(row.detail.get("port", 0))) for row in living),
            {state.value: count for state, count in studies},
            {state.value: count for state, count in jobs},
            tuple((key, step.value, reason) for key, step, reason in bad.order_by(Job.id.desc()).limit(20)),
            stored,
        )
