"""The calibration curve: how often it happened against what was predicted, smooth and in bins.

Why it exists: intercept and slope see a straight line only. The curve shows where predictions are wrong, with a band,
and the mean distance from the diagonal (ICI) says how much, weighted by where patients are.

Source: Austin PC, Steyerberg EW. Stat Med 2014;33:517-535 (loess) and 2019;38:4051-4065 (ICI, E50, E90); Cleveland WS.
J Am Stat Assoc 1979;74:829-836 (local straight lines, tricube weights, no robust steps).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from tumorboard.errors import InputError
from tumorboard.metrics.agreement import share
from tumorboard.metrics.calibrate.calibration import Binning, binned
from tumorboard.metrics.checked import ONE_CLASS, Flags, Floats, checked_probabilities
from tumorboard.metrics.estimate import LEVEL, Estimate
from tumorboard.metrics.resampling import LEAST_GROUPS, Groups, rows_by_group

SPAN = 0.75
"""Share of patients that each local line heeds."""
LEAST = 10
"""Patients below which no curve is drawn; chosen."""
CURVE_DRAWS = 200
"""Of patients, for the band and the intervals of its distances."""
_POINTS = 61
_FLAT = 1e-10


@dataclass(frozen=True, slots=True)
class Bin:
    """Patients with like predictions.

    Parameters
    ----------
    predicted : float
        Mean of their predictions.
    observed : Estimate
        Share that had the event, with Wilson's interval.
    """

    predicted: float
    observed: Estimate


@dataclass(frozen=True, eq=False)
class CalibrationCurve:
    """Observed against predicted.

    Parameters
    ----------
    predicted : ndarray of float64, shape (k,)
        Rising, from the least to the greatest prediction.
    observed, low, high : ndarray of float64, shape (k,)
        Smooth, with its band.
    bins : tuple of Bin
        Those that hold patients.
    predictions : ndarray of float64, shape (n,)
        All, for a histogram.
    truth : ndarray of bool, shape (n,)
    ici, e50, e90 : Estimate
        Mean, median and 90th percentile over patients of the distance between prediction and curve.
    reason : str
        Why there is no curve, else empty.
    """

    predicted: Floats
    observed: Floats
    low: Floats
    high: Floats
    bins: tuple[Bin, ...]
    predictions: Floats
    truth: Flags
    ici: Estimate
    e50: Estimate
    e90: Estimate
    reason: str = ""


def loess(x: Floats, y: Floats, at: Floats, span: float = SPAN) -> Floats:
    """Return a local straight line at each place.

    Parameters
    ----------
    x, y : ndarray of float64, shape (n,)
        Data.
    at : ndarray of float64, shape (k,)
        Where the curve is wanted.
    span : float
        Share of the data that each line heeds, above 0 to 1.

    Returns
    -------
    ndarray of float64, shape (k,)

    Raises
    ------
    InputError
        The span lies outside.

    Examples
    --------
    >>> x = np.arange(10.0)
    >>> loess(x, 2 * x + 1, np.array([2.5])).round(6).tolist()
    [6.0]
    """
    if not 0 < span <= 1:
        raise InputError("a span above 0 to 1", got=f"{span:g}", where="loess")
    away = np.abs(at[:, None] - x)
    heeded = max(int(span * len(x) + 1e-10), 2)
    reach = np.partition(away, heeded - 1, axis=1)[:, heeded - 1 : heeded]
    weights = (1 - np.minimum(away / np.maximum(reach, _FLAT), 1) ** 3) ** 3
    # where predictions are heaped, all that are heeded may lie at the very edge: then they count alike
    weights = np.where(weights.sum(axis=1, keepdims=True) > _FLAT, weights, away <= reach + _FLAT)
    total = weights.sum(axis=1)
    centre, level = (weights @ x) / total, (weights @ y) / total
    shifted = x - centre[:, None]
    spread = (weights * shifted**2).sum(axis=1)
    tilt = (weights * shifted) @ y
    slope = np.divide(tilt, spread, out=np.zeros_like(tilt), where=spread > _FLAT * total)
    return np.asarray(level + slope * (at - centre))


def calibration_curve(
    truth: ArrayLike,
    probabilities: ArrayLike,
    groups: Groups | None = None,
    level: float = LEVEL,
    bins: int = 10,
    how: Binning = "quantile",
) -> CalibrationCurve:
    """Return the smooth curve with its bootstrap band, the bins, and the distances from the diagonal.

    Parameters
    ----------
    truth : array_like of bool, shape (n,)
        Whether each had the event.
    probabilities : array_like of float, shape (n,)
        Of the event.
    groups : sequence, optional
        To which patient each row belongs; patients are drawn.
    level : float
        Of the band and the intervals.
    bins : int
        How many.
    how : {'quantile', 'width'}
        Of equal numbers of patients, or of equal width.

    Returns
    -------
    CalibrationCurve
        Without a curve for one class, fewer than ten rows, or predictions that do not vary; it says why.

    Raises
    ------
    InputError
        As :func:`~.checked.checked_probabilities`; no bins.

    Examples
    --------
    >>> p = np.linspace(0.05, 0.95, 40)
    >>> curve = calibration_curve(np.arange(40) % 3 == 0, p)
    >>> len(curve.predicted), len(curve.bins), curve.ici.known
    (61, 10, True)
    """
    y, p = checked_probabilities(truth, probabilities)
    reason = _not_there(y, p)
    told = _binned(y, p, bins, how, level) if len(p) else ()
    if reason:
        gone, none = Estimate.missing(reason, len(y)), np.empty(0)
        return CalibrationCurve(none, none, none, none, told, p, y, gone, gone, gone, reason)
    at = np.linspace(p.min(), p.max(), _POINTS)
    seen = y.astype(np.float64)
    members = rows_by_group(groups, len(p))
    rng = np.random.default_rng(0)
    lines, distances = [], []
    for _ in range(CURVE_DRAWS):
        rows = np.concatenate([members[g] for g in rng.integers(0, len(members), len(members))])
        if np.ptp(p[rows]) > 0:
            lines.append(np.clip(loess(p[rows], seen[rows], at), 0, 1))
            distances.append(_distances(p[rows], np.interp(p[rows], at, lines[-1])))
    ends = [50 * (1 - level), 50 * (1 + level)]
    low, high = np.percentile(np.array(lines), ends, axis=0)
    observed = np.clip(loess(p, seen, at), 0, 1)
    mine = _distances(p, np.interp(p, at, observed))
    told_ends = np.percentile(np.array(distances), ends, axis=0)
    few = len(members) < LEAST_GROUPS
    ici, e50, e90 = (_distance(mine[i], told_ends[:, i], len(y), few) for i in range(3))
    return CalibrationCurve(at, observed, low, high, told, p, y, ici, e50, e90)


def _not_there(y: Flags, p: Floats) -> str:
    if len(y) < LEAST:
        return f"fewer than {LEAST} rows"
    if y.all() or not y.any():
        return ONE_CLASS
    return "" if np.ptp(p) > 0 else "the predictions do not vary"


def _distances(p: Floats, curve: Floats) -> Floats:
    away = np.abs(curve - p)
    return np.array([away.mean(), *np.percentile(away, [50, 90])])


def _distance(value: float, ends: Floats, n: int, few: bool) -> Estimate:
    if few:
        return Estimate.bare(float(value), f"from fewer than {LEAST_GROUPS} patients: no interval", n)
    return Estimate(float(value), float(min(ends[0], value)), float(max(ends[1], value)), n)


def _binned(y: Flags, p: Floats, bins: int, how: Binning, level: float) -> tuple[Bin, ...]:
    places = binned(p, bins, how)
    held = [places == place for place in np.unique(places)]
    return tuple(Bin(float(p[rows].mean()), share(int(y[rows].sum()), int(rows.sum()), level)) for rows in held)
