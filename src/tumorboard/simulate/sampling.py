"""Trilinear sampling of several maps at once, at arbitrary places.

Why it exists: a warped head reads the same places from five maps; one loop in compiled code does it in a tenth of
the time of one general call a map.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tumorboard.compiled import compiled

Float = NDArray[np.float32]

TOGETHER = 2
"""Maps that are read in one pass: more is a little faster and takes much more memory."""


def sampled(maps: Sequence[Float], at: Float) -> Float:
    """Return maps at places given in voxels; 0 beyond half a voxel outside.

    Parameters
    ----------
    maps : sequence of ndarray, shape (i, j, k)
        Of one shape.
    at : ndarray, shape (3, ...)
        Voxel positions.

    Returns
    -------
    ndarray of float32, shape (maps, ...)

    Examples
    --------
    >>> ramp = np.arange(4, dtype=np.float32).reshape(4, 1, 1)
    >>> sampled([ramp], np.array([[1.25], [0.0], [0.0]], np.float32)).ravel().tolist()
    [1.25]
    """
    places = np.ascontiguousarray(np.asarray(at, dtype=np.float32).reshape(3, -1))
    out = np.zeros((len(maps), places.shape[1]), dtype=np.float32)
    for first in range(0, len(maps), TOGETHER):
        group = [np.asarray(m, dtype=np.float32) for m in maps[first : first + TOGETHER]]
        _trilinear(np.ascontiguousarray(np.stack(group, axis=-1)), places, out[first : first + TOGETHER])
    return out.reshape(len(maps), *np.shape(at)[1:])


@compiled
def _trilinear(stack: Float, places: Float, out: Float) -> None:
    ni, nj, nk, maps = stack.shape
    for n in range(places.shape[1]):
        x, y, z = places[0, n], places[1, n], places[2, n]
        if x < -0.5 or y < -0.5 or z < -0.5 or x > ni - 0.5 or y > nj - 0.5 or z > nk - 0.5:
            continue
        x, y, z = min(max(x, 0.0), ni - 1.0), min(max(y, 0.0), nj - 1.0), min(max(z, 0.0), nk - 1.0)
        i, j, k = int(x), int(y), int(z)
        a, b, c = x - i, y - j, z - k
        i1, j1, k1 = min(i + 1, ni - 1), min(j + 1, nj - 1), min(k + 1, nk - 1)
        for m in range(maps):
            low = (stack[i, j, k, m] * (1 - c) + stack[i, j, k1, m] * c) * (1 - b)
            low += (stack[i, j1, k, m] * (1 - c) + stack[i, j1, k1, m] * c) * b
            high = (stack[i1, j, k, m] * (1 - c) + stack[i1, j, k1, m] * c) * (1 - b)
            high += (stack[i1, j1, k, m] * (1 - c) + stack[i1, j1, k1, m] * c) * b
            out[m, n] = low * (1 - a) + high * a
