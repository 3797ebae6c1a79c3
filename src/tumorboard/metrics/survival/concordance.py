"""Whether a score puts patients into the order in which they died: Harrell's C and Uno's.

Why it exists: how well a number tells survival is the share of pairs of patients that it puts right. Which pairs count
is all that there is to it, and is said here: a pair counts when it is known who of the two died first (a death on the
day on which the other was last seen comes first; two deaths on one day do not count) and, where scores are times that
may not have been reached, when their order is known as well.

Source: Harrell FE et al. JAMA 1982;247:2543-2546; Uno H et al. Stat Med 2011;30:1105-1117. Intervals are those of the
infinitesimal jackknife (Efron B. The jackknife, the bootstrap and other resampling plans, 1982) on the logit scale,
with Uno's weights taken as known.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tumorboard.errors import InputError
from tumorboard.metrics.estimate import LEVEL, Estimate, normal_quantile
from tumorboard.metrics.survival.kaplan_meier import checked_flags, checked_times

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

_ROUNDING = 1e-12


def harrell_c(
    days: ArrayLike,
    events: ArrayLike,
    scores: ArrayLike,
    reached: ArrayLike | None = None,
    level: float = LEVEL,
) -> Estimate:
    """Return Harrell's C: how often, of two patients, the one with the higher score lived longer.

    Parameters
    ----------
    days : array_like of float, shape (n,)
        To death or to the end of follow-up.
    events : array_like of bool, shape (n,)
        Whether it was death.
    scores : array_like of float, shape (n,)
        Higher is longer; equal scores count one half.
    reached : array_like of bool, shape (n,), optional
        False where the score is a time that was not reached by then (censored): the true one is longer. A pair whose
        order of scores is unknown for it does not count. By default all scores are known.
    level : float
        Of the interval.

    Returns
    -------
    Estimate
        0.5 is chance. Missing where no pair can be compared.

    Raises
    ------
    InputError
        Lengths differ, or a value is not finite.

    Examples
    --------
    >>> harrell_c([100, 200, 300, 400], [True, True, True, False], [90, 50, 200, 300]).value
    0.8333333333333334
    """
    t, d = checked_times(days, events)
    return _concordance(t, d, _scores(scores, t), checked_flags(reached, t), np.ones(len(t)), level)


def uno_c(days: ArrayLike, events: ArrayLike, scores: ArrayLike, tau: float, level: float = LEVEL) -> Estimate:
    """Return Uno's C: concordance over deaths before ``tau``, each weighted by the inverse chance of having been seen.

    Unlike Harrell's it does not depend on when patients left the study, if leaving has nothing to do with dying.

    Parameters
    ----------
    days, events, scores, level
        As :func:`harrell_c`.
    tau : float
        Deaths on or after this day do not count.

    Returns
    -------
    Estimate
        Missing where no pair can be compared.

    Raises
    ------
    InputError
        As :func:`harrell_c`; tau is not above 0.

    Examples
    --------
    >>> uno_c([100, 200, 300, 400], [True, False, True, True], [90, 50, 40, 300], tau=401).value
    0.619047619047619
    """
    if not tau > 0:
        raise InputError("a day above 0", got=f"{tau:g}", where="tau of Uno's C")
    t, d = checked_times(days, events)
    seen = _still_followed(t, d)
    weights = np.where(d & (t < tau), 1 / seen**2, 0.0)
    return _concordance(t, d, _scores(scores, t), checked_flags(None, t), weights, level)


def _still_followed(t: Floats, d: Flags) -> Floats:
    """Return each patient's chance not to have been censored before its day; a death comes before a censoring."""
    when, gone = np.unique(t[~d], return_counts=True)
    died = np.searchsorted(np.sort(t[d]), when, side="right")
    risk = len(t) - died - np.concatenate([[0], np.cumsum(gone)[:-1]]) if len(when) else np.empty(0)
    followed = np.concatenate([[1.0], np.cumprod(1 - gone / risk)])
    return np.asarray(followed[np.searchsorted(when, t, side="left")])


def _concordance(t: Floats, d: Flags, x: Floats, reached: Flags, weights: Floats, level: float) -> Estimate:
    """Weighted share of comparable pairs with scores in the order of survival; row i died first."""
    first = d[:, None] & ((t[:, None] < t) | ((t[:, None] == t) & ~d))
    less = reached[:, None] & ((x[:, None] < x) | ((x[:, None] == x) & ~reached))
    tied = reached[:, None] & reached & (x[:, None] == x)
    known = (first & (less | less.T | tied)) * weights[:, None]
    right = known * (less + 0.5 * tied)
    total, n = float(known.sum()), len(t)
    if not total:
        return Estimate.missing("no two patients can be compared", n)
    value = float(right.sum()) / total
    if not _ROUNDING < value < 1 - _ROUNDING:
        return Estimate.bare(float(round(value)), "all pairs go one way: no interval", n)
    each = right.sum(axis=0) + right.sum(axis=1) - value * (known.sum(axis=0) + known.sum(axis=1))
    error = math.sqrt(float((each**2).sum())) / total
    logit, reach = math.log(value / (1 - value)), normal_quantile(level) * error / (value * (1 - value))
    low, high = (1 / (1 + math.exp(-min(max(at, -700.0), 700.0))) for at in (logit - reach, logit + reach))
    return Estimate(value, low, high, n)


def _scores(scores: ArrayLike, t: Floats) -> Floats:
    x = np.asarray(scores, dtype=np.float64)
    if x.shape != t.shape or not np.isfinite(x).all():
        raise InputError(f"{len(t)} finite scores, one a patient", got="something else", where="concordance")
    return x
