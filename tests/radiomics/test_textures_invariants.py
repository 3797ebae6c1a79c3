"""What a texture must not depend on: how the patient lay, where in the box, and how arrays lie in memory."""

from __future__ import annotations

from operator import methodcaller

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tumorboard.radiomics.families import glcm, gldzm, glrlm, glszm, ngldm, ngtdm
from tumorboard.radiomics.region import Binned, Region

FAMILIES = [module.FAMILY for module in (glcm, glrlm, glszm, gldzm, ngtdm, ngldm)]
LEVELS = hnp.arrays(np.int32, st.tuples(*[st.integers(1, 5)] * 3), elements=st.sampled_from([0, 1, 2, 3, 6])).filter(
    np.any
)


def values(levels, whole, keep):
    """All texture features of the ways that pass."""
    region = Region(levels * 1.0, levels > 0, whole, (1.0, 1.0, 1.0), Binned(levels, 6, 1.0, 0.5))
    return {f.tag(n, w): v for f in FAMILIES for w in f.ways if keep(w) for n, v in f.compute(region, w).items()}


def same(one, other):
    assert one == pytest.approx(other, rel=1e-9, abs=1e-9, nan_ok=True)


@given(LEVELS, st.permutations(range(3)), st.sets(st.integers(0, 2)), st.randoms(use_true_random=False))
def test_turns_and_flips_change_nothing_in_space(levels, order, flipped, random):
    whole = (levels > 0) | np.array([random.random() < 0.3 for _ in range(levels.size)]).reshape(levels.shape)
    turned = [np.flip(x.transpose(order), tuple(flipped)) for x in (levels, whole)]
    keep = methodcaller("startswith", "3D")
    same(values(levels, whole, keep), values(*turned, keep))


@given(LEVELS, st.booleans(), st.sets(st.integers(0, 2)))
def test_turns_and_flips_within_slices_change_nothing_in_slices(levels, swapped, flipped):
    turned = np.flip(levels.swapaxes(0, 1) if swapped else levels, tuple(flipped))
    keep = methodcaller("startswith", "2")
    same(values(levels, levels > 0, keep), values(turned, turned > 0, keep))


@given(LEVELS, st.tuples(*[st.tuples(st.integers(0, 2), st.integers(0, 2))] * 3))
def test_the_place_in_the_box_changes_nothing(levels, margins):
    wide = np.pad(levels, margins)
    assert np.array_equal(
        list(values(levels, levels > 0, bool).values()), list(values(wide, wide > 0, bool).values()), equal_nan=True
    )


@given(LEVELS)
def test_the_order_of_memory_changes_nothing(levels):
    other = np.asfortranarray(levels)
    assert np.array_equal(
        list(values(levels, levels > 0, bool).values()), list(values(other, other > 0, bool).values()), equal_nan=True
    )


@given(LEVELS)
def test_the_order_of_slices_changes_nothing_where_they_stand_alone(levels):
    shuffled = levels[:, :, ::-1]
    keep = methodcaller("startswith", "2")
    same(values(levels, levels > 0, keep), values(shuffled, shuffled > 0, keep))


@given(LEVELS, st.integers(1, 5))
def test_a_shift_of_levels_moves_only_what_names_them(levels, by):
    shifted = np.where(levels > 0, levels + by, 0).astype(np.int32)
    one, other = (values(x, x > 0, lambda way: way == "3D_comb") for x in (levels, shifted))
    moving = ("joint_avg", "sum_avg", "auto_corr", "lgre", "hgre", "lge", "hge")
    kept = [k for k in one if not any(m in k for m in moving)]
    same({k: one[k] for k in kept}, {k: other[k] for k in kept})
    assert other["cm_joint_avg_3D_comb"] == pytest.approx(one["cm_joint_avg_3D_comb"] + by, nan_ok=True)
