"""Precision and recall: of those called positive how many are, over all thresholds; and their average.

Why it exists: where an event is rare a ROC curve may shine while most alarms are false.

Source: Davis J, Goadrich M. ICML 2006:233-240; average precision as the sum over recall gained, without interpolation
(Manning CD et al. Introduction to information retrieval, 2008, chapter 8), as scikit-learn computes it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from tumorboard.metrics.checked import ONE_CLASS, Codes, Flags, Floats, checked_pair
from tumorboard.metrics.classify.roc import Curve, counts_above
from tumorboard.metrics.estimate import LEVEL, Estimate
from tumorboard.metrics.resampling import Groups, weighted_bootstrap


def average_precision(
    truth: ArrayLike, scores: ArrayLike, groups: Groups | None = None, level: float = LEVEL
) -> Estimate:
    """Return the average precision with its bootstrap interval.

    Parameters
    ----------
    truth : array_like of bool, shape (n,)
        Whether each had the event.
    scores : array_like of float, shape (n,)
        Higher is more likely.
    groups : sequence, optional
        To which patient each row belongs; patients are drawn.
    level : float
        Of the interval.

    Returns
    -------
    Estimate
        The prevalence is chance (a little above it in small samples). Missing for one class.

    Raises
    ------
    InputError
        Lengths differ, an outcome other than 0 and 1, or a score that is not finite.

    Examples
    --------
    >>> round(average_precision([0, 0, 1, 1, 0, 1], [0.1, 0.4, 0.35, 0.8, 0.2, 0.7]).value, 3)
    0.917
    """
    y, s = checked_pair(truth, scores)
    if y.all() or not y.any():
        return Estimate.missing(ONE_CLASS, len(y))
    order = np.argsort(-s, kind="stable")
    last = np.append(np.flatnonzero(np.diff(s[order])), len(s) - 1)
    return weighted_bootstrap(lambda w: _averages(w[:, order], y[order], last), len(y), groups, level)


def _averages(weights: Floats, y: Flags, last: Codes) -> Floats:
    """Return the average precision of each draw; columns stand in falling order of scores."""
    called = np.cumsum(weights, axis=1)[:, last]
    hits = np.cumsum(weights * y, axis=1)[:, last]
    gained = np.diff(hits, prepend=0.0, axis=1)
    total = (gained * hits / np.maximum(called, 1.0)).sum(axis=1)  # nobody called gains nothing
    there = (hits[:, -1] > 0) & (hits[:, -1] < called[:, -1])
    return np.where(there, total / np.maximum(hits[:, -1], 1.0), np.nan)


def precision_recall_curve(
    truth: ArrayLike, scores: ArrayLike, groups: Groups | None = None, level: float = LEVEL
) -> Curve:
    """Return precision against recall: one point a distinct score.

    Parameters
    ----------
    truth, scores, groups, level
        As :func:`average_precision`.

    Returns
    -------
    Curve
        Empty where there is one class only; its area says so.

    Raises
    ------
    InputError
        As :func:`average_precision`.

    Examples
    --------
    >>> curve = precision_recall_curve([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
    >>> curve.x.tolist(), [round(y, 2) for y in curve.y.tolist()]
    ([0.5, 0.5, 1.0, 1.0], [1.0, 0.5, 0.67, 0.5])
    """
    y, s = checked_pair(truth, scores)
    area = average_precision(y, s, groups, level)
    if not area.known:
        return Curve("precision-recall", *(np.empty(0),) * 3, area)
    thresholds, hits, called = counts_above(y, s)
    return Curve("precision-recall", thresholds, hits / hits[-1], hits / called, area)
