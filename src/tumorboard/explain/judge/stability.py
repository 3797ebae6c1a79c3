"""Whether two explanations agree, and whether one stays when the image is disturbed a little.

Why it exists: two methods that name different drivers cannot both be shown to a board without a word; and a map that
jumps with noise that the output does not notice is not about the patient.

Source: Krishna S et al. Trans Mach Learn Res 2024 (disagreement of explanations); Alvarez-Melis D, Jaakkola TS.
arXiv:1806.08049 (stability under small changes).
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np

from tumorboard.errors import InputError
from tumorboard.explain.explanation import Drivers
from tumorboard.explain.images.asked import Asked
from tumorboard.explain.judge.randomise import Explain, likeness
from tumorboard.explain.tables.groups import rank_correlation

CITES = "Krishna S et al. Trans Mach Learn Res 2024; Alvarez-Melis D, Jaakkola TS. arXiv:1806.08049"
NOISE, DRAWS = 0.05, 5


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far two lists of drivers agree.

    Parameters
    ----------
    correlation : float
        Of the sizes of effects, by rank, over columns that both name.
    shared : float
        Part of the strongest columns of both that is in both.
    count : int
        How many strongest ones were compared.
    """

    correlation: float
    shared: float
    count: int


def agreement(one: Drivers, other: Drivers, count: int = 5) -> Agreement:
    """Return how far two explanations of one model agree.

    Parameters
    ----------
    one, other : Drivers
        Groups of columns are taken apart; each member has the group's effect.
    count : int
        Of the strongest columns that are compared.

    Raises
    ------
    InputError
        They share fewer than two columns.

    Examples
    --------
    >>> from tumorboard.explain.explanation import About, Driver, Scope
    >>> from tumorboard.metrics.estimate import Estimate
    >>> d = tuple(Driver((n,), Estimate(v, 0, 1, 9)) for n, v in (("a", 3.0), ("b", 2.0), ("c", 1.0)))
    >>> one = Drivers(method="shap", cites="", about=About(), scope=Scope.GLOBAL, drivers=d)
    >>> agreement(one, one, 2)
    Agreement(correlation=1.0, shared=1.0, count=2)
    """
    a, b = _sizes(one), _sizes(other)
    both = [n for n in a if n in b]
    if len(both) < 2 or count < 1:
        raise InputError("two columns that both explanations name", got=str(len(both)), where="agreement")
    table = np.array([[a[n], b[n]] for n in both])
    tops = [set(sorted(both, key=lambda n, of=of: (-of[n], n))[:count]) for of in (a, b)]  # type: ignore[misc]
    shared = len(tops[0] & tops[1]) / len(tops[0] | tops[1])
    return Agreement(round(float(rank_correlation(table)[0, 1]), 12), shared, min(count, len(both)))


def _sizes(drivers: Drivers) -> dict[str, float]:
    return {n: abs(d.effect.value) if d.effect.known else 0.0 for d in drivers.drivers for n in d.names}


def stability(explain: Explain, asked: Asked, *, noise: float = NOISE, seed: int = 0) -> float:
    """Return the mean rank correlation of a map with those of slightly noisy images.

    Parameters
    ----------
    explain : callable
        From a question to a map.
    asked : Asked
        One image.
    noise : float
        Standard deviation, as a part of that of each sequence.
    seed : int
        Of the noise; five images are drawn.

    Returns
    -------
    float
        1 where the map does not change.

    Examples
    --------
    >>> from torch import nn
    >>> from tumorboard.explain.images.integrated import integrated_gradients
    >>> net = nn.Sequential(nn.Flatten(), nn.Linear(16, 1))
    >>> stability(integrated_gradients, Asked(net, np.eye(4)[None] + 1)) > 0.9
    True
    """
    rng, image = np.random.default_rng(seed), asked.pixels
    spread = image.reshape(len(image), -1).std(axis=1).reshape(-1, *(1,) * (image.ndim - 1))
    before = explain(asked).values
    noisy = [image + noise * spread * rng.normal(size=image.shape) for _ in range(DRAWS)]
    return float(np.mean([likeness(before, explain(dataclasses.replace(asked, image=i)).values) for i in noisy]))
