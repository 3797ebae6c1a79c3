"""Dice and its neighbours: what is declared for empty masks, and what any ratio of overlaps must obey."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tumorboard.errors import GeometryError
from tumorboard.metrics.maps.overlap import dice, precision, sensitivity, volume_difference_ml

EMPTY, ONE = np.zeros((3, 4, 5), bool), np.zeros((3, 4, 5), bool)
ONE[1, 2, 3] = True

PAIRS = hnp.array_shapes(min_dims=3, max_dims=3, max_side=5).flatmap(
    lambda shape: st.tuples(hnp.arrays(bool, shape), hnp.arrays(bool, shape))
)


@pytest.mark.parametrize(
    ("ref", "pred", "expected"),
    [
        (EMPTY, EMPTY, (1.0, 1.0, 1.0)),
        (EMPTY, ONE, (0.0, None, 0.0)),
        (ONE, EMPTY, (0.0, 0.0, None)),
        (ONE, ONE, (1.0, 1.0, 1.0)),
        (ONE, ~ONE, (0.0, 0.0, 0.0)),
    ],
)
def test_what_an_empty_mask_means(ref, pred, expected):
    assert (dice(ref, pred), sensitivity(ref, pred), precision(ref, pred)) == expected


@given(PAIRS)
def test_dice_is_symmetric_and_the_harmonic_mean_of_sensitivity_and_precision(pair):
    a, b = pair
    assert dice(a, b) == dice(b, a)
    assert 0.0 <= dice(a, b) <= 1.0
    assert dice(a, a) == 1.0
    s, p = sensitivity(a, b), precision(a, b)
    if s and p:
        assert dice(a, b) == pytest.approx(2 * s * p / (s + p))
    assert sensitivity(a, b) == precision(b, a)


@given(PAIRS, st.floats(1e-4, 0.1))
def test_the_volume_difference_changes_sign_with_the_order(pair, voxel_ml):
    a, b = pair
    assert volume_difference_ml(a, b, voxel_ml) == -volume_difference_ml(b, a, voxel_ml)
    assert volume_difference_ml(a, b, voxel_ml) == pytest.approx((b.sum() - float(a.sum())) * voxel_ml)


def test_labels_of_uint8_do_not_overflow():
    ref = np.full((10, 10, 10), 255, np.uint8)
    assert dice(ref, ref) == 1.0
    assert volume_difference_ml(np.zeros_like(ref), ref, 0.001) == pytest.approx(1.0)


@pytest.mark.parametrize("metric", [dice, sensitivity, precision])
def test_shapes_that_differ_are_refused(metric):
    with pytest.raises(GeometryError, match=r"\(3, 4, 5\).*\(3, 4, 1\)"):
        metric(EMPTY, np.zeros((3, 4, 1), bool))
