"""Scores of probabilities: Brier, scaled Brier, logarithmic loss; two classes or more.

Why it exists: a probability is judged by what it says, not by which side of a threshold it lies on. A proper score is
best for who says what he believes.

Source: Brier GW. Mon Weather Rev 1950;78:1-3; Good IJ. J R Stat Soc B 1952;14:107-114; Steyerberg EW et al.
Epidemiology 2010;21:128-138 (scaled).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from tumorboard.metrics.checked import ONE_CLASS, Floats, checked_classes, checked_probabilities
from tumorboard.metrics.classify.classes import ratio
from tumorboard.metrics.estimate import LEVEL, Estimate
from tumorboard.metrics.resampling import Groups, weighted_bootstrap

_LEAST = float(np.finfo(np.float64).eps)


def brier_score(
    truth: ArrayLike, probabilities: ArrayLike, groups: Groups | None = None, level: float = LEVEL
) -> Estimate:
    """Return the mean squared distance of probabilities from what happened.

    Parameters
    ----------
    truth : array_like of int, shape (n,)
        Whether each had the event; or classes from 0.
    probabilities : array_like of float, shape (n,) or (n, k)
        Of the event, from 0 (best) to 1; or of each class, summed over classes, from 0 to 2 as Brier has it.
    groups : sequence, optional
        To which patient each row belongs; patients are drawn.
    level : float
        Of the interval.

    Returns
    -------
    Estimate
        Saying the prevalence throughout gives prevalence × (1 - prevalence).

    Raises
    ------
    InputError
        As :func:`~.checked.checked_probabilities` or :func:`~.checked.checked_classes`.

    Examples
    --------
    >>> brier_score([0, 1], [0.5, 0.5]).value
    0.25
    """
    losses = _squared(truth, probabilities)
    return _mean(losses, groups, level)


def _squared(truth: ArrayLike, probabilities: ArrayLike) -> Floats:
    if np.ndim(probabilities) == 2:
        codes, p = checked_classes(truth, probabilities)
        return np.asarray(((p - np.eye(p.shape[1])[codes]) ** 2).sum(axis=1))
    y, q = checked_probabilities(truth, probabilities)
    return np.asarray((q - y) ** 2)


def log_loss(
    truth: ArrayLike, probabilities: ArrayLike, groups: Groups | None = None, level: float = LEVEL
) -> Estimate:
    """Return the mean negative logarithm of the probability of what happened.

    Parameters
    ----------
    truth, probabilities, groups, level
        As :func:`brier_score`; probabilities of 0 are lifted to 2e-16, as scikit-learn does.

    Returns
    -------
    Estimate
        0 is best; 0.69 is a coin.

    Raises
    ------
    InputError
        As :func:`brier_score`.

    Examples
    --------
    >>> round(log_loss([0, 1], [0.5, 0.5]).value, 3)
    0.693
    """
    if np.ndim(probabilities) == 2:
        codes, p = checked_classes(truth, probabilities)
        happened = p[np.arange(len(p)), codes]
    else:
        y, q = checked_probabilities(truth, probabilities)
        happened = np.where(y, q, 1 - q)
    return _mean(-np.log(np.clip(happened, _LEAST, 1.0)), groups, level)


def scaled_brier(
    truth: ArrayLike, probabilities: ArrayLike, groups: Groups | None = None, level: float = LEVEL
) -> Estimate:
    """Return how much better than the bare prevalence the probabilities are: 1 - Brier over that of the prevalence.

    Parameters
    ----------
    truth, probabilities, groups, level
        As :func:`brier_score`.

    Returns
    -------
    Estimate
        1 is perfect, 0 no better than the prevalence, below 0 worse. Missing for one class.

    Raises
    ------
    InputError
        As :func:`brier_score`.

    Examples
    --------
    >>> scaled_brier([0, 1], [0.5, 0.5]).value
    0.0
    """
    losses, codes = _squared(truth, probabilities), np.asarray(truth, dtype=np.intp)
    k = int(np.shape(probabilities)[1]) if np.ndim(probabilities) == 2 else 2

    def one(weights: Floats) -> Floats:
        total = weights.sum(axis=1)
        shares = weights @ np.eye(k)[codes] / total[:, None]
        # of two classes the loss counts one side, of more the sum over all
        bare = (shares * (1 - shares)).sum(axis=1) / (2 if np.ndim(probabilities) == 1 else 1)
        return 1 - ratio(weights @ losses / total, bare)

    if len(np.unique(codes)) < 2:
        return Estimate.missing(ONE_CLASS, len(codes))
    return weighted_bootstrap(one, len(codes), groups, level)


def _mean(losses: Floats, groups: Groups | None, level: float) -> Estimate:
    if not len(losses):
        return Estimate.missing("no patient", 0)
    return weighted_bootstrap(lambda w: np.asarray(w @ losses / w.sum(axis=1)), len(losses), groups, level)
