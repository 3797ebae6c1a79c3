"""Raw data: several coils, lines that are left out, and a head that moves between lines.

Why it exists: ghosting and undersampling happen in k-space, and reconstruction needs raw data whose image is known.
Slices are two-dimensional Fourier planes (axes i and j); the second axis is the phase-encoding direction.
Source: Haacke EM et al., Magnetic Resonance Imaging, Wiley 1999, chapters 9-12.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tumorboard.simulate.fields import Float

Complex = NDArray[np.complex64]


def raw_data(
    image: Float, coils: Complex, rng: np.random.Generator, noise: float = 0.0, lines: NDArray[np.bool_] | None = None
) -> Complex:
    """Return the raw data of every slice as several coils receive it.

    Parameters
    ----------
    image : ndarray, shape (i, j, k)
        Magnitude.
    coils : ndarray of complex64, shape (c, i, j, k)
        Sensitivities, such as :func:`tumorboard.simulate.scanner.sites.shading`.
    rng : numpy.random.Generator
        Source of noise.
    noise : float
        Standard deviation of each channel in units of the image.
    lines : ndarray of bool, shape (j,), optional
        Which phase-encoding lines are acquired; the others are 0.

    Returns
    -------
    ndarray of complex64, shape (c, i, j, k)
        Unitary, centred transform.

    Examples
    --------
    >>> image = np.ones((4, 4, 1), np.float32)
    >>> data = raw_data(image, np.ones((1, 4, 4, 1), np.complex64), np.random.default_rng(0))
    >>> bool(np.allclose(from_raw_data(data), image, atol=1e-5))
    True
    """
    data = _transform(image[None] * coils)
    if noise > 0:
        channels = rng.standard_normal((2, *data.shape), dtype=np.float32) * np.float32(noise)
        data = data + channels[0] + 1j * channels[1]
    if lines is not None:
        data = data * lines[None, None, :, None]
    return np.asarray(data, dtype=np.complex64)


def from_raw_data(data: Complex) -> Float:
    """Return the root of the sum of squares over coils, shape (i, j, k)."""
    images = np.fft.fftshift(np.fft.ifft2(np.fft.ifftshift(data, axes=(1, 2)), axes=(1, 2), norm="ortho"), axes=(1, 2))
    return np.asarray(np.sqrt((np.abs(images) ** 2).sum(axis=0)), dtype=np.float32)


def kept_lines(n: int, acceleration: int, centre: int, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Return which lines a random undersampling keeps: all in the middle, one in ``acceleration`` elsewhere.

    Raises
    ------
    ValueError
        An acceleration below 1, or more lines in the middle than there are.

    Examples
    --------
    >>> lines = kept_lines(128, 4, 16, np.random.default_rng(0))
    >>> bool(lines[56:72].all()), 36 <= int(lines.sum()) <= 50
    (True, True)
    """
    if acceleration < 1 or not 0 <= centre <= n:
        told = f"an acceleration from 1 and 0 to {n} lines in the middle"
        raise ValueError(f"expected {told}; got {acceleration} and {centre}")
    kept = np.zeros(n, dtype=np.bool_)
    low = (n - centre) // 2
    kept[low : low + centre] = True
    others = np.flatnonzero(~kept)
    kept[rng.choice(others, size=max(0, round(len(others) / acceleration)), replace=False)] = True
    return kept


def ghosted(image: Float, shift_voxels: float, part: float, rng: np.random.Generator) -> Float:
    """Return an image of a head that had moved along j while a part of the lines was acquired.

    Parameters
    ----------
    image : ndarray, shape (i, j, k)
        At rest.
    shift_voxels : float
        How far it moved.
    part : float
        Of the lines, 0 to 1; they come in bursts, as breathing or swallowing does.
    rng : numpy.random.Generator
        Which lines.

    Returns
    -------
    ndarray of float32, shape (i, j, k)

    Examples
    --------
    >>> still = np.ones((4, 8, 1), np.float32)
    >>> bool(np.allclose(ghosted(still, 2.0, 0.0, np.random.default_rng(0)), still, atol=1e-5))
    True
    """
    data = _transform(image[None].astype(np.complex64))
    n = image.shape[1]
    moved = np.zeros(n, dtype=np.bool_)
    for start in rng.integers(0, n, size=max(0, round(part * n / 6))):
        moved[start : start + 6] = True
    if part == 0:
        moved[:] = False
    frequency = (np.arange(n) - n // 2) / n
    phase = np.where(moved, np.exp(-2j * np.pi * frequency * shift_voxels), 1.0)
    return from_raw_data(np.asarray(data * phase[None, None, :, None], dtype=np.complex64))


def _transform(images: Complex) -> Complex:
    shifted = np.fft.ifftshift(images, axes=(1, 2))
    return np.asarray(np.fft.fftshift(np.fft.fft2(shifted, axes=(1, 2), norm="ortho"), axes=(1, 2)), dtype=np.complex64)
