"""A box of the features' grid around a region, turned and shifted.

Why it exists: where the voxels of a perturbed image lie, in the old image and in space, is geometry and nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from tumorboard.errors import InputError
from tumorboard.radiomics.maps.grid import features_grid
from tumorboard.radiomics.region import Float, Mask
from tumorboard.radiomics.scheme.cut import NEAR_MM
from tumorboard.radiomics.settings import RadiomicsSettings
from tumorboard.volume import Grid, box_around

SPLINE = 20
"""Voxels beyond those wanted that a spline is fitted to."""


@dataclass(frozen=True)
class Turned:
    """Where a turned box lies.

    Parameters
    ----------
    grid : Grid
        Of the box, in space.
    source : tuple of slice
        The part of the old image that it needs.
    step : ndarray of float64, shape (3, 3)
        From voxels of the box to those of that part.
    start : ndarray of float64, shape (3,)
        Where its first voxel lies in that part.
    """

    grid: Grid
    source: tuple[slice, ...]
    step: Float
    start: Float


def turned(
    grid: Grid,
    inside: Mask,
    settings: RadiomicsSettings,
    degrees: float,
    shift: ArrayLike,
    margin_mm: Sequence[float] | None,
) -> Turned:
    """Turn the features' grid about the k axis through the middle of a region, shift it and cut a box out.

    Parameters
    ----------
    grid : Grid
        Of the image.
    inside : ndarray of bool, shape of the image
        The region.
    settings : RadiomicsSettings
        Interpolation of it is read.
    degrees : float
        Of the turn, from i to j.
    shift : array_like, shape (3,)
        In voxels of the features' grid.
    margin_mm : sequence of float or None
        Around the region, beside what every region has; None: as much as there is.

    Returns
    -------
    Turned

    Raises
    ------
    InputError
        The region is empty.

    Examples
    --------
    >>> inside = np.zeros((30, 30, 30), bool); inside[10:20, 10:20, 10:20] = True
    >>> found = turned(Grid(inside.shape, np.eye(4)), inside, RadiomicsSettings(), 0.0, (0.25, 0.0, 0.0), (0, 0, 0))
    >>> found.grid.shape, found.grid.affine[:3, 3].tolist()
    ((26, 26, 26), [2.25, 2.0, 2.0])
    """
    whole = features_grid(grid, settings)
    to_image = np.linalg.inv(grid.affine) @ whole.affine
    box = box_around(inside)
    if box is None:
        raise InputError("a region of at least one voxel", got="an empty one", where="perturbation")
    ends = np.array([[b.start, b.stop - 1] for b in box], dtype=np.float64)
    centre = (ends.mean(axis=1) - to_image[:3, 3]) / np.diag(to_image)[:3]
    size: Float = np.asarray(whole.spacing_mm)
    if margin_mm is None:
        first, count = np.zeros(3, np.int64), np.asarray(whole.shape)
    else:
        half = _half_mm(0.5 * (ends[:, 1] - ends[:, 0] + 1) * grid.spacing_mm, degrees) + margin_mm + NEAR_MM
        first = np.floor(centre - half / size).astype(np.int64)
        count = np.ceil(centre + half / size).astype(np.int64) - first + 1
    spin = _spin(degrees, size)
    move = np.eye(4)
    move[:3, :3] = spin
    move[:3, 3] = centre + spin @ (first - centre) + np.asarray(shift, dtype=np.float64)
    i, j, k = (int(n) for n in count)
    return _placed(Grid((i, j, k), whole.affine @ move), to_image @ move, grid.shape)


def _half_mm(half: Float, degrees: float) -> Float:
    """Return half the lengths of a box that holds a turned one."""
    c, s = abs(np.cos(np.radians(degrees))), abs(np.sin(np.radians(degrees)))
    return np.array([c * half[0] + s * half[1], s * half[0] + c * half[1], half[2]])


def _spin(degrees: float, size: Float) -> Float:
    """Return a turn from i to j, in voxels."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    turn = np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])
    return np.asarray(turn * size[None, :] / size[:, None])


def _placed(grid: Grid, to_image: Float, shape: tuple[int, int, int]) -> Turned:
    """Find the part of the image that a grid needs; beyond the image its border goes on."""
    corners = Grid(grid.shape, np.eye(4)).corners_mm() @ to_image[:3, :3].T + to_image[:3, 3]
    low, high = np.floor(corners.min(axis=0)) - SPLINE, np.ceil(corners.max(axis=0)) + SPLINE + 1
    source = tuple(
        slice(int(np.clip(a, 0, n - 1)), int(np.clip(b, 1, n))) for a, b, n in zip(low, high, shape, strict=True)
    )
    start = to_image[:3, 3] - [part.start for part in source]
    return Turned(grid, source, np.asarray(to_image[:3, :3]), np.asarray(start))
