"""Laws' kernels and their texture energy.

Why it exists: products of five-tap kernels for level, edge, spot, wave and ripple answer to small structures; the mean
of the absolute response around a voxel, its energy, is a measure of how much of them there is.

Source: Laws KI, Textured image segmentation, 1980; IBSI reference manual for image filters, arXiv:2006.05470, Laws
kernels (JTXT). Kernels have unit norm; energy is computed after pooling over rotations.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from pydantic import Field, field_validator

from tumorboard.radiomics.filters.base import Box, Filter, Margin, Rows, Spacing, reach, rows_of, suffix
from tumorboard.radiomics.filters.boundary import Boundary
from tumorboard.radiomics.filters.rotate import Pooling, separable_response
from tumorboard.radiomics.filters.separable import Line, along
from tumorboard.radiomics.region import Float

TAPS = {
    "L5": (1.0, 4.0, 6.0, 4.0, 1.0),
    "E5": (-1.0, -2.0, 0.0, 2.0, 1.0),
    "S5": (-1.0, 0.0, 2.0, 0.0, -1.0),
    "W5": (-1.0, 2.0, 0.0, -2.0, 1.0),
    "R5": (1.0, -4.0, 6.0, -4.0, 1.0),
    "L3": (1.0, 2.0, 1.0),
    "E3": (-1.0, 0.0, 1.0),
    "S3": (-1.0, 2.0, -1.0),
}
"""Level, edge, spot, wave and ripple, before they are divided by their norm."""


class Laws(Filter):
    """Response to a product of Laws' kernels along i, j and k, or its energy.

    Examples
    --------
    >>> image = np.zeros((5, 5, 5)); image[2, 2, 2] = 1.0
    >>> centre = Laws(kernels="L5L5L5").apply(image, (1.0, 1.0, 1.0))[2, 2, 2]
    >>> bool(np.isclose(centre, 6**3 / 70**1.5))
    True
    """

    code: ClassVar[str] = "JTXT"

    kernels: str = Field(description="two or three of L5 E5 S5 W5 R5 L3 E3 S3, one for each axis")
    pooling: Pooling | None = Field(default=None, description="over right-angle rotations; null: none")
    energy: int | None = Field(default=None, ge=0, le=100, description="voxels around, for texture energy; null: none")
    boundary: Boundary = "mirror"

    @field_validator("kernels")
    @classmethod
    def _known(cls, value: str) -> str:
        parts = [value[at : at + 2] for at in range(0, len(value), 2)]
        if len(parts) not in (2, 3) or any(part not in TAPS for part in parts):
            raise ValueError(f"two or three of {', '.join(TAPS)} in one word")
        return value

    @property
    def name(self) -> str:
        """As ``laws_L5E5E5_max_energy7``."""
        energy = "" if self.energy is None else f"_energy{self.energy}"
        return f"laws_{self.kernels}{'' if self.pooling is None else f'_{self.pooling}'}{energy}{suffix(self.boundary)}"

    def margin(self, spacing_mm: Spacing) -> Margin | None:
        """Radius of the longest kernel, and that of the energy."""
        letters = self._letters()
        # pooled over turns, every kernel comes to lie on every axis
        radius = max(len(TAPS[letter]) // 2 for letter in letters)
        return reach(radius + (self.energy or 0), self.boundary, len(letters))

    def apply(self, image: Float, spacing_mm: Spacing, box: Box | None = None) -> Float:
        """Return the response or the energy; see :meth:`Filter.apply`."""
        rows = rows_of(image.shape, box)
        if self.energy is None:
            return self._response(image, rows)
        mean = [np.full(2 * self.energy + 1, 1.0 / (2 * self.energy + 1))]
        lines = [Line(size, row, self.boundary) for size, row in zip(image.shape, rows, strict=True)]
        for line in lines[: len(self._letters())]:
            line.add("mean", mean)
        (i, over_i), (j, over_j), (k, over_k) = (line.cropped() for line in lines)
        energy = np.abs(self._response(image, (i, j, k)))
        for axis, operators in enumerate((over_i, over_j, over_k)):
            for matrix in operators.values():
                energy = along(energy, matrix, axis)
        return energy

    def _response(self, image: Float, rows: Rows) -> Float:
        letters = self._letters()
        chains = {letter: [_unit(TAPS[letter])] for letter in letters}
        return separable_response(image, rows, letters, chains, self.boundary, self.pooling)

    def _letters(self) -> list[str]:
        return [self.kernels[at : at + 2] for at in range(0, len(self.kernels), 2)]


def _unit(taps: tuple[float, ...]) -> Float:
    kernel: Float = np.array(taps) / np.linalg.norm(taps)
    return kernel
