"""Histograms of maps that have a unit: ADC, blood volume, permeability.

Why it exists: literature on perfusion and diffusion speaks of the 5th percentile of ADC, of the peak of the histogram
of blood volume, and of the share of a tumour beyond a threshold. All stay in the unit of the map.

The peak is that of the histogram of grey levels that the settings make, its height the share of voxels in the fullest
bin: both depend on the bins, so maps of different patients take bins of one width. Percentiles and moments are those
of the standard.

Source: Emblem KE et al., Radiology 2008;247:808-817 (normalised peak height of blood volume); Kim H et al., PLoS One
2013;8:e63462 (its percentiles); Barajas RF et al., AJNR Am J Neuroradiol 2010;31:60-66 (25th percentile of ADC).
"""

from __future__ import annotations

import math

import numpy as np

from tumorboard.radiomics.families.statistics import FAMILY as STATISTICS
from tumorboard.radiomics.families.statistics import percentile
from tumorboard.radiomics.feature import ONE, Family, Feature
from tumorboard.radiomics.region import Region

PERCENTILES = (5, 10, 25, 50, 75, 90, 95)

FEATURES = (
    *(Feature(f"p{q:02d}", "", "i", f"{q}th percentile") for q in PERCENTILES),
    Feature("mean", "", "i", "mean"),
    Feature("sd", "", "i", "standard deviation of the population"),
    Feature("skew", "", "1", "skewness"),
    Feature("kurt", "", "1", "excess kurtosis"),
    Feature("peak_height", "", "1", "share of voxels in the fullest bin; depends on the bins"),
    Feature("peak_position", "", "i", "middle of the fullest bin, the lowest of several"),
    Feature("share_below", "", "1", "share of voxels below the lower threshold"),
    Feature("share_above", "", "1", "share of voxels above the upper threshold"),
)


def map_histogram(below: float | None = None, above: float | None = None) -> Family:
    """Return the family with thresholds.

    Parameters
    ----------
    below, above : float, optional
        Thresholds in the unit of the map; a share without one is NaN.

    Returns
    -------
    Family

    Examples
    --------
    >>> from tumorboard.radiomics.scheme.discretise import fixed_bin_size
    >>> adc = np.array([[[700.0, 800.0, 900.0, 950.0]]]); inside = adc > 0
    >>> region = Region(adc, inside, inside, (1.0, 1.0, 1.0), fixed_bin_size(adc, inside, 100.0, 0.0))
    >>> found = map_histogram(below=750.0).compute(region, "")
    >>> found["p50"], found["peak_position"], found["peak_height"], found["share_below"]
    (850.0, 950.0, 0.5, 0.25)
    """

    def compute(region: Region, way: str = "") -> dict[str, float]:
        return _histogram(region, below, above)

    return Family("map_histogram", "", "mh", "Histogram of a map in its unit", FEATURES, ONE, compute)


def _histogram(region: Region, below: float | None, above: float | None) -> dict[str, float]:
    x = region.ordered
    if not x.size:
        return dict.fromkeys((f.name for f in FEATURES), math.nan)
    moments = STATISTICS.compute(region, "")
    counts = np.bincount(region.grey)
    fullest = int(counts.argmax())
    return {
        **{f"p{q:02d}": percentile(x, float(q)) for q in PERCENTILES},
        **{"mean": moments["mean"], "sd": math.sqrt(moments["var"])},
        **{"skew": moments["skew"], "kurt": moments["kurt"]},
        "peak_height": float(counts[fullest] / x.size),
        "peak_position": region.texture.lowest + (fullest - 0.5) * region.texture.width,
        "share_below": math.nan if below is None else float((x < below).mean()),
        "share_above": math.nan if above is None else float((x > above).mean()),
    }


FAMILY = map_histogram()
