"""Position on an analytic head: an ellipsoid brain with two ventricles, in the frame of its own grid."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tumorboard.labels import LabelMap
from tumorboard.measure.lesions import find_lesions, largest_distance_mm
from tumorboard.measure.place import CROSSING_MARGIN_MM, depth_to_cortex_mm, depth_to_ventricles_mm, lobe, sides
from tumorboard.measure.shift import midline_shift_mm
from tumorboard.segment.space import depth_in
from tumorboard.transform import Frame, Plane
from tumorboard.volume import Grid

SHAPE = (88, 104, 84)
SPACING = (2.0, 2.0, 2.0)
CENTRE = np.array([87.0, 103.0, 75.0])
GRID = Grid(SHAPE, np.diag([*SPACING, 1.0]))
TO_MNI = np.eye(4)
TO_MNI[:3, 3] = -CENTRE
FRAME = Frame(Plane((1.0, 0.0, 0.0), float(CENTRE[0])), TO_MNI)


def mm():
    return np.stack(np.meshgrid(*[np.arange(n) * s for n, s in zip(SHAPE, SPACING, strict=True)], indexing="ij"), -1)


def ellipsoid(centre, radii):
    return (((mm() - CENTRE - centre) / radii) ** 2).sum(-1) <= 1


BRAIN = ellipsoid((0, 0, 0), (70, 85, 62))


def head(shift):
    """Grey brain with a textured but symmetric centre whose axis is moved by ``shift`` mm."""
    image = np.where(BRAIN, 0.5, 0.0)
    for side in (-1, 1):
        image[ellipsoid((side * 11 + shift, 0, 12), (6, 24, 10))] = -2.0
        image[ellipsoid((side * 14 + shift, 0, 0), (7, 12, 7))] = 1.2
    image[ellipsoid((shift, -4, 2), (2.5, 14, 8))] = -2.0
    return (image + np.random.default_rng(5).normal(0, 0.1, SHAPE)).astype(np.float32)


@pytest.mark.parametrize("shift", [0.0, 3.0, -6.0, 8.0])
def test_midline_shift_is_found_with_its_sign(shift):
    found = midline_shift_mm([head(shift)], np.zeros(SHAPE, bool), BRAIN, GRID, FRAME)
    assert found == pytest.approx(shift, abs=0.6)


def test_midline_shift_is_not_guessed_when_tumour_hides_the_centre():
    assert midline_shift_mm([head(4.0)], ellipsoid((0, 0, 8), (40, 40, 30)), BRAIN, GRID, FRAME) is None


def test_midline_shift_of_a_uniform_brain_is_unclear_or_none():
    flat = np.where(BRAIN, np.float32(0.5), np.float32(0))
    assert midline_shift_mm([flat], np.zeros(SHAPE, bool), BRAIN, GRID, FRAME) is None


def test_sides_and_crossing():
    right = sides(ellipsoid((30, 0, 0), (10, 10, 10)), GRID, FRAME)
    assert (right.right, right.left, right.crosses) == (100.0, 0.0, False)
    both = sides(ellipsoid((-4, 0, 0), (12, 12, 12)), GRID, FRAME)
    assert both.crosses
    assert both.left > both.right > 5
    touching = sides(ellipsoid((10 - CROSSING_MARGIN_MM, 0, 0), (10, 10, 10)), GRID, FRAME)
    assert not touching.crosses


def test_depths():
    mask = ellipsoid((40, 0, 0), (8, 8, 8))
    depth = depth_to_cortex_mm(mask, depth_in(BRAIN, SPACING))
    assert depth == pytest.approx(70 - 48, abs=3.0)
    assert depth_to_ventricles_mm(ellipsoid((9, 0, 20), (6, 6, 6)), GRID, FRAME) == 0.0
    assert depth_to_ventricles_mm(ellipsoid((55, 0, 0), (4, 4, 4)), GRID, FRAME) > 10


@pytest.mark.parametrize(
    ("centre", "name"), [((-30, 50, 20), "frontal"), ((20, -85, 5), "occipital"), ((25, -60, -32), "cerebellum")]
)
def test_lobe_of_a_clear_place(centre, name):
    assert str(lobe(ellipsoid(centre, (6, 6, 6)), GRID, FRAME).lobe) == name


@given(st.integers(0, 2**32 - 1))
def test_lesions_partition_the_region_but_for_fragments(seed):
    rng = np.random.default_rng(seed)
    data = np.zeros((24, 20, 12), np.uint8)
    for _ in range(rng.integers(0, 5)):
        i, j, k = (rng.integers(0, n - 5) for n in data.shape)
        data[i : i + rng.integers(1, 6), j : j + rng.integers(1, 6), k : k + rng.integers(1, 6)] = rng.choice([1, 3])
    labels = LabelMap.of(data, np.diag([1.0, 1.0, 2.5, 1.0]))
    lesions = find_lesions(labels, "TC")
    listed = (lesions.numbers > 0).sum() * labels.grid.voxel_volume_ml
    assert listed + lesions.fragments_ml == pytest.approx(labels.volume_ml("TC"))
    assert not (lesions.numbers > 0)[~labels.region("TC")].any()
    sizes = np.bincount(lesions.numbers.ravel(), minlength=lesions.count + 1)[1:]
    assert (np.diff(sizes.astype(int)) <= 0).all()
    flipped = find_lesions(LabelMap.of(data[::-1].copy(), np.diag([1.0, 1.0, 2.5, 1.0])), "TC")
    assert flipped.count == lesions.count
    assert largest_distance_mm(flipped, labels.spacing_mm) == pytest.approx(
        largest_distance_mm(lesions, labels.spacing_mm)
    )


def test_pieces_near_each_other_are_one_lesion_and_far_ones_are_two():
    for gap, count in ((3, 1), (6, 2)):
        data = np.zeros((40, 12, 12), np.uint8)
        data[4:12, 2:10, 2:10] = 3
        data[12 + gap : 20 + gap, 2:10, 2:10] = 3
        assert find_lesions(LabelMap.of(data, np.eye(4)), "TC").count == count
