"""Triangles of marching cubes: which triangles cut a cube whose corners are in part inside.

Why it exists: the usual table of 256 rows cannot be checked by eye. Here every row follows from two rules, and both the
closed surface and that of PyRadiomics come from the same lines.

The first rule closes the surface: on a face of the cube that has two opposite corners inside, each of them is cut off
on its own. Two cubes then agree on the face that they share. PyRadiomics halves its table: a cube with one particular
corner inside is given the triangles of its complement, which cuts off the corners outside; where cubes of both kinds
meet, its surface has gaps. The second rule flattens the outline into triangles: a fan from one of its vertices, the
one with the largest surface among those that do not fold over by more than 120 degrees.

Source: Lorensen WE, Cline HE, Marching cubes, SIGGRAPH 1987;21:163-169; area and volume of each of the 256 cases, with
flips, are those of PyRadiomics 3.0.1 (van Griethuysen JJM et al., Cancer Res 2017;77:e104-e107).
"""

from __future__ import annotations

import math
from functools import cache

import numpy as np
from numpy.typing import NDArray

Vertex = tuple[int, ...]
"""A point of the cube, in half edges: corners have even coordinates only, the middle of an edge one that is odd."""

FLIPPING = (0, 2, 2)
"""Corner that, where it is inside, makes PyRadiomics take the complement."""

SHARPEST = -0.5
"""Cosine between the normals of neighbouring triangles: a fan that folds more is not taken."""


def corner(number: int) -> Vertex:
    """Return a corner of the cube by its bit in the number of a case: 1 along i, 2 along j, 4 along k.

    Examples
    --------
    >>> corner(3)
    (2, 2, 0)
    """
    return (2 * (number & 1), number & 2, (number & 4) // 2)


def _rings() -> list[list[Vertex]]:
    """Return the corners of each face, counter-clockwise as seen from outside."""
    rings = []
    for axis in range(3):
        for side in (0, 2):
            ring = []
            for u, v in ((0, 0), (2, 0), (2, 2), (0, 2)):
                point = [0, 0, 0]
                point[axis], point[(axis + 1) % 3], point[(axis + 2) % 3] = side, u, v
                ring.append(tuple(point))
            rings.append(ring if side else ring[::-1])
    return rings


RINGS = _rings()


def _middle(a: Vertex, b: Vertex) -> Vertex:
    return tuple((x + y) // 2 for x, y in zip(a, b, strict=True))


def outlines(inside: frozenset[Vertex]) -> list[list[Vertex]]:
    """Return the closed lines along which the surface leaves the cube, seen from outside counter-clockwise.

    Parameters
    ----------
    inside : frozenset of vertices
        Corners inside the mask.

    Examples
    --------
    >>> outlines(frozenset({(0, 0, 0)}))
    [[(0, 0, 1), (1, 0, 0), (0, 1, 0)]]
    """
    follows: dict[Vertex, Vertex] = {}
    for ring in RINGS:
        for n in range(4):
            if ring[n] in inside or ring[(n + 1) % 4] not in inside:
                continue
            last = n + 1  # go round until the corners are outside again: neighbours on the ring stay together
            while ring[(last + 1) % 4] in inside:
                last += 1
            follows[_middle(ring[n], ring[(n + 1) % 4])] = _middle(ring[last % 4], ring[(last + 1) % 4])
    lines = []
    while follows:
        line = [min(follows)]
        while (following := follows.pop(line[-1])) != line[0]:
            line.append(following)
        lines.append(line)
    return lines


def _normals(triangles: list[list[Vertex]]) -> list[Vertex]:
    """Return a normal for each triangle, twice its area long."""
    normals = []
    for a, b, c in triangles:
        u, v = [y - x for x, y in zip(a, b, strict=True)], [y - x for x, y in zip(a, c, strict=True)]
        normals.append(tuple(u[n - 2] * v[n - 1] - u[n - 1] * v[n - 2] for n in range(3)))
    return normals


def fan(line: list[Vertex]) -> list[list[Vertex]]:
    """Return triangles that fill a closed line.

    Examples
    --------
    >>> len(fan([(0, 1, 0), (1, 0, 0), (0, 0, 1)]))
    1
    """
    best: tuple[float, list[list[Vertex]]] = (-1.0, [])
    for start in range(len(line)):
        turned = line[start:] + line[:start]
        triangles = [[turned[0], turned[n], turned[n + 1]] for n in range(1, len(line) - 1)]
        normals = _normals(triangles)
        sizes = [math.hypot(*normal) for normal in normals]
        folds = [
            sum(x * y for x, y in zip(normals[n], normals[n + 1], strict=True)) / (sizes[n] * sizes[n + 1])
            for n in range(len(sizes) - 1)
        ]
        area = round(sum(sizes), 9)
        if area > best[0] and min(folds, default=1.0) > SHARPEST:
            best = (area, triangles)
    return best[1]


def triangles_of(number: int, flips: bool = False) -> list[list[Vertex]]:
    """Return the triangles of one case, counter-clockwise as seen from outside.

    Parameters
    ----------
    number : int
        Sum over the corners inside of 2 to the power of the corner's bit.
    flips : bool
        Whether the complement is taken where ``FLIPPING`` is inside, as PyRadiomics does.

    Examples
    --------
    >>> triangles_of(1)
    [[(0, 0, 1), (1, 0, 0), (0, 1, 0)]]
    """
    inside = frozenset(corner(bit) for bit in range(8) if number >> bit & 1)
    if flips and FLIPPING in inside:
        return [triangle[::-1] for triangle in triangles_of(255 - number)]
    return [triangle for line in outlines(inside) for triangle in fan(line)]


@cache
def table(flips: bool = False) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the triangles of all 256 cases.

    Parameters
    ----------
    flips : bool
        As PyRadiomics has them; else those of a closed surface.

    Returns
    -------
    case : ndarray of int64, shape (n,)
        That each triangle belongs to.
    triangles : ndarray of float64, shape (n, 3, 3)
        Vertices in a cube with edges of length 1.

    Examples
    --------
    >>> case, triangles = table()
    >>> case.max(), triangles.shape[1:]
    (np.int64(254), (3, 3))
    """
    rows = [triangles_of(number, flips) for number in range(256)]
    case = np.repeat(np.arange(256), [len(row) for row in rows])
    return case, np.array([triangle for row in rows for triangle in row], dtype=np.float64) / 2
