"""Whether a predicted 30 % happens in 30 of 100: intercept, slope, observed over expected, Brier's parts, binned error.

Why it exists: a model may order patients well and yet be wrong by a factor of two for each of them. The mean (O/E,
intercept) and the spread (slope: below 1 predictions are too extreme) are asked for one by one.

Source: Cox DR. Biometrika 1958;45:562-565 (logistic recalibration); Van Calster B et al. BMC Med 2019;17:230 (which to
report); Spiegelhalter DJ. Stat Med 1986;5:421-433 (parts of the Brier score and the test); Naeini MP et al. AAAI
2015:2901-2907 (binned error); standard error of ln(O/E): Riley RD et al. Stat Med 2021;40:4230-4251.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from tumorboard.errors import InputError
from tumorboard.metrics.calibrate.logistic import fit_logistic, logit
from tumorboard.metrics.checked import ONE_CLASS, Codes, Flags, Floats, checked_probabilities
from tumorboard.metrics.classify.classes import ratio
from tumorboard.metrics.estimate import LEVEL, Estimate, normal_quantile
from tumorboard.metrics.resampling import Groups, Rows, bootstrap, shared, weighted_bootstrap

Binning = Literal["width", "quantile"]
NO_FIT = "the predictions part the classes, or do not vary: no fit"
"""Why there is no recalibration."""


def calibration_intercept(
    truth: ArrayLike, probabilities: ArrayLike, groups: Groups | None = None, level: float = LEVEL
) -> Estimate:
    """Return the calibration intercept (calibration in the large): what to add to each logit so that the mean is right.

    Parameters
    ----------
    truth : array_like of bool, shape (n,)
        Whether each had the event.
    probabilities : array_like of float, shape (n,)
        Of the event; 0 and 1 are moved by 1e-8.
    groups : sequence, optional
        To which patient each row belongs; patients are then drawn, else the interval is Wald's.
    level : float
        Of the interval.

    Returns
    -------
    Estimate
        0 is right; below 0 predictions are too high. Missing for one class.

    Raises
    ------
    InputError
        As :func:`~.checked.checked_probabilities`.

    Examples
    --------
    >>> round(calibration_intercept([0, 0, 0, 1], [0.5, 0.5, 0.5, 0.5]).value, 3)
    -1.099
    """
    y, p = checked_probabilities(truth, probabilities)
    return _fitted(y, np.ones((len(y), 1)), logit(p), groups, level)


def calibration_slope(
    truth: ArrayLike, probabilities: ArrayLike, groups: Groups | None = None, level: float = LEVEL
) -> Estimate:
    """Return the calibration slope: the coefficient of the logit of the predictions.

    Parameters
    ----------
    truth, probabilities, groups, level
        As :func:`calibration_intercept`.

    Returns
    -------
    Estimate
        1 is right; below 1 predictions are too extreme (overfitting); 0 is chance. Missing for one class, or where
        the predictions do not vary or part the classes.

    Raises
    ------
    InputError
        As :func:`~.checked.checked_probabilities`.

    Examples
    --------
    >>> truth = [0, 0, 0, 1] * 5 + [0, 1, 1, 1] * 5
    >>> round(calibration_slope(truth, [0.25] * 20 + [0.75] * 20).value, 3)
    1.0
    """
    y, p = checked_probabilities(truth, probabilities)
    return _fitted(y, np.column_stack([logit(p), np.ones(len(y))]), None, groups, level)


def _fitted(y: Flags, columns: Floats, offset: Floats | None, groups: Groups | None, level: float) -> Estimate:
    """Estimate the first coefficient."""
    n = len(y)
    if y.all() or not y.any():
        return Estimate.missing(ONE_CLASS, n)
    fit = fit_logistic(columns, y, offset)
    if fit is None:
        return Estimate.missing(NO_FIT, n)
    value = float(fit.coefficients[0])
    if shared(groups, n) is None:
        reach = normal_quantile(level) * math.sqrt(float(fit.covariance[0, 0]))
        return Estimate(value, value - reach, value + reach, n)

    def one(rows: Rows) -> float:
        if y[rows].all() or not y[rows].any():
            return math.nan
        drawn = fit_logistic(columns[rows], y[rows], None if offset is None else offset[rows])
        return math.nan if drawn is None else float(drawn.coefficients[0])

    return bootstrap(one, n, groups, level)


def observed_over_expected(
    truth: ArrayLike, probabilities: ArrayLike, groups: Groups | None = None, level: float = LEVEL
) -> Estimate:
    """Return how many events there were over how many were predicted (O/E).

    Parameters
    ----------
    truth, probabilities, groups, level
        As :func:`calibration_intercept`; the interval is normal for ln(O/E).

    Returns
    -------
    Estimate
        1 is right; below 1 predictions are too high. Missing for one class, or where nothing is expected.

    Raises
    ------
    InputError
        As :func:`~.checked.checked_probabilities`.

    Examples
    --------
    >>> found = observed_over_expected([0, 0, 0, 1] * 10, [0.5] * 40)
    >>> found.value, round(found.low, 3), round(found.high, 3)
    (0.5, 0.292, 0.855)
    """
    y, p = checked_probabilities(truth, probabilities)
    n = len(y)
    if y.all() or not y.any():
        return Estimate.missing(ONE_CLASS, n)
    if not p.sum():
        return Estimate.missing("no event is expected", n)
    if shared(groups, n) is not None:
        return weighted_bootstrap(lambda w: ratio(w @ y, w @ p), n, groups, level)
    share, value = float(y.mean()), float(y.sum() / p.sum())
    factor = math.exp(normal_quantile(level) * math.sqrt((1 - share) / (n * share)))
    return Estimate(value, value / factor, value * factor, n)


def expected_over_observed(
    truth: ArrayLike, probabilities: ArrayLike, groups: Groups | None = None, level: float = LEVEL
) -> Estimate:
    """Return how many events were predicted over how many there were (E/O): one over :func:`observed_over_expected`.

    Parameters
    ----------
    truth, probabilities, groups, level
        As :func:`observed_over_expected`.

    Returns
    -------
    Estimate
        1 is right; above 1 predictions are too high.

    Examples
    --------
    >>> expected_over_observed([0, 0, 0, 1], [0.5] * 4).value
    2.0
    """
    found = observed_over_expected(truth, probabilities, groups, level)
    if not found.known:
        return found
    high = 1 / found.low if found.low else math.inf
    return Estimate(1 / found.value, 1 / found.high, high, found.n, found.reason)


@dataclass(frozen=True, slots=True)
class BrierParts:
    """The Brier score in Spiegelhalter's parts.

    Parameters
    ----------
    brier : float
        Sum of the two parts.
    calibration : float
        Mean of (y - p)(1 - 2p): what is expected to be 0 where predictions are right.
    spread : float
        Mean of p(1 - p): the score that right predictions of this spread would have.
    z, p : float
        Spiegelhalter's test that predictions are right, two-sided; NaN where all of them are 0, 0.5 or 1.
    """

    brier: float
    calibration: float
    spread: float
    z: float
    p: float


def brier_parts(truth: ArrayLike, probabilities: ArrayLike) -> BrierParts:
    """Part the Brier score and test calibration; rows must be of different patients.

    Parameters
    ----------
    truth, probabilities
        As :func:`calibration_intercept`.

    Returns
    -------
    BrierParts

    Raises
    ------
    InputError
        As :func:`~.checked.checked_probabilities`; no patient.

    Examples
    --------
    >>> parts = brier_parts([0, 0, 0, 1], [0.2, 0.1, 0.3, 0.6])
    >>> round(parts.brier, 3), round(parts.calibration + parts.spread, 3), round(parts.z, 2)
    (0.075, 0.075, -1.01)
    """
    y, p = checked_probabilities(truth, probabilities)
    if not len(y):
        raise InputError("at least one patient", got="none", where="calibration")
    away = (y - p) * (1 - 2 * p)
    variance = float(((1 - 2 * p) ** 2 * p * (1 - p)).sum())
    z = float(away.sum()) / math.sqrt(variance) if variance > 0 else math.nan
    chance = 2 * NormalDist().cdf(-abs(z)) if variance > 0 else math.nan
    return BrierParts(float(((y - p) ** 2).mean()), float(away.mean()), float((p * (1 - p)).mean()), z, chance)


def calibration_error(
    truth: ArrayLike,
    probabilities: ArrayLike,
    groups: Groups | None = None,
    level: float = LEVEL,
    bins: int = 10,
    how: Binning = "width",
) -> Estimate:
    """Return the expected calibration error: the mean over bins of how far predictions are from what happened.

    Parameters
    ----------
    truth, probabilities, groups, level
        As :func:`calibration_intercept`; the interval is the bootstrap's.
    bins : int
        How many.
    how : {'width', 'quantile'}
        Bins of equal width from 0 to 1, or of equal numbers of patients.

    Returns
    -------
    Estimate
        0 is right. It is biased upwards in small samples, and depends on the bins; the curve tells more.

    Raises
    ------
    InputError
        As :func:`~.checked.checked_probabilities`; no bins.

    Examples
    --------
    >>> round(calibration_error([0, 0, 0, 1], [0.2, 0.1, 0.3, 0.6]).value, 3)
    0.25
    """
    y, p = checked_probabilities(truth, probabilities)
    if not len(y):
        return Estimate.missing("no patient", 0)
    away = np.eye(bins)[binned(p, bins, how)] * (y - p)[:, None]

    def one(weights: Floats) -> Floats:
        return np.asarray(np.abs(weights @ away).sum(axis=1) / weights.sum(axis=1))

    return weighted_bootstrap(one, len(y), groups, level)


def binned(p: Floats, bins: int, how: Binning) -> Codes:
    """Return the bin of each prediction, from 0.

    Raises
    ------
    InputError
        No bins, or another way to make them.

    Examples
    --------
    >>> binned(np.array([0.0, 0.05, 0.95, 1.0]), 10, "width").tolist()
    [0, 0, 9, 9]
    """
    if bins < 1 or how not in ("width", "quantile"):
        raise InputError("1 bin or more, by width or quantile", got=f"{bins}", where="bins")
    edges = np.arange(1, bins) / bins if how == "width" else np.quantile(p, np.arange(1, bins) / bins)
    return np.asarray(np.searchsorted(edges, p, side="right"), dtype=np.intp)
