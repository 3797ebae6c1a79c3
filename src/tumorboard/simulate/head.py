"""A plain shell of fluid, skull, scalp, eyes, nose and neck around a digital brain.

Why it exists: preparation, defacing and DICOM must be tried on whole heads, and nobody's head may be
shipped. The shell follows the distance from the brain; it is anatomy for software, not for people.
Intensities are chosen by eye, in units of white matter on T1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from tumorboard.labels import LabelMap
from tumorboard.sequences import Sequence
from tumorboard.simulate.fields import Float
from tumorboard.volume import Grid, Volume

LAYERS_MM: tuple[tuple[str, float], ...] = (
    ("fluid", 2.0),
    ("bone", 4.0),
    ("marrow", 6.5),
    ("bone", 8.5),
    ("muscle", 9.5),
    ("fat", 14.0),
    ("skin", 16.0),
)
"""Tissue of the shell up to that distance from the brain's smoothed surface, mm (chosen)."""

PAD_MM = 44.0
"""Room around the brain's grid, mm; below it is more, for neck and face."""

PAD_BELOW_MM = 70.0

SHELL: dict[str, dict[Sequence, float]] = {
    tissue: dict(zip((Sequence.T1, Sequence.T1C, Sequence.T2, Sequence.FLAIR), values, strict=True))
    for tissue, values in {
        "air": (0.0, 0.0, 0.0, 0.0),
        "fluid": (0.26, 0.26, 1.75, 0.16),
        "bone": (0.10, 0.10, 0.08, 0.08),
        "marrow": (1.05, 1.10, 0.60, 0.50),
        "muscle": (0.58, 0.66, 0.38, 0.42),
        "fat": (1.65, 1.65, 1.15, 0.95),
        "skin": (0.62, 0.80, 0.55, 0.55),
        "humour": (0.24, 0.24, 1.80, 0.20),
        "mucosa": (0.60, 1.30, 1.30, 1.10),
    }.items()
}
"""Intensity of each tissue of the shell by sequence; white matter on T1 is 1 (chosen)."""

TISSUES = tuple(SHELL)


@dataclass(frozen=True)
class Head:
    """A whole head on one padded grid.

    Parameters
    ----------
    volumes : mapping of Sequence to Volume
        float32, noise only where the stripped brain had it; RAS.
    brain : Volume
        bool.
    truth : LabelMap
        Tumour labels.
    """

    volumes: Mapping[Sequence, Volume]
    brain: Volume
    truth: LabelMap


def whole_head(
    volumes: Mapping[Sequence, Volume], brain: NDArray[np.bool_], truth: LabelMap, unit: float = 1000.0
) -> Head:
    """Put a stripped digital brain into a head.

    Parameters
    ----------
    volumes : mapping of Sequence to Volume
        Stripped, on one RAS grid near MNI space.
    brain : ndarray of bool, shape (i, j, k)
        Brain mask on that grid.
    truth : LabelMap
        On that grid.
    unit : float
        Stored value of white matter on T1.

    Returns
    -------
    Head
        On a grid padded by ``PAD_MM``.

    Examples
    --------
    >>> from tumorboard.simulate.patient import digital_patient
    >>> patient = digital_patient(spacing_mm=6.0)
    >>> study = patient.studies[0]
    >>> head = whole_head(study.volumes, patient.head.brain, study.truth)
    >>> inside = head.volumes[Sequence.T1].data[head.brain.data]
    >>> bool(inside.min() > 0), head.truth.volume_ml("WT") == study.truth.volume_ml("WT")
    (True, True)
    """
    grid, widths = _padded(truth.grid)
    inside = np.pad(brain, widths)
    shell = draw_shell(inside, grid)
    made = {}
    for sequence, volume in volumes.items():
        values = np.array([SHELL[tissue][sequence] for tissue in TISSUES], dtype=np.float32) * unit
        around = ndi.gaussian_filter(values[shell], [0.8 / s for s in grid.spacing_mm])
        made[sequence] = Volume(np.where(inside, np.pad(volume.data, widths), around).astype(np.float32), grid)
    return Head(made, Volume(inside, grid), LabelMap(np.pad(truth.data, widths), grid))


def draw_shell(brain: NDArray[np.bool_], grid: Grid) -> NDArray[np.uint8]:
    """Return which tissue of :data:`TISSUES` lies around a brain, uint8, shape (i, j, k)."""
    ball = _distance(brain, grid) <= 8.0  # closing: the skull does not follow sulci
    smooth = _distance(~ball, grid) > 8.0
    away = _distance(smooth | brain, grid)
    x, y, z = _mm_from_centre(brain, grid)
    neck = (np.hypot(x / 58.0, (y + 28.0) / 62.0) < 1.0) & (z < -40.0)
    face = (np.hypot(x / 52.0, (y - 30.0) / 66.0) < 1.0) & (z < -25.0) & (z > -115.0)
    nose = (np.hypot(x / 15.0, (z + 78.0) / 24.0) < 1.0) & (y > 60.0) & (y < 116.0 - 0.9 * np.abs(z + 88.0))
    shell = np.zeros(grid.shape, dtype=np.uint8)
    soft = neck | face | nose
    depth = _distance(~(soft | (away <= LAYERS_MM[-1][1])), grid)
    for tissue, least in (("skin", 0.0), ("fat", 2.0), ("muscle", 7.0)):
        shell[soft & (depth > least)] = TISSUES.index(tissue)
    inner = 0.0
    for tissue, outer in LAYERS_MM:
        ring = (away > inner) & (away <= outer)
        shell[ring & ~(soft & (away > 9.5))] = TISSUES.index(tissue)
        inner = outer
    outside = away > 4.0
    for side in (-1.0, 1.0):
        orbit = (x - side * 32.0) ** 2 + (y - 72.0) ** 2 + (z + 52.0) ** 2
        shell[(orbit < 19.0**2) & outside] = TISSUES.index("fat")
        shell[(orbit < 12.0**2) & outside] = TISSUES.index("humour")
    cavity = (np.hypot(x / 13.0, (z + 82.0) / 16.0) < 1.0) & (y > 30.0) & (y < 82.0) & outside
    shell[cavity] = TISSUES.index("mucosa")
    shell[ndi.binary_erosion(cavity, iterations=2)] = TISSUES.index("air")
    shell[brain] = TISSUES.index("fluid")
    return shell


def _padded(grid: Grid) -> tuple[Grid, list[tuple[int, int]]]:
    widths = [(round(PAD_MM / s),) * 2 for s in grid.spacing_mm]
    widths[2] = (round(PAD_BELOW_MM / grid.spacing_mm[2]), widths[2][1])
    shape = tuple(n + a + b for n, (a, b) in zip(grid.shape, widths, strict=True))
    affine = grid.affine.copy()
    affine[:3, 3] = grid.to_world([[-a for a, _ in widths]])[0]
    return Grid((shape[0], shape[1], shape[2]), affine), [(a, b) for a, b in widths]


def _distance(mask: NDArray[np.bool_], grid: Grid) -> Float:
    """Distance of every voxel from a mask, mm; 0 inside."""
    return np.asarray(ndi.distance_transform_edt(~mask, sampling=grid.spacing_mm), dtype=np.float32)


def _mm_from_centre(brain: NDArray[np.bool_], grid: Grid) -> list[Float]:
    """Places relative to the middle of the brain's box, mm; shapes broadcast."""
    out = []
    for axis, (n, s) in enumerate(zip(grid.shape, grid.spacing_mm, strict=True)):
        there = np.flatnonzero(brain.any(axis=tuple(a for a in range(3) if a != axis)))
        middle = (there[0] + there[-1]) / 2
        shape = [1, 1, 1]
        shape[axis] = n
        out.append(((np.arange(n) - middle) * s).astype(np.float32).reshape(shape))
    return out
