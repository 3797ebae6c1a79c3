"""Kappa, shares, concordance correlation, limits of agreement: published examples, other libraries, closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tumorboard.errors import InputError
from tumorboard.metrics.agreement import (
    LEAST_GROUPS,
    bland_altman,
    concordance_correlation,
    confusion,
    kappa,
    share,
)

NAMES = ("CR", "PR", "SD", "PD")
SCHEMES = {"unweighted": None, "linear": "linear", "quadratic": "quadratic"}

# Bland & Altman 1986, table 1: peak expiratory flow (L/min), first reading of each meter
WRIGHT = [494, 395, 516, 434, 476, 557, 413, 442, 650, 433, 417, 656, 267, 478, 178, 423, 427]
MINI = [512, 430, 520, 428, 500, 600, 364, 380, 658, 445, 432, 626, 260, 477, 259, 350, 451]

readings = st.lists(st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES)), min_size=1, max_size=40)
pairs = st.lists(st.tuples(st.integers(0, 900), st.integers(0, 900)), min_size=3, max_size=30)


def spread(table):
    """Readings that give a table of counts."""
    names = [str(n) for n in range(len(table))]
    first = [names[i] for i, row in enumerate(table) for count in row for _ in range(count)]
    second = [names[j] for row in table for j, count in enumerate(row) for _ in range(count)]
    return first, second, names


# PROC FREQ of SAS/STAT, "Agreement Study": 88 patients by two dermatologists; and Fleiss 1981, page 213
SKIN = [[10, 4, 1, 0], [5, 10, 12, 2], [2, 4, 12, 5], [0, 2, 6, 13]]
FLEISS = [[75, 1, 4], [5, 4, 1], [0, 0, 10]]


@pytest.mark.parametrize(
    ("table", "weights", "published"),
    [
        (SKIN, "unweighted", (0.3449, 0.2030, 0.4868)),
        (SKIN, "linear", (0.5082, 0.3798, 0.6366)),
        (FLEISS, "unweighted", (0.6765, 0.5046, 0.8484)),
        (FLEISS, "linear", (0.7222, 0.5570, 0.8874)),
    ],
)
def test_kappa_of_published_tables(table, weights, published):
    found = kappa(*spread(table), weights)
    assert (found.value, found.low, found.high) == pytest.approx(published, abs=6e-5)
    assert found.n == np.sum(table)


@given(readings, st.sampled_from(sorted(SCHEMES)))
def test_kappa_is_that_of_scikit_learn(said, weights):
    from sklearn.metrics import cohen_kappa_score

    first, second = map(list, zip(*said, strict=True))
    found = kappa(first, second, NAMES, weights)
    if not found.known:
        assert len({*first, *second}) == 1
        return
    assert found.value == pytest.approx(cohen_kappa_score(first, second, labels=NAMES, weights=SCHEMES[weights]))


@given(readings, st.sampled_from(sorted(SCHEMES)), st.randoms())
def test_kappa_does_not_depend_on_who_comes_first_nor_on_the_order_of_pairs(said, weights, rng):
    shuffled = rng.sample(said, len(said))
    first, second = map(list, zip(*said, strict=True))
    other, one = map(list, zip(*shuffled, strict=True))
    a, b = kappa(first, second, NAMES, weights), kappa(one, other, NAMES[::-1], weights)
    assert (a.value, a.low, a.high) == pytest.approx((b.value, b.low, b.high), nan_ok=True)


@given(readings)
def test_kappa_lies_in_its_interval_and_within_its_range(said):
    first, second = map(list, zip(*said, strict=True))
    found = kappa(first, second, NAMES, "linear")
    if not math.isnan(found.low):
        assert -1 <= found.low <= found.value <= found.high <= 1


def test_kappa_in_closed_form():
    """Independent readings give 0, opposite ones -1."""
    assert kappa(*spread([[4, 2], [2, 1]])).value == pytest.approx(0)
    assert kappa(*spread([[0, 5], [5, 0]])).value == pytest.approx(-1)
    assert kappa(*spread([[20, 5], [10, 15]])).value == pytest.approx(0.4)


@pytest.mark.parametrize(("weights", "less"), [("unweighted", False), ("linear", True), ("quadratic", True)])
def test_distance_counts_in_weighted_kappa(weights, less):
    first = ["PR", "SD", "PD", "PD"]
    far, near = (kappa(first, ["PR", "SD", "PD", said], NAMES, weights).value for said in ("CR", "SD"))
    assert (far < near - 0.1) == less


@given(readings)
def test_quadratic_kappa_is_the_concordance_of_ranks(said):
    """Krippendorff 1970: with squared distances both are one minus the same ratio."""
    ranks = np.array([[NAMES.index(one), NAMES.index(other)] for one, other in said])
    found = concordance_correlation(ranks[:, 0], ranks[:, 1])
    if found.known:
        first, second = map(list, zip(*said, strict=True))
        assert kappa(first, second, NAMES, "quadratic").value == pytest.approx(found.value, abs=1e-9)


def test_the_asymptotic_interval_covers():
    """Two readers who see the truth with probability 0.7, else guess: kappa is 0.49."""
    rng = np.random.default_rng(0)
    hits = 0
    for _ in range(400):
        truth = rng.integers(0, 3, 150)
        said = [np.where(rng.random(150) < 0.7, truth, rng.integers(0, 3, 150)).astype(str) for _ in range(2)]
        found = kappa(list(said[0]), list(said[1]), ["0", "1", "2"])
        hits += found.low <= 0.49 <= found.high
    assert 0.92 <= hits / 400 <= 0.98


def test_drawing_single_pairs_gives_the_asymptotic_interval():
    first, second, names = spread(SKIN)
    plain = kappa(first, second, names, "linear")
    drawn = kappa(first, second, names, "linear", groups=range(len(first)))
    assert (drawn.low, drawn.high) == pytest.approx((plain.low, plain.high), abs=0.02)
    assert drawn.value == plain.value


def test_repeats_of_a_patient_do_not_narrow_the_interval_of_groups():
    first, second, names = spread(SKIN)
    four = kappa(first * 4, second * 4, names, groups=[*range(len(first))] * 4)
    once = kappa(first, second, names, groups=range(len(first)))
    naive = kappa(first * 4, second * 4, names)
    assert (four.low, four.high) == pytest.approx((once.low, once.high))
    assert naive.high - naive.low == pytest.approx((once.high - once.low) / 2, rel=0.1)


def test_kappa_that_cannot_be_given_says_why():
    assert kappa([], [], NAMES).reason == "no pair of categories"
    assert kappa(["SD"], ["SD"], NAMES).reason == "both readings give the same category throughout"
    single = kappa(["SD"], ["PD"], NAMES)
    assert single.value == 0
    perfect = kappa(["SD", "PD"], ["SD", "PD"], NAMES)
    assert (perfect.value, math.isnan(perfect.low)) == (1, True)
    assert "no disagreement" in perfect.reason
    few = kappa(*spread(SKIN), groups=[0, 1, 2, 3] * 22)
    assert (few.known, math.isnan(few.low)) == (True, True)
    assert f"4 of at least {LEAST_GROUPS}" in few.reason


@pytest.mark.parametrize(
    "call",
    [
        lambda: kappa(["SD"], [], NAMES),
        lambda: kappa(["SD"], ["??"], NAMES),
        lambda: kappa(["SD"], ["SD"], ["SD", "SD"]),
        lambda: kappa(["SD"], ["PD"], NAMES, "cubic"),
        lambda: kappa(["SD"] * 3, ["PD"] * 3, NAMES, groups=[1]),
        lambda: share(3, 2),
        lambda: concordance_correlation([1, 2], [1, 2, 3]),
        lambda: bland_altman([1, 2, math.nan], [1, 2, 3]),
    ],
)
def test_what_cannot_be_compared_is_refused(call):
    with pytest.raises(InputError):
        call()


def test_confusion_counts_rows_as_the_first_reading():
    found = confusion(["PD", "PD", "SD"], ["PD", "SD", "SD"], NAMES)
    assert found.get("PD", "SD") == 1
    assert found.get("SD", "PD") == 0
    assert found.counts.sum() == 3
    assert confusion([], [], NAMES).counts.tolist() == np.zeros((4, 4)).tolist()


# Newcombe RG, Stat Med 1998;17:857-872, table I, method 3
@pytest.mark.parametrize(
    ("hits", "total", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_share_of_published_examples(hits, total, low, high):
    found = share(hits, total)
    assert (found.value, found.low, found.high) == pytest.approx((hits / total, low, high), abs=6e-5)


def test_share_of_all_or_none():
    assert share(9, 9).high == 1
    assert share(0, 9).low == 0
    assert share(0, 9).high == pytest.approx(1 - share(9, 9).low)
    assert share(0, 0).reason == "none to take a share of"


def test_limits_of_the_published_flows():
    """Bland and Altman 1986: mean difference -2.1, standard deviation 38.8, its interval -22.0 to 17.8."""
    found = bland_altman(WRIGHT, MINI)
    assert found.bias.value == pytest.approx(-2.1, abs=0.05)
    assert (found.bias.low, found.bias.high) == pytest.approx((-22.0, 17.8), abs=0.06)
    assert (found.upper.value - found.lower.value) / (2 * 1.96) == pytest.approx(38.8, abs=0.05)


def test_limits_of_85_blood_pressures():
    """Bland and Altman 1999, table 1, as the R package blandr prints it: bias -16.29412, SD 19.61099."""
    z = np.random.default_rng(0).normal(size=85)
    differences = -16.29412 + 19.61099 * (z - z.mean()) / z.std(ddof=1)
    found = bland_altman(differences, np.zeros(85))
    assert (found.bias.low, found.bias.high) == pytest.approx((-20.52411, -12.06412), abs=1e-4)
    assert (found.upper.value, found.upper.low, found.upper.high) == pytest.approx(
        (22.14343, 14.88607, 29.40079), abs=2e-3
    )
    assert (found.lower.value, found.lower.low, found.lower.high) == pytest.approx(
        (-54.73166, -61.98902, -47.4743), abs=2e-3
    )


@given(pairs)
def test_limits_turn_round_with_the_readings(values):
    first, second = zip(*values, strict=True)
    there, back = bland_altman(first, second), bland_altman(second, first)
    assert there.bias.value == pytest.approx(-back.bias.value)
    assert (there.lower.value, there.lower.low) == pytest.approx((-back.upper.value, -back.upper.high))


def test_limits_of_few_or_equal_pairs():
    assert bland_altman([1, 2], [2, 3]).lower.reason == "fewer than three pairs"
    same = bland_altman([1, 2, 3], [1, 2, 3])
    assert (same.bias.value, same.lower.low, same.upper.high) == (0, 0, 0)


@given(pairs)
def test_concordance_by_its_definition(values):
    """One minus the mean squared difference over what independence would give (Lin 1989, equation 2)."""
    x, y = np.array(values, dtype=float).T
    found = concordance_correlation(x, y)
    if np.ptp(x) == 0 or np.ptp(y) == 0:
        assert found.reason == "one of the two does not vary"
        return
    expected = 1 - ((x - y) ** 2).mean() / (x.var() + y.var() + (x.mean() - y.mean()) ** 2)
    assert found.value == pytest.approx(expected, abs=1e-9)
    back = concordance_correlation(y * 0.001 + 5, x * 0.001 + 5)
    assert (back.value, back.low, back.high) == pytest.approx(
        (found.value, found.low, found.high), abs=1e-6, nan_ok=True
    )


def test_concordance_of_a_shift_in_closed_form():
    x = np.array([100.0, 150, 220, 400])
    for by in (0.5, 60, -60):
        found = concordance_correlation(x, x + by)
        assert found.value == pytest.approx(2 * x.var() / (2 * x.var() + by**2))
        assert found.low < found.value < found.high <= 1


@pytest.mark.parametrize("shift", [0, 60, -150])
def test_the_interval_of_concordance_is_that_of_lin(shift):
    """Lin 2000 as it is printed, with divisions by the correlation; flows of 1986, one meter shifted."""
    x, y = np.array(WRIGHT, dtype=float), np.array(MINI, dtype=float) + shift
    found = concordance_correlation(x, y)
    r, p, k = np.corrcoef(x, y)[0, 1], found.value, len(x)
    u = (y.mean() - x.mean()) / (x.var() * y.var()) ** 0.25
    spread_2000 = (1 - r**2) * p**2 * (1 - p**2) / r**2 + 2 * p**3 * (1 - p) * u**2 / r - 0.5 * p**4 * u**4 / r**2
    reach = 1.959964 * math.sqrt(spread_2000 / (k - 2)) / (1 - p**2)
    z = math.atanh(p)
    assert (found.low, found.high) == pytest.approx((math.tanh(z - reach), math.tanh(z + reach)))


def test_concordance_of_the_published_flows():
    assert concordance_correlation(WRIGHT, MINI).value == pytest.approx(0.9427, abs=5e-5)


def test_the_interval_of_concordance_covers():
    """Normal pairs with correlation 0.8, a shift of 0.4 and standard deviations 1 and 1.3."""
    rng, truth, hits = np.random.default_rng(1), 2 * 0.8 * 1.3 / (1 + 1.69 + 0.16), 0
    for _ in range(600):
        z = rng.normal(size=(2, 60))
        found = concordance_correlation(z[0], 0.4 + 1.3 * (0.8 * z[0] + 0.6 * z[1]))
        hits += found.low <= truth <= found.high
    assert 0.92 <= hits / 600 <= 0.98


def test_concordance_without_correlation_has_an_interval():
    found = concordance_correlation([1, -1, 1, -1, 1, -1, 1, -1], [1, 1, -1, -1, 1, 1, -1, -1])
    assert found.value == pytest.approx(0)
    assert -1 < found.low < 0 < found.high < 1


def test_concordance_that_cannot_be_given_says_why():
    assert concordance_correlation([], []).reason == "fewer than three pairs"
    assert concordance_correlation([1], [1]).reason == "fewer than three pairs"
    assert concordance_correlation([0.1] * 3, [1, 2, 3]).reason == "one of the two does not vary"
    for sign in (1, -1):
        found = concordance_correlation([-1, 0, 1], [-sign, 0, sign])
        assert (found.value, math.isnan(found.low)) == (sign, True)
        assert "no interval" in found.reason


@given(total=st.integers(1, 400), hits=st.integers(0, 400))
def test_a_share_lies_in_its_interval(total, hits):
    found = share(min(hits, total), total)
    assert 0 <= found.low <= found.value <= found.high <= 1
