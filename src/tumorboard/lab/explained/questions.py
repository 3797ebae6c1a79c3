"""What a model tells, one number at a time, and the truth that each is held to.

Why it exists: explanations speak of one number: the chance of a class, a risk, a quantity. A model of several classes
is asked about each in turn.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tumorboard.lab.outcome import Outcome
from tumorboard.lab.recipe import Endpoint, Outcomes
from tumorboard.lab.step import Floats

MOST = 4
"""Classes or labels that are explained one by one; of more, those with most patients (chosen)."""
_PLAIN = ("yes", "1", "true", "positive")


@dataclass(frozen=True)
class Question:
    """One number of a model.

    Parameters
    ----------
    words : str
        What it tells: ``idh: mutant``.
    column : int
        Of the predictions.
    score : str
        Of :data:`tumorboard.explain.tables.permutation.SCORES`.
    truth : ndarray, shape (n,) or (n, 2)
        What happened; of survival days and event. NaN where a label is unknown.
    labels : tuple of str
        The same in words, for each row.
    quantity : bool
        Whether it is a number that is higher or lower rather than more or less likely.
    discrete : bool
        Whether labels are classes.
    """

    words: str
    column: int
    score: str
    truth: Floats = field(repr=False)
    labels: tuple[str, ...] = field(repr=False)
    quantity: bool = False
    discrete: bool = True

    @property
    def known(self) -> NDArray[np.bool_]:
        """Rows whose truth is known."""
        return ~np.isnan(self.truth if self.truth.ndim == 1 else self.truth.sum(axis=1))


def questions(endpoint: Endpoint, outcome: Outcome) -> tuple[Question, ...]:
    """Return what a model of an outcome is asked, at most :data:`MOST` numbers.

    Parameters
    ----------
    endpoint : Endpoint
        Names its columns.
    outcome : Outcome
        Of the rows that are explained.

    Examples
    --------
    >>> one = questions(Endpoint(kind="binary", column="idh"), Outcome.binary([1, 0], ("wild type", "mutant")))[0]
    >>> one.words, one.labels
    ('idh: mutant', ('mutant', 'wild type'))
    """
    if outcome.kind is Outcomes.SURVIVAL:
        told = tuple(f"{d:.0f} days, {'event' if e else 'no event yet'}" for d, e in outcome.values)
        return (Question(f"an early {endpoint.event}", 0, "concordance", outcome.values, told, discrete=False),)
    if outcome.kind is Outcomes.REGRESSION:
        y = outcome.values[:, 0]
        told = tuple(f"{v:.3g}" for v in y)
        return (Question(endpoint.column or outcome.names[0], 0, "r2", y, told, quantity=True, discrete=False),)
    if outcome.kind is Outcomes.BINARY:
        y = outcome.values[:, 0]
        name = outcome.names[1]
        words = endpoint.column if name.lower() in _PLAIN else f"{endpoint.column}: {name}"
        return (Question(words, 0, "auc", y, tuple(outcome.names[int(v)] for v in y)),)
    return tuple(_one(endpoint, outcome, n) for n in _frequent(outcome))


def _frequent(outcome: Outcome) -> list[int]:
    """Return the classes or labels with most patients, in their order."""
    if outcome.kind is Outcomes.MULTILABEL:
        counts = np.nansum(outcome.values, axis=0)
    else:
        counts = np.bincount(outcome.classes, minlength=len(outcome.names)).astype(np.float64)
    return sorted(np.argsort(-counts, kind="stable")[:MOST].tolist())


def _one(endpoint: Endpoint, outcome: Outcome, number: int) -> Question:
    name = outcome.names[number]
    if outcome.kind is Outcomes.MULTILABEL:
        y = outcome.values[:, number]
        told = tuple("unknown" if np.isnan(v) else name if v else f"not {name}" for v in y)
        return Question(name, number, "auc", y, told)
    y = (outcome.classes == number).astype(np.float64)
    return Question(f"{endpoint.column}: {name}", number, "auc", y, tuple(outcome.names[c] for c in outcome.classes))


def classes_of(question: Question) -> tuple[str, ...] | None:
    """Return the class of each row for prototypes: its own, or a half of survival or of a quantity; "" where unknown.

    Examples
    --------
    >>> made = questions(Endpoint(kind="survival", days="d", event="death"), Outcome.survival([10, 20, 5], [1, 1, 0]))
    >>> classes_of(made[0])
    ('death by day 15', 'none by day 15', '')
    """
    if question.discrete:
        return tuple(label if known else "" for label, known in zip(question.labels, question.known, strict=True))
    if question.truth.ndim == 1:
        middle = float(np.median(question.truth))
        return tuple(f"above {middle:.3g}" if v > middle else f"up to {middle:.3g}" for v in question.truth)
    days, events = question.truth.T
    seen = days[events > 0]
    if not len(seen):
        return None
    middle = float(np.median(seen))
    word = question.words.removeprefix("an early ")
    early, late = f"{word} by day {middle:.0f}", f"none by day {middle:.0f}"
    return tuple(late if d > middle else early if e else "" for d, e in zip(days, events, strict=True))
