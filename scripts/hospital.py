"""An Orthanc on this machine as a hospital's archive, for the look (``make department``) and for the tests.

Everything listens on loopback, and lies in one folder. Orthanc and DCMTK come from the system's packages; what is
missing is told, nothing is installed.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PROGRAM = shutil.which("Orthanc") or "/usr/sbin/Orthanc"
PACKAGES = "Orthanc and storescu are needed: apt-get install --no-install-recommends orthanc dcmtk"
START_SECONDS = 60.0
TITLE = "PACS"


@dataclass(frozen=True)
class Archive:
    """A running Orthanc: its DICOM port, and the address of its REST interface."""

    port: int
    address: str

    def get(self, place: str) -> Any:
        """Return what its REST interface says at a place, such as ``/series``."""
        return get(f"{self.address}{place}")

    def modalities(self) -> list[str]:
        """Return the modality of every series that it holds."""
        return [self.get(f"/series/{key}")["MainDicomTags"]["Modality"] for key in self.get("/series")]


def is_installed() -> bool:
    """Whether Orthanc and DCMTK's sender are there."""
    return Path(PROGRAM).exists() and sender() is not None


@functools.cache
def sender() -> str | None:
    """Return DCMTK's storescu; pynetdicom's, which an active environment puts first, has the name but other options."""
    for folder in os.get_exec_path():
        found = shutil.which("storescu", path=folder)
        if found and b"dcmtk" in subprocess.run([found, "--version"], capture_output=True, check=False).stdout:  # noqa: S603
            return found
    return None


@contextlib.contextmanager
def orthanc(folder: Path, *, knows: tuple[str, int] | None = None, gives: bool = True) -> Iterator[Archive]:
    """Run an Orthanc.

    Parameters
    ----------
    folder : Path
        Of its settings, log and images; made if it is not there.
    knows : (str, int), optional
        Title and port, on this machine, of a node that it may send to (C-MOVE).
    gives : bool
        Whether it answers C-GET.
    """
    folder.mkdir(parents=True, exist_ok=True)
    archive = Archive(free_port(), f"http://127.0.0.1:{free_port()}")
    told = {
        **{"StorageDirectory": str(folder), "IndexDirectory": str(folder), "DicomAet": TITLE},
        **{"RemoteAccessAllowed": False, "AuthenticationEnabled": False, "HttpBindAddresses": ["127.0.0.1"]},
        **{"HttpPort": int(archive.address.rpartition(":")[2]), "DicomBindAddress": "127.0.0.1"},
        **{"DicomPort": archive.port, "DicomAlwaysAllowStore": True, "DicomAlwaysAllowFind": True},
        **{"DicomAlwaysAllowGet": gives, "DicomModalities": {}},
    }
    if knows is not None:
        rights = {"AllowGet": gives, "AllowMove": True, "AllowFind": True, "AllowStore": True, "AllowEcho": True}
        told["DicomModalities"] = {"node": {"AET": knows[0], "Host": "127.0.0.1", "Port": knows[1], **rights}}
    (folder / "orthanc.json").write_text(json.dumps(told), encoding="utf-8")
    with (folder / "orthanc.log").open("w") as log:
        process = subprocess.Popen([PROGRAM, str(folder / "orthanc.json")], stdout=log, stderr=log)  # noqa: S603 - of this machine
    try:
        _wait_until_it_answers(archive)
        yield archive
    finally:
        process.terminate()
        process.wait(30)


def _wait_until_it_answers(archive: Archive) -> None:
    end = time.monotonic() + START_SECONDS
    while True:
        try:
            archive.get("/system")
            return
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)


def send(folder: Path, port: int, called: str, calling: str = "SCANNER") -> int:
    """Send every object of a folder with DCMTK's storescu; return how many files there were."""
    words = ["-aec", called, "-aet", calling, "+sd", "+r", "127.0.0.1", str(port), str(folder)]
    subprocess.run([sender() or "storescu", *words], check=True, timeout=300)  # noqa: S603
    return sum(1 for file in folder.rglob("*") if file.is_file())


def free_port() -> int:
    """Return a port of this machine that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def get(url: str) -> Any:
    """Return the JSON at an address."""
    with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310 - of this machine
        return json.load(answer)
