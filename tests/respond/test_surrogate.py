"""Whether progression tells survival: simulated cohorts with a known answer, and who counts at a landmark."""

from __future__ import annotations

import csv
import datetime as dt
import io

import numpy as np
import pytest

from tumorboard.errors import InputError
from tumorboard.metrics.survival.concordance import harrell_c
from tumorboard.respond.cohort.surrogate import (
    COLUMNS,
    LATEST_LOOK_DAYS,
    LEAST_DEATHS,
    LEAST_GROUP,
    METHODS,
    landmark,
    surrogate,
    surrogate_csv,
)
from tumorboard.respond.table.outcomes import Outcome
from tumorboard.verdict import TimeToProgression

START = dt.date(2020, 1, 1)


def time(n, days, event, criterion="volumetric"):
    seen = START + dt.timedelta(int(days)) if event else None
    return TimeToProgression(f"P{n}", criterion, START, seen, int(days), bool(event))


def cohort(effect, n=500, seed=0, every=60):
    """Progression multiplies the hazard of death; it is seen at the next visit; some are lost alive."""
    rng = np.random.default_rng(seed)
    progression, death, gone = rng.exponential(250, n), rng.exponential(500, n), rng.uniform(300, 1200, n)
    death = np.where(death > progression, progression + (death - progression) / effect, death)
    ends, dead = np.ceil(np.minimum(death, gone)), death <= gone
    seen = np.ceil(progression / every) * every
    last = np.maximum(np.ceil(ends / every) - 1, 0) * every
    times = [time(k, seen[k] if seen[k] < ends[k] else last[k], seen[k] < ends[k]) for k in range(n)]
    return times, [Outcome(f"P{k}", float(ends[k]), None, bool(dead[k])) for k in range(n)]


def found(rows, quantity, criterion="volumetric"):
    (row,) = [r for r in rows if r.quantity == quantity and r.criterion == criterion]
    return row


def test_a_harmless_progression_is_found_harmless():
    rows = surrogate(*cohort(1.0, 1500))
    for quantity in ("hr_progression", "landmark_hr"):
        one = found(rows, quantity)
        assert one.estimate.low <= 1 <= one.estimate.high < 1.5
        assert one.p > 0.05
    for quantity in ("c_index", "landmark_c_index"):
        one = found(rows, quantity).estimate
        assert one.low <= 0.5 <= one.high < one.low + 0.1


def test_the_last_visit_is_no_progression():
    """Whoever dies early has an early last visit: taken for its progression, a harmless one seems to tell survival."""
    times, outcomes = cohort(1.0, 1500)
    naive = harrell_c([o.days for o in outcomes], [o.dead for o in outcomes], [t.days for t in times])
    assert naive.low > 0.65
    assert found(surrogate(times, outcomes), "c_index").estimate.high < 0.55


def test_a_deadly_progression_is_found_deadly():
    rows = surrogate(*cohort(4.0))
    ratio = found(rows, "hr_progression").estimate
    assert 2.4 < ratio.value < 4.8
    assert found(rows, "landmark_hr").estimate.low > 1.5
    assert found(rows, "landmark_c_index").estimate.low > 0.5
    assert found(rows, "c_index").estimate.value > found(surrogate(*cohort(1.0)), "c_index").estimate.value + 0.1
    progressed, free = (found(rows, f"landmark_median_{name}").estimate for name in ("progressed", "free"))
    assert progressed.high < free.value


def test_a_criterion_that_tells_more_has_the_larger_numbers():
    times, outcomes = cohort(4.0)
    rng = np.random.default_rng(1)
    noisy = [
        TimeToProgression(t.patient, "noisy", t.start, t.progression, t.days, t.event)
        if rng.random() < 0.4
        else TimeToProgression(t.patient, "noisy", t.start, None, t.days, False)
        for t in times
    ]
    rows = surrogate([*times, *noisy], outcomes)
    assert found(rows, "hr_progression").estimate.value > found(rows, "hr_progression", "noisy").estimate.value + 0.5


def test_the_c_index_leaves_out_pairs_of_unknown_order():
    times, outcomes = cohort(2.0, 60)
    days, dead = [o.days for o in outcomes], [o.dead for o in outcomes]
    expected = harrell_c(days, dead, [t.days for t in times], [t.event for t in times])
    assert found(surrogate(times, outcomes), "c_index").estimate == expected
    assert expected.value != harrell_c(days, dead, [t.days for t in times]).value


def test_last_dates_and_days_are_the_same():
    times, outcomes = cohort(2.0, 80)
    dated = [Outcome(o.patient, None, START + dt.timedelta(int(o.days)), o.dead) for o in outcomes]
    assert surrogate(times, dated) == surrogate(times, outcomes)


def test_several_landmarks_each_have_their_rows():
    rows = surrogate(*cohort(2.0), landmarks_days=(120, 300))
    assert [r.landmark_days for r in rows if r.quantity == "landmark_hr"] == [120, 300]
    assert [r.landmark_days for r in rows if r.quantity in ("c_index", "hr_progression")] == [None, None]
    assert {r.quantity for r in rows} == set(METHODS)


# progression or last look, progressed?, survival, in the landmark at 183 days?, in which group
LANDMARK = [
    (100, True, 400, True, True),
    (183, True, 184, True, True),
    (184, True, 400, True, False),  # progressed after it
    (300, False, 400, True, False),
    (100, True, 183, False, None),  # died on the day
    (100, True, 150, False, None),
    (183 - LATEST_LOOK_DAYS, False, 400, True, False),
    (183 - LATEST_LOOK_DAYS - 1, False, 400, False, None),  # nobody looked for too long
    (0, False, 900, False, None),
]


@pytest.mark.parametrize("dead", [True, False])
@pytest.mark.parametrize(("days", "event", "ends", "inside", "progressed"), LANDMARK)
def test_who_counts_at_a_landmark(days, event, ends, inside, progressed, dead):
    at = landmark([time(0, days, event)], [Outcome("P0", float(ends), None, dead)], "volumetric", 183)
    assert len(at.days) == inside
    if inside:
        assert (at.days[0], at.dead[0], at.progressed[0]) == (ends - 183, dead, progressed)
        assert at.free_days[0] == (days if progressed else 184)


def test_what_comes_after_a_landmark_does_not_choose_its_groups():
    """Later visits and later progression of a patient who is free at the landmark change nothing."""
    times, outcomes = cohort(3.0)
    later = [t if t.days <= 183 else time(int(t.patient[1:]), 184, False) for t in times]
    a, b = (
        {r.quantity: r.estimate for r in surrogate(some, outcomes) if r.landmark_days is not None}
        for some in (times, later)
    )
    assert a == b


def test_too_few_have_no_number():
    times, outcomes = cohort(2.0, 30)
    lived = [Outcome(o.patient, o.days, None, o.dead and n < 8) for n, o in enumerate(outcomes)]
    deaths = sum(o.dead for o in lived)
    assert deaths < LEAST_DEATHS
    rows = surrogate(times, lived)
    for quantity in ("c_index", "hr_progression", "landmark_hr", "landmark_c_index"):
        one = found(rows, quantity)
        assert not one.estimate.known
        assert one.p is None
        assert "are needed" in one.estimate.reason
    assert found(rows, "c_index").estimate.reason == f"{deaths} deaths; at least {LEAST_DEATHS} are needed"


def test_one_empty_group_has_no_ratio():
    times, outcomes = cohort(2.0)
    never = [TimeToProgression(t.patient, t.criterion, t.start, None, t.days, False) for t in times]
    rows = surrogate(never, outcomes)
    assert found(rows, "hr_progression").estimate.reason == f"0 patients progressed; at least {LEAST_GROUP} are needed"
    assert found(rows, "landmark_hr").estimate.reason == f"0 patients progressed; at least {LEAST_GROUP} are needed"
    assert found(rows, "landmark_median_progressed").estimate.reason.startswith("0 patients")
    assert found(rows, "landmark_median_free").estimate.known
    at_once = [time(int(t.patient[1:]), min(t.days, 60), True) for t in times]
    assert "0 patients free" in found(surrogate(at_once, outcomes), "landmark_hr").estimate.reason


def test_deaths_only_after_progression_have_no_ratio():
    times = [time(n, 60 + n, n < 20) for n in range(40)]
    outcomes = [Outcome(f"P{n}", 200.0 + n, None, n < 20) for n in range(40)]
    one = found(surrogate(times, outcomes), "hr_progression")
    assert "not finite" in one.estimate.reason
    assert one.p is None


def test_patients_without_an_outcome_are_left_out():
    times, outcomes = cohort(2.0, 100)
    assert surrogate(times, outcomes[:80]) == surrogate(times[:80], outcomes[:80])
    with pytest.raises(InputError, match="got none"):
        surrogate(times, [Outcome("somebody else", 100.0, None, True)])


def test_survival_that_ends_before_the_visits_is_refused():
    """Months instead of days, or another start; the message counts patients and names none."""
    times, outcomes = cohort(2.0, 50)
    months = [Outcome(o.patient, o.days / 30.4, None, o.dead) for o in outcomes]
    with pytest.raises(InputError, match=r"less for \d+ patients") as refused:
        surrogate(times, months)
    assert not any(o.patient in str(refused.value).split() for o in outcomes)
    rounded = [Outcome("P0", 119.5, None, True)]
    assert surrogate([time(0, 120, True)], rounded)
    with pytest.raises(InputError, match="less for 1 patients"):
        surrogate([time(0, 120, True)], [Outcome("P0", 119.0, None, True)])


def test_what_is_there_twice_is_refused():
    times, outcomes = cohort(2.0, 20)
    with pytest.raises(InputError, match="one outcome a patient"):
        surrogate(times, [*outcomes, outcomes[0]])
    with pytest.raises(InputError, match="one time to progression"):
        surrogate([*times, times[0]], outcomes)
    with pytest.raises(InputError, match="after the start"):
        surrogate(times, outcomes, landmarks_days=(0,))
    with pytest.raises(InputError, match="criterion"):
        landmark(times, outcomes, "mrano")


def test_the_table_holds_every_row_and_no_patient():
    rows = surrogate(*cohort(3.0, 120), landmarks_days=(120, 183))
    text = surrogate_csv(rows, digital=True)
    read = list(csv.DictReader(io.StringIO(text)))
    assert tuple(read[0]) == COLUMNS
    assert [(r["criterion"], r["quantity"]) for r in read] == [(r.criterion, r.quantity) for r in rows]
    assert {r["digital"] for r in read} == {"1"}
    assert {r["landmark_days"] for r in read} == {"", "120", "183"}
    assert "P1" not in text
    for row, cells in zip(rows, read, strict=True):
        assert (cells["p"] != "") == (row.p is not None)
        assert (cells["value"] != "") == (cells["status"] == "ok") == row.estimate.known
