"""Logarithms of skewed columns.

Why it exists: volumes and energies spread over decades; one giant tumour must not rule a linear model.

Source: chosen.
"""

from __future__ import annotations

from typing import Self

import numpy as np

from tumorboard.lab.step import Floats, Known, Step, Words


class LogScale(Step):
    """Take sign(x)·log(1 + |x| / m) of columns whose training rows are skewed; m is the column's median size.

    Parameters
    ----------
    skewness : float
        Absolute skewness of training rows above which a column is taken.
    """

    takes_missing = True

    def __init__(self, skewness: float = 2.0) -> None:
        self.skewness = skewness

    def fit(self, x: Floats, known: Known) -> Self:
        """Find the skewed columns."""
        taken = np.zeros(x.shape[1], dtype=bool)
        unit = np.ones(x.shape[1])
        for j, column in enumerate(x.T):
            c = column[~np.isnan(column)]
            spread = float(c.std()) if len(c) > 2 else 0.0
            size = float(np.median(np.abs(c))) if len(c) else 0.0
            if spread > 0 and size > 0:
                taken[j] = abs(float((((c - c.mean()) / spread) ** 3).mean())) > self.skewness
                unit[j] = size
        self.taken_, self.unit_ = taken, unit
        return self

    def transform(self, x: Floats, sites: Words) -> Floats:
        """Return rows with the skewed columns as logarithms."""
        return np.where(self.taken_, np.sign(x) * np.log1p(np.abs(x) / self.unit_), x)
