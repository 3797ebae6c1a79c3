"""The digital head: warped without folds, tissue that adds up."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tumorboard.atlas.icbm152 import icbm152
from tumorboard.simulate.body.anatomy import AnatomyParameters, draw_anatomy, draw_warp
from tumorboard.simulate.body.vessels import dorsal_midline, plexus_fraction, vessel_fraction
from tumorboard.simulate.fields import control_shape, smooth_field, spread
from tumorboard.volume import Grid


def jacobian(mm, spacing):
    rows = [np.stack(np.gradient(mm[c].astype(np.float64), *spacing), axis=-1) for c in range(3)]
    return np.linalg.det(np.stack(rows, axis=-2))


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0.0, 40.0), st.floats(0.0, 15.0))
def test_no_warp_folds_however_wild_its_control_points(seed, coarse_sd, fine_sd):
    wild = AnatomyParameters(warps_mm=((40.0, coarse_sd), (14.0, fine_sd)))
    grid = icbm152(4.0).grid
    assert jacobian(draw_warp(grid, np.random.default_rng(seed), wild), grid.spacing_mm).min() > 0


def test_without_differences_the_head_is_the_average():
    still = AnatomyParameters((1.0, 1.0), 0.0, warps_mm=(), fluid_gain=1.0, ventricles=(0.0, 0.0), sharpness=1.0)
    head, atlas = draw_anatomy(np.random.default_rng(0), 4.0, still), icbm152(4.0)
    inner = head.brain
    np.testing.assert_allclose(head.gm[inner], atlas.gm.data[inner], atol=2e-3)
    np.testing.assert_array_equal(head.ventricles, atlas.ventricles.data)
    centre = head.grid.to_world([[10, 20, 30]])[0]
    np.testing.assert_allclose(head.mni_mm[:, 10, 20, 30], centre, atol=1e-3)


def test_tissue_adds_up_and_is_zero_outside(head):
    total = head.gm + head.wm + head.csf
    np.testing.assert_allclose(total[head.brain], 1.0, atol=1e-5)
    for part in (head.gm, head.wm, head.csf, head.t1, head.vessels, head.plexus):
        assert part.dtype == np.float32
        assert not part[~head.brain].any()
        assert part.min() >= 0
        assert part.max() <= 1
    assert not (head.ventricles & ~head.brain).any()


def test_heads_differ_and_are_not_symmetric(head):
    other = draw_anatomy(np.random.default_rng(4), spacing_mm=4.0)
    assert (other.brain != head.brain).mean() > 0.005
    assert (head.brain != head.brain[::-1]).mean() > 0.005


def test_the_same_seed_gives_the_same_head(head):
    again = draw_anatomy(np.random.default_rng(3), spacing_mm=4.0)
    np.testing.assert_array_equal(again.gm, head.gm)
    np.testing.assert_array_equal(again.mni_mm, head.mni_mm)


def test_vessels_and_plexus_are_few_and_where_they_belong(head):
    assert 2 < head.vessels.sum() * head.grid.voxel_volume_ml < 40
    assert 0.1 < head.plexus.sum() * head.grid.voxel_volume_ml < 8
    assert head.csf[head.plexus > 0].min() > 0.5
    atlas = icbm152(4.0)
    course = dorsal_midline(atlas)
    assert max(z for *_, z in course) > 60
    places = np.array(course[5:20]).T.reshape(3, -1, 1, 1)
    assert vessel_fraction(places, atlas).min() > 0.99
    assert vessel_fraction(places + np.reshape([25.0, 0, 0], (3, 1, 1, 1)), atlas).max() == 0
    assert plexus_fraction(places).max() == 0


def test_smooth_fields_have_unit_variance_and_mean_zero():
    grid = Grid((60, 50, 40), np.diag([2.0, 2.0, 3.0, 1.0]))
    field = smooth_field(grid, 7.0, np.random.default_rng(1))
    assert abs(field.mean()) < 0.15
    assert field.std() == pytest.approx(1.0, abs=0.05)


@given(st.tuples(*[st.integers(1, 9)] * 3), st.floats(0.7, 5.0), st.floats(3.0, 30.0))
def test_spread_keeps_constants_and_bounds(shape, spacing, scale):
    grid = Grid(shape, np.diag([spacing, 2 * spacing, spacing, 1.0]))
    control = np.random.default_rng(0).uniform(-2, 1, control_shape(grid, scale)).astype(np.float32)
    field = spread(control, grid, scale)
    assert field.min() >= control.min() - 1e-5
    assert field.max() <= control.max() + 1e-5
    np.testing.assert_allclose(spread(np.ones_like(control), grid, scale), 1.0, atol=1e-5)
