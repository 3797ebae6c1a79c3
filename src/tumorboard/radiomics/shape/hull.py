"""Convex hull of the surface of a mask, and the largest diameter.

Why it exists: four densities, the largest diameter, the smallest box and the smallest ellipsoid need nothing of a
surface but its hull. The hull is found in half voxels, where all coordinates are whole numbers, and then stretched to
millimetres: stretching keeps what is convex.

Source: IBSI reference manual, features L0JK, R3ER and 7T7F; Barber CB et al., The quickhull algorithm for convex hulls,
ACM Trans Math Softw 1996;22:469-483.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import ConvexHull

from tumorboard.compiled import compiled
from tumorboard.radiomics.shape.outline import outermost

Float = NDArray[np.float64]


@dataclass(frozen=True)
class Hull:
    """A convex hull.

    Parameters
    ----------
    points : ndarray of float64, shape (n, 3)
        Corners, in mm from the corner of the mask's box.
    normals : ndarray of float64, shape (m, 3)
        Of its triangles, outwards; as long as their area in mm2.
    triangles : ndarray of int64, shape (m, 3)
        Rows of ``points``.
    neighbours : ndarray of int64, shape (m, 3)
        Triangle that is opposite each corner of a triangle.
    volume : float
        In mm3.
    """

    points: Float
    normals: Float
    triangles: NDArray[np.int64]
    neighbours: NDArray[np.int64]
    volume: float

    @property
    def area(self) -> float:
        """Area in mm2."""
        return float(np.sum(np.sqrt(np.sum(self.normals**2, axis=1))))


def hull_of(points: Float, scale: tuple[float, float, float] = (1.0, 1.0, 1.0)) -> Hull:
    """Return the convex hull of points that do not all lie in one plane.

    Parameters
    ----------
    points : ndarray of float64, shape (n, 3)
        In any unit.
    scale : (float, float, float)
        mm in that unit, along each axis.

    Examples
    --------
    >>> round(hull_of(np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 6.0]])).volume, 9)
    1.0
    """
    found = ConvexHull(points)
    row = np.zeros(len(points), dtype=np.int64)
    row[found.vertices] = np.arange(len(found.vertices))
    corners = points[found.vertices] * np.array(scale)
    triangles = row[found.simplices]
    a, b, c = corners[triangles.T]
    normals = np.cross(b - a, c - a) / 2
    outwards = found.equations[:, :3] / np.array(scale)  # a plane's normal shrinks where space is stretched
    normals *= np.where(np.sum(normals * outwards, axis=1) < 0, -1.0, 1.0)[:, None]
    volume = float(found.volume * np.prod(scale))
    return Hull(corners, normals, triangles, found.neighbors.astype(np.int64), volume)


def hull_of_mask(mask: NDArray[np.bool_], spacing_mm: tuple[float, float, float]) -> Hull:
    """Return the convex hull of the surface of a mask, as marching cubes put it: half a voxel outside the centres.

    Parameters
    ----------
    mask : ndarray of bool, shape (i, j, k)
        Not empty; cut to its box.
    spacing_mm : (float, float, float)
        Voxel size.

    Examples
    --------
    >>> round(hull_of_mask(np.ones((1, 1, 1), dtype=bool), (1.0, 1.0, 6.0)).volume, 9)
    1.0
    """
    i, j, k = spacing_mm
    return hull_of(outermost(np.ascontiguousarray(mask)).astype(np.float64), (i / 2, j / 2, k / 2))


@compiled
def largest_distance(points: Float) -> float:
    """Return the largest distance between two of n points, shape (n, 3).

    Examples
    --------
    >>> largest_distance(np.array([[0.0, 0, 0], [1, 0, 0], [0, 3, 4]]))
    5.0990...
    """
    best = 0.0
    for a in range(len(points)):
        for b in range(a):
            x, y, z = points[a, 0] - points[b, 0], points[a, 1] - points[b, 1], points[a, 2] - points[b, 2]
            best = max(best, x * x + y * y + z * z)
    return float(np.sqrt(best))
