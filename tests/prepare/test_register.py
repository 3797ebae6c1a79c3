"""Registration finds motions that are known, whatever the axes of the images, and twice the same."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage as ndi

from tumorboard.prepare.bias import without_bias
from tumorboard.prepare.information import BINS, Pair, sample
from tumorboard.prepare.native import laid
from tumorboard.prepare.register import Search, register
from tumorboard.sequences import Sequence
from tumorboard.volume import Volume

MOVED = (Sequence.T1, Sequence.T2, Sequence.FLAIR)


def off_mm(study, sequence, matrix):
    """Return how far the points of the brain lie from where they should, mm."""
    off = (matrix - study.images[sequence].motion)[:3]
    return np.linalg.norm(study.points @ off[:, :3].T + off[:, 3], axis=1)


@pytest.fixture(scope="module")
def even(coarse_study):
    return without_bias(coarse_study.reference, coarse_study.region)[0]


@pytest.fixture(scope="module")
def fits(coarse_study, even):
    return {s: laid(even, coarse_study.volumes[s], coarse_study.region) for s in MOVED}


@pytest.mark.parametrize("sequence", MOVED)
def test_a_known_motion_is_found(coarse_study, fits, sequence):
    moved = np.linalg.norm((coarse_study.images[sequence].motion - np.eye(4))[:3, 3])
    assert moved > 2.0
    assert np.median(off_mm(coarse_study, sequence, fits[sequence][0].matrix)) < 1.0  # heads of 4 mm voxels


def test_the_result_is_a_rigid_motion(fits):
    for fit, _ in fits.values():
        assert np.allclose(fit.matrix[:3, :3] @ fit.matrix[:3, :3].T, np.eye(3), atol=1e-6)
        assert np.linalg.det(fit.matrix[:3, :3]) == pytest.approx(1.0)


def test_the_same_images_give_the_same_motion(coarse_study, even, fits):
    again, _ = laid(even, coarse_study.volumes[Sequence.T2], coarse_study.region)
    assert np.array_equal(again.matrix, fits[Sequence.T2][0].matrix)


@pytest.mark.parametrize("axes", ["LPI", "SRA"])
def test_the_order_of_the_axes_does_not_matter(coarse_study, even, fits, axes):
    turned = coarse_study.volumes[Sequence.T1].reoriented(axes)
    fit, _ = laid(even, turned, coarse_study.region)
    assert np.abs(off_mm(coarse_study, Sequence.T1, fit.matrix)).max() < 1.0
    assert np.abs(fit.matrix - fits[Sequence.T1][0].matrix).max() < 0.5


def test_scanner_coordinates_that_are_far_off_are_overcome(coarse_study, even):
    given_at = np.eye(4)
    given_at[:3, 3] = (14.0, -12.0, 16.0)
    image = coarse_study.volumes[Sequence.T1]
    shifted = Volume(image.data, type(image.grid)(image.grid.shape, given_at @ image.affine))
    fit, quality = laid(even, shifted, coarse_study.region)
    assert np.median(off_mm(coarse_study, Sequence.T1, np.linalg.inv(given_at) @ fit.matrix)) < 1.0
    assert quality.refusal() == ""


def test_a_start_is_taken_as_it_is():
    texture = ndi.gaussian_filter(np.random.default_rng(0).normal(size=(24, 24, 24)), 2.0)
    head = Volume.of(1000 * texture, np.diag([5.0, 5.0, 5.0, 1.0]))
    start = np.eye(4)
    start[:3, 3] = 2.0
    fit = register(head, head, np.ones(head.grid.shape, bool), start, Search((5.0,), 5.0))
    assert np.abs(fit.matrix - np.eye(4)).max() < 0.3


# --- the measure itself -----------------------------------------------------------------------------------------


@given(st.integers(0, 2**32 - 1))
def test_sampling_is_that_of_scipy(seed):
    rng = np.random.default_rng(seed)
    image = rng.normal(size=tuple(rng.integers(1, 6, 3))).astype(np.float32)
    points = rng.uniform(-3, 8, (50, 3))
    step, origin = rng.normal(size=(3, 3)), rng.normal(size=3)
    values, inside = sample(image, points, step, origin)
    index = points @ step.T + origin
    assert values == pytest.approx(ndi.map_coordinates(image, index.T, order=1, mode="nearest"), abs=1e-4)
    assert np.array_equal(inside, ((index >= -0.5) & (index <= np.array(image.shape) - 0.5)).all(axis=1))


def test_information_is_that_of_its_definition():
    """Two binary images, equal in 3 of 4 places: I = H(X) + H(Y) - H(X, Y), worked out by hand."""
    one = np.tile([0.0, 0.0, 1.0, 1.0], 250).reshape(10, 10, 10)
    two = np.tile([0.0, 1.0, 1.0, 1.0], 250).reshape(10, 10, 10)
    pair = Pair.of(Volume.of(one, np.eye(4)), Volume.of(two, np.eye(4)), np.ones(one.shape, bool), 1.0)
    nats, shared, cover = pair.information(np.eye(4))
    h_two = -(0.25 * np.log(0.25) + 0.75 * np.log(0.75))
    h_both = -(0.25 * np.log(0.25) * 2 + 0.5 * np.log(0.5))
    assert nats == pytest.approx(np.log(2) + h_two - h_both)
    assert shared == pytest.approx(nats / min(np.log(2), h_two))
    assert cover == 1.0


def test_independent_images_share_next_to_nothing():
    rng = np.random.default_rng(0)
    one, two = (Volume.of(rng.random((40, 40, 40)), np.eye(4)) for _ in range(2))
    _, shared, _ = Pair.of(one, two, np.ones((40, 40, 40), bool), 1.0).information(np.eye(4))
    assert 0 <= shared < BINS**2 / 40**3


def test_images_apart_share_nothing():
    one = Volume.of(np.random.default_rng(0).random((20, 20, 20)), np.eye(4))
    away = np.eye(4)
    away[0, 3] = 100.0
    assert Pair.of(one, one, np.ones((20, 20, 20), bool), 1.0).information(away) == (0.0, 0.0, 0.0)
