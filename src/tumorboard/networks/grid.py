"""From a study's voxels to a network's and back, along each axis on its own.

Why it exists: a network is trained at one voxel size. Making voxels larger averages over what they cover, so nothing
aliases and sums are kept; making them smaller is linear. Both grids share their first outer edge.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float32]
Spacing = tuple[float, float, float]

SAME = 0.02
"""Voxel sizes that differ by less than this share are taken as equal."""


def scaled_shape(shape: tuple[int, ...], spacing_mm: Spacing, target_mm: float) -> tuple[int, int, int]:
    """Return how many voxels of ``target_mm`` cover a box.

    Examples
    --------
    >>> scaled_shape((10, 11, 4), (1.0, 1.0, 6.0), 2.0)
    (5, 6, 12)
    """
    i, j, k = (max(1, int(np.ceil(n * s / target_mm - 1e-6))) for n, s in zip(shape, spacing_mm, strict=True))
    return i, j, k


def to_network(image: NDArray[np.generic], spacing_mm: Spacing, target_mm: float) -> Float:
    """Return an image with cubic voxels of ``target_mm``.

    Parameters
    ----------
    image : ndarray, shape (i, j, k)
        On the study's grid.
    spacing_mm : (float, float, float)
        Of that grid.
    target_mm : float
        Voxel size of the network.

    Returns
    -------
    ndarray of float32

    Examples
    --------
    >>> to_network(np.arange(4.0).reshape(4, 1, 1), (1.0, 2.0, 2.0), 2.0).ravel().tolist()
    [0.5, 2.5]
    """
    out = np.asarray(image, dtype=np.float32)
    for axis, n in enumerate(scaled_shape(image.shape, spacing_mm, target_mm)):
        ratio = target_mm / spacing_mm[axis]
        if abs(ratio - 1) > SAME:
            out = _along(out, axis, _weights(image.shape[axis], n, round(ratio, 9)))
    return out


def from_network(maps: Float, shape: tuple[int, ...], spacing_mm: Spacing, source_mm: float) -> Float:
    """Return maps of a network on the study's grid, linearly.

    Parameters
    ----------
    maps : ndarray of float32, shape (maps, a, b, c)
        With cubic voxels of ``source_mm``.
    shape : (int, int, int)
        Of the box on the study's grid.
    spacing_mm : (float, float, float)
        Of the study's grid.
    source_mm : float
        Voxel size of the maps.

    Returns
    -------
    ndarray of float32, shape (maps, i, j, k)

    Examples
    --------
    >>> from_network(np.array([[[[0.0]], [[2.0]]]], np.float32), (4, 1, 1), (1.0, 2.0, 2.0), 2.0).ravel().tolist()
    [0.0, 0.5, 1.5, 2.0]
    """
    out = maps
    for axis, n in enumerate(shape):
        ratio = spacing_mm[axis] / source_mm
        if abs(ratio - 1) > SAME or out.shape[axis + 1] != n:
            out = _along(out, axis + 1, _linear(out.shape[axis + 1], n, round(ratio, 9)))
    return out


def _along(array: Float, axis: int, weights: Float) -> Float:
    moved = np.tensordot(weights, array, axes=(1, axis))
    return np.ascontiguousarray(np.moveaxis(moved, 0, axis))


@lru_cache(maxsize=64)
def _weights(n_in: int, n_out: int, ratio: float) -> Float:
    """Weights (n_out, n_in): share of each input voxel that an output voxel covers, or linear where it is smaller."""
    if ratio < 1:
        return _linear(n_in, n_out, ratio)
    edges = np.arange(n_out + 1) * ratio
    low, high = edges[:-1, None], edges[1:, None]
    at = np.arange(n_in)[None, :]
    weights = np.clip(np.minimum(high, at + 1) - np.maximum(low, at), 0, 1)
    return np.asarray(weights / np.maximum(weights.sum(axis=1, keepdims=True), 1e-9), dtype=np.float32)


@lru_cache(maxsize=64)
def _linear(n_in: int, n_out: int, ratio: float) -> Float:
    centres = np.clip((np.arange(n_out) + 0.5) * ratio - 0.5, 0, n_in - 1)
    return np.asarray(np.clip(1 - np.abs(np.arange(n_in)[None, :] - centres[:, None]), 0, 1), dtype=np.float32)
