"""Run a recipe: folds, out-of-fold predictions, metrics with intervals, the model, and a page.

Why it exists: the frame is the same for every paper, so that leakage is impossible in all of them or in none. Nothing
is fitted outside :mod:`tumorboard.lab.fold`; one seed gives one result; a killed run is finished by the same command.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tumorboard.errors import InputError
from tumorboard.lab.beaten import chance_p, difference
from tumorboard.lab.checks import check_dataset, check_parts, check_values
from tumorboard.lab.conformal import Conformal
from tumorboard.lab.dataset import Dataset, gather
from tumorboard.lab.fold import Fitted, FoldResult, fit, horizons, run_fold
from tumorboard.lab.recipe import Outcomes, Recipe, read_recipe
from tumorboard.lab.scores import Predicted, judged
from tumorboard.lab.splits import Fold, balanced, make_folds
from tumorboard.metrics.classify.delong import Comparison
from tumorboard.metrics.estimate import Estimate

if TYPE_CHECKING:
    from tumorboard.lab.cohort import Cohort

Tell = Callable[[int, int], None]


@dataclass(frozen=True)
class Run:
    """What came of a recipe.

    Parameters
    ----------
    recipe : Recipe
        What ran.
    data : Dataset
        On whom.
    folds : tuple of FoldResult
        Predictions of each fold.
    rows : ndarray of int
        Rows of the dataset that were tested.
    predicted : Predicted
        Of these rows, averaged over repeats.
    metrics : mapping of str to Estimate
        With intervals over patients.
    reference : mapping of str to Estimate
        The same of the plain model on ``recipe.compare``; empty where there is none.
    against : Comparison, optional
        The leading metric minus that of the plain model, on the same rows.
    chance_p : float
        Against shuffled outcomes; NaN where that is not tested.
    fitted : Fitted
        On all rows that are not external.
    conformal : Conformal or None
        Prediction sets.
    warnings : tuple of str
        What looked wrong beforehand, who was left out, and what did not settle.
    rival : Predicted, optional
        Predictions of the plain model for the same rows.
    """

    recipe: Recipe
    data: Dataset
    folds: tuple[FoldResult, ...] = field(repr=False)
    rows: NDArray[np.int64] = field(repr=False)
    predicted: Predicted = field(repr=False)
    metrics: Mapping[str, Estimate]
    reference: Mapping[str, Estimate]
    against: Comparison | None
    chance_p: float
    fitted: Fitted = field(repr=False)
    conformal: Conformal | None
    warnings: tuple[str, ...]
    rival: Predicted | None = field(default=None, repr=False)

    @property
    def world(self) -> str:
        """Whose rows, and whether their outcomes were shuffled."""
        return self.data.world

    @property
    def training(self) -> Dataset:
        """Rows that the final model learned from."""
        return self.data.take(~self.data.external)


def run_recipe(
    recipe: Recipe | str | Path,
    cohort: Cohort | Dataset,
    out: Path | None = None,
    *,
    external: Cohort | Dataset | None = None,
    null: bool = False,
    workers: int = 1,
    tell: Tell | None = None,
) -> Run:
    """Run a recipe on a cohort.

    Parameters
    ----------
    recipe : Recipe, str or Path
        Or its id, or a YAML file.
    cohort : Cohort or Dataset
        Of whom; a dataset is used as it is.
    out : Path, optional
        Folder for results; folds that are done are kept there and not done twice.
    external : Cohort or Dataset, optional
        Another cohort that is only tested; the validation then is ``external``.
    null : bool
        Whether outcomes are shuffled among patients first: what is found then is optimism.
    workers : int
        Processes for images and folds.
    tell : callable, optional
        Called with folds and explanations done, and with all of them; explanations are counted once folds are done.

    Returns
    -------
    Run

    Raises
    ------
    InputError
        The recipe or the cohort cannot be used; see :mod:`tumorboard.lab.checks`.
    OutputError
        The folder cannot be written.

    Examples
    --------
    >>> from tumorboard.lab import Outcome, Table, Unit
    >>> x = np.random.default_rng(0).normal(size=(60, 3))
    >>> table = Table.of([Unit(f"P{n}") for n in range(60)], {"a": x[:, 0], "b": x[:, 1], "c": x[:, 2]})
    >>> run = run_recipe("example", Dataset.of(table, Outcome.binary(x[:, 0] > 0)))
    >>> run.metrics["auc"].value > 0.9, run.world
    (True, 'patients')
    """
    asked = recipe if isinstance(recipe, Recipe) else read_recipe(recipe)
    check_parts(asked)
    check_values(asked)
    if external is not None and asked.validation.name != "external":
        asked = asked.with_settings(validation={"name": "external"})
    cache = None if out is None else out / "cache"
    data = _dataset(asked, cohort, cache, workers)
    if external is not None:
        data = data.with_external(_dataset(asked, external, cache, workers))
    if null:
        data = data.shuffled(asked.seed)
    warnings = data.notes + check_dataset(asked, data)
    folds = draw_folds(asked, data)
    results = _run_folds(asked, data, folds, cache and cache / "folds", workers, tell)
    rows, predicted = pooled(data, results)
    rival = _rival(asked, data, folds)
    run = Run(
        asked,
        data,
        results,
        rows,
        predicted,
        judged(predicted, asked.metrics),
        {} if rival is None else judged(rival, asked.metrics),
        None if rival is None else difference(predicted, rival),
        chance_p(predicted, asked.seed),
        fit(asked, data.take(~data.external)),
        _conformal(predicted),
        warnings + _unsettled(results),
        rival,
    )
    if out is not None:
        from tumorboard.lab.results import write_run

        write_run(run, out, None if tell is None else lambda n, more: tell(len(folds) + n, len(folds) + more))
    return run


def _dataset(recipe: Recipe, cohort: Cohort | Dataset, cache: Path | None, workers: int) -> Dataset:
    if isinstance(cohort, Dataset):
        if cohort.outcome.kind is not recipe.endpoint.kind:
            raise InputError(f"a {recipe.endpoint.kind.value} outcome", got=cohort.outcome.kind.value, where="dataset")
        return cohort
    return gather(recipe, cohort, None if cache is None else cache / "features", workers)


def draw_folds(recipe: Recipe, data: Dataset) -> tuple[Fold, ...]:
    """Return the folds of a recipe on rows; where one patient is left out, classes of the rest are kept in balance.

    Raises
    ------
    InputError
        As :func:`tumorboard.lab.splits.make_folds`.
    """
    folds = make_folds(recipe.validation, data.rowwise, recipe.seed)
    one_out = recipe.validation.name == "leave_one_out" and recipe.validation.stratify
    few = len(np.unique(data.outcome.strata)) <= 3 and data.outcome.kind is not Outcomes.MULTILABEL
    return balanced(folds, data.outcome.strata, recipe.seed) if one_out and few else folds


def _run_folds(
    recipe: Recipe, data: Dataset, folds: tuple[Fold, ...], cache: Path | None, workers: int, tell: Tell | None
) -> tuple[FoldResult, ...]:
    if workers > 1:
        from sklearn.utils.parallel import Parallel, delayed

        jobs = (delayed(run_fold)(recipe, data, fold, cache) for fold in folds)
        results = Parallel(n_jobs=workers, return_as="generator")(jobs)
    else:
        results = (run_fold(recipe, data, fold, cache) for fold in folds)
    out = []
    for result in results:
        out.append(result)
        if tell is not None:
            tell(len(out), len(folds))
    return tuple(out)


def pooled(data: Dataset, results: tuple[FoldResult, ...]) -> tuple[NDArray[np.int64], Predicted]:
    """Return which rows were tested, and their predictions averaged over repeats.

    Parameters
    ----------
    data : Dataset
        All rows.
    results : tuple of FoldResult
        Of every fold.
    """
    days = horizons(data.outcome)
    values = np.zeros((len(data), results[0].values.shape[1]))
    survival = None if results[0].survival is None else np.zeros((len(data), len(days)))
    times = np.zeros(len(data))
    for r in results:
        values[r.fold.test] += r.values
        times[r.fold.test] += 1
        if survival is not None and r.survival is not None:
            survival[r.fold.test] += r.survival
    rows = np.flatnonzero(times)
    mean = values[rows] / times[rows, None]
    curves = None if survival is None else survival[rows] / times[rows, None]
    patients = [data.table.patients[i] for i in rows]
    return rows, Predicted(data.outcome.take(rows), mean, patients, days, curves)


def _rival(recipe: Recipe, data: Dataset, folds: tuple[Fold, ...]) -> Predicted | None:
    """Return predictions of a plain model on the columns that the recipe must beat, in the same folds."""
    if not recipe.compare:
        return None
    plain = plain_recipe(recipe)
    rival = data.reference or data.table.columns(_columns(recipe.compare, data))
    some = Dataset.of(rival, data.outcome, data.sites.tolist())
    results = tuple(run_fold(plain, some, fold) for fold in folds)
    return pooled(some, results)[1]


def _columns(asked: tuple[str, ...], data: Dataset) -> list[str]:
    """Return columns of these names, or coded from them (``sex=F``)."""
    found = [n for n in data.table.names if n in asked or n.partition("=")[0] in asked]
    if not found:
        raise InputError(f"features to compare with: {', '.join(asked)}", got="none of them", where="recipe.compare")
    return found


def plain_recipe(recipe: Recipe) -> Recipe:
    """Return the recipe of a plain linear model for the same outcome: mean imputation, z-scores, a weak ridge.

    Examples
    --------
    >>> plain_recipe(read_recipe("example")).learner.name
    'logistic'
    """
    names = {Outcomes.SURVIVAL: "cox", Outcomes.REGRESSION: "ridge"}
    name = names.get(recipe.endpoint.kind, "logistic")
    learner = {"name": name, ("penalty" if name == "cox" else "strength"): 0.01}
    prepare = ({"name": "impute", "how": "mean"}, {"name": "zscore"})
    return recipe.with_settings(learner=learner, prepare=prepare, compare=())


def _conformal(predicted: Predicted) -> Conformal | None:
    kind = predicted.outcome.kind
    if kind in (Outcomes.SURVIVAL, Outcomes.MULTILABEL):
        return None
    return Conformal.of(predicted.outcome, predicted.values)


def _unsettled(results: tuple[FoldResult, ...]) -> tuple[str, ...]:
    count = sum(not r.settled for r in results)
    return (f"the learner did not converge in {count} of {len(results)} folds",) if count else ()
