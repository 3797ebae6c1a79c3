"""Smooth random fields: the one source of irregularity in digital patients.

Why it exists: warps, textures, bias fields and ragged rims are all the same thing at different
scales. Control values on a coarse lattice, laid out in mm, are spread by cubic B-splines, so a field
means the same at any voxel size and its bounds are known. It draws only from the generator it is given.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tumorboard.volume import Grid

Float = NDArray[np.float32]
Mask = NDArray[np.bool_]

_UNIT = (151.0 / 315.0) ** 3
"""Mean variance of a cubic B-spline field in 3-D whose control values have variance 1 (exact)."""


def smooth_field(grid: Grid, scale_mm: float, rng: np.random.Generator) -> Float:
    """Draw a smooth field of mean 0 and standard deviation 1 (in expectation).

    Parameters
    ----------
    grid : Grid
        Where; only its shape and spacing count.
    scale_mm : float
        Distance of the control points in mm: the size of the field's bumps.
    rng : numpy.random.Generator
        Source of the control values.

    Returns
    -------
    ndarray of float32, shape (i, j, k)

    Examples
    --------
    >>> grid = Grid((24, 24, 24), np.diag([2.0, 2.0, 2.0, 1.0]))
    >>> smooth_field(grid, 12.0, np.random.default_rng(0)).shape
    (24, 24, 24)
    """
    control = rng.standard_normal(control_shape(grid, scale_mm), dtype=np.float32)
    return spread(control / np.float32(np.sqrt(_UNIT)), grid, scale_mm)


def control_shape(grid: Grid, scale_mm: float) -> tuple[int, int, int]:
    """Return how many control points along i, j, k a field of that scale needs.

    Examples
    --------
    >>> control_shape(Grid((24, 24, 24), np.diag([2.0, 2.0, 2.0, 1.0])), 12.0)
    (8, 8, 8)
    """
    extents = (n * s for n, s in zip(grid.shape, grid.spacing_mm, strict=True))
    i, j, k = (int(np.ceil(extent / scale_mm - 1e-6)) + 4 for extent in extents)
    return i, j, k


def spread(control: Float, grid: Grid, scale_mm: float) -> Float:
    """Spread control values over the voxels of a grid by cubic B-splines.

    Parameters
    ----------
    control : ndarray of float32, shape of :func:`control_shape`
        Values on a lattice with ``scale_mm`` between points.
    grid : Grid
        Where.
    scale_mm : float
        Distance of the control points in mm.

    Returns
    -------
    ndarray of float32, shape (i, j, k)

    Examples
    --------
    >>> grid = Grid((5, 5, 5), np.diag([2.0, 2.0, 2.0, 1.0]))
    >>> bool(np.allclose(spread(np.full(control_shape(grid, 7.0), 3.0), grid, 7.0), 3.0))
    True
    """
    field = np.asarray(control, dtype=np.float32)
    i, j, k = (_weights(grid.shape[a], grid.spacing_mm[a], scale_mm, field.shape[a]) for a in range(3))
    field = j @ (field @ k.T)  # the first axis last: one product writes the whole, in order
    return np.asarray((i @ field.reshape(len(field), -1)).reshape(grid.shape), dtype=np.float32)


def lattice_position(mm_from_edge: Float, scale_mm: float) -> Float:
    """Convert mm from the grid's outer edge to a position on the control lattice.

    Examples
    --------
    >>> float(lattice_position(np.float32(14.0), 7.0))
    3.0
    """
    return np.asarray(mm_from_edge / scale_mm + 1.0, dtype=np.float32)


def _weights(n: int, spacing_mm: float, scale_mm: float, controls: int) -> Float:
    """Weight of each control point in each voxel centre along one axis, (n, controls)."""
    centres = np.asarray((np.arange(n) + 0.5) * spacing_mm, dtype=np.float32)
    distance = np.abs(lattice_position(centres, scale_mm)[:, None] - np.arange(controls))
    near = 2.0 / 3.0 - distance**2 * (1.0 - distance / 2.0)
    far = np.clip(2.0 - distance, 0.0, None) ** 3 / 6.0
    return np.asarray(np.where(distance < 1.0, near, far), dtype=np.float32)
