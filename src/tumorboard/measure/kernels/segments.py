"""Longest segments inside a binary slice, by displacement and bit by bit.

Why it exists: all pairs of pixels of a slice are far too many lines to walk one by one. All segments
with the same displacement (di, dj) pass the same pattern of pixels relative to their start, so one
slice is packed into rows of 64-bit words and every start of one displacement is tested at once: a word
of starts is intersected with the shifted rows, end points first, then from the middle outwards, until
no start is left. Displacements are tried from the longest down, so the first that leaves a start is the
answer, and the result equals exhaustive search over all pairs. Everything is integer arithmetic.

It knows no millimetres beyond the lengths it is handed, refuses nothing and measures nothing on its
own: :mod:`tumorboard.measure.diameters` defines what a diameter is.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tumorboard.compiled import compiled

Segment = tuple[int, int, int, int]
"""First and last pixel (i, j, i, j), the lexicographically smaller one first."""

TIE = 1e-9
"""Lengths within this relative distance are equal."""


@compiled
def pack_rows(plane: NDArray[np.bool_]) -> NDArray[np.uint64]:
    """Pack a boolean slice (i, j) into rows of 64-bit words, followed by as many empty words.

    Parameters
    ----------
    plane : ndarray of bool, shape (i, j)
        One slice.

    Returns
    -------
    ndarray of uint64, shape (i, 2 * words)
        Bit ``j % 64`` of word ``j // 64`` is pixel j; the second half is zero so that shifts need no bounds.

    Examples
    --------
    >>> pack_rows(np.array([[True, False, True]])).tolist()
    [[5, 0]]
    """
    words = (plane.shape[1] + 63) // 64
    rows = np.zeros((plane.shape[0], 2 * words), np.uint64)
    for i in range(plane.shape[0]):
        for j in range(plane.shape[1]):
            if plane[i, j]:
                rows[i, j >> 6] |= np.uint64(1) << np.uint64(j & 63)
    return rows


@compiled
def _shifted(rows: NDArray[np.uint64], row: int, word: int, shift: int) -> np.uint64:
    """Word of starts whose pixel ``shift`` columns further on in ``row`` is set."""
    at = word + (shift >> 6)
    bits = np.uint64(shift & 63)
    starts: np.uint64 = rows[row, at] >> bits
    if bits:
        starts |= rows[row, at + 1] << (np.uint64(64) - bits)
    return starts


@compiled
def _step(rows: NDArray[np.uint64], row: int, word: int, move: tuple[int, int], t: int) -> np.uint64:
    """Word of starts whose segment is inside at step ``t``; at an exact tie either neighbour suffices."""
    di, dj = move
    size, sign = abs(di), (1 if di >= 0 else -1)
    steps, slow = max(size, dj), min(size, dj)
    low = (t * slow) // steps
    twice = 2 * (t * slow - low * steps)
    if twice > steps:
        low += 1
    tie = twice == steps
    if size >= dj:
        found = _shifted(rows, row + sign * t, word, low)
        if tie:
            found |= _shifted(rows, row + sign * t, word, low + 1)
    else:
        found = _shifted(rows, row + sign * low, word, t)
        if tie:
            found |= _shifted(rows, row + sign * (low + 1), word, t)
    return found


@compiled
def _first_start(rows: NDArray[np.uint64], move: tuple[int, int]) -> tuple[int, int]:
    """First pixel (in row order) from which the segment ``move`` stays inside; (-1, -1) when none does."""
    di, dj = move
    steps = max(abs(di), dj)
    middle = steps // 2
    for row in range(max(0, -di), rows.shape[0] - max(0, di)):
        for word in range(rows.shape[1] // 2):
            alive = rows[row, word] & _shifted(rows, row + di, word, dj)
            k = 0
            while alive and k < steps - 1:
                t = middle + (k + 1) // 2 if k % 2 else middle - k // 2
                alive &= _step(rows, row, word, move, t)
                k += 1
            if alive:
                bit = 0
                while not (alive >> np.uint64(bit)) & np.uint64(1):
                    bit += 1
                return row, 64 * word + bit
    return -1, -1


@compiled
def longest_inside(
    rows: NDArray[np.uint64],
    moves: NDArray[np.int64],
    length_mm: NDArray[np.float64],
    along: tuple[float, float],
    tolerance_mm: float,
) -> list[Segment]:
    """Return the longest inside segments, one for each displacement that reaches the greatest length.

    Parameters
    ----------
    rows : ndarray of uint64, shape (i, 2 * words)
        A slice from :func:`pack_rows`.
    moves : ndarray of int64, shape (n, 2)
        Displacements (|di|, |dj|) in pixels, longest first, ending with (0, 0).
    length_mm : ndarray of float64, shape (n,)
        Their lengths in mm, descending.
    along : tuple of float
        Projection of one pixel step along i and j on the direction that bounds the search, in mm.
    tolerance_mm : float
        Largest projection allowed on that direction.

    Returns
    -------
    list of tuple of int
        Segments (i, j, i, j) in pixels, each the lexicographically smallest of its displacement, in mm
        equal within ``TIE``; empty when the slice is empty.

    Examples
    --------
    >>> rows = pack_rows(np.array([[True, True, True]]))
    >>> moves = np.array([[0, 2], [0, 1], [0, 0]])
    >>> longest_inside(rows, moves, np.array([2.0, 1.0, 0.0]), (0.0, 0.0), 0.0)
    [(0, 0, 0, 2)]
    """
    found = []
    best = -1.0
    for n in range(len(length_mm)):
        if length_mm[n] < best * (1.0 - TIE):
            break
        for sign in (1, -1):
            di, dj = sign * moves[n, 0], moves[n, 1]
            if sign < 0 and (di == 0 or dj == 0):
                continue
            if abs(di * along[0] + dj * along[1]) > tolerance_mm:
                continue
            i, j = _first_start(rows, (di, dj))
            if i < 0:
                continue
            best = max(best, length_mm[n])
            found.append((i, j, i + di, j + dj) if di >= 0 else (i + di, j + dj, i, j))
    return found
