"""Columns of mean 0 and standard deviation 1.

Why it exists: penalties and distances take columns at their scale.

Source: scikit-learn's ``StandardScaler`` (same numbers).
"""

from __future__ import annotations

from typing import Self

import numpy as np

from tumorboard.lab.step import Floats, Known, Step, Words


class Standardise(Step):
    """Subtract the mean, divide by the standard deviation of training rows; NaN stays NaN.

    Parameters
    ----------
    clip : float
        Largest absolute z-score that passes; 0 clips nothing.
    """

    takes_missing = True

    def __init__(self, clip: float = 0.0) -> None:
        self.clip = clip

    def fit(self, x: Floats, known: Known) -> Self:
        """Learn mean and standard deviation."""
        there = ~np.isnan(x)
        n = np.maximum(there.sum(axis=0), 1)
        self.mean_ = np.where(there, x, 0.0).sum(axis=0) / n
        spread = np.sqrt(np.where(there, (x - self.mean_) ** 2, 0.0).sum(axis=0) / n)
        self.spread_ = np.where(spread > 1e-12 * np.maximum(np.abs(self.mean_), 1.0), spread, 1.0)
        return self

    def transform(self, x: Floats, sites: Words) -> Floats:
        """Return z-scores."""
        z = (x - self.mean_) / self.spread_
        return np.clip(z, -self.clip, self.clip) if self.clip else np.asarray(z)
