"""A department with one digital patient of three studies that were worked on, clients for each role, and a browser."""

from __future__ import annotations

import base64
import json
import os
import shutil
import threading
import time
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest

from tumorboard.chain import run_intake
from tumorboard.intake import IntakeRequest, take_in
from tumorboard.serve.data.people import User
from tumorboard.serve.data.tables import Patient, Series, Study
from tumorboard.serve.data.words import Role, StudyState
from tumorboard.serve.node.inputs import rests_on
from tumorboard.serve.shelf.files import shelf_of
from tumorboard.serve.web import logins
from tumorboard.serve.web.app import create_app
from tumorboard.serve.web.site import Site
from tumorboard.settings import RunSettings
from tumorboard.simulate.files.tree import write_digital_patient
from tumorboard.simulate.patient import digital_patient

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # it would rather have httpx2, which is not packaged widely yet
    from starlette.testclient import TestClient

KEY = "study0000000000{}"


@pytest.fixture(scope="session")
def case_folder(tmp_path_factory) -> Path:
    """The case folder of a digital patient of 6 mm voxels, measured; not to be changed."""
    place = tmp_path_factory.mktemp("room_case")
    write_digital_patient(digital_patient(spacing_mm=6.0), place / "in")
    request = IntakeRequest(inputs=(place / "in",), events=place / "in" / "events.csv")
    settings = RunSettings(segmenter="fuzzy", digital=True)
    return run_intake(take_in(request), request, place / "out", settings, until="measure").folders[0].root


@dataclass
class Department:
    """What a test needs of a department with one patient."""

    site: Site
    app: Any
    tokens: dict[str, tuple[str, str]]

    def client(self, role: str = "reader"):
        client = TestClient(self.app, base_url="http://127.0.0.1", follow_redirects=False)
        if role:
            token, csrf = self.tokens[role]
            client.cookies.set("tumorboard", token)
            client.headers.update({"x-csrf-token": csrf, "accept": "application/json"})
        return client

    @property
    def case(self) -> Path:
        return self.site.settings.cases / "sub-digital"

    def mask(self, client, key: str = KEY.format(3)) -> tuple[bytes, np.ndarray]:
        """Header and voxels of the outline that holds, as a page gets them."""
        raw = client.get(client.get(f"/room/{key}/state").json()["outline"]["url"]).content
        shape = client.get(f"/room/{key}/state").json()["grid"]["shape"]
        return raw[:352], np.frombuffer(raw[352:], np.uint8).reshape(shape, order="F").copy()


def coded(header: bytes, labels: np.ndarray) -> str:
    return base64.b64encode(header + labels.tobytes(order="F")).decode()


@pytest.fixture
def department(settings, db, case_folder) -> Department:
    """A department whose patient's results are those of ``case_folder``."""
    target = settings.cases / case_folder.name
    shutil.copytree(case_folder, target)
    card = json.loads((target / "patient.json").read_text())
    with db.begin() as session:
        patient = Patient(key="digital", patient_id="P1", name="Secret^<script>alert(1)</script>")
        stranger = Patient(key="stranger", patient_id="P2", name="Other^One")
        session.add_all((patient, stranger))
        session.flush()
        for number, row in enumerate(card["studies"], start=1):
            _add_study(session, target, patient, number, row)
        session.add(Study(key="f" * 16, uid="2.25.9", patient_id=stranger.id, date="20000101", version=1))
        session.add_all(User(name=r.value, shown_name=f"Dr. {r.value}", password="-", role=r) for r in Role)
        session.add(User(name="second", shown_name="Dr. Second", password="-", role=Role.READER))
    site = Site(settings, db, shelf_of(settings))
    app = create_app(settings, db, site.shelf, site)
    return Department(site, app, {u.name: _open(site, u) for u in _users(db)})


def _add_study(session, target: Path, patient: Patient, number: int, row: dict[str, Any]) -> None:
    source = target / row["id"] / "source.json"
    told = json.loads(source.read_text())
    date = row["date"].replace("-", "")
    made = Study(key=KEY.format(number), uid=f"2.25.{number}", patient_id=patient.id, date=date, version=1)
    made.state, made.digital, made.input_digest = StudyState.DONE, True, "made"
    session.add(made)
    session.flush()
    for n, name in enumerate(sorted(told), start=1):
        told[name]["SeriesInstanceUID"] = f"2.25.{number}.{n}"
        session.add(Series(key=f"series{number}{n}", uid=f"2.25.{number}.{n}", study_id=made.id, number=n))
    session.flush()
    made.rests_on = rests_on(session, made)
    source.write_text(json.dumps(told))


def _users(db) -> list[User]:
    with db.read() as session:
        return list(session.query(User))


def _open(site: Site, user: User) -> tuple[str, str]:
    token = logins.open_login(site, user)
    found = logins.find_visitor(site, token)
    assert found is not None
    return token, found[0].csrf


@pytest.fixture
def save(department):
    """Save a changed outline: ``edit`` changes the voxels in place; anything of the body may be given another value."""

    def go(client, edit=lambda labels: None, key: str = KEY.format(3), **said):
        header, labels = department.mask(client, key)
        edit(labels)
        base = client.get(f"/room/{key}/state").json()["token"]
        return client.post(f"/room/{key}/edits", json={"base": base, "mask": coded(header, labels)} | said)

    return go


@pytest.fixture
def nifti_of():
    """A NIfTI file of any array and affine, in base64."""

    def make(data: np.ndarray, affine: np.ndarray) -> str:
        return base64.b64encode(nib.Nifti1Image(data, affine).to_bytes()).decode()

    return make


# --- a browser --------------------------------------------------------------------------------------------------------

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--ignore-gpu-blocklist",
    "--disable-background-networking",
)
AXE = Path(__file__).parent / "axe" / "axe.min.js"
PATIENCE_MS = 300_000


@pytest.fixture
def address(department):
    """Where the department is served."""
    import uvicorn

    server = uvicorn.Server(uvicorn.Config(department.app, port=0, log_level="error", lifespan="off", ws="none"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.05)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join(timeout=20)


@pytest.fixture
def browse():
    """Open a page of a browser at an address; it must not complain, and must ask nobody else."""
    if not CHROMIUM.exists():
        pytest.skip("chromium is not installed: apt-get install chromium")
    api = pytest.importorskip("playwright.sync_api", reason="pip install playwright")
    complaints: list[str] = []
    with api.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=str(CHROMIUM), args=list(FLAGS))

        def go(address: str, token: str = "", allowed: tuple[str, ...] = ()):
            context = browser.new_context(viewport={"width": 1366, "height": 768})
            context.set_default_timeout(PATIENCE_MS)
            if token:
                context.add_cookies([{"name": "tumorboard", "value": token, "url": address}])
            page = context.new_page()
            page.on("console", lambda said: complaints.append(_where(said)) if _is_complaint(said, allowed) else None)
            page.on("pageerror", lambda error: complaints.append(str(error)))
            page.on(
                "dialog",
                lambda told: (complaints.append(f"a script of a stranger ran: {told.message}"), told.dismiss()),
            )
            page.on("request", lambda asked: None if _ours(asked.url, address) else complaints.append(asked.url))
            return page

        yield go
        browser.close()
    assert complaints == []


@pytest.fixture
def page(department, address, browse):
    """A page of a reader's browser."""
    return browse(address, department.tokens["reader"][0], allowed=("409 (Conflict)",))


def _is_complaint(said, allowed: tuple[str, ...]) -> bool:
    """Whether the page complains; the browser itself tells of a refusal that the page then handles."""
    return said.type in ("error", "warning") and not any(words in said.text for words in allowed)


def _where(said) -> str:
    return f"{said.text[:200]} ({said.location['url']}:{said.location['lineNumber']})"


def _ours(url: str, address: str) -> bool:
    return url.startswith((address + "/", "data:", "blob:"))


@pytest.fixture
def shot(tmp_path):
    """Keep a picture of a page, in the folder that SCREENSHOTS names or beside the test's files."""
    folder = Path(os.environ.get("SCREENSHOTS") or tmp_path / "output")
    folder.mkdir(parents=True, exist_ok=True)
    # left alone, the caret is hidden by a style on each field, which the page's own policy then complains of
    return lambda page, name: page.screenshot(path=folder / f"{name}.png", timeout=PATIENCE_MS, caret="initial")


@pytest.fixture
def serious():
    """Return what axe-core finds on a page that is serious or critical: (rule, element, what is wrong)."""

    def go(page) -> list[tuple[str, str, str]]:
        page.evaluate(AXE.read_text(encoding="utf-8"))
        found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        assert len(found["passes"]) > 5  # it did look
        bad = [v for v in found["violations"] if v["impact"] in ("serious", "critical")]
        return [(v["id"], str(n["target"]), n["failureSummary"][:300]) for v in bad for n in v["nodes"]]

    return go
