"""All metrics of predictions by name: what they need, which way is better, what chance gives, whom they cite.

Why it exists: a recipe names its metrics; whoever runs it needs one door for all of them, and common tests walk through
the table so that none escapes: no order of rows, no missing value, no single class may surprise it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from tumorboard.errors import InputError, did_you_mean
from tumorboard.metrics import regression
from tumorboard.metrics.calibrate import calibration
from tumorboard.metrics.checked import Floats
from tumorboard.metrics.classify import (
    classes,
    decision_curve,
    multiclass,
    operating,
    precision_recall,
    proper_scores,
    roc,
)
from tumorboard.metrics.estimate import LEVEL, Estimate
from tumorboard.metrics.resampling import Groups
from tumorboard.metrics.survival import brier, dynamic_auc, risk_concordance

Kind = Literal["binary", "multiclass", "survival", "regression"]
Takes = Literal["score", "probability", "risk", "survival", "value"]
Better = Literal["higher", "lower", "nearer"]


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric and what is to be known of it.

    Parameters
    ----------
    name : str
        In recipes.
    title : str
        In tables.
    needs : tuple of str
        Kinds of outcome it can judge: ``binary``, ``multiclass``, ``survival``, ``regression``.
    takes : str
        What a prediction must be: any ``score`` that rises with the event, a ``probability`` (of the event, or a row of
        all classes), a ``risk`` that is higher for earlier death, chances of ``survival`` at days, or a ``value``.
    function : callable
        ``f(truth, prediction, groups=, level=, **options)``, of survival ``f(days, events, prediction, …)``.
    better : str
        ``higher``, ``lower``, or ``nearer`` to ``perfect``.
    perfect : float
        Of a perfect prediction.
    chance : callable or None
        From the truth to what predictions without knowledge give; None where that is no one number.
    options : tuple of str
        Names of further arguments.
    required : tuple of str
        Those of them that have no default.
    """

    name: str
    title: str
    needs: tuple[Kind, ...]
    takes: Takes
    function: Callable[..., Estimate]
    better: Better
    perfect: float
    chance: Callable[[Floats], float] | None
    options: tuple[str, ...] = ()
    required: tuple[str, ...] = ()


def _half(truth: Floats) -> float:
    return 0.5


def _zero(truth: Floats) -> float:
    return 0.0


def _prevalence(truth: Floats) -> float:
    return float(np.mean(truth))


def _even(truth: Floats) -> float:
    return 1 / len(np.unique(truth))


_TWO: tuple[Kind, ...] = ("binary",)
_MORE: tuple[Kind, ...] = ("multiclass",)
_ANY: tuple[Kind, ...] = ("binary", "multiclass")
_LIFE: tuple[Kind, ...] = ("survival",)
_NUMBER: tuple[Kind, ...] = ("regression",)
_CUT = ("threshold",)
_SHARE = ("threshold", "interval")
_DAY = (("horizon", "training"), ("horizon",))
_DAYS = (("times", "training"), ("times",))

_ALL = (
    Metric("auc", "area under the ROC curve", _TWO, "score", roc.roc_auc, "higher", 1, _half),
    Metric(
        *("average_precision", "average precision", _TWO, "score", precision_recall.average_precision),
        *("higher", 1, _prevalence),
    ),
    Metric("sensitivity", "sensitivity", _TWO, "score", operating.sensitivity, "higher", 1, None, _SHARE),
    Metric("specificity", "specificity", _TWO, "score", operating.specificity, "higher", 1, None, _SHARE),
    Metric("ppv", "positive predictive value", _TWO, "score", operating.ppv, "higher", 1, _prevalence, _SHARE),
    Metric("npv", "negative predictive value", _TWO, "score", operating.npv, "higher", 1, None, _SHARE),
    Metric("f1", "F1", _TWO, "score", operating.f1, "higher", 1, None, _CUT),
    Metric("youden", "Youden's index", _TWO, "score", operating.youden, "higher", 1, _zero, _CUT),
    Metric("accuracy", "accuracy", _ANY, "score", classes.accuracy, "higher", 1, None, _CUT),
    Metric(
        *("balanced_accuracy", "balanced accuracy", _ANY, "score", classes.balanced_accuracy),
        *("higher", 1, _even, _CUT),
    ),
    Metric("kappa", "Cohen's kappa", _ANY, "score", classes.cohen_kappa, "higher", 1, _zero, _CUT),
    Metric("mcc", "Matthews' correlation", _ANY, "score", classes.mcc, "higher", 1, _zero, _CUT),
    Metric("macro_f1", "macro F1", _ANY, "score", classes.macro_f1, "higher", 1, None, _CUT),
    Metric("top_k", "top-k accuracy", _MORE, "probability", classes.top_k, "higher", 1, None, ("k",)),
    Metric(
        "macro_auc", "macro AUC, one against the rest", _MORE, "probability", multiclass.macro_auc, "higher", 1, _half
    ),
    Metric("weighted_auc", "weighted AUC", _MORE, "probability", multiclass.weighted_auc, "higher", 1, _half),
    Metric("hand_till", "Hand and Till's M", _MORE, "probability", multiclass.hand_till, "higher", 1, _half),
    Metric("brier", "Brier score", _ANY, "probability", proper_scores.brier_score, "lower", 0, None),
    Metric("scaled_brier", "scaled Brier score", _ANY, "probability", proper_scores.scaled_brier, "higher", 1, None),
    Metric("log_loss", "logarithmic loss", _ANY, "probability", proper_scores.log_loss, "lower", 0, None),
    Metric(
        *("calibration_intercept", "calibration intercept", _TWO, "probability", calibration.calibration_intercept),
        *("nearer", 0, None),
    ),
    Metric(
        *("calibration_slope", "calibration slope", _TWO, "probability", calibration.calibration_slope),
        *("nearer", 1, _zero),
    ),
    Metric(
        *("oe_ratio", "observed over expected", _TWO, "probability", calibration.observed_over_expected),
        *("nearer", 1, None),
    ),
    Metric(
        *("ece", "expected calibration error", _TWO, "probability", calibration.calibration_error),
        *("lower", 0, None, ("bins", "how")),
    ),
    Metric(
        *("net_benefit", "net benefit", _TWO, "probability", decision_curve.net_benefit),
        *("higher", 1, None, _CUT),
    ),
    Metric("harrell_c", "Harrell's C", _LIFE, "risk", risk_concordance.risk_harrell_c, "higher", 1, _half),
    Metric("uno_c", "Uno's C", _LIFE, "risk", risk_concordance.risk_uno_c, "higher", 1, _half, ("tau",)),
    Metric("dynamic_auc", "AUC at a horizon", _LIFE, "risk", dynamic_auc.dynamic_auc, "higher", 1, _half, *_DAY),
    Metric(
        *("integrated_auc", "mean AUC over time", _LIFE, "risk", dynamic_auc.integrated_auc),
        *("higher", 1, _half, *_DAYS),
    ),
    Metric(
        *("integrated_brier", "integrated Brier score", _LIFE, "survival", brier.integrated_brier),
        *("lower", 0, None, *_DAYS),
    ),
    Metric("mae", "mean absolute error", _NUMBER, "value", regression.mae, "lower", 0, None),
    Metric("rmse", "root mean squared error", _NUMBER, "value", regression.rmse, "lower", 0, None),
    Metric("r2", "explained variance", _NUMBER, "value", regression.r2, "higher", 1, None),
    Metric("pearson", "Pearson's correlation", _NUMBER, "value", regression.pearson, "higher", 1, _zero),
    Metric("spearman", "Spearman's correlation", _NUMBER, "value", regression.spearman, "higher", 1, _zero),
)

METRICS: dict[str, Metric] = {metric.name: metric for metric in _ALL}
"""Every metric of predictions."""


def find_metric(name: str, kind: Kind | None = None) -> Metric:
    """Return a metric by name.

    Parameters
    ----------
    name : str
        One of :data:`METRICS`.
    kind : str, optional
        Of the outcome that it has to judge.

    Raises
    ------
    InputError
        No such metric (the nearest name is proposed), or it judges other outcomes.

    Examples
    --------
    >>> find_metric("auc", "binary").better
    'higher'
    """
    known = [m.name for m in METRICS.values() if kind is None or kind in m.needs]
    if name in known:
        return METRICS[name]
    if name in METRICS:
        expected = f"a metric of a {kind} outcome ({', '.join(known)})"
        raise InputError(expected, got=f"{name!r}, which needs {' or '.join(METRICS[name].needs)}", where="metrics")
    remedy = did_you_mean(name, known)
    raise InputError(f"a metric of {', '.join(known)}", got=repr(name), where="metrics", remedy=remedy)


def measure(
    name: str,
    truth: ArrayLike | tuple[ArrayLike, ArrayLike],
    prediction: ArrayLike,
    groups: Groups | None = None,
    level: float = LEVEL,
    **options: Any,
) -> Estimate:
    """Measure predictions with one metric.

    Parameters
    ----------
    name : str
        One of :data:`METRICS`.
    truth : array_like, shape (n,)
        0 and 1, classes from 0, or numbers; of survival a pair (days, events).
    prediction : array_like, shape (n,) or (n, k)
        What the metric takes.
    groups : sequence, optional
        To which patient each row belongs.
    level : float
        Of the interval.
    **options
        Those of the metric, as ``threshold=0.4`` or ``horizon=365``.

    Returns
    -------
    Estimate

    Raises
    ------
    InputError
        An unknown metric or option, a missing one, or whatever the metric refuses.

    Examples
    --------
    >>> measure("auc", [0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]).value
    0.75
    >>> measure("harrell_c", ([100, 200, 300], [1, 1, 0]), [3, 2, 1]).value
    1.0
    """
    metric = find_metric(name)
    unknown, missing = set(options) - set(metric.options), set(metric.required) - set(options)
    if unknown or missing:
        told = [f"{o} (needed)" if o in metric.required else o for o in metric.options]
        got = f"{', '.join(sorted(unknown))}" if unknown else f"no {', '.join(sorted(missing))}"
        raise InputError(f"options of {', '.join(told) or 'none'}", got=got, where=f"metric {name}")
    if "survival" in metric.needs:
        if not isinstance(truth, tuple) or len(truth) != 2:
            raise InputError("a pair of days and events", got="something else", where=f"metric {name}")
        return metric.function(*truth, prediction, groups=groups, level=level, **options)
    return metric.function(truth, prediction, groups=groups, level=level, **options)
