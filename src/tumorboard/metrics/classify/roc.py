"""How well a score tells patients with an event from those without: the ROC curve and its area.

Why it exists: the area is the share of pairs, one patient with the event and one without, that the score puts right; it
says nothing of whether the numbers are probabilities (see :mod:`.calibration`) nor of use (see :mod:`.decision_curve`).

Source: Hanley JA, McNeil BJ. Radiology 1982;143:29-36; DeLong ER et al. Biometrics 1988;44:837-845 (interval).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from tumorboard.metrics.checked import ONE_CLASS, Flags, Floats, checked_pair
from tumorboard.metrics.classify.delong import ONE_OF_A_CLASS, auc_covariance
from tumorboard.metrics.estimate import LEVEL, Estimate, normal_quantile
from tumorboard.metrics.resampling import Groups


@dataclass(frozen=True, eq=False)
class Curve:
    """A curve over thresholds.

    Parameters
    ----------
    name : str
        ``roc`` or ``precision-recall``.
    thresholds : ndarray of float64, shape (k,)
        Falling; a patient at or above counts as positive. The first may be infinite: nobody does.
    x, y : ndarray of float64, shape (k,)
        1 - specificity and sensitivity, or sensitivity (recall) and positive predictive value (precision).
    area : Estimate
        Under the ROC curve, or the average precision.
    """

    name: str
    thresholds: Floats
    x: Floats
    y: Floats
    area: Estimate


def roc_auc(truth: ArrayLike, scores: ArrayLike, groups: Groups | None = None, level: float = LEVEL) -> Estimate:
    """Return the area under the ROC curve with DeLong's interval.

    Parameters
    ----------
    truth : array_like of bool, shape (n,)
        Whether each had the event.
    scores : array_like of float, shape (n,)
        Higher is more likely; equal ones count one half.
    groups : sequence, optional
        To which patient each row belongs; the interval is then Obuchowski's.
    level : float
        Of the interval, which is cut at 0 and 1.

    Returns
    -------
    Estimate
        0.5 is chance. Missing for one class.

    Raises
    ------
    InputError
        Lengths differ, an outcome other than 0 and 1, or a score that is not finite.

    Examples
    --------
    >>> found = roc_auc([0, 0, 1, 1, 0, 1], [0.1, 0.4, 0.35, 0.8, 0.2, 0.7])
    >>> round(found.value, 3), round(found.low, 3), found.high
    (0.889, 0.581, 1.0)
    """
    y, s = checked_pair(truth, scores)
    if y.all() or not y.any():
        return Estimate.missing(ONE_CLASS, len(y))
    areas, covariance = auc_covariance(y, s[:, None], groups)
    value, variance = float(areas[0]), float(covariance[0, 0])
    if math.isnan(variance):
        return Estimate.bare(value, ONE_OF_A_CLASS, len(y))
    if value in (0.0, 1.0):
        return Estimate.bare(value, "all pairs go one way: no interval", len(y))
    reach = normal_quantile(level) * math.sqrt(variance)
    return Estimate(value, max(value - reach, 0.0), min(value + reach, 1.0), len(y))


def roc_curve(truth: ArrayLike, scores: ArrayLike, groups: Groups | None = None, level: float = LEVEL) -> Curve:
    """Return the ROC curve: one point a distinct score.

    Parameters
    ----------
    truth, scores, groups, level
        As :func:`roc_auc`.

    Returns
    -------
    Curve
        Empty where there is one class only; its area says so.

    Raises
    ------
    InputError
        As :func:`roc_auc`.

    Examples
    --------
    >>> curve = roc_curve([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
    >>> curve.x.tolist(), curve.y.tolist()
    ([0.0, 0.0, 0.5, 0.5, 1.0], [0.0, 0.5, 0.5, 1.0, 1.0])
    """
    y, s = checked_pair(truth, scores)
    area = roc_auc(y, s, groups, level)
    if not area.known:
        return Curve("roc", *(np.empty(0),) * 3, area)
    thresholds, hits, called = counts_above(y, s)
    false = called - hits
    start = np.zeros(1)
    return Curve(
        "roc",
        np.concatenate([[np.inf], thresholds]),
        np.concatenate([start, false / (~y).sum()]),
        np.concatenate([start, hits / y.sum()]),
        area,
    )


def counts_above(y: Flags, s: Floats) -> tuple[Floats, Floats, Floats]:
    """Return each distinct score, falling, with how many patients with the event, and how many in all, reach it.

    Examples
    --------
    >>> [part.tolist() for part in counts_above(np.array([True, False, True]), np.array([0.2, 0.2, 0.9]))]
    [[0.9, 0.2], [1.0, 2.0], [1.0, 3.0]]
    """
    order = np.argsort(-s, kind="stable")
    ranked = s[order]
    last = np.append(np.flatnonzero(np.diff(ranked)), len(s) - 1)
    hits = np.cumsum(y[order], dtype=np.float64)[last]
    return ranked[last], hits, np.asarray(last + 1, dtype=np.float64)
