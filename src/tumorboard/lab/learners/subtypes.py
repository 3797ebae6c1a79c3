"""Clustering into subtypes, and what each subtype's outcome is.

Why it exists: Rathore found imaging subtypes without looking at the outcome and then asked how the subtypes live. The
clusters here see no outcome; only the rate written beside each does.

Source: Rathore S et al. Sci Rep 2018;8:5087; Arthur D, Vassilvitskii S. SODA 2007:1027-1035 (k-means++).
"""

from __future__ import annotations

from typing import Self

import numpy as np
from numpy.typing import NDArray

from tumorboard.lab.learners.base import Floats, Learner
from tumorboard.lab.outcome import Outcome
from tumorboard.lab.recipe import Outcomes


class Subtypes(Learner):
    """k-means of standardised columns; a row's prediction is its cluster's mean outcome in training rows.

    Parameters
    ----------
    clusters : int
        Subtypes.
    seed : int
        Of the starts.
    """

    def __init__(self, clusters: int = 3, seed: int = 0) -> None:
        self.clusters, self.seed = clusters, seed

    def fit(self, x: Floats, outcome: Outcome) -> Self:
        """Find the clusters, then their outcomes; each cluster borrows one row's weight from all rows."""
        from sklearn.cluster import KMeans

        self.mean_, spread = x.mean(axis=0), x.std(axis=0)
        self.spread_ = np.where(spread > 1e-12, spread, 1.0)
        self.model_ = KMeans(self.clusters, n_init=10, random_state=self.seed).fit((x - self.mean_) / self.spread_)
        seen = _responses(outcome)
        whole = seen.mean(axis=0)
        rows = [seen[self.model_.labels_ == c] for c in range(self.clusters)]
        self.rates_ = np.stack([(r.sum(axis=0) + whole) / (len(r) + 1) for r in rows])
        return self

    def subtype(self, x: Floats) -> NDArray[np.int64]:
        """Return the number of each row's cluster."""
        return np.asarray(self.model_.predict((x - self.mean_) / self.spread_), dtype=np.int64)

    def predict(self, x: Floats) -> Floats:
        """Return the cluster's rate, mean or risk."""
        return np.asarray(self.rates_[self.subtype(x)])


def _responses(outcome: Outcome) -> Floats:
    if outcome.kind is Outcomes.MULTICLASS:
        return np.eye(len(outcome.names))[outcome.classes]
    return outcome.target.reshape(-1, 1)
