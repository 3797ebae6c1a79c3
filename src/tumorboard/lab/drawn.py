"""Pictures of a run's out-of-fold predictions, for its page.

Why it exists: the area alone hides where a model errs; the curve, the calibration and the groups do not.
"""

from __future__ import annotations

import base64
from collections.abc import Callable

import numpy as np

from tumorboard.errors import InputError
from tumorboard.lab.dataset import REAL
from tumorboard.lab.recipe import Outcomes
from tumorboard.lab.run import Run
from tumorboard.lab.scores import Predicted

Picture = tuple[str, str]
"""Title, and a PNG as base64."""


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
    makers: dict[Outcomes, dict[str, Callable[[Predicted, bool], bytes]]] = {
        Outcomes.BINARY: {"ROC curve": _roc, "Calibration": _calibration},
        Outcomes.SURVIVAL: {"Halves by risk, out of fold": _halves},
    }
    out = []
    for title, make in makers.get(run.data.outcome.kind, {}).items():
        try:
            made = make(run.predicted, run.world != REAL)
        except InputError:
            continue
        out.append((title, base64.b64encode(made).decode()))
    return out


def _roc(p: Predicted, digital: bool) -> bytes:
    from tumorboard.lab.pictures import roc_picture
    from tumorboard.metrics.classify.roc import roc_curve

    return roc_picture({"model": roc_curve(p.outcome.classes, p.values[:, 0], groups=p.groups)}, digital=digital)


def _calibration(p: Predicted, digital: bool) -> bytes:
    from tumorboard.lab.pictures import calibration_picture
    from tumorboard.metrics.calibrate.smooth import calibration_curve

    return calibration_picture(calibration_curve(p.outcome.classes, p.values[:, 0], groups=p.groups), digital=digital)


def _halves(p: Predicted, digital: bool) -> bytes:
    """Cut at the median of out-of-fold risks, which no outcome has seen."""
    from tumorboard.lab.pictures import risk_group_picture

    risk = p.values[:, 0]
    high = (risk > np.median(risk)).astype(np.int64)
    return risk_group_picture(p.outcome.days, p.outcome.events, high, ["low risk", "high risk"], digital=digital)
