"""Whether more patients of the same kind would help: the leading metric over the number of training patients.

Why it exists: it is the first question about a weak model, and about a good one from few patients. Within each fold the
model is fitted again on a third and on two thirds of its training patients, with the settings that tuning chose in that
fold, and tested on the same patients; so the whole fold is the last point, and costs nothing.

Source: Figueroa RL et al. BMC Med Inform Decis Mak 2012;12:8. At most five folds; networks are left out for their cost.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tumorboard.errors import InputError
from tumorboard.lab.beaten import lead_of_rows
from tumorboard.lab.dataset import Dataset
from tumorboard.lab.findings.base import Asked, Cell, Finding, counted, picture
from tumorboard.lab.fold import FoldResult, run_fold
from tumorboard.lab.recipe import Outcomes, Recipe, Validation
from tumorboard.lab.run import Run
from tumorboard.lab.scores import Predicted, metric_names
from tumorboard.lab.splits import Fold, make_folds
from tumorboard.metrics.plan.learning_curve import CurvePoint

SHARES = (1 / 3, 2 / 3)
MOST_FOLDS, LEAST_TESTED = 5, 8
"""Folds that are used, and patients that each has to test."""
_TITLE = "Learning curve"


def learning(asked: Asked) -> Finding:
    """Return the learning curve; without points where it is left out, and why.

    Parameters
    ----------
    asked : Asked
        The run.
    """
    from tumorboard.lab.pictures import learning_picture

    run = asked.run
    if run.recipe.learner.name == "network":
        return Finding("learning_curve", _TITLE, note="Left out: a network would have to be trained ten times more.")
    folds = _folds(run, asked.cache)
    if not folds:
        return Finding("learning_curve", _TITLE, note="Left out: too few patients to test in a fold.")
    points = _points(run, folds, asked.cache)
    name = metric_names(run.data.outcome.kind)[0]
    if all(np.isnan(s) for p in points for s in p.scores):
        return Finding("learning_curve", _TITLE, note=f"Left out: {name} cannot be had in the folds.")
    title = name.replace("_", " ")
    drawn = picture(_TITLE, learning_picture(points, title, world=run.world))
    rows: tuple[tuple[Cell, ...], ...] = tuple((p.patients, n + 1, s) for p in points for n, s in enumerate(p.scores))
    shown = tuple((p.patients, "mean", p.mean) for p in points)
    note = f"Each of {counted(len(folds), 'fold')} fitted again on parts of its training patients"
    note += " with the settings chosen there." if run.recipe.learner.tune else "."
    return Finding("learning_curve", _TITLE, ("training patients", "fold", title), rows, note, (drawn,), {}, shown)


def _folds(run: Run, cache: Path | None) -> list[FoldResult]:
    """Return folds whose training patients are thinned: the run's own, or five drawn ones where these are single."""
    own = [r for r in run.folds if r.fold.repeat == 1 and _tested(run.data, r.fold) >= LEAST_TESTED]
    if own or run.recipe.validation.name != "leave_one_out":
        return own[:MOST_FOLDS]
    if len(set(run.data.table.patients)) < MOST_FOLDS * LEAST_TESTED:
        return []
    drawn = make_folds(Validation(name="kfold", folds=MOST_FOLDS), run.data.rowwise, run.recipe.seed)
    return [run_fold(run.recipe, run.data, fold, cache) for fold in drawn]


def _tested(data: Dataset, fold: Fold) -> int:
    return len({data.table.patients[i] for i in fold.test})


def _points(run: Run, folds: list[FoldResult], cache: Path | None) -> list[CurvePoint]:
    points = []
    for share in (*SHARES, 1.0):
        thin = [whole.fold if share == 1 else _thinned(run, whole.fold, share, n) for n, whole in enumerate(folds)]
        sizes = [len({run.data.table.patients[i] for i in fold.train}) for fold in thin]
        results = [
            whole if share == 1 else _again(run, whole, fold, cache) for whole, fold in zip(folds, thin, strict=True)
        ]
        points.append(CurvePoint(round(float(np.mean(sizes))), tuple(_score(run, one) for one in results)))
    return points


def _thinned(run: Run, fold: Fold, share: float, number: int) -> Fold:
    """Return the fold with a share of its training patients of each stratum; smaller shares lie within larger ones."""
    whose = np.array([run.data.table.patients[i] for i in fold.train])
    strata = run.data.outcome.strata[fold.train]
    rng = np.random.default_rng([run.recipe.seed, number])
    kept: list[str] = []
    first = {str(w): int(s) for w, s in zip(whose[::-1], strata[::-1], strict=True)}
    for stratum in sorted(set(first.values())):
        names = rng.permutation(sorted(w for w, s in first.items() if s == stratum))
        kept += names[: max(1, round(share * len(names)))].tolist()
    rows: NDArray[np.int64] = fold.train[np.isin(whose, kept)]
    return Fold(f"{fold.name} of {share:.2f}", fold.repeat, rows, fold.test)


def _again(run: Run, whole: FoldResult, fold: Fold, cache: Path | None) -> FoldResult | None:
    try:
        return run_fold(_settled(run.recipe, whole), run.data, fold, cache)
    except InputError:
        return None


def _settled(recipe: Recipe, whole: FoldResult) -> Recipe:
    """Return the recipe with the settings that tuning chose in a fold, so that nothing is tuned again."""
    if not recipe.learner.tune:
        return recipe
    learner = {"name": recipe.learner.name, **recipe.learner.settings, **dict(whole.settings)}
    how = recipe.validation.model_dump() | {"name": "kfold"}
    return recipe.with_settings(learner=learner, validation=how)


def _score(run: Run, result: FoldResult | None) -> float:
    if result is None:
        return float("nan")
    at = result.fold.test
    data = run.data
    p = Predicted(
        data.outcome.take(at), result.values, [data.table.patients[i] for i in at], run.predicted.days, result.survival
    )
    kind = data.outcome.kind
    name = metric_names(Outcomes.BINARY if kind is Outcomes.MULTILABEL else kind)[0]
    return lead_of_rows(p, name, np.arange(len(at), dtype=np.intp))
