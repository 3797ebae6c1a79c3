"""Comparisons and what goes with them: resampling, permutation, many tests, learning curves, subgroups, gaps."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tumorboard.errors import InputError
from tumorboard.metrics import resampling
from tumorboard.metrics.agreement import share
from tumorboard.metrics.classify.delong import compare_aucs
from tumorboard.metrics.classify.multiclass import Ranking
from tumorboard.metrics.classify.roc import roc_auc
from tumorboard.metrics.comparing import ADJUSTMENTS, adjusted_p, against_chance, compare_metrics
from tumorboard.metrics.estimate import Estimate
from tumorboard.metrics.plan.learning_curve import learning_curve
from tumorboard.metrics.plan.missing_data import missing_report
from tumorboard.metrics.subgroups import subgroup_table

names = st.lists(st.sampled_from("ABCDEFG"), min_size=1, max_size=30)


@given(names)
def test_draws_hold_whole_patients(groups):
    members = resampling.rows_by_group(groups, len(groups))
    assert sorted(np.concatenate(members)) == list(range(len(groups)))
    assert all(len({groups[row] for row in rows}) == 1 for rows in members)

    def whole(rows):
        counts = np.bincount(rows, minlength=len(groups))
        assert all(len(set(counts[part])) == 1 for part in members)
        return float(len(rows))

    resampling.draws_of(whole, len(groups), groups, draws=5)


def test_both_bootstraps_of_a_mean_agree_with_its_standard_error():
    values = np.random.default_rng(0).normal(size=200)
    slow = resampling.bootstrap(lambda rows: float(values[rows].mean()), 200)
    quick = resampling.weighted_bootstrap(lambda w: w @ values / w.sum(axis=1), 200)
    error = values.std() / math.sqrt(200)
    for found in (slow, quick):
        assert found.value == pytest.approx(values.mean())
        assert (found.high - found.low) / (2 * 1.96) == pytest.approx(error, rel=0.08)
    grouped = resampling.weighted_bootstrap(lambda w: w @ values / w.sum(axis=1), 200, [n // 2 for n in range(200)])
    pairs = values.reshape(100, 2).mean(axis=1).std() / 10
    assert (grouped.high - grouped.low) / (2 * 1.96) == pytest.approx(pairs, rel=0.08)


def test_many_rows_are_drawn_in_parts(monkeypatch):
    values = np.arange(50.0)
    whole = resampling.weighted_bootstrap(lambda w: w @ values / w.sum(axis=1), 50)
    monkeypatch.setattr(resampling, "_AT_ONCE", 50 * 7)
    assert resampling.weighted_bootstrap(lambda w: w @ values / w.sum(axis=1), 50) == whole


def test_intervals_that_cannot_be_had_say_why():
    mean = lambda rows: float(rows.mean())  # noqa: E731
    assert resampling.bootstrap(mean, 0).reason == "cannot be computed from these rows"
    assert "from 3" in resampling.bootstrap(mean, 9, ["A", "B", "C"] * 3).reason
    assert "most draws" in resampling.bootstrap(lambda rows: 1.0 if len(set(rows)) == 9 else math.nan, 9).reason
    assert "the same" in resampling.bootstrap(lambda rows: 1.0, 9).reason
    with pytest.raises(InputError, match="a group for each row"):
        resampling.bootstrap(mean, 3, ["A"])


@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 5), st.integers(0, 3)), min_size=2, max_size=20))
def test_weights_are_repeats(rows):
    """The area of weighted patients is that of patients written down so many times."""
    y, s, w = (np.array(part) for part in zip(*rows, strict=True))
    found = Ranking.of(s.astype(float)).areas((w * y)[None].astype(float), (w * (1 - y))[None].astype(float))[0]
    assert found == pytest.approx(roc_auc(np.repeat(y, w), np.repeat(s, w)).value, nan_ok=True)


def models(seed, n, good, bad):
    rng = np.random.default_rng(seed)
    y = rng.random(n) < 0.4
    return y, good * y + rng.normal(size=n), bad * y + rng.normal(size=n)


def area(y, s):
    return lambda rows: roc_auc(y[rows], s[rows]).value


def test_the_paired_bootstrap_is_delongs_test():
    y, first, second = models(1, 150, 1.5, 0.8)
    found, peer = compare_metrics(area(y, first), area(y, second), 150, draws=400), compare_aucs(y, first, second)
    assert found.difference.value == pytest.approx(peer.difference.value)
    assert (found.difference.low, found.difference.high) == pytest.approx(
        (peer.difference.low, peer.difference.high), abs=0.025
    )
    assert found.p == pytest.approx(peer.p, abs=0.02)


def test_no_difference_is_none():
    y, first, _ = models(2, 60, 1.0, 1.0)
    same = compare_metrics(area(y, first), area(y, first), 60, draws=50)
    assert same.difference.value == 0
    assert "the same" in same.difference.reason
    assert math.isnan(same.p)
    few = compare_metrics(area(y, first), area(y, -first), 60, groups=["A", "B"] * 30)
    assert "fewer than 5" in few.difference.reason
    none = compare_metrics(lambda rows: math.nan, lambda rows: 1.0, 60)
    assert not none.difference.known


def test_p_of_permutations_is_flat_under_chance():
    found = []
    for seed in range(120):
        y, noise, _ = models(seed, 30, 0.0, 0.0)
        quick = lambda t, s: float(s[t == 1].mean() - s[t == 0].mean())  # noqa: E731
        found.append(against_chance(quick, y, noise, shuffles=99).p)
    assert 0.4 < np.mean(found) < 0.6
    assert np.mean(np.array(found) <= 0.05) < 0.11


def test_permutations_find_what_is_there():
    y, good, _ = models(3, 60, 2.0, 0.0)
    found = against_chance(lambda t, s: roc_auc(t, s).value, y, good, shuffles=199)
    assert found.p == pytest.approx(1 / 200)
    assert found.chance == pytest.approx(0.5, abs=0.02)
    loss = against_chance(lambda t, s: float(((t - s) ** 2).mean()), y, y.astype(float), higher=False, shuffles=99)
    assert loss.p == pytest.approx(0.01)


def test_permutations_move_whole_patients():
    """Ten patients of eight equal rows: rows alone would find p far too small in noise."""
    rng, whole, alone = np.random.default_rng(4), [], []
    for _ in range(60):
        y, s = np.repeat(rng.permutation([0, 1] * 5), 8), np.repeat(rng.normal(size=10), 8)
        quick = lambda t, x: float(x[t == 1].mean() - x[t == 0].mean())  # noqa: E731
        whole.append(against_chance(quick, y, s, groups=list(np.repeat(range(10), 8)), shuffles=99).p <= 0.05)
        alone.append(against_chance(quick, y, s, shuffles=99).p <= 0.05)
    assert np.mean(whole) < 0.15
    assert np.mean(alone) > np.mean(whole) + 0.1


# R's p.adjust of these five
@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ("bonferroni", [0.05, 0.10, 0.15, 0.20, 0.25]),
        ("holm", [0.05, 0.08, 0.09, 0.09, 0.09]),
        ("bh", [0.05, 0.05, 0.05, 0.05, 0.05]),
    ],
)
def test_adjusted_p_of_five(how, expected):
    assert adjusted_p([0.01, 0.02, 0.03, 0.04, 0.05], how) == pytest.approx(expected)
    assert adjusted_p([0.04, 0.01, 0.05, 0.02, 0.03], how)[1] == pytest.approx(expected[0])


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_adjusted_p_are_those_of_scipy_and_ordered(p):
    from scipy.stats import false_discovery_control

    assert adjusted_p(p, "bh") == pytest.approx(false_discovery_control(p))
    plain, holm, bonferroni = np.array(p), adjusted_p(p, "holm"), adjusted_p(p, "bonferroni")
    assert ((plain <= adjusted_p(p, "bh") + 1e-12) & (adjusted_p(p, "bh") <= holm + 1e-12)).all()
    assert (holm <= bonferroni + 1e-12).all()
    for how in ADJUSTMENTS:
        assert (np.diff(adjusted_p(p, how)[np.argsort(p)]) >= -1e-12).all()


def test_learning_curves_hold_patients_apart():
    groups, seen = [n // 3 for n in range(60)], []

    def score(train, test):
        sides = {groups[row] for row in train}, {groups[row] for row in test}
        assert not sides[0] & sides[1]
        assert len(train) == 3 * len(sides[0])
        seen.append(set(train))
        return float(len(sides[0]))

    points = learning_curve(score, 60, [4, 12], groups, repeats=3)
    assert [(point.patients, point.mean, len(point.scores)) for point in points] == [(4, 4.0, 3), (12, 12.0, 3)]
    assert seen[0] < seen[1]  # the smaller training set lies within the greater
    assert points[0].spread == (4.0, 4.0)


def test_more_patients_help_a_model():
    from sklearn.linear_model import LogisticRegression

    rng = np.random.default_rng(5)
    x = rng.normal(size=(300, 10))
    y = rng.random(300) < 1 / (1 + np.exp(-x @ rng.normal(size=10)))

    def score(train, test):
        if len(set(y[train])) < 2:
            return math.nan
        model = LogisticRegression(max_iter=500).fit(x[train], y[train])
        return roc_auc(y[test], model.predict_proba(x[test])[:, 1]).value

    small, large = learning_curve(score, 300, [15, 200], repeats=5)
    assert large.mean > small.mean + 0.03
    assert math.isnan(learning_curve(lambda a, b: math.nan, 20, [5], repeats=2)[0].mean)


@pytest.mark.parametrize(("sizes", "part"), [([16], 0.25), ([0], 0.25), ([], 0.25), ([4], 1.0), ([4], 0.01)])
def test_sizes_that_leave_nobody_are_refused(sizes, part):
    with pytest.raises(InputError):
        learning_curve(lambda a, b: 0.0, 20, sizes, test_share=part)


def test_subgroups_that_differ_are_found_and_others_are_not():
    rng, found = np.random.default_rng(6), []
    for _ in range(100):
        right, sites = rng.random(240) < 0.75, ["A", "B", "C"] * 80
        found.append(subgroup_table(lambda rows, r=right: share(int(r[rows].sum()), len(rows)), sites).p < 0.05)
    assert np.mean(found) < 0.12
    right = np.concatenate([rng.random(150) < 0.9, rng.random(150) < 0.55])
    table = subgroup_table(lambda rows: share(int(right[rows].sum()), len(rows)), ["A"] * 150 + ["B"] * 150)
    assert table.p < 0.001
    assert table.i2 > 0.8
    assert table.hint.startswith("subgroups differ")
    assert table.overall.n == 300


def test_subgroups_by_hand():
    """0.9 and 0.5 with standard errors of 0.1 each: Q = 0.4^2 / (2 * 0.01) = 8."""
    estimates = {10: Estimate(0.9, 0.9 - 0.196, 0.9 + 0.196, 10), 12: Estimate(0.5, 0.5 - 0.196, 0.5 + 0.196, 12)}
    table = subgroup_table(
        lambda rows: estimates.get(len(rows), Estimate.missing("all", len(rows))), ["A"] * 10 + ["B"] * 12 + [""] * 3
    )
    assert table.heterogeneity == pytest.approx(8, rel=1e-3)
    assert table.p == pytest.approx(0.00468, abs=5e-5)
    assert [one.name for one in table.subgroups] == ["B", "A", "not known"]
    assert "1 of 3 subgroups could not be compared" in table.hint


def test_a_subgroup_that_refuses_says_why():
    def refuse(rows):
        raise InputError("patients of both classes")

    table = subgroup_table(refuse, ["A", None])
    assert table.subgroups[0].estimate.reason == "expected patients of both classes"
    assert math.isnan(table.p)
    with pytest.raises(InputError):
        subgroup_table(refuse, [])


def test_gaps_that_tell_the_outcome_are_found():
    rng = np.random.default_rng(7)
    y, table = rng.random(200) < 0.5, rng.normal(size=(200, 4))
    table[y & (rng.random(200) < 0.4), 1] = np.nan
    table[rng.random(200) < 0.2, 2] = np.nan
    report = missing_report(table, ["age", "kps", "volume", "grade"], y)
    assert report.suspicious == ("kps",)
    assert report.columns[1].without_event == 0
    assert report.columns[1].with_event == pytest.approx(np.isnan(table[y, 1]).mean())
    assert math.isnan(report.columns[0].p)
    assert sum(count for _, count in report.patterns) == 200
    assert report.complete == dict(report.patterns)[()]


def test_gaps_without_an_outcome():
    report = missing_report([[1, math.nan]], ["a", "b"])
    assert math.isnan(report.columns[1].p)
    assert report.columns[1].share.value == 1
    assert missing_report(np.empty((0, 2)), ["a", "b"]).columns[0].share.reason == "none to take a share of"


@pytest.mark.parametrize(
    "call",
    [
        lambda: adjusted_p([0.1, 1.2]),
        lambda: adjusted_p([0.1], "homl"),
        lambda: missing_report([[1, 2]], ["a"]),
        lambda: missing_report([[1, 2]], ["a", "b"], [0, 1]),
        lambda: against_chance(lambda t, s: 0.0, [0, 1], [1]),
    ],
)
def test_what_cannot_be_compared_is_refused(call):
    with pytest.raises(InputError):
        call()
