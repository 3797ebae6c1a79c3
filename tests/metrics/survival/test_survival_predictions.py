"""Predicted survival: scikit-survival (frozen numbers; live where it is there), lifelines, brute force, simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tumorboard.errors import InputError
from tumorboard.metrics.survival.brier import integrated_brier, null_survival, survival_brier
from tumorboard.metrics.survival.calibration import horizon_calibration
from tumorboard.metrics.survival.censoring import followed
from tumorboard.metrics.survival.concordance import harrell_c, uno_c
from tumorboard.metrics.survival.dynamic_auc import dynamic_auc, integrated_auc
from tumorboard.metrics.survival.kaplan_meier import kaplan_meier
from tumorboard.metrics.survival.logrank import log_rank, risk_groups
from tumorboard.metrics.survival.risk_concordance import risk_harrell_c, risk_uno_c

# Sixty simulated patients with ties: exponential survival whose rate grows with the risk, uniform censoring
# fmt: off
DAYS = [
    20, 90, 70, 230, 480, 50, 60, 320, 320, 130, 150, 130, 10, 30, 60, 290, 110, 740, 80, 60, 450, 100, 260,
    150, 740, 110, 280, 70, 180, 170, 20, 480, 300, 540, 230, 260, 70, 300, 170, 300, 80, 410, 110, 630, 500,
    50, 890, 140, 330, 520, 40, 20, 540, 140, 60, 820, 50, 310, 600, 30,
]
DIED = [
    1, 1, 1, 1, 1, 1, 1, 0, 1, 1, 0, 0, 1, 1, 1, 1, 0, 0, 1, 1, 0, 0, 1, 1, 0, 1, 0, 1, 1, 0, 1, 0, 0, 1, 1, 0,
    1, 1, 1, 0, 1, 0, 1, 0, 0, 1, 0, 0, 0, 0, 1, 1, 1, 1, 1, 0, 1, 0, 0, 1,
]
RISK = [
    0.0, 1.4, 1.2, -0.5, -0.3, -0.5, 0.6, -0.1, 0.7, -1.8, 1.6, -0.1, 0.7, -0.1, -0.4, 0.5, 0.8, -0.2, -0.2,
    0.7, -0.9, -1.5, 0.4, -0.7, -1.9, -0.8, -0.5, -1.2, -1.5, 0.0, 0.9, -0.2, -0.7, 0.4, 0.7, -0.3, 0.5, 1.0,
    -0.2, -0.8, 0.3, 0.2, 1.1, -1.3, -0.7, -0.8, -1.7, 0.1, 0.5, -0.7, 1.4, 0.8, 0.6, 0.4, 1.0, -1.3, 0.6, 0.6,
    -1.8, 0.3,
]
# fmt: on
TIMES = [100.0, 250.0, 400.0, 550.0]


def predicted(risk, times):
    """Exponential survival of 300 days on the average."""
    return np.exp(-np.asarray(times) / 300 * np.exp(0.8 * np.asarray(risk))[:, None])


def test_values_are_those_of_scikit_survival():
    """cumulative_dynamic_auc, brier_score and integrated_brier_score of scikit-survival 0.28.0, computed once."""
    areas = [dynamic_auc(DAYS, DIED, RISK, day).value for day in TIMES]
    assert areas == pytest.approx([0.7025641, 0.6568339, 0.79092358, 0.92679377], abs=1e-8)
    assert integrated_auc(DAYS, DIED, RISK, TIMES).value == pytest.approx(0.7428460324180366, abs=1e-12)
    scores = [found.value for found in survival_brier(DAYS, DIED, predicted(RISK, TIMES), TIMES)]
    assert scores == pytest.approx([0.19928265, 0.24327435, 0.19572365, 0.1043118], abs=1e-8)
    found = integrated_brier(DAYS, DIED, predicted(RISK, TIMES), TIMES)
    assert found.value == pytest.approx(0.19693174230607624, abs=1e-12)


def drawn(seed, n=70):
    rng = np.random.default_rng(seed)
    risk = np.round(rng.normal(size=n), 1)
    death, gone = rng.exponential(300 * np.exp(-0.8 * risk)), rng.uniform(50, 900, n)
    return np.ceil(np.minimum(death, gone) / 10) * 10, death <= gone, risk


@pytest.mark.parametrize("training", [False, True])
def test_values_are_those_of_scikit_survival_live(training):
    peer = pytest.importorskip("sksurv.metrics", reason="scikit-survival is an extra")
    from sksurv.util import Surv

    for seed in range(4):
        days, died, risk = drawn(seed)
        other = tuple(np.append(part, last) for part, last in zip(drawn(seed + 50)[:2], (2000.0, False), strict=True))
        base = other if training else (days, died)
        theirs = Surv.from_arrays(base[1], base[0]), Surv.from_arrays(died, days)
        given = other if training else None
        areas, mean = peer.cumulative_dynamic_auc(*theirs, risk, TIMES)
        assert [dynamic_auc(days, died, risk, t, training=given).value for t in TIMES] == pytest.approx(areas, abs=1e-9)
        assert integrated_auc(days, died, risk, TIMES, training=given).value == pytest.approx(mean, abs=1e-9)
        chances = predicted(risk, TIMES)
        _, scores = peer.brier_score(*theirs, chances, TIMES)
        ours = survival_brier(days, died, chances, TIMES, training=given)
        assert [found.value for found in ours] == pytest.approx(scores, abs=1e-9)
        whole = peer.integrated_brier_score(*theirs, chances, TIMES)
        assert integrated_brier(days, died, chances, TIMES, training=given).value == pytest.approx(whole, abs=1e-9)


rows = st.lists(st.tuples(st.integers(1, 9), st.booleans(), st.integers(0, 5)), min_size=5, max_size=20)


@settings(max_examples=40)
@given(rows, st.integers(1, 8))
def test_the_area_pair_by_pair(patients, day):
    days, died, risk = (np.array(part) for part in zip(*patients, strict=True))
    found = dynamic_auc(days, died.astype(float), risk, day)
    stay = followed(days, died)
    right = known = 0.0
    for i in np.flatnonzero(died & (days <= day)):
        for j in np.flatnonzero(days > day):
            weight = 1 / stay.at(days[i])
            known += weight
            right += weight * ((risk[i] > risk[j]) + 0.5 * (risk[i] == risk[j]))
    assert found.known == (known > 0)
    if found.known:
        assert found.value == pytest.approx(right / known)
        assert math.isnan(found.low) or found.low <= found.value <= found.high


def test_the_curve_of_leaving_is_kaplan_meier_turned_round():
    """Without ties between death and leaving."""
    days, gone = [10, 20, 30, 40, 50], [0, 1, 0, 1, 1]
    turned = kaplan_meier(days, gone)
    stay = followed(days, [1, 0, 1, 0, 0])
    assert stay.at([5, 20, 35, 45]) == pytest.approx([turned.at(day) for day in (5, 20, 35, 45)])


def test_without_censoring_the_scores_are_plain():
    days, died, risk = drawn(1)[0], np.ones(70), drawn(1)[2]
    chances = predicted(risk, [200.0])
    plain = np.mean((chances[:, 0] - (days > 200)) ** 2)
    assert survival_brier(days, died, chances, [200.0])[0].value == pytest.approx(plain)
    from tumorboard.metrics.classify.roc import roc_auc

    assert dynamic_auc(days, died, risk, 200).value == pytest.approx(roc_auc(days <= 200, risk).value)


def test_knowing_beats_not_knowing():
    days, died, risk = drawn(2, 200)
    true = integrated_brier(days, died, predicted(risk, TIMES), TIMES)
    none = integrated_brier(days, died, null_survival(days, died, TIMES, 200), TIMES)
    assert true.high < none.value


def test_weights_make_up_for_those_who_left():
    """Three of four are lost by the horizon; the score stays that of complete follow-up."""
    rng = np.random.default_rng(3)
    risk = rng.normal(size=2000)
    death, gone = rng.exponential(300 * np.exp(-0.8 * risk)), rng.uniform(0, 400, 2000)
    chances, died = predicted(risk, [300.0]) ** 0.2, death <= gone  # too hopeful
    whole = np.mean((chances[:, 0] - (death > 300)) ** 2)
    found = survival_brier(np.minimum(death, gone), died, chances, [300.0])[0]
    assert found.value == pytest.approx(whole, abs=0.02)
    naive = np.mean((chances[:, 0] - (np.minimum(death, gone) > 300)) ** 2)
    assert abs(naive - whole) > 0.05
    assert found.low < whole < found.high


def test_the_interval_of_the_area_covers():
    big = drawn(4, 3000)
    truth = dynamic_auc(*big, 300).value
    hits = 0
    for seed in range(60):
        found = dynamic_auc(*drawn(1000 + seed, 80), 300)
        hits += found.low <= truth <= found.high
    assert hits >= 53


def test_risks_are_scores_turned_round():
    days, died, risk = drawn(5)
    assert risk_harrell_c(days, died, risk) == harrell_c(days, died, -risk)
    assert risk_uno_c(days, died, risk, tau=400) == uno_c(days, died, -risk, 400)
    once, grouped = (
        risk_harrell_c(days, died, risk),
        risk_harrell_c(*(np.tile(x, 3) for x in (days, died, risk)), [*range(70)] * 3),
    )
    assert grouped.value == pytest.approx(once.value)
    assert grouped.high - grouped.low == pytest.approx(once.high - once.low, rel=0.2)


def test_log_rank_is_that_of_lifelines():
    from lifelines.statistics import multivariate_logrank_test

    for seed in range(8):
        days, died, risk = drawn(seed)
        groups = (risk > -0.4).astype(int) + (risk > 0.5)
        found, peer = log_rank(days, died, groups), multivariate_logrank_test(days, groups, died)
        assert (found.statistic, found.p) == pytest.approx((peer.test_statistic, peer.p_value))
        assert sum(found.observed) == pytest.approx(sum(found.expected))


def test_log_rank_of_published_remissions():
    """Freireich 1963: chi-square 16.79 (SAS PROC LIFETEST; R survdiff)."""
    treated = [6, 6, 6, 6, 7, 9, 10, 10, 11, 13, 16, 17, 19, 20, 22, 23, 25, 32, 32, 34, 35]
    relapsed = [1, 1, 1, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0]
    placebo = [1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23]
    found = log_rank([*treated, *placebo], [*relapsed, *[1] * 21], [0] * 21 + [1] * 21)
    assert found.statistic == pytest.approx(16.79, abs=0.005)
    assert found.expected == pytest.approx((19.25, 10.75), abs=0.005)


def test_log_rank_that_cannot_be_made_says_why():
    assert log_rank([1, 2], [1, 1], [0, 0]).reason == "one group only"
    assert "together" in log_rank([1, 2], [0, 0], [0, 1]).reason
    assert log_rank([], [], []).reason == "one group only"


def test_risk_groups_are_cut_on_training_patients():
    cut = risk_groups(np.arange(9.0), 3)
    assert np.bincount(cut.apply(np.arange(9.0))).tolist() == [3, 3, 3]
    assert cut.names == ("low", "middle", "high")
    assert cut.apply([100.0, -100.0]).tolist() == [2, 0]
    with pytest.raises(InputError, match="differs between patients"):
        risk_groups([1, 1, 1, 1])


def test_right_predictions_are_calibrated_and_extreme_ones_are_not():
    rng = np.random.default_rng(6)
    risk = rng.normal(size=3000)
    death, gone = rng.exponential(300 * np.exp(-0.8 * risk)), rng.uniform(0, 900, 3000)
    days, died = np.minimum(death, gone), death <= gone
    right = horizon_calibration(days, died, predicted(risk, [300.0])[:, 0], 300)
    assert right.oe.value == pytest.approx(1, abs=0.05)
    assert right.oe.low < 1 < right.oe.high
    assert right.slope.low < 1 < right.slope.high
    for one in right.bins:
        assert one.observed.value == pytest.approx(one.predicted, abs=0.05)
    # the logarithm of the hazard times two is twice too spread out
    extreme = horizon_calibration(days, died, np.exp(-np.exp(1.6 * risk)), 300)
    assert extreme.slope.value == pytest.approx(0.5, abs=0.05)
    too_low = horizon_calibration(days, died, predicted(risk, [150.0])[:, 0], 300)
    assert too_low.oe.low > 1.2


def test_what_cannot_be_told_says_why():
    few = ([10, 20, 30], [1, 1, 0], [3, 2, 1])
    assert dynamic_auc(*few, 5).reason == "nobody had died by the (first) horizon"
    assert dynamic_auc(*few, 30).reason == "nobody was followed beyond the (last) horizon"
    assert integrated_brier([10, 20], [1, 1], [[0.5, 0.5]] * 2, [5, 20]).reason.startswith("nobody was followed")
    assert horizon_calibration([], [], [], 5).oe.reason == "no patient"
    assert horizon_calibration([10, 20], [0, 0], [0.5, 0.5], 15).slope.reason.startswith("the predictions do not vary")
    assert horizon_calibration([10, 20], [0, 0], [0.5, 0.6], 25).oe.reason == "nobody was followed to the horizon"


@pytest.mark.parametrize(
    "call",
    [
        lambda: dynamic_auc([1, 2], [1, 1], [1], 1),
        lambda: dynamic_auc([1, 2], [1, 1], [1, math.nan], 1),
        lambda: dynamic_auc([1, 2], [1, 1], [1, 2], 0),
        lambda: integrated_auc([1, 2], [1, 1], [1, 2], [2, 1]),
        lambda: survival_brier([1, 2], [1, 1], [[0.5], [1.5]], [1]),
        lambda: survival_brier([1, 2], [1, 1], [[0.5], [math.nan]], [1]),
        lambda: survival_brier([1, 2], [1, 1], [0.5, 0.5], [1]),
        lambda: integrated_brier([1, 2], [1, 1], [[0.5], [0.5]], [1]),
        lambda: log_rank([1, 2], [1, 1], [0.5, 1]),
        lambda: risk_groups([1, 2], 3),
        lambda: horizon_calibration([1, 2], [1, 1], [2, 0.5], 1),
        lambda: horizon_calibration([1, 2], [1, 1], [0.2, 0.5], 1, bins=0),
    ],
)
def test_what_is_no_prediction_of_survival_is_refused(call):
    with pytest.raises(InputError):
        call()
