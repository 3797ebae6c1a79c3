"""Shapley values of the laboratory's learners, fold by fold.

Why it exists: what is linear or a tree inside a learner has exact values; any other learner is sampled, for fewer
patients. Values are of the columns that the learner sees, after selection and scaling. A column that a fold's model
does not see has the value 0, which is what Shapley's axioms give it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tumorboard.errors import InputError
from tumorboard.explain.explanation import About, Driver, Drivers, Scope, by_size
from tumorboard.explain.tables.inputs import Rows
from tumorboard.explain.tables.shapley import CITES, Shapley, shapley
from tumorboard.explain.words import drivers_sentence
from tumorboard.lab.explained.exact import Inside, Number, inside_of
from tumorboard.lab.explained.questions import Question
from tumorboard.lab.explained.refitted import OutOfFold, Part
from tumorboard.lab.step import Floats
from tumorboard.metrics.resampling import bootstrap

MOST_ROWS = 1000
"""Rows whose exact values are computed."""
COLUMNS, BACKGROUND, SETS, PREDICTIONS = 60, 30, 512, 400_000
"""Of the sampled way: columns at most, training rows that stand for 'unknown', sets of columns, predictions in all."""


@dataclass(frozen=True)
class Additive:
    """Shapley values of rows out of fold.

    Parameters
    ----------
    names : tuple of str
        Columns that any fold's learner sees.
    at : ndarray of int
        Which of the rows out of fold.
    values : ndarray, shape (rows, names)
        Contributions.
    base, told : ndarray, shape (rows,)
        Answer of each row's model where nothing is known, and its answer; they differ by the contributions.
    unit, how : str
        Of all of them, and how they were computed.
    each : mapping of int to (Shapley, int)
        For each row, by its number out of fold: what its fold gave, and its place there.
    """

    names: tuple[str, ...]
    at: NDArray[np.int64] = field(repr=False)
    values: Floats = field(repr=False)
    base: Floats = field(repr=False)
    told: Floats = field(repr=False)
    unit: str
    how: str
    each: dict[int, tuple[Shapley, int]] = field(repr=False)

    def overall(self, patients: Sequence[str], about: About, seed: int) -> Drivers:
        """Return mean absolute contributions with intervals over the patients of the rows."""
        size = np.abs(self.values)
        drivers = [
            Driver((name,), bootstrap(lambda rows, c=column: float(c[rows].mean()), len(size), patients, seed=seed))  # type: ignore[misc]  # mypy takes the default for a second argument
            for name, column in zip(self.names, size.T, strict=True)
        ]
        warned = tuple(dict.fromkeys(w for found, _ in self.each.values() for w in found.warnings))
        found = Drivers(
            method="shap", cites=CITES, about=about, scope=Scope.GLOBAL, unit=f"mean absolute {self.unit}",
            drivers=by_size(drivers), warnings=warned,
        )  # fmt: skip
        return dataclasses.replace(found, sentence=drivers_sentence(found))

    @property
    def strength(self) -> dict[str, float]:
        """Mean absolute contribution of each column."""
        return dict(zip(self.names, np.abs(self.values).mean(axis=0).tolist(), strict=True))


def additive(source: OutOfFold, question: Question, about: About, cases: Sequence[int], seed: int) -> Additive:
    """Return Shapley values of rows out of fold.

    Parameters
    ----------
    source : OutOfFold
        Rows and models.
    question : Question
        Which number of the model.
    about : About
        What is explained.
    cases : sequence of int
        Rows that must be among them.
    seed : int
        Of the sampled way.

    Raises
    ------
    InputError
        The learner can only be sampled and sees too many columns.
    """
    which = Number(question.column, question.quantity, question.discrete)
    found: list[tuple[Shapley, NDArray[np.int64]]] = []
    for part in source.parts:
        asked = inside_of(part.fitted.pipeline.learner, which)
        at = _rows(part, len(source.rows), cases, asked, len(part.fitted.pipeline.names_))
        if len(at):
            found.append((_of_fold(part, asked, source, at, about, seed), at))
    names = tuple(dict.fromkeys(n for one, _ in found for n in one.rows.names))
    place = {n: i for i, n in enumerate(names)}
    rows = np.concatenate([at for _, at in found])
    values = np.zeros((len(rows), len(names)))
    start = 0
    for one, at in found:
        values[start : start + len(at), [place[n] for n in one.rows.names]] = one.values
        start += len(at)
    base = np.concatenate([np.full(len(at), one.base) for one, at in found])
    each = {int(row): (one, n) for one, at in found for n, row in enumerate(at)}
    first = found[0][0]
    ways = {"linear": "exact (linear)", "tree": "exact (trees)", "kernel": "sampled"}
    told = np.concatenate([one.answers for one, _ in found])
    return Additive(names, rows, values, base, told, first.unit, ways[first.how], each)


def _rows(part: Part, total: int, cases: Sequence[int], asked: Inside, columns: int) -> NDArray[np.int64]:
    """Return rows of a fold that are explained: all, or as many as may be asked, the cases first."""
    if asked.exact:
        most = max(1, MOST_ROWS * len(part.at) // total)
    elif columns > COLUMNS:
        expected = f"at most {COLUMNS} columns for a learner whose values are sampled"
        raise InputError(expected, got=str(columns), where="Shapley values", remedy="select columns before it")
    else:
        asked_each = (SETS + 2 * columns) * BACKGROUND
        most = max(1, PREDICTIONS * len(part.at) // (asked_each * total))
    wanted = [row for row in cases if row in set(part.at.tolist())]
    rest = np.array([row for row in part.at if row not in wanted], dtype=np.int64)
    room = max(most - len(wanted), 0)
    spread = np.linspace(0, len(rest) - 1, room if len(rest) else 0)
    more = rest[np.unique(spread.round().astype(np.int64))]
    return np.sort(np.array([*wanted, *more], dtype=np.int64))


def _of_fold(part: Part, asked: Inside, source: OutOfFold, at: NDArray[np.int64], about: About, seed: int) -> Shapley:
    """Return values of one fold; its rows are shown in the columns' own units where these are still what they were."""
    pipeline, names = part.fitted.pipeline, part.fitted.pipeline.names_
    own = at - int(part.at[0])
    x = pipeline.prepared(part.fitted.features(part.test), part.test.sites)[own]
    raw = part.fitted.features(part.train)
    seen = pipeline.prepared(raw, part.train.sites)
    if not asked.exact and len(seen) > BACKGROUND:
        rng = np.random.default_rng(seed)
        seen = seen[np.sort(rng.choice(len(seen), BACKGROUND, replace=False))]
    sets = 0 if asked.exact else SETS + 2 * len(names)
    found = shapley(
        asked.model, Rows(x, names), background=Rows(seen, names), target=asked.target, samples=sets, seed=seed,
        about=about,
    )  # fmt: skip
    told = [source.names.index(n) if n in source.names else -1 for n in names]
    values = np.stack([source.values[at, c] if c >= 0 else x[:, n] for n, c in enumerate(told)], axis=1)
    before = np.stack([raw[:, c] if c >= 0 else np.full(len(raw), np.nan) for c in told], axis=1)
    return dataclasses.replace(
        found, rows=Rows(values, names), background=Rows(before, names), unit=asked.unit or found.unit
    )
