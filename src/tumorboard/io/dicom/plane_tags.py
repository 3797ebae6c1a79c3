"""The image plane attributes of a grid: where its slices lie, as DICOM writes it.

Why it exists: RAS affines become LPS positions and directions in this one place, for every order and flip
of the axes. Source: PS3.3 C.7.6.2 (Image Plane), PS3.5 6.2 (DS).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tumorboard.volume import Grid

_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])


@dataclass(frozen=True)
class PlaneTags:
    """The image plane attributes of a grid, in the patient's LPS coordinates (PS3.3 C.7.6.2.1.1).

    Parameters
    ----------
    orientation : tuple of str
        Directions of a row and of a column.
    spacing : tuple of str
        Between rows, between columns, mm.
    positions : tuple of tuple of str
        Centre of the first pixel of each slice, mm.
    between : str
        From slice to slice, mm.
    places : tuple of str
        Of each slice along the normal, mm.
    """

    orientation: tuple[str, ...]
    spacing: tuple[str, str]
    positions: tuple[tuple[str, ...], ...]
    between: str
    places: tuple[str, ...]


def plane_tags(grid: Grid) -> PlaneTags:
    """Return the image plane attributes of a grid whose axes are columns, rows, slices.

    Examples
    --------
    >>> tags = plane_tags(Grid((4, 4, 2), np.diag([-1.0, 1.0, 2.0, 1.0])))
    >>> tags.orientation, tags.places
    (('1.0', '0.0', '0.0', '0.0', '-1.0', '0.0'), ('0.0', '-2.0'))
    """
    lps = _LPS @ grid.affine
    row, column = (lps[:3, axis] / np.linalg.norm(lps[:3, axis]) for axis in range(2))
    positions = lps[:3, 3] + np.arange(grid.shape[2])[:, None] * lps[:3, 2]
    between_columns, between_rows, between = grid.spacing_mm
    return PlaneTags(
        orientation=_numbers(np.concatenate([row, column])),
        spacing=(number(between_rows), number(between_columns)),
        positions=tuple(_numbers(position) for position in positions),
        between=number(between),
        places=_numbers(positions @ np.cross(row, column)),
    )


def number(value: float) -> str:
    """Return a number as DICOM writes it, in at most 16 characters (DS, PS3.5 6.2).

    Examples
    --------
    >>> number(-1 / 3), number(-0.0)
    ('-0.333333333333', '0.0')
    """
    from pydicom.valuerep import format_number_as_ds

    return format_number_as_ds(round(float(value), 12) + 0.0)


def _numbers(values: NDArray[np.float64]) -> tuple[str, ...]:
    return tuple(number(value) for value in values)
