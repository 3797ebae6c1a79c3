"""What happened to the patients of a cohort, by words: who had bevacizumab, and since when.

Why it exists: "the last study before bevacizumab" is an image that a recipe asks for, and "everyone who had it" is a
cohort. Words are those of the table of events; a kind of event is a word too.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from tumorboard.intake.events import read_events
from tumorboard.lab.cohort.sheets import bare
from tumorboard.study import Event

Happened = Mapping[str, tuple[Event, ...]]
"""Events by patient, in order of date."""


def read_happened(path: Path) -> Happened:
    """Read a table of events.

    Raises
    ------
    EventsError
        A row that cannot be read for certain; it is named.
    """
    found: dict[str, list[Event]] = {}
    for patient, event in read_events(path):
        found.setdefault(bare(patient), []).append(event)
    return {p: tuple(sorted(e, key=lambda one: one.date)) for p, e in found.items()}


def is_called(event: Event, word: str) -> bool:
    """Whether an event is of a kind or names a word.

    Examples
    --------
    >>> from tumorboard.study import EventKind
    >>> event = Event(dt.date(2000, 1, 3), EventKind.DRUG, detail="bevacizumab, every 2 weeks")
    >>> is_called(event, "drug"), is_called(event, "Bevacizumab"), is_called(event, "beva")
    (True, True, False)
    """
    small = word.strip().lower()
    if small == event.kind.value:
        return True
    return re.search(rf"\b{re.escape(small)}\b", f"{event.value} {event.detail}".lower()) is not None


def began(events: Iterable[Event], word: str) -> dt.date | None:
    """Return when something first happened; None where it never did."""
    return next((e.date for e in events if is_called(e, word)), None)
