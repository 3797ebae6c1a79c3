"""Intraclass correlation coefficients of single measurements, with confidence intervals.

Why it exists: the share of a feature's variance that lies between subjects, not between repeats of one subject, says
whether the feature can tell subjects apart.

Source: Shrout PE, Fleiss JL. Psychol Bull 1979;86:420-428; McGraw KO, Wong SP. Psychol Methods 1996;1:30-46, tables 4
and 7. In the words of the latter, (1,1) is the one-way model, (2,1) absolute agreement A,1, and (3,1) consistency C,1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from tumorboard.errors import InputError

Kind = Literal["ICC(1,1)", "ICC(2,1)", "ICC(3,1)"]
KINDS: tuple[Kind, ...] = ("ICC(1,1)", "ICC(2,1)", "ICC(3,1)")


@dataclass(frozen=True)
class Icc:
    """An intraclass correlation.

    Parameters
    ----------
    kind : str
        ``ICC(1,1)``, ``ICC(2,1)`` or ``ICC(3,1)``.
    value : float
        1 where repeats agree; near 0, or below, where they differ as much as subjects. NaN where all values are equal.
    low, high : float
        Confidence interval.
    subjects, repeats : int
        That had a value in every repeat; and how often.
    """

    kind: Kind
    value: float
    low: float
    high: float
    subjects: int
    repeats: int


@dataclass(frozen=True)
class _Squares:
    """Mean squares of n subjects measured k times."""

    n: int
    k: int
    rows: float
    columns: float
    error: float
    within: float


def icc(values: ArrayLike, kind: Kind = "ICC(1,1)", level: float = 0.95) -> Icc:
    """Compute the intraclass correlation of single measurements.

    Parameters
    ----------
    values : array_like of float, shape (subjects, repeats)
        A subject with a value that is NaN or infinite is left out.
    kind : {'ICC(1,1)', 'ICC(2,1)', 'ICC(3,1)'}
        Repeats in no order; repeats alike for all subjects, their shifts counting as error; or not counting.
    level : float
        Of confidence.

    Returns
    -------
    Icc
        NaN where fewer than two subjects are left or all values are equal.

    Raises
    ------
    InputError
        No table of at least two repeats, an unknown kind, or a level outside 0 to 1.

    Examples
    --------
    >>> found = icc([[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]], "ICC(3,1)")
    >>> round(found.value, 2), round(found.low, 2), round(found.high, 2)
    (0.71, 0.34, 0.95)
    """
    table: NDArray[np.float64] = np.asarray(values, dtype=np.float64)
    if table.ndim != 2 or table.shape[1] < 2:
        raise InputError("subjects x repeats, at least two repeats", got=f"shape {table.shape}", where="icc")
    if kind not in KINDS or not 0 < level < 1:
        raise InputError(f"one of {', '.join(KINDS)}, and a level between 0 and 1", got=f"{kind}, {level}", where="icc")
    table = table[np.isfinite(table).all(axis=1)]
    n, k = table.shape
    if n < 2 or table.min() == table.max():
        return Icc(kind, np.nan, np.nan, np.nan, n, k)
    squares = _squares(table)
    value = _value(squares, kind)
    low, high = _interval(squares, kind, value, level)
    return Icc(kind, value, low, high, n, k)


def _squares(table: NDArray[np.float64]) -> _Squares:
    scale = float(np.abs(table - table.mean()).max())
    x = (table - table.mean()) / scale  # keeps squares of any unit within the range of a double
    n, k = x.shape
    rows, columns = x.mean(axis=1), x.mean(axis=0)
    rest = x - rows[:, None] - columns[None, :]
    return _Squares(
        n=n,
        k=k,
        rows=k * float((rows**2).sum()) / (n - 1),
        columns=n * float((columns**2).sum()) / (k - 1),
        error=float((rest**2).sum()) / ((n - 1) * (k - 1)),
        within=float(((x - rows[:, None]) ** 2).sum()) / (n * (k - 1)),
    )


def _value(s: _Squares, kind: Kind) -> float:
    if kind == "ICC(1,1)":
        return (s.rows - s.within) / (s.rows + (s.k - 1) * s.within)
    spread = s.k * (s.columns - s.error) / s.n if kind == "ICC(2,1)" else 0.0
    below = s.rows + (s.k - 1) * s.error + spread
    return (s.rows - s.error) / below if below else np.nan


def _interval(s: _Squares, kind: Kind, value: float, level: float) -> tuple[float, float]:
    if np.isnan(value) or value >= 1.0:
        return value, value
    if kind == "ICC(2,1)":
        return _agreement(s, value, level)
    noise, free = (s.within, s.n * (s.k - 1)) if kind == "ICC(1,1)" else (s.error, (s.n - 1) * (s.k - 1))
    if noise == 0.0:
        return value, value
    low = s.rows / noise / _critical(s.n - 1, free, level)
    high = s.rows / noise * _critical(free, s.n - 1, level)
    return (low - 1) / (low + s.k - 1), (high - 1) / (high + s.k - 1)


def _agreement(s: _Squares, value: float, level: float) -> tuple[float, float]:
    """Return the interval of absolute agreement, with Satterthwaite's degrees of freedom."""
    a = s.k * value / (s.n * (1 - value))
    b = 1 + s.k * value * (s.n - 1) / (s.n * (1 - value))
    one, other = a * s.columns, b * s.error
    below = one**2 / (s.k - 1) + other**2 / ((s.n - 1) * (s.k - 1))
    if below == 0.0:
        return value, value
    free = (one + other) ** 2 / below
    rest = s.k * s.columns + (s.k * s.n - s.k - s.n) * s.error
    low, high = _critical(s.n - 1, free, level), _critical(free, s.n - 1, level)
    return (
        s.n * (s.rows - low * s.error) / (low * rest + s.n * s.rows),
        s.n * (high * s.rows - s.error) / (rest + s.n * high * s.rows),
    )


def _critical(one: float, other: float, level: float) -> float:
    """Return the upper quantile of F of a two-sided interval."""
    found: Any = special.fdtri(one, other, 0.5 + level / 2)
    return float(found)
