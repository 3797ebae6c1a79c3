"""Simoncelli's wavelets: bands of spatial frequency without a direction.

Why it exists: a separable wavelet has the directions of the voxel grid; this one looks equally all ways round.

Source: Portilla J, Simoncelli EP, Int J Comput Vis 2000;40:49-70; IBSI reference manual for image filters,
arXiv:2006.05470, non-separable wavelets (LODD): the B map cos(pi / 2 log2(2 nu)) for nu from 1/4 to 1, where nu = 1 is
the Nyquist frequency and doubles with every level.
"""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from tumorboard.radiomics.filters.base import Box, Filter, Margin, Spacing, rows_of
from tumorboard.radiomics.filters.spectrum import filtered, frequencies, transfer
from tumorboard.radiomics.region import Float


class Simoncelli(Filter):
    """B map of a level; the image goes on periodically.

    Examples
    --------
    >>> import numpy as np
    >>> flat = Simoncelli(level=1).apply(np.ones((9, 9, 9)), (1.0, 1.0, 1.0))
    >>> bool(np.allclose(flat, 0))
    True
    """

    code: ClassVar[str] = "LODD"

    level: int = Field(default=1, ge=1, le=8)
    dimensions: Literal[2, 3] = 3

    @property
    def name(self) -> str:
        """As ``simoncelli_level1``."""
        return f"simoncelli_{'' if self.dimensions == 3 else '2D_'}level{self.level}"

    def margin(self, spacing_mm: Spacing) -> Margin | None:
        """None: it is defined on the whole image."""
        return None

    def apply(self, image: Float, spacing_mm: Spacing, box: Box | None = None) -> Float:
        """Return the response; see :meth:`Filter.apply`."""
        sizes = image.shape if self.dimensions == 3 else (*image.shape[:2], 1)
        halved = self.dimensions - 1
        i, j, k = (frequencies(n, n // 2 + 1 if axis == halved else None) for axis, n in enumerate(sizes))
        return filtered(image, transfer((i, j, k), self.level), rows_of(image.shape, box), self.dimensions)
