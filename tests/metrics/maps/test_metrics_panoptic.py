"""Panoptic quality by hand, and what it must obey."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tumorboard.errors import GeometryError, InputError, LabelError
from tumorboard.metrics.maps.panoptic import PanopticQuality, panoptic_quality

MAPS = hnp.array_shapes(min_dims=3, max_dims=3, max_side=5).flatmap(
    lambda shape: st.tuples(*[hnp.arrays(np.uint8, shape, elements=st.integers(0, 5))] * 2)
)
THRESHOLDS = st.sampled_from([0.0, 0.1, 0.3, 0.5, 0.75])


def row(*numbers):
    return np.array([[numbers]])


def test_the_formula_by_hand():
    """Instances 1 (IoU 3/4) and 2 (IoU 1) match; 3 is missed; 9 is invented: PQ = (3/4 + 1) / (2 + 1/2 + 1/2)."""
    ref = row(1, 1, 1, 1, 0, 2, 2, 0, 3, 3, 0, 0)
    pred = row(0, 5, 5, 5, 0, 6, 6, 0, 0, 0, 9, 9)
    found = panoptic_quality(ref, pred)
    assert found.pq == pytest.approx(1.75 / 3)
    assert found.rq == pytest.approx(2 / 3)
    assert found.sq == pytest.approx(0.875)
    assert [(m.ref, m.pred, m.iou) for m in found.matches] == [(1, 5, 0.75), (2, 6, 1.0)]
    assert (found.missed, found.invented) == (1, 1)


def test_an_overlap_of_just_the_threshold_does_not_recognise():
    found = panoptic_quality(row(1, 1), row(1, 0))
    assert (found.pq, found.rq, found.sq, found.missed, found.invented) == (0.0, 0.0, None, 1, 1)
    assert panoptic_quality(row(1, 1), row(1, 0), threshold=0.49).pq == 0.5


def test_below_a_half_each_instance_has_one_partner_and_the_largest_sum_wins():
    """One instance in two halves of 4 and 3 voxels: the larger takes it, the other is invented."""
    found = panoptic_quality(row(*[1] * 7), row(*[1] * 4, *[2] * 3), threshold=0.1)
    assert [(m.ref, m.pred) for m in found.matches] == [(1, 1)]
    assert found.invented == 1
    assert found.pq == pytest.approx((4 / 7) / 1.5)


def test_what_an_empty_map_means():
    empty, one = row(0, 0), row(0, 4)
    assert [getattr(panoptic_quality(empty, empty), n) for n in ("pq", "rq", "sq")] == [1.0, 1.0, 1.0]
    for pair in ((empty, one), (one, empty)):
        found = panoptic_quality(*pair)
        assert (found.pq, found.rq, found.sq) == (0.0, 0.0, None)


@given(MAPS, THRESHOLDS)
def test_order_and_numbers_change_nothing(pair, threshold):
    a, b = pair
    found = panoptic_quality(a, b, threshold)
    back = panoptic_quality(b, a, threshold)
    named = panoptic_quality(a.astype(int) * 1000, np.where(b > 0, 9 - b.astype(int), 0), threshold)
    for other in (back, named):
        assert (other.pq, other.rq, other.sq) == pytest.approx((found.pq, found.rq, found.sq))
    assert (back.missed, back.invented) == (found.invented, found.missed)


@given(MAPS, THRESHOLDS)
def test_identity_is_perfect_and_the_product_holds(pair, threshold):
    a, b = pair
    same = panoptic_quality(a, a, threshold)
    assert (same.pq, same.rq, same.sq) == (1.0, 1.0, 1.0)
    found = panoptic_quality(a, b, threshold)
    assert found.pq == pytest.approx(found.rq * (found.sq or 0.0))
    assert 0.0 <= found.pq <= found.rq <= 1.0
    assert all(m.iou > threshold for m in found.matches)
    assert len({m.ref for m in found.matches}) == len({m.pred for m in found.matches}) == len(found.matches)
    assert len(found.matches) + found.missed == len(set(np.unique(a)) - {0})


@given(MAPS)
def test_a_stricter_threshold_recognises_no_more(pair):
    assert panoptic_quality(*pair, 0.5).rq >= panoptic_quality(*pair, 0.75).rq


def test_what_cannot_be_is_refused():
    with pytest.raises(InputError, match=r"from 0 to below 1"):
        panoptic_quality(row(1), row(1), threshold=1.0)
    with pytest.raises(GeometryError, match="shape"):
        panoptic_quality(row(1), row(1, 1))
    with pytest.raises(LabelError, match="prediction"):
        panoptic_quality(row(1), row(0.5))


def test_the_quality_survives_json():
    found = panoptic_quality(row(1, 1, 0), row(1, 1, 1))
    assert PanopticQuality.model_validate_json(found.model_dump_json()) == found
