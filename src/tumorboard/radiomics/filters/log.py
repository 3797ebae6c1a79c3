"""Laplacian of Gaussian, sampled, as a sum of separable kernels.

Why it exists: the sampled kernel (d - r² / sigma²) exp(-r² / 2 sigma²) is a sum of d products of one-dimensional
kernels, exactly; no kernel of 25 x 25 x 25 taps is needed.

Source: IBSI reference manual for image filters, arXiv:2006.05470, Laplacian-of-Gaussian (L6PA). The kernel is not
renormalised, is negative in the middle, and refers to voxels, not to millimetres: twice as small voxels give a quarter
of the response. Where voxels are not cubes, which the standard leaves open, the kernel is a sphere in millimetres and
refers to the shortest voxel side.
"""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from tumorboard.radiomics.filters.base import Box, Filter, Margin, Spacing, rows_of, suffix
from tumorboard.radiomics.filters.boundary import Boundary
from tumorboard.radiomics.filters.separable import LEFT, Line, responses
from tumorboard.radiomics.region import Float


class Log(Filter):
    """Laplacian of Gaussian, in three dimensions or in the plane.

    Examples
    --------
    >>> image = np.zeros((9, 9, 9)); image[4, 4, 4] = 1.0
    >>> bool(np.isclose(Log(sigma_mm=1.0).apply(image, (1.0, 1.0, 1.0))[4, 4, 4], -3 * (2 * np.pi) ** -1.5))
    True
    """

    code: ClassVar[str] = "L6PA"

    sigma_mm: float = Field(gt=0, le=100)
    cutoff: float = Field(default=4.0, gt=0, le=20, description="radius of the kernel in sigma")
    dimensions: Literal[2, 3] = 3
    boundary: Boundary = "mirror"

    @property
    def name(self) -> str:
        """As ``log_3.0mm``."""
        cut = "" if self.cutoff == 4.0 else f"_cutoff{self.cutoff:g}"
        return f"log_{'' if self.dimensions == 3 else '2D_'}{self.sigma_mm}mm{cut}{suffix(self.boundary)}"

    def margin(self, spacing_mm: Spacing) -> Margin | None:
        """Radius of the kernel along each axis."""
        if self.boundary == "periodic":
            return None
        i, j, k = (self._radius(s) for s in spacing_mm)
        return i, j, k if self.dimensions == 3 else 0

    def apply(self, image: Float, spacing_mm: Spacing, box: Box | None = None) -> Float:
        """Return the response; see :meth:`Filter.apply`."""
        used = spacing_mm[: self.dimensions]
        lines = [Line(n, r, self.boundary) for n, r in zip(image.shape, rows_of(image.shape, box), strict=True)]
        for line, step in zip(lines, used, strict=False):
            gauss, second = self.kernels(step, min(used))
            line.add("g", [gauss])
            line.add("h", [second])
        terms = [
            (*("h" if axis == at else "g" for axis in range(len(used))), *(LEFT,) * (3 - len(used)))
            for at in range(len(used))
        ]
        out: Float | None = None
        for _, response in responses(image, lines, terms):
            out = response if out is None else np.add(out, response, out=out)
        return np.zeros(()) if out is None else out

    def kernels(self, step_mm: float, shortest_mm: float) -> tuple[Float, Float]:
        """Return the sampled Gaussian along an axis, and its second derivative along it.

        Examples
        --------
        >>> gauss, second = Log(sigma_mm=2.0).kernels(1.0, 1.0)
        >>> len(gauss), bool(abs(gauss.sum() - 1) < 1e-3), bool(second[8] < 0)
        (17, True, True)
        """
        radius, sigma = self._radius(step_mm), self.sigma_mm / step_mm
        squared = (np.arange(-radius, radius + 1) / sigma) ** 2
        gauss = np.exp(-squared / 2) / (np.sqrt(2 * np.pi) * sigma)
        return gauss, (shortest_mm / self.sigma_mm) ** 2 * (squared - 1) * gauss

    def _radius(self, step_mm: float) -> int:
        return int(np.floor(self.cutoff * self.sigma_mm / step_mm + 0.5))
