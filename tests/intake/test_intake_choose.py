"""Two candidates for one sequence: the order of preference, what breaks a tie, and what stays one."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given
from hypothesis import strategies as st

from tumorboard.errors import SequenceError
from tumorboard.intake import Intake, IntakeRequest, take_in
from tumorboard.intake.probe import Header, probe
from tumorboard.sequences import Sequence

THIN, THICK, FULL = ((4, 4, 4), (1.0, 1.0, 1.0)), ((8, 8, 8), (0.5, 0.5, 5.0)), ((6, 6, 6), (1.0, 1.0, 1.0))


def image(path: Path, shape: tuple[int, ...], spacing: tuple[float, ...]) -> None:
    nib.save(nib.Nifti1Image(np.zeros(shape, np.uint8), np.diag([*spacing, 1.0])), path)


def taken(root: Path) -> tuple[str, str, Intake]:
    found = take_in(IntakeRequest(inputs=(root,)))
    choice = found.patients[0].studies[0].files[Sequence.T1C]
    return choice.path.name, choice.reason, found


@pytest.mark.parametrize(
    ("better", "worse", "why"),
    [
        (THIN, THICK, "3-D (1 mm) before 2-D (5 mm)"),
        (((4, 4, 4), (1, 1, 3.0)), THICK, "thinner (3 mm before 5 mm)"),
        (THIN, ((4, 4, 4), (1, 1, 1.5)), "thinner (1 mm before 1.5 mm)"),
        (FULL, THIN, "more complete (216 before 64 voxels)"),
    ],
)
@pytest.mark.parametrize("names", [("t1_gd_x.nii", "t1ce.nii"), ("t1ce.nii", "t1_gd_x.nii")])
def test_better_header_is_taken_with_the_reason(tmp_path: Path, better, worse, why: str, names: tuple[str, str]):
    image(tmp_path / names[0], *better)
    image(tmp_path / names[1], *worse)
    name, reason, found = taken(tmp_path)
    assert name == names[0]
    assert why in reason
    assert "chosen over 1 other" in reason
    assert [d.role for d in found.decisions] == ["T1C", "skipped"]


@pytest.mark.parametrize(
    "names",
    [
        ("sub-01_ce-gd_run-01_T1w.nii.gz", "sub-01_ce-gd_run-02_T1w.nii.gz"),
        ("sub-01_ce-gd_T1w.nii.gz", "sub-01_ce-gd_run-2_T1w.nii.gz"),
        ("t1_gd_9.nii", "t1_gd_10.nii"),
    ],
)
def test_later_of_two_alike(tmp_path: Path, names: tuple[str, str]):
    for name in names:
        image(tmp_path / name, *THIN)
    name, reason, _ = taken(tmp_path)
    assert name == names[1]
    assert "later" in reason


@pytest.mark.parametrize(
    "names",
    [
        ("t1ce.nii", "t1_gd.nii"),
        ("t1ce.nii", "t1ce.nii.gz"),
        ("t1ce_20210304.nii", "t1ce_20210611.nii"),
        ("1234567_t1ce.nii", "7654321_t1ce.nii"),
    ],
)
def test_tie_is_the_users_to_decide(tmp_path: Path, names: tuple[str, str]):
    for name in names:
        image(tmp_path / name, *THIN)
    with pytest.raises(SequenceError, match="--sequence T1C=FILE") as caught:
        taken(tmp_path)
    assert "2021" not in str(caught.value)
    assert "1234567" not in str(caught.value)
    chosen = take_in(IntakeRequest(inputs=(tmp_path,), sequences={Sequence.T1C: tmp_path / names[0]}))
    assert chosen.patients[0].studies[0].files[Sequence.T1C].path.name == names[0]


def test_unreadable_header_loses_with_a_warning(tmp_path: Path):
    (tmp_path / "t1ce.nii").write_bytes(b"not an image")
    image(tmp_path / "t1_gd.nii", *THICK)
    name, reason, found = taken(tmp_path)
    assert name == "t1_gd.nii"
    assert "cannot be read" in reason
    assert any("1 T1C candidates" in told for told in found.warnings)


def test_unreadable_only_candidate_is_kept_for_the_reader(tmp_path: Path):
    (tmp_path / "t1ce.nii").write_bytes(b"not an image")
    assert taken(tmp_path)[0] == "t1ce.nii"


def test_series_over_time_loses(tmp_path: Path):
    image(tmp_path / "t1ce.nii", (8, 8, 8, 5), (1, 1, 1))
    image(tmp_path / "t1_gd.nii", *THICK)
    assert taken(tmp_path)[0] == "t1_gd.nii"


@pytest.mark.parametrize("ending", [".nii", ".nii.gz", ".nrrd", ".nhdr", ".mha", ".mhd"])
def test_probe_reads_every_format(tmp_path: Path, ending: str):
    picture = sitk.Image(3, 4, 5, sitk.sitkInt16)
    picture.SetSpacing((0.5, 0.75, 6.0))
    path = tmp_path / f"x{ending}"
    sitk.WriteImage(picture, str(path))
    assert probe(path) == Header((3, 4, 5), (0.5, 0.75, 6.0))


def test_probe_drops_trailing_ones_and_refuses_the_rest(tmp_path: Path):
    image(tmp_path / "a.nii", (3, 4, 5, 1), (1, 1, 2))
    image(tmp_path / "b.nii", (3, 4), (1, 1, 1))
    assert probe(tmp_path / "a.nii").shape == (3, 4, 5)
    assert not probe(tmp_path / "b.nii").readable
    assert not probe(tmp_path / "gone.mha").readable


@given(st.binary(max_size=600), st.sampled_from([".nii", ".nii.gz", ".mha", ".nrrd"]))
def test_probe_survives_any_bytes(tmp_path_factory, content: bytes, ending: str):
    path = tmp_path_factory.mktemp("bytes") / f"x{ending}"
    path.write_bytes(content)
    header = probe(path)
    assert not header.readable or header.voxels > 0
