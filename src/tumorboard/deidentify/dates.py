"""Dates moved by whole days, and ages that cannot be read off a crowd.

Why it exists: the course of a disease is the differences between dates; the dates themselves say who it
was. One shift for all dates of a patient keeps the one and hides the other. Times of day stay.
"""

from __future__ import annotations

import datetime as dt
import re

OLDEST = 90
"""Ages from here on are written as this one; chosen, after the HIPAA Safe Harbor rule (45 CFR 164.514(b)(2))."""

_DATE = re.compile(r"(\d{4})\.?(\d{2})\.?(\d{2})", re.ASCII)
_TIME = re.compile(r"\d{2}(?::?\d{2}(?::?\d{2}(?:\.\d{1,6})?)?)?", re.ASCII)
_DATETIME = re.compile(r"(\d{8})(\d{2}(?:\d{2}(?:\d{2}(?:\.\d{1,6})?)?)?)?(?:[+-]\d{4})?", re.ASCII)
_AGE = re.compile(r"(\d{3})([DWMY])", re.ASCII)


def shift_date(text: str, days: int) -> str:
    """Move a DICOM date (DA, PS3.5 6.2) by whole days; empty where it is no date.

    Examples
    --------
    >>> shift_date("20240229", -365), shift_date("sometime", -1)
    ('20230301', '')
    """
    found = _DATE.fullmatch(text.strip("\0 "))
    if found is None:
        return ""
    try:
        year, month, day = (int(n) for n in found.groups())
        moved = dt.date(year, month, day) + dt.timedelta(days)
    except (ValueError, OverflowError):
        return ""
    return f"{moved.year:04d}{moved.month:02d}{moved.day:02d}"


def shift_datetime(text: str, days: int) -> str:
    """Move a DICOM date and time (DT); its offset from UTC goes, and so does one without a day.

    Examples
    --------
    >>> shift_datetime("20240301101530.25+0200", -1), shift_datetime("2024", -1)
    ('20240229101530.25', '')
    """
    found = _DATETIME.fullmatch(text.strip("\0 "))
    date = shift_date(found[1], days) if found else ""
    return date + (found[2] or "") if found and date else ""


def clean_time(text: str) -> str:
    """Return a time of day (TM) as it is; empty where it is none.

    Examples
    --------
    >>> clean_time("101530.25"), clean_time("at noon")
    ('101530.25', '')
    """
    plain = text.strip("\0 ")
    return plain if _TIME.fullmatch(plain) else ""


def shift_moment(text: str, vr: str, days: int) -> str:
    """Move whatever a value of VR DA, DT or TM holds."""
    if vr == "TM":
        return clean_time(text)
    return shift_date(text, days) if vr == "DA" else shift_datetime(text, days)


def cap_age(text: str) -> str:
    """Return an age (AS) with everything above 89 years as 90; empty where it is no age.

    Examples
    --------
    >>> cap_age("097Y"), cap_age("061Y"), cap_age("old")
    ('090Y', '061Y', '')
    """
    found = _AGE.fullmatch(text.strip("\0 "))
    if found is None:
        return ""
    years = int(found[1]) / {"D": 365.25, "W": 52.18, "M": 12.0, "Y": 1.0}[found[2]]
    return f"{OLDEST:03d}Y" if years >= OLDEST else found[0]
