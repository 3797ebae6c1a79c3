"""One scale for whole heads, where no brain is known yet by which to normalise.

Why it exists: training and use must scale alike. Air is most of a head's image and says nothing, so quantiles are
taken above a share of the brightest.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float32]

AIR = 0.08
"""Share of the 99.5th percentile below which a voxel is taken for air; chosen."""

HIGHEST = 4.0
"""Scaled values are cut off here: fat and vessels."""


def scaled_head(image: Float) -> Float:
    """Return an image whose tissue has median 0 and spread 1, cut off at both ends.

    Parameters
    ----------
    image : ndarray of float32, shape (i, j, k)
        Any scale, air near 0.

    Returns
    -------
    ndarray of float32, shape (i, j, k)
        Within ±4; all 0 for an image without contrast.

    Examples
    --------
    >>> image = np.zeros((10, 10, 10), np.float32); image[2:8] = np.linspace(50, 150, 600).reshape(6, 10, 10)
    >>> scaled = scaled_head(image)
    >>> abs(round(float(np.median(scaled[2:8])), 3)), bool(np.allclose(scaled_head(4 * image), scaled))
    (0.0, True)
    """
    top = float(np.percentile(image, 99.5))
    tissue = image[image > AIR * top]
    if not tissue.size:
        return np.zeros_like(image)
    low, median, high = (float(v) for v in np.percentile(tissue, (25, 50, 75)))
    if high <= low:
        return np.zeros_like(image)
    scaled = (image - np.float32(median)) * np.float32(1.349 / (high - low))
    return np.asarray(np.clip(scaled, -HIGHEST, HIGHEST), dtype=np.float32)
