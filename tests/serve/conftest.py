"""A department of its own for each test, and DICOM objects made in code."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
import sys
import time
from pathlib import Path

import pytest

from tumorboard.serve.data.session import open_database
from tumorboard.serve.settings import DepartmentSettings
from tumorboard.serve.shelf.files import shelf_of


@pytest.fixture(scope="session")
def empty_home(tmp_path_factory) -> Path:
    """A home with an empty database; making the tables takes longer than copying them."""
    home = tmp_path_factory.mktemp("department") / "home"
    open_database(DepartmentSettings(home=home)).close()
    return home


SERVER = os.environ.get("TUMORBOARD_TEST_POSTGRESQL", "")
"""Address of a PostgreSQL server of the tests' own, ending in a slash; without it a file is used."""


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory) -> str:
    """Name of a database with empty tables on the server, which is copied for each test."""
    _on_server("DROP DATABASE IF EXISTS made", "CREATE DATABASE made")
    home = tmp_path_factory.mktemp("server")
    open_database(DepartmentSettings(home=home, database=f"{SERVER}made")).close()
    return "made"


def _on_server(*statements: str) -> None:
    from sqlalchemy import create_engine, text

    engine = create_engine(f"{SERVER}postgres", isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()


@pytest.fixture
def database(request):
    """Address of a database of its own; empty for a file in the home folder."""
    if not SERVER:
        yield ""
        return
    made = request.getfixturevalue("empty_database")
    _on_server("DROP DATABASE IF EXISTS one WITH (FORCE)", f"CREATE DATABASE one TEMPLATE {made}")
    yield f"{SERVER}one"


@pytest.fixture
def settings(tmp_path, empty_home, monkeypatch, database) -> DepartmentSettings:
    """A department in a folder of its own, on free ports, with little patience, on a disk that nobody waits for."""
    shutil.copytree(empty_home, tmp_path / "home")
    monkeypatch.setattr("tumorboard.serve.shelf.admit.force", lambda *_: None)
    node = {"port": 0, "quiet_seconds": 0.2, "idle_seconds": 20.0}
    keep, web = {"reserve_gib": 0}, {"port": 0}
    return DepartmentSettings(home=tmp_path / "home", node=node, web=web, keep=keep, database=database)


@pytest.fixture(scope="session")
def hospital():
    """The module that runs an Orthanc, which ``make department`` uses too; skips where there is none."""
    file = Path(__file__).parents[2] / "scripts" / "hospital.py"
    spec = importlib.util.spec_from_file_location("hospital", file)
    made = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    if not made.is_installed():
        pytest.skip(made.PACKAGES)
    return made


@pytest.fixture
def db(settings):
    database = open_database(settings)
    yield database
    database.close()


@pytest.fixture
def shelf(settings):
    return shelf_of(settings)


def _make_object(number: int = 1, *, study: str = "1", series: str = "1", patient: str = "P1", pixels: int = 0, **said):
    """Return a small MR image as a data set, ready to be sent; its UIDs follow from the numbers."""
    from pydicom.dataset import FileDataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian

    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    ds.SOPClassUID = meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.4"
    ds.SOPInstanceUID = meta.MediaStorageSOPInstanceUID = f"2.25.{study}.{series}.{number}"
    ds.StudyInstanceUID, ds.SeriesInstanceUID = f"2.25.{study}", f"2.25.{study}.{series}"
    ds.PatientID, ds.PatientName, ds.PatientBirthDate, ds.PatientSex = patient, f"Secret^{patient}", "19500102", "F"
    ds.StudyDate, ds.StudyTime, ds.StudyID, ds.AccessionNumber = "20200103", "101500", "7", "A77"
    ds.Modality, ds.SeriesNumber, ds.InstanceNumber, ds.SeriesDescription = "MR", int(series), number, "T1"
    ds.Rows = ds.Columns = 4
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 16, 15, 0
    ds.PixelData = bytes([pixels % 256, 0]) * 16
    for keyword, content in said.items():
        setattr(ds, keyword, content)
    return ds


@pytest.fixture(scope="session")
def make_object():
    """Make a small MR image as a data set; its UIDs follow from the numbers, anything may be given another value."""
    return _make_object


@pytest.fixture
def put(db, shelf):
    """Take an object in as if it had been sent."""
    from tumorboard.serve.shelf.admit import admit

    def go(ds, **how):
        file: Path = shelf.incoming / "x.dcm"
        ds.save_as(file, enforce_file_format=True)
        return admit(db, shelf, file, sender="SCANNER", **how)

    return go


class Runs(list):
    """What was gathered for each run; ``mended`` once the study that always failed no longer does."""

    mended = False


@pytest.fixture
def chain(monkeypatch, settings, make_object):
    """A chain that takes no time: it writes a segmentation and a report whose UIDs follow from its input."""
    from tumorboard.errors import SequenceError
    from tumorboard.serve.jobs.run import Ran
    from tumorboard.store import CaseFolder

    asked = Runs()

    def run(gathered, told, listen):
        asked.append(gathered)
        listen("prepare")
        if gathered.study_uid == "2.25.666":
            raise SequenceError("at least one MR sequence", got="none", where="study")
        if gathered.study_uid == "2.25.777" and not asked.mended:
            raise ZeroDivisionError
        count = len(list((gathered.folder).rglob("*.dcm")))
        case = CaseFolder(told.cases, gathered.patient)
        for number, name in enumerate(("seg", "report")):
            folder = case.session("ses-01") / "dicom"
            folder.mkdir(parents=True, exist_ok=True)
            uids = {"SOPInstanceUID": f"{gathered.study_uid}.{count}.{number}", "Modality": "SEG"}
            uids |= {"StudyInstanceUID": gathered.study_uid, "SeriesInstanceUID": f"{gathered.study_uid}.9{number}"}
            ds = make_object(1, **uids)
            ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
            ds.save_as(folder / f"{name}.dcm", enforce_file_format=True)
        return Ran(case, "ses-01", ["fuzzy 1"], ("a note",), True)

    monkeypatch.setattr("tumorboard.serve.jobs.work.run_chain", run)
    return asked


@pytest.fixture
def go(settings, db, monkeypatch):
    """Complete what waits and work on all that is due; settings may be changed."""

    from tumorboard.serve.data.tables import Job
    from tumorboard.serve.jobs.work import Worker
    from tumorboard.serve.node.complete import complete_studies
    from tumorboard.serve.settings import JobSettings, NodeSettings

    monkeypatch.setattr("tumorboard.serve.queue.board.BUSY_SECONDS", 0)

    def run(ahead=lambda _: None, **changed):
        told = settings.model_copy(update={"jobs": JobSettings(tries=2, backoff_seconds=1e-9)} | changed)
        complete_studies(db, NodeSettings(quiet_seconds=1e-9))
        worker = Worker(told, db, "w", ahead)
        with db.read() as session:
            numbers = [number for (number,) in session.query(Job.id).order_by(Job.id)]
        for number in numbers:
            worker.look(number)
        return told

    return run


class Pacs:
    """An archive of the tests: what it got, which status it answers, which studies it says it has, whom it knows."""

    def __init__(self):
        self.got, self.status, self.found, self.objects, self.asked, self.knows = [], 0x0000, [], [], [], {}

    def rule(self, **more):
        """Return settings by which results go back to it."""
        from tumorboard.serve.settings import ReturningSettings

        return {"peers": (self.peer,), "returning": ReturningSettings(to="pacs", **more)}

    def store(self, event):
        self.got.append(str(event.request.AffectedSOPInstanceUID))
        return self.status

    def find(self, event):
        self.asked.append(event.identifier)
        for ds in self.found:
            yield 0xFF00, ds

    def get(self, event):
        wanted = [ds for ds in self.objects if ds.StudyInstanceUID == event.identifier.StudyInstanceUID]
        yield len(wanted)
        for ds in wanted:
            yield 0xFF00, ds

    def move(self, event):
        from pynetdicom import build_context

        self.asked.append(event.move_destination)
        if event.move_destination not in self.knows:
            yield None, None
            return
        like = self.objects[0]
        contexts = [build_context(like.SOPClassUID, like.file_meta.TransferSyntaxUID)]
        yield *self.knows[event.move_destination], {"contexts": contexts}
        yield from self.get(event)

    def commit(self, event):
        self.asked.append(event.action_information)
        return 0x0000, None

    def start(self):
        from pynetdicom import AE, AllStoragePresentationContexts, evt
        from pynetdicom.sop_class import StorageCommitmentPushModel

        from tumorboard.serve.settings import Peer

        ae = AE(ae_title="PACS")
        ae.supported_contexts = AllStoragePresentationContexts
        for context in ae.supported_contexts:
            context.scu_role = context.scp_role = True
        for uid in (*(f"1.2.840.10008.5.1.4.1.2.2.{n}" for n in (1, 2, 3)), StorageCommitmentPushModel):
            ae.add_supported_context(uid)
        on = [(evt.EVT_C_STORE, self.store), (evt.EVT_C_FIND, self.find), (evt.EVT_C_GET, self.get)]
        on += [(evt.EVT_C_MOVE, self.move), (evt.EVT_N_ACTION, self.commit)]
        server = ae.start_server(("127.0.0.1", 0), block=False, evt_handlers=on)
        self.peer = Peer(name="pacs", ae_title="PACS", host="127.0.0.1", port=server.server_address[1])
        return server


@pytest.fixture
def pacs():
    """An archive that listens."""
    archive = Pacs()
    server = archive.start()
    yield archive
    server.shutdown()


@pytest.fixture(scope="session")
def wait_until():
    """Wait until something is so; what is refused or not yet there (OSError) is asked for again."""

    def wait(done, seconds=120.0):
        end = time.monotonic() + seconds
        while True:
            with contextlib.suppress(OSError):
                if done():
                    return
            assert time.monotonic() < end, "it took too long"
            time.sleep(0.05)

    return wait
