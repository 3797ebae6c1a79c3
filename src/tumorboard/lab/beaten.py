"""Whether a run beats chance, and the plain model that it named beforehand.

Why it exists: radiomics papers beat nobody; here every run is asked whether shuffled outcomes, or age alone in the same
folds, would have done as well. The difference is of the leading metric, on the same patients.

Sources: see :mod:`tumorboard.metrics.comparing` and :mod:`tumorboard.metrics.classify.delong`.
"""

from __future__ import annotations

import math
from functools import partial

import numpy as np
from numpy.typing import NDArray

from tumorboard.lab.outcome import Outcome
from tumorboard.lab.recipe import Outcomes
from tumorboard.lab.scores import USUAL, Predicted, lead_score, measured
from tumorboard.lab.step import Floats
from tumorboard.metrics.classify.delong import Comparison

SHUFFLES, DRAWS = 1000, 500
_SIMPLE = (Outcomes.BINARY, Outcomes.MULTICLASS, Outcomes.REGRESSION)


def chance_p(predicted: Predicted, seed: int = 0) -> float:
    """Return the p value of out-of-fold predictions against shuffled ones; NaN for survival and labels.

    Parameters
    ----------
    predicted : Predicted
        Out of fold.
    seed : int
        Of the shuffles.

    Returns
    -------
    float
        One-sided; of the area for two classes, the likelihood for several, the squared error for quantities.
    """
    from tumorboard.metrics.comparing import against_chance

    outcome = predicted.outcome
    if outcome.kind not in _SIMPLE:
        return math.nan

    def metric(truth: Floats, values: Floats) -> float:
        same = type(outcome)(outcome.kind, truth.reshape(-1, 1), outcome.names)
        return lead_score(Predicted(same, values, predicted.patients, predicted.days))

    truth = outcome.values[:, 0]
    return against_chance(metric, truth, predicted.values, predicted.groups, shuffles=SHUFFLES, seed=seed).p


def difference(predicted: Predicted, rival: Predicted) -> Comparison:
    """Return the leading metric of predictions minus that of a rival's for the same rows.

    Parameters
    ----------
    predicted, rival : Predicted
        Out of the same folds; of labels, the first counts.

    Returns
    -------
    Comparison
        DeLong's test for two classes, else a bootstrap over patients.
    """
    from tumorboard.metrics.classify.delong import compare_aucs
    from tumorboard.metrics.comparing import compare_metrics

    kind = predicted.outcome.kind
    if kind is Outcomes.BINARY:
        scores = predicted.values[:, 0], rival.values[:, 0]
        return compare_aucs(predicted.outcome.classes, *scores, groups=predicted.groups)
    name = USUAL[Outcomes.BINARY if kind is Outcomes.MULTILABEL else kind][0]

    n = len(predicted.outcome)
    ours, theirs = partial(lead_of_rows, predicted, name), partial(lead_of_rows, rival, name)
    return compare_metrics(ours, theirs, n, groups=predicted.groups, draws=DRAWS)


def lead_of_rows(p: Predicted, name: str, rows: NDArray[np.intp]) -> float:
    """Return a metric of some rows, with repeats, without its interval where that is cheaper; of labels the first."""
    if p.outcome.kind is Outcomes.MULTILABEL:
        label = p.outcome.label(0)
        some = rows[~np.isnan(label.values[rows, 0])]
        return lead_score(Predicted(label.take(some), p.values[some][:, [0]], (), p.days))
    if p.outcome.kind is Outcomes.MULTICLASS:
        return _macro_auc(p.outcome.classes[rows], p.values[rows])
    drawn = Predicted(p.outcome.take(rows), p.values[rows], [str(n) for n in range(len(rows))], p.days)
    if p.outcome.kind is Outcomes.REGRESSION:
        y, x = drawn.outcome.values[:, 0], drawn.values[:, 0]
        spread = float(((y - y.mean()) ** 2).sum())
        return 1 - float(((y - x) ** 2).sum()) / spread if spread > 0 else math.nan
    return measured(name, drawn).value


def _macro_auc(classes: NDArray[np.int64], values: Floats) -> float:
    """Return the mean area of each class against the rest; NaN where a class is not there."""
    areas = [
        lead_score(Predicted(Outcome.binary(classes == k), values[:, [k]], (), np.empty(0)))
        for k in range(values.shape[1])
    ]
    return float(np.mean(areas))
