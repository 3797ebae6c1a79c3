"""Occlusion: how much the output falls when a block of voxels, or a whole sequence, is taken away.

Why it exists: it is the experiment that a reader would make by hand, and the easiest to believe.

Source: Zeiler MD, Fergus R. ECCV 2014:818-833; by sequence, as in Pereira S et al. Med Image Anal 2018;44:228-244.
"""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np

from tumorboard.errors import InputError
from tumorboard.explain.explanation import Driver, Drivers, Scope, by_size
from tumorboard.explain.images.asked import BATCH, Asked
from tumorboard.explain.images.saliency import Saliency, saliency_of
from tumorboard.explain.words import drivers_sentence
from tumorboard.metrics.estimate import Estimate

CITES = "Zeiler MD, Fergus R. ECCV 2014:818-833"
SEQUENCES_CITES = "Zeiler MD, Fergus R. ECCV 2014:818-833; Pereira S et al. Med Image Anal 2018;44:228-244"


def occlusion(asked: Asked, size: int = 0, step: int = 0) -> Saliency:
    """Return the mean fall of the output over all blocks that cover a voxel.

    Parameters
    ----------
    asked : Asked
        Any network.
    size, step : int
        Of a block along each axis, and how far it moves, in voxels; 0: an eighth of the longest axis, and half a
        block.

    Returns
    -------
    Saliency
        In the output's unit; positive where the output falls without a voxel.

    Raises
    ------
    InputError
        A negative size, or steps that leave voxels out.

    Examples
    --------
    >>> from torch import nn
    >>> net = nn.Sequential(nn.Flatten(), nn.Linear(16, 1))
    >>> occlusion(Asked(net, np.ones((1, 4, 4))), size=2, step=2).values.shape
    (4, 4)
    """
    size = size or max(1, round(max(asked.space) / 8))
    step = step or max(1, size // 2)
    if size < 1 or not 1 <= step <= size:
        raise InputError("blocks of 1 voxel or more that leave none out", got=f"{size}, {step}", where="occlusion")
    starts = [_starts(n, size, step) for n in asked.space]
    blocks = [tuple(slice(s, s + size) for s in corner) for corner in itertools.product(*starts)]
    total, count, whole = np.zeros(asked.space), np.zeros(asked.space), asked.score()
    for first in range(0, len(blocks), BATCH):
        part = blocks[first : first + BATCH]
        kept = np.ones((len(part), *asked.space), dtype=np.float32)
        for one, block in zip(kept, part, strict=True):
            one[block] = 0
        for block, score in zip(part, asked.scores(asked.masked(kept)), strict=True):
            total[block] += whole - score
            count[block] += 1
    return saliency_of(asked, ("occlusion", CITES), total / count, "output")


def _starts(length: int, size: int, step: int) -> list[int]:
    """Return where blocks begin, so that the last one reaches the end."""
    if size >= length:
        return [0]
    found = list(range(0, length - size + 1, step))
    return found if found[-1] == length - size else [*found, length - size]


def sequence_ablation(asked: Asked) -> Drivers:
    """Return how much the output falls without each sequence.

    Parameters
    ----------
    asked : Asked
        With the names of its sequences.

    Returns
    -------
    Drivers
        Local; ``base`` is the output of an empty image.

    Examples
    --------
    >>> from torch import nn
    >>> net = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
    >>> found = sequence_ablation(Asked(net, np.ones((2, 4, 4)), target=1, sequences=("T1", "FLAIR")))
    >>> [(d.title, d.effect.value) for d in found.drivers]
    [('FLAIR', 1.0), ('T1', 0.0)]
    """
    images = np.repeat(asked.pixels[None], len(asked.sequences) + 2, axis=0)
    for channel in range(len(asked.sequences)):
        images[channel, channel] = asked.baseline
    images[-2] = asked.baseline
    scores = asked.scores(images)
    drivers = [
        Driver((name,), Estimate.bare(float(scores[-1] - score), "one patient: no interval", 1))
        for name, score in zip(asked.sequences, scores[:-2], strict=True)
    ]
    found = Drivers(
        method="sequence-ablation", cites=SEQUENCES_CITES, about=asked.about, scope=Scope.LOCAL, unit="output",
        drivers=by_size(drivers), base=float(scores[-2]), answer=float(scores[-1]),
    )  # fmt: skip
    return dataclasses.replace(found, sentence=drivers_sentence(found))
