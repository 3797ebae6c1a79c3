"""A region as the features see it: a box of the image, two masks and grey levels.

Why it exists: every family reads the same few arrays, so they are cut out once. The morphological mask is the outline
as it was drawn; the intensity mask has lost what re-segmentation took away.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float64]
Mask = NDArray[np.bool_]
Levels = NDArray[np.int32]


@dataclass(frozen=True)
class Binned:
    """Grey levels of a region.

    Parameters
    ----------
    levels : ndarray of int32, shape (i, j, k)
        1 to ``count`` inside the intensity mask, 0 outside.
    count : int
        Number of grey levels.
    width : float
        Of a bin, in units of intensity; 1 where levels are intensities, NaN where bins differ in width.
    lowest : float
        Intensity at the lower edge of the first bin.
    """

    levels: Levels
    count: int
    width: float
    lowest: float


@dataclass(frozen=True)
class Region:
    """What features are computed from.

    Parameters
    ----------
    image : ndarray of float64, shape (i, j, k)
        A box around the region, with a margin where the image has one (local intensity looks 6.2 mm further).
    mask : ndarray of bool, shape (i, j, k)
        Intensity mask.
    whole : ndarray of bool, shape (i, j, k)
        Morphological mask.
    spacing_mm : (float, float, float)
        Along i, j, k. Slices are planes of constant k.
    texture : Binned
        Grey levels of textures and of the intensity histogram.
    ivh : Binned or None
        Grey levels of the intensity-volume histogram; None where intensities are used as they are.
    ivh_range : (float, float) or None
        Of intensities that fractions of the intensity-volume histogram refer to; None: those observed.

    Examples
    --------
    >>> cube = np.ones((2, 2, 2)); inside = cube > 0
    >>> Region(cube, inside, inside, (1.0, 1.0, 1.0), Binned(cube.astype(np.int32), 1, 1.0, 0.5)).values.size
    8
    """

    image: Float
    mask: Mask
    whole: Mask
    spacing_mm: tuple[float, float, float]
    texture: Binned
    ivh: Binned | None = None
    ivh_range: tuple[float, float] | None = None

    @cached_property
    def values(self) -> Float:
        """Intensities inside the intensity mask, in order of memory, shape (n,)."""
        return np.ascontiguousarray(self.image[self.mask])

    @cached_property
    def ordered(self) -> Float:
        """Intensities inside the intensity mask from the lowest to the highest, shape (n,)."""
        return np.sort(self.values)

    @cached_property
    def grey(self) -> Levels:
        """Grey levels inside the intensity mask, in order of memory, shape (n,)."""
        return np.ascontiguousarray(self.texture.levels[self.mask])
