"""Carrying arrays of one study to the places of another grid, and the grid that all studies share for pictures.

Why it exists: what is aligned must be resampled to be seen on one picture, and for nothing else: volumes and diameters
are read on each study's own grid. A motion may hold stretches, so it is kept beside the grids, not written into them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tumorboard.errors import InputError
from tumorboard.respond.align.motions import inverse
from tumorboard.volume import Affine, Grid

MARGIN_MM = 6.0
"""Around the brains on the shared grid; chosen."""


def carried(
    data: NDArray[Any], grid: Grid, motion: Affine, target: Grid, order: int = 1, outside: float = 0.0
) -> NDArray[np.float32]:
    """Sample an array at the places of another grid through a motion.

    Parameters
    ----------
    data : ndarray, shape (i, j, k)
        On ``grid``.
    grid : Grid
        Where it lies.
    motion : ndarray, shape (4, 4)
        From the world of the target to the world of ``grid``, RAS mm.
    target : Grid
        Where the result lies.
    order : int
        0 nearest, 1 linear.
    outside : float
        Value where there is no data.

    Examples
    --------
    >>> grid, shift = Grid((3, 1, 1), np.eye(4)), np.eye(4)
    >>> shift[0, 3] = 1.0
    >>> carried(np.arange(3.0).reshape(3, 1, 1), grid, shift, grid, outside=-1).ravel().tolist()
    [1.0, 2.0, -1.0]
    """
    from scipy import ndimage as ndi

    step = inverse(grid.affine) @ motion @ target.affine
    near = np.round(step)
    step = np.where(np.abs(step - near) < 1e-9, near, step)  # inverting leaves dust that would shift half voxels
    source: NDArray[np.float32] = np.asarray(data, dtype=np.float32)
    return ndi.affine_transform(
        source,
        step[:3, :3],
        step[:3, 3],
        output_shape=target.shape,
        order=0 if order == 0 else 1,
        mode="grid-constant",
        cval=outside,
    )


def shared_grid(brains: Iterable[tuple[NDArray[np.bool_], Grid, Affine]], spacing_mm: float = 1.0) -> Grid:
    """Return an upright grid around the brains of all studies in the template's space.

    Parameters
    ----------
    brains : iterable of (ndarray of bool, Grid, ndarray of shape (4, 4))
        Brain mask of a study, its grid, and the way from its world to the template's.
    spacing_mm : float
        Voxel size.

    Returns
    -------
    Grid
        RAS.

    Examples
    --------
    >>> brain = np.zeros((9, 9, 9), bool); brain[2:7, 2:7, 2:7] = True
    >>> shared_grid([(brain, Grid((9, 9, 9), np.eye(4)), np.eye(4))], 2.0).shape
    (9, 9, 9)
    """
    ends = []
    for brain, grid, to_template in brains:
        places = np.argwhere(brain)
        if len(places):
            world = grid.to_world(places) @ to_template[:3, :3].T + to_template[:3, 3]
            ends.append((world.min(axis=0), world.max(axis=0)))
    if not ends:
        raise InputError("at least one brain mask that is not empty", got="none", where="shared grid")
    low = np.min([a for a, _ in ends], axis=0) - MARGIN_MM
    high = np.max([b for _, b in ends], axis=0) + MARGIN_MM
    i, j, k = (int(n) for n in np.ceil((high - low) / spacing_mm - 1e-9) + 1)
    affine = np.diag([spacing_mm, spacing_mm, spacing_mm, 1.0])
    affine[:3, 3] = low
    return Grid((i, j, k), affine)
