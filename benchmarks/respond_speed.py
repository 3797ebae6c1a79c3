"""CPU time of judging 10,000 visits by every criterion, and of reading them from a table.

Run with ``python benchmarks/respond_speed.py``; half a minute. The limit is 5 s for the engine. Invented numbers.
"""

from __future__ import annotations

import datetime as dt
import tempfile
import time
from pathlib import Path

import numpy as np

from tumorboard.respond import CRITERIA, Course, Seen, Visit, judge_all, read_criterion
from tumorboard.respond.table.read import read_visits
from tumorboard.respond.table.write import write_visits
from tumorboard.respond.visits import Compartment, Csf, Eye, Kind, Trend

PATIENTS, VISITS = 2000, 5
LIMIT_S = 5.0


def course(n: int, rng: np.random.Generator) -> Course:
    """Return a course of two enhancing lesions and one that does not enhance."""
    sizes = rng.uniform(12.0, 30.0, (3, 2))
    visits = []
    for k in range(VISITS):
        sizes = sizes * rng.uniform(0.8, 1.25, sizes.shape)
        seen = tuple(
            Seen(f"L{i}", Compartment.NCE if i == 2 else Compartment.CE, long, perp, long * perp * perp / 2000)
            for i, (long, perp) in enumerate(sizes.tolist())
        )
        date = dt.date(2020, 1, 1) + dt.timedelta(days=60 * k)
        dose = float(rng.choice([0.0, 0.0, 2.0]))
        kind = Kind.FOLLOWUP if k else Kind.BASELINE
        facts = {"rt_end": dt.date(2020, 1, 10), "eye": Eye.NORMAL, "csf": Csf.NEGATIVE}
        visits.append(Visit(date, kind, seen, Trend.STABLE, Trend.STABLE, dose, **facts))
    return Course(f"P{n:05d}", tuple(visits))


def main() -> None:
    rng = np.random.default_rng(1)
    courses = [course(n, rng) for n in range(PATIENTS)]
    judge_all(courses[:10])
    start = time.process_time()
    judged = judge_all(courses)
    spent = time.process_time() - start
    word = "within" if spent <= LIMIT_S else "BEYOND"
    print(f"{PATIENTS * VISITS} visits, {len(judged.verdicts)} verdicts by {len(CRITERIA)} criteria: {spent:.1f} CPU-s")
    print(f"   {word} the limit of {LIMIT_S:g} s for all criteria together; one alone:")
    for name in CRITERIA:
        start = time.process_time()
        judge_all(courses, [read_criterion(name)])
        print(f"   {name:<11} {time.process_time() - start:.2f} CPU-s")
    with tempfile.TemporaryDirectory() as place:
        table = Path(place) / "visits.csv"
        write_visits(table, courses)
        start = time.process_time()
        read = read_visits(table)
        print(
            f"reading the table back: {time.process_time() - start:.1f} CPU-s, equal: {read.courses == tuple(courses)}"
        )


if __name__ == "__main__":
    main()
