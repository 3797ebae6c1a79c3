"""Areas under ROC curves of more than two classes: one against the rest, and Hand and Till's pair by pair.

Why it exists: there is no one area of several classes. Against the rest, a class is compared with a mixture that
depends on how frequent the others are; pair by pair, it is not.

Source: Provost F, Domingos P. CeDER working paper IS-00-04, 2000 (one against the rest, by prevalence); Hand DJ, Till
RJ. Mach Learn 2001;45:171-186. The interval is that of drawing patients.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import permutations
from typing import Self

import numpy as np
from numpy.typing import ArrayLike

from tumorboard.metrics.checked import ONE_CLASS, Codes, Floats, checked_classes
from tumorboard.metrics.classify.classes import ratio
from tumorboard.metrics.estimate import LEVEL, Estimate
from tumorboard.metrics.resampling import Groups, weighted_bootstrap

WeightedAreas = Callable[[Floats], Floats]


@dataclass(frozen=True, eq=False)
class Ranking:
    """Scores in rising order, for areas of many draws at once.

    Parameters
    ----------
    order : ndarray of int, shape (n,)
    first, last : ndarray of int, shape (n,)
        Of each place in that order, where the scores equal to it begin and end.
    """

    order: Codes
    first: Codes
    last: Codes

    @classmethod
    def of(cls, s: Floats) -> Self:
        """Rank scores, shape (n,)."""
        order = np.argsort(s, kind="stable")
        ranked = s[order]
        first, last = (np.searchsorted(ranked, ranked, side) for side in ("left", "right"))
        return cls(order.astype(np.intp), first.astype(np.intp), last.astype(np.intp))

    def areas(self, cases: Floats, controls: Floats) -> Floats:
        """Return areas under ROC curves (draws,) of weights (draws, n) of cases and of controls; NaN without one."""
        high, low = cases[:, self.order], controls[:, self.order]
        below = np.concatenate([np.zeros((len(low), 1)), np.cumsum(low, axis=1)], axis=1)
        right = (high * (below[:, self.first] + below[:, self.last])).sum(axis=1) / 2
        return ratio(right, high.sum(axis=1) * low.sum(axis=1))


def macro_auc(
    truth: ArrayLike, probabilities: ArrayLike, groups: Groups | None = None, level: float = LEVEL
) -> Estimate:
    """Return the mean over classes of the area of each against the rest.

    Parameters
    ----------
    truth : array_like of int, shape (n,)
        Classes from 0.
    probabilities : array_like of float, shape (n, k)
        Of each class.
    groups : sequence, optional
        To which patient each row belongs; patients are drawn.
    level : float
        Of the interval.

    Returns
    -------
    Estimate
        0.5 is chance. Missing where a class has no patient.

    Raises
    ------
    InputError
        As :func:`~.checked.checked_classes`.

    Examples
    --------
    >>> macro_auc([0, 1, 2], [[0.5, 0.3, 0.2], [0.2, 0.5, 0.3], [0.6, 0.1, 0.3]]).value
    0.75
    """
    return _over_patients(_macro, truth, probabilities, groups, level)


def weighted_auc(
    truth: ArrayLike, probabilities: ArrayLike, groups: Groups | None = None, level: float = LEVEL
) -> Estimate:
    """Return the areas of each class against the rest, weighted by how frequent the class is.

    Parameters
    ----------
    truth, probabilities, groups, level
        As :func:`macro_auc`.

    Returns
    -------
    Estimate
        0.5 is chance. Missing where a class has no patient.

    Examples
    --------
    >>> weighted_auc([0, 1, 2], [[0.5, 0.3, 0.2], [0.2, 0.5, 0.3], [0.6, 0.1, 0.3]]).value
    0.75
    """
    return _over_patients(_weighted, truth, probabilities, groups, level)


def hand_till(
    truth: ArrayLike, probabilities: ArrayLike, groups: Groups | None = None, level: float = LEVEL
) -> Estimate:
    """Return Hand and Till's M: the mean over pairs of classes of how well their own columns tell them apart.

    Parameters
    ----------
    truth, probabilities, groups, level
        As :func:`macro_auc`.

    Returns
    -------
    Estimate
        0.5 is chance, whatever the prevalences. Missing where a class has no patient.

    Examples
    --------
    >>> round(hand_till([0, 1, 2], [[0.5, 0.3, 0.2], [0.2, 0.5, 0.3], [0.6, 0.1, 0.3]]).value, 3)
    0.75
    """
    return _over_patients(_pairs, truth, probabilities, groups, level)


def _against_rest(y: Codes, p: Floats) -> WeightedAreas:
    rankings = [Ranking.of(column) for column in p.T]

    def areas(weights: Floats) -> Floats:
        each = [one.areas(weights * (y == c), weights * (y != c)) for c, one in enumerate(rankings)]
        return np.array(each).T

    return areas


def _macro(y: Codes, p: Floats) -> WeightedAreas:
    areas = _against_rest(y, p)
    return lambda weights: np.asarray(areas(weights).mean(axis=1))


def _weighted(y: Codes, p: Floats) -> WeightedAreas:
    areas, member = _against_rest(y, p), np.eye(p.shape[1])[y]
    return lambda weights: np.asarray((areas(weights) * (weights @ member)).sum(axis=1) / weights.sum(axis=1))


def _pairs(y: Codes, p: Floats) -> WeightedAreas:
    rankings = [Ranking.of(column) for column in p.T]

    def mean(weights: Floats) -> Floats:
        parts = [weights * (y == c) for c in range(p.shape[1])]
        each = [rankings[a].areas(parts[a], parts[b]) for a, b in permutations(range(p.shape[1]), 2)]
        return np.asarray(np.mean(each, axis=0))

    return mean


def _over_patients(
    statistic: Callable[[Codes, Floats], WeightedAreas],
    truth: ArrayLike,
    probabilities: ArrayLike,
    groups: Groups | None,
    level: float,
) -> Estimate:
    y, p = checked_classes(truth, probabilities)
    present = len(np.unique(y))
    if present < p.shape[1]:
        return Estimate.missing(ONE_CLASS if present < 2 else "a class without a patient", len(y))
    return weighted_bootstrap(statistic(y, p), len(y), groups, level)
