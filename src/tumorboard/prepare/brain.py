"""The brain mask of input that is already skull-stripped.

Why it exists: every later number is relative to the brain. Skull-stripped images hold one background
value all around; where there is none, the input is a whole head, and that is refused here rather than
measured wrongly (whole heads are the next capability).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from tumorboard.errors import InputError
from tumorboard.sequences import Sequence
from tumorboard.volume import Grid, Volume

PLAUSIBLE_ML = (300.0, 2300.0)
"""Brain volumes (mL) that are believed; chosen wide: children to large adults, thick partial slabs."""

MIN_BACKGROUND = 0.2
"""Least share of voxels that skull-stripped input has at one background value; chosen."""


def background_value(data: NDArray[np.generic]) -> float:
    """Return the value most corners of the array hold: the background of a skull-stripped image."""
    corners = data[np.ix_(*[(0, n - 1) for n in data.shape])].ravel()
    values, counts = np.unique(corners, return_counts=True)
    return float(values[counts.argmax()])


def foreground(data: NDArray[np.generic]) -> NDArray[np.bool_]:
    """Return where an image differs from its background, holes filled, largest part only."""
    mask = data != background_value(data)
    parts, n = ndi.label(mask)
    if n > 1:
        sizes = np.bincount(parts.ravel())
        sizes[0] = 0
        mask = parts == int(sizes.argmax())
    return np.asarray(ndi.binary_fill_holes(mask), dtype=np.bool_)


def brain_mask(volumes: Mapping[Sequence, Volume], grid: Grid) -> NDArray[np.bool_]:
    """Return the brain of skull-stripped sequences on one grid: where most of them have signal.

    Parameters
    ----------
    volumes : mapping of Sequence to Volume
        All on ``grid``.
    grid : Grid
        The shared grid.

    Returns
    -------
    ndarray of bool, shape (i, j, k)

    Raises
    ------
    InputError
        A head with its skull, a cut-out, or brains that do not lie on each other.

    Examples
    --------
    >>> data = np.zeros((40, 40, 40)); data[10:30, 10:30, 10:30] = 100.0
    >>> volume = Volume.of(data, np.diag([4.0, 4.0, 4.0, 1.0]))
    >>> int(brain_mask({Sequence.FLAIR: volume}, volume.grid).sum())
    8000
    """
    votes = np.zeros(grid.shape, dtype=np.uint8)
    masks = {}
    for name, volume in volumes.items():
        masks[name] = foreground(volume.data)
        _check_stripped(masks[name], grid, name)
        votes += masks[name]
    brain = np.asarray(votes * 2 >= len(volumes), dtype=np.bool_)
    for name, mask in masks.items():
        _check_overlap(brain, mask, name)
    return brain


def _check_stripped(mask: NDArray[np.bool_], grid: Grid, name: Sequence) -> None:
    share = 1.0 - float(mask.mean())
    volume_ml = float(mask.sum()) * grid.voxel_volume_ml
    if share < MIN_BACKGROUND or not PLAUSIBLE_ML[0] <= volume_ml <= PLAUSIBLE_ML[1]:
        low, high = PLAUSIBLE_ML
        raise InputError(
            f"a skull-stripped brain of {low:.0f} to {high:.0f} mL on an empty background",
            got=f"{volume_ml:.0f} mL with signal, {100 * share:.0f} % of voxels empty",
            where=name.value,
            remedy="strip the skull from all sequences or from none, and set the background to 0",
        )


def _check_overlap(brain: NDArray[np.bool_], mask: NDArray[np.bool_], name: Sequence) -> None:
    covered = float((brain & mask).sum()) / max(float(brain.sum()), 1.0)
    spill = float((mask & ~brain).sum()) / max(float(mask.sum()), 1.0)
    if covered < 0.8 or spill > 0.2:
        raise InputError(
            "sequences whose brains lie on each other",
            got=f"{name.value} covers {100 * covered:.0f} % of the others, {100 * spill:.0f} % of it lies outside",
            where=name.value,
            remedy="co-register the sequences of the study first",
        )
