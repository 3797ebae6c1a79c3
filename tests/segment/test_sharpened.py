"""Sharpening: borders follow the images, sums stay, and where nothing can be learned nothing changes."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage as ndi

from tumorboard.segment.sharpened import sharpened

SHAPE = (40, 40, 12)
BRAIN = np.ones(SHAPE, bool)


def ring(noise: float = 0.3, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A thin ring of enhancement around necrosis in oedema: truth, images, and what a blurred opinion says."""
    r = np.sqrt(((np.indices(SHAPE)[:2] - 19.5) ** 2).sum(axis=0))
    truth = np.select([r < 8, r < 10, r < 16], [1, 3, 2], 0)
    rng = np.random.default_rng(seed)
    t1c = np.select([truth == 1, truth == 3, truth == 2], [-1.5, 4.0, -0.5], 0.0) + rng.normal(0, noise, SHAPE)
    flair = np.select([truth == 1, truth == 3, truth == 2], [0.0, 1.0, 2.0], 0.0) + rng.normal(0, noise, SHAPE)
    blurred = np.stack([ndi.gaussian_filter((truth == c).astype(np.float32), (2, 2, 0)) for c in range(5)])
    return truth, np.stack([t1c, flair]).astype(np.float32), blurred / blurred.sum(axis=0)


def error(tissue: np.ndarray, truth: np.ndarray) -> int:
    inside = truth > 0
    return int((tissue.argmax(axis=0)[inside] != truth[inside]).sum())


def test_a_thin_ring_is_found_again():
    truth, images, blurred = ring()
    made = sharpened(blurred, images, BRAIN, (1, 2, 3))
    assert error(made, truth) < 0.5 * error(blurred, truth)


def test_probabilities_still_sum_to_one_and_the_rest_stays():
    _, images, blurred = ring()
    made = sharpened(blurred, images, BRAIN, (1, 2, 3))
    assert np.allclose(made.sum(axis=0), 1, atol=1e-5)
    assert np.array_equal(made[[0, 4]], blurred[[0, 4]])
    assert made.min() >= 0


def test_images_that_say_nothing_change_little():
    truth, _, blurred = ring()
    noise = np.random.default_rng(1).normal(size=(2, *SHAPE)).astype(np.float32)
    made = sharpened(blurred, noise, BRAIN, (1, 2, 3))
    assert error(made, truth) <= 1.1 * error(blurred, truth)
    assert np.array_equal(sharpened(blurred, np.zeros_like(noise), BRAIN, (1, 2, 3)), blurred)


@pytest.mark.parametrize("classes", [(), (3,), (2, 4)])
def test_one_tissue_alone_cannot_be_told_from_another(classes):
    _, images, blurred = ring()
    assert np.array_equal(sharpened(blurred, images, BRAIN, classes), blurred)


def test_scale_of_the_images_matters_little_and_outside_nothing_changes():
    _, images, blurred = ring()
    half = BRAIN.copy()
    half[:20] = False
    made = sharpened(blurred, images, half, (1, 2, 3))
    assert np.array_equal(made[:, :20], blurred[:, :20])
    one, two = (sharpened(blurred, k * images, BRAIN, (1, 2, 3)) for k in (1.0, 2.0))
    assert (one.argmax(axis=0) == two.argmax(axis=0)).mean() > 0.98
