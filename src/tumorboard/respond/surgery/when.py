"""Whether an extent of resection can be told from two studies at all, and if not, why.

Why it exists: days after an operation its wound enhances like tumour, and methaemoglobin is as bright as contrast
agent. A number from the wrong study looks like any other, so it is not made.

Source: within 72 h - Rykkje AM et al., Diagnostics 2021;11:1344 (its abstract was read: the window is what is
recommended; enhancement from the operation itself occurs within it too, least on the first two days).
"""

from __future__ import annotations

from collections.abc import Sequence as Many

from tumorboard.respond.surgery.model import Operated
from tumorboard.sequences import Sequence
from tumorboard.study import Event, EventKind

WINDOW_H = 72
"""Latest study after an operation, hours."""

WINDOW_DAYS = WINDOW_H // 24
"""The same between two dates, which carry no hour: three days may be 48 to 96 hours, four are certainly too many."""

ABSENT = {
    "before": "no dated study from before the operation",
    "after": "no dated study from after the operation",
}
"""Why nothing can be said where a side is not there."""


def why_not(
    before: Operated | None, after: Operated | None, surgery: Event | None, events: Many[Event] = ()
) -> tuple[str, ...]:
    """Return every reason why what was removed cannot be told; none when it can.

    Parameters
    ----------
    before, after : Operated or None
        The studies, where there are any.
    surgery : Event or None
        The operation.
    events : sequence of Event
        All of the patient's, to see whether further operations lie between the studies.
    """
    if surgery is None:
        return ("no operation is recorded among the patient's events",)
    if before is None or after is None:
        return tuple(ABSENT[when] for when, side in (("before", before), ("after", after)) if side is None)
    return (*_of_dates(before, after, surgery, events), *_of_sequences(after))


def _of_dates(before: Operated, after: Operated, surgery: Event, events: Many[Event]) -> list[str]:
    if before.date is None or after.date is None:
        return ["a study has no date, so its time from the operation is unknown"]
    reasons = []
    if before.date > surgery.date:
        reasons.append("the study that should show the tumour before the operation was made after it")
    days = (after.date - surgery.date).days
    if days < 0:
        reasons.append("too early: the study that should show what is left was made before the operation")
    if days == 0 and not _has_cavity(after):
        reasons.append("too early: the study of the day of the operation shows no cavity, and may be from before it")
    if days > WINDOW_DAYS:
        reasons.append(
            f"too late: the study was made {days} days after the operation, and within {WINDOW_H} h is asked; later, "
            "the wound itself enhances"
        )
    others = {e for e in events if e.kind is EventKind.SURGERY and e != surgery}
    between = sum(before.date < e.date <= after.date for e in others)
    if between:
        reasons.append(f"several operations ({between + 1}) lie between the two studies")
    return reasons


def _has_cavity(after: Operated) -> bool:
    return bool(after.measured("volume", "RC", "mL").value)


def _of_sequences(after: Operated) -> list[str]:
    lacking = [s.value for s in (Sequence.T1, Sequence.T1C) if s not in after.study.volumes]
    if not lacking:
        return []
    why = "blood cannot be told from enhancement without both T1 before contrast agent and T1C"
    return [f"no {' and no '.join(lacking)} after the operation: {why}"]


def is_biopsy(surgery: Event | None) -> bool:
    """Whether an operation only took a sample, by what was written: its value, else its detail.

    Examples
    --------
    >>> import datetime as dt
    >>> day = dt.date(2000, 1, 7)
    >>> [is_biopsy(Event(day, EventKind.SURGERY, value=v, detail=d)) for v, d in (
    ...     ("biopsy", ""), ("", "stereotactic Biopsie"), ("resection", "after a biopsy"), ("", ""))]
    [True, True, False, False]
    """
    if surgery is None:
        return False
    written = surgery.value.strip() or surgery.detail
    return "biops" in written.casefold()
