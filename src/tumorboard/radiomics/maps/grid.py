"""Where the grid of the features lies in space.

Why it exists: a map is an image, and an image without its place cannot be laid over another.
"""

from __future__ import annotations

import numpy as np

from tumorboard.radiomics.scheme.interpolate import aligned_grid
from tumorboard.radiomics.settings import RadiomicsSettings
from tumorboard.volume import Grid


def features_grid(grid: Grid, settings: RadiomicsSettings) -> Grid:
    """Return the grid that features are computed on, as it lies in space.

    Examples
    --------
    >>> from tumorboard.radiomics.settings import Interpolation
    >>> how = RadiomicsSettings(interpolation=Interpolation(spacing_mm=(1.0, 1.0, 1.0)))
    >>> features_grid(Grid((4, 4, 4), np.diag([2.0, 2.0, 2.0, 1.0])), how).affine[:3, 3].tolist()
    [-0.5, -0.5, -0.5]
    """
    if settings.interpolation is None:
        return grid
    own, new = grid.spacing_mm, settings.spacing_on(grid.spacing_mm)
    shape, start = aligned_grid(grid.shape, own, new)
    step = np.diag([*(n / o for n, o in zip(new, own, strict=True)), 1.0])
    step[:3, 3] = start
    return Grid(shape, grid.affine @ step)
