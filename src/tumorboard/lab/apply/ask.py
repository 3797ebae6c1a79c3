"""Ask models about a patient: who may answer, what is missing, and every answer with its doubts.

Why it exists: one call for the chain, the command line and a notebook, so that none of them can print an answer without
its validity check, its uncertainty and its world.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from tumorboard.errors import InputError
from tumorboard.lab.apply.explained import Case, why_of
from tumorboard.lab.apply.rows import NewRows, new_rows
from tumorboard.lab.apply.shelf import Ready, may_answer, refusal
from tumorboard.lab.apply.told import AppliedModel, Told
from tumorboard.lab.cohort import Cohort
from tumorboard.lab.dataset import Dataset
from tumorboard.lab.model import Answer
from tumorboard.lab.recipe import Outcomes
from tumorboard.lab.step import Floats
from tumorboard.lab.table import Unit
from tumorboard.metrics.agreement import share

NEAR, NEAR_LEAST = 0.1, 10
"""Rows of the test whose chance was within so much, and how many there must be, to count how often that was right;
chosen."""

RISK = "risk"

TRAINED_ON = "a training row has the very same values: it probably learned from this patient, and looks too sure"


def ask(ready: Ready, cohort: Cohort, cache: Path | None = None, *, explain: bool = True) -> AppliedModel:
    """Ask a model about a patient.

    Parameters
    ----------
    ready : Ready
        Model and recipe.
    cohort : Cohort
        Of one patient; see :func:`tumorboard.lab.apply.case.read_case`.
    cache : Path, optional
        Folder where features are kept.
    explain : bool
        Whether drivers and similar patients are looked for.

    Returns
    -------
    AppliedModel
        Answers, or by name what is missing. ``refused`` where it learned from digital patients and this is none.

    Raises
    ------
    InputError
        A prediction is not finite.
    """
    if not may_answer(ready.card, cohort.digital):
        return applied(ready, "refused", (str(refusal(ready.card)),))
    rows = new_rows(ready, cohort, cache)
    lacks = tuple(f"{_of(unit)}{w}" for unit, words in rows.missing for w in words)
    if rows.data is None:
        return applied(ready, "not applied", lacks or (rows.why,))
    answers = tuple(_told(ready, rows.data, n, a, rows, explain) for n, a in enumerate(_answers(ready, rows.data)))
    return applied(ready, "answered", lacks, answers)


def applied(ready: Ready, status: str, missing: Sequence[str] = (), answers: tuple[Told, ...] = ()) -> AppliedModel:
    """Return what a card says of a model, with what came of it."""
    card = ready.card
    cases = ready.model.cases
    return AppliedModel.model_validate(
        {
            "card": card.id,
            "title": card.title,
            "question": card.question,
            "cites": card.cites,
            "kind": ready.recipe.endpoint.kind.value,
            "column": ready.recipe.endpoint.column,
            "outcome": (RISK,) if ready.recipe.endpoint.kind is Outcomes.SURVIVAL else card.outcome,
            "unit": ready.recipe.unit,
            "world": card.world,
            "digital": card.digital,
            "training": card.training,
            "measured": card.measured,
            "leading": card.leading,
            "validation": ready.recipe.validation.name,
            "tested": 0 if cases is None else len(cases.tested),
            "use": card.use,
            "status": status,
            "missing": tuple(dict.fromkeys(missing)),
            "answers": answers,
        }
    )


def _answers(ready: Ready, data: Dataset) -> tuple[Answer, ...]:
    found = ready.model.answer_rows(data)
    if not all(np.isfinite(a.values).all() for a in found):
        raise InputError("finite predictions", got="others", where=f"model {ready.card.id}")
    return found


def _told(ready: Ready, data: Dataset, row: int, answer: Answer, rows: NewRows, explain: bool) -> Told:
    unit = data.table.units[row]
    kind = ready.recipe.endpoint.kind
    values = values_of(kind, answer)
    best = max(values, key=values.__getitem__) if kind in (Outcomes.BINARY, Outcomes.MULTICLASS) else ""
    conformal = ready.model.conformal
    bounded = answer.interval is not None and bool(np.isfinite(answer.interval).all())
    told = Told(
        study=rows.studies.get(unit, unit.study),
        lesion=unit.lesion,
        values=values,
        best=best,
        among=answer.among,
        interval=answer.interval if bounded else None,
        coverage=None if conformal is None else conformal.coverage,
        percentile=_percentiles(ready, kind, values),
        hits=_hits(ready, kind, best, values),
        like=answer.validity.like,
        like_percentile=answer.validity.percentile,
        outside=answer.validity.outside,
        missing=answer.validity.missing,
        notes=_notes(ready, data, row),
    )
    if not explain:
        return told
    why, seen = why_of(Case(ready, data, row), told)
    return told.model_copy(update={"why": why, "notes": told.notes + ((TRAINED_ON,) if seen else ())})


def values_of(kind: Outcomes, answer: Answer) -> dict[str, float]:
    """Return predictions by name: both chances of a binary outcome, a chance a class or label, risk, or quantity."""
    if kind is Outcomes.BINARY:
        (p,) = answer.values
        return {answer.names[0]: 1.0 - p, answer.names[1]: p}
    if kind is Outcomes.SURVIVAL:
        return {RISK: answer.values[0]}
    return dict(zip(answer.names, answer.values, strict=True))


def tested_values(kind: Outcomes, names: Sequence[str], tested: Floats) -> dict[str, Floats]:
    """Return predictions of the rows that were tested, by the names of :func:`values_of`."""
    if kind is Outcomes.BINARY:
        return {names[0]: 1.0 - tested[:, 0], names[1]: tested[:, 0]}
    if kind is Outcomes.SURVIVAL:
        return {RISK: tested[:, 0]}
    return {n: tested[:, i] for i, n in enumerate(names)}


def _percentiles(ready: Ready, kind: Outcomes, values: Mapping[str, float]) -> dict[str, float]:
    cases = ready.model.cases
    if cases is None or not len(cases.tested):
        return {}
    seen = tested_values(kind, ready.card.outcome, cases.tested)
    return {n: 100.0 * float((seen[n] < v).mean() + (seen[n] == v).mean() / 2) for n, v in values.items()}


def _hits(ready: Ready, kind: Outcomes, best: str, values: Mapping[str, float]) -> tuple[int, int, float, float] | None:
    """Return how often the class was right among tested rows with a chance of it like this one."""
    cases = ready.model.cases
    if cases is None or not best:
        return None
    chance = tested_values(kind, ready.card.outcome, cases.tested)[best]
    near = np.flatnonzero(np.abs(chance - values[best]) <= NEAR)
    count = len(near)
    if count < NEAR_LEAST:
        return None
    right = cases.truth[near, 0].astype(np.int64) == ready.card.outcome.index(best)
    found = share(int(right.sum()), count)
    return int(right.sum()), count, found.low, found.high


def _notes(ready: Ready, data: Dataset, row: int) -> tuple[str, ...]:
    """Return what a reader has to know: a site that harmonisation has not seen."""
    out = []
    for step in ready.model.fitted.pipeline.steps:
        sites = getattr(step, "sites_", None)
        if sites is not None and data.sites[row] not in sites:
            out.append("its site is unknown to the model: values were not harmonised to that site")
    return tuple(out)


def _of(unit: Unit) -> str:
    told = [unit.study] if unit.study else []
    told += [f"lesion {unit.lesion}"] if unit.lesion else []
    return f"{', '.join(told)}: " if told else ""
