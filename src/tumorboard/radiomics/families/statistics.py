"""Statistics of intensities: moments, percentiles, dispersion, energy.

Why it exists: how bright a region is and how widely its intensities spread says much before any texture is asked for.
The values are sorted once; percentiles and what lies between two of them are then a matter of places in a row.

Percentiles are interpolated linearly between order statistics (place ``q (n - 1) / 100``), as NumPy, MIRP and
PyRadiomics do. The standard leaves the definition open, and its reference values agree with this one and with most
others; of NumPy's thirteen they refute hazen, weibull and the two unbiased ones. Moments are those of the population,
kurtosis is excess kurtosis. Of equal intensities skewness and kurtosis are 0, as the standard says. A ratio whose
denominator is 0 is NaN, and so is ``rmad`` where no intensity lies from the 10th to the 90th percentile (two voxels).

Source: IBSI reference manual, arXiv:1612.07003, "Intensity-based statistical features" (UHIW).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tumorboard.compiled import compiled
from tumorboard.radiomics.feature import ONE, Family, Feature
from tumorboard.radiomics.region import Float, Region

FEATURES = (
    Feature("mean", "Q4LE", "i", "mean intensity"),
    Feature("var", "ECT3", "i2", "variance of the population"),
    Feature("skew", "KE2A", "1", "skewness"),
    Feature("kurt", "IPH6", "1", "excess kurtosis"),
    Feature("median", "Y12H", "i", "median intensity"),
    Feature("min", "1GSF", "i", "lowest intensity"),
    Feature("p10", "QG58", "i", "10th percentile"),
    Feature("p90", "8DWT", "i", "90th percentile"),
    Feature("max", "84IY", "i", "highest intensity"),
    Feature("iqr", "SALO", "i", "75th minus 25th percentile"),
    Feature("range", "2OJQ", "i", "highest minus lowest intensity"),
    Feature("mad", "4FUA", "i", "mean absolute deviation from the mean"),
    Feature("rmad", "1128", "i", "the same of intensities from the 10th to the 90th percentile"),
    Feature("medad", "N72L", "i", "mean absolute deviation from the median"),
    Feature("cov", "7TET", "1", "standard deviation over mean"),
    Feature("qcod", "9S40", "1", "quartile coefficient of dispersion"),
    Feature("energy", "N8CA", "i2", "sum of squared intensities"),
    Feature("rms", "5ZWQ", "i", "root mean square"),
)


def percentile(ordered: NDArray[Any], q: float) -> float:
    """Return a percentile of sorted values, interpolated linearly.

    Parameters
    ----------
    ordered : ndarray, shape (n,)
        Ascending, one value at least.
    q : float
        0 to 100.

    Returns
    -------
    float
        In the unit of the values.

    Examples
    --------
    >>> percentile(np.array([1.0, 2.0, 4.0]), 75.0)
    3.0
    """
    place = q * (len(ordered) - 1) / 100.0
    below = int(place)
    low, high = float(ordered[below]), float(ordered[min(below + 1, len(ordered) - 1)])
    return low + (high - low) * (place - below)


def quotient(above: float, below: float) -> float:
    """Return a ratio; NaN where the denominator is 0.

    Examples
    --------
    >>> quotient(1.0, 4.0), quotient(1.0, 0.0)
    (0.25, nan)
    """
    return above / below if below else math.nan


def statistics(region: Region, way: str = "") -> dict[str, float]:
    """Compute the statistics of the intensity mask.

    Parameters
    ----------
    region : Region
        Its image and intensity mask are read.
    way : str, optional
        Not used: these features are not aggregated.

    Returns
    -------
    dict of float
        By feature name; NaN throughout where the mask is empty.

    Examples
    --------
    >>> from tumorboard.radiomics.scheme.discretise import fixed_bin_number
    >>> image = np.array([[[1.0, 2.0, 3.0, 6.0]]])
    >>> region = Region(image, image > 0, image > 0, (1.0, 1.0, 1.0), fixed_bin_number(image, image > 0, 4))
    >>> found = statistics(region)
    >>> found["mean"], found["median"], found["iqr"], found["energy"]
    (3.0, 2.5, 2.0, 50.0)
    """
    if not region.values.size:
        return dict.fromkeys((f.name for f in FEATURES), math.nan)
    return _of_sorted(region.ordered)


def _of_sorted(ordered: Float) -> dict[str, float]:
    low, high = float(ordered[0]), float(ordered[-1])
    p10, p25, median, p75, p90 = (percentile(ordered, q) for q in (10.0, 25.0, 50.0, 75.0, 90.0))
    mean = mean_of(ordered)
    mad, medad, var, skew, kurt, square = moments_about(ordered, mean, median)
    middle = ordered[np.searchsorted(ordered, p10, "left") : np.searchsorted(ordered, p90, "right")]
    return {
        **{"mean": mean, "var": var, "skew": skew, "kurt": kurt, "median": median, "min": low},
        **{"p10": p10, "p90": p90, "max": high, "iqr": p75 - p25, "range": high - low, "mad": mad},
        "rmad": moments_about(middle, mean_of(middle), median)[0] if middle.size else math.nan,
        **{"medad": medad, "cov": quotient(math.sqrt(var), mean), "qcod": quotient(p75 - p25, p75 + p25)},
        **{"energy": square * len(ordered), "rms": math.sqrt(square)},
    }


@compiled
def mean_of(ordered: Float) -> float:
    """Mean, summed from the lowest value so that equal values have exactly themselves as mean."""
    total = 0.0
    for v in ordered:
        total += v - ordered[0]
    mean: float = ordered[0] + total / max(ordered.size, 1)
    return mean


@compiled
def moments_about(ordered: Float, mean: float, median: float) -> tuple[float, float, float, float, float, float]:
    """Mean deviations from mean and median, variance, skewness, excess kurtosis and mean square."""
    mad, medad, square = 0.0, 0.0, 0.0
    two, three, four = 0.0, 0.0, 0.0
    scale = max(mean - ordered[0], ordered[-1] - mean)  # keeps powers of any unit within the range of a double
    for v in ordered:
        d = v - mean
        mad += abs(d)
        medad += abs(v - median)
        square += v * v
        if scale > 0.0:
            u = d / scale
            two += u * u
            three += u * u * u
            four += u * u * u * u
    n = ordered.size
    if two == 0.0:
        return mad / n, medad / n, 0.0, 0.0, 0.0, square / n
    two, three, four = two / n, three / n, four / n
    return mad / n, medad / n, two * scale * scale, three / two**1.5, four / (two * two) - 3.0, square / n


FAMILY = Family("statistics", "UHIW", "stat", "Intensity-based statistics", FEATURES, ONE, statistics)
