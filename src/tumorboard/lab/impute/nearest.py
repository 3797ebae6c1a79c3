"""Missing values become the mean of the most similar training rows.

Why it exists: similar patients say more about a missing value than all patients.

Source: Troyanskaya O et al. Bioinformatics 2001;17:520-525; scikit-learn's ``KNNImputer``.
"""

from __future__ import annotations

from typing import Self

import numpy as np

from tumorboard.lab.impute.mean import fill_values
from tumorboard.lab.step import Floats, Known, Step, Words


class NearestImpute(Step):
    """Fill with the mean of the k nearest training rows that have the value; columns are standardised for distance.

    Parameters
    ----------
    k : int
        Neighbours.
    """

    takes_missing, gives_missing = True, False

    def __init__(self, k: int = 5) -> None:
        self.k = k

    def fit(self, x: Floats, known: Known) -> Self:
        """Keep the training rows."""
        from sklearn.impute import KNNImputer

        self.centre_ = fill_values(x)
        spread = np.sqrt(fill_values((x - self.centre_) ** 2))
        self.spread_ = np.where(spread > 0, spread, 1.0)
        imputer = KNNImputer(n_neighbors=self.k, keep_empty_features=True)
        self.imputer_ = imputer.fit((x - self.centre_) / self.spread_)
        return self

    def transform(self, x: Floats, sites: Words) -> Floats:
        """Return rows without a missing value."""
        return np.asarray(self.imputer_.transform((x - self.centre_) / self.spread_) * self.spread_ + self.centre_)
