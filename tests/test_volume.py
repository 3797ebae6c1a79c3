"""Geometry: what two grids are to each other, in words and millimetres, and reordering that moves nothing."""

from __future__ import annotations

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from tumorboard.errors import GeometryError
from tumorboard.labels import REGIONS, LabelMap
from tumorboard.volume import Grid, Volume, check_affine

AXCODES = st.sampled_from(["RAS", "LPS", "LAS", "LPI", "SRA", "AIL", "PSR", "IRP"])
SMALL = (4, 5, 6)


def turned(degrees, axis="z"):
    affine = np.eye(4)
    affine[:3, :3] = Rotation.from_euler(axis, degrees, degrees=True).as_matrix()
    return affine


# --- affines that are refused -------------------------------------------------------------------

SHEARED = np.eye(4)
SHEARED[0, 2] = 0.2
NAN = np.eye(4)
NAN[1, 3] = np.nan
PERSPECTIVE = np.eye(4)
PERSPECTIVE[3, 0] = 0.5


@pytest.mark.parametrize(
    ("affine", "words"),
    [
        (np.eye(3), "finite 4 x 4 affine"),
        (NAN, "finite 4 x 4 affine"),
        (np.diag([np.inf, 1, 1, 1]), "finite 4 x 4 affine"),
        (np.zeros((4, 4)), "voxel sizes above zero"),
        (np.diag([1.0, 0.0, 1.0, 1.0]), r"voxel sizes \[1\.0, 0\.0, 1\.0\] mm"),
        (PERSPECTIVE, "voxel sizes above zero"),
        (SHEARED, r"right angles; got axes that are 11\.31 degrees off"),
        (np.ones((4, 4)), "T1C: expected"),
    ],
)
def test_affines_that_cannot_be_used_are_refused(affine, words):
    with pytest.raises(GeometryError, match=words):
        check_affine(affine, "T1C")


def test_two_axes_on_one_line_are_refused():
    """Not invertible: the second axis runs along the first."""
    affine = np.eye(4)
    affine[:3, 1] = affine[:3, 0]
    with pytest.raises(GeometryError, match="right angles"):
        check_affine(affine)


def test_the_shear_that_rounding_makes_is_let_through():
    affine = turned((17.0, -8.0, 23.0), "xyz").round(3)
    assert np.abs(affine[:3, 0] @ affine[:3, 1]) > 1e-5
    np.testing.assert_array_equal(check_affine(affine), affine)


def test_a_grid_keeps_its_own_affine():
    affine = np.eye(4)
    grid = Grid(SMALL, affine)
    affine[0, 3] = 99.0
    assert grid.affine[0, 3] == 0.0
    with pytest.raises(ValueError, match="read-only"):
        grid.affine[0, 3] = 1.0


@pytest.mark.parametrize("shape", [(4, 4), (4, 4, 0), (4, 4, 4, 4)])
def test_a_shape_that_is_no_volume_is_refused(shape):
    with pytest.raises(GeometryError, match="three axes of at least one voxel"):
        Grid(shape, np.eye(4))


# --- places -------------------------------------------------------------------------------------


@given(st.from_type(Grid))
def test_world_and_voxel_are_each_others_inverse(grid):
    ijk = np.argwhere(np.ones(grid.shape))
    np.testing.assert_allclose(grid.to_voxel(grid.to_world(ijk)), ijk, atol=1e-9)


@given(st.from_type(Grid))
def test_axcodes_are_those_of_nibabel(grid):
    assert grid.axcodes == "".join(nib.aff2axcodes(grid.affine))


@given(st.from_type(Grid))
def test_spacing_and_volume_come_from_the_affine(grid):
    np.testing.assert_allclose(grid.spacing_mm, nib.affines.voxel_sizes(grid.affine), atol=1e-6)
    assert grid.voxel_volume_ml == pytest.approx(abs(np.linalg.det(grid.affine)) / 1000, rel=1e-5)


@given(st.from_type(Volume), AXCODES)
def test_reordering_keeps_every_voxel_where_it_is(volume, axcodes):
    moved = volume.reoriented(axcodes)
    assert moved.grid.axcodes == axcodes
    ijk = np.argwhere(np.ones(volume.grid.shape))
    there = moved.grid.to_voxel(volume.grid.to_world(ijk))
    index = np.round(there).astype(int)
    np.testing.assert_allclose(there, index, atol=1e-6)
    np.testing.assert_array_equal(moved.data[tuple(index.T)], volume.data[tuple(ijk.T)])


@given(st.from_type(Volume), AXCODES)
def test_reordering_back_gives_the_same_bits_and_place(volume, axcodes):
    back = volume.reoriented(axcodes).reoriented(volume.grid.axcodes)
    np.testing.assert_array_equal(back.data, volume.data)
    assert back.data.dtype == volume.data.dtype
    assert back.grid.matches(volume.grid)


@given(st.from_type(Volume), AXCODES)
def test_copies_in_any_order_are_one_image_once_canonical(volume, axcodes):
    one, two = volume.canonical(), volume.reoriented(axcodes).canonical()
    np.testing.assert_array_equal(one.data, two.data)
    assert one.grid.matches(two.grid)


@pytest.mark.parametrize("axis", ["x", "y", "z"])
@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (0.9375, 0.9375, 5.5), (3.0, 1.2, 0.5)])
@pytest.mark.parametrize("degrees", [45, -45, 135])
@pytest.mark.parametrize("axcodes", ["LPS", "ARS", "SAR", "PIR", "IRP"])
def test_a_volume_turned_by_45_degrees_has_one_canonical_order(axis, spacing, degrees, axcodes):
    """Two axes are equally near; copies in any order must still agree."""
    for decimals in (4, 16):
        affine = turned(degrees, axis).round(decimals) @ np.diag([*spacing, 1.0])
        volume = Volume.of(np.arange(24).reshape(2, 3, 4), affine)
        copy = volume.reoriented(axcodes)
        assert copy.grid.axcodes == axcodes
        assert copy.canonical().grid.matches(volume.canonical().grid)
        np.testing.assert_array_equal(copy.canonical().data, volume.canonical().data)


@given(st.from_type(Volume), AXCODES)
def test_reordering_is_nibabels(volume, axcodes):
    image = nib.Nifti1Image(volume.data, volume.affine)
    wanted = nib.orientations.axcodes2ornt(tuple(axcodes))
    theirs = image.as_reoriented(nib.orientations.ornt_transform(nib.io_orientation(volume.affine), wanted))
    ours = volume.reoriented(axcodes)
    np.testing.assert_array_equal(ours.data, np.asanyarray(theirs.dataobj))
    np.testing.assert_allclose(ours.affine, theirs.affine, atol=1e-4)


@pytest.mark.parametrize("axcodes", ["", "RA", "RAA", "RLS", "ras", "RASS", "XYZ"])
def test_axis_codes_that_are_none_are_refused(axcodes):
    with pytest.raises(GeometryError, match="three axis codes"):
        Volume.of(np.zeros(SMALL), np.eye(4)).reoriented(axcodes)


@given(st.from_type(LabelMap), AXCODES)
def test_volumes_in_ml_do_not_depend_on_the_order_of_axes(labelled, axcodes):
    moved = labelled.reoriented(axcodes)
    assert isinstance(moved, LabelMap)
    for region in REGIONS:
        assert moved.volume_ml(region) == pytest.approx(labelled.volume_ml(region), rel=1e-12)


@given(st.from_type(LabelMap))
def test_a_flip_keeps_volumes_to_the_last_bit(labelled):
    flipped = labelled.reoriented(labelled.grid.axcodes.translate(str.maketrans("RLAPSI", "LRPAIS")))
    assert [flipped.volume_ml(r) for r in REGIONS] == [labelled.volume_ml(r) for r in REGIONS]


# --- how two grids differ, in words ---------------------------------------------------------------


def told(affine, shape=SMALL, reference=None):
    first = Grid(SMALL, np.diag([1.0, 1.0, 2.0, 1.0]) if reference is None else reference)
    return first.explain_mismatch(Grid(shape, affine), ("T1C", "FLAIR"))


def test_axis_order_is_named():
    sentence = told(np.diag([-1.0, -1.0, 2.0, 1.0]))
    assert sentence.startswith("FLAIR is stored as LPS, T1C as RAS")


def test_another_shape_is_told_in_voxels_and_millimetres():
    sentence = told(np.diag([1.0, 1.0, 2.0, 1.0]), (4, 5, 9))
    assert "third (k) axis: 9 against 6 voxels, +6.000 mm in extent" in sentence


def test_another_voxel_size_is_told_along_its_axis():
    assert "second (j) axis: 1.2500 against 1.0000 mm" in told(np.diag([1.0, 1.25, 2.0, 1.0]))


def test_a_shift_is_told_in_millimetres_along_the_patients_axes():
    affine = np.diag([1.0, 1.0, 2.0, 1.0])
    affine[:3, 3] = (3.0, 0.0, -4.0)
    assert "FLAIR lies 5.000 mm from T1C (3.000 mm R-L, 0.000 mm A-P, 4.000 mm S-I)" in told(affine)


def test_a_turn_is_told_by_its_worst_corner():
    sentence = told(turned(10.0), reference=np.eye(4))
    corner = 2 * np.sin(np.radians(5.0)) * np.hypot(3, 4)
    assert f"FLAIR lies {corner:.3f} mm from T1C" in sentence
    assert "worst corner" in sentence


@given(st.from_type(Grid), st.from_type(Grid))
def test_every_mismatch_has_a_sentence_with_the_call_that_helps(one, two):
    sentence = one.explain_mismatch(two, ("T1C", "FLAIR"))
    assert (sentence == "") == one.matches(two)
    assert not sentence or sentence.endswith("; resample with `resample(FLAIR, T1C.grid)`")
    assert one.explain_mismatch(one) == ""
    assert one.matches(two) == two.matches(one)


@pytest.mark.parametrize(("shift_mm", "equal"), [(0.0099, True), (0.0101, False)])
def test_a_hundredth_of_a_millimetre_decides(shift_mm, equal):
    affine = np.eye(4)
    affine[1, 3] = shift_mm
    assert Grid(SMALL, np.eye(4)).matches(Grid(SMALL, affine)) is equal


def test_the_far_end_decides_and_not_the_first_voxel():
    """A voxel size 0.0001 mm off adds up over 240 voxels to more than a hundredth."""
    long = (240, 2, 2)
    assert not Grid(long, np.eye(4)).matches(Grid(long, np.diag([1.0001, 1.0, 1.0, 1.0])))
    assert Grid(SMALL, np.eye(4)).matches(Grid(SMALL, np.diag([1.0001, 1.0, 1.0, 1.0])))


# --- arrays -------------------------------------------------------------------------------------


def test_trailing_axes_of_one_are_dropped_and_series_are_refused():
    assert Volume.of(np.zeros((*SMALL, 1, 1)), np.eye(4)).data.shape == SMALL
    with pytest.raises(GeometryError, match="split a 4-D series"):
        Volume.of(np.zeros((*SMALL, 2)), np.eye(4))
    with pytest.raises(GeometryError, match="3-D volume"):
        Volume.of(np.zeros((4, 5)), np.eye(4))


def test_an_array_that_does_not_fit_its_grid_is_refused():
    with pytest.raises(GeometryError, match=r"shape \(4, 5, 6\)"):
        Volume(np.zeros((4, 5, 7)), Grid(SMALL, np.eye(4)))
    with pytest.raises(GeometryError, match="an array of shape"):
        Volume.of(np.zeros(SMALL), np.eye(4)).with_data(np.zeros((6, 5, 4)))
