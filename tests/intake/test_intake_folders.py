"""Folders: every layout, the order of studies, pseudonyms, and what is refused; trees are made in code."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tumorboard.errors import LabelError, SequenceError
from tumorboard.intake import Intake, IntakeRequest, take_in
from tumorboard.intake.group import Owner
from tumorboard.intake.pseudonyms import check_pseudonym, tell_apart
from tumorboard.sequences import Sequence

Tree = Callable[..., Path]


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    def make(*names: str) -> Path:
        for name in names:
            path = tmp_path / "in" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        return tmp_path / "in"

    return make


def take(*inputs: Path, **more) -> Intake:
    return take_in(IntakeRequest(inputs=inputs, **more))


def summary(intake: Intake) -> dict[str, dict[str, list[str]]]:
    return {p.pseudonym: {s.id: sorted(q.value for q in s.files) for s in p.studies} for p in intake.patients}


ALL = ["FLAIR", "T1", "T1C", "T2"]
BRATS23 = ("t1n", "t1c", "t2w", "t2f", "seg")
BRATS18 = ("t1", "t1ce", "t2", "flair", "seg")


def test_bids_dataset_with_sessions_dates_and_derivatives(tree: Tree):
    root = tree(
        *(f"sub-01/ses-{s}/anat/sub-01_ses-{s}_{x}.nii.gz" for s in "ab" for x in ("T1w", "ce-gd_T1w", "T2w", "FLAIR")),
        "sub-01/ses-a/anat/sub-01_ses-a_desc-brain_mask.nii.gz",
        "sub-01/ses-a/func/sub-01_ses-a_task-rest_bold.nii.gz",
        "sub-02/anat/sub-02_FLAIR.nii.gz",
        "derivatives/x/sub-01/ses-a/anat/sub-01_ses-a_T1w.nii.gz",
        "participants.tsv",
    )
    table = "session_id\tacq_time\nses-a\t2021-06-01T09:30:00\nses-b\t2021-03-04\n"
    (root / "sub-01" / "sub-01_sessions.tsv").write_text(table)
    found = take(root)
    assert summary(found) == {"01": {"ses-b": ALL, "ses-a": ALL}, "02": {"ses-01": ["FLAIR"]}}
    assert [s.date for s in found.patients[0].studies] == [dt.date(2021, 3, 4), dt.date(2021, 6, 1)]
    assert any("derivatives" in told for told in found.warnings)
    assert {d.name for d in found.decisions if d.role == "skipped"} >= {"sub-01_ses-a_*-brain_mask.nii.gz"}
    assert found.patients[0].identity != found.patients[1].identity
    assert len(found.patients[0].identity) == 32


@pytest.mark.parametrize("given", ["", "sub-01", "sub-01/ses-a", "sub-01/ses-a/anat"])
def test_bids_patient_is_the_same_from_whatever_folder_is_given(tree: Tree, given: str):
    root = tree("sub-01/ses-a/anat/sub-01_ses-a_T1w.nii.gz", "sub-01/ses-a/anat/sub-01_ses-a_FLAIR.nii.gz")
    (root / "sub-01" / "sub-01_sessions.tsv").write_text("session_id\tacq_time\nses-a\t2021-06-01\n")
    patient = take(root / given).patients[0]
    assert (patient.pseudonym, patient.identity) == ("01", take(root).patients[0].identity)
    assert [(s.id, s.date) for s in patient.studies] == [("ses-a", dt.date(2021, 6, 1))]


@pytest.mark.parametrize("content", ["", "session_id\n", "session_id\tacq_time\nses-a\tn/a\n", "a\tb\nc", "\xff\x00"])
def test_unusable_sessions_tsv_leaves_the_date_open(tree: Tree, content: str):
    root = tree("sub-01/ses-a/anat/sub-01_ses-a_T1w.nii.gz")
    (root / "sub-01" / "sub-01_sessions.tsv").write_bytes(content.encode("latin-1"))
    assert take(root).patients[0].studies[0].date is None


def test_bids_dataset_without_sessions(tree: Tree):
    root = tree(*(f"sub-{n}/anat/sub-{n}_{x}.nii.gz" for n in ("01", "02", "T1") for x in ("T1w", "FLAIR")))
    assert summary(take(root)) == {n: {"ses-01": ["FLAIR", "T1"]} for n in ("01", "02", "T1")}


def test_dated_folders_below_a_bids_subject_are_studies(tree: Tree):
    (patient,) = take(tree("sub-01/2021-03-04/T1.nii", "sub-01/2020-03-04/T1.nii")).patients
    assert [(s.id, s.date is not None) for s in patient.studies] == [("ses-01", True), ("ses-02", True)]


def test_bids_session_named_by_a_date_gives_the_date_and_not_the_id(tree: Tree):
    root = tree("sub-01/ses-20210611/anat/sub-01_ses-20210611_T1w.nii.gz", "sub-01/ses-20210304/anat/T1.nii.gz")
    studies = take(root).patients[0].studies
    assert [(s.id, s.date) for s in studies] == [
        ("ses-01", dt.date(2021, 3, 4)),
        ("ses-02", dt.date(2021, 6, 11)),
    ]


def test_bids_subject_that_looks_like_a_birthday_is_hashed(tree: Tree):
    found = take(tree("sub-19610304/anat/sub-19610304_T1w.nii.gz"))
    assert "19610304" not in repr(found.decisions) + found.patients[0].pseudonym
    assert len(found.patients[0].pseudonym) == 8


def test_brats_2023_patient_is_the_first_number_and_time_point_the_last(tree: Tree):
    names = [f"BraTS-GLI-00005-{t}/BraTS-GLI-00005-{t}-{x}.nii.gz" for t in ("001", "000") for x in BRATS23]
    names += [f"BraTS-GLI-00006-000/BraTS-GLI-00006-000-{x}.nii.gz" for x in BRATS23]
    found = take(tree(*names))
    assert summary(found) == {"GLI00005": {"ses-01": ALL, "ses-02": ALL}, "GLI00006": {"ses-01": ALL}}
    assert "-000-" in found.patients[0].studies[0].files[Sequence.T1].path.name
    told = [d for d in found.decisions if d.role == "skipped"]
    assert len(told) == 3
    assert all("--labels" in d.reason for d in told)


def test_brats_time_points_in_one_folder_are_two_studies(tree: Tree):
    root = tree(*(f"BraTS-GLI-00005-{t}-{x}.nii.gz" for t in ("000", "001") for x in BRATS23))
    assert summary(take(root)) == {"GLI00005": {"ses-01": ALL, "ses-02": ALL}}


@pytest.mark.parametrize(
    ("case", "pseudonym"),
    [
        ("Brats18_2013_21_1", "Brats18x2013x21x1"),
        ("BraTS20_Training_001", "BraTS20Training001"),
        ("BraTS2021_00000", "BraTS2021x00000"),
        ("Brats17_CBICA_AAB_1", "Brats17CBICAAAB1"),
    ],
)
def test_brats_2017_to_2021(tree: Tree, case: str, pseudonym: str):
    root = tree(*(f"HGG/{case}/{case}_{x}.nii.gz" for x in BRATS18))
    assert summary(take(root)) == {pseudonym: {"ses-01": ALL}}


def test_brats_2015_one_folder_for_each_sequence(tree: Tree):
    cases = ("HGG/brats_tcia_pat118_0102", "HGG/brats_tcia_pat118_0001", "LGG/brats_2013_pat0001_1")
    scans = [f"VSD.Brain.XX.{x}" for x in ("O.MR_T1.1", "O.MR_T1c.2", "O.MR_T2.3", "O.MR_Flair.4", "O.OT.5")]
    names = [f"{case}/{scan}/{scan}.mha" for case in cases for scan in scans]
    found = take(tree(*names))
    assert summary(found) == {
        "brats2013pat0001": {"ses-01": ALL},
        "bratstciapat118": {"ses-01": ALL, "ses-02": ALL},
    }


def test_loose_folder_is_one_patient_with_a_stable_nameless_pseudonym(tree: Tree):
    root = tree(
        "DOE_JOHN/T1.nii", "DOE_JOHN/T1 post GAD.nii", "DOE_JOHN/t2.nii", "DOE_JOHN/flair.nii", "DOE_JOHN/a.txt"
    )
    direct, through = take(root / "DOE_JOHN"), take(root)
    assert summary(direct) == summary(through)
    patient = direct.patients[0]
    assert patient.identity == ""
    assert len(patient.pseudonym) == 8
    assert int(patient.pseudonym, 16) >= 0
    assert "DOE" not in repr(direct.decisions)


def test_the_same_folder_name_below_two_patients_gives_two_pseudonyms(tree: Tree):
    root = tree("P1/export/T1.nii", "P2/export/T1.nii")
    one, two = (take(root / p).patients[0].pseudonym for p in ("P1", "P2"))
    assert one != two
    deep = tree("x/a/b/T1.nii", "y/a/b/T1.nii")
    assert len(summary(take(deep / "x", deep / "y"))) == 2


def test_folder_of_loose_patients(tree: Tree):
    root = tree(*(f"case_{n}/{x}.nii.gz" for n in range(4) for x in ("FLAIR", "T1", "GT_W")))
    found = take(root)
    assert len(found.patients) == 4
    assert all(list(p.studies[0].files) == [Sequence.T1, Sequence.FLAIR] for p in found.patients)
    assert sum("no T1C, T2" in told for told in found.warnings) == 4


@pytest.mark.parametrize(
    ("folders", "dated"),
    [
        (("2021-03-04", "2020-12-01"), True),
        (("20210304", "20201201"), True),
        (("timepoint_10", "timepoint_2"), False),
        (("followup", "baseline"), False),
        (("ses-02", "ses-01"), False),
    ],
)
def test_studies_of_one_patient_in_order(tree: Tree, folders: tuple[str, str], dated: bool):
    root = tree(*(f"P/{f}/{x}.nii.gz" for f in folders for x in ("T1", "FLAIR")))
    for given in (root, root / "P"):
        (patient,) = take(given).patients
        assert [s.id for s in patient.studies] == ["ses-01", "ses-02"]
        places = [s.files[Sequence.T1].path.parent.name for s in patient.studies]
        assert places == [folders[1], folders[0]]
        assert all(s.date is not None for s in patient.studies) is dated


def test_date_given_overrules_the_folder_and_is_said(tree: Tree):
    root = tree("P/2021-03-04/T1.nii")
    assert take(root, date=dt.date(2021, 3, 4)).warnings == take(root).warnings
    found = take(root, date=dt.date(2020, 3, 4))
    assert found.patients[0].studies[0].date == dt.date(2020, 3, 4)
    assert any("--date overrules" in told for told in found.warnings)


def test_a_birthday_in_a_folder_name_is_no_study_date(tree: Tree):
    (patient,) = take(tree("DOE_1961-03-04/T1.nii")).patients
    assert patient.studies[0].date is None


def test_some_dates_unknown_are_told(tree: Tree):
    found = take(tree("P/2021-03-04/T1.nii", "P/baseline/T1.nii"))
    assert len(found.patients[0].studies) == 2
    assert any("1 of 2 studies without a date" in told for told in found.warnings)


def test_sequence_folders_are_one_study(tree: Tree):
    (patient,) = take(tree("P/004_T1/img.nii", "P/005_T1_GAD/img.nii", "P/FLAIR/scan.nii", "P/ADC/img.nii")).patients
    assert sorted(q.value for q in patient.studies[0].files) == ["FLAIR", "T1", "T1C"]


def test_sequence_folders_with_a_name_of_their_own_are_not_joined(tree: Tree):
    assert len(take(tree("case1_T1/T1.nii", "case2_T1/T1.nii")).patients) == 2


def test_subfolder_of_a_study_is_left_out_and_said(tree: Tree):
    found = take(tree("T1.nii", "FLAIR.nii", "old/T1.nii"))
    assert len(found.patients) == 1
    assert any(d.role == "skipped" and "subfolder" in d.reason for d in found.decisions)


def test_cohort_below_time_points_is_not_joined_to_one_patient(tree: Tree):
    assert len(take(tree("baseline/case_0/T1.nii", "baseline/case_1/T1.nii")).patients) == 2


def test_earlier_results_below_the_input_are_left_out(tree: Tree):
    root = tree("T1.nii", "out/sub-x/patient.json", "out/sub-x/ses-01/anat/sub-x_ses-01_T1w.nii.gz")
    found = take(root)
    assert len(found.patients) == 1
    assert any("earlier results" in told for told in found.warnings)


@pytest.mark.parametrize("name", ["T1.nii", "T1.nii.gz", "T1.nrrd", "T1.nhdr", "T1.mha", "T1.mhd", "T1.NII.GZ"])
def test_image_formats(tree: Tree, name: str):
    assert Sequence.T1 in take(tree(name, "T1.raw", "T1.zraw")).patients[0].studies[0].files


def test_names_beyond_ascii_and_with_spaces(tree: Tree):
    root = tree("Größe Übung/T1 nach KM.nii", "Größe Übung/FLAIR.nii", "東京/t2.nii")
    assert len(take(root).patients) == 2


def test_loops_of_links_end(tree: Tree):
    root = tree("P/T1.nii")
    (root / "P" / "again").symlink_to(root, target_is_directory=True)
    (root / "Q").symlink_to(root / "P", target_is_directory=True)
    (root / "broken.nii").symlink_to(root / "gone")
    assert len(take(root).patients) == 1


def test_given_files_are_one_study(tree: Tree):
    root = tree("a/T1.nii", "b/FLAIR.nii")
    (patient,) = take(root / "a" / "T1.nii", root / "b" / "FLAIR.nii").patients
    assert sorted(q.value for q in patient.studies[0].files) == ["FLAIR", "T1"]


def test_named_files_alone(tree: Tree):
    root = tree("x/one.nii", "x/two.nii", "x/BraTS-GLI-00001-000-t1n.nii.gz", "x/sub-07_T1w.nii.gz")
    x = root / "x"
    named = take(sequences={Sequence.T1: x / "one.nii", Sequence.T1C: x / "two.nii"})
    assert named == take(sequences={Sequence.T1C: x / "two.nii", Sequence.T1: x / "one.nii"})
    assert len(named.patients[0].pseudonym) == 8
    assert named.patients[0].studies[0].files[Sequence.T1C].reason == "named by the user"
    brats = take(sequences={Sequence.FLAIR: x / "BraTS-GLI-00001-000-t1n.nii.gz", Sequence.T1: x / "one.nii"})
    assert summary(brats) == {"GLI00001": {"ses-01": ["FLAIR", "T1"]}}
    assert summary(take(sequences={Sequence.T1: x / "sub-07_T1w.nii.gz"}, patient="P9")) == {"P9": {"ses-01": ["T1"]}}


def test_named_file_overrules_what_was_recognised(tree: Tree):
    root = tree("T1.nii", "T1_gd.nii", "strange.nii", "FLAIR.nii")
    found = take(root, sequences={Sequence.T1C: root / "strange.nii", Sequence.T1: root / "T1_gd.nii"})
    files = found.patients[0].studies[0].files
    assert files[Sequence.T1C].path.name == "strange.nii"
    assert files[Sequence.T1].path.name == "T1_gd.nii"
    assert Sequence.FLAIR in files
    assert any("named by the user for its sequence" in d.reason for d in found.decisions)


def test_labels_and_date_go_with_a_single_study(tree: Tree):
    root = tree("T1.nii", "own_seg.nii")
    day = dt.date(2021, 3, 4)
    (patient,) = (found := take(root, labels=root / "own_seg.nii", scheme="brats2023", date=day)).patients
    assert patient.studies[0].date == day
    assert patient.studies[0].labels is not None
    assert patient.studies[0].labels.scheme == "brats2023"
    assert [d.role for d in found.decisions] == ["T1", "labels"]
    assert "2021" not in repr(found.decisions) + repr(found.warnings)


REFUSED: dict[str, tuple[tuple[str, ...], dict[str, object], str]] = {
    "two BraTS patients in a folder": (
        ("BraTS-GLI-00001-000-t1n.nii", "BraTS-GLI-00002-000-t2w.nii"),
        {},
        "2 patients",
    ),
    "two BIDS patients in a folder": (("sub-01_T1w.nii", "sub-02_T2w.nii"), {}, "2 patients"),
    "a BIDS file below another subject": (("sub-01/anat/sub-02_T1w.nii",), {}, "2 patients"),
    "two prefixes": (("A_t1.nii", "A_t2.nii", "B_t1.nii", "B_t2.nii"), {}, "one patient"),
    "two names behind": (("t1_Doe.nii", "t2_Doe.nii", "t1_Roe.nii", "t2_Roe.nii"), {}, "one patient"),
    "one sequence folder, two names": (("T1/Doe.nii", "T1/Roe.nii"), {}, "one patient"),
    "sequence folders, two names": (("T1/Doe.nii", "T1/Roe.nii", "T2/Doe.nii", "T2/Roe.nii"), {}, "one patient"),
    "nothing recognised": (("img1.nii", "notes.txt"), {}, "at least one MR sequence"),
    "only masks": (("mask.nii", "seg.nii"), {}, "at least one MR sequence"),
    "files called DICOM that are none": (("1.dcm", "2.dcm"), {}, "at least one MR sequence"),
    "date for two studies": (("a/T1.nii", "b/T1.nii"), {"date": dt.date(2021, 3, 4)}, "--date"),
    "one name for two patients": (("a/T1.nii", "b/T1.nii"), {"patient": "P1"}, "--patient"),
    "odd pseudonym": (("T1.nii",), {"patient": "Doe, John"}, "letters A-Z"),
    "empty pseudonym": (("T1.nii",), {"patient": ""}, "empty"),
    "pseudonym beyond ASCII": (("T1.nii",), {"patient": "Jörg"}, "outside A-Z"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_refused(tree: Tree, what: str):
    names, more, told = REFUSED[what]
    root = tree(*names)
    with pytest.raises(SequenceError) as caught:
        take(root, **more)
    text = str(caught.value)
    assert told in text
    assert caught.value.exit_code == 2
    assert not any(word in text for word in (str(root), "Doe", "Roe", "Jörg", "2021"))


def test_refused_places(tree: Tree, tmp_path: Path):
    root = tree("T1.nii", "note.txt")
    (tmp_path / "empty").mkdir()
    for inputs, told in (
        ((tmp_path / "gone",), "nothing there"),
        ((tmp_path / "empty",), "no files"),
        ((), "none of them"),
    ):
        with pytest.raises(SequenceError, match=told):
            take(*inputs)
    for path in (root / "gone.nii", root / "note.txt", root):
        with pytest.raises(SequenceError, match="T2: expected an image file"):
            take(root, sequences={Sequence.T2: path})
    with pytest.raises(SequenceError, match="the same file"):
        take(sequences={Sequence.T1: root / "T1.nii", Sequence.T2: root / "T1.nii"})


def test_refused_named_files_of_two_patients_or_times(tree: Tree):
    names = ("BraTS-GLI-00001-000-t1n.nii", "BraTS-GLI-00001-001-t2w.nii", "BraTS-GLI-00002-000-t2w.nii")
    root = tree(*(f"x/{name}" for name in names), "y/BraTS-GLI-00001-000-t2f.nii")
    first, later, other = (root / "x" / name for name in names)
    with pytest.raises(SequenceError, match="2 time points"):
        take(sequences={Sequence.T1: first, Sequence.T2: later})
    with pytest.raises(SequenceError, match="2 patients"):
        take(sequences={Sequence.T1: first, Sequence.T2: other})
    with pytest.raises(SequenceError, match="2 patients"):
        take(root / "y", sequences={Sequence.T2: other})
    with pytest.raises(SequenceError, match="a single study with a sequence"):
        take(
            tree("z/p/T1.nii", "z/q/T1.nii") / "z", sequences={Sequence.T2: root / "y" / "BraTS-GLI-00001-000-t2f.nii"}
        )


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"labels": "own.nii"}, "--scheme"),
        ({"scheme": "brats2023"}, "scheme alone"),
        ({"labels": "own.nii", "scheme": "brats23"}, "did you mean 'brats20"),
        ({"labels": "gone.nii", "scheme": "brats2023"}, "nothing there"),
        ({"labels": "note.txt", "scheme": "brats2023"}, "another ending"),
    ],
)
def test_refused_labels(tree: Tree, more: dict[str, str], told: str):
    root = tree("T1.nii", "own.nii", "note.txt")
    path = root / more["labels"] if "labels" in more else None
    with pytest.raises(LabelError, match=told):
        take(root, labels=path, scheme=more.get("scheme"))


def test_ten_thousand_strangers_are_counted_quickly_and_never_listed(tmp_path: Path):
    for n in range(10_000):
        (tmp_path / f"DOE{n}{'.nii.gz' if n % 2 else '.txt'}").touch()
    start = time.process_time()
    with pytest.raises(SequenceError) as caught:
        take(tmp_path)
    assert time.process_time() - start < 2
    assert "DOE" not in str(caught.value)
    assert "5000 .txt" in str(caught.value)
    assert len(str(caught.value)) < 400


def test_cohort_of_a_thousand_is_quick(tree: Tree):
    root = tree(*(f"BraTS-GLI-{n:05d}-000/BraTS-GLI-{n:05d}-000-{x}.nii.gz" for n in range(1000) for x in BRATS23))
    start = time.process_time()
    assert len(take(root).patients) == 1000
    assert time.process_time() - start < 5


def test_imports_stay_light():
    code = "import sys, tumorboard.intake; print([m for m in ('nibabel', 'SimpleITK', 'scipy') if m in sys.modules])"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"


def test_depth_is_limited(tree: Tree):
    with pytest.raises(SequenceError):
        take(tree("/".join("abcdefghij") + "/T1.nii"))


def test_pseudonyms_never_coincide():
    owners = [Owner("BIDS", "a1", Path()), Owner("BIDS", "A1", Path("x")), Owner("BraTS", "BraTS-GLI-00001", Path())]
    owners += [Owner("BIDS", "GLI00001", Path()), Owner("", "", Path("/x/a/b")), Owner("", "", Path("/y/a/b"))]
    chosen = tell_apart(owners)
    keys = {owner.key for owner in owners}
    assert len({name.casefold() for name in chosen.values()}) == len(keys) == len(chosen)
    assert all(name.isascii() and name.isalnum() for name in chosen.values())


def test_long_number_as_pseudonym_is_warned_of(tree: Tree):
    assert check_pseudonym("P01") == "P01"
    assert any("long number" in told for told in take(tree("T1.nii"), patient="12345678").warnings)
