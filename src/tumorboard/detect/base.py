"""The contract of every detector: numbered parts of a study, each with a score, and the method's card.

Why it exists: a template and a network are compared, calibrated and reported alike. All that is found leaves, however
low its score; where a score is high enough is a matter of the operating point, which is stated.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from tumorboard.segment.base import Card, Validity
from tumorboard.study import Study
from tumorboard.volume import Grid, Volume

SIZES_MM = (3.0, 10.0)
"""Borders of the size classes that the field reports: below 3, 3 to below 10, from 10 mm."""


@dataclass(frozen=True)
class Detection:
    """One lesion.

    Parameters
    ----------
    number : int
        Of its voxels in the map, from 1.
    score : float
        0 to 1, higher is surer.
    centre_mm : (float, float, float)
        RAS mm of its centre.
    volume_ml, diameter_mm : float
        Of its voxels; diameter of the ball of that volume.
    """

    number: int
    score: float
    centre_mm: tuple[float, float, float]
    volume_ml: float
    diameter_mm: float


@dataclass(frozen=True)
class Detected:
    """What a detector gives.

    Parameters
    ----------
    numbers : Volume
        uint16 on the study's grid: number of each detection, 0 elsewhere.
    found : tuple of Detection
        The surest first; their numbers run from 1.
    thresholds : tuple of float
        Least score by size class (see :data:`SIZES_MM`) at the operating point.
    validity : Validity
        Whether the input suits the method.
    card : Card
        The method.
    not_assessable : str
        Why nothing could be looked for; empty where it could.
    """

    numbers: Volume
    found: tuple[Detection, ...]
    thresholds: tuple[float, ...]
    validity: Validity
    card: Card
    not_assessable: str = ""

    def reported(self) -> tuple[Detection, ...]:
        """Return the detections at the operating point."""
        return tuple(d for d in self.found if d.score >= self.thresholds[size_class(d.diameter_mm)])


def unseen(study: Study, thresholds: tuple[float, ...], card: Card, reason: str) -> Detected:
    """Return what a detector gives where it could not look."""
    empty = Volume(np.zeros(study.grid.shape, dtype=np.uint16), study.grid)
    return Detected(empty, (), thresholds, Validity(0.0, (reason,)), card, reason)


class Detector(Protocol):
    """A method that finds lesions."""

    card: Card

    def detect(self, study: Study) -> Detected:
        """Find lesions in a prepared study; the same study gives the same result."""
        ...


def size_class(diameter_mm: float) -> int:
    """Return the place of a diameter among the size classes.

    Examples
    --------
    >>> [size_class(d) for d in (2.9, 3.0, 12.0)]
    [0, 1, 2]
    """
    return int(np.searchsorted(SIZES_MM, diameter_mm, side="right"))


@dataclass(frozen=True)
class Scored:
    """A numbered map and a score for each number, before they are ranked.

    Parameters
    ----------
    numbers : ndarray of int, shape (i, j, k)
        0 elsewhere.
    scores : mapping of int to float
        By number.
    """

    numbers: NDArray[np.integer]
    scores: Mapping[int, float] = field(default_factory=dict)


def ranked(scored: Scored, grid: Grid) -> tuple[Volume, tuple[Detection, ...]]:
    """Return the map and the detections, numbered from 1 by falling score (ties: larger first, then by place).

    Parameters
    ----------
    scored : Scored
        On the grid.
    grid : Grid
        Of the study.

    Returns
    -------
    (Volume, tuple of Detection)
        uint16 numbers, and what they are.

    Examples
    --------
    >>> numbers = np.zeros((4, 4, 4), int); numbers[0, 0, 0], numbers[3, 3] = 7, 9
    >>> volume, found = ranked(Scored(numbers, {7: 0.2, 9: 0.8}), Grid((4, 4, 4), np.eye(4)))
    >>> [(d.number, d.score) for d in found], int(volume.data[3, 3, 0])
    ([(1, 0.8), (2, 0.2)], 1)
    """
    flat = scored.numbers.ravel()
    at = np.flatnonzero(flat)
    counts = np.bincount(flat[at], minlength=max(scored.scores, default=0) + 1)
    order = sorted(scored.scores, key=lambda n: (-scored.scores[n], -counts[n], n))
    renumbered = np.zeros(len(counts), dtype=np.uint16)
    renumbered[order] = np.arange(1, len(order) + 1, dtype=np.uint16)
    places = np.stack(np.unravel_index(at, scored.numbers.shape), axis=1)
    sums = [np.bincount(flat[at], weights=places[:, a], minlength=len(counts)) for a in range(3)]
    found = []
    for new, old in enumerate(order, start=1):
        middle = grid.to_world([[s[old] / counts[old] for s in sums]])[0]
        ml = float(counts[old]) * grid.voxel_volume_ml
        x, y, z = (float(v) for v in middle)
        found.append(Detection(new, float(scored.scores[old]), (x, y, z), ml, ball_diameter_mm(ml)))
    return Volume(renumbered[scored.numbers], grid), tuple(found)


def ball_diameter_mm(volume_ml: float) -> float:
    """Return the diameter of the ball of a volume.

    Examples
    --------
    >>> round(ball_diameter_mm(0.5236), 2)
    10.0
    """
    return float((6000.0 * volume_ml / np.pi) ** (1 / 3))
