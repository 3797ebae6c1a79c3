"""Explanations of a model that reads columns: what counts, how it changes the answer, rules, prototypes, patients.

Why it exists: importance is asked of models that have not seen the patients; rules and curves speak of the final model,
which is the one that is kept. Each says which.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from tumorboard.errors import InputError
from tumorboard.explain.explanation import Drivers
from tumorboard.explain.pictures import drivers_picture, effects_picture
from tumorboard.explain.tables.effects import Effect, local_effects, partial_dependence
from tumorboard.explain.tables.groups import correlated_groups
from tumorboard.explain.tables.inputs import Rows
from tumorboard.explain.tables.permutation import permutation_importance
from tumorboard.explain.tables.prototypes import prototypes
from tumorboard.explain.tables.surrogate import FAITHFUL, surrogate_rules
from tumorboard.explain.words import column_words
from tumorboard.lab.explained.asked import OfColumns, about
from tumorboard.lab.explained.questions import Question, classes_of
from tumorboard.lab.explained.shown import Cell, Check, Made, Missing, Shown, shown
from tumorboard.lab.explained.single import cases_of
from tumorboard.lab.run import Run
from tumorboard.lab.step import Floats
from tumorboard.report.model import Picture

GROUPS, CURVES = 20, 3
"""Groups of columns that are shuffled, and columns whose effect is drawn, the strongest first."""
FINAL = "the final model, on the rows that it learned from"


def explain_columns(of: OfColumns) -> Made:
    """Return all explanations by columns of one number.

    Parameters
    ----------
    of : OfColumns
        Which.

    Returns
    -------
    Made
        What could not be made is told with its reason.
    """
    makers: dict[str, Callable[[OfColumns], Sequence[Shown]]] = {
        "Shapley values": _shap,
        "permutation importance": _permutation,
        "effects of columns": _effects,
        "rules": _rules,
        "single patients": cases_of,
    }
    parts: list[Shown] = []
    missing: list[Missing] = []
    for name, make in makers.items():
        try:
            parts += make(of)
        except InputError as error:
            missing.append(Missing(what=of.title(name), why=str(error)))
    return Made(parts=tuple(parts), missing=tuple(missing))


def explain_alone(of: OfColumns) -> Made:
    """Return how much the columns beside the images of a network count.

    Parameters
    ----------
    of : OfColumns
        Which network.
    """
    try:
        return Made(parts=tuple(_permutation(of)))
    except InputError as error:
        return Made(missing=(Missing(what="columns beside the images", why=str(error)),))


def picture_of(found: Drivers) -> tuple[Picture, ...]:
    """Return bars, or nothing where no column does anything."""
    return (drivers_picture(found),) if any(d.effect.known for d in found.drivers) else ()


def importance_rows(of: OfColumns, found: Drivers) -> list[tuple[Cell, ...]]:
    """Return rows of the table of importance."""
    return [
        (
            *(of.question.words, found.method, found.unit, "; ".join(d.names)),
            *(cell(d.effect.value), cell(d.effect.low), cell(d.effect.high), d.effect.n),
        )
        for d in found.drivers
    ]


def cell(value: float) -> Cell:
    """Return a number as it is written; nothing where it is not finite.

    Examples
    --------
    >>> cell(0.5), cell(float("nan"))
    (0.5, '')
    """
    return float(value) if np.isfinite(value) else ""


def _shap(of: OfColumns) -> list[Shown]:
    found = of.additive
    who = [of.patients[r] for r in found.at]
    overall = found.overall(who, of.about, of.run.recipe.seed)
    rows: list[tuple[Cell, ...]] = []
    for n, row in enumerate(found.at):
        unit = of.run.data.table.units[of.source.rows[row]]
        each, place = found.each[int(row)]
        head = (of.question.words, found.unit, unit.patient, unit.study, unit.lesion, found.base[n], found.told[n])
        rows += [
            (*head, c, cell(each.rows.values[place, i]), each.values[place, i]) for i, c in enumerate(each.rows.names)
        ]
    how = f"{of.source.how}; {len(found.at)} of {len(of.source.rows)} rows; {found.how}"
    made = shown(
        overall, slug=of.slug("shap"), title=of.title("Shapley values"), group="columns", how=how, table="shap",
        rows=rows, pictures=picture_of(overall),
    )  # fmt: skip
    return [made]


def _permutation(of: OfColumns) -> list[Shown]:
    known = of.question.known
    values = Rows(of.source.values, of.source.names, of.patients)
    groups = correlated_groups(values.values)
    size = np.array([of.strength[list(g)].sum() for g in groups])
    order = [int(n) for n in np.argsort(-size, kind="stable") if size[n] > 0][:GROUPS]
    if not order:
        raise InputError("a column that the model looks at", got="none", where="permutation importance")
    left = int((size > 0).sum()) - len(order)
    full = np.flatnonzero(known)

    def predict(x: Floats) -> Floats:
        """Answer for rows that are known, by way of all rows, whose order the models of folds need."""
        times = len(x) // len(full)
        stack = np.tile(of.source.values, (times, 1)).reshape(times, len(known), -1)
        stack[:, full] = x.reshape(times, len(full), -1)
        told = of.source.predict(stack.reshape(-1, stack.shape[2]))[:, of.question.column]
        return told.reshape(times, len(known))[:, full].reshape(-1)

    found = permutation_importance(
        predict,
        Rows(of.source.values[full], of.source.names, tuple(of.patients[r] for r in full)),
        of.question.truth[full],
        score=of.question.score,
        columns={of.source.names[groups[n][0]] for n in order},
        within=[of.source.fold_of[r] for r in full],
        seed=of.run.recipe.seed,
        about=of.about,
    )
    more = f"{left} more groups of columns, which do less, were not shuffled" if left else ""
    found = found.warned(more)
    made = shown(
        found, slug=of.slug("importance"), title=of.title("Permutation importance"), group="columns",
        how=f"{of.source.how}; columns that go together are shuffled together, inside folds", table="importance",
        rows=importance_rows(of, found), pictures=picture_of(found),
    )  # fmt: skip
    return [made]


def _effects(of: OfColumns) -> list[Shown]:
    """Return accumulated local effects, drawn, with partial dependence beside them as numbers."""
    run = of.run
    x, names = run.fitted.features(run.training), run.fitted.names
    by = dict(zip(of.source.names, of.strength.tolist(), strict=True))
    order = sorted((n for n in names if by.get(n, 0) > 0), key=lambda n: (-by[n], n))[:CURVES]
    found: list[Effect] = []
    beside: list[Effect] = []
    for name in order:
        at = np.flatnonzero(~np.isnan(x[:, names.index(name)]))
        if len(np.unique(x[at, names.index(name)])) < 2:
            continue
        some = Rows(x[at], names, tuple(run.training.table.patients[r] for r in at))
        ask = of.of_final(at)
        found.append(local_effects(ask, some, name, seed=run.recipe.seed, about=of.about))
        beside.append(partial_dependence(ask, some, name, about=of.about))
    if not found:
        raise InputError("a column that varies and counts", got="none", where="effects of columns")
    rows: list[tuple[Cell, ...]] = [
        (of.question.words, e.method, e.column, *(cell(v) for v in point))
        for e in (*found, *beside)
        for point in zip(e.grid, e.values, e.low, e.high, strict=True)
    ]
    first = shown(
        found[0], slug=of.slug("effects"), title=of.title("How the answer changes"), group="columns", how=FINAL,
        table="effects", rows=rows, pictures=(effects_picture(found),),
    )  # fmt: skip
    told = {
        "sentence": " ".join(e.sentence for e in found),
        "record": {e.column: e.record() for e in (*found, *beside)},
    }
    told["record"] = {f"{e.method}: {e.column}": e.record() for e in (*found, *beside)}
    warned = tuple(f"{column_words(e.column)}: {w}" for e in found for w in e.warnings)
    return [first.model_copy(update={**told, "warnings": warned})]


def _rules(of: OfColumns) -> list[Shown]:
    run = of.run
    x = run.fitted.features(run.training)
    rows = Rows(x, run.fitted.names, run.training.table.patients)
    found = surrogate_rules(of.of_final(np.arange(len(x))), rows, seed=run.recipe.seed, about=of.about)
    told = f"{100 * max(found.fidelity.value, 0):.0f} %" if found.fidelity.known else "an unknown share"
    check = Check(
        ground="fidelity",
        verdict=f"The rules follow {told} of the spread of the model's answers, on patients they were not made from.",
        passed=found.fidelity.known and found.fidelity.value >= FAITHFUL,
    )
    lines: list[tuple[Cell, ...]] = [
        (of.question.words, " and ".join(r.conditions) or "all", r.answer, r.rows) for r in found.rules
    ]
    made = shown(
        found, slug=of.slug("rules"), title=of.title("Rules that imitate the model"), group="columns", how=FINAL,
        table="rules", rows=lines, checks=(check,),
    )  # fmt: skip
    return [made]


def explain_classes(run: Run, question: Question) -> Made:
    """Return the patients that stand for each class, among the columns that the final model sees.

    Parameters
    ----------
    run : Run
        That ended.
    question : Question
        About its training rows.
    """
    labels = classes_of(question)
    kept = [] if labels is None else [n for n, label in enumerate(labels) if label]
    if labels is None or not kept or not run.fitted.names:
        why = "no row has a class" if run.fitted.names else "the model reads no column"
        return Made(missing=(Missing(what="prototypes", why=why),))
    some = run.training
    x = run.fitted.pipeline.prepared(run.fitted.features(some), some.sites)[kept]
    rows = Rows(x, run.fitted.pipeline.names_, tuple(some.table.patients[n] for n in kept))
    found = prototypes(rows, [labels[n] for n in kept], about=about(run, question))
    commonest = max(labels.count(label) for label in set(labels) - {""}) / len(kept)
    check = Check(
        ground="classes",
        verdict=f"{100 * found.told_apart:.0f} % of rows are nearest to a prototype of their own class "
        f"({100 * commonest:.0f} % are of the commonest).",
        passed=not found.warnings,
    )
    lines: list[tuple[Cell, ...]] = [(p.name, p.label, p.stands_for) for p in found.prototypes]
    how = "rows that the final model learned from, by the columns that its learner sees"
    made = shown(
        found, slug="prototypes", title="Patients that stand for a class", group="patients", how=how,
        table="prototypes", rows=lines, checks=(check,),
    )  # fmt: skip
    return Made(parts=(made,))
