"""Criteria on digital courses whose true progression is known: days of error, and time to progression for survival.

Run with ``python benchmarks/digital_courses.py --keep DIR`` first (hours for 200), then with
``python benchmarks/respond_digital.py --keep DIR``; ``--chain 12 --keep DIR`` takes gliomas through the whole chain
instead (images, outlines by the shipped segmenter, measurements), ``--kind metastases`` judges metastases.

Truth masks are measured as the chain measures: lesions of enhancing tumour, diameters on axial slices, volumes. What
deceives is in the courses: cavities and blood after surgery, pseudoprogression, pseudoresponse to bevacizumab, flares
under immunotherapy, radiation necrosis. True progression is the first study that really shows it. The courses follow
rules that are chosen (``simulate/disease/treatment.py``): no figure here is evidence about people.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
from digital_courses import SEED, Digital, members, read
from numpy.typing import NDArray

from tumorboard.chain import run_intake
from tumorboard.intake import IntakeRequest, take_in
from tumorboard.labels import LabelMap
from tumorboard.measure.diameters import measure_diameters
from tumorboard.measure.lesions import find_lesions
from tumorboard.respond import Judging, Seen, judge_all, read_criterion
from tumorboard.respond.align.follow import LesionsAt, follow
from tumorboard.respond.case.course import course_of
from tumorboard.respond.case.facts import facts_of
from tumorboard.respond.case.flair import flair_trend
from tumorboard.respond.cohort.surrogate import SurrogateRow, surrogate
from tumorboard.respond.table.outcomes import Outcome
from tumorboard.respond.visits import REFERENCES, Compartment, Course, Trend, Visit
from tumorboard.settings import RunSettings
from tumorboard.simulate.files.cohort_tree import write_cohort_tables, write_patient
from tumorboard.simulate.subject import Kind as Cohort
from tumorboard.verdict import TimeToProgression

GLIOMA = ("macdonald", "rano-hgg", "mrano", "rano-2.0", "irano", "volumetric")
METASTASES = ("rano-bm", "recist-1.1", "volumetric")
TREATED = ("rano-bm", "irano")
"""Of metastases under immunotherapy."""


def course(digital: Digital) -> Course:
    """Return a patient's course from the truth masks."""
    numbers, names = _followed(digital)
    facts, _ = facts_of(digital.dates, digital.events)
    rows = [_rows(labels, n, own) for labels, n, own in zip(digital.labels, numbers, names, strict=True)]
    known: list[str] = []
    visits = []
    for n, (date, fact, seen) in enumerate(zip(digital.dates, facts, rows, strict=True)):
        gone = [Seen(name, Compartment.CE, 0.0, 0.0, 0.0) for name in known if name not in {s.lesion for s in seen}]
        new = [replace(s, new=n > 0 and s.lesion not in known) for s in seen]
        known += [s.lesion for s in seen if s.lesion not in known]
        steroid, clinical = fact.dexamethasone_mg, fact.clinical
        if digital.lesions is not None:  # metastases have neither in their tables: nobody takes any, nobody is worse
            steroid, clinical = 0.0, Trend.STABLE
        visit = Visit(date, fact.kind, (*new, *gone), None, clinical, steroid, fact.steroid_reason)
        visits.append(replace(visit, rt_end=fact.rt_end, drug=fact.drug, drug_start=fact.drug_start))
    return Course(f"{digital.number:04d}", tuple(_with_flair(visits, digital.labels)))


def _treated(course: Course) -> Course:
    """Return the same course under immunotherapy from the first day."""
    start = course.visits[0].date
    return replace(course, visits=tuple(replace(v, drug="immunotherapy", drug_start=start) for v in course.visits))


def _followed(digital: Digital) -> tuple[list[NDArray[np.uint16]], list[dict[int, str]]]:
    if digital.lesions is not None:
        names = [{int(k): f"M{k}" for k in np.unique(n) if k} for n in digital.lesions]
        return list(digital.lesions), names
    numbers = [find_lesions(labels, "ET").numbers for labels in digital.labels]
    tracks = follow([LesionsAt(n, labels.grid) for n, labels in zip(numbers, digital.labels, strict=True)])
    return numbers, [dict(own) for own in tracks.names]


def _rows(labels: LabelMap, numbers: NDArray[np.uint16], own: dict[int, str]) -> list[Seen]:
    """Return the lesions of one study; parts of one lesion add up as products do."""
    enhancing = labels.region("ET")
    parts: dict[str, list[tuple[float, float, float]]] = {}
    for number, name in own.items():
        mask = (numbers == number) & enhancing
        found = measure_diameters(mask, labels.grid.spacing_mm, 2)
        if found is not None:
            volume = float(mask.sum()) * labels.grid.voxel_volume_ml
            parts.setdefault(name, []).append((found.rano.longest_mm, found.rano.perpendicular_mm, volume))
    out = []
    for name, mine in parts.items():
        long = sum(a for a, _, _ in mine)
        perp = sum(a * b for a, b, _ in mine) / long
        out.append(
            Seen(name, Compartment.CE, long, perp, sum(v for _, _, v in mine), slice_mm=labels.grid.spacing_mm[2])
        )
    return out


def _with_flair(visits: list[Visit], labels: list[LabelMap]) -> Iterable[Visit]:
    """Yield visits with the trend of T2/FLAIR from its volume since the last reference."""
    since: list[float] = []
    for visit, label in zip(visits, labels, strict=True):
        volume = label.volume_ml("WT")
        if visit.kind in REFERENCES:
            since = [volume]
            yield visit
            continue
        trend = flair_trend(volume, min(since), since[0]) if since and min(since) > 0 else None
        since.append(volume)
        yield replace(visit, t2flair=trend)


def through_chain(keep: Path, patients: int, spacing_mm: float) -> list[Course]:
    """Write images of the first patients, run the chain on them up to measuring, and read their courses back."""
    bids, out = keep / "bids", keep / "results"
    chosen = {f"{m.number:04d}": m for m in members(Cohort.GLIOMA, patients)}
    write_cohort_tables(bids, "digital courses", SEED, chosen)
    for label, member in chosen.items():
        if not (bids / f"sub-{label}").is_dir():
            write_patient(bids, label, SEED, member, spacing_mm, ())
            print(f"images of {label}", flush=True)
    request = IntakeRequest(inputs=(bids,), events=bids / "events.csv")
    run_intake(take_in(request), request, out, RunSettings(digital=True), until="measure")
    return [replace(course_of(out / f"sub-{label}").course, patient=label) for label in chosen]


def show(title: str, truth: dict[str, Digital], courses: Iterable[Course], criteria: tuple[str, ...]) -> None:
    """Print, for each criterion, how far its dates are from the truth and what its times say of survival."""
    over = {"parent": "rano-bm"} if criteria == TREATED else None
    tables = [read_criterion(name, over if name == "irano" else None) for name in criteria]
    courses = [c for c in courses if c.patient in truth]
    judged = judge_all(courses, tables, Judging())
    outcomes = [Outcome(p, d.death_days, None, d.dead) for p, d in truth.items()]
    by_row = {(r.criterion, r.quantity): r for r in surrogate(judged.times, outcomes)}
    true = sum(d.progression is not None for d in truth.values())
    print(f"\n{title} (digital patients): {len(courses)} courses, {true} with true progression")
    head = "".join(f"{word:>8}" for word in ("same", "early", "late", "missed", "false", "median", "mean"))
    print(f"{'criterion':<12}{head}  days of error; C-index of time to progression for survival (95 %)")
    for name in criteria:
        mine = [t for t in judged.times if t.criterion == name]
        print(f"{name:<12}{_line(mine, truth)}  {_c(by_row, name)}")
    for n in judged.not_run[:3]:
        print(f"not run on some: {n.criterion}: {n.reason}")


def _line(times: list[TimeToProgression], truth: dict[str, Digital]) -> str:
    same = early = late = missed = false = 0
    errors = []
    for time in times:
        true = truth[time.patient].progression
        if true is None or time.progression is None:
            false += time.progression is not None
            missed += true is not None
            continue
        days = (time.progression - true).days
        errors.append(abs(days))
        same, early, late = same + (days == 0), early + (days < 0), late + (days > 0)
    middle, mean = (f"{f(errors):.0f}" if errors else "-" for f in (statistics.median, statistics.mean))
    return "".join(f"{word:>8}" for word in (same, early, late, missed, false, middle, mean))


def _c(rows: dict[tuple[str, str], SurrogateRow], name: str) -> str:
    found = rows[name, "c_index"].estimate
    return f"{found.value:.2f} ({found.low:.2f} to {found.high:.2f})" if found.known else found.reason


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keep", type=Path, default=Path("build/courses"))
    parser.add_argument("--kind", choices=["glioma", "metastases"], default="glioma")
    parser.add_argument("--patients", type=int, default=200)
    parser.add_argument("--spacing", type=float, default=2.0)
    parser.add_argument("--chain", type=int, default=0, metavar="N")
    given = parser.parse_args()
    kind = Cohort(given.kind)
    found, courses, treated = {}, [], []
    for digital in read(given.keep, kind, given.chain or given.patients, given.spacing):
        courses.append(course(digital))
        if kind is Cohort.METASTASES:
            treated.append(_treated(courses[-1]))
        found[courses[-1].patient] = replace(digital, labels=[], lesions=None)  # masks of a cohort fill memory
    parts = {f"{given.kind}, truth masks": found}
    parts |= {f"of these, with {w}": _with(found, w) for w in sorted({w for d in found.values() for w in d.deceived})}
    for title, some in parts.items():
        show(title, some, courses, GLIOMA if kind is Cohort.GLIOMA else METASTASES)
        if treated:
            show(f"{title}, under immunotherapy", some, treated, TREATED)
    if given.chain:
        show("through the chain", found, through_chain(given.keep, given.chain, given.spacing), GLIOMA)


def _with(found: dict[str, Digital], why: str) -> dict[str, Digital]:
    return {p: d for p, d in found.items() if why in d.deceived}


if __name__ == "__main__":
    main()
