"""Directions from a voxel to its neighbours, one of each opposite pair.

Why it exists: every texture matrix looks at neighbours at Chebyshev distance 1, in a slice or in space, and all must
mean the same ones.

Source: the standard, arXiv:1612.07003, section 3.6; the reverse directions follow from symmetry.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

Steps = NDArray[np.int64]


@cache
def directions(planar: bool) -> tuple[tuple[int, int, int], ...]:
    """Return steps along i, j and k: four in a slice, thirteen in space.

    Parameters
    ----------
    planar : bool
        Stay in a slice, a plane of constant k.

    Returns
    -------
    tuple of (int, int, int)
        One of each opposite pair, in the order of memory of a packed box.

    Examples
    --------
    >>> directions(planar=True)
    ((0, 1, 0), (1, -1, 0), (1, 0, 0), (1, 1, 0))
    >>> len(directions(planar=False))
    13
    """
    every = [(i, j, k) for k in (0, 1) for i in (-1, 0, 1) for j in (-1, 0, 1)]
    ahead = [(i, j, k) for i, j, k in every if (k, i, j) > (0, 0, 0)]
    return tuple(step for step in ahead if not (planar and step[2]))


def steps(shape: tuple[int, int, int], planar: bool) -> Steps:
    """Return the directions as steps in a packed box, all positive.

    Parameters
    ----------
    shape : (int, int, int)
        Of the packed box, along k, i and j.
    planar : bool
        Stay in a slice.

    Returns
    -------
    ndarray of int64, shape (4,) or (13,)

    Examples
    --------
    >>> steps((3, 4, 5), planar=True).tolist()
    [1, 4, 5, 6]
    """
    return np.array([(k * shape[1] + i) * shape[2] + j for i, j, k in directions(planar)], dtype=np.int64)
