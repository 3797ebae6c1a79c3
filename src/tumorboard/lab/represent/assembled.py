"""Representations as the first step of a scikit-learn pipeline whose rows are numbers.

Why it exists: a pipeline that starts from row numbers cannot see a held-out patient before it is asked to predict one,
whatever stands behind it: folds, nested folds, or a search over settings.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, TransformerMixin

from tumorboard.errors import InputError
from tumorboard.lab.represent.base import Represented
from tumorboard.lab.table import Floats, Unit


class Assembled(TransformerMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Features of rows: what follows from each unit alone, beside what is learned from the training rows.

    Parameters
    ----------
    parts : tuple of Represented
        Of the same units.
    seed : int
        Of what is learned.

    Examples
    --------
    >>> from tumorboard.lab.table import Table
    >>> part = Represented("clinical", Table.of([Unit("A"), Unit("B")], {"age": [60, 44]}))
    >>> step = Assembled((part,)).fit([[0]])
    >>> step.transform([[1]]).tolist(), step.get_feature_names_out().tolist()
    ([[44.0]], ['age'])
    """

    def __init__(self, parts: tuple[Represented, ...], seed: int = 0) -> None:
        self.parts = parts
        self.seed = seed

    @property
    def units(self) -> tuple[Unit, ...]:
        """What the row numbers stand for."""
        return self.parts[0].units

    def fit(self, X: ArrayLike, y: Any = None) -> Self:  # noqa: N803 - scikit-learn's names
        """Learn from these rows and no others.

        Parameters
        ----------
        X : array_like of int, shape (rows, 1)
            Row numbers.
        y : ignored
            Representations do not see outcomes.

        Raises
        ------
        InputError
            Parts of different units, or too little to learn from.
        """
        if not self.parts or any(p.units != self.units for p in self.parts):
            raise InputError("representations of the same units", got="others, or none", where="assembled")
        rows = _rows(X)
        self.learned_ = []
        for number, part in enumerate(self.parts):
            if part.learned is not None:
                step = part.learned.make(self.seed + number)
                step.fit([part.learned.material[r] for r in rows])
                self.learned_.append((part.learned.material, step))
        names = [n for p in self.parts for n in p.table.names] + [n for _, s in self.learned_ for n in s.names]
        self.feature_names_out_ = np.array(unique(names), dtype=object)
        return self

    def transform(self, X: ArrayLike) -> Floats:  # noqa: N803
        """Return features, shape (rows, features); NaN where missing."""
        rows = _rows(X)
        told = [p.table.values[rows] for p in self.parts]
        learned = [step.transform([material[r] for r in rows]) for material, step in self.learned_]
        return np.hstack([*told, *learned])

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:
        """Return the names of the columns, once it is fitted."""
        return np.asarray(self.feature_names_out_)


def unique(names: Sequence[str]) -> list[str]:
    """Return names with a number behind those that were there before.

    Examples
    --------
    >>> unique(["age", "age", "sex"])
    ['age', 'age#2', 'sex']
    """
    seen: dict[str, int] = {}
    out = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        out.append(name if seen[name] == 1 else f"{name}#{seen[name]}")
    return out


def _rows(told: ArrayLike) -> NDArray[np.int64]:
    return np.asarray(told, dtype=np.int64).reshape(-1)
