"""The wavelet bands of PyRadiomics, in a box of the image.

Why it exists: a band in a box needs few voxels around it, and bands that begin alike share their first passes; what is
left of eight transforms of a head is 14 short passes over a tumour. Sums are taken in the order and in the precision of
PyWavelets, since a voxel that crosses the edge of a bin changes textures.

Source: van Griethuysen JJM et al., Cancer Res 2017;77:e104-e107 (pyradiomics 3, ``imageoperations.py``); Lee GR et al.,
PyWavelets, J Open Source Softw 2019;4:1237. Images go on periodically; an axis of odd length first gets a copy of its
first voxel at its end. Deeper levels use the same filters again, without zeros between their taps.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np
import pywt
from numpy.typing import NDArray

from tumorboard.compiled import compiled

Box = tuple[slice, slice, slice]
Band = NDArray[Any]
AXES = (0, 1, 2)


def bands(
    image: Band, box: Box, wavelet: str = "coif1", levels: int = 1, start: int = 0, axes: Sequence[int] = AXES
) -> Iterator[tuple[str, Band]]:
    """Yield the bands of each level, and the last approximation.

    Parameters
    ----------
    image : ndarray, shape (i, j, k)
        All of the image; single precision stays single, all else becomes double.
    box : three slices
        Where the bands are wanted, with start and stop.
    wavelet : str
        A discrete family of PyWavelets.
    levels : int
        Number of levels that are yielded.
    start : int
        Number of levels before them, of which only the approximation is used.
    axes : sequence of int
        That are filtered, ascending.

    Yields
    ------
    str and ndarray, shape of the box
        ``wavelet-LLH`` …; the letters stand for the axes in order.

    Examples
    --------
    >>> image = np.ones((4, 6, 6)); image[:, :, ::2] = 0.0
    >>> found = dict(bands(image, (slice(0, 1),) * 3, "haar"))
    >>> [name for name, band in found.items() if abs(band.max()) > 0.1], round(float(found["wavelet-LLL"].max()), 6)
    (['wavelet-LLH', 'wavelet-LLL'], 1.414214)
    """
    low, high = _kernels(wavelet, image.dtype == np.float32)
    half, total = len(low) // 2, start + levels
    data = _around(image, box, (total * (half - 1), total * half), axes)
    for level in range(1 - start, levels + 1):
        left = levels - level
        turns = {axis: _turns(box[axis], image.shape[axis], left, half) for axis in axes}
        for letters, band in _split(data, low, high, turns):
            if letters == "L" * len(axes):
                approximation = band
            elif level > 0:
                yield _name(level, letters), _inner(band, left * (half - 1), left * half, axes)
        data = approximation
    yield _name(levels, "L" * len(axes)), data


def _name(level: int, letters: str) -> str:
    return f"wavelet{'' if level == 1 else level}-{letters}"


@cache
def _kernels(wavelet: str, single: bool) -> tuple[Band, Band]:
    """Return the taps that PyWavelets has in a precision: its answer to an impulse."""
    taps = pywt.Wavelet(wavelet).dec_len
    impulse = np.zeros(2 * taps, dtype=np.float32 if single else np.float64)
    impulse[taps] = 1.0
    ((low, high),) = pywt.swt(impulse, wavelet, level=1)
    first = taps - taps // 2
    return low[first : first + taps].copy(), high[first : first + taps].copy()


def _around(image: Band, box: Box, margin: tuple[int, int], axes: Sequence[int]) -> Band:
    """Return the box and what filters look at around it, from the other end of the image if need be."""
    places = []
    for axis, (part, size) in enumerate(zip(box, image.shape, strict=True)):
        before, after = margin if axis in axes else (0, 0)
        index = np.arange(part.start - before, part.stop + after) % (size + size % 2)
        places.append(np.where(index == size, 0, index))
    cut = image[tuple(slice(p.min(), p.max() + 1) for p in places)]
    precision = np.float32 if image.dtype == np.float32 else np.float64
    return np.ascontiguousarray(cut[np.ix_(*(p - p.min() for p in places))], dtype=precision)


def _inner(band: Band, before: int, after: int, axes: Sequence[int]) -> Band:
    kept = tuple(slice(before, n - after) if axis in axes else slice(None) for axis, n in enumerate(band.shape))
    return np.ascontiguousarray(band[kept])


def _turns(part: slice, size: int, left: int, half: int) -> NDArray[np.int64]:
    """Return how many taps of each output reach beyond the end of the image: PyWavelets adds these first, backwards."""
    period = size + size % 2
    places = np.arange(part.start - left * (half - 1), part.stop + left * half, dtype=np.int64) % period
    return (places + half - period + 1).clip(min=0)


def _split(data: Band, low: Band, high: Band, turns: Mapping[int, NDArray[np.int64]]) -> Iterator[tuple[str, Band]]:
    """Yield all combinations of low and high along the axes, one after the other."""
    if not turns:
        yield "", data
        return
    axis, *others = turns
    rest = {other: turns[other] for other in others}
    for letter, kernel in (("L", low), ("H", high)):
        for letters, band in _split(_filtered(data, kernel, axis, turns[axis]), low, high, rest):
            yield letter + letters, band


def _filtered(data: Band, kernel: Band, axis: int, turns: NDArray[np.int64]) -> Band:
    i, j, k = data.shape
    if axis == 2:
        return np.asarray(_along(data.reshape(i * j, k), kernel, turns)).reshape(i, j, -1)
    out = _across(data.reshape((1, i, j * k) if axis == 0 else (i, j, k)), kernel, turns)
    return np.asarray(out).reshape((-1, j, k) if axis == 0 else out.shape)


@compiled
def _across(data: Band, kernel: Band, turns: NDArray[np.int64]) -> Band:
    """Convolve the middle axis, which loses what the kernel overlaps."""
    taps = len(kernel)
    out = np.zeros((data.shape[0], data.shape[1] - taps + 1, data.shape[2]), data.dtype)
    for a in range(data.shape[0]):
        for o in range(out.shape[1]):
            for t in range(taps):
                tap = t if t >= turns[o] else turns[o] - 1 - t
                weight, row = kernel[tap], o + taps - 1 - tap
                for w in range(data.shape[2]):
                    out[a, o, w] += weight * data[a, row, w]
    return out


@compiled
def _along(data: Band, kernel: Band, turns: NDArray[np.int64]) -> Band:
    """Convolve the last of two axes, which loses what the kernel overlaps."""
    taps = len(kernel)
    out = np.zeros((data.shape[0], data.shape[1] - taps + 1), data.dtype)
    plain = 0
    while plain < len(turns) and turns[plain] == 0:
        plain += 1
    for a in range(data.shape[0]):
        for t in range(taps):
            weight, shift = kernel[t], taps - 1 - t
            for o in range(plain):
                out[a, o] += weight * data[a, o + shift]
        for o in range(plain, out.shape[1]):
            for t in range(taps):
                tap = t if t >= turns[o] else turns[o] - 1 - t
                out[a, o] += kernel[tap] * data[a, o + taps - 1 - tap]
    return out
