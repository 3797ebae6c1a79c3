"""How the answer changes with one column: partial dependence, and accumulated local effects.

Why it exists: a driver's importance does not tell whether more of it is better, nor from where on. Partial dependence
asks about patients who do not exist where columns go together; accumulated local effects ask only near real ones.

Source: Friedman JH. Ann Stat 2001;29:1189-1232 (partial dependence); Apley DW, Zhu J. J R Stat Soc B 2020;82:1059-1086
(accumulated local effects).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from tumorboard.errors import InputError
from tumorboard.explain.explanation import About, Explanation, Scope
from tumorboard.explain.tables.groups import ABOVE, rank_correlation
from tumorboard.explain.tables.inputs import Floats, Predict, Rows, one_answer
from tumorboard.explain.words import column_words
from tumorboard.metrics.resampling import Groups, rows_by_group

PD_CITES = "Friedman JH. Ann Stat 2001;29:1189-1232"
ALE_CITES = "Apley DW, Zhu J. J R Stat Soc B 2020;82:1059-1086"
POINTS = 20
DRAWS = 200


@dataclass(frozen=True, kw_only=True)
class Effect(Explanation):
    """The answer over one column.

    Parameters
    ----------
    column : str
        Which.
    grid : ndarray of float64, shape (k,)
        Values of the column, rising, in its own unit.
    values, low, high : ndarray of float64, shape (k,)
        Mean answer (partial dependence) or its change against the average patient (accumulated local effects), with
        the 5th and 95th percentile of single patients, or the 95 % interval over patients.
    """

    column: str
    grid: Floats = field(repr=False)
    values: Floats = field(repr=False)
    low: Floats = field(repr=False)
    high: Floats = field(repr=False)


def partial_dependence(
    predict: Predict,
    rows: Rows,
    column: str,
    *,
    points: int = POINTS,
    about: About | None = None,
) -> Effect:
    """Return the mean answer when one column is set to each of several values for all rows.

    Parameters
    ----------
    predict : callable
        From rows to one number each; it is asked once, about the rows in their order, several times below each other.
    rows : Rows
        Where it is asked.
    column : str
        Which.
    points : int
        How many values, from the 5th to the 95th percentile.
    about : About, optional
        What is explained.

    Returns
    -------
    Effect
        Global; warned of where another column goes with this one.

    Raises
    ------
    InputError
        Shapes do not fit, there is no such column, or it does not vary.

    Examples
    --------
    >>> x = np.random.default_rng(0).normal(size=(50, 2))
    >>> found = partial_dependence(lambda x: 2 * x[:, 0], Rows(x, ("a", "b")), "a", points=5)
    >>> bool(np.allclose(found.values, 2 * found.grid))
    True
    """
    x, at = rows.at_least(2), rows.column_at(column)
    known = x[~np.isnan(x[:, at]), at]
    grid = np.unique(np.percentile(known, np.linspace(5, 95, max(points, 2)))) if len(known) else known
    if len(grid) < 2:
        raise InputError("a column that varies", got="one value", where=f"column {column}")
    put = np.tile(x, (len(grid), 1))
    put[:, at] = np.repeat(grid, len(x))
    each = one_answer(predict, put).reshape(len(grid), len(x))
    low, high = np.percentile(each, [5, 95], axis=1)
    found = Effect(
        method="partial-dependence", cites=PD_CITES, about=about or About(), scope=Scope.GLOBAL, unit="answer",
        column=column, grid=grid, values=each.mean(axis=1), low=low, high=high,
        sentence=_sentence(column, grid, each.mean(axis=1), about or About()),
    )  # fmt: skip
    return found.warned(_together(x, rows.names, at))


def local_effects(
    predict: Predict,
    rows: Rows,
    column: str,
    *,
    bins: int = POINTS,
    seed: int = 0,
    about: About | None = None,
) -> Effect:
    """Return accumulated local effects: changes between neighbouring values, of those rows that lie there.

    Parameters
    ----------
    predict, rows, column, about
        As :func:`partial_dependence`.
    bins : int
        Between quantiles.
    seed : int
        Of draws of patients, for the interval.

    Returns
    -------
    Effect
        Global; rows average 0.

    Raises
    ------
    InputError
        As :func:`partial_dependence`.

    Examples
    --------
    >>> x = np.random.default_rng(0).normal(size=(60, 2))
    >>> found = local_effects(lambda x: 2 * x[:, 0], Rows(x, ("a", "b")), "a", bins=4)
    >>> bool(np.allclose(np.diff(found.values), 2 * np.diff(found.grid)))
    True
    """
    x, at = rows.at_least(2), rows.column_at(column)
    known = np.flatnonzero(~np.isnan(x[:, at]))
    x = x[known]
    edges = np.unique(np.quantile(x[:, at], np.linspace(0, 1, max(bins, 1) + 1))) if len(known) else np.empty(0)
    if len(edges) < 2:
        raise InputError("a column that varies", got="one value", where=f"column {column}")
    of = np.clip(np.searchsorted(edges, x[:, at], side="left") - 1, 0, len(edges) - 2)
    put = np.tile(x, (2, 1))
    put[:, at] = np.concatenate([edges[of], edges[of + 1]])
    before, after = one_answer(predict, put).reshape(2, len(x))
    change = after - before
    values = _accumulated(change, of, len(edges) - 1)
    who = [rows.patients[i] for i in known] if rows.patients else None
    low, high = _interval(change, of, len(edges) - 1, who, seed)
    found = Effect(
        method="accumulated-local-effects", cites=ALE_CITES, about=about or About(), scope=Scope.GLOBAL, unit="answer",
        column=column, grid=edges, values=values, low=np.minimum(low, values), high=np.maximum(high, values),
        sentence=_sentence(column, edges, values, about or About()),
    )  # fmt: skip
    flat = np.all((found.low <= 0) & (found.high >= 0))
    return found.warned("the interval holds 0 everywhere: no effect is shown" if flat else "")


def _accumulated(change: Floats, of: np.ndarray, bins: int) -> Floats:
    count = np.bincount(of, minlength=bins)
    mean = np.bincount(of, change, minlength=bins) / np.maximum(count, 1)
    raised = np.concatenate([[0.0], np.cumsum(mean)])
    centre = (count * (raised[:-1] + raised[1:]) / 2).sum() / max(count.sum(), 1)
    return np.asarray(raised - centre)


def _interval(change: Floats, of: np.ndarray, bins: int, patients: Groups | None, seed: int) -> tuple[Floats, Floats]:
    members, rng = rows_by_group(patients, len(of)), np.random.default_rng(seed)
    drawn = []
    for _ in range(DRAWS):
        rows = np.concatenate([members[g] for g in rng.integers(0, len(members), len(members))])
        drawn.append(_accumulated(change[rows], of[rows], bins))
    low, high = np.percentile(np.stack(drawn), [2.5, 97.5], axis=0)
    return np.asarray(low), np.asarray(high)


def _together(x: Floats, names: tuple[str, ...], at: int) -> str:
    others = np.abs(rank_correlation(x)[at])
    others[at] = 0
    most = int(others.argmax())
    if others[most] <= ABOVE:
        return ""
    told = f"goes with {names[most]} (rank correlation {others[most]:.2f})"
    return f"{told}: this asks about patients who do not exist; see accumulated local effects"


def _sentence(column: str, grid: Floats, values: Floats, about: About) -> str:
    step = np.diff(values)
    size = float(np.ptp(values))
    rising, falling = bool((step >= -0.02 * size).all()), bool((step <= 0.02 * size).all())
    way = "does not change" if size <= 1e-12 else "rises" if rising else "falls" if falling else "rises and falls"
    by = f" by {size:.2g}" if size > 1e-12 else ""
    span = f"from {grid[0]:.3g} to {grid[-1]:.3g}"
    return f"The answer for {about.outcome} {way}{by} as {column_words(column)} goes {span}{about.ending}."
