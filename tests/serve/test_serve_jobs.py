"""What workers do: input gathered, results kept and superseded, failures told; sendings by the rule alone."""

from __future__ import annotations

import http.server
import json
import threading
from types import SimpleNamespace

import pydicom
import pytest
from sqlalchemy import select

from tumorboard.serve.data.people import Audit, Urgency
from tumorboard.serve.data.tables import Instance, Job, Result, Sent, Series, Study
from tumorboard.serve.data.words import JobState, Origin, ResultState, SentState, Step, StudyState, WorkPriority
from tumorboard.serve.jobs.again import try_again
from tumorboard.serve.jobs.gather import leave_out
from tumorboard.serve.node.priors import count_objects, fetch_priors
from tumorboard.serve.node.server import Node
from tumorboard.serve.settings import Fetch, NodeSettings, PriorsSettings

AT_ONCE = NodeSettings(quiet_seconds=1e-9)


def rows(db, table, *columns):
    with db.read() as session:
        return session.execute(select(*columns or (table,)).order_by(table.id)).all()


def the(db, table, **by):
    with db.read() as session:
        return session.scalars(select(table).filter_by(**by)).one()


def test_a_study_becomes_results_that_lie_on_the_shelf(put, go, db, chain, make_object, settings):
    put(make_object(1))
    go()
    assert the(db, Study).state is StudyState.DONE
    assert the(db, Study).digital
    found = rows(db, Result, Result.kind, Result.state, Result.version, Result.cards)
    assert found == [("report", ResultState.CURRENT, 1, ["fuzzy 1"]), ("seg", ResultState.CURRENT, 1, ["fuzzy 1"])]
    assert the(db, Job).reason == "a note"
    assert [row.what for (row,) in rows(db, Audit)] == ["results made"]
    assert not list((settings.home / "work").iterdir())
    assert rows(db, Sent) == []


def test_what_cannot_be_prepared_for_readers_keeps_no_result_back(put, go, db, chain, make_object):
    asked = []

    def ahead(ran):
        asked.append(ran.session)
        raise OSError("the disk is full")

    put(make_object(1))
    go(ahead=ahead)
    assert asked == ["ses-01"]
    assert the(db, Study).state is StudyState.DONE
    assert len(rows(db, Result)) == 2
    assert the(db, Job).reason == "a note"


def test_one_study_that_fails_blocks_no_other_and_is_shown(put, go, db, chain, make_object):
    for study, patient in (("666", "P1"), ("777", "P2"), ("1", "P3")):
        put(make_object(study=study, patient=patient))
    go()
    states = {s.uid: (s.state, s.reason) for (s,) in rows(db, Study)}
    assert states["2.25.666"][0] is StudyState.ATTENTION
    assert "at least one MR sequence" in states["2.25.666"][1]
    assert states["2.25.777"][0] is StudyState.QUEUED
    assert states["2.25.1"][0] is StudyState.DONE
    go()
    assert the(db, Study, uid="2.25.777").reason == "a defect of ours (ZeroDivisionError)"
    assert {u.priority for (u,) in rows(db, Urgency)} == {WorkPriority.MEDIUM}
    assert try_again(db, the(db, Study, uid="2.25.666").key, "anna") == 1
    assert the(db, Study, uid="2.25.666").state is StudyState.QUEUED


def test_earlier_studies_of_the_patient_come_along_and_later_ones_do_not(put, go, db, chain, make_object):
    put(make_object(study="1", StudyDate="20190101"), origin=Origin.PRIOR)
    put(make_object(study="2", StudyDate="20210101"), origin=Origin.PRIOR)
    put(make_object(study="3", StudyDate="20190101", patient="P2"), origin=Origin.PRIOR)
    put(make_object(study="4", StudyDate="20200101"))
    go()
    assert set(chain[0].uids.values()) == {"2.25.1", "2.25.4"}
    leave_out(chain[0], next(k for k, uid in chain[0].uids.items() if uid == "2.25.1"))
    assert set(chain[0].uids.values()) == {"2.25.4"}


def test_a_study_that_names_two_patients_is_refused(put, go, db, chain, make_object):
    put(make_object(1))
    put(make_object(2, patient="P2"))
    go()
    assert the(db, Study).state is StudyState.ATTENTION
    assert "one patient in a study" in the(db, Study).reason


# --- sending ----------------------------------------------------------------------------------------------------------


def test_results_go_back_when_the_rule_is_on_and_once(put, go, db, chain, make_object, pacs):
    put(make_object(1))
    go(**pacs.rule(kinds=["seg"]))
    assert len(pacs.got) == 1
    assert [(s.state, s.peer, s.how) for (s,) in rows(db, Sent)] == [(SentState.SENT, "pacs", "store")]
    go(**pacs.rule(kinds=["seg"]))
    assert len(pacs.got) == 1


def test_a_peer_that_refuses_is_tried_again_and_then_shown(put, go, db, chain, make_object, pacs):
    pacs.status = 0xA700
    put(make_object(1))
    for _ in range(3):
        go(**pacs.rule())
    job = the(db, Job, step=Step.SEND)
    assert (job.state, job.tries) == (JobState.ATTENTION, 2)
    assert "0xa700" in job.reason
    assert the(db, Study).state is StudyState.DONE
    pacs.status = 0x0000
    try_again(db, the(db, Study).key, "anna")
    go(**pacs.rule())
    assert {s.state for (s,) in rows(db, Sent)} == {SentState.SENT}


LEFT_OPEN = "ignore::pytest.PytestUnraisableExceptionWarning"
"""pynetdicom leaves the socket of a connection that was refused to the collector."""


@pytest.mark.filterwarnings(LEFT_OPEN)
def test_a_peer_that_is_away_is_told(put, go, db, chain, make_object, pacs):
    put(make_object(1))
    away = pacs.peer.model_copy(update={"port": 1})
    go(**pacs.rule() | {"peers": (away,)})
    assert "got no answer" in the(db, Job, step=Step.SEND).reason


def test_commitment_is_asked_for_and_heard(put, go, db, chain, make_object, pacs):
    from tumorboard.serve.node.commitment import heard

    put(make_object(1))
    go(**pacs.rule(commitment=True))
    (asked,) = pacs.asked
    assert len(asked.ReferencedSOPSequence) == 2
    report = pydicom.Dataset()
    report.TransactionUID = asked.TransactionUID
    report.ReferencedSOPSequence = [asked.ReferencedSOPSequence[0]]
    failed = asked.ReferencedSOPSequence[1]
    failed.FailureReason = 0x0112
    report.FailedSOPSequence = [failed]
    assert heard(db, SimpleNamespace(event_information=report)) == (0x0000, None)
    assert sorted(s.state for (s,) in rows(db, Sent)) == [SentState.COMMITTED, SentState.REFUSED]


def test_results_go_by_stow(put, go, db, chain, make_object, pacs):
    got = []

    class Answer(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            got.append((self.path, self.rfile.read(int(self.headers["Content-Length"]))))
            refused = {"00081155": {"vr": "UI", "Value": ["2.25.1.1.0"]}, "00081197": {"vr": "US", "Value": [272]}}
            said = json.dumps({"00081198": {"vr": "SQ", "Value": [refused]}}).encode()
            self.send_response(202)
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        def log_message(self, *_):
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        web = f"http://127.0.0.1:{server.server_address[1]}/dicom-web"
        put(make_object(1))
        go(**pacs.rule(how="stow") | {"peers": (pacs.peer.model_copy(update={"dicomweb": web}),)})
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert got[0][0] == "/dicom-web/studies"
    assert got[0][1].count(b"DICM") == 2
    states = {s.status: s.state for (s,) in rows(db, Sent)}
    assert states == {"": SentState.SENT, "reason 0x0110": SentState.REFUSED}


# --- earlier studies --------------------------------------------------------------------------------------------------


def answer(study, date, patient="P1", count=1):
    ds = pydicom.Dataset()
    ds.QueryRetrieveLevel, ds.StudyInstanceUID, ds.StudyDate, ds.PatientID = "STUDY", f"2.25.{study}", date, patient
    ds.StudyTime, ds.ModalitiesInStudy, ds.NumberOfStudyRelatedInstances = "1000", "MR", count
    return ds


def test_earlier_studies_are_fetched_the_latest_first_and_of_this_patient_alone(put, db, make_object, pacs, settings):
    put(make_object(study="9", StudyDate="20200101"))
    dates = {"1": "20180101", "2": "20190101", "3": "20170101", "4": "20210101"}
    pacs.found = [answer(s, d) for s, d in dates.items()] + [answer("5", "20190601", "OTHER")]
    pacs.objects = [make_object(study=s, StudyDate=d) for s, d in dates.items()]
    told = settings.model_copy(
        update={"peers": (pacs.peer,), "priors": PriorsSettings(source="pacs", studies=2, days=3650)}
    )
    assert fetch_priors(told, db, the(db, Study).id) == ()
    there = {s.uid: s.state for (s,) in rows(db, Study)}
    assert there == {"2.25.9": StudyState.RECEIVING, "2.25.1": StudyState.STORED, "2.25.2": StudyState.STORED}
    assert pacs.asked[0].StudyDate == "20100103-20200101"


@pytest.mark.filterwarnings(LEFT_OPEN)
def test_an_archive_that_is_away_is_told_and_keeps_nothing_up(put, db, make_object, pacs, settings):
    put(make_object())
    away = pacs.peer.model_copy(update={"port": 1})
    told = settings.model_copy(update={"peers": (away,), "priors": PriorsSettings(source="pacs")})
    assert fetch_priors(told, db, the(db, Study).id) == ("earlier studies could not be fetched: no answer",)
    assert count_objects(told)("2.25.1") is None


def test_the_archive_is_asked_how_many_objects_it_has(pacs, settings):
    pacs.found = [answer("1", "20200101", count=7)]
    told = settings.model_copy(update={"peers": (pacs.peer,), "priors": PriorsSettings(source="pacs")})
    count = count_objects(told)
    assert (count("2.25.1"), count("2.25.2"), count_objects(settings)) == (7, None, None)


@pytest.mark.filterwarnings(LEFT_OPEN)
def test_a_peer_without_get_is_asked_to_send_them_to_our_node(put, db, make_object, pacs, settings):
    put(make_object(study="9", StudyDate="20200101"))
    pacs.found = [answer("1", "20190101", count=3)]
    pacs.objects = [make_object(n, study="1", StudyDate="20190101") for n in (1, 2, 3)]
    peer = pacs.peer.model_copy(update={"fetch": Fetch.MOVE})
    told = settings.model_copy(update={"peers": (peer,), "priors": PriorsSettings(source="pacs")})
    new = the(db, Study).id
    assert "0xa801" in fetch_priors(told, db, new)[0]  # it does not know our title
    with Node(told, db) as node:
        pacs.knows["TUMORBOARD"] = ("127.0.0.1", node.port)
        assert fetch_priors(told, db, new) == ()
    assert pacs.asked[1] == pacs.asked[-1] == "TUMORBOARD"
    prior = the(db, Study, uid="2.25.1")
    assert (prior.state, prior.prior) == (StudyState.STORED, True)
    with db.read() as session:
        found = session.query(Instance).join(Series).filter(Series.study_id == prior.id).all()
    assert {(i.origin, i.sender) for i in found} == {(Origin.PRIOR, "PACS")}
    assert len(found) == 3


def test_a_search_that_is_refused_is_told(put, db, make_object, pacs, settings):
    put(make_object())
    pacs.found = None
    told = settings.model_copy(update={"peers": (pacs.peer,), "priors": PriorsSettings(source="pacs")})
    assert fetch_priors(told, db, the(db, Study).id) == ("earlier studies could not be fetched: a refusal (0xc311)",)
