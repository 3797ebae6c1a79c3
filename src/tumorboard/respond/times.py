"""Time to progression by one criterion.

Why it exists: the date of progression is what trials count, and every criterion has its own.
"""

from __future__ import annotations

from collections.abc import Sequence

from tumorboard.respond.visits import REFERENCES, Course
from tumorboard.verdict import Category, TimeToProgression, Verdict

STARTS = REFERENCES
"""Kinds of study from which time counts: the first of the first kind that there is."""


def time_to_progression(course: Course, verdicts: Sequence[Verdict]) -> TimeToProgression | None:
    """Return when a patient progressed, or until when there was no progression.

    Parameters
    ----------
    course : Course
        Gives the start: its first baseline study, else the first study after surgery, else after radiotherapy.
    verdicts : sequence of Verdict
        Of one criterion, in order of date.

    Returns
    -------
    TimeToProgression or None
        ``None`` without any reference study. Without progression, days run to the last visit that was evaluable.

    Examples
    --------
    >>> time_to_progression(Course("P1", ()), []) is None
    True
    """
    start = next((v.date for kind in STARTS for v in course.visits if v.kind is kind), None)
    if start is None or not verdicts:
        return None
    later = [v for v in verdicts if v.date >= start]
    progressed = next((v.date for v in later if v.category is Category.PD), None)
    seen = [v.date for v in later if v.category is not Category.NE]
    end = progressed or (seen[-1] if seen else start)
    return TimeToProgression(
        course.patient, verdicts[0].criterion, start, progressed, (end - start).days, progressed is not None
    )
