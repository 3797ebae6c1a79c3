"""Bring the sequences of a study onto the grid of its reference sequence.

Why it exists: sequences of one study often differ by a header's rounding, an orientation or a voxel
size. What is equal is only reordered; what is near is resampled and said so; what does not lie on the
reference is refused with the distance in mm. No registration is done here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from tumorboard.errors import GeometryError
from tumorboard.sequences import REFERENCE_ORDER, Sequence
from tumorboard.transform import resample
from tumorboard.volume import Grid, Volume

MIN_COVER = 0.9
"""Least share of the reference's field of view that another sequence must cover."""


@dataclass(frozen=True)
class Unified:
    """Volumes on one canonical grid, and what was done to get there."""

    volumes: Mapping[Sequence, Volume]
    reference: Sequence
    native_axcodes: str
    notes: tuple[str, ...]


def unify(volumes: Mapping[Sequence, Volume]) -> Unified:
    """Reorder all volumes to RAS and resample those whose grid is not the reference's.

    Raises
    ------
    GeometryError
        A sequence covers less than ``MIN_COVER`` of the reference; the message says how far away it is.
    """
    reference = next(s for s in REFERENCE_ORDER if s in volumes)
    canonical = {name: volume.canonical() for name, volume in volumes.items()}
    grid = canonical[reference].grid
    notes, out = [], {}
    for name, volume in canonical.items():
        if grid.matches(volume.grid):
            out[name] = Volume(volume.data, grid)
            continue
        told = grid.explain_mismatch(volume.grid, (reference.value, name.value))
        _check_cover(grid, volume.grid, name, reference)
        out[name] = resample(volume, grid, "linear")
        notes.append(f"{name.value} was resampled (linear) to the grid of {reference.value}: {told.split(';')[0]}.")
    return Unified(out, reference, volumes[reference].grid.axcodes, tuple(notes))


def cover(grid: Grid, other: Grid) -> float:
    """Return the share of ``grid``'s field of view that lies inside ``other``'s, 0 to 1 (27 ³ samples)."""
    axes = [np.linspace(0, n - 1, 27) for n in grid.shape]
    points = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
    index = other.to_voxel(grid.to_world(points))
    inside = (index > -0.51) & (index < np.array(other.shape) - 0.49)
    return float(inside.all(axis=1).mean())


def _check_cover(grid: Grid, other: Grid, name: Sequence, reference: Sequence) -> None:
    share = cover(grid, other)
    if share < MIN_COVER:
        centres = [g.to_world([(np.array(g.shape) - 1) / 2])[0] for g in (grid, other)]
        distance = float(np.linalg.norm(centres[1] - centres[0]))
        raise GeometryError(
            f"{name.value} to cover at least {100 * MIN_COVER:.0f} % of {reference.value}",
            got=f"{100 * share:.0f} %; the centres of the two images are {distance:.1f} mm apart",
            where=name.value,
            remedy=f"co-register {name.value} to {reference.value} first, or leave it out",
        )
