"""How a slice becomes a picture: radiological convention and true proportions.

Why it exists: a picture that is flipped without saying so is the classic error of image display. All
cutting and flipping for pictures stands here: the patient's right is on the picture's left, anterior
is up on axial pictures and left on sagittal ones, superior is up. Input must be RAS.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Plane:
    """A viewing plane of RAS data.

    Parameters
    ----------
    name : str
        ``axial``, ``coronal`` or ``sagittal``.
    axis : int
        Voxel axis that is cut.
    across, down : int
        Voxel axes shown left to right and top to bottom; both run against the voxel index.
    marks : tuple of str
        Letters at the left, right, top and bottom edge.
    """

    name: str
    axis: int
    across: int
    down: int
    marks: tuple[str, str, str, str]


AXIAL = Plane("axial", 2, 0, 1, ("R", "L", "A", "P"))
CORONAL = Plane("coronal", 1, 0, 2, ("R", "L", "S", "I"))
SAGITTAL = Plane("sagittal", 0, 1, 2, ("A", "P", "S", "I"))
PLANES = {plane.axis: plane for plane in (AXIAL, CORONAL, SAGITTAL)}
"""The plane that is cut at each voxel axis."""


def cut(data: NDArray[Any], plane: Plane, index: int) -> NDArray[Any]:
    """Return one slice as a picture, row 0 at the top, column 0 at the left.

    Parameters
    ----------
    data : ndarray, shape (i, j, k)
        RAS.
    plane : Plane
        Which way to cut.
    index : int
        Voxel index along ``plane.axis``.

    Examples
    --------
    >>> data = np.zeros((4, 4, 1)); data[3, 3, 0] = 1  # right and anterior
    >>> cut(data, AXIAL, 0)[0, 0]
    np.float64(1.0)
    """
    picture = data.take(index, axis=plane.axis)[::-1, ::-1]
    return np.asarray(picture.T)


def pixel_mm(spacing_mm: tuple[float, float, float], plane: Plane) -> tuple[float, float]:
    """Width and height of a picture's pixel in mm."""
    return spacing_mm[plane.across], spacing_mm[plane.down]


def extent_mm(
    shape: tuple[int, int, int], spacing_mm: tuple[float, float, float], plane: Plane
) -> tuple[float, float, float, float]:
    """Edges of a picture in mm (left, right, bottom, top); the first pixel's centre is (0, 0), down is positive.

    Examples
    --------
    >>> extent_mm((10, 20, 4), (1.0, 1.0, 5.0), CORONAL)
    (-0.5, 9.5, 17.5, -2.5)
    """
    width, height = pixel_mm(spacing_mm, plane)
    columns, rows = shape[plane.across], shape[plane.down]
    return -0.5 * width, (columns - 0.5) * width, (rows - 0.5) * height, -0.5 * height


def place_mm(
    ijk: tuple[float, ...], shape: tuple[int, int, int], spacing_mm: tuple[float, float, float], plane: Plane
) -> tuple[float, float]:
    """Where a voxel lies on the picture, in mm across and down.

    Examples
    --------
    >>> place_mm((9, 19, 0), (10, 20, 4), (1.0, 1.0, 5.0), AXIAL)
    (0.0, 0.0)
    """
    width, height = pixel_mm(spacing_mm, plane)
    across = (shape[plane.across] - 1 - ijk[plane.across]) * width
    down = (shape[plane.down] - 1 - ijk[plane.down]) * height
    return float(across), float(down)
