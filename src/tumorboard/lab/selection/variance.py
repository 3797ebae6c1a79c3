"""Leave out columns that hardly vary.

Why it exists: a constant column teaches nothing and breaks scales.

Source: chosen; scikit-learn's ``VarianceThreshold``.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tumorboard.lab.outcome import Outcome
from tumorboard.lab.step import Floats, Selection


class Variance(Selection):
    """Keep columns whose variance in training rows lies above a threshold.

    Parameters
    ----------
    above : float
        In squared units of the column; 0 leaves out constants.

    Examples
    --------
    >>> Variance().choose(np.array([[1.0, 1.0], [1.0, 2.0]]), Outcome.binary([0, 1])).tolist()
    [1]
    """

    takes_missing = True

    def __init__(self, above: float = 0.0) -> None:
        self.above = above

    def choose(self, x: Floats, outcome: Outcome) -> NDArray[np.int64]:
        """Return columns that vary; rounding alone is no variance."""
        there = ~np.isnan(x)
        n = np.maximum(there.sum(axis=0), 1)
        mean = np.where(there, x, 0.0).sum(axis=0) / n
        variance = np.where(there, (x - mean) ** 2, 0.0).sum(axis=0) / n
        return np.flatnonzero(variance > np.maximum(self.above, 1e-20 * mean**2))
