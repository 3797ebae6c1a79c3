"""Which grey levels stand beside which: symmetric co-occurrence matrices at Chebyshev distance 1.

Why it exists: the 25 features of the family, and those of PyRadiomics, are read off the same matrices, so
they are counted once for a region and kept.

Source: Haralick RM, Shanmugam K, Dinstein I. IEEE Trans Syst Man Cybern 1973;SMC-3:610-621; the standard,
arXiv:1612.07003, section 3.6.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tumorboard.compiled import compiled
from tumorboard.radiomics.matrices.directions import Steps, steps
from tumorboard.radiomics.matrices.shared import Cells, Ints, Packed


def cooccurrences(box: Packed, voxels: Ints, planar: bool) -> Ints:
    """Count pairs of neighbours.

    Parameters
    ----------
    box : Packed
        The region.
    voxels : ndarray of int64
        Those of which a pair has one; the other may be any in the region.
    planar : bool
        Pairs in slices only.

    Returns
    -------
    ndarray of int64, shape (d, m, m)
        For each of 4 or 13 directions; rows and columns are the grey levels present. A pair counts both ways round.

    Examples
    --------
    >>> from tumorboard.radiomics.matrices.shared import packed
    >>> from tumorboard.radiomics.region import Binned, Region
    >>> levels = np.array([[[1], [1], [2]]], dtype=np.int32); inside = levels > 0
    >>> box = packed(Region(levels * 1.0, inside, inside, (1.0, 1.0, 1.0), Binned(levels, 2, 1.0, 0.5)))
    >>> cooccurrences(box, box.voxels, planar=True)[0].tolist()
    [[2, 1], [1, 0]]
    """
    return _symmetric(_pairs(box.cells, voxels, steps(box.shape, planar), len(box.levels) + 1))


@compiled
def _pairs(cells: Cells, voxels: Ints, ahead: Steps, rows: int) -> NDArray[np.uint32]:
    """Count pairs from each voxel to the one a step ahead, shape (d, rows, rows); column 0 is the outside."""
    counts = np.zeros((len(ahead), rows, rows), np.uint32)
    for p in range(len(voxels)):
        at = voxels[p]
        level = cells[at]
        for d in range(len(ahead)):
            counts[d, level, cells[at + ahead[d]]] += np.uint32(1)
    return counts


@compiled
def _symmetric(counts: NDArray[np.uint32]) -> Ints:
    """Add the way back to each pair and drop the outside."""
    n = counts.shape[1] - 1
    both = np.empty((counts.shape[0], n, n), np.int64)
    for d in range(counts.shape[0]):
        for a in range(n):
            for b in range(a, n):
                both[d, a, b] = np.int64(counts[d, a + 1, b + 1]) + np.int64(counts[d, b + 1, a + 1])
                both[d, b, a] = both[d, a, b]
    return both
