"""Nothing leaks: chance stays chance, a planted effect is found, and leaking on purpose shows what that is worth."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.feature_selection import SelectKBest, f_classif
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import cross_val_predict

from tumorboard.errors import InputError
from tumorboard.lab import Dataset, Outcome, Table, Unit, run_recipe
from tumorboard.lab.fold import run_fold
from tumorboard.lab.recipe import Validation
from tumorboard.lab.run import draw_folds
from tumorboard.lab.splits import SPLITS, Fold, checked, make_folds

SELECT = ["impute", "zscore", {"name": "univariate", "keep": 10}]


def noise(n=120, columns=400, seed=0):
    rng = np.random.default_rng(seed)
    table = Table.of(
        [Unit(f"P{i}") for i in range(n)], {f"f{j}": c for j, c in enumerate(rng.normal(size=(columns, n)))}
    )
    return Dataset.of(table, Outcome.binary(rng.permutation(np.arange(n) % 2)))


def test_selection_outside_the_folds_is_optimistic_and_the_frame_is_not(make_recipe):
    leaked, honest = [], []
    for seed in range(3):
        data = noise(seed=seed)
        x, y = data.table.values, data.outcome.classes
        chosen = SelectKBest(f_classif, k=10).fit_transform(x, y)  # the leak: every patient helped to choose
        leaked.append(
            roc_auc_score(y, cross_val_predict(LogisticRegression(), chosen, y, method="predict_proba")[:, 1])
        )
        honest.append(run_recipe(make_recipe("binary", "logistic", SELECT), data).metrics["auc"])
    assert min(leaked) > 0.75
    assert all(e.low <= 0.5 <= e.high for e in honest)


@pytest.mark.parametrize(
    ("kind", "learner", "metric"),
    [("survival", {"name": "cox", "penalty": 0.2}, "harrell_c"), ("multiclass", "knn", "macro_auc")],
)
def test_null_covers_chance_and_effect_is_found(make_recipe, make_dataset, kind, learner, metric):
    recipe = make_recipe(kind, learner, ["zscore", {"name": "univariate", "keep": 4}], metrics=[metric])
    data = make_dataset(kind, n=150, effect=1.5)
    found, null = run_recipe(recipe, data).metrics[metric], run_recipe(recipe, data, null=True)
    assert found.low > 0.6
    assert null.world == "patients, outcomes shuffled (null cohort)"
    assert null.metrics[metric].low <= 0.5 <= null.metrics[metric].high


def test_leave_one_out_on_noise_is_not_below_chance(make_recipe, make_dataset):
    """Parker 2007: leaving one out without balancing gives areas far below 0.5 where there is nothing to learn."""
    recipe = make_recipe("binary", {"name": "logistic", "strength": 100.0}, validation={"name": "leave_one_out"})
    areas = []
    for seed in range(4):
        data = make_dataset("binary", n=40, columns=3, effect=0.0, seed=seed)
        areas.append(run_recipe(recipe.with_settings(metrics=["auc"]), data).metrics["auc"].value)
    assert np.mean(areas) > 0.38


@pytest.mark.parametrize(("stratify", "low", "high"), [(True, 0.45, 0.55), (False, 0.0, 0.35)])
def test_leaving_out_patients_with_several_lesions_is_at_chance_too(make_recipe, stratify, low, high):
    """What finds nothing predicts the share of training rows: without balance that alone is worse than chance."""
    how = {"name": "leave_one_out", "stratify": stratify}
    recipe = make_recipe("binary", {"name": "logistic", "strength": 100.0}, validation=how, metrics=["auc"])
    areas = []
    for seed in range(4):
        one = noise(n=90, columns=3, seed=seed)
        units = [Unit(f"P{n // 3}", lesion=str(n % 3)) for n in range(90)]
        lesions = Dataset.of(Table.of(units, dict(zip(one.table.names, one.table.values.T, strict=True))), one.outcome)
        areas.append(run_recipe(recipe, lesions).metrics["auc"].value)
    assert low < np.mean(areas) < high


@pytest.mark.parametrize("rows_each", [1, 3])
def test_where_one_is_left_out_every_fold_trains_on_as_many_of_each_class(make_recipe, make_dataset, rows_each):
    data = make_dataset("binary", n=60, rows_each=rows_each)
    folds = draw_folds(make_recipe("binary", validation={"name": "leave_one_out"}), data)
    assert len({tuple(np.bincount(data.outcome.classes[fold.train])) for fold in folds}) == 1
    assert sorted(np.concatenate([fold.test for fold in folds])) == list(range(60))


@pytest.mark.parametrize("name", [n for n in SPLITS if n not in ("leave_site_out", "temporal", "external")])
def test_lesions_of_a_patient_stay_together(make_dataset, name):
    data = make_dataset("binary", n=60, rows_each=3)
    folds = make_folds(Validation(name=name, folds=4), data.rowwise, 1)
    who = np.array(data.table.patients)
    assert all(not set(who[f.train]) & set(who[f.test]) for f in folds)
    if name != "split":
        assert sorted(np.concatenate([f.test for f in folds])) == list(range(60))


def test_a_lesion_recipe_that_tries_to_leak_is_refused(make_recipe, make_dataset, monkeypatch):
    """A split by lesions, enrolled as if it were one of ours, must not get through."""
    from sklearn.model_selection import KFold

    def by_lesion(how, rows, seed):
        splitter = KFold(5, shuffle=True, random_state=seed)
        return [Fold("leak", 1, a, b) for a, b in splitter.split(np.zeros(len(rows.patients)))]

    SPLITS.add("by_lesion", lambda: by_lesion)
    try:
        recipe = make_recipe("binary", unit="lesion", validation={"name": "by_lesion"})
        with pytest.raises(InputError, match=r"each patient on one side; got \d+ patients on both sides"):
            run_recipe(recipe, make_dataset("binary", n=60, rows_each=3))
    finally:
        SPLITS._entries.pop("by_lesion")


def test_one_patient_on_both_sides_is_counted():
    with pytest.raises(InputError, match="1 patient on both sides"):
        checked([Fold("f", 1, np.array([0, 1]), np.array([2]))], ["A", "B", "A"])


def test_outcomes_of_test_rows_change_nothing_in_their_predictions(make_recipe, make_dataset):
    """Turn every outcome of a fold's test rows around: its predictions are the same to the last bit."""
    data = make_dataset("binary")
    recipe = make_recipe("binary", "svm", [{"name": "combat"}, "zscore", {"name": "mrmr", "keep": 5}])
    fold = make_folds(recipe.validation, data.rowwise, 1)[0]
    values = data.outcome.values.copy()
    values[fold.test] = 1 - values[fold.test]
    turned = Dataset.of(data.table, Outcome.binary(values), data.sites.tolist())
    assert np.array_equal(run_fold(recipe, data, fold).values, run_fold(recipe, turned, fold).values)


def test_features_of_other_test_rows_change_nothing(make_recipe, make_dataset):
    data = make_dataset("binary")
    recipe = make_recipe("binary", "logistic", ["impute", {"name": "combat"}, "zscore", "pca"])
    fold = make_folds(recipe.validation, data.rowwise, 1)[0]
    x = data.table.values.copy()
    x[fold.test[1:]] += 1000.0
    moved = Dataset.of(Table(data.table.units, data.table.names, x), data.outcome, data.sites.tolist())
    assert np.array_equal(run_fold(recipe, data, fold).values[0], run_fold(recipe, moved, fold).values[0])


def test_shuffling_moves_all_rows_of_a_patient_together(make_dataset):
    data = make_dataset("regression", n=60, rows_each=3)
    shuffled = data.shuffled(3)
    own = {tuple(data.outcome.values[i : i + 3, 0]) for i in range(0, 60, 3)}
    assert {tuple(shuffled.outcome.values[i : i + 3, 0]) for i in range(0, 60, 3)} == own
    assert not np.array_equal(shuffled.outcome.values, data.outcome.values)
