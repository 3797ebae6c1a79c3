"""Calibration, recalibration and decision curves: statsmodels' and dcurves' numbers, closed forms, simulation."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tumorboard.errors import InputError
from tumorboard.metrics.calibrate import calibration
from tumorboard.metrics.calibrate.logistic import expit, fit_logistic, logit
from tumorboard.metrics.calibrate.recalibration import RECALIBRATIONS, fit_recalibration
from tumorboard.metrics.calibrate.smooth import calibration_curve, loess
from tumorboard.metrics.classify import decision_curve, proper_scores

# fmt: off
TRUTH = [
    0, 1, 0, 0, 1, 1, 0, 1, 0, 0, 1, 0, 1, 1, 0, 0, 0, 1, 1, 0, 1, 0, 0, 1, 0, 1, 1, 0, 0, 1, 0, 0, 1, 0, 1, 0,
    1, 0, 0, 1,
]
SAID = [
    .12, .55, .31, .08, .72, .64, .45, .38, .22, .17, .81, .52, .47, .91, .05, .28, .61, .33, .77, .14, .58,
    .41, .19, .69, .36, .25, .88, .11, .49, .62, .07, .34, .53, .44, .66, .29, .74, .16, .57, .43,
]
# fmt: on

predictions = st.lists(st.tuples(st.booleans(), st.floats(0.01, 0.99)), min_size=2, max_size=40)


def drawn(seed, n, extreme=1.0, shift=0.0):
    """True logits are normal; predictions are their multiple, shifted."""
    rng = np.random.default_rng(seed)
    true = rng.normal(-0.5, 1.2, n)
    return rng.random(n) < expit(true), expit(extreme * true + shift)


def test_slope_and_intercept_are_those_of_statsmodels():
    """GLM with a logit link of statsmodels 0.15.0: coefficients and standard errors, computed once."""
    slope = calibration.calibration_slope(TRUTH, SAID)
    assert slope.value == pytest.approx(2.06527947, abs=1e-7)
    assert (slope.high - slope.low) / (2 * 1.959964) == pytest.approx(0.66560207, abs=1e-6)
    intercept = calibration.calibration_intercept(TRUTH, SAID)
    assert intercept.value == pytest.approx(0.08657195, abs=1e-7)
    assert (intercept.high - intercept.low) / (2 * 1.959964) == pytest.approx(0.36169289, abs=1e-6)


def test_the_fit_is_that_of_scikit_learn():
    from sklearn.linear_model import LogisticRegression

    rng = np.random.default_rng(0)
    x = rng.normal(size=(80, 3))
    y = rng.random(80) < expit(x @ [1.0, -0.5, 0.2])
    peer = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000).fit(x, y)
    found = fit_logistic(np.column_stack([x, np.ones(80)]), y)
    assert found.coefficients == pytest.approx([*peer.coef_[0], peer.intercept_[0]], abs=1e-5)


def test_a_fit_without_a_maximum_is_none():
    x = np.column_stack([[-2.0, -1, 1, 2], np.ones(4)])
    assert fit_logistic(x, np.array([False, False, True, True])) is None
    assert fit_logistic(np.ones((4, 2)), np.array([False, True, False, True])) is None
    assert "part the classes" in calibration.calibration_slope([0, 0, 1, 1], [0.1, 0.2, 0.8, 0.9]).reason
    assert "do not vary" in calibration.calibration_slope([0, 1, 0, 1], [0.5] * 4).reason


@pytest.mark.parametrize(("extreme", "shift"), [(1.0, 0.0), (2.0, 0.0), (0.5, 0.7)])
def test_slope_and_intercept_find_what_was_done(extreme, shift):
    y, p = drawn(1, 20000, extreme, shift)
    assert calibration.calibration_slope(y, p).value == pytest.approx(1 / extreme, rel=0.05)
    if extreme == 1.0:
        assert calibration.calibration_intercept(y, p).value == pytest.approx(0, abs=0.05)
    shifted = calibration.calibration_intercept(y, expit(logit(p) / extreme - shift / extreme + 0.4))
    assert shifted.value == pytest.approx(-0.4, abs=0.05)


@pytest.mark.parametrize(
    "metric", [calibration.calibration_slope, calibration.calibration_intercept, calibration.observed_over_expected]
)
def test_intervals_of_right_predictions_cover(metric):
    truth = 0.0 if metric is calibration.calibration_intercept else 1.0
    hits = 0
    for seed in range(300):
        found = metric(*drawn(100 + seed, 200))
        hits += found.low <= truth <= found.high
    # the interval of O/E takes predictions as fixed and events as of one chance: a little wide
    assert 0.92 <= hits / 300 <= (1.0 if metric is calibration.observed_over_expected else 0.985)


def test_repeats_of_a_patient_do_not_narrow_intervals():
    y, p = drawn(2, 80)
    for metric in (
        calibration.calibration_slope,
        calibration.observed_over_expected,
        calibration.calibration_intercept,
    ):
        once, naive = metric(y, p), metric(np.tile(y, 4), np.tile(p, 4))
        grouped = metric(np.tile(y, 4), np.tile(p, 4), groups=[*range(80)] * 4)
        assert grouped.value == pytest.approx(once.value)
        assert grouped.high - grouped.low > 1.4 * (naive.high - naive.low)


@given(predictions)
def test_parts_of_the_brier_score_add_up(rows):
    y, p = zip(*rows, strict=True)
    parts = calibration.brier_parts(y, p)
    assert parts.brier == pytest.approx(parts.calibration + parts.spread)
    assert parts.brier == pytest.approx(proper_scores.brier_score(y, p).value)


def test_spiegelhalters_test_keeps_its_level_and_finds():
    found = [calibration.brier_parts(*drawn(500 + seed, 150)).p < 0.05 for seed in range(400)]
    assert 0.025 <= np.mean(found) <= 0.08
    assert calibration.brier_parts(*drawn(3, 500, extreme=2.5)).p < 0.001
    assert math.isnan(calibration.brier_parts([0, 1], [0.0, 1.0]).p)


def test_the_binned_error_by_hand():
    """Two bins of width one half: |0.3 - 0| * 2 + |0.8 - 0.5| * 2, over four."""
    found = calibration.calibration_error([0, 0, 0, 1], [0.2, 0.4, 0.7, 0.9], bins=2)
    assert found.value == pytest.approx(0.3)
    assert calibration.calibration_error(
        [0, 0, 0, 1], [0.2, 0.4, 0.7, 0.9], bins=2, how="quantile"
    ).value == pytest.approx(0.3)


def test_expected_over_observed_turns_the_ratio_round():
    one, other = calibration.observed_over_expected(TRUTH, SAID), calibration.expected_over_observed(TRUTH, SAID)
    assert (other.value, other.low, other.high) == pytest.approx((1 / one.value, 1 / one.high, 1 / one.low))


def test_the_local_line_is_that_of_statsmodels():
    """lowess(frac=0.75, it=0) of statsmodels 0.15.0 at five places, computed once."""
    found = loess(np.array(SAID), np.array(TRUTH, dtype=float), np.array([0.1, 0.25, 0.4, 0.6, 0.8]))
    assert found == pytest.approx([0.00316, 0.18774633, 0.37341854, 0.69927277, 1.00203555], abs=1e-6)


def test_the_curve_finds_the_diagonal_and_leaves_it():
    y, p = drawn(4, 800)
    right = calibration_curve(y, p)
    assert right.ici.value < 0.05
    inside = (right.predicted > 0.1) & (right.predicted < 0.8)
    assert ((right.low <= right.predicted) & (right.predicted <= right.high))[inside].mean() > 0.8
    wrong = calibration_curve(*drawn(4, 800, extreme=3.0))
    assert wrong.ici.low > 0.08
    assert right.e50.value <= right.e90.value
    assert sum(one.observed.n for one in right.bins) == 800


def test_the_curve_follows_what_is_straight():
    x = np.linspace(0, 1, 30)
    assert loess(x, 3 * x - 1, np.array([0.0, 0.33, 1.0])) == pytest.approx([-1, -0.01, 2])
    heaped = np.array([0.2] * 20 + [0.8] * 3)
    assert np.isfinite(loess(heaped, heaped, np.array([0.2, 0.5, 0.8]))).all()


def test_curves_that_cannot_be_drawn_say_why():
    assert calibration_curve([0, 1], [0.2, 0.3]).reason == "fewer than 10 rows"
    assert calibration_curve([1] * 10, [0.2] * 10).reason == "patients of one class only"
    assert calibration_curve([0, 1] * 5, [0.2] * 10).reason == "the predictions do not vary"
    assert calibration_curve([], []).bins == ()


@pytest.mark.parametrize("how", sorted(RECALIBRATIONS))
def test_recalibration_makes_extreme_predictions_right_on_others(how):
    fitted = fit_recalibration(*drawn(5, 3000, extreme=2.5, shift=0.5), how)
    y, p = drawn(6, 5000, extreme=2.5, shift=0.5)
    better = fitted.apply(p)
    assert proper_scores.brier_score(y, better).high < proper_scores.brier_score(y, p).low
    assert calibration.calibration_slope(y, np.clip(better, 0.001, 0.999)).value == pytest.approx(1, abs=0.1)
    assert calibration.observed_over_expected(y, better).value == pytest.approx(1, abs=0.05)
    assert fitted.patients == 3000
    assert (np.diff(fitted.apply(np.linspace(0, 1, 50))) >= 0).all()
    again = type(fitted)(**dataclasses.asdict(fitted))  # numbers only: it can be written and read
    assert (again.apply(p) == better).all()


def test_recalibration_is_that_of_its_peers():
    """Logistic and isotonic: scikit-learn; beta of right predictions is close to a = b = 1, c = 0."""
    from sklearn.isotonic import IsotonicRegression

    y, p = drawn(7, 400)
    peer = IsotonicRegression(y_min=0, y_max=1, out_of_bounds="clip").fit(p, y)
    at = np.linspace(0, 1, 77)
    assert fit_recalibration(y, p, "isotonic").apply(at) == pytest.approx(peer.predict(at))
    beta = fit_recalibration(*drawn(8, 40000), "beta")
    assert (beta.a, beta.b, beta.c) == pytest.approx((1, 1, 0), abs=0.1)


@pytest.mark.parametrize("turned", [False, True])
def test_beta_never_falls(turned):
    """Where the free fit has a negative coefficient (events grow rare near 1, or many near 0), that one is left out."""
    rng = np.random.default_rng(9)
    p = rng.uniform(0.001, 0.999, 2000)
    y = rng.random(2000) < 0.1 + 0.6 * p - 0.65 * (p > 0.9)
    fitted = fit_recalibration(~y, 1 - p, "beta") if turned else fit_recalibration(y, p, "beta")
    assert (fitted.a, fitted.b)[not turned] == 0
    assert (fitted.a, fitted.b)[turned] > 0.1
    # fitted again without it: only then predictions add up to the events
    assert fitted.apply(1 - p if turned else p).mean() == pytest.approx((~y if turned else y).mean(), abs=1e-6)
    assert (np.diff(fitted.apply(np.linspace(0, 1, 99))) >= 0).all()


def test_net_benefit_is_that_of_dcurves():
    """Net benefit of dcurves 1.1.7, computed once."""
    curve = decision_curve.decision_curve(TRUTH, SAID, [0.1, 0.2, 0.35, 0.5, 0.7])
    assert curve.model == pytest.approx([0.397222, 0.36875, 0.292308, 0.25, 0.15], abs=1e-6)
    assert curve.treat_all == pytest.approx([0.388889, 0.3125, 0.153846, -0.1, -0.833333], abs=1e-6)
    assert curve.standardised == pytest.approx(curve.model / 0.45)


@given(predictions, st.floats(0.01, 0.99))
def test_net_benefit_by_the_formula_of_vickers_and_elkin(rows, threshold):
    """True positives less false positives times the odds of the threshold, over the patients (2006, equation 1)."""
    y, p = (np.array(part) for part in zip(*rows, strict=True))
    found = decision_curve.net_benefit(y, p, threshold=threshold)
    if y.all() or not y.any():
        assert found.reason == "patients of one class only"
        return
    acted = p >= threshold
    expected = (acted & y).sum() / len(y) - (acted & ~y).sum() / len(y) * threshold / (1 - threshold)
    assert found.value == pytest.approx(expected, abs=1e-12)
    assert found.value <= y.mean() + 1e-12
    curve = decision_curve.decision_curve(y, p, [threshold], draws=50)
    assert curve.model[0] == pytest.approx(expected, abs=1e-12)


def test_a_decision_curve_meets_its_ends():
    curve = decision_curve.decision_curve(TRUTH, SAID)
    assert curve.model[0] == pytest.approx(curve.treat_all[0])  # everybody is above 1 %
    assert curve.model[-1] == 0  # nobody is above 99 %
    assert decision_curve.treat_all(0.3, 0.3) == pytest.approx(0)
    assert (curve.low <= curve.model + 1e-12).all()
    assert (curve.model <= curve.high + 1e-12).all()
    assert set(curve.useful) <= set(curve.thresholds)
    assert 0.5 in curve.useful
    assert decision_curve.decision_curve([1, 1], [0.2, 0.3]).reason == "patients of one class only"


def test_a_useless_model_is_not_called_useful():
    rng = np.random.default_rng(10)
    curve = decision_curve.decision_curve(rng.random(300) < 0.3, rng.uniform(0, 1, 300))
    assert len(curve.useful) <= 2


def test_a_difference_of_net_benefit_is_that_of_the_two():
    other = np.clip(np.array(SAID)[::-1], 0, 1)
    found = decision_curve.benefit_difference(TRUTH, SAID, other, 0.4)
    apart = [decision_curve.net_benefit(TRUTH, p, threshold=0.4).value for p in (SAID, other)]
    assert found.value == pytest.approx(apart[0] - apart[1])
    assert found.low < found.value < found.high


@pytest.mark.parametrize(
    "call",
    [
        lambda: calibration.calibration_slope([0, 1], [0.5, 1.5]),
        lambda: calibration.brier_parts([], []),
        lambda: calibration.calibration_error([0, 1], [0.5, 0.6], bins=0),
        lambda: loess(np.arange(3.0), np.arange(3.0), np.arange(3.0), span=0),
        lambda: fit_recalibration([0, 0], [0.1, 0.2]),
        lambda: fit_recalibration([0, 0, 1, 1], [0.1, 0.2, 0.8, 0.9]),
        lambda: fit_recalibration(TRUTH, SAID).apply([1.2]),
        lambda: decision_curve.net_benefit([0, 1], [0.1, 0.2], threshold=1.0),
        lambda: decision_curve.decision_curve([0, 1], [0.1, 0.2], [0.0]),
    ],
)
def test_what_is_no_probability_is_refused(call):
    with pytest.raises(InputError):
        call()


def test_the_nearest_recalibration_is_proposed():
    with pytest.raises(InputError, match="did you mean 'isotonic'"):
        fit_recalibration(TRUTH, SAID, "isotonc")
