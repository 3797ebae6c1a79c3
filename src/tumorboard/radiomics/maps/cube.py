"""The cube around a voxel, as far as the box of the region reaches.

Why it exists: all maps mean the same neighbourhood.
"""

from __future__ import annotations

import numpy as np

from tumorboard.compiled import compiled
from tumorboard.radiomics.matrices.shared import Ints


@compiled
def bounds(at: Ints, radius: int, shape: tuple[int, int, int]) -> tuple[Ints, Ints]:
    """Return the first voxel of a cube along each axis, and the one after its last.

    Examples
    --------
    >>> low, high = bounds(np.array([0, 3, 5]), 1, (6, 6, 6))
    >>> low.tolist(), high.tolist()
    ([0, 2, 4], [2, 5, 6])
    """
    low, high = np.empty(3, np.int64), np.empty(3, np.int64)
    for a in range(3):
        low[a], high[a] = max(at[a] - radius, 0), min(at[a] + radius + 1, shape[a])
    return low, high
