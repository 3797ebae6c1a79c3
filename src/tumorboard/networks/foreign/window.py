"""The sliding window of nnU-Net: half-window steps, Gaussian importance, padding on both sides.

Why it exists: a foreign network is run as its own software runs it, so that its published figures hold; ours
(:mod:`tumorboard.networks.sliding`) takes fewer windows and pads on one side.

Source: Isensee F et al. nnU-Net. Nat Methods 2021;18:203-211.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations, product

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter
from torch import Tensor, nn

Float = NDArray[np.float32]
Shape = tuple[int, int, int]
OverBox = Callable[[nn.Module, Float], Float]

STEP = 0.5
"""Largest step between windows, as a share of the window."""


def starts(length: int, window: int, step: float = STEP) -> list[int]:
    """Return where windows begin along an axis, evenly from 0 to the end.

    Examples
    --------
    >>> starts(110, 64), starts(64, 64)
    ([0, 23, 46], [0])
    """
    count = int(np.ceil((length - window) / (window * step))) + 1
    if count < 2:
        return [0]
    return [int(np.round((length - window) / (count - 1) * n)) for n in range(count)]


def importance(window: Shape) -> Float:
    """Return Gaussian weights of a window, shape ``window``: 10 at its middle, never 0; sigma an eighth of its side."""
    point = np.zeros(window)
    point[tuple(n // 2 for n in window)] = 1.0
    weights = gaussian_filter(point, [n / 8 for n in window], mode="constant")
    weights = weights * (10.0 / weights.max())
    return np.asarray(np.maximum(weights, weights[weights > 0].min()), dtype=np.float32)


def slide(run: Callable[[Float], Float], images: Float, window: Shape, weights: Float, step: float = STEP) -> Float:
    """Run a network over a box of any size.

    Parameters
    ----------
    run : callable
        From (channels, i, j, k) of the window's size to logits (outputs, i, j, k).
    images : ndarray of float32, shape (channels, i, j, k)
        Normalised; 0 is added on both sides of what is smaller than a window.
    window : (int, int, int)
        Voxels.
    weights : ndarray of float32, shape ``window``
        Importance of each voxel of a window.
    step : float
        Largest step between windows, as a share of the window.

    Returns
    -------
    ndarray of float32, shape (outputs, i, j, k)
        Logits.

    Examples
    --------
    >>> ones = np.ones((4, 4, 4), np.float32)
    >>> twice = slide(lambda x: 2 * x, np.ones((1, 5, 9, 3), np.float32), (4, 4, 4), ones)
    >>> twice.shape, float(abs(twice - 2).max())
    ((1, 5, 9, 3), 0.0)
    """
    shape = images.shape[1:]
    lack = [max(0, w - n) for n, w in zip(shape, window, strict=True)]
    padded = np.pad(images, [(0, 0), *((n // 2, n - n // 2) for n in lack)])
    total: Float | None = None
    seen = np.zeros(padded.shape[1:], dtype=np.float32)
    for corner in product(*(starts(n, w, step) for n, w in zip(padded.shape[1:], window, strict=True))):
        at = tuple(slice(c, c + w) for c, w in zip(corner, window, strict=True))
        logits = run(np.ascontiguousarray(padded[(slice(None), *at)])) * weights
        if total is None:
            total = np.zeros((len(logits), *padded.shape[1:]), dtype=np.float32)
        total[(slice(None), *at)] += logits
        seen[at] += weights
    inside = tuple(slice(n // 2, n // 2 + s) for n, s in zip(lack, shape, strict=True))
    mean = np.zeros((1, *padded.shape[1:]), dtype=np.float32) if total is None else total / seen
    return np.ascontiguousarray(mean[(slice(None), *inside)])


def mirrored(network: Callable[[Tensor], Tensor], axes: tuple[int, ...]) -> Callable[[Tensor], Tensor]:
    """Return a network whose output is the mean over all flips of ``axes`` (0, 1, 2) of its input."""
    flips = [tuple(a + 2 for a in c) for n in range(1, len(axes) + 1) for c in combinations(axes, n)]

    def run(x: Tensor) -> Tensor:
        total = network(x)
        for flip in flips:
            total = total + network(x.flip(flip)).flip(flip)
        return total / (len(flips) + 1)

    return run


def nnunet_windows(window: Shape, mirror: tuple[int, ...] = ()) -> OverBox:
    """Return what runs a network over a box as nnU-Net does, averaged over flips of the axes ``mirror``."""
    weights = importance(window)

    def over_box(network: nn.Module, images: Float) -> Float:
        averaged = mirrored(network, mirror)

        def run(patch: Float) -> Float:
            with torch.inference_mode():
                return np.asarray(averaged(torch.from_numpy(patch)[None])[0].float().numpy())

        return slide(run, images, window, weights)

    return over_box
