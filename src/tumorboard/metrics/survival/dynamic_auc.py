"""Who dies by a day and who lives on: areas under ROC curves over time, and their mean.

Why it exists: a concordance mixes all days. The cumulative/dynamic area asks, at each horizon, whether patients who had
died by then had the higher risk than those who lived longer; who left before says nothing and is weighed for.

Source: Uno H et al. J Am Stat Assoc 2007;102:527-537; Hung H, Chiang CT. Can J Stat 2010;38:8-26; mean over time:
Lambert J, Chevret S. Stat Methods Med Res 2016;25:2088-2102. Values are those of scikit-survival 0.28; intervals are
those of drawing patients.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from tumorboard.metrics.checked import Floats, checked_floats
from tumorboard.metrics.classify.classes import ratio
from tumorboard.metrics.classify.multiclass import Ranking
from tumorboard.metrics.estimate import LEVEL, Estimate
from tumorboard.metrics.resampling import Groups, weighted_bootstrap
from tumorboard.metrics.survival.censoring import Leaving, checked_horizons, followed
from tumorboard.metrics.survival.kaplan_meier import Flags, checked_times

Training = tuple[ArrayLike, ArrayLike]
"""Days and events of the patients from whom the chance of being followed is taken."""

_WHERE = "time-dependent AUC"


def dynamic_auc(
    days: ArrayLike,
    events: ArrayLike,
    risk: ArrayLike,
    horizon: float,
    groups: Groups | None = None,
    level: float = LEVEL,
    training: Training | None = None,
) -> Estimate:
    """Return the cumulative/dynamic area under the ROC curve at a horizon.

    Parameters
    ----------
    days : array_like of float, shape (n,)
        To death or to the end of follow-up.
    events : array_like of bool, shape (n,)
        Whether it was death.
    risk : array_like of float, shape (n,)
        Higher is earlier; equal ones count one half.
    horizon : float
        In days.
    groups : sequence, optional
        To which patient each row belongs; patients are drawn.
    level : float
        Of the interval.
    training : (days, events), optional
        From whom the chance of being followed is taken; by default from these patients.

    Returns
    -------
    Estimate
        0.5 is chance. Missing where nobody had died by the horizon, or nobody was followed beyond.

    Raises
    ------
    InputError
        Lengths differ, a value is not finite, or the horizon is not above 0.

    Examples
    --------
    >>> found = dynamic_auc([100, 200, 300, 400, 500, 600], [1, 1, 0, 1, 1, 0], [9, 3, 8, 4, 2, 1], horizon=350)
    >>> found.value
    0.8333333333333334
    """
    return _at(days, events, risk, checked_horizons(horizon, _WHERE), groups, level, training)


def integrated_auc(
    days: ArrayLike,
    events: ArrayLike,
    risk: ArrayLike,
    times: ArrayLike,
    groups: Groups | None = None,
    level: float = LEVEL,
    training: Training | None = None,
) -> Estimate:
    """Return the mean of the areas at several days, weighted by the share of patients who die between them.

    Parameters
    ----------
    days, events, risk, groups, level, training
        As :func:`dynamic_auc`.
    times : array_like of float, shape (k,)
        Days, rising.

    Returns
    -------
    Estimate
        0.5 is chance. Missing where an area is, or where nobody dies.

    Raises
    ------
    InputError
        As :func:`dynamic_auc`; days that do not rise.

    Examples
    --------
    >>> days, events, risk = [100, 200, 300, 400, 500, 600], [1, 1, 0, 1, 1, 0], [9, 3, 8, 4, 2, 1]
    >>> round(integrated_auc(days, events, risk, [150, 350, 450]).value, 4)
    0.95
    """
    return _at(days, events, risk, checked_horizons(times, _WHERE), groups, level, training)


def _at(
    days: ArrayLike,
    events: ArrayLike,
    risk: ArrayLike,
    times: Floats,
    groups: Groups | None,
    level: float,
    training: Training | None,
) -> Estimate:
    t, d = checked_times(days, events)
    r = checked_floats(risk, _WHERE, len(t))
    reason = _not_there(t, d, times)
    if reason:
        return Estimate.missing(reason, len(t))
    leaving = Leaving(t, d, followed(*training) if training else None)
    ranking = Ranking.of(r)

    def one(drawn: Floats) -> Floats:
        weights = drawn * leaving.weights(drawn, t)
        each = [ranking.areas(weights * (d & (t <= day)), drawn * (t > day)) for day in times]
        return each[0] if len(times) == 1 else _mean(drawn, t, d, np.array(each).T, times)

    return weighted_bootstrap(one, len(t), groups, level)


def _not_there(t: Floats, d: Flags, times: Floats) -> str:
    if not (d & (t <= times[0])).any():
        return "nobody had died by the (first) horizon"
    return "" if (t > times[-1]).any() else "nobody was followed beyond the (last) horizon"


def _mean(drawn: Floats, t: Floats, d: Flags, areas: Floats, times: Floats) -> Floats:
    """Weigh areas (draws, times) by how many of each draw die from one day to the next, by Kaplan-Meier."""
    when = np.unique(t[d])
    dead, there = drawn @ ((t[:, None] == when) & d[:, None]), drawn @ (t[:, None] >= when)
    live = np.cumprod(1 - np.divide(dead, there, out=np.zeros_like(dead), where=there > 0), axis=1)
    alive = np.concatenate([np.ones((len(drawn), 1)), live], axis=1)[:, np.searchsorted(when, times, side="right")]
    died = -np.diff(alive, axis=1, prepend=1.0)
    return ratio((areas * died).sum(axis=1), died.sum(axis=1))
