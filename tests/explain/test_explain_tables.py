"""Explanations of tables against what is known: closed forms, additivity, chance, other libraries."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.ensemble import GradientBoostingClassifier, HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.inspection import partial_dependence as sklearn_dependence
from sklearn.linear_model import LinearRegression, LogisticRegression

from tumorboard.errors import InputError
from tumorboard.explain import About, Rows, Scope, Stage
from tumorboard.explain.tables.attention import attention_weights
from tumorboard.explain.tables.cases import contrastive_cases, nearest_cases
from tumorboard.explain.tables.effects import local_effects, partial_dependence
from tumorboard.explain.tables.groups import correlated_groups, rank_correlation
from tumorboard.explain.tables.permutation import permutation_importance
from tumorboard.explain.tables.prototypes import distances, medoids, prototypes
from tumorboard.explain.tables.shapley import percentile_of, shapley
from tumorboard.explain.tables.surrogate import surrogate_rules

NAMES = ("a", "b", "c", "d")


def rows(n=120, columns=4, seed=0):
    return np.random.default_rng(seed).normal(size=(n, columns))


def labelled(n=120, seed=0):
    x = rows(n, seed=seed)
    y = (x[:, 0] + 0.5 * x[:, 1] + np.random.default_rng(seed + 1).normal(size=n) * 0.5 > 0).astype(int)
    return x, y


class TestShapley:
    def test_of_a_linear_model_is_weight_times_distance_from_the_mean(self):
        x = rows()
        model = LinearRegression().fit(x, x @ [2.0, -1.0, 0.0, 0.5] + 7)
        found = shapley(model, Rows(x, NAMES))
        np.testing.assert_allclose(found.values, model.coef_ * (x - x.mean(axis=0)), atol=1e-9)
        assert found.how == "linear"
        assert found.gap < 1e-9

    def test_of_logistic_regression_uses_all_of_a_large_background(self):
        x, y = labelled(300)
        model = LogisticRegression().fit(x, y)
        found = shapley(model, Rows(x[:5], NAMES), background=Rows(x, NAMES))
        np.testing.assert_allclose(found.values, model.coef_ * (x[:5] - x.mean(axis=0)), atol=1e-9)
        assert found.unit == "log-odds"

    def test_of_the_other_class_is_the_opposite(self):
        x, y = labelled()
        for model in (LogisticRegression(), HistGradientBoostingClassifier(max_iter=5)):
            model.fit(x, y)
            yes, no = (shapley(model, Rows(x, NAMES), target=t) for t in (1, 0))
            np.testing.assert_allclose(yes.values, -no.values, atol=1e-12)
            assert no.gap < 1e-6

    @pytest.mark.parametrize(
        ("model", "unit"),
        [
            (RandomForestClassifier(15, random_state=0), "probability"),
            (GradientBoostingClassifier(n_estimators=15, random_state=0), "log-odds"),
            (HistGradientBoostingClassifier(max_iter=15), "log-odds"),
        ],
    )
    def test_of_trees_adds_up(self, model, unit):
        x, y = labelled()
        found = shapley(model.fit(x, y), Rows(x, NAMES))
        assert (found.how, found.unit) == ("tree", unit)
        assert found.gap < 1e-6
        assert found.warnings == ()
        assert found.overall().drivers[0].names == ("a",)

    def test_of_three_classes_adds_up_for_each(self):
        x, y = labelled()
        three = y + (x[:, 2] > 0)
        for model in (HistGradientBoostingClassifier(max_iter=5), LogisticRegression()):
            model.fit(x, three)
            assert all(shapley(model, Rows(x, NAMES), target=t).gap < 1e-6 for t in range(3))

    def test_of_a_function_adds_up_and_repeats(self):
        x = rows(30)
        found, again = (shapley(lambda z: z[:, 0] * z[:, 1], Rows(x[:4], NAMES), background=Rows(x, NAMES), seed=3)
                        for _ in range(2))  # fmt: skip
        assert found.gap < 1e-6
        np.testing.assert_array_equal(found.values, again.values)
        np.testing.assert_allclose(found.values[:, 2:], 0, atol=1e-8)
        assert found.warnings == ("sampled, not exact",)

    def test_symmetric_columns_get_the_same(self):
        x = rows(30)
        found = shapley(lambda z: z[:, 0] * z[:, 1], Rows([[1.0, 1.0, 0, 0]], NAMES), background=Rows(
            np.stack([x[:, 0], x[:, 0], x[:, 2], x[:, 3]], axis=1), NAMES))  # fmt: skip
        assert found.values[0, 0] == pytest.approx(found.values[0, 1], abs=1e-8)

    def test_case_and_sentence(self):
        x = rows()
        found = shapley(
            LinearRegression().fit(x, 3 * x[:, 0]), Rows(x, ("T1C.ET.original.cm_contrast_3D_comb", *NAMES[1:])),
            about=About("IDH wild type", world="digital patients"),
        )  # fmt: skip
        at = int(x[:, 0].argmax())
        case = found.case(at, "P7")
        assert case.scope is Scope.LOCAL
        assert case.about.case == "P7"
        assert case.drivers[0].percentile > 99
        assert case.answer == pytest.approx(3 * x[at, 0])
        assert case.sentence.startswith("IDH wild type is made more likely by contrast of the texture in the enhancing")
        assert case.sentence.endswith("(digital patients).")
        json.dumps(case.record(), allow_nan=False)

    def test_refuses_what_it_cannot_explain(self):
        with pytest.raises(InputError, match="fitted estimator or a function"):
            shapley(object(), Rows(rows(5), NAMES))
        with pytest.raises(InputError, match="same columns"):
            shapley(np.sum, Rows(rows(5), NAMES), background=Rows(rows(5), ("x", "y", "z", "w")))

    @given(st.floats(-5, 5), st.lists(st.floats(-5, 5), min_size=1, max_size=9))
    def test_percentile_lies_from_0_to_100_and_mirrors(self, value, seen):
        told = percentile_of(value, np.array(seen))
        assert 0 <= told <= 100
        assert told + percentile_of(-value, -np.array(seen)) == pytest.approx(100)


class TestPermutation:
    def test_noise_covers_0_and_the_signal_does_not(self):
        x, y = labelled(200)
        model = LogisticRegression().fit(x[:100], y[:100])
        found = permutation_importance(lambda z: model.predict_proba(z)[:, 1], Rows(x[100:], NAMES), y[100:])
        effects = {d.names[0]: d.effect for d in found.drivers}
        assert effects["a"].low > 0
        assert all(effects[n].low <= 0 <= effects[n].high for n in "cd")
        assert found.drivers[0].names == ("a",)

    def test_intervals_of_noise_cover_0_about_as_often_as_they_say(self):
        covered = 0
        for seed in range(20):
            x, y = labelled(120, seed)
            model = LogisticRegression().fit(x[:60], y[:60])
            found = permutation_importance(
                lambda z, m=model: m.predict_proba(z)[:, 1], Rows(x[60:], NAMES), y[60:], seed=seed
            )
            covered += sum(d.effect.low <= 0 <= d.effect.high for d in found.drivers if d.names[0] in "cd")
        assert covered >= 33  # of 40 at 95 %: the chance of fewer than 33 is below 1 in 1000

    def test_columns_that_say_the_same_are_shuffled_together(self):
        x = rows(150, 2)
        twins = np.stack([x[:, 0], x[:, 0] + 1e-3 * x[:, 1], x[:, 1]], axis=1)
        y = x[:, 0] > 0
        each, grouped = (
            permutation_importance(lambda z: z[:, 0] + z[:, 1], Rows(twins, NAMES[:3]), y, above=a) for a in (1, 0.7)
        )
        assert grouped.drivers[0].names == ("a", "b")
        assert grouped.drivers[0].effect.value > 1.5 * each.drivers[0].effect.value

    def test_a_column_that_the_model_does_not_use_is_0_exactly(self):
        x, y = labelled()
        found = permutation_importance(lambda z: z[:, 0], Rows(x, NAMES), y)
        assert {d.effect.value for d in found.drivers if d.names != ("a",)} == {0.0}

    def test_survival_and_quantities(self):
        x = rows(80)
        truth = np.stack([np.exp(-x[:, 1]) * 300 + 1, np.ones(80)], axis=1)
        found = permutation_importance(lambda z: z[:, 1], Rows(x, NAMES), truth, score="concordance")
        assert (found.drivers[0].names, found.base) == (("b",), 1.0)
        found = permutation_importance(lambda z: z[:, 2], Rows(x, NAMES), x[:, 2], score="r2")
        assert found.drivers[0].effect.value == pytest.approx(2, abs=0.6)  # variance of a difference is twice as large

    def test_chance_is_told(self):
        x, y = labelled()
        found = permutation_importance(lambda z: -z[:, 0], Rows(x, NAMES), y)
        assert "no better than chance" in found.warnings[0]

    def test_intervals_are_of_patients(self):
        x, y = labelled(60)
        one = permutation_importance(lambda z: z[:, 0], Rows(x, NAMES), y)
        who = tuple(f"P{i // 2}" for i in range(120))
        two = permutation_importance(lambda z: z[:, 0], Rows(np.repeat(x, 2, axis=0), NAMES, who), np.repeat(y, 2))
        width = [f.drivers[0].effect.high - f.drivers[0].effect.low for f in (one, two)]
        assert width[1] > 0.75 * width[0]  # twice the rows are not twice the patients

    def test_refusals(self):
        with pytest.raises(InputError, match="one of auc"):
            permutation_importance(lambda z: z[:, 0], Rows(rows(9), NAMES), np.zeros(9), score="f1")
        with pytest.raises(InputError, match="9 predictions"):
            permutation_importance(lambda z: z[:3, 0], Rows(rows(9), NAMES), np.zeros(9))
        with pytest.raises(InputError, match="known outcomes"):
            permutation_importance(lambda z: z[:, 0], Rows(rows(9), NAMES), np.full(9, np.nan))


class TestGroups:
    @given(st.integers(0, 50), st.permutations(range(5)), st.sampled_from([0.3, 0.7, 0.9]))
    @settings(max_examples=20)
    def test_do_not_depend_on_order_scale_or_sign(self, seed, order, above):
        x = rows(40, 5, seed)
        x[:, 3] = x[:, 0] ** 3
        groups = {frozenset(g) for g in correlated_groups(x, above)}
        turned = np.exp(x[:, order]) * -3
        assert groups == {frozenset(order[c] for c in g) for g in correlated_groups(turned, above)}
        assert sorted(c for g in groups for c in g) == list(range(5))

    def test_equals_scipy(self):
        from scipy.stats import spearmanr

        x = np.round(rows(30), 1)
        np.testing.assert_allclose(rank_correlation(x), spearmanr(x).statistic, atol=1e-12)


class TestEffects:
    def test_partial_dependence_equals_scikit_learn(self):
        x, y = labelled()
        model = GradientBoostingClassifier(n_estimators=10, random_state=0).fit(x, y)
        found = partial_dependence(lambda z: model.predict_proba(z)[:, 1], Rows(x, NAMES), "b", points=7)
        other = sklearn_dependence(
            model, x, [1], custom_values={1: found.grid}, response_method="predict_proba", method="brute"
        )
        np.testing.assert_allclose(found.values, other["average"][0], atol=1e-12)

    def test_local_effects_are_right_where_columns_go_together(self):
        r = np.random.default_rng(0)
        x = r.uniform(size=(2000, 1))
        both = np.hstack([x, x + 0.01 * r.normal(size=x.shape)])
        # Apley & Zhu: f = x1 x2 with x2 = x1 has the local effect x1^2/2, partial dependence x1/2
        local = local_effects(lambda z: z[:, 0] * z[:, 1], Rows(both, ("a", "b")), "a", bins=20)
        expected = local.grid**2 / 2
        np.testing.assert_allclose(np.diff(local.values), np.diff(expected), atol=2e-3)
        partial = partial_dependence(lambda z: z[:, 0] * z[:, 1], Rows(both, ("a", "b")), "a")
        assert "do not exist" in partial.warnings[0]
        slope = np.polyfit(partial.grid, partial.values, 1)[0]
        assert slope == pytest.approx(0.5, abs=0.02)

    def test_local_effects_average_0_and_hold_their_interval(self):
        x, _ = labelled()
        found = local_effects(lambda z: z[:, 0] ** 2, Rows(x, NAMES), "a")
        assert np.all((found.low <= found.values) & (found.values <= found.high))
        assert "rises and falls" in found.sentence
        flat = local_effects(lambda z: z[:, 0], Rows(x, NAMES), "b")
        assert "does not change" in flat.sentence
        assert flat.warnings

    def test_unknown_column_is_proposed(self):
        with pytest.raises(InputError, match="did you mean 'volume'"):
            partial_dependence(lambda z: z[:, 0], Rows(rows(9, 2), ("age", "volume")), "volum")


class TestRules:
    def test_a_model_that_is_a_rule_is_found_and_followed(self):
        x = rows(300)
        found = surrogate_rules(lambda z: 1.0 * ((z[:, 0] > 0.5) & (z[:, 2] <= 0)), Rows(x, NAMES), depth=2)
        assert found.fidelity.value > 0.9
        best = max(found.rules, key=lambda r: r.answer)
        assert [c.split(" ")[:2] for c in best.conditions] == [["a", ">"], ["c", "≤"]]
        assert sum(r.rows for r in found.rules) == 300
        assert found.warnings == ()

    def test_a_model_that_is_no_rule_is_not_spoken_for(self):
        x = rows(300, seed=4)
        found = surrogate_rules(lambda z: np.sin(9 * z.sum(axis=1)), Rows(x, NAMES))
        assert found.fidelity.value < 0.3
        assert "do not speak for it" in found.warnings[0]

    def test_patients_are_not_on_both_sides(self):
        x = np.repeat(rows(12, seed=2), 20, axis=0)
        told = np.repeat(np.random.default_rng(0).normal(size=12), 20)
        table = {row.tobytes(): t for row, t in zip(x, told, strict=True)}

        def memory(z):
            return np.array([table[row.tobytes()] for row in z])

        loose = surrogate_rules(memory, Rows(x, NAMES), depth=8)
        strict = surrogate_rules(memory, Rows(x, NAMES, tuple(f"P{i // 20}" for i in range(240))), depth=8)
        assert loose.fidelity.value > 0.9
        assert strict.fidelity.value < 0.5

    def test_text_shows_every_leaf(self):
        found = surrogate_rules(lambda z: z[:, 0], Rows(rows(60), NAMES), depth=2)
        assert found.text.count("→") == len(found.rules)


class TestCases:
    def test_own_rows_are_left_out_and_contrast_is_of_another_class(self):
        x = np.array([[0.0, 0.0], [0.1, 0.0], [0.2, 0.1], [3.0, 3.0], [0.1, 1.0]])
        table = Rows(x, ("a", "b"), ("P1", "P2", "P3", "P4", "P5"))
        labels = ["yes", "yes", "yes", "no", "no"]
        near = nearest_cases(x[0], table, labels, count=2, about=About(case="P1"))
        assert [c.name for c in near.cases] == ["P2", "P3"]
        other = contrastive_cases(x[0], table, labels, label="yes", count=1, about=About(case="P1"))
        assert (other.cases[0].name, other.cases[0].differs[0][0]) == ("P5", "b")
        assert other.warnings == ()

    def test_nearer_other_class_and_far_cases_are_told(self):
        x = rows(40)
        table, labels = Rows(x, NAMES, tuple(f"P{i}" for i in range(40))), ["a"] * 20 + ["b"] * 20
        close = contrastive_cases(x[30], table, labels, label="a", about=About(case="me"))
        assert "the most similar case of all is b, not a" in close.warnings
        far = nearest_cases(x[0] + 40, table, labels)
        assert "nothing like it" in far.warnings[0]

    @given(st.integers(0, 30), st.floats(0.01, 100), st.floats(-50, 50))
    @settings(max_examples=20)
    def test_units_of_columns_do_not_matter(self, seed, scale, shift):
        x = rows(25, seed=seed)
        who, labels = tuple(f"P{i}" for i in range(25)), ["a"] * 25
        moved = x * [scale, 1, 1, 1] + [shift, 0, 0, 0]
        one, two = (nearest_cases(z[0], Rows(z, NAMES, who), labels, about=About(case="P0")) for z in (x, moved))
        assert [c.name for c in one.cases] == [c.name for c in two.cases]
        np.testing.assert_allclose([c.distance for c in one.cases], [c.distance for c in two.cases], rtol=1e-6)

    def test_weights_say_what_like_means(self):
        table = Rows([[0.0, 5.0], [5.0, 0.0], [9.0, 9.0]], ("a", "b"), ("P1", "P2", "P3"))
        for weights, name in (([1, 0], "P1"), ([0, 1], "P2")):
            assert nearest_cases([0.0, 0.0], table, ["x"] * 3, weights=weights).cases[0].name == name
        with pytest.raises(InputError, match="counts and is known"):
            nearest_cases([np.nan, 0.0], table, ["x"] * 3, weights=[1, 0])

    def test_medoids_are_optimal_where_all_can_be_tried(self):
        from itertools import combinations

        for seed in range(5):
            between = distances(x := rows(14, 2, seed), x)
            best = min(between[:, list(c)].min(axis=1).sum() for c in combinations(range(14), 2))
            assert between[:, medoids(between, 2)].min(axis=1).sum() <= 1.02 * best

    def test_prototypes_tell_classes_apart_or_say_not(self):
        x = np.vstack([rows(20), rows(20, seed=1) + 6])
        table, labels = Rows(x, NAMES, tuple(f"P{i}" for i in range(40))), ["a"] * 20 + ["b"] * 20
        found = prototypes(table, labels, count=2)
        assert found.told_apart == 1.0
        assert sum(p.stands_for for p in found.prototypes if p.label == "a") == pytest.approx(1)
        mixed = prototypes(table, ["a", "b"] * 20, count=1)
        assert mixed.told_apart < 0.8


class TestAttention:
    def test_is_ante_hoc_and_warned_of(self):
        found = attention_weights([[0.2, 0.8], [0.4, 0.6]], ("day 1", "day 2"), about=About("progression"))
        assert (found.stage, found.taxonomy) == (Stage.ANTE_HOC, "local, ante-hoc")
        assert found.weights.tolist() == pytest.approx([0.3, 0.7])
        assert "not proof" in found.warnings[0]
        even = attention_weights(np.full(10, 0.1), [str(i) for i in range(10)])
        assert "say nothing" in even.warnings[1]
        with pytest.raises(InputError, match="add up to 1"):
            attention_weights([0.2, 0.2], ("a", "b"))


def test_rows_are_checked():
    for values, names, who in (([[1.0]], ("a", "b"), ()), ([[1.0, 2.0]], ("a", "a"), ()), ([[np.inf]], ("a",), ()),
                               ([[1.0]], ("a",), ("P1", "P2")), (np.empty((0, 1)), ("a",), ())):  # fmt: skip
        with pytest.raises(InputError):
            Rows(values, names, who)
