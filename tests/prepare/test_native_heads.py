"""Native heads onto one grid: what is kept, what is left out and said, and how results go back."""

import json
from dataclasses import replace

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given
from hypothesis import strategies as st

from tumorboard.errors import InputError
from tumorboard.labels import LabelMap
from tumorboard.prepare.back import labels_to_native, transform_files
from tumorboard.prepare.native import MARGIN_MM, sampled, working_grid
from tumorboard.prepare.prepare import prepare
from tumorboard.sequences import Sequence
from tumorboard.volume import Grid, Volume

LPS = np.diag([-1.0, -1.0, 1.0, 1.0])


@pytest.fixture(scope="module")
def prepared(coarse_study, coarse_stranger):
    """Prepare one head, whose T2 is another patient's."""
    volumes = coarse_study.volumes | {Sequence.T2: coarse_stranger.volumes[Sequence.T2]}
    return prepare("ses-01", volumes, brain_mask=coarse_study.own_mask)


def test_a_sequence_of_another_patient_is_left_out_and_shown(prepared):
    assert set(prepared.study.volumes) == {Sequence.T1, Sequence.T1C, Sequence.FLAIR}
    assert set(prepared.dropped) == {Sequence.T2}
    (said,) = (note for note in prepared.notes if "T2 was left out" in note)
    assert "could not be laid onto T1C" in said
    quality = json.loads(json.dumps(prepared.quality()))
    assert quality["dropped"]["T2"]["why"] in said
    assert quality["dropped"]["T2"]["shared"] < quality["registration"]["T1"]["shared"]
    assert prepared.dropped[Sequence.T2].image.grid.matches(prepared.study.grid)


def test_every_image_lies_on_one_working_grid_of_1_mm(prepared, coarse_study):
    study = prepared.study
    assert study.grid.spacing_mm == pytest.approx((1.0, 1.0, 1.0))
    assert study.native is not None
    assert study.native.matches(coarse_study.reference.grid)
    ml = {"working": study.brain.sum() * study.grid.voxel_volume_ml}
    ml["native"] = coarse_study.brain.sum() * coarse_study.reference.grid.voxel_volume_ml
    assert ml["working"] == pytest.approx(ml["native"], rel=0.02)
    assert all(np.isfinite(v.data).all() and not v.data[~study.brain].any() for v in study.volumes.values())


def test_the_subtraction_is_that_of_t1c_and_t1(prepared):
    assert prepared.subtraction is not None
    data = prepared.subtraction.data[prepared.study.brain]
    assert abs(np.median(data)) < 0.3
    assert not prepared.subtraction.data[~prepared.study.brain].any()


def test_transforms_are_kept_as_numbers_and_for_resamplers(prepared, coarse_study, tmp_path):
    files = transform_files(prepared)
    assert sorted(files) == sorted(
        f"from-{s}_to-ce-gadoliniumT1w_mode-image_xfm.{end}" for s in ("FLAIR", "T1w") for end in ("json", "txt")
    )
    kept = json.loads(files["from-T1w_to-ce-gadoliniumT1w_mode-image_xfm.json"])
    matrix = np.array(kept["reference_to_moving_ras_mm"])
    (tmp_path / "t.txt").write_text(files["from-T1w_to-ce-gadoliniumT1w_mode-image_xfm.txt"])
    read = sitk.ReadTransform(str(tmp_path / "t.txt"))
    point = coarse_study.points[7]
    there = np.array(read.TransformPoint(tuple(LPS[:3, :3] @ point)))
    assert LPS[:3, :3] @ there == pytest.approx(matrix[:3, :3] @ point + matrix[:3, 3], abs=1e-5)


def test_a_mask_on_another_grid_is_refused_with_the_difference(coarse_study):
    mask = coarse_study.own_mask
    shifted = mask.affine.copy()
    shifted[0, 3] += 4.0
    with pytest.raises(InputError, match="on the grid of the reference sequence"):
        prepare("ses-01", coarse_study.volumes, brain_mask=Volume(mask.data, Grid(mask.grid.shape, shifted)))


def test_a_mask_that_is_no_brain_is_refused(coarse_study):
    empty = replace(coarse_study.own_mask, data=np.zeros(coarse_study.own_mask.grid.shape, np.uint8))
    with pytest.raises(InputError, match="got 0 mL"):
        prepare("ses-01", coarse_study.volumes, brain_mask=empty)


# --- the working grid -------------------------------------------------------------------------------------------


@given(st.from_type(Grid), st.data())
def test_the_working_grid_holds_the_brain_with_a_margin(grid, data):
    brain = np.zeros(grid.shape, bool)
    place = tuple(data.draw(st.integers(0, n - 1)) for n in grid.shape)
    brain[place] = True
    made = working_grid(grid, brain)
    assert max(made.spacing_mm) <= 1.2 + 1e-9
    centre = made.to_voxel(grid.to_world([place]))[0] * made.spacing_mm
    size = (np.array(made.shape) - 1) * made.spacing_mm
    assert (centre >= MARGIN_MM - 0.7).all()
    assert (size - centre >= MARGIN_MM - 0.7).all()


def test_a_reference_of_nearly_1_mm_keeps_its_voxels():
    grid = Grid((40, 40, 40), np.diag([0.9, 1.1, 1.0, 1.0]))
    brain = np.zeros(grid.shape, bool)
    brain[15:25, 15:25, 15:25] = True
    made = working_grid(grid, brain)
    assert made.spacing_mm == pytest.approx(grid.spacing_mm)
    offset = grid.to_voxel(made.to_world([(0, 0, 0)]))[0]
    assert offset == pytest.approx(np.round(offset), abs=1e-6)


@given(st.from_type(Volume))
def test_sampling_on_its_own_grid_changes_nothing_but_noise(volume):
    assert sampled(volume, volume.grid, np.eye(4), order=1) == pytest.approx(volume.data.astype(np.float32), abs=1e-3)


@given(st.from_type(Volume), st.from_type(Grid))
def test_values_stay_within_those_of_the_image(volume, grid):
    low, high = float(volume.data.min()), float(volume.data.max())
    made = sampled(volume, grid, np.eye(4))
    assert made.min() >= min(low, 0.0) - 1e-3
    assert made.max() <= max(high, 0.0) + 1e-3


# --- labels back onto native slices -----------------------------------------------------------------------------


def ball(spacing, radius=15.0, size=40):
    places = (np.indices((size, size, size)) - (size - 1) / 2) * spacing
    return LabelMap.of(((places**2).sum(axis=0) < radius**2).astype(np.uint8) * 3, np.diag([*[spacing] * 3, 1.0]))


@given(st.from_type(LabelMap))
def test_labels_on_their_own_grid_stay_what_they_are(labels):
    assert np.array_equal(labels_to_native(labels, labels.grid).data, labels.data)


@pytest.mark.parametrize("thickness", [2.0, 4.0, 6.0])
@pytest.mark.parametrize("tilt", [0.0, 11.0])
def test_a_ball_keeps_its_volume_on_thick_oblique_slices(thickness, tilt):
    from scipy.spatial.transform import Rotation

    labels = ball(1.0)
    centre = labels.grid.to_world([(19.5, 19.5, 19.5)])[0]
    affine = np.eye(4)
    affine[:3, :3] = Rotation.from_euler("x", tilt, degrees=True).as_matrix() * [0.9, 0.9, thickness]
    shape = (48, 48, int(44 / thickness))
    affine[:3, 3] = centre - affine[:3, :3] @ ((np.array(shape) - 1) / 2)
    native = labels_to_native(labels, Grid(shape, affine))
    assert native.volume_ml("ET") == pytest.approx(4 / 3 * np.pi * 15**3 / 1000, rel=0.03)


def test_a_matrix_moves_labels_as_it_moves_points():
    labels, away = ball(1.0), np.eye(4)
    away[:3, 3] = (7.0, -3.0, 2.0)
    grid = Grid(labels.grid.shape, away @ labels.affine)
    assert np.array_equal(labels_to_native(labels, grid, away).data, labels.data)
