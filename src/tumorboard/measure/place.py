"""Where the tumour lies: sides, midline, atlas place, distance to the surface and the ventricles.

Why it exists: a surgeon reads position before volume. Sides are exact on the mid-plane; everything
that goes through the atlas is ``coarse`` and says so.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from tumorboard.atlas.icbm152 import icbm152
from tumorboard.atlas.lobes import LobeGuess, nearest_lobe
from tumorboard.transform import Frame
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


def depth_to_cortex_mm(mask: Mask, depth_mm: NDArray[np.float32]) -> float:
    """Return the smallest distance of a region to the outside of the brain in mm (``depth_in`` of the brain)."""
    return float(depth_mm[mask].min())


def depth_to_ventricles_mm(mask: Mask, grid: Grid, frame: Frame) -> float:
    """Return the smallest distance of a region to the atlas's ventricles in mm (0 when they overlap); coarse."""
    atlas = icbm152(ATLAS_MM)
    chambers = atlas.grid.to_world(np.argwhere(atlas.ventricles.data))
    inverse = np.linalg.inv(frame.to_mni)
    tree = cKDTree(chambers @ inverse[:3, :3].T + inverse[:3, 3])
    distance, _ = tree.query(np.argwhere(mask) * np.asarray(grid.spacing_mm))
    return max(0.0, float(np.min(distance)) - ATLAS_MM / 2)
