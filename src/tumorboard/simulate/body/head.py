"""A whole digital head: a brain in its skull, with scalp, face, eyes and neck, in four sequences.

Why it exists: what a scanner gives is a head, and finding the brain in it is half the work. The shell is
plain on purpose (see :mod:`.shell`); intensities are chosen by eye, and no signal equation stands behind them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from tumorboard.labels import LabelMap
from tumorboard.sequences import Sequence
from tumorboard.simulate.body.shell import TISSUES, draw_shell
from tumorboard.volume import Grid, Volume

PAD_MM = ((48.0, 48.0), (44.0, 64.0), (76.0, 36.0))
"""Room around the brain's grid, mm: left and right, back and front, below and above."""

PSF_MM = 0.9
"""Standard deviation of the blur of every image, mm (chosen; as for the stripped images)."""

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
        "lens": (0.60, 0.60, 0.20, 0.25),
        "mucosa": (0.60, 1.25, 1.20, 0.80),
        "cord": (0.90, 0.92, 0.66, 0.66),
    }.items()
}
"""Intensity of each tissue of the shell by sequence; white matter on T1 is 1 (chosen)."""


@dataclass(frozen=True)
class Head:
    """A whole head on one grid.

    Parameters
    ----------
    volumes : mapping of Sequence to Volume
        float32, free of noise but for what the brain's images brought.
    brain : Volume
        bool.
    truth : LabelMap
        Tumour.
    """

    volumes: Mapping[Sequence, Volume]
    brain: Volume
    truth: LabelMap


def whole_head(
    volumes: Mapping[Sequence, Volume], brain: NDArray[np.bool_], truth: LabelMap, unit: float = 1000.0
) -> Head:
    """Put a digital brain into a head.

    Parameters
    ----------
    volumes : mapping of Sequence to Volume
        On one axis-aligned RAS grid; what lies outside the brain is not used.
    brain : ndarray of bool, shape (i, j, k)
        Brain mask on that grid.
    truth : LabelMap
        On that grid.
    unit : float
        Stored value of white matter on T1.

    Returns
    -------
    Head
        On a grid that is larger by ``PAD_MM``. Brain and shell are blurred together, so that fluid and
        bone share their voxels with the brain's surface.

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
    sigma = [PSF_MM / s for s in grid.spacing_mm]
    made = {}
    for sequence, volume in volumes.items():
        values = np.array([SHELL[tissue][sequence] for tissue in TISSUES], dtype=np.float32) * np.float32(unit)
        image = np.where(inside, np.pad(volume.data, widths).astype(np.float32), values[shell])
        made[sequence] = Volume(ndi.gaussian_filter(image, sigma), grid)
    return Head(made, Volume(inside, grid), LabelMap(np.pad(truth.data, widths), grid))


def _padded(grid: Grid) -> tuple[Grid, list[tuple[int, int]]]:
    widths = [(round(a / s), round(b / s)) for (a, b), s in zip(PAD_MM, grid.spacing_mm, strict=True)]
    i, j, k = (n + a + b for n, (a, b) in zip(grid.shape, widths, strict=True))
    affine = grid.affine.copy()
    affine[:3, 3] = grid.to_world([[-a for a, _ in widths]])[0]
    return Grid((i, j, k), affine), widths
