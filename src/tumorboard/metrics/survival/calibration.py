"""Whether predicted survival at a horizon happens: observed over expected, slope, and risk groups against Kaplan-Meier.

Why it exists: a concordance does not see whether a predicted one-year survival of 60 % is right. Who left before the
horizon counts through Kaplan-Meier, never as alive.

Source: van Houwelingen HC. Stat Med 2000;19:3401-3415 (slope); McLernon DJ et al. Ann Intern Med 2023;176:105-114
(observed over expected, groups).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from tumorboard.errors import InputError
from tumorboard.metrics.calibrate.logistic import NEAREST
from tumorboard.metrics.checked import Floats, checked_floats
from tumorboard.metrics.estimate import LEVEL, Estimate, normal_quantile
from tumorboard.metrics.survival.censoring import checked_horizons
from tumorboard.metrics.survival.kaplan_meier import Flags, checked_times, kaplan_meier

_WHERE = "calibration of survival"


@dataclass(frozen=True, slots=True)
class RiskBin:
    """Patients with like predicted survival.

    Parameters
    ----------
    predicted : float
        Mean predicted survival at the horizon.
    observed : Estimate
        Kaplan-Meier there; missing where nobody was followed so long.
    """

    predicted: float
    observed: Estimate


@dataclass(frozen=True, slots=True)
class HorizonCalibration:
    """Calibration at a horizon.

    Parameters
    ----------
    horizon : float
        In days.
    oe : Estimate
        Observed deaths (one less Kaplan-Meier) over the mean predicted risk; 1 is right.
    slope : Estimate
        Of Cox's model on the logarithm of the predicted cumulative hazard; 1 is right, below it too extreme.
    bins : tuple of RiskBin
        From the lowest predicted survival up.
    """

    horizon: float
    oe: Estimate
    slope: Estimate
    bins: tuple[RiskBin, ...]


def horizon_calibration(
    days: ArrayLike,
    events: ArrayLike,
    survival: ArrayLike,
    horizon: float,
    level: float = LEVEL,
    bins: int = 4,
) -> HorizonCalibration:
    """Return calibration at a horizon; rows must be of different patients.

    Parameters
    ----------
    days : array_like of float, shape (n,)
        To death or to the end of follow-up.
    events : array_like of bool, shape (n,)
        Whether it was death.
    survival : array_like of float, shape (n,)
        Predicted chance to be alive after the horizon.
    horizon : float
        In days.
    level : float
        Of the intervals.
    bins : int
        Groups of equal numbers of patients.

    Returns
    -------
    HorizonCalibration
        Parts that cannot be had say why.

    Raises
    ------
    InputError
        Lengths differ, a chance outside 0 to 1, no horizon above 0, or no bins.

    Examples
    --------
    >>> days, events = [100, 200, 300, 400, 500, 600, 700, 800], [1, 1, 0, 1, 1, 0, 1, 1]
    >>> found = horizon_calibration(days, events, [0.3, 0.2, 0.6, 0.5, 0.7, 0.8, 0.9, 0.7], horizon=450, bins=2)
    >>> round(found.oe.value, 2), len(found.bins)
    (0.97, 2)
    """
    t, d = checked_times(days, events)
    s = checked_floats(survival, _WHERE, len(t))
    day = float(checked_horizons(horizon, _WHERE)[0])
    if ((s < 0) | (s > 1)).any():
        raise InputError("chances from 0 to 1", got="a number outside", where=_WHERE)
    if bins < 1:
        raise InputError("1 bin or more", got=f"{bins}", where=_WHERE)
    if not len(t):
        gone = Estimate.missing("no patient", 0)
        return HorizonCalibration(day, gone, gone, ())
    slope = _slope(t, d, s, day, level)
    return HorizonCalibration(day, _ratio(t, d, s, day, level), slope, _bins(t, d, s, day, level, bins))


def _alive(t: Floats, d: Flags, day: float, level: float) -> Estimate:
    """Return the share alive after a day; missing where the curve ends before it."""
    curve = kaplan_meier(t, d, level)
    if not (t >= day).any() and curve.free[-1] > 0:
        return Estimate.missing("nobody was followed to the horizon", len(t))
    place = int(np.searchsorted(curve.times, day, side="right")) - 1
    value, low, high = (float(line[place]) for line in (curve.free, curve.low, curve.high))
    if math.isnan(low):
        return Estimate.bare(value, "nobody, or everybody, had died: no interval", len(t))
    return Estimate(value, low, high, len(t))


def _ratio(t: Floats, d: Flags, s: Floats, day: float, level: float) -> Estimate:
    alive, expected = _alive(t, d, day, level), float((1 - s).mean())
    if not alive.known:
        return alive
    if not expected:
        return Estimate.missing("no death is expected", len(t))
    return Estimate(
        (1 - alive.value) / expected, (1 - alive.high) / expected, (1 - alive.low) / expected, len(t), alive.reason
    )


def _bins(t: Floats, d: Flags, s: Floats, day: float, level: float, bins: int) -> tuple[RiskBin, ...]:
    places = np.searchsorted(np.quantile(s, np.arange(1, bins) / bins), s, side="right")
    held = [places == place for place in np.unique(places)]
    return tuple(RiskBin(float(s[rows].mean()), _alive(t[rows], d[rows], day, level)) for rows in held)


def _slope(t: Floats, d: Flags, s: Floats, day: float, level: float) -> Estimate:
    import warnings

    import pandas as pd
    from lifelines import CoxPHFitter
    from lifelines.exceptions import ConvergenceError, ConvergenceWarning

    n = len(t)
    predictor = np.log(-np.log(np.clip(s, NEAREST, 1 - NEAREST)))
    seen = d & (t <= day)  # what comes after the horizon was not predicted
    if np.ptp(predictor) == 0 or not seen.any():
        return Estimate.missing("the predictions do not vary, or nobody died by the horizon", n)
    frame = pd.DataFrame({"day": np.minimum(t, day), "death": seen, "x": predictor})
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", ConvergenceWarning)
            row = CoxPHFitter().fit(frame, duration_col="day", event_col="death").summary.loc["x"]
    except (ConvergenceError, ConvergenceWarning):
        return Estimate.missing("the predictions part deaths from survivors: no fit", n)
    value, reach = float(row["coef"]), normal_quantile(level) * float(row["se(coef)"])
    return Estimate(value, value - reach, value + reach, n)
