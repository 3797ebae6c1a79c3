"""Dates move, differences stay."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tumorboard.deidentify.dates import cap_age, clean_time, shift_date, shift_datetime, shift_moment

DATES = st.dates(dt.date(1900, 1, 1), dt.date(2100, 12, 31))
DAYS = st.integers(-3650, -1)
TIMES = st.sampled_from(["", "10", "1015", "101530", "101530.25", "235959.999999"])


def written(date: dt.date) -> str:
    return date.strftime("%Y%m%d")


@given(DATES, DATES, DAYS)
def test_differences_between_dates_are_kept(one, other, days):
    moved = [dt.date.fromisoformat(shift_date(written(d), days)) for d in (one, other)]
    assert moved[0] - moved[1] == one - other
    assert moved[0] < one


@given(DATES, DAYS)
def test_a_shift_and_back_is_nothing(date, days):
    assert shift_date(shift_date(written(date), days), -days) == written(date)


@given(DATES, DAYS, TIMES, st.sampled_from(["", "+0000", "-0430", "+0900"]))
def test_a_date_and_time_moves_as_its_date_does_and_loses_its_place_on_earth(date, days, time, offset):
    assert shift_datetime(written(date) + time + offset, days) == shift_date(written(date), days) + time


@given(st.text(max_size=30), DAYS, st.sampled_from(["DA", "DT", "TM"]))
def test_nothing_but_digits_and_dots_comes_out(text, days, vr):
    assert set(shift_moment(text, vr, days)) <= set("0123456789.:")


@pytest.mark.parametrize(
    "text", ["20230229", "00000000", "00010101", "2024", "202401", "20240101-20240201", "٢٠٢٤٠١٠١"]
)
def test_what_is_no_day_is_emptied(text):
    assert shift_date(text, -400) == ""
    assert shift_datetime(text, -400) == ""


def test_dates_of_the_old_standard_are_understood():
    assert shift_date("2024.03.01", -1) == "20240229"


@pytest.mark.parametrize(
    ("text", "kept"),
    [("089Y", "089Y"), ("090Y", "090Y"), ("103Y", "090Y"), ("999M", "999M"), ("006W", "006W"), ("61Y", ""), ("", "")],
)
def test_ages(text, kept):
    assert cap_age(text) == kept


@pytest.mark.parametrize(
    ("text", "kept"), [("101530", "101530"), ("10:15:30", "10:15:30"), ("Doe", ""), ("1015Doe", "")]
)
def test_times(text, kept):
    assert clean_time(text) == kept
