"""One fold: fit everything on its training rows, predict its test rows, keep the result by its hash.

Why it exists: here is the only place where anything learns, and it sees the training rows of one fold. A fold that is
done is kept under the hash of all that it depends on, so a killed run goes on where it was and a changed one does not
reuse what no longer holds.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from tumorboard.errors import InputError
from tumorboard.lab.dataset import Dataset
from tumorboard.lab.outcome import Outcome
from tumorboard.lab.pipeline import Pipeline, pipeline_of
from tumorboard.lab.recipe import Outcomes, Recipe, Validation
from tumorboard.lab.scores import Predicted, lead_score
from tumorboard.lab.splits import Fold, make_folds
from tumorboard.lab.step import Floats, Known
from tumorboard.store import digest, write_json

VERSION = "2"
"""Changes whenever a fold's numbers may."""

_DAYS = tuple(float(q) for q in np.linspace(0.1, 0.9, 9))


@dataclass(frozen=True)
class Fitted:
    """Everything that was learned from some rows.

    Parameters
    ----------
    pipeline : Pipeline
        Steps and learner.
    material : tuple
        What representations learned, in the order of the dataset's material.
    names : tuple of str
        Columns that enter the pipeline.
    settings : mapping
        Of the learner, that tuning chose; empty where nothing was tuned.
    """

    pipeline: Pipeline
    material: tuple[Any, ...] = ()
    names: tuple[str, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)

    def features(self, data: Dataset) -> Floats:
        """Return the columns of rows, shape (n, names): those of the table, then those that were learned."""
        made = [m.transform(list(raw.rows)) for m, raw in zip(self.material, data.material, strict=True)]
        return np.hstack([data.table.values, *made]) if made else data.table.values

    def images(self, data: Dataset) -> Any:
        """Return images of rows for a learner that takes them, or None where no representation hands any over."""
        for step, raw in zip(self.material, data.material, strict=True):
            if hasattr(step, "images"):
                return step.images(list(raw.rows), data.table.patients)
        return None

    def predict(self, data: Dataset) -> Floats:
        """Return predictions, shape (n, k)."""
        return self.pipeline.predict(self.features(data), data.sites, self.images(data))

    def survival_at(self, data: Dataset, days: Floats) -> Floats | None:
        """Return survival curves, shape (n, days), where there are any."""
        return self.pipeline.survival_at(self.features(data), data.sites, days, self.images(data))


@dataclass(frozen=True)
class FoldResult:
    """Predictions of a fold's test rows.

    Parameters
    ----------
    fold : Fold
        Which.
    values : ndarray, shape (test rows, k)
        Predictions.
    survival : ndarray, shape (test rows, days), optional
        Survival curves.
    settings : mapping
        That tuning chose.
    kept : tuple of str
        Columns that the learner saw.
    settled : bool
        Whether the learner converged.
    """

    fold: Fold
    values: Floats
    survival: Floats | None
    settings: Mapping[str, Any]
    kept: tuple[str, ...]
    settled: bool = True


def fit(recipe: Recipe, data: Dataset, settings: Mapping[str, Any] | None = None) -> Fitted:
    """Fit a recipe on rows; where it tunes, settings are chosen by folds inside these rows.

    Parameters
    ----------
    recipe : Recipe
        What to fit.
    data : Dataset
        Training rows only.
    settings : mapping, optional
        Of the learner; where given, nothing is tuned.

    Returns
    -------
    Fitted

    Raises
    ------
    InputError
        A step or the learner cannot learn from these rows.
    """
    if settings is None and recipe.learner.tune:
        settings = tuned(recipe, data)
    learned = tuple(m.make(recipe.seed).fit(list(m.rows)) for m in data.material)
    names = data.table.names + tuple(
        f"{raw.name}.{n}" if n in data.table.names else n
        for raw, one in zip(data.material, learned, strict=True)
        for n in one.names
    )
    fitted = Fitted(pipeline_of(recipe, settings), learned, names, dict(settings or {}))
    known = Known(data.outcome, data.sites, names, data.table.patients)
    fitted.pipeline.fit(fitted.features(data), known, fitted.images(data))
    return fitted


def tuned(recipe: Recipe, data: Dataset) -> dict[str, Any]:
    """Return the settings with the best leading metric over inner folds; of equal ones the first.

    Parameters
    ----------
    recipe : Recipe
        With ``learner.tune``.
    data : Dataset
        Training rows of the outer fold.
    """
    how = Validation(name="kfold", folds=recipe.validation.inner)
    folds = make_folds(how, data.rowwise, recipe.seed)
    parts = [(data.take(f.train), data.take(f.test)) for f in folds]
    best: dict[str, Any] = {}
    best_score = -np.inf
    for settings in combinations(recipe.learner.tune):
        scores = []
        for train, test in parts:
            found = fit(recipe, train, settings).predict(test)
            scores.append(lead_score(Predicted(test.outcome, found, test.table.patients, np.array([1.0]))))
        mean = float(np.mean([s for s in scores if not np.isnan(s)] or [-np.inf]))
        if mean > best_score + 1e-12 or not best:
            best, best_score = settings, max(mean, -1e300)
    return best


def combinations(tune: Mapping[str, Iterable[Any]]) -> list[dict[str, Any]]:
    """Return every combination of settings, the first values first.

    Examples
    --------
    >>> combinations({"a": [1, 2], "b": [3]})
    [{'a': 1, 'b': 3}, {'a': 2, 'b': 3}]
    """
    return [dict(zip(tune, values, strict=True)) for values in itertools.product(*tune.values())]


def horizons(outcome: Outcome) -> Floats:
    """Return the days at which survival curves are read: deciles of the days of events; empty for other outcomes.

    Examples
    --------
    >>> horizons(Outcome.survival(range(1, 12), [1] * 11)).tolist()
    [2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0]
    """
    if outcome.kind is not Outcomes.SURVIVAL or not outcome.events.any():
        return np.empty(0)
    return np.unique(np.quantile(outcome.days[outcome.events], _DAYS))


def run_fold(recipe: Recipe, data: Dataset, fold: Fold, cache: Path | None = None) -> FoldResult:
    """Fit on the training rows of a fold and predict its test rows, or read what was kept of that.

    Parameters
    ----------
    recipe : Recipe
        What to fit.
    data : Dataset
        All rows.
    fold : Fold
        Which rows train.
    cache : Path, optional
        Folder of results by hash.

    Returns
    -------
    FoldResult
        The same, whether computed or read: numbers are kept exactly.
    """
    place = cache / f"{fold_key(recipe, data, fold)}.json" if cache is not None else None
    if place is not None and (kept := _read(place, fold)) is not None:
        return kept
    fitted = fit(recipe, data.take(fold.train))
    test = data.take(fold.test)
    values = fitted.predict(test)
    if not np.isfinite(values).all():
        raise InputError("finite predictions", got="others", where=f"learner {recipe.learner.name}")
    survival = fitted.survival_at(test, horizons(data.outcome)) if len(horizons(data.outcome)) else None
    settled = bool(getattr(fitted.pipeline.learner, "settled_", True))
    result = FoldResult(fold, values, survival, fitted.settings, fitted.pipeline.names_, settled)
    if place is not None:
        write_json(place, _content(result))
    return result


def fold_key(recipe: Recipe, data: Dataset, fold: Fold) -> str:
    """Return the hash of everything that a fold's numbers depend on."""
    import sklearn

    from tumorboard import __version__

    asked = recipe.model_dump(mode="json", include={"endpoint", "prepare", "learner", "seed", "representation"})
    asked["inner"] = recipe.validation.inner
    words = json.dumps(asked, sort_keys=True)
    rows = (fold.train.astype(np.int64).tobytes(), fold.test.astype(np.int64).tobytes())
    return digest(VERSION, __version__, sklearn.__version__, np.__version__, words, data.digest, *rows)


def _content(result: FoldResult) -> dict[str, Any]:
    return {
        "values": result.values.tolist(),
        "survival": None if result.survival is None else result.survival.tolist(),
        "settings": dict(result.settings),
        "kept": list(result.kept),
        "settled": result.settled,
    }


def _read(place: Path, fold: Fold) -> FoldResult | None:
    try:
        raw = json.loads(place.read_text(encoding="utf-8"))
        survival = None if raw["survival"] is None else np.array(raw["survival"], dtype=np.float64)
        values = np.array(raw["values"], dtype=np.float64)
        return FoldResult(fold, values, survival, raw["settings"], tuple(raw["kept"]), bool(raw["settled"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
