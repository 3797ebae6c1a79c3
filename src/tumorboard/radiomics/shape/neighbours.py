"""How alike voxels are that lie close together: sums over all pairs of voxels.

Why it exists: Moran's I and Geary's C weigh every pair of voxels with the inverse of its distance. The weight depends
on the displacement only, so each sum is a convolution, and its value follows from Fourier transforms of the box: exact,
in a fraction of a second where the sum over pairs takes hours.

Source: IBSI reference manual, features N365 and NPT7; Moran PAP, Biometrika 1950;37:17-23; Geary RC, Inc Stat
1954;5:115-145.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from tumorboard.compiled import compiled

Float = NDArray[np.float64]
Spacing = tuple[float, float, float]

BLOCK = 4
"""Frequencies along k that are transformed together: they fit into the processor's cache."""


def _weights(sizes: tuple[int, ...], spacing_mm: tuple[float, ...]) -> Float:
    """Return the Fourier transform of the inverse distance; it is the same for positive and negative frequencies."""
    squares = [(np.arange(size // 2 + 1) * step) ** 2 for size, step in zip(sizes, spacing_mm, strict=True)]
    distance = np.sqrt(squares[0][:, None, None] + squares[1][:, None] + squares[2])
    distance[0, 0, 0] = np.inf  # a voxel is no neighbour of itself
    return np.asarray(fft.dctn(1 / distance, type=1, overwrite_x=True), dtype=np.float64)


@compiled
def _sum(spectra: NDArray[np.complex128], weights: Float) -> Float:
    """Return the sums over one plane of frequencies: ones with ones, values with values, ones with squares."""
    found = np.zeros(3)
    _, size_i, size_j = spectra.shape
    for i in range(size_i):
        row = weights[min(i, size_i - i)]
        one_one, value_value, one_square = 0.0, 0.0, 0.0
        for j in range(size_j):
            weight = row[min(j, size_j - j)]
            one, value, square = spectra[0, i, j], spectra[1, i, j], spectra[2, i, j]
            one_one += weight * (one.real * one.real + one.imag * one.imag)
            value_value += weight * (value.real * value.real + value.imag * value.imag)
            one_square += weight * (one.real * square.real + one.imag * square.imag)
        found += np.array([one_one, value_value, one_square])
    return found


def pair_sums(values: Float, mask: NDArray[np.bool_], spacing_mm: Spacing) -> tuple[float, float, float]:
    """Return sums over all ordered pairs of voxels, weighted with the inverse of their distance.

    Parameters
    ----------
    values : ndarray of float64, shape (i, j, k)
        0 outside the mask.
    mask : ndarray of bool, shape (i, j, k)
        Voxels that count; best cut to its box.
    spacing_mm : (float, float, float)
        Voxel size.

    Returns
    -------
    weights, products, squares : float
        Sums of the weight, of the weight times both values, and of the weight times the square of the first value.

    Examples
    --------
    >>> pair = np.array([[[2.0, 3.0]]])
    >>> [round(total, 9) for total in pair_sums(pair, pair > 0, (1.0, 1.0, 0.5))]
    [4.0, 24.0, 26.0]
    """
    size_i, size_j, size_k = (2 * fft.next_fast_len(size) for size in mask.shape)
    weights = _weights((size_k, size_i, size_j), (spacing_mm[2], spacing_mm[0], spacing_mm[1]))
    half = np.moveaxis(fft.rfft(np.stack([mask, values, values * values]), n=size_k, axis=3), 3, 0)
    total = np.zeros(3)
    for start in range(0, len(half), BLOCK):
        block = fft.fft(np.ascontiguousarray(half[start : start + BLOCK]), n=size_j, axis=3)
        for n, spectra in enumerate(fft.fft(block, n=size_i, axis=2, overwrite_x=True), start):
            # a frequency along k stands for its negative too, but for the first and the last
            total += _sum(spectra, weights[n]) * (1 if n in (0, size_k // 2) else 2)
    one_one, value_value, one_square = (float(part) for part in total / (size_i * size_j * size_k))
    return one_one, value_value, one_square


def moran_and_geary(image: Float, mask: NDArray[np.bool_], spacing_mm: Spacing) -> tuple[float, float]:
    """Return Moran's I and Geary's C of the intensities inside a mask.

    Parameters
    ----------
    image : ndarray of float64, shape (i, j, k)
        Intensities.
    mask : ndarray of bool, shape (i, j, k)
        Voxels that count; best cut to its box.
    spacing_mm : (float, float, float)
        Voxel size.

    Returns
    -------
    moran, geary : float
        NaN where there is one voxel or one intensity only.

    Examples
    --------
    >>> two = np.array([[[1.0, 2.0]]])
    >>> [round(value, 9) for value in moran_and_geary(two, two > 0, (1.0, 1.0, 1.0))]
    [-1.0, 1.0]
    """
    inside = image[mask]
    if inside.size < 2 or inside.min() == inside.max():
        return np.nan, np.nan
    values = np.zeros(mask.shape)
    values[mask] = (inside - inside.mean()) / inside.std()
    weights, products, squares = pair_sums(values, mask, spacing_mm)
    size, total = inside.size, float(np.sum(values**2))
    return size * products / (weights * total), (size - 1) * (squares - products) / (weights * total)
