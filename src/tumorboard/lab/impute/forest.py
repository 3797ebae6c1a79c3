"""Missing values become what random forests on the other columns say.

Why it exists: the best of the four that Cruz compared, and the slowest.

Source: Stekhoven DJ, Bühlmann P. Bioinformatics 2012;28:112-118 (missForest); scikit-learn's ``IterativeImputer``.
"""

from __future__ import annotations

import warnings
from typing import Self

import numpy as np

from tumorboard.lab.step import Floats, Known, Step, Words


class ForestImpute(Step):
    """Fill by random forests, one a column with missing values, in rounds.

    Parameters
    ----------
    trees : int
        Of each forest.
    rounds : int
        At most.
    columns : int
        Nearest columns that a forest may use.
    seed : int
        Of the forests.
    """

    takes_missing, gives_missing = True, False

    def __init__(self, trees: int = 50, rounds: int = 5, columns: int = 20, seed: int = 0) -> None:
        self.trees, self.rounds, self.columns, self.seed = trees, rounds, columns, seed

    def fit(self, x: Floats, known: Known) -> Self:
        """Grow the forests."""
        from sklearn.ensemble import RandomForestRegressor
        from sklearn.experimental import enable_iterative_imputer  # noqa: F401 - scikit-learn asks for it
        from sklearn.impute import IterativeImputer

        forest = RandomForestRegressor(n_estimators=self.trees, random_state=self.seed, max_features="sqrt")
        self.imputer_ = IterativeImputer(
            forest,
            max_iter=self.rounds,
            n_nearest_features=min(self.columns, x.shape[1]),
            random_state=self.seed,
            keep_empty_features=True,
            tol=1e-2,
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # rounds are few on purpose: forests settle within them or not at all
            self.imputer_.fit(x)
        return self

    def transform(self, x: Floats, sites: Words) -> Floats:
        """Return rows without a missing value."""
        return np.asarray(self.imputer_.transform(x), dtype=np.float64)
