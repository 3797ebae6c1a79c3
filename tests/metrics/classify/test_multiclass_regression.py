"""Areas of several classes, proper scores and errors of numbers: scikit-learn, scipy, published examples, coverage."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tumorboard.metrics import regression
from tumorboard.metrics.classify import multiclass, proper_scores
from tumorboard.metrics.classify.roc import roc_auc


def drawn(seed=0, n=90, k=3):
    rng = np.random.default_rng(seed)
    y = rng.integers(0, k, n)
    p = rng.dirichlet(np.ones(k), n) + 0.4 * np.eye(k)[y]
    return y, p / p.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("k", [2, 3, 5])
def test_areas_of_classes_are_those_of_scikit_learn(k):
    from sklearn.metrics import roc_auc_score

    y, p = drawn(k, k=k)
    both = {"multi_class": "ovr", "labels": range(k)} if k > 2 else {}
    scores = p if k > 2 else p[:, 1]
    assert multiclass.macro_auc(y, p).value == pytest.approx(roc_auc_score(y, scores, average="macro", **both))
    assert multiclass.weighted_auc(y, p).value == pytest.approx(roc_auc_score(y, scores, average="weighted", **both))
    pairs = {"multi_class": "ovo", "labels": range(k)} if k > 2 else {}
    assert multiclass.hand_till(y, p).value == pytest.approx(roc_auc_score(y, scores, average="macro", **pairs))


def test_two_classes_are_the_binary_area():
    y, p = drawn(1, k=2)
    assert multiclass.hand_till(y, p).value == pytest.approx(roc_auc(y, p[:, 1]).value)


def test_patients_with_several_rows_do_not_narrow_intervals():
    y, p = drawn(2, n=50)
    for metric in (multiclass.macro_auc, proper_scores.brier_score, proper_scores.log_loss, proper_scores.scaled_brier):
        once = metric(y, p)
        grouped = metric(np.tile(y, 3), np.tile(p, (3, 1)), groups=[*range(50)] * 3)
        naive = metric(np.tile(y, 3), np.tile(p, (3, 1)))
        assert grouped.value == pytest.approx(once.value)
        assert grouped.high - grouped.low == pytest.approx(once.high - once.low, rel=0.15)
        assert naive.high - naive.low < 0.75 * (once.high - once.low)


def test_a_class_without_a_patient_says_so():
    y, p = np.array([0, 1, 0, 1]), drawn(3)[1][:4]
    assert multiclass.macro_auc(y, p).reason == "a class without a patient"
    assert multiclass.hand_till([0, 0], p[:2]).reason == "patients of one class only"


def test_proper_scores_are_those_of_scikit_learn():
    from sklearn import metrics

    y, p = drawn(4)
    assert proper_scores.log_loss(y, p).value == pytest.approx(metrics.log_loss(y, p))
    assert proper_scores.brier_score(y, p).value == pytest.approx(
        metrics.brier_score_loss(y, p, labels=[0, 1, 2], scale_by_half=False)
    )
    truth, q = y == 0, p[:, 0]
    assert proper_scores.log_loss(truth, q).value == pytest.approx(metrics.log_loss(truth, q))
    assert proper_scores.brier_score(truth, q).value == pytest.approx(metrics.brier_score_loss(truth, q))
    assert proper_scores.log_loss([0, 1, 1], [0.0, 0.0, 1.0]).value == pytest.approx(
        metrics.log_loss([0, 1, 1], [0.0, 0.0, 1.0])
    )


def test_the_prevalence_scales_the_brier_score():
    truth = np.array([0, 0, 0, 1] * 5)
    assert proper_scores.scaled_brier(truth, np.full(20, 0.25)).value == pytest.approx(0)
    assert proper_scores.scaled_brier(truth, truth).value == 1
    assert proper_scores.scaled_brier(truth, np.column_stack([1 - truth, truth])).value == 1
    flat = np.tile([0.75, 0.25], (20, 1))
    assert proper_scores.scaled_brier(truth, flat).value == pytest.approx(0)
    assert proper_scores.scaled_brier([1, 1], [0.5, 0.5]).reason == "patients of one class only"


numbers = st.lists(st.tuples(st.integers(-50, 50), st.integers(-50, 50)), min_size=5, max_size=25)


@given(numbers)
def test_errors_are_those_of_scikit_learn_and_scipy(rows):
    from scipy import stats
    from sklearn import metrics

    y, x = np.array(rows, dtype=float).T
    assert regression.mae(y, x).value == pytest.approx(metrics.mean_absolute_error(y, x))
    assert regression.rmse(y, x).value == pytest.approx(metrics.root_mean_squared_error(y, x))
    if np.ptp(y) and np.ptp(x):
        assert regression.r2(y, x).value == pytest.approx(metrics.r2_score(y, x))
        peer = stats.pearsonr(y, x)
        found = regression.pearson(y, x)
        assert found.value == pytest.approx(peer.statistic, abs=1e-9)
        if not found.reason:
            interval = peer.confidence_interval()
            assert (found.low, found.high) == pytest.approx((interval.low, interval.high), abs=1e-9)
        assert regression.spearman(y, x).value == pytest.approx(stats.spearmanr(y, x).statistic, abs=1e-9)
    else:
        assert "does not vary" in regression.pearson(y, x).reason


def test_the_interval_of_a_published_correlation():
    """Bonett & Wright 2000, equation 4, for rho 0.4 and 40 rows by hand."""
    rng = np.random.default_rng(0)
    x = rng.permutation(40)
    found = regression.spearman(np.arange(40), np.argsort(np.argsort(np.arange(40) + 0.9 * x)))
    z, error = math.atanh(found.value), math.sqrt((1 + found.value**2 / 2) / 37)
    assert (found.low, found.high) == pytest.approx(
        (math.tanh(z - 1.959964 * error), math.tanh(z + 1.959964 * error)), abs=1e-6
    )


@pytest.mark.parametrize("metric", [regression.pearson, regression.spearman])
def test_intervals_of_correlations_cover(metric):
    """Normal pairs with correlation 0.5; Spearman's is 6/pi asin(0.25)."""
    truth = 0.5 if metric is regression.pearson else 6 / math.pi * math.asin(0.25)
    rng, hits = np.random.default_rng(1), 0
    for _ in range(500):
        z = rng.normal(size=(2, 50))
        found = metric(z[0], 0.5 * z[0] + math.sqrt(0.75) * z[1])
        hits += found.low <= truth <= found.high
    assert 0.92 <= hits / 500 <= 0.98


def test_the_bootstrap_of_an_error_covers():
    """Errors that are normal with spread 1 have the mean absolute error sqrt(2/pi)."""
    rng, hits = np.random.default_rng(2), 0
    for _ in range(120):
        found = regression.mae(np.zeros(60), rng.normal(size=60))
        hits += found.low <= math.sqrt(2 / math.pi) <= found.high
    assert 0.88 <= hits / 120 <= 0.99


def test_what_cannot_be_told_says_why():
    assert regression.r2([1, 1, 1], [1, 2, 3]).reason == "the truth does not vary"
    assert regression.pearson([1, 2, 3], [1, 2, 3]).reason == "fewer than four rows"
    assert regression.pearson([1, 2, 3, 4], [2, 4, 6, 8]).value == 1
    assert "from 4" in regression.mae([1, 2, 3, 4], [2, 2, 2, 2]).reason
