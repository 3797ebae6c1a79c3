"""Health and counters: for a supervisor, without a patient in them."""

from __future__ import annotations

import pytest

from tumorboard.serve.data.words import JobState, Step


def test_it_lives_and_is_ready(browser):
    visitor = browser()
    assert visitor.get("/health/live").json() == {"status": "live"}
    ready = visitor.get("/health/ready").json()
    assert ready == {"status": "ready", "checks": {"database": True, "shelf": True, "room": True}}


def test_it_is_not_ready_without_room_or_shelf(browser, app, shelf, monkeypatch):
    monkeypatch.setattr(type(app.site.room), "has", lambda *_: False)
    shelf.incoming.rmdir()
    got = browser().get("/health/ready")
    assert got.status_code == 503
    assert got.json()["checks"] == {"database": True, "shelf": False, "room": False}


def test_counters_count(browser, study_key, db, make_object):
    from sqlalchemy import select

    from tumorboard.serve.data.tables import Job, Study

    with db.begin() as session:
        study = session.scalars(select(Study)).one()
        session.add(Job(study_id=study.id, step=Step.CHAIN, input_digest="d", state=JobState.ATTENTION))
    here = browser(address="127.0.0.1")
    here.get("/login")
    text = here.get("/metrics").text
    assert 'tumorboard_requests_total{method="GET",route="/login",status="200"} 1.0' in text
    assert 'tumorboard_studies{state="receiving"} 1.0' in text
    assert 'tumorboard_jobs{state="attention"} 1.0' in text
    assert "tumorboard_objects 1.0" in text
    assert str(make_object().StudyInstanceUID) not in text
    assert study_key not in text


@pytest.mark.parametrize(
    ("name", "address", "status"), [("", "10.0.0.7", 401), ("reader", "10.0.0.7", 403), ("admin", "10.0.0.7", 200)]
)
def test_counters_are_for_this_machine_and_admins(browser, name, address, status):
    assert browser(name, address).get("/metrics").status_code == status
