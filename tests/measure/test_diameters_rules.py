"""The rules around the diameters: the slice axis, measurability, and filling the enhancing rim."""

import math

import numpy as np
import pytest

from tumorboard.errors import GeometryError
from tumorboard.measure.diameters import RANO_HGG_2010, fill_enclosed, measurable, measure_diameters, slice_axis_of
from tumorboard.volume import Grid


def turned(affine, degrees):
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return np.array([[1, 0, 0, 0], [0, c, -s, 0], [0, s, c, 0], [0, 0, 0, 1]]) @ affine


@pytest.mark.parametrize(
    ("affine", "axis"),
    [
        (np.diag([1.0, 1.0, 1.0, 1.0]), 2),
        (np.diag([-1.0, -1.0, 1.19, 1.0]), 2),
        (np.diag([5.0, 0.5, 0.5, 1.0]), 0),
        (np.diag([0.5, -6.0, 5.5, 1.0]), 2),
        (np.diag([1.3, 1.0, 1.0, 1.0])[[0, 2, 1, 3]], 0),
        (np.diag([1.0, 1.0, 1.0, 1.0])[[0, 2, 1, 3]], 1),
        (np.diag([1.0, 1.0, 1.0, 1.0])[[1, 2, 0, 3]], 0),
        (turned(np.diag([1.0, 1.0, -1.1, 1.0]), 30), 2),
        (turned(np.diag([1.0, 1.0, 1.0, 1.0]), 60), 1),
    ],
)
def test_slice_axis(affine, axis):
    assert slice_axis_of(Grid((4, 5, 6), affine)) == axis


@pytest.mark.parametrize(
    ("longest", "perpendicular", "thick", "slices", "expected"),
    [
        (10.0, 10.0, 5.0, 2, True),
        (10.0, 9.99, 5.0, 2, False),
        (9.99, 9.99, 1.0, 9, False),
        (30.0, 30.0, 1.0, 1, False),
        (11.0, 11.0, 6.0, 2, False),
        (12.0, 12.0, 6.0, 2, True),
        (30.0, 11.9, 6.0, 2, False),
    ],
)
def test_measurable(longest, perpendicular, thick, slices, expected):
    lesion = measure_diameters(np.ones((2, 2, 1), bool), (1.0, 1.0, thick), 2)
    d = lesion.rano.model_copy(update={"longest_mm": longest, "perpendicular_mm": perpendicular})
    assert measurable(d, (1.0, 1.0, thick), slices) is expected
    assert RANO_HGG_2010.source


@pytest.fixture
def rim():
    """A rim one voxel thick around 9 x 9 voxels on the middle three of five slices, and its inside."""
    et = np.zeros((15, 15, 5), bool)
    et[2:13, 2:13, 1:4] = True
    core = np.zeros_like(et)
    core[3:12, 3:12, 1:4] = True
    return et & ~core, core


@pytest.mark.parametrize(("gap", "closed"), [(0, True), (1, True), (2, True), (3, False)])
@pytest.mark.parametrize("axis", range(3))
def test_filling_bridges_gaps_of_two_voxels(rim, gap, closed, axis):
    et, core = rim
    et[6 : 6 + gap, 2] = False
    order = np.roll(range(3), axis - 2)
    et, core = et.transpose(order), core.transpose(order)
    axis_now = list(order).index(2)
    filled = fill_enclosed(et, core, axis_now)
    assert bool((filled & core).sum() > core.sum() / 2) is closed
    assert (filled >= et).all()
    assert (filled <= et | core).all()
    if closed:
        assert np.array_equal(filled, et | core)


def test_filling_takes_only_necrosis_that_touches_the_rim(rim):
    et, core = rim
    cavity = np.zeros_like(core)
    cavity[4:11, 4:11] = True
    netc = core & ~cavity
    netc[7, 7, 2] = True  # afloat in the cavity
    netc[13:, 13:] = True  # outside
    filled = fill_enclosed(et, netc, 2)
    assert np.array_equal(filled, et | (core & ~cavity))


def test_filling_is_slice_by_slice(rim):
    et, core = rim
    cap = np.zeros_like(core)
    cap[3:12, 3:12, (0, 4)] = True  # the same necrosis above and below the rim
    assert not (fill_enclosed(et, core | cap, 2) & cap).any()


def test_filling_without_tumour_or_necrosis(rim):
    et, core = rim
    nothing = np.zeros_like(et)
    assert not fill_enclosed(nothing, core, 2).any()
    assert not fill_enclosed(nothing, nothing, 2).any()
    assert np.array_equal(fill_enclosed(et, nothing, 2), et)
    with pytest.raises(GeometryError, match="NETC"):
        fill_enclosed(et, core[1:], 2)
