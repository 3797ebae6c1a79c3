"""Permutation importance: how much worse a model tells the outcome when columns are shuffled among patients.

Why it exists: it asks any model, in the unit of the metric, on rows that the model was not fitted on. Columns that go
together are shuffled together, and each importance has an interval over patients: most columns of most models do
nothing that could not be chance.

Source: Breiman L. Mach Learn 2001;45:5-32; Fisher A, Rudin C, Dominici F. J Mach Learn Res 2019;20(177) (any model);
intervals of falls of the AUC: DeLong ER et al. Biometrics 1988;44:837-845, else the bootstrap of patients.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Collection, Sequence

import numpy as np
from numpy.typing import ArrayLike

from tumorboard.errors import InputError
from tumorboard.explain.explanation import About, Driver, Drivers, Scope, by_size
from tumorboard.explain.tables.groups import ABOVE, correlated_groups
from tumorboard.explain.tables.inputs import Floats, Predict, Rows, answers
from tumorboard.explain.words import drivers_sentence
from tumorboard.metrics.checked import ONE_CLASS
from tumorboard.metrics.classify.delong import auc_covariance
from tumorboard.metrics.estimate import LEVEL, Estimate, normal_quantile
from tumorboard.metrics.resampling import bootstrap, rows_by_group

CITES = "Breiman L. Mach Learn 2001;45:5-32; Fisher A et al. J Mach Learn Res 2019;20(177)"
REPEATS, DRAWS = 5, 200
"""Shuffles of each group; draws of patients for its interval."""

VALUES = 2_000_000
"""Numbers that are handed to the model at once: many trees are slow to ask, whatever about."""

Score = Callable[[Floats, Floats], float]
"""From truth and predictions of the same rows to a number that is higher when better; NaN where there is none."""


def auc_score(truth: Floats, scores: Floats) -> float:
    """Return the area under the ROC curve; NaN for one class.

    Examples
    --------
    >>> auc_score(np.array([0.0, 1.0, 1.0]), np.array([0.2, 0.2, 0.9]))
    0.75
    """
    from scipy.stats import rankdata

    yes = truth > 0.5
    many = int(yes.sum())
    if not 0 < many < len(yes):
        return float("nan")
    return float((rankdata(scores)[yes].sum() - many * (many + 1) / 2) / (many * (len(yes) - many)))


def r2_score(truth: Floats, predicted: Floats) -> float:
    """Return the share of explained variance; NaN where the truth does not vary.

    Examples
    --------
    >>> r2_score(np.array([0.0, 2.0]), np.array([0.0, 1.0]))
    0.5
    """
    spread = float(((truth - truth.mean()) ** 2).sum())
    return 1 - float(((truth - predicted) ** 2).sum()) / spread if spread > 0 else float("nan")


def concordance_score(truth: Floats, risks: Floats) -> float:
    """Return Harrell's C of risks; truth has the columns days and event.

    Examples
    --------
    >>> concordance_score(np.array([[10.0, 1.0], [20.0, 1.0]]), np.array([0.9, 0.1]))
    1.0
    """
    from tumorboard.metrics.survival.concordance import harrell_c

    return harrell_c(truth[:, 0], truth[:, 1].astype(np.bool_), -risks).value


SCORES: dict[str, tuple[str, Score]] = {
    "auc": ("fall of the AUC", auc_score),
    "r2": ("fall of the explained variance", r2_score),
    "concordance": ("fall of Harrell's C", concordance_score),
}
"""Scores by name, and their unit as importance."""


def permutation_importance(  # noqa: PLR0913 - what is asked, and by name how columns are shuffled
    predict: Predict,
    rows: Rows,
    truth: ArrayLike,
    *,
    score: str = "auc",
    above: float = ABOVE,
    columns: Collection[str] | None = None,
    within: Sequence[int] | None = None,
    seed: int = 0,
    about: About | None = None,
) -> Drivers:
    """Return how much each group of columns matters to a fitted model.

    Parameters
    ----------
    predict : callable
        From rows to predictions; the model, all of its steps included. It is asked about the rows in their order,
        and about shuffles of them below each other.
    rows : Rows
        That the model was not fitted on; NaN is shuffled as it is. Intervals are over their patients.
    truth : array_like of float, shape (n,) or (n, 2)
        Outcome; of survival days and event.
    score : str
        One of :data:`SCORES`.
    above : float
        Columns with higher rank correlation are shuffled together; 1: each alone.
    columns : collection of str, optional
        Only groups with one of these are asked; by default all.
    within : sequence of int, length n, optional
        Number of a part for each row: values are dealt out inside each part only, as where folds have models of their
        own.
    seed : int
        Of shuffles (5 of each group) and, for other scores than the AUC, of draws of patients (200).
    about : About, optional
        What is explained.

    Returns
    -------
    Drivers
        Global and post-hoc; the interval covers 0 where a group may do nothing. ``base`` is the score as it is.

    Raises
    ------
    InputError
        Shapes do not fit, no such score, or the model does no better with columns than can be scored.

    Examples
    --------
    >>> x = np.random.default_rng(0).normal(size=(80, 2))
    >>> found = permutation_importance(lambda x: x[:, 0], Rows(x, ("size", "noise")), x[:, 0] > 0)
    >>> found.drivers[0].title, round(found.base, 2), found.drivers[1].effect.value
    ('size', 1.0, 0.0)
    """
    x, told = rows.at_least(2), np.asarray(truth, dtype=np.float64)
    if len(told) != len(x) or not np.isfinite(told).all():
        raise InputError(f"{len(x)} known outcomes", got=f"shape {told.shape}", where="permutation importance")
    if score not in SCORES:
        raise InputError(f"one of {', '.join(SCORES)}", got=repr(score), where="score of permutation importance")
    unit, function = SCORES[score]
    plain, rng = answers(predict, x), np.random.default_rng(seed)
    parts = None if within is None else rows_by_group(within, len(x))
    groups = [g for g in correlated_groups(x, above) if columns is None or any(rows.names[c] in columns for c in g)]
    drivers = []
    at_once = max(1, VALUES // (REPEATS * x.size))
    fall = _fall_of_auc if score == "auc" else _fall
    for first in range(0, len(groups), at_once):
        some = groups[first : first + at_once]
        stacked = np.concatenate([_shuffled(x, g, rng, parts) for g in some for _ in range(REPEATS)])
        found = answers(predict, stacked).reshape(len(some), REPEATS, *plain.shape)
        for group, shuffled in zip(some, found, strict=True):
            effect = fall(told, np.stack([plain, *shuffled]), rows, score, seed)
            drivers.append(Driver(tuple(rows.names[c] for c in group), effect))
    base = function(told, plain)
    made = Drivers(
        method="permutation", cites=CITES, about=about or About(), scope=Scope.GLOBAL,
        unit=unit, drivers=by_size(drivers), base=base, warnings=_warnings(score, base, drivers),
    )  # fmt: skip
    return dataclasses.replace(made, sentence=drivers_sentence(made))


def _fall_of_auc(told: Floats, given: Floats, rows: Rows, score: str, seed: int) -> Estimate:
    """Return the AUC less its mean over shuffles, with DeLong's interval for AUCs of the same patients."""
    yes = told > 0.5
    if yes.all() or not yes.any():
        return Estimate.missing(ONE_CLASS, len(told))
    areas, covariance = auc_covariance(yes, given.T, rows.groups)
    contrast = np.array([1.0, *[-1 / (len(given) - 1)] * (len(given) - 1)])
    value, variance = round(float(contrast @ areas), 12) + 0.0, float(contrast @ covariance @ contrast)
    if not variance > 1e-18:
        why = "too few patients of a class" if math.isnan(variance) else "no shuffle changes any order"
        return Estimate.bare(value, f"{why}: no interval", len(told))
    reach = normal_quantile(LEVEL) * math.sqrt(variance)
    return Estimate(value, value - reach, value + reach, len(told))


def _fall(told: Floats, given: Floats, rows: Rows, score: str, seed: int) -> Estimate:
    """Return a score less its mean over shuffles, with the interval of drawing patients."""
    function = SCORES[score][1]

    def fall(at: np.ndarray) -> float:
        return function(told[at], given[0][at]) - float(np.mean([function(told[at], p[at]) for p in given[1:]]))

    return bootstrap(fall, len(told), rows.groups, draws=DRAWS, seed=seed)


def _shuffled(
    x: Floats, group: tuple[int, ...], rng: np.random.Generator, parts: Sequence[np.ndarray] | None
) -> Floats:
    out = x.copy()
    at = np.asarray(group, dtype=np.intp)
    for rows in [np.arange(len(x))] if parts is None else parts:
        out[np.ix_(rows, at)] = x[np.ix_(rng.permutation(rows), at)]
    return out


def _warnings(score: str, base: float, drivers: list[Driver]) -> tuple[str, ...]:
    said = []
    chance = 0.0 if score == "r2" else 0.5
    if not base > chance:
        said.append("the model does no better than chance: what it uses explains nothing")
    if not any(d.effect.known and d.effect.low > 0 for d in drivers):
        said.append("no interval lies above 0: every importance may be chance")
    return tuple(said)
