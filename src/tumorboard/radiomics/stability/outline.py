"""Outlines of the same tumour by other hands: larger, smaller, or wavering.

Why it exists: two readers do not draw the same line. Both ways are defined in mm or in volume, so that they mean the
same at any voxel size.

Source: volume adaptation and contour randomisation of Zwanenburg A et al., Sci Rep 2019;9:614. There, outlines are
randomised by supervoxels; here by a smooth random field, which needs no image and has a size in mm.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage as ndi

from tumorboard.radiomics.region import Float, Mask

WAVE_MM = 5.0
"""Standard deviation of the Gaussian that smooths the wavering of an outline; chosen."""


def grown(mask: Mask, spacing_mm: tuple[float, float, float], share: float, rng: np.random.Generator) -> Mask:
    """Return the outline grown or shrunk to another volume: nearest voxels first, equally near ones by lot.

    Parameters
    ----------
    mask : ndarray of bool, shape (i, j, k)
        With at least one voxel, and room around it.
    spacing_mm : (float, float, float)
        Voxel size.
    share : float
        Of the volume that is added, or taken away where negative.
    rng : numpy.random.Generator
        Draws lots.

    Returns
    -------
    ndarray of bool, shape (i, j, k)
        The wanted volume to half a voxel, one voxel at least.

    Examples
    --------
    >>> cube = np.zeros((9, 9, 9), bool); cube[2:7, 2:7, 2:7] = True
    >>> more = grown(cube, (1.0, 1.0, 1.0), 0.2, np.random.default_rng(0))
    >>> int(cube.sum()), int(more.sum()), bool((cube & ~more).any())
    (125, 150, False)
    """
    wanted = min(max(round(float(mask.sum()) * (1 + share)), 1), mask.size)
    order = np.lexsort((rng.random(mask.size), signed_distance(mask, spacing_mm).ravel()))
    out = np.zeros(mask.size, dtype=np.bool_)
    out[order[:wanted]] = True
    return out.reshape(mask.shape)


def redrawn(mask: Mask, spacing_mm: tuple[float, float, float], sd_mm: float, rng: np.random.Generator) -> Mask:
    """Return the outline displaced by a smooth random field along its normal.

    Parameters
    ----------
    mask : ndarray of bool, shape (i, j, k)
        With at least one voxel, and room around it.
    spacing_mm : (float, float, float)
        Voxel size.
    sd_mm : float
        Standard deviation of the displacement.
    rng : numpy.random.Generator
        Source of the field.

    Returns
    -------
    ndarray of bool, shape (i, j, k)
        One voxel at least.

    Examples
    --------
    >>> cube = np.zeros((20, 20, 20), bool); cube[4:16, 4:16, 4:16] = True
    >>> other = redrawn(cube, (1.0, 1.0, 1.0), 1.0, np.random.default_rng(0))
    >>> bool((other ^ cube).any()), bool(other[10, 10, 10])
    (True, True)
    """
    field: Float = ndi.gaussian_filter(rng.standard_normal(mask.shape), [WAVE_MM / s for s in spacing_mm])
    spread = float(field.std())
    moved = signed_distance(mask, spacing_mm) + (sd_mm * field / spread if spread else 0.0)
    return np.asarray(moved < max(0.0, float(np.nextafter(moved.min(), np.inf))))


def signed_distance(mask: Mask, spacing_mm: tuple[float, float, float]) -> Float:
    """Return how far voxel centres are from the border of a mask in mm, negative inside, shape (i, j, k).

    The border runs between voxels, so next to it the distance is half a voxel.

    Examples
    --------
    >>> signed_distance(np.array([[[False, False, True, True]]]), (1.0, 1.0, 2.0)).tolist()
    [[[3.0, 1.0, -1.0, -3.0]]]
    """
    if mask.all():
        return np.full(mask.shape, -np.inf)
    return np.where(mask, -_to_border(mask, spacing_mm), _to_border(~mask, spacing_mm))


def _to_border(inside: Mask, spacing_mm: tuple[float, float, float]) -> Float:
    """Return the distance of voxels inside to the nearest voxel outside, as far as its faces."""
    nearest = ndi.distance_transform_edt(inside, sampling=spacing_mm, return_distances=False, return_indices=True)
    total = np.zeros(inside.shape)
    for axis, (at, size) in enumerate(zip(np.asarray(nearest), spacing_mm, strict=True)):
        own = np.arange(inside.shape[axis]).reshape([-1 if a == axis else 1 for a in range(3)])
        total += np.maximum(np.abs(at - own) - 0.5, 0.0) ** 2 * size**2
    return np.sqrt(total)
