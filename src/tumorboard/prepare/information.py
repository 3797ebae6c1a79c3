"""How much two images tell about each other where one brain is: mutual information of a motion.

Why it exists: the search for a motion looks at many starts with it, and the gate judges the end by it.
Source: Maes F et al., IEEE Trans Med Imaging 1997;16:187-198.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tumorboard.compiled import compiled
from tumorboard.prepare.midplane import block_mean, shrink_factors
from tumorboard.volume import Affine, Grid, Volume

BINS = 32
"""Of each axis of the joint histogram."""

CLIP_PERCENT = (0.5, 99.5)
"""Values are clipped to these, so that bins are spent on tissue."""

LEAST_POINTS = 100
"""Fewer than these inside the moving image share nothing."""


@dataclass(frozen=True)
class Pair:
    """Two images at one coarse scale, ready to be compared through any motion.

    Parameters
    ----------
    points : ndarray, shape (n, 3)
        Where they are compared: places in the world of the reference, RAS mm.
    values : ndarray, shape (n,)
        The reference there.
    moving : ndarray, shape (i, j, k)
        The moving image, averaged over blocks of ``factors`` voxels.
    factors : (int, int, int)
        Voxels of a block.
    grid : Grid
        The moving image's own.
    """

    points: NDArray[np.float64]
    values: NDArray[np.float32]
    moving: NDArray[np.float32]
    factors: tuple[int, int, int]
    grid: Grid

    @classmethod
    def of(cls, reference: Volume, moving: Volume, region: NDArray[np.bool_], spacing_mm: float) -> Pair:
        """Average both images over blocks of about ``spacing_mm``; axes that are coarser stay.

        Examples
        --------
        >>> ramp = Volume.of(np.arange(1000.0).reshape(10, 10, 10), np.eye(4))
        >>> pair = Pair.of(ramp, ramp, np.ones(ramp.grid.shape, bool), 1.0)
        >>> nats, shared, cover = pair.information(np.eye(4))
        >>> shared > 0.7, cover
        (True, 1.0)
        """
        factors = shrink_factors(reference.grid, spacing_mm)
        inside = block_mean(region, factors) > 0.5
        places = np.argwhere(inside) * np.array(factors) + (np.array(factors) - 1) / 2
        values = block_mean(reference.data, factors)[inside].astype(np.float32)
        small = shrink_factors(moving.grid, spacing_mm)
        blocks = np.ascontiguousarray(block_mean(moving.data, small), dtype=np.float32)
        return cls(reference.grid.to_world(places), values, blocks, small, moving.grid)

    def information(self, matrix: Affine) -> tuple[float, float, float]:
        """Compare the images through a motion.

        Parameters
        ----------
        matrix : ndarray, shape (4, 4)
            From the world of the reference to that of the moving image, RAS mm.

        Returns
        -------
        nats : float
            Mutual information.
        shared : float
            Its part of the smaller entropy of the two images.
        cover : float
            Part of the points that lie inside the moving image.
        """
        values, inside = self.sampled(matrix)
        cover = float(inside.mean()) if inside.size else 0.0
        if int(inside.sum()) < LEAST_POINTS:
            return 0.0, 0.0, cover
        joint = _joint(
            _places(self.values, _range(self.values[inside])), _places(values, _range(values[inside])), inside
        )
        return (*_shared(joint), cover)

    def compare(self, start: Affine) -> Callable[[Affine], float]:
        """Return a function of the motion that a search can minimise: minus mutual information, in nats.

        Both ranges of values are those at ``start``, so that the function is smooth; where a motion leaves the
        image it is compared with the image's edge.
        """
        values, inside = self.sampled(start)
        fixed, window = _places(self.values, _range(self.values)), _range(values[inside] if inside.any() else values)
        every = np.ones(len(fixed), dtype=np.bool_)

        def cost(matrix: Affine) -> float:
            return -_shared(_joint(fixed, _places(self.sampled(matrix)[0], window), every))[0]

        return cost

    def sampled(self, matrix: Affine) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Return the moving image at every point (linear; its edge goes on outside), and which lie inside it."""
        inverse = np.linalg.inv(self.grid.affine) @ matrix
        factors = np.array(self.factors)
        step = inverse[:3, :3] / factors[:, None]
        origin = (inverse[:3, 3] - (factors - 1) / 2) / factors
        return sample(self.moving, self.points, np.ascontiguousarray(step), origin)


@compiled
def sample(
    image: NDArray[np.float32], points: NDArray[np.float64], step: NDArray[np.float64], origin: NDArray[np.float64]
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Sample an image linearly at points that an affine map takes to its voxels.

    Parameters
    ----------
    image : ndarray of float32, shape (i, j, k)
        Its edge goes on outside.
    points : ndarray, shape (n, 3)
        Any places.
    step, origin : ndarray, shape (3, 3) and (3,)
        The map: ``step @ point + origin`` in voxels.

    Returns
    -------
    values : ndarray of float32, shape (n,)
    inside : ndarray of bool, shape (n,)
        Within half a voxel of the image.

    Examples
    --------
    >>> values, inside = sample(np.float32([[[0, 10]]]), np.array([[0, 0, 0.5], [0, 0, 4.0]]), np.eye(3), np.zeros(3))
    >>> values.tolist(), inside.tolist()
    ([5.0, 10.0], [True, False])
    """
    n = points.shape[0]
    values = np.empty(n, dtype=np.float32)
    inside = np.empty(n, dtype=np.bool_)
    at = np.empty(3, dtype=np.float64)
    low = np.empty(3, dtype=np.int64)
    high = np.empty(3, dtype=np.int64)
    for p in range(n):
        within = True
        for axis in range(3):
            last = image.shape[axis] - 1
            x = origin[axis]
            for other in range(3):
                x += step[axis, other] * points[p, other]
            if x < -0.5 or x > last + 0.5:
                within = False
            x = min(max(x, 0.0), float(last))
            low[axis] = int(x)
            high[axis] = min(low[axis] + 1, last)
            at[axis] = x - low[axis]
        total = 0.0
        for corner in range(8):
            weight, i, j, k = 1.0, low[0], low[1], low[2]
            if corner & 1:
                i, weight = high[0], weight * at[0]
            else:
                weight *= 1.0 - at[0]
            if corner & 2:
                j, weight = high[1], weight * at[1]
            else:
                weight *= 1.0 - at[1]
            if corner & 4:
                k, weight = high[2], weight * at[2]
            else:
                weight *= 1.0 - at[2]
            total += weight * image[i, j, k]
        values[p] = total
        inside[p] = within
    return values, inside


@compiled
def _joint(one: NDArray[np.float32], two: NDArray[np.float32], inside: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the joint histogram of places on the axes of bins; a value between two bins counts in both."""
    joint = np.zeros((BINS, BINS))
    for p in range(len(one)):
        if inside[p]:
            row, low = int(one[p] + 0.5), int(two[p])
            part = two[p] - low
            joint[row, low] += 1.0 - part
            joint[row, min(low + 1, BINS - 1)] += part
    return joint


def _range(values: NDArray[np.float32]) -> tuple[float, float]:
    low, high = np.percentile(values, CLIP_PERCENT)
    return float(low), float(high)


def _places(values: NDArray[np.float32], window: tuple[float, float]) -> NDArray[np.float32]:
    """Return values as places on the axis of bins, 0 to ``BINS`` - 1."""
    low, high = window
    scale = np.float32((BINS - 1) / max(high - low, 1e-9))
    return np.asarray(np.clip((values - np.float32(low)) * scale, 0, BINS - 1), dtype=np.float32)


def _shared(joint: NDArray[np.float64]) -> tuple[float, float]:
    """Return mutual information (nats), and its part of the smaller entropy."""
    p = joint / joint.sum()
    one, two, both = (_entropy(q) for q in (p.sum(axis=1), p.sum(axis=0), p))
    return one + two - both, (one + two - both) / max(min(one, two), 1e-9)


def _entropy(p: NDArray[np.float64]) -> float:
    some = p[p > 0]
    return float(-(some * np.log(some)).sum())
