"""An endless stream of samples, the same for the same seed, drawn by worker processes.

Why it exists: sample ``n`` follows from the seed and ``n`` alone, so a run that was killed goes on with the samples
it would have seen, whatever the number of workers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Protocol

import numpy as np
import torch
from threadpoolctl import threadpool_limits
from torch import Tensor
from torch.utils.data import IterableDataset, get_worker_info

from tumorboard.learn.draw.noise import NoiseFields
from tumorboard.learn.draw.sample import Sample


class Drawer(Protocol):
    """A source of samples."""

    def draw(self, rng: np.random.Generator) -> Sample:
        """Draw one."""
        ...


@cache
def noise() -> NoiseFields:
    """Return the noise fields of this process, made once."""
    return NoiseFields.drawn()


@dataclass(frozen=True)
class Mix:
    """Several sources, each as often as its weight says.

    Parameters
    ----------
    drawers : tuple of Drawer
        Sources.
    weights : tuple of float
        Of each.
    """

    drawers: tuple[Drawer, ...]
    weights: tuple[float, ...]

    def draw(self, rng: np.random.Generator) -> Sample:
        """Draw a sample from one of the sources."""
        share = np.asarray(self.weights) / sum(self.weights)
        return self.drawers[int(rng.choice(len(self.drawers), p=share))].draw(rng)


class Stream(IterableDataset[tuple[Tensor, Tensor]]):
    """Samples ``first``, ``first + 1``, … as tensors: images (sequences, i, j, k), labels (i, j, k).

    Parameters
    ----------
    drawer : Drawer
        Source.
    seed : int
        Of the stream.
    first : int
        Number of the first sample.
    rank, ranks : int
        Which of several training processes this is; they share the stream.
    """

    def __init__(self, drawer: Drawer, seed: int, first: int = 0, rank: int = 0, ranks: int = 1) -> None:
        super().__init__()
        self.drawer, self.seed, self.first, self.rank, self.ranks = drawer, seed, first, rank, ranks

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        worker = get_worker_info()
        number, workers = (worker.id, worker.num_workers) if worker else (0, 1)
        if worker:  # threads that wait for each other would take the network's processors
            torch.set_num_threads(1)
            threadpool_limits(1)
        n = number
        while True:
            yield tensors(drawn(self.drawer, self.seed, self.first + n * self.ranks + self.rank))
            n += workers


def drawn(drawer: Drawer, seed: int, n: int) -> Sample:
    """Return sample ``n`` of a stream."""
    return drawer.draw(np.random.default_rng([seed, n]))


def tensors(sample: Sample) -> tuple[Tensor, Tensor]:
    """Return images, (sequences, i, j, k) with the sequences last in memory, and labels."""
    return torch.from_numpy(sample.images).permute(3, 0, 1, 2), torch.from_numpy(sample.labels.astype(np.int64))
