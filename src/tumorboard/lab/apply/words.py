"""Answers of models in words: prediction, how sure, how like the training rows, what was measured on whom.

Why it exists: report, page and methods must say the same, and never a survival time of one patient. A risk is told
beside the risks of those on whom the model was tested.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from tumorboard.lab.apply.told import AppliedModel, DriverTold, Told
from tumorboard.lab.recipe import Endpoint, Outcomes
from tumorboard.lab.step import Floats

VALIDATIONS = {
    "kfold": "out of fold",
    "nested": "out of fold, nested",
    "leave_one_out": "one patient left out at a time",
    "leave_site_out": "one site left out at a time",
    "split": "on a part kept apart",
    "temporal": "on later patients",
    "external": "on another cohort or site",
}
"""How what a card measured came about."""

_THIRDS = ("first", "middle", "last")


def answer_words(model: AppliedModel, told: Told) -> str:
    """Return the prediction in a sentence.

    Parameters
    ----------
    model : AppliedModel
        Of which model.
    told : Told
        Of which row.

    Examples
    --------
    >>> told = Told(values={"0": 0.2, "1": 0.8}, best="1", like=True, like_percentile=40)
    >>> model = {"card": "x", "title": "", "question": "", "cites": "", "outcome": ("0", "1"), "unit": "patient"}
    >>> model |= {"world": "digital patients", "digital": True, "training": {}, "measured": {}, "leading": "auc"}
    >>> model |= {"column": "idh", "validation": "kfold", "use": "", "status": "answered"}
    >>> answer_words(AppliedModel.model_validate(model | {"kind": "binary"}), told)
    'idh = 1: chance 80 % (idh = 0: 20 %)'
    """
    kind = Outcomes(model.kind)
    if kind is Outcomes.SURVIVAL:
        return _risk(model, told)
    if kind is Outcomes.REGRESSION:
        (value,) = told.values.values()
        between = "" if told.interval is None else f" ({told.interval[0]:.3g} to {told.interval[1]:.3g})"
        return f"{model.outcome[0]}: {value:.3g}{between}"
    if kind is Outcomes.MULTILABEL:
        return "; ".join(f"{n}: {percent(v)}" for n, v in told.values.items())
    rest = sorted(((v, n) for n, v in told.values.items() if n != told.best), reverse=True)[:3]
    others = ", ".join(f"{class_words(model, n)}: {percent(v)}" for v, n in rest)
    return f"{class_words(model, told.best)}: chance {percent(told.values[told.best])} ({others})"


def headline(model: AppliedModel, told: Told) -> str:
    """Return the prediction in a few words, for where the other chances stand beside it."""
    if Outcomes(model.kind) in (Outcomes.BINARY, Outcomes.MULTICLASS):
        return f"{class_words(model, told.best)}: chance {percent(told.values[told.best])}"
    said = answer_words(model, told)
    return said[:1].upper() + said[1:]


def _risk(model: AppliedModel, told: Told) -> str:
    (name,) = told.values
    if name not in told.percentile:
        return "risk that cannot be placed: the model keeps no risks of others"
    percentile = told.percentile[name]
    third = ("lowest", "middle", "highest")[min(int(percentile * 3 / 100), 2)]
    return f"risk above that of {percentile:.0f} % of {model.tested} {model.world} it was tested on (the {third} third)"


def among_words(model: AppliedModel, told: Told) -> str:
    """Return the prediction set or interval in words; empty where the model makes none."""
    if told.coverage is None:
        return ""
    promise = f"for {percent(told.coverage)} of rows like the training rows"
    if model.kind == Outcomes.REGRESSION.value:
        if told.interval is None:
            return "no interval: too few rows set it"
        return f"{told.interval[0]:.3g} to {told.interval[1]:.3g} holds the truth {promise}"
    if not told.among:
        return f"no class fits: unlike anything that was seen (a set would hold the truth {promise})"
    every = len(told.among) == len(model.outcome) > 1
    said = " or ".join(class_words(model, n) for n in told.among)
    return f"{said}{' (all classes: undecided)' if every else ''}; such sets hold the truth {promise}"


def validity_words(told: Told) -> str:
    """Return in words whether the row is like the training rows."""
    if told.like and not told.outside:
        said = f"like the training rows (farther out than {told.like_percentile:.0f} % of them)"
    elif told.like:
        said = "like the training rows on the whole"
    else:
        said = f"UNLIKE the training rows (farther out than {told.like_percentile:.0f} % of them): do not rely on it"
    said += f"; far outside their range: {_some(told.outside)}" if told.outside else ""
    return said + (f"; filled in as in training: {_some(told.missing)}" if told.missing else "")


def training_words(model: AppliedModel) -> str:
    """Return whom the model learned from."""
    n = model.training
    told = [f"{n.get('patients', 0)} {model.world}"]
    told += [f"{n['rows']} rows"] if n.get("rows", 0) != n.get("patients", 0) else []
    counted = {"multiclass": "in the rarest class", "multilabel": "with the rarest label", "survival": "events"}
    if n.get("events") and model.kind != Outcomes.REGRESSION.value:
        told.append(f"{n['events']} {counted.get(model.kind, 'in the rarer class')}")
    told += [f"{n['sites']} sites"] if n.get("sites", 0) > 1 else []
    told += [f"{n['predictors']} column{'s' if n['predictors'] > 1 else ''}"] if n.get("predictors") else []
    return ", ".join(told)


def figures(model: AppliedModel, most: int) -> list[tuple[str, str]]:
    """Return titles and values of the card's metrics, the leading one first."""
    from tumorboard.metrics.catalogue import METRICS

    names = [model.leading, *(n for n in model.measured if n != model.leading)]
    out = []
    for name in [n for n in names if n in model.measured and model.measured[n].get("value") is not None][:most]:
        e, first = model.measured[name], name.split(" ")[0]
        title = METRICS[first].title + name.removeprefix(first) if first in METRICS else name
        low, high = e.get("low"), e.get("high")
        between = "" if low is None or high is None else f" ({low:.2f} to {high:.2f})"
        out.append((title, f"{e['value']:.2f}{between}"))
    return out


def how_words(model: AppliedModel) -> str:
    """Return how and on whom a model was tested."""
    return f"{VALIDATIONS.get(model.validation, model.validation)}, {model.world}"


def measured_words(model: AppliedModel, most: int = 3) -> str:
    """Return the figures of the card, the leading one first, with the world that they were measured on."""
    told = "; ".join(f"{title} {value}" for title, value in figures(model, most))
    return f"{told or 'nothing'}, {how_words(model)}"


def hits_words(model: AppliedModel, told: Told) -> str:
    """Return how often the class was right among tested rows with a chance like this one; empty where unknown."""
    if told.hits is None:
        return ""
    right, count, low, high = told.hits
    between = f"{100 * low:.0f} to {100 * high:.0f} %"
    return (
        f"{class_words(model, told.best)} was right in {right} of {count} {model.world} with a chance within 10 points "
        f"of this one, out of fold ({percent(right / count)}; 95 % interval {between})"
    )


def class_words(model: AppliedModel, name: str) -> str:
    """Return a class with the column that it stands in: ``idh = 1``."""
    return f"{model.column} = {name}" if model.column else name


def drivers_words(told: Told, most: int = 4) -> str:
    """Return what drove the answer, the strongest first; or why that is not known."""
    why = told.why
    if not why.drivers:
        return why.drivers_note
    named = [f"{d.words}{value_words(d)} ({d.effect:+.2g})" for d in why.drivers[:most]]
    unit = "" if why.drivers_unit in ("", "1", "output") else f" in {why.drivers_unit}"
    note = f" ({why.drivers_note})" if why.drivers_note else ""
    return f"towards (+) or away from (−) {why.drivers_of}{unit}: {', '.join(named)}{note}".replace("(-", "(−")


def value_words(driver: DriverTold) -> str:
    """Return the patient's value of a column, and where it lies among the training rows; empty where it has none."""
    if driver.value is None:
        return ""
    share = "" if driver.percentile is None else f", above {driver.percentile:.0f} %"
    return f" = {driver.value:.3g}{share}"


def similar_words(model: AppliedModel, told: Told) -> str:
    """Return the outcomes of the most similar training patients; or why there are none."""
    why = told.why
    if not why.similar:
        return why.similar_note
    counts = Counter(c.outcome for c in why.similar)
    note = f" ({why.similar_note})" if why.similar_note else ""
    column = "" if model.kind == Outcomes.REGRESSION.value else model.column
    listed = [f"{n} with {column} = {o}" if column else f"{n} {o}" for o, n in counts.items()]
    return f"of the {len(why.similar)} nearest: {'; '.join(listed)}{note}"


def methods_words(model: AppliedModel) -> str:
    """Return what was asked as a sentence for methods."""
    return (
        f"Model {model.card} ({model.title}), trained on {training_words(model)}, was applied to "
        f"{'the patient' if model.unit == 'patient' else f'each {model.unit}'}; features were computed as in training. "
        f"Measured there: {measured_words(model, 1)}. Each answer was checked against the training rows (distance on "
        f"principal components){' and has a conformal set' if any(a.coverage for a in model.answers) else ''}."
    )


def where_words(model: AppliedModel, told: Told) -> str:
    """Return what an answer is of: the patient, a study, a lesion."""
    if told.lesion:
        return f"lesion {told.lesion}, {told.study}"
    if model.unit == "patient":
        return f"the patient, images of {told.study}" if told.study else "the patient, from tables"
    return told.study


def outcome_words(endpoint: Endpoint, names: Sequence[str], values: Floats, every: Floats) -> str:
    """Return a known outcome in words; of survival only the third of follow-up, never days.

    Parameters
    ----------
    endpoint : Endpoint
        Of the recipe.
    names : sequence of str
        Classes, labels or quantity.
    values : ndarray, shape (k,)
        Of one row.
    every : ndarray, shape (n, k)
        Of all rows, to place it.

    Examples
    --------
    >>> every = np.array([[100.0, 1], [200, 1], [300, 0]])
    >>> outcome_words(Endpoint(kind="survival", days="d", event="dead"), ("days", "event"), every[0], every)
    'dead in the first third of follow-up'
    """
    if endpoint.kind is Outcomes.SURVIVAL:
        limits = np.quantile(every[:, 0], [1 / 3, 2 / 3])
        third = _THIRDS[int(np.searchsorted(limits, values[0]))]
        seen = values[1] > 0
        return f"{endpoint.event} in the {third} third of follow-up" if seen else f"followed into the {third} third"
    if endpoint.kind is Outcomes.REGRESSION:
        return f"{names[0]} {values[0]:.3g}"
    if endpoint.kind is Outcomes.MULTILABEL:
        words = {0.0: "no", 1.0: "yes"}
        return ", ".join(f"{n} {words.get(float(v), 'unknown')}" for n, v in zip(names, values, strict=True))
    return names[int(values[0])]


def percent(share: float) -> str:
    """Return a share in per cent, finer near 0 and 1."""
    percent = 100 * share
    return f"{percent:.1f} %" if 0 < percent < 1 or 99 < percent < 100 else f"{percent:.0f} %"


def _some(names: Sequence[str], most: int = 4) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
