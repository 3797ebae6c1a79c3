"""Gabor filters: a wave under a Gaussian in a plane, its modulus pooled over directions and planes.

Why it exists: stripes of one width and direction answer to it. Rotated elliptic kernels are no products of
one-dimensional ones, so planes are filtered in the Fourier domain; the two halves of a turn give the same modulus and
are computed once.

Source: IBSI reference manual for image filters, arXiv:2006.05470, Gabor (Q88H):
exp(-(x'² + gamma² y'²) / 2 sigma² + 2 pi i x' / lambda) with x' = x cos theta + y sin theta and
y' = -x sin theta + y cos theta. x and y are the first and the second axis of a plane. The standard sets no size of the
kernel: here it ends at 6 standard deviations, where the Gaussian is 1.5e-8.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import numpy as np
from pydantic import Field, model_validator
from scipy import fft

from tumorboard.radiomics.filters.base import Box, Filter, Margin, Spacing, rows_of, suffix
from tumorboard.radiomics.filters.boundary import Boundary, gathered, sources
from tumorboard.radiomics.filters.rotate import Pooling
from tumorboard.radiomics.region import Float

WIDTH = 6.0
"""Radius of a kernel in standard deviations of its wider Gaussian."""

CHUNK = 8
"""Planes that are transformed at a time, so that they stay in the cache."""

Complex = np.ndarray[tuple[int, ...], np.dtype[np.complex128]]


class Gabor(Filter):
    """Modulus of the response to Gabor kernels.

    Examples
    --------
    >>> i = np.arange(40.0)[:, None, None] * np.ones((1, 40, 1))
    >>> wave = Gabor(sigma_mm=3.0, wavelength_mm=4.0).apply(np.cos(np.pi / 2 * i), (1.0, 1.0, 1.0))
    >>> bool(np.isclose(wave[20, 20, 0], np.pi * 9))
    True
    """

    code: ClassVar[str] = "Q88H"

    sigma_mm: float = Field(gt=0, le=100, description="standard deviation of the Gaussian along the wave")
    wavelength_mm: float = Field(gt=0, le=200)
    gamma: float = Field(default=1.0, gt=0, le=10, description="sigma along the wave over sigma across it")
    theta_deg: float = Field(default=0.0, description="direction of the wave, from the first axis to the second")
    step_deg: float | None = Field(default=None, gt=0, le=180, description="pool over directions so far apart")
    planes: bool = Field(default=False, description="pool over the three planes along the axes, not the third alone")
    pooling: Pooling = "mean"
    boundary: Boundary = "mirror"

    @model_validator(mode="after")
    def _divides(self) -> Gabor:
        if self.step_deg is not None and abs(round(360 / self.step_deg) - 360 / self.step_deg) > 1e-9:
            raise ValueError("a step of directions that divides 360 degrees")
        return self

    @property
    def name(self) -> str:
        """As ``gabor_sigma5.0mm_lambda2.0mm_gamma1.5_theta0_step22.5_3D_mean``."""
        shape = f"gabor_sigma{self.sigma_mm}mm_lambda{self.wavelength_mm}mm_gamma{self.gamma:g}_theta{self.theta_deg:g}"
        step = "" if self.step_deg is None else f"_step{self.step_deg:g}"
        pooled = "" if self.step_deg is None and not self.planes else f"_{self.pooling}"
        return shape + step + ("_3D" if self.planes else "_2D") + pooled + suffix(self.boundary)

    def margin(self, spacing_mm: Spacing) -> Margin | None:
        """Radius of the kernel along each axis."""
        if self.boundary == "periodic":
            return None
        i, j, k = (self._radius(step) for step in spacing_mm)
        return i, j, k if self.planes else 0

    def apply(self, image: Float, spacing_mm: Spacing, box: Box | None = None) -> Float:
        """Return the pooled modulus; see :meth:`Filter.apply`."""
        rows = rows_of(image.shape, box)
        pool = _Pool(self.pooling)
        for apart in (2, 1, 0) if self.planes else (2,):
            plane = [axis for axis in range(3) if axis != apart]
            radii = (self._radius(spacing_mm[plane[0]]), self._radius(spacing_mm[plane[1]]))
            reached = list(rows)
            for axis, radius in zip(plane, radii, strict=True):
                first, last = int(rows[axis][0]), int(rows[axis][-1])
                reached[axis] = sources(np.arange(first - radius, last + radius + 1), image.shape[axis], self.boundary)
            stack = np.moveaxis(gathered(image, (reached[0], reached[1], reached[2])), apart, 0)
            steps = (spacing_mm[plane[0]], spacing_mm[plane[1]])
            kernels = [(self._kernel(theta, radii, steps), weight) for theta, weight in self._directions()]
            for modulus, weight in _moduli(np.ascontiguousarray(stack), kernels):
                pool.add(np.moveaxis(modulus, 0, apart), weight)
        return pool.result()

    def _directions(self) -> list[tuple[float, int]]:
        """Directions in radians that differ in modulus, and how often each is met around the circle."""
        count = 1 if self.step_deg is None else round(360 / self.step_deg)
        found: dict[float, int] = {}
        for turn in range(count):
            theta = round((self.theta_deg + turn * (self.step_deg or 0.0)) % 180.0, 9)
            found[theta] = found.get(theta, 0) + 1
        return [(float(np.deg2rad(theta)), weight) for theta, weight in found.items()]

    def _kernel(self, theta: float, radii: tuple[int, int], steps: tuple[float, float]) -> Complex:
        x, y = (np.arange(-radius, radius + 1) * step for radius, step in zip(radii, steps, strict=True))
        along = x[:, None] * np.cos(theta) + y[None, :] * np.sin(theta)
        across = -x[:, None] * np.sin(theta) + y[None, :] * np.cos(theta)
        gauss = np.exp(-(along**2 + (self.gamma * across) ** 2) / (2 * self.sigma_mm**2))
        wave: Complex = gauss * np.exp(2j * np.pi * along / self.wavelength_mm)
        return wave

    def _radius(self, step_mm: float) -> int:
        return int(np.ceil(WIDTH * self.sigma_mm * max(1.0, 1.0 / self.gamma) / step_mm))


class _Pool:
    """Running mean, maximum or minimum."""

    def __init__(self, how: Pooling) -> None:
        self._how, self._sum, self._weight = how, np.zeros(()), 0

    def add(self, response: Float, weight: int) -> None:
        if self._how == "mean":
            self._sum = self._sum + weight * response
        elif not self._weight:
            self._sum = response
        else:
            self._sum = (np.maximum if self._how == "max" else np.minimum)(self._sum, response)
        self._weight += weight

    def result(self) -> Float:
        return np.ascontiguousarray(self._sum / self._weight if self._how == "mean" else self._sum)


def _moduli(stack: Float, kernels: list[tuple[Complex, int]]) -> Iterator[tuple[Float, int]]:
    """Yield the modulus of the response to each kernel where it lies wholly inside the planes of a stack."""
    tall, wide = kernels[0][0].shape
    size = tuple(fft.next_fast_len(n, real=True) for n in stack.shape[1:])
    inside = (slice(None), slice(tall - 1, stack.shape[1]), slice(wide - 1, stack.shape[2]))
    chunks = [slice(at, at + CHUNK) for at in range(0, len(stack), CHUNK)]
    spectra = [fft.rfft2(stack[chunk], size) for chunk in chunks]
    for kernel, weight in kernels:
        modulus = np.empty((len(stack), stack.shape[1] - tall + 1, stack.shape[2] - wide + 1))
        real, imaginary = fft.rfft2(kernel.real, size), fft.rfft2(kernel.imag, size)
        for chunk, spectrum in zip(chunks, spectra, strict=True):
            squared = fft.irfft2(spectrum * real, size)[inside] ** 2
            squared += fft.irfft2(spectrum * imaginary, size)[inside] ** 2
            np.sqrt(squared, out=modulus[chunk])
        yield modulus, weight
