"""Outermost points of a surface, plane by plane.

Why it exists: the surface of a large mask has 10,000s of vertices, but only those that stick out decide on its hull
and its diameters. All vertices lie in planes through voxel centres and midway between them; the convex outline of each
plane follows from the first and last vertex of each of its rows, in one pass and with whole numbers.

Source: Andrew AM, Another efficient algorithm for convex hulls in two dimensions, Inf Process Lett 1979;9:216-219.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tumorboard.compiled import compiled

Points = NDArray[np.int64]


@compiled
def _rows(mask: NDArray[np.bool_], plane: int, first: NDArray[np.int64], last: NDArray[np.int64]) -> None:
    """Write the first and last vertex of each row of a plane; -1 where the row has none. All in half voxels."""
    across, rows, columns = mask.shape
    first[:] = -1
    last[:] = -1
    before, behind = (plane - 1) // 2, plane // 2
    inside = plane % 2 == 1  # through voxel centres; the vertices are where rows and columns enter and leave
    for j in range(rows):
        for k in range(columns):
            here = behind < across and mask[behind, j, k]
            if not inside:
                here ^= before >= 0 and mask[before, j, k]
            if not here:
                continue
            row, step = 2 * j + 1, np.int64(inside)
            if first[row] < 0:
                first[row] = 2 * k + 1 - step
            last[row] = max(last[row], 2 * k + 1 + step)
            if inside:
                for beside in (row - 1, row + 1):
                    if first[beside] < 0 or first[beside] > 2 * k + 1:
                        first[beside] = 2 * k + 1
                    last[beside] = max(last[beside], 2 * k + 1)


@compiled
def _bend(ends: NDArray[np.int64], side: int, stack: NDArray[np.int64]) -> int:
    """Write the rows at which the convex outline of one side turns, and return their number."""
    count = 0
    for row in range(ends.size):
        if ends[row] < 0:
            continue
        while count > 1:
            a, b = stack[count - 2], stack[count - 1]
            turn = (b - a) * (ends[row] - ends[a]) - (row - a) * (ends[b] - ends[a])
            if side * turn > 0:
                break
            count -= 1
        stack[count] = row
        count += 1
    return count


@compiled
def outermost(mask: NDArray[np.bool_]) -> Points:
    """Return the corners of the convex outline of the surface in each plane across the first axis.

    Parameters
    ----------
    mask : ndarray of bool, shape (i, j, k)
        Cut to its box.

    Returns
    -------
    ndarray of int64, shape (n, 3)
        In half voxels from the corner of the box; voxel centres are odd. In order of the planes. Some may be twice.

    Examples
    --------
    >>> len(np.unique(outermost(np.ones((1, 1, 1), dtype=bool)), axis=0))
    6
    """
    planes, rows = 2 * mask.shape[0] + 1, 2 * mask.shape[1] + 1
    points = np.empty((2 * planes * rows, 3), np.int64)
    first, last, stack = np.empty(rows, np.int64), np.empty(rows, np.int64), np.empty(rows, np.int64)
    count = 0
    for plane in range(planes):
        _rows(mask, plane, first, last)
        for ends, side in ((first, 1), (last, -1)):
            for n in range(_bend(ends, side, stack)):
                points[count] = (plane, stack[n], ends[stack[n]])
                count += 1
    return points[:count]


@compiled
def _longest(points: Points, spacing: tuple[float, float]) -> float:
    """Return the largest distance between two points of one plane, over all planes."""
    best, start = 0.0, 0
    for b in range(points.shape[0]):
        if points[b, 0] != points[start, 0]:
            start = b
        for a in range(start, b):
            row, column = (points[b, 1] - points[a, 1]) * spacing[0], (points[b, 2] - points[a, 2]) * spacing[1]
            best = max(best, row * row + column * column)
    return float(np.sqrt(best) / 2)


def diameters_in_planes(mask: NDArray[np.bool_], spacing_mm: tuple[float, float, float]) -> tuple[float, float, float]:
    """Return the largest distance (mm) between vertices of the surface in one plane of constant i, j, and k.

    PyRadiomics calls them Maximum2DDiameterRow, Maximum2DDiameterColumn, and Maximum2DDiameterSlice.

    Parameters
    ----------
    mask : ndarray of bool, shape (i, j, k)
        Cut to its box.
    spacing_mm : (float, float, float)
        Voxel size.

    Examples
    --------
    >>> [round(d, 3) for d in diameters_in_planes(np.ones((4, 3, 1), dtype=bool), (1.0, 1.0, 1.0))]
    [3.0, 4.0, 4.472]
    """
    i, j, k = spacing_mm
    return (
        _longest(outermost(mask), (j, k)),
        _longest(outermost(np.ascontiguousarray(mask.transpose(1, 0, 2))), (i, k)),
        _longest(outermost(np.ascontiguousarray(mask.transpose(2, 0, 1))), (i, j)),
    )
