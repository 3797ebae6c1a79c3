"""Time to an event that not everybody has had by the end: curves, medians, hazard ratios.

Why it exists: a patient who is alive at the last visit has lived at least so long, and leaving such patients out, or
taking that day for their death, makes every number wrong. A death on the day of another's last visit comes first.

Source: Kaplan EL, Meier P. J Am Stat Assoc 1958;53:457-481, with the interval of log(-log) of the curve (Kalbfleisch
JD, Prentice RL. The statistical analysis of failure time data, 1980); Brookmeyer R, Crowley J. Biometrics 1982;38:29-41
(median); Cox DR. J R Stat Soc B 1972;34:187-220, with the ties of Efron B. J Am Stat Assoc 1977;72:557-565.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tumorboard.errors import InputError
from tumorboard.metrics.estimate import LEVEL, Estimate, normal_quantile

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

_WHERE = "survival"
_ROUNDING = 1e-12

_FAR = 60.0
"""No logarithm of a ratio lies beyond."""


@dataclass(frozen=True, eq=False)
class SurvivalCurve:
    """Share of patients that are still free of the event.

    Parameters
    ----------
    times : ndarray of float64, shape (k,)
        Days on which there was an event, rising; the first is 0.
    free : ndarray of float64, shape (k,)
        From that day on until the next.
    low, high : ndarray of float64, shape (k,)
        Interval at each day; NaN where there is none (nobody, or everybody, has had the event).
    follow_up : ndarray of float64, shape (n,)
        Days of each patient, rising.
    censored : ndarray of float64, shape (m,)
        Days at which a patient was last seen without it, rising.
    """

    times: Floats
    free: Floats
    low: Floats
    high: Floats
    follow_up: Floats
    censored: Floats

    def at(self, day: float) -> float:
        """Return the share that is free after that day."""
        return float(self.free[np.searchsorted(self.times, day, side="right") - 1])

    def at_risk(self, day: float) -> int:
        """Return how many were followed for at least so long without the event before that day."""
        return len(self.follow_up) - int(np.searchsorted(self.follow_up, day, side="left"))

    @property
    def median(self) -> Estimate:
        """First day on which no more than half are free; an end of its interval is infinite when not reached."""
        day, low, high = (_first_half(self.times, line) for line in (self.free, self.low, self.high))
        n = len(self.follow_up)
        if math.isinf(day):
            return Estimate.missing("more than half were free to the end of follow-up", n)
        return Estimate(day, min(low, day), high, n)  # where the curve falls to 0 at once, its band is not defined


def _first_half(times: Floats, line: Floats) -> float:
    there = np.flatnonzero(np.nan_to_num(line, nan=1.0) <= 0.5 + _ROUNDING)
    return float(times[there[0]]) if len(there) else math.inf


def kaplan_meier(days: ArrayLike, events: ArrayLike, level: float = LEVEL) -> SurvivalCurve:
    """Return the Kaplan-Meier curve.

    Parameters
    ----------
    days : array_like of float, shape (n,)
        To the event or to the end of follow-up.
    events : array_like of bool, shape (n,)
        Whether it was the event.
    level : float
        Of the interval.

    Returns
    -------
    SurvivalCurve

    Raises
    ------
    InputError
        There is no patient, lengths differ, or a day is negative or not finite.

    Examples
    --------
    >>> curve = kaplan_meier([100, 200, 200, 300], [True, True, False, True])
    >>> curve.free.tolist(), curve.median.value, curve.at_risk(200)
    ([1.0, 0.75, 0.5, 0.0], 200.0, 3)
    """
    t, d = checked_times(days, events)
    if not len(t):
        raise InputError("at least one patient", got="none", where=_WHERE)
    when, deaths = np.unique(t[d], return_counts=True)
    ordered = np.sort(t)
    risk = len(t) - np.searchsorted(ordered, when, side="left")
    free = np.asarray(np.cumprod(1 - deaths / risk), dtype=np.float64)
    rest = risk - deaths
    greenwood = np.cumsum(np.divide(deaths, risk * rest, out=np.full(len(when), np.inf), where=rest > 0))
    low, high = _band(free, greenwood, level)
    start = 0 if len(when) and when[0] == 0 else 1  # an event on day 0 replaces the start
    head, none = np.ones(start), np.full(start, np.nan)
    return SurvivalCurve(
        np.concatenate([np.zeros(start), when]),
        np.concatenate([head, free]),
        np.concatenate([none, low]),
        np.concatenate([none, high]),
        ordered,
        np.sort(t[~d]),
    )


def _band(free: Floats, greenwood: Floats, level: float) -> tuple[Floats, Floats]:
    low, high = np.full(len(free), np.nan), np.full(len(free), np.nan)
    inside = (free > 0) & (free < 1)
    log = np.log(free[inside])
    reach = normal_quantile(level) * np.sqrt(greenwood[inside]) / np.abs(log)
    low[inside], high[inside] = np.exp(log * np.exp(reach)), np.exp(log * np.exp(-reach))
    return low, high


@dataclass(frozen=True, slots=True)
class Spans:
    """Stretches of patients' time during which nothing changes, for a hazard ratio.

    Parameters
    ----------
    patients : ndarray of int, shape (n,)
        Whose; stretches of one patient follow each other.
    starts, stops : ndarray of float64, shape (n,)
        Days; a stretch begins after ``start`` and holds ``stop``.
    deaths : ndarray of bool, shape (n,)
        Whether the patient died at ``stop``.
    exposed : ndarray of bool, shape (n,)
        Whether the stretch lies in the state whose hazard is asked for.
    """

    patients: NDArray[np.int64]
    starts: Floats
    stops: Floats
    deaths: Flags
    exposed: Flags


def fixed_spans(days: ArrayLike, events: ArrayLike, exposed: ArrayLike) -> Spans:
    """Return one stretch a patient, in one state from the first day to the last.

    Parameters
    ----------
    days, events : array_like, shape (n,)
        To death or to the end of follow-up, and which of the two it was.
    exposed : array_like of bool, shape (n,)
        The state.

    Raises
    ------
    InputError
        Lengths differ, or a day is negative or not finite.

    Examples
    --------
    >>> fixed_spans([100, 200], [True, False], [True, False]).starts.tolist()
    [0.0, 0.0]
    """
    t, d = checked_times(days, events)
    return Spans(np.arange(len(t)), np.zeros(len(t)), t, d, checked_flags(exposed, t))


def changing_spans(days: ArrayLike, events: ArrayLike, since: ArrayLike) -> Spans:
    """Return one stretch a patient before the state begins and one after.

    Parameters
    ----------
    days, events : array_like, shape (n,)
        To death or to the end of follow-up, and which of the two it was.
    since : array_like of float, shape (n,)
        Day on which the state begins; infinite where it never does. It holds after that day, so that who dies on it
        dies outside.

    Raises
    ------
    InputError
        Lengths differ, or a day is negative or not finite.

    Examples
    --------
    >>> spans = changing_spans([100, 200], [True, False], [60, float("inf")])
    >>> spans.patients.tolist(), spans.stops.tolist(), spans.exposed.tolist()
    ([0, 0, 1], [60.0, 100.0, 200.0], [False, True, False])
    """
    t, d = checked_times(days, events)
    begin = np.asarray(since, dtype=np.float64)
    if begin.shape != t.shape or np.isnan(begin).any() or (begin < 0).any():
        raise InputError("a day from 0, or infinity, for each patient", got="something else", where=_WHERE)
    splits = (begin > 0) & (begin < t)
    whose = np.concatenate([np.arange(len(t)), np.flatnonzero(splits)])
    second = np.arange(len(whose)) >= len(t)
    starts = np.where(second, begin[whose], 0.0)
    stops = np.where(second | ~splits[whose], t[whose], np.minimum(begin, t)[whose])
    deaths = d[whose] & (second | ~splits[whose])
    exposed = second | (begin[whose] == 0)
    order = np.lexsort((starts, whose))
    return Spans(whose[order], starts[order], stops[order], deaths[order], exposed[order])


@dataclass(frozen=True, slots=True)
class HazardRatio:
    """Of dying in a state against outside it.

    Parameters
    ----------
    ratio : Estimate
        Above 1 where the state is worse; ``n`` counts patients.
    p : float
        Of Wald's test that it is 1; NaN where there is no ratio.
    deaths : int
        How many it rests on; who died on day 0 was never at risk.
    """

    ratio: Estimate
    p: float
    deaths: int


def hazard_ratio(spans: Spans, level: float = LEVEL) -> HazardRatio:
    """Fit Cox's model with the state as its one covariate.

    Parameters
    ----------
    spans : Spans
        From :func:`fixed_spans` or :func:`changing_spans`.
    level : float
        Of the interval.

    Returns
    -------
    HazardRatio
        Missing where the ratio is not finite: nobody died while both states were to be seen, or all who did were in
        the same one.

    Examples
    --------
    >>> found = hazard_ratio(fixed_spans([10, 20, 30, 40, 50, 60], [True] * 6, [True, False, True, True, False, False]))
    >>> round(found.ratio.value, 2), found.deaths
    (4.03, 6)
    """
    patients, deaths = len(np.unique(spans.patients)), int((spans.deaths & (spans.stops > spans.starts)).sum())
    reason = _not_finite(spans)
    if reason:
        return HazardRatio(Estimate.missing(reason, patients), math.nan, deaths)
    log, error, p = _cox(spans)
    reach = normal_quantile(level) * error
    ratio = Estimate(math.exp(log), math.exp(log - reach), math.exp(log + reach), patients)
    return HazardRatio(ratio, p, deaths)


def _not_finite(spans: Spans) -> str:
    """Return why the likelihood has no maximum, or an empty text."""
    when = np.unique(spans.stops[spans.deaths])
    inside, outside = (_at_risk(spans, which, when) for which in (spans.exposed, ~spans.exposed))
    both = when[(inside > 0) & (outside > 0)]
    informative = spans.deaths & np.isin(spans.stops, both)
    if not informative.any():
        return "nobody died while patients of both states were at risk"
    if not (informative & ~spans.exposed).any():
        return "all who died while both states were at risk were in the state: the ratio is not finite"
    if not (informative & spans.exposed).any():
        return "nobody died in the state while both were at risk: the ratio is 0"
    return ""


def _at_risk(spans: Spans, which: Flags, when: Floats) -> NDArray[np.intp]:
    """Count stretches that hold each of the days."""
    begun = np.searchsorted(np.sort(spans.starts[which]), when, side="left")
    ended = np.searchsorted(np.sort(spans.stops[which]), when, side="left")
    return np.asarray(begun - ended)


def _cox(spans: Spans) -> tuple[float, float, float]:
    """Return the logarithm of the ratio, its standard error, and p.

    With one covariate of two values the likelihood is concave in one number, so its maximum is a root that cannot be
    missed; Newton's method, which fitters of many covariates use, jumps over it when the state is rare and deadly.
    """
    from scipy.optimize import brentq
    from scipy.special import expit

    ours, inside, outside = _ties(spans)
    with np.errstate(divide="ignore"):
        odds = np.log(inside) - np.log(outside)
    log = float(brentq(lambda x: ours - float(expit(x + odds).sum()), -_FAR, _FAR, xtol=1e-12))
    chance = expit(log + odds)  # of each death to be in the state
    error = 1.0 / math.sqrt(float((chance * (1.0 - chance)).sum()))
    return log, error, 2.0 * NormalDist().cdf(-abs(log / error))


def _ties(spans: Spans) -> tuple[float, Floats, Floats]:
    """Return deaths in the state, and for each death how many were at risk in and outside it, less the ties before."""
    lasting = spans.stops > spans.starts
    dead = spans.deaths & lasting
    when, at = np.unique(spans.stops[dead], return_inverse=True)
    risk = [_at_risk(spans, which & lasting, when) for which in (spans.exposed, ~spans.exposed)]
    died = [np.bincount(at[which[dead]], minlength=len(when)) for which in (spans.exposed, ~spans.exposed)]
    count = died[0] + died[1]
    place = np.repeat(np.arange(len(when)), count)
    share = (np.arange(len(place)) - np.repeat(np.cumsum(count) - count, count)) / count[place]
    inside, outside = (r[place] - share * d[place] for r, d in zip(risk, died, strict=True))
    return float(died[0].sum()), inside, outside


def checked_times(days: ArrayLike, events: ArrayLike) -> tuple[Floats, Flags]:
    """Return days and flags of the event as arrays of one length.

    Raises
    ------
    InputError
        They are not.
    """
    t = np.asarray(days, dtype=np.float64)
    if t.ndim != 1 or not np.isfinite(t).all() or (t < 0).any():
        raise InputError("a list of days from 0", got="something else", where=_WHERE)
    return t, checked_flags(events, t)


def checked_flags(flags: ArrayLike | None, t: Floats) -> Flags:
    """Return flags of the patients; true for all where none are given.

    Raises
    ------
    InputError
        There is not one for each.
    """
    found = np.ones(len(t), dtype=np.bool_) if flags is None else np.asarray(flags, dtype=np.bool_)
    if found.shape != t.shape:
        raise InputError(f"{len(t)} flags, one a patient", got=f"shape {found.shape}", where=_WHERE)
    return found
