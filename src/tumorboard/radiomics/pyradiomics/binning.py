"""Grey levels as PyRadiomics makes them, to the last voxel.

Why it exists: edges are computed by NumPy in the precision of the image. An edge that is rounded otherwise moves the
voxels that lie on it, and with them every texture.

Source: van Griethuysen JJM et al., Cancer Res 2017;77:e104-e107 (pyradiomics 3.0.1, ``getBinEdges``).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tumorboard.compiled import compiled
from tumorboard.errors import InputError
from tumorboard.radiomics.region import Binned, Float, Levels, Mask

MOST = 2000
"""Grey levels; with more of them the matrices of a region alone would need gigabytes."""


def leveled(image: NDArray[Any], mask: Mask, width: float, count: int | None = None) -> Binned:
    """Return the grey levels of a region.

    Parameters
    ----------
    image : ndarray, shape (i, j, k)
        In its own dtype: edges have its precision.
    mask : ndarray of bool, shape (i, j, k)
        Not empty; intensities in it are finite.
    width : float
        ``binWidth``; edges are its multiples.
    count : int, optional
        ``binCount``; goes before the width.

    Returns
    -------
    Binned
        As many levels as the highest that occurs.

    Raises
    ------
    InputError
        More levels than ``MOST``.

    Examples
    --------
    >>> image = np.array([[[54, 75, 166]]])
    >>> leveled(image, image > 0, 25.0).levels.tolist(), leveled(image, image > 0, 25.0, 2).levels.tolist()
    ([[[1, 2, 5]]], [[[1, 1, 2]]])
    """
    values = image[mask]
    low, high = values.min(), values.max()
    if np.issubdtype(values.dtype, np.integer):
        low, high = np.int64(low), np.int64(high)  # PyRadiomics keeps 8 bits, and overflows
    edges = _edges_of_width(low, high, width) if count is None else _edges_of_count(low, high, count)
    levels, most = _digitised(np.ascontiguousarray(image, dtype=np.float64), mask, edges.astype(np.float64))
    return Binned(levels, int(most), float(edges[1] - edges[0]), float(edges[0]))


def _edges_of_width(low: Any, high: Any, width: float) -> NDArray[Any]:
    _check((float(high) - float(low)) / width, "binWidth")
    first = low - low % width
    edges = np.arange(first, high + 2 * width, width)
    if len(edges) == 1:
        edges = np.array([edges[0] - 0.5, edges[0] + 0.5])
    _check(len(edges), "binWidth")
    return edges


def _edges_of_count(low: Any, high: Any, count: int) -> NDArray[Any]:
    _check(count, "binCount")
    edges = np.histogram_bin_edges(np.array([low, high]), count)
    edges[-1] += 1
    return edges


def _check(levels: float, name: str) -> None:
    if not levels <= MOST + 2:
        remedy = "use wider bins, or fewer"
        raise InputError(f"at most {MOST} grey levels", got=f"some {levels:.3g}", where=name, remedy=remedy)


@compiled
def _digitised(image: Float, mask: Mask, edges: Float) -> tuple[Levels, int]:
    """Return the number of edges at or below each intensity of the mask, and the largest."""
    levels, most = np.zeros(image.shape, np.int32), 0
    last, step = len(edges) - 1, edges[1] - edges[0]
    for i in range(image.shape[0]):
        for j in range(image.shape[1]):
            for k in range(image.shape[2]):
                if mask[i, j, k]:
                    x = image[i, j, k]
                    at = max(min(int((x - edges[0]) / step), last), 0)
                    while at > 0 and edges[at] > x:
                        at -= 1
                    while at < last and edges[at + 1] <= x:
                        at += 1
                    levels[i, j, k], most = at + 1, max(most, at + 1)
    return levels, most
