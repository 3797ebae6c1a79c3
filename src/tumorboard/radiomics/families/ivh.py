"""Intensity-volume histogram: how much of a region is at least so bright.

Why it exists: dose has had such a curve for long; for intensities it tells what share of a tumour stands out.

The curve has grid intensities i, apart by a step, over a range G. At each, the volume fraction is the share of voxels
with at least i, and the intensity fraction is ``(i - min G) / (max G - min G)``. Three ways:

- no levels (``Region.ivh`` is None): intensities as they are, G is ``Region.ivh_range`` or, where that is None or
  infinite at an end, what is observed. The step is 1 if all intensities are whole numbers (CT), else the grid is
  that of the intensities that occur.
- levels with a width (fixed bin size): a voxel has the intensity of the centre of its bin, the step is the width.
  G reaches from half a width above the lower end of ``ivh_range`` to half a width below its upper end, or over the
  centres of the first and the last bin.
- levels whose width is NaN (:func:`~tumorboard.radiomics.scheme.discretise.as_numbers`, the standard's way with 1000
  bins for arbitrary units): bin numbers, G is 1 to the number of bins, the range is not used.

``v10`` is the largest volume fraction with an intensity fraction of at least 0.1. ``i10`` is the lowest grid intensity
at which the volume fraction is at most 0.1; NaN where even the highest of the grid is in more than that.
``auc`` is the area under volume fraction over intensity fraction, by trapezia over the grid; 0 for one intensity, as
the standard says. What lies outside G counts as its ends do.

Source: IBSI reference manual, arXiv:1612.07003, "Intensity-volume histogram features" (P88C).
"""

from __future__ import annotations

import math

import numpy as np

from tumorboard.radiomics.feature import ONE, Family, Feature
from tumorboard.radiomics.region import Binned, Float, Region

Ends = tuple[float, float]

FEATURES = (
    Feature("v10", "NK6P", "1", "volume fraction at 10 % of the intensity range"),
    Feature("v90", "4279", "1", "volume fraction at 90 % of the intensity range"),
    Feature("i10", "PWN1", "i", "intensity at 10 % of the volume"),
    Feature("i90", "BOHI", "i", "intensity at 90 % of the volume"),
    Feature("diff_v10_v90", "WITY", "1", "v10 minus v90"),
    Feature("diff_i10_i90", "JXJA", "i", "i10 minus i90"),
    Feature("auc", "9CMM", "1", "area under the curve"),
)

DENSE = 4
"""Whole intensities are counted by value while their range is below this many times their number, else sorted."""


def intensity_volume_histogram(region: Region, way: str = "") -> dict[str, float]:
    """Compute the features of the intensity-volume histogram.

    Parameters
    ----------
    region : Region
        Its intensities or, if it has them, its levels for this histogram are read.
    way : str, optional
        Not used: these features are not aggregated.

    Returns
    -------
    dict of float
        By feature name; NaN throughout where the mask is empty.

    Examples
    --------
    >>> from tumorboard.radiomics.scheme.discretise import as_levels
    >>> image = np.array([[[1.0, 1.0, 2.0, 11.0]]])
    >>> region = Region(image, image > 0, image > 0, (1.0, 1.0, 1.0), as_levels(image, image > 0))
    >>> found = intensity_volume_histogram(region)
    >>> found["v10"], found["v90"], found["i90"], found["auc"]
    (0.5, 0.25, 2.0, 0.3125)
    """
    if not region.values.size:
        return dict.fromkeys((f.name for f in FEATURES), math.nan)
    binned = region.ivh
    held, counts, step, ends = _observed(region) if binned is None else _binned(region, binned)
    volume = np.cumsum(counts[::-1])[::-1] / counts.sum()
    v10, v90 = _volume_at(held, volume, ends, 0.1), _volume_at(held, volume, ends, 0.9)
    i10, i90 = (_intensity_at(held, volume, step, max(ends[1], held[-1]), share) for share in (0.1, 0.9))
    differences = {"diff_v10_v90": v10 - v90, "diff_i10_i90": i10 - i90}
    found = {"v10": v10, "v90": v90, "i10": i10, "i90": i90, **differences, "auc": _area(held, volume, step, ends)}
    return found if binned is None else _as_intensity(found, binned)


def _observed(region: Region) -> tuple[Float, Float, float, Ends]:
    """Intensities that occur, their counts, the step of the grid and the range."""
    values = region.values
    low, high = float(values.min()), float(values.max())
    whole = bool((values == np.rint(values)).all())
    if whole and high - low < DENSE * values.size + 1:
        counts = np.bincount((values - low).astype(np.int64))
        places = np.flatnonzero(counts)
        held, counts = places.astype(np.float64) + low, counts[places]
    else:
        ordered = region.ordered
        first = np.flatnonzero(np.concatenate(([True], ordered[1:] > ordered[:-1])))
        held, counts = ordered[first], np.diff(np.append(first, len(ordered)))
    given = region.ivh_range or (low, high)
    ends = tuple(end if math.isfinite(end) else seen for end, seen in zip(given, (low, high), strict=True))
    return held, counts.astype(np.float64), 1.0 if whole else math.inf, (ends[0], ends[1])


def _binned(region: Region, binned: Binned) -> tuple[Float, Float, float, Ends]:
    """Return the same of levels, all counted in bins: fractions are then exact where they matter."""
    counts = np.bincount(binned.levels[region.mask])
    held = np.flatnonzero(counts)
    ends = (1.0, float(binned.count))
    if region.ivh_range is not None and not math.isnan(binned.width):
        edges = [(end - binned.lowest) / binned.width for end in region.ivh_range]
        ends = (edges[0] + 1.0 if math.isfinite(edges[0]) else 1.0, edges[1] if math.isfinite(edges[1]) else ends[1])
    return held.astype(np.float64), counts[held].astype(np.float64), 1.0, ends


def _as_intensity(found: dict[str, float], binned: Binned) -> dict[str, float]:
    """Turn bin numbers into centres of bins."""
    if math.isnan(binned.width):
        return found
    turned = {name: binned.lowest + (found[name] - 0.5) * binned.width for name in ("i10", "i90")}
    return {**found, **turned, "diff_i10_i90": found["diff_i10_i90"] * binned.width}


def _volume_at(held: Float, volume: Float, ends: Ends, fraction: float) -> float:
    """Volume fraction at the first intensity whose fraction of the range is high enough."""
    if not ends[1] > ends[0]:
        return math.nan
    enough = (held - ends[0]) / (ends[1] - ends[0]) >= fraction
    return float(volume[enough.argmax()]) if enough.any() else 0.0


def _intensity_at(held: Float, volume: Float, step: float, last: float, fraction: float) -> float:
    """Lowest grid intensity whose volume fraction is low enough: next after the last whose is not."""
    over = int(np.count_nonzero(volume > fraction))
    after = float(held[over - 1]) + step
    if over < len(held):
        return min(after, float(held[over]))
    return after if after <= last else math.nan


def _area(held: Float, volume: Float, step: float, ends: Ends) -> float:
    """Area under the curve: it falls by one step after each intensity that occurs and is level otherwise."""
    if len(held) < 2 or not ends[1] > ends[0]:
        return 0.0
    at = np.clip(np.concatenate(([ends[0]], held, [ends[1]])), *ends)
    share = np.concatenate(([1.0], volume, [0.0]))
    gap = np.diff(at)
    fall = np.minimum(gap, step)
    area = (gap * share[1:] + 0.5 * fall * (share[:-1] - share[1:])).sum()
    return float(area / (ends[1] - ends[0]))


FAMILY = Family("ivh", "P88C", "ivh", "Intensity-volume histogram", FEATURES, ONE, intensity_volume_histogram)
