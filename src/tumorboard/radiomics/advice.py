"""What is odd about a region or its settings, in sentences.

Why it exists: the same width of bins gives 5 grey levels on one scanner and 500 on another, and a region of ten voxels
has textures too. Numbers come out all the same, so somebody has to say it.
"""

from __future__ import annotations

import numpy as np

from tumorboard.radiomics.region import Region

FEWEST_BINS, MOST_BINS = 8, 256
"""Numbers of grey levels outside which textures are warned of; chosen."""

FEWEST_VOXELS = 64
"""Voxels below which textures are warned of; chosen."""

OFF_IMAGE = 0.01
"""Share of a region at intensity 0, as outside a brain mask, from which that is said; chosen."""


def advice(region: Region) -> tuple[str, ...]:
    """Return warnings about the region of the unfiltered image.

    Examples
    --------
    >>> from tumorboard.radiomics.region import Binned
    >>> cube = np.full((2, 2, 2), 3.0); inside = cube > 0
    >>> one = Region(cube, inside, inside, (1.0, 1.0, 1.0), Binned(inside.astype(np.int32), 1, 25.0, 0.0))
    >>> advice(one)[0]
    'the region has 8 voxels: textures of fewer than 64 say little'
    """
    told = []
    voxels = int(region.mask.sum())
    if voxels < FEWEST_VOXELS:
        told.append(f"the region has {voxels} voxels: textures of fewer than {FEWEST_VOXELS} say little")
    told += _levels(region)
    empty = float((region.image[region.whole] == 0).mean())
    if empty >= OFF_IMAGE:
        told.append(f"{100 * empty:.0f} % of the region has intensity 0: does it reach outside the brain or the image?")
    lost = int(region.whole.sum()) - voxels
    if lost > 0.5 * region.whole.sum():
        told.append(f"re-segmentation took away {lost} of {int(region.whole.sum())} voxels")
    return tuple(told)


def _levels(region: Region) -> list[str]:
    spread = float(region.values.max() - region.values.min())
    if spread == 0:
        return ["the region has one intensity: textures and moments beyond the mean are not defined"]
    count, width = region.texture.count, region.texture.width
    if FEWEST_BINS <= count <= MOST_BINS:
        return []
    at = f" of width {width:g}" if np.isfinite(width) else ""
    wanted = f"{count} grey levels{at}, expected {FEWEST_BINS} to {MOST_BINS}"
    return [f"{wanted}: a width of {spread / 32:.3g} would give 32 in this region"]
