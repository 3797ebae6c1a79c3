"""Logistic regression of a few columns, with offset and covariance, for calibration.

Why it exists: calibration needs a fixed offset and standard errors, which scikit-learn's learner does not give.

Source: McCullagh P, Nelder JA. Generalized linear models, 2nd edition, 1989, chapter 4 (iterated weighted least
squares).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from tumorboard.metrics.checked import Flags, Floats

NEAREST = 1e-8
"""Probabilities nearer to 0 or 1 are moved here before their logit is taken; as in R's CalibrationCurves."""
_STEPS = 60
_SMALL = 1e-10
_FAR = 30.0


@dataclass(frozen=True, eq=False)
class LogisticFit:
    """Coefficients and their covariance.

    Parameters
    ----------
    coefficients : ndarray of float64, shape (p,)
    covariance : ndarray of float64, shape (p, p)
        Inverse of the information.
    """

    coefficients: Floats
    covariance: Floats


def logit(probabilities: ArrayLike) -> Floats:
    """Return the logarithm of the odds; 0 and 1 are moved by 1e-8.

    Examples
    --------
    >>> logit([0.5, 0.75]).round(3).tolist()
    [0.0, 1.099]
    """
    p = np.clip(np.asarray(probabilities, dtype=np.float64), NEAREST, 1 - NEAREST)
    return np.asarray(np.log(p) - np.log1p(-p))


def expit(values: ArrayLike) -> Floats:
    """Return the probability of a logit.

    Examples
    --------
    >>> expit([0.0]).tolist()
    [0.5]
    """
    from scipy.special import expit as inverse

    return np.asarray(inverse(np.asarray(values, dtype=np.float64)), dtype=np.float64)


def fit_logistic(columns: Floats, truth: Flags, offset: Floats | None = None) -> LogisticFit | None:
    """Fit by maximum likelihood.

    Parameters
    ----------
    columns : ndarray of float64, shape (n, p)
        With a column of ones where an intercept is wanted.
    truth : ndarray of bool, shape (n,)
        Whether each had the event.
    offset : ndarray of float64, shape (n,), optional
        Added to the logit with coefficient 1.

    Returns
    -------
    LogisticFit or None
        None where there is no maximum (the columns part the classes) or it cannot be found.

    Examples
    --------
    >>> fit = fit_logistic(np.ones((4, 1)), np.array([True, False, False, False]))
    >>> round(float(fit.coefficients[0]), 3)
    -1.099
    """
    shift = np.zeros(len(truth)) if offset is None else offset
    beta = np.zeros(columns.shape[1])
    best = _likelihood(columns, truth, shift, beta)
    for _ in range(_STEPS):
        p = expit(columns @ beta + shift)
        information = columns.T @ (columns * (p * (1 - p))[:, None])
        try:
            step = np.linalg.solve(information, columns.T @ (truth - p))
        except np.linalg.LinAlgError:
            return None
        size, found = 1.0, _likelihood(columns, truth, shift, beta + step)
        while found < best - _SMALL and size > _SMALL:
            size /= 2
            found = _likelihood(columns, truth, shift, beta + size * step)
        beta, gained, best = beta + size * step, found - best, found
        if abs(gained) < _SMALL:
            return _finished(columns, truth, shift, beta)
    return None


def _likelihood(columns: Floats, truth: Flags, shift: Floats, beta: Floats) -> float:
    at = columns @ beta + shift
    return float((at * truth - np.logaddexp(0.0, at)).sum())


def _finished(columns: Floats, truth: Flags, shift: Floats, beta: Floats) -> LogisticFit | None:
    """Return the fit, or None where every patient is told apart: then the likelihood only creeps up."""
    at = columns @ beta + shift
    if (np.where(truth, at, -at) > 0).all() and np.abs(at).min() > _FAR / 2:
        return None
    p = expit(at)
    information = columns.T @ (columns * (p * (1 - p))[:, None])
    if np.linalg.cond(information) > 1 / np.finfo(np.float64).eps:
        return None
    return LogisticFit(beta, np.asarray(np.linalg.inv(information)))
