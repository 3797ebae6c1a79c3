"""Planes that are tilted, shifted or uneven, resampled once onto a right-angled grid.

Why it exists: a :class:`~tumorboard.volume.Volume` has voxel axes at right angles and even steps; a scanner
need not. Planes are shifted within themselves and interpolated along the normal, both linearly: values
that are linear in space stay exact.
"""

from __future__ import annotations

from collections.abc import Sequence as Many
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tumorboard.io.dicom.geometry import EVEN_MM, Stack, axes_of, grid_from, plane_grid, stack_of
from tumorboard.series import Plane
from tumorboard.volume import Volume

Frames = NDArray[np.float32]


def on_grid(frames: NDArray[Any], planes: Many[Plane]) -> Volume:
    """Return frames as a volume, resampled only where their planes make no right-angled even grid.

    Parameters
    ----------
    frames : ndarray, shape (planes, rows, columns)
        Values.
    planes : sequence of Plane
        Sorted; at least two.

    Returns
    -------
    Volume
        data[i = column, j = row, k = plane], RAS mm; float32 where resampled, 0 where no plane has a pixel.
    """
    stack = stack_of(planes)
    if stack.straight and stack.even:
        return Volume(frames.transpose(2, 1, 0), plane_grid(planes))
    row, column, normal = axes_of(planes[0])
    down_mm, across_mm = planes[0].spacing_mm
    drift = stack.drift if np.abs(stack.drift).max() > EVEN_MM else np.zeros_like(stack.drift)
    pixels = drift[:, ::-1] / (down_mm, across_mm)  # (rows, columns), as arrays are indexed
    low, high = np.floor(pixels.min(axis=0)).astype(int), np.ceil(pixels.max(axis=0)).astype(int)
    out = _shifted(frames, pixels - low, (int(high[0] - low[0]), int(high[1] - low[1])))
    if not stack.even:
        out = _evened(out, stack)
    start = np.array(planes[0].position_mm) + low[1] * across_mm * row + low[0] * down_mm * column
    more = out.shape[2] - frames.shape[2], out.shape[1] - frames.shape[1]
    return Volume(out.transpose(2, 1, 0), grid_from(planes[0], start, normal * stack.gap_mm, len(planes), more))


def _shifted(frames: NDArray[Any], pixels: NDArray[np.float64], more: tuple[int, int]) -> Frames:
    """Shift each frame by (rows, columns) on a canvas that holds them all."""
    from scipy import ndimage as ndi

    count, rows, columns = frames.shape
    out = np.zeros((count, rows + more[0], columns + more[1]), dtype=np.float32)
    for frame, shift, canvas in zip(frames, pixels, out, strict=True):
        padded = np.pad(frame.astype(np.float32), ((0, more[0]), (0, more[1])))
        ndi.shift(padded, shift, output=canvas, order=1)
    return out


def _evened(frames: Frames, stack: Stack) -> Frames:
    """Interpolate between the two neighbours of every even place."""
    places = stack.places
    at = np.interp(np.linspace(places[0], places[-1], len(places)), places, np.arange(len(places)))
    low = np.clip(np.floor(at).astype(int), 0, len(places) - 2)
    part = (at - low).astype(np.float32)[:, None, None]
    return np.asarray(frames[low] * (1 - part) + frames[low + 1] * part, dtype=np.float32)
