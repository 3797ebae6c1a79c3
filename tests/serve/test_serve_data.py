"""The database: append-only audit, moments with zones, writers in several processes."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import IntegrityError

from tumorboard.errors import InputError, MissingDependency
from tumorboard.serve.data.base import Base
from tumorboard.serve.data.people import Audit
from tumorboard.serve.data.session import SCHEMA, open_database
from tumorboard.serve.data.tables import Patient, Study
from tumorboard.serve.data.words import StudyState


def test_the_audit_table_is_never_changed_nor_emptied(db):
    with db.begin() as session:
        session.add(Audit(who="anna", what="saw", on="study"))
    for change in ("UPDATE audit SET who = 'x'", "DELETE FROM audit"):
        with pytest.raises(IntegrityError, match="never changed"), db.begin() as session:
            session.execute(text(change))
    with db.read() as session:
        assert session.scalars(select(Audit.who)).all() == ["anna"]


def test_a_moment_comes_back_as_it_was_put_in(db):
    moment = dt.datetime(2020, 1, 2, 3, 4, 5, tzinfo=dt.timezone(dt.timedelta(hours=2)))
    with db.begin() as session:
        session.add(Study(uid="1", key="k", patient=Patient(patient_id="p"), first_at=moment))
    with db.read() as session:
        study = session.scalars(select(Study)).one()
        assert (study.first_at, study.first_at.tzinfo) == (moment, dt.UTC)
        assert study.state is StudyState.RECEIVING


def test_a_read_sees_one_moment(db):
    with db.read() as first:
        assert first.scalars(select(Patient)).all() == []
        with db.begin() as session:
            session.add(Patient(patient_id="p"))
        assert first.scalars(select(Patient)).all() == []
    with db.read() as second:
        assert len(second.scalars(select(Patient)).all()) == 1


def test_a_server_without_its_driver_is_told(settings, monkeypatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(MissingDependency, match=r"tumorboard\[postgresql\]"):
        open_database(settings.model_copy(update={"database": "postgresql+psycopg://nobody@127.0.0.1:1/none"}))


def test_an_error_leaves_nothing_behind_and_a_read_writes_nothing(db):
    def fail():
        with db.begin() as session:
            session.add(Patient(patient_id="p"))
            session.flush()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with db.read() as session:
        session.add(Patient(patient_id="q"))
        session.flush()
    with db.read() as session:
        assert session.scalars(select(Patient)).all() == []


def test_references_must_lead_somewhere(db):
    with pytest.raises(IntegrityError), db.begin() as session:
        session.add(Study(uid="1", key="k", patient_id=7))


def test_a_database_of_another_version_is_refused(settings, db):
    with db.begin() as session:
        session.execute(text(f"UPDATE schema_version SET version = {SCHEMA + 1}"))
    with pytest.raises(InputError, match=f"version {SCHEMA + 1}"):
        open_database(settings)


def test_a_database_that_cannot_be_reached_is_told_without_its_address(settings):
    bad = settings.model_copy(update={"database": "sqlite:////proc/secret/name.db"})
    with pytest.raises(InputError) as told:
        open_database(bad)
    assert "secret" not in str(told.value)


COUNT = """
import sys
from pathlib import Path
from sqlalchemy import select
from tumorboard.serve.data.session import open_database
from tumorboard.serve.data.tables import Patient
from tumorboard.serve.settings import DepartmentSettings
db = open_database(DepartmentSettings(home=Path(sys.argv[1]), database=sys.argv[2]))
for _ in range(40):
    with db.begin() as session:
        one = session.scalars(select(Patient)).one()
        one.name = str(int(one.name) + 1)
"""


def test_writers_of_several_processes_wait_for_each_other(settings, db):
    with db.begin() as session:
        session.add(Patient(patient_id="p", name="0"))
    words = [sys.executable, "-c", COUNT, str(settings.home), settings.database]
    running = [subprocess.Popen(words) for _ in range(3)]
    assert [process.wait(60) for process in running] == [0, 0, 0]
    with db.read() as session:
        assert session.scalars(select(Patient.name)).one() == "120"


def test_every_table_and_its_words_can_be_made_for_postgresql():
    from sqlalchemy import create_mock_engine

    told = []
    engine = create_mock_engine("postgresql+psycopg://", lambda sql, *_: told.append(str(sql.compile(engine))))
    Base.metadata.create_all(engine, checkfirst=False)
    made = "\n".join(told)
    assert made.count("CREATE TABLE") == len(Base.metadata.tables)
    assert "TIMESTAMP WITH TIME ZONE" in made
    assert str(update(Audit).compile(engine)).startswith("UPDATE audit")
