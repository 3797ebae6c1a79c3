"""Separable, undecimated wavelets.

Why it exists: a band of a wavelet transform keeps structures of one scale and direction. Without decimation every band
has the size of the image; the eight bands of one level share most of their passes.

Source: IBSI reference manual for image filters, arXiv:2006.05470, separable wavelets (25BO). Decomposition filters are
convolved with the image; at level n the low-pass filter ran n - 1 times on every axis before, and filters have zeros
between their taps (à trous). PyRadiomics does it otherwise: see :mod:`tumorboard.radiomics.filters.pyradiomics`.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import ClassVar, Literal

import pywt
from pydantic import Field, field_validator

from tumorboard.radiomics.filters.base import Bank, Box, Filter, Margin, Spacing, reach, rows_of, suffix
from tumorboard.radiomics.filters.boundary import Boundary
from tumorboard.radiomics.filters.rotate import Pooling, separable_response
from tumorboard.radiomics.filters.separable import LEFT, Line, odd, responses, with_holes
from tumorboard.radiomics.region import Float

DEEPEST = 6
"""Levels beyond which a filter would be wider than any head."""


def chains(wavelet: str, level: int) -> dict[str, list[Float]]:
    """Return the kernels that make the low (L) and the high (H) band of a level, one after another.

    Examples
    --------
    >>> [len(kernel) for kernel in chains("coif1", 2)["H"]]
    [7, 13]
    """
    family = pywt.Wavelet(wavelet)
    low, high = odd(family.dec_lo), odd(family.dec_hi)
    before = [with_holes(low, at) for at in range(1, level)]
    return {"L": [*before, with_holes(low, level)], "H": [*before, with_holes(high, level)]}


def bands(
    image: Float,
    box: Box | None = None,
    wavelet: str = "coif1",
    level: int = 1,
    boundary: Boundary = "mirror",
    dimensions: Literal[2, 3] = 3,
) -> dict[str, Float]:
    """Return all bands of a level, computing every pass along an axis once.

    Parameters
    ----------
    image : ndarray of float64, shape (i, j, k)
        Finite.
    box : three slices, optional
        Where the bands are wanted.
    wavelet : str
        A discrete family of PyWavelets.
    level : int
        From 1.
    boundary : {"zero", "nearest", "periodic", "mirror"}
        What lies beyond the image.
    dimensions : {2, 3}
        Two: planes of constant k.

    Returns
    -------
    dict of str to ndarray of float64
        ``LLL`` to ``HHH``, letters along i, j, k.

    Examples
    --------
    >>> import numpy as np
    >>> found = bands(np.ones((4, 4, 4)), wavelet="haar")
    >>> list(found)[:2], bool(np.allclose(found["LLL"], 2**1.5)), bool(np.allclose(found["HLL"], 0))
    (['LLL', 'LLH'], True, True)
    """
    lines = [Line(size, row, boundary) for size, row in zip(image.shape, rows_of(image.shape, box), strict=True)]
    for line in lines[:dimensions]:
        for letter, kernels in chains(wavelet, level).items():
            line.add(letter, kernels)
    found = {
        "".join(term): response
        for term, response in responses(image, lines, [(*t, *(LEFT,) * (3 - dimensions)) for t in _letters(dimensions)])
    }
    return {name: found[name] for name in map("".join, _letters(dimensions))}


def _letters(dimensions: int) -> list[tuple[str, ...]]:
    return list(product("LH", repeat=dimensions))


class _Family(Bank):
    wavelet: str = Field(default="coif1", description="a discrete family of PyWavelets")
    level: int = Field(default=1, ge=1, le=DEEPEST)
    boundary: Boundary = "mirror"

    @field_validator("wavelet")
    @classmethod
    def _discrete(cls, value: str) -> str:
        if value not in pywt.wavelist(kind="discrete"):
            raise ValueError("a discrete wavelet of PyWavelets, as haar, db3 or coif1")
        return value

    def _radius(self) -> int:
        return sum(len(kernel) // 2 for kernel in chains(self.wavelet, self.level)["H"])

    def _name(self, band: str, pooling: str | None = None) -> str:
        level = "" if self.level == 1 else f"_level{self.level}"
        pooled = "" if pooling is None else f"_{pooling}"
        return f"wavelet_{self.wavelet}_{band}{level}{pooled}{suffix(self.boundary)}"


class Wavelet(_Family, Filter):
    """One band, as it is or pooled over rotations.

    Examples
    --------
    >>> Wavelet(wavelet="db3", band="LLH", pooling="mean").name
    'wavelet_db3_LLH_mean'
    """

    code: ClassVar[str] = "25BO"

    band: str = Field(pattern="^[LH]{2,3}$", description="low or high along i, j and, in three dimensions, k")
    pooling: Pooling | None = Field(default=None, description="over right-angle rotations; null: none")

    @property
    def name(self) -> str:
        """As ``wavelet_coif1_LLH``."""
        return self._name(self.band, self.pooling)

    def margin(self, spacing_mm: Spacing) -> Margin | None:
        """Radius of all kernels together."""
        return reach(self._radius(), self.boundary, len(self.band))

    def apply(self, image: Float, spacing_mm: Spacing, box: Box | None = None) -> Float:
        """Return the band; see :meth:`Filter.apply`."""
        kernels = chains(self.wavelet, self.level)
        return separable_response(image, rows_of(image.shape, box), self.band, kernels, self.boundary, self.pooling)


class WaveletBands(_Family):
    """All bands of a level.

    Examples
    --------
    >>> len(WaveletBands().names), WaveletBands(dimensions=2).names[1]
    (8, 'wavelet_coif1_LH')
    """

    code: ClassVar[str] = "25BO"

    dimensions: Literal[2, 3] = 3

    @property
    def names(self) -> tuple[str, ...]:
        """From ``wavelet_coif1_LLL`` to ``wavelet_coif1_HHH``."""
        return tuple(self._name("".join(letters)) for letters in _letters(self.dimensions))

    def margin(self, spacing_mm: Spacing) -> Margin | None:
        """Radius of all kernels together."""
        return reach(self._radius(), self.boundary, self.dimensions)

    def responses(self, image: Float, spacing_mm: Spacing, box: Box | None = None) -> Iterator[tuple[str, Float]]:
        """Yield every band; see :meth:`Filter.apply`."""
        found = bands(image, box, self.wavelet, self.level, self.boundary, self.dimensions)
        for band, response in found.items():
            yield self._name(band), response
