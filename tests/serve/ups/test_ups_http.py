"""The worklist over HTTP, as PS3.18 chapter 11 tells it: every transaction, its status codes and its warnings."""

import asyncio
import datetime as dt
import json
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from fastapi import FastAPI, HTTPException, Request
from pydicom import Dataset

from tumorboard.serve.data.session import open_database
from tumorboard.serve.data.words import WorkPriority
from tumorboard.serve.settings import DepartmentSettings
from tumorboard.serve.ups import MemoryWorklist, UpsService, reading_task
from tumorboard.serve.ups.database import DatabaseWorklist
from tumorboard.serve.ups.dicom_json import element
from tumorboard.serve.ups.http import MEDIA, MOST_BYTES, make_router

NOW = dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.UTC)
UID, LOCK, OTHER = "1.2.3.4", "1.9.1", "1.9.2"
WHERE = f"/workitems/{UID}"


def task(priority="MEDIUM", **values):
    made = reading_task(
        values.pop("uid", UID),
        WorkPriority(priority),
        NOW,
        study_uid="1.2.840.1",
        patient={"00100010": "DIGITAL^ONE", "00100020": "D1"},
        reasons="Midline shift: 6 mm.",
    )
    return {**made, **values}


def send(client, method, path, content, user="ada"):
    headers = {"Content-Type": MEDIA, "X-User": user}
    return client.request(method, path, content=json.dumps(content), headers=headers)


def state(value, lock=LOCK):
    return {"00081195": element("UI", lock), "00741000": element("CS", value)}


PERFORMED = {
    "00741216": element(
        "SQ",
        {
            "00404028": element("SQ", {"00080100": element("SH", "room1")}),
            "00404019": element("SQ", {"00080100": element("SH", "110005")}),
            "00404050": element("DT", "20260102030405"),
            "00404051": element("DT", "20260102031405"),
        },
    )
}
STOPPED = {
    "00741002": element(
        "SQ", {"00404052": element("DT", "20260102"), "0074100E": element("SQ", {"00080100": element("SH", "110513")})}
    )
}


def who(request: Request):
    name = request.headers.get("X-User", "ada")
    if name == "nobody":
        raise HTTPException(403)
    return name


BOTH = pytest.mark.parametrize("service", ["memory", "database"], indirect=True)


@pytest.fixture
def service(request, tmp_path):
    if getattr(request, "param", "memory") == "memory":
        yield UpsService(MemoryWorklist(), lambda: NOW)
        return
    database = open_database(DepartmentSettings(home=tmp_path))
    yield UpsService(DatabaseWorklist(database), lambda: NOW)
    database.close()


class Client:
    """Asks the application without a network; each request has an event loop of its own."""

    def __init__(self, app):
        self.app = app

    def request(self, method, path, **given):
        async def ask():
            transport = httpx.ASGITransport(app=self.app)
            async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
                return await client.request(method, path, **given)

        return asyncio.run(ask())

    def get(self, path, **given):
        return self.request("GET", path, **given)

    def post(self, path, **given):
        return self.request("POST", path, **given)


@pytest.fixture
def client(service):
    app = FastAPI()
    app.include_router(make_router(lambda request: service, who, who))
    return Client(app)


@pytest.fixture
def made(client):
    assert send(client, "POST", "/workitems", [task()]).status_code == 201
    return client


def warning(answer):
    return answer.headers.get("Warning", "")


@BOTH
def test_the_life_of_a_work_item(client, service):
    created = send(client, "POST", f"/workitems?{UID}", [task()])
    assert created.status_code == 201
    assert created.headers["Location"].endswith(WHERE)
    assert client.get("/workitems?ProcedureStepState=SCHEDULED").json()[0]["00080018"]["Value"] == [UID]
    assert send(client, "PUT", f"{WHERE}/state", state("IN PROGRESS")).status_code == 200
    assert service.worklist.get(UID).claimed_by == "ada"
    assert send(client, "POST", f"{WHERE}?transaction-uid={LOCK}", PERFORMED).status_code == 200
    assert send(client, "PUT", f"{WHERE}/state", state("COMPLETED")).status_code == 200
    got = client.get(WHERE)
    assert got.headers["content-type"] == MEDIA
    dataset = Dataset.from_json(json.dumps(got.json()[0]))
    assert dataset.ProcedureStepState == "COMPLETED"
    assert dataset.SOPClassUID.name == "Unified Procedure Step - Push SOP Class"
    assert dataset.ScheduledProcedureStepPriority == "MEDIUM"
    assert dataset.PatientName == "DIGITAL^ONE"
    assert "TransactionUID" not in dataset
    assert client.get("/workitems?ProcedureStepState=SCHEDULED").status_code == 204


def test_the_transaction_uid_is_told_nobody(made):
    send(made, "PUT", f"{WHERE}/state", state("IN PROGRESS"))
    for answer in (made.get(WHERE), made.get("/workitems"), made.get("/workitems?includefield=all")):
        assert answer.status_code == 200
        assert LOCK not in answer.text
    assert made.get(f"/workitems?TransactionUID={LOCK}").status_code == 400


BAD_CREATIONS = [
    ({"00741000": element("CS", "IN PROGRESS")}, 400, "not SCHEDULED"),
    ({"00741200": element("CS")}, 400, "00741200"),
    ({"00741204": element("LO")}, 400, "00741204"),
    ({"00404005": element("DT")}, 400, "00404005"),
    ({"00404041": element("CS")}, 400, "00404041"),
    ({"00741200": element("CS", "STAT")}, 400, "HIGH, MEDIUM or LOW"),
    ({"00404041": element("CS", "MAYBE")}, 400, "READY"),
    ({"00081195": element("UI", LOCK)}, 400, "no Transaction UID"),
    (PERFORMED, 400, "performed"),
    ({"00741000": {"vr": "LO", "Value": ["SCHEDULED"]}}, 400, "representation"),
    ({"00741000": {"vr": "CS", "Value": "SCHEDULED"}}, 400, "list"),
    ({"00741000": {"vr": "CS", "Value": ["scheduled"]}}, 400, "allow"),
    ({"00100020": {"vr": "LO", "BulkDataURI": "file:///etc/passwd"}}, 400, "bulk"),
    ({"0040A370": {"vr": "SQ", "Value": ["x"]}}, 400, "datasets"),
    ({"00100010": {"vr": "PN", "Value": ["DIGITAL"]}}, 400, "00100010"),
    ({"00080018": {"vr": "UI", "Value": ["1.2.9"]}}, 400, "another UID"),
    ({"PatientID": {"vr": "LO", "Value": ["P1"]}}, 400, "hexadecimal"),
]


@pytest.mark.parametrize(("change", "status", "why"), BAD_CREATIONS)
def test_what_cannot_be_a_new_work_item_is_refused(client, change, status, why):
    answer = send(client, "POST", f"/workitems?workitem={UID}", task(**change))
    assert (answer.status_code, why in warning(answer)) == (status, True), warning(answer)
    assert client.get("/workitems").status_code == 204


@BOTH
def test_a_uid_is_taken_once(made):
    assert send(made, "POST", "/workitems", task()).status_code == 409
    assert send(made, "POST", "/workitems?1..2", task(uid="")).status_code == 400


def test_a_uid_is_made_where_none_is_given(client):
    answer = send(client, "POST", "/workitems", task(uid=""))
    assert answer.status_code == 201
    assert client.get(answer.headers["Location"]).status_code == 200


@BOTH
def test_what_is_not_there_is_404(client):
    assert client.get(WHERE).status_code == 404
    assert send(client, "POST", WHERE, {}).status_code == 404
    assert send(client, "PUT", f"{WHERE}/state", state("IN PROGRESS")).status_code == 404
    assert send(client, "POST", f"{WHERE}/cancelrequest", {}).status_code == 404


PREPARE = {
    "SCHEDULED": [],
    "IN PROGRESS": [state("IN PROGRESS")],
    "COMPLETED": [state("IN PROGRESS"), PERFORMED, state("COMPLETED")],
    "CANCELED": [state("IN PROGRESS"), STOPPED, state("CANCELED")],
}
# asked for, with which lock; the answer by state now (PS3.4 Table CC.1.1-2, PS3.18 11.7.3)
TRANSITIONS = [
    ("SCHEDULED", LOCK, {"SCHEDULED": 409, "IN PROGRESS": 409, "COMPLETED": 409, "CANCELED": 409}),
    ("IN PROGRESS", LOCK, {"SCHEDULED": 200, "IN PROGRESS": 409, "COMPLETED": 409, "CANCELED": 409}),
    ("IN PROGRESS", "", {"SCHEDULED": 400, "IN PROGRESS": 400, "COMPLETED": 400, "CANCELED": 400}),
    ("IN PROGRESS", OTHER, {"SCHEDULED": 200, "IN PROGRESS": 409, "COMPLETED": 400, "CANCELED": 400}),
    ("COMPLETED", LOCK, {"SCHEDULED": 409, "IN PROGRESS": 409, "COMPLETED": 200, "CANCELED": 409}),
    ("COMPLETED", "", {"SCHEDULED": 400, "IN PROGRESS": 400, "COMPLETED": 400, "CANCELED": 400}),
    ("COMPLETED", OTHER, {"SCHEDULED": 409, "IN PROGRESS": 400, "COMPLETED": 400, "CANCELED": 400}),
    ("CANCELED", LOCK, {"SCHEDULED": 409, "IN PROGRESS": 409, "COMPLETED": 409, "CANCELED": 200}),
    ("CANCELED", OTHER, {"SCHEDULED": 409, "IN PROGRESS": 400, "COMPLETED": 400, "CANCELED": 400}),
]


def bring(client, now):
    for content in PREPARE[now]:
        path = f"{WHERE}/state" if "00741000" in content else f"{WHERE}?{LOCK}"
        answer = send(client, "PUT" if "00741000" in content else "POST", path, content)
        assert answer.status_code == 200, warning(answer)


@pytest.mark.parametrize("now", PREPARE)
@pytest.mark.parametrize(("asked", "lock", "answers"), TRANSITIONS)
def test_each_change_of_state(made, now, asked, lock, answers):
    bring(made, now)
    answer = send(made, "PUT", f"{WHERE}/state", state(asked, lock))
    assert answer.status_code == answers[now], warning(answer)
    if answer.status_code >= 400:
        assert warning(answer).startswith("299 tumorboard: ")
        assert made.get(WHERE).json()[0]["00741000"]["Value"] == [now]
    if now == asked and answer.status_code == 200:
        assert f"already in the requested state of {now}" in warning(answer)


@pytest.mark.parametrize(
    ("now", "status", "after", "told"),
    [
        ("SCHEDULED", 202, "CANCELED", ""),
        ("IN PROGRESS", 409, "IN PROGRESS", "performer cannot be contacted"),
        ("COMPLETED", 409, "COMPLETED", "already COMPLETED"),
        ("CANCELED", 202, "CANCELED", "already in the requested state of CANCELED"),
    ],
)
def test_a_request_to_cancel(made, now, status, after, told):
    bring(made, now)
    answer = send(made, "POST", f"{WHERE}/cancelrequest", {"00741238": element("LT", "wrong study")})
    assert (answer.status_code, told in warning(answer)) == (status, True)
    content = made.get(WHERE).json()[0]
    assert content["00741000"]["Value"] == [after]
    if now == "SCHEDULED":
        progress = content["00741002"]["Value"][0]
        assert progress["00741238"]["Value"] == ["wrong study"]
        assert progress["0074100E"]["Value"][0]["00080100"]["Value"] == ["110513"]


@pytest.mark.parametrize("end", ["COMPLETED", "CANCELED"])
def test_an_end_says_what_was_done_or_why_not(made, end):
    bring(made, "IN PROGRESS")
    answer = send(made, "PUT", f"{WHERE}/state", state(end))
    assert answer.status_code == 409
    assert "does not hold" in warning(answer)


def test_updates_need_the_lock_once_claimed_and_end_with_the_item(made):
    label = {"00741204": element("LO", "Read again")}
    assert send(made, "POST", WHERE, label).status_code == 200
    bring(made, "IN PROGRESS")
    for query, told in (("", "missing"), (f"?{OTHER}", "incorrect")):
        answer = send(made, "POST", f"{WHERE}{query}", label)
        assert (answer.status_code, told in warning(answer)) == (400, True)
    assert send(made, "POST", WHERE, {**label, "00081195": element("UI", LOCK)}).status_code == 200
    assert send(made, "POST", f"{WHERE}?{LOCK}", PERFORMED).status_code == 200
    assert send(made, "PUT", f"{WHERE}/state", state("COMPLETED")).status_code == 200
    assert send(made, "POST", f"{WHERE}?{LOCK}", label).status_code == 400
    for wrong in ({"00741000": element("CS", "COMPLETED")}, {"00080018": element("UI", "1.2.9")}):
        assert send(made, "POST", f"{WHERE}?{LOCK}", wrong).status_code == 400


SEARCHES = [
    ("ScheduledProcedureStepPriority=HIGH", ["1.2.2", "1.2.4"]),
    ("00741200=LOW", ["1.2.3"]),
    ("SOPInstanceUID=1.2.1,1.2.3", ["1.2.1", "1.2.3"]),
    ("PatientName=digital*", ["1.2.2", "1.2.4", "1.2.1", "1.2.3"]),
    ("PatientID=D?", ["1.2.2", "1.2.4", "1.2.1", "1.2.3"]),
    ("PatientID=d1", []),
    ("ScheduledWorkitemCodeSequence.CodeValue=110005", ["1.2.2", "1.2.4", "1.2.1", "1.2.3"]),
    ("00404018.00080100=110009", []),
    ("ScheduledProcedureStepStartDateTime=20260101-20260102", ["1.2.2", "1.2.4", "1.2.1", "1.2.3"]),
    ("ScheduledProcedureStepStartDateTime=20260103-", []),
    ("ScheduledProcedureStepStartDateTime=-20260101", []),
    ("WorklistLabel=tumorboard&ScheduledProcedureStepPriority=MEDIUM", ["1.2.1"]),
    ("PatientName=", ["1.2.2", "1.2.4", "1.2.1", "1.2.3"]),
    ("limit=2&offset=1", ["1.2.4", "1.2.1"]),
    ("offset=9", []),
]


@pytest.mark.parametrize(("query", "found"), SEARCHES)
def test_search_gives_what_matches_the_most_urgent_first(client, query, found):
    for uid, priority in (("1.2.1", "MEDIUM"), ("1.2.2", "HIGH"), ("1.2.3", "LOW"), ("1.2.4", "HIGH")):
        assert send(client, "POST", "/workitems", task(priority, uid=uid)).status_code == 201
    answer = client.get(f"/workitems?{query}")
    assert answer.status_code == (200 if found else 204)
    assert [item["00080018"]["Value"][0] for item in (answer.json() if found else [])] == found
    assert ("more than" in warning(answer)) == ("limit" in query)


@pytest.mark.parametrize(
    "query", ["NoSuchThing=1", "limit=-1", "limit=x", "PatientID.CodeValue=1", "00741000.00080100=1", "a.b.c=1"]
)
def test_a_query_that_is_not_understood_is_refused(client, query):
    assert client.get(f"/workitems?{query}").status_code == 400


def test_a_search_gives_the_asked_attributes_and_tells_what_it_cannot(made):
    short = made.get("/workitems").json()[0]
    assert "00741216" not in short
    assert "00741216" in made.get("/workitems?includefield=UnifiedProcedureStepPerformedProcedureSequence").json()[0]
    assert "fuzzymatching" in warning(made.get("/workitems?fuzzymatching=true"))


@BOTH
def test_one_of_two_who_claim_at_one_moment_wins(made):
    def claim(n):
        return send(made, "PUT", f"{WHERE}/state", state("IN PROGRESS", f"1.9.{n}"), user=f"u{n}").status_code

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(claim, range(8)))
    assert sorted(answers) == [200] + [409] * 7


def test_who_may_not_is_refused(made):
    assert send(made, "PUT", f"{WHERE}/state", state("IN PROGRESS"), user="nobody").status_code == 403
    assert made.get(WHERE, headers={"X-User": "nobody"}).status_code == 403


@pytest.mark.parametrize(
    ("body", "media", "status"),
    [
        (b"{", MEDIA, 400),
        (b"[" * 100_000, MEDIA, 400),
        (b"[]", MEDIA, 400),
        (b"<x/>", "application/dicom+xml", 415),
        (b" " * (MOST_BYTES + 1), MEDIA, 413),
        (b"\xff\xfe", MEDIA, 400),
    ],
)
def test_payloads_that_are_none(client, body, media, status):
    assert client.post("/workitems", content=body, headers={"Content-Type": media}).status_code == status


def test_a_dataset_that_is_too_deep_is_refused(client):
    deep = {"00404018": element("SQ", {})}
    for _ in range(20):
        deep = {"00404018": element("SQ", deep)}
    assert send(client, "POST", "/workitems", task(**deep)).status_code == 400


def test_there_are_no_subscriptions(made):
    assert made.post(f"{WHERE}/subscribers/STATION").status_code == 501


@BOTH
def test_priority_is_raised_and_never_lowered(service):
    service.create(task("MEDIUM"))
    assert service.raise_priority(UID, WorkPriority.LOW).priority is WorkPriority.MEDIUM
    assert service.raise_priority(UID, WorkPriority.HIGH).priority is WorkPriority.HIGH
    assert service.raise_priority(UID, WorkPriority.MEDIUM).priority is WorkPriority.HIGH
