"""From a table of events to what criteria ask of a day: steroids, clinical state, radiotherapy, drugs, kind of study.

Why it exists: people write what happened; a criterion asks what held on the day of the images. What nobody wrote is
not known (``None``) and never a default. Words that the tables of ``drugs.toml`` do not hold are told, never guessed.

Source: RANO-HGG for clinical deterioration (Wen 2010, as recalled); other numbers are chosen, see :class:`FactRules`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from tumorboard.respond.drugs import drug_classes, is_number, plain_words, says, vocabulary, whole_word
from tumorboard.respond.visits import REFERENCES, Kind, SteroidReason, Trend
from tumorboard.study import Event, EventKind

__all__ = ["RULES", "FactRules", "Facts", "drug_classes", "facts_of", "kinds_of"]


@dataclass(frozen=True)
class FactRules:
    """How events become facts.

    Parameters
    ----------
    version, source : str
        Of these numbers.
    post_op_days : int
        A study so many days after surgery at most shows what is left (72 h).
    post_rt_days : int
        A study so many days after the first radiotherapy at most is the new reference (12 weeks).
    clinical_days : int
        A clinical state counts for images so many days before or after it.
    kps_high, kps_low : int
        A fall from the first or more to the second or less is deterioration ...
    kps_from, kps_fall : int
        ... and a fall of the second from the first or less ...
    kps_any : int
        ... and a fall to this or less.
    unverified : tuple of str
        Settings that were not read in a primary source.
    """

    version: str = "2025-1"
    source: str = "RANO-HGG (Wen 2010), as recalled; days chosen"
    post_op_days: int = 3
    post_rt_days: int = 84
    clinical_days: int = 14
    kps_high: int = 90
    kps_low: int = 70
    kps_from: int = 80
    kps_fall: int = 20
    kps_any: int = 50
    unverified: tuple[str, ...] = ("post_rt_days", "clinical_days", "kps")

    def fell(self, reference: int, now: int) -> bool:
        """Return whether a Karnofsky performance status (%) fell as far as deterioration asks.

        Examples
        --------
        >>> [FactRules().fell(*pair) for pair in ((90, 70), (90, 80), (80, 60), (60, 50), (50, 50))]
        [True, False, True, True, False]
        """
        return (
            (reference >= self.kps_high and now <= self.kps_low)
            or (reference <= self.kps_from and reference - now >= self.kps_fall)
            or (now <= self.kps_any and now < reference)
        )


RULES = FactRules()

ENDED = "none"
"""What is said of drugs when all that were begun have ended."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What events say of one day of images; the fields are those of :class:`tumorboard.respond.visits.Visit`."""

    kind: Kind
    clinical: Trend | None = None
    t2flair: Trend | None = None
    dexamethasone_mg: float | None = None
    steroid_reason: SteroidReason | None = None
    rt_end: dt.date | None = None
    drug: str = ""
    drug_start: dt.date | None = None


def facts_of(
    dates: Sequence[dt.date], events: Iterable[Event], usable: Sequence[bool] = (), rules: FactRules = RULES
) -> tuple[tuple[Facts, ...], tuple[str, ...]]:
    """Return the facts of each study and what could not be read.

    Parameters
    ----------
    dates : sequence of date
        Of the studies, in order.
    events : iterable of Event
        Of the patient, in any order.
    usable : sequence of bool
        Which studies can be compared with at all; the others are follow-ups. Empty means all.
    rules : FactRules
        Numbers of days and of Karnofsky performance status.

    Returns
    -------
    facts : tuple of Facts
        One for each study.
    warnings : tuple of str
        What is unknown and how to tell it; no dates, no cells of the table.

    Examples
    --------
    >>> day = dt.date(2000, 1, 1)
    >>> told = [Event(day, EventKind.STEROID, None, "5", "mg/d", "prednisolone"), Event(day, EventKind.KPS, None, "90")]
    >>> facts_of([day], told)[0][0].dexamethasone_mg
    0.75
    """
    ordered = sorted(events, key=lambda e: (e.date, e.end_date or dt.date.max, e.kind, e.value, e.unit, e.detail))
    by_kind = {kind: [e for e in ordered if e.kind is kind] for kind in EventKind}
    told: list[str] = []
    able = usable or [True] * len(dates)
    named = iter(kinds_of([d for d, u in zip(dates, able, strict=True) if u], ordered, rules, told))
    kinds = [next(named) if u else Kind.FOLLOWUP for u in able]
    states = _clinical_states(dates, kinds, by_kind, rules, told)
    readings = [e for e in by_kind[EventKind.CLINICAL] if _of_images(e)]
    found = []
    for date, kind, clinical in zip(dates, kinds, states, strict=True):
        dose, reason = _steroids(date, by_kind[EventKind.STEROID], told)
        drug, start = _drugs(date, by_kind[EventKind.DRUG])
        t2flair = _trend(_nearest(date, readings, rules), told)
        rt_end = _rt_end(date, by_kind[EventKind.RADIOTHERAPY], told)
        found.append(Facts(kind, clinical, t2flair, dose, reason, rt_end, drug, start))
    return tuple(found), tuple(dict.fromkeys(told))


# --- kind of study -----------------------------------------------------------------------------------------------


def kinds_of(dates: Sequence[dt.date], events: Sequence[Event], rules: FactRules, told: list[str]) -> tuple[Kind, ...]:
    """Return what each study is in the course.

    The first is the baseline. The first within 72 h after surgery is post-operative, but not on its day, when nobody
    knows which came first; once radiotherapy has begun a biopsy no longer counts as surgery, because it takes nothing
    away. The first within 12 weeks after the end of the first radiotherapy is post-radiotherapy; radiosurgery is not
    meant, as metastases are compared with what was there before it. Any other is a follow-up.

    Parameters
    ----------
    dates : sequence of date
        Of the studies, in order.
    events : sequence of Event
        In order of date.
    rules : FactRules
        Days.
    told : list of str
        Takes warnings.

    Examples
    --------
    >>> days = [dt.date(2000, 1, n) for n in (1, 5, 20)]
    >>> [k.value for k in kinds_of(days, [Event(days[1] - dt.timedelta(1), EventKind.SURGERY)], RULES, [])]
    ['baseline', 'post_op', 'followup']
    """
    kinds = [Kind.BASELINE if n == 0 else Kind.FOLLOWUP for n in range(len(dates))]
    courses = [e for e in events if e.kind is EventKind.RADIOTHERAPY and not _is(e, "radiosurgery")]
    first = courses[0] if courses else None
    for surgery in _surgeries(events, first):
        after = _next(dates, surgery.date)
        if after and (dates[after] - surgery.date).days <= rules.post_op_days:
            kinds[after] = Kind.POST_OP
        elif after and not _is_biopsy(surgery):
            told.append(
                "no study within 72 h after surgery: what surgery removed may look like a response in later studies"
            )
    end = None if first is None else _end_of(first)
    if end is not None:
        after = _next(dates, end)
        if after and kinds[after] is Kind.FOLLOWUP and (dates[after] - end).days <= rules.post_rt_days:
            kinds[after] = Kind.POST_RT
    return tuple(kinds)


def _next(dates: Sequence[dt.date], day: dt.date) -> int:
    """Return the place of the next study after a day; 0, the baseline's, where there is none."""
    return next((n for n, date in enumerate(dates) if date > day), 0)


def _surgeries(events: Sequence[Event], radiotherapy: Event | None) -> Iterator[Event]:
    for event in events:
        late = radiotherapy is not None and event.date >= radiotherapy.date
        if event.kind is EventKind.SURGERY and not (late and _is_biopsy(event)):
            yield event


def _is_biopsy(event: Event) -> bool:
    words = vocabulary()["words"]["biopsy"]
    return says(event.value, words) or (not event.value and says(event.detail, words))


def _is(event: Event, group: str) -> bool:
    """Return whether a radiotherapy is of a group of the table."""
    return says(f"{event.value};{event.detail}", vocabulary()["radiotherapy"][group])


def _end_of(event: Event) -> dt.date | None:
    """Return the last day of a radiotherapy; one session ends on the day it begins."""
    one_day = event.end_date is None and (_is(event, "radiosurgery") or _is(event, "single_day"))
    return event.date if one_day else event.end_date


def _rt_end(day: dt.date, courses: Sequence[Event], told: list[str]) -> dt.date | None:
    begun = [e for e in courses if e.date <= day]
    if not begun:
        return None
    end = _end_of(begun[-1])
    if end is None:
        told.append("radiotherapy without its end: the window after it is unknown; write end_date")
    return end


# --- steroids ----------------------------------------------------------------------------------------------------


def _steroids(day: dt.date, events: Sequence[Event], told: list[str]) -> tuple[float | None, SteroidReason | None]:
    """Return the dose of a day in mg of dexamethasone, and why it is given.

    A row holds until its last day or the next row; one of another steroid does not replace a row whose last day is
    written. After the last day nothing is given; before the first row nobody knows.
    """
    begun = [e for e in events if e.date <= day]
    if not begun:
        if events:
            told.append("the steroid dose is unknown before the first row of it: write 0 mg/d where none was given")
        return None, None
    held = [e for e in begun if (e.end_date is None or day <= e.end_date) and not _replaced(e, begun)]
    doses: dict[str, set[float | None]] = {}
    for event in held:
        doses.setdefault(_steroid(event), set()).add(_dose(event))
    if any(len(d) > 1 or None in d for d in doses.values()):
        told.append(
            "a steroid dose cannot be read and is unknown: write one row a dose, with a number, mg/d or g/d as unit, "
            "and the name of the steroid in detail"
        )
        return None, None
    if any(name not in ("", "dexamethasone") and dose for name, values in doses.items() for dose in values):
        told.append("doses of other steroids were converted to dexamethasone; the factors are unverified")
    total = float(sum(dose for values in doses.values() for dose in values if dose is not None))
    return total, _reason(held) if total else None


def _replaced(event: Event, begun: Sequence[Event]) -> bool:
    mine = _steroid(event)
    return any(o.date > event.date and (event.end_date is None or _steroid(o) in ("", mine)) for o in begun)


def _steroid(event: Event) -> str:
    """Return the one steroid that a row names; empty for none or several."""
    text = f"{event.detail};{event.value};{event.unit}"
    found = [name for name, also in vocabulary()["steroids"]["names"].items() if says(text, (name, *also))]
    return found[0] if len(found) == 1 else ""


def _dose(event: Event) -> float | None:
    """Return a row's dose in mg of dexamethasone a day; 0 needs no name and no unit."""
    table = vocabulary()["steroids"]
    if _stopped(event):
        return 0.0
    if not is_number(event.value):
        return None
    unit = table["units"].get(" ".join(event.unit.casefold().split()))
    factor = table["factors"].get(_steroid(event))
    value = float(event.value)
    return 0.0 if value == 0 else None if unit is None or factor is None else value * unit * factor


def _stopped(event: Event) -> bool:
    return event.value.strip().casefold() in vocabulary()["steroids"]["stopped"]


def _reason(events: Iterable[Event]) -> SteroidReason | None:
    found = {r for e in events for r, words in vocabulary()["reasons"].items() if says(e.detail, words)}
    return SteroidReason(found.pop()) if len(found) == 1 else None


# --- clinical state ----------------------------------------------------------------------------------------------


def _clinical_states(
    dates: Sequence[dt.date],
    kinds: Sequence[Kind],
    events: Mapping[EventKind, Sequence[Event]],
    rules: FactRules,
    told: list[str],
) -> list[Trend | None]:
    """Return the clinical trend of each study: a person's word, else the fall of the performance status."""
    words = [e for e in events[EventKind.CLINICAL] if not _of_images(e)]
    kps = [_kps(_nearest(date, events[EventKind.KPS], rules), told) for date in dates]
    out: list[Trend | None] = []
    for n, date in enumerate(dates):
        word = _trend(_nearest(date, words, rules), told)
        best = _best_kps(kps[:n], kinds[:n])
        now = kps[n]
        fell = None if now is None or best is None else rules.fell(best, now)
        if word is None and fell is not None:
            told.append(
                "the clinical state was taken from the Karnofsky performance status where no word tells it (unverified)"
            )
        if word is not None and fell and word is not Trend.WORSE:
            told.append(
                "the Karnofsky performance status fell where the clinical state is not called worse; the word counts"
            )
        out.append(word if word is not None or fell is None else (Trend.WORSE if fell else Trend.STABLE))
    return out


def _best_kps(kps: Sequence[int | None], kinds: Sequence[Kind]) -> int | None:
    """Return the best status from the last reference study with one on; None where no reference study has one."""
    start = next((n for n in reversed(range(len(kps))) if kinds[n] in REFERENCES and kps[n] is not None), None)
    return None if start is None else max(k for k in kps[start:] if k is not None)


def _kps(event: Event | None, told: list[str]) -> int | None:
    if event is None:
        return None
    text = event.value.strip().removesuffix("%").strip()
    if is_number(text) and float(text) <= 100:
        return int(float(text))
    told.append("a Karnofsky performance status cannot be read and is unknown: write a number from 0 to 100")
    return None


def _nearest(day: dt.date, events: Sequence[Event], rules: FactRules) -> Event | None:
    """Return the event that holds on a day or lies nearest to it, the later of two; None where all are too far."""
    away = [(_days_off(day, e), -e.date.toordinal(), n) for n, e in enumerate(events)]
    best = min((a for a in away if a[0] <= rules.clinical_days), default=None)
    return None if best is None else events[best[2]]


def _days_off(day: dt.date, event: Event) -> int:
    last = event.end_date or event.date
    return max((event.date - day).days, (day - last).days, 0)


def _trend(event: Event | None, told: list[str]) -> Trend | None:
    if event is None:
        return None
    word = whole_word(event.value or event.detail, vocabulary()["clinical"])
    if not word:
        told.append("a clinical state cannot be read and is unknown: write stable, better or worse as its value")
    return Trend(word) if word else None


def _of_images(event: Event) -> bool:
    """Return whether a row of the clinical state tells how T2/FLAIR went: its detail says so."""
    return " flair " in plain_words(event.detail)


# --- drugs -------------------------------------------------------------------------------------------------------


def _drugs(day: dt.date, events: Sequence[Event]) -> tuple[str, dt.date | None]:
    """Return the drugs of a day, joined by ``+``, and the start of the one whose start criteria ask for.

    That is an immunotherapy, else an anti-angiogenic drug, else the last one begun. Once all have ended it is said so,
    because an empty cell only says that nobody told.
    """
    running: dict[str, tuple[dt.date, dt.date]] = {}
    for event in (e for e in events if e.date <= day):
        name = _drug(event)
        start, until = running.pop(name, (event.date, event.date))
        if _stopped(event):
            running[name] = (start, dt.date.min)
        else:
            joined = until.toordinal() + 1 >= event.date.toordinal()  # the same treatment in a further row
            running[name] = (start if joined else event.date, event.end_date or dt.date.max)
    starts = {name: start for name, (start, until) in running.items() if name and until >= day}
    if not starts:
        return ENDED if running else "", None
    ranked = ("immunotherapy", "antiangiogenic")
    asked = next((start for c in ranked for name, start in starts.items() if c in drug_classes(name)), None)
    return " + ".join(starts), asked or max(starts.values())


def _drug(event: Event) -> str:
    """Return a drug's name: from the cell with a known one, else from the value where it is a word, else the detail."""
    value = "" if _stopped(event) or is_number(event.value) else event.value
    cell = next((c for c in (value, event.detail) if drug_classes(c)), value or event.detail)
    first = cell.split(",")[0]
    return (first if drug_classes(first) == drug_classes(cell) else cell).strip()
