"""Local intensity: the brightest spots of a region, averaged over 1 mL.

Why it exists: the highest voxel is mostly noise; its mean over a small sphere is not. The sphere reaches beyond the
region, as the standard wants.

A sphere is a bundle of rows of voxels. With running sums along the rows, each row of the sphere costs one subtraction
for each voxel, and the subtractions of a whole row of voxels follow each other in memory.

Source: IBSI reference manual, arXiv:1612.07003, section 3.2.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from tumorboard.compiled import compiled
from tumorboard.radiomics.feature import ONE, Family, Feature
from tumorboard.radiomics.region import Float, Mask, Region
from tumorboard.radiomics.shape.mesh import own_box

FEATURES = (
    Feature("peak_loc", "VJGA", "i", "mean of 1 mL around the brightest voxel"),
    Feature("peak_glob", "0F91", "i", "highest mean of 1 mL around any voxel"),
)

RADIUS_MM = 10 * (3 / (4 * np.pi)) ** (1 / 3)
"""Of a sphere of 1 mL."""


def sphere_rows(spacing_mm: tuple[float, float, float]) -> NDArray[np.int64]:
    """Return the rows of voxels whose centres lie within a sphere of 1 mL around a voxel.

    Parameters
    ----------
    spacing_mm : (float, float, float)
        Voxel size.

    Returns
    -------
    ndarray of int64, shape (n, 3)
        Steps along i and j to the row, and how far it reaches along k to either side.

    Examples
    --------
    >>> sphere_rows((6.0, 7.0, 3.0)).tolist()
    [[-1, 0, 0], [0, 0, 2], [1, 0, 0]]
    """
    reach = [int(RADIUS_MM / step) for step in spacing_mm]
    i, j = np.mgrid[-reach[0] : reach[0] + 1, -reach[1] : reach[1] + 1].reshape(2, -1)
    left = RADIUS_MM**2 - (i * spacing_mm[0]) ** 2 - (j * spacing_mm[1]) ** 2
    half = np.floor(np.sqrt(np.maximum(left, 0)) / spacing_mm[2]).astype(np.int64)
    rows: NDArray[np.int64] = np.column_stack([i, j, half])[left >= 0]
    return rows


@compiled
def _running(image: Float, reach: int) -> Float:
    """Return the sum of all voxels of a row before each voxel, for ``reach`` voxels more at either end."""
    size_i, size_j, size_k = image.shape
    sums = np.zeros((size_i, size_j, size_k + 2 * reach + 1))
    for i in range(size_i):
        for j in range(size_j):
            total = 0.0
            for k in range(size_k):
                total += image[i, j, k]
                sums[i, j, reach + k + 1] = total
            sums[i, j, reach + size_k + 1 :] = total
    return sums


@compiled
def _add(total: Float, sums: Float, first: int, width: int) -> None:
    """Add to each voxel of a line the sum of as many voxels as the width says."""
    upper, lower = sums[first + width : first + width + total.size], sums[first : first + total.size]
    for n in range(total.size):
        total[n] += upper[n] - lower[n]


@compiled
def _means(line: tuple[int, int, int, int], sums: Float, ones: Float, rows: NDArray[np.int64], reach: int) -> Float:
    """Return the means of spheres around a line of voxels: at i and j, from k to before another k."""
    i, j, start, stop = line
    total, count = np.zeros(stop - start), np.zeros(stop - start)
    for n in range(len(rows)):
        a, b, half = i + rows[n, 0], j + rows[n, 1], rows[n, 2]
        if 0 <= a < sums.shape[0] and 0 <= b < sums.shape[1]:
            _add(total, sums[a, b], start + reach - half, 2 * half + 1)
            _add(count, ones, start + reach - half, 2 * half + 1)
    return total / count


@compiled
def peaks(image: Float, mask: Mask, rows: NDArray[np.int64]) -> tuple[float, float]:
    """Return the local and the global peak of the voxels in a mask.

    Parameters
    ----------
    image : ndarray of float64, shape (i, j, k)
        Intensities.
    mask : ndarray of bool, shape (i, j, k)
        Not empty.
    rows : ndarray of int64, shape (n, 3)
        Of the sphere.

    Examples
    --------
    >>> image = np.array([[[0.0, 1.0, 5.0, 3.0]]])
    >>> peaks(image, image > 0, np.array([[0, 0, 1]]))
    (3.0, 4.0)
    """
    reach = int(np.max(rows[:, 2]))
    sums, ones = _running(image, reach), _running(np.ones((1, 1, image.shape[2])), reach)[0, 0]
    brightest, local, highest = -np.inf, -np.inf, -np.inf
    for i in range(mask.shape[0]):
        for j in range(mask.shape[1]):
            inside = np.flatnonzero(mask[i, j])
            if inside.size == 0:
                continue
            means = _means((i, j, inside[0], inside[-1] + 1), sums, ones, rows, reach)
            for k in inside:
                mean = means[k - inside[0]]
                highest = max(highest, mean)
                if image[i, j, k] > brightest:
                    brightest, local = image[i, j, k], mean
                elif image[i, j, k] == brightest:
                    local = max(local, mean)
    return local, highest


def compute(region: Region, way: str = "") -> Mapping[str, float]:
    """Return the features of a region.

    Parameters
    ----------
    region : Region
        Spheres lie around the voxels of the intensity mask, and take in all of the image within reach.
    way : str
        Of aggregation; has no meaning here.

    Examples
    --------
    >>> from tumorboard.radiomics.region import Binned
    >>> image = np.zeros((3, 3, 3)); image[1, 1, 1] = 27; inside = image > 0
    >>> region = Region(image, inside, inside, (3.0, 3.0, 3.0), Binned(inside.astype(np.int32), 1, 1.0, 26.5))
    >>> compute(region)["peak_loc"]
    1.0
    """
    if not region.mask.any():
        return dict.fromkeys((feature.name for feature in FEATURES), np.nan)
    rows = sphere_rows(region.spacing_mm)
    margin = np.abs(rows).max(axis=0)
    box = tuple(
        slice(max(side.start - int(step), 0), side.stop + int(step))
        for side, step in zip(own_box(region.mask), margin, strict=True)
    )
    local, highest = peaks(np.ascontiguousarray(region.image[box]), np.ascontiguousarray(region.mask[box]), rows)
    return {"peak_loc": local, "peak_glob": highest}


FAMILY = Family("local_intensity", "9ST6", "loc", "Local intensity", FEATURES, ONE, compute)
