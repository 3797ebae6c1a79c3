"""Classes that are called right and wrong: confusion matrices, everything at a threshold, and where that comes from.

Why it exists: an accuracy at a threshold that was chosen on the patients it is judged on flatters. One half is set
beforehand; Youden's threshold of each fold is chosen on the patients of the other folds, and both are told.

Source: see :mod:`tumorboard.metrics.classify.threshold` and :mod:`~tumorboard.metrics.classify.operating`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tumorboard.errors import InputError
from tumorboard.lab.findings.base import Asked, Cell, Finding, cells, in_folds, picture
from tumorboard.lab.recipe import Outcomes
from tumorboard.lab.run import Run
from tumorboard.metrics.classify.classes import EVEN, confusion_table
from tumorboard.metrics.classify.operating import operating_point
from tumorboard.metrics.classify.threshold import Threshold, choose_threshold

Flags = NDArray[np.bool_]
_TOLD = ("sensitivity", "specificity", "ppv", "npv", "accuracy", "balanced_accuracy", "f1", "mcc")


def operating(asked: Asked) -> Finding | None:
    """Return what two classes are called at each threshold; none for other outcomes.

    Parameters
    ----------
    asked : Asked
        The run.
    """
    run = asked.run
    if run.data.outcome.kind is not Outcomes.BINARY:
        return None
    y = run.predicted.outcome.classes
    rows: list[tuple[Cell, ...]] = []
    words = []
    for rule, words_of, said in _called(run):
        words.append(f"{rule} ({words_of})")
        point = operating_point(y, said.astype(np.float64), EVEN, run.predicted.groups)
        counts = {"true positive": point.hits, "false negative": point.misses}
        counts |= {"false positive": point.false_alarms, "true negative": point.rejections}
        rows += [(rule, name, n, None, None, "") for name, n in counts.items()]
        rows += [(rule, name, *cells(point.estimates[name])) for name in _TOLD]
    note = "Thresholds: " + "; ".join(words) + "."
    facts = {"model.threshold": "; ".join(words)}
    head = ("threshold", "measure", "value", "low", "high", "reason")
    return Finding("operating", "At a threshold", head, tuple(rows), note, (), facts)


def _called(run: Run) -> Iterator[tuple[str, str, Flags]]:
    """Yield each rule, how its threshold was found, and who is called positive by it."""
    scores = run.predicted.values[:, 0]
    yield "0.5", "set beforehand", scores >= EVEN
    folds = in_folds(run)
    if folds is None or len(np.unique(folds)) > len(folds) // 2:
        return
    said = np.zeros(len(scores), dtype=bool)
    chosen: list[Threshold] = []
    for fold in np.unique(folds):
        here = folds == fold
        try:
            chosen.append(choose_threshold(run.predicted.outcome.classes[~here], scores[~here]))
        except InputError:
            return
        said[here] = chosen[-1].apply(scores[here])
    values = [t.value for t in chosen]
    how = f"of each fold, chosen on patients of the other folds: {min(values):.2f} to {max(values):.2f}"
    yield "Youden's index", how, said


def confusion(asked: Asked) -> Finding | None:
    """Return the confusion matrix: true classes as rows, said ones as columns; none for survival and quantities.

    Parameters
    ----------
    asked : Asked
        The run.
    """
    from tumorboard.lab.findings.pictures import confusion_picture

    run = asked.run
    kind = run.data.outcome.kind
    if kind not in (Outcomes.BINARY, Outcomes.MULTICLASS):
        return None
    names, p = run.data.outcome.names, run.predicted
    table = confusion_table(p.outcome.classes, p.values[:, 0] if kind is Outcomes.BINARY else p.values)
    rows: list[tuple[Cell, ...]] = [(n, *(int(c) for c in line)) for n, line in zip(names, table, strict=False)]
    note = "Rows are true classes, columns what was said"
    note += " at 0.5." if kind is Outcomes.BINARY else ": the most probable class."
    drawn = picture("Confusion matrix", confusion_picture(table, names, world=run.world))
    facts: dict[str, Any] = {"performance.confusion": True}
    return Finding(
        "confusion", "Confusion matrix", ("true", *(f"said {n}" for n in names)), tuple(rows), note, (drawn,), facts
    )


def wrong(asked: Asked) -> Finding | None:
    """Return the rows that were predicted wrongly, worst first; of a quantity the tenth with the largest error.

    Parameters
    ----------
    asked : Asked
        The run.
    """
    run, p = asked.run, asked.run.predicted
    kind, names = run.data.outcome.kind, run.data.outcome.names
    if kind is Outcomes.REGRESSION:
        error = np.abs(p.values[:, 0] - p.outcome.values[:, 0])
        at = np.argsort(-error, kind="stable")[: max(1, len(error) // 10)]
        told = [(float(p.outcome.values[i, 0]), float(p.values[i, 0]), float(error[i])) for i in at]
        note = "The tenth of rows with the largest error."
    elif kind in (Outcomes.BINARY, Outcomes.MULTICLASS):
        chances = np.hstack([1 - p.values, p.values]) if kind is Outcomes.BINARY else p.values
        said = (p.values[:, 0] >= EVEN).astype(np.int64) if kind is Outcomes.BINARY else chances.argmax(axis=1)
        sure = chances[np.arange(len(said)), said]
        at = np.array([i for i in np.argsort(-sure, kind="stable") if said[i] != p.outcome.classes[i]], dtype=np.intp)
        told = [(names[p.outcome.classes[i]], names[said[i]], float(sure[i])) for i in at]
        note = f"{len(at)} of {len(said)} rows; the surest mistakes first."
    else:
        return None
    units = [run.data.table.units[run.rows[i]] for i in at]
    rows = tuple((u.patient, u.study, u.lesion, *line) for u, line in zip(units, told, strict=True))
    last = "error" if kind is Outcomes.REGRESSION else "chance that was said"
    head = ("patient", "study", "lesion", "true", "said", last)
    return Finding("wrong", "Wrong predictions", head, rows, note, (), {"performance.failures": True}, rows[:10])
