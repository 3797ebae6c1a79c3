"""Single patients by columns: what drove the answer, who is alike, and who looks alike but was something else.

Why it exists: a board asks why for this patient, and a patient whom the model got wrong teaches most.
"""

from __future__ import annotations

import numpy as np

from tumorboard.errors import InputError
from tumorboard.explain.explanation import About
from tumorboard.explain.pictures import drivers_picture
from tumorboard.explain.tables.cases import Cases, contrastive_cases, nearest_cases
from tumorboard.explain.tables.inputs import Rows
from tumorboard.lab.explained.asked import OfColumns, about
from tumorboard.lab.explained.chosen import Chosen
from tumorboard.lab.explained.questions import questions
from tumorboard.lab.explained.shown import Cell, Shown, shown


def cases_of(of: OfColumns) -> list[Shown]:
    """Return explanations of the patients that were chosen.

    Parameters
    ----------
    of : OfColumns
        Which number of the model.

    Raises
    ------
    InputError
        No patient could be chosen.
    """
    if not of.chosen:
        raise InputError("patients whose outcome is settled", got="too few", where="single patients")
    return [one for number, case in enumerate(of.chosen, 1) for one in _case(of, case, number)]


def _case(of: OfColumns, case: Chosen, number: int) -> list[Shown]:
    who = of.patients[case.row]
    told, title = about(of.run, of.question, who), f"{who} – {case.why}"
    out = []
    slug = of.slug(f"case-{number}")
    try:
        shap, place = of.additive.each[case.row]
    except InputError:
        shap, place = None, 0
    if shap is not None:
        drivers = shap.case(place, who)
        out.append(
            shown(
                drivers,
                slug=slug,
                title=title,
                group="patients",
                how="a model that has not seen this patient",
                pictures=(drivers_picture(drivers),),
            )
        )
    near, other = _alike(of, case, told)
    rows: list[tuple[Cell, ...]] = [
        (of.question.words, who, case.why, found.method, c.name, c.label, c.distance)
        for found in (near, other) if found is not None for c in found.cases
    ]  # fmt: skip
    made = shown(
        near, slug=f"{slug}-alike", title=title, group="patients",
        how="patients that the model of this fold learned from, by the columns that its learner sees", table="cases",
        rows=rows,
    )  # fmt: skip
    if other is not None:
        warned = tuple(dict.fromkeys((*made.warnings, *other.warnings)))
        record = {"nearest": near.record(), "contrastive": other.record()}
        told_of_both = {"sentence": f"{near.sentence} {other.sentence}", "warnings": warned, "record": record}
        made = made.model_copy(update=told_of_both)
    return [*out, made]


def _alike(of: OfColumns, case: Chosen, told: About) -> tuple[Cases, Cases | None]:
    """Return the nearest training patients, and the nearest of another class where outcomes are classes."""
    part = next(p for p in of.source.parts if case.row in p.at)
    pipeline = part.fitted.pipeline
    x = pipeline.prepared(part.fitted.features(part.train), part.train.sites)
    own = pipeline.prepared(part.fitted.features(part.test), part.test.sites)[case.row - int(part.at[0])]
    asked = questions(of.run.recipe.endpoint, part.train.outcome)
    same = next((q for q in asked if q.column == of.question.column), asked[0])
    kept = np.flatnonzero(same.known)
    rows = Rows(x[kept], pipeline.names_, tuple(part.train.table.patients[n] for n in kept))
    labels = [same.labels[n] for n in kept]
    weights = pipeline.learner.weights
    if weights is None or weights.shape != (rows.values.shape[1],) or not weights.sum() > 0:
        weights = None
    near = nearest_cases(own, rows, labels, weights=weights, about=told)
    label = of.question.labels[case.row]
    if not of.question.discrete or len(set(labels)) < 2 or not any(told != label for told in labels):
        return near, None
    return near, contrastive_cases(own, rows, labels, label=label, weights=weights, count=1, about=told)
