"""Out-of-fold predictions judged by the metrics that suit their kind, each with an interval over patients.

Why it exists: every recipe of a kind is judged by the same table, whether its paper reported all of it or one lucky
number. Rows of one patient are never drawn apart.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tumorboard.errors import InputError
from tumorboard.lab.outcome import Outcome
from tumorboard.lab.recipe import Outcomes, nearest
from tumorboard.lab.step import Floats
from tumorboard.metrics.estimate import Estimate


@dataclass(frozen=True)
class Predicted:
    """Predictions of some rows beside what happened.

    Parameters
    ----------
    outcome : Outcome
        What happened.
    values : ndarray, shape (n, k)
        As :meth:`tumorboard.lab.learners.base.Learner.predict` gives them.
    patients : sequence of str
        Whose rows they are.
    days : ndarray, shape (t,)
        Survival: days of the curves.
    survival : ndarray, shape (n, t), optional
        Survival: chances to live beyond these days.
    """

    outcome: Outcome
    values: Floats
    patients: Sequence[str]
    days: Floats
    survival: Floats | None = None

    @property
    def groups(self) -> Sequence[str] | None:
        """Patients, where one has several rows; else none."""
        return self.patients if len(set(self.patients)) < len(self.patients) else None


USUAL: dict[Outcomes, tuple[str, ...]] = {
    Outcomes.BINARY: (
        *("auc", "average_precision", "accuracy", "balanced_accuracy", "sensitivity", "specificity", "ppv", "npv"),
        *("f1", "mcc", "brier", "scaled_brier", "calibration_intercept", "calibration_slope"),
    ),
    Outcomes.MULTICLASS: (
        *("macro_auc", "hand_till", "accuracy", "balanced_accuracy", "kappa", "macro_f1", "brier", "log_loss"),
    ),
    Outcomes.SURVIVAL: ("harrell_c", "uno_c", "integrated_auc", "integrated_brier"),
    Outcomes.REGRESSION: ("r2", "mae", "rmse", "pearson", "spearman"),
}
"""Metrics that every recipe of a kind is judged by; the first is the leading one."""

_LATER = ("dynamic_auc", "net_benefit")
_TIMES = ("integrated_auc", "integrated_brier")


def metric_names(kind: Outcomes) -> tuple[str, ...]:
    """Return the usual metrics of a kind of outcome, the leading one first; labels are binary.

    Examples
    --------
    >>> metric_names(Outcomes.SURVIVAL)
    ('harrell_c', 'uno_c', 'integrated_auc', 'integrated_brier')
    """
    return USUAL[_each(kind)]


def _each(kind: Outcomes) -> Outcomes:
    return Outcomes.BINARY if kind is Outcomes.MULTILABEL else kind


def check_metrics(kind: Outcomes, names: Sequence[str]) -> None:
    """Refuse a metric that the kind of outcome does not have.

    Raises
    ------
    InputError
        With the nearest.
    """
    from tumorboard.metrics.catalogue import METRICS

    known = [m.name for m in METRICS.values() if _each(kind).value in m.needs and m.name not in _LATER]
    for name in names:
        if name not in known:
            got = f"{name!r}{nearest(name, known)}"
            raise InputError(f"a metric of {kind.value} outcomes", got=got, where="recipe.metrics")


def judged(predicted: Predicted, names: Sequence[str] = ()) -> dict[str, Estimate]:
    """Return the metrics of predictions.

    Parameters
    ----------
    predicted : Predicted
        Out of fold.
    names : sequence of str
        Which; empty: all of the kind. The leading one is always among them.

    Returns
    -------
    dict of str to Estimate
        Of a multilabel outcome ``auc idh`` …, one for each label.

    Raises
    ------
    InputError
        An unknown metric.
    """
    kind = predicted.outcome.kind
    check_metrics(kind, names)
    lead = metric_names(kind)[0]
    wanted = [lead, *[n for n in (names or metric_names(kind)) if n != lead]]
    if kind is Outcomes.MULTILABEL:
        return {f"{n} {name}": e for name, one in labels_of(predicted) for n, e in judged(one, wanted).items()}
    return {n: measured(n, predicted) for n in wanted}


def labels_of(p: Predicted) -> list[tuple[str, Predicted]]:
    """Return each label of a multilabel outcome as a binary one of the rows where it is known, by its name."""
    out = []
    for n, name in enumerate(p.outcome.names):
        label = p.outcome.label(n)
        known = ~np.isnan(label.values[:, 0])
        whose = [w for w, k in zip(p.patients, known, strict=True) if k]
        out.append((name, Predicted(label.take(known), p.values[known][:, [n]], whose, p.days)))
    return out


def measured(name: str, predicted: Predicted) -> Estimate:
    """Return one metric of predictions, or why they have none.

    Parameters
    ----------
    name : str
        Of :data:`tumorboard.metrics.catalogue.METRICS`.
    predicted : Predicted
        Of any kind but multilabel.
    """
    from tumorboard.metrics.catalogue import measure

    outcome = predicted.outcome
    options: dict[str, Any] = {}
    truth, found = _sides(name, predicted)
    if found is None:
        return Estimate.missing("the learner gives a risk, no survival curve", len(outcome))
    if outcome.kind is Outcomes.SURVIVAL:
        options = {"times": predicted.days} if name in _TIMES else {}
        options |= {"tau": float(predicted.days[-1])} if name == "uno_c" else {}
    try:
        return measure(name, truth, found, groups=predicted.groups, **options)
    except InputError as error:
        return Estimate.missing(f"expected {error.expected}", len(outcome))


def _sides(name: str, p: Predicted) -> tuple[Any, Floats | None]:
    kind = p.outcome.kind
    if kind is Outcomes.SURVIVAL:
        found = p.survival if name == "integrated_brier" else p.values[:, 0]
        return (p.outcome.days, p.outcome.events), found
    if kind is Outcomes.MULTICLASS:
        return p.outcome.classes, p.values / np.maximum(p.values.sum(axis=1, keepdims=True), 1e-12)
    return (p.outcome.classes if kind is Outcomes.BINARY else p.outcome.values[:, 0]), p.values[:, 0]


def lead_score(predicted: Predicted) -> float:
    """Return the number by which tuning chooses, higher is better; labels are averaged; NaN where there is none."""
    kind = predicted.outcome.kind
    if kind is Outcomes.MULTILABEL:
        found = [lead_score(one) for _, one in labels_of(predicted)]
        return float(np.nanmean(found)) if not np.isnan(found).all() else float("nan")
    quick = _QUICK.get(kind)
    return measured(USUAL[kind][0], predicted).value if quick is None else quick(predicted)


def _quick_auc(p: Predicted) -> float:
    from scipy.stats import rankdata

    yes = p.outcome.classes == 1
    n1, n0 = int(yes.sum()), int((~yes).sum())
    if not n1 or not n0:
        return float("nan")
    return (float(rankdata(p.values[:, 0])[yes].sum()) - n1 * (n1 + 1) / 2) / (n1 * n0)


def _quick_loss(p: Predicted) -> float:
    chances = np.clip(p.values[np.arange(len(p.values)), p.outcome.classes], 1e-6, 1.0)
    return float(np.log(chances).mean())


def _quick_square(p: Predicted) -> float:
    return -float(((p.values[:, 0] - p.outcome.values[:, 0]) ** 2).mean())


_QUICK: dict[Outcomes, Callable[[Predicted], float]] = {
    Outcomes.BINARY: _quick_auc,
    Outcomes.MULTICLASS: _quick_loss,
    Outcomes.REGRESSION: _quick_square,
}
"""For tuning: area, likelihood of several classes, squared error of quantities; none has an interval."""
