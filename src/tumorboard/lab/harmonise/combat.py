"""ComBat: shifts and scales of sites are estimated on training rows and taken off new rows.

Why it exists: scanners shift radiomics more than tumours do. The published code harmonises all patients at once, test
patients among them; here the estimates come from the training rows alone and are applied to whoever comes.

Source: Johnson WE, Li C, Rabinovic A. Biostatistics 2007;8:118-127; for imaging Fortin JP et al. NeuroImage
2018;167:104-120 (the same estimates as neuroCombat 0.2.12 with parametric priors, without covariates).
"""

from __future__ import annotations

from typing import Self

import numpy as np

from tumorboard.errors import InputError
from tumorboard.lab.step import Floats, Known, Step, Words

_MOST_ROUNDS = 200


class Combat(Step):
    """Take the location and scale of each site off each column, with empirical Bayes shrinkage over columns.

    Parameters
    ----------
    by : str
        What sites are called in messages; rows carry their site.
    shrink : bool
        Whether columns lend each other strength (empirical Bayes).
    least : int
        Rows that a site needs in training; rows of a smaller or an unseen site are left as they are, and
        ``unseen_`` counts them.

    Examples
    --------
    >>> from tumorboard.lab.outcome import Outcome
    >>> sites, x = np.array(["a", "b"] * 20), np.random.default_rng(0).normal(size=(40, 3))
    >>> x[1::2] += 5
    >>> step = Combat().fit(x, Known(Outcome.binary(np.arange(40) % 2), sites))
    >>> out = step.transform(x, sites)
    >>> bool(abs(out[::2].mean() - out[1::2].mean()) < 0.2)
    True
    """

    def __init__(self, by: str = "site", shrink: bool = True, least: int = 3) -> None:
        self.by, self.shrink, self.least = by, shrink, least

    def fit(self, x: Floats, known: Known) -> Self:
        """Estimate the shift and the scale of each site.

        Raises
        ------
        InputError
            No site has rows enough.
        """
        names, counts = np.unique(known.sites, return_counts=True)
        self.sites_ = names[counts >= self.least]
        if not len(self.sites_):
            raise InputError(f"{self.least} rows of one site at least", got="fewer", where=f"combat by {self.by}")
        rows = np.isin(known.sites, self.sites_)
        z = self._standardise(x[rows], known.sites[rows])
        where = [known.sites[rows] == s for s in self.sites_]
        gamma = np.stack([z[w].mean(axis=0) for w in where])
        delta = np.stack([z[w].var(axis=0, ddof=1) for w in where])
        if self.shrink and x.shape[1] > 1 and len(self.sites_) > 1:
            each = [_shrunk(z[w], g, d) for w, g, d in zip(where, gamma, delta, strict=True)]
            gamma, delta = np.stack([g for g, _ in each]), np.stack([d for _, d in each])
        self.gamma_ = gamma
        self.delta_ = np.where(delta > 1e-12, delta, 1.0)
        self.unseen_ = 0
        return self

    def _standardise(self, x: Floats, sites: Words) -> Floats:
        means = np.stack([x[sites == s].mean(axis=0) for s in self.sites_])
        shares = np.array([(sites == s).mean() for s in self.sites_])
        self.mean_ = shares @ means
        at = np.searchsorted(self.sites_, sites)
        spread = np.sqrt(((x - means[at]) ** 2).mean(axis=0))
        self.spread_ = np.where(spread > 1e-12, spread, 1.0)
        return np.asarray((x - self.mean_) / self.spread_)

    def transform(self, x: Floats, sites: Words) -> Floats:
        """Return rows as if all had been measured at one site of average location and scale."""
        z = (x - self.mean_) / self.spread_
        for n, site in enumerate(self.sites_):
            rows = sites == site
            z[rows] = (z[rows] - self.gamma_[n]) / np.sqrt(self.delta_[n])
        self.unseen_ = int((~np.isin(sites, self.sites_)).sum())
        return np.asarray(z * self.spread_ + self.mean_)


def _shrunk(z: Floats, gamma: Floats, delta: Floats) -> tuple[Floats, Floats]:
    """Return posterior shift and scale of one site over its columns (Johnson 2007, section 3.2)."""
    n = len(z)
    if delta.var(ddof=1) <= 0 or gamma.var(ddof=1) <= 0:
        return gamma, delta
    centre, tau2 = float(gamma.mean()), float(gamma.var(ddof=1))
    m, s2 = float(delta.mean()), float(delta.var(ddof=1))
    a, b = (2 * s2 + m**2) / s2, (m * s2 + m**3) / s2
    g, d = gamma, delta
    for _ in range(_MOST_ROUNDS):
        g_new = (tau2 * n * gamma + d * centre) / (tau2 * n + d)
        d_new = (0.5 * ((z - g_new) ** 2).sum(axis=0) + b) / (n / 2 + a - 1)
        old = np.where(np.concatenate([g, d]) == 0, 1e-12, np.concatenate([g, d]))
        change = float((np.abs(np.concatenate([g_new - g, d_new - d])) / np.abs(old)).max())
        g, d = g_new, d_new
        if change < 1e-4:
            break
    return g, d
