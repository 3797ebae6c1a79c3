"""How probable each category is under the errors of measurement.

Why it exists: a sum that is 26 % above its nadir and one that is 80 % above it are both progression, and not equally
sure. Errors are taken as normal and independent between visits; what a reader states (a new lesion, a worse patient) is
taken as certain.

Source of the part that slices have: a ball of diameter d cut at random by slices of thickness t shows d - 2u²/d with u
even in ±t/2, whose standard deviation is 2 t² / (d √180) (own derivation).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from tumorboard.respond.criterion import Criterion, Measure
from tumorboard.respond.engine.findings import Finding
from tumorboard.respond.engine.raw import Raw
from tumorboard.respond.visits import Seen
from tumorboard.verdict import Category

_BY_SUM = ("pd.sum",)


@dataclass(frozen=True, slots=True)
class Errors:
    """Errors of measurement where the table gives none.

    Parameters
    ----------
    diameter_mm : float
        Standard deviation of a diameter between two scans of the same day (chosen).
    volume_part : float
        That of a volume, as a part of it (chosen).
    """

    diameter_mm: float = 1.0
    volume_part: float = 0.08

    def __post_init__(self) -> None:
        if self.diameter_mm < 0 or self.volume_part < 0:
            raise ValueError("expected errors of at least 0; got a negative one")


class Chances:
    """Probabilities of the categories of one course by one criterion.

    Parameters
    ----------
    criterion : Criterion
        Its thresholds.
    errors : Errors
        For lesions without errors of their own.
    """

    def __init__(self, criterion: Criterion, errors: Errors) -> None:
        self._criterion, self._errors = criterion, errors
        self._limits, self._measure = criterion.thresholds, criterion.measure
        self._variances: dict[int, float] = {}

    def of(self, raw: Raw) -> dict[Category, float]:
        """Return the probability of each raw category of a visit; empty where no sum decides.

        They sum to 1.
        """
        finding = raw.finding
        if finding is None or not raw.findings or any(f.total is None for f in raw.findings):
            return {}
        if raw.category is Category.PD and any(t not in _BY_SUM for t in raw.triggers):
            return {Category.PD: 1.0}
        if not finding.nadir or not finding.total or finding.gone:
            return {raw.category: 1.0}
        return _told(self._by_sum(raw, finding), raw)

    def _by_sum(self, raw: Raw, finding: Finding) -> dict[Category, float]:
        kept = 1.0
        for each in raw.findings:
            kept *= 1.0 - self._risen(each) if each.nadir else 1.0
        partial = min(self._fallen(finding, self._limits.pr_fall), kept)
        minor = partial
        parts = finding.parts or finding.baseline_parts
        if self._limits.mr_fall is not None and parts and parts[0].compartment in self._criterion.minor_in:
            minor = min(max(self._fallen(finding, self._limits.mr_fall), partial), kept)
        return {
            Category.PR: partial,
            Category.MR: minor - partial,
            Category.SD: kept - minor,
            Category.PD: 1.0 - kept,
        }

    def _fallen(self, finding: Finding, part: float) -> float:
        """Return the probability that the sum fell by a part of the baseline."""
        own, base = self._variance(finding.parts), self._variance(finding.baseline_parts)
        return 1.0 - _above(finding.total or 0.0, own, (1 - part) * finding.baseline, (1 - part) ** 2 * base)

    def _risen(self, finding: Finding) -> float:
        """Return the probability that the sum rose enough above the nadir, absolute guards included."""
        limits, total, nadir = self._limits, finding.total or 0.0, finding.nadir
        own, then, rise = self._variance(finding.parts), self._variance(finding.nadir_parts), 1 + limits.pd_rise
        out = _above(total, own, rise * nadir, rise**2 * then)
        if limits.pd_least:
            out = min(out, _above(total, own, nadir + limits.pd_least, then))
        if limits.pd_least_lesion:
            before = {s.lesion: s for s in finding.nadir_parts}
            out = min(out, max((self._grown(s, before.get(s.lesion)) for s in finding.parts), default=0.0))
        return out

    def _grown(self, now: Seen, then: Seen | None) -> float:
        size, var = _sized(now, self._measure, self._errors)
        before, var_before = _sized(then, self._measure, self._errors) if then is not None else (0.0, 0.0)
        return _above(size, var, before + self._limits.pd_least_lesion, var_before)

    def _variance(self, parts: tuple[Seen, ...]) -> float:
        """Return the variance of a sum; the sums of references come back at every visit."""
        found = self._variances.get(id(parts))
        if found is None:
            found = self._variances[id(parts)] = sum(_sized(s, self._measure, self._errors)[1] for s in parts)
        return found


def _told(by_sum: dict[Category, float], raw: Raw) -> dict[Category, float]:
    """Give the mass to the categories that this visit's facts allow."""
    out: dict[Category, float] = {}
    for category, p in by_sum.items():
        named = category
        if category is Category.PD:
            named = raw.category if raw.rule == "sd.dose_reduced" else category
        elif raw.category is Category.NE:
            named = Category.NE
        if p > 0:
            out[named] = out.get(named, 0.0) + p
    out.setdefault(raw.category, 0.0)
    return out


def _above(value: float, variance: float, threshold: float, variance_of_threshold: float) -> float:
    """Return the probability that a value reaches a threshold, both with normal errors.

    Examples
    --------
    >>> _above(10.0, 1.0, 10.0, 1.0), _above(12.0, 0.0, 10.0, 0.0)
    (0.5, 1.0)
    """
    spread = math.sqrt(variance + variance_of_threshold)
    if spread == 0:
        return float(value >= threshold)
    return 0.5 * math.erfc((threshold - value) / (spread * math.sqrt(2.0)))


def _sized(seen: Seen, measure: Measure, errors: Errors) -> tuple[float, float]:
    """Return a lesion's size and the variance of its error."""
    if measure is Measure.VOLUME:
        volume = seen.volume_ml or 0.0
        sd = errors.volume_part * volume if seen.volume_sd_ml is None else seen.volume_sd_ml
        return volume, sd**2
    long, perp = seen.long_mm or 0.0, seen.perp_mm or 0.0
    if measure is Measure.LONGEST:
        longest = max(long, perp)
        return longest, _diameter_variance(longest, seen, errors)
    return long * perp, perp**2 * _diameter_variance(long, seen, errors) + long**2 * _diameter_variance(
        perp, seen, errors
    )


def _diameter_variance(diameter_mm: float, seen: Seen, errors: Errors) -> float:
    sd = errors.diameter_mm if seen.diameter_sd_mm is None else seen.diameter_sd_mm
    slices = 0.0
    if seen.slice_mm and diameter_mm > 0:
        slices = 2 * min(seen.slice_mm, diameter_mm) ** 2 / (diameter_mm * math.sqrt(180.0))
    return sd**2 + slices**2
