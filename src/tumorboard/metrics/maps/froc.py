"""How many lesions are found at how many false positives a patient, by the size of the lesion.

Why it exists: one sensitivity at one threshold hides what it cost, and a mean over sizes hides the small
lesions. The curve goes over all thresholds of the score; a class of sizes has its own sensitivity and
shares the false positives, for what is not there has no size. Lesions are pooled over patients; the
interval comes from drawing patients, not lesions, for lesions of one patient are alike. Only operating
points that were reached count: nothing is interpolated. A class without a lesion has no sensitivity
(None, never 0).

Source: Bunch PC et al., Proc SPIE 1977;127:124-135 (the curve); Setio AAA et al., LUNA16, Med Image Anal
2017;42:1-13 (mean sensitivity at 1/8, 1/4, 1/2, 1, 2, 4 and 8 false positives, "competition performance
metric"; they interpolate); Efron B, Tibshirani RJ. An introduction to the bootstrap, 1993 (percentiles).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator

from tumorboard.errors import InputError
from tumorboard.metrics.maps.detection import Case, Hits, match

Floats = NDArray[np.float64]
Interval = tuple[float, float]

ALL = "all"
"""Name of the class of every size."""


class FrocRules(BaseModel):
    """Classes of size, the false positives at which sensitivity is read, and the bootstrap.

    Examples
    --------
    >>> FrocRules().classes
    ('all', '< 3 mm', '3-10 mm', '>= 10 mm')
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    edges_mm: tuple[float, ...] = Field(default=(3.0, 10.0), description="a lesion of just this size is in the upper")
    rates: tuple[float, ...] = Field(
        default=(0.125, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0), min_length=1, description="false positives a patient"
    )
    resamples: int = Field(default=1000, ge=1, description="draws of patients")
    level: float = Field(default=0.95, gt=0, lt=1, description="of the interval")
    seed: int = Field(default=0, ge=0)

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if list(self.edges_mm) != sorted({e for e in self.edges_mm if e > 0}):
            raise ValueError("edges of classes are above 0 mm and rise")
        if min(self.rates) < 0:
            raise ValueError("false positives a patient are not below 0")
        return self

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes: every size, then from small to large."""
        if not self.edges_mm:
            return (ALL,)
        between = [f"{a:g}-{b:g} mm" for a, b in itertools.pairwise(self.edges_mm)]
        return (ALL, f"< {self.edges_mm[0]:g} mm", *between, f">= {self.edges_mm[-1]:g} mm")


@dataclass(frozen=True, eq=False)
class Curve:
    """Sensitivity against false positives, for one class of sizes.

    Parameters
    ----------
    size : str
        Name of the class.
    lesions : int
        How many there are in all patients.
    thresholds : ndarray of float64, shape (n,)
        Falling; a detection counts from this score on. The first is infinite: nothing counts.
    sensitivity : ndarray of float64, shape (n,)
        Share of the lesions that are found, 0 to 1; NaN throughout where there is none.
    false_positives : ndarray of float64, shape (n,)
        A patient, on average.
    rates : tuple of float
        False positives a patient, at which the next is read.
    intervals : tuple of (float, float) or None
        Of the sensitivity at each rate; None without a lesion.
    cpm : float or None
        Competition performance metric: mean sensitivity over the rates.
    cpm_interval : (float, float) or None
        Its interval.
    """

    size: str
    lesions: int
    thresholds: Floats
    sensitivity: Floats
    false_positives: Floats
    rates: tuple[float, ...]
    intervals: tuple[Interval, ...] | None
    cpm: float | None
    cpm_interval: Interval | None

    def sensitivity_at(self, rate: float) -> float | None:
        """Return the largest sensitivity at no more than so many false positives a patient.

        None when the class has no lesion.
        """
        if not self.lesions:
            return None
        last = int(np.searchsorted(self.false_positives, rate + _ROUNDING, side="right")) - 1
        return float(self.sensitivity[last]) if last >= 0 else 0.0


@dataclass(frozen=True, eq=False)
class Froc:
    """One curve for each class of sizes.

    Parameters
    ----------
    rules : FrocRules
        How it was made.
    patients : int
        How many there are.
    curves : tuple of Curve
        In the order of ``rules.classes``.
    """

    rules: FrocRules
    patients: int
    curves: tuple[Curve, ...]

    def get(self, size: str = ALL) -> Curve:
        """Return the curve of a class.

        Raises
        ------
        KeyError
            There is none of that name.
        """
        for curve in self.curves:
            if curve.size == size:
                return curve
        raise KeyError(f"no class {size!r}")


def froc(cases: Iterable[Case], rules: FrocRules | None = None) -> Froc:
    """Return sensitivity against false positives over many patients, by size of the lesion.

    Parameters
    ----------
    cases : iterable of Case
        One a patient; patients without a lesion belong to it, for their false positives count.
    rules : FrocRules, optional
        Classes of size (mm), rates and the bootstrap.

    Returns
    -------
    Froc

    Raises
    ------
    InputError
        There is no patient.

    Examples
    --------
    >>> from tumorboard.metrics.maps.detection import Found
    >>> from tumorboard.volume import Grid
    >>> lesions = np.zeros((20, 9, 9), int); lesions[2:5, 2:5, 2:5] = 1; lesions[12, 4, 4] = 2
    >>> found = (Found(0.9, centre_mm=(3.0, 3.0, 3.0)), Found(0.4, centre_mm=(18.0, 1.0, 1.0)))
    >>> curves = froc([Case(lesions, Grid((20, 9, 9), np.eye(4)), found)])
    >>> curves.get("all").sensitivity_at(0.0), curves.get("3-10 mm").cpm, curves.get("< 3 mm").cpm
    (0.5, 1.0, 0.0)
    """
    return froc_of([match(case) for case in cases], rules)


def froc_of(hits: Sequence[Hits], rules: FrocRules | None = None) -> Froc:
    """Return what :func:`froc` does from patients that were matched before: their maps need not be kept.

    Raises
    ------
    InputError
        There is no patient.

    Examples
    --------
    >>> one = Hits(np.array([4.0, 12.0]), np.array([0.9, -np.inf]), np.array([0.4]))
    >>> froc_of([one]).get("all").sensitivity_at(0.0)
    0.5
    """
    if not hits:
        raise InputError("at least one patient", got="none", where="cases", remedy="give the studies that were read")
    rules = rules or FrocRules()
    pool = _pooled(hits)
    draws = np.random.default_rng(rules.seed).multinomial(
        pool.patients, np.full(pool.patients, 1.0 / pool.patients), size=rules.resamples
    )
    every = np.ones(len(pool.sizes_mm), dtype=np.bool_)
    level = np.searchsorted(rules.edges_mm, pool.sizes_mm, side="right")
    chosen = [every, *(level == n for n in range(len(rules.classes) - 1))]
    curves = tuple(_curve(name, pool, who, rules, draws) for name, who in zip(rules.classes, chosen, strict=True))
    return Froc(rules, pool.patients, curves)


_ROUNDING = 1e-9
"""Means of whole numbers are compared with a rate up to this."""


@dataclass(frozen=True)
class _Pool:
    """Lesions and false positives of all patients by falling score, each with its patient."""

    patients: int
    sizes_mm: Floats
    scores: Floats
    owners: NDArray[np.int64]
    false_scores: Floats
    false_owners: NDArray[np.int64]
    thresholds: Floats


def _pooled(hits: Sequence[Hits]) -> _Pool:
    scores, owners, order = _by_score([h.scores for h in hits])
    false_scores, false_owners, _ = _by_score([h.false_scores for h in hits])
    told = np.unique(np.concatenate([scores[np.isfinite(scores)], false_scores]))[::-1]
    return _Pool(
        patients=len(hits),
        sizes_mm=np.concatenate([h.diameters_mm for h in hits])[order],
        scores=scores,
        owners=owners,
        false_scores=false_scores,
        false_owners=false_owners,
        thresholds=np.concatenate([[np.inf], told]),
    )


def _by_score(scores: list[Floats]) -> tuple[Floats, NDArray[np.int64], NDArray[np.int64]]:
    """Scores of all patients, falling; whose each is; and how they were ordered."""
    every = np.concatenate(scores)
    order = np.argsort(-every, kind="stable")
    owners = np.repeat(np.arange(len(scores)), [len(s) for s in scores])
    return every[order], owners[order], order


def _from_score_on(scores: Floats, weights: Floats, thresholds: Floats) -> Floats:
    """Sum of the weights whose score is at or above each threshold; both fall."""
    sums = np.concatenate([[0.0], np.cumsum(weights)])
    return np.asarray(sums[np.searchsorted(-scores, -thresholds, side="right")])


def _points(pool: _Pool, who: NDArray[np.bool_], weights: Floats) -> tuple[Floats, Floats]:
    """Sensitivity and false positives a patient at every threshold, each patient with a weight."""
    mine = weights[pool.owners[who]]
    found = _from_score_on(pool.scores[who], mine, pool.thresholds)
    wrong = _from_score_on(pool.false_scores, weights[pool.false_owners], pool.thresholds)
    total = mine.sum()
    return found / total if total else np.full_like(found, np.nan), wrong / weights.sum()


def _read(sensitivity: Floats, false_positives: Floats, rates: tuple[float, ...]) -> Floats:
    last = np.searchsorted(false_positives, np.asarray(rates) + _ROUNDING, side="right") - 1
    return np.asarray(sensitivity[last])  # the first point has no false positive, so there is one


def _curve(name: str, pool: _Pool, who: NDArray[np.bool_], rules: FrocRules, draws: NDArray[np.int64]) -> Curve:
    sensitivity, wrong = _points(pool, who, np.ones(pool.patients))
    lesions = int(who.sum())
    cpm = float(_read(sensitivity, wrong, rules.rates).mean()) if lesions else None
    drawn = _drawn(pool, who, rules, draws) if lesions else np.empty((0, len(rules.rates)))
    intervals = tuple(_interval(column, rules.level) for column in drawn.T) if len(drawn) else None
    cpm_interval = _interval(drawn.mean(axis=1), rules.level) if len(drawn) else None
    return Curve(name, lesions, pool.thresholds, sensitivity, wrong, rules.rates, intervals, cpm, cpm_interval)


def _drawn(pool: _Pool, who: NDArray[np.bool_], rules: FrocRules, draws: NDArray[np.int64]) -> Floats:
    """Sensitivity at each rate (columns) in each draw of patients (rows) that holds a lesion of this class."""
    read = [_read(*_points(pool, who, weights.astype(np.float64)), rules.rates) for weights in draws]
    drawn = np.stack(read)
    return np.asarray(drawn[~np.isnan(drawn).any(axis=1)])


def _interval(values: Floats, level: float) -> Interval:
    low, high = np.percentile(values, [50 * (1 - level), 50 * (1 + level)])
    return float(low), float(high)
