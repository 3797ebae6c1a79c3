"""Distance from some voxels to the nearest of others, in millimetres, where it is asked for only.

Why it exists: a distance map answers for every voxel of a box, and the surfaces of two masks are a few
per cent of it. Here one sweep tells each voxel its distance along k; the nearest in a plane and then in
space is sought outwards from each place that is asked for, until nothing farther can be nearer, and what
a plane has answered is kept. Exact in double precision. For surfaces that lie near each other it takes a
small part of the time of a distance map, for distant ones about as long as one.

Source: the separation into axes is that of Saito T, Toriwaki J. Pattern Recognit 1994;27:1551-1565.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tumorboard.compiled import compiled

Mask = NDArray[np.bool_]
Floats = NDArray[np.float64]


def nearest_mm(targets: Mask, places: Mask, spacing_mm: tuple[float, float, float]) -> Floats:
    """Return the distance of each place to the nearest target.

    Parameters
    ----------
    targets, places : ndarray of bool, shape (i, j, k)
        On one grid.
    spacing_mm : tuple of float
        Voxel size along i, j, k, mm.

    Returns
    -------
    ndarray of float64, shape (n,)
        Between voxel centres, mm, in the order of ``places`` in memory order C; infinite without a target.

    Examples
    --------
    >>> targets = np.array([[[1, 0, 0, 0]]], dtype=bool)
    >>> nearest_mm(targets, np.array([[[0, 1, 0, 1]]], dtype=bool), (1.0, 1.0, 2.5)).tolist()
    [2.5, 7.5]
    """
    along = _along_k(np.ascontiguousarray(targets), float(spacing_mm[2]))
    squared = _nearest(along, np.argwhere(places), float(spacing_mm[0]), float(spacing_mm[1]))
    return np.asarray(np.sqrt(squared))


@compiled
def _along_k(targets: Mask, step: float) -> Floats:
    """Squared distance to the nearest target on the same line along k; infinite without one."""
    squared = np.full(targets.shape, np.inf)
    n = targets.shape[2]
    for i in range(targets.shape[0]):
        for j in range(targets.shape[1]):
            last = -1
            for k in range(n):
                if targets[i, j, k]:
                    last = k
                if last >= 0:
                    squared[i, j, k] = ((k - last) * step) ** 2
            last = -1
            for k in range(n - 1, -1, -1):
                if targets[i, j, k]:
                    last = k
                if last >= 0:
                    squared[i, j, k] = min(squared[i, j, k], ((last - k) * step) ** 2)
    return squared


@compiled
def _in_plane(along: Floats, i: int, j: int, k: int, step: float) -> float:
    """Squared distance to the nearest target in the plane of i, sought outwards along j."""
    best = along[i, j, k]
    for d in range(1, along.shape[1]):
        gap = (d * step) ** 2
        if gap >= best:
            break
        if j >= d:
            best = min(best, gap + along[i, j - d, k])
        if j + d < along.shape[1]:
            best = min(best, gap + along[i, j + d, k])
    return float(best)


@compiled
def _nearest(along: Floats, places: NDArray[np.int64], step_i: float, step_j: float) -> Floats:
    """Squared distance of each place, sought outwards along i; planes answer once."""
    kept = np.full(along.shape, -1.0)
    squared = np.empty(len(places))
    for p in range(len(places)):
        i, j, k = places[p]
        best = np.inf
        for d in range(along.shape[0]):
            gap = (d * step_i) ** 2
            if gap >= best:
                break
            for x in (i - d, i + d):
                if 0 <= x < along.shape[0]:
                    if kept[x, j, k] < 0:
                        kept[x, j, k] = _in_plane(along, x, j, k, step_j)
                    best = min(best, gap + kept[x, j, k])
        squared[p] = best
    return squared
