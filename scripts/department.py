"""A department to look at: an Orthanc as the hospital's PACS, tumorboard beside it, three digital patients sent to it.

Run by ``make department``. Everything listens on this machine alone, and lies in one folder. Ctrl-C stops all;
``--once`` stops when results are back in the PACS. Orthanc and DCMTK come from the system's packages; what is missing
is told, nothing is installed.
"""

from __future__ import annotations

import argparse
import contextlib
import secrets
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))  # a test runs this file from elsewhere

from hospital import PACKAGES, Archive, free_port, is_installed, orthanc, send

TUMORBOARD = str(Path(sys.executable).parent / "tumorboard")
SEEDS = (7, 21, 33)
WANTED = {"SEG", "SR", "DOC"}

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
    if not is_installed():
        print(PACKAGES, file=sys.stderr)
        return 2
    with contextlib.suppress(KeyboardInterrupt), orthanc(asked.out / "orthanc") as archive:
        return _department(asked.out, archive, asked.once)
    return 0


def _department(out: Path, archive: Archive, once: bool) -> int:
    file, node, web = out / "home" / "department.toml", free_port(), free_port()
    file.parent.mkdir(exist_ok=True)
    file.write_text(SETTINGS.format(node=node, web=web, pacs=archive.port), encoding="utf-8")
    word = secrets.token_urlsafe(12)
    name = f"admin-{secrets.token_hex(2)}"
    add = [TUMORBOARD, "serve", "user", "add", name, "--role", "admin", "--settings", str(file), "--stdin"]
    subprocess.run(add, input=word, text=True, check=True)
    process = subprocess.Popen([TUMORBOARD, "serve", "--settings", str(file)])
    try:
        print(f"pages: http://127.0.0.1:{web} as {name}, password {word}; PACS: {archive.address}", flush=True)
        for seed in SEEDS:
            count = send(_patient(out / f"patient-{seed}", seed), node, "TUMORBOARD")
            print(f"sent {count} images of a digital patient", flush=True)
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


def _wait(archive: Archive, patients: int) -> None:
    """Wait until SEG, SR and PDF of every patient are in the archive, and tell what comes."""
    start, seen = time.monotonic(), -1
    while True:
        series = archive.modalities()
        back = min(series.count(kind) for kind in WANTED)
        if back != seen:
            print(f"{back} of {patients} patients are back after {time.monotonic() - start:.0f} s", flush=True)
            seen = back
        if back >= patients:
            return
        time.sleep(2)


if __name__ == "__main__":
    sys.exit(main())
