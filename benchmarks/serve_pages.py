"""Time of the department's pages for 20 users who browse at one time, while a study is processed.

Run with ``python benchmarks/serve_pages.py``; two minutes. Limits: first page 1 s, p95 0.5 s. Pages are served by one
process over loopback, from a database of 400 studies of 240 images; each user pauses half a second to two between
pages. Meanwhile ``--workers`` processes run the chain on a small digital study again and again, as far behind the pages
as the department's workers stand. Whatever else the machine does counts into the times; CPU time stands beside them.
"""

from __future__ import annotations

import argparse
import datetime as dt
import multiprocessing
import os
import random
import re
import statistics
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import httpx
from serve_soak_chain import make_study
from sqlalchemy import insert

from tumorboard.chain import run
from tumorboard.intake import IntakeRequest
from tumorboard.serve.data.base import now
from tumorboard.serve.data.people import Urgency
from tumorboard.serve.data.session import open_database
from tumorboard.serve.data.tables import Instance, Job, Patient, Series, Study
from tumorboard.serve.data.words import InstanceState, JobState, Origin, Role, Step, StudyState, WorkPriority
from tumorboard.serve.processes import give_way
from tumorboard.serve.settings import DepartmentSettings
from tumorboard.serve.web.app import run_web
from tumorboard.serve.web.users import add_user
from tumorboard.settings import RunSettings

USERS, SECONDS, STUDIES, SERIES, SLICES = 20, 60.0, 400, 4, 60
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
            for s in range(SERIES):
                series = Series(key=f"{s:016x}", uid=f"2.25.{n}.{s}", study_id=study.id, number=s, modality="MR")
                session.add(series)
                session.flush()
                session.execute(insert(Instance), [image(n, s, k, series.id, patient.id) for k in range(SLICES)])
            said = {"reasons": [{"sentence": "Midline shift: 7.2 mm; 10 points from 5 mm on."}], "notes": []}
            priority = rng.choice(list(WorkPriority))
            session.add(Urgency(study_id=study.id, version=1, score=rng.random(), priority=priority, reasons=[said]))
            session.add(
                Job(study_id=study.id, step=Step.CHAIN, input_digest="d", state=JobState.DONE, ended_at=study.last_at)
            )
    db.close()


def image(study: int, series: int, number: int, series_id: int, patient_id: int) -> dict[str, Any]:
    """Return the row of an image."""
    return {
        **{"key": f"{number:016x}", "uid": f"2.25.{study}.{series}.{number}", "series_id": series_id},
        **{"patient_id": patient_id, "sop_class": "1.2", "transfer_syntax": "1.2", "number": number, "digest": "d"},
        **{"rows": 256, "columns": 256, "size": 1, "origin": Origin.RECEIVED, "state": InstanceState.STORED},
        **{"sender": "SCANNER", "received_at": now()},
    }


def serve(home: Path, port: int) -> None:
    """Serve the pages; a process of its own."""
    web = {"port": port, "requests_per_minute": 10**6, "logins_per_minute": 10**6}
    run_web(DepartmentSettings(home=home, web=web))


def work(folder: Path) -> None:
    """Process a study again and again, as a worker does; a process of its own, in a session of its own."""
    os.setsid()
    give_way()
    make_study(7, folder / "in")
    for number in range(1000):
        run(IntakeRequest(inputs=(folder / "in",)), folder / f"out-{number}", RunSettings(segmenter="fuzzy"))


def cpu_s(pid: int) -> float:
    """Return user and system time of a process."""
    told = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(told[11]) + int(told[12])) / os.sysconf("SC_CLK_TCK")


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
                    ("watch", "/surveillance"),
                    ("style", "/static/style.css"),
                ]
            )
            began = time.perf_counter()
            answer = http.get(path)
            times.append((name if answer.status_code == 200 else f"{answer.status_code}", time.perf_counter() - began))


def main() -> None:
    """Print the times."""
    given = argparse.ArgumentParser()
    given.add_argument("--workers", type=int, default=1)
    told = given.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home, port = Path(folder) / "home", 18_765
        fill(home)
        context = multiprocessing.get_context("spawn")
        others = [context.Process(target=serve, args=(home, port), daemon=True)]
        others += [context.Process(target=work, args=(Path(folder) / f"w{n}",)) for n in range(told.workers)]
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
        used = cpu_s(others[0].pid or 0), [cpu_s(other.pid or 0) for other in others[1:]]
        end = time.monotonic() + SECONDS
        users = [threading.Thread(target=browse, args=(base, n, end, times)) for n in range(USERS)]
        for user in users:
            user.start()
        for user in users:
            user.join()
        took = cpu_s(others[0].pid or 0) - used[0]
        worked = sum(cpu_s(other.pid or 0) for other in others[1:]) - sum(used[1])
        for process in others:
            process.kill()
        for process in others:
            process.join()
    print(f"the pages took {took:.1f} CPU-s, {1000 * took / max(1, len(times)):.0f} ms an answer; workers {worked:.1f}")
    print(f"load of the machine {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    for name in ("all", *sorted({n for n, _ in times})):
        each = sorted(t for n, t in times if name in ("all", n))
        p95 = each[int(0.95 * (len(each) - 1))]
        print(f"{name:10} {len(each):5} answers, median {statistics.median(each):.3f} s, p95 {p95:.3f} s")


if __name__ == "__main__":
    main()
