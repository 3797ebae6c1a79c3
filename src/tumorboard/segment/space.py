"""Neighbourhoods in millimetres, so that thick slices and thin ones mean the same tissue."""

from __future__ import annotations

import cc3d
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from tumorboard.volume import box_around

Mask = NDArray[np.bool_]
Spacing = tuple[float, float, float]


def distance_to(mask: Mask, spacing_mm: Spacing) -> NDArray[np.float32]:
    """Distance of every voxel to the nearest voxel of ``mask`` in mm; infinite when it is empty."""
    if not mask.any():
        return np.full(mask.shape, np.inf, dtype=np.float32)
    return np.asarray(ndi.distance_transform_edt(~mask, sampling=spacing_mm), dtype=np.float32)


def depth_in(mask: Mask, spacing_mm: Spacing) -> NDArray[np.float32]:
    """Distance of every voxel of ``mask`` to the nearest voxel outside in mm; 0 outside."""
    depth = np.zeros(mask.shape, dtype=np.float32)
    box = box_around(mask)
    if box is not None:
        padded = ndi.distance_transform_edt(np.pad(mask[box], 1), sampling=spacing_mm)
        depth[box] = padded[1:-1, 1:-1, 1:-1]
    return depth


def close_mm(mask: Mask, radius_mm: float, spacing_mm: Spacing) -> Mask:
    """Close by a ball: gaps up to twice the radius are bridged."""
    box = box_around(mask)
    if box is None:
        return mask
    pad = [int(np.ceil(radius_mm / s)) + 1 for s in spacing_mm]
    grown = distance_to(np.pad(mask[box], [(p, p) for p in pad]), spacing_mm) <= radius_mm
    shrunk = distance_to(~grown, spacing_mm) > radius_mm
    closed = mask.copy()
    closed[box] |= shrunk[tuple(slice(p, -p) for p in pad)]
    return closed


def open_mm(mask: Mask, radius_mm: float, spacing_mm: Spacing) -> Mask:
    """Open by a ball: what is thinner than twice the radius goes."""
    core = depth_in(mask, spacing_mm) > radius_mm
    return np.asarray((distance_to(core, spacing_mm) <= radius_mm) & mask)


def enclosing_planes(mask: Mask) -> NDArray[np.int8]:
    """Return in how many of the three planes a voxel is in the mask or enclosed by it, 0 to 3."""
    cross = ndi.generate_binary_structure(2, 1)
    planes = np.zeros(mask.shape, dtype=np.int8)
    for axis in range(3):
        planes += ndi.binary_fill_holes(mask, structure=np.expand_dims(cross, axis))
    return planes


def parts(mask: Mask) -> tuple[NDArray[np.uint32], int]:
    """Label the 26-connected parts of a mask from 1, largest first (ties: first voxel first)."""
    padded = np.pad(mask, 1)  # cc3d runs out of labels on thin arrays of isolated voxels
    labelled, n = cc3d.connected_components(padded, connectivity=26, return_N=True)
    labelled = labelled[1:-1, 1:-1, 1:-1]
    sizes = np.bincount(labelled.ravel(), minlength=n + 1)[1:]
    rank = np.empty(n + 1, dtype=np.uint32)
    rank[0] = 0
    rank[1:][np.argsort(-sizes, kind="stable")] = np.arange(1, n + 1, dtype=np.uint32)
    return rank[labelled], int(n)


LEAST_ML = 0.03
"""Smaller parts of tumour are dropped; chosen: some thirty voxels of 1 mm."""


def drop_small(mask: Mask, least_ml: float, spacing_mm: Spacing) -> Mask:
    """Remove 26-connected parts below a volume in mL."""
    labelled, n = parts(mask)
    volumes = np.bincount(labelled.ravel(), minlength=n + 1) * float(np.prod(spacing_mm)) / 1000.0
    keep = volumes >= least_ml
    keep[0] = False
    return np.asarray(keep[labelled])


def touching(mask: Mask, seeds: Mask) -> Mask:
    """Return the 26-connected parts of ``mask`` that hold a voxel of ``seeds``."""
    labelled, n = parts(mask)
    keep = np.zeros(n + 1, dtype=bool)
    keep[np.unique(labelled[seeds & mask])] = True
    keep[0] = False
    return np.asarray(keep[labelled])
