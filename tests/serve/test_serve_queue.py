"""Jobs: taken once, alive or put back, tried again with back-off, in the end shown to a person."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys

import pytest
from sqlalchemy import select

from tumorboard.serve.data.base import now
from tumorboard.serve.data.tables import Job, Study
from tumorboard.serve.data.words import JobState, Step, StudyState
from tumorboard.serve.node.complete import complete_studies
from tumorboard.serve.queue.board import STOPPED, beat, claim, due, enqueue, fail, finish, put_back_orphans
from tumorboard.serve.queue.carrier import announce, carrier_of, task_of
from tumorboard.serve.settings import JobSettings, NodeSettings

AT_ONCE = NodeSettings(quiet_seconds=1e-9, patience_seconds=60)
RULES = JobSettings(tries=3, backoff_seconds=10, lease_seconds=30)


@pytest.fixture
def waiting(put, db, make_object):
    """A study that is complete, and the number of its job."""

    def go(study="1", **said):
        put(make_object(study=study, **said))
        complete_studies(db, AT_ONCE)
        with db.read() as session:
            return session.scalars(select(Job.id).order_by(Job.id.desc())).first()

    return go


def row(db, table, **by):
    with db.read() as session:
        return session.scalars(select(table).filter_by(**by)).one()


def change(db, job_id, **said):
    with db.begin() as session:
        job = session.get_one(Job, job_id)
        for name, content in said.items():
            setattr(job, name, content)


def test_a_job_is_taken_by_one_worker_alone(waiting, db):
    job_id = waiting()
    first, second = claim(db, job_id, "a"), claim(db, job_id, "b")
    assert (first.step, first.version, first.tries, second) == (Step.CHAIN, 1, 1, None)
    assert row(db, Study).state is StudyState.RUNNING
    assert beat(db, first, "measure")
    assert row(db, Job).stage == "measure"


def test_a_failure_waits_twice_as_long_each_time_and_ends_in_attention(waiting, db):
    job_id, waits = waiting(), []
    for _ in range(RULES.tries):
        taken = claim(db, job_id, "a")
        before = now()
        state = fail(db, taken, "the disk is full", RULES)
        job = row(db, Job)
        waits.append(round((job.due_at - before).total_seconds()))
        assert claim(db, job_id, "a") is None
        change(db, job_id, due_at=now())
    assert (state, waits[:2]) == (JobState.ATTENTION, [10, 20])
    assert (row(db, Study).state, row(db, Study).reason) == (StudyState.ATTENTION, "the disk is full")


def test_what_would_fail_again_is_not_tried_again(waiting, db):
    taken = claim(db, waiting(), "a")
    assert fail(db, taken, "no MR sequence", RULES, final=True) is JobState.ATTENTION


def test_a_job_of_a_dead_worker_goes_back_and_the_dead_one_can_change_nothing(waiting, db):
    job_id = waiting()
    dead = claim(db, job_id, "a")
    assert put_back_orphans(db, RULES) == []
    change(db, job_id, beat_at=now() - dt.timedelta(seconds=31))
    assert put_back_orphans(db, RULES) == [job_id]
    assert (row(db, Job).reason, row(db, Study).state) == (STOPPED, StudyState.QUEUED)
    alive = claim(db, job_id, "b")
    assert (beat(db, dead), fail(db, dead, "x", RULES), beat(db, alive)) == (False, None, True)
    with db.begin() as session:
        assert not finish(session, dead)
        assert finish(session, alive)


def test_a_job_that_kills_its_workers_ends_in_attention(waiting, db):
    job_id = waiting()
    for n in range(RULES.tries):
        assert claim(db, job_id, f"w{n}") is not None
        change(db, job_id, beat_at=now() - dt.timedelta(seconds=31))
        put_back_orphans(db, RULES)
    assert row(db, Job).state is JobState.ATTENTION


def test_two_studies_of_one_patient_are_not_at_work_at_once(waiting, db):
    first, second, other = waiting("1"), waiting("2"), waiting("3", patient="P2")
    assert claim(db, first, "a") is not None
    assert claim(db, second, "b") is None
    assert claim(db, other, "b") is not None
    assert row(db, Job, id=second).due_at > now()


CLAIM = """
import sys
from pathlib import Path
from tumorboard.serve.data.session import open_database
from tumorboard.serve.queue.board import claim
from tumorboard.serve.settings import DepartmentSettings
db = open_database(DepartmentSettings(home=Path(sys.argv[1]), database=sys.argv[2]))
print("ready", flush=True)
sys.stdin.readline()
for number in sys.argv[4:]:
    if claim(db, int(number), sys.argv[3]) is not None:
        print(number, flush=True)
"""


def test_of_two_processes_one_has_a_job_and_one_a_patient(waiting, db, settings):
    patients = 10
    jobs = [waiting(f"{n}", patient=f"P{n % patients}") for n in range(1, 2 * patients + 1)]
    running = []
    for name, asked in (("a", jobs), ("b", jobs[::-1])):
        words = [sys.executable, "-c", CLAIM, str(settings.home), settings.database, name, *map(str, asked)]
        running.append(subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
    for process in running:
        assert process.stdout.readline() == "ready\n"
    for process in running:
        process.stdin.write("go\n")
        process.stdin.flush()
    taken = [process.communicate(timeout=60)[0].split() for process in running]
    assert len({*taken[0], *taken[1]}) == len(taken[0]) + len(taken[1]) == patients
    with db.read() as session:
        at_work = session.query(Study.patient_id).join(Job).filter(Job.state == JobState.RUNNING)
        assert at_work.count() == at_work.distinct().count() == patients


def test_a_job_on_an_input_that_is_no_longer_the_last_is_not_begun(waiting, db, put, make_object):
    first = waiting()
    put(make_object(2))
    assert claim(db, first, "a") is None  # its study waits for more
    complete_studies(db, AT_ONCE)
    change(db, first, due_at=now())
    assert claim(db, first, "a") is None
    assert row(db, Job, id=first).reason == "a later input took its place"
    assert row(db, Study).version == 2


def test_the_same_input_makes_one_job(waiting, db):
    waiting()
    with db.begin() as session:
        study = session.scalars(select(Study)).one()
        assert enqueue(session, study, Step.CHAIN, study.input_digest).id == row(db, Job).id


def test_the_most_urgent_come_first(waiting, db):
    jobs = [waiting(str(n)) for n in (1, 2, 3)]
    change(db, jobs[2], priority=5)
    assert [job for job, _ in due(db)] == [jobs[2], jobs[0], jobs[1]]
    assert due(db) == []


def test_a_job_whose_worker_stopped_comes_before_its_equals_and_after_what_is_more_urgent(waiting, db):
    jobs = [waiting(str(n)) for n in (1, 2, 3)]
    change(db, jobs[2], priority=1)
    claim(db, jobs[1], "a")
    change(db, jobs[1], beat_at=now() - dt.timedelta(seconds=31))
    put_back_orphans(db, RULES)
    assert [job for job, _ in due(db)] == [jobs[2], jobs[1], jobs[0]]


def test_the_carrier_wakes_by_priority_and_says_again_what_was_lost(waiting, db, settings):
    jobs = [waiting(str(n)) for n in (1, 2)]
    change(db, jobs[1], priority=5)
    carrier, seen = carrier_of(settings), []
    task = task_of(carrier, seen.append)
    assert announce(db, carrier, task, RULES) == 2
    assert announce(db, carrier, task, RULES) == 0
    carrier.execute(carrier.dequeue())
    carrier.dequeue()  # a worker took it and was killed
    assert seen == [jobs[1]]
    assert announce(db, carrier, task, RULES) == 2
    carrier.storage.close()


# --- when a study is complete -----------------------------------------------------------------------------------------


def test_a_study_is_complete_after_the_quiet_time_and_not_before(put, db, make_object):
    put(make_object())
    assert complete_studies(db, NodeSettings(quiet_seconds=60)) == []
    assert complete_studies(db, AT_ONCE) == [row(db, Study).key]
    assert complete_studies(db, AT_ONCE) == []


def test_a_study_waits_for_what_the_archive_counts_but_not_for_ever(put, db, make_object):
    put(make_object())
    assert complete_studies(db, AT_ONCE, lambda _: 2) == []
    assert row(db, Study).expected == 2
    impatient = NodeSettings(quiet_seconds=1e-9, patience_seconds=1e-9)
    assert complete_studies(db, impatient, lambda _: 2) == [row(db, Study).key]


def test_an_archive_that_cannot_say_changes_nothing(put, db, make_object):
    put(make_object())
    assert len(complete_studies(db, AT_ONCE, lambda _: None)) == 1


def test_a_late_object_makes_a_new_version_and_a_repeated_one_does_not(waiting, db, put, make_object):
    first = waiting()
    with db.begin() as session:
        session.get_one(Job, first).state = JobState.DONE
        session.scalars(select(Study)).one().state = StudyState.DONE
    put(make_object(1))
    assert row(db, Study).state is StudyState.DONE
    put(make_object(1, pixels=3))
    put(make_object(1))  # changed and changed back
    assert complete_studies(db, AT_ONCE) == []
    assert (row(db, Study).state, row(db, Study).version) == (StudyState.DONE, 1)
    put(make_object(2))
    complete_studies(db, AT_ONCE)
    assert (row(db, Study).state, row(db, Study).version) == (StudyState.QUEUED, 2)
