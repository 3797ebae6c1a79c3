"""Features of grey level co-occurrence.

Why it exists: whether like stands beside like. All 25 follow from three histograms of a symmetric matrix - of one
level, of the difference and of the sum of both - and from the sums of squares and of p log p over its cells, so each
matrix is walked through once, and only its upper half.

Source: Haralick RM, Shanmugam K, Dinstein I. IEEE Trans Syst Man Cybern 1973;SMC-3:610-621; the standard,
arXiv:1612.07003, section 3.6.
"""

from __future__ import annotations

import numpy as np

from tumorboard.compiled import compiled
from tumorboard.radiomics.families.average import averaged
from tumorboard.radiomics.feature import BY_DIRECTION, Family, Feature
from tumorboard.radiomics.matrices.cooccurrence import cooccurrences
from tumorboard.radiomics.matrices.shared import Ints, by_direction, packed
from tumorboard.radiomics.region import Float, Region

FEATURES = (
    Feature("joint_max", "GYBY", "1", "probability of the commonest pair of grey levels"),
    Feature("joint_avg", "60VM", "1", "mean grey level over pairs"),
    Feature("joint_var", "UR99", "1", "variance of the grey level over pairs"),
    Feature("joint_entr", "TU9B", "1", "entropy of pairs, bits"),
    Feature("diff_avg", "TF7R", "1", "mean absolute difference of a pair"),
    Feature("diff_var", "D3YU", "1", "variance of the absolute difference"),
    Feature("diff_entr", "NTRS", "1", "entropy of the absolute difference, bits"),
    Feature("sum_avg", "ZGXS", "1", "mean sum of a pair"),
    Feature("sum_var", "OEEB", "1", "variance of the sum"),
    Feature("sum_entr", "P6QZ", "1", "entropy of the sum, bits"),
    Feature("energy", "8ZQL", "1", "angular second moment: sum of squared probabilities"),
    Feature("contrast", "ACUI", "1", "mean squared difference of a pair"),
    Feature("dissimilarity", "8S9J", "1", "mean absolute difference; equals the difference average"),
    Feature("inv_diff", "IB1Z", "1", "inverse difference: near levels weigh most"),
    Feature("inv_diff_norm", "NDRX", "1", "inverse difference, relative to the number of levels"),
    Feature("inv_diff_mom", "WF0Z", "1", "inverse squared difference"),
    Feature("inv_diff_mom_norm", "1QCO", "1", "inverse squared difference, relative to the number of levels"),
    Feature("inv_var", "E8JP", "1", "inverse variance: unlike pairs by their inverse squared difference"),
    Feature("corr", "NI2N", "1", "correlation of the levels of a pair"),
    Feature("auto_corr", "QWB0", "1", "mean product of a pair"),
    Feature("clust_tend", "DG8W", "1", "cluster tendency; equals the sum variance"),
    Feature("clust_shade", "7NFM", "1", "cluster shade: third moment of the sum"),
    Feature("clust_prom", "AE86", "1", "cluster prominence: fourth moment of the sum"),
    Feature("info_corr1", "R8DG", "1", "information that one level of a pair holds of the other, relative, negative"),
    Feature("info_corr2", "JN9H", "1", "the same information, from 0 to 1"),
)


def compute(region: Region, way: str) -> dict[str, float]:
    """Return the features of a region.

    Parameters
    ----------
    region : Region
        The region.
    way : str
        One of :data:`tumorboard.radiomics.feature.BY_DIRECTION`.

    Returns
    -------
    dict of str to float
        By name. NaN where no voxel has a neighbour; both correlations of levels are NaN where only one level has.

    Examples
    --------
    >>> from tumorboard.radiomics.region import Binned
    >>> levels = np.array([[[1], [3], [1]]], dtype=np.int32); inside = levels > 0
    >>> region = Region(levels * 1.0, inside, inside, (1.0, 1.0, 1.0), Binned(levels, 3, 1.0, 0.5))
    >>> got = compute(region, "3D_comb")
    >>> got["contrast"], got["corr"], got["joint_entr"]
    (4.0, -1.0, 1.0)
    """
    levels = packed(region).levels
    found = by_direction(region, way, cooccurrences)
    return averaged(FEATURES, [matrix_features(matrices, levels, region.texture.count) for matrices, _ in found])


@compiled
def matrix_features(matrices: Ints, levels: Ints, count: int) -> Float:
    """Return a row of features for each symmetric matrix; NaN for one without pairs."""
    rows = np.full((len(matrices), 25), np.nan)
    for d in range(len(matrices)):
        one, apart, both, cells = _histograms(matrices[d], levels)
        total = one.sum()
        if total > 0:
            row = rows[d]
            joint = np.log2(total) - cells[1] / total
            row[0], row[3], row[10] = cells[0] / total, joint, cells[2] / total**2
            _from_one(row, one / total, levels)
            _from_apart(row, apart / total, count)
            _from_both(row, both / total, 2.0 * levels[0])
            row[18] = (row[8] - row[11]) / (row[8] + row[11]) if row[8] + row[11] > 0 else np.nan
            row[19] = (row[8] + row[7] ** 2 - row[11]) / 4.0
            single = _entropy(one / total)
            row[23] = (joint - 2.0 * single) / single if single > 0 else np.nan
            row[24] = np.sqrt(1.0 - np.exp(-2.0 * max(2.0 * single - joint, 0.0)))
    return rows


@compiled
def _histograms(matrix: Ints, levels: Ints) -> tuple[Float, Float, Float, Float]:
    """Return pairs by one level, by difference and by sum, and largest cell, n log n and n squared.

    The sum is counted from twice the lowest level.
    """
    n = len(levels)
    span = levels[-1] - levels[0] + 1
    one, apart, both, cells = np.zeros(n), np.zeros(span), np.zeros(2 * span - 1), np.zeros(3)
    for a in range(n):
        for b in range(a, n):
            pairs = float(matrix[a, b])
            if pairs > 0:
                ways = 1.0 if a == b else 2.0
                one[a] += pairs
                if b > a:
                    one[b] += pairs
                apart[levels[b] - levels[a]] += ways * pairs
                both[levels[a] + levels[b] - 2 * levels[0]] += ways * pairs
                cells[0] = max(cells[0], pairs)
                cells[1] += ways * pairs * np.log2(pairs)
                cells[2] += ways * pairs * pairs
    return one, apart, both, cells


@compiled
def _entropy(p: Float) -> float:
    """Entropy in bits."""
    bits = 0.0
    for x in p:
        if x > 0:
            bits -= x * np.log2(x)
    return bits


@compiled
def _from_one(row: Float, p: Float, levels: Ints) -> None:
    """Features of the level of one of a pair."""
    row[1] = (p * levels).sum()
    row[2] = (p * (levels - row[1]) ** 2).sum()


@compiled
def _from_apart(row: Float, p: Float, count: int) -> None:
    """Features of the absolute difference."""
    row[4:7] = 0.0
    row[11:18] = 0.0
    for k in range(len(p)):
        x = p[k]
        if x > 0:
            row[4] += k * x
            row[11] += k * k * x
            row[13] += x / (1.0 + k)
            row[14] += x / (1.0 + k / count)
            row[15] += x / (1.0 + k * k)
            row[16] += x / (1.0 + (k / count) ** 2)
            row[17] += x / (k * k) if k else 0.0
    row[12] = row[4]
    for k in range(len(p)):
        row[5] += (k - row[4]) ** 2 * p[k]
    row[6] = _entropy(p)


@compiled
def _from_both(row: Float, p: Float, lowest: float) -> None:
    """Features of the sum; ``lowest`` is the sum that the first bin stands for."""
    row[7:10] = 0.0
    row[20:23] = 0.0
    for k in range(len(p)):
        row[7] += (lowest + k) * p[k]
    for k in range(len(p)):
        away = lowest + k - row[7]
        row[8] += away**2 * p[k]
        row[21] += away**3 * p[k]
        row[22] += away**4 * p[k]
    row[9], row[20] = _entropy(p), row[8]


FAMILY = Family(
    name="glcm",
    code="LFYI",
    prefix="cm",
    title="Grey level co-occurrence",
    features=FEATURES,
    ways=BY_DIRECTION,
    compute=compute,
)
