"""A study that was judged stands in the worklist, once, and is only ever raised; and the department serves it."""

import asyncio
import base64
import datetime as dt
import json
from dataclasses import replace

import httpx
import pytest
from argon2 import PasswordHasher
from sqlalchemy import select

from tumorboard.serve.data.people import Audit, User, WorkItem
from tumorboard.serve.data.tables import Patient, Study
from tumorboard.serve.data.words import Role, WorkPriority, WorkState
from tumorboard.serve.triage import Priority, not_processed
from tumorboard.serve.ups.database import DatabaseWorklist
from tumorboard.serve.ups.dicom_json import element, first
from tumorboard.serve.ups.offer import offer_reading

NOW = dt.datetime(2026, 1, 2, tzinfo=dt.UTC)
LOW = replace(not_processed("ses-01", "a test"), priority=Priority.LOW)
STAT = replace(LOW, priority=Priority.STAT)


@pytest.fixture
def study(db):
    with db.begin() as session:
        patient = Patient(patient_id="D1", name="DIGITAL^ONE", sex="F")
        session.add(Study(key="k", uid="2.25.1", version=1, patient=patient))
    return db


def offer(db, judged, **changed):
    with db.begin() as session:
        row = session.scalars(select(Study)).one()
        for name, value in changed.items():
            setattr(row, name, value)
        return offer_reading(session, row, judged, NOW).uid


def items(db):
    return {item.uid: item for item in DatabaseWorklist(db).all()}


def test_a_study_stands_in_the_list_once_and_is_only_raised(study):
    uids = [offer(study, judged) for judged in (LOW, STAT, LOW)]
    assert len(set(uids)) == 1
    (item,) = items(study).values()
    assert item.priority is WorkPriority.HIGH
    assert item.study_uid == "2.25.1"
    assert first(item.content, "00100010") == "DIGITAL^ONE"
    assert "could not be processed" in first(item.content, "00400400")


def test_an_input_that_comes_after_the_reading_is_read_again(study):
    uid = offer(study, LOW)
    with study.begin() as session:
        session.scalars(select(WorkItem)).one().state = WorkState.COMPLETED
    assert offer(study, STAT) == uid  # the same input: a job that was tried twice
    assert offer(study, STAT, version=2) != uid
    assert len(items(study)) == 2


def test_a_study_that_is_being_read_keeps_its_item(study):
    uid = offer(study, LOW)
    with study.begin() as session:
        row = session.scalars(select(WorkItem)).one()
        row.state, row.transaction_uid = WorkState.IN_PROGRESS, "1.9"
        row.content = {**row.content, "00741000": element("CS", "IN PROGRESS")}
    assert offer(study, STAT, version=2) == uid
    assert items(study)[uid].transaction_uid == "1.9"


def test_the_department_serves_it_to_readers_and_to_nobody_else(study, settings, shelf):
    from tumorboard.serve.web.app import create_app

    uid = offer(study, STAT)
    with study.begin() as session:
        hashed = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash("a long password")
        session.add(User(name="ada", password=hashed, role=Role.READER))
    app = create_app(settings, study, shelf)

    def ask(method, path, content=None, password="a long password"):
        async def one():
            async with httpx.AsyncClient(
                transport=httpx.ASGITransport(app=app), base_url="http://127.0.0.1:8080"
            ) as http:
                basic = base64.b64encode(f"ada:{password}".encode()).decode()
                headers = {"Authorization": f"Basic {basic}", "Content-Type": "application/dicom+json"}
                body = None if content is None else json.dumps(content)
                return await http.request(method, path, headers=headers, content=body)

        return asyncio.run(one())

    where = "/dicomweb/workitems"
    assert ask("GET", where, password="wrong").status_code in {401, 403}
    (found,) = ask("GET", f"{where}?ScheduledProcedureStepPriority=HIGH").json()
    assert found["00080018"]["Value"] == [uid]
    claim = {"00081195": element("UI", "1.9"), "00741000": element("CS", "IN PROGRESS")}
    assert ask("PUT", f"{where}/{uid}/state", claim).status_code == 200
    assert items(study)[uid].claimed_by == "ada"
    with study.read() as session:
        told = [row.what for row in session.scalars(select(Audit))]
    assert "work items asked for" in told
    assert "work item changed" in told
