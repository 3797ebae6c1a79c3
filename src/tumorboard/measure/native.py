"""Lesions on the slices the scanner gave: where diameters and measurability are read.

Why it exists: the working grid of a thick-sliced head is finer than what was acquired, and a lesion must
not become measurable by interpolation. Numbers of lesions are carried over, never found again.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

from tumorboard.labels import REGIONS, LabelMap
from tumorboard.measure.lesions import Lesions
from tumorboard.volume import Grid


@dataclass(frozen=True)
class Slices:
    """Labels and lesion numbers on one grid, of which slices are read.

    Parameters
    ----------
    labels : LabelMap
        On the native grid, or on the working grid where that is the native one.
    numbers : ndarray of uint16, shape (i, j, k)
        Lesion numbers; 0 elsewhere.
    file : str
        The lesions file on that grid, relative to the case folder.
    """

    labels: LabelMap
    numbers: NDArray[np.uint16]
    file: str

    @property
    def grid(self) -> Grid:
        """The grid of both."""
        return self.labels.grid


def carry_over(lesions: Lesions, grid: Grid, native: LabelMap) -> NDArray[np.uint16]:
    """Give the voxels of a region on native slices the numbers that lesions have on the working grid.

    Parameters
    ----------
    lesions : Lesions
        Numbered on ``grid``.
    grid : Grid
        The working grid.
    native : LabelMap
        The same tumour on the native grid (same world, RAS mm).

    Returns
    -------
    ndarray of uint16, shape of ``native``
        The number of the nearest lesion voxel within half a native voxel's diagonal; 0 where there is
        none (fragments too small to be listed).

    Examples
    --------
    >>> labels = LabelMap.of(np.pad(np.full((4, 4, 4), 3, np.uint8), 2), np.eye(4))
    >>> numbers = (labels.data > 0).astype(np.uint16)
    >>> native = LabelMap.of(labels.data[:, :, ::2], np.diag([1.0, 1.0, 2.0, 1.0]))
    >>> int((carry_over(Lesions("TC", numbers, 1, 0.0), labels.grid, native) == 1).sum())
    32
    """
    out = np.zeros(native.grid.shape, dtype=np.uint16)
    there = np.argwhere(lesions.numbers)
    wanted = np.argwhere(np.isin(native.data, [int(t) for t in REGIONS[lesions.region]]))
    if len(there) == 0 or len(wanted) == 0:
        return out
    reach = 0.5 * float(np.linalg.norm(native.grid.spacing_mm))
    distance, nearest = KDTree(grid.to_world(there)).query(native.grid.to_world(wanted), distance_upper_bound=reach)
    found = np.isfinite(distance)
    out[tuple(wanted[found].T)] = lesions.numbers[tuple(there[np.asarray(nearest)[found]].T)]
    return out
