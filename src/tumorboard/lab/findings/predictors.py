"""Each column by itself: its values, its association with the outcome, and whether the final model kept it.

Why it exists: a table of the selected features is asked for by every checklist of radiomics, and a reader wants to see
whether a column that the model leans on says anything alone. It describes; nothing is selected by it.

Source: F of an analysis of variance (classes), F of r (quantities), score test (survival); Holm S. Scand J Stat
1979;6:65-70 for many columns.
"""

from __future__ import annotations

import numpy as np

from tumorboard.lab.findings.base import Asked, Cell, Finding, counted
from tumorboard.lab.recipe import Outcomes
from tumorboard.lab.run import Run
from tumorboard.lab.selection.scores import p_values
from tumorboard.metrics.comparing import adjusted_p

MOST_SHOWN = 15


def predictors(asked: Asked) -> Finding | None:
    """Return the table of columns; none for images without columns.

    Parameters
    ----------
    asked : Asked
        The run; rows that trained the final model count.
    """
    run, some = asked.run, asked.run.training
    if not some.table.names:
        return None
    x = some.table.values
    there = ~np.isnan(x)
    count = there.sum(axis=0)
    filled = np.where(there, x, 0.0)
    mean = filled.sum(axis=0) / np.maximum(count, 1)
    spread = np.sqrt((np.where(there, x - mean, 0.0) ** 2).sum(axis=0) / np.maximum(count - 1, 1))
    labels = run.data.outcome.kind is Outcomes.MULTILABEL
    p = np.full(x.shape[1], np.nan) if labels else p_values(np.where(there, x, mean), some.outcome)
    holm = p if labels else adjusted_p(np.clip(p, 0, 1), "holm")
    weights = _weights(run)
    kept = set(run.fitted.pipeline.names_)
    rows = [
        (name, "yes" if name in kept else "", weights.get(name), int(n), *_numbers(n, m, s, a, b))
        for name, n, m, s, a, b in zip(some.table.names, count, mean, spread, p, holm, strict=True)
    ]
    order = sorted(range(len(rows)), key=lambda i: (not rows[i][1], -float(rows[i][2] or 0), rows[i][0]))
    ordered = tuple(rows[i] for i in order)
    head = ("column", "in the final model", "share of weights", "n", "mean", "sd", "p alone", "p alone, Holm")
    note = "Association of each column alone with the outcome in all training rows; nothing was selected by it."
    note += f" {counted(len(rows) - MOST_SHOWN, 'more column')} in the file." if len(rows) > MOST_SHOWN else ""
    facts = {"features.statistics": True, "features.univariable": not labels}
    return Finding("predictors", "Predictors", head, ordered, note, (), facts, ordered[:MOST_SHOWN])


def _numbers(n: int, mean: float, spread: float, p: float, holm: float) -> tuple[Cell, ...]:
    gone = n == 0
    return (None if gone else float(mean), None if n < 2 else float(spread), float(p), float(holm))


def _weights(run: Run) -> dict[str, float]:
    """Return each column's share of the weights of the final model, where the learner has weights."""
    weights = run.fitted.pipeline.learner.weights
    if weights is None or not weights.sum() > 0:
        return {}
    return {n: float(w / weights.sum()) for n, w in zip(run.fitted.pipeline.names_, weights, strict=True)}
