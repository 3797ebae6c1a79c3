"""Made-up rows of rarer classes (SMOTE), for a classifier of scikit-learn.

Why it exists: rows between neighbours are made wherever a classifier is fitted, inside each inner fold too. Rows that
were made before would lie between rows of both sides of a fold, and chances learned on them would be too sure.

Source: Chawla NV et al. J Artif Intell Res 2002;16:321-357.
"""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, clone

from tumorboard.lab.table import Floats


class Evened(ClassifierMixin, BaseEstimator):  # type: ignore[misc] # scikit-learn has no types
    """A classifier that is fitted on as many rows of each class.

    Parameters
    ----------
    machine : estimator
        With ``decision_function``.
    neighbours : int
        Among which a row is made up.
    seed : int
        Of draws.

    Examples
    --------
    >>> from sklearn.svm import SVC
    >>> x = np.arange(12.0).reshape(-1, 1)
    >>> Evened(SVC(), neighbours=2).fit(x, np.repeat([0, 1], (9, 3))).made_up_
    6
    """

    def __init__(self, machine: Any, neighbours: int = 5, seed: int = 0) -> None:
        self.machine, self.neighbours, self.seed = machine, neighbours, seed

    def fit(self, x: Floats, y: NDArray[np.int64]) -> Self:
        """Fit on real and made-up rows; ``made_up_`` counts the latter. Where a class has one row, none is made up."""
        from imblearn.over_sampling import SMOTE

        rows, classes = x, y
        rarest = int(np.unique(y, return_counts=True)[1].min())
        if rarest > 1:
            maker = SMOTE(k_neighbors=min(self.neighbours, rarest - 1), random_state=self.seed)
            rows, classes = maker.fit_resample(x, y)
        self.made_up_ = len(rows) - len(x)
        self.machine_ = clone(self.machine).fit(rows, classes)
        self.classes_ = self.machine_.classes_
        return self

    def decision_function(self, x: Floats) -> Floats:
        """Return distances to the border between classes."""
        return np.asarray(self.machine_.decision_function(x), dtype=np.float64)

    def predict(self, x: Floats) -> NDArray[np.int64]:
        """Return classes."""
        return np.asarray(self.machine_.predict(x))
