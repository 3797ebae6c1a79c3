"""Whether acting on a model does more good than acting on everybody or on nobody: net benefit over thresholds.

Why it exists: an area under a curve does not say if a model is of use. Who would act from a risk of 10 % on holds one
missed event to be as bad as nine false alarms; the net benefit counts both in events found.

Source: Vickers AJ, Elkin EB. Med Decis Making 2006;26:565-574; standardised: Kerr KF et al. J Clin Oncol
2016;34:2534-2540. Intervals are those of drawing patients.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from tumorboard.errors import InputError
from tumorboard.metrics.checked import ONE_CLASS, Flags, Floats, checked_floats, checked_probabilities
from tumorboard.metrics.estimate import LEVEL, Estimate
from tumorboard.metrics.resampling import DRAWS, Groups, rows_by_group, weighted_bootstrap

_WHERE = "net benefit"


@dataclass(frozen=True, eq=False)
class DecisionCurve:
    """Net benefit over thresholds; that of acting on nobody is 0.

    Parameters
    ----------
    thresholds : ndarray of float64, shape (k,)
        Risks from which on one would act.
    model, low, high : ndarray of float64, shape (k,)
        Net benefit in events found per patient, and its interval; NaN where there is none.
    treat_all : ndarray of float64, shape (k,)
        Of acting on everybody.
    gain_low : ndarray of float64, shape (k,)
        Lower end of what the model has more than the better of acting on everybody and on nobody, drawn together.
    prevalence : float
        The most there is to gain.
    n : int
        Of rows.
    reason : str
        Why there is no curve, else empty.
    """

    thresholds: Floats
    model: Floats
    low: Floats
    high: Floats
    treat_all: Floats
    gain_low: Floats
    prevalence: float
    n: int
    reason: str = ""

    @property
    def standardised(self) -> Floats:
        """Net benefit of the model over the prevalence: 1 is perfect."""
        return self.model / self.prevalence

    @property
    def useful(self) -> Floats:
        """Thresholds at which the model does more than acting on everybody and on nobody, by the lower end."""
        return self.thresholds[self.gain_low > 0]


def net_benefit(
    truth: ArrayLike,
    probabilities: ArrayLike,
    groups: Groups | None = None,
    level: float = LEVEL,
    threshold: float = 0.5,
) -> Estimate:
    """Return true positives less false positives times the odds of the threshold, per patient.

    Parameters
    ----------
    truth : array_like of bool, shape (n,)
        Whether each had the event.
    probabilities : array_like of float, shape (n,)
        Of the event.
    groups : sequence, optional
        To which patient each row belongs; patients are drawn.
    level : float
        Of the interval.
    threshold : float
        Risk from which on one would act, between 0 and 1.

    Returns
    -------
    Estimate
        At most the prevalence. Missing for one class.

    Raises
    ------
    InputError
        As :func:`~.checked.checked_probabilities`; a threshold that is not between 0 and 1.

    Examples
    --------
    >>> round(net_benefit([1, 1, 0, 0, 0], [0.9, 0.4, 0.6, 0.2, 0.1], threshold=0.3).value, 4)
    0.3143
    """
    at = _checked_thresholds([threshold])
    y, p = checked_probabilities(truth, probabilities)
    if y.all() or not y.any():
        return Estimate.missing(ONE_CLASS, len(y))
    worth = _worth(y, p, at)[:, 0]
    return weighted_bootstrap(lambda w: np.asarray(w @ worth / w.sum(axis=1)), len(y), groups, level)


def treat_all(prevalence: float, threshold: ArrayLike) -> Floats:
    """Return the net benefit of acting on everybody.

    Examples
    --------
    >>> treat_all(0.2, [0.1, 0.15]).round(3).tolist()
    [0.111, 0.059]
    """
    at = _checked_thresholds(threshold)
    return np.asarray(prevalence - (1 - prevalence) * at / (1 - at))


def decision_curve(
    truth: ArrayLike,
    probabilities: ArrayLike,
    thresholds: ArrayLike | None = None,
    groups: Groups | None = None,
    level: float = LEVEL,
    draws: int = DRAWS,
) -> DecisionCurve:
    """Return net benefit over thresholds with pointwise bootstrap intervals.

    Parameters
    ----------
    truth, probabilities, groups, level
        As :func:`net_benefit`.
    thresholds : array_like of float, shape (k,), optional
        Between 0 and 1; by default from 0.01 to 0.99.
    draws : int
        Of patients.

    Returns
    -------
    DecisionCurve
        With its reason where there is one class only.

    Raises
    ------
    InputError
        As :func:`net_benefit`.

    Examples
    --------
    >>> curve = decision_curve([1, 1, 0, 0, 0], [0.9, 0.4, 0.6, 0.2, 0.1], [0.1, 0.3])
    >>> curve.model.round(3).tolist(), curve.treat_all.round(3).tolist()
    ([0.333, 0.314], [0.333, 0.143])
    """
    at = np.arange(1, 100) / 100 if thresholds is None else _checked_thresholds(thresholds)
    y, p = checked_probabilities(truth, probabilities)
    n, none = len(y), np.full(len(at), np.nan)
    if y.all() or not y.any():
        return DecisionCurve(at, none, none, none, none, none, float("nan"), n, ONE_CLASS)
    worth = _worth(y, p, at)
    members = rows_by_group(groups, n)
    sums = np.array([worth[rows].sum(axis=0) for rows in members])
    counts = np.array([[len(rows), y[rows].sum()] for rows in members], dtype=np.float64)
    weights = np.random.default_rng(0).multinomial(len(members), np.full(len(members), 1 / len(members)), size=draws)
    sizes, events = (weights @ counts).T[..., None]
    drawn, share = (weights @ sums) / sizes, events / sizes
    ends = [50 * (1 - level), 50 * (1 + level)]
    low, high = np.percentile(drawn, ends, axis=0)
    gained = drawn - np.maximum(share - (1 - share) * at / (1 - at), 0.0)
    gain_low = np.asarray(np.percentile(gained, ends[0], axis=0))
    prevalence = float(y.mean())
    return DecisionCurve(at, worth.mean(axis=0), low, high, treat_all(prevalence, at), gain_low, prevalence, n)


def _worth(y: Flags, p: Floats, at: Floats) -> Floats:
    """Return what each patient adds at each threshold, (n, k)."""
    acted = (p[:, None] >= at).astype(np.float64)
    return np.asarray(np.where(y[:, None], acted, -acted * (at / (1 - at))))


def _checked_thresholds(thresholds: ArrayLike) -> Floats:
    at = checked_floats(np.atleast_1d(np.asarray(thresholds, dtype=np.float64)), _WHERE)
    if not ((at > 0) & (at < 1)).all():
        raise InputError("thresholds between 0 and 1", got="one outside", where=_WHERE)
    return at


def benefit_difference(
    truth: ArrayLike,
    first: ArrayLike,
    second: ArrayLike,
    threshold: float,
    groups: Groups | None = None,
    level: float = LEVEL,
) -> Estimate:
    """Return how much more net benefit the first of two models has for the same patients.

    Parameters
    ----------
    truth, groups, level
        As :func:`net_benefit`.
    first, second : array_like of float, shape (n,)
        Probabilities of the two.
    threshold : float
        Risk from which on one would act.

    Examples
    --------
    >>> round(benefit_difference([1, 1, 0, 0], [0.9, 0.4, 0.2, 0.1], [0.9, 0.4, 0.6, 0.1], 0.3).value, 3)
    0.107
    """
    at = _checked_thresholds([threshold])
    y, p = checked_probabilities(truth, first)
    _, q = checked_probabilities(truth, second)
    if y.all() or not y.any():
        return Estimate.missing(ONE_CLASS, len(y))
    gained = (_worth(y, p, at) - _worth(y, q, at))[:, 0]
    return weighted_bootstrap(lambda w: np.asarray(w @ gained / w.sum(axis=1)), len(y), groups, level)
