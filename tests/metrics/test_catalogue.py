"""Every metric of the catalogue: order of rows, perfect and blind predictions, one class, missing values, intervals."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tumorboard.errors import InputError
from tumorboard.metrics.catalogue import METRICS, find_metric, measure

OPTIONS = {"dynamic_auc": {"horizon": 400}, "integrated_auc": {"times": [200, 400, 600]}}
OPTIONS |= {"integrated_brier": {"times": [200, 400, 600]}}
CASES = [(metric, kind) for metric in METRICS.values() for kind in metric.needs]
N = 100

each = pytest.mark.parametrize(("metric", "kind"), CASES, ids=[f"{m.name}-{k}" for m, k in CASES])


def outcome(kind, seed=0, n=N):
    rng = np.random.default_rng(seed)
    if kind == "binary":
        return (rng.random(n) < 0.4).astype(int)
    if kind == "multiclass":
        return rng.integers(0, 3, n)
    if kind == "regression":
        return rng.normal(50, 10, n)
    death, gone = rng.exponential(400, n), rng.uniform(100, 1500, n)
    return np.minimum(death, gone), (death <= gone).astype(int)


def noise(metric, kind, seed=1, n=N):
    rng = np.random.default_rng(seed)
    if kind == "multiclass":
        return rng.dirichlet(np.ones(3), n)
    if metric.takes == "survival":
        return rng.uniform(0.2, 0.9, (n, 1)) ** np.array([1, 2, 3])
    return rng.random(n) if kind == "binary" else rng.normal(50, 10, n)


def perfect(metric, kind, truth):
    """What knows the outcome; probabilities are as sure as they can be where that is right."""
    if kind == "multiclass":
        return np.eye(3)[truth]
    if kind == "survival":
        days = truth[0]
        return (days[:, None] > np.array([200, 400, 600])).astype(float) if metric.takes == "survival" else -days
    return truth.astype(float)


def rows_of(truth, rows):
    return tuple(part[rows] for part in truth) if isinstance(truth, tuple) else truth[rows]


def run(metric, truth, prediction, **more):
    return measure(metric.name, truth, prediction, **OPTIONS.get(metric.name, {}), **more)


@each
def test_the_order_of_rows_does_not_matter(metric, kind):
    truth, prediction, rows = outcome(kind), noise(metric, kind), np.random.default_rng(2).permutation(N)
    first, again = run(metric, truth, prediction), run(metric, rows_of(truth, rows), prediction[rows])
    assert first.known
    assert first.value == pytest.approx(again.value)
    assert (first.low, first.high) == pytest.approx((again.low, again.high), abs=0.15 * (first.high - first.low))
    whose = [f"P{n // 2}" for n in range(N)]
    pairs, turned = (
        run(metric, truth, prediction, groups=whose),
        run(metric, rows_of(truth, rows), prediction[rows], groups=[whose[row] for row in rows]),
    )
    assert pairs.value == pytest.approx(turned.value) == pytest.approx(first.value)


@each
def test_the_interval_holds_the_value(metric, kind):
    found = run(metric, outcome(kind), noise(metric, kind))
    assert found.low <= found.value <= found.high
    assert found.low < found.high
    wide = run(metric, outcome(kind), noise(metric, kind), level=0.99)
    assert wide.low <= found.low + 1e-12
    assert found.high <= wide.high + 1e-12
    assert found.n <= N


@each
def test_knowing_all_is_perfect(metric, kind):
    truth = outcome(kind)
    prediction = perfect(metric, kind, truth)
    found = run(metric, truth, prediction)
    if metric.name == "net_benefit":
        assert found.value == pytest.approx(truth.mean())  # no more than the prevalence can be gained
    elif metric.name in ("calibration_slope", "calibration_intercept"):
        assert "part the classes" in found.reason
    else:
        assert found.value == pytest.approx(metric.perfect, abs=1e-6)


@each
def test_better_is_the_way_that_is_said(metric, kind):
    truth = outcome(kind)
    good = 0.5 * perfect(metric, kind, truth) + 0.5 * noise(metric, kind)
    if kind == "survival" and metric.takes == "risk":
        good = perfect(metric, kind, truth) + noise(metric, kind)
    one, other = run(metric, truth, good).value, run(metric, truth, noise(metric, kind)).value
    if metric.better == "nearer":
        return  # knowing the outcome is not being calibrated
    assert one > other if metric.better == "higher" else one < other


@each
def test_chance_is_what_noise_gives(metric, kind):
    if metric.chance is None:
        return
    values, hits = [], 0
    for seed in range(16):
        truth = outcome(kind, 10 + seed)
        found = run(metric, truth, noise(metric, kind, 100 + seed))
        chance = metric.chance(np.asarray(truth[0] if isinstance(truth, tuple) else truth, dtype=float))
        values.append(found.value - chance)
        hits += found.low <= chance <= found.high
    assert abs(np.mean(values)) < 0.06
    assert hits >= 12


@each
def test_one_class_is_missing_with_a_reason(metric, kind):
    if kind == "regression":
        truth, prediction = np.full(20, 7.0), noise(metric, kind, n=20)
    elif kind == "survival":
        truth, prediction = (np.linspace(10, 90, 20), np.zeros(20, int)), noise(metric, kind, n=20)
    else:
        truth, prediction = np.zeros(20, int), noise(metric, kind, n=20)
    found = run(metric, truth, prediction)
    # errors and shares exist without another class; areas, correlations and what compares classes do not
    plain = {"specificity", "accuracy", "top_k", "brier", "log_loss", "ece", "mae", "rmse", "kappa"}
    if metric.name in plain and found.known:
        return
    assert math.isnan(found.value)
    assert found.reason


@each
def test_a_missing_value_is_refused(metric, kind):
    truth, prediction = outcome(kind), np.array(noise(metric, kind))
    gone = prediction.copy()
    gone[(3, *[0] * (gone.ndim - 1))] = math.nan
    with pytest.raises(InputError):
        run(metric, truth, gone)
    lost = tuple(np.array(part, dtype=float) for part in truth) if isinstance(truth, tuple) else np.array(truth, float)
    (lost[0] if isinstance(lost, tuple) else lost)[3] = math.nan
    with pytest.raises(InputError):
        run(metric, lost, prediction)
    with pytest.raises(InputError):
        run(metric, truth, prediction[:-1])
    with pytest.raises(InputError):
        run(metric, truth, prediction, groups=["A"] * (N - 1))


def test_the_door_explains_itself():
    with pytest.raises(InputError, match="did you mean 'harrell_c'"):
        find_metric("harel_c", "survival")
    with pytest.raises(InputError, match="needs survival"):
        find_metric("harrell_c", "binary")
    with pytest.raises(InputError, match=r"horizon \(needed\)"):
        measure("dynamic_auc", ([1, 2], [1, 1]), [1, 2])
    with pytest.raises(InputError, match="options of threshold"):
        measure("mcc", [0, 1], [0, 1], cut=0.3)
    with pytest.raises(InputError, match="a pair of days and events"):
        measure("harrell_c", [1, 2], [1, 2])
    assert all(metric.name == name for name, metric in METRICS.items())
