"""Fractal features: how rough a region and its surface are, how rough its intensities, and how full of gaps both.

Why it exists: necrosis and infiltration make gliomas ragged at many scales at once; a dimension says how detail grows
as one looks closer, lacunarity how unevenly it is spread. None is in the standard, so what had to be chosen is told.

- Boxes are cubes in mm. The smallest has the largest voxel size as its edge, edges double, and the largest is at most a
  quarter of the region's longest extent. Boxes begin at the corner of the region. A slope takes three sizes at least;
  regions shorter than sixteen voxels have none.
- A box is counted where any part of a voxel lies in it, so thick slices leave no gaps between boxes. A voxel of the
  surface has one of its 26 neighbours outside.
- Intensities are a surface above space: its dimension is 3 where they are even and goes up to 4 where they are noise.
  Differential box counting takes grey levels, twice these sizes, and boxes of whole steps between voxels inside the
  region, at every place instead of side by side; their height is to the number of levels as their edge is to the
  longest extent.
- Lacunarity glides boxes of whole voxels, through the box around the region or inside the region, and is averaged over
  the sizes. That of intensities is that of grey levels, which are never negative.

All follow from the morphological mask and from the grey levels of the image without filters.

Source: Russell DA, Hanson JD, Ott E. Phys Rev Lett 1980;45:1175-1178 (box counting); Sarkar N, Chaudhuri BB. IEEE Trans
Syst Man Cybern 1994;24:115-120 (differential box counting); Allain C, Cloitre M. Phys Rev A 1991;44:3552-3558 (gliding
boxes); Plotnick RE et al., Phys Rev E 1996;53:5461-5468 (of quantities). In gliomas: Liu S et al., Sci Rep 2017;7:8302.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from tumorboard.radiomics.feature import ONE, Family, Feature
from tumorboard.radiomics.region import Float, Levels, Mask, Region
from tumorboard.volume import box_around

FEATURES = (
    Feature("dim", "", "1", "box-counting dimension of the region, up to 3"),
    Feature("dim_surf", "", "1", "box-counting dimension of its surface voxels, up to 3"),
    Feature("dim_int", "", "1", "dimension of the surface that grey levels make above space, 3 to 4"),
    Feature("lac", "", "1", "lacunarity of the region in its box, mean over sizes; 1 is even"),
    Feature("lac_int", "", "1", "lacunarity of grey levels, mean over sizes; 1 is even"),
)

FEWEST, LARGEST, SAME = 3, 0.25, 1e-9
"""Sizes that a slope takes; largest box over the longest extent; fraction of a voxel that is rounding."""


def compute(region: Region, way: str = "") -> dict[str, float]:
    """Compute the fractal features of a region.

    Parameters
    ----------
    region : Region
        Its morphological mask and grey levels are read.
    way : str, optional
        Not used: these features are not aggregated.

    Returns
    -------
    dict of str to float
        By name; NaN where the region has fewer than three sizes of boxes.

    Examples
    --------
    >>> from tumorboard.radiomics.region import Binned
    >>> cube = np.ones((16, 16, 16)); inside = cube > 0
    >>> found = compute(Region(cube, inside, inside, (1.0, 1.0, 1.0), Binned(inside.astype(np.int32), 1, 1.0, 0.5)))
    >>> round(found["dim"], 6), round(found["dim_int"], 6), found["lac"]
    (3.0, 3.0, 1.0)
    """
    found = dict.fromkeys((f.name for f in FEATURES), math.nan)
    box = box_around(region.whole)
    if box is None:
        return found
    mask, levels = region.whole[box], region.texture.levels[box]
    sizes, spacing = edges_mm(mask.shape, region.spacing_mm), region.spacing_mm
    if len(sizes) < FEWEST:
        return found
    surface = mask & ~ndi.binary_erosion(mask, np.ones((3, 3, 3), dtype=np.bool_))
    found["dim"] = -slope(sizes, [box_count(mask, spacing, s) for s in sizes])
    found["dim_surf"] = -slope(sizes, [box_count(surface, spacing, s) for s in sizes])
    boxes = [roughness(levels, region.texture.count, mask.shape, spacing, 2 * s) for s in sizes]
    found["dim_int"] = 3.0 - slope(sizes, boxes)
    found["lac"] = _mean([lacunarity(mask, np.ones_like(mask), spacing, s) for s in sizes])
    found["lac_int"] = _mean([lacunarity(levels, levels > 0, spacing, s) for s in sizes])
    return found


def edges_mm(shape: tuple[int, ...], spacing_mm: tuple[float, float, float]) -> list[float]:
    """Return the edges of boxes in mm, ascending.

    Examples
    --------
    >>> edges_mm((32, 10, 10), (1.0, 1.0, 2.0))
    [2.0, 4.0, 8.0]
    """
    longest, edges = _longest(shape, spacing_mm), [max(spacing_mm)]
    while 2 * edges[-1] <= LARGEST * longest:
        edges.append(2 * edges[-1])
    return edges


def slope(sizes: list[float], counts: list[float]) -> float:
    """Return the slope of the logarithm of counts over that of sizes; NaN from fewer than three counts.

    Examples
    --------
    >>> round(slope([1.0, 2.0, 4.0], [64.0, 16.0, 4.0]), 9)
    -2.0
    """
    pairs = [(math.log(s), math.log(n)) for s, n in zip(sizes, counts, strict=True) if n > 0]
    if len(pairs) < FEWEST:
        return math.nan
    x, y = np.array(pairs).T
    away = x - x.mean()
    return float((away * (y - y.mean())).sum() / (away**2).sum())


def box_count(mask: Mask, spacing_mm: tuple[float, float, float], edge_mm: float) -> float:
    """Return the number of cubes that any part of a mask lies in.

    Parameters
    ----------
    mask : ndarray of bool, shape (i, j, k)
        Cubes begin at its corner.
    spacing_mm : (float, float, float)
        Voxel size.
    edge_mm : float
        Of a cube; at least the largest voxel size.

    Examples
    --------
    >>> box_count(np.ones((4, 4, 2), bool), (1.0, 1.0, 3.0), 3.0)
    8.0
    """
    for axis, size in enumerate(spacing_mm):
        mask = _boxed(mask, axis, size / edge_mm)
    return float(mask.sum())


def roughness(
    levels: Levels, count: int, shape: tuple[int, ...], spacing_mm: tuple[float, float, float], edge_mm: float
) -> float:
    """Return how many boxes on top of each other the grey levels of a box reach through, on average.

    Parameters
    ----------
    levels : ndarray of int32, shape (i, j, k)
        From 1; 0 outside the region.
    count : int
        Number of grey levels.
    shape : tuple of int
        Of the box around the region.
    spacing_mm : (float, float, float)
        Voxel size.
    edge_mm : float
        Of a box.

    Returns
    -------
    float
        1 or more; NaN where no box lies inside the region.

    Examples
    --------
    >>> steps = np.tile(np.arange(1, 9, dtype=np.int32), (8, 8, 1))
    >>> roughness(steps, 8, (8, 8, 8), (1.0, 1.0, 1.0), 2.0)
    2.0
    """
    width = tuple(w + 1 for w in _width(spacing_mm, edge_mm))
    low = ndi.minimum_filter(levels, size=width, mode="constant", cval=0)
    inside = low > 0
    if not inside.any():
        return math.nan
    high = ndi.maximum_filter(levels, size=width, mode="constant", cval=0)[inside]
    height = edge_mm * count / _longest(shape, spacing_mm)
    through = np.floor((high - 1) / height + SAME) - np.floor((low[inside] - 1) / height + SAME) + 1
    return float(through.mean())


def lacunarity(mass: NDArray[Any], inside: Mask, spacing_mm: tuple[float, float, float], edge_mm: float) -> float:
    """Return the mean square of the mass of a gliding box over the square of its mean.

    Parameters
    ----------
    mass : ndarray, shape (i, j, k)
        Of each voxel, not negative.
    inside : ndarray of bool, shape (i, j, k)
        Where boxes may be.
    spacing_mm : (float, float, float)
        Voxel size.
    edge_mm : float
        Of a box.

    Returns
    -------
    float
        1 where all boxes have the same mass; NaN where there is no box, or no mass.

    Examples
    --------
    >>> lacunarity(np.array([[[1, 0, 1, 0]]]), np.ones((1, 1, 4), bool), (1.0, 1.0, 1.0), 1.0)
    2.0
    """
    width = _width(spacing_mm, edge_mm)
    if any(w > n for w, n in zip(width, mass.shape, strict=True)):
        return math.nan
    whole = _gliding(inside.astype(np.float64), width) > math.prod(width) - 0.5
    found = _gliding(np.where(inside, mass, 0).astype(np.float64), width)[whole]
    mean = float(found.mean()) if found.size else 0.0
    return float((found**2).mean()) / mean**2 if mean else math.nan


def _gliding(array: Float, width: tuple[int, ...]) -> Float:
    """Return the sums of whole boxes at every place."""
    for axis, w in enumerate(width):
        sums = np.insert(np.cumsum(array, axis=axis), 0, 0.0, axis=axis)
        n = sums.shape[axis]
        array = np.take(sums, range(w, n), axis=axis) - np.take(sums, range(n - w), axis=axis)
    return array


def _width(spacing_mm: tuple[float, float, float], edge_mm: float) -> tuple[int, ...]:
    """Return a box in whole voxels."""
    return tuple(max(math.floor(edge_mm / s + 0.5 + SAME), 1) for s in spacing_mm)


def _longest(shape: tuple[int, ...], spacing_mm: tuple[float, float, float]) -> float:
    return max(n * s for n, s in zip(shape, spacing_mm, strict=True))


def _mean(values: list[float]) -> float:
    known = [v for v in values if not math.isnan(v)]
    return sum(known) / len(known) if known else math.nan


def _boxed(mask: Mask, axis: int, ratio: float) -> Mask:
    """Merge the voxels along an axis that lie in one box, in whole or in part."""
    n = mask.shape[axis]
    first = [math.floor(b / ratio + SAME) for b in range(math.ceil(n * ratio - SAME))]
    last = [min(math.ceil((b + 1) / ratio - SAME), n) for b in range(len(first))]
    ahead = np.moveaxis(mask, axis, 0)
    boxes = np.stack([ahead[a:b].any(axis=0) for a, b in zip(first, last, strict=True)])
    return np.moveaxis(boxes, 0, axis)


FAMILY = Family("fractal", "", "frac", "Fractal dimensions and lacunarity", FEATURES, ONE, compute, filtered=False)
