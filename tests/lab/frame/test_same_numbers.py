"""The frame adds honesty, not error: plain scikit-learn and lifelines give the same out-of-fold numbers."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from lifelines import CoxPHFitter
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_selection import SelectKBest, f_classif
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV, StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tumorboard.lab import run_recipe
from tumorboard.lab.learners.cox import Cox
from tumorboard.lab.outcome import Outcome


def plain_folds(strata, folds=5, seed=1):
    return StratifiedKFold(folds, shuffle=True, random_state=seed).split(np.zeros(len(strata)), strata)


def test_logistic_with_imputation_and_selection_as_in_scikit_learn(make_recipe, make_dataset):
    data = make_dataset("binary")
    x = data.table.values.copy()
    x[np.random.default_rng(3).random(x.shape) < 0.1] = np.nan
    data = type(data).of(type(data.table)(data.table.units, data.table.names, x), data.outcome)
    recipe = make_recipe("binary", "logistic", ["impute", "zscore", {"name": "univariate", "keep": 4}])
    plain = make_pipeline(
        SimpleImputer(), StandardScaler(), SelectKBest(f_classif, k=4), LogisticRegression(max_iter=5000)
    )
    y = data.outcome.classes
    expected = cross_val_predict(plain, x, y, cv=list(plain_folds(y)), method="predict_proba")[:, 1]
    assert run_recipe(recipe, data).predicted.values[:, 0] == pytest.approx(expected, abs=1e-6)


def test_forest_as_in_scikit_learn(make_recipe, make_dataset):
    data = make_dataset("multiclass")
    recipe = make_recipe("multiclass", {"name": "forest", "trees": 40, "leaf": 2}, [])
    plain = RandomForestClassifier(40, min_samples_leaf=2, random_state=1)
    y = data.outcome.classes
    expected = cross_val_predict(plain, data.table.values, y, cv=list(plain_folds(y)), method="predict_proba")
    assert run_recipe(recipe, data).predicted.values == pytest.approx(expected, abs=1e-6)


def test_ridge_cox_as_in_lifelines(make_recipe, make_dataset):
    data = make_dataset("survival", columns=6)
    recipe = make_recipe("survival", {"name": "cox", "penalty": 0.1}, ["zscore"])
    x, (t, d) = data.table.values, data.outcome.values.T
    expected = np.empty(len(x))
    for train, test in plain_folds(d.astype(int)):
        scale = StandardScaler().fit(x[train])
        frame = pd.DataFrame(scale.transform(x[train])).assign(t=t[train], d=d[train])
        exact = {"precision": 1e-12}  # lifelines stops earlier by default
        model = CoxPHFitter(penalizer=0.1, l1_ratio=0.0).fit(frame, "t", "d", fit_options=exact)
        expected[test] = model.predict_log_partial_hazard(pd.DataFrame(scale.transform(x[test])))
    assert run_recipe(recipe, data).predicted.values[:, 0] == pytest.approx(expected, abs=1e-6)


def test_tuning_as_grid_search_in_nested_folds(make_recipe, make_dataset):
    data = make_dataset("regression")
    tune = {"strength": [0.1, 10.0, 1000.0]}
    recipe = make_recipe("regression", {"name": "ridge", "tune": tune}, ["zscore"], validation={"name": "nested"})
    run = run_recipe(recipe, data)
    y, strata = data.outcome.values[:, 0], data.outcome.strata
    for result, (train, test) in zip(run.folds, plain_folds(strata), strict=True):
        # strata of the inner folds are thirds of the training rows
        inner = list(plain_folds(data.outcome.take(train).strata, 3))
        grid = GridSearchCV(
            make_pipeline(StandardScaler(), Ridge()),
            {"ridge__alpha": tune["strength"]},
            scoring="neg_mean_squared_error",
            cv=inner,
        ).fit(data.table.values[train], y[train])
        assert result.settings == {"strength": grid.best_params_["ridge__alpha"]}
        assert result.values[:, 0] == pytest.approx(grid.predict(data.table.values[test]), abs=1e-9)


def test_cox_weights_with_ties_as_in_lifelines(make_dataset):
    data = make_dataset("survival", n=120, columns=4)
    t = np.ceil(data.outcome.days / 100) * 100  # many ties
    x = data.table.values * np.array([1.0, 10.0, 0.1, 3.0])
    for penalty in (0.0, 0.05, 1.0):
        frame = pd.DataFrame(x).assign(t=t, d=data.outcome.events)
        theirs = CoxPHFitter(penalizer=penalty, l1_ratio=0.0).fit(frame, "t", "d", fit_options={"precision": 1e-10})
        ours = Cox(penalty=penalty).fit(x, Outcome.survival(t, data.outcome.events))
        assert ours.coef_ / ours.spread_ == pytest.approx(theirs.params_.to_numpy(), abs=2e-6)
        days = np.array([100.0, 300.0, 900.0])
        curves = theirs.predict_survival_function(pd.DataFrame(x[:5]), times=days).to_numpy().T
        assert ours.survival_at(x[:5], days) == pytest.approx(curves, abs=1e-5)


def test_lasso_cox_meets_the_optimality_conditions(make_dataset):
    """KKT (Simon 2011): |gradient| is at most the penalty where a weight is 0, and equal to it elsewhere."""
    from tumorboard.lab.learners.cox import _likelihood

    data = make_dataset("survival", n=100, columns=15)
    model = Cox(penalty=0.08, l1=1.0).fit(data.table.values, data.outcome)
    order = np.argsort(data.outcome.days, kind="stable")
    z = ((data.table.values - model.mean_) / model.spread_)[order]
    gradient = _likelihood(z, data.outcome.days[order], data.outcome.events[order], model.coef_, curved=True)[1] / 100
    zero = model.coef_ == 0
    assert 0 < zero.sum() < 15
    assert (np.abs(gradient[zero]) <= 0.08 + 1e-9).all()
    assert gradient[~zero] == pytest.approx(0.08 * np.sign(model.coef_[~zero]), abs=1e-7)
