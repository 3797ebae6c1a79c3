"""The two filters that most published models were built with, as PyRadiomics computes them.

Why it exists: a model that was fitted to columns of PyRadiomics needs these columns, not better ones.

Source: van Griethuysen JJM et al., Cancer Res 2017;77:e104-e107; pyradiomics 3, ``radiomics/imageoperations.py``.

Where it differs from the standard (arXiv:2006.05470):

- Wavelets go on periodically; an axis of odd length first gets a copy of its first voxel at its end.
- Deeper levels use the same filters again, without zeros between their taps.
- Laplacian of Gaussian is a recursive approximation without a radius, multiplied by sigma², and refers to millimetres;
  it is computed in single precision.

PyRadiomics filters the image that it is given, which it cuts to the region and a few voxels only where it resamples:
the values depend on that, here as there.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import numpy as np
import pywt
from pydantic import Field, field_validator

from tumorboard.radiomics.filters.base import Bank, Box, Filter, Margin, Spacing
from tumorboard.radiomics.pyradiomics.laplacian import REACH, check_size, laplacian
from tumorboard.radiomics.pyradiomics.wavelets import bands
from tumorboard.radiomics.region import Float

BANDS = tuple("".join(letters) for letters in product("LH", repeat=3))
"""Low or high along i, j, k."""


def pyradiomics_log(image: Float, spacing_mm: Spacing, sigma_mm: float, box: Box | None = None) -> Float:
    """Return the Laplacian of Gaussian of PyRadiomics.

    Parameters
    ----------
    image : ndarray, shape (i, j, k)
    spacing_mm : (float, float, float)
        Along i, j, k.
    sigma_mm : float
        Of the Gaussian.
    box : three slices, optional
        Where the response is wanted.

    Returns
    -------
    ndarray of float64, shape of the box or of the image

    Raises
    ------
    InputError
        The image is too small: PyRadiomics leaves such a sigma out.

    Examples
    --------
    >>> image = np.zeros((9, 9, 9)); image[4, 4, 4] = 1.0
    >>> bool(pyradiomics_log(image, (1.0, 1.0, 1.0), 1.0)[4, 4, 4] < 0)
    True
    """
    check_size(image.shape, spacing_mm, sigma_mm)
    return laplacian(image, spacing_mm, sigma_mm, _ends(image.shape, box)).astype(np.float64)


def pyradiomics_wavelet(
    image: Float, wavelet: str = "coif1", level: int = 1, box: Box | None = None
) -> dict[str, Float]:
    """Return the wavelet bands of PyRadiomics by its names.

    Parameters
    ----------
    image : ndarray of float64, shape (i, j, k)
        Finite.
    wavelet : str
        A discrete family of PyWavelets.
    level : int
        Number of levels.
    box : three slices, optional
        Where the bands are wanted; only what they depend on is computed.

    Returns
    -------
    dict of str to ndarray of float64
        ``wavelet-LLH`` to ``wavelet-HHH``, ``wavelet2-LLH`` …, and the last approximation, ``wavelet-LLL`` where there
        is one level; letters along i, j, k.

    Examples
    --------
    >>> found = pyradiomics_wavelet(np.ones((4, 5, 6)))
    >>> len(found), bool(np.allclose(found["wavelet-LLL"], 2**1.5)), bool(np.allclose(found["wavelet-HHH"], 0))
    (8, True, True)
    """
    return dict(bands(image, _ends(image.shape, box), wavelet, level))


def _ends(shape: tuple[int, ...], box: Box | None) -> Box:
    """Return the box, or all of the image, with start and stop."""
    i, j, k = (slice(*part.indices(size)[:2]) for part, size in zip(box or (slice(None),) * 3, shape, strict=True))
    return i, j, k


class PyRadiomicsLog(Filter):
    """Laplacian of Gaussian of PyRadiomics; see :func:`pyradiomics_log`.

    Examples
    --------
    >>> PyRadiomicsLog(sigma_mm=3.0).name
    'log-sigma-3-0-mm-3D'
    """

    sigma_mm: float = Field(gt=0, le=100)

    @property
    def name(self) -> str:
        """As PyRadiomics names it."""
        return f"log-sigma-{str(self.sigma_mm).replace('.', '-')}-mm-3D"

    def margin(self, spacing_mm: Spacing) -> Margin | None:
        """Where the recursive filter has died away: ``REACH`` times sigma."""
        i, j, k = (int(np.ceil(REACH * self.sigma_mm / step)) for step in spacing_mm)
        return i, j, k

    def apply(self, image: Float, spacing_mm: Spacing, box: Box | None = None) -> Float:
        """Return the response; see :meth:`Filter.apply`."""
        return pyradiomics_log(image, spacing_mm, self.sigma_mm, box)


class PyRadiomicsWavelet(Bank):
    """Wavelet bands of PyRadiomics; see :func:`pyradiomics_wavelet`.

    Examples
    --------
    >>> PyRadiomicsWavelet().names[0]
    'wavelet-LLH'
    """

    wavelet: str = "coif1"
    level: int = Field(default=1, ge=1, le=6)

    @field_validator("wavelet")
    @classmethod
    def _discrete(cls, value: str) -> str:
        if value not in pywt.wavelist(kind="discrete"):
            raise ValueError("a discrete wavelet of PyWavelets, as haar, db3 or coif1")
        return value

    @property
    def names(self) -> tuple[str, ...]:
        """As PyRadiomics names them, in its order."""
        levels = ["" if at == 1 else f"{at}" for at in range(1, self.level + 1)]
        details = tuple(f"wavelet{at}-{band}" for at in levels for band in BANDS if band != "LLL")
        return (*details, f"wavelet{levels[-1]}-LLL")

    def margin(self, spacing_mm: Spacing) -> Margin | None:
        """None: the image goes on at its other end."""
        return None

    def responses(self, image: Float, spacing_mm: Spacing, box: Box | None = None) -> Iterator[tuple[str, Float]]:
        """Yield every band; see :meth:`Filter.apply`."""
        yield from bands(image, _ends(image.shape, box), self.wavelet, self.level)
