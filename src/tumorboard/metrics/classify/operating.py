"""One threshold, one operating point: sensitivity, specificity, predictive values, F1, Youden's index.

Why it exists: these numbers belong to a threshold, and a threshold that was sought on the patients it is judged by
makes all of them too good; here it is always given, never sought (see :func:`~.threshold.choose_threshold`).

Source: Altman DG, Bland JM. BMJ 1994;308:1552 and 309:102; Youden WJ. Cancer 1950;3:32-35; intervals: Wilson EB. J Am
Stat Assoc 1927;22:209-212, or exact: Clopper CJ, Pearson ES. Biometrika 1934;26:404-413; of F1 and Youden's index, and
where rows share a patient: bootstrap.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from tumorboard.errors import InputError
from tumorboard.metrics.agreement import share
from tumorboard.metrics.checked import ONE_CLASS, Codes, Flags, Floats
from tumorboard.metrics.classify.classes import (
    EVEN,
    accuracy,
    balanced_accuracy,
    cohen_kappa,
    decided,
    from_tables,
    mcc,
    ratio,
)
from tumorboard.metrics.estimate import LEVEL, Estimate
from tumorboard.metrics.resampling import Groups, shared

Interval = Literal["wilson", "exact"]


def exact_share(hits: int, total: int, level: float = LEVEL) -> Estimate:
    """Return a share with the exact interval of Clopper and Pearson, which never covers less than it says.

    Parameters
    ----------
    hits, total : int
        How many of how many.
    level : float
        Of the interval.

    Raises
    ------
    InputError
        Not 0 <= hits <= total.

    Examples
    --------
    >>> found = exact_share(8, 10)
    >>> round(found.low, 3), round(found.high, 3)
    (0.444, 0.975)
    """
    from scipy.special import betaincinv

    if not 0 <= hits <= total:
        raise InputError("a part of the whole", got=f"{hits} of {total}", where="share")
    if not total:
        return Estimate.missing("none to take a share of", 0)
    tail = (1 - level) / 2
    low = float(betaincinv(hits, total - hits + 1, tail)) if hits else 0.0
    high = float(betaincinv(hits + 1, total - hits, 1 - tail)) if hits < total else 1.0
    return Estimate(hits / total, low, high, total)


def sensitivity(
    truth: ArrayLike,
    scores: ArrayLike,
    groups: Groups | None = None,
    level: float = LEVEL,
    threshold: float = EVEN,
    interval: Interval = "wilson",
) -> Estimate:
    """Return the share of patients with the event that reach the threshold.

    Parameters
    ----------
    truth : array_like of bool, shape (n,)
        Whether each had the event.
    scores : array_like of float, shape (n,)
        A patient at or above the threshold is positive.
    groups : sequence, optional
        To which patient each row belongs; the interval is then the bootstrap's.
    level : float
        Of the interval.
    threshold : float
        Chosen before, not on these patients.
    interval : {'wilson', 'exact'}
        Of shares, without groups.

    Returns
    -------
    Estimate
        ``n`` counts the patients it is a share of. Missing where there is none.

    Raises
    ------
    InputError
        As :func:`~.classes.decided`.

    Examples
    --------
    >>> sensitivity([1, 1, 1, 0], [0.9, 0.6, 0.2, 0.1]).value
    0.6666666666666666
    """
    y, said, _ = decided(truth, scores, threshold)
    return _share_of(y == 1, said == 1, groups, level, interval)


def specificity(
    truth: ArrayLike,
    scores: ArrayLike,
    groups: Groups | None = None,
    level: float = LEVEL,
    threshold: float = EVEN,
    interval: Interval = "wilson",
) -> Estimate:
    """Return the share of patients without the event that stay below the threshold.

    Parameters
    ----------
    truth, scores, groups, level, threshold, interval
        As :func:`sensitivity`.

    Returns
    -------
    Estimate
        Missing where every patient had the event.

    Examples
    --------
    >>> specificity([1, 0, 0, 0], [0.9, 0.6, 0.2, 0.1]).value
    0.6666666666666666
    """
    y, said, _ = decided(truth, scores, threshold)
    return _share_of(y == 0, said == 0, groups, level, interval)


def ppv(
    truth: ArrayLike,
    scores: ArrayLike,
    groups: Groups | None = None,
    level: float = LEVEL,
    threshold: float = EVEN,
    interval: Interval = "wilson",
) -> Estimate:
    """Return the share of positive patients that had the event (positive predictive value; prevalence is chance).

    Parameters
    ----------
    truth, scores, groups, level, threshold, interval
        As :func:`sensitivity`.

    Returns
    -------
    Estimate
        Missing where nobody is positive, or where there is one class only.

    Examples
    --------
    >>> ppv([1, 0, 0, 0], [0.9, 0.6, 0.2, 0.1]).value
    0.5
    """
    y, said, _ = decided(truth, scores, threshold)
    return _one_class(y) or _share_of(said == 1, y == 1, groups, level, interval)


def npv(
    truth: ArrayLike,
    scores: ArrayLike,
    groups: Groups | None = None,
    level: float = LEVEL,
    threshold: float = EVEN,
    interval: Interval = "wilson",
) -> Estimate:
    """Return the share of negative patients that had no event (negative predictive value; 1 - prevalence is chance).

    Parameters
    ----------
    truth, scores, groups, level, threshold, interval
        As :func:`sensitivity`.

    Returns
    -------
    Estimate
        Missing where nobody is negative, or where there is one class only.

    Examples
    --------
    >>> npv([1, 0, 0, 0], [0.9, 0.6, 0.2, 0.1]).value
    1.0
    """
    y, said, _ = decided(truth, scores, threshold)
    return _one_class(y) or _share_of(said == 0, y == 0, groups, level, interval)


def _one_class(y: Codes) -> Estimate | None:
    return None if len(np.unique(y)) == 2 else Estimate.missing(ONE_CLASS, len(y))


def _share_of(
    among: Flags,
    hit: Flags,
    groups: Groups | None,
    level: float,
    interval: Interval,
) -> Estimate:
    """Share of hits among some of the rows; the rows of a table say whether one is among them."""
    if interval not in ("wilson", "exact"):
        raise InputError("wilson or exact", got="another word", where="interval")
    if not among.any():
        return Estimate.missing("none to take a share of", 0)
    if shared(groups, len(hit)) is None:
        by = share if interval == "wilson" else exact_share
        return by(int((among & hit).sum()), int(among.sum()), level)
    return from_tables(_second_row, among.astype(np.intp), hit.astype(np.intp), 2, groups, level)


def _second_row(tables: Floats) -> Floats:
    return ratio(tables[:, 1, 1], tables[:, 1].sum(axis=1))


def f1(
    truth: ArrayLike,
    scores: ArrayLike,
    groups: Groups | None = None,
    level: float = LEVEL,
    threshold: float = EVEN,
) -> Estimate:
    """Return the harmonic mean of sensitivity and positive predictive value.

    Parameters
    ----------
    truth, scores, groups, level, threshold
        As :func:`sensitivity`; the interval is the bootstrap's.

    Returns
    -------
    Estimate
        Missing for one class.

    Examples
    --------
    >>> round(f1([1, 0, 0, 0], [0.9, 0.6, 0.2, 0.1]).value, 3)
    0.667
    """
    y, said, _ = decided(truth, scores, threshold)
    return _one_class(y) or from_tables(_f1, y, said, 2, groups, level)


def _f1(tables: Floats) -> Floats:
    return ratio(2 * tables[:, 1, 1], tables[:, 1].sum(axis=1) + tables[:, :, 1].sum(axis=1))


def youden(
    truth: ArrayLike,
    scores: ArrayLike,
    groups: Groups | None = None,
    level: float = LEVEL,
    threshold: float = EVEN,
) -> Estimate:
    """Return sensitivity + specificity - 1; 0 is chance.

    Parameters
    ----------
    truth, scores, groups, level, threshold
        As :func:`sensitivity`; the interval is the bootstrap's.

    Returns
    -------
    Estimate
        Missing for one class.

    Examples
    --------
    >>> round(youden([1, 0, 0, 0], [0.9, 0.6, 0.2, 0.1]).value, 3)
    0.667
    """
    y, said, _ = decided(truth, scores, threshold)
    return from_tables(_youden, y, said, 2, groups, level)


def _youden(tables: Floats) -> Floats:
    each = ratio(np.diagonal(tables, axis1=1, axis2=2), tables.sum(axis=2))
    return np.asarray(each.sum(axis=1) - 1)


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """Everything at one threshold.

    Parameters
    ----------
    threshold : float
        At or above it a patient is positive.
    hits, misses, false_alarms, rejections : int
        True positive, false negative, false positive and true negative rows.
    estimates : dict of str to Estimate
        By name: sensitivity, specificity, ppv, npv, accuracy, balanced_accuracy, f1, mcc, kappa, youden.
    """

    threshold: float
    hits: int
    misses: int
    false_alarms: int
    rejections: int
    estimates: dict[str, Estimate]


def operating_point(
    truth: ArrayLike,
    scores: ArrayLike,
    threshold: float,
    groups: Groups | None = None,
    level: float = LEVEL,
    interval: Interval = "wilson",
) -> OperatingPoint:
    """Return everything at one threshold.

    Parameters
    ----------
    truth, scores, threshold, groups, level, interval
        As :func:`sensitivity`.

    Examples
    --------
    >>> point = operating_point([1, 1, 0, 0, 0], [0.9, 0.4, 0.6, 0.2, 0.1], threshold=0.5)
    >>> point.hits, point.misses, point.false_alarms, point.rejections, point.estimates["npv"].value
    (1, 1, 1, 2, 0.6666666666666666)
    """
    y, said, _ = decided(truth, scores, threshold)
    shares = {"sensitivity": sensitivity, "specificity": specificity, "ppv": ppv, "npv": npv}
    found = {name: f(truth, scores, groups, level, threshold, interval) for name, f in shares.items()}
    others = {"accuracy": accuracy, "balanced_accuracy": balanced_accuracy, "f1": f1, "mcc": mcc}
    others |= {"kappa": cohen_kappa, "youden": youden}
    found |= {name: f(truth, scores, groups, level, threshold) for name, f in others.items()}
    counts = np.bincount(y * 2 + said, minlength=4).tolist()
    return OperatingPoint(threshold, counts[3], counts[2], counts[1], counts[0], found)
