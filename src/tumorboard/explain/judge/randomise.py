"""Sanity check by randomisation: a map that stays when the network has forgotten everything shows the image only.

Why it exists: edges of a tumour persuade, whoever draws them. Weights are made random from the output to the input,
layer after layer; a map that comes from what was learned must change.

Source: Adebayo J et al. NeurIPS 2018:9505-9515 (cascading randomisation, rank correlation of sizes).
"""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tumorboard.errors import InputError
from tumorboard.explain.images.asked import Asked
from tumorboard.explain.images.saliency import Saliency

if TYPE_CHECKING:
    from torch import nn

CITES = "Adebayo J et al. NeurIPS 2018:9505-9515"
LIMIT = 0.5
"""Rank correlation of maps, all weights random, above which an explanation does not depend on them; chosen."""
STAGES, DRAWS = 4, 3

Explain = Callable[[Asked], Saliency]


@dataclass(frozen=True)
class Sanity:
    """What became of a map.

    Parameters
    ----------
    shares : tuple of float
        Parts of the layers that are random, from the output on; the last is 1.
    correlations : tuple of float
        Mean rank correlation with the map of the network as it is.
    passes : bool
        Whether the last is below :data:`LIMIT`.
    sentence : str
        In words.
    """

    shares: tuple[float, ...]
    correlations: tuple[float, ...]
    passes: bool
    sentence: str


def randomisation_check(
    explain: Explain, asked: Asked, *, seed: int = 0, draws: int = DRAWS, stages: int = STAGES
) -> Sanity:
    """Return how like the map stays while the weights become random.

    Parameters
    ----------
    explain : callable
        From a question to a map; called with randomised copies of the network.
    asked : Asked
        One image.
    seed : int
        Of the weights.
    draws, stages : int
        Networks that are drawn, and steps from the last layer to all of them; one step, all layers at once, suffices
        for the verdict where a map takes long.

    Returns
    -------
    Sanity
        A map that vanishes counts as changed; one that was empty before does not pass.

    Raises
    ------
    InputError
        The network has no weights, or nothing is to be drawn.

    Examples
    --------
    >>> from torch import nn
    >>> from tumorboard.explain.images.saliency import saliency_of
    >>> net = nn.Sequential(nn.Flatten(), nn.Linear(4, 1))
    >>> edges = lambda asked: saliency_of(asked, ("edges", ""), asked.pixels[0])
    >>> randomisation_check(edges, Asked(net, [[[1.0, 2.0], [3.0, 4.0]]])).passes
    False
    """
    layers = layers_with_weights(asked.network)
    if not layers:
        raise InputError("a network with weights", got="one without", where="randomisation check")
    if draws < 1 or stages < 1:
        raise InputError("one draw and one step at least", got="fewer", where="randomisation check")
    before = explain(asked).values
    ends = sorted({max(1, round(len(layers) * (s + 1) / stages)) for s in range(stages)})
    found = np.zeros((draws, len(ends)))
    for draw in range(draws):
        network = copy.deepcopy(asked.network)
        names, done = layers_with_weights(network), 0
        for place, stage in enumerate(ends):
            for layer in range(done, stage):
                forget(network.get_submodule(names[-1 - layer]), seed=_seed(seed, draw, layer))
            done = stage
            found[draw, place] = likeness(before, explain(dataclasses.replace(asked, network=network)).values)
    means = found.mean(axis=0)
    empty = float(np.ptp(before)) <= 0
    passes = bool(means[-1] < LIMIT) and not empty
    became = "is another" if passes else "stays"
    meant = "it comes from the weights" if passes else "it does not show what was learned"
    sentence = f"With random weights the map {became} (rank correlation {means[-1]:.2f}): {meant}."
    sentence = "The map is empty: nothing could be checked." if empty else sentence
    shares = tuple(s / len(layers) for s in ends)
    return Sanity(shares, tuple(float(m) for m in means), passes, sentence)


def _seed(*parts: int) -> int:
    """Return a seed that nobody trains with: an untrained layer must not be drawn as it once was."""
    return int(np.random.SeedSequence(parts).generate_state(1)[0])


def layers_with_weights(network: nn.Module) -> list[str]:
    """Return the names of a network's parts that hold weights themselves, in its order.

    Examples
    --------
    >>> from torch import nn
    >>> layers_with_weights(nn.Sequential(nn.Conv2d(1, 1, 1), nn.ReLU(), nn.Conv2d(1, 1, 1)))
    ['0', '2']
    """
    return [name for name, module in network.named_modules() if list(module.parameters(recurse=False))]


def forget(module: nn.Module, seed: int) -> None:
    """Make the weights of one layer random, in place: as they were before training where the layer knows, else normal.

    The state of torch's generator is as before.
    """
    import torch

    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(seed)
        reset = getattr(module, "reset_parameters", None)
        if callable(reset):
            reset()
            return
        for weights in module.parameters(recurse=False):
            spread = float(weights.std()) if weights.numel() > 1 else 1.0
            weights.normal_(0.0, spread or 1.0)


def likeness(before: NDArray[np.float64], after: NDArray[np.float64]) -> float:
    """Return the rank correlation of the sizes of two maps; 0 where one is the same everywhere.

    Examples
    --------
    >>> likeness(np.array([0.0, -1.0, 2.0]), np.array([1.0, 5.0, 9.0]))
    1.0
    """
    from tumorboard.explain.tables.groups import rank_correlation

    return round(float(rank_correlation(np.stack([np.abs(before).ravel(), np.abs(after).ravel()], axis=1))[0, 1]), 12)
