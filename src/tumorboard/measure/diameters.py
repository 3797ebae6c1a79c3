"""The two diameters of a lesion on its slice, as RANO reads them: exact, not approximated.

Why it exists: a response category hangs on two lengths per lesion. They are defined here once, exactly,
and found by a search that equals trying all pairs of voxels.

Definition
----------
A mask is boolean (i, j, k) with ``spacing_mm``; slices are taken along ``slice_axis``. In a slice the
candidates for end points are the centres of *all* mask pixels.

*Inside*: the segment between two pixel centres (di, dj apart) is sampled at every integer step along
its longer index axis, ``max(|di|, |dj|)`` steps, at the nearest pixel of the other axis; at an exact tie
(.5) one of the two neighbours in the mask suffices. It is inside when all samples are in the mask. So
neither diameter crosses a hole, a cavity or a notch. Integer arithmetic makes this exact, symmetric in
the end points, and invariant under flips and transposes.

*Longest*: the longest inside segment in mm. *Perpendicular*: the longest inside segment whose projection
on the direction (ux, uy) of the longest is at most half a pixel's own extent along it,
``0.5 * (sx * |ux| + sy * |uy|)``; it need not intersect it. A single pixel has length 0. Ties (1e-9,
relative) for longest go to the larger perpendicular, then to the lexicographically smallest end points.

*Edge*: centres are not edges. To each length is added ``EDGE_FRACTION`` of the chord that its direction
(ux, uy) cuts through one pixel, ``min(sx / |ux|, sy / |uy|)``; for length 0, of the smaller spacing.

*Slice*: ``rano`` is the slice with the greatest longest diameter (ties: greater perpendicular, then lower
index); ``product`` the slice with the greatest product of its own two diameters (ties: lower index).
Slices are compared by the lengths reported, edges included.

Sources: Macdonald 1990 and RANO-HGG 2010 for the reading; Chang 2019 (AutoRANO) for the rule that a
diameter must not leave the mask, which is there applied to contour points and here to all voxels.

It refuses to resample and to choose the mask: enhancing tumour alone (``ce_only``) or with the necrosis
it encloses (:func:`fill_enclosed`) is the criterion's choice. It never measures a cyst or a cavity.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from tumorboard.errors import GeometryError
from tumorboard.measure.kernels.segments import TIE, Segment, longest_inside, pack_rows
from tumorboard.measurement import Diameters
from tumorboard.volume import Grid, box_around

Mask = NDArray[np.bool_]
Point = tuple[int, int, int]
Spacing = tuple[float, float, float]
T = TypeVar("T")

EDGE_FRACTION = 0.75
"""Part of one pixel chord added to each length. The true edge lies between the last centre inside and the
next outside, and the search for a maximum favours extremes, so a whole chord is too much and half a chord
too little; chosen by the errors that ``benchmarks/diameters.py`` prints."""

THICKER = 1.2
"""An axis is the slice axis by thickness when its spacing exceeds the next by this factor."""


@dataclass(frozen=True)
class LesionDiameters:
    """Both readings of one lesion.

    Parameters
    ----------
    rano : Diameters
        From the slice with the greatest longest diameter (Macdonald, RANO).
    product : Diameters
        From the slice with the greatest product.
    slices_seen : int
        Slices with at least one voxel.
    by_hand : bool
        A reader drew ``rano``.
    """

    rano: Diameters
    product: Diameters
    slices_seen: int
    by_hand: bool = False


@dataclass(frozen=True)
class MeasurabilityRule:
    """When a lesion counts as measurable.

    Parameters
    ----------
    name, version, source : str
        The criterion, the version of this table, and where its numbers stand.
    longest_mm, perpendicular_mm : float
        Smallest diameters, mm.
    slices : int
        Fewest slices the lesion is seen on.
    thick_mm : float
        Slices thicker than this (mm) raise the smallest diameters ...
    thick_factor : float
        ... to this many slice thicknesses.
    """

    name: str
    version: str
    source: str
    longest_mm: float
    perpendicular_mm: float
    slices: int
    thick_mm: float
    thick_factor: float


RANO_HGG_2010 = MeasurabilityRule(
    name="RANO-HGG",
    version="2010-1",
    source="Wen et al. 2010, J Clin Oncol 28:1963 (numbers read in secondary sources)",
    longest_mm=10.0,
    perpendicular_mm=10.0,
    slices=2,
    thick_mm=5.0,
    thick_factor=2.0,
)


def slice_axis_of(grid: Grid) -> int:
    """Return the array axis along which the slices of an image lie.

    The axis of clearly thickest spacing (more than ``THICKER`` times the next), else the axis nearest to
    superior-inferior.

    Parameters
    ----------
    grid : Grid
        Shape and affine (RAS mm).

    Returns
    -------
    int
        0, 1 or 2.

    Examples
    --------
    >>> slice_axis_of(Grid((4, 4, 4), np.diag([5.0, 1.0, 1.0, 1.0]))), slice_axis_of(Grid((4, 4, 4), np.eye(4)))
    (0, 2)
    """
    order = np.argsort(grid.spacing_mm)
    if grid.spacing_mm[order[2]] > THICKER * grid.spacing_mm[order[1]]:
        return int(order[2])
    return next(axis for axis, code in enumerate(grid.axcodes) if code in "SI")


def measure_diameters(mask: Mask, spacing_mm: Spacing, slice_axis: int) -> LesionDiameters | None:
    """Measure the two diameters of one lesion, exactly as the module defines them.

    Parameters
    ----------
    mask : ndarray of bool, shape (i, j, k)
        One lesion.
    spacing_mm : tuple of float
        Voxel size along i, j, k in mm.
    slice_axis : int
        Axis along which slices are taken, see :func:`slice_axis_of`.

    Returns
    -------
    LesionDiameters or None
        Lengths in mm, end points as voxel indices (i, j, k) of ``mask``; ``None`` for an empty mask.

    Raises
    ------
    GeometryError
        The mask is not 3-D, a spacing is not a positive number, or there is no such axis.

    Examples
    --------
    >>> mask = np.zeros((20, 20, 3), bool); mask[5:15, 8, 1] = True
    >>> d = measure_diameters(mask, (1.0, 1.0, 5.0), 2).rano
    >>> d.longest_mm, d.perpendicular_mm, d.longest_ijk
    (9.75, 0.75, ((5, 8, 1), (14, 8, 1)))
    """
    _check(mask, spacing_mm, slice_axis)
    box = box_around(mask)
    if box is None:
        return None
    planes = np.array(np.moveaxis(mask[box], slice_axis, 0), dtype=bool, order="C")
    in_plane = tuple(float(s) for axis, s in enumerate(spacing_mm) if axis != slice_axis)
    search = _Search((planes.shape[1], planes.shape[2]), (in_plane[0], in_plane[1]))
    origin: Point = (box[0].start, box[1].start, box[2].start)
    seen = [
        _diameters(search, pair, slice_axis, origin, n)
        for n, plane in enumerate(planes)
        if (pair := search.best_pair(plane)) is not None
    ]
    return LesionDiameters(
        rano=_first_greatest(seen, lambda d: d.longest_mm, lambda d: d.perpendicular_mm),
        product=_first_greatest(seen, lambda d: d.product_mm2),
        slices_seen=len(seen),
    )


def measurable(
    diameters: Diameters, spacing_mm: Spacing, slices_seen: int, rule: MeasurabilityRule = RANO_HGG_2010
) -> bool:
    """Say whether a lesion is large enough to be measurable.

    The grid must be the native one: a resampled grid never makes a lesion measurable. Margins, cysts and
    gaps between slices are outside what a mask can tell.

    Parameters
    ----------
    diameters : Diameters
        In mm.
    spacing_mm : tuple of float
        Voxel size along i, j, k in mm; the one along ``diameters.slice_axis`` is the slice thickness.
    slices_seen : int
        Slices with at least one voxel of the lesion.
    rule : MeasurabilityRule
        The criterion's thresholds.

    Returns
    -------
    bool
        Both diameters reach the rule's smallest and enough slices show the lesion.

    Examples
    --------
    >>> mask = np.zeros((20, 20, 3), bool); mask[5:16, 5:16] = True
    >>> lesion = measure_diameters(mask, (1.0, 1.0, 5.0), 2)
    >>> [measurable(lesion.rano, (1.0, 1.0, thick), lesion.slices_seen) for thick in (5.0, 8.0)]
    [True, False]
    """
    thick = spacing_mm[diameters.slice_axis]
    least = rule.thick_factor * thick if thick > rule.thick_mm else 0.0
    return (
        diameters.longest_mm >= max(rule.longest_mm, least) - TIE
        and diameters.perpendicular_mm >= max(rule.perpendicular_mm, least) - TIE
        and slices_seen >= rule.slices
    )


def fill_enclosed(et: Mask, netc: Mask, slice_axis: int) -> Mask:
    """Return enhancing tumour with the necrosis it encloses: the ``filled`` mask.

    A voxel of ``netc`` is enclosed when (1) its 26-connected component of ``netc`` touches ``et`` and
    (2) in its own slice it lies inside the enhancing rim, after gaps of up to two voxels in the rim are
    closed (closing with a 3 x 3 square) and the rim's holes are filled. A rim open wider encloses
    nothing. Only ``netc`` is ever added, so a cavity (RC), oedema or a cyst in the middle stays out.

    Parameters
    ----------
    et, netc : ndarray of bool, shape (i, j, k)
        Enhancing tumour; necrosis and non-enhancing core, on the same grid.
    slice_axis : int
        Axis along which slices are taken.

    Returns
    -------
    ndarray of bool, shape (i, j, k)
        ``et`` and the enclosed part of ``netc``.

    Raises
    ------
    GeometryError
        The masks are not 3-D or of different shapes, or there is no such axis.

    Examples
    --------
    >>> et = np.ones((5, 5, 1), bool); et[2, 2] = False
    >>> int(fill_enclosed(et, ~et, 2).sum()), int(fill_enclosed(et, ~et & False, 2).sum())
    (25, 24)
    """
    _check(et, (1.0, 1.0, 1.0), slice_axis)
    if netc.shape != et.shape:
        raise GeometryError(f"an array of shape {et.shape}", got=f"shape {netc.shape}", where="NETC mask")
    filled = np.array(et, dtype=bool)
    core = np.asarray(netc, dtype=bool)
    box = box_around(filled | core)
    if box is not None:
        rim, core = filled[box], core[box]
        filled[box] = rim | (_inside_rim(rim, slice_axis) & _touching(core, rim))
    return filled


def _inside_rim(rim: Mask, slice_axis: int) -> Mask:
    """Slice by slice: the rim with gaps of up to two voxels closed and its holes filled."""
    square, cross = (np.expand_dims(ndimage.generate_binary_structure(2, n), slice_axis) for n in (2, 1))
    closed = ndimage.binary_closing(np.pad(rim, 1), square)
    filled = ndimage.binary_fill_holes(closed, cross)
    return np.asarray(filled[1:-1, 1:-1, 1:-1])


def _touching(core: Mask, rim: Mask) -> Mask:
    """26-connected components of ``core`` that touch ``rim``."""
    neighbours = np.ones((3, 3, 3), dtype=bool)
    parts, count = ndimage.label(core, neighbours)
    touched = np.zeros(count + 1, dtype=bool)
    touched[np.unique(parts[ndimage.binary_dilation(rim, neighbours)])] = True
    touched[0] = False
    return np.asarray(touched[parts])


class _Search:
    """All displacements inside a box of pixels, longest first: what one lesion's slices share."""

    def __init__(self, shape: tuple[int, int], spacing_mm: tuple[float, float]) -> None:
        moves = np.indices(shape).reshape(2, -1).T
        length_mm = np.hypot(*(moves * spacing_mm).T)
        order = np.argsort(-length_mm, kind="stable")
        self.spacing_mm = spacing_mm
        self.moves = np.ascontiguousarray(moves[order])
        self.length_mm = length_mm[order]

    def best_pair(self, plane: Mask) -> tuple[Segment, Segment] | None:
        """Return the longest and the perpendicular segment of one slice; ``None`` when it is empty."""
        rows = pack_rows(plane)
        longest = sorted(longest_inside(rows, self.moves, self.length_mm, (0.0, 0.0), 0.0))
        pairs = [(segment, self._perpendicular(rows, segment)) for segment in longest]
        return _first_greatest(pairs, lambda pair: self.length_of(pair[1])) if pairs else None

    def _perpendicular(self, rows: NDArray[np.uint64], segment: Segment) -> Segment:
        x, y = self.step_mm(segment)
        length = math.hypot(x, y) or 1.0
        along = (x / length * self.spacing_mm[0], y / length * self.spacing_mm[1])
        tolerance = 0.5 * (abs(along[0]) + abs(along[1])) + 1e-9
        return min(longest_inside(rows, self.moves, self.length_mm, along, tolerance))

    def step_mm(self, segment: Segment) -> tuple[float, float]:
        """Return the way from the first to the last pixel centre, mm."""
        return (segment[2] - segment[0]) * self.spacing_mm[0], (segment[3] - segment[1]) * self.spacing_mm[1]

    def length_of(self, segment: Segment) -> float:
        """Return the length between the pixel centres, mm."""
        return math.hypot(*self.step_mm(segment))

    def edge_of(self, segment: Segment) -> float:
        """Return what the edge convention adds to a segment, mm."""
        length = self.length_of(segment)
        steps = zip(self.spacing_mm, self.step_mm(segment), strict=True)
        chords = [size * length / abs(step) for size, step in steps if step]
        return EDGE_FRACTION * min(chords, default=min(self.spacing_mm))


def _diameters(search: _Search, pair: tuple[Segment, Segment], slice_axis: int, origin: Point, n: int) -> Diameters:
    """Lengths with edges and end points of slice ``n`` of the box that starts at ``origin``."""
    index = origin[slice_axis] + n
    i, j = (origin[axis] for axis in range(3) if axis != slice_axis)

    def points(s: Segment) -> tuple[Point, Point]:
        ends = ([s[0] + i, s[1] + j], [s[2] + i, s[3] + j])
        for end in ends:
            end.insert(slice_axis, index)
        return (ends[0][0], ends[0][1], ends[0][2]), (ends[1][0], ends[1][1], ends[1][2])

    longest, perpendicular = pair
    edges = search.edge_of(longest), search.edge_of(perpendicular)
    return Diameters(
        longest_mm=search.length_of(longest) + edges[0],
        perpendicular_mm=search.length_of(perpendicular) + edges[1],
        slice_index=index,
        slice_axis=slice_axis,
        longest_ijk=points(longest),
        perpendicular_ijk=points(perpendicular),
        edge_mm=edges,
    )


def _first_greatest(items: list[T], *keys: Callable[[T], float]) -> T:
    """Keep the items equal to the greatest (within ``TIE``) key after key; return the first left."""
    for key in keys:
        least = max(key(item) for item in items) * (1.0 - TIE)
        items = [item for item in items if key(item) >= least]
    return items[0]


def _check(mask: Mask, spacing_mm: Spacing, slice_axis: int) -> None:
    if mask.ndim != 3:
        raise GeometryError("a 3-D mask", got=f"{mask.ndim} axes of {mask.shape}")
    if len(spacing_mm) != 3 or not all(math.isfinite(s) and s > 0 for s in spacing_mm):
        raise GeometryError("three voxel sizes above zero, in mm", got=f"{spacing_mm}")
    if slice_axis not in (0, 1, 2):
        raise GeometryError("a slice axis of 0, 1 or 2", got=f"{slice_axis}")
