"""Pictures of a run's out-of-fold predictions, for its page.

Why it exists: the area alone hides where a model errs; the curve, the groups and the scatter do not. Findings bring
their own pictures (:mod:`tumorboard.lab.findings`).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tumorboard.errors import InputError
from tumorboard.lab.findings.base import Picture, picture, views
from tumorboard.lab.recipe import Outcomes
from tumorboard.lab.run import Run
from tumorboard.lab.scores import measured


def pictures_of(run: Run) -> list[Picture]:
    """Return the pictures that suit a run; one that cannot be drawn is left out.

    Parameters
    ----------
    run : Run
        That ended.

    Returns
    -------
    list of (str, str)
        Title, and a PNG as base64.
    """
    classes: dict[str, Callable[[Run], bytes]] = {"ROC curve": _roc, "Precision and recall": _precision}
    makers: dict[Outcomes, dict[str, Callable[[Run], bytes]]] = {
        **dict.fromkeys((Outcomes.BINARY, Outcomes.MULTICLASS, Outcomes.MULTILABEL), classes),
        Outcomes.SURVIVAL: {"Halves by risk, out of fold": _halves},
        Outcomes.REGRESSION: {"Predicted and true": _scatter},
    }
    out = []
    for title, make in makers[run.data.outcome.kind].items():
        try:
            out.append(picture(title, make(run)))
        except InputError:
            continue
    return out


def _roc(run: Run) -> bytes:
    from tumorboard.lab.pictures import roc_picture
    from tumorboard.metrics.classify.roc import roc_curve

    every = views(run.predicted)
    curves = {n or "model": roc_curve(p.outcome.classes, p.values[:, 0], groups=p.groups) for n, p in every}
    if len(every) == 1 and run.rival is not None:
        plain = f"plain model of {', '.join(run.recipe.compare)}"
        curves[plain] = roc_curve(run.rival.outcome.classes, run.rival.values[:, 0], groups=run.rival.groups)
    return roc_picture(curves, world=run.world)


def _precision(run: Run) -> bytes:
    from tumorboard.lab.pictures import precision_recall_picture
    from tumorboard.metrics.classify.precision_recall import precision_recall_curve

    every = views(run.predicted)
    curves = {
        n or "model": precision_recall_curve(p.outcome.classes, p.values[:, 0], groups=p.groups) for n, p in every
    }
    share = float(every[0][1].outcome.classes.mean()) if len(every) == 1 else None
    return precision_recall_picture(curves, share, world=run.world)


def _halves(run: Run) -> bytes:
    """Cut at the median of out-of-fold risks, which no outcome has seen."""
    from tumorboard.lab.pictures import risk_group_picture

    p = run.predicted
    risk = p.values[:, 0]
    high = (risk > np.median(risk)).astype(np.int64)
    return risk_group_picture(p.outcome.days, p.outcome.events, high, ["low risk", "high risk"], world=run.world)


def _scatter(run: Run) -> bytes:
    from tumorboard.lab.findings.pictures import agreement_picture

    p = run.predicted
    name = p.outcome.names[0] if p.outcome.names else "value"
    return agreement_picture(p.outcome.values[:, 0], p.values[:, 0], name, measured("r2", p), world=run.world)
