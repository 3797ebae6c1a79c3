"""Parts and their meetings."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tumorboard.errors import GeometryError, LabelError
from tumorboard.metrics.maps.components import as_numbers, components, shared_voxels

MAPS = hnp.array_shapes(min_dims=3, max_dims=3, max_side=5).flatmap(
    lambda shape: st.tuples(*[hnp.arrays(np.int64, shape, elements=st.integers(0, 4))] * 2)
)


@given(MAPS)
def test_meetings_equal_counting_one_by_one(pair):
    a, b = pair
    pairs, counts = shared_voxels(a, b)
    expected = {(i, j): int(((a == i) & (b == j)).sum()) for i in range(1, 5) for j in range(1, 5)}
    assert {tuple(p): c for p, c in zip(pairs.tolist(), counts.tolist(), strict=True)} == {
        p: c for p, c in expected.items() if c
    }


def test_corners_join_and_gaps_do_not():
    mask = np.zeros((5, 5, 5), bool)
    mask[0, 0, 0] = mask[1, 1, 1] = mask[4, 4, 4] = True
    assert np.unique(components(mask)).tolist() == [0, 1, 2]
    assert components(np.zeros((2, 3, 4), bool)).max() == 0
    assert components(np.indices((1, 1, 99))[2] % 2 == 0).max() == 50


@pytest.mark.parametrize("wrong", [[[[0.5]]], [[[-1]]], [[["a"]]], [[[np.nan]]]])
def test_what_is_no_number_of_an_instance_is_refused(wrong):
    with pytest.raises(LabelError, match=r"reference: .*whole numbers"):
        as_numbers(wrong, "reference")


def test_maps_on_two_grids_are_refused():
    with pytest.raises(GeometryError, match="shape"):
        shared_voxels(np.ones((2, 2, 2), int), np.ones((2, 2, 1), int))
