"""Does the department's node lose anything? Many senders, aborted connections, duplicates, and processes killed.

Run with ``python benchmarks/serve_soak.py``; 300 studies of 60 objects from 8 connections, in any order, a tenth of the
objects sent twice, one connection in five aborted in the middle, and the node killed (SIGKILL) once a minute. A sender
does what a scanner does: what was not acknowledged is sent again. Intake only: at the end every acknowledged object
must be on the shelf once, every study complete with one job, and the node's memory flat. ``--studies``, ``--objects``
and ``--kill-seconds`` make it smaller. Everything stays on 127.0.0.1.
"""

from __future__ import annotations

import argparse
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
from dataclasses import dataclass, field
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
    rss_mib: list[float] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, **more: int) -> None:
        """Count."""
        with self.lock:
            for name, count in more.items():
                setattr(self, name, getattr(self, name) + count)


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


def send_study(study: int, objects: int, port: int, tally: Tally, chance: random.Random) -> None:
    """Send a study until every object of it was acknowledged."""
    left = list(range(objects)) + chance.sample(range(objects), objects // 10)
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
            if not _is_stored(assoc, make_object(study, left[-1]), tally):
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


class Killer(threading.Thread):
    """Runs the node, kills it now and then, starts it again, and looks at its memory."""

    def __init__(self, file: Path, port: int, seconds: float, tally: Tally) -> None:
        super().__init__(daemon=True)
        self.port = port
        self.file, self.seconds, self.tally, self.ended = file, seconds, tally, threading.Event()
        self.process = self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, "-c", CODE, "serve", "node", "--settings", str(self.file)])

    def run(self) -> None:
        """Watch the node; the time until it is killed counts from when it listens."""
        due = float("inf")
        while not self.ended.wait(2.0):
            if due == float("inf") and self._listens():
                due = time.monotonic() + self.seconds
            self.tally.rss_mib.append(rss_mib(self.process.pid))
            if time.monotonic() >= due:
                os.kill(self.process.pid, signal.SIGKILL)
                self.process.wait()
                self.tally.kills += 1
                self.process, due = self._start(), float("inf")

    def _listens(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1.0).close()
        except OSError:
            return False
        return True


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


def soak(home: Path, studies: int, objects: int, senders: int, kill_seconds: float) -> dict[str, Any]:
    """Send everything, and return the figures."""
    silence()
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    file = home / "department.toml"
    file.write_text(SETTINGS.format(port=port))
    db, tally = open_database(read_settings(file)), Tally()
    killer = Killer(file, port, kill_seconds, tally)
    while not status_of(db).alive:
        time.sleep(0.2)
    killer.start()
    queue, began = list(range(studies, 0, -1)), time.monotonic()

    def work(seed: int) -> None:
        chance = random.Random(seed)
        while True:
            with tally.lock:
                if not queue:
                    return
                study = queue.pop()
            send_study(study, objects, port, tally, chance)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(senders)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = time.monotonic() - began
    while status_of(db).studies != {"queued": studies} and time.monotonic() - began < took + 300:
        time.sleep(1.0)
    killer.ended.set()
    killer.join()
    killer.process.terminate()
    killer.process.wait(60)
    told = verify(db, home, studies, objects)
    db.close()
    steady = [m for m in tally.rss_mib if m > 0]
    return told | {
        "seconds": round(took, 1),
        "objects_per_second": round(tally.acknowledged / took, 1),
        "sent": tally.sent,
        "acknowledged": tally.acknowledged,
        "refused": tally.refused,
        "connections_aborted": tally.aborted,
        "node_killed": tally.kills,
        "node_rss_mib_median": round(sorted(steady)[len(steady) // 2], 1) if steady else None,
        "node_rss_mib_most": round(max(steady), 1) if steady else None,
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
