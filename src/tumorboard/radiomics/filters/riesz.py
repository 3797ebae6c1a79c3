"""Riesz transforms of other filters: their response along a direction.

Why it exists: the Riesz transform of order (1, 0, 0) of a filter without a direction tells edges along i from others,
of order (0, 2, 0) ridges along j.

Source: Unser M, Van De Ville D, IEEE Trans Image Process 2010;19:636-652; IBSI reference manual for image filters,
arXiv:2006.05470, Riesz transform: (-i)^L sqrt(L! / (l1! l2! l3!)) nu1^l1 nu2^l2 nu3^l3 / |nu|^L with L = l1 + l2 + l3.
Here are those that the standard has agreed values for, without steering.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from pydantic import Field, field_validator
from scipy import fft

from tumorboard.radiomics.filters.base import Box, Filter, Margin, Spacing, rows_of, suffix
from tumorboard.radiomics.filters.boundary import Boundary, gathered, sources
from tumorboard.radiomics.filters.log import Log
from tumorboard.radiomics.filters.spectrum import filtered, frequencies, transfer
from tumorboard.radiomics.region import Float

Order = tuple[int, int, int]


class _Riesz(Filter):
    order: Order = Field(description="of the transform along i, j, k; at least one is not 0")

    @field_validator("order")
    @classmethod
    def _some(cls, value: Order) -> Order:
        if min(value) < 0 or not 0 < sum(value) <= 10:
            raise ValueError("three orders from 0, with a sum of 1 to 10")
        return value

    def margin(self, spacing_mm: Spacing) -> Margin | None:
        """None: it is defined on the whole image."""
        return None

    def _function(self, sizes: tuple[int, ...], level: int | None = None) -> np.ndarray[tuple[int, ...], np.dtype]:
        i, j, k = (frequencies(n, n // 2 + 1 if axis == 2 else None) for axis, n in enumerate(sizes))
        return (-1j) ** sum(self.order) * transfer((i, j, k), level, self.order)

    def _order(self) -> str:
        return "riesz" + "".join(str(n) for n in self.order)


class RieszSimoncelli(_Riesz):
    """Riesz transform of a Simoncelli wavelet.

    Examples
    --------
    >>> RieszSimoncelli(order=(0, 2, 0), level=1).name
    'simoncelli_level1_riesz020'
    """

    code: ClassVar[str] = "LODD"

    level: int = Field(default=1, ge=1, le=8)

    @property
    def name(self) -> str:
        """As ``simoncelli_level1_riesz020``."""
        return f"simoncelli_level{self.level}_{self._order()}"

    def apply(self, image: Float, spacing_mm: Spacing, box: Box | None = None) -> Float:
        """Return the response; see :meth:`Filter.apply`."""
        return filtered(image, self._function(image.shape, self.level), rows_of(image.shape, box))


class RieszLog(_Riesz):
    """Riesz transform of a Laplacian of Gaussian; the image goes on for the radius of the kernel, then periodically.

    Examples
    --------
    >>> image = np.zeros((9, 9, 9)); image[4, 4, 4] = 1.0
    >>> edge = RieszLog(order=(1, 0, 0), sigma_mm=1.0).apply(image, (1.0, 1.0, 1.0))
    >>> bool(np.allclose(edge, -edge[::-1]))
    True
    """

    code: ClassVar[str] = "L6PA"

    sigma_mm: float = Field(gt=0, le=100)
    boundary: Boundary = "mirror"

    @property
    def name(self) -> str:
        """As ``log_3.0mm_riesz100``."""
        return f"log_{self.sigma_mm}mm_{self._order()}{suffix(self.boundary)}"

    def apply(self, image: Float, spacing_mm: Spacing, box: Box | None = None) -> Float:
        """Return the response; see :meth:`Filter.apply`."""
        log = Log(sigma_mm=self.sigma_mm)
        pairs = [log.kernels(step, min(spacing_mm)) for step in spacing_mm]
        radii = [len(gauss) // 2 for gauss, _ in pairs]
        i, j, k = (sources(np.arange(-r, n + r), n, self.boundary) for r, n in zip(radii, image.shape, strict=True))
        padded = gathered(image, (i, j, k))
        function = self._function(padded.shape) * _log_transfer(pairs, padded.shape)
        rows = rows_of(image.shape, box)
        wanted = (rows[0] + radii[0], rows[1] + radii[1], rows[2] + radii[2])
        return filtered(padded, function, wanted)


def _log_transfer(pairs: list[tuple[Float, Float]], sizes: tuple[int, ...]) -> Float:
    """Return the transfer function of a Laplacian of Gaussian on half of the coefficients along the last axis."""
    lines = []
    for axis, ((gauss, second), size) in enumerate(zip(pairs, sizes, strict=True)):
        kept = size // 2 + 1 if axis == 2 else size
        lines.append([_centred(kernel, size)[:kept] for kernel in (gauss, second)])
    (gi, hi), (gj, hj), (gk, hk) = lines
    plane = hi[:, None] * gj[None, :] + gi[:, None] * hj[None, :]
    both = gi[:, None] * gj[None, :]
    return plane[:, :, None] * gk[None, None, :] + both[:, :, None] * hk[None, None, :]


def _centred(kernel: Float, size: int) -> Float:
    line = np.zeros(size)
    np.add.at(line, np.arange(-(len(kernel) // 2), len(kernel) // 2 + 1) % size, kernel)
    return np.ascontiguousarray(fft.fft(line).real)
