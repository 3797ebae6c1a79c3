"""Lesion instances: which voxels belong together.

Why it exists: a ragged rim of enhancement is one lesion in many pieces to a connected-components
filter. Pieces whose gap is at most ``BRIDGE_MM`` are one lesion; what is smaller than
``LEAST_ML`` is counted in the volumes but is no lesion of its own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tumorboard.labels import LabelMap
from tumorboard.segment.space import close_mm, parts

BRIDGE_MM = 2.0
"""Pieces nearer than twice this are one lesion; chosen."""

LEAST_ML = 0.05
"""Smallest lesion that is listed (a ball of 4.6 mm diameter); chosen."""


@dataclass(frozen=True)
class Lesions:
    """Instances of one region.

    Parameters
    ----------
    region : str
        ``TC`` where enhancing tumour could be seen and was, else ``WT``.
    numbers : ndarray of uint16, shape (i, j, k)
        1 is the largest; 0 elsewhere.
    count : int
        How many.
    fragments_ml : float
        Volume of pieces too small to be listed.
    """

    region: str
    numbers: NDArray[np.uint16]
    count: int
    fragments_ml: float

    def mask(self, number: int) -> NDArray[np.bool_]:
        """Return one lesion's voxels."""
        return np.asarray(self.numbers == number)


def find_lesions(labels: LabelMap, region: str) -> Lesions:
    """Return the numbered lesions of a region, largest first.

    Parameters
    ----------
    labels : LabelMap
        Where they are; gaps and volumes are in mm and mL through its affine.
    region : str
        A name of :data:`tumorboard.labels.REGIONS`.

    Returns
    -------
    Lesions

    Examples
    --------
    >>> data = np.zeros((30, 10, 10), np.uint8); data[2:8, 2:8, 2:8] = 3; data[20:26, 2:9, 2:8] = 3
    >>> lesions = find_lesions(LabelMap.of(data, np.eye(4)), "TC")
    >>> lesions.count, int(lesions.numbers[22, 4, 4]), int(lesions.numbers[4, 4, 4])
    (2, 1, 2)
    """
    mask = labels.region(region)
    numbers = np.zeros(mask.shape, dtype=np.uint16)
    if not mask.any():
        return Lesions(region, numbers, 0, 0.0)
    bridged, n = parts(close_mm(mask, BRIDGE_MM, labels.grid.spacing_mm))
    own = bridged * mask
    sizes = np.bincount(own.ravel(), minlength=n + 1) * labels.grid.voxel_volume_ml
    sizes[0] = 0.0
    order = [int(x) for x in np.argsort(-sizes, kind="stable") if sizes[x] >= LEAST_ML]
    rank = np.zeros(n + 1, dtype=np.uint16)
    rank[order] = np.arange(1, len(order) + 1)
    listed = float(sizes[order].sum()) if order else 0.0
    return Lesions(region, rank[own], len(order), float(sizes.sum()) - listed)


def largest_distance_mm(lesions: Lesions, spacing_mm: tuple[float, float, float]) -> float:
    """Return the largest distance between the centroids of two lesions in mm (0 for one lesion)."""
    if lesions.count < 2:
        return 0.0
    places = np.argwhere(lesions.numbers)
    number = lesions.numbers[tuple(places.T)]
    sums = np.stack([np.bincount(number, weights=places[:, a])[1:] for a in range(3)], axis=1)
    centres = sums / np.bincount(number)[1:, None] * np.asarray(spacing_mm)
    return float(np.linalg.norm(centres[:, None] - centres[None], axis=2).max())
