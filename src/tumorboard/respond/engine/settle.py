"""From raw to settled categories: confirmation of responses, windows of progression, back-dating.

Why it exists: one study says little. A response that is not seen again is none; progression soon after radiotherapy or
immunotherapy waits for the next study; once confirmed it is dated at the first. Source: the windows of each criterion.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from tumorboard.respond.criterion import Criterion, Window
from tumorboard.respond.engine.raw import Raw
from tumorboard.respond.engine.sizes import at_least
from tumorboard.respond.visits import SteroidReason, Trend
from tumorboard.verdict import BEST_FIRST, RESPONSES, Category, Confirmed


@dataclass(slots=True)
class Settled:
    """A visit's category after windows and confirmation, and what there is to say about it."""

    category: Category
    confirmed: Confirmed = Confirmed.NOT_REQUIRED
    note: str = ""


def settle(raws: list[Raw], criterion: Criterion, needs_facts: bool = True) -> list[Settled]:
    """Settle the categories of a course.

    Parameters
    ----------
    raws : list of Raw
        In order of date.
    criterion : Criterion
        Its windows and its confirmation.
    needs_facts : bool
        Whether a visit with missing facts is not evaluable; else images stand for all.

    Returns
    -------
    list of Settled
        One a visit.
    """
    levels = [_level(raw, needs_facts) for raw in raws]
    out = [Settled(level) for level in levels]
    if criterion.confirm_response_days:
        _confirm_responses(raws, levels, out, criterion.confirm_response_days)
    _Waiting(raws, levels, out, criterion).go()
    _date_back(raws, out)
    return out


def _level(raw: Raw, needs_facts: bool) -> Category:
    if raw.category is Category.BL:
        return Category.BL
    if not needs_facts:
        return raw.images
    return Category.NE if raw.missing else raw.category


def _confirm_responses(raws: list[Raw], levels: list[Category], out: list[Settled], days: int) -> None:
    """Keep of each response what another visit of the same run supports, so many days away."""
    run: list[int] = []
    for i, level in enumerate([*levels, Category.BL]):
        if level in RESPONSES:
            run.append(i)
        elif level is not Category.NE:
            _confirm_run(raws, levels, out, run, days, ended=i < len(levels))
            run = []


def _confirm_run(
    raws: list[Raw], levels: list[Category], out: list[Settled], run: list[int], days: int, ended: bool
) -> None:
    for i in run:
        others = [j for j in run if abs((raws[j].visit.date - raws[i].visit.date).days) >= days]
        if others:
            seen = min((max(levels[i], levels[j], key=BEST_FIRST.index) for j in others), key=BEST_FIRST.index)
            out[i] = Settled(seen, Confirmed.YES)
        else:
            told = "not seen again" if ended else "to be seen again"
            note = f"{levels[i].value} {told} at least {days} days later: SD until then."
            out[i] = Settled(Category.SD, Confirmed.NO if ended else Confirmed.PENDING, note)


@dataclass(slots=True)
class _Pending:
    """Visits whose progression waits for a decision, and the window that made the first wait."""

    window: Window
    visits: list[int]


class _Waiting:
    """Progression that waits: one pass over the visits, in order of date."""

    def __init__(self, raws: list[Raw], levels: list[Category], out: list[Settled], criterion: Criterion) -> None:
        self.raws, self.levels, self.out, self.criterion = raws, levels, out, criterion
        self.pending: _Pending | None = None
        self.tolerated: int | None = None
        self.last = Category.NE

    def go(self) -> None:
        """Decide every visit."""
        for i, level in enumerate(self.levels):
            if level is Category.BL:
                self._end("a new reference study")
                self.tolerated = None
                self.last = level
            elif level is Category.PD:
                self._progressed(i)
            elif level is not Category.NE:
                if self._due(i):
                    self._refute(i)
                self.last = self.out[i].category

    def _due(self, i: int) -> bool:
        """Return whether visit ``i`` decides what waits."""
        if self.pending is None:
            return False
        return self._days(self.pending.visits[0], i) >= self.pending.window.confirm_days

    def _days(self, first: int, then: int) -> int:
        return (self.raws[then].visit.date - self.raws[first].visit.date).days

    def _progressed(self, i: int) -> None:
        if self.tolerated is not None and not self._further(i, self.tolerated):
            note = f"Not beyond the study of {self.raws[self.tolerated].visit.date}, which was not confirmed."
            self.out[i] = Settled(self.last, Confirmed.NO, note)
            return
        window = self._window(i)
        if self._due(i) and self.pending is not None:
            if self.pending.window.against == "same_reference" or self._further(i, self.pending.visits[0]):
                self._confirm(i)
                return
            first = self.pending.visits[0]
            self._refute(i)
            self.tolerated = first
            self.out[i] = Settled(self.last, Confirmed.NO, "No further progression against the study that waited.")
        elif window is not None:
            self._wait(i, window)
        else:
            self.out[i] = Settled(Category.PD)
            self.last = Category.PD

    def _wait(self, i: int, window: Window) -> None:
        if self.pending is None:
            self.pending = _Pending(window, [])
        self.pending.visits.append(i)
        told = (
            f"Suspected progression; confirmation required ({window.name}): at least {window.confirm_days} days later."
        )
        self.out[i] = Settled(self.last, Confirmed.PENDING, told)

    def _confirm(self, i: int) -> None:
        date = self.raws[i].visit.date
        for j in self.pending.visits if self.pending else ():
            self.out[j] = Settled(
                Category.PD, Confirmed.YES, f"Confirmed by the study of {date}; dated back to this one."
            )
        first = self.raws[self.pending.visits[0]].visit.date if self.pending else date
        self.out[i] = Settled(
            Category.PD, Confirmed.YES, f"It confirms the study of {first}, at which progression is dated."
        )
        self.last, self.pending, self.tolerated = Category.PD, None, None

    def _refute(self, i: int) -> None:
        self._end(f"the study of {self.raws[i].visit.date}")

    def _end(self, by: str) -> None:
        """Refute what waits."""
        for j in self.pending.visits if self.pending else ():
            note = f"Suspected progression, not confirmed by {by}: it does not count."
            self.out[j] = Settled(self.out[j].category, Confirmed.NO, note)
        self.pending = None

    def _window(self, i: int) -> Window | None:
        """Return the first window in which all rules that fired have to wait."""
        return next((w for w in self.criterion.windows if _open(w, self.raws[i]) and _holds(w, self.raws[i])), None)

    def _further(self, i: int, first: int) -> bool:
        """Return whether progression went on after a study: more tumour, another new lesion, or a worse patient."""
        now, then = self.raws[i], self.raws[first]
        if now.visit.clinical is Trend.WORSE:
            return True
        for a, b in zip(now.findings, then.findings, strict=False):
            if a.new - b.new:
                return True
            if a.burden is not None and b.burden and at_least(a.burden, self._rise * b.burden):
                return True
        return False

    @property
    def _rise(self) -> float:
        return 1 + self.criterion.thresholds.pd_rise


def _open(window: Window, raw: Raw) -> bool:
    """Return whether a visit lies within a window."""
    if window.unless_worse and raw.visit.clinical is Trend.WORSE:
        return False
    if window.since == "always":
        return True
    since: dt.date | None = raw.rt_end if window.since == "rt_end" else raw.immunotherapy
    return since is not None and 0 <= (raw.visit.date - since).days <= window.days


def _holds(window: Window, raw: Raw) -> bool:
    if window.outside_field_counts and any(f.outside for f in raw.findings):
        return False
    return not window.holds or set(raw.triggers) <= set(window.holds)


def _date_back(raws: list[Raw], out: list[Settled]) -> None:
    """Date progression back over visits whose dose had risen before, unless something else explains the dose."""
    for i, settled in enumerate(out):
        if settled.category is not Category.PD or not raws[i].dose_risen:
            continue
        known = raws[i].visit.steroid_reason is SteroidReason.TUMOUR
        for j in range(i - 1, -1, -1):
            if raws[j].rule != "ne.dose" or out[j].category is not Category.NE or raws[j].missing:
                break
            if not known and raws[j].visit.steroid_reason is SteroidReason.OTHER:
                break
            date = raws[i].visit.date
            out[j] = Settled(
                Category.PD, Confirmed.YES, f"The dose was needed for what progressed by {date}; dated back."
            )
