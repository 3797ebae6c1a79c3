"""The leading metric in groups of patients that were named beforehand: sex, halves by age, scanner, site.

Why it exists: a mean hides a group for whom the model is blind. Groups are those of the recipe or the usual ones, never
chosen by their results, and a common test says whether they differ by more than chance.

Source: see :mod:`tumorboard.metrics.subgroups`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tumorboard.lab.checks import LEAST_EVENTS, events_of
from tumorboard.lab.findings.base import Asked, Cell, Finding, Picture, cells, picture
from tumorboard.lab.findings.people import as_numbers
from tumorboard.lab.outcome import Outcome
from tumorboard.lab.recipe import Outcomes
from tumorboard.lab.run import Run
from tumorboard.lab.scores import Predicted, labels_of, measured, metric_names
from tumorboard.metrics.catalogue import METRICS
from tumorboard.metrics.estimate import Estimate
from tumorboard.metrics.subgroups import SubgroupTable, subgroup_table

MOST_GROUPS = 20
SITE = "site"


def subgroups(asked: Asked) -> Finding | None:
    """Return the leading metric in each group; none where nothing describes the patients.

    Parameters
    ----------
    asked : Asked
        The run.
    """
    from tumorboard.lab.forest import subgroup_picture

    run, p = asked.run, _leading(asked.run.predicted)
    name = metric_names(p.outcome.kind)[0]
    by = _groups(run) if len(p.outcome) == len(run.rows) else {}
    if not by:
        return None
    title = METRICS[name].title
    rows: list[tuple[Cell, ...]] = []
    drawn: list[Picture] = []
    said = []
    for what, words in by.items():
        table = subgroup_table(lambda at: _measured(name, _of_rows(p, at)), words)
        rows += _rows(what, table, p.outcome, words)
        drawn.append(picture(f"{title} by {what}", subgroup_picture(table, title, world=run.world)))
        said.append(f"{what}: {table.hint}")
    head = ("by", "group", "rows", "with the outcome", title, "low", "high", "reason", "p that groups differ")
    note = "Groups were named beforehand. " + "; ".join(said) + "."
    facts = {
        "performance.subgroups": tuple(what for what in by if what != SITE) or None,
        "performance.by_site": True if SITE in by else None,
        "data.scanners": _scanners(by),
    }
    return Finding("subgroups", "Subgroups", head, tuple(rows), note, tuple(drawn), facts)


def _leading(p: Predicted) -> Predicted:
    return labels_of(p)[0][1] if p.outcome.kind is Outcomes.MULTILABEL else p


def _groups(run: Run) -> dict[str, list[str]]:
    """Return the group of each tested row by what describes them; what does not part them is left out."""
    found = {name: _halved([words[i] for i in run.rows]) for name, words in run.data.described.items()}
    found[SITE] = [str(run.data.sites[i]) for i in run.rows]
    return {k: v for k, v in found.items() if 2 <= len(set(v) - {""}) <= MOST_GROUPS}


def _halved(words: Sequence[str]) -> list[str]:
    """Return numbers as halves at their median, words as they are."""
    values = as_numbers(words)
    if not isinstance(values, np.ndarray):
        return list(words)
    middle = float(np.nanmedian(values))
    sides = np.where(values > middle, f"above {middle:g}", f"up to {middle:g}")
    return ["" if np.isnan(v) else str(s) for v, s in zip(values, sides, strict=True)]


def _of_rows(p: Predicted, at: NDArray[np.intp]) -> Predicted:
    survival = None if p.survival is None else p.survival[at]
    return Predicted(p.outcome.take(at), p.values[at], [p.patients[i] for i in at], p.days, survival)


def _measured(name: str, p: Predicted) -> Estimate:
    """Return the metric of a group; one with too few of a class or events would only mislead."""
    if p.outcome.kind is not Outcomes.REGRESSION and events_of(p.outcome)[0] < LEAST_EVENTS:
        return Estimate.missing(f"fewer than {LEAST_EVENTS} with the outcome, or without it", len(p.outcome))
    return measured(name, p)


def _rows(what: str, table: SubgroupTable, outcome: Outcome, words: Sequence[str]) -> list[tuple[Cell, ...]]:
    named = np.array([w or "not known" for w in words])
    out: list[tuple[Cell, ...]] = []
    for one in table.subgroups:
        estimate: Estimate = one.estimate
        out.append((what, one.name, one.rows, _events(outcome.take(named == one.name)), *cells(estimate), table.p))
    return out


def _events(outcome: Outcome) -> int | None:
    if outcome.kind is Outcomes.BINARY:
        return int(outcome.values.sum())
    return events_of(outcome)[0] if outcome.kind is Outcomes.SURVIVAL else None


def _scanners(by: dict[str, list[str]]) -> int | None:
    found = next((words for name, words in by.items() if "scanner" in name.lower()), None)
    return None if found is None else len(set(found) - {""})
