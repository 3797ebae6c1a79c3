"""What is refused, or warned of, before anything is trained.

Why it exists: a run on a wrong table ends in a number like any other. What can be seen beforehand, one class only, a
patient under two names, a column that is the outcome in disguise, is seen here and told in words.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tumorboard.errors import InputError
from tumorboard.lab.dataset import Dataset
from tumorboard.lab.learners import check_learner
from tumorboard.lab.outcome import Outcome
from tumorboard.lab.parts import several
from tumorboard.lab.pipeline import pipeline_of, registry_of
from tumorboard.lab.recipe import Outcomes, Part, Recipe
from tumorboard.lab.scores import check_metrics
from tumorboard.lab.selection.scores import correlation, cox_score, ranks
from tumorboard.lab.splits import SPLITS
from tumorboard.lab.step import Floats

LEAST_ROWS, LEAST_EVENTS, FEW_EVENTS = 10, 5, 10
DISGUISED_AUC, DISGUISED_R, DISGUISED_SITE = 0.995, 0.99, 0.9
_CONTINUOUS, _DISTINCT, _SAME = 5, 10, 1e-3


def check_parts(recipe: Recipe) -> None:
    """Refuse a part or a setting that does not exist, or that does not fit the outcome.

    Raises
    ------
    InputError
        With the nearest that does.

    Examples
    --------
    >>> from tumorboard.lab.recipe import read_recipe
    >>> check_parts(read_recipe("example").with_settings(learner="forrest"))
    Traceback (most recent call last):
    tumorboard.errors.InputError: recipe: expected a learner that exists; got 'forrest'; did you mean 'forest'?.
    """
    for part in recipe.representation:
        _check_representation(recipe, part)
    learner = recipe.learner
    check_learner(learner.name, dict.fromkeys(learner.tune) | learner.settings, recipe.endpoint.kind)
    for part in recipe.prepare:
        registry, name, settings = registry_of(part)
        registry.check(name, settings)
    SPLITS.check(recipe.validation.name, {})
    check_metrics(recipe.endpoint.kind, recipe.metrics)
    if recipe.learner.name == "network" and all(p.name != "network" for p in recipe.representation):
        remedy = "add {name: network} to representation"
        raise InputError("images for the learner network", got="columns alone", where="recipe", remedy=remedy)
    empty = [k for k, v in learner.tune.items() if not v]
    if empty:
        raise InputError("values to choose among", got="none", where=f"recipe.learner.tune.{empty[0]}")
    if recipe.validation.name == "nested" and not learner.tune:
        remedy = "add learner.tune, or use kfold"
        raise InputError("settings to tune in nested folds", got="none", where="recipe.learner", remedy=remedy)


def _check_representation(recipe: Recipe, part: Part) -> None:
    """Refuse settings, sequences and regions that do not exist, or that are missing, before an image is read."""
    from tumorboard.lab.represent import check_representation

    settings = part.settings
    sequences = several(settings.pop("sequences", recipe.sequences))
    regions = several(settings.pop("region", recipe.region))
    check_representation(part.name, settings, sequences, regions)


def check_values(recipe: Recipe) -> None:
    """Refuse values of settings that a step or the learner cannot take, by making each of them once.

    It takes the time to import what learns, which the list of recipes should not take.

    Raises
    ------
    InputError
        It is told which.
    MissingDependency
        A learner needs a package that is not there.

    Examples
    --------
    >>> from tumorboard.lab.recipe import read_recipe
    >>> check_values(read_recipe("example").with_settings(learner={"name": "logistic", "strength": -1}))
    Traceback (most recent call last):
    tumorboard.errors.InputError: setting strength: expected a number above 0; got -1.
    """
    from tumorboard.lab.fold import combinations

    for settings in combinations(recipe.learner.tune):
        pipeline_of(recipe, settings)


def check_dataset(recipe: Recipe, data: Dataset) -> tuple[str, ...]:
    """Refuse rows that cannot be learned from; return warnings about what looks wrong.

    Parameters
    ----------
    recipe : Recipe
        What will run.
    data : Dataset
        On whom.

    Returns
    -------
    tuple of str
        Warnings, in words that identify nobody.

    Raises
    ------
    InputError
        Too few rows, one class, too few of a class, negative or zero days, no column, or one patient under two ids.
    """
    if len(data) < LEAST_ROWS:
        raise InputError(f"{LEAST_ROWS} rows with an outcome at least", got=f"{len(data)}", where="cohort")
    if not data.table.names and not data.material:
        raise InputError("at least one feature", got="none", where="cohort")
    check_outcome(data.outcome)
    _check_twins(data)
    if all(p.name != "impute" for p in recipe.prepare) and not _takes_missing(recipe):
        _check_missing(data)
    return (
        *_few_events(data),
        *_disguised(data),
        *_sites_disguised(data),
        *_empty_columns(data),
        *_lonely_harmonisation(recipe, data),
    )


def check_outcome(outcome: Outcome) -> None:
    """Refuse an outcome with one class, too few of one, no event, or days that are not above 0.

    Raises
    ------
    InputError
        It is told what is wrong.

    Examples
    --------
    >>> check_outcome(Outcome.survival([100, -3], [1, 1]))
    Traceback (most recent call last):
    tumorboard.errors.InputError: outcome: expected days above 0; got 1 row with another value. ...
    """
    if outcome.kind is Outcomes.SURVIVAL:
        wrong = int((~(outcome.days > 0)).sum())
        if wrong:
            got = f"{wrong} row{'s' if wrong > 1 else ''} with another value"
            raise InputError("days above 0", got=got, where="outcome", remedy="correct or leave out these rows")
        _least(int(outcome.events.sum()), "events")
        return
    if outcome.kind is Outcomes.REGRESSION:
        if np.ptp(outcome.values) == 0:
            raise InputError("a quantity that varies", got="one value", where="outcome")
        return
    for n, name in enumerate(outcome.names if outcome.kind is Outcomes.MULTILABEL else ("",)):
        codes = outcome.values[:, n][~np.isnan(outcome.values[:, n])].astype(np.int64)
        counts = np.bincount(codes, minlength=2)
        where = f"outcome {name}".strip()
        if (counts > 0).sum() < 2:
            raise InputError("at least two classes", got="one", where=where)
        _least(int(counts[counts > 0].min()), "rows of each class", where)


def _least(count: int, what: str, where: str = "outcome") -> None:
    if count < LEAST_EVENTS:
        raise InputError(f"{LEAST_EVENTS} {what} at least", got=f"{count}", where=where)


def _check_twins(data: Dataset) -> None:
    """Refuse rows of different patients that agree in every continuous column."""
    x, many = data.table.values, _continuous(data)
    if many.sum() < _CONTINUOUS:
        return
    from sklearn.neighbors import NearestNeighbors

    low, middle, high = np.nanquantile(x[:, many], [0.1, 0.5, 0.9], axis=0)
    z = np.nan_to_num((x[:, many] - middle) / np.where(high > low, high - low, 1.0))
    near = NearestNeighbors(radius=_SAME, metric="chebyshev").fit(z).radius_neighbors(return_distance=False)
    who = data.table.patients
    pairs = {frozenset((who[i], who[j])) for i, others in enumerate(near) for j in others if who[i] != who[j]}
    if pairs:
        got = f"{len(pairs)} pair{'s' if len(pairs) > 1 else ''} of patients with the same {int(many.sum())} features"
        remedy = "give both studies one patient id, or leave one out"
        raise InputError("each patient under one id", got=got, where="cohort", remedy=remedy)


def _continuous(data: Dataset) -> NDArray[np.bool_]:
    """Return which columns hold so many values that patients can be told apart by them."""
    x = data.table.values
    return np.array([len(np.unique(c[~np.isnan(c)])) > max(_DISTINCT, len(x) // 4) for c in x.T], dtype=bool)


def can_find_twins(data: Dataset) -> bool:
    """Return whether patients under two ids could be found: enough columns are continuous."""
    return int(_continuous(data).sum()) >= _CONTINUOUS


def _takes_missing(recipe: Recipe) -> bool:
    return recipe.learner.name in ("boosting", "network")


def _check_missing(data: Dataset) -> None:
    gaps = np.isnan(data.table.values).sum(axis=0)
    if gaps.any():
        named = [n for n, g in zip(data.table.names, gaps, strict=True) if g]
        got = f"missing ones in {', '.join(named[:5])}{' and others' if len(named) > 5 else ''}"
        remedy = "add {name: impute, how: mean} to prepare"
        raise InputError("features of every row", got=got, where="cohort", remedy=remedy)


def _few_events(data: Dataset) -> tuple[str, ...]:
    events, what = events_of(data.outcome)
    columns = len(data.table.names)
    if columns and events / columns < FEW_EVENTS:
        ratio = f"{events / columns:.1f}" if events >= columns / 10 else f"{events / columns:.2g}"
        return (f"{events} {what} for {columns} candidate predictors: {ratio} each ({FEW_EVENTS} are wanted)",)
    return ()


def events_of(outcome: Outcome) -> tuple[int, str]:
    """Return the limiting number of an outcome for a model's size, and what is counted.

    Source: Peduzzi P et al. J Clin Epidemiol 1996;49:1373-1379 (the rarer class; events; rows of a quantity).

    Examples
    --------
    >>> events_of(Outcome.binary([0, 0, 1]))
    (1, 'rows of the rarer class')
    """
    if outcome.kind is Outcomes.SURVIVAL:
        return int(outcome.events.sum()), "events"
    if outcome.kind is Outcomes.REGRESSION:
        return len(outcome), "rows"
    if outcome.kind is Outcomes.MULTILABEL:
        return min(events_of(_known(outcome, n))[0] for n in range(len(outcome.names))), "rows of the rarest label"
    return int(np.bincount(outcome.classes)[np.unique(outcome.classes)].min()), "rows of the rarer class"


def _known(outcome: Outcome, label: int) -> Outcome:
    one = outcome.label(label)
    return one.take(~np.isnan(one.values[:, 0]))


def _disguised(data: Dataset) -> tuple[str, ...]:
    """Warn of columns that give the outcome away by themselves."""
    x = data.table.values
    named = [n for n, c in zip(data.table.names, x.T, strict=True) if _gives_away(c, data.outcome)]
    if not named:
        return ()
    shown = ", ".join(named[:5]) + (f" and {len(named) - 5} more" if len(named) > 5 else "")
    return (f"{shown}: alone almost the outcome itself; was it measured after the outcome, or from it?",)


def _gives_away(column: Floats, outcome: Outcome) -> bool:
    there = ~np.isnan(column)
    if there.sum() < LEAST_ROWS or np.ptp(column[there]) == 0:
        return False
    c, some = column[there], outcome.take(there)
    if outcome.kind is Outcomes.MULTILABEL:
        return any(_gives_away_label(c, some, n) for n in range(len(outcome.names)))
    if outcome.kind is Outcomes.SURVIVAL:
        dead = some.events
        r = correlation(ranks(c[dead].reshape(-1, 1)), ranks(some.days[dead].reshape(-1, 1))[:, 0])
        return bool(abs(r[0]) > DISGUISED_R) or abs(float(cox_score(c.reshape(-1, 1), some.days, dead)[0])) > 1e3
    if outcome.kind is Outcomes.REGRESSION:
        r = correlation(ranks(c.reshape(-1, 1)), ranks(some.values)[:, 0])
        return bool(abs(r[0]) > DISGUISED_R)
    return any(_area(c, some.classes == k) > DISGUISED_AUC for k in np.unique(some.classes))


def _gives_away_label(column: Floats, outcome: Outcome, label: int) -> bool:
    one = outcome.label(label).values[:, 0]
    there = ~np.isnan(one)
    return _area(column[there], one[there] == 1) > DISGUISED_AUC


def _area(column: Floats, yes: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> float:
    n1, n0 = int(yes.sum()), int((~yes).sum())
    if not n1 or not n0:
        return 0.5
    ranked = ranks(column.reshape(-1, 1))[:, 0] + (len(column) + 1) / 2
    area = (float(ranked[yes].sum()) - n1 * (n1 + 1) / 2) / (n1 * n0)
    return max(area, 1 - area)


def _sites_disguised(data: Dataset) -> tuple[str, ...]:
    """Warn where the site alone nearly tells the class."""
    names = np.unique(data.sites)
    if data.outcome.kind not in (Outcomes.BINARY, Outcomes.MULTICLASS) or len(names) < 2:
        return ()
    classes = data.outcome.classes
    groups = [classes[data.sites == s] for s in names]
    right = sum(int(np.bincount(g).max()) for g in groups) / len(classes)
    most = float(np.bincount(classes).max()) / len(classes)
    if len(names) <= len(classes) / 5 and most < DISGUISED_SITE <= right:
        return (f"the site alone tells the class of {right:.0%} of rows: a model may learn the scanner",)
    return ()


def _empty_columns(data: Dataset) -> tuple[str, ...]:
    gone = [n for n, c in zip(data.table.names, data.table.values.T, strict=True) if np.isnan(c).all()]
    return (f"{', '.join(gone[:5])}{' …' if len(gone) > 5 else ''}: no row has a value",) if gone else ()


def _lonely_harmonisation(recipe: Recipe, data: Dataset) -> tuple[str, ...]:
    asks = any(p.name in ("combat", "zscore_site") for p in recipe.prepare)
    if asks and len(np.unique(data.sites)) < 2:
        return ("sites are to be harmonised, but there is one site only (or none is told)",)
    return ()
