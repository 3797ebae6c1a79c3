"""Grids, interpolation, re-segmentation and grey levels against plain formulas, NumPy and SciPy."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from tumorboard.errors import InputError
from tumorboard.radiomics.scheme import discretise as d
from tumorboard.radiomics.scheme.interpolate import aligned_grid, interpolated, mask_interpolated
from tumorboard.radiomics.scheme.resegment import resegmented
from tumorboard.radiomics.settings import Discretisation

SPACINGS = st.sampled_from([0.45, 0.9375, 0.977, 1.0, 1.2, 2.0, 3.0, 5.5]) | st.floats(0.3, 7.0)
ORDERS = {"nearest": 0, "linear": 1, "cubic": 3}
ALL = slice(None)


def noise(*shape, seed=0):
    return np.random.default_rng(seed).normal(100.0, 300.0, shape)


def row(*values):
    return np.array(values, dtype=np.float64)[None, None, :]


@st.composite
def grids(draw):
    shape = tuple(draw(st.integers(1, 7)) for _ in range(3))
    old, new = ([draw(SPACINGS) for _ in range(3)] for _ in range(2))
    return shape, *aligned_grid(shape, old, new), [b / a for a, b in zip(old, new, strict=True)]


# ---- the new grid --------------------------------------------------------------------------------------


@given(st.integers(1, 400), SPACINGS, SPACINGS)
def test_grids_share_their_centre_and_the_new_one_covers_the_old(n, old, new):
    (size, _, _), (start, _, _) = aligned_grid((n, 1, 1), (old, 1, 1), (new, 1, 1))
    step = 1.0 if size == n and start == 0.0 else new / old
    assert start + 0.5 * (size - 1) * step == pytest.approx(0.5 * (n - 1), abs=1e-9)
    if step != 1.0:
        assert size >= n / step - 1e-3
        assert size == 1 or size - 1 < n / step


def test_rounding_in_a_header_adds_no_voxel_and_touches_no_axis():
    single, coarse = float(np.float32(0.9)), float(np.float32(1.2))
    assert 10 * coarse / 0.4 > 30
    assert aligned_grid((10, 10, 10), (coarse, single, 0.9), (0.4, 0.9, 0.3))[0] == (30, 10, 30)
    image = noise(4, 10, 3)
    shape, start = aligned_grid(image.shape, (2.0, single, 1.0), (2.0, 0.9, 1.0))
    assert np.array_equal(interpolated(image, shape, start, (1.0, 0.9 / single, 1.0), "cubic"), image)


@pytest.mark.parametrize("wrong", [0.0, -1.0])
def test_a_spacing_is_positive(wrong):
    with pytest.raises(ValueError, match="above 0 mm"):
        aligned_grid((2, 2, 2), (1, 1, 1), (1, wrong, 1))


# ---- images --------------------------------------------------------------------------------------------


@given(grids(), st.sampled_from(list(ORDERS)), st.integers(0, 9))
def test_values_are_those_of_scipy_with_the_outermost_voxel_going_on(grid, order, seed):
    old, shape, start, step = grid
    image = noise(*old, seed=seed)
    new = interpolated(image, shape, start, step, order)
    # continued by hand, so that the spline does not depend on how SciPy continues it
    wide = np.pad(image, 40, mode="edge")
    first = [s + 40.0 for s in start]
    again = ndimage.affine_transform(wide, step, first, shape, order=ORDERS[order], mode="nearest")
    if order == "nearest":  # a tie may fall either way by rounding
        at = [f + s * np.arange(n) for f, s, n in zip(first, step, shape, strict=True)]
        sure = [np.abs(a - np.floor(a) - 0.5) > 1e-9 for a in at]
        new, again = new[np.ix_(*sure)], again[np.ix_(*sure)]
    assert np.allclose(new, again, rtol=0, atol=1e-8)


def test_a_ramp_stays_a_ramp_and_half_way_goes_to_the_upper_voxel():
    ramp = row(*range(9))
    at = (0, 0, 1.25)
    assert interpolated(ramp, (1, 1, 9), at, (1, 1, 0.5), "linear")[0, 0] == pytest.approx(1.25 + 0.5 * np.arange(9))
    assert interpolated(ramp, (1, 1, 2), (0, 0, 2.5), (1, 1, 2.0), "nearest").tolist() == [[[3.0, 5.0]]]


@given(st.integers(0, 20))
def test_a_spline_passes_through_the_voxels(seed):
    image = noise(3, 8, 5, seed=seed)
    finer = interpolated(image, (5, 15, 9), (0, 0, 0), (0.5, 0.5, 0.5), "cubic")
    assert np.allclose(finer[::2, ::2, ::2], image, rtol=0, atol=1e-9)


def test_a_box_equals_the_same_part_of_the_whole_and_what_is_far_from_it_does_not_matter():
    image = noise(150, 141, 130)
    shape, start = aligned_grid(image.shape, (1.0, 1.1, 0.9), (1.2, 1.0, 1.0))
    step, box = (1.2, 1.0 / 1.1, 1.0 / 0.9), (slice(60, 64), slice(70, 75), slice(55, 59))
    for order in ORDERS:
        whole, part = (
            interpolated(image, shape, start, step, order),
            interpolated(image, shape, start, step, order, box),
        )
        assert np.allclose(part, whole[box], rtol=0, atol=1e-12 * np.abs(image).max())
    far = image.copy()
    far[:20], far[:, 130:], far[:, :, :5] = np.nan, np.nan, np.nan
    assert np.array_equal(interpolated(far, shape, start, step, "cubic", box), part)


@given(grids(), st.sampled_from(list(ORDERS)), st.data())
def test_any_box_equals_the_same_part_of_the_whole(grid, order, data):
    old, shape, start, step = grid
    image = noise(*old)
    low = [data.draw(st.integers(0, n - 1)) for n in shape]
    box = tuple(slice(a, data.draw(st.integers(a, n))) for a, n in zip(low, shape, strict=True))
    whole, part = interpolated(image, shape, start, step, order), interpolated(image, shape, start, step, order, box)
    assert part.shape == whole[box].shape
    assert np.allclose(part, whole[box], rtol=0, atol=1e-12 * np.abs(image).max())


def test_in_plane_interpolation_leaves_slices_alone():
    image, turned = noise(6, 7, 4), [2, 0, 3, 1]
    shape, start = aligned_grid(image.shape, (1.0, 1.0, 3.0), (2.0, 2.0, 3.0))
    new = interpolated(image, shape, start, (2.0, 2.0, 1.0), "cubic")
    assert shape == (3, 4, 4)
    assert np.array_equal(interpolated(image[:, :, turned], shape, start, (2.0, 2.0, 1.0), "cubic"), new[:, :, turned])


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float32, np.float64])
def test_the_image_is_left_as_it_was_and_may_have_any_type_and_order(dtype):
    image = np.asfortranarray(np.arange(60).reshape(3, 4, 5).astype(dtype))
    kept = image.copy()
    grid = (2, 3, 4), (0.1, 0.2, 0.3), (1.1, 1.2, 1.05), "cubic"
    new = interpolated(image, *grid)
    assert new.dtype == np.float64
    assert np.array_equal(image, kept)
    again = interpolated(
        np.ascontiguousarray(image, dtype=np.float64), (2, 3, 4), (0.1, 0.2, 0.3), (1.1, 1.2, 1.05), "cubic"
    )
    assert np.array_equal(new, again)


def test_an_order_is_known():
    with pytest.raises(ValueError, match="nearest, linear, cubic"):
        interpolated(noise(2, 2, 2), (2, 2, 3), (0, 0, 0), (1, 1, 0.5), "sinc")


# ---- masks ---------------------------------------------------------------------------------------------


@given(grids(), st.sampled_from(list(ORDERS)), st.integers(0, 9), st.sampled_from([0.2, 0.5, 0.9]), st.floats(0, 1))
def test_a_mask_is_its_interpolated_values_cut_inclusively(grid, order, seed, at, share):
    old, shape, start, step = grid
    mask = np.random.default_rng(seed).random(old) < share
    values = interpolated(mask.astype(float), shape, start, step, order)
    new = mask_interpolated(mask, shape, start, step, order, at)
    assert np.array_equal(new, values >= at - 1e-9)
    box = tuple(slice(n // 3, n) for n in shape)
    assert np.array_equal(mask_interpolated(mask, shape, start, step, order, at, box), new[box])


@given(grids(), st.integers(0, 9))
def test_a_mirrored_mask_gives_the_mirrored_result(grid, seed):
    old, shape, start, step = grid
    mask = np.random.default_rng(seed).random(old) < 0.5
    flip = (slice(None, None, -1),) * 3
    assert np.array_equal(
        mask_interpolated(mask[flip], shape, start, step), mask_interpolated(mask, shape, start, step)[flip]
    )


def test_half_a_voxel_is_inside():
    mask = row(0, 1) > 0
    between = (1, 1, 1), (0, 0, 0.5), (1, 1, 1)
    assert mask_interpolated(mask, *between).all()
    assert not mask_interpolated(mask, *between, at=0.51).any()


def test_a_mask_goes_on_beyond_the_image():
    wide = (1, 1, 12), (0, 0, -5.0), (1, 1, 1)
    assert mask_interpolated(row(1, 0) > 0, *wide)[0, 0].tolist() == [True] * 6 + [False] * 6
    assert mask_interpolated(row(0, 1) > 0, *wide)[0, 0].tolist() == [False] * 6 + [True] * 6


def test_no_mask_gives_no_mask_and_a_threshold_is_a_share():
    nothing = np.zeros((4, 4, 4), bool)
    assert mask_interpolated(nothing, (8, 8, 8), (-0.25,) * 3, (0.5,) * 3).sum() == 0
    for at in (0.0, 1.1):
        with pytest.raises(ValueError, match="threshold"):
            mask_interpolated(nothing, (8, 8, 8), (-0.25,) * 3, (0.5,) * 3, at=at)


# ---- re-segmentation -----------------------------------------------------------------------------------


def test_bounds_are_inside_and_the_outline_holds():
    image = row(-501, -500, 0, 400, 401, 0, np.nan, np.inf)
    mask = row(1, 1, 1, 1, 1, 0, 1, 1) > 0
    assert resegmented(image, mask, -500, 400)[0, 0].tolist() == [False, True, True, True, False, False, False, False]
    assert resegmented(image, mask)[0, 0].tolist() == [True] * 5 + [False] * 3


def test_outliers_are_told_by_the_population_left_by_the_range():
    image = row(0, 0, 0, 0, 10, 1e6)  # without the last: mean 2, standard deviation 4
    inside = image >= 0
    assert resegmented(image, inside, high=1000.0, sigma=2.0)[0, 0].tolist() == [True] * 5 + [False]
    assert resegmented(image, inside, high=1000.0, sigma=1.99)[0, 0].tolist() == [True] * 4 + [False] * 2
    assert resegmented(image, inside, sigma=0.5)[0, 0].tolist() == [True] * 5 + [False]


@given(st.floats(-1e6, 1e6), st.integers(1, 9))
def test_equal_intensities_are_no_outliers(value, n):
    image = np.full((n, 3, 1), value)
    assert resegmented(image, image == value, sigma=3.0).all()


def test_an_empty_mask_stays_empty():
    assert not resegmented(row(1, 2), row(0, 0) > 0, 0.0, 1.0, 3.0).any()


# ---- grey levels ---------------------------------------------------------------------------------------

whole = st.lists(st.integers(-2000, 3000), min_size=1, max_size=40)
real = st.lists(st.floats(-1e4, 1e4), min_size=1, max_size=40)


def masked(values):
    """Return the values with one voxel outside, which must not matter."""
    image = row(*values, 1e9)
    return image, image < 1e9


@given(whole, st.integers(1, 70))
def test_a_fixed_number_of_bins_is_the_formula_in_whole_numbers(values, count):
    found = d.fixed_bin_number(*masked(values), count)
    low, high = min(values), max(values)
    if low == high:
        assert (found.count, found.levels[0, 0].tolist()) == (1, [1] * len(values) + [0])
        return
    wanted = [min(math.floor(Fraction(count * (v - low), high - low)) + 1, count) for v in values]
    assert found.levels[0, 0].tolist() == [*wanted, 0]
    assert (found.count, found.lowest) == (count, low)
    assert found.width == pytest.approx((high - low) / count)


def test_a_whole_intensity_on_an_edge_is_above_it_whatever_the_width_rounds_to():
    assert int(33 / (44 / 20)) == 14  # what a rounded width would give
    assert d.fixed_bin_number(*masked([0, 33, 44]), 20).levels[0, 0].tolist() == [1, 16, 20, 0]


@given(real, st.floats(0.01, 300.0), st.none() | st.floats(-2e4, -1e4))
def test_a_fixed_size_of_bins_is_the_formula(values, width, lowest):
    found = d.fixed_bin_size(*masked(values), width, lowest)
    edge = min(values) if lowest is None else lowest
    assert found.levels[0, 0].tolist() == [math.floor((v - edge) / width) + 1 for v in values] + [0]
    assert (found.count, found.width, found.lowest) == (found.levels.max(), width, edge)


@given(real, st.floats(0.01, 300.0))
def test_pyradiomics_bins_are_those_of_its_edges(values, width):
    edges = np.arange(min(values) - min(values) % width, max(values) + 2 * width, width)
    found = d.pyradiomics_bin_width(*masked(values), width)
    assert found.levels[0, 0].tolist() == [*np.digitize(values, edges).tolist(), 0]
    assert (found.count, found.lowest) == (found.levels.max(), edges[0])


def test_a_maximum_on_an_edge_opens_a_bin_in_pyradiomics():
    found = d.pyradiomics_bin_width(*masked([-30.0, 0.0, 24.9, 25.0, 50.0]), 25.0)
    assert found.levels[0, 0].tolist() == [1, 3, 3, 4, 5, 0]
    assert found.lowest == -50.0
    assert d.pyradiomics_bin_width(*masked([50.0, 50.0]), 25.0).count == 1


@given(st.integers(1, 9), st.integers(1, 9), st.integers(0, 99))
def test_equalised_levels_hold_equally_many_and_only_order_matters(count, each, seed):
    values = np.random.default_rng(seed).permutation(count * each) * 7.0
    found = d.equalised(*masked(values), count)
    assert np.bincount(found.levels[0, 0])[1:].tolist() == [each] * count
    assert math.isnan(found.width)
    assert np.array_equal(d.equalised(*masked(np.exp(values / 99)), count).levels, found.levels)


def test_ties_share_a_level_when_equalised():
    assert d.equalised(*masked([5, 5, 5, 1]), 4).levels[0, 0].tolist() == [2, 2, 2, 1, 0]
    assert d.equalised(*masked([5, 5, 5, 5]), 4).count == 1


def test_levels_may_be_given_and_are_whole_numbers_from_1():
    found = d.as_levels(*masked([3, 1, 3, 7]))
    assert (found.levels[0, 0].tolist(), found.count, found.width, found.lowest) == ([3, 1, 3, 7, 0], 7, 1.0, 0.5)
    for wrong in ([0, 1], [1.5, 2], [-1, 3], [1, 3e9]):
        with pytest.raises(ValueError, match="whole numbers from 1"):
            d.as_levels(row(*wrong), row(*wrong) < 1e12)


EVERY = [
    lambda x, m: d.fixed_bin_number(x, m, 8),
    lambda x, m: d.fixed_bin_size(x, m, 2.0),
    lambda x, m: d.pyradiomics_bin_width(x, m, 2.0),
    lambda x, m: d.equalised(x, m, 8),
    d.as_levels,
]


@pytest.mark.parametrize("way", EVERY)
def test_every_way_handles_one_value_no_value_and_no_number(way):
    image = np.full((2, 2, 2), 4.0)
    inside = np.zeros((2, 2, 2), bool)
    nothing = way(image, inside)
    assert (nothing.count, nothing.levels.dtype, nothing.levels.any()) == (0, np.int32, False)
    inside[0] = True
    one = way(image, inside)
    assert np.array_equal(one.levels > 0, inside)
    assert np.unique(one.levels[inside]).size == 1
    image[1] = np.nan
    assert np.array_equal(way(image, inside).levels, one.levels)
    image[0, 0, 0] = np.inf
    with pytest.raises(ValueError, match="finite"):
        way(image, inside)
    with pytest.raises(ValueError, match="mask of shape"):
        way(image, inside[:1])


@pytest.mark.parametrize("way", EVERY)
def test_memory_order_and_type_do_not_matter(way):
    image = np.random.default_rng(1).integers(1, 30, (4, 5, 6))
    inside = np.random.default_rng(2).random(image.shape) < 0.6
    levels = way(image, inside).levels
    assert np.array_equal(levels, way(np.asfortranarray(image, dtype=np.float32), np.asfortranarray(inside)).levels)
    assert np.array_equal(levels > 0, inside)


def test_what_cannot_be_binned_is_refused():
    image, mask = masked([0.0, 1.0])
    for wrong in (0, -1, math.nan, math.inf):
        with pytest.raises(ValueError, match="above 0"):
            d.fixed_bin_size(image, mask, wrong)
        with pytest.raises(ValueError, match="above 0"):
            d.fixed_bin_number(image, mask, wrong)
    with pytest.raises(ValueError, match="below the first bin"):
        d.fixed_bin_size(image, mask, 1.0, 0.5)
    for way in (d.fixed_bin_size, d.pyradiomics_bin_width):
        with pytest.raises(ValueError, match="at most"):
            way(image, mask, 1e-12)
    with pytest.raises(ValueError, match="told apart"):
        d.pyradiomics_bin_width(row(1e20, 2e20), row(1, 1) > 0, 1.0)


def test_settings_choose_the_way():
    image, mask = masked([1.0, 30.0, 52.0, 100.0])
    chosen = {
        "fbn": d.fixed_bin_number(image, mask, 3),
        "fbs": d.fixed_bin_size(image, mask, 25.0, -10.0),
        "equalised": d.equalised(image, mask, 3),
        "none": d.as_levels(image, mask),
        "pyradiomics": d.pyradiomics_bin_width(image, mask, 25.0),
    }
    for method, wanted in chosen.items():
        found = d.discretised(image, mask, Discretisation(method=method, count=3, width=25.0), -10.0)
        assert np.array_equal(found.levels, wanted.levels), method
    own = d.discretised(image, mask, Discretisation(method="fbs", lowest=0.0), -10.0)
    assert own.lowest == 0.0
    with pytest.raises(InputError, match=r"fbs; got .* below the first bin"):
        d.discretised(image, mask, Discretisation(method="fbs", lowest=20.0))


def test_a_histogram_of_volume_reads_a_fixed_number_of_bins_as_numbers():
    image, mask = masked([1.0, 30.0, 52.0, 100.0])
    assert math.isnan(d.ivh_levels(image, mask, Discretisation(count=1000)).width)
    assert d.ivh_levels(image, mask, Discretisation(method="fbs", width=2.5)).width == 2.5
