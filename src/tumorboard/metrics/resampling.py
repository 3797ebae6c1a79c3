"""The bootstrap that draws patients: an interval for any number that can be computed from rows.

Why it exists: lesions, visits and sides of one patient are no independent witnesses; what is drawn anew is the patient
with all that belongs to it, never a row alone.

Source: Efron B, Tibshirani RJ. An introduction to the bootstrap, 1993 (percentiles); Field CA, Welsh AH. J R Stat Soc B
2007;69:369-390 (drawing whole clusters).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence

import numpy as np
from numpy.typing import NDArray

from tumorboard.errors import InputError
from tumorboard.metrics.estimate import LEVEL, Estimate

Floats = NDArray[np.float64]
Rows = NDArray[np.intp]
Groups = Sequence[Hashable]
Statistic = Callable[[Rows], float]
Weighted = Callable[[Floats], Floats]
"""From how often each row was drawn, (draws, n), to numbers (draws,); NaN where there is none."""

DRAWS = 1000
"""Of patients, unless told otherwise."""
LEAST_GROUPS = 5
"""With fewer patients there is no interval from drawing them; chosen."""
LEAST_KNOWN = 0.5
"""Share of draws in which the number must exist; chosen."""
_ROUNDING = 1e-12
_AT_ONCE = 4_000_000  # rows of all draws, so that a large cohort does not fill the memory


def rows_by_group(groups: Groups | None, n: int) -> list[Rows]:
    """Return the rows of each group, in the order in which groups appear; one row each where none are given.

    Parameters
    ----------
    groups : sequence, optional
        To whom each of the rows belongs.
    n : int
        How many rows there are.

    Raises
    ------
    InputError
        There is not one for each row.

    Examples
    --------
    >>> [rows.tolist() for rows in rows_by_group(["P1", "P2", "P1"], 3)]
    [[0, 2], [1]]
    """
    codes = group_codes(groups, n)
    order = np.argsort(codes, kind="stable")
    ends = np.cumsum(np.bincount(codes)) if n else np.empty(0, dtype=np.intp)
    return [np.asarray(rows, dtype=np.intp) for rows in np.split(order, ends[:-1])] if n else []


def group_codes(groups: Groups | None, n: int) -> Rows:
    """Return a number from 0 for the group of each row, in the order in which groups appear.

    Raises
    ------
    InputError
        There is not one group for each row.

    Examples
    --------
    >>> group_codes(["P1", "P2", "P1"], 3).tolist()
    [0, 1, 0]
    """
    if groups is None:
        return np.arange(n, dtype=np.intp)
    if len(groups) != n:
        raise InputError("a group for each row", got=f"{len(groups)} for {n} rows", where="groups")
    numbers: dict[Hashable, int] = {}
    return np.array([numbers.setdefault(g, len(numbers)) for g in groups], dtype=np.intp)


def shared(groups: Groups | None, n: int) -> Groups | None:
    """Return the groups where one holds several rows, else nothing: rows of their own need no drawing of groups.

    Raises
    ------
    InputError
        There is not one group for each row.

    Examples
    --------
    >>> shared(["P1", "P2"], 2), shared(["P1", "P1"], 2)
    (None, ['P1', 'P1'])
    """
    return None if groups is None or len(rows_by_group(groups, n)) == n else groups


def draws_of(statistic: Statistic, n: int, groups: Groups | None = None, draws: int = DRAWS, seed: int = 0) -> Floats:
    """Return the statistic in each draw of groups; NaN where it does not exist there.

    Parameters
    ----------
    statistic : callable
        From rows (with repeats) to a number.
    n : int
        How many rows there are.
    groups : sequence, optional
        To whom each row belongs; whole groups are drawn.
    draws, seed : int
        How many draws, and the seed of their generator.

    Examples
    --------
    >>> draws_of(lambda rows: float(len(rows)), 3, ["P1", "P2", "P1"], draws=3).tolist()
    [2.0, 3.0, 4.0]
    """
    members = rows_by_group(groups, n)
    rng = np.random.default_rng(seed)
    out = np.empty(draws)
    for place in range(draws):
        drawn = rng.integers(0, len(members), len(members))
        rows = np.asarray(drawn, dtype=np.intp) if groups is None else np.concatenate([members[g] for g in drawn])
        out[place] = statistic(rows)
    return out


def bootstrap(
    statistic: Statistic,
    n: int,
    groups: Groups | None = None,
    level: float = LEVEL,
    *,
    draws: int = DRAWS,
    seed: int = 0,
) -> Estimate:
    """Return a statistic with the percentile interval of drawing groups with replacement.

    Parameters
    ----------
    statistic : callable
        From rows (with repeats) to a number; NaN where it cannot be computed from them.
    n : int
        How many rows there are.
    groups : sequence, optional
        To whom each row belongs; by default each to itself.
    level : float
        Of the interval.
    draws, seed : int
        How many draws, and the seed of their generator.

    Returns
    -------
    Estimate
        Its interval is stretched to hold the value where a biased statistic would leave it outside. A bare value
        where there are fewer than 5 groups, where most draws have none, or where all draws are alike.

    Raises
    ------
    InputError
        There is not one group for each row.

    Examples
    --------
    >>> days = np.array([90.0, 180.0, 270.0, 360.0, 450.0, 540.0])
    >>> found = bootstrap(lambda rows: float(days[rows].mean()), 6)
    >>> found.value, round(found.low), round(found.high)
    (315.0, 195, 420)
    """
    value = statistic(np.arange(n, dtype=np.intp)) if n else math.nan
    found = n if groups is None else len(rows_by_group(groups, n))
    if math.isnan(value):
        return Estimate.missing("cannot be computed from these rows", n)
    if found < LEAST_GROUPS:
        return Estimate.bare(value, f"from {found} of at least {LEAST_GROUPS} patients: no interval", n)
    return interval_of_draws(value, draws_of(statistic, n, groups, draws, seed), n, level)


def interval_of_draws(value: float, drawn: Floats, n: int, level: float = LEVEL) -> Estimate:
    """Return a value with the percentiles of its draws.

    Parameters
    ----------
    value : float
        Of all rows.
    drawn : ndarray of float64, shape (draws,)
        NaN where the number did not exist in a draw.
    n : int
        Of rows.
    level : float
        Of the interval.

    Examples
    --------
    >>> interval_of_draws(0.5, np.linspace(0, 1, 101), 30).high
    0.975
    """
    known = drawn[~np.isnan(drawn)]
    if len(known) < LEAST_KNOWN * len(drawn):
        return Estimate.bare(value, "most draws of patients cannot give it: no interval", n)
    if np.ptp(known) <= _ROUNDING:
        return Estimate.bare(value, "all draws of patients give the same: no interval", n)
    low, high = np.percentile(known, [50 * (1 - level), 50 * (1 + level)])
    return Estimate(value, min(float(low), value), max(float(high), value), n)


def weighted_bootstrap(
    statistic: Weighted,
    n: int,
    groups: Groups | None = None,
    level: float = LEVEL,
    *,
    draws: int = DRAWS,
    seed: int = 0,
) -> Estimate:
    """Return what :func:`bootstrap` does for a statistic that takes weights, for all draws at once: much quicker.

    Parameters
    ----------
    statistic : callable
        From weights (draws, n), whole numbers, to numbers (draws,).
    n, groups, level, draws, seed
        As :func:`bootstrap`.

    Returns
    -------
    Estimate

    Raises
    ------
    InputError
        There is not one group for each row.

    Examples
    --------
    >>> days = np.array([90.0, 180.0, 270.0, 360.0, 450.0, 540.0])
    >>> found = weighted_bootstrap(lambda w: w @ days / w.sum(axis=1), 6)
    >>> found.value, found.low < 315 < found.high
    (315.0, True)
    """
    value = float(statistic(np.ones((1, n)))[0]) if n else math.nan
    if math.isnan(value):
        return Estimate.missing("cannot be computed from these rows", n)
    whose = group_codes(groups, n)
    units = int(whose.max()) + 1
    if units < LEAST_GROUPS:
        return Estimate.bare(value, f"from {units} of at least {LEAST_GROUPS} patients: no interval", n)
    rng, found = np.random.default_rng(seed), []
    for size in np.diff([*range(0, draws, max(_AT_ONCE // n, 1)), draws]):
        counts = rng.multinomial(units, np.full(units, 1.0 / units), size=int(size))
        found.append(statistic(counts[:, whose].astype(np.float64)))
    return interval_of_draws(value, np.concatenate(found), n, level)
