"""Whoever writes a course in Python may write words as a table has them."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tumorboard.errors import InputError
from tumorboard.respond import CRITERIA, Course, Seen, Visit, judge, read_criterion
from tumorboard.respond.visits import Compartment, Kind, Role, Status, Trend

DAY = dt.date(2020, 1, 1)
sizes = st.lists(st.floats(5, 60), min_size=2, max_size=5)


def course(sizes, compartment, kinds, trend):
    visits = []
    for n, mm in enumerate(sizes):
        seen = Seen("A", compartment, mm, mm, mm**3 / 2000)
        visits.append(Visit(DAY + dt.timedelta(60 * n), kinds[n > 0], (seen,), trend, trend, 0.0))
    return Course("P1", tuple(visits))


@given(sizes, st.sampled_from(CRITERIA))
def test_words_are_judged_as_what_they_mean(sizes, name):
    plain = course(sizes, "ce", ("baseline", "followup"), "stable")
    typed = course(sizes, Compartment.CE, (Kind.BASELINE, Kind.FOLLOWUP), Trend.STABLE)
    criterion = read_criterion(name)
    assert plain == typed
    assert judge(plain, criterion) == judge(typed, criterion)


def test_words_of_lesions_are_taken_too():
    seen = Seen("A", "nce", role="target", status="worse")
    assert seen.compartment is Compartment.NCE
    assert seen.role is Role.TARGET
    assert seen.status is Status.WORSE


@pytest.mark.parametrize("given", [{"kind": "start"}, {"t2flair": "same"}, {"eye": "good"}, {"clinical": 1}])
def test_a_word_that_means_nothing_is_refused_with_those_that_do(given):
    with pytest.raises(InputError, match=f"expected {next(iter(given))} as one of"):
        Visit(**{"date": DAY, "kind": "baseline"} | given)
