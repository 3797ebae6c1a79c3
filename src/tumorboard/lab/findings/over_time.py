"""How well survival is told at each day: areas and Brier scores over time, beside what knows nothing.

Why it exists: one concordance mixes all days, and a Brier score means little without that of a model that gives
everybody the same curve.

Source: see :mod:`tumorboard.metrics.survival.dynamic_auc` and :mod:`tumorboard.metrics.survival.brier`; the curve of
nobody in particular is Kaplan-Meier's of the same patients (Graf E et al. Stat Med 1999;18:2529-2545).
"""

from __future__ import annotations

import numpy as np

from tumorboard.lab.findings.base import Asked, Cell, Finding, Picture, cells, picture
from tumorboard.lab.recipe import Outcomes
from tumorboard.lab.scores import Predicted
from tumorboard.metrics.estimate import Estimate
from tumorboard.metrics.survival.brier import null_survival, survival_brier
from tumorboard.metrics.survival.dynamic_auc import dynamic_auc


def over_time(asked: Asked) -> Finding | None:
    """Return areas and Brier scores at each day at which survival is read; none for other outcomes.

    Parameters
    ----------
    asked : Asked
        The run.
    """
    from tumorboard.lab.findings.pictures import over_time_picture

    run, p = asked.run, asked.run.predicted
    if run.data.outcome.kind is not Outcomes.SURVIVAL or not len(p.days):
        return None
    areas = _areas(p)
    drawn: list[Picture] = []
    rows: list[tuple[Cell, ...]] = [("AUC", float(day), *cells(e)) for day, e in zip(p.days, areas, strict=True)]
    if any(e.known for e in areas):
        drawn.append(picture("AUC over time", over_time_picture(p.days, {"model": areas}, "AUC", 0.5, world=run.world)))
    if p.survival is not None:
        scores, nothing = _scores(p)
        rows += [("Brier score", float(day), *cells(e)) for day, e in zip(p.days, scores, strict=True)]
        rows += [("Brier score of Kaplan-Meier", float(day), *cells(e)) for day, e in zip(p.days, nothing, strict=True)]
        both = {"model": scores, "the same curve for all (Kaplan-Meier)": nothing}
        drawn.append(picture("Brier score over time", over_time_picture(p.days, both, "Brier score", world=run.world)))
    head = ("measure", "day", "value", "low", "high", "reason")
    note = "Days are the tenths of the days of events; intervals are those of drawing patients."
    return Finding("over_time", "Over time", head, tuple(rows), note, tuple(drawn), shown=())


def _areas(p: Predicted) -> list[Estimate]:
    return [dynamic_auc(p.outcome.days, p.outcome.events, p.values[:, 0], float(day), p.groups) for day in p.days]


def _scores(p: Predicted) -> tuple[list[Estimate], list[Estimate]]:
    days, events, n = p.outcome.days, p.outcome.events, len(p.outcome)
    alive = np.clip(p.survival if p.survival is not None else np.empty((0, 0)), 0.0, 1.0)
    mine = survival_brier(days, events, alive, p.days, p.groups)
    everybody = null_survival(days, events, p.days, n)
    return list(mine), list(survival_brier(days, events, everybody, p.days, p.groups))
