"""Filters given in the Fourier domain: their axis of frequencies, their transfer function, their way there and back.

Why it exists: the standard's reference maps have frequencies on a grid that reaches from -1 to 1 inclusive, which is
not that of the discrete Fourier transform: there no voxel of an even axis has frequency zero. Only the real part of
the response counts, so the transfer function is averaged with that of the opposite frequency, and half of the spectrum
suffices.

Source: IBSI reference manual for image filters, arXiv:2006.05470, non-separable wavelets; grid found from the reference
maps: the grid of the Fourier transform differs from them by 2.5 % and 8 % at the second and third level.
"""

from __future__ import annotations

import math

import numpy as np
from scipy import fft

from tumorboard.compiled import compiled
from tumorboard.radiomics.filters.base import Rows
from tumorboard.radiomics.region import Float

Complex = np.ndarray[tuple[int, ...], np.dtype[np.complex128]]


def frequencies(size: int, kept: int | None = None) -> Float:
    """Return the frequency of each Fourier coefficient along an axis, and that of its opposite, 1 at Nyquist.

    Parameters
    ----------
    size : int
        Voxels along the axis; an axis of one voxel has frequency 0.
    kept : int, optional
        Number of coefficients, from the first.

    Returns
    -------
    ndarray of float64, shape (2, kept)

    Examples
    --------
    >>> frequencies(5).tolist()
    [[0.0, 0.5, 1.0, -1.0, -0.5], [0.0, -0.5, -1.0, 1.0, 0.5]]
    """
    here = np.fft.ifftshift(np.linspace(-1.0, 1.0, size)) if size > 1 else np.zeros(1)
    there = here[-np.arange(size) % size]
    return np.ascontiguousarray(np.stack([here, there])[:, :kept])


def transfer(
    axes: tuple[Float, Float, Float], level: int | None = None, order: tuple[int, int, int] = (0, 0, 0)
) -> Float:
    """Return the real transfer function of a Simoncelli wavelet, of a Riesz transform, or of one after the other.

    Parameters
    ----------
    axes : three ndarrays of float64, shape (2, n)
        From :func:`frequencies`.
    level : int or None
        Of the Simoncelli wavelet, from 1; None: without it.
    order : (int, int, int)
        Of the Riesz transform along each axis; zeros: without it. The factor (-i) to the power of their sum is left
        out.

    Returns
    -------
    ndarray of float64, shape (n_i, n_j, n_k)
        Averaged with that of the opposite frequency, so that the response is real.

    Examples
    --------
    >>> line, none = frequencies(9, 5), frequencies(1)
    >>> squares = sum(transfer((line, none, none), level) ** 2 for level in (1, 2))
    >>> squares.ravel().round(3).tolist()
    [0.0, 1.0, 1.0, 0.368, 0.0]
    """
    total = sum(order)
    weight = math.sqrt(math.factorial(total) / math.prod(math.factorial(n) for n in order))
    return weight * _transfer(*axes, 0 if level is None else level, np.array(order, dtype=np.int64))


@compiled
def _transfer(
    i_axis: Float, j_axis: Float, k_axis: Float, level: int, order: np.ndarray[tuple[int], np.dtype[np.int64]]
) -> Float:
    out = np.zeros((i_axis.shape[1], j_axis.shape[1], k_axis.shape[1]))
    total = order[0] + order[1] + order[2]
    # the opposite frequency counts with the sign of an odd order
    signs = (0.5, -0.5 if total % 2 else 0.5)
    highest = 0.5 ** (level - 1) if level else np.inf
    lowest = highest / 4.0 if level else 0.0
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            for k in range(out.shape[2]):
                value = 0.0
                for side in range(2):
                    x, y, z = i_axis[side, i], j_axis[side, j], k_axis[side, k]
                    length = math.sqrt(x * x + y * y + z * z)
                    if length < lowest or length > highest or (total and length == 0.0):
                        continue
                    part = signs[side]
                    if level:
                        part *= math.cos(math.pi / 2.0 * math.log2(2.0 * length / highest))
                    if total:
                        part *= x ** order[0] * y ** order[1] * z ** order[2] / length**total
                    value += part
                out[i, j, k] = value
    return out


def filtered(image: Float, function: Float, rows: Rows, dimensions: int = 3) -> Float:
    """Return the image filtered by a transfer function, at the wanted voxels.

    Parameters
    ----------
    image : ndarray of float64, shape (i, j, k)
        Goes on periodically.
    function : ndarray of float64 or complex128
        On half of the coefficients along the last transformed axis; one plane where ``dimensions`` is 2.
    rows : three ndarrays of int
        Wanted voxels along each axis.
    dimensions : {2, 3}
        Two: each plane of constant k alone.

    Returns
    -------
    ndarray of float64, shape of the rows

    Examples
    --------
    >>> image = np.arange(24.0).reshape(2, 3, 4)
    >>> same = filtered(image, np.ones((2, 3, 3)), (np.arange(2), np.arange(3), np.arange(1, 3)))
    >>> bool(np.allclose(same, image[:, :, 1:3]))
    True
    """
    last = dimensions - 1
    taken = image if dimensions == 3 else np.ascontiguousarray(image[:, :, rows[2]])
    spectrum = fft.rfft(taken, axis=last)
    for axis in range(last):
        spectrum = fft.fft(spectrum, axis=axis, overwrite_x=True)
    spectrum *= function
    # one axis after the other, each on the wanted rows of those before
    for axis in range(last):
        spectrum = fft.ifft(spectrum, axis=axis, overwrite_x=True)
        spectrum = spectrum[(slice(None),) * axis + (rows[axis],)]
    found = fft.irfft(spectrum, image.shape[last], axis=last)
    return np.ascontiguousarray(found[(slice(None),) * last + (rows[last],)])
