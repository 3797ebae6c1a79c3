"""A study as it is laid onto others: at the working resolution, without what changes.

Why it exists: a tumour that grows, or a cavity that was brain before, has no counterpart in the other study; compared
all the same, it pulls. Shrinking once, not at every comparison, keeps large studies cheap.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from tumorboard.errors import GeometryError, InputError
from tumorboard.labels import LabelMap
from tumorboard.prepare.midplane import block_mean, shrink_factors
from tumorboard.segment.space import distance_to
from tumorboard.sequences import Sequence
from tumorboard.study import Study
from tumorboard.volume import Grid, Volume

Mask = NDArray[np.bool_]
Floats = NDArray[np.float64]

WORKING_MM = 2.0
"""Voxels are averaged to about this size; chosen: the error is a tenth of it."""

CLEAR_MM = 5.0
"""Kept away from labelled voxels; chosen: what is displaced lies near."""

LEAST_SHARE = 0.3
"""Part of the brain that must be left beside the tumour; else all of it is compared (chosen)."""

COMPARED = (Sequence.T1C, Sequence.T1, Sequence.FLAIR, Sequence.T2)
"""Sequences that are compared with themselves, best first."""

MOST_SEQUENCES = 2
"""That are compared; chosen: time grows with each, and two are enough to notice that one is spoilt."""

Names = tuple[tuple[Sequence, Sequence], ...]


@dataclass(frozen=True)
class Side:
    """A study at the working resolution.

    Parameters
    ----------
    volumes : mapping of Sequence to Volume
        On one grid.
    reference : Sequence
        Compared across contrasts where no sequence is shared.
    region : ndarray of bool, shape (i, j, k)
        Where studies are compared.
    middle_mm : ndarray, shape (3,)
        Of the brain, RAS mm.
    """

    volumes: Mapping[Sequence, Volume]
    reference: Sequence
    region: Mask
    middle_mm: Floats

    @classmethod
    def of(cls, study: Study, labels: LabelMap | None = None) -> Self:
        """Prepare a study for comparison.

        Parameters
        ----------
        study : Study
            Prepared.
        labels : LabelMap, optional
            Its tumour and cavity, on its grid; with ``CLEAR_MM`` around them they are left out.

        Raises
        ------
        InputError
            The brain mask is empty.
        GeometryError
            The label map lies on another grid.

        Examples
        --------
        >>> image = Volume.of(np.ones((8, 8, 8)), np.eye(4))
        >>> side = Side.of(Study("ses-01", {Sequence.T2: image}, np.ones((8, 8, 8), bool)))
        >>> side.grid.shape, side.grid.spacing_mm, side.middle_mm.tolist()
        ((4, 4, 4), (2.0, 2.0, 2.0), [3.5, 3.5, 3.5])
        """
        if not study.brain.any():
            raise InputError("a brain mask that is not empty", got="no voxel", where=study.id)
        factors = shrink_factors(study.grid, WORKING_MM)
        grid = _shrunk(study.grid, factors)
        volumes = {
            s: Volume(block_mean(v.data, factors), grid)
            for s, v in study.volumes.items()
            if s in COMPARED or s is study.reference
        }
        region = block_mean(_steady(study, labels), factors) > 0.5
        middle = study.grid.to_world([np.argwhere(study.brain).mean(axis=0)])[0]
        return cls(volumes, study.reference, region, np.asarray(middle))

    @property
    def grid(self) -> Grid:
        """The grid of all volumes."""
        return self.volumes[self.reference].grid


def compared(one: Side, two: Side) -> Names:
    """Return which sequences of two studies are compared: the same ones, else the references across contrasts.

    Examples
    --------
    >>> image, brain = Volume.of(np.ones((4, 4, 4)), np.eye(4)), np.ones((4, 4, 4), bool)
    >>> first = Side.of(Study("ses-01", {Sequence.T1C: image, Sequence.T2: image}, brain))
    >>> later = Side.of(Study("ses-02", {Sequence.T2: image, Sequence.FLAIR: image}, brain))
    >>> [f"{a} {b}" for a, b in compared(first, later)]
    ['T2 T2']
    """
    shared = [(s, s) for s in COMPARED if s in one.volumes and s in two.volumes]
    return tuple(shared[:MOST_SEQUENCES]) or ((one.reference, two.reference),)


def _steady(study: Study, labels: LabelMap | None) -> Mask:
    """Return the brain without what changes."""
    if labels is None:
        return study.brain
    told = study.grid.explain_mismatch(labels.grid, (study.reference.value, "labels"))
    if told:
        raise GeometryError("labels on the study's grid", got=told, where=study.id)
    steady = study.brain & (distance_to(labels.data > 0, study.grid.spacing_mm) > CLEAR_MM)
    return np.asarray(steady if steady.sum() > LEAST_SHARE * study.brain.sum() else study.brain)


def _shrunk(grid: Grid, factors: tuple[int, int, int]) -> Grid:
    """Return the grid of block means."""
    affine: NDArray[Any] = grid.affine @ np.diag([*factors, 1.0])
    affine[:3, 3] = grid.to_world([(np.array(factors) - 1) / 2])[0]
    i, j, k = (-(-n // f) for n, f in zip(grid.shape, factors, strict=True))
    return Grid((i, j, k), affine)
