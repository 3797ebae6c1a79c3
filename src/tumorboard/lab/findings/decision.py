"""Whether acting on the model does more good than acting on all or on nobody.

Why it exists: papers call a model useful for its area. Net benefit says at which thresholds it would be, and against
the plain model as well where there is one.

Source: see :mod:`tumorboard.metrics.classify.decision_curve` and :mod:`tumorboard.metrics.survival.decision_curve`.
"""

from __future__ import annotations

import numpy as np

from tumorboard.lab.findings.base import Asked, Cell, Finding, Picture, picture, titled, views
from tumorboard.lab.findings.horizon import alive_at, horizon_of
from tumorboard.lab.recipe import Outcomes
from tumorboard.lab.scores import Predicted
from tumorboard.metrics.classify.decision_curve import DecisionCurve, decision_curve
from tumorboard.metrics.survival.decision_curve import survival_decision_curve

_EVERY = 10
"""Of the thresholds, on the page."""


def decision(asked: Asked) -> Finding | None:
    """Return net benefits over thresholds; none for quantities and for survival without curves.

    Parameters
    ----------
    asked : Asked
        The run.
    """
    from tumorboard.lab.pictures import decision_picture

    run = asked.run
    found = _curves(run.predicted)
    rival = dict(_curves(run.rival)) if run.rival is not None else {}
    rows: list[tuple[Cell, ...]] = []
    drawn: list[Picture] = []
    said = []
    for name, curve in found:
        both = {"model": curve} | (
            {f"plain model of {', '.join(run.recipe.compare)}": rival[name]} if name in rival else {}
        )
        title = titled("Decision curve", name)
        drawn.append(picture(title, decision_picture(both, world=run.world)))
        said.append(_useful(name, curve))
        rows += _rows(name, curve, rival.get(name))
    if not rows:
        return None
    head = ("of", "threshold", "model", "low", "high", "acting on all", "plain model")
    known = any(not curve.reason for _, curve in found)
    few = tuple(r for n, r in enumerate(rows) if n % 99 % _EVERY == _EVERY - 1)
    facts = {"performance.decision_curve": known}
    note = "Net benefit in events found per patient; acting on nobody is 0. " + " ".join(said)
    return Finding("decision_curve", "Decision curve", head, tuple(rows), note, tuple(drawn), facts, few)


def _curves(p: Predicted) -> list[tuple[str, DecisionCurve]]:
    if p.outcome.kind is not Outcomes.SURVIVAL:
        return [(n, decision_curve(o.outcome.classes, o.values[:, 0], groups=o.groups)) for n, o in views(p)]
    alive = alive_at(p)
    if alive is None:
        return []
    day = horizon_of(p)
    curve = survival_decision_curve(p.outcome.days, p.outcome.events, alive, day, groups=p.groups)
    return [(f"event by day {day:.0f}", curve)]


def _rows(name: str, curve: DecisionCurve, rival: DecisionCurve | None) -> list[tuple[Cell, ...]]:
    other = np.full(len(curve.thresholds), np.nan) if rival is None else rival.model
    columns = (curve.thresholds, curve.model, curve.low, curve.high, curve.treat_all, other)
    return [(name, *(float(v) for v in line)) for line in zip(*columns, strict=True)]


def _useful(name: str, curve: DecisionCurve) -> str:
    if curve.reason:
        return f"{titled('None', name)}, {curve.reason}."
    at = curve.useful
    where = "at no threshold" if not len(at) else f"at {len(at)} of {len(curve.thresholds)} thresholds"
    where += f" (from {at.min():.2f} to {at.max():.2f})" if len(at) else ""
    return f"{titled('Surely above both', name)} {where}."
