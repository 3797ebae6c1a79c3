"""A metric in subgroups of patients, by sex, site or scanner, and whether they differ by more than chance.

Why it exists: a mean over all may hide a site where the model is blind. A subgroup's number without an interval, or
ten of them without a common test, finds differences in noise.

Source: Cochran WG. Biometrics 1954;10:101-129 and Higgins JPT, Thompson SG. Stat Med 2002;21:1539-1558 (heterogeneity);
Wang R et al. N Engl J Med 2007;357:2189-2194 (reporting).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

import numpy as np

from tumorboard.errors import InputError
from tumorboard.metrics.estimate import LEVEL, Estimate, normal_quantile
from tumorboard.metrics.resampling import Rows


@dataclass(frozen=True, slots=True)
class Subgroup:
    """A metric in one subgroup.

    Parameters
    ----------
    name : str
    rows : int
        How many.
    estimate : Estimate
    """

    name: str
    rows: int
    estimate: Estimate


@dataclass(frozen=True, slots=True)
class SubgroupTable:
    """A metric in all subgroups of one kind.

    Parameters
    ----------
    overall : Estimate
        Of all rows.
    subgroups : tuple of Subgroup
        The largest first.
    heterogeneity : float
        Cochran's Q of those that have an interval; NaN for fewer than two.
    p : float
        That they do not differ.
    i2 : float
        Share of their spread that is more than chance, 0 to 1.
    hint : str
        In words, with the number of subgroups that could not be compared.
    """

    overall: Estimate
    subgroups: tuple[Subgroup, ...]
    heterogeneity: float
    p: float
    i2: float
    hint: str


def subgroup_table(
    metric: Callable[[Rows], Estimate], names: Sequence[Hashable], level: float = LEVEL
) -> SubgroupTable:
    """Measure each subgroup and test whether they differ.

    Parameters
    ----------
    metric : callable
        From rows to an estimate; a refusal becomes a missing value with its reason.
    names : sequence
        The subgroup of each row; an empty text or None is a subgroup "not known".
    level : float
        Of the intervals that the metric gives; from them come the standard errors.

    Returns
    -------
    SubgroupTable

    Raises
    ------
    InputError
        There is no row.

    Examples
    --------
    >>> from tumorboard.metrics.agreement import share
    >>> right = np.array([True] * 18 + [False] * 2 + [True] * 10 + [False] * 10)
    >>> table = subgroup_table(lambda rows: share(int(right[rows].sum()), len(rows)), ["A"] * 20 + ["B"] * 20)
    >>> [(s.name, s.estimate.value) for s in table.subgroups], table.p < 0.05
    ([('A', 0.9), ('B', 0.5)], True)
    """
    if not len(names):
        raise InputError("at least one row", got="none", where="subgroups")
    told = ["not known" if name is None or str(name) == "" else str(name) for name in names]
    members = {
        name: np.array([n for n, one in enumerate(told) if one == name], dtype=np.intp) for name in dict.fromkeys(told)
    }
    found = [Subgroup(name, len(rows), _tried(metric, rows)) for name, rows in members.items()]
    found.sort(key=lambda one: -one.rows)
    overall = _tried(metric, np.arange(len(told), dtype=np.intp))
    return SubgroupTable(overall, tuple(found), *_heterogeneity(found, level))


def _tried(metric: Callable[[Rows], Estimate], rows: Rows) -> Estimate:
    try:
        return metric(rows)
    except InputError as refused:
        return Estimate.missing(f"expected {refused.expected}", len(rows))


def _heterogeneity(found: Sequence[Subgroup], level: float) -> tuple[float, float, float, str]:
    from scipy.stats import chi2

    values = np.array([one.estimate.value for one in found])
    errors = np.array([(one.estimate.high - one.estimate.low) / (2 * normal_quantile(level)) for one in found])
    usable = np.isfinite(values) & np.isfinite(errors) & (errors > 0)
    left = len(found) - int(usable.sum())
    rest = f"; {left} of {len(found)} subgroups could not be compared" if left else ""
    if usable.sum() < 2:
        return math.nan, math.nan, math.nan, "too few subgroups to compare" + rest
    weights = 1 / errors[usable] ** 2
    mean = float(weights @ values[usable] / weights.sum())
    q, degrees = float(weights @ (values[usable] - mean) ** 2), int(usable.sum()) - 1
    p, i2 = float(chi2.sf(q, degrees)), max(0.0, 1 - degrees / q) if q else 0.0
    words = "subgroups differ by more than chance" if p < 1 - level else "no more difference than chance gives"
    return q, p, i2, f"{words} (Q {q:.1f}, p {p:.3f}){rest}"
