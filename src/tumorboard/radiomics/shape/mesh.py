"""Area and volume of the surface of a mask, by marching cubes.

Why it exists: a mask is 0 or 1, so the surface has only 256 kinds of pieces. It is enough to count them, and to know
where they lie on the whole: one pass over the box with whole numbers, then a sum over a table. The result does not
depend on the order of summation.

Source: IBSI reference manual, features RNU0 and C0JK; Lorensen WE, Cline HE, Marching cubes, SIGGRAPH 1987;21:163-169.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tumorboard.compiled import compiled
from tumorboard.radiomics.shape.triangles import table
from tumorboard.volume import box_around

Spacing = tuple[float, float, float]


def padded(mask: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Return the mask cut to its own box, with a border of one voxel outside.

    Examples
    --------
    >>> padded(np.ones((2, 3, 4), dtype=bool)).shape
    (4, 5, 6)
    """
    box = own_box(mask)
    return np.pad(mask[box].view(np.uint8), 1)


def own_box(mask: NDArray[np.bool_]) -> tuple[slice, slice, slice]:
    """Return the smallest box around a mask; an empty one around an empty mask.

    Examples
    --------
    >>> own_box(np.eye(3, dtype=bool)[:, :, None])
    (slice(0, 3, None), slice(0, 3, None), slice(0, 1, None))
    """
    nothing = slice(0, 0)
    return box_around(mask) or (nothing, nothing, nothing)


@compiled
def cubes(mask: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return how often each of the 256 cases occurs, and the sums of the indices i, j, k at which it does.

    Parameters
    ----------
    mask : ndarray of uint8, shape (i, j, k)
        0 and 1, with a border of 0.

    Returns
    -------
    ndarray of int64, shape (256, 4)

    Examples
    --------
    >>> int(cubes(padded(np.ones((1, 1, 1), dtype=bool)))[1:255, 0].sum())
    8
    """
    found = np.zeros((256, 4), np.int64)
    for i in range(mask.shape[0] - 1):
        for j in range(mask.shape[1] - 1):
            low = np.int64(0)  # the border is outside
            for k in range(mask.shape[2] - 1):
                high = np.int64(mask[i, j, k + 1]) + 2 * np.int64(mask[i + 1, j, k + 1])
                high += 4 * np.int64(mask[i, j + 1, k + 1]) + 8 * np.int64(mask[i + 1, j + 1, k + 1])
                case = low + 16 * high
                low = high
                if case not in (0, 255):
                    found[case, 0] += 1
                    found[case, 1] += i
                    found[case, 2] += j
                    found[case, 3] += k
    return found


def area_and_volume(mask: NDArray[np.bool_], spacing_mm: Spacing, flips: bool = False) -> tuple[float, float]:
    """Return the area (mm2) of the surface of a mask, and the volume (mm3) inside.

    Parameters
    ----------
    mask : ndarray of bool, shape (i, j, k)
        Not empty.
    spacing_mm : (float, float, float)
        Voxel size.
    flips : bool
        Surface as in PyRadiomics, which has gaps where voxels touch along an edge only; its volume then depends on the
        origin, which lies one voxel before the box of the mask.

    Examples
    --------
    One voxel is an octahedron:

    >>> area, volume = area_and_volume(np.ones((1, 1, 1), dtype=bool), (1.0, 1.0, 1.0))
    >>> round(area, 4), round(volume, 4)
    (1.7321, 0.1667)
    """
    found = cubes(padded(mask)).astype(np.float64)
    case, triangles = table(flips)
    a, b, c = np.moveaxis(triangles * np.array(spacing_mm), 1, 0)
    normal = np.cross(b - a, c - a) / 2
    count, shift = found[case, 0], found[case, 1:] * np.array(spacing_mm)
    area = np.sum(np.sqrt(np.sum(normal**2, axis=1)) * count)
    volume = np.sum(np.sum(a * normal, axis=1) * count + np.sum(shift * normal, axis=1)) / 3
    return float(area), float(volume)
