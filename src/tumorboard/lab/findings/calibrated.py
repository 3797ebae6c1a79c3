"""Whether predicted chances happen, with intervals, and what recalibration would mend.

Why it exists: a good area with wrong chances misleads a decision. Predictions are those out of fold; recalibration is
fitted on the patients of the other folds, so that none is recalibrated by their own outcome.

Source: see :mod:`tumorboard.metrics.calibrate.calibration`, :mod:`~tumorboard.metrics.calibrate.smooth` and
:mod:`tumorboard.metrics.survival.calibration`; of a quantity the line of truth on prediction, Steyerberg EW. Clinical
prediction models, 2nd ed., 2019, chapter 15.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tumorboard.errors import InputError
from tumorboard.lab.findings.base import Asked, Cell, Finding, Picture, cells, in_folds, picture, titled, views
from tumorboard.lab.findings.horizon import alive_at, horizon_of
from tumorboard.lab.recipe import Outcomes
from tumorboard.lab.run import Run
from tumorboard.lab.scores import Predicted
from tumorboard.metrics.calibrate.calibration import (
    calibration_intercept,
    calibration_slope,
    observed_over_expected,
)
from tumorboard.metrics.calibrate.recalibration import fit_recalibration
from tumorboard.metrics.calibrate.smooth import CalibrationCurve, calibration_curve
from tumorboard.metrics.classify.proper_scores import brier_score
from tumorboard.metrics.estimate import Estimate

RESAMPLED = ("kfold", "nested", "leave_one_out")
Found = tuple[str, Estimate]
_OVERALL = "Brier score"
"""Stands beside calibration, and holds discrimination as well."""
_HEAD = ("of", "measure", "value", "low", "high", "reason")


def calibrated(asked: Asked) -> Finding | None:
    """Return the calibration of out-of-fold predictions; none for survival without curves.

    Parameters
    ----------
    asked : Asked
        The run.
    """
    run = asked.run
    kind = run.data.outcome.kind
    if kind is Outcomes.SURVIVAL:
        return _survival(run)
    if kind is Outcomes.REGRESSION:
        found = list(_line(run.predicted))
        return _finding(run, [("as predicted", found)], (), "1 and 0 are right: the line of truth on prediction.")
    told, drawn = [], []
    for name, one in views(run.predicted):
        curve = calibration_curve(one.outcome.classes, one.values[:, 0], groups=one.groups)
        told.append((titled("as predicted", name), list(_of(one, curve))))
        mended = _recalibrated(run, one) if len(one.outcome) == len(run.rows) else None
        if mended is not None:
            told.append((titled("recalibrated", name), list(_shares(mended))))
        drawn.append(_drawn(titled("Calibration", name), curve, run.world))
    note = "Slope 1, intercept 0 and ICI 0 are right (ICI: mean distance of prediction and smooth curve)."
    if any(of.startswith("recalibrated") for of, _ in told):
        note += " Recalibrated: each fold by a logistic line that was fitted on the patients of the other folds."
    return _finding(run, told, tuple(drawn), note)


def _finding(run: Run, told: list[tuple[str, list[Found]]], drawn: tuple[Picture, ...], note: str) -> Finding:
    rows: tuple[tuple[Cell, ...], ...] = tuple((of, name, *cells(e)) for of, some in told for name, e in some)
    first = [(name, e) for name, e in told[0][1] if e.known and name != _OVERALL]
    facts: dict[str, Any] = {}
    if first:
        facts = {
            "performance.calibration": tuple(f"{name} {e.value:.2f}" for name, e in first),
            "performance.calibration_interval": all(not np.isnan(e.low) for _, e in first),
            "performance.calibration_resampled": run.recipe.validation.name in RESAMPLED,
        }
    return Finding("calibration", "Calibration", _HEAD, rows, note, drawn, facts)


def _of(p: Predicted, curve: CalibrationCurve) -> Iterator[Found]:
    yield from _shares(p)
    yield "ICI", curve.ici
    yield "E50", curve.e50
    yield "E90", curve.e90


def _shares(p: Predicted) -> Iterator[Found]:
    y, x = p.outcome.classes, p.values[:, 0]
    yield "intercept", calibration_intercept(y, x, p.groups)
    yield "slope", calibration_slope(y, x, p.groups)
    yield "observed over expected", observed_over_expected(y, x, p.groups)
    yield _OVERALL, brier_score(y, x, p.groups)


def _drawn(title: str, curve: CalibrationCurve, world: str) -> Picture:
    from tumorboard.lab.pictures import calibration_picture

    return picture(title, calibration_picture(curve, world=world))


def _recalibrated(run: Run, p: Predicted) -> Predicted | None:
    """Return predictions that the patients of the other folds recalibrated; None for one fold, or where one refuses."""
    folds = in_folds(run)
    if folds is None or len(np.unique(folds)) > len(folds) // 2:
        return None
    out = np.empty(len(folds))
    for fold in np.unique(folds):
        here = folds == fold
        try:
            line = fit_recalibration(p.outcome.classes[~here], p.values[~here, 0])
        except InputError:
            return None
        out[here] = line.apply(p.values[here, 0])
    return replace(p, values=out.reshape(-1, 1))


def _survival(run: Run) -> Finding | None:
    from tumorboard.lab.findings.pictures import horizon_picture
    from tumorboard.metrics.survival.calibration import horizon_calibration

    p = run.predicted
    alive = alive_at(p)
    if alive is None:
        return None
    day = horizon_of(p)
    if p.groups is not None:
        note = "Not computed: calibration of survival asks for one row a patient."
        return Finding("calibration", "Calibration", note=note)
    found = horizon_calibration(p.outcome.days, p.outcome.events, alive, day)
    told = [("observed over expected", found.oe), ("slope", found.slope)]
    drawn = picture(f"Calibration at {day:.0f} days", horizon_picture(found, world=run.world))
    note = f"At {day:.0f} days, the median day of events; 1 is right. Groups are quarters by predicted survival."
    return _finding(run, [(f"at {day:.0f} days", told)], (drawn,), note)


def _line(p: Predicted) -> Iterator[Found]:
    from tumorboard.metrics.resampling import bootstrap

    y, x, n = p.outcome.values[:, 0], p.values[:, 0], len(p.outcome)

    def slope(rows: NDArray[np.intp]) -> float:
        away = x[rows] - x[rows].mean()
        spread = float(away @ away)
        return float(away @ y[rows]) / spread if spread > 0 else float("nan")

    yield "slope", bootstrap(slope, n, p.groups)
    yield "intercept", bootstrap(lambda rows: float(y[rows].mean() - slope(rows) * x[rows].mean()), n, p.groups)
    yield "mean error", bootstrap(lambda rows: float((x[rows] - y[rows]).mean()), n, p.groups)
