"""Ellipsoids: their area, and the smallest one around points.

Why it exists: the standard compares a region with the ellipsoid of its principal axes and with the smallest ellipsoid
that encloses it. The standard's series for the area of an ellipsoid takes both eccentricities with respect to the
longest axis; the series that converges to the area takes both with respect to the shortest. The reference values follow
the standard's series (4% less than the area for the digital phantom), so features do too.

Source: IBSI reference manual, features 6BDE, RDD2, SWZ1 and BRI8; Carlson BC, Numerical computation of real or complex
elliptic integrals, Numer Algorithms 1995;10:13-26; Todd MJ, Yildirim EA, On Khachiyan's algorithm for the computation
of minimum-volume enclosing ellipsoids, Discrete Appl Math 2007;155:1731-1744.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import elliprg

from tumorboard.compiled import compiled

Float = NDArray[np.float64]

DEGREE = 20
"""Of the standard's series."""

JOINING = 12
"""Points that may join in one round."""

ROUNDS = 100
"""A limit that was not met so far; the ellipsoid then still holds all points, but might be larger than needed."""


def volume(half_axes: Float) -> float:
    """Return the volume (mm3) of an ellipsoid from the halves of its axes (mm), shape (3,).

    Examples
    --------
    >>> round(volume(np.ones(3)), 6)
    4.18879
    """
    return float(4 / 3 * np.pi * np.prod(half_axes))


def area(half_axes: Float) -> float:
    """Return the area (mm2) of an ellipsoid from the halves of its axes (mm), shape (3,).

    Examples
    --------
    >>> round(area(np.ones(3)), 6)
    12.566371
    >>> round(area(np.array([0.0, 1.0, 1.0])), 6)  # a disc has two sides
    6.283185
    """
    a, b, c = half_axes**2
    return float(4 * np.pi * elliprg(a * b, a * c, b * c))


def standard_area(half_axes: Float) -> float:
    """Return what the standard takes for the area (mm2) of an ellipsoid.

    Parameters
    ----------
    half_axes : ndarray of float64, shape (3,)
        Halves of the axes (mm), above 0.

    Examples
    --------
    >>> round(standard_area(np.ones(3)), 6)
    12.566371
    >>> round(standard_area(np.array([1.0, 1.0, 2.0])) / area(np.array([1.0, 1.0, 2.0])), 3)
    0.808
    """
    least, middle, major = np.sort(half_axes)
    alpha, beta = 1 - (middle / major) ** 2, 1 - (least / major) ** 2  # squares of the eccentricities
    total, before, term = 1.0, 0.0, 1.0  # a term is (alpha beta)^(n/2) times a Legendre polynomial: finite for alpha 0
    for n in range(DEGREE):
        term, before = ((2 * n + 1) * (alpha + beta) / 2 * term - n * alpha * beta * before) / (n + 1), term
        total += term / (1 - 4 * (n + 1) ** 2)
    return float(4 * np.pi * major * middle * total)


def _spread_out(points: Float) -> NDArray[np.int64]:
    """Return rows of four points that do not lie in one plane: each is far from those before."""
    chosen = [int(np.sum((points - points.mean(axis=0)) ** 2, axis=1).argmax())]
    off = points - points[chosen[0]]
    for _ in range(3):
        chosen.append(int(np.sum(off**2, axis=1).argmax()))
        direction = off[chosen[-1]] / np.sqrt(np.sum(off[chosen[-1]] ** 2))
        off = off - np.outer(off @ direction, direction)
    return np.unique(chosen)


@compiled
def _room(values: Float, steps: Float) -> float:
    """Return the largest share of a step, 1 at most, that leaves all values positive."""
    share = 1.0
    for n in range(len(values)):
        if steps[n] < 0:
            share = min(share, -0.95 * values[n] / steps[n])
    return share


@compiled
def _balance(lifted: Float, tolerance: float) -> Float:
    """Return the weights of few points for which none lies outside the ellipsoid that they span.

    Newton's method on the conditions of an optimum: a point has weight only if it lies on the ellipsoid, that is if
    the slack, its distance to it, is 0. Their product is brought down to 0 for all points together.
    """
    size, d = lifted.shape
    weight = np.full(size, 1.0 / size)
    slack = np.full(size, 1.0 * d)
    for _ in range(200):
        products = lifted @ np.linalg.inv((lifted.T * weight) @ lifted) @ lifted.T
        off = d - np.diag(products) - slack
        gap = np.sum(weight * slack)
        if gap < tolerance and np.max(np.abs(off)) < tolerance:
            break
        aim = 0.1 * gap / size
        matrix = products * products + np.diag(slack / weight)
        change = np.linalg.solve(matrix, aim / weight - slack - off)
        slack_change = aim / weight - slack - slack / weight * change
        share = min(_room(weight, change), _room(slack, slack_change))
        weight += share * change
        slack += share * slack_change
    share_of_all: Float = weight / np.sum(weight)
    return share_of_all


@compiled
def _enclose(lifted: Float, chosen: NDArray[np.int64], tolerance: float) -> tuple[Float, Float, float]:
    """Return weights of some points, these points, and how far out the outermost of all points lies.

    Points that lie outside join the chosen few until there are none; then those that are not chosen do not matter.
    """
    d = lifted.shape[1]
    few, weight, furthest = lifted, np.ones(len(lifted)), np.inf
    for _ in range(ROUNDS):
        few = lifted[chosen]
        weight = _balance(few, tolerance / 10)
        inverse = np.linalg.inv((few.T * weight) @ few)
        far = np.sum((lifted @ inverse) * lifted, axis=1)
        furthest = np.max(far)
        if furthest < d + tolerance:
            break
        kept = chosen[(weight > tolerance) | (far[chosen] > d - 1e-3)]
        outside = np.argsort(-far)[:JOINING]
        chosen = np.unique(np.concatenate((kept, outside[far[outside] >= d + tolerance])))
    return weight, few, float(furthest)


def smallest_around(points: Float, tolerance: float = 1e-7) -> Float:
    """Return the halves (mm) of the axes of the smallest ellipsoid that holds all points, shape (3,), ascending.

    Parameters
    ----------
    points : ndarray of float64, shape (n, 3)
        Not all in one plane; corners of the convex hull are enough.
    tolerance : float
        How far, as a share of their distance from the centre, points may lie off.

    Examples
    --------
    >>> corners = np.array([[i, j, k] for i in (-1, 1) for j in (-1, 1) for k in (-1, 1)], dtype=float)
    >>> smallest_around(corners).round(6).tolist()
    [1.732051, 1.732051, 1.732051]
    """
    off = points - points.mean(axis=0)
    stretch = np.linalg.cholesky(off.T @ off / len(off))  # the problem is the same, and well posed, for round clouds
    near = np.linalg.solve(stretch, off.T).T
    weight, few, furthest = _enclose(np.column_stack([near, np.ones(len(near))]), _spread_out(near), tolerance)
    off = (few[:, :3] - weight @ few[:, :3]) @ stretch.T
    halves: Float = np.sqrt(np.linalg.eigvalsh((off.T * weight) @ off) * (furthest - 1))
    return halves
