"""Does the department finish every study, once, while node and worker are killed? The whole chain, over the network.

Run with ``python benchmarks/serve_soak_chain.py``; 40 digital patients of one small thick-slice study each (T1C and
FLAIR, 110 x 110 pixels of 2 mm, slices of 6.6 mm), from 8 connections with broken ones, duplicates and any order; node
or worker is killed (SIGKILL) once a minute. At the end every study must have one set of results, or need attention
because of what it shows (an "expected ... got ..." of the chain), and the chain run once more on ``--again`` of them,
undisturbed, must name the same objects. ``--minutes`` ends it before all are done; what is told then holds for those
that are. Everything stays on 127.0.0.1.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from serve_soak import Parts, Tally, free_port, send_all, send_objects
from sqlalchemy import select

from tumorboard.io.dicom.write import write_series
from tumorboard.sequences import Sequence
from tumorboard.serve.data.session import Database
from tumorboard.serve.data.tables import Instance, Job, Result, Study
from tumorboard.serve.data.words import InstanceState, JobState, Origin, ResultState, StudyState
from tumorboard.serve.jobs.gather import gather
from tumorboard.serve.jobs.run import run_chain
from tumorboard.serve.log import silence
from tumorboard.serve.settings import DepartmentSettings, read_settings
from tumorboard.serve.shelf.files import shelf_of
from tumorboard.serve.status import status_of
from tumorboard.simulate.files.study_headers import StudyHeaders, Wanted
from tumorboard.simulate.native import native_patient
from tumorboard.simulate.scanner.acquisition import PROTOCOLS

SENT = (Sequence.FLAIR, Sequence.T1C)
HEAD_MM = 4.0
FIELD_MM = (220.0, 220.0, 176.0)
SETTINGS = """
home = "."
[node]
port = {port}
quiet_seconds = 20
max_associations = 20
[jobs]
segmenter = "fuzzy"
lease_seconds = 15
backoff_seconds = 5
tries = 20
[keep]
reserve_gib = 0.1
"""
"""More tries than usual: here it is never the study that kills the worker."""


def make_study(seed: int, folder: Path) -> list[Any]:
    """Return the images of a digital patient's study."""
    thick = PROTOCOLS["thick"]
    PROTOCOLS["small"] = {
        s: replace(how, in_plane_mm=2.0, thickness_mm=6.0, gap_mm=0.6, field_mm=FIELD_MM) for s, how in thick.items()
    }
    study = native_patient(seed=seed, spacing_mm=HEAD_MM, protocol="small", studies=1).studies[0]
    headers = StudyHeaders(np.random.default_rng([seed, 3]), seed, study.id, study.date, "SIEMENS", "en")
    for sequence in SENT:
        header = headers.draw(Wanted(sequence.value, "axial", "2D", after=sequence is Sequence.T1C))
        image = study.images[sequence]
        write_series(image.volume, folder / sequence.value, header, thickness_mm=image.thickness_mm)
    return [pydicom.dcmread(path) for path in sorted(folder.rglob("IM*"))]


def ended(db: Database) -> int:
    """Return how many studies are worked on to an end, good or bad."""
    told = status_of(db).studies
    return told.get(StudyState.DONE, 0) + told.get(StudyState.ATTENTION, 0)


def verify(db: Database, home: Path, sent: dict[str, int]) -> dict[str, Any]:
    """Compare what is there with what was sent, and count the sets of results."""
    with db.read() as session:
        received = select(Instance).where(Instance.origin == Origin.RECEIVED, Instance.state == InstanceState.STORED)
        rows = len(session.scalars(received).all())
        studies = session.scalars(select(Study)).all()
        done = [s for s in studies if s.state is StudyState.DONE]
        attention = [s.reason for s in studies if s.state is StudyState.ATTENTION]
        sets = Counter(tuple(sorted(r.name for r in s.results)) for s in done)
        results = session.scalars(select(Result)).all()
        tries = sorted(j.tries for j in session.scalars(select(Job).where(Job.state == JobState.DONE)))
        return {
            "studies_sent": len(sent),
            "studies_received": len(studies),
            "objects_sent": sum(sent.values()),
            "objects_lost": sum(sent.values()) - rows,
            "done": len(done),
            "unended": len(studies) - len(done) - len(attention),
            "attention": attention,
            "given_up": sum("expected" not in reason for reason in attention),
            "studies_in_one_version": sum(s.version == 1 for s in done),
            "sets_of_results": {" ".join(names): count for names, count in sets.items()},
            "results": len(results),
            "superseded": sum(r.state is ResultState.SUPERSEDED for r in results),
            "names_twice": len(results) - len({r.uid for r in results}),
            "files": len(list((home / "shelf").glob("*/*/*.dcm"))),
            "jobs_tried_once": tries.count(1),
            "most_tries": tries[-1] if tries else 0,
        }


def same_again(db: Database, settings: DepartmentSettings, place: Path, most: int) -> tuple[int, int]:
    """Run the chain once more on some studies, undisturbed; return how many of them named the same objects, of all."""
    with db.read() as session:
        done = session.scalars(select(Study).where(Study.state == StudyState.DONE).order_by(Study.id).limit(most)).all()
        uids = {s.id: {r.uid for r in s.results} for s in done}
    same = 0
    for study_id, known in uids.items():
        gathered = gather(db, shelf_of(settings), study_id, place / f"in-{study_id}")
        ran = run_chain(gathered, settings.model_copy(update={"home": place / f"out-{study_id}"}), lambda _: None)
        made = (ran.case.session(ran.session) / "dicom").glob("*.dcm")
        same += {str(pydicom.dcmread(path, stop_before_pixels=True).SOPInstanceUID) for path in made} == known
    return same, len(uids)


def soak(home: Path, told: argparse.Namespace) -> dict[str, Any]:
    """Send everything, wait for it, and return the figures."""
    silence()
    file, port, tally, sent = home / "department.toml", free_port(), Tally(), dict[str, int]()
    file.write_text(SETTINGS.format(port=port))
    settings = read_settings(file)
    parts = Parts(file, ["node", "worker"], told.kill_seconds, tally)
    while not parts.all_live():
        time.sleep(0.2)
    began = time.monotonic()
    parts.start()

    def send(study: int, chance: random.Random) -> None:
        objects = make_study(study, home / "made" / str(study))
        sent[objects[0].StudyInstanceUID] = len(objects)
        send_objects(objects, port, tally, chance)

    send_all(list(range(1, told.studies + 1)), told.senders, tally, send)
    while ended(parts.db) < told.studies and time.monotonic() < began + told.minutes * 60:
        time.sleep(2.0)
    took = time.monotonic() - began
    parts.stop()
    figures = verify(parts.db, home, sent)
    same, of = same_again(parts.db, settings, home / "again", told.again)
    parts.db.close()
    return figures | {
        "run_again": of,
        "run_again_named_the_same": same,
        "minutes": round(took / 60, 1),
        "sent": tally.sent,
        "connections_aborted": tally.aborted,
        "node_or_worker_killed": tally.kills,
        **tally.memory(),
    }


def main() -> int:
    """Print the figures; 1 if anything was lost, doubled, or named otherwise."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--studies", type=int, default=40)
    parser.add_argument("--senders", type=int, default=8)
    parser.add_argument("--kill-seconds", type=float, default=60.0, help="0: never")
    parser.add_argument("--minutes", type=float, default=180.0)
    parser.add_argument("--again", type=int, default=2)
    with tempfile.TemporaryDirectory() as folder:
        figures = soak(Path(folder), parser.parse_args())
    print(json.dumps(figures, indent=1))
    bad = ("objects_lost", "superseded", "names_twice", "unended", "given_up")
    good = not any(figures[name] for name in bad) and figures["run_again"] == figures["run_again_named_the_same"]
    good = good and len(figures["sets_of_results"]) == 1
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
