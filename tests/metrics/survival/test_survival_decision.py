"""Net benefit of survival: that of classes where nobody leaves, Kaplan-Meier for acting on all, and a simulation."""

from __future__ import annotations

import numpy as np
import pytest

from tumorboard.errors import InputError
from tumorboard.metrics.classify.decision_curve import decision_curve
from tumorboard.metrics.survival.decision_curve import survival_decision_curve
from tumorboard.metrics.survival.kaplan_meier import kaplan_meier

RNG = np.random.default_rng(3)
DAYS = np.ceil(RNG.exponential(300, 160))
RISK = np.clip(np.exp(-DAYS / 400) + RNG.normal(0, 0.2, 160), 0.01, 0.99)
LEFT = RNG.random(160) < 0.3
AT = [0.1, 0.3, 0.5, 0.8]


def test_without_leaving_it_is_that_of_two_classes():
    found = survival_decision_curve(DAYS, np.ones(160), 1 - RISK, 200, AT)
    plain = decision_curve(DAYS <= 200, RISK, AT)
    for side in ("model", "treat_all", "low", "high", "gain_low"):
        assert getattr(found, side) == pytest.approx(getattr(plain, side), abs=1e-12), side
    assert found.prevalence == pytest.approx(plain.prevalence)


def test_acting_on_all_gains_what_kaplan_meier_says():
    found = survival_decision_curve(DAYS, ~LEFT, np.zeros(160), 200, AT)
    risk = 1 - kaplan_meier(DAYS, ~LEFT).at(200)
    assert found.prevalence == pytest.approx(risk, abs=1e-12)
    assert found.model == pytest.approx(found.treat_all, abs=1e-12)


def test_leaving_at_random_does_not_shift_it():
    """With half of the patients leaving early net benefit stays; counting them as alive shifts it."""
    rng = np.random.default_rng(1)
    risk = rng.uniform(0.05, 0.95, 4000)
    event = -np.log(rng.random(4000)) / -np.log(1 - risk) * 365
    leaves = rng.uniform(0, 900, 4000)
    whole = survival_decision_curve(event, np.ones(4000), 1 - risk, 365, AT)
    seen = survival_decision_curve(np.minimum(event, leaves), event <= leaves, 1 - risk, 365, AT)
    assert np.abs(whole.model - seen.model).max() < 0.02
    biased = decision_curve((np.minimum(event, leaves) <= 365) & (event <= leaves), risk, AT)
    assert np.abs(whole.model - biased.model).max() > 0.05


def test_it_says_why_there_is_none():
    late = survival_decision_curve([10, 20], [0, 0], [0.5, 0.5], 15)
    assert late.reason == "nobody had the event by the horizon"
    assert survival_decision_curve([10, 20], [1, 1], [0.5, 0.5], 30).reason == "nobody was followed beyond the horizon"


@pytest.mark.parametrize(("survival", "at"), [([1.2, 0.5], [0.1]), ([0.5, 0.5], [0.0])])
def test_what_is_no_chance_is_refused(survival, at):
    with pytest.raises(InputError):
        survival_decision_curve([10, 20], [1, 0], survival, 15, at)
