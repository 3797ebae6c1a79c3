"""What is watched after release: throughput, failures, drift of the input, how often readers correct.

Why it exists: a model that was good when it was installed may not stay so; scanners and patients change. The page shows
the change; it decides nothing. Sources: Regulation (EU) 2017/745 Art. 83 (post-market surveillance); Feng J et al., npj
Digit Med 2022;5:66 (monitoring of clinical AI; read in secondary sources).
"""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.stats import binomtest
from sqlalchemy import select

from tumorboard.serve.data.people import Edit
from tumorboard.serve.data.tables import Job, Patient, Result, Study
from tumorboard.serve.data.words import EditState, JobState, Step
from tumorboard.serve.web.cases import Case, case_of
from tumorboard.serve.web.charts import Bars, day_bars
from tumorboard.serve.web.found import series_of

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from tumorboard.serve.settings import DepartmentSettings

DAYS = 30
"""Days that are looked at, and compared with as many before."""

MOST = 400
"""Studies whose case folders are read, the latest first."""

LOW = 0.5
"""A validity below this is called low (chosen; what is low differs between models)."""


@dataclass(frozen=True)
class Share:
    """A count of a whole with its 95 % interval (Wilson)."""

    count: int
    whole: int

    @property
    def words(self) -> str:
        """The share in words; a dash where there is no whole.

        Examples
        --------
        >>> Share(2, 8).words, Share(0, 0).words
        ('25 % (7 to 59)', '–')
        """
        if not self.whole:
            return "–"
        interval = binomtest(self.count, self.whole).proportion_ci(method="wilson")
        return f"{100 * self.count / self.whole:.0f} % ({100 * interval.low:.0f} to {100 * interval.high:.0f})"


@dataclass(frozen=True)
class Correction:
    """A method with its version: studies it was used on, those corrected, those whose results were refused."""

    card: str
    studies: int
    accepted: Share
    rejected: Share


@dataclass(frozen=True)
class Drift:
    """A quantity of the input now and before: medians, counts, and the share that is out of range now."""

    name: str
    now: str
    before: str
    low: Share | None


@dataclass(frozen=True)
class Watched:
    """Everything on the surveillance page."""

    bars: Bars
    ended: Share
    minutes: tuple[float, float] | None
    retried: Share
    waiting: int
    reasons: tuple[tuple[str, int], ...]
    drift: tuple[Drift, ...]
    corrections: tuple[Correction, ...]


def watch(session: Session, settings: DepartmentSettings, at: dt.datetime) -> Watched:
    """Return what the page shows.

    Parameters
    ----------
    session : Session
        That reads.
    settings : DepartmentSettings
        Where the case folders are.
    at : datetime
        Now.
    """
    since = at - dt.timedelta(days=DAYS)
    ended = [j for j in _chain_jobs(session, since) if j.ended_at is not None]
    done = [j for j in ended if j.state is JobState.DONE]
    bad = [j for j in ended if j.state is JobState.ATTENTION]
    minutes = [(j.ended_at - j.created_at).total_seconds() / 60 for j in done if j.ended_at]
    waiting = session.query(Job).filter(Job.state == JobState.QUEUED).count()
    return Watched(
        bars=_bars(done, bad, at),
        ended=Share(len(bad), len(bad) + len(done)),
        minutes=_middle_and_most(minutes),
        retried=Share(sum(j.tries > 1 for j in ended), len(ended)),
        waiting=waiting,
        reasons=tuple(Counter(j.reason for j in bad).most_common(10)),
        drift=_drift(session, settings, at),
        corrections=_corrections(session),
    )


def _chain_jobs(session: Session, since: dt.datetime) -> Sequence[Any]:
    told = select(Job.state, Job.tries, Job.reason, Job.created_at, Job.ended_at)
    return session.execute(told.where(Job.step == Step.CHAIN, Job.ended_at >= since)).all()


def _middle_and_most(values: list[float]) -> tuple[float, float] | None:
    return (float(np.median(values)), float(np.quantile(values, 0.9))) if values else None


def _bars(done: list[Any], bad: list[Any], at: dt.datetime) -> Bars:
    today = at.astimezone().date()
    days = [today - dt.timedelta(days=n) for n in reversed(range(DAYS))]
    counts = [Counter(j.ended_at.astimezone().date() for j in jobs if j.ended_at) for jobs in (done, bad)]
    stacks = [
        (name, mark, [count[day] for day in days])
        for (name, mark), count in zip((("processed", "good"), ("needs attention", "bad")), counts, strict=True)
    ]
    return day_bars("Studies a day", days, stacks)


def _drift(session: Session, settings: DepartmentSettings, at: dt.datetime) -> tuple[Drift, ...]:
    since = at - dt.timedelta(days=2 * DAYS)
    query = select(Job.study_id, Job.ended_at, Patient.key).join(Job.study).join(Study.patient)
    query = query.where(Job.step == Step.CHAIN, Job.state == JobState.DONE, Job.ended_at >= since)
    jobs = session.execute(query.order_by(Job.ended_at.desc()).limit(MOST)).all()
    series = series_of(session, [study_id for study_id, _, _ in jobs])
    now: dict[str, list[float]] = defaultdict(list)
    before: dict[str, list[float]] = defaultdict(list)
    for study_id, ended_at, patient_key in jobs:
        case = case_of(settings, patient_key, series[study_id])
        late = ended_at is not None and ended_at >= at - dt.timedelta(days=DAYS)
        for name, value in facts_of(case).items():
            (now if late else before)[name].append(value)
    return tuple(_compared(name, now[name], before[name]) for name in sorted({*now, *before}, key=_order))


def facts_of(case: Case | None) -> dict[str, float]:
    """Return what of a study's input is followed, as numbers by name; empty where nothing was kept."""
    if case is None:
        return {}
    out: dict[str, float] = {}
    validity = case.method.get("validity")
    if isinstance(validity, int | float):
        out["Validity of the outlining method (1: as its training)"] = float(validity)
    warnings = case.method.get("warnings")
    if isinstance(warnings, list):
        out["Warnings a study"] = float(len(warnings))
    spacing = case.quality.get("spacing_mm")
    if isinstance(spacing, list) and spacing:
        out["Largest voxel edge, mm"] = float(max(spacing))
    brain = case.quality.get("brain_ml")
    if isinstance(brain, int | float):
        out["Brain volume, mL"] = float(brain)
    sequences = case.quality.get("sequences")
    if isinstance(sequences, list):
        out["Sequences a study"] = float(len(sequences))
    return out


def _order(name: str) -> tuple[bool, str]:
    return not name.startswith("Validity"), name


def _compared(name: str, now: list[float], before: list[float]) -> Drift:
    low = Share(sum(v < LOW for v in now), len(now)) if name.startswith("Validity") else None
    return Drift(name, _spread(now), _spread(before), low)


def _spread(values: list[float]) -> str:
    if not values:
        return "–"
    low, middle, high = np.quantile(values, (0.1, 0.5, 0.9))
    return f"{_short(middle)} ({_short(low)} to {_short(high)}), n = {len(values)}"


def _short(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _corrections(session: Session) -> tuple[Correction, ...]:
    used: dict[str, set[tuple[int, int]]] = defaultdict(set)
    rows = select(Result.study_id, Result.version, Result.cards).join(Study, Result.study_id == Study.id).distinct()
    for study_id, version, cards in session.execute(rows):
        for card in cards:
            used[card].add((study_id, version))
    edits: dict[tuple[int, int], set[EditState]] = defaultdict(set)
    for study_id, version, state in session.execute(select(Edit.study_id, Edit.result_version, Edit.state)):
        edits[study_id, version].add(state)
    return tuple(_correction(card, used[card], edits) for card in sorted(used))


def _correction(card: str, used: set[tuple[int, int]], edits: dict[tuple[int, int], set[EditState]]) -> Correction:
    accepted = sum(EditState.ACCEPTED in edits.get(one, ()) for one in used)
    rejected = sum(EditState.REJECTED in edits.get(one, ()) for one in used)
    return Correction(card, len(used), Share(accepted, len(used)), Share(rejected, len(used)))
