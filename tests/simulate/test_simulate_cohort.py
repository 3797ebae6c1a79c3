"""Cohorts: the same for a seed whatever the workers, resumable, and of volumes and people as in the tables."""

import csv
import json
import subprocess
import sys
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from tumorboard.errors import InputError
from tumorboard.intake import IntakeRequest, take_in
from tumorboard.io.images import read_volume
from tumorboard.labels import LabelMap
from tumorboard.sequences import Sequence
from tumorboard.simulate import cohort
from tumorboard.simulate.cohort import CohortPlan, write_cohort
from tumorboard.simulate.files.cohort_tree import PLANES_OF_SITE
from tumorboard.simulate.patient import FIRST_STUDY
from tumorboard.simulate.subject import Kind, studies
from tumorboard.simulate.tables import PARTICIPANTS

DCIODVFY = Path(sys.executable).parent / "dciodvfy"
VALIDATOR = Path(sys.executable).parent / "bids-validator-deno"
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
    assert tuple(rows[0]) == PARTICIPANTS
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
    plans = [CohortPlan(n, **COARSE) for n in (3, 300)]
    assert plans[0].member(2).person == plans[1].member(2).person
    one, two = (next(studies(p.seed, p.member(1), 6.0)).truth.data for p in plans)
    assert np.array_equal(one, two)


def test_patients_differ():
    members = [CohortPlan(50).member(n) for n in range(50)]
    assert len({m.person.age_years for m in members}) == 50
    assert len({m.outcome.days for m in members}) == 50


def test_sites_take_patients_in_turn_and_differ_in_what_they_show(tmp_path):
    list(write_cohort(CohortPlan(3, sites=3, **COARSE), tmp_path))
    told = [json.loads(p.read_text()) for p in sorted(tmp_path.glob("sub-*/ses-01/anat/*_T2w.json"))]
    assert [t["InstitutionName"] for t in told] == ["site01", "site02", "site03"]
    assert [t["MagneticFieldStrength"] for t in told] == [3.0, 3.0, 1.5]


@pytest.mark.parametrize(
    "wrong",
    [
        *({"patients": 0}, {"patients": 10_001}, {"visits": 0}, {"visits": 13}, {"spacing_mm": 0.5}, {"seed": -1}),
        *({"sites": 0}, {"sites": 4}, {"patients": 20, "sites": 8}, {"spacing_mm": float("nan")}),
    ],
)
def test_impossible_plans_are_refused_with_the_range(wrong):
    with pytest.raises(InputError, match=r"expected .* to .*; got"):
        CohortPlan(**{"patients": 3} | wrong)


def test_only_what_can_be_made_may_be_asked_for():
    with pytest.raises(InputError, match="BB, SWI"):
        CohortPlan(3, extras=(Sequence.MRS,))
    with pytest.raises(InputError, match="no further maps in DICOM"):
        CohortPlan(3, extras=(Sequence.ADC,), form="dicom")


def test_a_cohort_of_lower_grades_has_no_other_and_only_gliomas_have_grades():
    plan = CohortPlan(40, grades=(2, 3))
    assert {plan.member(n).person.grade for n in range(40)} == {2, 3}
    with pytest.raises(InputError, match="WHO grade 2, 3 or 4; got 1"):
        CohortPlan(3, grades=(1, 2))
    with pytest.raises(InputError, match="--grade of gliomas"):
        CohortPlan(3, kind=Kind.METASTASES, grades=(2,))


def test_truth_volumes_and_tables_agree(tree):
    with (tree / "derivatives" / "truth" / "visits.tsv").open() as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    assert len(rows) == 3
    for row in rows:
        stem = f"{row['participant_id']}_{row['session_id']}"
        place = tree / "derivatives" / "truth" / row["participant_id"] / row["session_id"] / "seg"
        read = read_volume(place / f"{stem}_dseg.nii.gz")
        truth = LabelMap(np.rint(read.data).astype(np.uint8), read.grid)
        for region, column in (("ET", "et_ml"), ("NETC", "netc_ml"), ("SNFH", "snfh_ml")):
            assert truth.volume_ml(region) == pytest.approx(float(row[column]), abs=1e-3)


@pytest.mark.parametrize("kind", [Kind.METASTASES, Kind.PCNSL])
def test_lesions_are_numbered_in_images_and_tables_alike(kind, tmp_path):
    list(write_cohort(CohortPlan(1, seed=3, visits=2, spacing_mm=4.0, kind=kind), tmp_path))
    truth = tmp_path / "derivatives" / "truth"
    with (truth / "lesions.tsv").open() as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    assert rows
    for session in ("ses-01", "ses-02"):
        image = nib.load(truth / "sub-digital1" / session / "seg" / f"sub-digital1_{session}_desc-lesions_dseg.nii.gz")
        inside = {int(n) for n in np.unique(np.asarray(image.dataobj)) if n}
        assert inside <= {int(r["lesion"]) for r in rows if r["session_id"] == session}
        assert inside


def test_a_cohort_as_dicom_is_taken_in_with_one_patient_each(tmp_path, few_voxels):
    plan = CohortPlan(2, seed=3, visits=1, spacing_mm=4.0, sites=2, form="dicom")
    with few_voxels(*PLANES_OF_SITE.values()):
        assert list(write_cohort(plan, tmp_path)) == [0, 1, 2]
    found = take_in(IntakeRequest(inputs=tuple(sorted(tmp_path.glob("sub-*/dicom"))))).patients
    assert len(found) == 2
    assert all(p.digital for p in found)
    with (tmp_path / "events.csv").open() as file:
        assert {r["patient_id"] for r in csv.DictReader(file)} == {"DIGITAL-300001", "DIGITAL-300002"}
    assert {d for p in found for d in [s.date for s in p.studies]} == {FIRST_STUDY}
    files = sorted(tmp_path.rglob("IM*"))
    for file in files[:: max(1, len(files) // 12)]:
        ended = subprocess.run([DCIODVFY, file], capture_output=True, text=True, check=False)
        assert "Error" not in ended.stderr, ended.stderr


@pytest.mark.skipif(not VALIDATOR.exists(), reason="bids-validator-deno is not installed")
def test_the_bids_validator_accepts_the_tree(tmp_path):
    extras = (Sequence.DWI, Sequence.DTI, Sequence.ADC, Sequence.DSC, Sequence.PET_FET, Sequence.CT)
    list(write_cohort(CohortPlan(2, kind=Kind.MIXED, extras=extras, **COARSE), tmp_path))
    ended = subprocess.run([VALIDATOR, tmp_path, "--json"], capture_output=True, text=True, check=False)
    issues = json.loads(ended.stdout)["issues"]["issues"]
    assert [i for i in issues if i["severity"] == "error"] == []
    assert ended.returncode == 0


def test_a_null_cohort_differs_in_images_and_outcomes_alone():
    plain, null = (CohortPlan(5, null=n).member(2) for n in (False, True))
    assert plain.person == null.person
    assert plain.outcome != null.outcome
    assert plain.traits != null.traits
