"""Areas under ROC curves and their tests: published data, brute force, scikit-learn, coverage, clusters."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tumorboard.errors import InputError
from tumorboard.metrics.classify.delong import auc_covariance, compare_aucs, compare_independent_aucs
from tumorboard.metrics.classify.precision_recall import average_precision, precision_recall_curve
from tumorboard.metrics.classify.roc import roc_auc, roc_curve

# Hanley & McNeil 1982, table I: CT images rated 1 to 5, 58 normal and 51 abnormal
NORMAL, ABNORMAL = [33, 6, 6, 11, 2], [3, 2, 2, 11, 33]

# DeLong 1988, ovarian cancer, as SAS/STAT 9.2 prints it (PROC LOGISTIC, "Comparing Receiver Operating Characteristic
# Curves"): albumin, total protein, K-G score, outcome; 43 patients without a gap
OVARIAN = """
3.0 5.8 10 0 3.2 6.3 5 1 3.9 6.8 3 1 2.8 4.8 6 0 3.2 5.8 3 1 0.9 4.0 5 0 2.5 5.7 8 0 1.6 5.6 5 1 3.8 5.7 5 1
3.7 6.7 6 1 3.2 5.4 4 1 3.8 6.6 6 1 4.1 6.6 5 1 3.6 5.7 5 1 4.3 7.0 4 1 3.6 6.7 4 0 2.3 4.4 6 1 4.2 7.6 4 0
4.0 6.6 6 0 3.5 5.8 6 1 3.8 6.8 7 1 3.0 4.7 8 0 4.5 7.4 5 1 3.7 7.4 5 1 3.1 6.6 6 1 4.1 8.2 6 1 4.3 7.0 5 1
4.3 6.5 4 1 3.2 5.1 5 1 2.6 4.7 6 1 3.3 6.8 6 0 1.7 4.0 7 0 3.7 6.1 5 1 3.3 6.3 7 1 4.2 7.7 6 1 3.5 6.2 5 1
2.9 5.7 9 0 2.1 4.8 7 1 2.8 6.2 8 0 4.0 7.0 7 1 3.3 5.7 6 1 3.7 6.9 5 1 3.6 6.6 5 1
"""

cohorts = st.lists(st.tuples(st.booleans(), st.integers(0, 6), st.integers(0, 6)), min_size=4, max_size=30)


def ovarian():
    table = np.array(OVARIAN.split(), dtype=float).reshape(-1, 4)
    return table[:, 3], table[:, 0], table[:, 1], 10 - table[:, 2]


def test_the_area_of_published_ratings():
    """Stata's manual, roctab: area 0.8932, standard error 0.0307, interval 0.83295 to 0.95339."""
    scores = np.repeat([1, 2, 3, 4, 5] * 2, [*NORMAL, *ABNORMAL])
    truth = np.repeat([0, 1], [sum(NORMAL), sum(ABNORMAL)])
    found = roc_auc(truth, scores)
    assert (found.value, found.low, found.high) == pytest.approx((0.8932, 0.83295, 0.95339), abs=6e-5)
    assert (found.high - found.low) / (2 * 1.959964) == pytest.approx(0.0307, abs=6e-5)


def test_areas_and_tests_of_the_published_tumours():
    truth, albumin, protein, score = ovarian()
    areas, covariance = auc_covariance(truth, np.column_stack([albumin, protein, score]))
    assert areas == pytest.approx([0.7366, 0.6478, 0.7258], abs=6e-5)
    assert np.sqrt(np.diag(covariance)) == pytest.approx([0.0927, 0.1000, 0.1028], abs=6e-5)
    contrast = np.array([[1, 0, -1], [0, 1, -1]])
    away = contrast @ areas
    assert away @ np.linalg.solve(contrast @ covariance @ contrast.T, away) == pytest.approx(2.5340, abs=6e-5)
    for first, difference, p in ((albumin, 0.0108, 0.9102), (protein, -0.0780, 0.4561)):
        found = compare_aucs(truth, first, score)
        assert found.difference.value == pytest.approx(difference, abs=6e-5)
        assert found.p == pytest.approx(p, abs=6e-5)


def brute_covariance(y, x):
    """DeLong's components pair by pair, from their definition."""
    with_event, without = x[y], x[~y]
    psi = (with_event[:, None] > without[None]) + 0.5 * (with_event[:, None] == without[None])
    v10, v01 = psi.mean(axis=1), psi.mean(axis=0)
    return np.atleast_2d(np.cov(v10.T)) / len(v10) + np.atleast_2d(np.cov(v01.T)) / len(v01)


@given(cohorts)
def test_the_covariance_is_that_of_brute_force(rows):
    y = np.array([row[0] for row in rows])
    x = np.array([row[1:] for row in rows], dtype=float)
    if min(y.sum(), (~y).sum()) < 2:
        return
    _, covariance = auc_covariance(y, x)
    assert covariance == pytest.approx(brute_covariance(y, x), abs=1e-12)


@given(cohorts)
def test_areas_and_curves_are_those_of_scikit_learn(rows):
    from sklearn import metrics

    y, s = np.array([row[0] for row in rows]), np.array([row[1] for row in rows])
    if y.all() or not y.any():
        assert roc_auc(y, s).reason == average_precision(y, s).reason == "patients of one class only"
        return
    assert roc_auc(y, s).value == pytest.approx(metrics.roc_auc_score(y, s))
    curve = roc_curve(y, s)
    x, sensitivity, thresholds = metrics.roc_curve(y, s, drop_intermediate=False)
    assert curve.x == pytest.approx(x)
    assert curve.y == pytest.approx(sensitivity)
    assert curve.thresholds == pytest.approx(thresholds)
    assert np.trapezoid(curve.y, curve.x) == pytest.approx(curve.area.value)


def test_average_precision_is_that_of_scikit_learn():
    from sklearn import metrics

    rng = np.random.default_rng(0)
    for _ in range(20):
        y, s = rng.random(40) < 0.3, rng.integers(0, 9, 40)
        found = average_precision(y, s)
        assert found.value == pytest.approx(metrics.average_precision_score(y, s))
        assert found.low <= found.value <= found.high
        curve = precision_recall_curve(y, s)
        precision, recall, _ = metrics.precision_recall_curve(y, s)
        assert curve.y == pytest.approx(precision[-2::-1])
        assert curve.x == pytest.approx(recall[-2::-1])


def drawn(rng, n, shift):
    y = rng.random(n) < 0.4
    return y, rng.normal(size=n) + shift * y


def test_the_interval_of_the_area_covers():
    """Normal scores one standard deviation apart: the area is Phi(1 / sqrt 2)."""
    from statistics import NormalDist

    truth = NormalDist().cdf(1 / math.sqrt(2))
    rng, hits = np.random.default_rng(0), 0
    for _ in range(500):
        found = roc_auc(*drawn(rng, 80, 1.0))
        hits += found.low <= truth <= found.high
    assert 0.92 <= hits / 500 <= 0.98


def test_the_tests_keep_their_level():
    """Of models that are equally good, one in twenty differs at 0.05."""
    rng, paired, unpaired = np.random.default_rng(1), 0, 0
    for _ in range(400):
        y = rng.random(80) < 0.4
        common = rng.normal(size=80) + y
        first, second = (common + 0.7 * rng.normal(size=80) for _ in range(2))
        paired += compare_aucs(y, first, second).p < 0.05
        unpaired += compare_independent_aucs(drawn(rng, 60, 1.0), drawn(rng, 60, 1.0)).p < 0.05
    assert 0.02 <= paired / 400 <= 0.085
    assert 0.02 <= unpaired / 400 <= 0.085


def test_a_difference_that_is_there_is_found():
    rng = np.random.default_rng(2)
    y = rng.random(200) < 0.5
    good, bad = rng.normal(size=200) + 2 * y, rng.normal(size=200)
    found = compare_aucs(y, good, bad)
    assert found.p < 1e-6
    assert found.difference.low > 0.2
    back = compare_aucs(y, bad, good)
    assert (back.difference.value, back.statistic) == pytest.approx((-found.difference.value, -found.statistic))


def test_the_unpaired_test_adds_both_variances():
    rng = np.random.default_rng(3)
    one, other = drawn(rng, 50, 1.0), drawn(rng, 70, 0.3)
    found = compare_independent_aucs(one, other)
    errors = [(a.high - a.low) / (2 * 1.959964) for a in (roc_auc(*one, level=0.95), roc_auc(*other))]
    assert found.statistic == pytest.approx(found.difference.value / math.hypot(*errors), rel=1e-5)


def test_repeats_of_a_patient_do_not_narrow_the_interval():
    """Obuchowski's variance: each patient four times is each patient once, but for a correction of small numbers."""
    rng = np.random.default_rng(4)
    y, s = drawn(rng, 90, 0.8)
    once, naive = roc_auc(y, s), roc_auc(np.tile(y, 4), np.tile(s, 4))
    four = roc_auc(np.tile(y, 4), np.tile(s, 4), groups=[*range(90)] * 4)
    assert (four.value, four.low, four.high) == pytest.approx((once.value, once.low, once.high))
    assert naive.high - naive.low == pytest.approx((once.high - once.low) / 2, rel=0.02)


def test_the_interval_of_clusters_covers():
    """Four lesions a patient share the patient's score; both classes occur in one patient."""
    rng, hits, naive, truth = np.random.default_rng(5), 0, 0, 0.5
    for _ in range(300):
        whose = np.repeat(np.arange(40), 4)
        y = rng.random(160) < np.repeat(rng.beta(1, 1, 40), 4)
        s = np.repeat(rng.normal(size=40), 4) + 0.3 * rng.normal(size=160)
        found, plain = roc_auc(y, s, groups=list(whose)), roc_auc(y, s)
        hits += found.low <= truth <= found.high
        naive += plain.low <= truth <= plain.high
    assert 0.92 <= hits / 300 <= 0.985
    assert naive / 300 < 0.87


def test_the_variance_of_clusters_is_that_of_drawing_patients():
    """Lesions of both classes in each patient share a score, so that errors of the two classes go together."""
    from tumorboard.metrics.resampling import bootstrap

    rng = np.random.default_rng(6)
    whose = np.repeat(np.arange(60), 6)
    y = np.tile([True, True, True, False, False, False], 60)
    s = np.repeat(rng.normal(size=60), 6) + 0.6 * y + 0.5 * rng.normal(size=360)
    found = roc_auc(y, s, groups=list(whose))
    peer = bootstrap(lambda rows: roc_auc(y[rows], s[rows]).value, 360, list(whose), draws=400)
    assert found.high - found.low == pytest.approx(peer.high - peer.low, rel=0.15)
    assert found.high - found.low < 0.8 * (roc_auc(y, s).high - roc_auc(y, s).low)


def test_what_cannot_be_compared_says_why():
    assert compare_aucs([1, 1], [1, 2], [2, 1]).difference.reason == "patients of one class only"
    assert compare_independent_aucs(([1, 1], [1, 2]), ([0, 1], [2, 1])).difference.reason.startswith("patients of one")
    same = compare_aucs([0, 1, 0, 1], [1, 2, 3, 4], [10, 20, 30, 40])
    assert same.difference.value == 0
    assert "one order" in same.difference.reason
    assert math.isnan(same.p)
    single = roc_auc([1, 0, 0, 0], [3, 1, 2, 4])
    assert single.value == pytest.approx(2 / 3)
    assert "one patient" in single.reason
    perfect = roc_auc([0, 0, 1, 1], [1, 2, 3, 4])
    assert (perfect.value, perfect.reason) == (1.0, "all pairs go one way: no interval")
    assert len(roc_curve([1, 1], [1, 2]).x) == len(precision_recall_curve([1, 1], [1, 2]).x) == 0
    with pytest.raises(InputError):
        auc_covariance([1, 1], [[1], [2]])


@settings(max_examples=40)
@given(cohorts)
def test_the_area_knows_ranks_only_and_turns_round(rows):
    y, s = np.array([row[0] for row in rows]), np.array([row[1] for row in rows], dtype=float)
    a, b = roc_auc(y, s), roc_auc(y, np.exp(s))
    assert (a.value, a.low, a.high) == pytest.approx((b.value, b.low, b.high), nan_ok=True)
    assert roc_auc(y, -s).value == pytest.approx(1 - a.value, nan_ok=True)
    assert roc_auc(~y, s).value == pytest.approx(1 - a.value, nan_ok=True)
