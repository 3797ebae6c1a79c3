"""Of columns that say the same, keep one.

Why it exists: radiomics columns come in families; a model of twins has unstable weights.

Source: chosen; common practice (absolute Spearman or Pearson correlation above 0.9 to 0.95).
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from tumorboard.lab.outcome import Outcome
from tumorboard.lab.selection.scores import ranks
from tumorboard.lab.step import Floats, Selection, positive


class Correlation(Selection):
    """Walk through the columns in order and leave out one that correlates with a kept one.

    Parameters
    ----------
    above : float
        Absolute correlation above which a column goes.
    method : {'pearson', 'spearman'}
        Which correlation.

    Examples
    --------
    >>> x = np.array([[1.0, 2.0, 0.0], [2.0, 4.1, 1.0], [3.0, 6.0, 0.0]])
    >>> Correlation(0.9).choose(x, Outcome.binary([0, 1, 0])).tolist()
    [0, 2]
    """

    def __init__(self, above: float = 0.95, method: Literal["pearson", "spearman"] = "pearson") -> None:
        self.above, self.method = positive(above, "above", 1.0), method

    def choose(self, x: Floats, outcome: Outcome) -> NDArray[np.int64]:
        """Return columns of which none correlates with an earlier one."""
        z = ranks(x) if self.method == "spearman" else x - x.mean(axis=0)
        size = np.linalg.norm(z, axis=0)
        z = z / np.where(size > 0, size, 1.0)
        kept: list[int] = []
        for j in range(x.shape[1]):
            if not kept or float(np.abs(z[:, kept].T @ z[:, j]).max()) <= self.above:
                kept.append(j)
        return np.array(kept, dtype=np.int64)
