"""Whether acting on predicted survival does more good than acting on everybody or on nobody, at a day.

Why it exists: the net benefit of survival is that of events until a day, and who left before is neither an event nor
none. They are weighed for by the chance to be followed, so that acting on everybody gains what Kaplan-Meier says.

Source: Vickers AJ et al. BMC Med Inform Decis Mak 2008;8:53 (net benefit of survival); weights: Graf E et al. Stat Med
1999;18:2529-2545. Without censoring it is :func:`tumorboard.metrics.classify.decision_curve.decision_curve`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from tumorboard.errors import InputError
from tumorboard.metrics.checked import Flags, Floats, checked_floats
from tumorboard.metrics.classify.decision_curve import DecisionCurve
from tumorboard.metrics.estimate import LEVEL
from tumorboard.metrics.resampling import DRAWS, Groups, group_codes
from tumorboard.metrics.survival.censoring import Leaving, checked_horizons
from tumorboard.metrics.survival.kaplan_meier import checked_times

_WHERE = "net benefit of survival"
_AT_ONCE = 100
"""Draws that are computed together."""


def survival_decision_curve(
    days: ArrayLike,
    events: ArrayLike,
    survival: ArrayLike,
    horizon: float,
    thresholds: ArrayLike | None = None,
    groups: Groups | None = None,
    level: float = LEVEL,
) -> DecisionCurve:
    """Return net benefit over thresholds of the risk of an event until a day, with pointwise bootstrap intervals.

    Parameters
    ----------
    days : array_like of float, shape (n,)
        To the event or to the end of follow-up.
    events : array_like of bool, shape (n,)
        Whether it was the event.
    survival : array_like of float, shape (n,)
        Predicted chance to be alive after the horizon; the risk is one less it.
    horizon : float
        In days.
    thresholds : array_like of float, shape (k,), optional
        Risks from which on one would act, between 0 and 1; by default from 0.01 to 0.99.
    groups : sequence, optional
        To which patient each row belongs; patients are drawn.
    level : float
        Of the intervals, from :data:`~tumorboard.metrics.resampling.DRAWS` draws of patients.

    Returns
    -------
    DecisionCurve
        Its ``prevalence`` is the share with the event by then, after Kaplan-Meier. With its reason where nobody had
        the event by then, or nobody was followed beyond.

    Raises
    ------
    InputError
        Lengths differ, a chance outside 0 to 1, a threshold that is not between 0 and 1, or no horizon above 0.

    Examples
    --------
    >>> curve = survival_decision_curve([100, 200, 400, 500], [1, 1, 0, 0], [0.2, 0.6, 0.7, 0.9], 300, [0.35])
    >>> curve.model.tolist(), curve.prevalence
    ([0.5], 0.5)
    """
    t, d = checked_times(days, events)
    s = checked_floats(survival, _WHERE, len(t))
    day = checked_horizons(horizon, _WHERE)
    if ((s < 0) | (s > 1)).any():
        raise InputError("chances from 0 to 1", got="a number outside", where=_WHERE)
    at = np.arange(1, 100) / 100 if thresholds is None else checked_floats(thresholds, _WHERE)
    if ((at <= 0) | (at >= 1)).any():
        raise InputError("thresholds between 0 and 1", got="one outside", where=_WHERE)
    n, none = len(t), np.full(len(at), np.nan)
    reason = _not_there(t, d, float(day[0]))
    if reason:
        return DecisionCurve(at, none, none, none, none, none, float("nan"), n, reason)
    leaving, acted = Leaving(t, d), (1 - s[:, None] >= at).astype(np.float64)
    value, risk = _benefit(np.ones((1, n)), leaving, acted, day, at)
    whose = group_codes(groups, n)
    units = int(whose.max()) + 1
    weights = np.random.default_rng(0).multinomial(units, np.full(units, 1 / units), size=DRAWS)[:, whose]
    drawn = [
        _benefit(weights[first : first + _AT_ONCE].astype(np.float64), leaving, acted, day, at)
        for first in range(0, DRAWS, _AT_ONCE)
    ]
    benefits, risks = (np.concatenate([one[side] for one in drawn]) for side in (0, 1))
    ends = [50 * (1 - level), 50 * (1 + level)]
    low, high = np.percentile(benefits, ends, axis=0)
    gained = benefits - np.maximum(_all(risks[:, None], at), 0.0)
    gain_low = np.asarray(np.percentile(gained, ends[0], axis=0))
    share = float(risk[0])
    return DecisionCurve(at, value[0], low, high, _all(share, at), gain_low, share, n)


def _benefit(drawn: Floats, leaving: Leaving, acted: Floats, day: Floats, at: Floats) -> tuple[Floats, Floats]:
    """Return net benefits (draws, thresholds), and the share with the event by the day (draws,)."""
    died = (leaving.d & (leaving.t <= day[0])).astype(np.float64)
    lives = (leaving.t > day[0]).astype(np.float64)
    size = drawn.sum(axis=1, keepdims=True)
    # just before their day: who leaves on the day of an event leaves after it, as for Kaplan-Meier
    had = drawn * leaving.weights(drawn, np.nextafter(leaving.t, 0)) * died
    had_none = drawn * lives * leaving.weights(drawn, day)
    found = (had @ acted - (had_none @ acted) * (at / (1 - at))) / size
    return np.asarray(found), np.asarray(had.sum(axis=1) / size[:, 0])


def _all(risk: Floats | float, at: Floats) -> Floats:
    return np.asarray(risk - (1 - risk) * at / (1 - at))


def _not_there(t: Floats, d: Flags, day: float) -> str:
    if not (d & (t <= day)).any():
        return "nobody had the event by the horizon"
    return "" if (t > day).any() else "nobody was followed beyond the horizon"
