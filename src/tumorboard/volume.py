"""Volumes on a grid: the one place that knows geometry.

Why it exists: most silent errors in imaging are errors of geometry. A bare array has no place in
space, so nothing here takes one where a :class:`Volume` is meant. World coordinates are RAS
millimetres, as in NIfTI; readers of LPS formats convert at the edge. Nothing here resamples unless it
is called by that name.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from tumorboard.errors import GeometryError

Array = NDArray[Any]
Affine = NDArray[np.float64]

GRID_TOLERANCE_MM = 0.01
"""Two grids are equal when every voxel centre agrees within this distance (mm)."""

SHEAR_TOLERANCE = 1e-3
"""Largest |cosine| between two voxel axes that is still called orthogonal."""

_AXIS_NAMES = ("first (i)", "second (j)", "third (k)")

_TIE = 1e-6
"""Decides between two axes at 45 degrees to both, alike for every reordered or flipped copy of a grid."""


def check_affine(affine: Any, where: str = "") -> Affine:
    """Return ``affine`` as a finite, invertible, orthogonal (4, 4) float64 array.

    Parameters
    ----------
    affine : array_like, shape (4, 4)
        Voxel index to RAS mm.
    where : str
        Role of the file, for the message.

    Raises
    ------
    GeometryError
        Wrong shape, NaN, a zero column, or axes farther from orthogonal than ``SHEAR_TOLERANCE``.

    Examples
    --------
    >>> check_affine(np.diag([1, 1, 2, 1])).dtype
    dtype('float64')
    """
    matrix = np.array(affine, dtype=np.float64)
    if matrix.shape != (4, 4) or not np.isfinite(matrix).all():
        raise GeometryError(
            "a finite 4 x 4 affine", got=f"shape {matrix.shape}", where=where, remedy="rewrite the header"
        )
    lengths = np.linalg.norm(matrix[:3, :3], axis=0)
    if lengths.min() < 1e-6 or not np.allclose(matrix[3], (0, 0, 0, 1), atol=1e-6):
        raise GeometryError(
            "an affine with three voxel sizes above zero",
            got=f"voxel sizes {np.round(lengths, 6).tolist()} mm",
            where=where,
            remedy="convert the series again from DICOM; the header holds no usable geometry",
        )
    unit = matrix[:3, :3] / lengths
    cosines = np.abs(unit.T @ unit - np.eye(3))
    if cosines.max() > SHEAR_TOLERANCE:
        angle = float(np.degrees(np.arcsin(min(cosines.max(), 1.0))))
        raise GeometryError(
            "voxel axes at right angles",
            got=f"axes that are {angle:.2f} degrees off",
            where=where,
            remedy="resample the image onto an orthogonal grid (for instance from DICOM with gantry tilt corrected)",
        )
    return matrix


@dataclass(frozen=True)
class Grid:
    """A shape and an affine: where voxels are, without what is in them.

    Parameters
    ----------
    shape : tuple of int
        Voxels along i, j, k.
    affine : ndarray, shape (4, 4)
        Voxel index to RAS mm.

    Examples
    --------
    >>> Grid((4, 4, 2), np.diag([1.0, 1.0, 5.0, 1.0])).voxel_volume_ml
    0.005
    """

    shape: tuple[int, int, int]
    affine: Affine

    def __post_init__(self) -> None:
        matrix = check_affine(self.affine)
        matrix.setflags(write=False)
        object.__setattr__(self, "affine", matrix)
        if len(self.shape) != 3 or min(self.shape) < 1:
            raise GeometryError("three axes of at least one voxel", got=f"shape {self.shape}")
        object.__setattr__(self, "shape", tuple(int(n) for n in self.shape))

    @property
    def spacing_mm(self) -> tuple[float, float, float]:
        """Voxel size along i, j, k in mm, rounded to 1 nm (so that a rotated affine changes nothing)."""
        sizes = np.round(np.linalg.norm(self.affine[:3, :3], axis=0), 6)
        return float(sizes[0]), float(sizes[1]), float(sizes[2])

    @property
    def voxel_volume_ml(self) -> float:
        """Volume of one voxel in mL (1 mL = 1000 mm³), from the spacing."""
        a, b, c = sorted(self.spacing_mm)  # in one order, so that permuted axes change no bit
        return a * b * c / 1000.0

    @property
    def axcodes(self) -> str:
        """Anatomical direction in which i, j, k grow, for example ``"RAS"`` (nearest axis)."""
        pairs = ("LR", "PA", "IS")
        return "".join(pairs[axis][sign > 0] for axis, sign in _nearest_axes(self.affine))

    def to_world(self, ijk: Any) -> NDArray[np.float64]:
        """Map voxel indices ``(n, 3)`` to RAS mm ``(n, 3)``."""
        points = np.atleast_2d(np.asarray(ijk, dtype=np.float64))
        return np.asarray(points @ self.affine[:3, :3].T + self.affine[:3, 3])

    def to_voxel(self, ras_mm: Any) -> NDArray[np.float64]:
        """Map RAS mm ``(n, 3)`` to continuous voxel indices ``(n, 3)``."""
        points = np.atleast_2d(np.asarray(ras_mm, dtype=np.float64))
        return np.asarray((points - self.affine[:3, 3]) @ np.linalg.inv(self.affine[:3, :3]).T)

    def corners_mm(self) -> NDArray[np.float64]:
        """Centres of the eight corner voxels in RAS mm, shape (8, 3)."""
        return self.to_world(list(product(*[(0, n - 1) for n in self.shape])))

    def largest_distance_mm(self, other: Grid) -> float:
        """Largest distance between corresponding voxel centres; the shapes must be equal."""
        return float(np.linalg.norm(self.corners_mm() - other.corners_mm(), axis=1).max())

    def matches(self, other: Grid) -> bool:
        """Whether shapes are equal and every voxel centre agrees within 0.01 mm."""
        return self.shape == other.shape and self.largest_distance_mm(other) <= GRID_TOLERANCE_MM

    def explain_mismatch(self, other: Grid, names: tuple[str, str] = ("the first", "the second")) -> str:
        """Say in one sentence how two grids differ; the empty string when they are equal.

        Examples
        --------
        >>> a = Grid((4, 4, 4), np.eye(4)); b = np.eye(4); b[2, 3] = 2.5
        >>> a.explain_mismatch(Grid((4, 4, 4), b), ("T1C", "FLAIR"))[:60]
        'FLAIR lies 2.500 mm from T1C (0.000 mm R-L, 0.000 mm A-P, 2.'
        """
        if self.matches(other):
            return ""
        one, two = names
        return f"{_difference(self, other, one, two)}; resample with `resample({two}, {one}.grid)`"


def _difference(a: Grid, b: Grid, one: str, two: str) -> str:
    if a.axcodes != b.axcodes:
        return f"{two} is stored as {b.axcodes}, {one} as {a.axcodes}"
    if a.shape != b.shape:
        axis = next(n for n in range(3) if a.shape[n] != b.shape[n])
        sizes = f"{b.shape[axis]} against {a.shape[axis]} voxels"
        reach = b.shape[axis] * b.spacing_mm[axis] - a.shape[axis] * a.spacing_mm[axis]
        return f"{two} and {one} differ along the {_AXIS_NAMES[axis]} axis: {sizes}, {reach:+.3f} mm in extent"
    spacing = np.subtract(b.spacing_mm, a.spacing_mm)
    if np.abs(spacing).max() > 1e-4:
        axis = int(np.abs(spacing).argmax())
        sizes = f"{b.spacing_mm[axis]:.4f} against {a.spacing_mm[axis]:.4f} mm"
        return f"voxels of {two} and {one} differ along the {_AXIS_NAMES[axis]} axis: {sizes}"
    shifts = b.corners_mm() - a.corners_mm()
    worst = shifts[int(np.linalg.norm(shifts, axis=1).argmax())]
    parts = ", ".join(f"{abs(v):.3f} mm {n}" for v, n in zip(worst, ("R-L", "A-P", "S-I"), strict=True))
    return f"{two} lies {np.linalg.norm(worst):.3f} mm from {one} ({parts}) at the worst corner"


def _nearest_axes(affine: Affine) -> list[tuple[int, int]]:
    """World axis and sign nearest to each voxel axis, each world axis used once."""
    unit = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)
    left = unit**2 + _TIE * unit * np.roll(unit, -1, axis=0)
    found: dict[int, tuple[int, int]] = {}
    for _ in range(3):
        world, voxel = np.unravel_index(int(left.argmax()), (3, 3))
        found[int(voxel)] = (int(world), 1 if unit[world, voxel] >= 0 else -1)
        left[world, :] = -1.0
        left[:, voxel] = -1.0
    return [found[n] for n in range(3)]


@dataclass(frozen=True)
class Volume:
    """An image: a 3-D array with its grid. Immutable; operations return a new one.

    Parameters
    ----------
    data : ndarray, shape (i, j, k)
        Voxel values, any real dtype.
    grid : Grid
        Where the voxels are (RAS mm).

    Raises
    ------
    GeometryError
        The array is not 3-D or its shape is not the grid's.

    Examples
    --------
    >>> v = Volume.of(np.zeros((3, 4, 5)), np.diag([-1.0, -1.0, 1.0, 1.0]))
    >>> v.grid.axcodes, v.canonical().grid.axcodes
    ('LPS', 'RAS')
    """

    data: Array
    grid: Grid

    def __post_init__(self) -> None:
        if self.data.shape != self.grid.shape:
            raise GeometryError(f"an array of shape {self.grid.shape}", got=f"shape {self.data.shape}")

    @classmethod
    def of(cls, data: Array, affine: Any) -> Self:
        """Build from an array and an affine; trailing axes of length 1 are dropped."""
        array = np.asarray(data)
        while array.ndim > 3 and array.shape[-1] == 1:
            array = array[..., 0]
        if array.ndim != 3:
            raise GeometryError(
                "a 3-D volume", got=f"{array.ndim} axes of {array.shape}", remedy="split a 4-D series into volumes"
            )
        i, j, k = array.shape
        return cls(array, Grid((i, j, k), affine))

    @property
    def affine(self) -> Affine:
        """Voxel index to RAS mm, (4, 4)."""
        return self.grid.affine

    @property
    def spacing_mm(self) -> tuple[float, float, float]:
        """Voxel size along i, j, k in mm."""
        return self.grid.spacing_mm

    def with_data(self, data: Array) -> Self:
        """Return the same grid with other values."""
        return replace(self, data=np.asarray(data))

    def canonical(self) -> Self:
        """Return the same patient with axes reordered and flipped to nearest RAS; no resampling."""
        return self.reoriented("RAS")

    def reoriented(self, axcodes: str) -> Self:
        """Return the same patient with axes permuted and flipped to ``axcodes``; no resampling.

        Raises
        ------
        GeometryError
            ``axcodes`` is not a permutation of one letter of each of R/L, A/P, S/I.
        """
        wanted = _parse_axcodes(axcodes)
        have = _nearest_axes(self.affine)
        order = [next(n for n in range(3) if have[n][0] == world) for world, _ in wanted]
        signs = [have[o][1] * sign for o, (_, sign) in zip(order, wanted, strict=True)]
        data = self.data.transpose(order)[tuple(slice(None, None, s) for s in signs)]
        step = np.zeros((4, 4))
        step[3, 3] = 1.0
        for new, (old, sign) in enumerate(zip(order, signs, strict=True)):
            step[old, new] = sign
            step[old, 3] = 0 if sign > 0 else self.data.shape[old] - 1
        i, j, k = data.shape
        return replace(self, data=data, grid=Grid((i, j, k), self.affine @ step))


def box_around(mask: NDArray[np.bool_]) -> tuple[slice, slice, slice] | None:
    """Return the smallest box that holds every voxel of a 3-D mask; None when it is empty.

    Examples
    --------
    >>> mask = np.zeros((5, 5, 5), bool); mask[1:3, 2, 4] = True
    >>> box_around(mask)
    (slice(1, 3, None), slice(2, 3, None), slice(4, 5, None))
    """
    places = [np.flatnonzero(mask.any(axis=tuple(a for a in range(3) if a != axis))) for axis in range(3)]
    if any(len(p) == 0 for p in places):
        return None
    i, j, k = (slice(int(p[0]), int(p[-1]) + 1) for p in places)
    return i, j, k


def _parse_axcodes(axcodes: str) -> list[tuple[int, int]]:
    table = {"R": (0, 1), "L": (0, -1), "A": (1, 1), "P": (1, -1), "S": (2, 1), "I": (2, -1)}
    try:
        wanted = [table[c] for c in axcodes]
    except KeyError:
        wanted = []
    if sorted(world for world, _ in wanted) != [0, 1, 2]:
        raise GeometryError("three axis codes such as RAS or LPS", got=repr(axcodes))
    return wanted
