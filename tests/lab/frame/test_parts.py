"""Parts against what was published or what another library gives."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lifelines import CoxPHFitter, NelsonAalenFitter
from mapie.classification import SplitConformalClassifier
from mapie.regression import SplitConformalRegressor
from scipy import stats
from sklearn.datasets import load_breast_cancer
from sklearn.feature_selection import f_classif, f_regression
from sklearn.impute import KNNImputer
from sklearn.linear_model import LinearRegression, LogisticRegression

from tumorboard.errors import InputError, MissingDependency
from tumorboard.lab import Outcome
from tumorboard.lab.conformal import Conformal
from tumorboard.lab.harmonise import HARMONISERS, Combat, SiteScale
from tumorboard.lab.impute import IMPUTERS, LowRankImpute, NearestImpute
from tumorboard.lab.learners import LEARNERS, make_learner
from tumorboard.lab.learners.subtypes import Subtypes
from tumorboard.lab.learners.supervised_pca import SupervisedPca
from tumorboard.lab.outcome import martingale
from tumorboard.lab.recipe import Outcomes, Validation
from tumorboard.lab.scale import SCALES
from tumorboard.lab.selection import SELECTIONS, Stability, Univariate
from tumorboard.lab.selection.scores import cox_score, p_values, strength
from tumorboard.lab.splits import make_folds
from tumorboard.lab.step import Known

NEUROCOMBAT = [
    [0.673607, 12.022375, -2.22735, 5.013117, 1.398709],
    [0.330772, 11.121495, -10.692445, 5.769901, 5.01871],
    [0.980665, 10.427229, -4.954916, 5.263441, 5.501536],
]
"""Rows 0, 8 and 15 as neuroCombat 0.2.12 gives them with parametric priors."""

WITHOUT_BAYES = [
    [0.598832, 11.946424, -3.022066, 5.22327, 0.765915],
    [0.356359, 11.046765, -10.337175, 5.610368, 4.96847],
    [1.093455, 10.552206, -5.459346, 5.360221, 5.298099],
]
"""The same with ``eb=False``."""


def three_sites():
    rng, sites = np.random.default_rng(7), np.array(list("aaaaaaabbbbbbccccc"))
    x = np.round(rng.normal(size=(18, 5)) * [1, 2, 5, 1, 3] + [0, 10, -3, 5, 1], 3)
    x[sites == "b"] = np.round(x[sites == "b"] * 1.5 + 2, 3)
    x[sites == "c"] = np.round(x[sites == "c"] * 0.7 - 1, 3)
    return x, Known(Outcome.binary(np.arange(18) % 2), sites)


@pytest.mark.parametrize(("shrink", "expected"), [(True, NEUROCOMBAT), (False, WITHOUT_BAYES)])
def test_combat_as_neurocombat(shrink, expected):
    x, known = three_sites()
    found = Combat(shrink=shrink).fit(x, known).transform(x, known.sites)
    assert found[[0, 8, 15]] == pytest.approx(np.array(expected), abs=2e-6)


def test_combat_leaves_an_unseen_site_alone_and_takes_new_rows_alone():
    x, known = three_sites()
    step = Combat().fit(x, known)
    together = step.transform(x, known.sites)
    assert step.transform(x[4:5], known.sites[4:5]) == pytest.approx(together[4:5])
    assert step.transform(x[:2], np.array(["z", "z"])) == pytest.approx(x[:2])
    assert step.unseen_ == 2


def test_zscore_by_site():
    x, known = three_sites()
    found = SiteScale().fit(x, known).transform(x, known.sites)
    for site in "abc":
        rows = found[known.sites == site]
        assert rows.mean(axis=0) == pytest.approx(np.zeros(5), abs=1e-9)
        assert rows.std(axis=0) == pytest.approx(np.ones(5))


def low_rank_with_gaps():
    rng = np.random.default_rng(2)
    full = rng.normal(size=(80, 2)) @ rng.normal(size=(2, 10)) + 0.05 * rng.normal(size=(80, 10))
    holes = rng.random(full.shape) < 0.15
    return full, np.where(holes, np.nan, full), holes


@pytest.mark.parametrize("name", list(IMPUTERS))
def test_every_imputer_fills_all_and_changes_nothing_else(name):
    full, gaps, holes = low_rank_with_gaps()
    known = Known(Outcome.binary(np.arange(80) % 2), np.array([""] * 80))
    step = IMPUTERS.make(name, {"trees": 10, "rounds": 2} if name == "forest" else {}).fit(gaps[:60], known)
    out = step.transform(gaps[60:], known.sites[60:])
    assert np.isfinite(out).all()
    assert out[~holes[60:]] == pytest.approx(full[60:][~holes[60:]])
    empty = np.full((1, 10), np.nan)
    assert np.isfinite(step.transform(empty, known.sites[:1])).all()


def test_low_rank_beats_the_mean_on_a_table_of_low_rank():
    full, gaps, holes = low_rank_with_gaps()
    known = Known(Outcome.binary(np.arange(80) % 2), np.array([""] * 80))
    errors = {
        name: np.abs((IMPUTERS.make(name, {}).fit(gaps, known).transform(gaps, known.sites) - full)[holes]).mean()
        for name in ("mean", "low_rank", "knn")
    }
    assert errors["low_rank"] < 0.35 * errors["mean"]
    assert errors["knn"] < errors["mean"]
    assert LowRankImpute().fit(gaps, known).directions_.shape == (5, 10)


def test_nearest_as_in_scikit_learn_on_standardised_columns():
    _, gaps, _ = low_rank_with_gaps()
    centre, spread = np.nanmean(gaps, axis=0), np.nanstd(gaps, axis=0)
    expected = KNNImputer(n_neighbors=5).fit_transform((gaps - centre) / spread) * spread + centre
    known = Known(Outcome.binary(np.arange(80) % 2), np.array([""] * 80))
    assert NearestImpute().fit(gaps, known).transform(gaps, known.sites) == pytest.approx(expected)


def test_univariate_scores_as_in_scikit_learn_and_lifelines(make_dataset):
    data = make_dataset("multiclass")
    f, p = f_classif(data.table.values, data.outcome.classes)
    assert strength(data.table.values, data.outcome) == pytest.approx(f)
    assert p_values(data.table.values, data.outcome) == pytest.approx(p)
    data = make_dataset("regression")
    f, p = f_regression(data.table.values, data.outcome.values[:, 0])
    assert strength(data.table.values, data.outcome) == pytest.approx(f)
    assert p_values(data.table.values, data.outcome) == pytest.approx(p)


def test_cox_score_is_that_of_the_logrank_test(make_dataset):
    """For two groups without ties the score test is the log-rank test up to its variance (Cox 1972)."""
    from lifelines.statistics import logrank_test

    rng = np.random.default_rng(0)
    days, events = rng.permutation(60) + 1.0, rng.random(60) < 0.7
    group = (rng.random(60) < 0.5).astype(float)
    theirs = logrank_test(days[group == 1], days[group == 0], events[group == 1], events[group == 0]).test_statistic
    assert cox_score(group.reshape(-1, 1), days, events)[0] ** 2 == pytest.approx(theirs, rel=1e-6)


def test_martingale_residuals_as_in_lifelines(make_dataset):
    data = make_dataset("survival")
    t, d = data.outcome.days, data.outcome.events
    hazard = NelsonAalenFitter(nelson_aalen_smoothing=False).fit(t, d).predict(t).to_numpy()
    assert martingale(t, d) == pytest.approx(d - hazard, abs=1e-9)
    assert CoxPHFitter is not None


@given(st.integers(0, 10_000), st.sampled_from([n for n in SELECTIONS if n != "stability"]))
@settings(max_examples=25, deadline=None)
def test_selections_choose_columns_of_theirs_once(seed, name):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(30, 8))
    x[:, 3] = x[:, 2]
    x[:, 5] = 1.0
    step = SELECTIONS.make(name, {}).fit(
        x, Known(Outcome.binary(rng.permutation(np.arange(30) % 2)), np.array([""] * 30))
    )
    assert len(set(step.kept_)) == len(step.kept_) >= 1
    assert set(step.kept_) <= set(range(8))
    assert step.transform(x, np.array([""] * 30)).shape == (30, len(step.kept_))


@pytest.mark.parametrize("name", ["univariate", "mrmr", "lasso", "stability"])
@pytest.mark.parametrize("kind", ["binary", "multiclass", "survival", "regression", "multilabel"])
def test_selections_find_what_matters(make_dataset, name, kind):
    data = make_dataset(kind, n=200, columns=15, effect=1.5)
    more = {"halves": 10} if name == "stability" else {}
    kept = SELECTIONS.make(name, {"keep": 4} | more).fit(data.table.values, Known(data.outcome, data.sites)).kept_
    assert {0, 1} <= set(kept.tolist())


def test_false_discoveries_as_in_scipy(make_dataset):
    data = make_dataset("binary", n=150, columns=30)
    p = p_values(data.table.values, data.outcome)
    expected = np.flatnonzero(stats.false_discovery_control(p) <= 0.1)
    assert np.sort(Univariate(keep=99, fdr=0.1).choose(data.table.values, data.outcome)).tolist() == expected.tolist()
    assert Stability(halves=6, keep=2).choose(data.table.values, data.outcome).tolist()[:2] == [0, 1]


def test_prediction_sets_as_in_mapie():
    x, y = load_breast_cancer(return_X_y=True)
    x = (x - x.mean(axis=0)) / x.std(axis=0)
    model = LogisticRegression(C=0.001).fit(x[:60], y[:60])
    theirs = SplitConformalClassifier(model, confidence_level=0.9, conformity_score="lac", prefit=True)
    _, sets = theirs.conformalize(x[60:300], y[60:300]).predict_set(x[300:])
    ours = Conformal.of(Outcome.binary(y[60:300]), model.predict_proba(x[60:300])[:, [1]], 0.9)
    assert np.array_equal(ours.sets(model.predict_proba(x[300:])[:, [1]]), sets[:, :, 0])


def test_prediction_intervals_as_in_mapie(make_dataset):
    data = make_dataset("regression", n=200)
    x, y = data.table.values, data.outcome.values[:, 0]
    model = LinearRegression().fit(x[:80], y[:80])
    theirs = SplitConformalRegressor(model, confidence_level=0.8, prefit=True).conformalize(x[80:150], y[80:150])
    _, ends = theirs.predict_interval(x[150:])
    ours = Conformal.of(Outcome.regression(y[80:150]), model.predict(x[80:150]).reshape(-1, 1), 0.8)
    assert ours.interval(model.predict(x[150:]).reshape(-1, 1)) == pytest.approx(ends[:, :, 0])


def test_too_few_rows_promise_nothing():
    few = Conformal.of(Outcome.binary([0, 1, 0, 1]), np.array([[0.1], [0.9], [0.2], [0.8]]), 0.9)
    assert few.sets(np.array([[0.99]])).all()


def test_made_up_rows_are_made_of_training_rows_only(make_dataset):
    data = make_dataset("binary", n=90)
    rare = np.flatnonzero(data.outcome.classes == 0)
    some = data.take(np.sort(np.concatenate([rare[:12], rare[:0], np.flatnonzero(data.outcome.classes == 1)])))
    learner = make_learner("svm", {"smote": True}, Outcomes.BINARY, 1)
    learner.fit(some.table.values, some.outcome)
    (fitted,) = learner.estimator.calibrated_classifiers_
    assert fitted.estimator.made_up_ == int(some.outcome.values.sum()) - 12


def test_chances_of_a_support_vector_machine_are_learned_across_patients(make_dataset):
    """Rows that stand there twice under one patient say nothing new: chances must not become surer by them."""
    data = make_dataset("binary", n=60)
    x = np.random.default_rng(5).normal(size=(60, 20))  # columns that know nothing of the outcome
    x, outcome = np.tile(x, (3, 1)), data.outcome.take(np.tile(np.arange(60), 3))
    who = [f"P{n % 60}" for n in range(180)]
    spread = [
        float(np.ptp(make_learner("svm", {}, Outcomes.BINARY, 1).whose(named).fit(x, outcome).predict(x)))
        for named in (who, [])
    ]
    assert spread[0] < 0.5 < spread[1]


@pytest.mark.parametrize("smote", [False, True])
def test_a_support_vector_machine_needs_two_patients_of_each_class(make_dataset, smote):
    data = make_dataset("binary", n=30)
    yes = np.flatnonzero(data.outcome.classes == 1)
    who = [f"P{n}" for n in range(30)]
    for row in yes:
        who[row] = "P-all"
    learner = make_learner("svm", {"smote": smote}, Outcomes.BINARY, 1).whose(who)
    with pytest.raises(InputError, match="two patients of each class"):
        learner.fit(data.table.values, data.outcome)


def test_supervised_components_find_a_weak_signal_of_many_columns(make_dataset):
    """Bair 2004: a factor behind many columns is found where each alone is weak."""
    rng = np.random.default_rng(3)
    factor = rng.normal(size=160)
    x = rng.normal(size=(160, 200))
    x[:, :30] += factor[:, None]
    outcome = Outcome.survival(np.exp(-factor + rng.gumbel(size=160) * 0.3) * 100 + 1, np.ones(160))
    train, test = np.arange(100), np.arange(100, 160)
    model = SupervisedPca(keep=0.15).fit(x[train], outcome.take(train))
    assert abs(np.corrcoef(model.predict(x[test])[:, 0], factor[test])[0, 1]) > 0.9
    chosen = SupervisedPca(choices=(0.01, 0.15, 1.0)).fit(x[train], outcome.take(train))
    assert chosen.chosen_ == 0.15
    assert set(np.flatnonzero(model.weights)) & set(range(30))


def test_supervised_components_are_chosen_where_inner_rows_have_one_class():
    rng = np.random.default_rng(4)
    y = np.array([1, 0, 0, 0, 0, 0, 0, 0, 0, 0])
    model = SupervisedPca(choices=(0.2, 1.0), folds=5).fit(rng.normal(size=(10, 6)), Outcome.binary(y))
    assert model.chosen_ in (0.2, 1.0)


def test_subtypes_are_found_without_the_outcome():
    rng = np.random.default_rng(0)
    group = np.arange(90) % 3
    x = rng.normal(size=(90, 4)) * 0.3 + group[:, None] * 3.0
    one = Subtypes(3, seed=1).fit(x, Outcome.binary(group == 2))
    other = Subtypes(3, seed=1).fit(x, Outcome.binary(rng.permutation(group == 2)))
    assert np.array_equal(one.subtype(x), other.subtype(x))
    assert ((one.predict(x)[:, 0] > 0.5) == (group == 2)).all()


def test_survival_forest_says_how_to_install(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "sksurv.ensemble", None)
    with pytest.raises(MissingDependency, match="pip install scikit-survival"):
        make_learner("survival_forest", {}, Outcomes.SURVIVAL, 1)


@pytest.mark.parametrize("registry", [IMPUTERS, HARMONISERS, SCALES, SELECTIONS, LEARNERS])
def test_every_part_names_its_source(registry):
    assert all(registry.entry(name).source for name in registry)


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ({"name": "leave_site_out"}, "two sites at least"),
        ({"name": "temporal", "by": "date"}, "an order in time"),
        ({"name": "external"}, "rows of another cohort"),
        ({"name": "kfold", "folds": 99}, "99 patients at least; got 90"),
    ],
)
def test_splits_say_what_they_lack(make_dataset, how, told):
    data = make_dataset(n=90)
    data = type(data).of(data.table, data.outcome)
    with pytest.raises(InputError, match=told):
        make_folds(Validation(**how), data.rowwise, 1)


def test_sites_and_times_stay_apart(make_dataset):
    data = make_dataset(n=30)
    data = type(data).of(data.table, data.outcome, data.sites.tolist(), np.arange(30.0)[::-1])
    folds = make_folds(Validation(name="leave_site_out"), data.rowwise, 1)
    assert [(f.name, set(data.sites[f.test])) for f in folds] == [("a", {"a"}), ("b", {"b"}), ("c", {"c"})]
    later = make_folds(Validation(name="temporal", by="date", test_share=0.2), data.rowwise, 1)[0]
    assert later.test.tolist() == [0, 1, 2, 3, 4, 5]
    outside = make_folds(Validation(name="external", test=("b",)), data.rowwise, 1)[0]
    assert set(data.sites[outside.test]) == {"b"}
    assert set(data.sites[outside.train]) == {"a", "c"}
