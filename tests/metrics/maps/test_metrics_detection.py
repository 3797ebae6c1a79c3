"""Which detection hits which lesion: parts, points, thick slices, oblique grids."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tumorboard.errors import GeometryError, InputError, LabelError
from tumorboard.metrics.maps.detection import Case, Found, match
from tumorboard.volume import Grid

SHAPE = (30, 20, 12)


def lesions(*cubes):
    numbers = np.zeros(SHAPE, int)
    for n, (i, j, k, size) in enumerate(cubes, 1):
        numbers[i : i + size, j : j + size, k : k + size] = n
    return numbers


def grid(*spacing, origin=(0.0, 0.0, 0.0)):
    affine = np.diag([*(spacing or (1.0, 1.0, 1.0)), 1.0])
    affine[:3, 3] = origin
    return Grid(SHAPE, affine)


def test_a_part_hits_by_one_voxel_and_every_lesion_it_shares_one_with():
    numbers = lesions((2, 2, 2, 3), (10, 2, 2, 3), (20, 2, 2, 3))
    parts = np.zeros(SHAPE, int)
    parts[4:11, 4, 4] = 7  # a rod from the first to the second
    parts[25:27, 15, 8] = 8
    hits = match(Case(numbers, grid(), (Found(0.6, number=7), Found(0.9, number=8)), parts))
    assert hits.scores.tolist() == [0.6, 0.6, -np.inf]
    assert hits.false_scores.tolist() == [0.9]


def test_a_part_that_only_touches_is_a_false_positive():
    parts = np.zeros(SHAPE, int)
    parts[5, 2, 2] = 1
    hits = match(Case(lesions((2, 2, 2, 3)), grid(), (Found(0.5, number=1),), parts))
    assert (hits.scores.tolist(), hits.false_scores.tolist()) == ([-np.inf], [0.5])


def test_further_detections_of_a_lesion_are_neither():
    found = tuple(Found(s, centre_mm=(3.0, 3.0, 3.0)) for s in (0.2, 0.8, 0.5))
    hits = match(Case(lesions((2, 2, 2, 3)), grid(), found))
    assert (hits.scores.tolist(), hits.false_scores.tolist()) == ([0.8], [])


@pytest.mark.parametrize(("away", "hit"), [(2.0, True), (2.01, False)])
def test_a_small_lesion_is_hit_within_two_mm(away, hit):
    hits = match(Case(lesions((5, 5, 5, 1)), grid(), (Found(1.0, centre_mm=(5.0 + away, 5.0, 5.0)),)))
    assert np.isfinite(hits.scores).all() == hit


def test_a_large_lesion_is_hit_within_its_radius():
    """Nine voxels of 1 mm a side: the ball of 729 mm³ has a radius of 5.583 mm."""
    case = [Case(lesions((5, 5, 1, 9)), grid(), (Found(1.0, centre_mm=(9.0 + d, 9.0, 5.0)),)) for d in (5.58, 5.59)]
    assert [bool(np.isfinite(match(c).scores)[0]) for c in case] == [True, False]
    assert match(case[0]).diameters_mm == pytest.approx([2 * np.cbrt(3 * 729 / (4 * np.pi))])


def test_spacing_and_origin_are_those_of_the_grid():
    """A single voxel of 0.5 x 0.5 x 5 mm; its centre is in RAS mm, not in voxels."""
    there = grid(0.5, 0.5, 5.0, origin=(-100.0, 20.0, 7.0))
    case = Case(lesions((4, 6, 3, 1)), there, (Found(1.0, centre_mm=(-98.0, 23.0, 22.0)),))
    hits = match(case)
    assert hits.scores.tolist() == [1.0]
    assert hits.diameters_mm == pytest.approx([np.cbrt(6 * 1.25 / np.pi)])


@given(st.integers(0, 999), st.permutations(range(3)))
def test_turning_the_grid_changes_nothing(seed, order):
    rng = np.random.default_rng(seed)
    numbers = lesions((2, 3, 1, 4), (12, 10, 6, 2), (24, 4, 5, 1))
    there = grid(0.8, 1.1, 3.0, origin=(5.0, -3.0, 1.0))
    found = tuple(
        Found(float(s), centre_mm=tuple(p)) for s, p in zip(rng.random(9), rng.random((9, 3)) * 20, strict=True)
    )
    turned = there.affine[:, [*order, 3]]
    other = Grid(tuple(SHAPE[n] for n in order), turned)
    one, two = match(Case(numbers, there, found)), match(Case(numbers.transpose(order), other, found))
    assert one.scores.tolist() == two.scores.tolist()
    assert one.diameters_mm == pytest.approx(two.diameters_mm)
    assert one.false_scores.tolist() == two.false_scores.tolist()


def test_nothing_found_and_nothing_there():
    assert match(Case(lesions(), grid())).scores.shape == (0,)
    assert match(Case(lesions((2, 2, 2, 2)), grid())).scores.tolist() == [-np.inf]
    healthy = match(Case(lesions(), grid(), (Found(0.1, centre_mm=(1.0, 1.0, 1.0)),)))
    assert (healthy.scores.shape, healthy.false_scores.tolist()) == ((0,), [0.1])


def test_parts_and_points_can_stand_side_by_side():
    parts = np.zeros(SHAPE, int)
    parts[2, 2, 2] = 1
    found = (Found(0.4, number=1), Found(0.7, centre_mm=(11.0, 3.0, 3.0)))
    hits = match(Case(lesions((2, 2, 2, 3), (10, 2, 2, 3)), grid(), found, parts))
    assert hits.scores.tolist() == [0.4, 0.7]


def test_what_cannot_be_is_refused():
    for wrong in ({}, {"number": 1, "centre_mm": (0.0, 0.0, 0.0)}):
        with pytest.raises(InputError, match="a number or a centre"):
            Found(0.5, **wrong)
    for score, centre in ((np.nan, (0.0, 0.0, 0.0)), (0.5, (0.0, np.inf, 0.0))):
        with pytest.raises(InputError, match="finite score and place"):
            Found(score, centre_mm=centre)
    with pytest.raises(InputError, match=r"numbers \[3\]"):
        Case(lesions(), grid(), (Found(0.5, number=3),), lesions((1, 1, 1, 2)))
    with pytest.raises(InputError, match=r"numbers \[1\]"):
        Case(lesions(), grid(), (Found(0.5, number=1),))
    with pytest.raises(GeometryError, match="detections: expected a map of shape"):
        Case(lesions(), grid(), (), np.zeros((2, 2, 2), int))
    with pytest.raises(LabelError, match="reference"):
        Case(lesions() - 1, grid())
