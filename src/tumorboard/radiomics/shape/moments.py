"""Where a mask lies and how far it spreads: centres and principal axes.

Why it exists: sums of voxel indices are whole numbers, so the spread of a mask is exact and needs no list of voxels.

Source: IBSI reference manual, features KLMA, TDIC, P9VJ and 7J51.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tumorboard.compiled import compiled

Float = NDArray[np.float64]
Spacing = tuple[float, float, float]


@compiled
def _sums(mask: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return the sums over voxels of (1, i, j, k) x (1, i, j, k), shape (4, 4), upper half."""
    found = np.zeros((4, 4), np.int64)
    for i in range(mask.shape[0]):
        for j in range(mask.shape[1]):
            count, once, twice = 0, 0, 0
            for k in range(mask.shape[2]):
                if mask[i, j, k]:
                    count += 1
                    once += k
                    twice += k * k
            row = (1, i, j)
            for a in range(3):
                for b in range(a, 3):
                    found[a, b] += row[a] * row[b] * count
                found[a, 3] += row[a] * once
            found[3, 3] += twice
    return found


def centre_and_spread(mask: NDArray[np.bool_], spacing_mm: Spacing, population: bool = False) -> tuple[Float, Float]:
    """Return the mean position of the voxels of a mask (mm from the first voxel of the box), and its covariance (mm2).

    Parameters
    ----------
    mask : ndarray of bool, shape (i, j, k)
        Not empty.
    spacing_mm : (float, float, float)
        Voxel size.
    population : bool
        Whether the covariance is that of a population, as in PyRadiomics; else of a sample, as in the standard's
        reference values. That of a single voxel is 0.

    Examples
    --------
    >>> centre, spread = centre_and_spread(np.ones((3, 1, 1), dtype=bool), (3.0, 1.0, 1.0))
    >>> centre.tolist(), spread[0].tolist()
    ([3.0, 0.0, 0.0], [9.0, 0.0, 0.0])
    """
    sums = [[int(value) for value in row] for row in _sums(mask)]  # whole numbers of any size
    count = sums[0][0]
    pairs = count * (count if population else max(count - 1, 1))
    spread = np.zeros((3, 3))
    for a in range(3):
        for b in range(a, 3):
            exact = count * sums[a + 1][b + 1] - sums[0][a + 1] * sums[0][b + 1]
            spread[a, b] = spread[b, a] = exact / pairs * spacing_mm[a] * spacing_mm[b]
    centre = np.array([sums[0][a + 1] / count * spacing_mm[a] for a in range(3)])
    return centre, spread


def principal_axes(spread: Float) -> Float:
    """Return the lengths (mm) of the axes of the ellipsoid with this covariance (mm2), shape (3,), ascending.

    Examples
    --------
    >>> principal_axes(np.diag([4.0, 1.0, 0.0])).tolist()
    [0.0, 4.0, 8.0]
    """
    variance = np.asarray(np.linalg.eigvalsh(spread), dtype=np.float64)
    variance[variance < variance[-1] * 1e-12] = 0.0  # of a flat mask, but for rounding
    return np.asarray(4 * np.sqrt(variance), dtype=np.float64)


@compiled
def weighted_centre(image: Float, mask: NDArray[np.bool_], spacing_mm: Spacing) -> Float:
    """Return the mean position (mm from the first voxel of the box) of a mask's voxels, weighted with intensities.

    Parameters
    ----------
    image : ndarray of float64, shape (i, j, k)
        Intensities.
    mask : ndarray of bool, shape (i, j, k)
        Voxels that count.
    spacing_mm : (float, float, float)
        Voxel size.

    Returns
    -------
    ndarray of float64, shape (3,)
        NaN where the intensities add up to 0.

    Examples
    --------
    >>> image = np.array([[[1.0, 3.0]]])
    >>> weighted_centre(image, image > 0, (1.0, 1.0, 2.0)).tolist()
    [0.0, 0.0, 1.5]
    """
    total, moments = 0.0, np.zeros(3)
    for i in range(mask.shape[0]):
        for j in range(mask.shape[1]):
            row, moment = 0.0, 0.0
            for k in range(mask.shape[2]):
                if mask[i, j, k]:
                    row += image[i, j, k]
                    moment += image[i, j, k] * k
            total += row
            moments[0] += row * i
            moments[1] += row * j
            moments[2] += moment
    if total == 0:
        return np.full(3, np.nan)
    centre: Float = moments / total * np.array(spacing_mm)
    return centre
