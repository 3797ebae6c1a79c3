"""Cohorts: the same for a seed whatever the workers, resumable, and of volumes and people as in the tables."""

import csv

import numpy as np
import pytest

from tumorboard.errors import InputError
from tumorboard.intake import IntakeRequest, take_in
from tumorboard.simulate import cohort
from tumorboard.simulate.cohort import WHOLE_ML, CohortPlan, draw_member, draw_patient, write_cohort

COARSE = {"visits": 1, "spacing_mm": 6.0}


def contents(folder):
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cohort")
    assert list(write_cohort(CohortPlan(3, **COARSE), folder)) == [0, 1, 2, 3]
    return folder


def test_the_tree_is_bids_and_its_people_are_digital(tree):
    with (tree / "participants.tsv").open() as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    assert [r["participant_id"] for r in rows] == ["sub-digital1", "sub-digital2", "sub-digital3"]
    assert tuple(rows[0]) == cohort.COLUMNS
    patients = take_in(IntakeRequest(inputs=(tree,))).patients
    assert [p.pseudonym for p in patients] == ["digital1", "digital2", "digital3"]
    assert all(p.digital for p in patients)
    assert all(len(s.files) == 4 for p in patients for s in p.studies)


def test_workers_do_not_change_a_byte(tree, tmp_path):
    list(write_cohort(CohortPlan(3, **COARSE), tmp_path, workers=2))
    assert contents(tmp_path) == contents(tree)


def test_what_was_stopped_goes_on_and_what_is_whole_is_kept(tree, tmp_path, monkeypatch):
    made = []
    one = cohort._write_one
    monkeypatch.setattr(cohort, "_write_one", lambda plan, n, folder: (made.append(n), one(plan, n, folder)))
    steps = write_cohort(CohortPlan(3, **COARSE), tmp_path)
    assert [next(steps), next(steps)] == [0, 1]
    steps.close()
    assert list(write_cohort(CohortPlan(3, **COARSE), tmp_path)) == [1, 2, 3]
    assert made == [0, 1, 2]
    assert contents(tmp_path) == contents(tree)


def test_a_patient_does_not_depend_on_how_many_there_are():
    assert draw_member(CohortPlan(3), 2).person == draw_member(CohortPlan(300), 2).person
    one, two = (draw_patient(CohortPlan(n, **COARSE), 1).studies[0].truth.data for n in (2, 9))
    assert np.array_equal(one, two)


def test_patients_differ():
    members = [draw_member(CohortPlan(50), n) for n in range(50)]
    assert len({m.person.age_years for m in members}) == 50
    assert len({m.outcome.days for m in members}) == 50


def test_volumes_are_those_that_were_asked_for():
    """Whole tumours lie on the table's curve; a coarse one is met within some percent (see growth)."""
    plan = CohortPlan(30, **COARSE)
    ranks, volumes = zip(*WHOLE_ML, strict=True)
    for n in range(6):
        rng = np.random.default_rng([plan.seed, n, 5])
        wanted = float(np.interp(rng.random(), ranks, volumes))
        assert draw_patient(plan, n).studies[0].truth.volume_ml("WT") == pytest.approx(wanted, rel=0.25, abs=3.0)


@pytest.mark.parametrize(
    "wrong", [{"patients": 0}, {"patients": 10_001}, {"visits": 0}, {"visits": 4}, {"spacing_mm": 0.5}]
)
def test_impossible_plans_are_refused_with_the_range(wrong):
    with pytest.raises(InputError, match=r"expected .* to .*; got"):
        CohortPlan(**{"patients": 3} | wrong)


def test_a_null_cohort_differs_in_its_outcomes_alone():
    plain, null = (draw_member(CohortPlan(5, null=n), 2) for n in (False, True))
    assert plain.person == null.person
    assert plain.outcome != null.outcome
