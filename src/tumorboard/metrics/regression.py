"""How near predicted numbers are: absolute and squared errors, explained variance, correlations.

Why it exists: a correlation forgives a scale and a shift, an error does not; both are wanted, and neither without an
interval.

Source: Fisher RA. Metron 1921;1:3-32 (interval of Pearson's r); Bonett DG, Wright TA. Psychometrika 2000;65:23-28
(of Spearman's); others, and all where rows share a patient, by drawing patients.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from tumorboard.metrics.checked import Floats, checked_floats
from tumorboard.metrics.classify.classes import ratio
from tumorboard.metrics.estimate import LEVEL, Estimate, normal_quantile
from tumorboard.metrics.resampling import Groups, bootstrap, shared, weighted_bootstrap

_ROUNDING = 1e-12


def _both(truth: ArrayLike, predicted: ArrayLike) -> tuple[Floats, Floats]:
    y = checked_floats(truth, "truth")
    return y, checked_floats(predicted, "predictions", len(y))


def _mean(weights: Floats, values: Floats) -> Floats:
    return np.asarray(weights @ values / weights.sum(axis=1))


def mae(truth: ArrayLike, predicted: ArrayLike, groups: Groups | None = None, level: float = LEVEL) -> Estimate:
    """Return the mean absolute error, in the unit of the values.

    Parameters
    ----------
    truth, predicted : array_like of float, shape (n,)
        In one unit.
    groups : sequence, optional
        To which patient each row belongs; patients are drawn.
    level : float
        Of the interval.

    Raises
    ------
    InputError
        Lengths differ, or a value is not finite.

    Examples
    --------
    >>> mae([1, 2, 3], [1, 3, 5]).value
    1.0
    """
    y, x = _both(truth, predicted)
    return weighted_bootstrap(lambda w: _mean(w, np.abs(y - x)), len(y), groups, level)


def rmse(truth: ArrayLike, predicted: ArrayLike, groups: Groups | None = None, level: float = LEVEL) -> Estimate:
    """Return the root of the mean squared error, in the unit of the values.

    Parameters
    ----------
    truth, predicted, groups, level
        As :func:`mae`.

    Examples
    --------
    >>> round(rmse([1, 2, 3], [1, 3, 5]).value, 3)
    1.291
    """
    y, x = _both(truth, predicted)
    return weighted_bootstrap(lambda w: np.sqrt(_mean(w, (y - x) ** 2)), len(y), groups, level)


def r2(truth: ArrayLike, predicted: ArrayLike, groups: Groups | None = None, level: float = LEVEL) -> Estimate:
    """Return the share of variance that predictions explain: 1 - squared errors over those of the mean.

    Parameters
    ----------
    truth, predicted, groups, level
        As :func:`mae`.

    Returns
    -------
    Estimate
        0 is no better than the mean; it may be below. Missing where the truth does not vary.

    Examples
    --------
    >>> r2([1, 2, 3], [1, 2, 2]).value
    0.5
    """
    y, x = _both(truth, predicted)
    if len(y) < 2 or np.ptp(y) == 0:
        return Estimate.missing("the truth does not vary", len(y))
    centred, lost = y - y.mean(), (y - x) ** 2

    def explained(weights: Floats) -> Floats:
        spread = _mean(weights, centred**2) - _mean(weights, centred) ** 2
        return 1 - ratio(_mean(weights, lost), np.where(spread > _ROUNDING * np.ptp(y) ** 2, spread, 0.0))

    return weighted_bootstrap(explained, len(y), groups, level)


def pearson(truth: ArrayLike, predicted: ArrayLike, groups: Groups | None = None, level: float = LEVEL) -> Estimate:
    """Return Pearson's correlation.

    Parameters
    ----------
    truth, predicted, groups, level
        As :func:`mae`; without groups the interval is Fisher's.

    Returns
    -------
    Estimate
        0 is chance. Missing for fewer than four rows, or where one of the two does not vary.

    Examples
    --------
    >>> found = pearson([1, 2, 3, 4, 5], [1, 3, 2, 5, 4])
    >>> round(found.value, 3), round(found.low, 3), round(found.high, 3)
    (0.8, -0.28, 0.986)
    """
    return _correlation(_pearson, lambda r: 1.0, truth, predicted, groups, level)


def spearman(truth: ArrayLike, predicted: ArrayLike, groups: Groups | None = None, level: float = LEVEL) -> Estimate:
    """Return Spearman's rank correlation.

    Parameters
    ----------
    truth, predicted, groups, level
        As :func:`mae`; without groups the interval is that of Bonett and Wright.

    Returns
    -------
    Estimate
        0 is chance. Missing for fewer than four rows, or where one of the two does not vary.

    Examples
    --------
    >>> round(spearman([1, 2, 3, 4, 5], [1, 9, 4, 100, 25]).value, 3)
    0.8
    """
    return _correlation(_spearman, lambda r: 1 + r**2 / 2, truth, predicted, groups, level)


def _correlation(
    one: Callable[[Floats, Floats], float],
    inflation: Callable[[float], float],
    truth: ArrayLike,
    predicted: ArrayLike,
    groups: Groups | None,
    level: float,
) -> Estimate:
    y, x = _both(truth, predicted)
    n = len(y)
    if n < 4:
        return Estimate.missing("fewer than four rows", n)
    if np.ptp(x) == 0 or np.ptp(y) == 0:
        return Estimate.missing("one of the two does not vary", n)
    if shared(groups, n) is not None:
        return bootstrap(lambda rows: one(y[rows], x[rows]), n, groups, level)
    value = one(y, x)
    if 1 - abs(value) < _ROUNDING:
        return Estimate.bare(math.copysign(1.0, value), "all rows lie on the line: no interval", n)
    z, reach = math.atanh(value), normal_quantile(level) * math.sqrt(inflation(value) / (n - 3))
    return Estimate(value, math.tanh(z - reach), math.tanh(z + reach), n)


def _pearson(y: Floats, x: Floats) -> float:
    a, b = y - y.mean(), x - x.mean()
    below = math.sqrt(float(a @ a)) * math.sqrt(float(b @ b))
    return float(a @ b) / below if below > 0 else math.nan


def _spearman(y: Floats, x: Floats) -> float:
    from scipy.stats import rankdata

    return _pearson(rankdata(y), rankdata(x))
