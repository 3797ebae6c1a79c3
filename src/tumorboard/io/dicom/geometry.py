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
from tumorboard.volume import Grid

EVEN_MM = 0.01
"""Deviation of a plane from its even place that is only rounding (half the tolerance of equal grids is 0.005)."""

UNEVEN = 0.10
"""Largest deviation of a gap from the usual one that is mended by resampling, as a part of it; chosen."""

MISSING = 1.5
"""A gap of this many usual ones holds a missing slice; chosen."""

TILT_DEG = 0.1
"""Angle between the step and the normal from which a stack is called tilted; below it is rounding. Chosen."""

LEAST_PLANES = 3

_LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])


@dataclass(frozen=True)
class Stack:
    """How planes lie along their normal.

    Parameters
    ----------
    step_mm : ndarray, shape (3,)
        Mean step from plane to plane, LPS mm.
    deviation_mm : float
        Largest distance of a plane's first pixel from its even place.
    tilt_deg : float
        Angle between step and normal (gantry tilt).
    gaps_mm : ndarray
        Distances between neighbours along the normal.
    """

    step_mm: NDArray[np.float64]
    deviation_mm: float
    tilt_deg: float
    gaps_mm: NDArray[np.float64]


def normal_of(plane: Plane) -> NDArray[np.float64]:
    """Return the unit normal: direction of a row × direction of a column, LPS."""
    normal = np.cross(plane.orientation[:3], plane.orientation[3:])
    return np.asarray(normal / max(float(np.linalg.norm(normal)), 1e-12))


def along_normal(planes: Many[Plane], normal: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return each plane's place along a normal, mm."""
    return np.array([plane.position_mm for plane in planes]) @ normal


def stack_of(planes: Many[Plane]) -> Stack:
    """Describe sorted planes (at least two).

    Examples
    --------
    >>> from pathlib import Path
    >>> at = lambda z: Plane(Path(), "", "", (0.0, 0.0, z), (1.0, 0, 0, 0, 1.0, 0), (1.0, 1.0), 4, 4)
    >>> stack = stack_of([at(0.0), at(3.0), at(6.0)])
    >>> stack.step_mm.tolist(), stack.deviation_mm
    ([0.0, 0.0, 3.0], 0.0)
    """
    places = np.array([plane.position_mm for plane in planes])
    step = (places[-1] - places[0]) / (len(planes) - 1)
    even = places[0] + np.arange(len(planes))[:, None] * step
    normal = normal_of(planes[0])
    length = max(float(np.linalg.norm(step)), 1e-12)
    cosine = min(1.0, abs(float(step @ normal)) / length)
    return Stack(
        step_mm=step,
        deviation_mm=float(np.linalg.norm(places - even, axis=1).max()),
        tilt_deg=float(np.degrees(np.arccos(cosine))),
        gaps_mm=np.diff(places @ normal),
    )


def plane_grid(planes: Many[Plane]) -> Grid:
    """Return the grid of an even stack: data[i = column, j = row, k = plane], RAS mm.

    Parameters
    ----------
    planes : sequence of Plane
        Sorted; a tilted stack gives a sheared affine, which :class:`Grid` refuses.

    Raises
    ------
    GeometryError
        The affine cannot be used.
    """
    first = planes[0]
    affine = np.eye(4)
    affine[:3, 0] = np.array(first.orientation[:3]) * first.spacing_mm[1]
    affine[:3, 1] = np.array(first.orientation[3:]) * first.spacing_mm[0]
    affine[:3, 2] = stack_of(planes).step_mm if len(planes) > 1 else normal_of(first)
    affine[:3, 3] = first.position_mm
    return Grid((first.columns, first.rows, len(planes)), _LPS_TO_RAS @ affine)


def judge(planes: Many[Plane]) -> tuple[tuple[str, ...], str, str]:
    """Return notes, a refusal and its remedy for sorted planes at distinct places.

    Returns
    -------
    notes : tuple of str
        What will be mended on reading.
    refusal, remedy : str
        Why the planes are no volume, and what to do; empty when they are one.
    """
    if len(planes) < LEAST_PLANES:
        return (), f"{len(planes)} slices, fewer than {LEAST_PLANES}", "give the whole series"
    stack = stack_of(planes)
    usual = float(np.median(stack.gaps_mm))
    holes = [(n + 1, round(gap / usual) - 1) for n, gap in enumerate(stack.gaps_mm) if gap >= MISSING * usual]
    if holes:
        missing = sum(max(1, count) for _, count in holes)
        where = ", ".join(str(after) for after, _ in holes[:4])
        told = f"{missing} of {len(planes) + missing} slices missing (after slice {where})"
        return (), told, "copy the series again from its source, whole"
    uneven = float(np.abs(stack.gaps_mm - usual).max()) / usual
    if uneven > UNEVEN:
        told = f"gaps between slices of {stack.gaps_mm.min():.2f} to {stack.gaps_mm.max():.2f} mm"
        return (), told, "give a series with even gaps"
    notes = []
    if stack.tilt_deg > TILT_DEG:
        notes.append(
            f"slices are tilted by {stack.tilt_deg:.1f}° against their stack; resampled to a right-angled grid"
        )
    elif stack.deviation_mm > EVEN_MM:
        notes.append(f"slices lie up to {stack.deviation_mm:.2f} mm off their even places; resampled to even ones")
    return tuple(notes), "", ""
