"""Principal components in place of columns.

Why it exists: a thousand radiomics columns hold some ten directions; expression profiles are read so.

Source: Pearson K. Phil Mag 1901;2:559-572.
"""

from __future__ import annotations

from typing import Self

import numpy as np

from tumorboard.lab.step import Floats, Known, Step, Words


class Components(Step):
    """Replace standardised columns by their first principal components.

    Parameters
    ----------
    keep : int
        Components, at most.
    share : float
        Of the variance that the components explain together; fewer than ``keep`` are kept where this is reached.
    """

    gives_missing = False

    def __init__(self, keep: int = 10, share: float = 1.0) -> None:
        self.keep, self.share = keep, share

    def fit(self, x: Floats, known: Known) -> Self:
        """Find the directions; each points to where its largest loading is positive."""
        self.mean_ = x.mean(axis=0)
        spread = x.std(axis=0)
        self.spread_ = np.where(spread > 1e-12, spread, 1.0)
        _, s, vt = np.linalg.svd((x - self.mean_) / self.spread_, full_matrices=False)
        explained = np.cumsum(s**2) / max(float((s**2).sum()), 1e-300)
        count = min(self.keep, int(np.searchsorted(explained, self.share - 1e-12)) + 1, len(s))
        signs = np.sign(vt[np.arange(len(vt)), np.abs(vt).argmax(axis=1)])
        self.directions_ = (vt * signs[:, None])[:count]
        return self

    def transform(self, x: Floats, sites: Words) -> Floats:
        """Return the components of rows, shape (m, components)."""
        return np.asarray((x - self.mean_) / self.spread_ @ self.directions_.T)

    def names(self, names: tuple[str, ...]) -> tuple[str, ...]:
        """Return ``PC1``, ``PC2`` and so on."""
        return tuple(f"PC{n + 1}" for n in range(len(self.directions_)))
