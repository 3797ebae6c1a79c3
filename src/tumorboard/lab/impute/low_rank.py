"""Missing values become what a table of low rank would hold.

Why it exists: radiomics columns repeat each other; a few directions explain most of a row.

Source: Mazumder R, Hastie T, Tibshirani R. J Mach Learn Res 2010;11:2287-2322 (soft-impute).
"""

from __future__ import annotations

from typing import Self

import numpy as np

from tumorboard.lab.impute.mean import fill_values
from tumorboard.lab.step import Floats, Known, Step, Words


class LowRankImpute(Step):
    """Soft-impute on standardised training rows; a new row is fitted to the directions that were found.

    Parameters
    ----------
    rank : int
        Directions that are kept.
    shrink : float
        Part of the largest singular value by which all are lowered.
    rounds : int
        Of filling and decomposing, at most.
    """

    takes_missing, gives_missing = True, False

    def __init__(self, rank: int = 5, shrink: float = 0.05, rounds: int = 100) -> None:
        self.rank, self.shrink, self.rounds = rank, shrink, rounds

    def fit(self, x: Floats, known: Known) -> Self:
        """Find the directions."""
        self.centre_ = fill_values(x)
        spread = np.sqrt(fill_values((x - self.centre_) ** 2))
        self.spread_ = np.where(spread > 0, spread, 1.0)
        z = (x - self.centre_) / self.spread_
        there = ~np.isnan(z)
        full = np.where(there, z, 0.0)
        threshold = self.shrink * float(np.linalg.norm(full, 2)) if full.size else 0.0
        for _ in range(self.rounds):
            u, s, vt = np.linalg.svd(full, full_matrices=False)
            s = np.maximum(s[: self.rank] - threshold, 0.0)
            low = (u[:, : self.rank] * s) @ vt[: self.rank]
            after = np.where(there, z, low)
            done = float(np.abs(after - full).max(initial=0.0)) < 1e-6
            full = after
            if done:
                break
        _, s, vt = np.linalg.svd(full, full_matrices=False)
        self.directions_ = vt[: self.rank]
        self.spread_along_ = np.maximum(s[: self.rank] ** 2 / max(len(full), 1), 1e-9)
        rest = full - full @ self.directions_.T @ self.directions_
        self.noise_ = max(float((rest[there] ** 2).mean()) if there.any() else 1.0, 1e-6)
        return self

    def transform(self, x: Floats, sites: Words) -> Floats:
        """Return rows without a missing value; what is there is left as it is."""
        z = (x - self.centre_) / self.spread_
        out = z.copy()
        for i in np.flatnonzero(np.isnan(z).any(axis=1)):
            there = ~np.isnan(z[i])
            v = self.directions_[:, there]
            precision = v @ v.T / self.noise_ + np.diag(1.0 / self.spread_along_)
            weights = np.linalg.solve(precision, v @ z[i, there] / self.noise_)
            out[i, ~there] = weights @ self.directions_[:, ~there]
        return out * self.spread_ + self.centre_
