"""Planes, maps and resampling: worked out by hand, and against SimpleITK."""

from __future__ import annotations

import json

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from tumorboard.io.images import to_itk
from tumorboard.transform import Frame, Plane, resample, warp_to_grid
from tumorboard.volume import Grid, Volume

TILTS = st.floats(-0.4, 0.4)


def plane(tilt_y, tilt_z, offset):
    raw = np.array([1.0, tilt_y, tilt_z])
    a, b, c = (float(v) for v in raw / np.linalg.norm(raw))
    return Plane((a, b, c), offset)


def oblique(shape=(8, 9, 10), seed=0):
    affine = np.eye(4)
    affine[:3, :3] = Rotation.from_euler("xyz", (7, -11, 20), degrees=True).as_matrix() * (1.0, 1.3, 2.2)
    affine[:3, 3] = (-40.0, 12.0, 33.0)
    return Volume.of(np.random.default_rng(seed).random(shape).astype(np.float32) + 1, affine)


# --- planes -------------------------------------------------------------------------------------


@given(TILTS, TILTS, st.floats(-50, 50))
def test_mirroring_twice_is_nothing_and_once_changes_the_side(tilt_y, tilt_z, offset):
    mid = plane(tilt_y, tilt_z, offset)
    points = np.array([[0.0, 0.0, 0.0], [10.0, -3.0, 7.0], [-80.0, 5.0, 60.0]])
    matrix = mid.mirror_matrix()
    mirrored = points @ matrix[:3, :3].T + matrix[:3, 3]
    np.testing.assert_allclose(matrix @ matrix, np.eye(4), atol=1e-10)
    np.testing.assert_allclose(mid.distance_mm(mirrored), -mid.distance_mm(points), atol=1e-9)
    along = mirrored - points
    np.testing.assert_allclose(np.cross(along, mid.normal), 0, atol=1e-9)


@given(TILTS, TILTS, st.floats(-20, 20))
def test_the_map_of_distances_is_the_distance_at_each_voxel(tilt_y, tilt_z, offset):
    mid, grid = plane(tilt_y, tilt_z, offset), Grid((3, 4, 5), np.diag([1.0, 2.0, 5.0, 1.0]))
    points = np.argwhere(np.ones(grid.shape)) * grid.spacing_mm
    np.testing.assert_allclose(mid.distance_map(grid).ravel(), mid.distance_mm(points), atol=1e-4)


def test_the_grid_frame_does_not_feel_a_rotated_header():
    straight = Grid((3, 4, 5), np.diag([1.0, 2.0, 5.0, 1.0]))
    rotation = np.eye(4)
    rotation[:3, :3] = Rotation.from_euler("z", 12, degrees=True).as_matrix()
    turned = Grid((3, 4, 5), rotation @ straight.affine)
    np.testing.assert_array_equal(plane(0.1, 0.2, 3).distance_map(straight), plane(0.1, 0.2, 3).distance_map(turned))


def test_a_frame_survives_json():
    frame = Frame(plane(0.1, -0.05, 90.0), np.diag([1.1, 0.9, 1.0, 1.0]))
    back = Frame.from_json(json.loads(json.dumps(frame.as_json())))
    assert back.midplane == frame.midplane
    np.testing.assert_array_equal(back.to_mni, frame.to_mni)
    grid = Grid((3, 3, 3), np.diag([2.0, 1.0, 5.0, 1.0]))
    np.testing.assert_allclose(frame.mni_mm(grid, [2, 1, 1]), [[4.4, 0.9, 5.0]])


# --- resampling ---------------------------------------------------------------------------------


@given(st.from_type(Volume), st.sampled_from(["RAS", "LPS", "SAR", "PIR"]), st.sampled_from(["linear", "nearest"]))
def test_onto_the_same_places_in_another_order_is_reordering(volume, axcodes, interpolation):
    wanted = volume.reoriented(axcodes)
    moved = resample(volume, wanted.grid, interpolation)
    np.testing.assert_allclose(moved.data, wanted.data, rtol=1e-5, atol=1e-3)
    assert moved.grid is wanted.grid
    assert moved.data.dtype == (np.float32 if interpolation == "linear" else volume.data.dtype)


@pytest.mark.parametrize("interpolation", ["linear", "nearest"])
def test_a_header_rounded_to_float32_loses_no_slice(interpolation):
    """The last slice lies a millionth of a voxel outside; it must not become 0."""
    volume = oblique()
    rounded = Grid(volume.grid.shape, volume.affine.astype(np.float32))
    np.testing.assert_allclose(resample(volume, rounded, interpolation).data, volume.data, atol=1e-3)


def test_nearest_invents_no_value():
    labels = oblique().with_data(np.random.default_rng(1).choice([0, 1, 4], (8, 9, 10)).astype(np.uint8))
    other = oblique((11, 9, 8)).grid
    shifted = Grid(
        other.shape, other.affine + np.array([[0, 0, 0, 0.4], [0, 0, 0, -0.7], [0, 0, 0, 1.1], [0, 0, 0, 0]])
    )
    moved = resample(labels, shifted, "nearest")
    assert set(np.unique(moved.data)) <= {0, 1, 4}
    assert moved.data.dtype == np.uint8


def test_a_linear_ramp_stays_a_ramp():
    """Linear interpolation is exact on a linear function of place."""
    grid = oblique((14, 13, 12)).grid
    ramp = Volume((grid.to_world(np.argwhere(np.ones(grid.shape))) @ (0.5, -1.0, 2.0) + 7).reshape(grid.shape), grid)
    inside = np.diag([0.6, 0.6, 0.6, 1.0])
    inside[:3, 3] = grid.to_world([[5, 4, 4]])[0]
    wanted = Grid((6, 5, 4), inside)
    expected = wanted.to_world(np.argwhere(np.ones(wanted.shape))) @ (0.5, -1.0, 2.0) + 7
    np.testing.assert_allclose(resample(ramp, wanted).data.ravel(), expected, atol=1e-3)


@pytest.mark.parametrize(
    ("interpolation", "code"), [("linear", sitk.sitkLinear), ("nearest", sitk.sitkNearestNeighbor)]
)
def test_simpleitk_agrees_inside(interpolation, code):
    volume = oblique((14, 13, 12))
    affine = np.diag([1.21, 1.13, 1.37, 1.0])
    affine[:3, 3] = volume.grid.to_world([[3.1, 3.2, 3.3]])[0]
    target = Volume.of(np.zeros((5, 5, 5), np.float32), affine)
    inside = target.grid.to_world(np.argwhere(np.ones((5, 5, 5))))
    index = volume.grid.to_voxel(inside)
    sure = ((index > 0.01) & (index < np.array(volume.grid.shape) - 1.01)).all(axis=1)
    if interpolation == "nearest":
        sure &= (np.abs(index - np.floor(index) - 0.5) > 0.01).all(axis=1)
    theirs = sitk.GetArrayFromImage(sitk.Resample(to_itk(volume), to_itk(target), sitk.Transform(), code, 0.0))
    ours = resample(volume, target.grid, interpolation).data
    assert sure.sum() > 40
    np.testing.assert_allclose(ours.ravel()[sure], theirs.transpose(2, 1, 0).ravel()[sure], atol=1e-4)


def test_far_outside_is_zero():
    volume = oblique()
    far = volume.affine.copy()
    far[:3, 3] += 500
    assert not resample(volume, Grid(volume.grid.shape, far)).data.any()


def test_a_mirror_moves_a_voxel_to_the_other_side():
    image = np.zeros((9, 5, 5), np.float32)
    image[7, 2, 1] = 1
    grid = Grid((9, 5, 5), np.diag([2.0, 1.0, 3.0, 1.0]))
    mirrored = warp_to_grid(image, grid.spacing_mm, Plane((1.0, 0.0, 0.0), 8.0).mirror_matrix(), grid)
    assert np.argwhere(mirrored > 0.5).tolist() == [[1, 2, 1]]
    assert mirrored.dtype == np.float32
