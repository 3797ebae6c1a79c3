"""Does the department's node lose anything? Many senders, aborted connections, duplicates, and processes killed.

Run with ``python benchmarks/serve_soak.py``; 300 studies of 60 objects from 8 connections, in any order, a tenth of the
objects sent twice, one connection in five aborted in the middle, and the node killed (SIGKILL) once a minute. A sender
does what a scanner does: what was not acknowledged is sent again. Intake only: at the end every acknowledged object
must be on the shelf once, every study complete, and the node's memory flat. ``--studies``, ``--objects``,
``--senders`` and ``--kill-seconds`` (0: never) change that. Everything stays on 127.0.0.1. The whole chain, with
workers that are killed, is soaked by ``serve_soak_chain.py``.
"""

from __future__ import annotations

import argparse
import atexit
import io
import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian
from pynetdicom import AE
from sqlalchemy import func, select

from tumorboard.serve.data.session import Database, open_database
from tumorboard.serve.data.tables import Instance, Job, Study
from tumorboard.serve.log import silence
from tumorboard.serve.settings import read_settings
from tumorboard.serve.shelf.header import read_header
from tumorboard.serve.status import status_of

MR = "1.2.840.10008.5.1.4.1.1.4"
SIDE = 64
CODE = "from tumorboard.cli.main import main; main()"
SETTINGS = """
home = "."
[node]
port = {port}
quiet_seconds = 20
max_associations = 20
[keep]
reserve_gib = 0.1
"""


@dataclass
class Tally:
    """What the senders saw."""

    acknowledged: int = 0
    sent: int = 0
    aborted: int = 0
    refused: int = 0
    kills: int = 0
    rss_mib: dict[str, list[float]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, **more: int) -> None:
        """Count."""
        with self.lock:
            for name, count in more.items():
                setattr(self, name, getattr(self, name) + count)

    def memory(self) -> dict[str, float]:
        """Return resident memory of each part in MiB: median of the first and of the last third, and the most."""
        out: dict[str, float] = {}
        for part, each in self.rss_mib.items():
            third = max(1, len(each) // 3)
            for when, some in (("first_third", each[:third]), ("last_third", each[-third:])):
                out[f"{part}_rss_mib_{when}"] = round(sorted(some)[len(some) // 2], 1)
            out[f"{part}_rss_mib_most"] = round(max(each), 1)
        return out


def make_object(study: int, number: int) -> Any:
    """Return a small MR image; its UIDs follow from its numbers."""
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds = FileDataset(io.BytesIO(), {}, file_meta=meta, preamble=b"\0" * 128)
    series = 1 + number % 4
    ds.SOPClassUID = meta.MediaStorageSOPClassUID = MR
    ds.SOPInstanceUID = meta.MediaStorageSOPInstanceUID = f"2.25.{study}.{series}.{number}"
    ds.StudyInstanceUID, ds.SeriesInstanceUID = f"2.25.{study}", f"2.25.{study}.{series}"
    ds.PatientID, ds.PatientName, ds.StudyDate, ds.Modality = f"DIGITAL-{study}", "SOAK", "20200101", "MR"
    ds.SeriesNumber, ds.InstanceNumber, ds.Rows, ds.Columns = series, number + 1, SIDE, SIDE
    ds.SamplesPerPixel, ds.PhotometricInterpretation, ds.BitsAllocated = 1, "MONOCHROME2", 16
    ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 15, 0
    ds.PixelData = random.Random(study * 1000 + number).randbytes(SIDE * SIDE * 2)
    return ds


def send_objects(objects: Sequence[Any], port: int, tally: Tally, chance: random.Random) -> None:
    """Send data sets, or what makes them, in any order, some twice, until every one was acknowledged."""
    left = [*objects, *chance.sample(objects, len(objects) // 10)]
    chance.shuffle(left)
    while left:
        assoc = _connect(port)
        if not assoc.is_established:
            time.sleep(chance.uniform(0.2, 1.0))
            continue
        stop_at = chance.randrange(len(left)) if chance.random() < 0.2 else -1
        while left and assoc.is_established:
            if len(left) == stop_at:
                assoc.abort()
                tally.add(aborted=1)
                break
            if not _is_stored(assoc, left[-1]() if callable(left[-1]) else left[-1], tally):
                break
            left.pop()
        if assoc.is_established:
            assoc.release()


def _connect(port: int) -> Any:
    ae = AE(ae_title="SCANNER")
    ae.add_requested_context(MR, "1.2.840.10008.1.2.1")
    ae.acse_timeout = ae.dimse_timeout = ae.network_timeout = 60
    return ae.associate("127.0.0.1", port, ae_title="TUMORBOARD")


def _is_stored(assoc: Any, ds: Any, tally: Tally) -> bool:
    tally.add(sent=1)
    try:
        status = getattr(assoc.send_c_store(ds), "Status", None)
    except (RuntimeError, ValueError, OSError):
        return False
    tally.add(acknowledged=int(status == 0), refused=int(status not in (0, None)))
    return status == 0


class Parts(threading.Thread):
    """Runs parts of a department, kills one of them now and then, starts it again, and looks at their memory."""

    def __init__(self, file: Path, names: Sequence[str], seconds: float, tally: Tally) -> None:
        super().__init__(daemon=True)
        self.file, self.seconds, self.tally = file, seconds, tally
        self.ended, self.chance = threading.Event(), random.Random(1)
        self.db = open_database(read_settings(file))
        self.processes = {name: self._start(name) for name in names}
        atexit.register(self._kill_all)

    def _start(self, name: str) -> subprocess.Popen[bytes]:
        words = [sys.executable, "-c", CODE, "serve", name, "--settings", str(self.file)]
        return subprocess.Popen(words, start_new_session=True)

    def _kill_all(self) -> None:
        for process in self.processes.values():
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)

    def all_live(self) -> bool:
        """Whether every process has given a sign of life since it was started."""
        return {p.pid for p in self.processes.values()} <= {pid for _, pid, _ in status_of(self.db).alive}

    def run(self) -> None:
        """Watch; the time until one is killed counts from when all live."""
        due = float("inf")
        while not self.ended.wait(2.0):
            if due == float("inf") and self.seconds and self.all_live():
                due = time.monotonic() + self.seconds
            for name, process in self.processes.items():
                if rss := rss_mib(process.pid):
                    self.tally.rss_mib.setdefault(name, []).append(rss)
            if time.monotonic() >= due:
                name = self.chance.choice(sorted(self.processes))
                os.killpg(self.processes[name].pid, signal.SIGKILL)
                self.processes[name].wait()
                self.tally.add(kills=1)
                self.processes[name], due = self._start(name), float("inf")

    def stop(self) -> None:
        """Stop everything in order; the database stays open for questions."""
        self.ended.set()
        self.join()
        for process in self.processes.values():
            process.terminate()
        for process in self.processes.values():
            process.wait(300)


def rss_mib(pid: int) -> float:
    """Return the resident memory of a process in MiB; 0 where it is gone."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20
    except OSError:
        return 0.0


def verify(db: Database, home: Path, studies: int, objects: int) -> dict[str, Any]:
    """Compare what is there with what must be there."""
    with db.read() as session:
        rows = session.scalar(select(func.count()).select_from(Instance))
        names = set(session.scalars(select(Instance.uid)))
        jobs = session.scalar(select(func.count()).select_from(Job))
        versions = session.scalars(select(Study.version)).all()
    wanted = {f"2.25.{s}.{1 + n % 4}.{n}" for s in range(1, studies + 1) for n in range(objects)}
    files = list((home / "shelf").glob("*/*/*.dcm"))
    whole = sum(read_header(path).whole for path in files)
    return {
        "objects_wanted": len(wanted),
        "rows": rows,
        "files": len(files),
        "whole_files": whole,
        "lost": len(wanted - names),
        "strangers": len(names - wanted),
        "studies": len(versions),
        "jobs": jobs,
        "studies_in_one_version": sum(v == 1 for v in versions),
    }


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def send_all(studies: list[int], senders: int, tally: Tally, send: Any) -> float:
    """Let so many senders share studies, each sent by ``send(study, chance)``; return the seconds that it took."""
    queue, began = studies[::-1], time.monotonic()

    def work(seed: int) -> None:
        chance = random.Random(seed)
        while True:
            with tally.lock:
                if not queue:
                    return
                study = queue.pop()
            send(study, chance)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(senders)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return time.monotonic() - began


def soak(home: Path, studies: int, objects: int, senders: int, kill_seconds: float) -> dict[str, Any]:
    """Send everything, and return the figures."""
    silence()
    file, port, tally = home / "department.toml", free_port(), Tally()
    file.write_text(SETTINGS.format(port=port))
    parts = Parts(file, ["node"], kill_seconds, tally)
    while not parts.all_live():
        time.sleep(0.2)
    parts.start()

    def send(study: int, chance: random.Random) -> None:
        send_objects([partial(make_object, study, number) for number in range(objects)], port, tally, chance)

    took = send_all(list(range(1, studies + 1)), senders, tally, send)
    end = time.monotonic() + 300
    while status_of(parts.db).studies != {"queued": studies} and time.monotonic() < end:
        time.sleep(1.0)
    parts.stop()
    told = verify(parts.db, home, studies, objects)
    parts.db.close()
    return told | {
        "seconds": round(took, 1),
        "objects_per_second": round(tally.acknowledged / took, 1),
        "sent": tally.sent,
        "acknowledged": tally.acknowledged,
        "refused": tally.refused,
        "connections_aborted": tally.aborted,
        "node_killed": tally.kills,
        **tally.memory(),
    }


def main() -> int:
    """Print the figures; 1 if anything was lost."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--studies", type=int, default=300)
    parser.add_argument("--objects", type=int, default=60)
    parser.add_argument("--senders", type=int, default=8)
    parser.add_argument("--kill-seconds", type=float, default=60.0)
    told = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        figures = soak(Path(folder), told.studies, told.objects, told.senders, told.kill_seconds)
    print(json.dumps(figures, indent=1))
    good = figures["lost"] == figures["strangers"] == 0
    return 0 if good and figures["rows"] == figures["files"] == figures["objects_wanted"] else 1


if __name__ == "__main__":
    sys.exit(main())
