"""Who the patients are: columns that describe them, the outcome and the features, overall and in each part.

Why it exists: a reader asks first whether these patients are like theirs, and whether those who were tested are like
those who trained.

Source: TRIPOD+AI items 20b and 20c, BMJ 2024;385:e078378; standardised difference: Austin PC. Stat Med
2009;28:3083-3107.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from tumorboard.errors import InputError
from tumorboard.lab.findings.base import HELD_OUT, Asked, Cell, Finding, Rows, counted, parts
from tumorboard.lab.outcome import Outcome, numbers
from tumorboard.lab.recipe import Outcomes
from tumorboard.lab.run import Run
from tumorboard.lab.step import Floats

MOST_FEATURES, MOST_WORDS = 20, 10
"""Features that are told here (all of them stand in ``predictors.csv``), and words of a column."""


def people(asked: Asked) -> Finding:
    """Return the table of characteristics.

    Parameters
    ----------
    asked : Asked
        The run.

    Returns
    -------
    Finding
        One line a column, or a word of it, with a cell for all rows and for each part.
    """
    run = asked.run
    sides = {"all": np.ones(len(run.data), dtype=bool), **parts(run)}
    compared = list(sides)[1:] if "test" in sides else []
    rows = [
        (*line, *([_apart(values, sides, compared)] if compared else []))
        for name, values in _columns(run)
        for line, values in _lines(name, values, sides)
    ]
    head = ("characteristic", *(f"{n} ({int(m.sum())} rows)" for n, m in sides.items()))
    more = len(run.data.table.names) - MOST_FEATURES
    note = "Mean (standard deviation) of numbers, count (share) of words, per row."
    note += " Difference: standardised, of means or shares; above 0.1 it is usually called unlike." if compared else ""
    note += f" {counted(more, 'further feature')} in predictors.csv." if more > 0 else ""
    facts = {"data.characteristics": True, "data.by_part": True if len(sides) > 1 else None}
    if run.recipe.validation.name in HELD_OUT:
        facts["validation.compared"] = bool(compared)
    return Finding(
        "characteristics", "Patients", (*head, *(["difference"] if compared else [])), tuple(rows), note, (), facts
    )


def _columns(run: Run) -> Iterator[tuple[str, Floats | Sequence[str]]]:
    data = run.data
    for name, words in data.described.items():
        yield name, as_numbers(words)
    if any(s for s in data.sites.tolist()):
        yield "site", [str(s) for s in data.sites]
    yield from _outcome(data.outcome)
    for name in data.table.names[:MOST_FEATURES]:
        yield name, data.table.column(name)


def as_numbers(words: Sequence[str]) -> Floats | Sequence[str]:
    """Return words as numbers where all that are there are numbers of more than five values, else as they are.

    Examples
    --------
    >>> as_numbers(["60", "61", "", "62", "63", "64", "65"]).tolist()[:3], as_numbers(["F", "M"])
    ([60.0, 61.0, nan], ['F', 'M'])
    """
    try:
        found = numbers(words, "description")
    except InputError:
        return words
    return found if len(np.unique(found[~np.isnan(found)])) > 5 else words


def _outcome(outcome: Outcome) -> Iterator[tuple[str, Floats | Sequence[str]]]:
    if outcome.kind is Outcomes.SURVIVAL:
        yield "follow-up, days", outcome.days
        yield "event", ["yes" if e else "no" for e in outcome.events]
    elif outcome.kind is Outcomes.REGRESSION:
        yield f"outcome {outcome.names[0]}" if outcome.names else "outcome", outcome.values[:, 0]
    elif outcome.kind is Outcomes.MULTILABEL:
        for n, name in enumerate(outcome.names):
            yield f"outcome {name}", ["" if np.isnan(v) else "yes" if v else "no" for v in outcome.values[:, n]]
    else:
        yield "outcome", [outcome.names[c] for c in outcome.classes]


def _lines(
    name: str, values: Floats | Sequence[str], sides: dict[str, Rows]
) -> Iterator[tuple[tuple[Cell, ...], Floats]]:
    """Yield lines of a column, each with the number of each row that it is about."""
    if isinstance(values, np.ndarray):
        yield (name, *(_mean(values[m]) for m in sides.values())), values
        return
    words = np.array([w or "n/a" for w in values])
    known = [str(w) for w in np.unique(words)]
    for word in known[:MOST_WORDS]:
        has = (words == word).astype(np.float64)
        yield (f"{name}: {'missing' if word == 'n/a' else word}", *(_share(has[m]) for m in sides.values())), has


def _mean(values: Floats) -> str:
    there = values[~np.isnan(values)]
    if not len(there):
        return "missing"
    gone = f"; {len(values) - len(there)} missing" if len(there) < len(values) else ""
    return f"{_short(there.mean())} ({_short(there.std())}){gone}"


def _short(value: float) -> str:
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def _share(has: Floats) -> str:
    return f"{int(has.sum())} ({100 * has.mean():.0f} %)" if len(has) else "0"


def _apart(values: Floats, sides: dict[str, Rows], names: Sequence[str]) -> Cell:
    """Return the standardised difference of two parts; None where a side does not vary or has nothing."""
    first, second = (values[sides[n]] for n in names)
    first, second = first[~np.isnan(first)], second[~np.isnan(second)]
    if not len(first) or not len(second):
        return None
    spread = np.sqrt((first.var() + second.var()) / 2)
    return float((second.mean() - first.mean()) / spread) if spread > 0 else None
