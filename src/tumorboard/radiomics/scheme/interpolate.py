"""Image and mask on a new grid that shares its centre with the old one.

Why it exists: features depend on the size of a voxel, so images are brought to one size first. A region is small and
an image is large: one asks for a box of the new grid and pays for that box. No axis is turned, so three passes along
one axis each replace the sum over 64 neighbours; an axis that keeps its spacing is not touched, bit by bit.

Beyond the image its outermost voxel goes on. Cubic is the interpolating B-spline of the image so continued.

Source: IBSI reference manual, arXiv:1612.07003, "Interpolation grid dimensions" (026Q), "Interpolation grid position"
(QCY4), "Partial volume effects in the ROI mask" (E8H9); Unser M et al., IEEE Trans Signal Process 1993;41:821-848.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from tumorboard.compiled import compiled
from tumorboard.radiomics.region import Float, Mask

Order = Literal["nearest", "linear", "cubic"]
Box = tuple[slice, ...]
Taps = tuple[NDArray[np.int64], Float]

MARGIN = 40
"""Voxels of neighbourhood that a cubic spline is given; the influence of a voxel falls by 0.268 with each step."""

POLE = 3.0**0.5 - 2.0
"""Of the recursive filter that finds the coefficients of a cubic spline."""

SAME = 1e-5
"""Spacings within this relative distance are equal: headers keep them in single precision."""

EXCESS = 1e-4
"""Fraction of a voxel by which a grid may stand out without another voxel being added."""

ROUNDING = 1e-9
"""Below a threshold by less than this is at the threshold."""


def aligned_grid(
    shape: Sequence[int], spacing_mm: Sequence[float], new_mm: Sequence[float]
) -> tuple[tuple[int, int, int], tuple[float, float, float]]:
    """Return the shape of the new grid, and where its first voxel lies.

    Parameters
    ----------
    shape : sequence of int
        Of the old grid.
    spacing_mm, new_mm : sequence of float
        Voxel size of the old and the new grid along each axis, in mm.

    Returns
    -------
    shape : (int, int, int)
        Of the new grid, rounded up.
    start : (float, float, float)
        Centre of the first new voxel along each axis, in old voxels; the grids share their centre.

    Raises
    ------
    ValueError
        A spacing is not positive.

    Examples
    --------
    >>> shape, start = aligned_grid((4, 4, 9), (3.0, 3.0, 5.0), (2.0, 2.0, 5.0))
    >>> shape, [round(s, 3) for s in start]
    ((6, 6, 9), [-0.167, -0.167, 0.0])
    """
    if min(*spacing_mm, *new_mm) <= 0:
        raise ValueError(f"expected spacings above 0 mm; got {tuple(spacing_mm)} and {tuple(new_mm)}")
    sizes, start = [], []
    for n, old, new in zip(shape, spacing_mm, new_mm, strict=True):
        same = abs(new / old - 1.0) < SAME
        sizes.append(int(n) if same else max(int(np.ceil(n * old / new - EXCESS)), 1))
        start.append(0.0 if same else 0.5 * (n - 1 - new / old * (sizes[-1] - 1)))
    return (sizes[0], sizes[1], sizes[2]), (start[0], start[1], start[2])


def interpolated(
    array: NDArray[Any],
    shape: Sequence[int],
    start: Sequence[float],
    step: Sequence[float],
    order: Order,
    box: Box | None = None,
) -> Float:
    """Return an image on a new grid.

    Parameters
    ----------
    array : ndarray, shape (i, j, k)
        On the old grid.
    shape : sequence of int
        Of the new grid.
    start : sequence of float
        Centre of the first new voxel, in old voxels.
    step : sequence of float
        New spacing over old spacing.
    order : {"nearest", "linear", "cubic"}
        Nearest voxel (the upper one half-way), trilinear, or cubic spline.
    box : tuple of slice, optional
        Part of the new grid that is wanted; the same values as cut out of the whole, within 1e-12 of the intensities.

    Returns
    -------
    ndarray of float64
        Of the new shape, or of the box.

    Raises
    ------
    ValueError
        An unknown order.

    Examples
    --------
    >>> interpolated(np.array([[[0.0, 3.0]]]), (1, 1, 3), (0, 0, -1 / 6), (1, 1, 2 / 3), "linear").round(3)
    array([[[0. , 1.5, 3. ]]])
    """
    if order not in _TAPS:
        raise ValueError(f"expected an order of {', '.join(_TAPS)}; got {order!r}")
    wanted = [part.indices(n)[:2] for part, n in zip(box or (slice(None),) * len(shape), shape, strict=True)]
    cut: list[slice] = []
    taps: list[Taps | None] = []
    for n, size, first, by, (low, high) in zip(array.shape, shape, start, step, wanted, strict=True):
        if size == n and first == 0.0 and abs(by - 1.0) < SAME:
            cut.append(slice(low, high))
            taps.append(None)
            continue
        index, weight = _TAPS[order](first + by * np.arange(low, high, dtype=np.float64))
        cut.append(_reach(index, n, MARGIN if order == "cubic" else 0))
        taps.append((index, weight))
    result = np.ascontiguousarray(array[tuple(cut)], dtype=np.float64)
    for axis in sorted(range(array.ndim), key=lambda k: -step[k]):  # the coarsest first: it leaves the least to do
        pair = taps[axis]
        if pair is not None:
            result = _resampled(result, axis, pair, cut[axis].start, order == "cubic")
    return result


def mask_interpolated(
    mask: Mask,
    shape: Sequence[int],
    start: Sequence[float],
    step: Sequence[float],
    order: Order = "linear",
    at: float = 0.5,
    box: Box | None = None,
) -> Mask:
    """Return a mask on a new grid: where its interpolated value reaches a threshold, inclusively.

    Parameters
    ----------
    mask : ndarray of bool, shape (i, j, k)
        On the old grid.
    shape, start, step, order, box
        As for :func:`interpolated`.
    at : float, optional
        Share of a voxel that must lie inside, above 0 and up to 1.

    Returns
    -------
    ndarray of bool
        Of the new shape, or of the box.

    Raises
    ------
    ValueError
        An unknown order, or a threshold that no voxel or every voxel reaches.

    Examples
    --------
    >>> mask_interpolated(np.array([[[False, True]]]), (1, 1, 3), (0, 0, -1 / 6), (1, 1, 2 / 3))
    array([[[False,  True,  True]]])
    """
    if not 0.0 < at <= 1.0:
        raise ValueError(f"expected a threshold above 0 and up to 1; got {at}")
    wanted = [part.indices(n)[:2] for part, n in zip(box or (slice(None),) * len(shape), shape, strict=True)]
    result = np.zeros([max(high - low, 0) for low, high in wanted], dtype=np.bool_)
    reached = _touched(mask, shape, start, step, MARGIN if order == "cubic" else 1) if box is None else wanted
    part = [(max(a, low), min(b, high)) for (a, b), (low, high) in zip(reached, wanted, strict=True)]
    if all(a < b for a, b in part):
        inside = interpolated(mask, shape, start, step, order, tuple(slice(a, b) for a, b in part)) >= at - ROUNDING
        result[tuple(slice(a - low, b - low) for (a, b), (low, _) in zip(part, wanted, strict=True))] = inside
    return result


def _nearest(at: Float) -> Taps:
    return np.floor(at + 0.5).astype(np.int64)[:, None], np.ones((len(at), 1))


def _linear(at: Float) -> Taps:
    base = np.floor(at)
    f = at - base
    return base.astype(np.int64)[:, None] + np.arange(2), np.stack([1.0 - f, f], axis=1)


def _cubic(at: Float) -> Taps:
    """Six times the B-spline: the other sixth is in :func:`_coefficients`."""
    base = np.floor(at)
    f = at - base
    g = 1.0 - f
    weight = [g**3, 4.0 - 6.0 * f**2 + 3.0 * f**3, 4.0 - 6.0 * g**2 + 3.0 * g**3, f**3]
    return base.astype(np.int64)[:, None] + np.arange(-1, 3), np.stack(weight, axis=1)


_TAPS = {"nearest": _nearest, "linear": _linear, "cubic": _cubic}


def _reach(index: NDArray[np.int64], n: int, margin: int) -> slice:
    """Voxels of the old axis that are read; one at least."""
    if index.size == 0:
        return slice(0, 1)
    first = min(max(int(index.min()) - margin, 0), n - 1)
    return slice(first, max(min(int(index.max()) + margin + 1, n), first + 1))


def _resampled(source: Float, axis: int, taps: Taps, first: int, spline: bool) -> Float:
    """Resample one axis, whose first voxel here has the number ``first``."""
    index, weight = taps[0] - first, taps[1]
    shape, n = source.shape, source.shape[axis]
    before, after = int(np.prod(shape[:axis])), int(np.prod(shape[axis + 1 :]))
    flat = source.reshape(before, n, after)
    if spline and index.size:
        low = min(int(index.min()), 0)
        continued = np.arange(low, max(int(index.max()) + 1, n)).clip(0, n - 1)
        flat, index = _coefficients(flat[:, continued]), index - low
    index = np.clip(index, 0, flat.shape[1] - 1)
    out = _weighed_rows(flat[:, :, 0], index, weight) if after == 1 else _weighed(flat, index, weight)
    return out.reshape(*shape[:axis], len(index), *shape[axis + 1 :])


@compiled
def _coefficients(c: Float) -> Float:
    """Turn samples into a sixth of the coefficients of their spline, along the middle axis and in place.

    Both recursions start from what they would have reached if the end had gone on for ever.
    """
    z, last = POLE, c.shape[1] - 1
    for b in range(c.shape[0]):
        end = c[b, last] / (1.0 - z)
        for a in range(c.shape[2]):
            c[b, 0, a] /= 1.0 - z
        for i in range(1, last + 1):
            for a in range(c.shape[2]):
                c[b, i, a] += z * c[b, i - 1, a]
        for a in range(c.shape[2]):
            c[b, last, a] = -z * (end[a] / (1.0 - z) + (c[b, last, a] - end[a]) / (1.0 - z * z))
        for i in range(last - 1, -1, -1):
            for a in range(c.shape[2]):
                c[b, i, a] = z * (c[b, i + 1, a] - c[b, i, a])
    return c


@compiled
def _weighed(source: Float, index: NDArray[np.int64], weight: Float) -> Float:
    """Weigh planes of the middle axis."""
    out = np.zeros((source.shape[0], index.shape[0], source.shape[2]))
    for b in range(source.shape[0]):
        for o in range(index.shape[0]):
            for t in range(index.shape[1]):
                row, w = index[o, t], weight[o, t]
                for a in range(source.shape[2]):
                    out[b, o, a] += w * source[b, row, a]
    return out


@compiled
def _weighed_rows(source: Float, index: NDArray[np.int64], weight: Float) -> Float:
    """Weigh the last axis."""
    out = np.empty((source.shape[0], index.shape[0]))
    for b in range(source.shape[0]):
        for o in range(index.shape[0]):
            total = 0.0
            for t in range(index.shape[1]):
                total += weight[o, t] * source[b, index[o, t]]
            out[b, o] = total
    return out


def _touched(
    mask: Mask, shape: Sequence[int], start: Sequence[float], step: Sequence[float], margin: int
) -> list[tuple[int, int]]:
    """Range of new voxels along each axis that the mask can reach; empty where there is no mask."""
    ranges = []
    for axis, (n, size) in enumerate(zip(mask.shape, shape, strict=True)):
        held = np.flatnonzero(mask.any(axis=tuple(k for k in range(mask.ndim) if k != axis)))
        if not held.size:
            return [(0, 0)] * mask.ndim
        low, high = int(held[0]), int(held[-1])
        first = 0 if low == 0 else int(np.floor((low - margin - start[axis]) / step[axis]))
        last = size - 1 if high == n - 1 else int(np.ceil((high + margin - start[axis]) / step[axis]))
        ranges.append((max(first, 0), min(last + 1, size)))
    return ranges
