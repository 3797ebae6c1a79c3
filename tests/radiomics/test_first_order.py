"""Statistics, histogram and intensity-volume histogram against NumPy, SciPy and tables drawn out in full."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats

from tumorboard.radiomics.families.histogram import FAMILY as HISTOGRAM
from tumorboard.radiomics.families.ivh import FAMILY as IVH
from tumorboard.radiomics.families.statistics import FAMILY as STATISTICS
from tumorboard.radiomics.region import Region
from tumorboard.radiomics.scheme.discretise import as_levels, as_numbers, fixed_bin_number, fixed_bin_size

FAMILIES = (STATISTICS, HISTOGRAM, IVH)
EMPTY = fixed_bin_number(np.zeros((1, 1, 1)), np.zeros((1, 1, 1), bool), 8)

whole = st.lists(st.integers(-60, 90), min_size=1, max_size=60)
levels = st.lists(st.integers(1, 12), min_size=1, max_size=60)
real = st.lists(st.floats(-1e3, 1e3).map(lambda v: round(v, 3)), min_size=1, max_size=60)


def region(values, texture=None, **more):
    """Return a region of these values and a voxel outside."""
    image = np.array([*values, 1e9], dtype=np.float64)[None, None, :]
    inside = np.arange(image.size).reshape(image.shape) < len(values)
    texture = texture or (lambda x, m: fixed_bin_number(x, m, 8))
    return Region(image, inside, inside, (1.0, 1.0, 1.0), texture(image, inside), **more)


def of(family, values, texture=None, **more):
    return family.compute(region(values, texture, **more), "")


@pytest.mark.parametrize("family", FAMILIES)
def test_families_are_told_in_full(family):
    names = [f.name for f in family.features]
    assert len(set(names)) == len(names) == {"stat": 18, "ih": 23, "ivh": 7}[family.prefix]
    assert len({f.code for f in family.features}) == len(names)
    assert all(len(f.code) == 4 for f in family.features)
    assert set(of(family, [1, 2, 5])) == set(names)
    nothing = Region(*[np.zeros((1, 1, 1), t) for t in (float, bool, bool)], (1.0, 1.0, 1.0), EMPTY)
    assert set(family.compute(nothing, "")) == set(names)
    assert all(math.isnan(v) for v in family.compute(nothing, "").values())


# ---- statistics ----------------------------------------------------------------------------------------


@given(real)
def test_statistics_are_those_of_numpy_and_scipy(values):
    x = np.array(values)
    assume(x.std() == 0 or x.std() > 1e-3)
    found = of(STATISTICS, values)
    p10, p25, p75, p90 = np.percentile(x, [10, 25, 75, 90])
    middle = x[(x >= p10 - 1e-9) & (x <= p90 + 1e-9)]
    flat = x.min() == x.max()
    wanted = {
        **{"mean": x.mean(), "var": x.var(), "median": np.median(x), "min": x.min(), "max": x.max()},
        "skew": 0.0 if flat else stats.skew(x),
        "kurt": 0.0 if flat else stats.kurtosis(x),
        **{"p10": p10, "p90": p90, "iqr": p75 - p25, "range": np.ptp(x), "mad": np.abs(x - x.mean()).mean()},
        "rmad": np.abs(middle - middle.mean()).mean() if middle.size else math.nan,
        **{"medad": np.abs(x - np.median(x)).mean(), "energy": (x**2).sum(), "rms": np.sqrt((x**2).mean())},
    }
    for name, value in wanted.items():
        assert found[name] == pytest.approx(value, rel=1e-7, abs=1e-7, nan_ok=True), name
    assert math.isnan(found["cov"]) or found["cov"] * found["mean"] == pytest.approx(math.sqrt(found["var"]))
    assert math.isnan(found["qcod"]) or found["qcod"] * (p75 + p25) == pytest.approx(p75 - p25, abs=1e-7)


@given(real, st.floats(0.5, 20.0), st.floats(-50.0, 50.0))
def test_form_depends_neither_on_unit_nor_on_zero(values, scale, shift):
    assume(np.ptp(values) > 1.0)
    one, other = of(STATISTICS, values), of(STATISTICS, np.array(values) * scale + shift)
    for name in ("skew", "kurt"):
        assert other[name] == pytest.approx(one[name], rel=1e-6, abs=1e-6)
    for name in ("iqr", "range", "mad", "medad"):
        assert other[name] == pytest.approx(one[name] * scale, rel=1e-6, abs=1e-6)


@pytest.mark.parametrize(("value", "n"), [(0.1, 1), (0.1, 7), (-1e5 / 3, 1000), (1e-200, 3), (1e150, 3)])
def test_equal_intensities_spread_by_nothing_at_all(value, n):
    found = of(STATISTICS, [value] * n)
    assert found["mean"] == found["median"] == found["p10"] == value
    assert all(found[name] == 0.0 for name in ("var", "skew", "kurt", "iqr", "range", "mad", "rmad", "medad", "cov"))
    assert found["qcod"] == 0.0


def test_a_ratio_without_a_denominator_is_not_defined():
    found = of(STATISTICS, [-1.0, 1.0])
    assert found["mean"] == 0.0
    assert math.isnan(found["cov"])
    assert math.isnan(found["qcod"])


@pytest.mark.parametrize("unit", [1e-170, 1e-9, 1e70])
def test_form_survives_any_unit(unit):
    one, other = of(STATISTICS, [1.0, 2.0, 4.0]), of(STATISTICS, [unit, 2 * unit, 4 * unit])
    assert other["skew"] == pytest.approx(one["skew"])
    assert other["kurt"] == pytest.approx(one["kurt"])


# ---- histogram -----------------------------------------------------------------------------------------


@given(levels)
def test_what_both_families_have_is_equal_for_levels(values):
    one, other = of(STATISTICS, values), of(HISTOGRAM, values, as_levels)
    for name in set(one) & set(other):
        assert other[name] == pytest.approx(one[name], rel=1e-9, abs=1e-9, nan_ok=True), name


@given(levels)
def test_form_of_the_histogram_is_its_definition(values):
    found = of(HISTOGRAM, values, as_levels)
    n = [values.count(level) for level in range(1, max(values) + 1)]
    p = [c / len(values) for c in n if c]
    assert found["entropy"] == pytest.approx(-sum(q * math.log2(q) for q in p), abs=1e-12)
    assert math.copysign(1.0, found["entropy"]) == 1.0
    assert found["uniformity"] == pytest.approx(sum(q * q for q in p))
    ties = [g + 1 for g, c in enumerate(n) if c == max(n)]
    assert found["mode"] == min(ties, key=lambda g: (round(abs(g - np.mean(values)), 9), g))
    if len(n) == 1:
        assert all(math.isnan(found[name]) for name in ("max_grad", "max_grad_g", "min_grad", "min_grad_g"))
        return
    slope = [n[1] - n[0], *[(n[g + 1] - n[g - 1]) / 2 for g in range(1, len(n) - 1)], n[-1] - n[-2]]
    assert (found["max_grad"], found["max_grad_g"]) == (max(slope), slope.index(max(slope)) + 1)
    assert (found["min_grad"], found["min_grad_g"]) == (min(slope), slope.index(min(slope)) + 1)


def test_empty_levels_above_count():
    found = of(HISTOGRAM, [1, 1, 2, 2], lambda x, m: replace(as_levels(x, m), count=4))
    assert (found["max"], found["min_grad"], found["min_grad_g"]) == (2.0, -1.0, 2.0)
    assert of(HISTOGRAM, [1, 1, 2, 2], as_levels)["min_grad"] == 0.0


def test_empty_levels_below_count_and_fractions_of_equal_bins_are_bits():
    found = of(HISTOGRAM, [3, 3, 3], as_levels)
    assert (found["max_grad"], found["max_grad_g"], found["entropy"]) == (3.0, 3.0, 0.0)
    assert of(HISTOGRAM, list(range(1, 9)), as_levels)["entropy"] == 3.0


def test_the_lower_of_two_modes_equally_far_from_the_mean_is_taken():
    assert of(HISTOGRAM, [1, 1, 2, 3, 3], as_levels)["mode"] == 1.0
    assert of(HISTOGRAM, [1, 1, 2, 3, 3, 4], as_levels)["mode"] == 3.0


# ---- intensity-volume histogram ------------------------------------------------------------------------


def in_full(values, grid):
    """Return the features from a table of every grid intensity."""
    grid = np.asarray(grid, dtype=np.float64)
    nu = np.array([(np.asarray(values) >= i).mean() for i in grid])
    gamma = np.array([(i - grid[0]) / (grid[-1] - grid[0]) for i in grid])
    v10, v90 = (nu[gamma >= share].max() for share in (0.1, 0.9))
    i10, i90 = (grid[nu <= share].min() if (nu <= share).any() else math.nan for share in (0.1, 0.9))
    return {"v10": v10, "v90": v90, "i10": i10, "i90": i90, "auc": np.trapezoid(nu, gamma)}


def agree(found, wanted):
    for name, value in wanted.items():
        assert found[name] == pytest.approx(value, rel=1e-9, abs=1e-9, nan_ok=True), name
    assert found["diff_v10_v90"] == pytest.approx(found["v10"] - found["v90"])
    assert found["diff_i10_i90"] == pytest.approx(found["i10"] - found["i90"], nan_ok=True)


@given(whole)
def test_whole_intensities_have_a_grid_of_ones(values):
    assume(len(set(values)) > 1)
    agree(of(IVH, values), in_full(values, range(min(values), max(values) + 1)))


@given(whole)
def test_a_range_may_be_wider_than_what_occurs(values):
    assume(len(set(values)) > 1)
    agree(of(IVH, values, ivh_range=(-100, 100)), in_full(values, range(-100, 101)))
    half_open = of(IVH, values, ivh_range=(-100, math.inf))
    agree(half_open, in_full(values, range(-100, max(values) + 1)))


def test_a_wide_range_of_few_intensities_needs_no_long_table():
    found = of(IVH, [0, 5, 10**9])
    assert (found["v10"], found["i10"], found["i90"]) == (1 / 3, pytest.approx(math.nan, nan_ok=True), 1.0)
    assert found["auc"] == pytest.approx(1 / 3, abs=1e-7)


@given(real)
def test_other_intensities_are_their_own_grid(values):
    assume(len(set(values)) > 1)
    assume(any(v != round(v) for v in values))
    agree(of(IVH, values), in_full(values, sorted(set(values))))


@given(whole, st.sampled_from([2.5, 7.0, 0.5]))
def test_bins_of_a_fixed_size_stand_for_their_centres(values, width):
    values = [*values, -60, 89]
    held = region(values)
    binned = fixed_bin_size(held.image, held.mask, width, -70.0)
    centres = -70.0 + (binned.levels[held.mask] - 0.5) * width
    grid = -70.0 + (np.arange(1, binned.count + 1) - 0.5) * width
    agree(IVH.compute(replace(held, ivh=binned), ""), in_full(centres, grid))
    high = -70.0 + 400 * width if width < 1 else -70.0 + 80 * width
    wide = IVH.compute(replace(held, ivh=binned, ivh_range=(-70.0, high)), "")
    agree(wide, in_full(centres, np.arange(-70.0 + width / 2, high, width)))


@given(real)
def test_bins_of_a_fixed_number_stand_for_their_numbers_whatever_the_range(values):
    assume(len(set(values)) > 1)
    held = region(values)
    binned = as_numbers(fixed_bin_number(held.image, held.mask, 100))
    found = IVH.compute(replace(held, ivh=binned, ivh_range=(-500.0, 400.0)), "")
    agree(found, in_full(binned.levels[held.mask], range(1, 101)))


def test_one_intensity_has_no_area_and_no_fractions_of_its_range():
    found = of(IVH, [7, 7, 7])
    assert found["auc"] == 0.0
    assert all(math.isnan(found[name]) for name in ("v10", "v90", "i10", "i90"))


def test_a_top_that_fills_more_than_a_tenth_is_exceeded_nowhere_unless_the_range_goes_on():
    assert math.isnan(of(IVH, [0, 0, 9])["i10"])
    assert of(IVH, [0, 0, 9], ivh_range=(0, 20))["i10"] == 10.0
