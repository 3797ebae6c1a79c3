"""Curves, concordance and hazard ratios: lifelines, brute force, published data, closed forms, simulation."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tumorboard.errors import InputError
from tumorboard.metrics.survival.concordance import harrell_c, uno_c
from tumorboard.metrics.survival.kaplan_meier import changing_spans, fixed_spans, hazard_ratio, kaplan_meier

# Freireich et al. 1963, remission of leukaemia in weeks: 6-mercaptopurine and placebo
TREATED = [6, 6, 6, 6, 7, 9, 10, 10, 11, 13, 16, 17, 19, 20, 22, 23, 25, 32, 32, 34, 35]
RELAPSED = [1, 1, 1, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0]
PLACEBO = [1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23]

cohorts = st.lists(
    st.tuples(st.integers(1, 12), st.booleans(), st.integers(0, 6), st.booleans()), min_size=1, max_size=25
)


def columns(rows):
    return [np.array(column) for column in zip(*rows, strict=True)]


def test_the_curve_of_published_remissions():
    curve = kaplan_meier(TREATED, RELAPSED)
    assert curve.times.tolist() == [0, 6, 7, 10, 13, 16, 22, 23]
    assert curve.free == pytest.approx([1, 0.857, 0.807, 0.753, 0.690, 0.627, 0.538, 0.448], abs=5e-4)
    assert curve.median.value == 23
    assert kaplan_meier(PLACEBO, [True] * 21).median.value == 8
    assert [curve.at_risk(week) for week in (0, 6, 7, 10, 23, 36)] == [21, 21, 17, 15, 6, 0]


@settings(max_examples=30)
@given(cohorts)
def test_the_curve_is_that_of_lifelines(rows):
    from lifelines import KaplanMeierFitter

    days, events, _, _ = columns(rows)
    curve, peer = kaplan_meier(days, events), KaplanMeierFitter().fit(days, events)
    for day in range(13):
        assert curve.at(day) == pytest.approx(float(peer.predict(day)))
    theirs = peer.confidence_interval_.loc[curve.times[1:]].to_numpy()
    inside = (curve.free[1:] > 0) & (curve.free[1:] < 1)
    assert curve.low[1:][inside] == pytest.approx(theirs[inside, 0])
    assert curve.high[1:][inside] == pytest.approx(theirs[inside, 1])
    median, found = peer.median_survival_time_, curve.median
    if np.abs(curve.free - 0.5).min() > 1e-9:  # lifelines' half is half only up to rounding
        assert found.known == math.isfinite(median)
        assert not found.known or found.value == median
    assert not found.known or found.low <= found.value <= found.high


def test_the_interval_of_the_median_is_that_of_lifelines():
    from lifelines import KaplanMeierFitter
    from lifelines.utils import median_survival_times

    curve = kaplan_meier(PLACEBO, [True] * 21)
    theirs = median_survival_times(KaplanMeierFitter().fit(PLACEBO).confidence_interval_).to_numpy()[0]
    assert (curve.median.low, curve.median.high) == tuple(theirs)
    assert math.isinf(kaplan_meier(TREATED, RELAPSED).median.high)


def test_curves_at_the_edge():
    one = kaplan_meier([5], [True])
    assert (one.free.tolist(), one.median.value, one.median.low) == ([1, 0], 5, 5)
    assert kaplan_meier([5, 7], [True, True]).median.value == 5
    none = kaplan_meier([5, 9], [False, False])
    assert (none.free.tolist(), none.censored.tolist()) == ([1], [5, 9])
    assert "to the end of follow-up" in none.median.reason
    at_once = kaplan_meier([0, 4], [True, False])
    assert (at_once.times.tolist(), at_once.at(0), at_once.at(3)) == ([0], 0.5, 0.5)
    with pytest.raises(InputError):
        kaplan_meier([], [])


def brute_c(days, events, scores, reached):
    right = known = 0.0
    for i in range(len(days)):
        for j in range(len(days)):
            first = events[i] and (days[i] < days[j] or (days[i] == days[j] and not events[j]))
            if not first:
                continue
            if scores[i] == scores[j] and reached[i] and reached[j]:
                known, right = known + 1, right + 0.5
            elif reached[i] and (scores[i] < scores[j] or (scores[i] == scores[j] and not reached[j])):
                known, right = known + 1, right + 1
            elif reached[j] and (scores[j] < scores[i] or (scores[i] == scores[j] and not reached[i])):
                known += 1
    return right / known if known else math.nan


@given(cohorts)
def test_harrells_c_pair_by_pair(rows):
    found, expected = harrell_c(*columns(rows)), brute_c(*columns(rows))
    assert found.value == pytest.approx(expected, nan_ok=True)
    assert found.known != (found.reason == "no two patients can be compared")
    if not math.isnan(found.low):
        assert 0 <= found.low <= found.value <= found.high <= 1


@given(cohorts)
def test_harrells_c_is_that_of_lifelines(rows):
    from lifelines.utils import concordance_index

    days, events, scores, _ = columns(rows)
    found = harrell_c(days, events, scores)
    if found.known:
        assert found.value == pytest.approx(concordance_index(days, scores, events))
        assert harrell_c(days, events, -scores).value == pytest.approx(1 - found.value)


@given(cohorts, st.randoms())
def test_concordance_knows_ranks_only(rows, rng):
    shuffled = rng.sample(rows, len(rows))
    days, events, scores, reached = columns(rows)
    found = harrell_c(days, events, scores, reached)
    again = harrell_c(*(f(c) for f, c in zip((np.square, np.array, np.exp, np.array), columns(shuffled), strict=True)))
    assert (again.value, again.low, again.high) == pytest.approx((found.value, found.low, found.high), nan_ok=True)


def drawn(rng, n, censor):
    """A score, survival that depends on it, and exponential censoring with the given rate."""
    score = rng.normal(size=n)
    death = rng.exponential(np.exp(0.8 * score))
    gone = rng.exponential(1 / censor, n) if censor else np.full(n, np.inf)
    return np.minimum(death, gone), death <= gone, score


def test_the_standard_error_is_that_of_the_jackknife():
    days, events, scores = drawn(np.random.default_rng(2), 120, 0.5)
    found = harrell_c(days, events, scores)
    left = [harrell_c(np.delete(days, i), np.delete(events, i), np.delete(scores, i)).value for i in range(120)]
    jackknife = math.sqrt(119 / 120 * np.sum((np.array(left) - np.mean(left)) ** 2))
    c = found.value
    error = (math.log(found.high / (1 - found.high)) - math.log(c / (1 - c))) / 1.959964 * c * (1 - c)
    assert error == pytest.approx(jackknife, rel=0.03)


@pytest.mark.parametrize("uno", [False, True])
def test_the_interval_of_concordance_covers(uno):
    """The truth is that of a large cohort without censoring, over deaths before tau."""
    big = drawn(np.random.default_rng(3), 3000, 0.0)
    truth = uno_c(*big, tau=1.5).value if uno else harrell_c(*big).value
    rng, hits = np.random.default_rng(4), 0
    for _ in range(300):
        one = drawn(rng, 100, 0.4 if uno else 0.0)
        found = uno_c(*one, tau=1.5) if uno else harrell_c(*one)
        hits += found.low <= truth <= found.high
    assert 0.91 <= hits / 300 <= 0.985


@given(cohorts)
def test_unos_c_without_censoring_is_harrells(rows):
    days, _, scores, _ = columns(rows)
    dead = np.ones(len(days), bool)
    a, b = uno_c(days, dead, scores, tau=99), harrell_c(days, dead, scores)
    assert (a.value, a.low, a.high) == pytest.approx((b.value, b.low, b.high), nan_ok=True)


def test_unos_c_by_hand():
    """Seven patients, one lost on day 2, one on day 4 just after a death, one on day 8."""
    days, dead = [1, 2, 3, 4, 4, 6, 8], [1, 0, 1, 1, 0, 1, 0]
    scores = [5, 1, 4, 3, 9, 2, 7]
    # on day 2 one of 6 is lost, on day 4 one of the 3 who are left after the death
    two, six = (6 / 5) ** 2, (6 / 5 * 3 / 2) ** 2
    right, known = (2 + two * (2 + 2), 6 + two * (4 + 3))
    assert uno_c(days, dead, scores, tau=6).value == pytest.approx(right / known)
    assert uno_c(days, dead, scores, tau=7).value == pytest.approx((right + six) / (known + six))
    assert uno_c(days, dead, scores, tau=4).value == pytest.approx((2 + two * 2) / (6 + two * 4))
    assert uno_c(days, dead, scores, tau=0.5).reason == "no two patients can be compared"


def test_unos_c_does_not_depend_on_censoring_where_harrells_does():
    """Early on the score tells little; who is censored early leaves early pairs to Harrell."""
    rng = np.random.default_rng(5)
    n = 2000
    score = rng.normal(size=n)
    early = rng.exponential(1.0, n)
    death = np.where(early < 0.7, early, 0.7 + rng.exponential(np.exp(1.5 * score)))
    gone = rng.exponential(0.6, n)
    days, dead = np.minimum(death, gone), death <= gone
    truth = uno_c(death, np.ones(n, bool), score, tau=1.5).value
    assert uno_c(days, dead, score, tau=1.5).value == pytest.approx(truth, abs=0.025)
    assert harrell_c(days, dead, score).value < truth - 0.04


def test_concordance_at_the_edge():
    assert harrell_c([], [], []).reason == "no two patients can be compared"
    assert harrell_c([5], [True], [1]).reason == "no two patients can be compared"
    assert harrell_c([5, 6], [False, False], [1, 2]).reason == "no two patients can be compared"
    assert uno_c([], [], [], tau=1).reason == "no two patients can be compared"
    tied = harrell_c([5, 6, 7], [True] * 3, [1, 1, 1])
    assert tied.value == 0.5
    for scores, value in (([1, 2, 3], 1), ([3, 2, 1], 0)):
        found = harrell_c([5, 6, 7], [True] * 3, scores)
        assert (found.value, math.isnan(found.low)) == (value, True)
        assert "no interval" in found.reason


def test_the_hazard_ratio_of_published_remissions():
    """Six-mercaptopurine against placebo: coefficient -1.572, standard error 0.412, as survival of R has them."""
    found = hazard_ratio(fixed_spans(TREATED + PLACEBO, RELAPSED + [1] * 21, [1] * 21 + [0] * 21))
    assert math.log(found.ratio.value) == pytest.approx(-1.572, abs=6e-4)
    assert math.log(found.ratio.high / found.ratio.low) / (2 * 1.959964) == pytest.approx(0.412, abs=6e-4)
    assert (found.deaths, found.ratio.n) == (30, 42)
    assert found.p == pytest.approx(0.000138, rel=0.05)


def test_who_died_on_day_0_was_never_at_risk():
    days, dead, state = [5, 6, 7, 8], [1, 1, 1, 0], [1, 0, 1, 0]
    found, more = (
        hazard_ratio(fixed_spans(days, dead, state)),
        hazard_ratio(fixed_spans([*days, 0], [*dead, 1], [*state, 1])),
    )
    assert (found.deaths, more.deaths) == (3, 3)
    assert more.ratio.value == found.ratio.value


def test_the_hazard_ratio_in_closed_form():
    """One dies in the state, then one outside, the last in it lives: the likelihood is largest at 1 / sqrt 2."""
    found = hazard_ratio(fixed_spans([1, 2, 3], [1, 1, 0], [1, 0, 1]))
    assert found.ratio.value == pytest.approx(math.sqrt(0.5), rel=1e-4)


@pytest.mark.parametrize("seed", range(4))
def test_a_rare_and_deadly_state_has_its_ratio(seed):
    """Newton's method with steps of nearly full length ends at 0 or nowhere here."""
    from lifelines import CoxPHFitter

    rng = np.random.default_rng(seed)
    days = np.r_[rng.uniform(400, 2700, 160), rng.uniform(60, 100, 12), rng.uniform(600, 700, 1)]
    state, dead = np.r_[np.zeros(160, bool), np.ones(13, bool)], np.r_[rng.random(160) < 0.75, np.ones(13, bool)]
    found = hazard_ratio(fixed_spans(days, dead, state))
    frame = pd.DataFrame({"days": days, "dead": dead, "state": state.astype(float)})
    peer = CoxPHFitter().fit(frame, "days", "dead").summary.loc["state"]
    assert found.ratio.value == pytest.approx(peer["exp(coef)"], rel=1e-4)
    assert found.ratio.high == pytest.approx(peer["exp(coef) upper 95%"], rel=1e-3)
    assert found.p == pytest.approx(peer["p"], rel=1e-2)


def test_turning_the_state_round_inverts_the_ratio():
    there = hazard_ratio(fixed_spans(TREATED + PLACEBO, RELAPSED + [1] * 21, [1] * 21 + [0] * 21))
    back = hazard_ratio(fixed_spans(TREATED + PLACEBO, RELAPSED + [1] * 21, [0] * 21 + [1] * 21))
    assert back.ratio.value == pytest.approx(1 / there.ratio.value)
    assert (back.ratio.low, back.p) == pytest.approx((1 / there.ratio.high, there.p))


def illness(rng, n, effect):
    """Progression, death whose hazard it multiplies, and the end of follow-up; whole days."""
    progression = rng.exponential(200, n)
    death = rng.exponential(400, n)
    death = np.where(death > progression, progression + (death - progression) / effect, death)
    gone = rng.uniform(200, 900, n)
    days = np.ceil(np.minimum(death, gone))
    since = np.ceil(progression)
    return days, death <= gone, np.where(since < days, since, np.inf)


def test_a_state_that_begins_is_fitted_as_by_another_model():
    """Cox's model with late entry over split time has the same likelihood."""
    import pandas as pd
    from lifelines import CoxPHFitter

    days, dead, since = illness(np.random.default_rng(6), 150, 2.0)
    spans = changing_spans(days, dead, since)
    frame = pd.DataFrame({"a": spans.starts, "b": spans.stops, "e": spans.deaths, "x": spans.exposed.astype(float)})
    peer = CoxPHFitter().fit(frame, duration_col="b", event_col="e", entry_col="a").summary.loc["x"]
    found = hazard_ratio(spans)
    assert found.ratio.value == pytest.approx(peer["exp(coef)"], rel=1e-4)
    assert (found.ratio.low, found.ratio.high, found.p) == pytest.approx(
        (peer["exp(coef) lower 95%"], peer["exp(coef) upper 95%"], peer["p"]), rel=1e-3
    )


@pytest.mark.parametrize("effect", [1.0, 3.0])
def test_time_before_progression_is_not_immortal(effect):
    """Whoever ever progressed has lived for it: taken as fixed, a harmless progression protects."""
    days, dead, since = illness(np.random.default_rng(7), 800, effect)
    right = hazard_ratio(changing_spans(days, dead, since)).ratio
    naive = hazard_ratio(fixed_spans(days, dead, np.isfinite(since))).ratio
    assert right.low <= effect <= right.high
    assert right.high / right.low < 2
    assert naive.high < effect / 1.4


@given(
    st.lists(st.tuples(st.integers(0, 9), st.booleans(), st.one_of(st.integers(0, 12), st.just(np.inf))), max_size=12)
)
def test_split_time_is_all_of_the_time(rows):
    days, dead, since = columns(rows) if rows else ([], [], [])
    spans = changing_spans(days, dead, since)
    assert (spans.stops >= spans.starts).all()
    for n, (day, died, begin) in enumerate(rows):
        mine = spans.patients == n
        assert (spans.stops - spans.starts)[mine].sum() == day
        assert spans.deaths[mine].sum() == died
        assert spans.deaths[mine][-1] == died
        assert (spans.stops - spans.starts)[mine & spans.exposed].sum() == max(day - begin, 0)


def test_who_dies_on_the_day_of_progression_dies_outside():
    spans = changing_spans([50, 50], [True, True], [50, 49])
    assert spans.exposed[spans.deaths].tolist() == [False, True]


@pytest.mark.parametrize(
    ("days", "dead", "state", "reason"),
    [
        ([], [], [], "nobody died"),
        ([5, 6], [0, 0], [0, 1], "nobody died"),
        ([5, 6], [1, 1], [1, 1], "nobody died while patients of both"),
        ([5, 6, 7, 8], [1, 1, 0, 0], [1, 1, 0, 0], "not finite"),
        ([5, 6, 7, 8], [1, 1, 1, 1], [1, 1, 0, 0], "not finite"),
        ([5, 6, 7, 8], [1, 1, 0, 0], [0, 0, 1, 1], "the ratio is 0"),
        ([0, 6, 7], [1, 0, 0], [1, 0, 0], "nobody died"),
    ],
)
def test_a_ratio_that_is_not_finite_says_why(days, dead, state, reason):
    found = hazard_ratio(fixed_spans(days, dead, state))
    assert reason in found.ratio.reason
    assert not found.ratio.known
    assert math.isnan(found.p)


@settings(max_examples=25)
@given(st.lists(st.tuples(st.integers(1, 9), st.booleans(), st.booleans()), min_size=2, max_size=14))
def test_a_ratio_is_finite_or_has_a_reason(rows):
    found = hazard_ratio(fixed_spans(*columns(rows)))
    assert found.ratio.known != bool(found.ratio.reason)
    if found.ratio.known:
        assert 1e-3 < found.ratio.value < 1e3
        assert 0 < found.ratio.low < found.ratio.value < found.ratio.high < math.inf


@pytest.mark.parametrize(
    "call",
    [
        lambda: kaplan_meier([1, -1], [1, 1]),
        lambda: kaplan_meier([1, math.inf], [1, 1]),
        lambda: kaplan_meier([1], [1, 1]),
        lambda: harrell_c([1, 2], [1, 1], [1]),
        lambda: harrell_c([1, 2], [1, 1], [1, math.nan]),
        lambda: harrell_c([1, 2], [1, 1], [1, 2], [True]),
        lambda: uno_c([1, 2], [1, 1], [1, 2], tau=0),
        lambda: changing_spans([1, 2], [1, 1], [1]),
        lambda: changing_spans([1, 2], [1, 1], [1, -1]),
    ],
)
def test_what_is_no_survival_is_refused(call):
    with pytest.raises(InputError):
        call()
