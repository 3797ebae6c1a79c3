"""How much one column alone says about an outcome.

Why it exists: univariate selection, supervised components and stability all begin with the same question, and must
answer it alike for classes, quantities and survival.

Sources: one-way F test; Pearson's r; score test of the Cox model (Cox DR. J R Stat Soc B 1972;34:187-220).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tumorboard.lab.outcome import Outcome
from tumorboard.lab.recipe import Outcomes

Floats = NDArray[np.float64]


def ranks(x: Floats) -> Floats:
    """Return average ranks of each column, centred.

    Examples
    --------
    >>> ranks(np.array([[5.0], [1.0], [5.0]]))[:, 0].tolist()
    [0.5, -1.0, 0.5]
    """
    from scipy.stats import rankdata

    ranked = np.asarray(rankdata(x, axis=0), dtype=np.float64)
    return np.asarray(ranked - ranked.mean(axis=0))


def strength(x: Floats, outcome: Outcome) -> Floats:
    """Return a statistic of each column, higher where it says more.

    Parameters
    ----------
    x : ndarray, shape (n, columns)
        Without missing values.
    outcome : Outcome
        Of the same rows.

    Returns
    -------
    ndarray, shape (columns,)
        F for classes; the F of r for quantities; the squared score statistic for survival. 0 for a constant column.

    Examples
    --------
    >>> strength(np.array([[0.0, 1], [1, 1], [4, 1], [5, 1]]), Outcome.binary([0, 0, 1, 1])).tolist()
    [32.0, 0.0]
    """
    if outcome.kind is Outcomes.SURVIVAL:
        return cox_score(x, outcome.days, outcome.events) ** 2
    if outcome.discrete:
        return _f(x, outcome.target.astype(np.int64))
    r = correlation(x, outcome.target)
    return r**2 / np.maximum(1 - r**2, 1e-12) * (len(x) - 2)


def p_values(x: Floats, outcome: Outcome) -> Floats:
    """Return the p value of :func:`strength` for each column, 1 for a constant one.

    Examples
    --------
    >>> p_values(np.array([[0.0], [1], [4], [5]]), Outcome.binary([0, 0, 1, 1])).round(4).tolist()
    [0.0299]
    """
    from scipy import stats

    found = strength(x, outcome)
    if outcome.kind is Outcomes.SURVIVAL:
        return np.asarray(stats.chi2.sf(found, 1))
    groups = len(np.unique(outcome.target)) if outcome.discrete else 2
    return np.asarray(stats.f.sf(found, groups - 1, len(x) - groups))


def correlation(x: Floats, y: Floats) -> Floats:
    """Return Pearson's r of each column with a quantity, 0 for a constant column."""
    xc, yc = x - x.mean(axis=0), y - y.mean()
    size = np.linalg.norm(xc, axis=0) * np.linalg.norm(yc)
    flat = size <= 1e-12 * max(1.0, float(np.abs(x).max(initial=0.0)))
    return np.where(flat, 0.0, xc.T @ yc / np.where(flat, 1.0, size))


def _f(x: Floats, groups: NDArray[np.int64]) -> Floats:
    names = np.unique(groups)
    mean = x.mean(axis=0)
    between, within = np.zeros(x.shape[1]), np.zeros(x.shape[1])
    for g in names:
        rows = x[groups == g]
        between += len(rows) * (rows.mean(axis=0) - mean) ** 2
        within += ((rows - rows.mean(axis=0)) ** 2).sum(axis=0)
    spread = between + within
    flat = spread <= 1e-20 * np.maximum(1.0, mean**2) * len(x)
    within = np.maximum(within / max(len(x) - len(names), 1), 1e-12 * np.where(flat, 1.0, spread))
    return np.where(flat, 0.0, between / max(len(names) - 1, 1) / np.where(flat, 1.0, within))


def cox_score(x: Floats, days: Floats, events: NDArray[np.bool_]) -> Floats:
    """Return the standardised score statistic of each column alone in a Cox model (ties after Breslow).

    Parameters
    ----------
    x : ndarray, shape (n, columns)
        Columns.
    days, events : ndarray, shape (n,)
        Follow-up.

    Returns
    -------
    ndarray, shape (columns,)
        Above 0 where a higher value means an earlier event.

    Examples
    --------
    >>> days, events = np.array([1.0, 2, 3]), np.array([True, True, True])
    >>> cox_score(np.array([[3.0], [2.0], [1.0]]), days, events).round(2).tolist()
    [1.57]
    """
    order = np.argsort(-days, kind="stable")
    z, t, d = x[order] - x.mean(axis=0), days[order], events[order]
    upto = np.searchsorted(-t, -t, side="right") - 1  # everybody who was followed at least so long
    n = (upto + 1.0)[d][:, None]
    mean = np.cumsum(z, axis=0)[upto[d]] / n
    square = np.cumsum(z**2, axis=0)[upto[d]] / n
    score = (z[d] - mean).sum(axis=0)
    information = np.maximum(square - mean**2, 0.0).sum(axis=0)
    flat = information <= 1e-20 * np.maximum(1.0, (x**2).mean(axis=0))
    return np.where(flat, 0.0, score / np.sqrt(np.where(flat, 1.0, information)))
