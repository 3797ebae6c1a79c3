"""The unsupervised segmenter and its parts: same voxels, same bytes; missing sequences are unknown, not zero."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import ndimage as ndi

from tumorboard.errors import InputError
from tumorboard.metrics.maps.evaluate import evaluate
from tumorboard.prepare.prepare import prepare
from tumorboard.segment import SEGMENTERS
from tumorboard.segment.asymmetry import TOLERANCE_MM, asymmetry, smooth_inside
from tumorboard.segment.clustering import fuzzy_c_means, memberships
from tumorboard.segment.space import (
    close_mm,
    depth_in,
    distance_to,
    drop_small,
    enclosing_planes,
    open_mm,
    parts,
    touching,
)
from tumorboard.sequences import Sequence
from tumorboard.transform import Plane
from tumorboard.volume import Grid

T1, T1C, T2, FLAIR = Sequence.T1, Sequence.T1C, Sequence.T2, Sequence.FLAIR

SHAPES = hnp.array_shapes(min_dims=3, max_dims=3, max_side=7)
MASKS = SHAPES.flatmap(lambda shape: hnp.arrays(bool, shape))
SPACINGS = st.sampled_from([(1.0, 1.0, 1.0), (0.9, 0.9, 5.0), (3.0, 1.0, 0.5)])
RADII = st.sampled_from([0.5, 1.0, 2.0, 4.5])


@pytest.fixture(scope="module")
def segmented(coarse_prepared):
    return SEGMENTERS.make("fuzzy").segment(coarse_prepared.study)


# --- clustering ----------------------------------------------------------------------------------


def groups(seed, rows=400):
    rng = np.random.default_rng(seed)
    middles = rng.choice([[-2.0, 0.0], [0.5, 0.3], [4.0, 3.0]], size=rows)
    return middles + rng.normal(0, 0.3, (rows, 2))


@given(
    hnp.arrays(float, st.tuples(st.integers(2, 30), st.just(2)), elements=st.floats(-50, 50)),
    hnp.arrays(float, st.tuples(st.integers(1, 5), st.just(2)), elements=st.floats(-50, 50)),
)
def test_memberships_are_shares_of_one(features, centres):
    found = memberships(features, centres)
    assert found.shape == (len(features), len(centres))
    np.testing.assert_allclose(found.sum(axis=1), 1.0, rtol=1e-12)
    assert found.min() >= 0.0
    nearest = ((features[:, None] - centres[None]) ** 2).sum(axis=2).argmin(axis=1)
    assert (found.max(axis=1) <= found[np.arange(len(features)), nearest] + 1e-9).all()


def test_a_row_on_a_centre_belongs_to_it():
    found = memberships(np.array([[1.0, 1.0]]), np.array([[1.0, 1.0], [2.0, 2.0]]))
    assert found[0, 0] > 0.999


@given(st.integers(0, 50))
def test_the_order_of_voxels_does_not_matter(seed):
    features = groups(seed)
    shuffled = np.random.default_rng(seed + 1).permutation(features)
    np.testing.assert_allclose(fuzzy_c_means(shuffled, 3), fuzzy_c_means(features, 3), atol=1e-6)


@given(st.integers(0, 50), st.integers(1, 6))
def test_centres_come_in_order_inside_the_data_and_again_the_same(seed, clusters):
    features = groups(seed)
    centres = fuzzy_c_means(features, clusters)
    assert centres.shape == (clusters, 2)
    assert (np.diff(centres[:, 0]) >= 0).all()
    assert (centres >= features.min(axis=0)).all()
    assert (centres <= features.max(axis=0)).all()
    np.testing.assert_array_equal(centres, fuzzy_c_means(features.copy(), clusters))


def test_three_groups_are_found_where_they_are():
    centres = fuzzy_c_means(groups(0, 3000), 3)
    np.testing.assert_allclose(centres, [[-2.0, 0.0], [0.5, 0.3], [4.0, 3.0]], atol=0.15)


def test_equal_voxels_are_no_error():
    np.testing.assert_allclose(fuzzy_c_means(np.full((20, 2), 3.0), 3), np.full((3, 2), 3.0))


# --- neighbourhoods in millimetres ---------------------------------------------------------------


@given(MASKS, RADII, SPACINGS)
def test_closing_holds_the_mask_and_opening_lies_inside(mask, radius, spacing):
    closed, opened = close_mm(mask, radius, spacing), open_mm(mask, radius, spacing)
    assert closed.shape == opened.shape == mask.shape
    assert (closed | mask == closed).all()
    assert (opened & mask == opened).all()
    np.testing.assert_array_equal(close_mm(closed, radius, spacing), closed)


@given(MASKS, SPACINGS)
def test_closing_opening_and_filling_follow_a_flip(mask, spacing):
    flipped = mask[::-1, :, ::-1]
    for step in (lambda m: close_mm(m, 2.0, spacing), lambda m: open_mm(m, 1.0, spacing), enclosing_planes):
        np.testing.assert_array_equal(step(flipped)[::-1, :, ::-1], step(mask))


def test_a_gap_is_bridged_by_its_millimetres_and_not_by_its_voxels():
    mask = np.zeros((20, 5, 5), bool)
    mask[4], mask[9] = True, True  # four empty voxels between
    assert close_mm(mask, 3.0, (1.0, 1.0, 1.0))[4:10, 2, 2].all()
    np.testing.assert_array_equal(close_mm(mask, 3.0, (3.0, 1.0, 1.0)), mask)


def test_what_is_thin_goes_and_what_is_thick_stays():
    mask = np.zeros((30, 30, 30), bool)
    mask[5:16, 5:16, 5:16] = True
    mask[20:22, 5:16, 5:16] = True
    opened = open_mm(mask, 2.0, (1.0, 1.0, 1.0))
    assert not opened[20:22].any()
    assert opened[5:16, 7:14, 7:14].all()  # up to its faces; edges and corners are rounded
    assert not opened[5, 5, 5]


@given(MASKS, SPACINGS)
def test_distance_and_depth_are_brute_force(mask, spacing):
    points, places = np.argwhere(mask) * spacing, np.argwhere(np.ones(mask.shape)) * spacing
    padded = np.pad(mask, 1)
    outside = (np.argwhere(~padded) - 1) * spacing
    far = np.full(len(places), np.inf)
    if len(points):
        far = np.linalg.norm(places[:, None] - points[None], axis=2).min(axis=1)
    np.testing.assert_allclose(distance_to(mask, spacing).ravel(), far, rtol=1e-5)
    deep = np.linalg.norm(places[:, None] - outside[None], axis=2).min(axis=1)
    np.testing.assert_allclose(depth_in(mask, spacing).ravel(), np.where(mask.ravel(), deep, 0), rtol=1e-5)


@given(MASKS)
def test_parts_are_numbered_by_size_and_touch_at_corners(mask):
    labelled, n = parts(mask)
    sizes = np.bincount(labelled.ravel(), minlength=n + 1)[1:]
    assert (np.diff(sizes) <= 0).all()
    np.testing.assert_array_equal(labelled > 0, mask)
    assert n == ndi.label(mask, np.ones((3, 3, 3)))[1]
    assert set(np.unique(labelled)) <= set(range(n + 1))
    assert (sizes > 0).all()


@pytest.mark.parametrize("shape", [(1, 3, 3), (1, 9, 9), (3, 3, 3), (1, 1, 1)])
def test_isolated_voxels_of_a_thin_array_are_parts_of_their_own(shape):
    mask = np.zeros(shape, bool)
    mask[::2, ::2, ::2] = True
    labelled, n = parts(mask)
    assert labelled.shape == shape
    assert sorted(labelled[mask].tolist()) == list(range(1, n + 1))


def test_equal_parts_are_numbered_in_one_order_every_time():
    mask = np.zeros((9, 3, 3), bool)
    mask[0, 0, 0] = mask[4, 1, 1] = mask[8, 2, 2] = True
    mask[4, 1, 2] = True
    labelled, n = parts(mask)
    assert n == 3
    assert labelled[4, 1, 1] == 1
    assert (labelled[0, 0, 0], labelled[8, 2, 2]) == (2, 3)


@given(MASKS, st.integers(1, 6), SPACINGS)
def test_small_parts_go_by_their_millilitres(mask, voxels, spacing):
    least_ml = voxels * float(np.prod(spacing)) / 1000.0
    kept = drop_small(mask, least_ml * 0.999, spacing)
    labelled, n = parts(mask)
    for part in range(1, n + 1):
        whole = labelled == part
        assert kept[whole].all() == kept[whole].any() == (whole.sum() >= voxels)
    assert not (kept & ~mask).any()


@given(MASKS, st.integers(0, 99))
def test_touching_keeps_whole_parts_that_hold_a_seed(mask, seed):
    seeds = np.random.default_rng(seed).random(mask.shape) < 0.2
    kept = touching(mask, seeds)
    labelled, n = parts(mask)
    for part in range(1, n + 1):
        whole = labelled == part
        assert kept[whole].all() == kept[whole].any() == (whole & seeds).any()
    assert not (kept & ~mask).any()


def test_a_ring_in_a_slice_is_filled_and_an_open_one_is_not():
    ring = np.zeros((7, 7, 3), bool)
    ring[1:6, 1:6, 1] = True
    ring[3, 3, 1] = False
    assert enclosing_planes(ring)[3, 3, 1] == 1
    assert enclosing_planes(ring)[3, 1, 1] == 3
    ring[3, 4:6, 1] = False
    assert enclosing_planes(ring)[3, 3, 1] == 0


# --- asymmetry -----------------------------------------------------------------------------------


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (1.0, 1.0, 3.0)])
def test_what_has_a_twin_nearby_is_not_uneven(spacing):
    grid = Grid((21, 15, 9), np.diag([*spacing, 1.0]))
    middle, brain = Plane((1.0, 0.0, 0.0), 10.0), np.ones(grid.shape, bool)
    image = np.zeros(grid.shape, np.float32)
    image[17, 7, 4] = 5.0
    assert asymmetry(image, brain, grid, middle)[17, 7, 4] == 5.0
    image[3, 7 + int(TOLERANCE_MM), 4] = 4.0  # its twin, a little off
    assert asymmetry(image, brain, grid, middle)[17, 7, 4] == 1.0
    assert not asymmetry(image, ~brain, grid, middle).any()


@given(st.floats(0.5, 4.0), SPACINGS)
def test_smoothing_inside_a_mask_lets_nothing_in_from_outside(sigma, spacing):
    grid = Grid((12, 12, 12), np.diag([*spacing, 1.0]))
    mask = np.zeros(grid.shape, bool)
    mask[2:10, 2:10, 2:10] = True
    image = np.where(mask, 3.0, 1000.0).astype(np.float32)
    smooth = smooth_inside(image, mask, sigma, grid)
    assert smooth[mask].max() <= 3.0 + 1e-4
    np.testing.assert_allclose(smooth[5:7, 5:7, 5:7], 3.0, rtol=1e-4)
    assert not smooth[~mask].any()


# --- the method ----------------------------------------------------------------------------------


def test_the_digital_tumour_is_found(coarse_patient, segmented):
    found = evaluate(coarse_patient.studies[0].truth, segmented.labels)
    assert found.get("WT").dice > 0.85
    assert found.get("ET").dice > 0.8
    assert found.get("TC").dice > 0.7
    assert found.get("RC").present_in == "neither"
    assert segmented.validity.score == 1.0


def test_labels_lie_in_the_brain_and_memberships_between_0_and_1(coarse_prepared, segmented):
    assert not (segmented.labels.data[~coarse_prepared.study.brain] > 0).any()
    assert set(segmented.probabilities) == {"WT", "ET"}
    for one in segmented.probabilities.values():
        assert one.grid is coarse_prepared.study.grid
        assert one.data.dtype == np.float32
        assert one.data.min() >= 0.0
        assert one.data.max() <= 1.0
        assert not one.data[~coarse_prepared.study.brain].any()


def test_the_same_study_gives_the_same_bytes(coarse_prepared, segmented):
    again = SEGMENTERS.make("fuzzy").segment(coarse_prepared.study)
    np.testing.assert_array_equal(again.labels.data, segmented.labels.data)
    for name, one in segmented.probabilities.items():
        np.testing.assert_array_equal(again.probabilities[name].data.view(np.uint32), one.data.view(np.uint32))


@pytest.mark.parametrize("axcodes", ["RAS", "LPS", "LAS"])
def test_copies_in_any_order_are_segmented_to_the_same_bits(coarse_patient, segmented, axcodes):
    copies = {n: v.reoriented(axcodes) for n, v in coarse_patient.studies[0].volumes.items()}
    found = SEGMENTERS.make("fuzzy").segment(prepare("ses-01", copies).study)
    np.testing.assert_array_equal(found.labels.canonical().data, segmented.labels.canonical().data)
    assert found.labels.canonical().grid.matches(segmented.labels.canonical().grid)


def only(prepared, *sequences):
    return replace(prepared.study, volumes={s: prepared.study.volumes[s] for s in sequences})


def test_without_t1c_enhancing_tumour_is_unknown_and_not_zero(coarse_prepared):
    found = SEGMENTERS.make("fuzzy").segment(only(coarse_prepared, T1, T2, FLAIR))
    assert set(found.not_assessable) >= {"ET", "NETC", "TC"}
    assert not (found.labels.data == 3).any()
    assert "ET" not in found.probabilities
    assert found.labels.region("WT").any()


@pytest.mark.parametrize("given_sequences", [(T1,), (T1C,), (T1, T1C)])
def test_without_flair_and_t2_nothing_is_guessed(coarse_prepared, given_sequences):
    found = SEGMENTERS.make("fuzzy").segment(only(coarse_prepared, *given_sequences))
    assert not found.labels.data.any()
    assert set(found.not_assessable) == {"ET", "NETC", "SNFH", "RC", "TC", "WT"}
    assert found.validity.score == 0.0
    assert found.validity.reasons == ("neither FLAIR nor T2 was given",)


def test_t2_in_place_of_flair_lowers_the_validity_and_says_why(coarse_prepared):
    found = SEGMENTERS.make("fuzzy").segment(only(coarse_prepared, T1, T1C, T2))
    assert found.validity.score < 1.0
    assert any("FLAIR was not given" in reason for reason in found.validity.reasons)


def test_a_head_without_contrast_of_a_tumour_stays_empty(coarse_prepared):
    """Noise that is even on both sides holds no lesion."""
    rng = np.random.default_rng(0)
    brain = coarse_prepared.study.brain
    noise = {
        s: v.with_data(np.where(brain, rng.normal(0, 1, brain.shape), 0).astype(np.float32))
        for s, v in coarse_prepared.study.volumes.items()
    }
    found = SEGMENTERS.make("fuzzy").segment(replace(coarse_prepared.study, volumes=noise))
    assert not found.labels.data.any()
    assert found.validity.score < 1.0
    assert found.validity.reasons


def test_a_study_that_was_not_prepared_is_refused(coarse_prepared):
    with pytest.raises(InputError, match="prepare it first"):
        SEGMENTERS.make("fuzzy").segment(replace(coarse_prepared.study, frame=None))


def test_an_unknown_segmenter_is_refused_with_those_there_are():
    with pytest.raises(InputError, match=r"one of the segmenters .*fuzzy.*; got 'swin'"):
        SEGMENTERS.make("swin")
