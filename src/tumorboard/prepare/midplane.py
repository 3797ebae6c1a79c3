"""The mid-sagittal plane, from the brain's own symmetry.

Why it exists: sides, midline crossing and left-right asymmetry need a plane, and a tumour must not
pull it. The outline of the brain is mirrored first; then local detail of one sequence, with a
truncated difference so that a lesion counts as little as any other mismatch.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi
from scipy.optimize import minimize

from tumorboard.compiled import compiled
from tumorboard.transform import Plane
from tumorboard.volume import Grid

WORKING_MM = 4.0
MAX_OFFSET_MM = 20.0
MAX_TILT = 0.35
DETAIL_MM = 16.0
"""Grid, search range (mm from the brain's centre, tangent of the tilt) and high-pass width; chosen."""

Cost = Callable[[NDArray[np.float64]], float]


def shrink_factors(grid: Grid, target_mm: float) -> tuple[int, int, int]:
    """Return how many voxels along each axis average to about ``target_mm``."""
    i, j, k = (max(1, round(target_mm / s)) for s in grid.spacing_mm)
    return i, j, k


def block_mean(data: NDArray[np.generic], factors: tuple[int, int, int]) -> NDArray[np.float32]:
    """Return means over blocks of voxels; what is left at the far ends is padded with 0.

    Examples
    --------
    >>> block_mean(np.ones((4, 4, 3)), (2, 2, 2)).shape
    (2, 2, 2)
    """
    pads = [(0, -n % f) for n, f in zip(data.shape, factors, strict=True)]
    padded = np.pad(np.asarray(data, dtype=np.float32), pads)
    a, b, c = (n // f for n, f in zip(padded.shape, factors, strict=True))
    blocks = padded.reshape(a, factors[0], b, factors[1], c, factors[2])
    return np.asarray(blocks.mean(axis=(1, 3, 5)), dtype=np.float32)


def find_midplane(image: NDArray[np.float32], brain: NDArray[np.bool_], grid: Grid) -> Plane:
    """Find the mid-sagittal plane of a brain.

    Parameters
    ----------
    image : ndarray, shape (i, j, k)
        Normalised intensities, canonical axes; T1 is best.
    brain : ndarray of bool, shape (i, j, k)
    grid : Grid
        Canonical.

    Returns
    -------
    Plane
        In the grid frame (mm), normal to the patient's right.
    """
    factors = shrink_factors(grid, WORKING_MM)
    spacing = np.multiply(grid.spacing_mm, factors)
    mask = block_mean(brain, factors) > 0.5
    detail = _local_detail(block_mean(np.clip(image, -3, 3), factors), mask, spacing)
    outline = _clipped_distance(mask, spacing)
    points = np.argwhere(mask)[::2]
    centre = points.mean(axis=0) * spacing
    outline_cost = _mirror_cost(outline, points, spacing, centre, truncate=10.0)
    detail_cost = _mirror_cost(detail, points, spacing, centre, truncate=1.0)
    first = _search(outline_cost, np.zeros(3), np.array([MAX_OFFSET_MM, MAX_TILT, MAX_TILT]))
    best = _search(lambda p: detail_cost(p) + 0.01 * outline_cost(p), first, np.array([8.0, 0.1, 0.1]))
    normal = _normal(best)
    offset = float(normal @ (centre + (np.array(factors) - 1) / 2 * grid.spacing_mm) + best[0])
    a, b, c = (float(v) for v in normal)
    return Plane((a, b, c), offset)


def _normal(parameters: NDArray[np.float64]) -> NDArray[np.float64]:
    raw = np.array([1.0, parameters[1], parameters[2]])
    return np.asarray(raw / np.linalg.norm(raw))


def _search(cost: Cost, start: NDArray[np.float64], reach: NDArray[np.float64]) -> NDArray[np.float64]:
    bounds = list(zip(start - reach, start + reach, strict=True))
    found = minimize(cost, start, method="Powell", bounds=bounds, options={"xtol": 1e-3, "ftol": 1e-4})
    return np.asarray(found.x, dtype=np.float64)


def _mirror_cost(
    volume: NDArray[np.float32],
    points: NDArray[np.int64],
    spacing: NDArray[np.float64],
    centre: NDArray[np.float64],
    truncate: float,
) -> Cost:
    values = volume[tuple(points.T)].astype(np.float64)
    places = points * spacing - centre

    def cost(parameters: NDArray[np.float64]) -> float:
        plane = np.append(_normal(parameters), parameters[0])
        return float(_mirror_error(volume, places, values, spacing, centre, plane, truncate))

    return cost


@compiled
def _mirror_error(
    volume: NDArray[np.float32],
    places: NDArray[np.float64],
    values: NDArray[np.float64],
    spacing: NDArray[np.float64],
    centre: NDArray[np.float64],
    plane: NDArray[np.float64],
    truncate: float,
) -> float:
    """Return the mean truncated difference between places and their mirror images; the nearest voxel counts outside.

    ``places`` are mm from ``centre``; ``plane`` holds a unit normal and an offset.
    """
    total = 0.0
    corner, part = np.empty((3, 2), np.int64), np.empty(3)
    for n in range(len(places)):
        distance = places[n, 0] * plane[0] + places[n, 1] * plane[1] + places[n, 2] * plane[2] - plane[3]
        for a in range(3):
            last = volume.shape[a] - 1
            x = (places[n, a] - 2 * distance * plane[a] + centre[a]) / spacing[a]
            x = min(max(x, 0.0), float(last))
            corner[a, 0] = int(x)
            corner[a, 1] = min(corner[a, 0] + 1, last)
            part[a] = x - corner[a, 0]
        there = 0.0
        for i in range(2):
            for j in range(2):
                row = volume[corner[0, i], corner[1, j]]
                along = row[corner[2, 0]] * (1 - part[2]) + row[corner[2, 1]] * part[2]
                there += along * (part[0] if i else 1 - part[0]) * (part[1] if j else 1 - part[1])
        total += min(abs(there - values[n]), truncate)
    return total / len(places)


def _clipped_distance(mask: NDArray[np.bool_], spacing: NDArray[np.float64]) -> NDArray[np.float32]:
    inside = ndi.distance_transform_edt(mask, sampling=spacing)
    outside = ndi.distance_transform_edt(~mask, sampling=spacing)
    return np.asarray(np.clip(inside - outside, -16.0, 24.0), dtype=np.float32)


def _local_detail(
    image: NDArray[np.float32], mask: NDArray[np.bool_], spacing: NDArray[np.float64]
) -> NDArray[np.float32]:
    weight = np.maximum(ndi.gaussian_filter(mask.astype(np.float32), DETAIL_MM / spacing), 0.1)
    smooth = ndi.gaussian_filter(image * mask, DETAIL_MM / spacing) / weight
    return np.asarray(np.clip(image - smooth, -1.5, 1.5) * mask, dtype=np.float32)
