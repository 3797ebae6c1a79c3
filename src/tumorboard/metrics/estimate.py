"""An estimate with its interval, or the reason why there is none.

Why it exists: a number from a few patients without an interval is believed too much, and one that cannot be
estimated must say why, never be 0.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Self

LEVEL = 0.95
"""Of every interval, unless told otherwise."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number with its interval.

    Parameters
    ----------
    value : float
        NaN where there is none.
    low, high : float
        Of the interval; NaN where there is none, infinite where that end was not reached.
    n : int
        From how many: patients, pairs, visits.
    reason : str
        Why the value, or only its interval, is missing; else empty.

    Examples
    --------
    >>> Estimate.missing("fewer than three pairs", 2).known
    False
    """

    value: float
    low: float
    high: float
    n: int
    reason: str = ""

    @classmethod
    def missing(cls, reason: str, n: int = 0) -> Self:
        """Return an estimate that could not be made."""
        return cls(math.nan, math.nan, math.nan, n, reason)

    @classmethod
    def bare(cls, value: float, reason: str, n: int) -> Self:
        """Return a value without an interval, and why."""
        return cls(value, math.nan, math.nan, n, reason)

    @property
    def known(self) -> bool:
        """Whether there is a value."""
        return not math.isnan(self.value)


def normal_quantile(level: float) -> float:
    """Return how many standard errors a two-sided interval reaches to either side.

    Examples
    --------
    >>> round(normal_quantile(0.95), 2)
    1.96
    """
    return NormalDist().inv_cdf(0.5 + level / 2)
