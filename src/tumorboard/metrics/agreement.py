"""How well two readings of the same things agree: categories, numbers, equal values.

Why it exists: whether two criteria say the same of a patient is not told by a correlation, which is blind to a shift,
nor by a bare share of equal categories, much of which is chance. Where several visits belong to one patient they are
no independent witnesses; the interval then comes from drawing patients.

Source: Cohen J. Educ Psychol Meas 1960;20:37-46 and Psychol Bull 1968;70:213-220 (kappa, weighted kappa); Fleiss JL,
Cohen J, Everitt BS. Psychol Bull 1969;72:323-327 (their standard errors); Lin LI. Biometrics 1989;45:255-268, with the
standard error of Biometrics 2000;56:324-325 (concordance correlation coefficient); Bland JM, Altman DG. Lancet
1986;1:307-310 and Stat Methods Med Res 1999;8:135-160 (limits of agreement); Wilson EB. J Am Stat Assoc
1927;22:209-212; Efron B, Tibshirani RJ. An introduction to the bootstrap, 1993 (percentiles).
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tumorboard.errors import InputError
from tumorboard.metrics.estimate import LEVEL, Estimate, normal_quantile

Floats = NDArray[np.float64]
Weights = Literal["unweighted", "linear", "quadratic"]

DRAWS = 1000
"""Of groups, for an interval that heeds them."""
LEAST_GROUPS = 5
"""With fewer there is no interval from drawing them; chosen."""

_POWERS: dict[Weights, int] = {"unweighted": 0, "linear": 1, "quadratic": 2}
_WHERE = "agreement"


@dataclass(frozen=True, eq=False)
class Confusion:
    """How often the first reading said one category and the second another.

    Parameters
    ----------
    categories : tuple of str
        In their order.
    counts : ndarray of int64, shape (categories, categories)
        Rows are the first reading, columns the second.
    """

    categories: tuple[str, ...]
    counts: NDArray[np.int64]

    def get(self, first: str, second: str) -> int:
        """Return how often these two were said together.

        Raises
        ------
        ValueError
            No such category.
        """
        return int(self.counts[self.categories.index(first), self.categories.index(second)])


def confusion(first: Sequence[str], second: Sequence[str], categories: Sequence[str]) -> Confusion:
    """Count pairs of categories.

    Parameters
    ----------
    first, second : sequence of str
        Categories of the same things by two readings.
    categories : sequence of str
        All there are, in their order.

    Returns
    -------
    Confusion

    Raises
    ------
    InputError
        Readings differ in length, a category is there twice, or a reading holds another one.

    Examples
    --------
    >>> confusion(["PR", "SD", "PD"], ["SD", "SD", "PD"], ["PR", "SD", "PD"]).get("PR", "SD")
    1
    """
    one, other, names = _coded(first, second, categories)
    return Confusion(names, _counted(one, other, len(names)))


def kappa(
    first: Sequence[str],
    second: Sequence[str],
    categories: Sequence[str],
    weights: Weights = "unweighted",
    groups: Sequence[Hashable] | None = None,
    level: float = LEVEL,
) -> Estimate:
    """Return Cohen's kappa with its interval.

    Parameters
    ----------
    first, second : sequence of str
        Categories of the same things by two readings.
    categories : sequence of str
        All there are, in their order.
    weights : {'unweighted', 'linear', 'quadratic'}
        How a disagreement counts: all alike, by its distance in the order, or by the square of that.
    groups : sequence, optional
        To whom each thing belongs. With it the interval is that of the bootstrap over groups (percentiles of
        1,000 draws); without it things are taken as independent and the interval is asymptotic.
    level : float
        Of the interval.

    Returns
    -------
    Estimate
        1 is perfect, 0 what chance would give. Missing without a pair, or where chance alone explains everything.

    Raises
    ------
    InputError
        As :func:`confusion`; unknown weights; groups of another length.

    Examples
    --------
    >>> found = kappa(["PD", "SD", "SD", "PR"] * 9, ["PD", "SD", "PR", "PR"] * 9, ["PR", "SD", "PD"], "linear")
    >>> round(found.value, 2), round(found.low, 2), round(found.high, 2)
    (0.71, 0.55, 0.88)
    """
    if weights not in _POWERS:
        raise InputError(f"one of {', '.join(_POWERS)}", got="another word", where="weights of kappa")
    one, other, names = _coded(first, second, categories)
    counts = _counted(one, other, len(names))
    rank = np.arange(len(names), dtype=np.float64)
    away = np.abs(rank[:, None] - rank[None, :])
    cost = np.asarray(away ** _POWERS[weights] * (away > 0), dtype=np.float64)
    n = len(one)
    if not n:
        return Estimate.missing("no pair of categories", 0)
    value = float(_kappas(counts[None], cost)[0])
    if math.isnan(value):
        return Estimate.missing("both readings give the same category throughout", n)
    if value == 1.0:
        return Estimate.bare(value, "no disagreement from which an interval could come", n)
    if groups is not None:
        return _by_groups(value, _counts_by_group(one, other, groups, len(names)), cost, n, level)
    reach = normal_quantile(level) * _kappa_error(counts, cost)
    return Estimate(value, max(value - reach, -1.0), min(value + reach, 1.0), n)


def _coded(
    first: Sequence[str], second: Sequence[str], categories: Sequence[str]
) -> tuple[NDArray[np.intp], NDArray[np.intp], tuple[str, ...]]:
    """Both readings as places in the order, and the order."""
    names = tuple(str(c) for c in categories)
    if len(first) != len(second):
        raise InputError("two readings of the same things", got=f"{len(first)} and {len(second)}", where=_WHERE)
    if len(set(names)) < len(names):
        raise InputError("each category once", got="one twice", where=_WHERE)
    places = {name: place for place, name in enumerate(names)}
    if any(str(c) not in places for c in (*first, *second)):
        raise InputError(f"one of {', '.join(names)}", got="another category", where=_WHERE)
    one, other = (np.array([places[str(c)] for c in reading], dtype=np.intp) for reading in (first, second))
    return one, other, names


def _counted(one: NDArray[np.intp], other: NDArray[np.intp], size: int) -> NDArray[np.int64]:
    return np.bincount(one * size + other, minlength=size * size).reshape(size, size).astype(np.int64)


def _counts_by_group(
    one: NDArray[np.intp], other: NDArray[np.intp], groups: Sequence[Hashable], size: int
) -> NDArray[np.int64]:
    if len(groups) != len(one):
        raise InputError("a group for each pair", got=f"{len(groups)} for {len(one)} pairs", where=_WHERE)
    numbers: dict[Hashable, int] = {}
    whose = np.array([numbers.setdefault(g, len(numbers)) for g in groups], dtype=np.intp)
    flat = np.bincount(whose * size**2 + one * size + other, minlength=len(numbers) * size**2)
    return flat.reshape(len(numbers), size, size).astype(np.int64)


def _kappas(counts: NDArray[Any], cost: Floats) -> Floats:
    """Return kappa of each table (n, k, k); NaN where chance expects no disagreement."""
    total = counts.sum(axis=(1, 2)).astype(np.float64)
    expected = np.einsum("ni,nj,ij->n", counts.sum(axis=2), counts.sum(axis=1), cost)
    seen = (counts * cost).sum(axis=(1, 2)) * total
    kappas = np.full(len(counts), np.nan)
    np.divide(seen, expected, out=kappas, where=expected > 0)
    return 1.0 - kappas


def _kappa_error(counts: NDArray[np.int64], cost: Floats) -> float:
    """Return the large-sample standard error (Fleiss, Cohen and Everitt), from disagreements instead of agreements."""
    n = counts.sum()
    p = counts / n
    rows, columns = p.sum(axis=1), p.sum(axis=0)
    expected = float(rows @ cost @ columns)
    ratio = float((p * cost).sum()) / expected
    influence = cost - ratio * ((cost @ columns)[:, None] + (rows @ cost)[None, :])
    spread = (p * influence**2).sum() - (p * influence).sum() ** 2
    return math.sqrt(max(float(spread), 0.0) / n) / expected


def _by_groups(value: float, tables: NDArray[np.int64], cost: Floats, n: int, level: float) -> Estimate:
    groups = len(tables)
    if groups < LEAST_GROUPS:
        return Estimate.bare(value, f"from {groups} of at least {LEAST_GROUPS} groups: no interval", n)
    draws = np.random.default_rng(0).multinomial(groups, np.full(groups, 1.0 / groups), size=DRAWS)
    kappas = _kappas(np.tensordot(draws, tables, axes=1), cost)
    low, high = np.percentile(kappas[~np.isnan(kappas)], [50 * (1 - level), 50 * (1 + level)])
    return Estimate(value, float(low), float(high), n)


def share(hits: int, total: int, level: float = LEVEL) -> Estimate:
    """Return a share with Wilson's score interval.

    Parameters
    ----------
    hits, total : int
        How many of how many.
    level : float
        Of the interval.

    Returns
    -------
    Estimate
        From 0 to 1; missing when there are none.

    Raises
    ------
    InputError
        Not 0 <= hits <= total.

    Examples
    --------
    >>> found = share(8, 10)
    >>> found.value, round(found.low, 3), round(found.high, 3)
    (0.8, 0.49, 0.943)
    """
    if not 0 <= hits <= total:
        raise InputError("a part of the whole", got=f"{hits} of {total}", where="share")
    if not total:
        return Estimate.missing("none to take a share of", 0)
    z2 = normal_quantile(level) ** 2
    value = hits / total
    centre = (value + z2 / (2 * total)) / (1 + z2 / total)
    reach = math.sqrt(z2 * (value * (1 - value) + z2 / (4 * total)) / total) / (1 + z2 / total)
    # with none or all, one end is the value itself, which rounding misses
    low, high = (0.0 if not hits else centre - reach), (1.0 if hits == total else centre + reach)
    return Estimate(value, low, high, total)


def concordance_correlation(first: ArrayLike, second: ArrayLike, level: float = LEVEL) -> Estimate:
    """Return Lin's concordance correlation coefficient with its interval by Fisher's z.

    Parameters
    ----------
    first, second : array_like of float, shape (n,)
        The same things measured twice, in one unit.
    level : float
        Of the interval.

    Returns
    -------
    Estimate
        1 when all pairs are equal; moments are divided by n, as Lin does. Missing for fewer than three pairs, or when
        one of the two does not vary.

    Raises
    ------
    InputError
        Lengths differ, or a value is not finite.

    Examples
    --------
    >>> found = concordance_correlation([90, 180, 270, 360], [90, 190, 260, 400])
    >>> round(found.value, 3), round(found.low, 2), round(found.high, 2)
    (0.98, 0.83, 1.0)
    """
    x, y = _pairs(first, second)
    n = len(x)
    if n < 3:
        return Estimate.missing("fewer than three pairs", n)
    if np.ptp(x) == 0 or np.ptp(y) == 0:
        return Estimate.missing("one of the two does not vary", n)
    scale = max(float(np.ptp(x)), float(np.ptp(y)))  # keeps squares of any unit within the range of a double
    centre = x.mean()
    value, error = _lin((x - centre) / scale, (y - centre) / scale)
    if 1 - abs(value) < 1e-12:
        return Estimate.bare(math.copysign(1.0, value), "all pairs lie on the line: no interval", n)
    z, reach = math.atanh(value), normal_quantile(level) * error / (1 - value**2)
    return Estimate(value, math.tanh(z - reach), math.tanh(z + reach), n)


def _lin(x: Floats, y: Floats) -> tuple[float, float]:
    """Return the coefficient and its standard error, with value / rho written as the accuracy: rho may be 0."""
    sx, sy, shift = float(x.std()), float(y.std()), float(y.mean() - x.mean())
    rho = float(((x - x.mean()) * (y - y.mean())).mean()) / (sx * sy)
    accuracy = 2 * sx * sy / (sx**2 + sy**2 + shift**2)
    value, u2 = rho * accuracy, shift**2 / (sx * sy)
    spread = (1 - rho**2) * accuracy**2 * (1 - value**2) + 2 * value**2 * (1 - value) * accuracy * u2
    spread -= value**2 * accuracy**2 * u2**2 / 2
    return value, math.sqrt(max(spread, 0.0) / (len(x) - 2))


@dataclass(frozen=True, slots=True)
class Limits:
    """Bias and limits of agreement, in the unit of the values, each with its interval.

    Parameters
    ----------
    bias : Estimate
        Mean of first minus second.
    lower, upper : Estimate
        Between which 95 % of the differences are expected to lie.
    """

    bias: Estimate
    lower: Estimate
    upper: Estimate


def bland_altman(first: ArrayLike, second: ArrayLike, level: float = LEVEL) -> Limits:
    """Return the bias between two ways to measure, and the limits of agreement.

    Parameters
    ----------
    first, second : array_like of float, shape (n,)
        The same things measured twice, in one unit.
    level : float
        Of the intervals; the limits are always bias ± 1.96 standard deviations.

    Returns
    -------
    Limits
        Missing for fewer than three pairs.

    Raises
    ------
    InputError
        Lengths differ, or a value is not finite.

    Examples
    --------
    >>> found = bland_altman([90, 180, 270, 360], [90, 190, 260, 400])
    >>> found.bias.value, round(found.lower.value, 1), round(found.upper.value, 1)
    (-10.0, -52.3, 32.3)
    """
    from scipy.special import stdtrit

    x, y = _pairs(first, second)
    n = len(x)
    if n < 3:
        gone = Estimate.missing("fewer than three pairs", n)
        return Limits(gone, gone, gone)
    differences = x - y
    bias, spread = float(differences.mean()), float(differences.std(ddof=1))
    t = float(stdtrit(n - 1, 0.5 + level / 2))
    apart = normal_quantile(0.95)
    reach = t * spread / math.sqrt(n)
    wide = t * spread * math.sqrt(1 / n + apart**2 / (2 * (n - 1)))
    low, high = bias - apart * spread, bias + apart * spread
    return Limits(
        Estimate(bias, bias - reach, bias + reach, n),
        Estimate(low, low - wide, low + wide, n),
        Estimate(high, high - wide, high + wide, n),
    )


def _pairs(first: ArrayLike, second: ArrayLike) -> tuple[Floats, Floats]:
    x, y = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if x.ndim != 1 or x.shape != y.shape:
        raise InputError("two lists of one length", got=f"shapes {x.shape} and {y.shape}", where=_WHERE)
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise InputError("finite values", got="one that is not", where=_WHERE, remedy="leave the pair out")
    return x, y
