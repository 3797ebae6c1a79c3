"""Deletion and insertion: the output should fall when the most relevant voxels go, and rise when they come first.

Why it exists: a map may lie on the tumour and be wrong. What it calls relevant is taken away from the image; the
network tells whether it was.

Source: Petsiuk V et al. BMVC 2018; random orders beside, since blank images alone move networks (Hooker S et al.
NeurIPS 2019:9737-9748).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tumorboard.errors import InputError
from tumorboard.explain.images.asked import Asked
from tumorboard.explain.images.saliency import Saliency

CITES = "Petsiuk V et al. BMVC 2018"
STEPS, ORDERS = 20, 3

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Faithfulness:
    """Curves of the output.

    Parameters
    ----------
    shares : ndarray of float64, shape (k,)
        Of voxels taken away, or put back.
    deletion, insertion : ndarray of float64, shape (k,)
        Output, on a scale from the empty image (0) to the whole one (1); they may leave it.
    deletion_area, insertion_area : float
        Under them; low and high are good.
    random_area : float
        Of deletion in random orders.
    sentence : str
        In words.
    """

    shares: Floats = field(repr=False)
    deletion: Floats = field(repr=False)
    insertion: Floats = field(repr=False)
    deletion_area: float
    insertion_area: float
    random_area: float
    sentence: str

    @property
    def faithful(self) -> bool:
        """Whether the order is better than a random one, both ways."""
        return self.deletion_area < self.random_area and self.insertion_area > 1 - self.random_area


def deletion_insertion(saliency: Saliency, asked: Asked, *, steps: int = STEPS, seed: int = 0) -> Faithfulness:
    """Return how the output follows when voxels are deleted and inserted by relevance.

    Parameters
    ----------
    saliency : Saliency
        Of the question; negative values come last.
    asked : Asked
        Network, image, output and baseline.
    steps : int
        Of the curves.
    seed : int
        Of the random orders, and of ties.

    Raises
    ------
    InputError
        The map is of another shape, no step, or an empty image gives the same output as this one.

    Examples
    --------
    >>> from torch import nn
    >>> from tumorboard.explain.images.occlusion import occlusion
    >>> asked = Asked(nn.Sequential(nn.AdaptiveMaxPool2d(1), nn.Flatten()), [[[0.0, 0.0], [5.0, 0.0]]])
    >>> found = deletion_insertion(occlusion(asked, 1), asked, steps=4)
    >>> found.deletion.tolist(), found.insertion.tolist()
    ([1.0, 0.0, 0.0, 0.0, 0.0], [0.0, 1.0, 1.0, 1.0, 1.0])
    """
    if saliency.values.shape != asked.space or steps < 1:
        raise InputError(f"a map of shape {asked.space}, and a step", got=f"{saliency.values.shape}", where="deletion")
    rng = np.random.default_rng(seed)
    ends = asked.scores(asked.masked(np.stack([np.zeros(asked.space), np.ones(asked.space)])))
    if abs(ends[1] - ends[0]) <= 1e-9 * max(1.0, abs(ends[1])):
        remedy = "choose another baseline"
        raise InputError("an output that differs from that of an empty image", got="the same", where="deletion",
                         remedy=remedy)  # fmt: skip
    shares = np.linspace(0, 1, steps + 1)
    places = rng.permutation(saliency.values.size)  # equal values in a random order, not in that of the array
    order = places[np.argsort(-saliency.values.ravel()[places], kind="stable")]

    def curve(by: NDArray[np.intp], deleted: bool) -> Floats:
        rank = np.empty(len(by))
        rank[by] = np.arange(len(by))
        first = rank.reshape(asked.space) < np.round(shares * len(by)).reshape(-1, *(1,) * len(asked.space))
        found = asked.scores(asked.masked((~first if deleted else first).astype(np.float32)))
        return np.asarray((found - ends[0]) / (ends[1] - ends[0]))

    deletion, insertion = curve(order, True), curve(order, False)
    random = float(np.mean([_area(curve(rng.permutation(len(order)), True), shares) for _ in range(ORDERS)]))
    found = Faithfulness(shares, deletion, insertion, _area(deletion, shares), _area(insertion, shares), random, "")
    better = "better than" if found.faithful else "no better than"
    sentence = (
        f"Deleting by the map leaves an area of {found.deletion_area:.2f}, at random {random:.2f}; inserting gives "
        f"{found.insertion_area:.2f}: {better} a random order."
    )
    return Faithfulness(shares, deletion, insertion, found.deletion_area, found.insertion_area, random, sentence)


def _area(values: Floats, shares: Floats) -> float:
    return float(np.trapezoid(values, shares))
