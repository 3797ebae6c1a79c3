"""Grey level co-occurrence in a cube around each voxel.

Why it exists: a cube of 27 voxels has 27 grey levels at most, so its matrices are small whatever the number of grey
levels of the region, and are forgotten before the next voxel; kept for all voxels at once they would be gigabytes.
The features are read off them by the code that serves regions.

Source: as :mod:`tumorboard.radiomics.families.glcm`; cubes as in PyRadiomics' voxel-based extraction with a masked
kernel (van Griethuysen JJM et al., Cancer Res 2017;77:e104-e107).
"""

from __future__ import annotations

import numpy as np

from tumorboard.compiled import compiled
from tumorboard.radiomics.families.glcm import FEATURES, matrix_features
from tumorboard.radiomics.maps.cube import bounds
from tumorboard.radiomics.matrices.directions import directions
from tumorboard.radiomics.matrices.shared import Ints, in_slices, merged
from tumorboard.radiomics.region import Float, Levels, Region

WAYS = ("2_5D_avg", "2_5D_comb", "3D_avg", "3D_comb")
"""Of aggregation that are counted here; the others take slices of a cube apart."""


def pair_rows(region: Region, at: Ints, radius: int, way: str) -> Float:
    """Return the features of co-occurrence around voxels.

    Parameters
    ----------
    region : Region
        Its grey levels are read.
    at : ndarray of int64, shape (n, 3)
        Voxels, in the box of the region.
    radius : int
        The cube has ``2 radius + 1`` voxels along each edge; what is outside the region does not count.
    way : str
        One of :data:`WAYS`.

    Returns
    -------
    ndarray of float64, shape (n, 25)
        In the order of the family; NaN where a feature is not defined.

    Examples
    --------
    >>> from tumorboard.radiomics.region import Binned
    >>> levels = np.array([[[1, 3, 1, 1]]], dtype=np.int32); inside = levels > 0
    >>> region = Region(levels * 1.0, inside, inside, (1.0, 1.0, 1.0), Binned(levels, 3, 1.0, 0.5))
    >>> contrast = [f.name for f in FEATURES].index("contrast")
    >>> pair_rows(region, np.array([[0, 0, 1], [0, 0, 3]]), 1, "3D_comb")[:, contrast].tolist()
    [4.0, 0.0]
    """
    ahead = np.array(directions(in_slices(way)), dtype=np.int64)
    return _rows(region.texture.levels, at, radius, ahead, region.texture.count, merged(way))


def scratch_bytes(radius: int, way: str, levels: int | None) -> int:
    """Return the memory that the matrices of one cube take, bytes.

    Examples
    --------
    >>> scratch_bytes(1, "3D_avg", 64) == scratch_bytes(1, "3D_avg", None) == 14 * 27 * 27 * 8
    True
    """
    most = (2 * radius + 1) ** 3
    rows = most if levels is None else min(most, levels)
    return (len(directions(in_slices(way))) + 1) * rows * rows * 8


@compiled
def _rows(levels: Levels, at: Ints, radius: int, ahead: Ints, count: int, merge: bool) -> Float:
    rows = np.full((len(at), 25), np.nan)
    row_of = np.zeros(count + 1, np.int64)
    for v in range(len(at)):
        low, high = bounds(at[v], radius, levels.shape)
        present = _present(levels, low, high, row_of)
        counts = _counts(levels, low, high, ahead, row_of, len(present))
        if merge:
            counts = counts.sum(axis=0).reshape(1, len(present), len(present))
        _average(matrix_features(counts, present, count), rows[v])
    return rows


@compiled
def _present(levels: Levels, low: Ints, high: Ints, row_of: Ints) -> Ints:
    """Return the grey levels in a cube, ascending, and write the row of each."""
    found, n = np.empty((high - low).prod(), np.int64), 0
    for i in range(low[0], high[0]):
        for j in range(low[1], high[1]):
            for k in range(low[2], high[2]):
                if levels[i, j, k] > 0:
                    found[n] = levels[i, j, k]
                    n += 1
    found = np.sort(found[:n])
    m = 0
    for n in range(len(found)):
        if m == 0 or found[n] != found[m - 1]:
            found[m] = found[n]
            row_of[found[m]] = m
            m += 1
    return found[:m]


@compiled
def _counts(levels: Levels, low: Ints, high: Ints, ahead: Ints, row_of: Ints, m: int) -> Ints:
    """Count the pairs that lie in a cube, both ways round, shape (d, m, m)."""
    counts = np.zeros((len(ahead), m, m), np.int64)
    for i in range(low[0], high[0]):
        for j in range(low[1], high[1]):
            for k in range(low[2], high[2]):
                if levels[i, j, k] > 0:
                    a = row_of[levels[i, j, k]]
                    for d in range(len(ahead)):
                        p, q, r = i + ahead[d, 0], j + ahead[d, 1], k + ahead[d, 2]
                        if _inside(p, q, r, low, high) and levels[p, q, r] > 0:
                            b = row_of[levels[p, q, r]]
                            counts[d, a, b] += 1
                            counts[d, b, a] += 1
    return counts


@compiled
def _inside(p: int, q: int, r: int, low: Ints, high: Ints) -> bool:
    """Whether a voxel lies in a cube."""
    return bool(low[0] <= p < high[0] and low[1] <= q < high[1] and low[2] <= r < high[2])


@compiled
def _average(of: Float, row: Float) -> None:
    """Write the mean of each feature over the matrices that define it."""
    for f in range(of.shape[1]):
        total, n = 0.0, 0
        for d in range(of.shape[0]):
            if not np.isnan(of[d, f]):
                total += of[d, f]
                n += 1
        if n:
            row[f] = total / n


NAMES = tuple(f.name for f in FEATURES)
"""Of the columns."""
