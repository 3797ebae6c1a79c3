"""Brain metastasis velocity: from numbers, and from a course."""

import datetime as dt
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tumorboard.errors import InputError
from tumorboard.respond.indices import assess
from tumorboard.respond.indices.velocity import DAYS_A_YEAR, first_radiosurgery, velocity, velocity_of_course
from tumorboard.respond.visits import Compartment, Course, Kind, Seen, Visit
from tumorboard.study import Event, EventKind

SRS = dt.date(2021, 1, 1)


def visit(days: int, *new: str, old: tuple[str, ...] = (), evaluable: bool = True) -> Visit:
    lesions = [Seen(name, Compartment.CE, new=True) for name in new] + [Seen(name, Compartment.CE) for name in old]
    return Visit(SRS + dt.timedelta(days=days), Kind.FOLLOWUP, tuple(lesions), evaluable=evaluable)


def course(*visits: Visit) -> Course:
    return Course("P01", visits)


# --- from numbers -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("count", "years", "group"),
    [
        (1, 1, "< 4"),
        (399, 100, "< 4"),
        (4, 1, "4-13"),
        (2, 0.5, "4-13"),
        (13, 1, "4-13"),
        (651, 50, "> 13"),
        (14, 1, "> 13"),
        (7, 0.5, "> 13"),
    ],
)
def test_every_class_at_its_ends(count, years, group):
    result = velocity(count, years)
    assert result.value == pytest.approx(count / years)
    assert result.group == group
    assert result.unit == "/a"
    assert group in result.sentence
    assert result.unverified == ()


@given(st.integers(0, 50), st.integers(0, 50), st.floats(0.01, 20), st.floats(0.01, 20))
def test_more_metastases_and_less_time_are_never_slower(few, more, short, long):
    few, more = sorted((few, more))
    short, long = sorted((short, long))
    order = ["< 4", "4-13", "> 13"]
    assert velocity(few, short).value <= velocity(more, short).value
    assert velocity(more, long).value <= velocity(more, short).value
    assert order.index(velocity(few, long).group) <= order.index(velocity(more, short).group)


@pytest.mark.parametrize(("count", "years"), [(None, 1), (3, None), (None, None), ("unknown", "0.5")])
def test_what_is_missing_leaves_every_class_possible(count, years):
    result = velocity(count, years)
    assert (result.value, result.group) == (None, None)
    assert result.missing == tuple(
        n for n, v in (("new_metastases", count), ("years", years)) if v in (None, "unknown")
    )
    assert result.possible_groups == ("< 4", "4-13", "> 13")
    assert "not assessable" in result.sentence


def test_no_time_has_no_velocity():
    result = velocity(2, 0)
    assert (result.value, result.missing) == (None, ())
    assert "no time has passed" in result.sentence


@pytest.mark.parametrize(("count", "months"), [(1, 12.4), (8, 8.2), (20, 4.3), (0, None)])
def test_months_only_where_they_are_asked_for_and_something_came(count, months):
    assert velocity(count, 1).months is None
    assert velocity(count, 1, months=True).months == months


def test_digital_patients_have_no_months():
    with pytest.raises(InputError, match="digital patient"):
        velocity(1, 1, months=True, digital=True)
    with pytest.raises(InputError, match="digital patient"):
        velocity_of_course(course(), None, months=True, digital=True)


@pytest.mark.parametrize(("count", "years"), [(-1, 1), (1.5, 1), (1, -0.1), (1, 121), ("some", 1)])
def test_bad_input_is_refused(count, years):
    with pytest.raises(InputError):
        velocity(count, years)


def test_by_its_name():
    assert assess("bmv", {"new_metastases": "3", "years": "0.5"}) == velocity(3, 0.5)
    assert assess("bmv", {"years": 1}) == velocity(None, 1)
    with pytest.raises(InputError, match="new_metastases"):
        assess("bmv", {"metastases": 1})
    assert json.loads(json.dumps(velocity(3, 0.5).as_dict()))["value"] == 6.0


# --- from a course ----------------------------------------------------------------------------------------------


def test_the_first_new_lesions_decide_the_day():
    """Two at day 90, one more at day 180: two in 90 days, as at the first distant failure."""
    seen = course(visit(30, old=("a",)), visit(90, "b", "c", old=("a",)), visit(180, "d", old=("a", "b", "c")))
    assert velocity_of_course(seen, SRS).value == pytest.approx(2 / (90 / DAYS_A_YEAR))


def test_another_day_counts_all_since():
    seen = course(visit(90, "b", "c"), visit(180, "d"))
    at = SRS + dt.timedelta(days=180)
    assert velocity_of_course(seen, SRS, at=at).value == pytest.approx(3 / (180 / DAYS_A_YEAR))
    later = SRS + dt.timedelta(days=360)
    assert velocity_of_course(seen, SRS, at=later).value == pytest.approx(3 / (360 / DAYS_A_YEAR))


def test_a_lesion_counts_once_however_often_it_is_marked():
    first = velocity_of_course(course(visit(90, "b"), visit(180, "b")), SRS)
    assert first.facts == {"new_metastases": 1.0, "years": pytest.approx(90 / DAYS_A_YEAR)}
    at = SRS + dt.timedelta(days=180)
    assert velocity_of_course(course(visit(90, "b"), visit(180, "b")), SRS, at=at).facts["new_metastases"] == 1


def test_lesions_of_before_and_of_the_day_itself_do_not_count():
    seen = course(visit(-60, "a"), visit(0, "b"), visit(100, "c"))
    result = velocity_of_course(seen, SRS)
    assert result.facts == {"new_metastases": 1.0, "years": pytest.approx(100 / DAYS_A_YEAR)}


def test_visits_that_cannot_be_read_do_not_count():
    seen = course(visit(50, "a", evaluable=False), visit(100, "b"))
    assert velocity_of_course(seen, SRS).facts["years"] == pytest.approx(100 / DAYS_A_YEAR)
    assert velocity_of_course(seen, SRS).facts["new_metastases"] == 1


def test_nothing_new_is_a_velocity_of_0_at_the_last_visit():
    result = velocity_of_course(course(visit(50, old=("a",)), visit(100, old=("a",))), SRS, months=True)
    assert (result.value, result.group, result.months) == (0.0, "< 4", None)
    assert result.facts["years"] == pytest.approx(100 / DAYS_A_YEAR)


@pytest.mark.parametrize(
    ("visits", "since"),
    [((), SRS), ((visit(-10, "a"),), SRS), ((visit(10, "a"),), None), ((visit(10, "a", evaluable=False),), SRS)],
)
def test_without_a_radiosurgery_or_a_visit_after_it_there_is_none(visits, since):
    result = velocity_of_course(course(*visits), since)
    assert result.value is None
    assert result.missing == ("new_metastases", "years")


@pytest.mark.parametrize(
    ("value", "detail", "counts"),
    [
        ("20", "SRS", True),
        ("20", "Gamma Knife, right frontal", True),
        ("stereotactic", "", True),
        ("24", "radiosurgery", True),
        ("30", "whole brain", False),
        ("60", "30 fractions", False),
        ("", "", False),
    ],
)
def test_which_radiotherapy_is_radiosurgery(value, detail, counts):
    event = Event(SRS, EventKind.RADIOTHERAPY, value=value, detail=detail)
    assert first_radiosurgery([event]) == (SRS if counts else None)


def test_only_radiotherapy_is_radiosurgery_and_the_first_counts():
    late = Event(dt.date(2022, 1, 1), EventKind.RADIOTHERAPY, detail="SRS")
    first = Event(SRS, EventKind.RADIOTHERAPY, detail="SRS")
    talk = Event(dt.date(2020, 1, 1), EventKind.CLINICAL, detail="SRS was discussed")
    assert first_radiosurgery([late, talk, first]) == SRS
    assert first_radiosurgery([talk]) is None


def test_a_result_holds_no_date():
    assert "2021" not in json.dumps(velocity_of_course(course(visit(90, "b")), SRS).as_dict()).replace("2017", "")
