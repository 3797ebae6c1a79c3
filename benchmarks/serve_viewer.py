"""Time until the reading room shows a study of four sequences of 240 x 240 x 155 voxels in headless Chromium.

The pictures are there, as a worker leaves them with a study that is done; what making them costs is printed, and
``--without`` leaves it to the first opening. A browser that just started opens the study, and once more from its cache.
Wall time depends on what else the machine does; CPU time of browser and server stands beside it. The house's limit is
5 s on two cores, without a graphics card (SwiftShader); the first page 1 s.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import shutil
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import uvicorn
from playwright.sync_api import sync_playwright

from tumorboard.chain import run_intake
from tumorboard.intake import IntakeRequest, take_in
from tumorboard.io.images import write_volume
from tumorboard.serve.data.people import User
from tumorboard.serve.data.session import open_database
from tumorboard.serve.data.tables import Patient, Series, Study
from tumorboard.serve.data.words import Role, StudyState
from tumorboard.serve.outlines.places import Place
from tumorboard.serve.room.assets import warm
from tumorboard.serve.room.pictures import make_ahead
from tumorboard.serve.settings import DepartmentSettings
from tumorboard.serve.shelf.files import shelf_of
from tumorboard.serve.web import logins
from tumorboard.serve.web.app import create_app
from tumorboard.serve.web.site import Site
from tumorboard.settings import RunSettings
from tumorboard.simulate.patient import digital_patient
from tumorboard.store import CaseFolder, write_json
from tumorboard.transform import resample
from tumorboard.volume import Grid, Volume

SHAPE = (240, 240, 155)
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--ignore-gpu-blocklist",
    "--disable-background-networking",
)


def make_case(place: Path) -> Path:
    """Run the chain up to measuring on a digital study, resampled to 1 mm with new noise; return its case folder."""
    study, rng = digital_patient(seed=7, spacing_mm=3.0).studies[0], np.random.default_rng(1)
    middle = next(iter(study.volumes.values())).grid.to_world([(32, 37, 32)])[0]
    affine = np.eye(4)
    affine[:3, 3] = middle - np.array(SHAPE) / 2
    grid = Grid(SHAPE, affine)
    stem = place / "in" / "sub-bench" / "ses-01" / "anat" / "sub-bench_ses-01"
    for sequence, volume in study.volumes.items():
        fine = resample(volume, grid).data
        noisy = np.where(fine > 0, fine + rng.normal(0, 0.01 * fine.max(), SHAPE), 0).clip(0)
        write_volume(Volume(noisy.astype(np.int16), grid), stem.with_name(f"{stem.name}_{sequence.bids_suffix}.nii.gz"))
    truth = place / "truth.nii.gz"
    write_volume(resample(study.truth, grid, "nearest"), truth)
    request = IntakeRequest(inputs=(place / "in",), labels=truth, scheme="tumorboard", date=dt.date(2000, 1, 3))
    return (
        run_intake(take_in(request), request, place / "out", RunSettings(digital=True), until="measure").folders[0].root
    )


def serve(home: Path, case: Path, ahead: bool = True) -> tuple[str, str]:
    """Serve the reading room of one study in a thread; return its address and the cookie of a reader."""
    settings = DepartmentSettings(home=home)
    target = settings.cases / case.name
    shutil.copytree(case, target)
    source = target / "ses-01" / "source.json"
    write_json(source, {k: v | {"SeriesInstanceUID": "2.25.11"} for k, v in json.loads(source.read_text()).items()})
    if ahead:
        began = time.process_time()
        make_ahead(settings.viewer, Place(CaseFolder(settings.cases, case.name.removeprefix("sub-")), "ses-01"))
        print(f"pictures made by the worker: {time.process_time() - began:.1f} CPU-s")
    db, shelf = open_database(settings), shelf_of(settings)
    with db.begin() as session:
        patient = Patient(key=case.name.removeprefix("sub-"), patient_id="P1", name="Digital^One")
        user = User(name="reader", password="-", role=Role.READER)
        session.add_all((patient, user))
        session.flush()
        study = Study(key="a" * 16, uid="2.25.1", patient_id=patient.id, date="20000103", state=StudyState.DONE)
        session.add(study)
        session.flush()
        session.add(Series(key="b" * 16, uid="2.25.11", study_id=study.id))
    warm()
    site = Site(settings, db, shelf)
    server = uvicorn.Server(
        uvicorn.Config(create_app(settings, db, shelf, site), port=0, log_level="error", lifespan="off")
    )
    threading.Thread(target=server.run, daemon=True).start()
    while not server.started:
        time.sleep(0.05)
    port = server.servers[0].sockets[0].getsockname()[1]
    return f"http://127.0.0.1:{port}", logins.open_login(site, user)


def cpu_s(pid: int) -> float:
    """Return user and system time of a process and all its descendants."""
    children: dict[int, list[int]] = {}
    times: dict[int, float] = {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            told = entry.read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        children.setdefault(int(told[1]), []).append(int(entry.parent.name))
        times[int(entry.parent.name)] = (int(told[11]) + int(told[12])) / os.sysconf("SC_CLK_TCK")
    todo, total = [pid], 0.0
    while todo:
        one = todo.pop()
        total += times.get(one, 0.0)
        todo += children.get(one, [])
    return total


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--case", type=Path, help="a case folder to show instead of the one that is made")
    asked.add_argument("--chromium", default="/usr/bin/chromium")
    asked.add_argument("--without", action="store_true", help="no pictures are there at the first opening")
    given = asked.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        case = given.case or make_case(Path(folder))
        address, token = serve(Path(folder) / "home", case, not given.without)
        with sync_playwright() as driver:
            browser = driver.chromium.launch(executable_path=given.chromium, args=list(FLAGS))
            context = browser.new_context(viewport={"width": 1366, "height": 768})
            context.add_cookies([{"name": "tumorboard", "value": token, "url": address}])
            for which in ("first opening", "second opening"):
                page, began, used = context.new_page(), time.perf_counter(), cpu_s(os.getpid())
                page.goto(f"{address}/room/{'a' * 16}", wait_until="domcontentloaded")
                first = time.perf_counter() - began
                page.wait_for_selector("body[data-ready=yes]", state="attached", timeout=180_000)
                shown = time.perf_counter() - began
                load = os.getloadavg()[0]
                print(
                    f"{which}: page {first:.1f} s, images {shown:.1f} s of wall time, "
                    f"{cpu_s(os.getpid()) - used:.1f} CPU-s of browser and server (load of the machine {load:.1f})"
                )
                page.close()
            browser.close()


if __name__ == "__main__":
    main()
