"""Diameters that a reader drew, in place of those found in a mask.

Why it exists: a mask can be right and its longest diameter still not the one that a reader would take, for instance
along a vessel or a strand. Lines are kept in world positions, so that they outlive a corrected mask; each belongs to
the lesion that it lies in, and where that lesion is gone, so is the line. It measures what was drawn, end to end: a
reader puts ends on edges, so no edge is added.
Source: RANO2.0-assist (a Slicer extension) for lines that can be moved by hand.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, field_validator

from tumorboard.measure.diameters import LesionDiameters, slice_axis_of
from tumorboard.measurement import Diameters
from tumorboard.volume import Grid

NEAR_MM = 15.0
"""A line belongs to the nearest lesion not farther from its middle than this; chosen."""

LONGEST_MM = 300.0
"""No line in a head is longer."""

Point = tuple[float, float, float]
Ends = tuple[Point, Point]


class HandDiameters(BaseModel):
    """Both diameters of one lesion on one slice, drawn by a reader.

    Parameters
    ----------
    reading : str
        ``ce_only``, ``filled`` or ``flair``: which mask they stand for.
    longest_mm, perpendicular_mm : pair of points
        Ends in world positions, RAS mm.

    Examples
    --------
    >>> longest, across = ((0, 0, 0), (30, 40, 0)), ((0, 9, 0), (9, 9, 0))
    >>> hand = HandDiameters(reading="flair", longest_mm=longest, perpendicular_mm=across)
    >>> hand.lengths_mm
    (50.0, 9.0)
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    reading: str = Field(pattern="^(ce_only|filled|flair)$")
    longest_mm: Ends
    perpendicular_mm: Ends

    @field_validator("longest_mm", "perpendicular_mm")
    @classmethod
    def _in_a_head(cls, ends: Ends) -> Ends:
        if not all(math.isfinite(value) for end in ends for value in end):
            raise ValueError("ends are positions in mm")
        if not 0.0 < math.dist(*ends) <= LONGEST_MM:
            raise ValueError(f"a line is longer than 0 and at most {LONGEST_MM:g} mm")
        return ends

    @property
    def lengths_mm(self) -> tuple[float, float]:
        """Lengths of both lines in mm."""
        return math.dist(*self.longest_mm), math.dist(*self.perpendicular_mm)

    @property
    def middle_mm(self) -> Point:
        """Middle of the longest, RAS mm."""
        (a, b, c), (x, y, z) = self.longest_mm
        return (a + x) / 2, (b + y) / 2, (c + z) / 2


def with_hand(
    readings: Mapping[int, Mapping[str, LesionDiameters]],
    drawn: Sequence[HandDiameters],
    numbers: NDArray[np.uint16],
    grid: Grid,
) -> dict[int, dict[str, LesionDiameters]]:
    """Put what a reader drew in the place of what was found.

    Parameters
    ----------
    readings : mapping
        Diameters by lesion and reading, found in masks.
    drawn : sequence of HandDiameters
        By a reader; of two on one lesion and reading the later one counts.
    numbers : ndarray of uint16, shape (i, j, k)
        Lesion numbers on the slices that diameters are read on.
    grid : Grid
        Of those slices.

    Returns
    -------
    dict
        The same lesions and readings.

    Examples
    --------
    >>> numbers = np.zeros((9, 9, 9), np.uint16); numbers[2:7, 2:7, 4] = 1; grid = Grid(numbers.shape, np.eye(4))
    >>> from tumorboard.measure.diameters import measure_diameters
    >>> found = {1: {"flair": measure_diameters(numbers > 0, grid.spacing_mm, 2)}}
    >>> longest, across = ((2, 2, 4), (6, 2, 4)), ((3, 2, 4), (3, 5, 4))
    >>> hand = HandDiameters(reading="flair", longest_mm=longest, perpendicular_mm=across)
    >>> with_hand(found, [hand], numbers, grid)[1]["flair"].rano.product_mm2
    12.0
    """
    out = {number: dict(by_name) for number, by_name in readings.items()}
    for hand in drawn:
        number = _lesion_at(hand.middle_mm, numbers, grid)
        if hand.reading in out.get(number, {}):
            drawn_there = _diameters(hand, grid)
            found = out[number][hand.reading]
            out[number][hand.reading] = replace(found, rano=drawn_there, product=drawn_there, by_hand=True)
    return out


def _lesion_at(middle_mm: Point, numbers: NDArray[np.uint16], grid: Grid) -> int:
    """Return the lesion nearest to a position; 0 where none is near."""
    middle = grid.to_voxel([middle_mm])[0]
    reach = np.ceil(NEAR_MM / np.asarray(grid.spacing_mm)).astype(int)
    low = np.maximum(np.floor(middle).astype(int) - reach, 0)
    high = np.maximum(np.ceil(middle).astype(int) + reach + 1, low)
    box = tuple(slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
    places = np.argwhere(numbers[box])
    if not len(places):
        return 0
    away = np.linalg.norm((places + low - middle) * grid.spacing_mm, axis=1)
    nearest = int(away.argmin())
    return int(numbers[box][tuple(places[nearest])]) if away[nearest] <= NEAR_MM else 0


def _diameters(hand: HandDiameters, grid: Grid) -> Diameters:
    axis = slice_axis_of(grid)

    def voxels(ends: Ends) -> tuple[tuple[int, int, int], tuple[int, int, int]]:
        (a, b, c), (x, y, z) = np.round(grid.to_voxel(ends)).astype(int).tolist()
        return (a, b, c), (x, y, z)

    longest, perpendicular = hand.lengths_mm
    return Diameters(
        longest_mm=longest,
        perpendicular_mm=perpendicular,
        slice_index=round(float(grid.to_voxel([hand.middle_mm])[0][axis])),
        slice_axis=axis,
        longest_ijk=voxels(hand.longest_mm),
        perpendicular_ijk=voxels(hand.perpendicular_mm),
        edge_mm=(0.0, 0.0),
    )
