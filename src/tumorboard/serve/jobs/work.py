"""What a worker does with a job: claim it, give signs of life, do it, keep what it made or say why not.

Why it exists: everything that can go wrong with one study ends here, with a reason in words, and never reaches the next
one. What a run made and that it is done are kept in one transaction.
"""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tumorboard.errors import MissingDependency, OutputError, TumorboardError
from tumorboard.serve.audit import SYSTEM, record
from tumorboard.serve.data.session import Database
from tumorboard.serve.data.tables import Job, Study
from tumorboard.serve.data.words import JobState, Step, StudyState
from tumorboard.serve.jobs.gather import gather
from tumorboard.serve.jobs.results import register, shelve
from tumorboard.serve.jobs.run import Ran, run_chain
from tumorboard.serve.jobs.urgent import keep_unprocessed, keep_urgency
from tumorboard.serve.log import tell
from tumorboard.serve.node.priors import fetch_priors
from tumorboard.serve.node.renew import finish_case, renew_later
from tumorboard.serve.queue.board import Claim, again, beat, claim, enqueue, fail, finish
from tumorboard.serve.sending.rule import send_results
from tumorboard.serve.settings import DepartmentSettings
from tumorboard.serve.shelf.files import shelf_of

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

SOON = 9
"""Priority of a sending: results that are made go before any other study is begun."""


@dataclass(frozen=True)
class Worker:
    """A process that works on jobs.

    Parameters
    ----------
    settings : DepartmentSettings
        The department's.
    db : Database
        Open.
    name : str
        Unique among the department's processes.
    ahead : callable
        Prepares what readers will ask for first, after a run; they only wait longer where it fails.
    """

    settings: DepartmentSettings
    db: Database
    name: str
    ahead: Callable[[Ran], None] = lambda _ran: None

    def look(self, job_id: int) -> None:
        """Work on a job, if it is there to be taken; never raises."""
        try:
            taken = claim(self.db, job_id, self.name)
            if taken is not None:
                self._work(taken)
        except Exception as error:  # the database is away: the job waits, its lease ends
            tell("worker", "job not worked on", level=logging.ERROR, error=error)

    def _work(self, taken: Claim) -> None:
        began = time.monotonic()
        said: dict[str, Any] = {"job": taken.job_id, "study": taken.study_key, "step": taken.step.value}
        tell("worker", "job begun", tries=taken.tries, **said)
        try:
            with self._alive(taken) as stage:
                if taken.step is Step.CHAIN:
                    self._chain(taken, stage)
                else:
                    self._send(taken)
        except TumorboardError as error:
            final = not isinstance(error, OutputError) and taken.step is Step.CHAIN
            self._fail(taken, str(error), final=final or isinstance(error, MissingDependency))
        except Exception as error:  # a defect of ours, or a machine in trouble: tried again, then shown to a person
            tell("worker", "defect", level=logging.ERROR, error=error, **said)
            self._fail(taken, f"a defect of ours ({type(error).__name__})", final=False)
        else:
            tell("worker", "job done", seconds=round(time.monotonic() - began, 1), **said)
            for job_id in self._sendings(taken):
                self.look(job_id)  # results go back before the next study is begun

    def _sendings(self, taken: Claim) -> list[int]:
        if taken.step is not Step.CHAIN:
            return []
        with self.db.read() as session:
            queued = session.query(Job.id).filter_by(study_id=taken.study_id, step=Step.SEND, state=JobState.QUEUED)
            return [row.id for row in queued]

    def _fail(self, taken: Claim, reason: str, *, final: bool) -> None:
        state = fail(self.db, taken, reason, self.settings.jobs, final=final)
        tell("worker", "job failed", level=logging.WARNING, job=taken.job_id, state=state.value if state else "lost")
        if state is JobState.ATTENTION and taken.step is Step.CHAIN:
            with self.db.begin() as session:
                keep_unprocessed(session, taken, reason)

    def _chain(self, taken: Claim, stage: _Stage) -> None:
        shelf = shelf_of(self.settings)
        stage("fetch")
        notes = self._fetch(taken)
        folder = self.settings.home / "work" / f"job-{taken.job_id}"
        try:
            gathered = gather(self.db, shelf, taken.study_id, folder)
            ran = run_chain(gathered, self.settings, stage)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        made = shelve(self.db, shelf, ran.case.session(ran.session) / "dicom", self.settings.node.ae_title)
        try:
            self.ahead(ran)
        except Exception as error:
            tell("worker", "nothing prepared for readers", level=logging.WARNING, error=error, study=taken.study_key)
        with self.db.begin() as session:
            if not finish(session, taken, "; ".join((*notes, *ran.notes))):
                return
            register(session, taken, made, ran.cards)
            session.get_one(Study, taken.study_id).rests_on = gathered.rests_on
            self._close(session, taken, ran)

    def _fetch(self, taken: Claim) -> tuple[str, ...]:
        """Fetch earlier studies; other studies of the patient that were done without them are made anew."""
        notes = fetch_priors(self.settings, self.db, taken.study_id)
        if self.settings.priors.source:
            with self.db.begin() as session:
                renew_later(session, session.get_one(Study, taken.study_id).patient_id)
        return notes

    def _close(self, session: Session, taken: Claim, ran: Ran) -> None:
        study = session.get_one(Study, taken.study_id)
        study.digital = study.digital or ran.digital
        if study.version == taken.version and study.state is StudyState.RUNNING:
            study.state, study.reason = StudyState.DONE, ""
        keep_urgency(session, taken, ran)
        if self.settings.returning.to:
            sending = enqueue(session, study, Step.SEND, taken.input_digest, priority=SOON)
            if sending.state is JobState.DONE:  # of an earlier run on the same objects
                again(sending)
        record(session, SYSTEM, "results made", study.key, version=taken.version)
        renew_later(session, study.patient_id)  # an earlier study may have come, changed, or been read at last
        finish_case(session, study)

    def _send(self, taken: Claim) -> None:
        send_results(self.settings, self.db, taken)
        with self.db.begin() as session:
            finish(session, taken)

    @contextlib.contextmanager
    def _alive(self, taken: Claim) -> Iterator[_Stage]:
        """Give signs of life from a thread of their own, while the job is at work."""
        stage, ended = _Stage(), threading.Event()

        def go() -> None:
            while not ended.wait(self.settings.jobs.lease_seconds / 4):
                with contextlib.suppress(Exception):  # a database that is away for a moment
                    beat(self.db, taken, stage.name)

        thread = threading.Thread(target=go, name=f"alive-{taken.job_id}", daemon=True)
        thread.start()
        try:
            yield stage
        finally:
            ended.set()
            thread.join()


class _Stage:
    """The stage that a job is at."""

    def __init__(self) -> None:
        self.name = ""

    def __call__(self, name: str) -> None:
        self.name = name


def worker_name(part: str = "worker") -> str:
    """Return a name for this process that no other has.

    Examples
    --------
    >>> worker_name().startswith("worker-")
    True
    """
    return f"{part}-{socket.gethostname()[:24]}-{os.getpid()}-{time.monotonic_ns() % 10**6}"
