"""Mean filter of the standard.

Why it exists: the least one can do to noise, and the simplest thing to compare two programs with.

Source: IBSI reference manual for image filters, arXiv:2006.05470, mean filter (S60F).
"""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
from pydantic import Field, field_validator

from tumorboard.radiomics.filters.base import Box, Filter, Margin, Spacing, reach, rows_of, suffix
from tumorboard.radiomics.filters.boundary import Boundary
from tumorboard.radiomics.filters.rotate import separable_response
from tumorboard.radiomics.region import Float


class Mean(Filter):
    """Mean over a cube, or over a square in the plane.

    Examples
    --------
    >>> image = np.zeros((3, 3, 1)); image[1, 1] = 9.0
    >>> Mean(support=3, dimensions=2).apply(image, (1.0, 1.0, 1.0))[..., 0].round(12).tolist()
    [[1.0, 1.0, 1.0], [1.0, 1.0, 1.0], [1.0, 1.0, 1.0]]
    """

    code: ClassVar[str] = "S60F"

    support: int = Field(default=5, ge=1, le=201, description="voxels along each axis; odd")
    dimensions: Literal[2, 3] = 3
    boundary: Boundary = "mirror"

    @field_validator("support")
    @classmethod
    def _odd(cls, value: int) -> int:
        if value % 2 == 0:
            raise ValueError("an odd number of voxels")
        return value

    @property
    def name(self) -> str:
        """As ``mean_5``."""
        return f"mean_{'' if self.dimensions == 3 else '2D_'}{self.support}{suffix(self.boundary)}"

    def margin(self, spacing_mm: Spacing) -> Margin | None:
        """Half the support."""
        return reach(self.support // 2, self.boundary, self.dimensions)

    def apply(self, image: Float, spacing_mm: Spacing, box: Box | None = None) -> Float:
        """Return the mean around every voxel; see :meth:`Filter.apply`."""
        chains = {"M": [np.full(self.support, 1.0 / self.support)]}
        letters = "M" * self.dimensions
        return separable_response(image, rows_of(image.shape, box), letters, chains, self.boundary, None)
