"""Matrices against what anybody would write down, by hand or with loops over every voxel and neighbour."""

from __future__ import annotations

from collections import Counter
from itertools import product

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import ndimage

from tumorboard.radiomics.matrices.border_distance import border_distances
from tumorboard.radiomics.matrices.cooccurrence import cooccurrences
from tumorboard.radiomics.matrices.directions import directions, steps
from tumorboard.radiomics.matrices.neighbours import surrounds
from tumorboard.radiomics.matrices.runs import run_lengths
from tumorboard.radiomics.matrices.shared import by_direction, kept, packed, parts
from tumorboard.radiomics.matrices.zones import distance_zones, size_zones, zones
from tumorboard.radiomics.pyradiomics.features import co_occurrence
from tumorboard.radiomics.region import Binned, Region

SHAPES = st.tuples(st.integers(1, 5), st.integers(1, 5), st.integers(1, 4))
LEVELS = SHAPES.flatmap(lambda shape: hnp.arrays(np.int32, shape, elements=st.sampled_from([0, 1, 2, 3, 7])))


def region_of(levels, whole=None):
    levels = np.asarray(levels, dtype=np.int32)
    inside = levels > 0
    outline = inside if whole is None else whole
    return Region(levels.astype(float), inside, outline, (1.0, 1.0, 1.0), Binned(levels, int(levels.max()), 1.0, 0.5))


def at(levels, place):
    """Grey level at a place, 0 beyond the box."""
    return int(levels[place]) if all(0 <= p < n for p, n in zip(place, levels.shape, strict=True)) else 0


def moved(place, step, by=1):
    return tuple(p + by * s for p, s in zip(place, step, strict=True))


def test_half_of_the_neighbours_are_directions():
    for planar, count in ((True, 8), (False, 26)):
        half = directions(planar)
        both = set(half) | {moved((0, 0, 0), d, -1) for d in half}
        assert len(both) == count == 2 * len(half)
        assert all(max(abs(x) for x in d) == 1 and not (planar and d[2]) for d in both)
        assert (steps((5, 6, 7), planar) > 0).all()


def test_packing_keeps_levels_slices_and_an_empty_border():
    levels = np.zeros((4, 5, 6), dtype=np.int32)
    levels[1, 2, 3], levels[3, 4, 3], levels[2, 2, 5] = 9, 4, 9
    box = packed(region_of(levels))
    assert box.shape == (5, 5, 5)
    assert box.levels.tolist() == [4, 9]
    assert box.starts.tolist() == [0, 2, 3]  # the slice between has no voxel
    cells = box.cells.reshape(box.shape)
    assert np.array_equal(cells[1:-1, 1:-1, 1:-1].transpose(1, 2, 0), np.searchsorted([0, 4, 9], levels[1:, 2:, 3:]))
    assert cells.sum() == cells[1:-1, 1:-1, 1:-1].sum()
    assert [len(p) for p in parts(region_of(levels), "2D_avg")] == [2, 1]


def test_results_are_kept_with_their_region_only():
    one, other = region_of([[[1, 2]]]), region_of([[[1, 2]]])
    assert kept(one, "x", lambda: [1]) is kept(one, "x", lambda: [2])
    assert kept(other, "x", lambda: [2]) == [2]
    assert packed(one) is packed(one)


def test_cooccurrence_by_hand():
    levels = np.array([[1, 1, 2], [3, 1, 2]])[:, :, None]
    found = next(by_direction(region_of(levels), "3D_comb", cooccurrences))[0][0]
    # along the rows 11 12 31 12, down 13 11 22, along the diagonals 11 12 and 13 12
    assert found.tolist() == [[6, 4, 3], [4, 2, 0], [3, 0, 0]]


@given(LEVELS)
def test_cooccurrence_counts_every_pair_both_ways(levels):
    region = region_of(levels)
    for planar, way in ((True, "2_5D_avg"), (False, "3D_avg")):
        for matrices, voxels in by_direction(region, way, cooccurrences):
            assert voxels == (levels > 0).sum()
            present = np.unique(levels[levels > 0]).tolist()
            for matrix, step in zip(matrices, directions(planar), strict=True):
                pairs = Counter()
                for place in np.ndindex(levels.shape):
                    a, b = at(levels, place), at(levels, moved(place, step))
                    if a and b:
                        pairs[a, b] += 1
                        pairs[b, a] += 1
                assert matrix.tolist() == [[pairs[a, b] for b in present] for a in present]


def test_runs_by_hand():
    levels = np.array([[1, 1, 2, 2, 2], [1, 0, 1, 2, 1]])[:, :, None]
    rows, _, columns, _ = run_lengths(packed(region_of(levels)), packed(region_of(levels)).voxels, planar=True)
    assert rows.tolist() == [[3, 1, 0, 0, 0], [1, 0, 1, 0, 0]]
    assert columns.tolist() == [[3, 1, 0, 0, 0], [2, 1, 0, 0, 0]]


@given(LEVELS)
def test_runs_end_where_the_level_changes(levels):
    region = region_of(levels)
    present = np.unique(levels[levels > 0]).tolist()
    for planar, way in ((True, "2_5D_avg"), (False, "3D_avg")):
        for matrices, _ in by_direction(region, way, run_lengths):
            for matrix, step in zip(matrices, directions(planar), strict=True):
                runs = Counter()
                for place in np.ndindex(levels.shape):
                    level = at(levels, place)
                    if level and at(levels, moved(place, step, -1)) != level:
                        length = 1
                        while at(levels, moved(place, step, length)) == level:
                            length += 1
                        runs[level, length] += 1
                expected = [[runs[a, n] for n in range(1, matrix.shape[1] + 1)] for a in present]
                assert matrix.tolist() == expected
                assert (matrix @ np.arange(1, matrix.shape[1] + 1)).sum() == (levels > 0).sum()


@given(LEVELS)
def test_slices_add_up_to_all_slices_in_every_direction(levels):
    region = region_of(levels)
    for count in (cooccurrences, run_lengths):
        apart = [m for m, _ in by_direction(region, "2D_avg", count)]
        together = [m for m, _ in by_direction(region, "2_5D_avg", count)]
        assert len(apart) == sum(plane.any() for plane in np.moveaxis(levels, 2, 0))
        assert np.array_equal(sum(apart), together[0] if together else 0)


@given(LEVELS)
def test_merging_directions_adds_their_matrices(levels):
    region = region_of(levels)
    for count, way in product((cooccurrences, run_lengths), ("2D", "2_5D", "3D")):
        apart, together = by_direction(region, f"{way}_avg", count), by_direction(region, f"{way}_comb", count)
        for (matrices, n), (merged, m) in zip(apart, together, strict=True):
            assert np.array_equal(matrices.sum(axis=0), merged[0])
            assert m == n * len(matrices)


@given(LEVELS)
def test_zones_are_connected_voxels_of_one_level(levels):
    for planar in (True, False):
        cross = np.ones((3, 3, 3))
        if planar:
            cross[:, :, [0, 2]] = 0
        found = Counter()
        for level in np.unique(levels[levels > 0]):
            numbers, count = ndimage.label(levels == level, cross)
            found.update((int(level), int((numbers == n).sum())) for n in range(1, count + 1))
        got = zones(region_of(levels), planar)
        present = packed(region_of(levels)).levels
        assert Counter(zip(present[got.row].tolist(), got.size.tolist(), strict=True)) == found


def test_a_zone_that_closes_late_is_one():
    u = np.array([[1, 2, 1], [1, 2, 1], [1, 1, 1]])[:, :, None]
    ((table, sizes, voxels),) = size_zones(region_of(u), "3D")
    assert (table.tolist(), sizes.tolist(), voxels) == ([[[0, 1], [1, 0]]], [2, 7], 9)
    ring = np.array([[2, 2, 2], [2, 1, 2], [2, 2, 2]])[:, :, None]
    assert zones(region_of(np.concatenate([u, ring], axis=2)), planar=True).size.tolist() == [7, 2, 8, 1]
    assert zones(region_of(np.concatenate([u, ring], axis=2)), planar=False).size.tolist() == [8, 10]


def test_zone_tables_of_slices_stay_apart():
    levels = np.array([[[1, 0, 2, 1], [1, 0, 2, 1]]])
    tables = [(t[0].tolist(), s.tolist(), n) for t, s, n in size_zones(region_of(levels), "2D")]
    assert tables == [([[1], [0]], [2], 2), ([[0], [1]], [2], 2), ([[1], [0]], [2], 2)]
    ((table, sizes, voxels),) = size_zones(region_of(levels), "2_5D")
    assert (table.tolist(), sizes.tolist(), voxels) == ([[[2], [1]]], [2], 6)


@given(hnp.arrays(np.bool_, SHAPES), st.booleans())
def test_distance_to_the_border_counts_erosions(mask, planar):
    cross = ndimage.generate_binary_structure(3, 1)
    if planar:
        cross[1, 1, [0, 2]] = False
    expected, left = np.zeros(mask.shape, dtype=int), mask
    while left.any():
        expected += left
        left = ndimage.binary_erosion(left, cross)
    box = packed(region_of(mask))
    got = border_distances(box, planar).reshape(box.shape)[1:-1, 1:-1, 1:-1].transpose(1, 2, 0)
    hit = np.argwhere(mask)
    if len(hit):
        low, high = hit.min(axis=0), hit.max(axis=0) + 1
        assert np.array_equal(got, expected[tuple(slice(a, b) for a, b in zip(low, high, strict=True))])


def test_distance_is_to_the_border_of_the_outline_not_of_the_intensities():
    levels = np.ones((7, 7, 1), dtype=np.int32)
    levels[3, 3] = 0  # lost to re-segmentation
    levels[2, 2] = 2
    ((table, distances, _),) = distance_zones(region_of(levels, np.ones((7, 7, 1), bool)), "2D")
    assert (table[0].tolist(), distances.tolist()) == ([[1, 0], [0, 1]], [1, 3])
    ((_, distances, _),) = distance_zones(region_of(levels), "2D")
    assert distances.tolist() == [1, 2]
    ((_, distances, _),) = distance_zones(region_of(levels, np.ones((7, 7, 1), bool)), "3D")
    assert distances.tolist() == [1]


def test_an_intensity_outside_the_outline_counts_as_inside_it():
    levels = np.array([[[1], [2], [3]]])
    ((table, distances, _),) = distance_zones(region_of(levels, levels == 2), "2D")
    assert (table[0].tolist(), distances.tolist()) == ([[1], [1], [1]], [1])


@given(LEVELS)
def test_surrounds_look_at_every_neighbour(levels):
    for way, planar in (("2_5D", True), ("3D", False)):
        both = [d for half in directions(planar) for d in (half, moved((0, 0, 0), half, -1))]
        counted, difference, dependence = Counter(), Counter(), Counter()
        for place in np.argwhere(levels > 0):
            level = at(levels, tuple(place))
            around = [n for d in both if (n := at(levels, moved(place, d)))]
            dependence[level, 1 + around.count(level)] += 1
            if around:
                counted[level] += 1
                difference[level] += abs(level - np.mean(around))
        present = np.unique(levels[levels > 0]).tolist()
        for got in surrounds(region_of(levels), way):
            assert got.counted.tolist() == [counted[a] for a in present]
            assert got.difference == pytest.approx([difference[a] for a in present])
            columns = range(1, len(both) + 2)
            assert got.dependence.tolist() == [[dependence[a, n] for n in columns] for a in present]


def test_neighbourhoods_of_slices_add_up():
    levels = np.random.default_rng(1).integers(0, 4, (5, 4, 3))
    apart, (together,) = surrounds(region_of(levels), "2D"), surrounds(region_of(levels), "2_5D")
    assert len(apart) == 3
    assert np.array_equal(sum(a.dependence for a in apart), together.dependence)
    assert sum(a.difference for a in apart) == pytest.approx(together.difference)


@given(LEVELS)
def test_maximal_correlation_is_haralicks(levels):
    assume(levels.any())  # an empty region is refused before any class is computed
    matrices = [m for found, _ in by_direction(region_of(levels), "3D_avg", cooccurrences) for m in found if m.any()]
    got = co_occurrence(region_of(levels))["MCC"]
    if not matrices:
        assert np.isnan(got)
        return
    if len(matrices[0]) == 1:
        assert got == 1.0
        return
    coefficients = []
    for matrix in matrices:
        p = matrix / matrix.sum()
        row = np.where(p.sum(axis=1) > 0, p.sum(axis=1), 1.0)
        q = (p[:, None, :] * p[None, :, :] / (row[:, None, None] * row[None, None, :])).sum(axis=2)
        coefficients.append(np.sqrt(max(np.sort(np.linalg.eigvals(q).real)[-2], 0.0)))
    assert got == pytest.approx(np.mean(coefficients), abs=1e-6)
