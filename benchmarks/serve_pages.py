"""Time of the department's pages for 20 users who browse at one time, while something else uses a core.

Run with ``python benchmarks/serve_pages.py``; a minute and a half. Limits: first page 1 s, p95 0.5 s. Pages are served
by one process over loopback, from a database of 400 studies; each user pauses half a second to two between pages.
``--busy 1`` is how many processes keep a core busy meanwhile (a stand-in for a study that is processed).
"""

from __future__ import annotations

import argparse
import datetime as dt
import multiprocessing
import random
import re
import statistics
import tempfile
import threading
import time
from pathlib import Path

import httpx
import numpy as np

from tumorboard.serve.data.base import now
from tumorboard.serve.data.people import Urgency
from tumorboard.serve.data.session import open_database
from tumorboard.serve.data.tables import Instance, Job, Patient, Series, Study
from tumorboard.serve.data.words import JobState, Role, Step, StudyState, WorkPriority
from tumorboard.serve.settings import DepartmentSettings
from tumorboard.serve.web.app import run_web
from tumorboard.serve.web.users import add_user

USERS, SECONDS, STUDIES = 20, 60.0, 400
PASSWORD = "a long enough password"


def fill(home: Path) -> None:
    """Make a department of studies, urgencies, jobs and users; no images, which pages do not read."""
    db = open_database(DepartmentSettings(home=home))
    for n in range(USERS):
        add_user(db, f"user{n}", Role.READER, PASSWORD)
    rng = random.Random(1)
    with db.begin() as session:
        for n in range(STUDIES):
            patient = Patient(patient_id=f"P{n // 3}", name=f"Name^{n // 3}", birth_date="19500101", sex="F")
            patient.issuer = str(n % 3)
            study = Study(key=f"{n:016x}", uid=f"2.25.{n}", patient=patient, date="20260101", state=StudyState.DONE)
            study.description = "MR brain with contrast"
            study.last_at = now() - dt.timedelta(minutes=n)
            session.add(study)
            session.flush()
            for s in range(5):
                series = Series(key=f"{s:016x}", uid=f"2.25.{n}.{s}", study_id=study.id, number=s, modality="MR")
                session.add(series)
                session.flush()
                about = {
                    "sop_class": "1.2",
                    "transfer_syntax": "1.2",
                    "digest": "d",
                    "size": 1,
                    "rows": 4,
                    "columns": 4,
                }
                session.add(
                    Instance(key="k", uid=f"2.25.{n}.{s}.1", series_id=series.id, patient_id=patient.id, **about)
                )
            said = {"reasons": [{"sentence": "Midline shift: 7.2 mm; 10 points from 5 mm on."}], "notes": []}
            priority = rng.choice(list(WorkPriority))
            session.add(Urgency(study_id=study.id, version=1, score=rng.random(), priority=priority, reasons=[said]))
            session.add(
                Job(study_id=study.id, step=Step.CHAIN, input_digest="d", state=JobState.DONE, ended_at=study.last_at)
            )
    db.close()


def serve(home: Path, port: int) -> None:
    """Serve the pages; a process of its own."""
    web = {"port": port, "requests_per_minute": 10**6, "logins_per_minute": 10**6}
    run_web(DepartmentSettings(home=home, web=web))


def burn() -> None:
    """Keep a core busy."""
    while True:
        np.fft.fftn(np.ones((96, 96, 96)))


def browse(base: str, number: int, end: float, times: list[tuple[str, float]]) -> None:
    """Log in, and go from page to page until the end."""
    rng = random.Random(number)
    with httpx.Client(base_url=base, timeout=60) as http:

        def token(text: str) -> str:
            found = re.search(r'name="csrf" value="([^"]+)"', text)
            return found.group(1) if found else ""

        form = token(http.get("/login").text)
        http.post("/login", data={"name": f"user{number}", "password": PASSWORD, "csrf": form})
        patient = re.findall(r'data-patient="([^"]+)"', http.get("/worklist").text)
        while time.monotonic() < end:
            time.sleep(rng.uniform(0.5, 2.0))
            study = f"/studies/{rng.randrange(STUDIES):016x}"
            name, path = rng.choice(
                [
                    ("worklist", "/worklist"),
                    ("study", study),
                    ("time line", rng.choice(patient)),
                    ("style", "/static/style.css"),
                ]
            )
            began = time.perf_counter()
            answer = http.get(path)
            times.append((name if answer.status_code == 200 else f"{answer.status_code}", time.perf_counter() - began))


def main() -> None:
    """Print the times."""
    given = argparse.ArgumentParser()
    given.add_argument("--busy", type=int, default=1)
    told = given.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home, port = Path(folder) / "home", 18_765
        fill(home)
        context = multiprocessing.get_context("spawn")
        others = [context.Process(target=serve, args=(home, port), daemon=True)]
        others += [context.Process(target=burn, daemon=True) for _ in range(told.busy)]
        for process in others:
            process.start()
        base = f"http://127.0.0.1:{port}"
        for _ in range(240):
            try:
                httpx.get(f"{base}/health/ready", timeout=5)
                break
            except httpx.TransportError:
                time.sleep(0.5)
        began = time.perf_counter()
        httpx.get(f"{base}/login")
        print(f"first page {time.perf_counter() - began:.3f} s")
        times: list[tuple[str, float]] = []
        end = time.monotonic() + SECONDS
        users = [threading.Thread(target=browse, args=(base, n, end, times)) for n in range(USERS)]
        for user in users:
            user.start()
        for user in users:
            user.join()
        for process in others:
            process.kill()
    for name in sorted({n for n, _ in times}):
        each = sorted(t for n, t in times if n == name)
        p95 = each[int(0.95 * (len(each) - 1))]
        print(f"{name:10} {len(each):5} answers, median {statistics.median(each):.3f} s, p95 {p95:.3f} s")


if __name__ == "__main__":
    main()
