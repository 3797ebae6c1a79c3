"""Rings against brute-force distances, changes and slopes against arithmetic, histograms of maps against NumPy."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from tumorboard.errors import GeometryError, InputError
from tumorboard.radiomics.delta import delta, slopes
from tumorboard.radiomics.families.map_histogram import FAMILY, map_histogram
from tumorboard.radiomics.region import Region
from tumorboard.radiomics.rings import rings
from tumorboard.radiomics.scheme.discretise import equalised, fixed_bin_size
from tumorboard.radiomics.stability import Icc
from tumorboard.volume import Volume

# ---- rings ---------------------------------------------------------------------------------------------


@given(st.integers(0, 10_000), st.sampled_from([(1.0, 1.0, 1.0), (0.5, 1.0, 5.0), (2.0, 0.7, 1.3)]))
def test_rings_are_where_brute_force_finds_them(seed, spacing):
    rng = np.random.default_rng(seed)
    inside = rng.random((7, 8, 6)) < 0.03
    inside[tuple(rng.integers(0, (7, 8, 6)))] = True
    turned = np.eye(4)
    turned[:3, :3] = np.diag(spacing) @ np.array([[0, 1, 0], [1, 0, 0], [0, 0, -1]])
    brain = rng.random((7, 8, 6)) < 0.7
    outline = Volume.of(inside, turned)
    edges = (0.0, 1.5, 4.0, 9.0)
    found = rings(outline, outline.with_data(brain), edges)
    every = np.argwhere(np.ones_like(inside))
    points = outline.grid.to_world(every)
    away = np.linalg.norm(points[:, None] - outline.grid.to_world(np.argwhere(inside))[None], axis=2).min(axis=1)
    for ring, low, high in zip(found.values(), edges[:-1], edges[1:], strict=True):
        sure = (np.abs(away - low) > 1e-9) & (np.abs(away - high) > 1e-9)  # on an edge, rounding decides
        wanted = (away > low) & (away <= high) & brain.ravel()
        assert (ring.data.ravel() == wanted)[sure].all()


def test_rings_follow_names_exclude_the_tumour_and_fill_the_brain():
    outline = np.zeros((30, 30, 30), np.uint8)
    outline[10:20, 10:20, 10:20] = 3
    volume = Volume.of(outline, np.eye(4))
    found = rings(volume, edges_mm=(0, 2.5, 60))
    assert list(found) == ["ring_0-2.5mm", "ring_2.5-60mm"]
    total = sum(r.data for r in found.values())
    assert (total == (outline == 0)).all()
    assert all(r.data.dtype == np.uint8 and r.grid is volume.grid for r in found.values())
    assert list(rings(volume)) == ["ring_0-5mm", "ring_5-10mm", "ring_10-20mm"]


def test_a_shell_of_a_ball_has_the_volume_of_a_shell():
    i, j, k = np.indices((60, 60, 30))
    ball = (i - 29.5) ** 2 + (j - 29.5) ** 2 + (2 * (k - 14.5)) ** 2 < 12.0**2
    found = rings(Volume.of(ball, np.diag([1.0, 1.0, 2.0, 1.0])), edges_mm=(0, 5, 10))
    for ring, low, high in zip(found.values(), (12, 17), (17, 22), strict=True):
        assert ring.data.sum() * 2.0 == pytest.approx(4 / 3 * math.pi * (high**3 - low**3), rel=0.06)


def test_a_ring_narrower_than_voxels_is_empty():
    outline = np.zeros((5, 5, 5), np.uint8)
    outline[2, 2, 2] = 1
    found = rings(Volume.of(outline, np.diag([4.0, 4.0, 4.0, 1.0])), edges_mm=(0, 3, 4))
    assert [int(r.data.sum()) for r in found.values()] == [0, 6]


@pytest.mark.parametrize("edges", [(), (5.0,), (5.0, 5.0), (-1.0, 5.0), (0.0, math.nan)])
def test_edges_that_do_not_ascend_are_refused(edges):
    outline = Volume.of(np.ones((2, 2, 2)), np.eye(4))
    with pytest.raises(InputError, match="ascend"):
        rings(outline, edges_mm=edges)


def test_empty_outlines_and_other_grids_are_refused():
    outline = Volume.of(np.ones((2, 2, 2)), np.eye(4))
    with pytest.raises(InputError, match="empty"):
        rings(outline.with_data(np.zeros((2, 2, 2))))
    with pytest.raises(GeometryError, match="brain mask"):
        rings(outline, Volume.of(np.ones((2, 2, 2)), np.diag([2.0, 1.0, 1.0, 1.0])))


# ---- changes -------------------------------------------------------------------------------------------

TABLE = {"a": Icc("ICC(1,1)", 0.9, 0.8, 0.95, 9, 3), "b": Icc("ICC(1,1)", 0.5, 0.1, 0.8, 9, 3)}


def test_changes_are_told_in_three_ways():
    found = delta({"a": -2.0, "b": 0.0, "c": math.nan}, {"a": -5.0, "b": 1.0, "c": 1.0}, days=30.0)
    assert found["a.delta"] == -3.0
    assert found["a.delta_relative"] == -1.5  # over the size of the first: a fall stays a fall
    assert found["a.delta_per_day"] == pytest.approx(-0.1)
    assert found["b.delta"] == 1.0
    assert math.isnan(found["b.delta_relative"])
    assert all(math.isnan(found[f"c.{w}"]) for w in ("delta", "delta_relative", "delta_per_day"))
    assert "a.delta_per_day" not in delta({"a": 1.0}, {"a": 2.0})


def test_unstable_and_unknown_features_are_left_out():
    first, second = {"a": 1.0, "b": 1.0, "c": 1.0}, {"a": 2.0, "b": 2.0, "c": 2.0}
    assert set(delta(first, second, table=TABLE)) == {"a.delta", "a.delta_relative"}
    assert {n[0] for n in delta(first, second, table=TABLE, least=0.4)} == {"a", "b"}
    assert set(slopes([first, second, first], [0, 1, 2], TABLE)) == {"a.slope_per_day"}


@given(
    st.lists(st.tuples(st.integers(0, 900), st.floats(-1e3, 1e3)), min_size=3, max_size=9, unique_by=lambda v: v[0]),
    st.floats(-50, 50),
)
def test_slopes_are_those_of_least_squares(visits, zero):
    days, values = zip(*visits, strict=True)
    found = slopes([{"a": v} for v in values], [d + zero for d in days])["a.slope_per_day"]
    assert found == pytest.approx(np.polyfit(days, values, 1)[0], rel=1e-6, abs=1e-6)


def test_a_slope_needs_three_visits_that_say_something():
    assert slopes([{"a": 1.0}, {"a": math.nan}, {"a": 3.0}, {"a": 4.0}], [0, 5, 20, 30])["a.slope_per_day"] == (
        pytest.approx(0.1)
    )
    assert math.isnan(slopes([{"a": 1.0}, {"a": math.nan}, {"a": 3.0}], [0, 5, 20])["a.slope_per_day"])
    assert math.isnan(slopes([{"a": 1.0}, {"a": 2.0}, {"a": 3.0}], [0, 5, 5])["a.slope_per_day"])


def test_changes_that_mean_nothing_are_refused():
    with pytest.raises(InputError, match="days"):
        delta({"a": 1.0}, {"a": 2.0}, days=0)
    with pytest.raises(InputError, match="same features"):
        delta({"a": 1.0}, {"b": 2.0})
    with pytest.raises(InputError, match="at least 3 visits"):
        slopes([{"a": 1.0}, {"a": 2.0}], [0, 1])
    with pytest.raises(InputError, match="the day of each"):
        slopes([{"a": 1.0}] * 3, [0, 1])


# ---- histograms of maps --------------------------------------------------------------------------------


def of(values, family=FAMILY, texture=None):
    image = np.array([*values, 1e9])[None, None, :]
    inside = np.arange(image.size).reshape(image.shape) < len(values)
    binned = texture(image, inside) if texture else fixed_bin_size(image, inside, 100.0, 0.0)
    return family.compute(Region(image, inside, inside, (1.0, 1.0, 1.0), binned), "")


@given(st.lists(st.integers(0, 3000), min_size=2, max_size=80).filter(lambda v: np.std(v) > 1))
def test_histograms_are_those_of_numpy(values):
    found = of(values, map_histogram(below=800.0, above=1500.0))
    x = np.array(values, dtype=float)
    for q in (5, 10, 25, 50, 75, 90, 95):
        assert found[f"p{q:02d}"] == pytest.approx(np.percentile(x, q))
    assert (found["mean"], found["sd"]) == pytest.approx((x.mean(), x.std()))
    assert (found["skew"], found["kurt"]) == pytest.approx((stats.skew(x), stats.kurtosis(x)), abs=1e-9)
    assert (found["share_below"], found["share_above"]) == ((x < 800).mean(), (x > 1500).mean())
    counts = np.histogram(x, np.arange(0, 3200, 100))[0]
    assert found["peak_height"] == counts.max() / len(x)
    assert found["peak_position"] == 100.0 * counts.argmax() + 50.0


def test_what_is_not_known_is_nan():
    found = of([1.0, 5.0, 5.0])
    assert math.isnan(found["share_below"])
    assert math.isnan(found["share_above"])
    assert set(found) == {f.name for f in FAMILY.features}
    assert math.isnan(of([1.0, 5.0, 9.0], texture=lambda x, m: equalised(x, m, 3))["peak_position"])
    nothing = Region(
        *[np.zeros((1, 1, 1), t) for t in (float, bool, bool)],
        (1.0, 1.0, 1.0),
        fixed_bin_size(np.zeros((1, 1, 1)), np.zeros((1, 1, 1), bool), 1.0),
    )
    assert all(math.isnan(v) for v in FAMILY.compute(nothing, "").values())
