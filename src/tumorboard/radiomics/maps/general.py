"""Any feature of intensities or grey levels in a cube around each voxel, by making each cube a region.

Why it exists: features without a compiled loop of their own can be mapped too, where there are few enough voxels to
wait for. What it would take is measured on a few of them first.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from tumorboard.errors import InputError
from tumorboard.radiomics.matrices.shared import Ints
from tumorboard.radiomics.region import Binned, Float, Region

MOST = 20_000
"""Voxels up to which a feature without a compiled loop is mapped; chosen."""

TRIED = 20
"""Voxels that tell how long all would take."""


def cube_region(region: Region, at: Ints, radius: int) -> Region:
    """Return the cube around a voxel as a region, with the grey levels of the whole region.

    Parameters
    ----------
    region : Region
        The whole region.
    at : ndarray of int64, shape (3,)
        A voxel, in the box of the region.
    radius : int
        The cube has ``2 radius + 1`` voxels along each edge.

    Examples
    --------
    >>> levels = np.array([[[1, 3, 1, 1]]], dtype=np.int32); inside = levels > 0
    >>> region = Region(levels * 1.0, inside, inside, (1.0, 1.0, 1.0), Binned(levels, 3, 1.0, 0.5))
    >>> cube_region(region, np.array([0, 0, 3]), 1).values.tolist()
    [1.0, 1.0]
    """
    i, j, k = (slice(max(int(a) - radius, 0), int(a) + radius + 1) for a in at)
    box = (i, j, k)
    texture = replace(region.texture, levels=region.texture.levels[box])
    ivh: Binned | None = None if region.ivh is None else replace(region.ivh, levels=region.ivh.levels[box])
    cut = (region.image[box], region.mask[box], region.whole[box])
    return Region(*cut, region.spacing_mm, texture, ivh, region.ivh_range)


def general_rows(
    region: Region, at: Ints, radius: int, compute: Callable[[Region], float], tell: Callable[[int, int], None]
) -> Float:
    """Return one feature around voxels, shape (n,).

    Parameters
    ----------
    region, at, radius
        As in :func:`cube_region`, for ``n`` voxels.
    compute : callable
        From a region to the feature.
    tell : callable
        Called with the voxels done, and all.

    Raises
    ------
    InputError
        There are more than :data:`MOST` voxels; the message says how long they would take.
    """
    values, began = np.full(len(at), np.nan), time.perf_counter()
    for n in range(len(at)):
        if n == TRIED:
            _check_number(len(at), (time.perf_counter() - began) / TRIED)
        values[n] = compute(cube_region(region, at[n], radius))
        if (n + 1) % 1000 == 0 or n + 1 == len(at):
            tell(n + 1, len(at))
    return values


def _check_number(voxels: int, seconds_each: float) -> None:
    if voxels > MOST:
        minutes = voxels * seconds_each / 60.0
        remedy = "map a feature of glcm or statistics, which has a fast way, or use larger voxels"
        got = f"{voxels}, which would take some {minutes:.1f} minutes"
        raise InputError(f"at most {MOST} voxels for a map of this feature", got=got, where="map", remedy=remedy)
