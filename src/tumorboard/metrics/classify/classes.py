"""How often a class is called right: accuracy, balanced accuracy, kappa, Matthews' coefficient, F1; of any classes.

Why it exists: with nine patients of ten in one class a model that always says it is right in 90 %; what is balanced or
corrected for chance shows it. All come from one table of counts, which is what the bootstrap draws.

Source: Cohen J. Educ Psychol Meas 1960;20:37-46 (kappa); Matthews BW. Biochim Biophys Acta 1975;405:442-451 and
Gorodkin J. Comput Biol Chem 2004;28:367-374 (its coefficient, several classes); Brodersen KH et al. ICPR
2010:3121-3124 (balanced accuracy); van Rijsbergen CJ. Information retrieval, 1979 (F1).
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tumorboard.errors import InputError
from tumorboard.metrics.agreement import kappa, share
from tumorboard.metrics.checked import ONE_CLASS, Codes, Floats, checked_classes, checked_floats, checked_pair
from tumorboard.metrics.estimate import LEVEL, Estimate
from tumorboard.metrics.resampling import DRAWS, LEAST_GROUPS, Groups, group_codes, interval_of_draws, shared

TableStatistic = Callable[[Floats], Floats]
"""From tables of counts (draws, truth, said) to numbers (draws,); NaN where there is none."""

EVEN = 0.5
"""Threshold of a probability, unless another was chosen on training data."""


def decided(truth: ArrayLike, prediction: ArrayLike, threshold: float = EVEN) -> tuple[Codes, Codes, int]:
    """Return true classes, classes that were said, and how many classes there are.

    Parameters
    ----------
    truth : array_like of int, shape (n,)
        Classes from 0.
    prediction : array_like of float, shape (n,) or (n, k)
        Scores of class 1, positive from the threshold on; or probabilities of each class, of which the highest is said.
    threshold : float
        For scores; to be chosen on training data (see :func:`~.threshold.choose_threshold`).

    Raises
    ------
    InputError
        As :func:`~.checked.checked_pair` or :func:`~.checked.checked_classes`; a threshold that is not finite.

    Examples
    --------
    >>> [part if isinstance(part, int) else part.tolist() for part in decided([0, 1, 1], [0.2, 0.4, 0.7])]
    [[0, 1, 1], [0, 0, 1], 2]
    """
    if np.ndim(prediction) == 2:
        codes, p = checked_classes(truth, prediction)
        return codes, np.asarray(p.argmax(axis=1), dtype=np.intp), p.shape[1]
    if not math.isfinite(threshold):
        raise InputError("a finite threshold", got=f"{threshold:g}", where="threshold")
    y, s = checked_pair(truth, prediction)
    return y.astype(np.intp), (s >= threshold).astype(np.intp), 2


def confusion_table(truth: ArrayLike, prediction: ArrayLike, threshold: float = EVEN) -> NDArray[np.int64]:
    """Count patients by true class (rows) and class that was said (columns).

    Parameters
    ----------
    truth, prediction, threshold
        As :func:`decided`.

    Returns
    -------
    ndarray of int64, shape (k, k)

    Examples
    --------
    >>> confusion_table([0, 1, 1], [0.2, 0.4, 0.7]).tolist()
    [[1, 0], [1, 1]]
    """
    y, said, k = decided(truth, prediction, threshold)
    return np.bincount(y * k + said, minlength=k * k).reshape(k, k).astype(np.int64)


def from_tables(
    statistic: TableStatistic, y: Codes, said: Codes, k: int, groups: Groups | None = None, level: float = LEVEL
) -> Estimate:
    """Return a statistic of the table of counts with its bootstrap interval.

    Parameters
    ----------
    statistic : callable
        Of tables (draws, k, k).
    y, said : ndarray of int, shape (n,)
        True classes and those that were said.
    k : int
        How many classes there are.
    groups : sequence, optional
        To which patient each row belongs; patients are drawn.
    level : float
        Of the interval.

    Examples
    --------
    >>> y, said = np.array([0, 1] * 10), np.array([0, 1, 1, 1] * 5)
    >>> round(from_tables(lambda t: t[:, 0, 0] / t[:, 0].sum(axis=1), y, said, 2).value, 2)
    0.5
    """
    n, cells = len(y), y * k + said
    table = np.bincount(cells, minlength=k * k).astype(np.float64).reshape(1, k, k)
    value = float(statistic(table)[0]) if n else math.nan
    if math.isnan(value):
        present = np.count_nonzero(np.bincount(y, minlength=k)) if n else 0
        return Estimate.missing(ONE_CLASS if present < 2 else "a class without a patient, or never said", n)
    if shared(groups, n) is None:
        units, tables = n, np.eye(k * k)
        weights = table.reshape(-1) / n
    else:
        whose = group_codes(groups, n)
        units = int(whose.max()) + 1
        tables = np.bincount(whose * k * k + cells, minlength=units * k * k).astype(np.float64).reshape(units, k * k)
        weights = np.full(units, 1.0 / units)
    if units < LEAST_GROUPS:
        return Estimate.bare(value, f"from {units} of at least {LEAST_GROUPS} patients: no interval", n)
    drawn = np.random.default_rng(0).multinomial(units, weights, size=DRAWS) @ tables
    return interval_of_draws(value, statistic(drawn.reshape(DRAWS, k, k)), n, level)


def accuracy(
    truth: ArrayLike,
    prediction: ArrayLike,
    groups: Groups | None = None,
    level: float = LEVEL,
    threshold: float = EVEN,
) -> Estimate:
    """Return the share of patients whose class was called right.

    Parameters
    ----------
    truth, prediction, threshold
        As :func:`decided`.
    groups : sequence, optional
        To which patient each row belongs; without it the interval is Wilson's.
    level : float
        Of the interval.

    Returns
    -------
    Estimate
        The share of the largest class is what needs no model.

    Raises
    ------
    InputError
        As :func:`decided`.

    Examples
    --------
    >>> accuracy([0, 1, 1, 0], [0.2, 0.4, 0.7, 0.1]).value
    0.75
    """
    y, said, k = decided(truth, prediction, threshold)
    if shared(groups, len(y)) is None:
        return share(int((y == said).sum()), len(y), level)
    return from_tables(_right, y, said, k, groups, level)


def _right(tables: Floats) -> Floats:
    return np.asarray(np.trace(tables, axis1=1, axis2=2) / tables.sum(axis=(1, 2)))


def balanced_accuracy(
    truth: ArrayLike,
    prediction: ArrayLike,
    groups: Groups | None = None,
    level: float = LEVEL,
    threshold: float = EVEN,
) -> Estimate:
    """Return the mean over classes of the share that was called right; one over the number of classes is chance.

    Parameters
    ----------
    truth, prediction, groups, level, threshold
        As :func:`accuracy`; the interval is the bootstrap's.

    Returns
    -------
    Estimate
        Missing where a class has no patient.

    Examples
    --------
    >>> round(balanced_accuracy([0, 1, 1, 0, 0], [0.2, 0.4, 0.7, 0.1, 0.6]).value, 3)
    0.583
    """
    return _of_decisions(_balanced, truth, prediction, groups, level, threshold)


def _of_decisions(
    statistic: TableStatistic,
    truth: ArrayLike,
    prediction: ArrayLike,
    groups: Groups | None,
    level: float,
    threshold: float,
) -> Estimate:
    y, said, k = decided(truth, prediction, threshold)
    return from_tables(statistic, y, said, k, groups, level)


def _balanced(tables: Floats) -> Floats:
    return np.asarray(ratio(np.diagonal(tables, axis1=1, axis2=2), tables.sum(axis=2)).mean(axis=1))


def ratio(above: Floats, below: Floats) -> Floats:
    """Return quotients, NaN where the divisor is 0.

    Examples
    --------
    >>> ratio(np.array([1.0, 1.0]), np.array([2.0, 0.0])).tolist()
    [0.5, nan]
    """
    out = np.full(np.broadcast(above, below).shape, np.nan)
    return np.asarray(np.divide(above, below, out=out, where=below != 0), dtype=np.float64)


def cohen_kappa(
    truth: ArrayLike,
    prediction: ArrayLike,
    groups: Groups | None = None,
    level: float = LEVEL,
    threshold: float = EVEN,
) -> Estimate:
    """Return Cohen's kappa between the truth and what was said; 0 is chance.

    Parameters
    ----------
    truth, prediction, groups, level, threshold
        As :func:`accuracy`.

    Returns
    -------
    Estimate
        That of :func:`tumorboard.metrics.agreement.kappa` with truth and prediction as the two readings, and its
        interval. Missing where both are one class throughout.

    Examples
    --------
    >>> cohen_kappa([0, 1, 1, 0], [0.2, 0.4, 0.7, 0.1]).value
    0.5
    """
    y, said, k = decided(truth, prediction, threshold)
    names = [str(c) for c in range(k)]
    one, other = ([names[c] for c in codes] for codes in (y, said))
    return kappa(one, other, names, groups=shared(groups, len(y)), level=level)


def mcc(
    truth: ArrayLike,
    prediction: ArrayLike,
    groups: Groups | None = None,
    level: float = LEVEL,
    threshold: float = EVEN,
) -> Estimate:
    """Return Matthews' correlation coefficient (Gorodkin's for more classes); 0 is chance.

    Parameters
    ----------
    truth, prediction, groups, level, threshold
        As :func:`accuracy`; the interval is the bootstrap's.

    Returns
    -------
    Estimate
        0 where one class is said throughout, as scikit-learn has it; missing where the truth is one class.

    Examples
    --------
    >>> round(mcc([0, 1, 1, 0], [0.2, 0.4, 0.7, 0.1]).value, 3)
    0.577
    """
    return _of_decisions(_matthews, truth, prediction, groups, level, threshold)


def _matthews(tables: Floats) -> Floats:
    n, right = tables.sum(axis=(1, 2)), np.trace(tables, axis1=1, axis2=2)
    true, said = tables.sum(axis=2), tables.sum(axis=1)
    spread_true, spread_said = n**2 - (true**2).sum(axis=1), n**2 - (said**2).sum(axis=1)
    found = ratio(right * n - (true * said).sum(axis=1), np.sqrt(spread_true * spread_said))
    return np.where((spread_said == 0) & (spread_true > 0), 0.0, found)


def macro_f1(
    truth: ArrayLike,
    prediction: ArrayLike,
    groups: Groups | None = None,
    level: float = LEVEL,
    threshold: float = EVEN,
) -> Estimate:
    """Return the mean of the F1 of each class.

    Parameters
    ----------
    truth, prediction, groups, level, threshold
        As :func:`accuracy`; the interval is the bootstrap's.

    Returns
    -------
    Estimate
        A class that is never said right has 0. Missing where a class has no patient.

    Examples
    --------
    >>> round(macro_f1([0, 1, 1, 0], [0.2, 0.4, 0.7, 0.1]).value, 3)
    0.733
    """
    return _of_decisions(_macro_f1, truth, prediction, groups, level, threshold)


def _macro_f1(tables: Floats) -> Floats:
    true, said = tables.sum(axis=2), tables.sum(axis=1)
    each = ratio(2 * np.diagonal(tables, axis1=1, axis2=2), true + said)
    return np.where((true > 0).all(axis=1), np.where(true > 0, each, 0.0).mean(axis=1), np.nan)


def top_k(
    truth: ArrayLike, probabilities: ArrayLike, groups: Groups | None = None, level: float = LEVEL, k: int = 2
) -> Estimate:
    """Return how often the true class is among the ``k`` most probable ones.

    Parameters
    ----------
    truth : array_like of int, shape (n,)
        Classes from 0.
    probabilities : array_like of float, shape (n, classes)
        A class that ties with the last of the ``k`` counts as among them only if it comes earlier.
    groups, level
        As :func:`accuracy`.
    k : int
        From 1 to the number of classes.

    Returns
    -------
    Estimate
        ``k`` over the number of classes is chance where classes are alike.

    Raises
    ------
    InputError
        As :func:`~.checked.checked_classes`; no such ``k``.

    Examples
    --------
    >>> top_k([0, 2], [[0.2, 0.5, 0.3], [0.1, 0.3, 0.6]], k=2).value
    0.5
    """
    y, p = checked_classes(truth, probabilities)
    if not 1 <= k <= p.shape[1]:
        raise InputError(f"1 to {p.shape[1]} classes", got=f"{k}", where="top-k accuracy")
    first = np.argsort(-p, axis=1, kind="stable")[:, :k]
    hit = (first == y[:, None]).any(axis=1)
    if shared(groups, len(y)) is None:
        return share(int(hit.sum()), len(y), level)
    return from_tables(_right, np.ones(len(y), dtype=np.intp), hit.astype(np.intp), 2, groups, level)


def class_names(names: ArrayLike, said: ArrayLike) -> Codes:
    """Return the place of each patient's class among the names.

    Raises
    ------
    InputError
        A class that is not among them.

    Examples
    --------
    >>> class_names(["GBM", "MET", "PCNSL"], ["MET", "GBM"]).tolist()
    [1, 0]
    """
    order = [str(name) for name in np.asarray(names)]
    places = {name: place for place, name in enumerate(order)}
    found = [str(s) for s in np.asarray(said)]
    if any(name not in places for name in found):
        raise InputError(f"one of {', '.join(order)}", got="another class", where="classes")
    return checked_floats([places[name] for name in found], "classes").astype(np.intp)
