"""Keep the columns that, each alone, say most about the outcome.

Why it exists: the commonest selection of radiomics papers; done outside the folds it is also their commonest leak.

Sources: see :mod:`tumorboard.lab.selection.scores`; false discovery: Benjamini Y, Hochberg Y. J R Stat Soc B
1995;57:289-300.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tumorboard.lab.outcome import Outcome
from tumorboard.lab.selection.scores import p_values, strength
from tumorboard.lab.step import Floats, Selection


class Univariate(Selection):
    """Keep the strongest columns, or those below a p value or a false discovery rate.

    Parameters
    ----------
    keep : int
        At most so many.
    below : float
        Largest p value; 1 asks nothing.
    fdr : float
        Largest false discovery rate; 1 asks nothing.

    Examples
    --------
    >>> x = np.array([[0.0, 3], [1, 1], [4, 2], [5, 1]])
    >>> Univariate(keep=1).choose(x, Outcome.binary([0, 0, 1, 1])).tolist()
    [0]
    """

    def __init__(self, keep: int = 20, below: float = 1.0, fdr: float = 1.0) -> None:
        self.keep, self.below, self.fdr = keep, below, fdr

    def choose(self, x: Floats, outcome: Outcome) -> NDArray[np.int64]:
        """Return the strongest columns; equal ones in their order."""
        order = np.argsort(-strength(x, outcome), kind="stable")
        if self.below < 1 or self.fdr < 1:
            p = p_values(x, outcome)
            line = np.arange(1, len(p) + 1) / len(p) * self.fdr
            passed = np.flatnonzero(np.sort(p) <= line)
            limit = float(np.sort(p)[passed[-1]]) if len(passed) and self.fdr < 1 else 1.0 if self.fdr >= 1 else -1.0
            order = order[p[order] <= min(limit, self.below)]
        return order[: self.keep]
