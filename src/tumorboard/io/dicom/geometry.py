"""Planes in space: their order, the gaps between them, and the grid they make.

Why it exists: a series is a volume only when its planes are parallel, equally sized and evenly spaced.
What deviates a little is mended by resampling and said; what deviates much is refused in numbers.
Source: PS3.3 C.7.6.2.1.1 (Image Position and Orientation).
"""

from __future__ import annotations

from collections.abc import Sequence as Many
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tumorboard.series import Plane
from tumorboard.volume import SHEAR_TOLERANCE, Grid

Vector = NDArray[np.float64]

EVEN_MM = 0.03
"""Deviation of a plane from its even place that is only rounding of the header. Chosen."""

UNEVEN = 0.10
"""Largest deviation of a gap from the usual one that is mended by resampling, as a part of it. Chosen."""

MISSING = 1.5
"""A gap of this many usual ones holds a missing slice. Chosen."""

LEAST_PLANES = 3
"""Fewer planes are no volume to measure in. Chosen."""

TILT_DEG = 0.05
"""Angle between step and normal up to which a grid is still right-angled (its shear stays below 0.001)."""

_UNIT = 0.01
"""Deviation of a direction's length from 1 that is only rounding. Chosen."""

_LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])


@dataclass(frozen=True)
class Stack:
    """How sorted planes lie to one another; lengths in mm.

    Parameters
    ----------
    places : ndarray, shape (n,)
        Along the normal, from the first plane.
    drift : ndarray, shape (n, 2)
        Of each plane's first pixel from the first plane's, along a row and along a column.
    """

    places: Vector
    drift: Vector

    @property
    def gap_mm(self) -> float:
        """Mean distance between neighbours."""
        return float(self.places[-1]) / (len(self.places) - 1)

    @property
    def even(self) -> bool:
        """Whether every plane lies at its even place along the normal."""
        return float(np.abs(self.places - _line(self.places)).max()) <= EVEN_MM

    @property
    def straight(self) -> bool:
        """Whether a right-angled grid meets every plane's first pixel."""
        if float(np.abs(self.drift).max()) <= EVEN_MM:
            return True
        return self.tilt_deg <= TILT_DEG and float(np.abs(self.drift - _line(self.drift)).max()) <= EVEN_MM

    @property
    def tilt_deg(self) -> float:
        """Angle between the mean step and the normal (gantry tilt)."""
        return float(np.degrees(np.arctan2(np.linalg.norm(self.drift[-1]), self.places[-1])))


def _line(values: Vector) -> Vector:
    """Return even steps from the first to the last value."""
    return np.asarray(np.linspace(values[0], values[-1], len(values)))


def axes_of(plane: Plane) -> tuple[Vector, Vector, Vector]:
    """Return unit vectors along a row, along a column and along the normal (row × column), LPS."""
    row, column = (np.array(part) / max(float(np.linalg.norm(part)), 1e-9) for part in _halves(plane))
    normal = np.cross(row, column)
    return row, column, normal / max(float(np.linalg.norm(normal)), 1e-9)


def _halves(plane: Plane) -> tuple[tuple[float, ...], tuple[float, ...]]:
    return plane.orientation[:3], plane.orientation[3:]


def along_normal(planes: Many[Plane], normal: Vector) -> Vector:
    """Return each plane's place along a normal, mm."""
    return np.array([plane.position_mm for plane in planes]) @ normal


def stack_of(planes: Many[Plane]) -> Stack:
    """Describe sorted planes (at least two).

    Examples
    --------
    >>> from pathlib import Path
    >>> at = lambda z: Plane(Path(), "", "", (0.0, 0.0, z), (1.0, 0, 0, 0, 1.0, 0), (1.0, 1.0), 4, 4)
    >>> stack = stack_of([at(0.0), at(3.0), at(6.0)])
    >>> stack.gap_mm, stack.even, stack.straight
    (3.0, True, True)
    """
    row, column, normal = axes_of(planes[0])
    from_first = np.array([plane.position_mm for plane in planes]) - planes[0].position_mm
    return Stack(from_first @ normal, np.stack([from_first @ row, from_first @ column], axis=1))


def plane_grid(planes: Many[Plane]) -> Grid:
    """Return the grid of an even, untilted stack: data[i = column, j = row, k = plane], RAS mm.

    Parameters
    ----------
    planes : sequence of Plane
        Sorted. One plane is taken to be 1 mm thick.

    Raises
    ------
    GeometryError
        The planes are tilted against their stack, or their directions cannot be used.

    Examples
    --------
    >>> from pathlib import Path
    >>> at = lambda z: Plane(Path(), "", "", (5.0, 0.0, z), (1.0, 0, 0, 0, 1.0, 0), (2.0, 1.0), 6, 4)
    >>> grid = plane_grid([at(0.0), at(3.0), at(6.0)])
    >>> grid.shape, grid.spacing_mm, grid.axcodes
    ((4, 6, 3), (1.0, 2.0, 3.0), 'LPS')
    """
    _, _, normal = axes_of(planes[0])
    if len(planes) < 2:
        return grid_from(planes[0], np.array(planes[0].position_mm), normal, 1)
    stack = stack_of(planes)
    step = (np.array(planes[-1].position_mm) - planes[0].position_mm) / (len(planes) - 1)
    if stack.straight and stack.tilt_deg > TILT_DEG:  # rounding in a thin stack
        step = normal * stack.gap_mm
    return grid_from(planes[0], np.array(planes[0].position_mm), step, len(planes))


def grid_from(plane: Plane, start: Vector, step: Vector, count: int, more: tuple[int, int] = (0, 0)) -> Grid:
    """Return a grid with the pixels of a plane.

    Parameters
    ----------
    plane : Plane
        Gives rows, columns, spacing and directions.
    start, step : ndarray, shape (3,)
        Centre of the first pixel, and from plane to plane; LPS mm.
    count : int
        Planes.
    more : tuple of int
        Columns and rows beyond those of the plane.
    """
    row, column, _ = axes_of(plane)
    affine = np.eye(4)
    affine[:3, 0], affine[:3, 1] = row * plane.spacing_mm[1], column * plane.spacing_mm[0]
    affine[:3, 2], affine[:3, 3] = step, start
    return Grid((plane.columns + more[0], plane.rows + more[1], count), _LPS_TO_RAS @ affine)


@dataclass(frozen=True)
class Judgement:
    """What planes are as a volume: what will be mended, or why they are none and what to do."""

    notes: tuple[str, ...] = ()
    refusal: str = ""
    remedy: str = ""


def judge(planes: Many[Plane]) -> Judgement:
    """Judge sorted planes at distinct places.

    Examples
    --------
    >>> from pathlib import Path
    >>> at = lambda z: Plane(Path(), "", "", (0.0, 0.0, z), (1.0, 0, 0, 0, 1.0, 0), (1.0, 1.0), 4, 4)
    >>> judge([at(0.0), at(3.0), at(6.0), at(12.0)]).refusal
    '1 of 5 slices missing after slice 3'
    """
    if len(planes) < LEAST_PLANES:
        told = f"{len(planes)} slice{'s' if len(planes) > 1 else ''}, fewer than {LEAST_PLANES}"
        return Judgement(refusal=told, remedy="give the whole series")
    if not _right_angled(planes[0]):
        return Judgement(refusal="rows and columns that are not at right angles", remedy="export the series again")
    stack = stack_of(planes)
    gaps = np.diff(stack.places)
    usual = float(np.median(gaps))
    if missing := _missing(gaps, usual):
        return Judgement(refusal=missing, remedy="copy the series again from its source, whole")
    if float(np.abs(gaps - usual).max()) > UNEVEN * usual:
        told = f"gaps between slices of {gaps.min():.2f} to {gaps.max():.2f} mm"
        return Judgement(refusal=told, remedy="give a series with even gaps")
    field = planes[0].columns * planes[0].spacing_mm[1], planes[0].rows * planes[0].spacing_mm[0]
    if bool((np.ptp(stack.drift, axis=0) > field).any()):
        return Judgement(refusal="slices that do not lie over one another", remedy="give the series as it was acquired")
    return Judgement(tuple(_mended(stack)))


def _right_angled(plane: Plane) -> bool:
    lengths = [float(np.linalg.norm(part)) for part in _halves(plane)]
    row, column, _ = axes_of(plane)
    return max(abs(length - 1) for length in lengths) <= _UNIT and abs(float(row @ column)) <= SHEAR_TOLERANCE


def _missing(gaps: Vector, usual: float) -> str:
    """Say how many slices are missing and where; the empty string when none is."""
    wide = [(n, float(gap) / usual) for n, gap in enumerate(gaps, start=1) if gap >= MISSING * usual]
    holes = [(n, max(1, round(times) - 1)) for n, times in wide]
    if not holes:
        return ""
    count = sum(number for _, number in holes)
    after = [str(n) for n, _ in holes]
    places = f"slice {after[0]}" if len(after) == 1 else f"slices {', '.join(after[:-1][:5])} and {after[-1]}"
    return f"{count} of {len(gaps) + 1 + count} slices missing after {places}"


def _mended(stack: Stack) -> list[str]:
    told = []
    if not stack.straight and stack.tilt_deg > TILT_DEG:
        told.append(f"slices are tilted by {stack.tilt_deg:.1f}° against their stack; resampled at right angles")
    elif not stack.straight:
        told.append(f"slices lie up to {np.abs(stack.drift).max():.1f} mm beside one another; resampled straight")
    if not stack.even:
        off = float(np.abs(stack.places - _line(stack.places)).max())
        told.append(f"slices lie up to {off:.2f} mm off their even places; resampled to even ones")
    return told
