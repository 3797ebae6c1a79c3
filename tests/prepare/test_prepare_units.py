"""Preparation, piece by piece: what is refused, what is said, and that doing it twice changes nothing."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage as ndi
from scipy.spatial.transform import Rotation

from tumorboard.atlas.icbm152 import icbm152
from tumorboard.errors import FileFormatError, GeometryError, InputError, IntensityError
from tumorboard.io.images import write_volume
from tumorboard.prepare.brain import background_value, brain_mask, foreground
from tumorboard.prepare.checks import check_image
from tumorboard.prepare.intensity import TINY, normalise
from tumorboard.prepare.midplane import _mirror_cost, block_mean, find_midplane, shrink_factors
from tumorboard.prepare.prepare import prepare, read_study
from tumorboard.prepare.to_atlas import align_to_mni
from tumorboard.prepare.unify import cover, unify
from tumorboard.sequences import Sequence
from tumorboard.study import FileChoice, StudyInput
from tumorboard.volume import Grid, Volume

T1, T1C, T2, FLAIR = Sequence.T1, Sequence.T1C, Sequence.T2, Sequence.FLAIR
SHAPE, SPACING = (30, 36, 28), (6.0, 6.0, 6.0)


def volume(data, spacing=SPACING, shift=(0.0, 0.0, 0.0)):
    affine = np.diag([*spacing, 1.0])
    affine[:3, 3] = shift
    return Volume.of(np.asarray(data), affine)


def brainlike(radii_mm=(66.0, 84.0, 62.0), background=0, seed=0, shift_mm=(0.0, 0.0, 0.0)):
    """An ellipsoid of noisy signal on an even background."""
    axes = np.meshgrid(*[np.arange(n) * s for n, s in zip(SHAPE, SPACING, strict=True)], indexing="ij")
    centre = (np.array(SHAPE) - 1) / 2 * SPACING + shift_mm
    inside = sum(((x - c) / r) ** 2 for x, c, r in zip(axes, centre, radii_mm, strict=True)) <= 1
    signal = np.random.default_rng(seed).integers(200, 900, SHAPE)
    return np.where(inside, signal, background).astype(np.int16), inside


# --- is it an image ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "error", "words"),
    [
        (np.ones((4, 4, 4)), IntensityError, "the same value in every voxel"),
        (np.zeros((4, 4, 4), np.int16), IntensityError, "the same value"),
        (np.where(np.arange(64).reshape(4, 4, 4) == 5, np.nan, 1.0), IntensityError, "1 of 64 are NaN or infinite"),
        (np.where(np.arange(64).reshape(4, 4, 4) < 2, np.inf, 1.0), IntensityError, "2 of 64"),
        (np.arange(32.0).reshape(4, 4, 2), GeometryError, r"at least 3 slices.*\(4, 4, 2\)"),
        (np.ones((1, 1, 1)), GeometryError, "at least 3 slices"),
    ],
)
def test_what_is_no_image_is_refused_by_its_role(data, error, words):
    with pytest.raises(error, match=words) as caught:
        check_image(volume(data), "FLAIR")
    assert str(caught.value).startswith("FLAIR: ")


def test_reading_a_study_names_the_sequence_that_is_broken(tmp_path):
    good, bad = tmp_path / "a.nii.gz", tmp_path / "jane.nii.gz"
    write_volume(volume(np.arange(27.0).reshape(3, 3, 3)), good)
    bad.write_bytes(good.read_bytes()[:40])
    study = StudyInput("ses-01", {T1: FileChoice(good, "by name"), T2: FileChoice(bad, "by name")})
    with pytest.raises(FileFormatError) as caught:
        read_study(study)
    assert str(caught.value).startswith("T2: ")
    assert "jane" not in str(caught.value)
    assert list(read_study(StudyInput("ses-01", {T1: FileChoice(good, "by name")}))) == [T1]


# --- one grid ------------------------------------------------------------------------------------


def test_equal_grids_in_any_order_are_only_reordered():
    data = np.random.default_rng(0).random((8, 9, 10)).astype(np.float32)
    base = volume(data)
    found = unify({FLAIR: base.reoriented("LPS"), T1C: base.reoriented("LAS"), T2: base})
    assert (found.reference, found.native_axcodes, found.notes) == (T1C, "LAS", ())
    for one in found.volumes.values():
        np.testing.assert_array_equal(one.data, data)
        assert one.grid is found.volumes[T1C].grid


@pytest.mark.parametrize(
    ("given_sequences", "reference"),
    [((T1, T2, FLAIR, T1C), T1C), ((T1, T2, FLAIR), FLAIR), ((T1, T2), T2), ((T1,), T1)],
)
def test_the_reference_is_t1c_else_flair_t2_t1(given_sequences, reference):
    base = volume(np.random.default_rng(0).random((5, 5, 5)))
    assert unify(dict.fromkeys(given_sequences, base)).reference == reference


def test_a_near_grid_is_resampled_and_said_with_millimetres():
    data = np.random.default_rng(0).random((20, 20, 20)).astype(np.float32)
    found = unify({T1C: volume(data, (1, 1, 1)), FLAIR: volume(data, (1, 1, 1), (0.5, 0.0, 0.0))})
    assert len(found.notes) == 1
    assert "FLAIR was resampled (linear) to the grid of T1C: FLAIR lies 0.500 mm from T1C" in found.notes[0]
    middle = found.volumes[FLAIR].data[1:-1, 1:-1, 1:-1]
    np.testing.assert_allclose(middle, ((data[:-1] + data[1:]) / 2)[:-1, 1:-1, 1:-1], atol=1e-5)
    assert found.volumes[FLAIR].grid is found.volumes[T1C].grid


def test_what_lies_elsewhere_is_refused_with_the_distance():
    data = np.random.default_rng(0).random((20, 20, 20))
    with pytest.raises(GeometryError, match=r"got (59|60|61) %; the centres of the two images are 8\.0 mm apart"):
        unify({T1C: volume(data, (1, 1, 1)), T2: volume(data, (1, 1, 1), (0.0, 8.0, 0.0))})
    with pytest.raises(GeometryError, match=r"^T2: .* got 0 %.*co-register T2 to T1C first"):
        unify({T1C: volume(data, (1, 1, 1)), T2: volume(data, (1, 1, 1), (0.0, 500.0, 0.0))})


@given(st.from_type(Grid))
def test_a_grid_covers_itself(grid):
    assert cover(grid, grid) == 1.0


def test_cover_is_the_share_of_the_field_of_view():
    grid, half = Grid((20, 20, 20), np.eye(4)), Grid((20, 20, 10), np.eye(4))
    assert cover(grid, half) == pytest.approx(0.5, abs=0.04)
    assert cover(half, grid) == 1.0


# --- the brain -----------------------------------------------------------------------------------


@pytest.mark.parametrize("background", [0, -1000, 37])
def test_the_brain_is_where_there_is_signal_whatever_the_background(background):
    data, inside = brainlike(background=background)
    one = volume(data)
    assert background_value(data) == background
    np.testing.assert_array_equal(brain_mask({T1C: one}, one.grid), inside)


def test_holes_are_filled_and_crumbs_dropped():
    data, inside = brainlike()
    data[15, 18, 14] = 0
    data[0, 0, 5] = 500
    np.testing.assert_array_equal(foreground(data), inside)


def test_the_majority_decides():
    full, inside = brainlike()
    short = full.copy()
    short[:, :, :8] = 0
    grid = volume(full).grid
    brain = brain_mask({T1C: volume(full), T2: volume(full), FLAIR: volume(short)}, grid)
    np.testing.assert_array_equal(brain, inside)


WHOLE_HEAD = np.random.default_rng(0).integers(1, 900, SHAPE)


@pytest.mark.parametrize(
    ("data", "spacing", "words"),
    [
        (WHOLE_HEAD, SPACING, "0 % of voxels empty"),
        (brainlike((82.0, 98.0, 78.0))[0], SPACING, r"got 2[3-9]\d\d mL"),
        (brainlike((30.0, 30.0, 30.0))[0], SPACING, r"got 1\d\d mL"),
        (brainlike()[0][8:22, 8:28, 8:20], (8.0, 8.0, 8.0), "% of voxels empty"),
    ],
)
def test_heads_and_cut_outs_are_refused_with_what_was_found(data, spacing, words):
    one = volume(data, spacing)
    with pytest.raises(InputError, match=words) as caught:
        brain_mask({FLAIR: one}, one.grid)
    assert str(caught.value).startswith("FLAIR: expected a skull-stripped brain of 300 to 2300 mL")
    assert "strip the skull" in str(caught.value)


def test_brains_that_do_not_lie_on_each_other_are_refused():
    one, _ = brainlike(radii_mm=(50.0, 60.0, 50.0))
    other, _ = brainlike(radii_mm=(50.0, 60.0, 50.0), shift_mm=(0.0, 42.0, 0.0))
    grid = volume(one).grid
    with pytest.raises(InputError, match=r"whose brains lie on each other.*co-register"):
        brain_mask({T1C: volume(one), T2: volume(one), FLAIR: volume(other)}, grid)


# --- one scale -----------------------------------------------------------------------------------


@given(st.integers(0, 99), st.sampled_from([1e-3, 1.0, 250.0, 1e6]), st.sampled_from([0.0, -1024.0, 1e5]))
def test_normalising_twice_is_normalising_once_bit_for_bit(seed, gain, offset):
    data = np.random.default_rng(seed).gamma(3.0, size=(9, 10, 11)) * gain + offset
    brain = np.zeros(data.shape, bool)
    brain[1:-1, 1:-1, 1:-1] = True
    once, first = normalise(volume(data), brain, "T1")
    twice, second = normalise(once, brain, "T1")
    assert (first.applied, second.applied) == (True, False)
    np.testing.assert_array_equal(twice.data.view(np.uint32), once.data.view(np.uint32))
    inside = once.data[brain]
    assert abs(np.median(inside)) < 1e-3
    assert np.subtract(*np.percentile(inside, (75, 25))) / 1.349 == pytest.approx(1.0, abs=1e-3)
    assert not once.data[~brain].any()
    assert once.data.dtype == np.float32


def test_zero_means_outside_even_for_the_median():
    data = np.arange(125.0).reshape(5, 5, 5)
    scaled, scale = normalise(volume(data), np.ones(data.shape, bool), "T1")
    assert scale.median == 62.0
    assert scaled.data[2, 2, 2] == TINY
    assert (scaled.data != 0).all()


@pytest.mark.parametrize("inside", [0, 1, 64])
def test_a_brain_without_contrast_is_refused(inside):
    brain = (np.arange(64) < inside).reshape(4, 4, 4)
    with pytest.raises(IntensityError, match="T2: expected contrast inside the brain"):
        normalise(volume(np.full((4, 4, 4), 7)), brain, "T2")


def test_a_bright_tumour_moves_the_scale_little():
    rng = np.random.default_rng(0)
    data = rng.normal(100, 10, (20, 20, 20))
    tumour = data.copy()
    tumour[:9, :9, :9] += 200  # 9 % of the brain
    scales = [normalise(volume(d), np.ones(d.shape, bool), "T1")[1] for d in (data, tumour)]
    assert abs(scales[1].median - scales[0].median) < 0.15 * scales[0].spread
    assert scales[1].spread == pytest.approx(scales[0].spread, rel=0.2)


# --- midline and atlas ---------------------------------------------------------------------------


def test_blocks_and_factors():
    grid = Grid((10, 10, 4), np.diag([1.0, 0.5, 6.0, 1.0]))
    assert shrink_factors(grid, 4.0) == (4, 8, 1)
    data = np.arange(8.0).reshape(2, 2, 2)
    np.testing.assert_array_equal(block_mean(data, (2, 2, 1)), [[[3.0, 4.0]]])
    np.testing.assert_array_equal(block_mean(np.ones((3, 1, 1)), (2, 1, 1)).ravel(), [1.0, 0.5])


@given(st.integers(0, 2**16), st.floats(-9.0, 9.0), st.floats(-0.3, 0.3), st.floats(-0.3, 0.3))
def test_mirror_images_are_read_as_scipy_reads_them(seed, offset, up, front):
    """Anisotropic voxels; places whose mirror image lies outside meet the nearest voxel."""
    rng = np.random.default_rng(seed)
    volume = rng.normal(size=(5, 7, 4)).astype(np.float32)
    spacing, centre = np.array([2.0, 1.0, 3.5]), np.array([4.0, 3.0, 5.0])
    points = rng.integers(0, volume.shape, size=(20, 3))
    found = _mirror_cost(volume, points, spacing, centre, 1.0)(np.array([offset, up, front]))
    normal = np.array([1.0, up, front]) / np.linalg.norm([1.0, up, front])
    places = points * spacing - centre
    mirrored = (places - 2 * (places @ normal - offset)[:, None] * normal + centre) / spacing
    there = ndi.map_coordinates(volume, mirrored.T, order=1, mode="nearest")
    wanted = np.minimum(np.abs(there - volume[tuple(points.T)]), 1.0).mean()
    assert found == pytest.approx(wanted, abs=1e-6)


@pytest.mark.parametrize(("turn_deg", "shift_mm"), [(0.0, 0.0), (6.0, 8.0), (-10.0, -6.0)])
def test_the_midplane_of_a_turned_brain_is_its_own(turn_deg, shift_mm):
    """The atlas' brain, turned about the vertical axis and moved to one side."""
    atlas = icbm152(4.0).brain
    turn = Rotation.from_euler("z", turn_deg, degrees=True).as_matrix()
    grid = Grid((56, 64, 50), np.array([[4.0, 0, 0, -110], [0, 4.0, 0, -140], [0, 0, 4.0, -80], [0, 0, 0, 1]]))
    places = (grid.to_world(np.argwhere(np.ones(grid.shape))) - (shift_mm, 0, 0)) @ turn
    index = np.round(atlas.grid.to_voxel(places)).astype(int)
    inside = ((index >= 0) & (index < atlas.grid.shape)).all(axis=1)
    brain = np.zeros(len(places), bool)
    brain[inside] = atlas.data[tuple(index[inside].T)] > 0
    brain = brain.reshape(grid.shape)
    found = find_midplane(brain.astype(np.float32), brain, grid)
    middle = np.array([[0.0, -60.0, 0.0], [0.0, 0.0, 0.0], [0.0, 40.0, 30.0]]) @ turn.T + (shift_mm, 0, 0)
    assert np.abs(found.distance_mm(grid.to_voxel(middle) * grid.spacing_mm)).max() < 3.0
    to_mni = align_to_mni(brain, grid, found)
    there = (grid.to_voxel(middle) * grid.spacing_mm) @ to_mni[:3, :3].T + to_mni[:3, 3]
    assert np.abs(there - [[0, -60, 0], [0, 0, 0], [0, 40, 30]]).max() < 6.0


def test_the_digital_patients_midplane_is_that_of_the_anatomy(coarse_patient, coarse_prepared):
    study, frame = coarse_prepared.study, coarse_prepared.study.frame
    x = coarse_patient.head.mni_mm[0]
    distance = frame.midplane.distance_map(study.grid)
    near = (np.abs(x) < 2.0) & study.brain
    assert np.median(np.abs(distance[near])) < 3.0
    away = (np.abs(x) > 12.0) & study.brain
    assert (np.sign(distance[away]) == np.sign(x[away])).mean() > 0.99
    deep = np.argwhere(study.brain & (np.abs(coarse_patient.head.mni_mm).max(axis=0) < 50.0))[::7]
    error = frame.mni_mm(study.grid, deep) - coarse_patient.head.mni_mm[:, *deep.T].T
    assert np.median(np.linalg.norm(error, axis=1)) < 10.0


# --- all of it -----------------------------------------------------------------------------------


def test_preparing_a_prepared_study_changes_no_bit(coarse_prepared):
    again = prepare("ses-01", coarse_prepared.study.volumes)
    np.testing.assert_array_equal(again.study.brain, coarse_prepared.study.brain)
    for name, one in coarse_prepared.study.volumes.items():
        np.testing.assert_array_equal(again.study.volumes[name].data.view(np.uint32), one.data.view(np.uint32))
    assert again.study.frame.midplane == coarse_prepared.study.frame.midplane
    assert again.notes == ("Already normalised, left as given: T1, T1C, T2, FLAIR.",)
    assert not any(scale["applied"] for scale in again.quality()["scales"].values())


@pytest.mark.parametrize("axcodes", ["LPS", "LAS", "SRP"])
def test_copies_in_any_order_are_prepared_to_the_same_bits(coarse_patient, coarse_prepared, axcodes):
    given_volumes = {n: v.reoriented(axcodes) for n, v in coarse_patient.studies[0].volumes.items()}
    found = prepare("ses-01", given_volumes)
    assert found.study.native_axcodes == axcodes
    assert found.study.grid.matches(coarse_prepared.study.grid)
    np.testing.assert_array_equal(found.study.brain, coarse_prepared.study.brain)
    for name, one in coarse_prepared.study.volumes.items():
        np.testing.assert_array_equal(found.study.volumes[name].data, one.data)
    assert found.study.frame.midplane == coarse_prepared.study.frame.midplane


def test_quality_is_plain_numbers(coarse_patient, coarse_prepared):
    quality = coarse_prepared.quality()
    assert quality["reference"] == "T1C"
    assert quality["spacing_mm"] == [4.0, 4.0, 4.0]
    brain_ml = coarse_patient.head.brain.sum() * 0.064
    assert quality["brain_ml"] == pytest.approx(brain_ml, rel=0.03)
    assert set(quality["scales"]) == {"T1", "T1C", "T2", "FLAIR"}
