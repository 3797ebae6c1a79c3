"""What a map will take, before it is begun.

Why it exists: a map at 1 mm has a hundred thousand values, each of a matrix of its own. Whether that fits is said
before it begins, not by the operating system half-way.
"""

from __future__ import annotations

import math

import numpy as np

from tumorboard.errors import InputError
from tumorboard.radiomics.region import Mask
from tumorboard.radiomics.scheme.cut import NEAR_MM
from tumorboard.radiomics.settings import RadiomicsSettings
from tumorboard.volume import Grid, box_around

MIB = 2**20

CHUNK = 8192
"""Voxels of the region at a time."""

IN_BOX, IN_REGION, IN_IMAGE = 64, 48, 32
"""Bytes a voxel: of the box (image, masks, levels, copies), of the region (place, value), of a normalised image."""


def needed_bytes(
    grid: Grid, features: Grid, inside: Mask, settings: RadiomicsSettings, margin: tuple[int, int, int] | None
) -> float:
    """Return the memory of a map without its matrices, an upper estimate.

    Parameters
    ----------
    grid : Grid
        Of the image.
    features : Grid
        That features are computed on.
    inside : ndarray of bool, shape of the image
        The region.
    settings : RadiomicsSettings
        Whether the image is normalised.
    margin : (int, int, int) or None
        Voxels of the features' grid that filters need on every side; None: all there are.

    Returns
    -------
    float
        Bytes.

    Examples
    --------
    >>> grid = Grid((100, 100, 100), np.eye(4))
    >>> inside = np.zeros((100, 100, 100), bool); inside[40:60, 40:60, 40:60] = True
    >>> needed_bytes(grid, grid, inside, RadiomicsSettings(), (0, 0, 0)) / MIB < 16
    True
    """
    box = box_around(inside)
    if box is None:
        return 0.0
    voxels, each = 1.0, 1.0
    for a, part in enumerate(box):
        own, new = grid.spacing_mm[a], features.spacing_mm[a]
        around = 2 * ((margin[a] if margin else features.shape[a]) + math.ceil(NEAR_MM / new) + 1)
        voxels *= min((part.stop - part.start) * own / new + around, features.shape[a])
        each *= own / new
    total = IN_BOX * voxels + 8.0 * math.prod(features.shape) + IN_REGION * each * int(np.count_nonzero(inside))
    return total + (IN_IMAGE * inside.size if settings.normalisation is not None else 0)


def check_memory(needed: float, allowed_mib: float) -> None:
    """Refuse a map that does not fit, with both figures.

    Examples
    --------
    >>> check_memory(3 * MIB, 2.0)
    Traceback (most recent call last):
    ...
    tumorboard.errors.InputError: map: expected a map that fits the 2 MiB allowed; got one that needs 3 MiB. ...
    """
    if needed > allowed_mib * MIB:
        remedy = "allow more memory, or use larger voxels, fewer grey levels or a smaller radius"
        got = f"one that needs {math.ceil(needed / MIB)} MiB"
        raise InputError(f"a map that fits the {allowed_mib:g} MiB allowed", got=got, where="map", remedy=remedy)
