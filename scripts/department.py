"""A department to look at: an Orthanc as the hospital's PACS, tumorboard beside it, three digital patients sent to it.

Run by ``make department``. Everything listens on this machine alone, and lies in one folder. Ctrl-C stops all;
``--once`` stops when results are back in the PACS. Orthanc and DCMTK come from the system's packages; what is missing
is told, nothing is installed.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

TUMORBOARD = str(Path(sys.executable).parent / "tumorboard")
SEEDS = (7, 21, 33)
WANTED = {"SEG", "SR", "DOC"}
PACKAGES = "apt-get install --no-install-recommends orthanc dcmtk"

SETTINGS = """home = "."
[node]
port = {node}
quiet_seconds = 5
[web]
port = {web}
[keep]
reserve_gib = 0.1
[returning]
to = "pacs"
[[peers]]
name = "pacs"
ae_title = "PACS"
host = "127.0.0.1"
port = {pacs}
"""


def main() -> int:
    """Start everything, send, wait, and tell where to look."""
    parser = argparse.ArgumentParser(description="A department of digital patients on this machine.")
    parser.add_argument("--out", type=Path, default=Path("department-output"))
    parser.add_argument("--once", action="store_true", help="stop when results are back in the PACS")
    asked = parser.parse_args()
    program = shutil.which("Orthanc") or "/usr/sbin/Orthanc"
    if not Path(program).exists() or shutil.which("storescu") is None:
        print(f"Orthanc and storescu are needed: {PACKAGES}", file=sys.stderr)
        return 2
    asked.out.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(KeyboardInterrupt), _orthanc(program, asked.out / "orthanc") as (pacs, archive):
        return _department(asked.out, pacs, archive, asked.once)
    return 0


def _department(out: Path, pacs: int, archive: str, once: bool) -> int:
    file, node, web = out / "home" / "department.toml", _free_port(), _free_port()
    file.parent.mkdir(exist_ok=True)
    file.write_text(SETTINGS.format(node=node, web=web, pacs=pacs), encoding="utf-8")
    word = secrets.token_urlsafe(12)
    name = f"admin-{secrets.token_hex(2)}"
    add = [TUMORBOARD, "serve", "user", "add", name, "--role", "admin", "--settings", str(file), "--stdin"]
    subprocess.run(add, input=word, text=True, check=True)
    process = subprocess.Popen([TUMORBOARD, "serve", "--settings", str(file)])
    try:
        print(f"pages: http://127.0.0.1:{web} as {name}, password {word}; PACS: {archive}", flush=True)
        for seed in SEEDS:
            _send(_patient(out / f"patient-{seed}", seed), node)
        _wait(archive, len(SEEDS))
        if not once:
            print("results of all three are back in the PACS; Ctrl-C stops everything", flush=True)
            process.wait()
        return 0
    finally:
        process.terminate()
        process.wait(60)


def _patient(folder: Path, seed: int) -> Path:
    """Return the DICOM of a digital patient, made once."""
    if not (folder / "dicom").exists():
        words = ["--seed", str(seed), "--format", "dicom", "--protocol", "thick"]
        subprocess.run([TUMORBOARD, "simulate", "--out", str(folder), *words], check=True, stdout=subprocess.DEVNULL)
    (patient,) = (folder / "dicom").iterdir()
    return min(patient.iterdir())


def _send(study: Path, port: int) -> None:
    words = ["-aec", "TUMORBOARD", "-aet", "SCANNER", "+sd", "+r", "127.0.0.1", str(port), str(study)]
    subprocess.run([shutil.which("storescu") or "storescu", *words], check=True)
    print(f"sent {sum(1 for f in study.rglob('*') if f.is_file())} images of a digital patient", flush=True)


def _wait(archive: str, patients: int) -> None:
    """Wait until SEG, SR and PDF of every patient are in the archive, and tell what comes."""
    start, seen = time.monotonic(), -1
    while True:
        series = [_get(f"{archive}/series/{key}")["MainDicomTags"]["Modality"] for key in _get(f"{archive}/series")]
        back = min(series.count(kind) for kind in WANTED)
        if back != seen:
            print(f"{back} of {patients} patients are back after {time.monotonic() - start:.0f} s", flush=True)
            seen = back
        if back >= patients:
            return
        time.sleep(2)


@contextlib.contextmanager
def _orthanc(program: str, folder: Path) -> Iterator[tuple[int, str]]:
    folder.mkdir(exist_ok=True)
    dicom, web = _free_port(), _free_port()
    told = {
        **{"StorageDirectory": str(folder), "IndexDirectory": str(folder), "DicomAet": "PACS"},
        **{"RemoteAccessAllowed": False, "AuthenticationEnabled": False, "HttpBindAddresses": ["127.0.0.1"]},
        **{"HttpPort": web, "DicomBindAddress": "127.0.0.1", "DicomPort": dicom, "DicomAlwaysAllowStore": True},
        **{"DicomAlwaysAllowFind": True, "DicomAlwaysAllowGet": True},
    }
    (folder / "orthanc.json").write_text(json.dumps(told), encoding="utf-8")
    with (folder / "orthanc.log").open("w") as log:
        process = subprocess.Popen([program, str(folder / "orthanc.json")], stdout=log, stderr=log)
    address = f"http://127.0.0.1:{web}"
    try:
        for _ in range(100):
            with contextlib.suppress(OSError):
                _get(f"{address}/system")
                break
            time.sleep(0.1)
        yield dicom, address
    finally:
        process.terminate()
        process.wait(30)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def _get(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=10) as answer:
        return json.load(answer)


if __name__ == "__main__":
    sys.exit(main())
