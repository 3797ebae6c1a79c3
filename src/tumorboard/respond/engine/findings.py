"""What the images of one visit say of one compartment: the sum, what it is compared with, and which rules it meets.

Why it exists: everything that a criterion reads off images happens here, so that steroids, clinical state, windows and
confirmation can be laid over it without ever touching a diameter.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field

from tumorboard.respond.criterion import Criterion
from tumorboard.respond.engine.segment import Followed, Segment, by_name, follow
from tumorboard.respond.engine.sizes import at_least, at_most, is_measurable, present, size_of
from tumorboard.respond.visits import Compartment, Seen, Status, Visit
from tumorboard.verdict import Category

_NONE: frozenset[str] = frozenset()


@dataclass(slots=True)
class Finding:
    """Images of one visit, one compartment.

    Parameters
    ----------
    visit : Visit
        Whose.
    level : Category
        By the sum alone: CR, PR, MR, SD or NE.
    rule : str
        What made the level.
    total : float or None
        The sum; ``None`` where a target has no size.
    baseline, nadir : float
        What it is compared with.
    nadir_date : date
        Of the smallest sum before.
    triggers : list of str
        Rules of progression that are met.
    new : frozenset of str
        New lesions that are there.
    outside : bool
        A new lesion that counts lies outside the field of radiotherapy.
    burden : float or None
        The sum with all new lesions.
    parts : tuple of Seen
        Lesions in the sum.
    nadir_parts, baseline_parts : tuple of Seen
        Lesions in the sums that it is compared with.
    nadir_dose : float or None
        Dexamethasone at the nadir, mg per day.
    unseen : bool
        Lesions that are not targets were not all looked at.
    gone, minimal : bool
        Nothing is there; nothing but residues that mean nothing.
    """

    visit: Visit
    level: Category
    rule: str
    total: float | None
    baseline: float
    nadir: float
    nadir_date: dt.date
    triggers: list[str] = field(default_factory=list)
    new: frozenset[str] = frozenset()
    outside: bool = False
    burden: float | None = None
    parts: tuple[Seen, ...] = ()
    nadir_parts: tuple[Seen, ...] = ()
    baseline_parts: tuple[Seen, ...] = ()
    nadir_dose: float | None = None
    unseen: bool = False
    gone: bool = False
    minimal: bool = False


class Compared:
    """One compartment of one segment, visit after visit; it remembers the nadir.

    Parameters
    ----------
    segment : Segment
        Its reference studies.
    criterion : Criterion
        Read from its table.
    compartments : tuple of Compartment
        Which; lesions of several are summed together.
    born : mapping of str to date
        Lesions that were marked new, by name.
    """

    def __init__(
        self,
        segment: Segment,
        criterion: Criterion,
        compartments: tuple[Compartment, ...],
        born: Mapping[str, dt.date],
    ) -> None:
        self.criterion, self.compartments = criterion, compartments
        self.followed: Followed = follow(segment.baseline, criterion, compartments)
        self._born = {name for name, date in born.items() if date > segment.baseline.date}
        self._first = by_name(segment.baseline, compartments)
        self._joined: list[str] = []
        self._known = set(self._first)
        self._baseline, self._baseline_parts = self._sum(self._first)
        self.empty = not self.followed.targets and not self.followed.others
        start = self._first if segment.start is segment.baseline else by_name(segment.start, compartments)
        nadir, parts = self._sum(start)
        if nadir is None:
            nadir, parts, start = self._baseline, self._baseline_parts, self._first
            at = segment.baseline
        else:
            at = segment.start
        self._nadir, self._nadir_parts, self._nadir_seen = nadir or 0.0, parts, start
        self._nadir_date, self._nadir_dose = at.date, at.dexamethasone_mg

    def look(self, visit: Visit) -> Finding:
        """Return what a visit shows, and remember it when its sum is the smallest so far.

        Parameters
        ----------
        visit : Visit
            After the reference, in order of date.
        """
        seen = by_name(visit, self.compartments)
        self._known |= set(seen)
        new = _NONE
        if self._born:
            new = frozenset(n for n in self._born if n in seen and _there(seen[n]))
            self._join(new, seen)
        total, parts = self._sum(seen)
        finding = Finding(visit, Category.NE, "ne.unknown", total, self._baseline or 0.0, self._nadir, self._nadir_date)
        finding.parts, finding.nadir_parts, finding.baseline_parts = parts, self._nadir_parts, self._baseline_parts
        finding.new, finding.nadir_dose = new, self._nadir_dose
        others = self.followed.others
        finding.unseen = bool(others) and any(present(seen.get(n)) is None for n in others)
        finding.gone = not parts and self._gone(seen)
        finding.minimal = self.criterion.eye_csf and self._minimal(seen)
        self._progression(finding, seen)
        if total is not None and self._baseline is not None:
            finding.level, finding.rule = self._level(finding, total)
            finding.burden = total + sum(self._size(seen[n]) for n in new if n not in self._joined) if new else total
            if total < self._nadir:
                self._nadir, self._nadir_date, self._nadir_dose = total, visit.date, visit.dexamethasone_mg
                self._nadir_parts, self._nadir_seen = parts, seen
        return finding

    def at_reference(self, visit: Visit) -> Finding:
        """Return the sum at a study that is itself a reference; nothing is judged."""
        total, parts = self._sum(by_name(visit, self.compartments))
        baseline = self._baseline or 0.0
        return Finding(visit, Category.BL, "bl", total, baseline, self._nadir, self._nadir_date, parts=parts)

    def _size(self, seen: Seen | None) -> float:
        return size_of(seen, self.criterion.measure) or 0.0

    def _join(self, new: frozenset[str], seen: Mapping[str, Seen]) -> None:
        """Let new lesions join the sum, once they are measurable where that is asked."""
        if self.criterion.add_new:
            able = sorted(n for n in new if self.criterion.targets == "all" or self._able(seen[n]))
            self._joined += [n for n in able if n not in self._joined]

    def _able(self, seen: Seen) -> bool:
        return is_measurable(seen, self.criterion.size, self.criterion.measure)

    def _sum(self, seen: Mapping[str, Seen]) -> tuple[float | None, tuple[Seen, ...]]:
        """Return the sum over targets and what joined them, and the lesions that have a size."""
        total: float | None = 0.0
        parts = []
        for name in (*self.followed.targets, *self._joined):
            size = size_of(seen.get(name), self.criterion.measure)
            if size is None:
                total = None
            else:
                total = None if total is None else total + size
                if size > 0:
                    parts.append(seen[name])
        return total, tuple(parts)

    def _gone(self, seen: Mapping[str, Seen]) -> bool:
        return all(present(seen.get(name)) is False for name in self._known)

    def _minimal(self, seen: Mapping[str, Seen]) -> bool:
        """Return whether nothing is left but residues that a reader calls minimal."""
        left = [seen.get(name) for name in self._known if present(seen.get(name)) is not False]
        return bool(left) and all(s is not None and s.status is Status.MINIMAL for s in left)

    def _progression(self, finding: Finding, seen: Mapping[str, Seen]) -> None:
        """Note which rules of progression the images meet."""
        known = sum(self._size(s) for s in finding.parts) if finding.total is None else finding.total
        if self._risen(known, seen):
            finding.triggers.append("pd.sum")
        elif self._nadir == 0 and self._back(seen):
            finding.triggers.append("pd.again")
        counting = self._counting(finding.new, seen) if finding.new else []
        if counting:
            finding.triggers.append("pd.new_lesion")
            finding.outside = any(seen[n].in_rt_field is False for n in counting)
        worse = [n for n, s in seen.items() if s.status is Status.WORSE and n not in self.followed.targets]
        if self.criterion.nontarget and worse:
            finding.triggers.append("pd.nontarget")

    def _counting(self, new: frozenset[str], seen: Mapping[str, Seen]) -> list[str]:
        """Return the new lesions that are progression by themselves."""
        if self.criterion.new_lesion == "sum":
            return []
        return [n for n in new if self.criterion.new_lesion == "pd" or self._able(seen[n])]

    def _risen(self, known: float, seen: Mapping[str, Seen]) -> bool:
        """Return whether the part of the sum that is known has risen enough above the nadir."""
        limits = self.criterion.thresholds
        if self._nadir <= 0 or not at_least(known, (1 + limits.pd_rise) * self._nadir):
            return False
        if limits.pd_least and not at_least(known - self._nadir, limits.pd_least):
            return False
        return not limits.pd_least_lesion or self._one_risen(seen, limits.pd_least_lesion)

    def _one_risen(self, seen: Mapping[str, Seen], least: float) -> bool:
        names = (*self.followed.targets, *self._joined)
        return any(at_least(self._size(seen.get(n)) - self._size(self._nadir_seen.get(n)), least) for n in names)

    def _back(self, seen: Mapping[str, Seen]) -> bool:
        """Return whether measurable disease is there after there was none: back, or grown from what was not."""
        rise = 1 + self.criterion.thresholds.pd_rise
        for name in (*self.followed.targets, *self._joined):
            if name in seen and self._able(seen[name]):
                return True
        if self.followed.targets:
            return False
        grown = (n for n in self.followed.others if n in seen and self._able(seen[n]))
        return any(self._size(seen[n]) > 0 and self._more(self._first.get(n), seen[n], rise) for n in grown)

    def _more(self, first: Seen | None, now: Seen, rise: float) -> bool:
        before = size_of(first, self.criterion.measure)
        return before is not None and at_least(self._size(now), rise * before)

    def _level(self, finding: Finding, total: float) -> tuple[Category, str]:
        """Return the category that the sum alone supports."""
        limits = self.criterion.thresholds
        if not self._baseline:
            return self._unmeasured(finding, total)
        if self._nadir == 0 and total > 0:
            return Category.NE, "ne.zero_nadir"
        if finding.gone:
            return Category.CR, "cr.gone"
        if at_most(total, (1 - limits.pr_fall) * self._baseline):
            return Category.PR, "pr.sum"
        minor = limits.mr_fall if self.compartments[0] in self.criterion.minor_in else None
        if minor is not None and at_most(total, (1 - minor) * self._baseline):
            return Category.MR, "mr.sum"
        return Category.SD, "sd.sum"

    def _unmeasured(self, finding: Finding, total: float) -> tuple[Category, str]:
        """Return the category where nothing was measurable at the baseline."""
        if finding.unseen:
            return Category.NE, "ne.unknown"
        if self.followed.others and finding.gone and not self.criterion.best_without_measurable:
            return Category.CR, "cr.gone"
        return (Category.NE, "ne.zero_nadir") if total > 0 or finding.new else (Category.SD, "sd.unmeasured")


def _there(seen: Seen) -> bool:
    """Return whether a new lesion is there: a reader who marks it new without a size says so."""
    there = present(seen)
    return seen.new if there is None else there
