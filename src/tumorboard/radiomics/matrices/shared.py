"""A region packed for counting, and results that several matrices or ways of aggregation share.

Why it exists: all matrices visit the voxels of the region only, ask for neighbours without looking where the box ends,
and need as many rows as there are grey levels present. That is prepared once for a region, slice after slice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from tumorboard.compiled import compiled
from tumorboard.radiomics.region import Mask, Region
from tumorboard.volume import box_around

Cells = NDArray[np.uint16]
Ints = NDArray[np.int64]
T = TypeVar("T")

PLACE = "_matrices"
"""Where a region keeps what was counted in it."""


@dataclass(frozen=True)
class Packed:
    """A region between empty borders, flattened, slices first.

    Parameters
    ----------
    cells : ndarray of uint16 or uint32, shape (n,)
        Box with an empty border on all sides, along k, i and j: 1 + place of the grey level in ``levels``; 0 outside.
    levels : ndarray of int64, shape (m,)
        Grey levels present, ascending.
    voxels : ndarray of int64, shape (v,)
        Places in ``cells`` of the voxels of the region, ascending, so slice by slice.
    starts : ndarray of int64, shape (s + 1,)
        Where each slice with voxels begins in ``voxels``, and the end.
    shape : (int, int, int)
        Of the box with its border, along k, i and j.
    whole : ndarray of bool, shape (n,)
        Morphological mask, packed alike.
    """

    cells: Cells
    levels: Ints
    voxels: Ints
    starts: Ints
    shape: tuple[int, int, int]
    whole: Mask


def kept(region: Region, name: str, make: Callable[[], T]) -> T:
    """Return what was made for a region under this name, making it at the first call.

    Parameters
    ----------
    region : Region
        Keeps the result as long as it lives.
    name : str
        Of the result.
    make : callable
        Without arguments.

    Examples
    --------
    >>> from tumorboard.radiomics.region import Binned
    >>> cube = np.ones((2, 2, 2)); inside = cube > 0
    >>> region = Region(cube, inside, inside, (1.0, 1.0, 1.0), Binned(cube.astype(np.int32), 1, 1.0, 0.5))
    >>> kept(region, "sum", lambda: 8) is kept(region, "sum", lambda: 9)
    True
    """
    results: dict[str, Any] = region.__dict__.setdefault(PLACE, {})
    if name not in results:
        results[name] = make()
    return results[name]  # type: ignore[no-any-return]


def packed(region: Region) -> Packed:
    """Return the region between empty borders.

    Parameters
    ----------
    region : Region
        Its grey levels for textures and its morphological mask are packed.

    Returns
    -------
    Packed

    Examples
    --------
    >>> from tumorboard.radiomics.region import Binned
    >>> levels = np.array([[[3, 0], [7, 3]]], dtype=np.int32); inside = levels > 0
    >>> got = packed(Region(levels * 1.0, inside, inside, (1.0, 1.0, 1.0), Binned(levels, 7, 1.0, 0.5)))
    >>> got.levels.tolist(), got.starts.tolist(), got.shape
    ([3, 7], [0, 2, 3], (4, 3, 4))
    """
    return kept(region, "packed", lambda: _packed(region))


def parts(region: Region, way: str) -> list[Ints]:
    """Return the voxels that make matrices of their own: those of each slice, or all of them.

    Parameters
    ----------
    region : Region
        The region.
    way : str
        Of aggregation; only those that begin with ``2D`` keep slices apart.

    Returns
    -------
    list of ndarray of int64
        Places in the packed box; none where the region is empty.

    Examples
    --------
    >>> from tumorboard.radiomics.region import Binned
    >>> levels = np.array([[[3, 0], [7, 3]]], dtype=np.int32); inside = levels > 0
    >>> region = Region(levels * 1.0, inside, inside, (1.0, 1.0, 1.0), Binned(levels, 7, 1.0, 0.5))
    >>> [len(part) for part in parts(region, "2D")], [len(part) for part in parts(region, "3D")]
    ([2, 1], [3])
    """
    box = packed(region)
    if way.startswith("2D"):
        return [box.voxels[a:b] for a, b in zip(box.starts[:-1], box.starts[1:], strict=True)]
    return [box.voxels] if len(box.voxels) else []


def by_direction(region: Region, way: str, count: Callable[[Packed, Ints, bool], Ints]) -> Iterator[tuple[Ints, int]]:
    """Yield the matrices whose features a way of aggregation averages.

    Parameters
    ----------
    region : Region
        The region.
    way : str
        One of :data:`tumorboard.radiomics.feature.BY_DIRECTION`.
    count : callable
        Packed region, voxels and whether to stay in slices, to one matrix for each direction, shape (d, m, x).

    Yields
    ------
    ndarray of int64, shape (d, m, x), and int
        Matrices, and the voxels that each of them counts: a voxel counts once for every direction that was merged.
        Once, or once for each slice, one slice at a time: all of them together may be large.
    """
    box, planar = packed(region), in_slices(way)
    name = f"{count.__name__} {'in slices' if planar else 'in space'}"
    for part in parts(region, way):
        if len(part) == len(box.voxels):
            matrices = kept(region, name, lambda: count(box, box.voxels, planar))
        else:
            matrices = count(box, part, planar)
        if merged(way):
            yield matrices.sum(axis=0, keepdims=True), len(part) * len(matrices)
        else:
            yield matrices, len(part)


def in_slices(way: str) -> bool:
    """Whether a way of aggregation looks at neighbours in the slice only.

    Examples
    --------
    >>> [in_slices(way) for way in ("2D_avg", "2_5D", "3D_comb")]
    [True, True, False]
    """
    return way.startswith("2")


def merged(way: str) -> bool:
    """Whether a way of aggregation merges the directions into one matrix.

    Examples
    --------
    >>> [merged(way) for way in ("2D_avg", "2_5D_comb", "3D")]
    [False, True, False]
    """
    return way.endswith("comb")


def _packed(region: Region) -> Packed:
    outline = region.whole | (region.texture.levels > 0)
    box = box_around(outline) or (slice(0), slice(0), slice(0))
    levels = np.ascontiguousarray(region.texture.levels[box])
    rows, present = _rows(levels, int(levels.max(initial=0)))
    cells_of: NDArray[Any] = rows.astype(np.uint16 if len(present) < 65535 else np.uint32)
    i, j, k = (n + 2 for n in levels.shape)
    cells, whole = np.zeros((k, i, j), dtype=cells_of.dtype), np.zeros((k, i, j), dtype=np.bool_)
    count = _fill(levels, np.ascontiguousarray(outline[box]), cells_of, cells, whole)
    voxels, starts = _listed(cells.reshape(k, -1), count)
    return Packed(cells.ravel(), present, voxels, starts, (k, i, j), whole.ravel())


@compiled
def _rows(levels: NDArray[np.int32], highest: int) -> tuple[Ints, Ints]:
    """Return the row of each grey level, from 1, and the levels that are present."""
    rows = np.zeros(highest + 1, np.int64)
    for level in levels.flat:
        rows[level] = 1
    rows[0] = 0
    present = np.flatnonzero(rows)
    for n in range(len(present)):
        rows[present[n]] = n + 1
    return rows, present


@compiled
def _fill(levels: NDArray[np.int32], outline: Mask, rows: Cells, cells: Cells, whole: Mask) -> int:
    """Write levels and outline between the borders; return the number of voxels."""
    count = 0
    for i in range(levels.shape[0]):
        for j in range(levels.shape[1]):
            for k in range(levels.shape[2]):
                if outline[i, j, k]:
                    whole[k + 1, i + 1, j + 1] = True
                    row = rows[levels[i, j, k]]
                    cells[k + 1, i + 1, j + 1] = row
                    count += row > 0
    return count


@compiled
def _listed(cells: Cells, count: int) -> tuple[Ints, Ints]:
    """Return the places of voxels and where slices with voxels begin."""
    voxels, starts = np.empty(count, np.int64), np.zeros(cells.shape[0] + 1, np.int64)
    n, slices = 0, 0
    for k in range(cells.shape[0]):
        for p in range(cells.shape[1]):
            if cells[k, p]:
                voxels[n] = k * cells.shape[1] + p
                n += 1
        if n > starts[slices]:
            slices += 1
            starts[slices] = n
    return voxels, starts[: slices + 1].copy()
