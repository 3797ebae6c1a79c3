"""A network over a box of any size: windows of the size it learned at, blended with Gaussian weights.

Why it exists: a network is at its best where its window's middle lies. Memory is that of one window and one map of
logits, whatever the box.

Source: Gaussian importance and half-window steps as in nnU-Net (Isensee F et al., Nat Methods 2021;18:203-211).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float32]
Run = Callable[[Float], Float]
Shape = tuple[int, int, int]

OVERLAP = 0.25
"""Least share of a window that it has in common with the next."""


def starts(length: int, window: int, overlap: float = OVERLAP) -> list[int]:
    """Return where windows begin along an axis: evenly, the first at 0, the last at the end.

    Examples
    --------
    >>> starts(160, 80), starts(60, 80)
    ([0, 40, 80], [0])
    """
    if length <= window:
        return [0]
    count = int(np.ceil((length - window) / (window * (1 - overlap)))) + 1
    return [round(n * (length - window) / (count - 1)) for n in range(count)]


@lru_cache(maxsize=8)
def importance(window: Shape) -> Float:
    """Return Gaussian weights of a window, largest 1, never 0; standard deviation an eighth of its side."""
    axes = [np.exp(-0.5 * ((np.arange(n) - (n - 1) / 2) / (n / 8)) ** 2) for n in window]
    weights = axes[0][:, None, None] * axes[1][None, :, None] * axes[2][None, None, :]
    return np.asarray(np.maximum(weights, 1e-3), dtype=np.float32)


def slide(
    run: Run,
    images: Float,
    window: Shape,
    classes: int,
    wanted: NDArray[np.bool_] | None = None,
    rest: Float | None = None,
) -> Float:
    """Run a network over a box.

    Parameters
    ----------
    run : callable
        From (channels, i, j, k) of the window's size to logits (classes, i, j, k).
    images : ndarray of float32, shape (channels, i, j, k)
        Normalised; 0 is added around a box that is smaller than a window.
    window : (int, int, int)
        Voxels.
    classes : int
        Of the network.
    wanted : ndarray of bool, shape (i, j, k), optional
        Windows without any of these voxels are left out.
    rest : ndarray of float32, shape (classes, i, j, k), optional
        Logits of voxels that no window covered; background without it.

    Returns
    -------
    ndarray of float32, shape (classes, i, j, k)
        Logits.

    Examples
    --------
    >>> twice = slide(lambda x: 2 * x, np.ones((1, 5, 9, 4), np.float32), (4, 4, 4), 1)
    >>> twice.shape, float(abs(twice - 2).max()) < 1e-5
    ((1, 5, 9, 4), True)
    """
    shape = images.shape[1:]
    padding = [(0, max(0, w - n)) for n, w in zip(shape, window, strict=True)]
    padded = np.pad(images, [(0, 0), *padding]) if any(p[1] for p in padding) else images
    total = np.zeros((classes, *padded.shape[1:]), dtype=np.float32)
    weight = np.zeros(padded.shape[1:], dtype=np.float32)
    gauss = importance(window)
    for corner in np.ndindex(*[len(starts(n, w)) for n, w in zip(padded.shape[1:], window, strict=True)]):
        first = [starts(n, w)[c] for n, w, c in zip(padded.shape[1:], window, corner, strict=True)]
        at = tuple(slice(f, f + w) for f, w in zip(first, window, strict=True))
        if wanted is not None and not wanted[at].any():
            continue
        total[(slice(None), *at)] += gauss * run(np.ascontiguousarray(padded[(slice(None), *at)]))
        weight[at] += gauss
    seen = weight > 0
    np.divide(total, weight, out=total, where=seen)
    i, j, k = shape
    total, seen = total[:, :i, :j, :k], seen[:i, :j, :k]
    if rest is not None:
        return np.where(seen, total, rest)
    total[0][~seen] = 20.0 if classes > 1 else -20.0
    return total
