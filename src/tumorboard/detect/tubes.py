"""How much a place looks like a piece of a vessel: bright along one direction, falling off across both others.

Why it exists: on gradient-echo T1C vessels are as bright as metastases and far more numerous; shape tells them apart.

Source: Frangi AF et al., Multiscale vessel enhancement filtering, MICCAI 1998:130-137; the measure of one scale is
theirs, without the term for noise.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

Float = NDArray[np.float32]

SCALE = 1.2
"""Standard deviation of the derivatives, voxels; chosen: veins of some 3 mm at 1 mm voxels."""

ALPHA, BETA = 0.5, 0.5
"""Weights of plates and of balls, as in the paper."""


def tubeness(image: Float, brain: NDArray[np.bool_], scale: float = SCALE) -> Float:
    """Return 0 for balls, plates and dark places, near 1 for bright tubes.

    Parameters
    ----------
    image : ndarray of float32, shape (i, j, k)
        Normalised; voxels are cubes.
    brain : ndarray of bool, shape (i, j, k)
        Only its brighter voxels are looked at.
    scale : float
        Standard deviation of the derivatives, voxels.

    Returns
    -------
    ndarray of float32, shape (i, j, k)

    Examples
    --------
    >>> tube, ball = np.zeros((2, 17, 17, 17), np.float32)
    >>> tube[:, 7:10, 7:10] = 3; ball[7:10, 7:10, 7:10] = 3
    >>> every = np.ones(tube.shape, bool)
    >>> bool(tubeness(tube, every)[8, 8, 8] > 0.5 > 2 * tubeness(ball, every)[8, 8, 8])
    True
    """
    out = np.zeros(image.shape, dtype=np.float32)
    bright = brain & (image > 0.5)
    if not bright.any():
        return out
    hessian = np.empty((int(bright.sum()), 3, 3), dtype=np.float32)
    for a in range(3):
        for b in range(a, 3):
            order = [0, 0, 0]
            order[a] += 1
            order[b] += 1
            hessian[:, a, b] = hessian[:, b, a] = ndi.gaussian_filter(image, scale, order=order)[bright]
    values = np.linalg.eigvalsh(hessian)
    ordered = np.take_along_axis(values, np.abs(values).argsort(axis=1), axis=1)
    small, middle, large = np.abs(ordered).T
    plate, ball = middle / np.maximum(large, 1e-6), small / np.maximum(np.sqrt(middle * large), 1e-6)
    shape = (1 - np.exp(-(plate**2) / (2 * ALPHA**2))) * np.exp(-(ball**2) / (2 * BETA**2))
    falls = (ordered[:, 1] < 0) & (ordered[:, 2] < 0)
    out[bright] = np.where(falls, shape / (1 - np.exp(-1 / (2 * ALPHA**2))), 0)
    return out
