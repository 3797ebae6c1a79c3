"""Overlap of two masks: Dice, sensitivity, precision and the difference of their volumes.

Why it exists: an empty mask decides more benchmark averages than any network does, so what an empty
mask means is declared once, here. Both empty: the masks agree (1). Exactly one empty: Dice 0, and a
ratio whose denominator is empty is None, never 0.

Source: Dice LR. Ecology 1945;26:297-302; empty masks as in the BraTS whole-image scores.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tumorboard.errors import GeometryError

Mask = NDArray[np.bool_]


def as_masks(ref: Any, pred: Any) -> tuple[Mask, Mask]:
    """Return both as boolean arrays of one shape.

    Raises
    ------
    GeometryError
        The shapes differ: masks on two grids cannot be compared voxel by voxel.
    """
    a, b = np.asarray(ref, dtype=np.bool_), np.asarray(pred, dtype=np.bool_)
    if a.shape != b.shape:
        raise GeometryError(f"a prediction of shape {a.shape}", got=f"shape {b.shape}", remedy="resample it by name")
    return a, b


def dice(ref: Any, pred: Any) -> float:
    """Return the Dice coefficient, 0 to 1: twice the shared voxels over the sum of both.

    Parameters
    ----------
    ref, pred : array_like of bool, shape (i, j, k)
        On one grid.

    Returns
    -------
    float
        1 when both are empty, 0 when exactly one is.

    Raises
    ------
    GeometryError
        The shapes differ.

    Examples
    --------
    >>> dice([[[1, 1, 0]]], [[[0, 1, 1]]]), dice([[[0]]], [[[0]]])
    (0.5, 1.0)
    """
    a, b = as_masks(ref, pred)
    total = _count(a) + _count(b)
    return 2.0 * _count(a & b) / total if total else 1.0


def sensitivity(ref: Any, pred: Any) -> float | None:
    """Return the share of the reference that was found, 0 to 1.

    Parameters
    ----------
    ref, pred : array_like of bool, shape (i, j, k)
        On one grid.

    Returns
    -------
    float or None
        1 when both are empty; None when only the reference is (there was nothing to find).

    Raises
    ------
    GeometryError
        The shapes differ.

    Examples
    --------
    >>> sensitivity([[[1, 1, 1, 1]]], [[[1, 0, 0, 0]]]), sensitivity([[[0]]], [[[1]]])
    (0.25, None)
    """
    a, b = as_masks(ref, pred)
    wanted = _count(a)
    if not wanted:
        return None if b.any() else 1.0
    return _count(a & b) / wanted


def precision(ref: Any, pred: Any) -> float | None:
    """Return the share of the prediction that is right, 0 to 1.

    The mirror image of :func:`sensitivity`: None when only the prediction is empty.

    Raises
    ------
    GeometryError
        The shapes differ.

    Examples
    --------
    >>> precision([[[1, 1, 0, 0]]], [[[1, 1, 1, 1]]])
    0.5
    """
    a, b = as_masks(ref, pred)
    return sensitivity(b, a)


def volume_difference_ml(ref: Any, pred: Any, voxel_volume_ml: float) -> float:
    """Return the volume of the prediction minus that of the reference in mL; positive: too much.

    Parameters
    ----------
    ref, pred : array_like of bool, shape (i, j, k)
        On one grid.
    voxel_volume_ml : float
        Volume of one voxel of that grid, mL.

    Raises
    ------
    GeometryError
        The shapes differ.

    Examples
    --------
    >>> volume_difference_ml([[[1, 0, 0]]], [[[1, 1, 1]]], 0.5)
    1.0
    """
    a, b = as_masks(ref, pred)
    return (_count(b) - _count(a)) * voxel_volume_ml


def _count(mask: Mask) -> int:
    return int(np.count_nonzero(mask))
