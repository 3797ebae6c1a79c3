"""What is asked of a run's model about its columns: one number, the rows out of fold, and which of them are shown.

Why it exists: six explanations of one number start from the same answers, the same patients and the same order of
columns; they are computed once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from tumorboard.errors import InputError
from tumorboard.explain.explanation import About
from tumorboard.explain.tables.groups import rank_correlation
from tumorboard.lab.dataset import REAL
from tumorboard.lab.explained.additive import Additive, additive
from tumorboard.lab.explained.chosen import Chosen, chosen
from tumorboard.lab.explained.questions import Question
from tumorboard.lab.explained.refitted import OutOfFold
from tumorboard.lab.run import Run
from tumorboard.lab.step import Floats


def about(run: Run, question: Question, case: str = "") -> About:
    """Return what an explanation of a run says of itself."""
    world = "" if run.world == REAL else run.world
    return About(question.words, run.recipe.id, case, world, question.quantity)


@dataclass(frozen=True)
class OfColumns:
    """One number of a run's model, to be explained by columns.

    Parameters
    ----------
    run : Run
        That ended.
    source : OutOfFold
        Models of folds.
    question : Question
        About the rows of the source.
    number : int
        Of the question, from 0; others than the first have it in their names.
    several : bool
        Whether there are others.
    """

    run: Run = field(repr=False)
    source: OutOfFold = field(repr=False)
    question: Question
    number: int = 0
    several: bool = False

    @property
    def about(self) -> About:
        """What is explained."""
        return about(self.run, self.question)

    def slug(self, name: str) -> str:
        """Return the name of a picture."""
        return f"{name}-{self.number + 1}" if self.several else name

    def title(self, words: str) -> str:
        """Return words above an explanation."""
        return f"{words}: {self.question.words}" if self.several else words

    @cached_property
    def patients(self) -> tuple[str, ...]:
        """Of the rows out of fold."""
        return tuple(self.run.data.table.patients[r] for r in self.source.rows)

    @cached_property
    def told(self) -> Floats:
        """What the models of the folds say of their test rows."""
        return self.source.predict(self.source.values)[:, self.question.column]

    @cached_property
    def chosen(self) -> tuple[Chosen, ...]:
        """Patients that are explained one by one."""
        return chosen(self.question, self.told, self.patients, wrong_alone=self.several)

    @cached_property
    def additive(self) -> Additive:
        """Shapley values out of fold."""
        return additive(self.source, self.question, self.about, [c.row for c in self.chosen], self.run.recipe.seed)

    @cached_property
    def strength(self) -> Floats:
        """How much each column does: its Shapley values, else how its ranks go with those of the answers; no truth."""
        names = self.source.names
        learns_images = self.source.parts[0].fitted.pipeline.learner.takes_images
        try:
            known = {} if learns_images else self.additive.strength
        except InputError:
            known = {}
        if set(known) & set(names):
            return np.array([known.get(n, 0.0) for n in names])
        both = np.column_stack([self.source.values, self.told])
        return np.abs(rank_correlation(both)[-1, :-1])

    def of_final(self, at: NDArray[np.int64]) -> Callable[[Floats], Floats]:
        """Return a function that asks the final model about some of its training rows with other values."""
        sites = self.run.training.sites[at]

        def predict(x: Floats) -> Floats:
            told = self.run.fitted.pipeline.predict(x, np.tile(sites, len(x) // len(sites)))
            return told[:, self.question.column]

        return predict
