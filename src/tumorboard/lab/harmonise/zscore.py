"""Z-scores within each site.

Why it exists: the plain alternative to ComBat; it also takes off what really differs between the sites' patients.

Source: chosen; common practice.
"""

from __future__ import annotations

from typing import Self

import numpy as np

from tumorboard.lab.step import Floats, Known, Step, Words


class SiteScale(Step):
    """Subtract the mean of a row's site and divide by its standard deviation, both of training rows.

    Parameters
    ----------
    by : str
        What sites are called; rows carry their site.
    least : int
        Rows that a site needs; rows of a smaller or an unseen site are scaled by all training rows.
    """

    def __init__(self, by: str = "site", least: int = 3) -> None:
        self.by, self.least = by, least

    def fit(self, x: Floats, known: Known) -> Self:
        """Learn mean and standard deviation of each site, and of all."""
        names, counts = np.unique(known.sites, return_counts=True)
        self.sites_ = names[counts >= self.least]
        each = [x[known.sites == s] for s in self.sites_] + [x]
        self.mean_ = np.stack([e.mean(axis=0) for e in each])
        spread = np.stack([e.std(axis=0) for e in each])
        self.spread_ = np.where(spread > 1e-12, spread, 1.0)
        return self

    def transform(self, x: Floats, sites: Words) -> Floats:
        """Return z-scores."""
        place = {s: n for n, s in enumerate(self.sites_.tolist())}
        at = np.array([place.get(s, len(place)) for s in sites.tolist()], dtype=np.int64)
        return np.asarray((x - self.mean_[at]) / self.spread_[at])
