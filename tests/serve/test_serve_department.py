"""The department as its administrator sees it: commands, processes that are killed, and an Orthanc beside it (slow)."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time

import pytest
from typer.testing import CliRunner

from tumorboard.cli.main import app
from tumorboard.errors import InputError, MissingDependency
from tumorboard.serve import department
from tumorboard.serve.data.session import open_database
from tumorboard.serve.data.tables import Instance, Study
from tumorboard.serve.data.words import Origin, StudyState
from tumorboard.serve.department import check_installed, parts_of, run_department
from tumorboard.serve.node.priors import fetch_priors
from tumorboard.serve.node.server import Node
from tumorboard.serve.processes import run_node, run_worker
from tumorboard.serve.settings import read_settings
from tumorboard.serve.settings_file import write_settings_file
from tumorboard.serve.shelf.recover import recover
from tumorboard.serve.status import status_of
from tumorboard.serve.upkeep import purge

START = [sys.executable, "-c", "from tumorboard.cli.main import main; main()", "serve"]


def command(*words):
    return CliRunner().invoke(app, ["serve", *words])


def wait_for(done, seconds=60.0):
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end, "it took too long"
        time.sleep(0.1)


def test_a_home_is_made_and_its_state_is_shown(tmp_path):
    made = command("init", str(tmp_path / "home"))
    assert made.exit_code == 0
    file = str(tmp_path / "home" / "department.toml")
    shown = command("status", "--settings", file)
    assert "no process gives a sign of life" in shown.output
    assert "studies: none" in shown.output
    again = command("again", "0" * 16, "--settings", file)
    assert isinstance(again.exception, InputError)


def test_without_settings_it_says_how_to_make_them():
    told = command("node", "--settings", "nowhere.toml")
    assert isinstance(told.exception, InputError)


def test_what_is_not_installed_is_told_with_the_hint():
    with pytest.raises(MissingDependency, match=r"tumorboard\[department\]"):
        check_installed("a_module_that_is_not_there")


def test_node_and_worker_live_and_stop_in_order(settings, db):
    stop = threading.Event()
    threads = [threading.Thread(target=run, args=(settings, stop)) for run in (run_node, run_worker)]
    for thread in threads:
        thread.start()
    try:
        wait_for(lambda: {part for part, _, _ in status_of(db).alive} == {"node", "worker"})
    finally:
        stop.set()
        for thread in threads:
            thread.join(30)
    assert status_of(db).alive == ()
    # two parts in one process share the log that was set up last
    lines = [json.loads(line) for file in settings.logs.glob("*.jsonl") for line in file.read_text().splitlines()]
    assert {line["part"] for line in lines if line["event"] == "ended"} == {"node", "worker"}


def test_files_whose_rows_were_lost_in_a_crash_are_found(put, db, settings, make_object, shelf):
    for n in (1, 2):
        put(make_object(n))
    first, second = sorted(shelf.root.glob("*/*/*.dcm"))
    with db.begin() as session:
        session.query(Instance).filter_by(key=first.stem).delete()
    second.unlink()
    assert recover(db, settings) == 2
    assert recover(db, settings) == 0
    with db.read() as session:
        assert sorted(row.state.value for row in session.query(Instance)) == ["purged", "stored"]


def test_a_part_that_dies_is_started_again_more_slowly_each_time(tmp_path, monkeypatch):
    told = read_settings(write_settings_file(tmp_path))
    monkeypatch.setattr(department, "pages_are_there", lambda: True)
    assert [part.name for part in parts_of(told, tmp_path / "department.toml")] == ["node", "web", "worker-1"]
    dies = department.Part("node", [sys.executable, "-c", "raise SystemExit(3)"])
    lives = department.Part("worker-1", [sys.executable, "-c", "import time; time.sleep(600)"])
    monkeypatch.setattr(department, "parts_of", lambda *_: [dies, lives])
    monkeypatch.setattr(department, "FIRST_WAIT_SECONDS", 0.01)
    dies.wait_s = 0.01
    stop, said = threading.Event(), []
    thread = threading.Thread(target=run_department, args=(told, tmp_path / "department.toml", stop, said.append))
    thread.start()
    wait_for(lambda: len(dies.codes) >= 3)
    process = lives.process
    stop.set()
    thread.join(30)
    assert (set(dies.codes), dies.wait_s) == ({3}, pytest.approx(0.01 * 2 ** len(dies.codes)))
    assert process.returncode == -signal.SIGTERM
    assert said[0].startswith("node ended with 3")


# --- with a real archive ----------------------------------------------------------------------------------------------


@pytest.fixture
def archive(tmp_path, hospital):
    """An Orthanc as the hospital's archive."""
    with hospital.orthanc(tmp_path / "orthanc") as running:
        yield running


@pytest.fixture
def three_patients(tmp_path, coarse_dicom):
    """Studies of three digital patients: the coarse one, and two copies of it under other names."""
    import pydicom

    (patient,) = (coarse_dicom / "dicom").iterdir()
    folders = [patient / "ST0001"]
    for n in (501, 502):
        for path in sorted(folders[0].rglob("IM*")):
            ds = pydicom.dcmread(path)
            ds.PatientID = f"DIGITAL-{n}"
            for name in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"):
                setattr(ds, name, f"2.25.{n}{abs(hash(getattr(ds, name))) % 10**18}")
            ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
            place = tmp_path / str(n) / path.parent.name / path.name
            place.parent.mkdir(parents=True, exist_ok=True)
            ds.save_as(place)
        folders.append(tmp_path / str(n))
    return folders


SETTINGS = """
home = "."
[node]
port = {node}
quiet_seconds = 3
[jobs]
segmenter = "fuzzy"
lease_seconds = 8
backoff_seconds = 2
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


@pytest.mark.slow
def test_three_patients_are_found_processed_and_back_in_the_archive(tmp_path, hospital, archive, three_patients):
    """Sent by storescu; node and worker are killed on the way; SEG, SR and PDF of each come back, once."""
    home = tmp_path / "home"
    home.mkdir()
    file, port = home / "department.toml", hospital.free_port()
    file.write_text(SETTINGS.format(node=port, pacs=archive.port))
    told = read_settings(file)
    db = open_database(told)
    process = subprocess.Popen([*START, "--settings", str(file)])
    try:
        wait_for(lambda: {"node", "worker"} <= {part for part, _, _ in status_of(db).alive}, 120)
        for folder in three_patients:
            hospital.send(folder, port, "TUMORBOARD")
        wait_for(lambda: status_of(db).jobs.get("running"), 120)
        time.sleep(5)
        for _, number, _ in status_of(db).alive:
            os.kill(number, signal.SIGKILL)
        wait_for(lambda: status_of(db).jobs == {"done": 6}, 3600)
        assert status_of(db).studies == {"done": 3}
        assert sorted(archive.modalities()) == sorted(["SEG", "SR", "DOC"] * 3)
        assert len(archive.get("/instances")) == 9
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)
        db.close()
    assert process.returncode == 0


MOVING = """
home = "."
[node]
port = {node}
[keep]
reserve_gib = 0.1
[priors]
source = "pacs"
modality = "MR"
[[peers]]
name = "pacs"
ae_title = "PACS"
host = "127.0.0.1"
port = {pacs}
fetch = "{fetch}"
"""


@pytest.mark.slow
@pytest.mark.parametrize("fetch", ["move", "get"])
def test_an_archive_gives_earlier_studies_by_either_way(tmp_path, hospital, make_object, fetch):
    """The archive sends to our node what a worker asked for; without our title among those it knows it refuses."""
    port = hospital.free_port()
    (tmp_path / "home").mkdir()
    file = tmp_path / "home" / "department.toml"
    for study, date in (("1", "20180101"), ("2", "20190101")):
        for number in (1, 2, 3):
            place = tmp_path / "earlier" / f"{study}-{number}.dcm"
            place.parent.mkdir(exist_ok=True)
            make_object(number, study=study, StudyDate=date).save_as(place, enforce_file_format=True)
    knows = ("TUMORBOARD", port) if fetch == "move" else None
    with hospital.orthanc(tmp_path / "orthanc", knows=knows, gives=fetch == "get") as archive:
        hospital.send(tmp_path / "earlier", archive.port, "PACS")
        file.write_text(MOVING.format(node=port, pacs=archive.port, fetch=fetch))
        told = read_settings(file)
        db = open_database(told)
        try:
            with Node(told, db) as node:
                send_one(make_object(study="9", StudyDate="20200101"), node.port)
                with db.read() as session:
                    (new,) = session.query(Study.id).one()
                assert fetch_priors(told, db, new) == ()
                with db.read() as session:
                    there = {(s.uid, s.state, len(s.series[0].instances)) for s in session.query(Study)}
                    origins = {i.origin for i in session.query(Instance).filter(Instance.sender == "PACS")}
                stored = StudyState.STORED
                assert there == {("2.25.9", StudyState.RECEIVING, 1), ("2.25.1", stored, 3), ("2.25.2", stored, 3)}
                assert origins == {Origin.PRIOR}
                if fetch == "move":
                    stranger = told.model_copy(update={"node": told.node.model_copy(update={"ae_title": "STRANGER"})})
                    forget(db, told)
                    (note,) = fetch_priors(stranger, db, new)
                    assert "could not be fetched" in note
        finally:
            db.close()


def send_one(ds, port):
    from pynetdicom import AE

    ae = AE(ae_title="SCANNER")
    ae.add_requested_context(ds.SOPClassUID, ds.file_meta.TransferSyntaxUID)
    assoc = ae.associate("127.0.0.1", port, ae_title="TUMORBOARD")
    assert assoc.send_c_store(ds).Status == 0
    assoc.release()


def forget(db, told):
    with db.read() as session:
        ids = [row.id for row in session.query(Study.id).filter_by(state=StudyState.STORED)]
    assert all(purge(db, told, number, "anna") for number in ids)
