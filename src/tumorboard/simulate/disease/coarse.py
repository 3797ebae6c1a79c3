"""Half the resolution: where spreading cells and fluid are solved for, since neither has detail below 2 mm.

Why it exists: at 1 mm a solver has eight times the voxels and four times the steps, for the same answer.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy import ndimage as ndi

from tumorboard.simulate.body.anatomy import Anatomy
from tumorboard.simulate.fields import Float
from tumorboard.simulate.sampling import sampled
from tumorboard.volume import Grid

FINE_MM = 1.6
"""Heads of finer voxels are solved for at half their resolution."""


def is_fine(head: Anatomy) -> bool:
    """Whether a head is finer than solvers need."""
    return min(head.grid.spacing_mm) < FINE_MM


def halved(head: Anatomy) -> Anatomy:
    """Return every second voxel of a head.

    Examples
    --------
    >>> from tumorboard.simulate.body.anatomy import draw_anatomy
    >>> head = draw_anatomy(np.random.default_rng(0), 6.0)
    >>> halved(head).grid.spacing_mm
    (12.0, 12.0, 12.0)
    """
    two = (slice(None, None, 2),) * 3
    affine = head.grid.affine @ np.diag([2.0, 2.0, 2.0, 1.0])
    i, j, k = head.brain[two].shape
    names = ("gm", "wm", "csf", "t1", "brain", "ventricles", "vessels", "plexus")
    parts = {n: np.ascontiguousarray(getattr(head, n)[two]) for n in names}
    return replace(head, grid=Grid((i, j, k), affine), **parts, mni_mm=head.mni_mm[(slice(None), *two)], others={})


def doubled(field: Float, shape: tuple[int, int, int]) -> Float:
    """Return a field of :func:`halved` at the resolution it came from; infinite where its nearest voxel is.

    Parameters
    ----------
    field : ndarray of float32
        Coarse.
    shape : (int, int, int)
        Of the fine grid.

    Returns
    -------
    ndarray of float32

    Examples
    --------
    >>> doubled(np.array([0.0, 2.0], np.float32).reshape(2, 1, 1), (3, 1, 1)).ravel().tolist()
    [0.0, 1.0, 2.0]
    """
    known = np.isfinite(field)
    filled = field
    if not known.all():
        nearest = ndi.distance_transform_edt(~known, return_distances=False, return_indices=True)
        filled = field[tuple(nearest)]
    at = np.indices(shape, dtype=np.float32) / np.float32(2.0)
    maps = sampled([filled, known.astype(np.float32)], at)
    return np.asarray(np.where(maps[1] >= 0.5, maps[0], np.inf), dtype=np.float32)
