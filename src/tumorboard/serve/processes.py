"""The department's processes, each as a function that runs until it is told to stop.

Why it exists: node, worker and pages fail apart from each other. Each gives a sign of life into the database, ends in
order when it is told to, and loses nothing when it is killed instead.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import logging
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from tumorboard.serve.data.base import now
from tumorboard.serve.data.people import Running
from tumorboard.serve.data.session import Database, open_database
from tumorboard.serve.jobs.work import Worker, worker_name
from tumorboard.serve.log import set_up_logs, tell
from tumorboard.serve.node.complete import complete_studies
from tumorboard.serve.node.priors import count_objects
from tumorboard.serve.node.server import Node
from tumorboard.serve.outlines.places import Place
from tumorboard.serve.queue.carrier import announce, carrier_of, task_of
from tumorboard.serve.room.pictures import make_ahead
from tumorboard.serve.settings import DepartmentSettings
from tumorboard.serve.shelf.recover import recover
from tumorboard.serve.stopping import hearing
from tumorboard.serve.upkeep import keep_house

TICK_SECONDS = 0.5
HOUSE_SECONDS = 300.0
"""How often files are purged and forgotten ones swept."""

NICE = 10
"""How far a worker stands behind node and pages; they answer people and scanners, it takes minutes anyway."""

BEAT_SECONDS = 5.0
"""How often a process gives a sign of life; one silent for four times as long is gone."""


def run_node(settings: DepartmentSettings, stop: threading.Event | None = None) -> None:
    """Listen, find complete studies, and keep the house, until told to stop.

    Parameters
    ----------
    settings : DepartmentSettings
        The department's.
    stop : threading.Event, optional
        Set to stop; SIGINT and SIGTERM do the same in a main thread.

    Raises
    ------
    OutputError, InputError
        See :meth:`Node.start`.
    """
    with _process(settings, "node", stop) as (db, alive, ended):
        found = recover(db, settings)
        if found:
            tell("node", "objects found on the shelf", count=found)
        node, count = Node(settings, db), count_objects(settings)
        with node:
            alive(port=node.port)
            every: list[tuple[float, Callable[[], Any]]] = [
                (TICK_SECONDS, lambda: complete_studies(db, settings.node, count)),
                (BEAT_SECONDS, lambda: alive(port=node.port)),
                (1.0, node.tend),
                (HOUSE_SECONDS, lambda: keep_house(db, settings)),
            ]
            _repeat("node", every, ended)


def run_worker(settings: DepartmentSettings, stop: threading.Event | None = None) -> None:
    """Work on jobs, one after another, until told to stop; a job that is begun is finished first."""
    give_way()
    with _process(settings, "worker", stop) as (db, alive, ended):
        carrier = carrier_of(settings)
        worker = Worker(
            settings, db, worker_name(), lambda ran: make_ahead(settings.viewer, Place(ran.case, ran.session))
        )
        task = task_of(carrier, worker.look)
        consumer = carrier.create_consumer(
            workers=1, periodic=False, initial_delay=0.05, max_delay=1.0, check_worker_health=True
        )
        consumer._set_signal_handlers = lambda: None  # ours are set
        consumer.start()
        alive()
        every: list[tuple[float, Callable[[], Any]]] = [
            (TICK_SECONDS * 2, lambda: announce(db, carrier, task, settings.jobs)),
            (BEAT_SECONDS, alive),
        ]
        try:
            _repeat("worker", every, ended)
        finally:
            consumer.stop(graceful=True)
            carrier.storage.close()


def give_way() -> None:
    """Let this thread, and those that it will start, wait for whoever else wants the processor.

    Linux may group processes by session and share time between groups, whatever their threads' niceness; a process that
    leads its own session therefore lowers the group too. Source: sched(7), "The autogroup feature".
    """
    with contextlib.suppress(OSError, AttributeError):  # another system; it goes on as it is
        os.nice(max(0, NICE - os.nice(0)))
        if os.getsid(0) == os.getpid():
            Path("/proc/self/autogroup").write_text(str(NICE), encoding="ascii")


Part = tuple[Database, Callable[..., None], threading.Event]


@contextlib.contextmanager
def _process(settings: DepartmentSettings, part: str, stop: threading.Event | None) -> Iterator[Part]:
    """Open what a process needs, tell that it lives, and close all at its end."""
    ended = stop or threading.Event()
    set_up_logs(settings.logs, part)
    threading.excepthook = lambda gone: tell(part, "thread ended", level=logging.ERROR, error=gone.exc_value)
    with hearing(ended):
        db, name = open_database(settings), worker_name(part)
        tell(part, "started", pid=os.getpid())
        try:
            yield db, lambda **said: _beat(db, name, part, said), ended
        finally:
            with contextlib.suppress(Exception), db.begin() as session:
                session.query(Running).filter_by(name=name).delete()
            db.close()
            tell(part, "ended", pid=os.getpid())


def _beat(db: Database, name: str, part: str, said: dict[str, Any]) -> None:
    with db.begin() as session:
        row = session.get(Running, name) or Running(name=name, part=part, pid=os.getpid())
        row.beat_at, row.detail = now(), said or row.detail or {}
        session.add(row)
        gone = now() - dt.timedelta(seconds=BEAT_SECONDS * 60)
        session.query(Running).filter(Running.beat_at < gone).delete()


def _repeat(part: str, every: list[tuple[float, Callable[[], Any]]], ended: threading.Event) -> None:
    """Do things again and again until the end; one that fails is told and done again later."""
    import time

    due = [0.0] * len(every)
    while not ended.is_set():
        for number, (seconds, do) in enumerate(every):
            if time.monotonic() < due[number]:
                continue
            try:
                do()
            except Exception as error:  # the database may be away for a moment; the process stays
                tell(part, "upkeep failed", level=logging.ERROR, error=error)
            due[number] = time.monotonic() + seconds
        ended.wait(min(seconds for seconds, _ in every))
