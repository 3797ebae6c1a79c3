"""Features of neighbourhood grey tone difference.

Why it exists: what the eye calls coarse, busy or complex, from how much voxels differ from the mean of those around.

Source: Amadasun M, King R. IEEE Trans Syst Man Cybern 1989;19:1264-1274; the standard, arXiv:1612.07003, section 3.10.
"""

from __future__ import annotations

import numpy as np

from tumorboard.compiled import compiled
from tumorboard.radiomics.families.average import averaged
from tumorboard.radiomics.feature import BY_SLICE, Family, Feature
from tumorboard.radiomics.matrices.neighbours import surrounds
from tumorboard.radiomics.matrices.shared import Ints, packed
from tumorboard.radiomics.region import Float, Region

FEATURES = (
    Feature("coarseness", "QCDE", "1", "inverse of the mean difference; at most 10^6"),
    Feature("contrast", "65HE", "1", "range of grey levels times the mean difference"),
    Feature("busyness", "NQ30", "1", "differences relative to those between grey levels"),
    Feature("complexity", "HDEZ", "1", "grey levels far apart that both differ from what is around them"),
    Feature("strength", "1X9X", "1", "grey levels far apart relative to the differences"),
)

COARSEST = 1e6
"""Coarseness of a region without differences, in the standard."""


def compute(region: Region, way: str) -> dict[str, float]:
    """Return the features of a region.

    Parameters
    ----------
    region : Region
        The region.
    way : str
        One of :data:`tumorboard.radiomics.feature.BY_SLICE`.

    Returns
    -------
    dict of str to float
        By name; NaN where no voxel has a neighbour. A region of one grey level has the standard's values: coarseness
        10^6, and 0 for the others.

    Examples
    --------
    >>> from tumorboard.radiomics.region import Binned
    >>> levels = np.array([[[1], [1], [2]]], dtype=np.int32); inside = levels > 0
    >>> region = Region(levels * 1.0, inside, inside, (1.0, 1.0, 1.0), Binned(levels, 2, 1.0, 0.5))
    >>> round(compute(region, "3D")["coarseness"], 3)
    1.5
    """
    levels = packed(region).levels
    return averaged(FEATURES, [tone_features(part.counted, part.difference, levels) for part in surrounds(region, way)])


@compiled
def tone_features(counted: Ints, difference: Float, levels: Ints) -> Float:
    """Return the features of one matrix.

    Parameters
    ----------
    counted : ndarray of int64, shape (m,)
        Voxels of each grey level.
    difference : ndarray of float64, shape (m,)
        Sum of their absolute differences from the mean of their neighbours.
    levels : ndarray of int64, shape (m,)
        Grey levels.

    Returns
    -------
    ndarray of float64, shape (1, 5)
        In the order of ``FEATURES``; NaN without a voxel.

    Examples
    --------
    >>> round(float(tone_features(np.array([2, 1]), np.array([0.5, 1.0]), np.array([1, 2]))[0, 0]), 6)
    1.5
    """
    row = np.full((1, 5), np.nan)
    voxels = counted.sum()
    if voxels == 0:
        return row
    p = counted / voxels
    present = (counted > 0).sum()
    mean, total = (p * difference).sum(), difference.sum()
    spread, apart, complexity, strength = _pairs(p, difference, levels.astype(np.float64))
    row[0, 0] = min(1.0 / mean, COARSEST) if mean > 0 else COARSEST
    row[0, 3] = complexity / voxels
    row[0, 4] = strength / total if total > 0 else 0.0
    if present == 1:
        row[0, 1], row[0, 2] = 0.0, 0.0
    else:
        row[0, 1] = spread / (present * (present - 1)) * total / voxels
        row[0, 2] = mean / apart if apart > 0 else np.nan
    return row


@compiled
def _pairs(p: Float, difference: Float, levels: Float) -> tuple[float, float, float, float]:
    """Return sums over all pairs of grey levels that occur, both ways round."""
    spread, apart, complexity, strength = 0.0, 0.0, 0.0, 0.0
    for a in range(len(p)):
        for b in range(a):
            if p[a] > 0 and p[b] > 0:
                gap = levels[a] - levels[b]
                both = p[a] + p[b]
                spread += 2.0 * p[a] * p[b] * gap**2
                apart += 2.0 * abs(levels[a] * p[a] - levels[b] * p[b])
                complexity += 2.0 * gap * (p[a] * difference[a] + p[b] * difference[b]) / both
                strength += 2.0 * both * gap**2
    return spread, apart, complexity, strength


FAMILY = Family(
    name="ngtdm",
    code="IPET",
    prefix="ngt",
    title="Neighbourhood grey tone difference",
    features=FEATURES,
    ways=BY_SLICE,
    compute=compute,
)
