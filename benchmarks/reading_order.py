"""What does triage do to waiting? Minutes until a study is read, in order of triage and first come, first served.

Run with ``python benchmarks/reading_order.py [--picture FILE]``; some two minutes. Simulated: Poisson arrivals,
exponential reading times of 12 minutes on average, 15 % of studies urgent (chosen; no hospital was measured). The
simulation is checked against Cobham's formulas in the same run. Sensitivity and specificity stand for any triage: those
of our table are not known for patients.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np

from tumorboard.serve.triage.queueing import Department, Triage, Waits, mean_waits, simulate

MINUTES, URGENT = 12.0, 0.15
STUDIES, RUNS = 8000, 12
ROOMS = tuple((readers, load) for readers in (1, 2, 4) for load in (0.6, 0.8, 0.9))
WAYS = (
    ("first come, first served", None),
    ("perfect triage", Triage(1.0, 1.0)),
    ("sensitivity 90 %, specificity 90 %", Triage(0.9, 0.9)),
    ("sensitivity 70 %, specificity 95 %", Triage(0.7, 0.95)),
    ("no better than chance (30 %, 70 %)", Triage(0.3, 0.7)),
    ("90 %, 90 %, nobody passed over after 2 h", Triage(0.9, 0.9, limit_minutes=120.0)),
)


@dataclass(frozen=True)
class Row:
    """Minutes: means with the half-width of their 95 % interval over runs, and 95th percentiles."""

    urgent: float
    urgent_pm: float
    urgent_p95: float
    others: float
    others_p95: float


def room_of(readers: int, load: float) -> Department:
    return Department(load * readers * 60.0 / MINUTES, readers, MINUTES, URGENT)


def measured(room: Department, way: Triage | None) -> Row:
    found: list[Waits] = [simulate(room, way, STUDIES, seed) for seed in range(RUNS)]
    means = np.array([w.urgent.mean() for w in found])
    return Row(
        urgent=float(means.mean()),
        urgent_pm=float(2.2 * means.std(ddof=1) / np.sqrt(RUNS)),
        urgent_p95=float(np.percentile(np.concatenate([w.urgent for w in found]), 95)),
        others=float(np.mean([w.others.mean() for w in found])),
        others_p95=float(np.percentile(np.concatenate([w.others for w in found]), 95)),
    )


def table() -> dict[tuple[int, float], list[Row]]:
    rows: dict[tuple[int, float], list[Row]] = {}
    print("minutes until reading (mean ± 95 % interval, 95th percentile); formula: Cobham's mean\n")
    print("| readers | load | order | urgent | formula | urgent, 95 % | others | others, 95 % | missed (formula) |")
    print("|---|---|---|---|---|---|---|---|---|")
    for readers, load in ROOMS:
        room = room_of(readers, load)
        rows[readers, load] = [measured(room, way) for _, way in WAYS]
        for (name, way), row in zip(WAYS, rows[readers, load], strict=True):
            told = mean_waits(room, way) if way is None or way.limit_minutes is None else None
            formula, missed = (f"{told.urgent:.1f}", f"{told.missed:.0f}") if told else ("-", "-")
            print(
                f"| {readers} | {load:g} | {name} | {row.urgent:.1f} ± {row.urgent_pm:.1f} | {formula} "
                f"| {row.urgent_p95:.0f} | {row.others:.1f} | {row.others_p95:.0f} | {missed} |"
            )
    return rows


def told(rows: dict[tuple[int, float], list[Row]]) -> None:
    print("\nratio of mean waits, sensitivity 90 % and specificity 90 % to first come, first served:")
    for (readers, load), found in rows.items():
        plain, ours = found[0], found[2]
        print(
            f"  {readers} readers, load {load:g}: urgent {ours.urgent / plain.urgent:.2f}, "
            f"others {ours.others / plain.others:.2f} (+{ours.others - plain.others:.1f} min)"
        )
    chance = max(abs(f[4].urgent / f[0].urgent - 1) for f in rows.values())
    print(f"a triage no better than chance changes the wait of urgent studies by at most {100 * chance:.0f} % (noise)")


def draw(rows: dict[tuple[int, float], list[Row]], path: Path) -> None:

    mpl.use("Agg")

    colours = ("#444444", "#1b7837", "#2166ac", "#92c5de", "#d6604d")
    figure, axes = plt.subplots(2, 3, figsize=(10, 6), sharex=True, layout="constrained")
    dense = np.linspace(0.5, 0.92, 60)
    for column, readers in enumerate((1, 2, 4)):
        loads = [load for r, load in ROOMS if r == readers]
        for way, colour in enumerate(colours):
            formula = [mean_waits(room_of(readers, load), WAYS[way][1]) for load in dense]
            found = [rows[readers, load][way] for load in loads]
            style, above = ("--", 5) if way == 0 else ("-", 3)
            for line, kind in enumerate(("urgent", "others")):
                axis = axes[line, column]
                curve = [getattr(f, kind) for f in formula]
                axis.plot(dense, curve, style, color=colour, label=WAYS[way][0], zorder=above)
                axis.plot(loads, [getattr(f, kind) for f in found], "o", ms=4, color=colour, zorder=above)
        axes[0, column].set_title(f"{readers} reader{'s' * (readers > 1)}")
        axes[1, column].set_xlabel("load: share of time spent reading")
    for line, name in enumerate(("urgent studies", "other studies")):
        axes[line, 0].set_ylabel(f"{name}\nmean minutes until reading")
        for axis in axes[line]:
            axis.set_ylim(bottom=0)
            axis.grid(alpha=0.3)
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3, frameon=False)
    figure.suptitle("Reading room: 12 minutes a study, 15 % urgent. Lines: Cobham's formulas, dots: simulated")
    figure.savefig(path, dpi=100)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--picture", type=Path)
    arguments = parser.parse_args()
    rows = table()
    told(rows)
    if arguments.picture:
        draw(rows, arguments.picture)


if __name__ == "__main__":
    main()
