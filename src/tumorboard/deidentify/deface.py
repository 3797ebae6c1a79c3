"""Faces cut off heads: everything in front of and below one plane that leaves the brain alone.

Why it exists: a face can be rendered from a head scan and recognised. Quickshear cuts along the line that
touches the front and the underside of the brain's profile, moved away from it by a margin: one plane,
nothing to tune, nothing inside the brain touched. Source: Schimke & Hale, Quickshear Defacing for
Neuroimages, USENIX HealthSec 2011. What it leaves: ears, the back and the top of the head.
"""

from __future__ import annotations

import math
import warnings

import numpy as np
from numpy.typing import NDArray

from tumorboard.errors import GeometryError
from tumorboard.volume import Grid, Volume

MARGIN_MM = 10.0
"""Distance from brain to cut along the head's long axis; chosen (Quickshear's default is ten voxels)."""


def kept_voxels(grid: Grid, brain: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return which voxels stay when the face is cut off.

    Parameters
    ----------
    grid : Grid
        Any orientation, spacing and obliquity.
    brain : ndarray of bool
        Brain on that grid.

    Returns
    -------
    ndarray of bool
        False in front of and below the cut. Every voxel of the brain is True.

    Raises
    ------
    GeometryError
        No brain, or one that does not reach over two voxels from front to back.
    """
    turned = Volume(np.asarray(brain, dtype=np.bool_), grid).reoriented("RPS")
    if np.count_nonzero(turned.data.any(axis=(0, 2))) < 3:
        remedy = "leave the image out, or give one of the whole head"
        raise GeometryError("a brain of three voxels or more from front to back", got="less", remedy=remedy)
    kept = Volume(_sheared(turned), turned.grid).reoriented(grid.axcodes).data
    if kept.shape != grid.shape or not kept[np.asarray(brain, dtype=bool)].all():
        raise GeometryError("a cut that leaves the brain alone", got="one through it", remedy="leave the image out")
    return kept


def _sheared(turned: Volume) -> NDArray[np.bool_]:
    """Let Quickshear cut an image of ones; one voxel of air around it keeps its edges from wrapping."""
    import nibabel as nib
    from quickshear import quickshear

    padded = np.pad(turned.data, 1).astype(np.uint8)
    affine = np.diag([1.0, -1.0, 1.0, 1.0])
    mask, ones = nib.Nifti1Image(padded, affine), nib.Nifti1Image(np.ones_like(padded), affine)
    margin = math.ceil(MARGIN_MM / turned.spacing_mm[2])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # it takes the cross product of plane vectors
        cut = quickshear(ones, mask, buff=margin)
    return np.asarray(cut.dataobj)[1:-1, 1:-1, 1:-1] > 0


def deface(volume: Volume, brain: NDArray[np.bool_]) -> Volume:
    """Return a head without its face: 0 beyond the cut, every other voxel as it was, bit by bit.

    Parameters
    ----------
    volume : Volume
        A head; any orientation.
    brain : ndarray of bool, shape of the volume
        Its brain.

    Returns
    -------
    Volume
        Same grid and dtype.

    Raises
    ------
    GeometryError
        The brain is no brain (see :func:`kept_voxels`) or lies on another grid.

    Examples
    --------
    >>> brain = np.zeros((40, 40, 40), bool); brain[10:30, 10:30, 20:35] = True
    >>> faceless = deface(Volume.of(np.ones((40, 40, 40), np.int16), np.eye(4)), brain).data
    >>> bool(faceless[brain].all()), int(faceless[20, 39, 0]), faceless.dtype.name
    (True, 0, 'int16')
    """
    if brain.shape != volume.data.shape:
        raise GeometryError("a brain on the grid of the image", got=f"shape {brain.shape}")
    zero = volume.data.dtype.type(0)
    return volume.with_data(np.where(kept_voxels(volume.grid, brain), volume.data, zero))
