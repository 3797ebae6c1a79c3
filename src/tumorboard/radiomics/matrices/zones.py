"""Connected voxels of one grey level: their level, size and distance to the border.

Why it exists: size zones and distance zones are the same zones, found once in one pass over the voxels: each joins
those of its level among the neighbours that were passed before it (union-find).

Source: Thibault G et al. IEEE Trans Biomed Eng 2014;61:630-637; the standard, arXiv:1612.07003, sections 3.8 and 3.9.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from tumorboard.compiled import compiled
from tumorboard.radiomics.matrices.border_distance import border_distances
from tumorboard.radiomics.matrices.directions import Steps, steps
from tumorboard.radiomics.matrices.shared import Cells, Ints, in_slices, kept, packed
from tumorboard.radiomics.region import Region


@dataclass(frozen=True)
class Zones:
    """Zones of a region, in the order of their first voxels.

    Parameters
    ----------
    row : ndarray of int64, shape (z,)
        Place of the zone's grey level among those present.
    size : ndarray of int64, shape (z,)
        Voxels.
    first : ndarray of int64, shape (z,)
        Place of its first voxel among the packed voxels, ascending.
    zone : ndarray of int64, shape (v,)
        Number of each voxel's zone, in the order of the packed voxels.
    """

    row: Ints
    size: Ints
    first: Ints
    zone: Ints


def zones(region: Region, planar: bool) -> Zones:
    """Return the zones of a region: 26-connected, or 8-connected in slices.

    Parameters
    ----------
    region : Region
        The region.
    planar : bool
        Zones end at their slice.

    Returns
    -------
    Zones

    Examples
    --------
    >>> from tumorboard.radiomics.region import Binned
    >>> levels = np.array([[[1], [2]], [[2], [1]], [[1], [2]]], dtype=np.int32); inside = levels > 0
    >>> region = Region(levels * 1.0, inside, inside, (1.0, 1.0, 1.0), Binned(levels, 2, 1.0, 0.5))
    >>> zones(region, planar=True).size.tolist()
    [3, 3]
    """
    box = packed(region)
    name = "zones in slices" if planar else "zones in space"
    return kept(region, name, lambda: Zones(*_joined(box.cells, box.voxels, steps(box.shape, planar))))


def size_zones(region: Region, way: str) -> Iterator[tuple[Ints, Ints, int]]:
    """Yield the matrices of zone sizes whose features a way of aggregation averages.

    Parameters
    ----------
    region : Region
        The region.
    way : str
        One of :data:`tumorboard.radiomics.feature.BY_SLICE`.

    Yields
    ------
    ndarray of int64, shape (1, m, x); ndarray of int64, shape (x,); int
        Zones by grey level present and size; the sizes that occur; the voxels of the part.

    Examples
    --------
    >>> from tumorboard.radiomics.region import Binned
    >>> levels = np.array([[[1], [1], [2], [1]]], dtype=np.int32); inside = levels > 0
    >>> region = Region(levels * 1.0, inside, inside, (1.0, 1.0, 1.0), Binned(levels, 2, 1.0, 0.5))
    >>> [(matrix[0].tolist(), sizes.tolist(), n) for matrix, sizes, n in size_zones(region, "3D")]
    [([[1, 1], [1, 0]], [1, 2], 4)]
    """
    found = zones(region, in_slices(way))
    return _tables(region, way, found, found.size)


def distance_zones(region: Region, way: str) -> Iterator[tuple[Ints, Ints, int]]:
    """Yield the matrices of zone distances whose features a way of aggregation averages.

    The distance of a zone is that of its voxel nearest to the border of the morphological mask.

    Parameters
    ----------
    region : Region
        The region.
    way : str
        One of :data:`tumorboard.radiomics.feature.BY_SLICE`.

    Yields
    ------
    ndarray of int64, shape (1, m, x); ndarray of int64, shape (x,); int
        Zones by grey level present and distance; the distances that occur; the voxels of the part.

    Examples
    --------
    >>> from tumorboard.radiomics.region import Binned
    >>> levels = np.ones((3, 3, 1), dtype=np.int32); levels[1, 1] = 2; inside = levels > 0
    >>> region = Region(levels * 1.0, inside, inside, (1.0, 1.0, 1.0), Binned(levels, 2, 1.0, 0.5))
    >>> [(matrix[0].tolist(), far.tolist(), n) for matrix, far, n in distance_zones(region, "2D")]
    [([[1, 0], [0, 1]], [1, 2], 9)]
    """
    planar = in_slices(way)
    found, box = zones(region, planar), packed(region)
    far = _nearest(found.zone, border_distances(box, planar)[box.voxels], len(found.size))
    return _tables(region, way, found, far)


def _tables(region: Region, way: str, found: Zones, column: Ints) -> Iterator[tuple[Ints, Ints, int]]:
    """Yield zones counted by row and column, slice by slice or all at once."""
    box = packed(region)
    edges = box.starts if way.startswith("2D") else box.starts[[0, -1]]
    begins = np.searchsorted(found.first, edges)
    for n, a, b in zip(np.diff(edges), begins[:-1], begins[1:], strict=True):
        if n:
            counts, values = _table(found.row[a:b], column[a:b], len(box.levels))
            yield counts[None], values, int(n)


@compiled
def _root(parent: Ints, at: int) -> int:
    """Return the first voxel of a zone, shortening the way to it."""
    while parent[at] != at:
        parent[at] = parent[parent[at]]
        at = parent[at]
    return at


@compiled
def _joined(cells: Cells, voxels: Ints, ahead: Steps) -> tuple[Ints, Ints, Ints, Ints]:
    """Return row, size and first voxel of each zone, and the zone of each voxel."""
    parent = np.empty(len(cells), np.int64)
    for p in range(len(voxels)):
        at = voxels[p]
        level, own = cells[at], at
        parent[at] = at
        for d in range(len(ahead)):
            other = at - ahead[d]
            if cells[other] == level:
                other = _root(parent, other)
                if other < own:
                    parent[own] = other
                    own = other
                elif other > own:
                    parent[other] = own
    return _numbered(cells, voxels, parent)


@compiled
def _numbered(cells: Cells, voxels: Ints, parent: Ints) -> tuple[Ints, Ints, Ints, Ints]:
    """Give zones numbers in the order of their first voxels.

    A parent comes before its children and, once it was passed, holds -1 - its number.
    """
    row, size, first = np.empty(len(voxels), np.int64), np.zeros(len(voxels), np.int64), np.empty(len(voxels), np.int64)
    zone = np.empty(len(voxels), np.int64)
    count = 0
    for p in range(len(voxels)):
        at = voxels[p]
        if parent[at] == at:
            row[count], first[count] = np.int64(cells[at]) - 1, p
            number = count
            count += 1
        else:
            number = -1 - parent[parent[at]]
        parent[at] = -1 - number
        zone[p] = number
        size[number] += 1
    return row[:count].copy(), size[:count].copy(), first[:count].copy(), zone


@compiled
def _nearest(zone: Ints, distance: Ints, count: int) -> Ints:
    """Return the least distance of each zone."""
    least = np.full(count, np.iinfo(np.int64).max)
    for p in range(len(zone)):
        least[zone[p]] = min(least[zone[p]], distance[p])
    return least


@compiled
def _table(row: Ints, column: Ints, rows: int) -> tuple[Ints, Ints]:
    """Count by row and column, with columns for the values that occur only."""
    place = np.zeros(column.max() + 1, np.int64)
    for z in range(len(column)):
        place[column[z]] = 1
    values = np.flatnonzero(place)
    for x in range(len(values)):
        place[values[x]] = x
    counts = np.zeros((rows, len(values)), np.int64)
    for z in range(len(row)):
        counts[row[z], place[column[z]]] += 1
    return counts, values
