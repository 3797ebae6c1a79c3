"""Keep the columns that are chosen again and again in halves of the patients.

Why it exists: a column that one half of the patients chooses and the other does not is chance.

Source: Meinshausen N, Bühlmann P. J R Stat Soc B 2010;72:417-473.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tumorboard.lab.outcome import Outcome
from tumorboard.lab.selection.lasso import Lasso
from tumorboard.lab.selection.mrmr import Mrmr
from tumorboard.lab.selection.univariate import Univariate
from tumorboard.lab.step import Floats, Selection

_WAYS = {"lasso": Lasso, "univariate": Univariate, "mrmr": Mrmr}


class Stability(Selection):
    """Choose in many halves; keep what was chosen in a share of them.

    Parameters
    ----------
    by : {'lasso', 'univariate', 'mrmr'}
        How a half chooses.
    keep : int
        Columns a half chooses.
    share : float
        Of halves that must choose a column.
    halves : int
        Drawn, within strata of the outcome.
    seed : int
        Of the draws.
    """

    def __init__(
        self, by: str = "univariate", keep: int = 20, share: float = 0.6, halves: int = 50, seed: int = 0
    ) -> None:
        self.by, self.keep, self.share, self.halves, self.seed = by, keep, share, halves, seed

    def choose(self, x: Floats, outcome: Outcome) -> NDArray[np.int64]:
        """Return the columns that were chosen often enough, or the one that was chosen most."""
        rng = np.random.default_rng(self.seed)
        strata = outcome.strata
        times = np.zeros(x.shape[1])
        for _ in range(self.halves):
            order = rng.permutation(len(x))
            half = np.sort(np.concatenate([order[strata[order] == s][::2] for s in np.unique(strata)]))
            times[_WAYS[self.by](keep=self.keep).choose(x[half], outcome.take(half))] += 1
        self.times_ = times / self.halves
        often = np.flatnonzero(self.times_ >= self.share)
        return often if len(often) else np.array([int(times.argmax())])
