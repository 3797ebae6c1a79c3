"""Prediction sets that hold the truth in a stated share of patients (split conformal).

Why it exists: "80 % mutant" means little; "one of these two classes, right in 90 % of patients like these" is a promise
that can be checked. The scores are those of out-of-fold predictions, so no patient set its own threshold.

Sources: Vovk V, Gammerman A, Shafer G. Algorithmic learning in a random world, 2005; Sadinle M, Lei J, Wasserman L.
J Am Stat Assoc 2019;114:223-234 (least ambiguous sets: ``lac`` of MAPIE, whose thresholds are the same). With
predictions of several folds the promise holds nearly, not exactly (Barber RF et al. Ann Stat 2021;49:486-507).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tumorboard.errors import InputError
from tumorboard.lab.outcome import Outcome
from tumorboard.lab.recipe import Outcomes

Floats = NDArray[np.float64]

COVERAGE = 0.9


@dataclass(frozen=True)
class Conformal:
    """A threshold on scores of nonconformity.

    Parameters
    ----------
    kind : str
        ``classes`` (score: 1 − chance of the class) or ``quantity`` (score: absolute error).
    threshold : float
        Largest score that is still inside; infinite where there are too few rows for the coverage.
    coverage : float
        Share of new rows whose truth is inside.
    n : int
        Rows that set the threshold.

    Examples
    --------
    >>> fitted = Conformal.of(Outcome.binary([0, 1] * 20), np.array([[0.2], [0.8]] * 20))
    >>> fitted.sets(np.array([[0.9], [0.5]])).tolist()
    [[False, True], [False, False]]
    """

    kind: str
    threshold: float
    coverage: float
    n: int

    @classmethod
    def of(cls, outcome: Outcome, values: ArrayLike, coverage: float = COVERAGE) -> Conformal:
        """Set the threshold by predictions of rows that were not trained on.

        Parameters
        ----------
        outcome : Outcome
            Binary, multiclass or regression.
        values : array_like, shape (n, k)
            Their out-of-fold predictions.
        coverage : float
            Share that is promised.

        Raises
        ------
        InputError
            Another kind of outcome, or a coverage outside 0 to 1.
        """
        if not 0 < coverage < 1:
            raise InputError("a coverage between 0 and 1", got=f"{coverage:g}", where="conformal sets")
        found = np.asarray(values, dtype=np.float64)
        if outcome.kind is Outcomes.REGRESSION:
            return cls(
                "quantity", _quantile(np.abs(found[:, 0] - outcome.values[:, 0]), coverage), coverage, len(found)
            )
        if outcome.kind not in (Outcomes.BINARY, Outcomes.MULTICLASS):
            raise InputError("classes or a quantity", got=outcome.kind.value, where="conformal sets")
        chances = _chances(found)
        scores = 1.0 - chances[np.arange(len(chances)), outcome.classes]
        return cls("classes", _quantile(scores, coverage), coverage, len(scores))

    def sets(self, values: ArrayLike) -> NDArray[np.bool_]:
        """Return which classes are inside, shape (m, classes); a set may be empty: unlike anything that was seen."""
        return np.asarray(1.0 - _chances(np.asarray(values, dtype=np.float64)) <= self.threshold + 1e-12)

    def interval(self, values: ArrayLike) -> Floats:
        """Return the ends of the interval of a quantity, shape (m, 2)."""
        found = np.asarray(values, dtype=np.float64)[:, 0]
        return np.stack([found - self.threshold, found + self.threshold], axis=1)


def _chances(values: Floats) -> Floats:
    return np.hstack([1.0 - values, values]) if values.shape[1] == 1 else values


def _quantile(scores: Floats, coverage: float) -> float:
    rank = math.ceil((len(scores) + 1) * coverage - 1e-9)
    return float(np.sort(scores)[rank - 1]) if rank <= len(scores) else math.inf
