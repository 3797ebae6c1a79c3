"""The nearest voxel against SciPy's distance map of the whole box."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import ndimage as ndi

from tumorboard.metrics.maps.nearest import nearest_mm

PAIRS = hnp.array_shapes(min_dims=3, max_dims=3, max_side=9).flatmap(
    lambda shape: st.tuples(hnp.arrays(bool, shape), hnp.arrays(bool, shape))
)
SPACINGS = st.tuples(*[st.floats(0.1, 9.0)] * 3)


@given(PAIRS, SPACINGS, st.permutations(range(3)))
def test_it_equals_the_distance_map(pair, spacing, order):
    targets, places = (m.transpose(order) for m in pair)
    assume(targets.any())
    expected = ndi.distance_transform_edt(~targets, sampling=spacing)[places]
    assert nearest_mm(targets, places, spacing) == pytest.approx(expected, rel=1e-12)


@given(st.integers(0, 999), st.sampled_from([(1.0, 1.0, 1.0), (0.9375, 0.9375, 5.0), (4.0, 1.0, 0.5)]))
def test_few_targets_far_away_too(seed, spacing):
    rng = np.random.default_rng(seed)
    targets, places = np.zeros((25, 21, 17), bool), rng.random((25, 21, 17)) < 0.05
    targets[tuple(rng.integers(0, n, 2) for n in targets.shape)] = True
    expected = ndi.distance_transform_edt(~targets, sampling=spacing)[places]
    assert nearest_mm(targets, places, spacing) == pytest.approx(expected, rel=1e-12)


def test_no_target_is_infinitely_far_and_no_place_asks_nothing():
    none, every = np.zeros((2, 3, 4), bool), np.ones((2, 3, 4), bool)
    assert np.isinf(nearest_mm(none, every, (1.0, 1.0, 1.0))).all()
    assert nearest_mm(every, none, (1.0, 1.0, 1.0)).shape == (0,)
    assert (nearest_mm(every, every, (1.0, 1.0, 1.0)) == 0).all()
