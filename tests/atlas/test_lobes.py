"""The lobe table: complete, sane, coarse."""

from __future__ import annotations

import csv

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tumorboard.atlas.icbm152 import icbm152, nilearn_data
from tumorboard.atlas.lobes import CORRECTED, LOBE_OF_LABEL, Lobe, dosenbach_160, nearest_lobe
from tumorboard.errors import GeometryError

COORDINATES, LABELS, LOBES = dosenbach_160()

BOXES = {
    Lobe.FRONTAL: ((-65, 65), (-23, 70), (-20, 65)),
    Lobe.PARIETAL: ((-60, 60), (-75, -8), (15, 70)),
    Lobe.TEMPORAL: ((-65, 65), (-65, -8), (-25, 25)),
    Lobe.OCCIPITAL: ((-50, 50), (-100, -45), (-15, 45)),
    Lobe.INSULA: ((-45, 45), (-30, 25), (-8, 20)),
    Lobe.CINGULATE: ((-15, 15), (-60, 45), (0, 42)),
    Lobe.DEEP_GREY: ((-22, 22), (-35, 10), (-6, 15)),
    Lobe.CEREBELLUM: ((-40, 40), (-85, -40), (-40, -8)),
}


def test_all_160_points_have_a_lobe_and_every_lobe_has_points():
    assert COORDINATES.shape == (160, 3)
    assert len(LABELS) == len(LOBES) == 160
    assert set(LOBES) == set(Lobe)


def test_no_word_of_the_table_is_missing_and_none_is_idle():
    with nilearn_data("dosenbach_2010.csv").open(encoding="utf-8") as stream:
        words = {row["name"] for row in csv.DictReader(stream)}
    assert words == set(LOBE_OF_LABEL)


@pytest.mark.parametrize("n", range(160))
def test_each_point_lies_where_its_lobe_can_be(n):
    box = BOXES[LOBES[n]]
    assert all(low <= c <= high for c, (low, high) in zip(COORDINATES[n], box, strict=True)), (
        LABELS[n],
        COORDINATES[n],
    )


def test_corrections_name_real_points_and_change_them():
    table = {tuple(int(v) for v in c): label for c, label in zip(COORDINATES, LABELS, strict=True)}
    assert set(CORRECTED) <= set(table)
    assert all(LOBE_OF_LABEL[table[point]] is not lobe for point, lobe in CORRECTED.items())


@pytest.mark.parametrize(
    ("place", "lobe", "side"),
    [
        ((-45, 30, 20), Lobe.FRONTAL, "left"),
        ((40, -15, 58), Lobe.FRONTAL, "right"),
        ((50, -45, 45), Lobe.PARIETAL, "right"),
        ((-55, -30, -10), Lobe.TEMPORAL, "left"),
        ((0, -85, 5), Lobe.OCCIPITAL, "midline"),
        ((38, 5, 0), Lobe.INSULA, "right"),
        ((-12, -15, 8), Lobe.DEEP_GREY, "left"),
        ((30, -65, -35), Lobe.CEREBELLUM, "right"),
    ],
)
def test_textbook_places(place, lobe, side):
    guess = nearest_lobe(place)
    assert guess.side == side
    if place != (40, -15, 58):  # between two points of either bank of the central sulcus: only the side is certain
        assert guess.lobe is lobe
    else:
        assert guess.lobe in {Lobe.FRONTAL, Lobe.PARIETAL}


@given(st.tuples(*[st.floats(-110, 110)] * 3))
def test_nearest_is_nearest(place):
    guess = nearest_lobe(place)
    distances = np.linalg.norm(COORDINATES - np.array(place), axis=1)
    assert guess.distance_mm == distances.min()
    assert guess.label in LABELS


@given(st.integers(0, 159))
def test_a_point_finds_itself(n):
    guess = nearest_lobe(COORDINATES[n])
    assert guess.distance_mm == 0
    assert (guess.label, guess.lobe) == (LABELS[n], LOBES[n])


def test_points_lie_in_the_brain():
    atlas = icbm152(4.0)
    i, j, k = atlas.grid.to_voxel(COORDINATES).round().astype(int).T
    assert atlas.brain.data[i, j, k].mean() > 0.97


@pytest.mark.parametrize("place", [(1.0, 2.0), (np.nan, 0, 0), (0, np.inf, 0), [[0, 0, 0]]])
def test_what_is_no_place_is_refused(place):
    with pytest.raises(GeometryError, match="three finite coordinates"):
        nearest_lobe(place)
