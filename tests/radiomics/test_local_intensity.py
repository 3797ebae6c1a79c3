import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tumorboard.radiomics.families.local_intensity import FAMILY, RADIUS_MM, sphere_rows
from tumorboard.radiomics.region import Binned, Region

UNIT = (1.0, 1.0, 1.0)
MASKS = hnp.arrays(np.bool_, st.tuples(*[st.integers(1, 6)] * 3)).filter(np.any)
SPACINGS = st.tuples(*[st.floats(0.8, 9.0)] * 3)


def peaks(image, mask, spacing=UNIT):
    levels = Binned(mask.astype(np.int32), 1, 1.0, 0.5)
    found = FAMILY.compute(Region(np.asarray(image, dtype=float), mask, mask, spacing, levels), "")
    assert list(found) == ["peak_loc", "peak_glob"]
    return found["peak_loc"], found["peak_glob"]


def by_hand(image, mask, spacing):
    where = np.indices(image.shape).reshape(3, -1).T * spacing
    means = {}
    for voxel in np.argwhere(mask):
        near = np.sum((where - voxel * spacing) ** 2, axis=1) <= RADIUS_MM**2
        means[tuple(voxel)] = image.ravel()[near].mean()
    brightest = image[mask].max()
    return max(mean for voxel, mean in means.items() if image[voxel] == brightest), max(means.values())


@given(MASKS, SPACINGS, st.integers(0, 2**32 - 1))
@settings(max_examples=60, deadline=None)
def test_are_means_over_spheres(mask, spacing, seed):
    wide = np.pad(mask, ((1, 3), (0, 2), (4, 1)))  # the spheres end at the image, not at the region
    image = np.random.default_rng(seed).integers(-50, 50, wide.shape).astype(float)
    np.testing.assert_allclose(peaks(image, wide, spacing), by_hand(image, wide, spacing), rtol=1e-9, atol=1e-9)


def test_sphere_holds_1_ml():
    rows = sphere_rows((0.25, 0.25, 0.25))
    assert np.sum(2 * rows[:, 2] + 1) * 0.25**3 == pytest.approx(1000, rel=0.003)
    grid = np.sum(np.square(np.mgrid[-7:8, -7:8, -7:8]), axis=0)
    assert np.sum(2 * sphere_rows(UNIT)[:, 2] + 1) == np.sum(grid <= RADIUS_MM**2)


def test_voxels_that_are_larger_than_the_sphere_stand_alone():
    image = np.arange(27.0).reshape(3, 3, 3)
    assert peaks(image, image > 3, (7.0, 7.0, 7.0)) == (26, 26)


def test_local_peak_is_around_the_brightest_voxel_and_global_is_not():
    image = np.zeros((41, 41, 41))
    image[8, 8, 8] = 100
    image[25:35, 25:35, 25:35] = 10
    local, highest = peaks(image, image > 0)
    assert local == pytest.approx(100 / np.sum(2 * sphere_rows(UNIT)[:, 2] + 1))
    assert 7 < highest < 10


def test_the_better_of_equally_bright_voxels_counts():
    image = np.zeros((1, 1, 40))
    image[0, 0, [5, 30, 31]] = 9
    assert peaks(image, image > 0) == pytest.approx((18 / 13, 18 / 13))


def test_what_lies_outside_the_image_does_not_count():
    assert peaks(np.full((1, 1, 1), 3.0), np.ones((1, 1, 1), dtype=bool)) == (3, 3)
    assert peaks(np.full((4, 30, 4), 0.1), np.ones((4, 30, 4), dtype=bool)) == pytest.approx((0.1, 0.1))


def test_without_a_voxel_there_is_no_peak():
    assert np.isnan(peaks(np.ones((2, 2, 2)), np.zeros((2, 2, 2), dtype=bool))).all()
