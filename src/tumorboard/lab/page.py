"""One page of a run: what was asked, what came out beside what was published, and whose patients these are.

Why it exists: a number without its world misleads. The page names it in the head, in every table and in the title.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from tumorboard.appraise import Answer, Appraisal, RunFacts
from tumorboard.lab.dataset import REAL
from tumorboard.lab.explained import Explained, section
from tumorboard.lab.findings.base import Finding, Picture
from tumorboard.lab.run import Run
from tumorboard.metrics.estimate import Estimate

if TYPE_CHECKING:
    from jinja2 import Template

_WORDS = {"kfold": "folds", "leave_one_out": "one patient left out at a time", "leave_site_out": "one site left out"}


@dataclass(frozen=True)
class Line:
    """One metric on the page."""

    name: str
    title: str
    published: str
    measured: str
    rival: str


def page(
    run: Run,
    facts: RunFacts,
    pictures: Sequence[Picture] = (),
    appraisals: Sequence[Appraisal] = (),
    findings: Sequence[Finding] = (),
    explained: Explained | None = None,
) -> str:
    """Return the page as HTML.

    Parameters
    ----------
    run : Run
        That ended.
    facts : RunFacts
        Of it.
    pictures : sequence of (str, str)
        Titles, and PNG as base64, of what stands below the metrics.
    appraisals : sequence of Appraisal
        Checklists that were answered; their items lie beside the page.
    findings : sequence of Finding
        Tables that stand below, with their pictures.
    explained : Explained, optional
        What explains its model.

    Returns
    -------
    str
        One file, with nothing to load.
    """
    return _template().render(
        recipe=run.recipe,
        world=run.world,
        real=run.world == REAL,
        findings=findings,
        explained=section(explained or Explained((), (), run.world)),
        lines=lines(run),
        compare=", ".join(run.recipe.compare) if run.reference else "",
        against=_against(run),
        chance=f"{run.chance_p:.2g}" if run.chance_p == run.chance_p else "",
        pictures=pictures,
        note=run.recipe.published.get("note", ""),
        numbers=_numbers(run, facts),
        answers=[kind.value for kind in Answer],
        checklists=[_counted(one) for one in appraisals],
        kept=run.fitted.pipeline.names_,
        top=important(run),
        warnings=run.warnings,
        yaml=run.recipe.as_yaml(),
    )


def lines(run: Run) -> list[Line]:
    """Return the metrics of a run beside what was published, the published ones first."""
    from tumorboard.metrics.catalogue import METRICS

    published = {k: v for k, v in run.recipe.published.items() if k != "note"}
    names = [n for n in published if n in run.metrics] + [n for n in run.metrics if n not in published]
    out = []
    for name in names:
        first = name.split(" ")[0]
        title = METRICS[first].title + name.removeprefix(first) if first in METRICS else name
        rival = in_words(run.reference[name]) if name in run.reference else ""
        out.append(Line(name, title, str(published.get(name, "")), in_words(run.metrics[name]), rival))
    extra = [n for n in published if n not in run.metrics]
    return out + [Line(n, n.replace("_", " "), str(published[n]), "not computed", "") for n in extra]


def in_words(e: Estimate) -> str:
    """Return an estimate with its interval, or why there is none.

    Examples
    --------
    >>> in_words(Estimate(0.812, 0.71, 0.9, 60)), in_words(Estimate.missing("one class"))
    ('0.81 (0.71 to 0.90)', 'none: one class')
    """
    if not e.known:
        return f"none: {e.reason}"
    return f"{e.value:.2f}" if math.isnan(e.low) else f"{e.value:.2f} ({e.low:.2f} to {e.high:.2f})"


def important(run: Run, most: int = 10) -> list[tuple[str, float]]:
    """Return the columns with the largest weight in the final model, and their share of all weights."""
    weights = run.fitted.pipeline.learner.weights
    if weights is None or not weights.sum() > 0:
        return []
    order = sorted(range(len(weights)), key=lambda i: (-weights[i], i))[:most]
    return [(run.fitted.pipeline.names_[i], float(weights[i] / weights.sum())) for i in order if weights[i] > 0]


def _against(run: Run) -> str:
    if run.against is None:
        return ""
    p = "" if math.isnan(run.against.p) else f", p = {run.against.p:.2g}"
    return in_words(run.against.difference) + p


def _counted(appraisal: Appraisal) -> tuple[str, list[int], str]:
    """Return a checklist's title, how many items have each answer, and the score."""
    score = appraisal.score
    reached = f"{score.low:g}" if score.low == score.high else f"{score.low:g} to {score.high:g}"
    title = f"{appraisal.checklist.title} ({appraisal.checklist.version})"
    return title, [appraisal.count(kind) for kind in Answer], f"{reached} of {score.most:g}"


def _numbers(run: Run, facts: RunFacts) -> list[tuple[str, Any]]:
    how = run.recipe.validation
    told = [
        ("Patients", facts.data.patients),
        ("Rows", facts.data.rows),
        ("With the outcome", facts.data.events),
        ("Candidate predictors", facts.features.candidates),
        ("In the final model", facts.features.selected),
        ("Validation", _WORDS.get(how.name, how.name.replace("_", " "))),
        ("Folds", f"{how.folds} × {how.repeats}" if how.name in ("kfold", "nested") else None),
        ("Seed", run.recipe.seed),
    ]
    return [(name, value) for name, value in told if value is not None]


@cache
def _template() -> Template:
    from jinja2 import Environment, FunctionLoader, StrictUndefined

    loader = FunctionLoader(lambda n: files("tumorboard.lab").joinpath("templates", n).read_text(encoding="utf-8"))
    kept = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    return kept.get_template("page.html.j2")
