"""How thick the enhancing margin is: F11.

Why it exists: a margin is thin below 3 mm, which is three voxels or fewer, so that the thickness must be right between
voxels. It is the volume of the rim over the area of its middle surface, which is half of its whole surface; the surface
is measured by Crofton's formula, which neither counts steps of voxels nor needs a mesh, in voxels of any shape.

Source: Legland D, Kiêu K, Devaux MF, Image Anal Stereol 2007;26:83-92 (surface area from counts along 13 directions).
"""

from __future__ import annotations

from functools import lru_cache
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import SphericalVoronoi

from tumorboard.labels import Tissue
from tumorboard.measure.diameters import fill_enclosed, slice_axis_of
from tumorboard.measure.signs.case import Answer, Case, Mask, Reading
from tumorboard.volume import box_around

THIN_MM = 3.0
"""A margin is thin below this. Source: the lexicon's template."""

ENCLOSED_PART = 0.05
"""Enhancement that encloses less than this part of what it fills is solid; chosen."""

Spacing = tuple[float, float, float]


def rim_thickness(case: Case) -> Reading:
    """F11: none, thin, thick or solid, of the largest core."""
    enhancing = case.mask(Tissue.ET)
    if not enhancing.any():
        return Answer("none", "Nothing is outlined as enhancing.", case.source(case.data > 0, Tissue.ET))
    spacing = case.study.grid.spacing_mm
    if sorted(spacing)[1] >= THIN_MM:
        return f"voxels of {sorted(spacing)[1]:g} mm cannot show a margin thinner than {THIN_MM:g} mm"
    rim = enhancing & case.largest
    if not rim.any():
        return "the largest part of the core does not enhance"
    filled = fill_enclosed(rim, case.mask(Tissue.NETC) & case.largest, slice_axis_of(case.study.grid))
    source = case.source(rim, Tissue.ET)
    told = "Of the largest core: volume of the rim over half of its surface (Crofton's formula)"
    if (filled & ~rim).sum() < ENCLOSED_PART * filled.sum():
        return Answer("solid", f"{told}; solid, where it encloses less than {100 * ENCLOSED_PART:g} %.", source)
    mm = thickness_mm(rim, spacing)
    return Answer("thin" if mm < THIN_MM else "thick", f"{told}; thin below {THIN_MM:g} mm, here {mm:.1f} mm.", source)


def thickness_mm(mask: Mask, spacing_mm: Spacing) -> float:
    """Return the mean thickness of a sheet or shell in mm; 0 for nothing.

    Parameters
    ----------
    mask : ndarray of bool, shape (i, j, k)
        A rim; a solid ball of radius r has 2 r / 3.
    spacing_mm : tuple of float
        Voxel size, mm.

    Examples
    --------
    >>> i, j, k = np.indices((61, 61, 61)) - 30
    >>> r = np.sqrt(i**2 + j**2 + k**2)
    >>> round(thickness_mm((r >= 22) & (r < 26), (1.0, 1.0, 1.0)), 1)
    4.0
    """
    if not mask.any():
        return 0.0
    return 2.0 * float(mask.sum()) * float(np.prod(spacing_mm)) / surface_mm2(mask, spacing_mm)


def surface_mm2(mask: Mask, spacing_mm: Spacing) -> float:
    """Return the surface area of a mask in mm²; holes have a surface too.

    Crossings of the surface are counted along the 13 directions to neighbours, each weighted by the part of the sphere
    that is nearest to it. Round shapes are right within some percent; a flat face along an axis is 7 % too small.

    Parameters
    ----------
    mask : ndarray of bool, shape (i, j, k)
        Any.
    spacing_mm : tuple of float
        Voxel size, mm.

    Examples
    --------
    >>> i, j, k = np.indices((41, 41, 41)) - 20
    >>> round(surface_mm2(i**2 + j**2 + k**2 <= 15**2, (1.0, 1.0, 1.0)) / (4 * np.pi * 15**2), 2)
    1.0
    """
    box = box_around(mask)
    if box is None:
        return 0.0
    inside = np.pad(mask[box], 1)
    steps, weights = directions(spacing_mm)
    voxel = float(np.prod(spacing_mm))
    total = 0.0
    for step, weight in zip(steps, weights, strict=True):
        one, two = _pair(inside, step)
        length = float(np.linalg.norm(np.multiply(step, spacing_mm)))
        total += weight * float(np.count_nonzero(one != two)) * voxel / length
    return 2.0 * total


@lru_cache(maxsize=16)
def directions(spacing_mm: Spacing) -> tuple[tuple[tuple[int, int, int], ...], tuple[float, ...]]:
    """Return the 13 steps to neighbours, and what part of all directions is nearest to each.

    Examples
    --------
    >>> steps, weights = directions((1.0, 1.0, 1.0))
    >>> len(steps), round(sum(weights), 6), steps[0], round(weights[0], 4)
    (13, 1.0, (0, 0, 1), 0.0916)
    """
    steps = [s for s in product((-1, 0, 1), repeat=3) if s > (0, 0, 0)]
    ahead = np.multiply(steps, spacing_mm)
    ahead /= np.linalg.norm(ahead, axis=1)[:, None]
    areas = SphericalVoronoi(np.concatenate([ahead, -ahead])).calculate_areas() / (4 * np.pi)
    found = areas[: len(steps)] + areas[len(steps) :]
    return tuple((int(i), int(j), int(k)) for i, j, k in steps), tuple(float(w) for w in found)


def _pair(array: Mask, step: tuple[int, int, int]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return two views: voxels, and their neighbours one step on."""
    here = tuple(slice(max(0, -s), n - max(0, s)) for s, n in zip(step, array.shape, strict=True))
    there = tuple(slice(max(0, s), n + min(0, s)) for s, n in zip(step, array.shape, strict=True))
    return array[here], array[there]
