"""Where the tumour lies: sides, midline, atlas place, distance to the surface and the ventricles.

Why it exists: a surgeon reads position before volume. Sides are exact on the mid-plane; everything
that goes through the atlas is ``coarse`` and says so.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tumorboard.atlas.icbm152 import icbm152
from tumorboard.atlas.lobes import LobeGuess, nearest_lobe
from tumorboard.segment.space import depth_in, distance_to
from tumorboard.transform import Frame, warp_to_grid
from tumorboard.volume import Grid

CROSSING_MARGIN_MM = 2.0
CROSSING_LEAST_ML = 0.2
"""A tumour crosses the midline when at least this much lies this far on its lesser side; chosen."""

ATLAS_MM = 2.0

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Sides:
    """Shares of a region on each side of the mid-plane, in percent, and whether it crosses."""

    left: float
    right: float
    crosses: bool


def sides(mask: Mask, grid: Grid, frame: Frame) -> Sides:
    """Return how a region lies to the mid-plane; the mask must hold a voxel."""
    places = np.argwhere(mask) * np.asarray(grid.spacing_mm)
    distance = frame.midplane.distance_mm(places)
    right = float((distance > 0).mean())
    beyond = distance if right < 0.5 else -distance
    lesser_ml = float((beyond > CROSSING_MARGIN_MM).sum()) * grid.voxel_volume_ml
    return Sides(100.0 * (1.0 - right), 100.0 * right, lesser_ml >= CROSSING_LEAST_ML)


def centroid_mni_mm(mask: Mask, grid: Grid, frame: Frame) -> tuple[float, float, float]:
    """Return the centroid of a region in MNI mm (RAS); coarse."""
    x, y, z = frame.mni_mm(grid, np.argwhere(mask).mean(axis=0))[0]
    return float(x), float(y), float(z)


def lobe(mask: Mask, grid: Grid, frame: Frame) -> LobeGuess:
    """Return the lobe of the labelled coordinate nearest to the region's centroid; coarse."""
    return nearest_lobe(centroid_mni_mm(mask, grid, frame))


def depth_to_cortex_mm(mask: Mask, brain: Mask, grid: Grid) -> float:
    """Return the smallest distance of a region to the brain's surface in mm."""
    return float(depth_in(brain, grid.spacing_mm)[mask].min())


def depth_to_ventricles_mm(mask: Mask, grid: Grid, frame: Frame) -> float:
    """Return the smallest distance of a region to the atlas's ventricles in mm (0 when they overlap); coarse."""
    atlas = icbm152(ATLAS_MM)
    to_atlas = np.diag([ATLAS_MM, ATLAS_MM, ATLAS_MM, 1.0]) @ np.linalg.inv(atlas.ventricles.affine) @ frame.to_mni
    fraction = warp_to_grid(atlas.ventricles.data.astype(np.float32), (ATLAS_MM, ATLAS_MM, ATLAS_MM), to_atlas, grid)
    return float(distance_to(fraction > 0.5, grid.spacing_mm)[mask].min())
