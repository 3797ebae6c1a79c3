"""How far predicted survival is from what happened: the Brier score at a day, and over a span of days.

Why it exists: a concordance does not see whether a predicted 80 % is right. Who left before the day is neither alive
nor dead; those who were followed are weighed for it.

Source: Graf E et al. Stat Med 1999;18:2529-2545; Gerds TA, Schumacher M. Biom J 2006;48:1029-1040. Values are those of
scikit-survival 0.28; intervals are those of drawing patients.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from tumorboard.errors import InputError
from tumorboard.metrics.checked import Floats
from tumorboard.metrics.estimate import LEVEL, Estimate
from tumorboard.metrics.resampling import Groups, weighted_bootstrap
from tumorboard.metrics.survival.censoring import Leaving, checked_horizons, followed
from tumorboard.metrics.survival.dynamic_auc import Training
from tumorboard.metrics.survival.kaplan_meier import Flags, checked_times, kaplan_meier

_WHERE = "survival Brier score"


def survival_brier(
    days: ArrayLike,
    events: ArrayLike,
    survival: ArrayLike,
    times: ArrayLike,
    groups: Groups | None = None,
    level: float = LEVEL,
    training: Training | None = None,
) -> tuple[Estimate, ...]:
    """Return the Brier score at each day.

    Parameters
    ----------
    days : array_like of float, shape (n,)
        To death or to the end of follow-up.
    events : array_like of bool, shape (n,)
        Whether it was death.
    survival : array_like of float, shape (n, k)
        Predicted chance to be alive after each of the days.
    times : array_like of float, shape (k,)
        Days, rising.
    groups : sequence, optional
        To which patient each row belongs; patients are drawn.
    level : float
        Of the intervals.
    training : (days, events), optional
        From whom the chance of being followed is taken; by default from these patients.

    Returns
    -------
    tuple of Estimate
        0 is perfect; 0.25 is a coin. Missing for a day beyond the last one on which somebody was followed.

    Raises
    ------
    InputError
        Shapes differ, a chance outside 0 to 1, or days that do not rise.

    Examples
    --------
    >>> found = survival_brier([100, 200, 300, 400], [1, 0, 1, 0], [[0.2], [0.7], [0.6], [0.9]], [250])
    >>> round(found[0].value, 4)
    0.0738
    """
    t, d, s, when = _checked(days, events, survival, times)
    leaving = Leaving(t, d, followed(*training) if training else None)

    def at(place: int) -> Estimate:
        reason = _not_there(t, when[place])
        if reason:
            return Estimate.missing(reason, len(t))
        here = slice(place, place + 1)
        return weighted_bootstrap(
            lambda drawn: brier_scores(drawn, leaving, s[:, here], when[here])[:, 0], len(t), groups, level
        )

    return tuple(at(place) for place in range(len(when)))


def integrated_brier(
    days: ArrayLike,
    events: ArrayLike,
    survival: ArrayLike,
    times: ArrayLike,
    groups: Groups | None = None,
    level: float = LEVEL,
    training: Training | None = None,
) -> Estimate:
    """Return the mean of the Brier score from the first to the last day (trapezia).

    Parameters
    ----------
    days, events, survival, times, groups, level, training
        As :func:`survival_brier`; at least two days.

    Returns
    -------
    Estimate
        Missing where nobody was followed beyond the last day.

    Raises
    ------
    InputError
        As :func:`survival_brier`; one day only.

    Examples
    --------
    >>> chances = [[0.5, 0.2], [0.8, 0.7], [0.9, 0.6], [0.9, 0.9]]
    >>> round(integrated_brier([100, 200, 300, 400], [1, 0, 1, 0], chances, [150, 250]).value, 4)
    0.0756
    """
    t, d, s, when = _checked(days, events, survival, times)
    if len(when) < 2:
        raise InputError("at least two days", got="one", where=_WHERE)
    reason = _not_there(t, when[-1])
    if reason:
        return Estimate.missing(reason, len(t))
    leaving = Leaving(t, d, followed(*training) if training else None)

    def one(drawn: Floats) -> Floats:
        scores = brier_scores(drawn, leaving, s, when)
        return np.asarray(np.trapezoid(scores, when, axis=1) / (when[-1] - when[0]))

    return weighted_bootstrap(one, len(t), groups, level)


def null_survival(days: ArrayLike, events: ArrayLike, times: ArrayLike, n: int) -> Floats:
    """Return what knows nothing: the Kaplan-Meier curve of training patients, the same for each of ``n`` others.

    Parameters
    ----------
    days, events : array_like, shape (m,)
        Of training patients.
    times : array_like of float, shape (k,)
        Days, rising.
    n : int
        How many patients to predict.

    Returns
    -------
    ndarray of float64, shape (n, k)

    Examples
    --------
    >>> null_survival([100, 200, 300, 400], [1, 1, 0, 1], [150, 250], 1).tolist()
    [[0.75, 0.5]]
    """
    curve = kaplan_meier(days, events)
    return np.tile([curve.at(day) for day in checked_horizons(times, _WHERE)], (n, 1))


def brier_scores(drawn: Floats, leaving: Leaving, s: Floats, times: Floats) -> Floats:
    """Return bare scores of each draw at each day, (draws, times).

    Parameters
    ----------
    drawn : ndarray of float64, shape (draws, n)
        How often each patient was drawn.
    leaving : Leaving
        The patients.
    s : ndarray of float64, shape (n, times)
        Predicted survival.
    times : ndarray of float64, shape (times,)

    Examples
    --------
    >>> patients = Leaving(np.array([100.0, 300]), np.array([True, False]))
    >>> brier_scores(np.ones((1, 2)), patients, np.array([[0.5], [0.5]]), np.array([200.0])).tolist()
    [[0.25]]
    """
    died = s**2 * ((leaving.t[:, None] <= times) & leaving.d[:, None])
    lives = (1 - s) ** 2 * (leaving.t[:, None] > times)
    of_dead = (drawn * leaving.weights(drawn, leaving.t)) @ died
    return np.asarray((of_dead + drawn @ lives * leaving.weights(drawn, times)) / drawn.sum(axis=1, keepdims=True))


def _not_there(t: Floats, last: float) -> str:
    return "" if len(t) and (t > last).any() else "nobody was followed beyond the (last) day"


def _checked(
    days: ArrayLike, events: ArrayLike, survival: ArrayLike, times: ArrayLike
) -> tuple[Floats, Flags, Floats, Floats]:
    t, d = checked_times(days, events)
    when = checked_horizons(times, _WHERE)
    s = np.asarray(survival, dtype=np.float64)
    if s.shape != (len(t), len(when)):
        raise InputError(f"{len(t)} rows of {len(when)} chances", got=f"shape {s.shape}", where=_WHERE)
    if not ((s >= 0) & (s <= 1)).all():
        raise InputError("chances from 0 to 1", got="NaN or a number outside", where=_WHERE)
    return t, d, s, when
