"""Positive control of the recipes: outcomes dealt out by what is plainly there must be found.

Run with ``python benchmarks/recipes_control.py --cohort DIR [DIR …] --out DIR [--only C3,D7]``, with the cohorts and
the folder of ``benchmarks/recipes.py``, whose rows of features are used again. The same outcomes are dealt out anew
among the same rows, not at random as in a null cohort but by size, as the truth of the digital patients tells it:
volume of the tumour in the study, of the lesion, or cells at the needle. The larger it is, the more likely the outcome
is the first (positive, early death, high value); chance is added, so that nothing tells it without error. A recipe that
misses a large effect of a gene, and finds this, is not blind: the gene shows in what the paper's features do not look
at, or patients are few. Without ``--only`` the recipes are taken whose figure on digital patients is not above chance
and that look at images. Figures on digital patients say nothing about people.
"""

from __future__ import annotations

import argparse
import csv
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, fields, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from recipes import (
    ALPHA,
    OF_TABLES,
    Line,
    cell,
    cohorts_of,
    count_lines,
    line_of,
    lines_of,
    read_results,
    rows_in,
    rows_of,
    shown,
    verdict,
)
from scipy.stats import norm, rankdata

from tumorboard.csv_text import table_text
from tumorboard.errors import TumorboardError
from tumorboard.lab.cohort import Cohort
from tumorboard.lab.dataset import Dataset
from tumorboard.lab.outcome import Outcome
from tumorboard.lab.recipe import Outcomes, Recipe, read_recipe
from tumorboard.lab.run import run_recipe
from tumorboard.lab.table import Unit
from tumorboard.store import write_atomic

Sizes = Mapping[tuple[str, str, str], float]

CHANCE = 0.4
"""Standard deviation of what is added to the normal scores of the sizes."""

WORLD, FIRST = "planted", "ses-01"
HOME = Path(__file__).resolve().parent
TABLE, FIGURES = HOME / "recipes_control.csv", HOME / "recipes.csv"


def sizes_of(folder: Path) -> dict[tuple[str, str, str], float]:
    """Return size by patient, study and lesion or biopsy (empty for the whole study), from a cohort's truth."""
    truth = folder / "derivatives" / "truth"
    told = {}
    for r in rows_in(truth / "visits.tsv"):
        told[*_place(r), ""] = sum(float(r[c]) for c in ("et_ml", "netc_ml", "snfh_ml"))
    for r in rows_in(truth / "lesions.tsv"):
        told[*_place(r), r["lesion"]] = float(r["volume_ml"])
    for r in rows_in(truth / "biopsies.tsv"):
        told[*_place(r), f"biopsy-{r['biopsy']}"] = float(r["cells_mm2"])
    return told


def _place(row: Mapping[str, str]) -> tuple[str, str]:
    return row["participant_id"].removeprefix("sub-"), row["session_id"]


def size(unit: Unit, sizes: Sizes) -> float:
    """Return the size of a row; a patient's is that of the first study."""
    return sizes[unit.patient, unit.study or FIRST, unit.lesion or ""]


def dealt(data: Dataset, sizes: NDArray[np.float64], seed: int = 0) -> Dataset:
    """Return the same rows with their outcomes dealt out by size.

    Parameters
    ----------
    data : Dataset
        Rows of a recipe.
    sizes : ndarray of float, shape (rows,)
        In any unit.
    seed : int
        Of the chance that is added.

    Returns
    -------
    Dataset
    """
    scores = norm.ppf((rankdata(sizes) - 0.5) / len(sizes))
    scores = scores + np.random.default_rng(seed).normal(0, CHANCE, len(sizes))
    values, kind = data.outcome.values.copy(), data.outcome.kind
    if kind is Outcomes.SURVIVAL:
        values[np.argsort(scores)] = values[np.argsort(-values[:, 0], kind="stable")]
    else:
        for column in values.T:
            known = np.flatnonzero(~np.isnan(column))
            column[known[np.argsort(scores[known])]] = np.sort(column[known])
    return replace(data, outcome=Outcome(kind, values, data.outcome.names), permuted=True)


def controlled(recipe: Recipe, cohorts: Sequence[tuple[Cohort, Path]], home: Path) -> list[Line]:
    """Return the lines of one recipe on the first cohort that it can run on."""
    level, why = 1 - ALPHA / count_lines(), "no cohort"
    for cohort, folder in cohorts:
        start = time.monotonic()
        try:
            data, sizes = rows_of(recipe, cohort, home), sizes_of(folder)
            planted = dealt(data, np.array([size(u, sizes) for u in data.table.units]))
            return lines_of(recipe, run_recipe(recipe, planted), WORLD, level, time.monotonic() - start)
        except TumorboardError as error:
            why = str(error)
    return [Line(recipe.id, "", "", WORLD, why=why)]


def unseen() -> Iterator[str]:
    """Yield the recipes of images with a figure on digital patients that is not above chance."""
    seen = set()
    for recipe, digital, _ in read_results(FIGURES):
        of_images = any(p.name not in OF_TABLES for p in recipe.representation)
        if of_images and verdict(digital) != "above" and recipe.id not in seen:
            seen.add(recipe.id)
            yield recipe.id


def read_controls(file: Path = TABLE) -> dict[tuple[str, str], Line]:
    """Return what was written, by recipe and label; nothing where there is no file."""
    if not file.is_file():
        return {}
    with file.open(encoding="utf-8", newline="") as opened:
        return {(line.recipe, line.label): line for line in map(line_of, csv.DictReader(opened))}


def write_controls(lines: Mapping[tuple[str, str], Line], file: Path) -> None:
    """Write the lines as CSV, by name."""
    rows = [[cell(v) for v in asdict(lines[key]).values()] for key in sorted(lines)]
    write_atomic(file, table_text([f.name for f in fields(Line)], rows))


def table(controls: Mapping[tuple[str, str], Line]) -> str:
    """Return what was found of outcomes dealt out by size, in words and as Markdown."""
    verdicts = {key: verdict(line) for key, line in controls.items()}
    found = sum(v == "above" for v in verdicts.values())
    lines = [
        f"Outcomes dealt out by size are found in {found} of {len(verdicts)} lines.",
        "",
        "| recipe | metric | outcomes dealt out by size (95 %) | n | found |",
        "|---|---|---|---|---|",
    ]
    for key in sorted(controls):
        line = controls[key]
        told = {"above": "yes", "not assessable": "not assessable"}.get(verdicts[key], "no")
        lines.append(f"| {' '.join(key).strip()} | {line.metric or '–'} | {shown(line)} | {line.n or '–'} | {told} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Run and write after each recipe."""
    parser = argparse.ArgumentParser(description="Recipes on outcomes that are dealt out by size.")
    parser.add_argument("--cohort", type=Path, nargs="+", default=[])
    parser.add_argument("--out", type=Path, default=Path("build/recipes"))
    parser.add_argument("--only", default="", help="ids, separated by commas")
    wanted = parser.parse_args()
    if not wanted.cohort:
        print("cohorts are not there (--cohort DIR; see the head of benchmarks/recipes.py)")
        return
    cohorts = list(zip(cohorts_of(wanted.cohort, wanted.out, "digital"), wanted.cohort, strict=True))
    for name in [n for n in wanted.only.split(",") if n] or list(unseen()):
        found = controlled(read_recipe(name), cohorts, wanted.out)
        kept = read_controls(wanted.out / TABLE.name) | {(f.recipe, f.label): f for f in found}
        write_controls(kept, wanted.out / TABLE.name)
        told = "; ".join(f"{f.label} {shown(f)} {verdict(f)} {f.n}".strip() for f in found)
        print(f"{name}: {told} ({found[0].seconds:.0f} s)", flush=True)
    print("\n" + table(read_controls(wanted.out / TABLE.name)))


if __name__ == "__main__":
    main()
