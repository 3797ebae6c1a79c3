"""How many patients a model with so many candidate predictors needs, beside how many there were.

Why it exists: most published models were fitted on too few, and none says so. What cannot be known before a study, how
well the model will do, is taken from what was published, or from Riley's default for the unknown, and told.

Source: Riley RD et al. BMJ 2020;368:m441 (criteria; a Cox and Snell R2 of 15 % of its maximum where nothing is known);
Pate A et al. Stat Methods Med Res 2023;32:555-571 (several classes).
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from tumorboard.errors import InputError
from tumorboard.lab.findings.base import Asked, Finding, counted
from tumorboard.lab.recipe import Outcomes
from tumorboard.lab.run import Run
from tumorboard.metrics.plan.sample_size import (
    SampleSize,
    development_binary,
    development_continuous,
    development_survival,
    most_r2_binary,
)
from tumorboard.metrics.plan.several_classes import development_classes

UNKNOWN = 0.15
"""Share of the greatest R2 that is expected where nothing was published."""
_YEAR = 365.25


def needed(asked: Asked) -> Finding:
    """Return the calculation of the sample size.

    Parameters
    ----------
    asked : Asked
        The run; rows that trained count.

    Returns
    -------
    Finding
        One line a criterion; without any where it cannot be calculated, and why.
    """
    run = asked.run
    title = "Patients needed"
    candidates = len(run.fitted.names)
    if not candidates:
        return Finding("sample_size", title, note="Not calculated: images alone have no candidate predictors to count.")
    try:
        size, assumed = _MAKERS[run.data.outcome.kind](run, candidates)
    except InputError as refused:
        return Finding("sample_size", title, note=f"Not calculated: expected {refused.expected}.")
    there = len(set(run.training.table.patients))
    enough = there >= size.n
    rows = tuple((c.name, c.n, there) for c in size.criteria)
    note = f"{counted(candidates, 'candidate predictor')}: {size.n} patients are needed, {there} were there"
    note += f" ({'enough' if enough else 'too few'}); {size.driver} asks for most. Assumed: {assumed}."
    whose = "Pate" if run.data.outcome.kind is Outcomes.MULTICLASS else "Riley"
    said = f"criteria of {whose} for {counted(candidates, 'candidate predictor')}, assuming {assumed}"
    facts = {"data.sample_size": said, "data.needed": size.n, "data.enough": enough}
    return Finding("sample_size", title, ("criterion", "patients needed", "patients there"), rows, note, (), facts)


def _binary(run: Run, candidates: int) -> tuple[SampleSize, str]:
    return _one_label(run, candidates, run.training.outcome.values[:, 0])


def _labels(run: Run, candidates: int) -> tuple[SampleSize, str]:
    """Return the calculation of the label that needs most."""
    values = run.training.outcome.values
    columns = [column[~np.isnan(column)] for column in values.T]
    return max((_one_label(run, candidates, column) for column in columns), key=lambda made: made[0].n)


def _classes(run: Run, candidates: int) -> tuple[SampleSize, str]:
    codes = run.training.outcome.values[:, 0].astype(int)
    counts = np.bincount(codes)
    shares = [float(c) / len(codes) for c in counts if c]
    told = f"{len(shares)} classes, the rarest {min(shares):.0%}, {UNKNOWN:.0%} of the greatest R2 of each pair"
    return development_classes(candidates, shares, UNKNOWN), told


def _one_label(run: Run, candidates: int, values: NDArray[np.float64]) -> tuple[SampleSize, str]:
    share = float(values.mean())
    area = _published(run, "auc")
    if 0.5 < area < 1:
        size = development_binary(candidates, share, c_statistic=area)
        return size, f"{share:.0%} with the outcome, the published AUC of {area:g}"
    size = development_binary(candidates, share, r2=UNKNOWN * most_r2_binary(share))
    return size, f"{share:.0%} with the outcome, {UNKNOWN:.0%} of the greatest R2"


def _survival(run: Run, candidates: int) -> tuple[SampleSize, str]:
    from tumorboard.lab.findings.horizon import horizon_of

    outcome = run.training.outcome
    years = float(outcome.days.sum()) / _YEAR
    rate, follow_up = float(outcome.events.sum()) / years, years / len(outcome)
    at = horizon_of(run.predicted) / _YEAR
    each = rate * follow_up
    most = 1 - math.exp(2 * (each * math.log(each) - each))
    size = development_survival(candidates, rate, at, follow_up, UNKNOWN * most)
    said = f"{rate:.2f} events a year, {follow_up:.1f} years of follow-up, risk at {at:.1f} years"
    return size, f"{said}, {UNKNOWN:.0%} of the greatest R2"


def _quantity(run: Run, candidates: int) -> tuple[SampleSize, str]:
    values = run.training.outcome.values[:, 0]
    told = _published(run, "r2")
    r2, why = (told, "the published R2") if 0 < told < 1 else (UNKNOWN, "nothing published")
    size = development_continuous(candidates, r2, float(values.mean()), float(values.std(ddof=1)))
    return size, f"an R2 of {r2:g} ({why})"


def _published(run: Run, name: str) -> float:
    found = run.recipe.published.get(name)
    return float(found) if isinstance(found, int | float) and not isinstance(found, bool) else math.nan


_MAKERS: dict[Outcomes, Callable[[Run, int], tuple[SampleSize, str]]] = {
    Outcomes.BINARY: _binary,
    Outcomes.MULTICLASS: _classes,
    Outcomes.MULTILABEL: _labels,
    Outcomes.SURVIVAL: _survival,
    Outcomes.REGRESSION: _quantity,
}
