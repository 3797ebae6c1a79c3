"""Compiled loops of discretisation; :mod:`tumorboard.radiomics.scheme.discretise` says what they mean.

Why it exists: one pass finds the range of a region and one assigns its levels, without copies in between.
"""

from __future__ import annotations

import numpy as np

from tumorboard.compiled import compiled
from tumorboard.radiomics.region import Float, Levels, Mask


@compiled
def scanned(x: Float, inside: Mask) -> tuple[int, float, float]:
    """Return number of voxels, lowest and highest intensity; -1 voxels where one is not finite."""
    n, low, high = 0, np.inf, -np.inf
    for v in range(x.size):
        if inside[v]:
            if not np.isfinite(x[v]):
                return -1, low, high
            n += 1
            low, high = min(low, x[v]), max(high, x[v])
    return n, low, high


@compiled
def numbered_levels(x: Float, inside: Mask, low: float, high: float, count: int) -> Levels:
    """Return levels of ``count`` bins over a range."""
    levels = np.zeros(x.size, np.int32)
    for v in range(x.size):
        if inside[v]:  # multiplied first: whole intensities then reach an edge exactly
            levels[v] = min(int(count * (x[v] - low) / (high - low)) + 1, count)
    return levels


@compiled
def sized_levels(x: Float, inside: Mask, low: float, width: float) -> tuple[Levels, int]:
    """Return levels of bins of a width, and the highest."""
    levels, top = np.zeros(x.size, np.int32), 0
    for v in range(x.size):
        if inside[v]:
            level = int((x[v] - low) / width) + 1
            levels[v], top = level, max(top, level)
    return levels, top


@compiled
def edged_levels(x: Float, inside: Mask, low: float, width: float, most: int) -> tuple[Levels, int]:
    """Return how many of ``most`` edges ``k * width + low`` are at or below an intensity, and the most of them."""
    levels, top = np.zeros(x.size, np.int32), 0
    for v in range(x.size):
        if inside[v]:
            k = min(int((x[v] - low) / width), most - 1)
            while k > 0 and k * width + low > x[v]:
                k -= 1
            while k + 1 < most and (k + 1) * width + low <= x[v]:
                k += 1
            levels[v], top = k + 1, max(top, k + 1)
    return levels, top
