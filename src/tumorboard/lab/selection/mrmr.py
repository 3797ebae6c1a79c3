"""Columns that say much about the outcome and little about each other (mRMR).

Why it exists: the best twenty single columns are often twenty times the same one.

Source: Peng H, Long F, Ding C. IEEE Trans Pattern Anal Mach Intell 2005;27:1226-1238; the F-test correlation quotient
of Ding C, Peng H. J Bioinform Comput Biol 2005;3:185-205.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tumorboard.lab.outcome import Outcome
from tumorboard.lab.selection.scores import strength
from tumorboard.lab.step import Floats, Selection


class Mrmr(Selection):
    """Add, one after another, the column whose relevance divided by its mean correlation with the chosen is highest.

    Parameters
    ----------
    keep : int
        How many.

    Examples
    --------
    >>> rng, y = np.random.default_rng(0), np.arange(80) % 2
    >>> signal, other = y + rng.normal(size=80), y + rng.normal(size=80)
    >>> x = np.stack([signal, signal + 0.01 * rng.normal(size=80), other], axis=1)
    >>> sorted(Mrmr(keep=2).choose(x, Outcome.binary(y)).tolist())[-1]  # not the twin of the first
    2
    """

    def __init__(self, keep: int = 20) -> None:
        self.keep = keep

    def choose(self, x: Floats, outcome: Outcome) -> NDArray[np.int64]:
        """Return the columns in the order in which they were added."""
        relevance = strength(x, outcome)
        centred = x - x.mean(axis=0)
        size = np.linalg.norm(centred, axis=0)
        z = centred / np.where(size > 0, size, 1.0)
        chosen = [int(relevance.argmax())]
        alike = np.zeros(x.shape[1])
        while len(chosen) < min(self.keep, x.shape[1]):
            alike += np.abs(z.T @ z[:, chosen[-1]])
            quotient = relevance / np.maximum(alike / len(chosen), 1e-3)
            quotient[chosen] = -np.inf
            chosen.append(int(quotient.argmax()))
        return np.array(chosen, dtype=np.int64)
