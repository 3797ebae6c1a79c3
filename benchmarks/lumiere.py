"""Categories from axis lengths beside the experts' ratings of LUMIERE: how far a table without diameters gets.

Run with ``python benchmarks/lumiere.py``; seconds. The table (Suter Y et al., Sci Data 2022;9:768; not for commercial
use) is read where it is present (../shared/data/tabular) and nothing of it is kept. Nothing is tuned: criteria are the
shipped tables, on images alone.

What the table lacks. It holds no diameters: its shape columns are lengths of the principal axes of three-dimensional
masks, and look like averages over several masks (several regions or segmenters; nobody says which), so a lesion that
splits, a second lesion, a cavity and oedema are all one ellipsoid. New lesions, T2/FLAIR, steroids, the clinical state
and the end of radiotherapy are missing; the experts had all of them. The experts rated against their own choice of
reference. Agreement here bounds nothing: it says what axis lengths alone are worth, which is little more than what the
prevalence of progression gives away.
"""

from __future__ import annotations

import csv
import datetime as dt
import math
from collections import defaultdict
from pathlib import Path

from tumorboard.metrics.agreement import confusion, kappa
from tumorboard.respond import Judging, judge, read_criterion
from tumorboard.respond.visits import Compartment, Course, Kind, Seen, Visit

TABLE = Path(__file__).resolve().parents[2] / "shared" / "data" / "tabular" / "LUMIERE_TD_FINAL.csv"
RATED = ("CR", "PR", "SD", "PD")
CRITERIA = ("rano-hgg", "mrano", "rano-bm", "volumetric")
DAY_0 = dt.date(2000, 1, 3)


def rows() -> list[dict[str, str]]:
    with TABLE.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def length(row: dict[str, str], axis: str) -> float | None:
    """Return an axis length in mm; None where the table has none."""
    try:
        return float(row[f"original_shape_{axis}AxisLength"])
    except ValueError:
        return None


def visit(row: dict[str, str]) -> Visit:
    """Return one row as a visit with one lesion: the ellipsoid of its axes."""
    long, perp, least = (length(row, axis) for axis in ("Major", "Minor", "Least"))
    ml = None if long is None or perp is None or least is None else math.pi / 6000 * long * perp * least
    rating = row["Rating"].strip()
    kind = {"Pre-Op": Kind.BASELINE}.get(rating, Kind.POST_OP if rating.startswith("Post-Op") else Kind.FOLLOWUP)
    date = DAY_0 + dt.timedelta(days=round(7 * 10 * float(row["week"])) // 10)
    return Visit(date, kind, (Seen("mask", Compartment.CE, long, perp, ml),))


def courses() -> list[tuple[Course, list[str]]]:
    """Return patients' courses with the experts' rating of each visit, one visit a day."""
    patients: defaultdict[str, dict[dt.date, tuple[Visit, str]]] = defaultdict(dict)
    for row in rows():
        made = visit(row)
        date = made.date
        while date in patients[row["Patient"]]:  # pre- and post-operative study of one day
            date += dt.timedelta(days=1)
        moved = Visit(date, made.kind, made.lesions)
        patients[row["Patient"]][date] = (moved, row["Rating"].strip())
    out = []
    for name, by_date in patients.items():
        ordered = [by_date[date] for date in sorted(by_date)]
        out.append((Course(name, tuple(v for v, _ in ordered)), [rating for _, rating in ordered]))
    return out


def compared(name: str, settled: bool) -> list[tuple[str, str, str]]:
    """Return patient, the experts' rating and ours, of every rated visit."""
    criterion, out = read_criterion(name), []
    for course, ratings in courses():
        for verdict, rating in zip(judge(course, criterion, Judging(imaging_only=True)), ratings, strict=True):
            said = verdict.category if settled else verdict.imaging_only
            if rating in RATED:
                out.append((course.patient, rating, said.value))
    return out


def show(title: str, rated: list[tuple[str, str, str]]) -> None:
    judged = [r for r in rated if r[2] in RATED]
    patients, experts, ours = (list(column) for column in zip(*judged, strict=True))
    agreed = kappa(experts, ours, RATED, "linear", patients)
    equal = sum(e == o for e, o in zip(experts, ours, strict=True)) / len(judged)
    always = experts.count("PD") / len(judged)
    print(f"{title}: {len(judged)} of {len(rated)} rated visits judged; equal {equal:.2f}, always PD {always:.2f};")
    print(f"   linear weighted kappa {agreed.value:.2f} ({agreed.low:.2f} to {agreed.high:.2f}), always PD 0")
    print("   experts in rows, ours in columns " + " ".join(f"{c:>4}" for c in RATED))
    for name, counts in zip(RATED, confusion(experts, ours, RATED).counts, strict=True):
        print(f"   {name:>32} " + " ".join(f"{n:>4}" for n in counts))


def main() -> None:
    if not TABLE.is_file():
        print("LUMIERE is not here; nothing to compare")
        return
    print((__doc__ or "").partition("\n\n")[2])
    for name in CRITERIA:
        show(f"{name}, each visit for itself", compared(name, settled=False))
        show(f"{name}, after confirmation", compared(name, settled=True))


if __name__ == "__main__":
    main()
