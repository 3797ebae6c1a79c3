"""What lies beyond the end of an image, for filters that reach over it.

Why it exists: the four conditions of the standard have other names in numpy and in scipy, and numpy's and scipy's
``reflect`` are two different things. Here they are rules that map a place beyond the end to a voxel of the image.

Source: IBSI reference manual for image filters, arXiv:2006.05470, boundary conditions.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tumorboard.radiomics.region import Float

Boundary = Literal["zero", "nearest", "periodic", "mirror"]
"""Mirror repeats the voxel at the edge."""

Index = NDArray[np.intp]

SCIPY: Mapping[Boundary, str] = {"zero": "constant", "nearest": "nearest", "periodic": "wrap", "mirror": "reflect"}
"""Names in ``scipy.ndimage.convolve1d`` and its kin."""

NUMPY: Mapping[Boundary, str] = {"zero": "constant", "nearest": "edge", "periodic": "wrap", "mirror": "symmetric"}
"""Names in ``numpy.pad``."""

OUTSIDE = -1
"""Instead of a voxel where the image counts as zero."""


def sources(places: Index, size: int, boundary: Boundary) -> Index:
    """Return the voxel that stands for each place along an axis.

    Parameters
    ----------
    places : ndarray of int
        Indices, also below 0 and from ``size`` on, as far as wanted.
    size : int
        Voxels of the image along the axis.
    boundary : {"zero", "nearest", "periodic", "mirror"}
        What lies beyond.

    Returns
    -------
    ndarray of int
        0 to ``size - 1``, or ``OUTSIDE``.

    Examples
    --------
    >>> sources(np.arange(-3, 6), 3, "mirror").tolist()
    [2, 1, 0, 0, 1, 2, 2, 1, 0]
    >>> sources(np.arange(-1, 4), 3, "zero").tolist()
    [-1, 0, 1, 2, -1]
    """
    if boundary == "nearest":
        return np.clip(places, 0, size - 1)
    if boundary == "periodic":
        return places % size
    if boundary == "mirror":
        folded = places % (2 * size)
        return np.minimum(folded, 2 * size - 1 - folded)
    return np.where((places >= 0) & (places < size), places, OUTSIDE)


def gathered(image: Float, voxels: tuple[Index, ...]) -> Float:
    """Return the image at the voxels along each axis, zero where one is ``OUTSIDE``; a copy.

    Examples
    --------
    >>> gathered(np.arange(6.0).reshape(2, 3, 1), (np.array([1]), np.array([-1, 2]), np.array([0])))[..., 0].tolist()
    [[0.0, 5.0]]
    """
    taken: Float = image[np.ix_(*voxels)].astype(np.float64, copy=False)
    for axis, where in enumerate(voxels):
        outside = where == OUTSIDE
        if outside.any():
            taken[(slice(None),) * axis + (outside,)] = 0.0
    return taken
