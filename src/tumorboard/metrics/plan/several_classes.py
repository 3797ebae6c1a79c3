"""How many patients a model of several classes needs.

Why it exists: the fit of a model of many classes says little about each two of them, and the rarest pair is where it
overfits. Each pair gets a criterion of its own.

Source: Pate A et al. Stat Methods Med Res 2023;32:555-571.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import combinations

from tumorboard.metrics.estimate import normal_quantile
from tumorboard.metrics.plan.sample_size import (
    MARGIN,
    OPTIMISM,
    SHRINKAGE,
    Criterion,
    SampleSize,
    most_r2_binary,
    require,
    round_up,
    shrunk,
)


def development_classes(parameters: int, shares: Sequence[float], share_of_most: float) -> SampleSize:
    """Return the sample size to develop a model of several classes.

    Parameters
    ----------
    parameters : int
        That are candidates, of each comparison with the class of reference.
    shares : sequence of float
        Of each class; two or more that sum to 1.
    share_of_most : float
        Cox and Snell's R2 that is expected, of each pair and of all, as a part of the greatest there can be, 0 to 1
        (0.15 where nothing is known).

    Returns
    -------
    SampleSize
        ``events`` are those of the rarest class.

    Raises
    ------
    InputError
        A number out of range.

    Examples
    --------
    >>> found = development_classes(10, (0.5, 0.3, 0.2), 0.15)
    >>> found.n, found.driver
    (1522, 'little overfitting of each pair')
    """
    require(parameters >= 1, "1 parameter or more", parameters)
    require(len(shares) >= 2, "2 classes or more", len(shares))
    require(all(0 < s < 1 for s in shares), "shares between 0 and 1", min(shares))
    require(math.isclose(sum(shares), 1.0, abs_tol=1e-6), "shares that sum to 1", sum(shares))
    require(0 < share_of_most < 1, "a part between 0 and 1", share_of_most)
    most = 1 - math.exp(2 * sum(s * math.log(s) for s in shares))
    fit = share_of_most * most
    z = normal_quantile(1 - 0.05 / len(shares))  # all classes at once
    found = (
        Criterion("little overfitting of each pair", _pairs(parameters, shares, share_of_most)),
        Criterion("optimism in fit", shrunk(parameters * (len(shares) - 1), fit, fit / (fit + OPTIMISM * most))),
        Criterion("overall risks", max(round_up((z / MARGIN) ** 2 * s * (1 - s)) for s in shares)),
    )
    n, rarest = max(c.n for c in found), min(shares)
    return SampleSize(n, round_up(n * rarest), n * rarest / parameters, found)


def _pairs(parameters: int, shares: Sequence[float], share_of_most: float) -> int:
    """Return how many all classes need so that the pair that needs most has enough."""
    needed = []
    for one, other in combinations(shares, 2):
        both = one + other
        of_pair = shrunk(parameters, share_of_most * most_r2_binary(one / both), SHRINKAGE)
        needed.append(round_up(of_pair / both))
    return max(needed)
