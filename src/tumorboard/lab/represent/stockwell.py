"""The discrete orthonormal S-transform: how much of an image lies in each band of frequency, and where.

Why it exists: texture is frequency with a place. A Fourier transform has no place, a wavelet no frequency; this has
both, keeps all energy, and is inverted exactly.

Source: Stockwell RG, Digit Signal Process 2007;17:371-393 (basis); Wang Y, Orchard J, IEEE Signal Process Lett
2009;16:850-853 (fast algorithm by FFT, and its ortho-normality).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tumorboard.errors import InputError

Complex = NDArray[np.complex128]


def bands(length: int) -> tuple[tuple[int, int, int], ...]:
    """Return the bands of a signal: first index among shifted frequencies, width, and order (negative: below 0).

    Parameters
    ----------
    length : int
        A power of two, at least 4.

    Raises
    ------
    InputError
        Another length.

    Examples
    --------
    >>> bands(8)
    ((0, 1, -3), (1, 2, -2), (3, 1, -1), (4, 1, 0), (5, 1, 1), (6, 2, 2))
    """
    if length < 4 or length & (length - 1):
        raise InputError("a length that is a power of two, at least 4", got=str(length), where="S-transform")
    half = length // 2
    rising = [(half, 1, 0), (half + 1, 1, 1)]
    order = 2
    while 2 ** (order - 1) < half:
        rising.append((half + 2 ** (order - 1), 2 ** (order - 1), order))
        order += 1
    falling = [(0, 1, -order)]
    falling += [(half - 2 * width + 1, width, -p) for _, width, p in reversed(rising[1:])]
    return tuple(falling + rising)


def dost(signal: NDArray[np.generic]) -> Complex:
    """Transform along the last axis.

    Parameters
    ----------
    signal : ndarray, shape (..., n)
        n a power of two.

    Returns
    -------
    ndarray of complex128, shape (..., n)
        Coefficients, band after band (:func:`bands`), in each band by place; the sum of squares is that of the signal.

    Raises
    ------
    InputError
        Another length.

    Examples
    --------
    >>> x = np.arange(8.0)
    >>> bool(np.isclose((np.abs(dost(x)) ** 2).sum(), (x**2).sum()))
    True
    """
    x = np.asarray(signal, dtype=np.complex128)
    spectrum = np.fft.fftshift(np.fft.fft(x, norm="ortho", axis=-1), axes=-1)
    out = np.empty_like(spectrum)
    for start, width, _ in bands(x.shape[-1]):
        at = slice(start, start + width)
        out[..., at] = np.fft.ifft(np.fft.ifftshift(spectrum[..., at], axes=-1), norm="ortho", axis=-1)
    return out


def inverse_dost(coefficients: Complex) -> Complex:
    """Undo :func:`dost`.

    Examples
    --------
    >>> x = np.arange(16.0)
    >>> np.allclose(inverse_dost(dost(x)), x)
    True
    """
    c = np.asarray(coefficients, dtype=np.complex128)
    spectrum = np.empty_like(c)
    for start, width, _ in bands(c.shape[-1]):
        at = slice(start, start + width)
        spectrum[..., at] = np.fft.fftshift(np.fft.fft(c[..., at], norm="ortho", axis=-1), axes=-1)
    return np.asarray(np.fft.ifft(np.fft.ifftshift(spectrum, axes=-1), norm="ortho", axis=-1))


def dost2(image: NDArray[np.generic]) -> Complex:
    """Transform the last two axes, both of a length that is a power of two.

    Examples
    --------
    >>> x = np.arange(64.0).reshape(8, 8)
    >>> np.allclose(inverse_dost2(dost2(x)), x)
    True
    """
    return np.swapaxes(dost(np.swapaxes(dost(image), -1, -2)), -1, -2)


def inverse_dost2(coefficients: Complex) -> Complex:
    """Undo :func:`dost2`."""
    return np.swapaxes(inverse_dost(np.swapaxes(inverse_dost(coefficients), -1, -2)), -1, -2)


def ring_energy(image: NDArray[np.generic]) -> NDArray[np.float64]:
    """Return how much energy each ring of frequency has at every pixel.

    Bands of both axes are joined by the larger of their orders, so that a turned or mirrored texture gives nearly the
    same. The energy of a coefficient is spread evenly over the pixels it stands for.

    Parameters
    ----------
    image : ndarray, shape (n, n)
        n a power of two.

    Returns
    -------
    ndarray of float64, shape (rings, n, n)
        Rings from the mean (0) to the finest; the sum over all is the sum of squares of the image.

    Examples
    --------
    >>> flat = ring_energy(np.full((8, 8), 2.0))
    >>> flat.sum(axis=(1, 2)).round(6).tolist()
    [256.0, 0.0, 0.0, 0.0]
    """
    energy = np.abs(dost2(image)) ** 2
    size = energy.shape[0]
    known = bands(size)
    orders = sorted({abs(p) for _, _, p in known})
    out = np.zeros((len(orders), size, size))
    for start, width, p in known:
        for other, high, q in known:
            block = energy[start : start + width, other : other + high]
            pixels = np.kron(block, np.full((size // width, size // high), width * high / size**2))
            out[orders.index(max(abs(p), abs(q)))] += pixels
    return out
