"""Every recipe on digital patients and on a null cohort: what papers report, what is measured, and what must be chance.

Run with ``python benchmarks/recipes.py --cohort DIR [DIR …] [--null DIR [DIR …]] --out DIR [--only C1,D2]``; hours for
all. The cohorts are those of ``tumorboard simulate --patients 400 --kind glioma --sites 2 --visits 1 --spacing-mm 3
--also …`` (and ``--visits 5``, ``--grade 2 --grade 3``, ``--kind metastases``, ``--kind mixed``), the null ones the
same with ``--null``; a recipe takes the first cohort that it can run on (``--only`` gives some a cohort of their own).
What is finished is kept, and the same command goes on after a stop; rows of features are kept for all recipes together.
Models are not explained here, which takes longer than they do: ``tumorboard lab run`` writes pages.

Without ``--null`` outcomes of the same cohort are shuffled among its patients: every tie between them and anything else
is gone. A null cohort's images and survival depend on nothing that its tables say; where the outcome and the features
come out of the same tables or the same course, that does not take away what ties them, so their outcomes are shuffled
besides; the table says which. Intervals of the checks are at the Bonferroni level over all lines of all recipes.
Figures on digital patients say nothing about people.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from tumorboard import __version__
from tumorboard.csv_text import table_text
from tumorboard.errors import TumorboardError
from tumorboard.lab.checks import check_parts
from tumorboard.lab.cohort import Cohort, read_cohort
from tumorboard.lab.dataset import Dataset, gather
from tumorboard.lab.recipe import Outcomes, Recipe, read_recipe, recipe_names
from tumorboard.lab.run import Run, run_recipe
from tumorboard.lab.scores import metric_names
from tumorboard.metrics.catalogue import METRICS, measure
from tumorboard.simulate.person.effects import EFFECTS, SPREAD
from tumorboard.store import digest, write_atomic, write_json

ALPHA = 0.05
GREW, GREW_MM, HALVED = 1.2, 1.0, 0.5
"""A treated lesion failed where its diameter grew by a fifth and 1 mm above the smallest, and responded where its
volume halved (chosen near RANO-BM, whose 5 mm few digital lesions reach)."""

NOT_OF_IMAGES = frozenset({"kind", "primary", "truth", "lesions.kind", "cells_mm2", "local_failure", "responder"})
OF_ALL_LESIONS = frozenset({"responded", "pfs_days"})
"""Outcomes of all lesions of a patient together."""
SHUFFLED_TOO = NOT_OF_IMAGES | OF_ALL_LESIONS | {"pfs_event", "expression_subtype"}
"""Outcomes that follow from the same course or tissue as the images, in a null cohort too."""

SEPARATED = 40
"""Rows from which complete separation of two classes is no accident (chosen)."""

OF_TABLES = frozenset({"clinical", "molecular", "table", "expression"})


# --- what became of treated lesions -------------------------------------------------------------------------------


def followed_csv(folder: Path, out: Path) -> Path:
    """Write what became of treated metastases, by lesion and by patient, from the truth of a digital cohort.

    Columns: ``local_failure`` and ``responder`` of lesions of the first study; ``responded``, ``pfs_days`` and
    ``pfs_event`` of patients (a lesion that failed, or a new one).
    """
    truth = folder / "derivatives" / "truth"
    people = {r["participant_id"] for r in rows_in(folder / "participants.tsv") if r["kind"] == "metastases"}
    days = {(r["participant_id"], r["session_id"]): int(r["day"]) for r in rows_in(truth / "visits.tsv")}
    seen: dict[str, dict[str, dict[str, dict[str, str]]]] = {p: {} for p in sorted(people)}
    for r in rows_in(truth / "lesions.tsv"):
        if r["participant_id"] in people:
            seen[r["participant_id"]].setdefault(r["lesion"], {})[r["session_id"]] = r
    lines = ["participant_id,session_id,lesion,local_failure,responder,responded,pfs_days,pfs_event"]
    for patient, lesions in seen.items():
        sessions = sorted(s for p, s in days if p == patient)
        if len(sessions) < 2 or not lesions:
            continue
        failed_on: list[int] = []
        responses = []
        for number, by in sorted(lesions.items(), key=lambda item: int(item[0])):
            on = failure_day([(days[patient, s], by[s]) for s in sessions if s in by])
            if sessions[0] in by:
                response = _volume(by.get(sessions[-1])) <= HALVED * _volume(by[sessions[0]])
                responses.append(response and on is None)
                lines.append(f"{patient},{sessions[0]},{number},{int(on is not None)},{int(responses[-1])},,,")
            else:
                failed_on.append(min(days[patient, s] for s in by))
            failed_on += [] if on is None else [on]
        end = min(failed_on, default=days[patient, sessions[-1]])
        lines.append(f"{patient},,,,,{int(bool(responses) and all(responses))},{end},{int(bool(failed_on))}")
    write_atomic(out, "\n".join(lines) + "\n")
    return out


def failure_day(course: Sequence[tuple[int, dict[str, str]]]) -> int | None:
    """Return the first day on which a lesion had grown again as tumour; None where it never did."""
    least = math.inf
    for day, row in course:
        mm = float(row["diameter_mm"])
        if mm >= max(GREW * least, least + GREW_MM) and "radionecrosis" not in row["kind"]:
            return day
        least = min(least, mm)
    return None


def _volume(row: dict[str, str] | None) -> float:
    return 0.0 if row is None else float(row["diameter_mm"]) ** 3


def rows_in(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


# --- running ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Line:
    """The leading metric of one recipe (of one label) in one world; ``wide`` is the Bonferroni interval."""

    recipe: str
    label: str
    metric: str
    world: str
    n: int = 0
    value: float | None = None
    low: float | None = None
    high: float | None = None
    wide_low: float | None = None
    wide_high: float | None = None
    chance: float | None = None
    seconds: float = 0.0
    why: str = ""


def labels_of(recipe: Recipe) -> tuple[str, ...]:
    """Return what gets a line of its own: each label of a multilabel outcome, else one without a name."""
    return recipe.endpoint.columns if recipe.endpoint.kind is Outcomes.MULTILABEL else ("",)


def count_lines() -> int:
    """Return how many lines all recipes have together: by so many the level is divided."""
    return sum(len(labels_of(read_recipe(n))) for n in recipe_names())


def shuffles(recipe: Recipe) -> bool:
    """Whether a null cohort alone is not null for a recipe, so that outcomes are shuffled besides."""
    tables = any(p.name in OF_TABLES for p in recipe.representation) or bool(recipe.compare)
    return tables or any(c in SHUFFLED_TOO for c in recipe.endpoint.sources)


def planted(recipe: Recipe, label: str) -> str:
    """Return how large the effect is that digital images carry of an outcome: large, small, none, or by number.

    What became of a patient's lesions together is the more likely bad the more there are, and images show how many.
    """
    column = label or (recipe.endpoint.column or recipe.endpoint.days)
    if column in OF_ALL_LESIONS:
        return "by number"
    if column in ("kind", "truth", "lesions.kind", "cells_mm2", "two_hg_mm", "grade", "diagnosis"):
        return "large"
    if column == "survival_days":
        return _planted_in_survival(recipe)
    if column == "expression_subtype":
        return "large" if any(p.name == "expression" for p in recipe.representation) else "none"
    sizes = [_size(e.quantity, e.factor) for e in EFFECTS if _column(e.marker) == column.removeprefix("primary_")]
    return "none" if not sizes else "large" if math.hypot(*sizes) > 1 else "small"


def _planted_in_survival(recipe: Recipe) -> str:
    """Return the effect on survival: of age and treatment, of the diagnosis, little of markers; metastases: of age."""
    tables = any(p.name in OF_TABLES for p in recipe.representation)
    if "primary" in recipe.where:
        return "small" if tables else "none"
    return "large" if tables or recipe.where.get("grade", ()) != ("4",) else "small"


def _size(quantity: str, factor: float) -> float:
    """Return an effect in standard deviations between patients; chances count by their odds alone."""
    return abs(math.log(max(factor, 0.05))) / SPREAD.get(quantity, 0.7)


def _column(marker: str) -> str:
    return marker.lower().replace(" ", "_").replace("/", "_")


def lines_of(recipe: Recipe, run: Run, world: str, level: float, seconds: float) -> list[Line]:
    """Return the lines of a run, with intervals at 95 % and at a level."""
    outcome, metric = run.predicted.outcome, metric_names(recipe.endpoint.kind)[0]
    out = []
    for number, label in enumerate(labels_of(recipe)):
        at = np.arange(len(outcome))
        values, some = run.predicted.values, outcome
        if label:
            some, values = outcome.label(number), values[:, [number]]
            at = np.flatnonzero(~np.isnan(some.values[:, 0]))
        some, values = some.take(at), values[at]
        truth: Any = (some.days, some.events) if outcome.kind is Outcomes.SURVIVAL else some.values[:, 0]
        guess = values / values.sum(axis=1, keepdims=True) if outcome.kind is Outcomes.MULTICLASS else values[:, 0]
        whose = [run.predicted.patients[i] for i in at]
        groups = whose if len(set(whose)) < len(whose) else None
        usual, wide = (measure(metric, truth, guess, groups=groups, level=one) for one in (0.95, level))
        chance = METRICS[metric].chance
        numbers = [_finite(v) for v in (usual.value, usual.low, usual.high, wide.low, wide.high)]
        even = None if chance is None else float(chance(np.asarray(truth)))
        out.append(Line(recipe.id, label, metric, world, len(at), *numbers, even, round(seconds, 1)))
    return out


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def finished(
    recipe: Recipe,
    cohorts: Sequence[Cohort],
    world: str,
    home: Path,
    workers: int = 1,
    shuffled: bool = False,
    run: bool = True,
) -> list[Line]:
    """Return the lines of a recipe in one world; those of an earlier call where nothing has changed.

    Without ``run`` only such lines are returned.
    """
    level = 1 - ALPHA / count_lines()
    told = (__version__, recipe.as_yaml(), f"{level} {shuffled}")
    keys = [digest(*told, *cohort.patients, *cohort.columns) for cohort in cohorts]
    place = home / recipe.id / world
    kept = _kept(place / "lines.json", [*keys, digest(*keys)])
    if kept is not None or not run:
        return kept or []
    why, key = "no cohort", digest(*keys)
    for number, cohort in enumerate(cohorts):
        start = time.monotonic()
        try:
            ran = run_recipe(recipe, rows_of(recipe, cohort, home, workers), null=shuffled, workers=workers)
            found, key = lines_of(recipe, ran, world, level, time.monotonic() - start), keys[number]
            break
        except TumorboardError as error:
            why = str(error)
    else:
        metric = metric_names(recipe.endpoint.kind)[0]
        found = [Line(recipe.id, label, metric, world, why=why) for label in labels_of(recipe)]
    write_json(place / "lines.json", {"key": key, "lines": [asdict(line) for line in found]})
    return found


def _kept(place: Path, keys: Sequence[str]) -> list[Line] | None:
    """Return finished lines of a recipe on one of the cohorts."""
    try:
        kept = json.loads(place.read_text(encoding="utf-8"))
        return [Line(**line) for line in kept["lines"]] if kept["key"] in keys else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def rows_of(recipe: Recipe, cohort: Cohort, home: Path, workers: int = 1) -> Dataset:
    """Return the rows of a recipe; what other recipes have computed of the same images is not computed again."""
    check_parts(recipe)
    return gather(recipe, cohort, home / "features", workers)


# --- the table ----------------------------------------------------------------------------------------------------


def verdict(line: Line) -> str:
    """Return where the Bonferroni interval of a line lies: above, below or around chance."""
    even = 0.0 if line.metric == "r2" else line.chance  # no better than the mean of all
    if line.value == 1.0 and line.wide_low is None and line.n >= SEPARATED and even is not None:
        return "above"  # all classes apart: no interval, and no chance finding
    if line.wide_low is None or line.wide_high is None or even is None:
        return "not assessable"
    if line.wide_low > even:
        return "above"
    # what knows nothing errs more than the mean of those whom it has not seen: its R2 lies below 0
    return "below" if line.wide_high < even and line.metric != "r2" else "covers chance"


def table(pairs: Sequence[tuple[Recipe, Line, Line]], null_images: bool = True) -> str:
    """Return published beside digital beside null, as Markdown."""
    lines = [
        "| recipe | metric | published | measured on digital patients (95 %) | n | planted effect | found |"
        " null cohort (95 %) | n | null by | chance within |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for recipe, digital, null in pairs:
        name = f"{recipe.id} {digital.label}".strip()
        found = {"above": "yes", "not assessable": "not assessable"}.get(verdict(digital), "no")
        by = "images" if null_images else "shuffled outcomes"
        by += ", and shuffled outcomes" if null_images and shuffles(recipe) else ""
        within = {"covers chance": "yes", "above": "**no: above**", "below": "no: below"}.get(
            verdict(null), verdict(null)
        )
        cells = (
            *(name, digital.metric, _published(recipe, digital.metric), shown(digital), digital.n or "–"),
            *(planted(recipe, digital.label), found, shown(null), null.n or "–", by, within),
        )
        lines.append("| " + " | ".join(str(c).replace("|", "/") for c in cells) + " |")
    return "\n".join(lines) + "\n"


def _published(recipe: Recipe, metric: str) -> str:
    told = recipe.published
    if metric in told:
        return str(told[metric])
    numbers = [f"{k} {v}" for k, v in told.items() if k != "note"]
    return "; ".join(numbers) or "–"


def shown(line: Line) -> str:
    if line.value is None:
        return f"did not run: {line.why}" if line.why else "not assessable"
    if line.low is None or line.high is None:
        return f"{line.value:.2f}"
    return f"{line.value:.2f} ({line.low:.2f} to {line.high:.2f})"


def summary(pairs: Sequence[tuple[Recipe, Line, Line]]) -> str:
    """Return the two checks in words."""
    nulls = [verdict(n) for _, _, n in pairs]
    ran = [v for v in nulls if v != "not assessable"]
    sure = [verdict(d) for r, d, _ in pairs if planted(r, d.label) == "large" and verdict(d) != "not assessable"]
    none = [verdict(d) for r, d, _ in pairs if planted(r, d.label) == "none" and verdict(d) != "not assessable"]
    return (
        f"Intervals of the checks are at level 1 - {ALPHA:g}/{count_lines()}.\n"
        f"Null cohort: {ran.count('covers chance')} of {len(ran)} lines cover chance, {ran.count('above')} lie above, "
        f"{ran.count('below')} below; {len(nulls) - len(ran)} did not run.\n"
        f"Digital patients: a large planted effect is found in {sure.count('above')} of {len(sure)} lines; where none "
        f"is planted, {none.count('above')} of {len(none)} lines lie above chance.\n"
    )


def write_results(pairs: Sequence[tuple[Recipe, Line, Line]], out: Path, null_images: bool = True) -> str:
    """Write the table as Markdown, and every line as CSV; return the Markdown."""
    text = summary(pairs) + "\n" + table(pairs, null_images)
    write_atomic(out / "recipes.md", text)
    header = [f.name for f in fields(Line)]
    rows = [[cell(v) for v in asdict(line).values()] for _, *both in pairs for line in both]
    write_atomic(out / "recipes.csv", table_text(header, rows))
    return text


def cell(value: object) -> object:
    return "" if value is None else round(value, 4) if isinstance(value, float) else value


def read_results(file: Path) -> list[tuple[Recipe, Line, Line]]:
    """Return what :func:`write_results` wrote as CSV."""
    with file.open(encoding="utf-8", newline="") as opened:
        found = [line_of(row) for row in csv.DictReader(opened)]
    by = {(line.recipe, line.label, line.world): line for line in found}
    return [(read_recipe(n), one, by[n, label, "null"]) for (n, label, world), one in by.items() if world == "digital"]


def line_of(row: dict[str, str]) -> Line:
    numbers = ("value", "low", "high", "wide_low", "wide_high", "chance")
    told: dict[str, Any] = {k: float(row[k]) if row[k] else None for k in numbers}
    told |= {"n": int(row["n"]), "seconds": float(row["seconds"])}
    return Line(**{**row, **told})


def cohorts_of(folders: Sequence[Path], out: Path, world: str) -> list[Cohort]:
    found = []
    for folder in folders:
        place = out / f"{world}-{folder.resolve().name}" / "followed.csv"
        found.append(read_cohort(folder, tables=[followed_csv(folder, place)]))
    return found


def _recipes(only: str) -> Iterator[Recipe]:
    names = [n for n in only.split(",") if n] or [n for n in recipe_names() if not n.startswith("example")]
    return (read_recipe(n) for n in names)


def main() -> None:
    """Run, write after each recipe, and print the table."""
    parser = argparse.ArgumentParser(description="Recipes on digital patients and on a null cohort.")
    parser.add_argument("--cohort", type=Path, nargs="+", default=[])
    parser.add_argument("--null", type=Path, nargs="+", default=[])
    parser.add_argument("--out", type=Path, default=Path("build/recipes"))
    parser.add_argument("--only", default="", help="ids, separated by commas")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--collect", action="store_true", help="only write the table of what is finished")
    wanted = parser.parse_args()
    if not wanted.cohort:
        print("cohorts are not there (--cohort DIR; see the head of this file)")
        return
    digital, images = cohorts_of(wanted.cohort, wanted.out, "digital"), bool(wanted.null)
    null = cohorts_of(wanted.null, wanted.out, "null") if images else digital
    pairs: list[tuple[Recipe, Line, Line]] = []
    for recipe in _recipes(wanted.only):
        how = {"home": wanted.out, "workers": wanted.workers, "run": not wanted.collect}
        told = finished(recipe, digital, "digital", **how)
        chance = finished(recipe, null, "null", shuffled=not images or shuffles(recipe), **how)
        if not told or not chance:
            continue
        pairs += [(recipe, one, other) for one, other in zip(told, chance, strict=True)]
        write_results(pairs, wanted.out, images)
        print(
            f"{recipe.id}: " + "; ".join(f"{x.world} {shown(x)} {x.seconds:.0f} s" for x in told + chance), flush=True
        )
    print("\n" + write_results(pairs, wanted.out, images))


if __name__ == "__main__":
    main()
