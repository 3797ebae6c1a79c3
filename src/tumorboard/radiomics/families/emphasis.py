"""Sums over a matrix of grey level by something that has a size: a run, a zone, a distance, a number of neighbours.

Why it exists: four families ask the same sixteen questions, each of its own matrix, and one more asks a seventeenth.

Source: the standard, arXiv:1612.07003, sections 3.7 to 3.9 and 3.11.
"""

from __future__ import annotations

import numpy as np

from tumorboard.compiled import compiled
from tumorboard.radiomics.matrices.shared import Ints
from tumorboard.radiomics.region import Float


@compiled
def emphases(matrices: Ints, levels: Ints, sizes: Ints, voxels: int) -> Float:
    """Return seventeen sums over each matrix.

    Parameters
    ----------
    matrices : ndarray of int64, shape (d, m, x)
        Counts by grey level and size.
    levels : ndarray of int64, shape (m,)
        Grey levels, from 1.
    sizes : ndarray of int64, shape (x,)
        Sizes, from 1.
    voxels : int
        That each matrix counts.

    Returns
    -------
    ndarray of float64, shape (d, 17)
        Emphasis of small and large sizes, low and high levels, small-low, small-high, large-low and large-high;
        non-uniformity of levels and normalised, of sizes and normalised; count by voxel; variance of levels and of
        sizes; entropy in bits; energy. NaN for a matrix without counts.

    Examples
    --------
    >>> emphases(np.array([[[2, 0], [0, 2]]]), np.array([1, 2]), np.array([1, 2]), 8)[0, :4].tolist()
    [0.625, 2.5, 0.625, 2.5]
    """
    rows = np.full((len(matrices), 17), np.nan)
    for d in range(len(matrices)):
        by_level, by_size, cells = _sums(matrices[d], levels, sizes)
        total = by_level.sum()
        if total > 0:
            row = rows[d]
            row[0], row[1], row[10], row[14] = _moments(by_size / total, sizes)
            row[2], row[3], row[8], row[13] = _moments(by_level / total, levels)
            row[4:8] = cells[:4] / total
            row[9], row[11] = row[8], row[10]
            row[8], row[10] = row[8] * total, row[10] * total
            row[12] = total / voxels
            row[15], row[16] = np.log2(total) - cells[4] / total, cells[5] / total**2
    return rows


@compiled
def _moments(p: Float, values: Ints) -> tuple[float, float, float, float]:
    """Mean inverse square, mean square, sum of squared probabilities and variance."""
    squares = values.astype(np.float64) ** 2
    mean = (p * values).sum()
    return (p / squares).sum(), (p * squares).sum(), (p * p).sum(), (p * (values - mean) ** 2).sum()


@compiled
def _sums(matrix: Ints, levels: Ints, sizes: Ints) -> tuple[Float, Float, Float]:
    """Return counts by level and by size, and joint sums over the cells that are not empty."""
    by_level, by_size, cells = np.zeros(len(levels)), np.zeros(len(sizes)), np.zeros(6)
    for a in range(len(levels)):
        level = float(levels[a]) ** 2
        for b in range(len(sizes)):
            n = float(matrix[a, b])
            if n > 0:
                size = float(sizes[b]) ** 2
                by_level[a] += n
                by_size[b] += n
                cells[0] += n / (level * size)
                cells[1] += n * level / size
                cells[2] += n * size / level
                cells[3] += n * level * size
                cells[4] += n * np.log2(n)
                cells[5] += n * n
    return by_level, by_size, cells
