"""Digital courses with known truth, drawn once and kept: what ``respond_digital.py`` judges.

Run with ``python benchmarks/digital_courses.py --keep DIR``; some 15 s a patient at 2 mm. Goes on where it was stopped.
Simulated patients; nothing here is evidence about people.
"""

from __future__ import annotations

import argparse
import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tumorboard.labels import LabelMap
from tumorboard.simulate.disease.multiple import Deposit, Fate
from tumorboard.simulate.disease.treatment import Truth, visit_days
from tumorboard.simulate.patient import FIRST_STUDY
from tumorboard.simulate.person.people import Diagnosis
from tumorboard.simulate.subject import FOLLOW_DAYS, Kind, Member, draw_member, studies
from tumorboard.simulate.tables import events_of
from tumorboard.study import Event

SEED = 2027
MOST_VISITS = 12
"""Patients are followed for two years and a half at most."""

LEAST_VISITS = 5

WORSE = (Truth.PROGRESSION, Truth.PSEUDORESPONSE)


@dataclass(frozen=True)
class Digital:
    """One patient: truth masks of every visit, and what really happened.

    Parameters
    ----------
    number : int
        Of the patient.
    dates : list of date
        Of the visits.
    labels : list of LabelMap
        Truth.
    lesions : list of ndarray of uint16, or None
        Numbers of metastases, the same at all visits.
    progression : date or None
        First visit that really shows progression.
    death_days : float
        From the first visit, or until when they were followed.
    dead : bool
        Of the latter.
    events : tuple of Event
        Treatment, steroids, clinical state.
    deceived : list of str
        What imitates progression or response in this course.
    """

    number: int
    dates: list[dt.date]
    labels: list[LabelMap]
    lesions: list[NDArray[np.uint16]] | None
    progression: dt.date | None
    death_days: float
    dead: bool
    events: tuple[Event, ...]
    deceived: list[str]


def members(kind: Kind, patients: int) -> Iterator[Member]:
    """Yield patients who live long enough to be followed, each with as many visits as there were."""
    n = found = 0
    while found < patients:
        member = draw_member(SEED, n, kind, 1, MOST_VISITS)
        n += 1
        days = visit_days(MOST_VISITS) if kind is Kind.GLIOMA else tuple(FOLLOW_DAYS * v for v in range(MOST_VISITS))
        lived = sum(day < member.outcome.days for day in days)
        if lived < LEAST_VISITS or (kind is Kind.GLIOMA and member.person.diagnosis is not Diagnosis.GLIOBLASTOMA):
            continue
        found += 1
        yield draw_member(SEED, n - 1, kind, 1, lived)


def draw(keep: Path, kind: Kind, patients: int, spacing_mm: float) -> None:
    """Draw the truth masks of a cohort into a folder; what is there is kept."""
    keep.mkdir(parents=True, exist_ok=True)
    for member in members(kind, patients):
        path = keep / f"{kind.value}-{spacing_mm:g}mm-{member.number:04d}.npz"
        if not path.exists():
            np.savez_compressed(path, **_drawn(member, spacing_mm))
            print(f"{kind.value} {member.number}: {len(member.days)} visits", flush=True)


def _drawn(member: Member, spacing_mm: float) -> dict[str, NDArray[np.generic]]:
    arrays: dict[str, NDArray[np.generic]] = {}
    grown: list[bool] = []
    for n, made in enumerate(studies(SEED, member, spacing_mm, volumes=False)):
        arrays[f"labels{n}"], arrays["affine"] = made.truth.data, made.truth.grid.affine
        if made.lesions is not None:
            arrays[f"lesions{n}"] = made.lesions
            grown.append(any(_progresses(d, member.days[: n + 1]) for d in made.deposits))
            fates = {d.fate.value for d in made.deposits if d.at(made.day) is not None}
            arrays[f"fates{n}"] = np.array(sorted(fates))
    arrays["grown"] = np.array(grown)
    return arrays


def _progresses(deposit: Deposit, days: tuple[int, ...]) -> bool:
    """Return whether a metastasis is new on the last of these days, or fails: it grows after its smallest size.

    Radiation necrosis and pseudoprogression grow too and are no progression.
    """
    now = deposit.at(days[-1])
    if deposit.fate is not Fate.FAILED or now is None:
        return False
    if deposit.born > 0:
        return True
    before = [focus.diameter_mm for focus in map(deposit.at, days[:-1]) if focus is not None]
    return bool(before) and now.diameter_mm > min(before)


def read(keep: Path, kind: Kind, patients: int, spacing_mm: float) -> Iterator[Digital]:
    """Yield the patients of a cohort that was drawn."""
    for member in members(kind, patients):
        with np.load(keep / f"{kind.value}-{spacing_mm:g}mm-{member.number:04d}.npz") as kept:
            yield _patient(member, dict(kept))


def _patient(member: Member, kept: dict[str, NDArray[np.generic]]) -> Digital:
    dates = [FIRST_STUDY + dt.timedelta(days=day) for day in member.days]
    labels = [LabelMap.of(kept[f"labels{n}"], kept["affine"]) for n in range(len(dates))]
    lesions = [kept[f"lesions{n}"] for n in range(len(dates))] if "lesions0" in kept else None
    if member.kind is Kind.GLIOMA:
        truths = [member.visit(n).truth for n in range(len(dates))]
        progression = next((d for d, t in zip(dates, truths, strict=True) if t in WORSE), None)
        deceived = sorted({t.value for t in truths} & {Truth.PSEUDOPROGRESSION.value, Truth.PSEUDORESPONSE.value})
        deceived += ["cavity"] * (member.plan.removed > 0)
    else:
        progression = next((d for d, grown in zip(dates, kept["grown"], strict=True) if grown), None)
        fates = {str(f) for n in range(len(dates)) for f in kept[f"fates{n}"]}
        deceived = sorted(fates & {Fate.NECROSIS.value, Fate.PSEUDO.value})
    return Digital(
        member.number,
        dates,
        labels,
        lesions,
        progression,
        member.outcome.days,
        member.outcome.dead,
        tuple(events_of(member)),
        deceived,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keep", type=Path, default=Path("build/courses"))
    parser.add_argument("--kind", choices=["glioma", "metastases"], default="glioma")
    parser.add_argument("--patients", type=int, default=200)
    parser.add_argument("--spacing", type=float, default=2.0)
    given = parser.parse_args()
    draw(given.keep, Kind(given.kind), given.patients, given.spacing)


if __name__ == "__main__":
    main()
