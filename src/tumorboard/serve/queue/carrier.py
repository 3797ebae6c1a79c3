"""What wakes the workers: a huey queue in a SQLite file, so that no other service is needed.

Why it exists: the list of jobs says what is to be done; the carrier only says "look at job 7", by priority. A message
that is lost with a killed worker is said again, and one that is said twice finds the job taken.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tumorboard.serve.data.session import Database
from tumorboard.serve.queue.board import due, put_back_orphans
from tumorboard.serve.settings import DepartmentSettings, JobSettings

if TYPE_CHECKING:
    from huey import SqliteHuey


def carrier_of(settings: DepartmentSettings) -> SqliteHuey:
    """Return the queue of a department."""
    from huey import SqliteHuey

    settings.home.mkdir(parents=True, exist_ok=True, mode=0o700)
    return SqliteHuey("tumorboard", filename=str(settings.queue_file), results=False, timeout=30)


def task_of(carrier: SqliteHuey, work: Callable[[int], None]) -> Any:
    """Return the one task there is: look at a job.

    Parameters
    ----------
    carrier : SqliteHuey
        The queue.
    work : callable
        What a worker does with a job's number.
    """

    def look(job_id: int) -> None:
        work(job_id)

    return carrier.task(name="look")(look)


def announce(db: Database, carrier: SqliteHuey, task: Any, settings: JobSettings) -> int:
    """Put orphans back and say which jobs are due; return how many.

    Parameters
    ----------
    db : Database
        The department's.
    carrier : SqliteHuey
        The queue.
    task : callable
        Of :func:`task_of`.
    settings : JobSettings
        How long a lease is.
    """
    put_back_orphans(db, settings)
    found = due(db, also_announced=carrier.pending_count() == 0)
    for job_id, priority in found:
        carrier.enqueue(task.s(job_id, priority=priority))
    return len(found)
