"""Which slices of a study are shown, how bright, and how much of them.

Why it exists: a picture persuades, so the choice of its slice must be a rule and not a taste: the
axial slice with the largest cross-section, the reformats through the centroid of the largest lesion,
the slice of the largest diameters. Nothing is drawn here.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tumorboard.labels import Tissue
from tumorboard.measurement import Diameters
from tumorboard.report.bundle import StudyBundle
from tumorboard.report.canvas import Box
from tumorboard.report.planes import Plane, pixel_mm
from tumorboard.sequences import Sequence
from tumorboard.study import Study

MARGIN_MM = 6.0
LEAST_MM = 60.0
WINDOW_PERCENT = (0.5, 99.7)
TOE = 0.1
"""Black lies this part of the window below the darkest brain, so that white matter on T2 keeps its texture."""


@dataclass(frozen=True)
class Choice:
    """The slices that are shown, and why those.

    Parameters
    ----------
    axial, coronal, sagittal : int
        Voxel index along k, j and i.
    why : str
        For the caption.
    tumour : bool
        False when there is no label to show.
    """

    axial: int
    coronal: int
    sagittal: int
    why: str
    tumour: bool

    def index(self, axis: int) -> int:
        """Return the slice along a voxel axis: 0 sagittal, 1 coronal, 2 axial."""
        return (self.sagittal, self.coronal, self.axial)[axis]


def choose(bundle: StudyBundle) -> Choice:
    """Return the slices to show: the largest cross-section, and the largest lesion's centroid."""
    labels = bundle.labels.data
    tumour, core = _among(labels, (1, 2, 3)), _among(labels, (1, 3))
    score = _area(tumour) + _area(core)
    words = "largest cross-section of the tumour"
    if not score.any():
        tumour = labels == Tissue.RC
        score, words = _area(tumour), "largest cross-section of the resection cavity"
    if not score.any():
        i, j, k = _middle(bundle)
        return Choice(k, j, i, "no tumour label: the middle of the brain is shown", tumour=False)
    largest = bundle.lesions == 1
    i, j, _ = _centroid(largest if largest.any() else tumour)
    return Choice(int(score.argmax()), j, i, words, tumour=True)


def _among(labels: NDArray[np.uint8], values: tuple[int, ...]) -> NDArray[np.bool_]:
    lut = np.zeros(256, dtype=np.bool_)
    lut[list(values)] = True
    return lut[labels]


def _area(mask: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Voxels of each axial slice; only to rank slices of one grid."""
    return np.asarray(np.count_nonzero(mask, axis=(0, 1)), dtype=np.int64)


def _centroid(mask: NDArray[np.bool_]) -> tuple[int, int, int]:
    i, j, k = (round(float(index.mean())) for index in np.nonzero(mask))
    return i, j, k


def _middle(bundle: StudyBundle) -> tuple[int, int, int]:
    brain = bundle.study.brain
    if brain.any():
        return _centroid(brain)
    i, j, k = (n // 2 for n in brain.shape)
    return i, j, k


def window(data: NDArray[np.floating], brain: NDArray[np.bool_]) -> tuple[float, float]:
    """Return black and white: percentiles of the values inside the brain, else of all that are not 0.

    Examples
    --------
    >>> window(np.full((2, 2, 2), 3.0), np.ones((2, 2, 2), dtype=bool))
    (3.0, 4.0)
    """
    values = data[brain] if brain.any() else data[data != 0]
    if values.size == 0:
        return 0.0, 1.0
    thin = values[:: max(1, values.size // 500_000)]
    low, high = (float(v) for v in np.percentile(thin, WINDOW_PERCENT))
    return (low - TOE * (high - low), high) if high > low else (low, low + 1.0)


def brain_box(bundle: StudyBundle, plane: Plane) -> Box:
    """Return what a picture shows (left, right, bottom, top in mm): the brain with a margin."""
    brain = bundle.study.brain
    spacing = bundle.study.grid.spacing_mm
    edges = []
    for axis, size in zip((plane.across, plane.down), pixel_mm(spacing, plane), strict=True):
        others = tuple(a for a in range(3) if a != axis)
        inside = np.flatnonzero(brain.any(axis=others)) if brain.any() else np.arange(brain.shape[axis])
        last = brain.shape[axis] - 1
        edges.append(((last - inside[-1] - 0.5) * size - MARGIN_MM, (last - inside[0] + 0.5) * size + MARGIN_MM))
    (left, right), (top, bottom) = edges
    return widen((float(left), float(right), float(bottom), float(top)))


def widen(box: Box, least_mm: float = LEAST_MM, ratio: float = 2.0) -> Box:
    """Grow a box about its centre to at least ``least_mm`` and to proportions within ``ratio``.

    Examples
    --------
    >>> widen((0.0, 200.0, 1.0, 0.0))
    (0.0, 200.0, 50.5, -49.5)
    """
    left, right, bottom, top = box
    width, height = max(right - left, least_mm), max(bottom - top, least_mm)
    width, height = max(width, height / ratio), max(height, width / ratio)
    x, y = (left + right) / 2, (top + bottom) / 2
    return x - width / 2, x + width / 2, y + height / 2, y - height / 2


READING_ORDER = (("ce_only", Sequence.T1C), ("flair", Sequence.FLAIR), ("filled", Sequence.T1C))
"""Which reading of the diameters is drawn, first choice first, and on which sequence."""


def on_working_grid(diameters: Diameters, study: Study) -> Diameters:
    """Return diameters with their end points on the grid that is shown, to the nearest voxel.

    Where a study has a native grid of its own, end points are voxels of that; the lengths stay as measured.
    """
    if study.native is None:
        return diameters
    ends = [study.native.to_world(np.array(pair)) for pair in (diameters.longest_ijk, diameters.perpendicular_ijk)]
    last = np.array(study.grid.shape) - 1
    placed = [np.clip(np.rint(study.grid.to_voxel(pair)), 0, last).astype(int).tolist() for pair in ends]
    step = np.linalg.inv(study.grid.affine[:3, :3]) @ study.native.affine[:3, diameters.slice_axis]
    axis = int(np.abs(step * study.grid.spacing_mm).argmax())
    update = {
        "longest_ijk": tuple(map(tuple, placed[0])),
        "perpendicular_ijk": tuple(map(tuple, placed[1])),
        "slice_axis": axis,
        "slice_index": placed[0][0][axis],
    }
    return diameters.model_copy(update=update)


def largest_diameters(bundle: StudyBundle) -> tuple[int, str, Diameters, Sequence] | None:
    """Return lesion, reading, diameters and sequence of the largest product; None without diameters."""
    for reading, sequence in READING_ORDER:
        found = [(n, of[reading]) for n, of in sorted(bundle.diameters.items()) if reading in of]
        if found:
            lesion, diameters = max(found, key=lambda pair: pair[1].product_mm2)
            shown = sequence if sequence in bundle.study.volumes else bundle.study.reference
            return lesion, reading, diameters, shown
    return None
