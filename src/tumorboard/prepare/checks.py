"""Is this array an image at all? Refuses NaN, infinities, constants and single slices.

Why it exists: a NaN travels silently through every filter and comes out as a confident number.
"""

from __future__ import annotations

import numpy as np

from tumorboard.errors import GeometryError, IntensityError
from tumorboard.volume import Volume

MIN_SLICES = 3
"""Fewest voxels along any axis that are still called a volume."""


def check_image(volume: Volume, where: str) -> None:
    """Refuse a volume that is not a usable MR image.

    Raises
    ------
    GeometryError
        Fewer than three slices along an axis.
    IntensityError
        NaN or infinite values, or all values equal.

    Examples
    --------
    >>> check_image(Volume.of(np.arange(27.0).reshape(3, 3, 3), np.eye(4)), "T1C")
    """
    if min(volume.grid.shape) < MIN_SLICES:
        raise GeometryError(
            f"a volume of at least {MIN_SLICES} slices along each axis",
            got=f"shape {volume.grid.shape}",
            where=where,
            remedy="give the whole series, not a single slice",
        )
    bad = int(volume.data.size - np.isfinite(volume.data).sum())
    if bad:
        raise IntensityError(
            "finite voxel values",
            got=f"{bad} of {volume.data.size} are NaN or infinite",
            where=where,
            remedy="convert the series again, or set such voxels to 0 if you know why they are there",
        )
    if volume.data.min() == volume.data.max():
        raise IntensityError(
            "an image", got="the same value in every voxel", where=where, remedy="check the conversion"
        )
