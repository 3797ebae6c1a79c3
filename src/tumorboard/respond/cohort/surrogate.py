"""Whether progression by a criterion tells survival: concordance, hazard after progression, landmark.

Why it exists: a criterion is worth as much as what it says about the patient's life, and the obvious ways to ask are
wrong. Comparing patients who ever progressed with those who never did is immortal-time bias: who dies early had no time
to progress. So the hazard is asked for with progression as a covariate that changes on its day, and at a landmark on
which only what is known by then counts. Survival and progression count from the same day.

The definitions of a censored time to progression, which is that of a patient whose last evaluable visit showed none:

- ``c_index`` (Harrell) counts a pair only when it is known who died first and who progressed first: a time that ended
  without progression is longer than any progression up to then, and cannot be compared with a later one. So a pair is
  decided when one has progressed and the other is still seen without it, and a progression that means nothing has a C
  of 0.5 (somewhat more where patients are not seen on the same days). To take the last visit for the day of
  progression, as is often done, puts it far above: who dies early has an early last visit.
- ``hr_progression`` takes the covariate as "progression has been seen": it stays 0 until then, also after the last
  visit. Deaths that nobody imaged before are deaths without it.
- At a landmark, a patient counts who is alive and followed by then; without progression only one whose last evaluable
  visit is no more than four months back. What happens to the patient afterwards does not matter for the group.
- Where a criterion confirms progression later and dates it back, its date holds something of the future: who was
  scanned again has lived so long. This remains.

Source: Anderson JR, Cain KC, Gelber RD. J Clin Oncol 1983;1:710-719 (landmark); Suissa S. Am J Epidemiol
2008;167:492-499 (immortal time); Uno H et al. Stat Med 2011;30:1105-1117; Peduzzi P et al. J Clin Epidemiol
1995;48:1503-1510 (ten events a variable).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tumorboard.csv_text import table_text
from tumorboard.errors import InputError
from tumorboard.metrics.estimate import Estimate
from tumorboard.metrics.survival.concordance import harrell_c, uno_c
from tumorboard.metrics.survival.kaplan_meier import (
    HazardRatio,
    SurvivalCurve,
    changing_spans,
    fixed_spans,
    hazard_ratio,
    kaplan_meier,
)
from tumorboard.respond.cohort.compare import estimate_cells, times_by_criterion
from tumorboard.respond.table.outcomes import Outcome
from tumorboard.verdict import TimeToProgression

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

LANDMARK_DAYS = 183
"""Half a year, as in progression-free survival at six months."""
LATEST_LOOK_DAYS = 122
"""How long before a landmark the last evaluable visit of a patient without progression may be; chosen."""
HORIZON_DAYS = 730
"""Deaths within this time after a landmark count for its concordance; chosen."""
LEAST_DEATHS = 10
"""For anything that rests on deaths (Peduzzi 1995)."""
LEAST_GROUP = 5
"""Patients on each side of a comparison; chosen."""

COLUMNS = (
    "digital",
    "criterion",
    "quantity",
    "landmark_days",
    "value",
    "lower",
    "upper",
    "n",
    "status",
    "reason",
    "p",
    "deaths",
    "unit",
    "method",
)
"""Of ``surrogate.csv``; ``digital`` is 1 where the patients are simulated."""

METHODS = {
    "c_index": ("1", "Harrell's C of time to progression for survival, over pairs whose order is known in both"),
    "hr_progression": ("1", "Cox's hazard ratio of death after progression was seen against before, time-dependent"),
    "landmark_hr": (
        "1",
        "Cox's hazard ratio of death after the landmark, progressed by then against not",
    ),
    "landmark_c_index": (
        "1",
        "Uno's C for survival after the landmark up to two years, of the day of progression up to the landmark",
    ),
    "landmark_median_progressed": ("d", "Kaplan-Meier median survival after the landmark, progressed by then"),
    "landmark_median_free": ("d", "Kaplan-Meier median survival after the landmark, not progressed by then"),
}
"""Unit and method of each quantity."""


@dataclass(frozen=True, slots=True)
class SurrogateRow:
    """One quantity of how progression by a criterion tells survival.

    Parameters
    ----------
    criterion : str
        By which progression was judged.
    quantity : str
        A key of :data:`METHODS`, which holds its unit and method.
    landmark_days : int or None
        Of the landmark, where it is one.
    estimate : Estimate
        With its interval, or the reason why it is not assessable; ``n`` counts patients.
    deaths : int
        Among them (after the landmark).
    p : float or None
        Of Wald's test, for hazard ratios.
    """

    criterion: str
    quantity: str
    landmark_days: int | None
    estimate: Estimate
    deaths: int
    p: float | None = None


@dataclass(frozen=True, eq=False)
class Landmark:
    """Patients alive and followed at a landmark.

    Parameters
    ----------
    days : ndarray of float64, shape (n,)
        From the landmark to death or to the end of follow-up.
    dead : ndarray of bool, shape (n,)
        Which of the two.
    progressed : ndarray of bool, shape (n,)
        By the landmark.
    free_days : ndarray of float64, shape (n,)
        From the start to progression; one day past the landmark where there was none by then.
    """

    days: Floats
    dead: Flags
    progressed: Flags
    free_days: Floats

    def curve(self, progressed: bool) -> SurvivalCurve | None:
        """Return survival from the landmark on, of one of the two groups; None where nobody is in it."""
        who = self.progressed == progressed
        return kaplan_meier(self.days[who], self.dead[who]) if who.any() else None


@dataclass(frozen=True, eq=False)
class _Followed:
    """Times to progression with survival, one a patient."""

    days: Floats
    dead: Flags
    ttp: Floats
    progressed: Flags


def surrogate(
    times: Sequence[TimeToProgression],
    outcomes: Sequence[Outcome],
    landmarks_days: Sequence[int] = (LANDMARK_DAYS,),
) -> tuple[SurrogateRow, ...]:
    """Ask of each criterion how its progression tells survival.

    Parameters
    ----------
    times : sequence of TimeToProgression
        Of many patients by one or more criteria.
    outcomes : sequence of Outcome
        Survival of the same patients. Who has none is left out; criteria can be compared with each other where they
        have the same patients.
    landmarks_days : sequence of int
        From the start of time to progression.

    Returns
    -------
    tuple of SurrogateRow
        Not assessable, with the reason, for fewer than 10 deaths, or fewer than 5 patients on one side.

    Raises
    ------
    InputError
        No patient has both, one has a criterion or an outcome twice, survival ends before the time to progression
        does, or a landmark is not after the start.

    Examples
    --------
    >>> import datetime as dt
    >>> start = dt.date(2020, 1, 1)
    >>> times = [TimeToProgression(f"P{n}", "volumetric", start, start, 30 * n, True) for n in range(6)]
    >>> rows = surrogate(times, [Outcome(f"P{n}", 400.0 + n, None, True) for n in range(6)])
    >>> rows[0].estimate.reason
    '6 deaths; at least 10 are needed'
    """
    if any(day <= 0 for day in landmarks_days):
        raise InputError("landmarks after the start", got="one that is not", where="landmarks")
    rows: list[SurrogateRow] = []
    joined = _joined(times, outcomes)
    for criterion, all_of in joined.items():
        rows.append(_c_index(criterion, all_of))
        rows.append(_hr_progression(criterion, all_of))
        for day in landmarks_days:
            rows += _at_landmark(criterion, day, _landmark(all_of, day))
    return tuple(rows)


def landmark(
    times: Sequence[TimeToProgression], outcomes: Sequence[Outcome], criterion: str, day: int = LANDMARK_DAYS
) -> Landmark:
    """Return the patients alive and followed at a landmark, by whether they had progressed by then.

    Parameters
    ----------
    times, outcomes
        As :func:`surrogate`.
    criterion : str
        One of those in ``times``.
    day : int
        Of the landmark.

    Raises
    ------
    InputError
        As :func:`surrogate`; no patient has such a criterion.

    Examples
    --------
    >>> import datetime as dt
    >>> start = dt.date(2020, 1, 1)
    >>> times = [TimeToProgression("P1", "volumetric", start, dt.date(2020, 4, 10), 100, True)]
    >>> found = landmark(times, [Outcome("P1", 400.0, None, True)], "volumetric")
    >>> found.days.tolist(), found.progressed.tolist()
    ([217.0], [True])
    """
    joined = _joined(times, outcomes)
    if criterion not in joined:
        raise InputError("a criterion that was judged", got="another one", where="landmark")
    return _landmark(joined[criterion], day)


def _joined(times: Sequence[TimeToProgression], outcomes: Sequence[Outcome]) -> dict[str, _Followed]:
    by_patient = {o.patient: o for o in outcomes}
    if len(by_patient) < len(outcomes):
        raise InputError("one outcome a patient", got="two", where="outcomes")
    joined = {name: _followed(found, by_patient) for name, found in times_by_criterion(times).items()}
    if not any(len(f.days) for f in joined.values()):
        remedy = "write the names of the visits into patient_id"
        raise InputError("outcomes of patients with a time to progression", got="none", where="outcomes", remedy=remedy)
    early = max(int((f.days + 1 <= f.ttp).sum()) for f in joined.values())  # a day for what was rounded
    if early:
        raise InputError(
            "survival that lasts at least to the last visit judged",
            got=f"less for {early} patients",
            where="outcomes",
            remedy="count survival in days from the visit from which time to progression counts, or give last_date",
        )
    return joined


def _followed(times: Mapping[str, TimeToProgression], outcomes: Mapping[str, Outcome]) -> _Followed:
    both = [(t, outcomes[p]) for p, t in times.items() if p in outcomes]
    return _Followed(
        days=np.array([o.days_from(t.start) for t, o in both], dtype=np.float64),
        dead=np.array([o.dead for _, o in both], dtype=np.bool_),
        ttp=np.array([t.days for t, _ in both], dtype=np.float64),
        progressed=np.array([t.event for t, _ in both], dtype=np.bool_),
    )


def _c_index(criterion: str, f: _Followed) -> SurrogateRow:
    deaths, n = int(f.dead.sum()), len(f.days)
    reason = _too_few(deaths, progressed=int(f.progressed.sum()))
    found = Estimate.missing(reason, n) if reason else harrell_c(f.days, f.dead, f.ttp, f.progressed)
    return SurrogateRow(criterion, "c_index", None, found, deaths)


def _hr_progression(criterion: str, f: _Followed) -> SurrogateRow:
    deaths, n = int(f.dead.sum()), len(f.days)
    reason = _too_few(deaths, progressed=int(f.progressed.sum()))
    found = HazardRatio(Estimate.missing(reason, n), math.nan, deaths)
    if not reason:
        found = hazard_ratio(changing_spans(f.days, f.dead, np.where(f.progressed, f.ttp, np.inf)))
    return SurrogateRow(criterion, "hr_progression", None, found.ratio, deaths, _told(found.p))


def _landmark(f: _Followed, day: int) -> Landmark:
    progressed = f.progressed & (f.ttp <= day)
    who = (f.days > day) & (progressed | (f.ttp >= day - LATEST_LOOK_DAYS))
    return Landmark(f.days[who] - day, f.dead[who], progressed[who], np.where(progressed, f.ttp, day + 1.0)[who])


def _at_landmark(criterion: str, day: int, at: Landmark) -> list[SurrogateRow]:
    n, deaths, progressed = len(at.days), int(at.dead.sum()), int(at.progressed.sum())
    reason = _too_few(deaths, progressed=progressed, free=n - progressed)
    ratio = HazardRatio(Estimate.missing(reason, n), math.nan, deaths)
    concordance = Estimate.missing(reason, n)
    if not reason:
        ratio = hazard_ratio(fixed_spans(at.days, at.dead, at.progressed))
        concordance = uno_c(at.days, at.dead, at.free_days, tau=HORIZON_DAYS)
    rows = [
        SurrogateRow(criterion, "landmark_hr", day, ratio.ratio, deaths, _told(ratio.p)),
        SurrogateRow(criterion, "landmark_c_index", day, concordance, deaths),
    ]
    for name, group in (("progressed", True), ("free", False)):
        rows.append(_median(criterion, f"landmark_median_{name}", day, at, group))
    return rows


def _median(criterion: str, quantity: str, day: int, at: Landmark, progressed: bool) -> SurrogateRow:
    who = at.progressed == progressed
    n, deaths = int(who.sum()), int(at.dead[who].sum())
    curve = at.curve(progressed)
    if curve is None or n < LEAST_GROUP:
        found = Estimate.missing(f"{n} patients; at least {LEAST_GROUP} are needed", n)
    else:
        found = curve.median
    return SurrogateRow(criterion, quantity, day, found, deaths)


def _too_few(deaths: int, **groups: int) -> str:
    """Say what is too few, or nothing."""
    for name, patients in groups.items():
        if patients < LEAST_GROUP:
            return f"{patients} patients {name}; at least {LEAST_GROUP} are needed"
    return f"{deaths} deaths; at least {LEAST_DEATHS} are needed" if deaths < LEAST_DEATHS else ""


def _told(p: float) -> float | None:
    return None if math.isnan(p) else p


def surrogate_csv(rows: Sequence[SurrogateRow], *, digital: bool) -> str:
    """Return ``surrogate.csv``.

    Parameters
    ----------
    rows : sequence of SurrogateRow
        From :func:`surrogate`.
    digital : bool
        Whether the patients are simulated; stands in every row.

    Examples
    --------
    >>> row = SurrogateRow("volumetric", "landmark_hr", 183, Estimate(2.5, 1.5, 4.0, 80), 60, 0.001)
    >>> surrogate_csv([row], digital=False).splitlines()[1][:59]
    '0,volumetric,landmark_hr,183,2.5,1.5,4.0,80,ok,,0.001,60,1,'
    """
    told = (
        (
            *(int(digital), row.criterion, row.quantity, row.landmark_days),
            *(*estimate_cells(row.estimate), row.p, row.deaths, *METHODS[row.quantity]),
        )
        for row in rows
    )
    return table_text(COLUMNS, told)
