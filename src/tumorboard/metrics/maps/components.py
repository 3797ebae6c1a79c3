"""Connected parts of a mask, and which numbers of two maps share voxels.

Why it exists: every metric that counts lesions first needs their numbers and who meets whom, and one
walk through the voxels answers that for all pairs. What belongs to a clinical lesion is not decided
here: a part is a 26-connected set of voxels.
"""

from __future__ import annotations

from typing import Any

import cc3d
import numpy as np
from numpy.typing import NDArray

from tumorboard.errors import GeometryError, LabelError
from tumorboard.metrics.maps.overlap import Mask

Numbers = NDArray[np.int64]


def components(mask: Mask) -> Numbers:
    """Return the numbered 26-connected parts of a mask.

    Parameters
    ----------
    mask : ndarray of bool, shape (i, j, k)
        What is to be parted.

    Returns
    -------
    ndarray of int64, shape (i, j, k)
        Parts from 1; 0 elsewhere.

    Examples
    --------
    >>> components(np.array([[[1, 1, 0, 1]]], dtype=bool)).tolist()
    [[[1, 1, 0, 2]]]
    """
    padded = np.pad(mask, 1)  # cc3d runs out of labels on thin arrays of isolated voxels
    labelled = cc3d.connected_components(padded, connectivity=26)
    return np.asarray(labelled[1:-1, 1:-1, 1:-1], dtype=np.int64)


def as_numbers(numbers: Any, where: str = "") -> Numbers:
    """Return a map of instances as int64.

    Parameters
    ----------
    numbers : array_like of int, shape (i, j, k)
        Instances above 0; 0 is background. Numbers may be left out.
    where : str
        Role of the map, for the message.

    Returns
    -------
    ndarray of int64, shape (i, j, k)

    Raises
    ------
    LabelError
        A number is no whole number, or below 0.

    Examples
    --------
    >>> as_numbers([[[0, 7]]]).tolist()
    [[[0, 7]]]
    """
    given = np.asarray(numbers)
    whole = given.astype(np.int64) if given.dtype.kind in "biuf" and np.isfinite(given).all() else None
    if whole is None or (whole != given).any() or (whole.size and whole.min() < 0):
        raise LabelError(
            "whole numbers from 0 for instances", got=f"{given.dtype} with other values", where=where, remedy="round"
        )
    return whole


def shared_voxels(first: Numbers, second: Numbers) -> tuple[Numbers, NDArray[np.int64]]:
    """Return which numbers of two maps share voxels, and how many.

    Parameters
    ----------
    first, second : ndarray of int, shape (i, j, k)
        Numbered from 1; 0 is background.

    Returns
    -------
    pairs : ndarray of int64, shape (n, 2)
        A number of the first map and one of the second, in ascending order.
    counts : ndarray of int64, shape (n,)
        Voxels that a pair shares.

    Raises
    ------
    GeometryError
        The shapes differ.

    Examples
    --------
    >>> pairs, counts = shared_voxels(np.array([[[1, 1, 2]]]), np.array([[[0, 3, 3]]]))
    >>> pairs.tolist(), counts.tolist()
    ([[1, 3], [2, 3]], [1, 1])
    """
    if first.shape != second.shape:
        raise GeometryError(f"maps of shape {first.shape}", got=f"shape {second.shape}", remedy="resample one by name")
    both = (first > 0) & (second > 0)
    one, two = first[both].astype(np.int64), second[both].astype(np.int64)
    base = int(two.max(initial=0)) + 1  # one key a pair: far faster than unique rows
    keys, counts = np.unique(one * base + two, return_counts=True)
    return np.stack([keys // base, keys % base], axis=1), counts.astype(np.int64)
