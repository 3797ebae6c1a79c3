"""Filters that work axis by axis, as one matrix for each axis.

Why it exists: along one axis any filter, with whatever lies beyond the end of the image, and however many filters one
after another, is a matrix from the voxels of the image to the voxels that are wanted. Its rows are the box, its columns
that are not zero are the margin. So a box costs what a box costs, boundaries are exact, and products of matrices run
four times as fast as a convolution voxel by voxel.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from tumorboard.radiomics.filters.boundary import OUTSIDE, Boundary, Index, sources
from tumorboard.radiomics.region import Float

LEFT = ""
"""Name of no operator: the axis is left as it is."""

BLOCK = 64
"""Rows of a matrix that are multiplied at a time, so that its zeros far from the diagonal cost little."""

Term = tuple[str, ...]
"""One operator for each axis, by name."""


@dataclass(frozen=True)
class Line:
    """One axis of a separable filter.

    Parameters
    ----------
    size : int
        Voxels of the image along it.
    rows : ndarray of int
        Voxels that are wanted.
    boundary : {"zero", "nearest", "periodic", "mirror"}
        What lies beyond.
    operators : dict of str to ndarray of float64, shape (rows, size)
        By name; empty where the axis is left as it is.

    Examples
    --------
    >>> line = Line(4, np.array([0]), "nearest")
    >>> line.add("mean", [np.full(3, 1.0)])
    >>> line.operators["mean"].tolist()
    [[2.0, 1.0, 0.0, 0.0]]
    """

    size: int
    rows: Index
    boundary: Boundary
    operators: dict[str, Float] = field(default_factory=dict)

    def chain(self, kernels: Sequence[Float]) -> Float:
        """Return the matrix of one kernel after another, each with the boundary; the last makes the rows."""
        every = np.arange(self.size)
        matrix: Float | None = None
        for kernel in reversed(kernels):
            step = convolution(kernel, self.size, self.boundary, self.rows if matrix is None else every)
            matrix = step if matrix is None else matrix @ step
        return np.eye(self.size)[self.rows] if matrix is None else matrix

    def add(self, name: str, kernels: Sequence[Float]) -> None:
        """Add the operator of one kernel after another."""
        self.operators[name] = self.chain(kernels)

    def cropped(self) -> tuple[Index, dict[str, Float]]:
        """Return the voxels that any operator looks at, and the operators on these alone."""
        if not self.operators:
            return self.rows, {}
        used = np.zeros(self.size, dtype=np.bool_)
        for matrix in self.operators.values():
            used |= matrix.any(axis=0)
        columns = np.flatnonzero(used) if used.any() else np.zeros(1, dtype=np.intp)
        return columns, {name: np.ascontiguousarray(matrix[:, columns]) for name, matrix in self.operators.items()}


def odd(kernel: Sequence[float] | Float) -> Float:
    """Return a kernel with a middle: one of even length gets a zero at its end, as the standard has it.

    Examples
    --------
    >>> odd([1.0, 2.0]).tolist()
    [1.0, 2.0, 0.0]
    """
    taps = np.asarray(kernel, dtype=np.float64)
    return taps if len(taps) % 2 else np.append(taps, 0.0)


def with_holes(kernel: Float, level: int) -> Float:
    """Return an odd kernel with ``2 ** (level - 1) - 1`` zeros between its taps (algorithme à trous).

    Examples
    --------
    >>> with_holes(np.array([1.0, 2.0, 3.0]), 2).tolist()
    [1.0, 0.0, 2.0, 0.0, 3.0]
    """
    step = 2 ** (level - 1)
    spread = np.zeros(step * (len(kernel) - 1) + 1)
    spread[::step] = kernel
    return spread


def convolution(kernel: Float, size: int, boundary: Boundary, rows: Index) -> Float:
    """Return the matrix of a true convolution (kernel flipped) along an axis.

    Parameters
    ----------
    kernel : ndarray of float64, shape (2 r + 1,)
        Its middle is at r.
    size : int
        Voxels of the image along the axis.
    boundary : {"zero", "nearest", "periodic", "mirror"}
        What lies beyond.
    rows : ndarray of int, shape (n,)
        Voxels that are wanted.

    Returns
    -------
    ndarray of float64, shape (n, size)

    Examples
    --------
    >>> convolution(np.array([1.0, 10.0, 100.0]), 3, "zero", np.array([1])).tolist()
    [[100.0, 10.0, 1.0]]
    """
    radius = len(kernel) // 2
    voxels = sources(rows[:, None] - np.arange(-radius, radius + 1)[None, :], size, boundary)
    inside = voxels != OUTSIDE
    matrix = np.zeros((len(rows), size))
    at = np.broadcast_to(np.arange(len(rows))[:, None], voxels.shape)
    np.add.at(matrix, (at[inside], voxels[inside]), np.broadcast_to(kernel, voxels.shape)[inside])
    return matrix


def along(data: Float, matrix: Float, axis: int) -> Float:
    """Return the data multiplied by a matrix along one of its three axes.

    Parameters
    ----------
    data : ndarray of float64, three axes, ``n`` long along the axis, contiguous
    matrix : ndarray of float64, shape (m, n)
    axis : int

    Returns
    -------
    ndarray of float64
        ``m`` long along the axis, contiguous.

    Examples
    --------
    >>> along(np.ones((2, 3, 2)), np.ones((1, 3)), 1).tolist()
    [[[3.0, 3.0]], [[3.0, 3.0]]]
    """
    shape = (*data.shape[:axis], len(matrix), *data.shape[axis + 1 :])
    before, after = int(np.prod(shape[:axis])), int(np.prod(shape[axis + 1 :]))
    flat = data.reshape(before, data.shape[axis], after)
    out = np.empty((before, len(matrix), after))
    for rows, columns in _blocks(matrix):
        part = matrix[rows, columns]
        if after == 1:
            np.matmul(flat[:, columns, 0], part.T, out=out[:, rows, 0])
        else:
            np.matmul(part, flat[:, columns], out=out[:, rows])
    return out.reshape(shape)


def _blocks(matrix: Float) -> Iterator[tuple[slice, slice]]:
    rows = len(matrix)
    step = BLOCK if rows > 1.5 * BLOCK else max(rows, 1)
    for start in range(0, rows, step):
        block = slice(start, min(start + step, rows))
        used = np.flatnonzero(matrix[block].any(axis=0))
        yield block, slice(int(used[0]), int(used[-1]) + 1) if used.size else slice(0, 1)


def responses(image: Float, lines: Sequence[Line], terms: Iterable[Term]) -> Iterator[tuple[Term, Float]]:
    """Yield what each term makes of the image; terms that begin alike share their first passes.

    Parameters
    ----------
    image : ndarray of float64, shape (i, j, k)
        All of it; only what the lines look at is read, and that must be finite.
    lines : three Line
        Axes and their operators.
    terms : iterable of tuple of str
        Names of an operator for each axis, or ``LEFT``.

    Yields
    ------
    tuple of str, ndarray of float64
        A term, and its response at the rows of the lines; the array may be overwritten.

    Examples
    --------
    >>> lines = [Line(2, np.arange(2), "zero") for _ in range(3)]
    >>> lines[0].add("d", [np.array([1.0, -1.0, 0.0])])
    >>> [r.ravel().tolist() for _, r in responses(np.arange(8.0).reshape(2, 2, 2), lines, [("d", LEFT, LEFT)])]
    [[4.0, 4.0, 4.0, 4.0, -4.0, -5.0, -6.0, -7.0]]
    """
    cropped = [line.cropped() for line in lines]
    data = np.ascontiguousarray(image[np.ix_(*(columns for columns, _ in cropped))], dtype=np.float64)
    operators = [matrices for _, matrices in cropped]
    yield from _passes(data, operators, sorted(set(terms)), 0, ())


def _passes(
    data: Float, operators: Sequence[Mapping[str, Float]], terms: Sequence[Term], axis: int, done: Term
) -> Iterator[tuple[Term, Float]]:
    if axis == len(operators):
        yield done, data
        return
    for name in sorted({term[axis] for term in terms}):
        part = along(data, operators[axis][name], axis) if name != LEFT else data
        yield from _passes(part, operators, [t for t in terms if t[axis] == name], axis + 1, (*done, name))
