"""Missing values become the mean (or median) of the training rows.

Why it exists: the simplest of the four that Cruz compared, and the one that every other must beat.

Source: Cruz E et al. 2019 (mean, k nearest neighbours, low rank, random forest).
"""

from __future__ import annotations

from typing import Literal, Self

import numpy as np

from tumorboard.lab.step import Floats, Known, Step, Words


class MeanImpute(Step):
    """Fill with the mean or median of a column; a column without any value becomes 0.

    Parameters
    ----------
    of : {'mean', 'median'}
        What fills.

    Examples
    --------
    >>> from tumorboard.lab.outcome import Outcome
    >>> known = Known(Outcome.binary([0, 1]), np.array(["", ""]))
    >>> step = MeanImpute().fit(np.array([[1.0], [3.0]]), known)
    >>> step.transform(np.array([[np.nan]]), np.array([""])).tolist()
    [[2.0]]
    """

    takes_missing, gives_missing = True, False

    def __init__(self, of: Literal["mean", "median"] = "mean") -> None:
        self.of = of

    def fit(self, x: Floats, known: Known) -> Self:
        """Learn what fills each column."""
        self.fill_ = fill_values(x, self.of)
        return self

    def transform(self, x: Floats, sites: Words) -> Floats:
        """Return rows without a missing value."""
        return np.where(np.isnan(x), self.fill_, x)


def fill_values(x: Floats, of: str = "mean") -> Floats:
    """Return mean or median of each column over its values, 0 where it has none.

    Examples
    --------
    >>> fill_values(np.array([[1.0, np.nan], [3.0, np.nan]])).tolist()
    [2.0, 0.0]
    """
    there = ~np.isnan(x)
    how = np.median if of == "median" else np.mean
    return np.array([how(c[t]) if t.any() else 0.0 for c, t in zip(x.T, there.T, strict=True)], dtype=np.float64)
