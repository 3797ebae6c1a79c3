"""A step before the learner: fitted on training rows, applied to any rows.

Why it exists: what a step may know is written into its signature. Fitting sees features, outcomes and sites of the
training rows; applying sees features and sites of the new rows and never an outcome, so a step cannot leak one.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from tumorboard.errors import InputError
from tumorboard.lab.outcome import Outcome

Floats = NDArray[np.float64]
Words = NDArray[np.str_]


@dataclass(frozen=True)
class Known:
    """What is known of training rows beside their features.

    Parameters
    ----------
    outcome : Outcome
        Of each row.
    sites : ndarray of str, shape (n,)
        Of each row; all ``""`` where unknown.
    names : tuple of str
        Of the columns that the step sees.
    patients : tuple of str
        Of each row; empty: each row is one.
    """

    outcome: Outcome
    sites: Words
    names: tuple[str, ...] = ()
    patients: tuple[str, ...] = ()


class Step(ABC):
    """Learned on training rows; final classes give ``fit`` and ``transform``."""

    takes_missing = False
    """Whether columns may hold NaN when the step comes."""

    gives_missing = True
    """Whether they may still hold NaN after it."""

    @abstractmethod
    def fit(self, x: Floats, known: Known) -> Self:
        """Learn from training rows, ``x`` of shape (n, columns)."""

    @abstractmethod
    def transform(self, x: Floats, sites: Words) -> Floats:
        """Return new rows as this step wants them, shape (m, columns after it)."""

    def names(self, names: tuple[str, ...]) -> tuple[str, ...]:
        """Return the names of the columns after this step."""
        return names


class Selection(Step):
    """A step that only leaves columns out; ``kept_`` holds the numbers of those that stay."""

    kept_: NDArray[np.int64]

    @abstractmethod
    def choose(self, x: Floats, outcome: Outcome) -> NDArray[np.int64]:
        """Return the numbers of the columns to keep."""

    def fit(self, x: Floats, known: Known) -> Self:
        """Choose columns by training rows; where none would be left, the first column stays."""
        kept = np.sort(np.asarray(self.choose(x, known.outcome), dtype=np.int64))
        self.kept_ = kept if len(kept) else np.array([0], dtype=np.int64)
        return self

    def transform(self, x: Floats, sites: Words) -> Floats:
        """Return the columns that were kept."""
        return x[:, self.kept_]

    def names(self, names: tuple[str, ...]) -> tuple[str, ...]:
        """Return the names of the columns that were kept."""
        return tuple(names[i] for i in self.kept_)


def positive(value: float, what: str, below: float = float("inf")) -> float:
    """Return a setting that must lie above 0 and at or below ``below``.

    Raises
    ------
    InputError
        It does not.

    Examples
    --------
    >>> positive(0.5, "above")
    0.5
    """
    if not isinstance(value, (int, float)) or not 0 < value <= below:
        upper = f" and at most {below:g}" if np.isfinite(below) else ""
        raise InputError(f"a number above 0{upper}", got=repr(value), where=f"setting {what}")
    return value
