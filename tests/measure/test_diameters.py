"""Diameters against a plain exhaustive search, symmetries, analytic shapes and odd masks."""

import math
from fractions import Fraction
from functools import cache, partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tumorboard.errors import GeometryError
from tumorboard.measure.diameters import EDGE_FRACTION, fill_enclosed, measure_diameters

TIE = 1 - 1e-9
EVERYDAY = settings(deadline=None, derandomize=True, max_examples=60)


# ---- the reference: all pairs, all lines, plain Python -------------------------------------------------


@cache
def line(di, dj):
    """Pixels passed at each step, relative to the start; two of them at an exact tie."""
    steps = max(abs(di), abs(dj), 1)
    half = Fraction(1, 2)
    found = []
    for t in range(steps + 1):
        at = [Fraction(t * d, steps) for d in (di, dj)]
        found.append({tuple(math.ceil(x - half) for x in at), tuple(math.floor(x + half) for x in at)})
    return found


def inside_segments(plane):
    pixels = [tuple(int(v) for v in p) for p in np.argwhere(plane)]
    mask = set(pixels)
    return [
        (a, b)
        for n, a in enumerate(pixels)
        for b in pixels[n:]
        if all(any((a[0] + i, a[1] + j) in mask for i, j in step) for step in line(b[0] - a[0], b[1] - a[1]))
    ]


def way(segment, s):
    (a, b), (c, d) = segment
    return (c - a) * s[0], (d - b) * s[1]


def size(segment, s):
    return math.hypot(*way(segment, s))


def edge(segment, s):
    x, y = way(segment, s)
    chords = [w * math.hypot(x, y) / abs(v) for w, v in zip(s, (x, y), strict=True) if v]
    return EDGE_FRACTION * min(chords, default=min(s))


def perpendicular_of(longest, segments, s):
    x, y = way(longest, s)
    length = math.hypot(x, y) or 1.0

    def across(segment):
        p, q = way(segment, s)
        return abs(p * x + q * y) / length <= 0.5 * (s[0] * abs(x) + s[1] * abs(y)) / length + 1e-9 if x or y else True

    allowed = [g for g in segments if across(g)]
    best = max(size(g, s) for g in allowed)
    return min(g for g in allowed if size(g, s) >= best * TIE)


def slice_reference(plane, s):
    segments = inside_segments(plane)
    best = max(size(g, s) for g in segments)
    pairs = [(g, perpendicular_of(g, segments, s)) for g in segments if size(g, s) >= best * TIE]
    widest = max(size(p, s) for _, p in pairs)
    return min(pair for pair in pairs if size(pair[1], s) >= widest * TIE)


def reference(mask, spacing, axis):
    """Both readings as (longest mm, perpendicular mm, slice, longest ijk, perpendicular ijk)."""
    s = [v for n, v in enumerate(spacing) if n != axis]
    seen = []
    for k in range(mask.shape[axis]):
        plane = mask.take(k, axis)
        if plane.any():
            pair = slice_reference(plane, s)
            mm = [size(g, s) + edge(g, s) for g in pair]
            ends = [tuple((*p[:axis], k, *p[axis:]) for p in g) for g in pair]
            seen.append((*mm, k, *ends))
    keys = [(lambda d: d[0], lambda d: d[1]), (lambda d: d[0] * d[1],)]
    return [choose(seen, *pair) for pair in keys]


def choose(seen, *keys):
    for key in keys:
        seen = [d for d in seen if key(d) >= max(map(key, seen)) * TIE]
    return seen[0]


@st.composite
def noise(draw, largest=9, depth=3):
    """Random noise in a random box, sparse to full, anisotropic, with a slice axis."""
    axis = draw(st.integers(0, 2))
    shape = [draw(st.integers(1, depth if n == axis else largest)) for n in range(3)]
    spacing = tuple(draw(st.sampled_from([1.0, 0.5, 0.9375, 1.2, 3.0, 5.0])) for _ in range(3))
    if draw(st.booleans()):
        spacing = (spacing[0],) * 3
    density = draw(st.sampled_from([0.2, 0.5, 0.7, 0.9, 0.97, 1.0]))
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    return rng.random(shape) < density, spacing, axis


@given(noise())
@settings(EVERYDAY, max_examples=400)
def test_equals_exhaustive_search_with_its_end_points_and_ties(case):
    mask, spacing, axis = case
    lesion = measure_diameters(mask, spacing, axis)
    if not mask.any():
        assert lesion is None
        return
    assert lesion.slices_seen == sum(mask.take(k, axis).any() for k in range(mask.shape[axis]))
    for got, want in zip((lesion.rano, lesion.product), reference(mask, spacing, axis), strict=True):
        assert got.longest_mm == pytest.approx(want[0], abs=1e-6)
        assert got.perpendicular_mm == pytest.approx(want[1], abs=1e-6)
        assert (got.slice_index, got.slice_axis) == (want[2], axis)
        assert (got.longest_ijk, got.perpendicular_ijk) == want[3:]


@pytest.mark.parametrize("seed", range(4))
def test_rows_wider_than_one_word_equal_exhaustive_search(seed):
    mask = np.random.default_rng(seed).random((3, 135, 1)) < (0.55, 0.75, 0.9, 0.97)[seed]
    spacing = (3.0, 0.5, 1.0)
    lesion = measure_diameters(mask, spacing, 2)
    want = reference(mask, spacing, 2)[0]
    assert (lesion.rano.longest_mm, lesion.rano.perpendicular_mm) == pytest.approx(want[:2], abs=1e-6)
    assert lesion.rano.longest_ijk == want[3]


def lengths(lesion):
    return [(d.longest_mm, d.perpendicular_mm) for d in (lesion.rano, lesion.product)]


@given(noise(largest=14), st.permutations(range(3)), st.tuples(*[st.sampled_from([1, -1])] * 3))
@EVERYDAY
def test_flips_and_transposes_leave_lengths_unchanged(case, order, signs):
    mask, spacing, axis = case
    if not mask.any():
        return
    turned = mask.transpose(order)[tuple(slice(None, None, s) for s in signs)]
    other = measure_diameters(turned, tuple(spacing[n] for n in order), list(order).index(axis))
    for got, want in zip(lengths(other), lengths(measure_diameters(mask, spacing, axis)), strict=True):
        assert got == pytest.approx(want, rel=1e-8)


@given(noise(), st.tuples(*[st.integers(0, 70)] * 3))
@settings(EVERYDAY, max_examples=25)
def test_position_in_the_array_moves_only_the_indices(case, shift):
    mask, spacing, axis = case
    if not mask.any():
        return
    moved = measure_diameters(np.pad(mask, [(n, 2) for n in shift]), spacing, axis).rano
    here = measure_diameters(mask, spacing, axis).rano
    assert (moved.longest_mm, moved.perpendicular_mm) == (here.longest_mm, here.perpendicular_mm)
    assert np.array_equal(moved.longest_ijk, np.add(here.longest_ijk, shift))


@given(noise())
@settings(EVERYDAY, max_examples=30)
def test_each_reading_is_the_greatest_of_its_kind(case):
    mask, spacing, axis = case
    lesion = measure_diameters(mask, spacing, axis)
    if lesion is not None:
        assert lesion.rano.longest_mm >= lesion.product.longest_mm * TIE
        assert lesion.product.product_mm2 >= lesion.rano.product_mm2 * TIE


# ---- analytic shapes ----------------------------------------------------------------------------------


def draw_shape(inside, spacing, shift, reach=24.0):
    """Sample a shape given in mm about a centre that is off the grid by ``shift`` voxels."""
    axes = []
    for s, off in zip(spacing, shift, strict=True):
        n = math.ceil(reach / s)
        axes.append((np.arange(-n, n + 1) + off) * s)
    return inside(*np.meshgrid(*axes, indexing="ij", sparse=True)) & True


def ball(x, y, z, r=11.3):
    return x * x + y * y + z * z <= r * r


def disc(x, y, z, r=11.3):
    return (x * x + y * y <= r * r) & (abs(z) < 1e-6)


def ellipsoid(x, y, z):
    """Half axes 18 (45 degrees in plane), 10 and 12 mm (slices)."""
    u, v = (x + y) / 2**0.5, (y - x) / 2**0.5
    return (u / 18) ** 2 + (v / 10) ** 2 + (z / 12) ** 2 <= 1


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (0.9375, 0.9375, 5.0), (0.5, 0.5, 1.0)])
@pytest.mark.parametrize(("shape", "longest", "across"), [(ball, 22.6, 22.6), (ellipsoid, 36.0, 20.0)])
def test_balls_and_oblique_ellipsoids_within_one_in_plane_voxel(shape, longest, across, spacing, seed):
    shift = np.random.default_rng(seed).uniform(-0.5, 0.5, 3) * (1, 1, spacing[2] <= 1)
    d = measure_diameters(draw_shape(shape, spacing, shift), spacing, 2).rano
    assert d.longest_mm == pytest.approx(longest, abs=spacing[0])
    assert d.perpendicular_mm == pytest.approx(across, abs=spacing[0])


@pytest.mark.parametrize("side", [1, 2, 7, 12, 31])
def test_square(side):
    mask = np.zeros((40, 40, 3), bool)
    mask[4 : 4 + side, 5 : 5 + side, 1] = True
    d = measure_diameters(mask, (0.8, 0.8, 5.0), 2).rano
    a = side * 0.8
    assert d.longest_mm == pytest.approx(a * 2**0.5, abs=0.8)
    assert d.product_mm2 == pytest.approx(2 * a * a, abs=2 * 0.8 * a * 2**0.5)
    if side > 1:
        edge_mm = EDGE_FRACTION * 0.8 * 2**0.5
        assert d.edge_mm == pytest.approx((edge_mm, edge_mm))
        assert d.longest_mm - edge_mm == pytest.approx((side - 1) * 0.8 * 2**0.5)


def test_thin_ring_is_never_crossed():
    x, y, _ = np.ogrid[-20:21, -20:21, :1]
    r = np.hypot(x, y)
    ring, full = (r <= 18) & (r > 15), r <= 18
    d = measure_diameters(ring, (1.0, 1.0, 5.0), 2).rano
    chord = 2 * math.sqrt(18**2 - 15**2)
    assert d.longest_mm == pytest.approx(chord, abs=2)  # grazes a stepped inner edge
    assert d.perpendicular_mm == pytest.approx(chord, abs=2.5)
    for ends in (d.longest_ijk, d.perpendicular_ijk):
        for p in np.linspace(*ends, 60):
            assert math.hypot(p[0] - 20, p[1] - 20) > 14
    filled = measure_diameters(fill_enclosed(ring, full & ~ring, 2), (1.0, 1.0, 5.0), 2).rano
    assert filled.longest_mm == pytest.approx(36, abs=1)


def test_perpendicular_need_not_intersect_the_longest():
    mask = np.zeros((30, 30, 1), bool)
    mask[2:28, 5] = True
    mask[28, 5:15] = True
    d = measure_diameters(mask, (1.0, 1.0, 1.0), 2).rano
    assert d.perpendicular_mm > 9


def test_lengths_that_differ_only_by_rounding_are_ties():
    """A row of 26 pixels and a 7-24-25 line (both 25 steps); only the row's perpendicular is wide."""
    s = next(v for v in np.arange(0.1, 2.0, 0.01) if math.hypot(7 * v, 24 * v) > math.hypot(25 * v, 0.0))
    mask = np.zeros((80, 70, 1), bool)
    mask[2:28, 3] = True
    mask[2, 3:15] = True
    for t in range(25):
        mask[40 + math.floor(t * 7 / 24 + 0.5), 20 + t] = True
    d = measure_diameters(mask, (s, s, 5.0), 2).rano
    assert d.longest_ijk == ((2, 3, 0), (27, 3, 0))
    assert d.perpendicular_mm > 11 * s


def rotated_square(x, y, z, a=8.0, turn=0.0):
    u, v = math.cos(turn) * x + math.sin(turn) * y, math.cos(turn) * y - math.sin(turn) * x
    return (abs(u) <= a) & (abs(v) <= a) & (abs(z) < 1e-6)


def root_mean_square_errors(h, shape, truth, rng):
    """Root mean square error (mm) of both diameters over random shifts and turns at voxel size ``h``."""
    found = []
    for _ in range(16):
        shift = (*rng.uniform(-0.5, 0.5, 2), 0.0)
        turn = {"turn": rng.uniform(0, math.pi)} if shape is rotated_square else {"r": truth / 2}
        d = measure_diameters(draw_shape(partial(shape, **turn), (h, h, 30.0), shift, 12.0), (h, h, 30.0), 2).rano
        found.append((d.longest_mm - truth, d.perpendicular_mm - truth))
    return np.sqrt(np.mean(np.square(found), axis=0))


@pytest.mark.parametrize(("shape", "truth"), [(disc, 20.0), (rotated_square, 8 * 8**0.5)])
def test_errors_shrink_at_first_order(shape, truth):
    rng = np.random.default_rng(7)
    steps = 2.0 / 2.0 ** np.arange(5)
    errors = np.array([root_mean_square_errors(h, shape, truth, rng) for h in steps])
    for column in errors.T:
        slope = np.polyfit(np.log(steps), np.log(column), 1)[0]
        assert 0.8 < slope < 1.3, (slope, column)


# ---- small and odd masks ------------------------------------------------------------------------------


def test_empty_mask_has_no_diameters():
    assert measure_diameters(np.zeros((4, 5, 6), bool), (1.0, 1.0, 1.0), 0) is None


@pytest.mark.parametrize("axis", range(3))
def test_single_voxel_is_its_edge(axis):
    mask = np.zeros((4, 5, 6), bool)
    mask[1, 2, 3] = True
    spacing = (0.7, 0.9, 1.1)
    lesion = measure_diameters(mask, spacing, axis)
    least = min(s for n, s in enumerate(spacing) if n != axis)
    d = lesion.rano
    assert lesion.product == d
    assert d.longest_mm == d.perpendicular_mm == pytest.approx(EDGE_FRACTION * least)
    assert d.longest_ijk == d.perpendicular_ijk == ((1, 2, 3), (1, 2, 3))
    assert lesion.slices_seen == 1


def test_one_row():
    mask = np.zeros((3, 90, 2), bool)
    mask[1, 5:85, 0] = True
    d = measure_diameters(mask, (2.0, 0.5, 5.0), 2).rano
    assert d.longest_mm == pytest.approx(79 * 0.5 + EDGE_FRACTION * 0.5)
    assert d.perpendicular_mm == pytest.approx(EDGE_FRACTION * 0.5)


def test_the_two_readings_may_lie_on_different_slices():
    mask = np.zeros((20, 20, 4), bool)
    mask[2:18, 5, 1] = True
    mask[4:14, 4:14, 2] = True
    mask[:, :, 3] = mask[:, :, 2]
    lesion = measure_diameters(mask, (1.0, 1.0, 1.0), 2)
    assert (lesion.rano.slice_index, lesion.product.slice_index) == (1, 2)


def test_input_is_left_alone_and_order_of_memory_does_not_matter():
    mask = np.asfortranarray(np.random.default_rng(0).random((9, 8, 7)) < 0.8)
    mask.setflags(write=False)
    before = mask.copy()
    a, b = measure_diameters(mask, (1.0, 1.0, 2.0), 2), measure_diameters(before, (1.0, 1.0, 2.0), 2)
    assert a == b
    assert np.array_equal(mask, before)


@pytest.mark.parametrize(
    ("shape", "spacing", "axis"),
    [
        ((4, 4), (1.0, 1.0, 1.0), 0),
        ((4, 4, 4), (1.0, 0.0, 1.0), 0),
        ((4, 4, 4), (1.0, math.nan, 1.0), 0),
        ((4, 4, 4), (1.0, 1.0), 0),
        ((4, 4, 4), (1.0, 1.0, 1.0), 3),
        ((4, 4, 4), (1.0, 1.0, 1.0), -1),
    ],
)
def test_refusals(shape, spacing, axis):
    with pytest.raises(GeometryError, match="expected"):
        measure_diameters(np.ones(shape, bool), spacing, axis)
