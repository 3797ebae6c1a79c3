"""Agreement between criteria on the same patients."""

from __future__ import annotations

import csv
import datetime as dt
import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tumorboard.errors import InputError
from tumorboard.metrics.agreement import bland_altman, concordance_correlation, kappa, share
from tumorboard.respond.cohort.compare import COLUMNS, LEAST_PATIENTS, METHODS, agreement, agreement_csv
from tumorboard.verdict import Category, Confirmed, TimeToProgression, Verdict

START = dt.date(2020, 1, 1)


def time(patient, criterion, days, event=True):
    return TimeToProgression(patient, criterion, START, START + dt.timedelta(days) if event else None, days, event)


def verdict(patient, criterion, day, category, imaging=None):
    one = Category(category)
    return Verdict(
        patient,
        START + dt.timedelta(day),
        criterion,
        one,
        one,
        Confirmed.NOT_REQUIRED,
        Category(imaging or category),
        None,
        "mm2",
        None,
        "",
        "",
    )


def found(rows, quantity):
    (estimate,) = [row.estimate for row in rows if row.quantity == quantity]
    return estimate


# days by each of two criteria; 0 for never
BOTH = [(100, 100), (150, 200), (90, 90), (0, 0), (0, 0), (300, 0), (0, 250), (120, 180), (400, 340), (210, 210)]


def two(pairs=BOTH):
    return [
        time(f"P{n}", criterion, days or 500, bool(days))
        for n, pair in enumerate(pairs)
        for criterion, days in zip(("rano-hgg", "volumetric"), pair, strict=True)
    ]


def test_shares_of_a_small_table():
    rows = agreement(two())
    assert found(rows, "same_outcome") == share(5, 10)
    assert found(rows, "same_date") == share(3, 8)


def test_days_are_compared_where_both_progressed():
    rows = agreement(two())
    first, second = zip(*[pair for pair in BOTH if all(pair)], strict=True)
    limits = bland_altman(first, second)
    assert found(rows, "ccc") == concordance_correlation(first, second)
    assert found(rows, "bias") == limits.bias
    assert found(rows, "bias").value == pytest.approx(np.subtract(first, second).mean())
    assert found(rows, "limit_lower") == limits.lower
    assert found(rows, "limit_upper") == limits.upper


def test_the_same_day_by_both_means_the_same_date():
    """Two starts: equal numbers of days are no equal dates."""
    times = two([(100, 100)] * 6)
    other = dt.date(2020, 2, 1)
    times[1] = TimeToProgression("P0", "volumetric", other, other + dt.timedelta(100), 100, True)
    assert found(agreement(times), "same_date") == share(5, 6)
    assert found(agreement(times), "same_outcome") == share(5, 6)


def test_patients_without_one_of_the_criteria_do_not_count():
    times = [*two(), time("X", "rano-hgg", 50), time("Y", "volumetric", 60)]
    assert agreement(times) == agreement(two())


def test_each_pair_of_criteria_has_every_quantity():
    times = [*two(), *(time(f"P{n}", "mrano", 90 + n) for n in range(10))]
    rows = agreement(times)
    pairs = [("rano-hgg", "volumetric"), ("rano-hgg", "mrano"), ("volumetric", "mrano")]
    assert [(r.criterion, r.other, r.quantity) for r in rows] == [(a, b, q) for a, b in pairs for q in METHODS]


@given(st.randoms())
@settings(max_examples=20)
def test_the_order_of_patients_does_not_matter(rng):
    times, verdicts = two(), many_verdicts(8)
    first, rest = times[:2], times[2:]  # which criterion comes first is told by the first rows
    shuffled = agreement([*first, *rng.sample(rest, len(rest))], rng.sample(verdicts, len(verdicts)))
    for a, b in zip(agreement(times, verdicts), shuffled, strict=True):
        assert a.estimate.value == pytest.approx(b.estimate.value, nan_ok=True)


def test_turning_criteria_round_turns_the_bias():
    there, back = agreement(two()), agreement(two([(b, a) for a, b in BOTH]))
    assert found(there, "bias").value == pytest.approx(-found(back, "bias").value)
    assert found(there, "limit_lower").value == pytest.approx(-found(back, "limit_upper").value)
    assert found(there, "ccc").value == pytest.approx(found(back, "ccc").value)


def test_too_few_patients_have_no_number():
    few = agreement(two(BOTH[: LEAST_PATIENTS - 1]), many_verdicts(LEAST_PATIENTS - 1))
    for row in few:
        assert not row.estimate.known
        assert f"at least {LEAST_PATIENTS} are needed" in row.estimate.reason
    enough = agreement(two([(100 + n, 100) for n in range(LEAST_PATIENTS)]), many_verdicts(LEAST_PATIENTS))
    assert found(enough, "same_date").known
    assert found(enough, "kappa").known
    assert found(enough, "ccc").reason == "one of the two does not vary"
    no_progression = agreement(two([(0, 0)] * 9))
    assert found(no_progression, "same_outcome").value == 1
    assert found(no_progression, "same_date").reason.startswith("0 patients who progressed by either")
    assert found(no_progression, "bias").reason.startswith("0 patients who progressed by both")


SAID = [("SD", "SD"), ("PD", "PD"), ("PR", "SD"), ("CR", "PR"), ("SD", "PD"), ("BL", "BL"), ("NE", "SD"), ("NE", "NE")]


def many_verdicts(patients):
    return [
        verdict(f"P{n}", criterion, 30 * k, said, "SD" if said == "NE" else said)
        for n in range(patients)
        for k, pair in enumerate(SAID)
        for criterion, said in zip(("rano-hgg", "volumetric"), pair, strict=True)
    ]


def test_categories_are_compared_visit_by_visit():
    rows = agreement(two(), many_verdicts(10))
    first, second = zip(*SAID[:5], strict=True)
    order = ["CR", "PR", "SD", "PD"]
    assert found(rows, "kappa").value == pytest.approx(kappa(first, second, order).value)
    assert found(rows, "kappa_linear").value == pytest.approx(kappa(first, second, order, "linear").value)
    assert found(rows, "kappa").n == 50
    assert found(rows, "judged_by_both") == share(50, 60)
    imaging = [*SAID[:5], ("SD", "SD"), ("SD", "SD")]
    first, second = zip(*imaging, strict=True)
    assert found(rows, "kappa_imaging").value == pytest.approx(kappa(first, second, order).value)
    assert found(rows, "kappa_imaging").n == 70


def test_a_category_that_occurs_takes_its_place_in_the_order():
    """A minor response only where it is used, a partial one always: complete and stable are two steps apart."""
    said = [("PR", "SD"), ("SD", "SD"), ("PD", "PD"), ("SD", "PD"), ("PR", "PR")]

    def weighted(pairs):
        made = [
            verdict(f"P{n}", c, 30 * k, one)
            for n in range(9)
            for k, pair in enumerate(pairs)
            for c, one in zip(("rano-hgg", "volumetric"), pair, strict=True)
        ]
        return found(agreement(two(), made), "kappa_linear").value

    first, second = zip(*said, strict=True)
    assert weighted(said) == pytest.approx(kappa(first, second, ["PR", "SD", "PD"], "linear").value)
    none_partial = [("CR", "SD"), ("CR", "SD"), ("PD", "PD"), ("SD", "PD"), ("CR", "CR")]
    first, second = zip(*none_partial, strict=True)
    assert weighted(none_partial) == pytest.approx(kappa(first, second, ["CR", "PR", "SD", "PD"], "linear").value)
    first, second = zip(*said, ("MR", "MR"), strict=True)
    assert weighted([*said, ("MR", "MR")]) == pytest.approx(
        kappa(first, second, ["PR", "MR", "SD", "PD"], "linear").value
    )


def test_other_visits_of_a_patient_do_not_narrow_the_interval():
    """Ten patients whose visits all say the same are ten witnesses, not a hundred."""
    rng = np.random.default_rng(0)
    said = [(("SD", "PD")[rng.integers(2)], ("SD", "PD")[rng.integers(2)]) for _ in range(12)]
    made = {
        visits: [
            verdict(f"P{n}", c, 30 * k, one)
            for n, pair in enumerate(said)
            for k in range(visits)
            for c, one in zip(("rano-hgg", "volumetric"), pair, strict=True)
        ]
        for visits in (1, 10)
    }
    one, ten = (found(agreement(two(), made[visits]), "kappa") for visits in (1, 10))
    assert (one.low, one.high) == pytest.approx((ten.low, ten.high))


def test_what_is_there_twice_is_refused_without_its_name():
    with pytest.raises(InputError) as refused:
        agreement([*two(), time("P0", "volumetric", 77)])
    assert "P0" not in str(refused.value)
    with pytest.raises(InputError) as refused:
        agreement(two(), [*many_verdicts(1), many_verdicts(1)[0]])
    assert not {"P0", "2020"} & set(str(refused.value).split())


def test_nothing_to_compare_gives_no_rows():
    assert agreement([]) == ()
    assert agreement([time("P0", "volumetric", 90)]) == ()


def test_the_table_holds_every_row_and_no_patient():
    rows = agreement(two(), many_verdicts(10))
    text = agreement_csv(rows, digital=True)
    read = list(csv.DictReader(io.StringIO(text)))
    assert tuple(read[0]) == COLUMNS
    assert len(read) == len(rows)
    assert {row["digital"] for row in read} == {"1"}
    assert {row["digital"] for row in csv.DictReader(io.StringIO(agreement_csv(rows, digital=False)))} == {"0"}
    assert "P1" not in text
    assert "2020-" not in text
    for row, cells in zip(rows, read, strict=True):
        assert (cells["value"] != "") == row.estimate.known == (cells["status"] == "ok")
        assert row.estimate.known or cells["reason"]
        assert not row.estimate.known or float(cells["value"]) == row.estimate.value
    missing = list(csv.DictReader(io.StringIO(agreement_csv(agreement(two(BOTH[:2])), digital=False))))
    assert {(row["value"], row["lower"], row["status"]) for row in missing} == {("", "", "not_assessable")}
