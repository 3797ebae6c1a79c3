"""Results of a run as files: predictions, metrics, recipe, facts, model, page.

Why it exists: every number that is printed lies here in a form that another program can read, and all files of one run
tell the same story. They are written whole, in one order, and equal runs give equal bytes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from tumorboard.csv_text import table_text
from tumorboard.lab.apply.cases import TrainingCases
from tumorboard.lab.findings.base import Finding
from tumorboard.lab.model import CardFacts, Model, shown
from tumorboard.lab.recipe import Outcomes
from tumorboard.lab.run import Run
from tumorboard.metrics.estimate import Estimate
from tumorboard.store import write_atomic, write_json

FILES = ("oof.csv", "metrics.json", "metrics.csv", "recipe.yaml", "facts.json", "page.html")
"""What a run writes beside ``model/``, ``checklists/``, ``explanations/`` and ``cache/``.

Each finding has a table as well (:data:`tumorboard.lab.findings.FINDINGS`).
"""


def write_run(run: Run, out: Path, tell: Callable[[int, int], None] | None = None) -> None:
    """Write everything of a run into a folder.

    Parameters
    ----------
    run : Run
        What came of a recipe.
    out : Path
        Folder; it is made.
    tell : callable, optional
        Called with steps of explaining the model that are done, and steps in all.

    Raises
    ------
    OutputError
        The folder cannot be written.
    """
    from tumorboard.appraise import CHECKLISTS, appraise, read_checklist
    from tumorboard.appraise.write import write_appraisals
    from tumorboard.lab.drawn import pictures_of
    from tumorboard.lab.evidence import facts_of
    from tumorboard.lab.explained import explain_run, write_explained
    from tumorboard.lab.findings import findings_of
    from tumorboard.lab.page import page

    findings = findings_of(run, out / "cache" / "folds")
    pictures = pictures_of(run)
    drawn = (*pictures, *(one for f in findings for one in f.pictures))
    explained = explain_run(run, out / "cache" / "explanations", tell)
    facts = facts_of(run, tuple(title for title, _ in drawn), findings, explained)
    write_atomic(out / "recipe.yaml", run.recipe.as_yaml())
    write_atomic(out / "oof.csv", predictions_csv(run))
    write_json(out / "metrics.json", metrics_json(run))
    write_atomic(out / "metrics.csv", metrics_csv(run))
    for one in findings:
        write_atomic(out / f"{one.name}.csv", finding_csv(one, run.world))
    write_explained(explained, out / "explanations")
    model_of(run).save(out / "model")
    write_atomic(out / "facts.json", facts.model_dump_json(indent=1, exclude_none=True) + "\n")
    appraisals = tuple(appraise(facts.closed(), read_checklist(name)) for name in CHECKLISTS)
    write_appraisals(out / "checklists", appraisals)
    write_atomic(out / "page.html", page(run, facts, pictures, appraisals, findings, explained))


def model_of(run: Run) -> Model:
    """Return the model that was trained on all rows that are not external, with its card."""
    model = Model.of(run.recipe, run.training, run.fitted, run.conformal, card_facts(run))
    return replace(model, cases=TrainingCases.of(run))


def card_facts(run: Run) -> CardFacts:
    """Return what a card repeats of a run."""
    from tumorboard import __version__
    from tumorboard.lab.checks import events_of
    from tumorboard.lab.evidence import packages

    some = run.training
    training = {
        "rows": len(some),
        "patients": len(set(some.table.patients)),
        "events": events_of(some.outcome)[0],
        "sites": len(set(some.sites.tolist()) - {""}),
        "predictors": len(run.fitted.pipeline.names_),
        "candidates": len(run.fitted.names),
    }
    measured = {
        n: {"value": shown(e.value), "low": shown(e.low), "high": shown(e.high)} for n, e in run.metrics.items()
    }
    return CardFacts(training, measured, {"tumorboard": __version__, **packages()}, next(iter(run.metrics), ""))


def metrics_json(run: Run) -> dict[str, Any]:
    """Return metrics with intervals, published values, and the world that they come from."""
    return {
        "recipe": run.recipe.id,
        "world": run.world,
        "digital": run.data.digital,
        "shuffled": run.data.permuted,
        "rows": len(run.rows),
        "patients": len(set(run.predicted.patients)),
        "validation": run.recipe.validation.name,
        "leading": next(iter(run.metrics)),
        "metrics": {n: _estimate(e) for n, e in run.metrics.items()},
        "reference": {n: _estimate(e) for n, e in run.reference.items()},
        "difference": None if run.against is None else _estimate(run.against.difference) | {"p": shown(run.against.p)},
        "chance_p": shown(run.chance_p),
        "published": dict(run.recipe.published),
        "warnings": list(run.warnings),
    }


def _estimate(e: Estimate) -> dict[str, Any]:
    found = {"value": shown(e.value), "low": shown(e.low), "high": shown(e.high), "n": e.n}
    return found | ({"reason": e.reason} if e.reason else {})


def metrics_csv(run: Run) -> str:
    """Return one line a metric: name, world, value, low, high, n, reason, published."""
    published: Mapping[str, Any] = run.recipe.published
    rows = [
        (n, run.world, _cell(e.value), _cell(e.low), _cell(e.high), e.n, e.reason, published.get(n, ""))
        for n, e in run.metrics.items()
    ]
    return table_text(("metric", "world", "value", "low", "high", "n", "reason", "published"), rows)


def finding_csv(finding: Finding, world: str) -> str:
    """Return the table of a finding, each line with its world; of one that could not be had, a line with the reason."""
    if not finding.rows:
        return table_text(("world", "note"), [(world, finding.note)])
    rows = [(world, *(_any_cell(cell) for cell in row)) for row in finding.rows]
    return table_text(("world", *finding.header), rows)


def _any_cell(cell: str | float | None) -> str:
    return "" if cell is None else cell if isinstance(cell, str) else _cell(cell)


def predictions_csv(run: Run) -> str:
    """Return one line a row that was tested: whose, where, fold, truth, and predictions out of fold."""
    outcome, values = run.predicted.outcome, run.predicted.values
    fold = {int(i): r.fold.name for r in run.folds for i in r.fold.test}
    header = ["patient", "study", "lesion", "site", "fold", *_truth_names(run), *_value_names(run)]
    curves = run.predicted.survival
    header += [] if curves is None else [f"alive_after_{d:g}" for d in run.predicted.days]
    rows = []
    for n, row in enumerate(run.rows):
        unit = run.data.table.units[row]
        told = [unit.patient, unit.study, unit.lesion, run.data.sites[row], fold[int(row)]]
        told += [_cell(v) for v in outcome.values[n]] + [_cell(v) for v in values[n]]
        told += [] if curves is None else [_cell(v) for v in curves[n]]
        rows.append(told)
    return table_text(header, rows)


def _truth_names(run: Run) -> list[str]:
    kind, names = run.data.outcome.kind, run.data.outcome.names
    return [f"true_{n}" for n in names] if kind in (Outcomes.SURVIVAL, Outcomes.MULTILABEL) else ["truth"]


def _value_names(run: Run) -> list[str]:
    kind, names = run.data.outcome.kind, run.data.outcome.names
    if kind in (Outcomes.MULTICLASS, Outcomes.MULTILABEL):
        return [f"p_{n}" for n in names]
    return {Outcomes.BINARY: [f"p_{names[-1]}"], Outcomes.SURVIVAL: ["risk"]}.get(kind, ["predicted"])


def _cell(value: float) -> str:
    number = float(value)
    if np.isnan(number):
        return ""
    if np.isinf(number):
        return "inf" if number > 0 else "-inf"
    return str(int(number)) if number.is_integer() and abs(number) < 1e15 else repr(number)
