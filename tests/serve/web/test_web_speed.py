"""What pages cost: statements to the database, static files that browsers keep, and workers that stand behind."""

from __future__ import annotations

import gzip
import os
import re
import threading
from pathlib import Path

import pytest
from sqlalchemy import event, insert, select

from tumorboard.serve import processes
from tumorboard.serve.data.base import now
from tumorboard.serve.data.people import Urgency
from tumorboard.serve.data.tables import Instance, Job, Patient, Result, Series, Study
from tumorboard.serve.data.words import JobState, Origin, Step, StudyState, WorkPriority
from tumorboard.serve.web.static import file_of
from tumorboard.serve.web.worklist import MOST
from tumorboard.store import digest


def image(series: Series, patient: Patient, number: int, **more):
    """The row of an image."""
    return {
        **{"key": f"{number:016x}", "uid": f"{series.uid}.{number}", "series_id": series.id, "patient_id": patient.id},
        **{"sop_class": "1.2", "transfer_syntax": "1.2", "digest": "d", "size": 1, "rows": 256, "columns": 240},
        **more,
    }


@pytest.fixture
def fill(db):
    """Add done studies of one patient, each with series, images, a job, a result and an urgency."""

    def go(first: int, last: int, slices: int = 1) -> str:
        with db.begin() as session:
            patient = session.scalars(select(Patient)).first() or Patient(patient_id="P1", name="Name^One")
            session.add(patient)
            for n in range(first, last):
                study = Study(key=f"{n:016x}", uid=f"2.25.{n}", patient=patient, date="20260101", state=StudyState.DONE)
                series = Series(key=f"{n:016x}", uid=f"2.25.{n}.1", study=study, number=1, modality="MR")
                session.add_all((study, series))
                session.flush()
                session.execute(insert(Instance), [image(series, patient, k) for k in range(slices)])
                made = Instance(**image(series, patient, slices, origin=Origin.RESULT))
                job = Job(study_id=study.id, step=Step.CHAIN, input_digest="d", state=JobState.DONE, ended_at=now())
                said = {"reasons": [{"sentence": "Midline shift: 7 mm."}]}
                urgency = Urgency(study_id=study.id, version=1, score=1, priority=WorkPriority.HIGH, reasons=[said])
                session.add_all((made, job, urgency))
                session.flush()
                session.add(
                    Result(study_id=study.id, instance_id=made.id, version=1, kind="seg", name="seg", uid=f"{n}")
                )
            return patient.key

    return go


@pytest.fixture
def statements(db):
    """Count the statements that a call sends to the database."""

    def go(call) -> int:
        sent: list[str] = []
        note = lambda *given: sent.append(given[2])  # noqa: E731
        event.listen(db.engine, "before_cursor_execute", note)
        assert call().status_code == 200
        event.remove(db.engine, "before_cursor_execute", note)
        return len(sent)

    return go


@pytest.mark.parametrize("page", ["/worklist", "/patients/{patient}", "/surveillance"])
def test_a_page_of_many_studies_asks_the_database_as_often_as_one_of_few(page, browser, fill, statements):
    path = page.format(patient=fill(0, 5))
    reader = browser("reader")
    reader.get(path)
    few = statements(lambda: reader.get(path))
    fill(5, MOST)
    assert statements(lambda: reader.get(path)) == few <= 16


def test_a_study_of_thousands_of_slices_is_counted_by_the_database(browser, fill, statements, db):
    fill(0, 1, slices=3000)
    loaded: list[object] = []
    event.listen(Instance, "load", lambda one, _: loaded.append(one))
    shown = browser("reader").get(f"/studies/{0:016x}")
    assert "3000" in shown.text
    assert "240 × 256" in shown.text
    assert loaded == []
    reader = browser("reader")
    assert statements(lambda: reader.get(f"/studies/{0:016x}")) <= 20


def test_every_study_is_on_one_of_the_pages(browser, fill):
    fill(0, MOST + 3)
    reader = browser("reader")
    first, second = (reader.send("/worklist", page=str(n)).text for n in (1, 2))
    keys = [set(re.findall(r'data-study="([^"]+)"', text)) for text in (first, second)]
    assert [len(k) for k in keys] == [MOST, 3]
    assert len(keys[0] | keys[1]) == MOST + 3


def test_browsers_keep_static_files_and_fetch_them_anew_after_a_change(browser):
    there = browser()
    address = re.search(r'"(/static/style\.css\?v=[^"]+)"', there.get("/login").text).group(1)
    got = there.get(address)
    assert got.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert got.headers["content-type"].startswith("text/css")
    assert got.content == file_of("style.css").data
    assert address.endswith(digest(got.content)[:8])
    again = there.get("/static/style.css", headers={"if-none-match": got.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    other = there.get("/static/style.css?v=old", headers={"if-none-match": '"old"'})
    assert (other.status_code, other.headers["cache-control"]) == (200, "public, max-age=86400")


def test_a_worker_stands_behind_the_pages(monkeypatch):
    wrote, told = [], []
    monkeypatch.setattr(Path, "write_text", lambda path, text, **_: wrote.append((str(path), text)))

    def go(session):
        monkeypatch.setattr(os, "getsid", lambda _: session)
        processes.give_way()
        told.append(os.nice(0))

    before = os.nice(0)
    for session in (0, os.getpid()):  # a group of others is left alone; that of a session of our own steps back
        thread = threading.Thread(target=go, args=(session,))  # niceness is a thread's own, so ours stays
        thread.start()
        thread.join()
    assert told == [max(before, 10)] * 2
    assert os.nice(0) == before
    assert wrote == [("/proc/self/autogroup", "10")]


def test_pictures_are_made_ahead_once_and_go_when_nobody_looks(tmp_path, monkeypatch):
    from types import SimpleNamespace

    from tumorboard.sequences import Sequence
    from tumorboard.serve.room import pictures

    case = SimpleNamespace(folder=SimpleNamespace(root=tmp_path / "sub-a"), outline={}, sequences=(Sequence.T1,))
    made = []
    monkeypatch.setattr(pictures, "picture_key", lambda _place, what, _onto=None: f"key-{what}")
    monkeypatch.setattr(pictures, "_make", lambda _place, what, _onto: made.append(what) or b"voxels")
    for _ in range(2):
        pictures.make_ahead(tmp_path / "viewer", case)
    assert made == ["T1", "outline"]
    kept = tmp_path / "viewer" / "sub-a" / "key-T1.nii.gz"
    assert gzip.decompress(kept.read_bytes()) == b"voxels"
    os.utime(kept, (0, 0))
    assert pictures.forget(tmp_path / "viewer") == 1
    assert [path.name for path in kept.parent.iterdir()] == ["key-outline.nii.gz"]
