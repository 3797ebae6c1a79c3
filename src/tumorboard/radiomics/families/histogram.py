"""Histogram of grey levels: its moments, percentiles, entropy and steepest steps.

Why it exists: the same questions as of intensities, asked of levels, so that regions binned alike can be compared.
Everything is computed from the counts of the levels, however many voxels there are.

The histogram has a place for every level from 1 to the highest, empty ones too. Its gradient is a central difference,
one-sided at both ends; of equal extremes the lower level counts. Of equally frequent levels the mode is the one
closest to the mean, then the lower. One level alone has no gradient: NaN.

Source: IBSI reference manual, arXiv:1612.07003, "Intensity histogram features" (ZVCW).
"""

from __future__ import annotations

import math

import numpy as np

from tumorboard.radiomics.families.statistics import quotient
from tumorboard.radiomics.feature import ONE, Family, Feature
from tumorboard.radiomics.region import Float, Region

FEATURES = (
    Feature("mean", "X6K6", "1", "mean grey level"),
    Feature("var", "CH89", "1", "variance of the population"),
    Feature("skew", "88K1", "1", "skewness"),
    Feature("kurt", "C3I7", "1", "excess kurtosis"),
    Feature("median", "WIFQ", "1", "median grey level"),
    Feature("min", "1PR8", "1", "lowest grey level"),
    Feature("p10", "GPMT", "1", "10th percentile"),
    Feature("p90", "OZ0C", "1", "90th percentile"),
    Feature("max", "3NCY", "1", "highest grey level"),
    Feature("mode", "AMMC", "1", "most frequent grey level"),
    Feature("iqr", "WR0O", "1", "75th minus 25th percentile"),
    Feature("range", "5Z3W", "1", "highest minus lowest grey level"),
    Feature("mad", "D2ZX", "1", "mean absolute deviation from the mean"),
    Feature("rmad", "WRZB", "1", "the same of levels from the 10th to the 90th percentile"),
    Feature("medad", "4RNL", "1", "mean absolute deviation from the median"),
    Feature("cov", "CWYJ", "1", "standard deviation over mean"),
    Feature("qcod", "SLWD", "1", "quartile coefficient of dispersion"),
    Feature("entropy", "TLU2", "1", "Shannon entropy in bits"),
    Feature("uniformity", "BJ5W", "1", "sum of squared frequencies"),
    Feature("max_grad", "12CE", "1", "steepest rise of the histogram, voxels a level"),
    Feature("max_grad_g", "8E6O", "1", "grey level of the steepest rise"),
    Feature("min_grad", "VQB3", "1", "steepest fall of the histogram, voxels a level"),
    Feature("min_grad_g", "RHQZ", "1", "grey level of the steepest fall"),
)


def histogram(region: Region, way: str = "") -> dict[str, float]:
    """Compute the features of the histogram of grey levels.

    Parameters
    ----------
    region : Region
        Its texture levels are read.
    way : str, optional
        Not used: these features are not aggregated.

    Returns
    -------
    dict of float
        By feature name; NaN throughout where the mask is empty.

    Examples
    --------
    >>> from tumorboard.radiomics.scheme.discretise import as_levels
    >>> image = np.array([[[1.0, 1.0, 2.0, 4.0]]])
    >>> region = Region(image, image > 0, image > 0, (1.0, 1.0, 1.0), as_levels(image, image > 0))
    >>> found = histogram(region)
    >>> found["mean"], found["mode"], found["entropy"], found["min_grad"]
    (2.0, 1.0, 1.5, -1.0)
    """
    if not region.grey.size:
        return dict.fromkeys((f.name for f in FEATURES), math.nan)
    counts = np.bincount(region.grey, minlength=region.texture.count + 1)[1:].astype(np.float64)
    level = np.arange(1.0, len(counts) + 1.0)
    held = counts > 0
    return {**_moments(level[held], counts[held]), **_shape(level, counts)}


def _moments(level: Float, count: Float) -> dict[str, float]:
    """Moments, percentiles and deviations of levels that occur."""
    n, reached, mean = count.sum(), np.cumsum(count), _mean(level, count)
    p10, p25, median, p75, p90 = (_percentile(level, reached, q) for q in (10.0, 25.0, 50.0, 75.0, 90.0))
    d = level - mean
    var = float((d**2 * count).sum() / n)
    inner = (level >= p10) & (level <= p90)
    return {
        **{"mean": mean, "var": var, "median": median, "min": float(level[0]), "p10": p10, "p90": p90},
        "skew": float((d**3 * count).sum() / n) / var**1.5 if var else 0.0,
        "kurt": float((d**4 * count).sum() / n) / var**2 - 3.0 if var else 0.0,
        **{"max": float(level[-1]), "iqr": p75 - p25, "range": float(level[-1] - level[0])},
        "mad": _deviation(level, count, mean),
        "rmad": _deviation(level[inner], count[inner], _mean(level[inner], count[inner])),
        "medad": _deviation(level, count, median),
        **{"cov": quotient(math.sqrt(var), mean), "qcod": quotient(p75 - p25, p75 + p25)},
    }


def _shape(level: Float, count: Float) -> dict[str, float]:
    """Mode, entropy, uniformity and gradients of the whole histogram."""
    p = count / count.sum()
    held = p[p > 0]
    often = level[count == count.max()]
    found = {
        "mode": float(often[np.argmin(np.abs(often - (level * p).sum()))]),
        "entropy": float(np.abs((held * np.log2(held)).sum())),
        "uniformity": float((p * p).sum()),
    }
    if len(count) < 2:
        return {**found, **dict.fromkeys(("max_grad", "max_grad_g", "min_grad", "min_grad_g"), math.nan)}
    slope = np.gradient(count)
    rise, fall = int(slope.argmax()), int(slope.argmin())
    found |= {"max_grad": float(slope[rise]), "max_grad_g": float(level[rise])}
    return found | {"min_grad": float(slope[fall]), "min_grad_g": float(level[fall])}


def _percentile(level: Float, reached: Float, q: float) -> float:
    """Percentile as of the single voxels, interpolated linearly; ``reached`` counts voxels up to each level."""
    place = q * (reached[-1] - 1) / 100.0
    below = math.floor(place)
    low, high = level[np.searchsorted(reached, [below, min(below + 1, reached[-1] - 1)], side="right")]
    return float(low + (high - low) * (place - below))


def _mean(level: Float, count: Float) -> float:
    return quotient(float((level * count).sum()), float(count.sum()))


def _deviation(level: Float, count: Float, centre: float) -> float:
    return quotient(float((np.abs(level - centre) * count).sum()), float(count.sum()))


FAMILY = Family("histogram", "ZVCW", "ih", "Intensity histogram", FEATURES, ONE, histogram)
