"""Small images and outlines for features, and files of them."""

import numpy as np
import pytest

from tumorboard.io.images import write_volume
from tumorboard.volume import Volume


@pytest.fixture
def noisy():
    """Noise in which an irregular ball lies: image and mask, 1 x 1 x 2 mm."""
    rng = np.random.default_rng(3)
    places = np.indices((24, 22, 18)) - np.array([12, 10, 9])[:, None, None, None]
    ball = (places**2).sum(axis=0) < 40 + 8 * rng.random((24, 22, 18))
    image = rng.normal(100, 15, ball.shape) + 40 * ball
    affine = np.diag([1.0, 1.0, 2.0, 1.0])
    return Volume.of(image, affine), Volume.of(ball.astype(np.uint8), affine)


@pytest.fixture
def files(noisy, tmp_path):
    """The same in files; the mask holds labels 2 and 5."""
    image, mask = noisy
    labels = mask.data * 2
    labels[:, :, 9:][mask.data[:, :, 9:] > 0] = 5
    paths = tmp_path / "image.nii.gz", tmp_path / "mask.nii.gz"
    write_volume(image.with_data(image.data.astype(np.float32)), paths[0])
    write_volume(mask.with_data(labels.astype(np.uint8)), paths[1])
    return paths
