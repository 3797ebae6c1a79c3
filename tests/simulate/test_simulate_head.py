"""Whole heads and their acquisition: the tumour is kept, motion is exact, slices are means, seeds repeat."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage as ndi

from tumorboard.labels import LabelMap
from tumorboard.sequences import USED, Sequence
from tumorboard.simulate import native
from tumorboard.simulate.body.shell import LAYERS_MM, TISSUES, draw_shell
from tumorboard.simulate.native import acquire, centre_of, draw_motion, native_patient, posed
from tumorboard.simulate.patient import digital_patient
from tumorboard.simulate.scanner.acquisition import BELOW_MM, PROTOCOLS, Acquisition, grid_of
from tumorboard.simulate.scanner.head import Head, shell_values, whole_head
from tumorboard.volume import Grid, Volume

SPACING_MM = 6.0


@pytest.fixture(scope="module")
def brains():
    return digital_patient(seed=7, spacing_mm=SPACING_MM)


@pytest.fixture(scope="module")
def whole(brains):
    study = brains.studies[2]
    return study, whole_head(study.volumes, brains.head.brain, study.truth)


@pytest.fixture(scope="module")
def imaged():
    return native_patient(seed=7, spacing_mm=SPACING_MM, studies=1)


@pytest.fixture
def ideal(monkeypatch):
    """Let the scanner add no noise, no receive field and no scale."""
    monkeypatch.setattr(native, "NOISE", 0.0)
    monkeypatch.setattr(native, "BIAS", 0.0)
    monkeypatch.setattr(native, "GAIN", (1.0, 1.0))


def block(spacing_mm=2.0, n=60):
    """Return an empty head: a cube of air whose brain is its middle."""
    grid = Grid((n, n, n), np.diag([spacing_mm, spacing_mm, spacing_mm, 1.0]))
    brain = np.zeros(grid.shape, dtype=bool)
    brain[n // 4 : -n // 4, n // 4 : -n // 4, n // 4 : -n // 4] = True
    return grid, brain


def head_of(values, grid, brain):
    volumes = {Sequence.T1: Volume(values.astype(np.float32), grid)}
    return Head(volumes, Volume(brain, grid), LabelMap(np.zeros(grid.shape, np.uint8), grid))


# the head


@pytest.mark.parametrize("region", ["WT", "TC", "ET"])
def test_the_tumour_keeps_its_volume(whole, region):
    study, head = whole
    assert head.truth.volume_ml(region) == study.truth.volume_ml(region) > 0


def test_every_labelled_voxel_stays_where_it_was(whole):
    study, head = whole
    before = study.truth.grid.to_world(np.argwhere(study.truth.data))
    after = head.truth.grid.to_world(np.argwhere(head.truth.data))
    np.testing.assert_allclose(after, before, atol=1e-6)


def test_native_truth_is_that_of_the_digital_patient(brains, imaged):
    for region in ("WT", "TC", "ET"):
        found, wanted = imaged.studies[0].truth.volume_ml(region), brains.studies[0].truth.volume_ml(region)
        assert found == pytest.approx(wanted, rel=1e-9)
    assert imaged.studies[0].date == brains.studies[0].date
    assert imaged.events == brains.events


@pytest.mark.parametrize("spacing_mm", [1.0, 3.0])
def test_the_inside_of_the_brain_is_not_touched(spacing_mm):
    grid, brain = block(spacing_mm, n=40)
    marked = {s: Volume(np.full(grid.shape, 500.0 + n, np.float32), grid) for n, s in enumerate(USED)}
    head = whole_head(marked, brain, LabelMap(np.zeros(grid.shape, np.uint8), grid))
    deep = ndi.binary_erosion(head.brain.data, iterations=6)
    assert head.brain.data.sum() == brain.sum()
    for n, sequence in enumerate(USED):
        np.testing.assert_allclose(head.volumes[sequence].data[deep], 500.0 + n, rtol=1e-5)


def test_a_head_has_every_tissue_and_ends_in_air(whole):
    _, head = whole
    shell = draw_shell(head.brain.data, head.brain.grid)
    assert {"air", "fluid", "bone", "marrow", "muscle", "fat", "skin"} <= {TISSUES[n] for n in np.unique(shell)}
    for face in (shell[[0, -1]], shell[:, [0, -1]], shell[:, :, -1]):  # the neck goes on below
        assert not face.any()
    assert (shell[head.brain.data] == TISSUES.index("fluid")).all()


def test_layers_lie_in_order_and_every_tissue_has_an_intensity():
    outer = [edge for _, edge in LAYERS_MM]
    assert outer == sorted(outer)
    assert all(list(shell_values(sequence)) == list(TISSUES) for sequence in USED)


# motion


@settings(max_examples=50, deadline=None)
@given(
    st.integers(0, 2**32 - 1), st.floats(0, 20), st.floats(0, 30), st.lists(st.floats(-99, 99), min_size=3, max_size=3)
)
def test_motion_is_rigid_and_within_its_bounds(seed, shift_mm, turn_deg, centre):
    motion = draw_motion(np.random.default_rng(seed), shift_mm, turn_deg, np.array(centre))
    np.testing.assert_allclose(motion[:3, :3] @ motion[:3, :3].T, np.eye(3), atol=1e-12)
    moved = motion @ [*centre, 1.0] - [*centre, 1.0]
    assert np.abs(moved).max() <= shift_mm + 1e-9
    angle = np.degrees(np.arccos(np.clip((np.trace(motion[:3, :3]) - 1) / 2, -1, 1)))
    assert angle <= turn_deg * 3 + 1e-6


@pytest.mark.parametrize("plane", ["axial", "coronal", "sagittal"])
def test_a_landmark_is_seen_where_its_motion_says(ideal, plane):
    grid, brain = block()
    marks = np.array([[50.0, 50.0, 44.0], [70.0, 52.0, 50.0], [48.0, 74.0, 62.0]])
    places = np.moveaxis(np.indices(grid.shape), 0, -1) * grid.spacing_mm
    near = np.stack([np.exp(-(((places - mark) / 5.0) ** 2).sum(axis=-1) / 2) for mark in marks])
    motion = draw_motion(np.random.default_rng(4), 6.0, 8.0, np.full(3, 59.0))
    for values, mark in zip(near, marks, strict=True):
        how = Acquisition(plane, 1.5, 3.0, 0.0, (120.0, 120.0, 120.0), 9.0)
        image = acquire(head_of(values * 9000, grid, brain), Sequence.T1, how, motion, np.random.default_rng(0))
        weights = image.volume.data.astype(float).ravel()
        seen = weights @ image.volume.grid.to_world(np.argwhere(np.ones(image.volume.data.shape))) / weights.sum()
        np.testing.assert_allclose(seen, (motion @ [*mark, 1.0])[:3], atol=0.05)
        np.testing.assert_array_equal(image.motion, motion)


def test_only_the_t1c_has_not_moved(imaged):
    images = imaged.studies[0].images
    assert {s for s in images if np.array_equal(images[s].motion, np.eye(4))} == {Sequence.T1C}


def test_a_posed_head_keeps_its_voxels_and_moves_its_places(whole):
    _, head = whole
    pose = draw_motion(np.random.default_rng(3), 8.0, 6.0, np.zeros(3))
    lying = posed(head, pose)
    np.testing.assert_allclose(centre_of(lying), (pose @ [*centre_of(head), 1.0])[:3], atol=1e-9)
    assert lying.truth.volume_ml("WT") == pytest.approx(head.truth.volume_ml("WT"), rel=1e-9)
    assert all(volume.grid.matches(lying.brain.grid) for volume in lying.volumes.values())


# slices


@pytest.mark.parametrize("thickness_mm", [2.0, 4.0, 6.0])
def test_a_slice_is_the_mean_over_its_thickness(ideal, thickness_mm):
    """A plate of one voxel, sampled by slices without gaps: what is in it is kept, and spread over a slice."""
    grid, brain = block()
    values = np.zeros(grid.shape)
    values[:, :, 27] = 6000.0
    how = Acquisition("axial", 4.0, thickness_mm, 0.0, (40.0, 40.0, 96.0))
    image = acquire(head_of(values, grid, brain), Sequence.T1, how, np.eye(4), np.random.default_rng(0))
    through = image.volume.data[5, 5].astype(float)
    assert through.sum() * thickness_mm == pytest.approx(6000 * grid.spacing_mm[2], rel=0.01)
    if thickness_mm > grid.spacing_mm[2]:
        assert through.max() <= 6000 * grid.spacing_mm[2] / thickness_mm * 1.01


def test_what_lies_in_a_gap_is_not_seen(ideal):
    grid, brain = block(spacing_mm=1.0, n=60)
    how = Acquisition("axial", 4.0, 2.0, 8.0, (20.0, 20.0, 40.0))
    planes_mm = grid_of(how, centre_of(head_of(np.zeros(grid.shape), grid, brain))).affine[2, 3] + 10.0 * np.arange(4)
    values = np.zeros(grid.shape)
    values[:, :, round(planes_mm[1]) + 4] = 6000.0
    image = acquire(head_of(values, grid, brain), Sequence.T1, how, np.eye(4), np.random.default_rng(0))
    assert not image.volume.data.any()


@pytest.mark.parametrize("protocol", sorted(PROTOCOLS))
@pytest.mark.parametrize("sequence", USED, ids=str)
def test_a_grid_is_that_of_its_acquisition(protocol, sequence):
    how = PROTOCOLS[protocol][sequence]
    grid = grid_of(how, np.zeros(3))
    assert grid.spacing_mm == pytest.approx((how.in_plane_mm, how.in_plane_mm, how.thickness_mm + how.gap_mm))
    assert grid.axcodes[2] in {"axial": "SI", "coronal": "AP", "sagittal": "LR"}[how.plane]
    np.testing.assert_allclose(grid.corners_mm().mean(axis=0), (0, 0, -BELOW_MM), atol=1e-9)
    extent = np.array(grid.shape) * grid.spacing_mm
    assert np.abs(extent - how.field_mm).max() <= max(grid.spacing_mm)


# the patient


def test_one_seed_gives_one_patient(imaged):
    again = native_patient(seed=7, spacing_mm=SPACING_MM, studies=1)
    for sequence, image in imaged.studies[0].images.items():
        np.testing.assert_array_equal(again.studies[0].images[sequence].volume.data, image.volume.data)
        np.testing.assert_array_equal(again.studies[0].images[sequence].motion, image.motion)


def test_the_truth_lies_in_the_world_of_the_t1c(imaged):
    study = imaged.studies[0]
    t1c = study.images[Sequence.T1C].volume
    places = np.argwhere(study.truth.data == 3)  # enhancing tissue
    ijk = np.round(t1c.grid.to_voxel(study.truth.grid.to_world(places))).astype(int)
    tumour = t1c.data[tuple(ijk.T)]
    brain = np.round(t1c.grid.to_voxel(study.brain.grid.to_world(np.argwhere(study.brain.data)))).astype(int)
    brain = brain[(brain >= 0).all(axis=1) & (brain < t1c.data.shape).all(axis=1)]
    assert np.median(tumour) > 1.2 * np.median(t1c.data[tuple(brain.T)])
