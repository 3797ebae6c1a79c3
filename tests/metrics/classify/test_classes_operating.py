"""Classes, operating points and thresholds: scikit-learn, published intervals, coverage, patients with several rows."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tumorboard.errors import InputError
from tumorboard.metrics.agreement import kappa
from tumorboard.metrics.classify import classes, operating
from tumorboard.metrics.classify.threshold import RULES, choose_threshold

binary = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 9)), min_size=2, max_size=30)
several = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=3, max_size=30)


def one_hot(said, k=3):
    return np.eye(k)[np.asarray(said)]


@settings(max_examples=40)
@given(binary)
def test_operating_points_are_those_of_scikit_learn(rows):
    from sklearn import metrics

    y, s = (np.array(part) for part in zip(*rows, strict=True))
    said, point = s / 10 >= 0.45, operating.operating_point(y, s / 10, 0.45)
    table = [[point.rejections, point.false_alarms], [point.misses, point.hits]]
    assert metrics.confusion_matrix(y, said, labels=[0, 1]).tolist() == table
    assert classes.confusion_table(y, s / 10, 0.45).tolist() == table
    if len(set(y)) < 2:
        assert not point.estimates["f1"].known
        return
    peers = {
        "sensitivity": metrics.recall_score(y, said),
        "specificity": metrics.recall_score(y, said, pos_label=0),
        "accuracy": metrics.accuracy_score(y, said),
        "balanced_accuracy": metrics.balanced_accuracy_score(y, said),
        "f1": metrics.f1_score(y, said),
        "mcc": metrics.matthews_corrcoef(y, said),
        "kappa": metrics.cohen_kappa_score(y, said),
        "youden": metrics.balanced_accuracy_score(y, said, adjusted=True),
    }
    if said.any():
        peers["ppv"] = metrics.precision_score(y, said)
    if not said.all():
        peers["npv"] = metrics.precision_score(y, said, pos_label=0)
    for name, value in peers.items():
        found = point.estimates[name]
        assert found.value == pytest.approx(value), name
        assert math.isnan(found.low) or found.low <= found.value <= found.high


@settings(max_examples=40)
@given(several)
def test_several_classes_are_those_of_scikit_learn(rows):
    from sklearn import metrics

    y, said = (np.array(part) for part in zip(*rows, strict=True))
    if len(set(y)) < 3:
        assert not classes.balanced_accuracy(y, one_hot(said)).known
        return
    p = one_hot(said)
    assert classes.accuracy(y, p).value == pytest.approx(metrics.accuracy_score(y, said))
    assert classes.balanced_accuracy(y, p).value == pytest.approx(metrics.balanced_accuracy_score(y, said))
    assert classes.macro_f1(y, p).value == pytest.approx(metrics.f1_score(y, said, average="macro"))
    assert classes.cohen_kappa(y, p).value == pytest.approx(metrics.cohen_kappa_score(y, said))
    assert classes.mcc(y, p).value == pytest.approx(metrics.matthews_corrcoef(y, said))
    assert classes.cohen_kappa(y, p).value == pytest.approx(kappa(list(map(str, y)), list(map(str, said)), "012").value)


def test_top_k_is_that_of_scikit_learn():
    from sklearn.metrics import top_k_accuracy_score

    rng = np.random.default_rng(0)
    y, p = rng.integers(0, 4, 50), rng.dirichlet(np.ones(4), 50)
    for k in (1, 2, 3):
        assert classes.top_k(y, p, k=k).value == pytest.approx(top_k_accuracy_score(y, p, k=k, labels=range(4)))
    assert classes.top_k(y, p, k=4).value == 1
    assert classes.top_k(y, p, k=1).value == classes.accuracy(y, p).value
    with pytest.raises(InputError, match="1 to 4 classes"):
        classes.top_k(y, p, k=5)


# Newcombe RG, Stat Med 1998;17:857-872, table I, method 5 (Clopper-Pearson)
@pytest.mark.parametrize(
    ("hits", "total", "low", "high"),
    [(81, 263, 0.2527, 0.3676), (15, 148, 0.0578, 0.1617), (0, 20, 0.0, 0.1684), (1, 29, 0.0009, 0.1776)],
)
def test_exact_shares_of_published_examples(hits, total, low, high):
    found = operating.exact_share(hits, total)
    assert (found.low, found.high) == pytest.approx((low, high), abs=6e-5)
    turned = operating.exact_share(total - hits, total)
    assert (turned.low, turned.high) == pytest.approx((1 - found.high, 1 - found.low))


def test_the_interval_of_a_share_is_the_one_asked_for():
    y, s = [1] * 20 + [0] * 20, [0.9] * 15 + [0.1] * 25
    wilson, exact = (operating.sensitivity(y, s, interval=name) for name in ("wilson", "exact"))
    assert wilson.value == exact.value == 0.75
    assert exact.low < wilson.low < wilson.high < exact.high
    assert wilson.n == 20


def test_the_bootstrap_of_tables_is_that_of_rows():
    """Without groups rows are drawn through the counts of the table; each row its own group gives the same."""
    rng = np.random.default_rng(1)
    y = rng.integers(0, 2, 80)
    s = np.clip(0.5 * y + rng.random(80) * 0.6, 0, 1)
    from tumorboard.metrics.resampling import bootstrap

    plain = classes.mcc(y, s)
    rows = bootstrap(lambda r: classes._matthews(classes.confusion_table(y[r], s[r])[None].astype(float))[0], 80)
    assert (plain.low, plain.high) == pytest.approx((rows.low, rows.high), abs=0.02)


def test_repeats_of_a_patient_do_not_narrow_intervals():
    rng = np.random.default_rng(2)
    y, s = rng.integers(0, 2, 60), rng.random(60)
    four, names = (np.tile(y, 4), np.tile(s, 4)), [*range(60)] * 4
    for metric in (classes.accuracy, classes.balanced_accuracy, operating.sensitivity, operating.ppv, operating.f1):
        once, grouped, naive = metric(y, s), metric(*four, groups=names), metric(*four)
        assert grouped.value == once.value
        assert grouped.high - grouped.low == pytest.approx(once.high - once.low, rel=0.15)
        assert naive.high - naive.low == pytest.approx((once.high - once.low) / 2, rel=0.15)


def test_groups_of_one_row_change_nothing():
    y, s = [1, 0, 1, 0, 1, 0], [0.9, 0.2, 0.4, 0.6, 0.8, 0.1]
    assert (
        operating.operating_point(y, s, 0.5).estimates == operating.operating_point(y, s, 0.5, list("abcdef")).estimates
    )


def test_what_cannot_be_told_says_why():
    assert operating.sensitivity([0, 0], [0.1, 0.9]).reason == "none to take a share of"
    assert operating.ppv([0, 1], [0.1, 0.2]).reason == "none to take a share of"
    assert operating.f1([1, 1], [0.1, 0.2]).reason == "patients of one class only"
    assert classes.mcc([0, 1, 0, 1, 0, 1], [0.1] * 6).value == 0
    assert "from 4" in classes.balanced_accuracy([0, 1, 0, 1], [0.1, 0.9, 0.8, 0.7]).reason


@pytest.mark.parametrize(
    ("how", "expected"),
    [("youden", 0.35), ("closest", 0.35), ("f1", 0.35), ("sensitivity", 0.35), ("specificity", 0.55)],
)
def test_thresholds_of_a_small_table(how, expected):
    """Events at 0.4, 0.6 and 0.9, others at 0.1, 0.2, 0.3, 0.5: all events are found from 0.4 on."""
    found = choose_threshold([0, 0, 0, 1, 0, 1, 1], [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.9], how, least=0.95)
    assert found.value == pytest.approx(expected)
    assert (found.patients, found.events) == (7, 3)
    assert found.apply([0.0, 1.0]).tolist() == [False, True]


@settings(max_examples=40)
@given(binary, st.sampled_from(sorted(RULES)))
def test_no_other_threshold_is_better_on_training_patients(rows, how):
    y, s = (np.array(part) for part in zip(*rows, strict=True))
    if len(set(y)) < 2:
        with pytest.raises(InputError, match="both classes"):
            choose_threshold(y, s, how)
        return
    found = choose_threshold(y, s, how, least=0.8).value

    def worth(at):
        said = s >= at
        sensitivity, specificity = said[y == 1].mean(), (~said)[y == 0].mean()
        precision = y[said].mean() if said.any() else 0.0
        f1 = 2 * precision * sensitivity / max(precision + sensitivity, 1e-12)
        return {
            "youden": sensitivity + specificity,
            "closest": -math.hypot(1 - sensitivity, 1 - specificity),
            "f1": f1,
            "sensitivity": specificity if sensitivity >= 0.8 - 1e-12 else -1,
            "specificity": sensitivity if specificity >= 0.8 - 1e-12 else -1,
        }[how]

    assert worth(found) >= max(worth(at) for at in np.unique(s)) - 1e-9


def test_a_threshold_sought_on_the_judged_patients_flatters():
    """On noise, Youden's index of the training patients is well above 0, of others it is 0."""
    rng, own, other = np.random.default_rng(3), [], []
    for _ in range(200):
        y, s = rng.random((2, 60)) < 0.5, rng.random((2, 60))
        cut = choose_threshold(y[0], s[0]).value
        own.append(
            operating.sensitivity(y[0], s[0], threshold=cut).value
            + operating.specificity(y[0], s[0], threshold=cut).value
            - 1
        )
        other.append(
            operating.sensitivity(y[1], s[1], threshold=cut).value
            + operating.specificity(y[1], s[1], threshold=cut).value
            - 1
        )
    assert np.mean(own) > 0.1
    assert abs(np.mean(other)) < 0.03


@pytest.mark.parametrize(
    "call",
    [
        lambda: choose_threshold([0, 1], [1, 2], "yoden"),
        lambda: choose_threshold([0, 1], [1, 2], least=2),
        lambda: operating.sensitivity([0, 1], [1, 2], threshold=math.nan),
        lambda: operating.sensitivity([0, 1], [1, 2], interval="other"),
        lambda: operating.exact_share(3, 2),
        lambda: classes.accuracy([0, 3], one_hot([0, 1])),
        lambda: classes.accuracy([0, 1], [[0.5, 0.6], [0.5, 0.5]]),
        lambda: classes.accuracy([0, 1], [0.5]),
        lambda: classes.accuracy([0, 1], [0.5, 0.5], groups=["a"]),
        lambda: classes.class_names(["GBM"], ["MET"]),
    ],
)
def test_what_is_no_classification_is_refused(call):
    with pytest.raises(InputError):
        call()


def test_the_nearest_rule_is_proposed():
    with pytest.raises(InputError, match="did you mean 'youden'"):
        choose_threshold([0, 1], [1, 2], "yoden")


def test_kappa_of_a_model_is_kappa_of_two_readings_with_its_interval():
    rng = np.random.default_rng(0)
    y = rng.integers(0, 3, 60)
    said = np.where(rng.random(60) < 0.3, rng.integers(0, 3, 60), y)
    who = [f"P{n // 2}" for n in range(60)]
    words = [[str(c) for c in codes] for codes in (y, said)]
    assert classes.cohen_kappa(y, one_hot(said)) == kappa(*words, "012")
    assert classes.cohen_kappa(y, one_hot(said), groups=who) == kappa(*words, "012", groups=who)
    assert classes.cohen_kappa(y, one_hot(said), groups=range(60)) == kappa(*words, "012")
