"""Lesions of two visits as clouds of places, and how much of each belongs to which of the others.

Why it exists: visits have grids of their own, and masks that are resampled to be compared lose what is small. A place
belongs to the nearest lesion within a tolerance, a dilation in which close lesions do not run into each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tumorboard.volume import Affine, Grid

Floats = NDArray[np.float64]

FINE_MM = 2.0
"""Voxels that are longer count as several places, so that thick slices do not look like gaps; chosen."""


@dataclass(frozen=True)
class Cloud:
    """A lesion as places of equal volume.

    Parameters
    ----------
    numbers : tuple of int
        Its numbers at its visit.
    points_mm : ndarray, shape (n, 3)
        In the space in which visits are compared, RAS mm.
    each_ml : float
        Volume of one place.
    """

    numbers: tuple[int, ...]
    points_mm: Floats
    each_ml: float

    @property
    def volume_ml(self) -> float:
        """Volume on the visit's own grid, mL."""
        return len(self.points_mm) * self.each_ml

    @property
    def centre_mm(self) -> Floats:
        """Centroid."""
        return np.asarray(self.points_mm.mean(axis=0))

    @property
    def half_mm(self) -> float:
        """Half the edge of a cube of one place's volume: how far its border lies from its centre."""
        return 0.5 * float(np.cbrt(1000.0 * self.each_ml))

    def with_parts(self, others: Sequence[Cloud]) -> Cloud:
        """Return this cloud and others of the same visit as one."""
        every = (self, *others)
        numbers = tuple(sorted(n for cloud in every for n in cloud.numbers))
        return Cloud(numbers, np.concatenate([cloud.points_mm for cloud in every]), self.each_ml)


def clouds(numbers: NDArray[Any], grid: Grid, to_template: Affine) -> list[Cloud]:
    """Return the lesions of a visit, largest first; of equal ones by place, so that numbers decide nothing.

    Parameters
    ----------
    numbers : ndarray of int, shape (i, j, k)
        Lesions from 1; 0 elsewhere.
    grid : Grid
        Where they lie.
    to_template : ndarray, shape (4, 4)
        From the world of the grid to the space in which visits are compared, RAS mm.

    Examples
    --------
    >>> found = clouds(np.array([[[7, 0, 2, 2]]]), Grid((1, 1, 4), np.diag([1.0, 1.0, 5.0, 1.0])), np.eye(4))
    >>> [(cloud.numbers, round(cloud.volume_ml, 6), cloud.centre_mm.tolist()) for cloud in found]
    [((2,), 0.01, [0.0, 0.0, 12.5]), ((7,), 0.005, [0.0, 0.0, 0.0])]
    """
    places = np.argwhere(numbers)
    own = numbers[tuple(places.T)]
    cuts = [int(np.ceil(s / FINE_MM)) for s in grid.spacing_mm]
    inside = np.meshgrid(*[(np.arange(c) + 0.5) / c - 0.5 for c in cuts], indexing="ij")
    offsets = np.stack(inside, axis=-1).reshape(-1, 3)
    matrix, each_ml = to_template @ grid.affine, grid.voxel_volume_ml / len(offsets)
    found = []
    for number in np.unique(own):
        fine = (places[own == number][:, None] + offsets).reshape(-1, 3)
        found.append(Cloud((int(number),), fine @ matrix[:3, :3].T + matrix[:3, 3], each_ml))
    return sorted(found, key=lambda cloud: (-round(cloud.volume_ml, 9), *np.round(cloud.centre_mm, 6).tolist()))


@dataclass(frozen=True)
class Meeting:
    """How the lesions of two visits meet; rows are the earlier ones, columns the later ones.

    Parameters
    ----------
    of_later, of_earlier : ndarray, shape (earlier, later)
        Part of the later lesion's volume that belongs to the earlier one, and the other way round.
    dice : ndarray, shape (earlier, later)
        What belongs to each other, as part of both volumes.
    distance_mm : ndarray, shape (earlier, later)
        Between centroids.
    """

    of_later: Floats
    of_earlier: Floats
    dice: Floats
    distance_mm: Floats

    @classmethod
    def of(cls, earlier: Sequence[Cloud], later: Sequence[Cloud], tolerance_mm: float) -> Meeting:
        """Measure it.

        Examples
        --------
        >>> line = Grid((1, 1, 9), np.eye(4))
        >>> earlier = clouds(np.array([[[1, 1, 0, 0, 0, 0, 0, 2, 2]]]), line, np.eye(4))
        >>> later = clouds(np.array([[[0, 1, 1, 1, 1, 0, 0, 0, 0]]]), line, np.eye(4))
        >>> meeting = Meeting.of(earlier, later, 1.0)
        >>> meeting.of_later.ravel().tolist(), meeting.of_earlier.ravel().tolist()
        ([0.5, 0.0], [1.0, 0.0])
        """
        of_later = _parts(later, earlier, tolerance_mm).T
        of_earlier = _parts(earlier, later, tolerance_mm)
        old = np.array([cloud.volume_ml for cloud in earlier])[:, None]
        new = np.array([cloud.volume_ml for cloud in later])[None]
        here = np.array([cloud.centre_mm for cloud in earlier]).reshape(-1, 1, 3)
        there = np.array([cloud.centre_mm for cloud in later]).reshape(1, -1, 3)
        dice = (of_later * new + of_earlier * old) / (new + old)
        return cls(of_later, of_earlier, dice, np.linalg.norm(here - there, axis=2))

    @property
    def share(self) -> Floats:
        """The larger of both parts."""
        return np.maximum(self.of_later, self.of_earlier)


def _parts(clouds: Sequence[Cloud], others: Sequence[Cloud], tolerance_mm: float) -> Floats:
    """Return which part of each cloud belongs to each of the others, shape (clouds, others)."""
    from scipy.spatial import KDTree

    out = np.zeros((len(clouds), len(others)))
    if not clouds or not others:
        return out
    owner = np.repeat(np.arange(len(others)), [len(o.points_mm) for o in others])
    reach = tolerance_mm + np.array([o.half_mm for o in others]) + 1e-6
    tree = KDTree(np.concatenate([o.points_mm for o in others]))
    for row, cloud in enumerate(clouds):
        distance, nearest = tree.query(cloud.points_mm, distance_upper_bound=float(reach.max()))
        near = np.isfinite(distance)
        met = owner[np.asarray(nearest)[near]]
        met = met[np.asarray(distance)[near] <= reach[met]]
        out[row] = np.bincount(met, minlength=len(others)) / len(cloud.points_mm)
    return out
