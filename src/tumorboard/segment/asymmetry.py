"""Left-right asymmetry: how much brighter a place is than its mirror image and what surrounds that.

Why it exists: healthy bright tissue (cortex on FLAIR, periventricular caps) mostly has a twin on the
other side; a tumour mostly has none. The brightest value near the mirrored place is taken, so that an
imperfect symmetry of the healthy brain does not count.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from tumorboard.transform import Plane, warp_to_grid
from tumorboard.volume import Grid

Float = NDArray[np.float32]

TOLERANCE_MM = 3.0
"""How far from its mirrored place a healthy twin is looked for; chosen."""


def smooth_inside(
    image: NDArray[np.float32], mask: NDArray[np.bool_], sigma_mm: float, grid: Grid
) -> NDArray[np.float32]:
    """Gaussian smoothing that does not mix in what lies outside the mask; 0 outside."""
    sigma = [sigma_mm / s for s in grid.spacing_mm]
    weight = np.maximum(ndi.gaussian_filter(mask.astype(np.float32), sigma), 0.2)
    return np.asarray(ndi.gaussian_filter(image * mask, sigma) / weight * mask, dtype=np.float32)


def asymmetry(
    smooth: NDArray[np.float32], brain: NDArray[np.bool_], grid: Grid, midplane: Plane
) -> NDArray[np.float32]:
    """Return the value minus the brightest within ``TOLERANCE_MM`` of the mirrored place, 0 outside the brain.

    Examples
    --------
    >>> grid = Grid((9, 9, 9), np.eye(4)); image = np.zeros((9, 9, 9), np.float32); image[7, 4, 4] = 1
    >>> float(asymmetry(image, np.ones((9, 9, 9), bool), grid, Plane((1.0, 0.0, 0.0), 4.0))[7, 4, 4])
    1.0
    """
    mirrored = warp_to_grid(smooth, grid.spacing_mm, midplane.mirror_matrix(), grid)
    size = [2 * round(TOLERANCE_MM / s) + 1 for s in grid.spacing_mm]
    twin = ndi.maximum_filter(mirrored, size=size)
    return np.asarray((smooth - twin) * brain, dtype=np.float32)
