"""How often each grey level stands in a row of how many voxels: run length matrices.

Why it exists: a run is found where it begins, so that every direction takes one look at each voxel and no line has to
be traced through the box.

Source: Galloway MM. Comput Graph Image Process 1975;4:172-179; the standard, arXiv:1612.07003, section 3.7.
"""

from __future__ import annotations

import numpy as np

from tumorboard.compiled import compiled
from tumorboard.radiomics.matrices.directions import Steps, steps
from tumorboard.radiomics.matrices.shared import Cells, Ints, Packed


def run_lengths(box: Packed, voxels: Ints, planar: bool) -> Ints:
    """Count runs.

    Parameters
    ----------
    box : Packed
        The region.
    voxels : ndarray of int64
        Where a run may begin: whole slices, or all of the region.
    planar : bool
        Runs in slices only.

    Returns
    -------
    ndarray of int64, shape (d, m, x)
        For each of 4 or 13 directions; rows are the grey levels present, columns are lengths from 1.

    Examples
    --------
    >>> from tumorboard.radiomics.matrices.shared import packed
    >>> from tumorboard.radiomics.region import Binned, Region
    >>> levels = np.array([[[1], [1], [2]]], dtype=np.int32); inside = levels > 0
    >>> box = packed(Region(levels * 1.0, inside, inside, (1.0, 1.0, 1.0), Binned(levels, 2, 1.0, 0.5)))
    >>> run_lengths(box, box.voxels, planar=True)[0].tolist()
    [[0, 1, 0], [1, 0, 0]]
    """
    longest = max(box.shape[1:] if planar else box.shape) - 2
    return _runs(box.cells, voxels, steps(box.shape, planar), len(box.levels), longest)


@compiled
def _runs(cells: Cells, voxels: Ints, ahead: Steps, rows: int, longest: int) -> Ints:
    """Walk along every run from where it begins, shape (d, rows, longest)."""
    counts = np.zeros((len(ahead), rows, longest), np.int64)
    for d in range(len(ahead)):
        step = ahead[d]
        for p in range(len(voxels)):
            at = voxels[p]
            level = cells[at]
            if cells[at - step] == level:
                continue
            more = 0
            at += step
            while cells[at] == level:
                more += 1
                at += step
            counts[d, np.int64(level) - 1, more] += 1
    return counts
