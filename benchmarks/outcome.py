"""Survival and prevalences of a digital glioblastoma cohort beside the tables they were calibrated on.

Run with ``python benchmarks/outcome.py``; a few seconds. The tables are public (UPENN-GBM, UCSF-PDGM; CC BY 4.0)
and are read where they are present (../shared/data/tabular). That the curves agree is how they were made; what is
checked is that effects, mixtures and follow-up together still give the table's curve. No figure here is evidence
about people.
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from scipy.optimize import minimize

from tumorboard.simulate.person.people import POPULATIONS, Diagnosis, Resection, draw_person
from tumorboard.simulate.person.survival import HAZARDS, draw_outcome

TABLES = Path(__file__).resolve().parents[2] / "shared" / "data" / "tabular"
SEED, N = 2026, 2000
QUARTILES = (0.9, 0.75, 0.5, 0.25, 0.1)


def rows(name: str) -> list[dict[str, str]]:
    with (TABLES / name).open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def upenn() -> list[dict[str, str]]:
    """Return the first study of every patient without an IDH mutation."""
    every = rows("UPENN-GBM_clinical_info_v2.1.csv")
    return [r for r in every if r["ID"].endswith("_11") and r["IDH1"] != "Mutated"]


def number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def followed(patients: list[dict[str, str]]) -> tuple[NDArray[np.float64], NDArray[np.bool_], list[dict[str, str]]]:
    """Return days, deaths and the rows of those whose follow-up is known."""
    days, dead, kept = [], [], []
    for row in patients:
        died, censored = number(row["Survival_from_surgery_days_UPDATED"]), number(row["Survival_Censor"])
        last = died if died else censored
        if last:
            days.append(last)
            dead.append(bool(died))
            kept.append(row)
    return np.array(days), np.array(dead), kept


def censored(days: NDArray[np.float64], dead: NDArray[np.bool_]) -> stats.CensoredData:
    return stats.CensoredData(uncensored=days[dead], right=days[~dead])


def quantiles(data: stats.CensoredData) -> list[float]:
    """Return the days at which so many are alive (Kaplan-Meier)."""
    curve = stats.ecdf(data).sf
    return [float(curve.quantiles[np.argmax(curve.probabilities <= p)]) for p in QUARTILES]


def refit(days: NDArray[np.float64], dead: NDArray[np.bool_], kept: list[dict[str, str]]) -> list[float]:
    """Fit the Weibull hazards again: shape, scale, and ratios of a decade, a gross resection and methylation."""
    age = np.array([(float(r["Age_at_scan_years"]) - 64.0) / 10.0 for r in kept])
    gross, known = (np.array([r["GTR_over90percent"] in of for r in kept]) for of in ("Y", ("Y", "N")))
    methylated, clear = (
        np.array([r["MGMT"] in of for r in kept]) for of in (("Methylated",), ("Methylated", "Unmethylated"))
    )
    x = np.stack([age, gross, ~known, methylated, ~clear], axis=1).astype(float)

    def cost(p: NDArray[np.float64]) -> float:
        shape, eta = np.exp(p[0]), x @ p[2:]
        z = shape * (np.log(days) - p[1])
        return float(-(dead * (p[0] - np.log(days) + z + eta) - np.exp(z + eta)).sum())

    found = minimize(cost, np.r_[0.0, np.log(400.0), np.zeros(5)], method="BFGS").x
    return [float(v) for v in np.exp([found[0], found[1], found[2], found[3], found[5]])]


def main() -> None:
    """Print curves, the log-rank test, the fitted effects, and prevalences."""
    if not TABLES.is_dir():
        print("the public tables are not there (../shared/data/tabular)")
        return
    rng = np.random.default_rng(SEED)
    people = [draw_person(rng, "upenn-gbm") for _ in range(N)]
    outcomes = [draw_outcome(p, rng, (3000.0, 6000.0)) for p in people]
    digital = censored(np.array([o.days for o in outcomes]), np.array([o.dead for o in outcomes]))
    days, dead, kept = followed(upenn())
    real = censored(days, dead)
    print(f"alive {QUARTILES}: days")
    print(f"UPENN-GBM, {len(days):5} patients  {[round(q) for q in quantiles(real)]}")
    print(f"digital,   {N:5} patients  {[round(q) for q in quantiles(digital)]}")
    ratio = quantiles(digital)[2] / quantiles(real)[2]
    print(f"median digital / real {ratio:.3f}; log-rank p {stats.logrank(digital, real).pvalue:.3f}\n")
    hazard = HAZARDS[Diagnosis.GLIOBLASTOMA]
    used = (hazard.shape, hazard.scale_days, hazard.per_decade, hazard.resections[Resection.GROSS], hazard.methylated)
    names = ("shape", "scale, days", "per decade", "gross resection", "methylated")
    for name, mine, again in zip(names, used, refit(days, dead, kept), strict=True):
        print(f"{name:16} used {mine:8.3f}   fitted again {again:8.3f}")
    table = rows("UCSF-PDGM-metadata_v2.csv")
    people = [draw_person(rng, "ucsf-pdgm") for _ in range(N)]
    print()
    for diagnosis in POPULATIONS["ucsf-pdgm"]:
        of = sum(r["Final pathologic diagnosis (WHO 2021)"] == diagnosis.value for r in table)
        mine = sum(p.diagnosis is diagnosis for p in people)
        p = stats.fisher_exact([[of, len(table) - of], [mine, N - mine]]).pvalue
        print(f"{diagnosis.value:50} UCSF {of / len(table):6.1%}   digital {mine / N:6.1%}   p {p:.2f}")


if __name__ == "__main__":
    main()
