"""How large the ventricles are: their volume, and the Evans index.

Why it exists: a mass that closes the way of the fluid kills within hours, and wide ventricles are what is seen of it.
Fluid is told from tissue half way between the two, on every sequence that shows it, in what an average brain has as
ventricles and ``REACH_MM`` around. A proxy: a reader measures against the inner table of the skull, here it is the
brain's outline, so that the index comes out a little larger; and wide ventricles of age are not told from blocked ones.

Source: Evans WA, Arch Neurol Psychiatry 1942;47:931-937 (index: greatest width of the frontal horns over the greatest
inner width of the skull); above 0.3 ventricles are called wide.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from tumorboard.atlas.icbm152 import icbm152
from tumorboard.measure.sources import Files, source_of
from tumorboard.measurement import Measurement
from tumorboard.segment.space import touching
from tumorboard.sequences import Sequence
from tumorboard.study import Study
from tumorboard.transform import Frame
from tumorboard.volume import Grid

if TYPE_CHECKING:
    from tumorboard.measure.study import Segmented

Mask = NDArray[np.bool_]

ATLAS_MM = 2.0
REACH_MM = 14.0
"""Ventricles are looked for so far from the atlas's; chosen: an Evans index of 0.5 lies within."""

DEEP_MM = 12.0
"""And at least so far below the surface of the brain, where sulci do not reach; chosen."""

FRONTAL_Y_MM = (2.0, 48.0)
"""Frontal horns lie before the foramen of Monro: MNI y, mm; chosen on the average brain."""

LEAST_ML = 1.0
"""Less fluid than this is no ventricle that could be measured; chosen."""

DARK = (Sequence.T1, Sequence.T1C, Sequence.FLAIR)
BRIGHT = (Sequence.T2,)
"""Sequences on which fluid is dark, or bright."""

FLUID_PERCENT = 2.0
"""Fluid is as dark (or bright) as this part of the atlas's ventricles; chosen: half of them is tissue where they are
narrow."""

APART = 1.0
"""Least contrast of fluid and tissue, in robust standard deviations of the brain; chosen."""

MOST_TUMOUR = 0.25
"""More of the atlas's ventricles hidden by tumour or cavity, and nothing is measured; chosen."""

NAMES = (("ventricle_volume", "mL"), ("evans_index", "1"))
"""What is measured, of the region ``brain``."""


@dataclass(frozen=True)
class Evans:
    """Greatest width of the frontal horns and of the brain on the same slice, mm."""

    horns_mm: float
    brain_mm: float

    @property
    def index(self) -> float:
        """One over the other."""
        return self.horns_mm / self.brain_mm


def ventricle_measurements(study: Study, segmented: Segmented, files: Files) -> Iterator[Measurement]:
    """Yield the volume of the ventricles and the Evans index of a study, or why there is none.

    Parameters
    ----------
    study : Study
        Prepared; without its frame nothing is yielded.
    segmented : Segmented
        Labels on the study's grid; what they hold is no ventricle.
    files : Files
        Names for the source.
    """
    if study.frame is None:
        return
    found = find_ventricles(study, segmented.labels.data > 0)
    index = (
        "no frontal horn was found" if isinstance(found, str) else evans(found, study.brain, study.grid, study.frame)
    )
    if isinstance(found, str) or isinstance(index, str):
        reason = found if isinstance(found, str) else str(index)
        yield from (Measurement.missing(name, "brain", unit, reason) for name, unit in NAMES)
        return
    source = source_of(found, files.brain)
    told = (
        f"Fluid (half way between it and tissue) connected with the atlas's ventricles, up to {REACH_MM:g} mm around."
    )
    ratio = (
        f"Greatest width of the frontal horns, {index.horns_mm:.0f} mm, over the width of the brain's outline on that "
        f"slice, {index.brain_mm:.0f} mm; the skull itself is not measured. {told}"
    )
    for (name, unit), value, method in zip(
        NAMES, (float(found.sum()) * study.grid.voxel_volume_ml, index.index), (told, ratio), strict=True
    ):
        yield Measurement(
            name=name, region="brain", value=value, unit=unit, method=method, source=source, quality="proxy"
        )


def find_ventricles(study: Study, labelled: Mask) -> Mask | str:
    """Return where the ventricles lie, or why that cannot be told.

    Parameters
    ----------
    study : Study
        Prepared, with its frame.
    labelled : ndarray of bool, shape (i, j, k)
        Tumour and cavity.

    Returns
    -------
    ndarray of bool, shape (i, j, k), or str
    """
    if study.frame is None:
        return "the mid-plane of the brain is not known"
    core, near = _atlas_ventricles(study.grid, study.frame)
    core &= study.brain
    if not core.any():
        return "the atlas's ventricles lie outside the brain"
    if (core & labelled).sum() > MOST_TUMOUR * core.sum():
        return f"tumour or cavity lies on more than {100 * MOST_TUMOUR:g} % of where the ventricles should be"
    deep = ndi.distance_transform_edt(np.pad(study.brain, 1), sampling=study.grid.spacing_mm)[1:-1, 1:-1, 1:-1]
    fluid = near & study.brain & ~labelled & (deep >= DEEP_MM)
    for name in (*DARK, *BRIGHT):
        volume = study.volumes.get(name)
        if volume is None:
            continue
        half = _half_way(volume.data * (1.0 if name in BRIGHT else -1.0), core & ~labelled, study.brain & ~labelled)
        if half is None:
            return f"fluid cannot be told from tissue on {name.value}"
        fluid &= volume.data * (1.0 if name in BRIGHT else -1.0) > half
    found = touching(fluid, core)
    if found.sum() * study.grid.voxel_volume_ml < LEAST_ML:
        return f"less than {LEAST_ML:g} mL of fluid was found where the ventricles should be"
    return found


def _half_way(data: NDArray[np.floating], core: Mask, brain: Mask) -> float | None:
    """Return the value half way between fluid (bright) and tissue; None where they do not differ."""
    if not core.any() or not brain.any():
        return None
    fluid, tissue = float(np.percentile(data[core], 100.0 - FLUID_PERCENT)), float(np.median(data[brain]))
    low, high = np.percentile(data[brain], (25, 75))
    return (fluid + tissue) / 2 if fluid - tissue > APART * float(high - low) / 1.349 else None


def _atlas_ventricles(grid: Grid, frame: Frame) -> tuple[Mask, Mask]:
    """Return the atlas's ventricles on a grid, and what lies within ``REACH_MM`` of them (MNI mm)."""
    atlas = icbm152(ATLAS_MM)
    distance = ndi.distance_transform_edt(~atlas.ventricles.data, sampling=ATLAS_MM)
    into = np.linalg.inv(atlas.grid.affine) @ frame.to_mni @ np.diag([*grid.spacing_mm, 1.0])
    there = ndi.affine_transform(
        distance.astype(np.float32), into[:3, :3], into[:3, 3], grid.shape, order=1, cval=np.float32(1e3)
    )
    return there <= ATLAS_MM / 4, there <= REACH_MM


def evans(ventricles: Mask, brain: Mask, grid: Grid, frame: Frame) -> Evans | str:
    """Return the Evans index on the axial slice where the frontal horns are widest, or why there is none.

    Parameters
    ----------
    ventricles, brain : ndarray of bool, shape (i, j, k)
        The third axis is the patient's (canonical axes).
    grid : Grid
    frame : Frame
        Widths are taken across the mid-plane.

    Examples
    --------
    >>> from tumorboard.transform import Plane
    >>> grid = Grid((80, 80, 5), np.diag([2.0, 2.0, 2.0, 1.0]))
    >>> to_mni = np.eye(4); to_mni[:3, 3] = (-79.0, -79.0, 0.0)
    >>> frame = Frame(Plane((1.0, 0.0, 0.0), 79.0), to_mni)
    >>> brain, horns = np.zeros((2, *grid.shape), bool)
    >>> brain[5:75], horns[30:50, 45:50, 2] = True, True
    >>> found = evans(horns, brain, grid, frame)
    >>> found.horns_mm, found.brain_mm
    (40.0, 140.0)
    """
    places = np.argwhere(ventricles)
    forward = frame.mni_mm(grid, places)[:, 1]
    places = places[(forward >= FRONTAL_Y_MM[0]) & (forward <= FRONTAL_Y_MM[1])]
    if not len(places):
        return "no frontal horn was found"
    across = frame.midplane.distance_map(grid)
    edge = float(np.abs(np.asarray(frame.midplane.normal)) @ np.asarray(grid.spacing_mm))
    widths = _widths(across, places, grid.shape[2], edge)
    slice_index = int(np.nanargmax(widths))
    whole = np.argwhere(brain[:, :, slice_index])
    whole = np.column_stack([whole, np.full(len(whole), slice_index)])
    return Evans(float(widths[slice_index]), float(_widths(across, whole, grid.shape[2], edge)[slice_index]))


def _widths(across: NDArray[np.float32], places: NDArray[np.int64], slices: int, edge_mm: float) -> NDArray[np.float64]:
    """Return the extent across the mid-plane on each slice, mm, edge to edge; NaN where nothing is."""
    mm = across[tuple(places.T)].astype(float)
    low, high = np.full(slices, np.inf), np.full(slices, -np.inf)
    np.minimum.at(low, places[:, 2], mm)
    np.maximum.at(high, places[:, 2], mm)
    return np.where(high >= low, high - low + edge_mm, np.nan)
