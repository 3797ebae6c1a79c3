"""Why a model says what it says of one row: what drove the answer, and training patients like this one.

Why it exists: a board asks "why?" and "whom have you seen that was like this?". Columns are told in the patient's own
values, not in the scaled ones that the learner sees. A network is asked without each of its sequences, which costs a
few answers and no gradient.

Sources: those of :mod:`tumorboard.explain`.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from tumorboard.errors import TumorboardError
from tumorboard.explain import About, Rows
from tumorboard.explain.explanation import Drivers
from tumorboard.explain.words import column_words
from tumorboard.lab.apply.shelf import Ready
from tumorboard.lab.apply.told import CaseTold, DriverTold, Told, Why
from tumorboard.lab.apply.words import outcome_words
from tumorboard.lab.dataset import REAL, Dataset
from tumorboard.lab.explained.exact import Number, inside_of
from tumorboard.lab.recipe import Outcomes
from tumorboard.lab.step import Floats

MOST_DRIVERS, MOST_CASES = 8, 5

SAME = 1e-6
"""Distance below which two rows are one; what is kept is rounded to single precision."""

WITHOUT_CASES = "the model folder holds no training cases (cases.safetensors)"


@dataclass(frozen=True)
class Case:
    """One row that a model was asked about.

    Parameters
    ----------
    ready : Ready
        Model and recipe.
    data : Dataset
        Rows of the patient.
    row : int
        Which.
    """

    ready: Ready
    data: Dataset
    row: int

    @cached_property
    def one(self) -> Dataset:
        """The row alone."""
        return self.data.take([self.row])

    @cached_property
    def features(self) -> Floats:
        """Its columns before preparing, shape (1, inputs)."""
        return self.ready.model.fitted.features(self.one)

    @cached_property
    def prepared(self) -> Floats:
        """Its columns as the learner sees them, shape (1, names)."""
        return self.ready.model.fitted.pipeline.prepared(self.features, self.one.sites)

    @cached_property
    def images(self) -> Any:
        """Its crops, where the learner takes any; else None."""
        pipeline = self.ready.model.fitted.pipeline
        return self.ready.model.fitted.images(self.one) if pipeline.learner.takes_images else None

    def raw(self, column: str) -> float:
        """Return a column's value before preparing; NaN for one that steps have made."""
        names = self.ready.model.fitted.names
        return float(self.features[0, names.index(column)]) if column in names else math.nan

    def about(self, told: Told) -> About:
        """Return what is explained."""
        world = "" if self.ready.card.world == REAL else self.ready.card.world
        quantity = self.ready.recipe.endpoint.kind is Outcomes.REGRESSION
        return About(target_words(self.ready, told), self.ready.card.id, world=world, quantity=quantity)


def target_of(ready: Ready, told: Told) -> int:
    """Return the number of the class, label or quantity that is explained: yes, the likeliest class or label."""
    kind = ready.recipe.endpoint.kind
    if kind is Outcomes.BINARY:
        return 1
    if kind in (Outcomes.SURVIVAL, Outcomes.REGRESSION):
        return 0
    best = max(told.values, key=told.values.__getitem__)
    return ready.card.outcome.index(best)


def target_words(ready: Ready, told: Told) -> str:
    """Return that in words."""
    kind, endpoint = ready.recipe.endpoint.kind, ready.recipe.endpoint
    if kind is Outcomes.SURVIVAL:
        return f"an early event ({endpoint.event})"
    if kind is Outcomes.REGRESSION:
        return f"a high {endpoint.column}"
    name = ready.card.outcome[target_of(ready, told)]
    return name if kind is Outcomes.MULTILABEL else f"{endpoint.column} = {name}"


def why_of(case: Case, told: Told) -> tuple[Why, bool]:
    """Return drivers and similar patients of one row, and whether a training row is the same; gaps say why.

    Parameters
    ----------
    case : Case
        Which row of which model.
    told : Told
        What the model says of it.
    """
    found: dict[str, Any] = {"drivers_of": target_words(case.ready, told)}
    try:
        drivers = drivers_of(case, told)
        shown = [d for d in drivers.leading(MOST_DRIVERS) if d.effect.known and abs(d.effect.value) > 1e-12]
        found |= {
            "drivers": tuple(_driver(case, d.names[0], d.effect.value) for d in shown),
            "drivers_unit": drivers.unit,
            "drivers_method": drivers.method,
            "drivers_note": "; ".join(drivers.warnings) if shown else "no column changes the answer",
        }
    except TumorboardError as error:
        found["drivers_note"] = f"no drivers: {error.got or error.expected}"
    seen = False
    try:
        similar, seen = _similar(case)
        found |= similar
    except TumorboardError as error:
        found["similar_note"] = f"no similar patients: {error.got or error.expected}"
    return Why(**found), seen


def drivers_of(case: Case, told: Told) -> Drivers:
    """Return what drove the answer for a row: Shapley values of columns, or sequences of a network taken away.

    Raises
    ------
    InputError
        It cannot be explained: no training rows to compare with, or curves instead of images.
    """
    if case.images is not None:
        from tumorboard.lab.apply.network import sequences_of

        return sequences_of(case, told)
    from tumorboard.explain.tables.shapley import shapley

    cases = case.ready.model.cases
    if cases is None:
        raise _without_cases()
    names = cases.names
    background = Rows(cases.prepared, names)
    kind = case.ready.recipe.endpoint.kind
    column = 0 if kind is Outcomes.BINARY else target_of(case.ready, told)
    which = Number(column, kind is Outcomes.REGRESSION, kind not in (Outcomes.REGRESSION, Outcomes.SURVIVAL))
    asked = inside_of(case.ready.model.fitted.pipeline.learner, which)
    found = shapley(
        asked.model, Rows(case.prepared, names), background=background, target=asked.target, about=case.about(told)
    ).case(0)
    return dataclasses.replace(found, unit=asked.unit or found.unit)


def _driver(case: Case, column: str, effect: float) -> DriverTold:
    value, percentile = case.raw(column), math.nan
    cases = case.ready.model.cases
    if cases is not None and column in cases.names:
        from tumorboard.explain.tables.shapley import percentile_of

        percentile = percentile_of(value, cases.raw[:, cases.names.index(column)])
    return DriverTold(
        column=column,
        words=column_words(column),
        effect=effect,
        value=None if math.isnan(value) else value,
        percentile=None if math.isnan(percentile) else percentile,
    )


def _similar(case: Case) -> tuple[dict[str, Any], bool]:
    """Return the nearest training patients by what the learner looks at, and whether one has the very same values."""
    from tumorboard.explain.tables.cases import nearest_cases

    ready, cases = case.ready, case.ready.model.cases
    if cases is None:
        raise _without_cases()
    learner = ready.model.fitted.pipeline.learner
    if case.images is not None and cases.seen.shape[1]:
        row = learner.activations(case.images, case.prepared)[0]  # type: ignore[attr-defined]  # networks have it
        names, rows, weights = tuple(f"a{n}" for n in range(len(row))), cases.seen, None
    else:
        row, names, rows = case.prepared[0], cases.names, cases.prepared
        told = learner.weights
        fits = told is not None and len(told) == len(names) and bool(np.isfinite(told).all()) and bool((told > 0).any())
        weights = told if fits else None
    labels = [outcome_words(ready.recipe.endpoint, ready.card.outcome, o, cases.outcome) for o in cases.outcome]
    found = nearest_cases(row, Rows(rows, names, cases.titles), labels, weights=weights, count=MOST_CASES + 1)
    network = case.images is not None
    same = found.cases[0].distance < SAME
    others = [c for c in found.cases if not (same and c is found.cases[0])][:MOST_CASES]
    listed = tuple(
        CaseTold(
            case=c.name,
            outcome=c.label,
            distance=c.distance,
            differs=() if network else tuple(column_words(n) for n, by in c.differs if abs(by) > 0.5),
        )
        for c in others
    )
    usual = None if math.isnan(found.usual) else found.usual
    return {"similar": listed, "similar_usual": usual, "similar_note": "; ".join(found.warnings)}, same


def _without_cases() -> TumorboardError:
    from tumorboard.errors import InputError

    return InputError("training cases beside the model", got=WITHOUT_CASES, where="model")
