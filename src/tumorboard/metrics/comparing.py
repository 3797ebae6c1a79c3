"""Is one model better than another, or than chance: paired bootstrap, permutation, and many tests at once.

Why it exists: two intervals that overlap do not say that two models are alike; their difference on the same patients
does. A metric that looks good on thirty patients may be what shuffled outcomes give. And of twenty tests one is
expected to be wrong.

Source: Efron B, Tibshirani RJ. An introduction to the bootstrap, 1993; Phipson B, Smyth GK. Stat Appl Genet Mol Biol
2010;9:39 (p of permutations); Holm S. Scand J Stat 1979;6:65-70; Benjamini Y, Hochberg Y. J R Stat Soc B
1995;57:289-300.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from tumorboard.errors import InputError, did_you_mean
from tumorboard.metrics.checked import Floats, checked_floats
from tumorboard.metrics.classify.delong import Comparison
from tumorboard.metrics.estimate import LEVEL, Estimate
from tumorboard.metrics.resampling import (
    DRAWS,
    LEAST_GROUPS,
    Groups,
    Rows,
    Statistic,
    draws_of,
    interval_of_draws,
    rows_by_group,
)


def compare_metrics(
    first: Statistic,
    second: Statistic,
    n: int,
    groups: Groups | None = None,
    level: float = LEVEL,
    draws: int = DRAWS,
) -> Comparison:
    """Compare any metric of two models on the same patients, drawn together.

    Parameters
    ----------
    first, second : callable
        From rows (with repeats) to the metric of each model; NaN where it does not exist.
    n : int
        Of rows.
    groups : sequence, optional
        To which patient each row belongs; patients are drawn.
    level : float
        Of the interval.
    draws : int
        Of patients.

    Returns
    -------
    Comparison
        The first minus the second; p is twice the smaller share of draws on either side of 0, never below 1 over the
        number of draws. No z.

    Raises
    ------
    InputError
        There is not one group for each row.

    Examples
    --------
    >>> truth = np.array([0.0, 1, 2, 3, 4, 5, 6, 7])
    >>> near, far = truth + 0.5, truth + np.array([1.0, 3, 2, 1, 2, 3, 1, 2])
    >>> found = compare_metrics(
    ...     lambda rows: float(np.abs(near - truth)[rows].mean()),
    ...     lambda rows: float(np.abs(far - truth)[rows].mean()), 8)
    >>> found.difference.value, found.p < 0.05
    (-1.375, True)
    """
    rows = np.arange(n, dtype=np.intp)
    value = first(rows) - second(rows) if n else math.nan
    if math.isnan(value):
        return Comparison(Estimate.missing("one of the two cannot be computed", n), math.nan, math.nan)
    if len(rows_by_group(groups, n)) < LEAST_GROUPS:
        reason = f"from fewer than {LEAST_GROUPS} patients: no interval"
        return Comparison(Estimate.bare(value, reason, n), math.nan, math.nan)
    drawn = draws_of(lambda r: first(r) - second(r), n, groups, draws)
    estimate = interval_of_draws(value, drawn, n, level)
    known = drawn[~np.isnan(drawn)]
    if math.isnan(estimate.low):
        return Comparison(estimate, math.nan, math.nan)
    tail = min(float((known <= 0).mean()), float((known >= 0).mean()))
    return Comparison(estimate, math.nan, min(1.0, max(2 * tail, 1 / len(known))))


@dataclass(frozen=True, slots=True)
class AgainstChance:
    """A metric against what shuffled outcomes give.

    Parameters
    ----------
    value : float
        Of the predictions.
    chance : float
        Mean over shuffles.
    p : float
        One-sided: (1 + shuffles as good) over (1 + shuffles); NaN where the metric does not exist.
    shuffles : int
        For which the metric existed.
    """

    value: float
    chance: float
    p: float
    shuffles: int


def against_chance(
    metric: Callable[[Floats, Floats], float],
    truth: ArrayLike,
    prediction: ArrayLike,
    groups: Groups | None = None,
    higher: bool = True,
    shuffles: int = DRAWS,
    seed: int = 0,
) -> AgainstChance:
    """Test predictions against shuffled outcomes.

    It tells whether fixed, out-of-sample predictions are better than chance; whether a way of training is, is told by
    training again on shuffled outcomes.

    Parameters
    ----------
    metric : callable
        From (truth, prediction) to a number; NaN where it does not exist.
    truth : array_like of float, shape (n,)
        Outcomes.
    prediction : array_like of float, shape (n,) or (n, k)
        Of each row.
    groups : sequence, optional
        To which patient each row belongs; predictions of whole patients change places among patients with as many rows.
    higher : bool
        Whether more is better.
    shuffles, seed : int
        How many, and the seed of their generator.

    Returns
    -------
    AgainstChance

    Raises
    ------
    InputError
        Lengths differ, or there is not one group for each row.

    Examples
    --------
    >>> from tumorboard.metrics.classify.roc import roc_auc
    >>> found = against_chance(lambda y, s: roc_auc(y, s).value, [0] * 9 + [1] * 9, range(18), shuffles=200)
    >>> found.value, round(found.p, 3)
    (1.0, 0.005)
    """
    y, x = checked_floats(truth, "truth"), np.asarray(prediction, dtype=np.float64)
    if len(x) != len(y):
        raise InputError(f"{len(y)} predictions", got=f"{len(x)}", where="permutation test")
    members = rows_by_group(groups, len(y))
    by_size: dict[int, list[int]] = {}
    for place, rows in enumerate(members):
        by_size.setdefault(len(rows), []).append(place)
    rng, found = np.random.default_rng(seed), []
    for _ in range(shuffles):
        order = np.empty(len(y), dtype=np.intp)
        for places in by_size.values():
            for here, there in zip(places, rng.permutation(places), strict=True):
                order[members[here]] = members[there]
        found.append(metric(y, x[order]))
    value, drawn = metric(y, x), np.array(found)
    known = drawn[~np.isnan(drawn)]
    if math.isnan(value) or not len(known):
        return AgainstChance(value, math.nan, math.nan, len(known))
    good = known >= value - _ROUNDING if higher else known <= value + _ROUNDING
    return AgainstChance(value, float(known.mean()), (1 + int(good.sum())) / (1 + len(known)), len(known))


_ROUNDING = 1e-12


def _bonferroni(p: Floats) -> Floats:
    return np.minimum(p * len(p), 1.0)


def _holm(p: Floats) -> Floats:
    order = np.argsort(p)
    stepped = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    return _back(np.minimum(stepped, 1.0), order)


def _benjamini_hochberg(p: Floats) -> Floats:
    order = np.argsort(p)
    stepped = np.minimum.accumulate((p[order] * len(p) / np.arange(1, len(p) + 1))[::-1])[::-1]
    return _back(np.minimum(stepped, 1.0), order)


def _back(values: Floats, order: Rows) -> Floats:
    out = np.empty_like(values)
    out[order] = values
    return out


ADJUSTMENTS: dict[str, Callable[[Floats], Floats]] = {
    "bonferroni": _bonferroni,
    "holm": _holm,
    "bh": _benjamini_hochberg,
}
"""Ways to adjust p for many tests: the first two keep any error rare, the third the share of false ones."""


def adjusted_p(p: ArrayLike, how: str = "holm") -> Floats:
    """Adjust p values of tests made together.

    Parameters
    ----------
    p : array_like of float, shape (n,)
        From 0 to 1.
    how : {'holm', 'bonferroni', 'bh'}
        One of :data:`ADJUSTMENTS`.

    Returns
    -------
    ndarray of float64, shape (n,)
        In the same order.

    Raises
    ------
    InputError
        An unknown way, or a number that is no p.

    Examples
    --------
    >>> adjusted_p([0.01, 0.04, 0.03]).round(3).tolist()
    [0.03, 0.06, 0.06]
    """
    if how not in ADJUSTMENTS:
        remedy = did_you_mean(how, ADJUSTMENTS)
        raise InputError(f"a way of {', '.join(ADJUSTMENTS)}", got=repr(how), where="adjusted p", remedy=remedy)
    found = checked_floats(p, "p values")
    if ((found < 0) | (found > 1)).any():
        raise InputError("numbers from 0 to 1", got="one outside", where="p values")
    return ADJUSTMENTS[how](found)
