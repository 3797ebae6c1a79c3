"""Starting it all: node, workers and pages as processes of their own, watched, started again, stopped together.

Why it exists: one command must run a department, and one Ctrl-C must stop it. A process that dies is started again,
more slowly each time, so that a broken setting does not become a storm.
"""

from __future__ import annotations

import contextlib
import importlib.util
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tumorboard.errors import MissingDependency
from tumorboard.serve.log import set_up_logs, tell
from tumorboard.serve.settings import DepartmentSettings
from tumorboard.serve.stopping import hearing

PARTS = ("node", "web", "worker")
GRACE_SECONDS = 20.0
"""How long a process may take to stop before it is killed; what it was at goes on at the next start."""

FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS = 0.5, 60.0
HEALTHY_SECONDS = 30.0
"""A process that lived so long is started again at once."""

NEEDED = ("sqlalchemy", "pynetdicom", "huey")
NEEDED_BY_PAGES = ("fastapi", "uvicorn", "argon2", "multipart")


def check_installed(*modules: str) -> None:
    """Refuse to start without the parts that a department needs.

    Raises
    ------
    MissingDependency
        With the install hint.

    Examples
    --------
    >>> check_installed("json")
    """
    missing = [name for name in modules or NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        told = "pip install 'tumorboard[department]'"
        raise MissingDependency("what a department needs", got=f"no {', '.join(missing)}", where="serve", remedy=told)


@dataclass
class Part:
    """A process that is watched."""

    name: str
    words: list[str]
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    wait_s: float = FIRST_WAIT_SECONDS
    due: float = 0.0
    codes: list[int] = field(default_factory=list)

    def tend(self) -> None:
        """Start the process if it is not there and its time has come."""
        if self.process is not None and self.process.poll() is not None:
            self._ended(int(self.process.returncode))
        if self.process is None and time.monotonic() >= self.due:
            self.process, self.started = subprocess.Popen(self.words, start_new_session=True), time.monotonic()  # noqa: S603
            tell("serve", "part started", name=self.name, pid=self.process.pid)

    def _ended(self, code: int) -> None:
        lived = time.monotonic() - self.started
        self.wait_s = FIRST_WAIT_SECONDS if lived >= HEALTHY_SECONDS else min(self.wait_s * 2, LONGEST_WAIT_SECONDS)
        self.process, self.due = None, time.monotonic() + self.wait_s
        self.codes.append(code)
        tell("serve", "part ended", level=logging.WARNING, name=self.name, code=code, again_in_s=self.wait_s)

    def signal(self, number: int) -> None:
        """Send a signal to the process and its children."""
        if self.process is not None and self.process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, number)


def parts_of(settings: DepartmentSettings, file: Path) -> list[Part]:
    """Return the processes of a department.

    Parameters
    ----------
    settings : DepartmentSettings
        How many workers.
    file : Path
        The settings file; each process reads it itself.
    """
    start = [sys.executable, "-c", "from tumorboard.cli.main import main; main()", "serve"]
    names = ["node", *(["web"] if pages_are_there() else [])]
    names += [f"worker-{number + 1}" for number in range(settings.jobs.workers)]
    return [Part(name, [*start, name.partition("-")[0], "--settings", str(file.resolve())]) for name in names]


def pages_are_there() -> bool:
    """Whether the pages and all they need are installed."""
    return all(importlib.util.find_spec(name) is not None for name in ("tumorboard.serve.web", *NEEDED_BY_PAGES))


def run_department(
    settings: DepartmentSettings,
    file: Path,
    stop: threading.Event | None = None,
    told: Callable[[str], None] = lambda _: None,
) -> None:
    """Run all parts until told to stop; one Ctrl-C stops all.

    Parameters
    ----------
    settings : DepartmentSettings
        The department's.
    file : Path
        Where they were read from.
    stop : threading.Event, optional
        Set to stop.
    told : callable
        Hears what a person at the terminal should know.

    Raises
    ------
    MissingDependency
        A part is not installed.
    """
    check_installed()
    ended = stop or threading.Event()
    set_up_logs(settings.logs, "serve")
    parts = parts_of(settings, file)
    with hearing(ended):
        try:
            while not ended.is_set():
                for part in parts:
                    before = len(part.codes)
                    part.tend()
                    if len(part.codes) > before:
                        told(f"{part.name} ended with {part.codes[-1]} and is started again in {part.wait_s:.1f} s")
                ended.wait(0.2)
        finally:
            _stop(parts)


def _stop(parts: list[Part]) -> None:
    for part in parts:
        part.signal(signal.SIGTERM)
    end = time.monotonic() + GRACE_SECONDS
    for part in parts:
        if part.process is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                part.process.wait(max(0.0, end - time.monotonic()))
            part.signal(signal.SIGKILL)
            part.process.wait()
    tell("serve", "stopped")
