"""A study's life beside a PACS: late, merged, corrected, purged, restored; what rests on it is made anew once."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pydicom
import pytest
from sqlalchemy import select

from tumorboard.errors import InputError
from tumorboard.serve.data.base import now
from tumorboard.serve.data.people import Audit, Urgency, WorkItem
from tumorboard.serve.data.priority import Priority
from tumorboard.serve.data.tables import Job, Patient, Result, Study
from tumorboard.serve.data.words import Origin, ResultState, StudyState
from tumorboard.serve.jobs import work as work_module
from tumorboard.serve.jobs.again import try_again
from tumorboard.serve.jobs.gather import gather
from tumorboard.serve.node.complete import complete_studies
from tumorboard.serve.node.renew import renew_later
from tumorboard.serve.settings import NodeSettings
from tumorboard.serve.triage import not_processed
from tumorboard.serve.upkeep import keep_house, merge, merge_patients, purge, purge_by_key
from tumorboard.store import CaseFolder, write_json


def rows(db, table, *columns):
    with db.read() as session:
        return session.execute(select(*columns or (table,)).order_by(table.id)).all()


def the(db, table, **by):
    with db.read() as session:
        return session.scalars(select(table).filter_by(**by)).one()


def versions(db):
    return {s.uid.removeprefix("2.25."): s.version for (s,) in rows(db, Study)}


def test_a_late_series_supersedes_and_the_older_results_stay(put, go, db, chain, make_object):
    put(make_object(1))
    go()
    put(make_object(1, series="2"))
    go()
    states = rows(db, Result, Result.version, Result.state)
    assert sorted(states) == [(1, ResultState.SUPERSEDED)] * 2 + [(2, ResultState.CURRENT)] * 2
    put(make_object(1, series="2"))
    go()
    assert len(rows(db, Result)) == 4


@pytest.mark.usefixtures("chain")
def test_merged_patients_are_worked_on_as_one(put, go, db, make_object, shelf, settings, tmp_path):
    put(make_object(study="1", patient="P1", StudyDate="20190101"))
    put(make_object(study="2", patient="P2", StudyDate="20200101"))
    go()
    with db.begin() as session:
        wrong, right = (session.scalars(select(Patient).filter_by(patient_id=p)).one() for p in ("P1", "P2"))
        assert len(merge_patients(session, wrong, right, "anna")) == 2
    for _ in range(3):
        go()
    assert versions(db) == {"1": 2, "2": 2}  # the later one can be compared now
    gathered = gather(db, shelf, the(db, Study, uid="2.25.2").id, tmp_path / "run")
    said = {pydicom.dcmread(p).PatientID for p in gathered.folder.rglob("*.dcm")}
    assert (len(gathered.uids), said) == (2, {"P2"})
    put(make_object(study="3", patient="P1"))
    assert the(db, Study, uid="2.25.3").patient_id == the(db, Patient, patient_id="P2").id
    keep_house(db, settings)
    assert [f.name for f in settings.cases.iterdir()] == [f"sub-{the(db, Patient, patient_id='P2').key}"]


def test_patients_are_merged_and_images_purged_by_key(put, go, db, chain, make_object, settings):
    for study, patient in (("1", "P1"), ("2", "P2")):
        put(make_object(study=study, patient=patient))
    go()
    keys = [the(db, Patient, patient_id=p).key for p in ("P1", "P2")]
    with pytest.raises(InputError, match="patient's page"):
        merge(db, "nobody", keys[1], "anna")
    assert merge(db, *keys, "anna") == [the(db, Study, uid="2.25.1").key]
    with pytest.raises(InputError, match="merged before"):
        merge(db, *keys, "anna")
    assert purge_by_key(db, settings, the(db, Study, uid="2.25.2").key, "anna")
    assert not purge_by_key(db, settings, the(db, Study, uid="2.25.2").key, "anna")
    with pytest.raises(InputError, match="serve status"):
        purge_by_key(db, settings, "0" * 16, "anna")


def test_a_corrected_name_reaches_the_work_item(put, go, db, chain, make_object):
    put(make_object())
    go()
    put(make_object(patient="P2", PatientName="Right^Name"))
    go()
    item = the(db, WorkItem)
    assert [item.content[tag]["Value"] for tag in ("00100020", "00100010")] == [["P2"], [{"Alphabetic": "Right^Name"}]]


@pytest.fixture
def judged(monkeypatch):
    """Triage that finds nothing in a study."""
    quiet = not_processed("ses-01", "-", None)

    def judge(case, session, ordered=None, table=None):
        return replace(quiet, ordered=ordered, priority=ordered or Priority.MEDIUM)

    monkeypatch.setattr("tumorboard.serve.triage.urgency.urgency_of", judge)


@pytest.mark.usefixtures("chain", "judged")
@pytest.mark.parametrize(
    ("said", "priority", "early"),
    [({}, "MEDIUM", 0), ({"RequestedProcedurePriority": "ROUTINE"}, "LOW", 0), ({"nested": "STAT"}, "HIGH", 2)],
)
def test_what_was_ordered_is_the_least(put, go, db, make_object, said, priority, early):
    ds = make_object()
    if "nested" in said:
        item = pydicom.Dataset()
        item.RequestedProcedurePriority = said["nested"]
        ds.RequestAttributesSequence = [item]
        put(make_object(2, RequestedProcedurePriority="LOW"))
    else:
        for keyword, word in said.items():
            setattr(ds, keyword, word)
    put(ds)
    go()
    assert (the(db, Urgency).priority.value, the(db, Job).priority) == (priority, early)


def test_retention_removes_images_and_keeps_results(put, go, db, chain, make_object, settings, shelf):
    put(make_object(1))
    go()
    told = settings.model_copy(update={"keep": settings.keep.model_copy(update={"disk_gib": 1e-9})})
    assert keep_house(db, told) == 1
    assert the(db, Study).state is StudyState.PURGED
    assert len(list(shelf.root.glob("*/*/*.dcm"))) == 2
    assert not any(settings.cases.glob("sub-*"))
    assert keep_house(db, told) == 0
    put(make_object(2))
    assert the(db, Study).state is StudyState.RECEIVING
    assert not purge(db, told, the(db, Study).id, "anna")


def test_images_go_when_their_days_are_over(put, go, db, chain, make_object, settings):
    put(make_object(study="1"))
    put(make_object(study="2", patient="P2"))
    go()
    with db.begin() as session:
        session.query(Study).filter_by(uid="2.25.1").one().last_at = now() - dt.timedelta(days=31)
    told = settings.model_copy(update={"keep": settings.keep.model_copy(update={"days": 30})})
    assert keep_house(db, told) == 1
    assert {s.uid: s.state for (s,) in rows(db, Study)} == {"2.25.1": StudyState.PURGED, "2.25.2": StudyState.DONE}
    assert [row.what for (row,) in rows(db, Audit)][-1] == "study purged"


def test_a_purged_study_that_is_sent_again_is_worked_on_when_it_is_whole(put, go, db, chain, make_object, settings):
    objects = [make_object(n) for n in (1, 2)]
    for ds in objects:
        put(ds)
    go()
    assert purge(db, settings, the(db, Study).id, "anna")
    put(objects[0])
    go()
    study = the(db, Study)
    assert (study.state, study.reason.split(":")[0]) == (StudyState.ATTENTION, "1 of its images were purged")
    assert {r.state for (r,) in rows(db, Result)} == {ResultState.CURRENT}
    put(objects[1])
    go()
    assert (the(db, Study).state, the(db, Study).version) == (StudyState.DONE, 1)
    assert len(chain) == 1  # the results of these very images are there
    assert purge(db, settings, the(db, Study).id, "anna")


def test_a_purged_study_that_is_fetched_again_can_be_compared_with(put, go, db, chain, make_object, settings):
    old = make_object(study="1", StudyDate="20190101")
    put(old)
    go()
    purge(db, settings, the(db, Study).id, "anna")
    put(old, origin=Origin.PRIOR)
    put(make_object(study="2", StudyDate="20200101"))
    go()
    assert set(chain[-1].uids.values()) == {"2.25.1", "2.25.2"}
    assert {s.state for (s,) in rows(db, Study)} == {StudyState.DONE}


# --- an earlier study that comes late --------------------------------------------------------------------------------


@pytest.mark.parametrize("origin", [Origin.RECEIVED, Origin.PRIOR])
def test_an_earlier_study_that_comes_late_makes_later_results_anew_once(put, go, db, chain, make_object, origin):
    put(make_object(study="2", StudyDate="20200101"))
    put(make_object(study="3", StudyDate="20210101"))
    put(make_object(study="9", StudyDate="20210101", patient="P2"))
    go()
    go()
    put(make_object(study="1", StudyDate="20190101"), origin=origin)
    if origin is Origin.PRIOR:
        with db.begin() as session:
            assert len(renew_later(session, the(db, Study, uid="2.25.1").patient_id)) == 2
    for _ in range(4):
        go()
    assert versions(db) == {"1": 1 if origin is Origin.RECEIVED else 0, "2": 2, "3": 2, "9": 1}
    assert [g.study_uid for g in chain if g.study_uid != "2.25.9"][-1] == "2.25.3"  # it leaves the patient's report
    runs = [sorted(g.uids.values()) for g in chain if g.study_uid == "2.25.3"]
    assert runs == [["2.25.2", "2.25.3"], ["2.25.1", "2.25.2", "2.25.3"]]
    with db.read() as session:
        states = [(r.version, r.state) for r in session.query(Result).join(Study).filter(Study.uid == "2.25.3")]
    assert sorted(states) == [(1, ResultState.SUPERSEDED)] * 2 + [(2, ResultState.CURRENT)] * 2


def test_an_earlier_study_that_comes_while_a_later_one_is_at_work(put, go, db, chain, make_object, monkeypatch):
    put(make_object(study="2", StudyDate="20200101"))
    real = work_module.run_chain

    def run(gathered, *others):
        if len(chain) == 0:
            put(make_object(study="1", StudyDate="20190101"))
        return real(gathered, *others)

    monkeypatch.setattr(work_module, "run_chain", run)
    for _ in range(3):
        go()
    assert versions(db) == {"1": 1, "2": 2}
    assert [sorted(g.uids.values()) for g in chain if g.study_uid == "2.25.2"] == [["2.25.2"], ["2.25.1", "2.25.2"]]


def test_the_latest_study_is_run_last_even_if_an_earlier_one_was_held_up(put, go, db, chain, make_object):
    put(make_object(study="1", StudyDate="20190101"))
    complete_studies(db, NodeSettings(quiet_seconds=1e-9))
    with db.begin() as session:
        session.query(Job).one().due_at = now() + dt.timedelta(seconds=60)
    put(make_object(study="2", StudyDate="20200101"))
    go()
    with db.begin() as session:
        session.query(Job).filter_by(id=1).one().due_at = now()
    for _ in range(3):
        go()
    assert [g.study_uid for g in chain] == ["2.25.2", "2.25.1", "2.25.2"]
    assert versions(db) == {"1": 1, "2": 1}
    assert {s.state for (s,) in rows(db, Study)} == {StudyState.DONE}


def test_an_earlier_study_that_can_be_read_at_last_is_compared_with(put, go, db, chain, make_object):
    put(make_object(study="777", StudyDate="20190101"))  # it fails
    put(make_object(study="2", StudyDate="20200101"))
    for _ in range(3):
        go()
    assert the(db, Study, uid="2.25.777").state is StudyState.ATTENTION
    assert [sorted(g.uids.values()) for g in chain if g.study_uid == "2.25.2"][-1] == ["2.25.2"]
    chain.mended = True
    try_again(db, the(db, Study, uid="2.25.777").key, "anna")
    for _ in range(3):
        go()
    assert (chain[-1].study_uid, sorted(chain[-1].uids.values())) == ("2.25.2", ["2.25.2", "2.25.777"])


def test_new_results_on_the_same_images_are_sent_too(put, go, db, chain, make_object, pacs):
    put(make_object(study="2", StudyDate="20200101"))
    go(**pacs.rule())
    put(make_object(study="1", StudyDate="20190101"))
    for _ in range(3):
        go(**pacs.rule())
    assert sorted(pacs.got) == sorted(r.uid for (r,) in rows(db, Result))
    assert len(pacs.got) == 6


def test_a_study_that_was_of_somebody_else_is_taken_out_of_the_comparison(put, go, db, chain, make_object, settings):
    put(make_object(study="1", StudyDate="20190101"))
    put(make_object(study="2", StudyDate="20200101"))
    go()
    go()
    put(make_object(study="1", StudyDate="20190101", patient="P7"))
    folder = CaseFolder(settings.cases, the(db, Patient, patient_id="P1").key)
    for session, study in (("ses-01", "2"), ("ses-02", "1")):  # left by the runs before
        write_json(folder.session(session) / "source.json", {"T1": {"SeriesInstanceUID": f"2.25.{study}.1"}})
    for _ in range(3):
        go()
    keep_house(db, settings)
    assert [place.name for place in folder.root.glob("ses-*")] == ["ses-01"]
    assert the(db, Study, uid="2.25.1").patient_id == the(db, Patient, patient_id="P7").id
    assert versions(db) == {"1": 2, "2": 2}
    assert sorted(chain[-1].uids.values() if chain[-1].study_uid == "2.25.2" else chain[-2].uids.values()) == ["2.25.2"]


def test_a_purged_earlier_study_changes_nothing(put, go, db, chain, make_object, settings):
    put(make_object(study="1", StudyDate="20190101"))
    put(make_object(study="2", StudyDate="20200101"))
    go()
    go()
    purge(db, settings, the(db, Study, uid="2.25.1").id, "anna")
    put(make_object(study="3", StudyDate="20210101"))
    for _ in range(3):
        go()
    assert versions(db) == {"1": 1, "2": 1, "3": 1}
