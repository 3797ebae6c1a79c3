"""Smallest box around a convex hull, in any orientation.

Why it exists: the standard's densities compare a region with the box that encloses it most tightly, and a search over
angles finds that box only roughly. For a given direction of one edge the best box is exact: seen along that direction,
one of its sides lies on the outline of the hull. The directions tried are those of the hull's faces and the axes of the
grid; then the edges of the best box are tilted, less and less, as long as that makes it smaller.

Source: IBSI reference manual, features ZH1A and IQYR; Freeman H, Shapira R, Determining the minimum-area encasing
rectangle for an arbitrary closed curve, Commun ACM 1975;18:409-413; Chan CK, Tan ST, Determination of the minimum
bounding box of an arbitrary solid, Comput Struct 2001;79:1433-1449.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tumorboard.compiled import compiled
from tumorboard.radiomics.shape.hull import Hull

Float = NDArray[np.float64]
Whole = NDArray[np.int64]

TILT, TURNS = 0.3, 8
"""First tilt of the best box, in rad, and the number of directions that it is tilted to."""


@compiled
def _basis(w: Float) -> Float:
    """Return two directions across a unit vector, and the vector: rows of a rotation."""
    axis = np.argmin(np.abs(w))
    u = np.zeros(3)
    u[axis] = 1.0
    u -= w[axis] * w
    u /= np.sqrt(np.sum(u * u))
    basis = np.empty((3, 3))
    basis[0], basis[1], basis[2] = u, np.cross(w, u), w
    return basis


@compiled
def _silhouette(w: Float, normals: Float, triangles: Whole, neighbours: Whole, size: int) -> Whole:
    """Return the corners at which the hull turns away from the viewer."""
    front = np.empty(len(normals), np.bool_)
    for n in range(len(normals)):
        front[n] = normals[n, 0] * w[0] + normals[n, 1] * w[1] + normals[n, 2] * w[2] >= 0
    seen = np.zeros(size, np.bool_)
    for n in range(len(normals)):
        for m in range(3):
            if front[n] and not front[neighbours[n, m]]:
                seen[triangles[n, m - 1]] = True
                seen[triangles[n, m - 2]] = True
    return np.flatnonzero(seen)


@compiled
def _outline(x: Float, y: Float) -> Whole:
    """Return the corners of the convex outline of points in a plane, in order."""
    order = np.argsort(x)
    found = np.empty(2 * len(x) + 1, np.int64)
    count = 0
    for side in range(2):
        start = count
        for n in range(len(x)):
            p = order[n] if side == 0 else order[len(x) - 1 - n]
            while count - start > 1:
                a, b = found[count - 2], found[count - 1]
                if (x[b] - x[a]) * (y[p] - y[a]) > (y[b] - y[a]) * (x[p] - x[a]):
                    break
                count -= 1
            found[count] = p
            count += 1
        count -= 1  # the last point of a side is the first of the other
    return found[:count]


@compiled
def _rectangle(x: Float, y: Float) -> Float:
    """Return sides and direction of the smallest rectangle around an outline: along, across, cosine, sine."""
    best = np.array([np.inf, np.inf, 1.0, 0.0])
    for n in range(len(x)):
        c, s = x[n] - x[n - 1], y[n] - y[n - 1]
        length = np.hypot(c, s)
        if length == 0:
            continue
        c, s = c / length, s / length
        left, right, low, high = np.inf, -np.inf, np.inf, -np.inf
        for m in range(len(x)):
            along, across = c * x[m] + s * y[m], c * y[m] - s * x[m]
            left, right = min(left, along), max(right, along)
            low, high = min(low, across), max(high, across)
        a, b = right - left, high - low
        if a * b < best[0] * best[1]:
            best[0], best[1], best[2], best[3] = a, b, c, s
    return best


@compiled
def _box_along(w: Float, points: Float, normals: Float, triangles: Whole, neighbours: Whole) -> tuple[Float, Float]:
    """Return the edges (mm) of the smallest box with one edge along a direction, and their directions in rows."""
    basis = _basis(w / np.sqrt(np.sum(w * w)))
    seen = points[_silhouette(basis[2], normals, triangles, neighbours, len(points))]
    x = seen[:, 0] * basis[0, 0] + seen[:, 1] * basis[0, 1] + seen[:, 2] * basis[0, 2]
    y = seen[:, 0] * basis[1, 0] + seen[:, 1] * basis[1, 1] + seen[:, 2] * basis[1, 2]
    height = points[:, 0] * basis[2, 0] + points[:, 1] * basis[2, 1] + points[:, 2] * basis[2, 2]
    around = _outline(x, y)
    a, b, c, s = _rectangle(x[around], y[around])
    turned = np.empty((3, 3))
    turned[0], turned[1], turned[2] = c * basis[0] + s * basis[1], c * basis[1] - s * basis[0], basis[2]
    return np.array([a, b, np.max(height) - np.min(height)]), turned


@compiled
def _search(directions: Float, points: Float, normals: Float, triangles: Whole, neighbours: Whole) -> Float:
    """Return the edges of the smallest box along any of the directions, after it was turned as far as that helps."""
    best, axes = np.full(3, np.inf), np.eye(3)
    for n in range(len(directions)):
        edges, turned = _box_along(directions[n], points, normals, triangles, neighbours)
        if np.prod(edges) < np.prod(best):
            best, axes = edges, turned
    tilt = TILT
    while tilt > TILT * 1e-6:
        start = np.prod(best)
        for n in range(3 * TURNS):
            angle = 2 * np.pi * (n // 3) / TURNS
            u, v, w = axes[n % 3 - 2], axes[n % 3 - 1], axes[n % 3]
            tilted = w + tilt * (np.cos(angle) * u + np.sin(angle) * v)
            edges, turned = _box_along(tilted, points, normals, triangles, neighbours)
            if np.prod(edges) < np.prod(best) * (1 - 1e-12):
                best, axes = edges, turned
        if np.prod(best) == start:
            tilt /= 3
    return best


def smallest_box(hull: Hull) -> Float:
    """Return the edges (mm) of the smallest box around a hull, shape (3,), ascending.

    It is the smallest of those that were tried: not proven, but close, for any hull.

    Parameters
    ----------
    hull : Hull
        From `tumorboard.radiomics.shape.hull.hull_of`.

    Examples
    --------
    >>> from tumorboard.radiomics.shape.hull import hull_of
    >>> turn = np.array([[0.8, 0.6, 0], [-0.6, 0.8, 0], [0, 0, 1]])
    >>> corners = np.array([[i, j, k] for i in (0, 1) for j in (0, 2) for k in (0, 3)]) @ turn
    >>> smallest_box(hull_of(corners)).round(6).tolist()
    [1.0, 2.0, 3.0]
    """
    sizes = np.sqrt(np.sum(hull.normals**2, axis=1))
    normals = hull.normals / np.where(sizes > 0, sizes, 1.0)[:, None]  # a face may have needles among its triangles
    half = normals[sizes > 0]
    half = half * np.where(half @ np.array([1.0, 1e-3, 1e-6]) < 0, -1.0, 1.0)[:, None]  # w and -w see the same
    half = half[np.lexsort(np.round(half, 9).T)]
    new = np.append(True, np.any(np.abs(np.diff(half, axis=0)) > 1e-9, axis=1))
    directions = np.concatenate([np.eye(3), half[new]])
    return np.sort(_search(directions, hull.points, normals, hull.triangles, hull.neighbours))
