"""Motions of a head as a group: exponentials, logarithms, halves and means that prefer none of them.

Why it exists: the arithmetic mean of matrices is no motion, and a mean about some origin depends on where the scanner
put it. The group mean (exponential barycentre) is a motion, follows every change of coordinates, and its own inverse
is the mean of the inverses.

Source: Pennec X, Arsigny V, Exponential barycenters of the canonical Cartan connection and invariant means on Lie
groups, in: Matrix Information Geometry, Springer 2013, 123-166; distance between motions: Jenkinson M, Measuring
transformation error by RMS deviation, FMRIB technical report TR99MJ1, 1999.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tumorboard.volume import Affine

Floats = NDArray[np.float64]

RADIUS_MM = 70.0
"""Of a brain; turns and stretches are counted in mm at this distance from its middle (chosen)."""

DOFS = (6, 9, 12)
"""Rigid; with a stretch along each world axis; with shears."""

ENOUGH = 1e-9
MOST_STEPS = 50
"""When the search for a mean ends."""


def generators(dof: int, centre_mm: Floats) -> Floats:
    """Return what small motions about a point are made of, each moving a brain's surface by about 1 mm.

    Parameters
    ----------
    dof : int
        6, 9 or 12.
    centre_mm : ndarray, shape (3,)
        The point.

    Returns
    -------
    ndarray, shape (dof, 4, 4)
        Three shifts, three turns; three stretches; three shears.

    Examples
    --------
    >>> exp(5.0 * generators(6, np.zeros(3))[1])[:3, 3].tolist()
    [0.0, 5.0, 0.0]
    """
    out = np.zeros((12, 4, 4))
    for axis, (i, j) in enumerate(((1, 2), (2, 0), (0, 1))):
        out[axis, axis, 3] = 1.0
        out[3 + axis, i, j], out[3 + axis, j, i] = -1.0 / RADIUS_MM, 1.0 / RADIUS_MM
        out[6 + axis, axis, axis] = 1.0 / RADIUS_MM
        out[9 + axis, i, j] = out[9 + axis, j, i] = 1.0 / RADIUS_MM
    out[3:, :3, 3] = -out[3:, :3, :3] @ centre_mm
    return out[:dof]


def exp(generator: Floats) -> Affine:
    """Return the motion of a generator."""
    from scipy.linalg import expm

    return np.asarray(expm(generator), dtype=np.float64)


def log(motion: Affine) -> Floats:
    """Return the generator of a motion that turns by less than half a circle.

    Examples
    --------
    >>> shift = np.eye(4); shift[:3, 3] = 1.0, 2.0, 3.0
    >>> np.round(log(shift)[:3, 3], 6).tolist()
    [1.0, 2.0, 3.0]
    """
    from scipy.linalg import logm

    found: Any = logm(motion)
    out = np.real(found).astype(np.float64)
    out[3] = 0.0
    return np.asarray(out)


def inverse(motion: Affine) -> Affine:
    """Return the motion back."""
    return np.asarray(np.linalg.inv(motion), dtype=np.float64)


def mean(motions: Sequence[Affine]) -> Affine:
    """Return the group mean of motions.

    Parameters
    ----------
    motions : sequence of ndarray, shape (4, 4)
        At least one.

    Returns
    -------
    ndarray, shape (4, 4)

    Examples
    --------
    >>> one, two = np.eye(4), np.eye(4)
    >>> two[0, 3] = 6.0
    >>> np.round(mean([one, two])[0, 3], 9)
    np.float64(3.0)
    """
    middle = np.asarray(motions[0], dtype=np.float64)
    for _ in range(MOST_STEPS):
        step = np.mean([log(inverse(middle) @ m) for m in motions], axis=0)
        middle = middle @ exp(step)
        if np.abs(step).max() < ENOUGH:
            break
    return middle


def rms_mm(motion: Affine, centre_mm: Floats, radius_mm: float = RADIUS_MM) -> float:
    """Return how far a motion takes the points of a ball, as their root mean square distance.

    Parameters
    ----------
    motion : ndarray, shape (4, 4)
        RAS mm.
    centre_mm : ndarray, shape (3,)
        Of the ball.
    radius_mm : float
        Of the ball.

    Examples
    --------
    >>> shift = np.eye(4); shift[0, 3] = 2.0
    >>> rms_mm(shift, np.zeros(3))
    2.0
    """
    away = motion - np.eye(4)
    turned = radius_mm**2 / 5.0 * float((away[:3, :3] ** 2).sum())
    moved = away[:3, :3] @ centre_mm + away[:3, 3]
    return float(np.sqrt(turned + float(moved @ moved)))
