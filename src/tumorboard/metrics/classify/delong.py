"""Variance of areas under ROC curves and tests of their difference, on the same patients or on others.

Why it exists: two models tried on the same patients err on the same patients; a comparison that ignores it is blind,
and one that ignores that lesions share a patient sees differences that are not there.

Source: DeLong ER, DeLong DM, Clarke-Pearson DL. Biometrics 1988;44:837-845 (placements); Obuchowski NA. Biometrics
1997;53:567-578 (several rows of one patient; equal to DeLong's where each has one).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tumorboard.errors import InputError
from tumorboard.metrics.checked import ONE_CLASS, Flags, Floats, checked_floats, checked_truth
from tumorboard.metrics.estimate import LEVEL, Estimate, normal_quantile
from tumorboard.metrics.resampling import Groups, group_codes

ONE_OF_A_CLASS = "a class of one patient: no interval"
"""Why an area has no interval."""
_ROUNDING = 1e-12


@dataclass(frozen=True, slots=True)
class Comparison:
    """A difference of two metrics and the test that it is none.

    Parameters
    ----------
    difference : Estimate
        First minus second.
    statistic : float
        z of the test; NaN where there is none.
    p : float
        Two-sided; NaN where there is none.
    """

    difference: Estimate
    statistic: float
    p: float


def auc_covariance(truth: ArrayLike, scores: ArrayLike, groups: Groups | None = None) -> tuple[Floats, Floats]:
    """Return areas under the ROC curves of several scores of the same patients, and their covariance.

    Parameters
    ----------
    truth : array_like of bool, shape (n,)
        Whether each had the event; both must occur.
    scores : array_like of float, shape (n, k)
        Higher is more likely; equal ones count one half.
    groups : sequence, optional
        To which patient each row belongs.

    Returns
    -------
    areas : ndarray of float64, shape (k,)
    covariance : ndarray of float64, shape (k, k)
        NaN where a class has one patient.

    Raises
    ------
    InputError
        One class only, lengths differ, or a score is not finite.

    Examples
    --------
    >>> areas, covariance = auc_covariance([0, 0, 1, 1], [[1, 2], [3, 1], [2, 4], [4, 3]])
    >>> areas.tolist(), covariance.shape
    ([0.75, 1.0], (2, 2))
    """
    y = checked_truth(truth)
    x = np.column_stack([checked_floats(c, "scores", len(y)) for c in np.atleast_2d(np.asarray(scores, float).T)])
    if y.all() or not y.any():
        raise InputError("patients of both classes", got="of one", where="area under the ROC curve")
    above, below = _placements(y, x)
    areas = np.asarray(above.mean(axis=0))
    whose = group_codes(groups, len(y))
    inside, outside = _by_group(above - areas, whose[y], len(y)), _by_group(below - areas, whose[~y], len(y))
    m, n = int(y.sum()), int((~y).sum())
    with_event, without, either = (len(np.unique(w)) for w in (whose[y], whose[~y], whose))
    if min(with_event, without) < 2:
        return areas, np.full((x.shape[1],) * 2, np.nan)
    mixed = inside.T @ outside / (m * n)
    covariance = with_event / (with_event - 1) * inside.T @ inside / m**2
    covariance += without / (without - 1) * outside.T @ outside / n**2 + either / (either - 1) * (mixed + mixed.T)
    return areas, np.asarray(covariance)


def _placements(y: Flags, x: Floats) -> tuple[Floats, Floats]:
    """Share of the other class below each patient with the event, and above each one without."""
    from scipy.stats import rankdata

    all_, with_event, without = (rankdata(part, axis=0) for part in (x, x[y], x[~y]))
    above = (all_[y] - with_event) / (~y).sum()
    below = 1 - (all_[~y] - without) / y.sum()
    return np.asarray(above), np.asarray(below)


def _by_group(values: Floats, whose: NDArray[np.intp], size: int) -> Floats:
    out = np.zeros((size, values.shape[1]))
    np.add.at(out, whose, values)
    return out


def compare_aucs(
    truth: ArrayLike, first: ArrayLike, second: ArrayLike, groups: Groups | None = None, level: float = LEVEL
) -> Comparison:
    """Compare the areas of two scores of the same patients (paired DeLong test).

    Parameters
    ----------
    truth : array_like of bool, shape (n,)
        Whether each had the event.
    first, second : array_like of float, shape (n,)
        Scores; higher is more likely.
    groups : sequence, optional
        To which patient each row belongs.
    level : float
        Of the interval of the difference.

    Returns
    -------
    Comparison
        Without a test where there is one class only, or where both put the patients into one order.

    Raises
    ------
    InputError
        Lengths differ, or a score is not finite.

    Examples
    --------
    >>> found = compare_aucs([0, 0, 0, 1, 1, 1], [1, 2, 5, 3, 4, 6], [2, 3, 6, 1, 5, 4])
    >>> round(found.difference.value, 3), round(found.p, 3)
    (0.333, 0.083)
    """
    y = checked_truth(truth)
    if y.all() or not y.any():
        return Comparison(Estimate.missing(ONE_CLASS, len(y)), math.nan, math.nan)
    areas, covariance = auc_covariance(y, _beside(first, second, len(y)), groups)
    variance = float(covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1])
    return difference_test(float(areas[0] - areas[1]), variance, len(y), level)


def _beside(first: ArrayLike, second: ArrayLike, n: int) -> Floats:
    return np.column_stack([checked_floats(one, "scores", n) for one in (first, second)])


def compare_independent_aucs(
    one: tuple[ArrayLike, ArrayLike], other: tuple[ArrayLike, ArrayLike], level: float = LEVEL
) -> Comparison:
    """Compare the areas of scores of different patients (unpaired DeLong test, normal approximation).

    Parameters
    ----------
    one, other : (truth, scores)
        Each as in :func:`compare_aucs`.
    level : float
        Of the interval of the difference.

    Returns
    -------
    Comparison
        Without a test where one of the two has one class only.

    Raises
    ------
    InputError
        Lengths differ, or a score is not finite.

    Examples
    --------
    >>> found = compare_independent_aucs(([0, 0, 1, 1], [1, 3, 2, 4]), ([0, 0, 1, 1], [3, 1, 2, 4]))
    >>> found.difference.value, found.p
    (0.0, 1.0)
    """
    areas, variance, n = [], 0.0, 0
    for truth, scores in (one, other):
        y = checked_truth(truth)
        n += len(y)
        if y.all() or not y.any():
            return Comparison(Estimate.missing(ONE_CLASS, n), math.nan, math.nan)
        area, covariance = auc_covariance(y, checked_floats(scores, "scores", len(y))[:, None])
        areas.append(float(area[0]))
        variance += float(covariance[0, 0])
    return difference_test(areas[0] - areas[1], variance, n, level)


def difference_test(difference: float, variance: float, n: int, level: float = LEVEL) -> Comparison:
    """Return a difference with its interval and z test.

    Parameters
    ----------
    difference, variance : float
        Of two metrics.
    n : int
        Of rows.
    level : float
        Of the interval.

    Examples
    --------
    >>> round(difference_test(0.1, 0.0025, 80).p, 3)
    0.046
    """
    if math.isnan(variance):
        return Comparison(Estimate.bare(difference, ONE_OF_A_CLASS, n), math.nan, math.nan)
    if variance <= _ROUNDING:
        reason = "both put the patients into one order, or the difference does not vary: no test"
        return Comparison(Estimate.bare(difference, reason, n), math.nan, math.nan)
    error = math.sqrt(variance)
    reach, z = normal_quantile(level) * error, difference / error
    estimate = Estimate(difference, max(difference - reach, -1.0), min(difference + reach, 1.0), n)
    return Comparison(estimate, z, 2 * NormalDist().cdf(-abs(z)))
