"""A whole digital head: a brain in its skull, with scalp, face, eyes and neck, in four sequences.

Why it exists: what a scanner gives is a head, and finding the brain in it is half the work. The shell is plain on
purpose (see :mod:`tumorboard.simulate.body.shell`); its intensities follow from the same table as the brain's.
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
from tumorboard.simulate.scanner.render import SCALE
from tumorboard.simulate.scanner.weighting import DEFAULT, PROTOCOLS, Protocol, table
from tumorboard.volume import Grid, Volume

PAD_MM = ((48.0, 48.0), (44.0, 64.0), (76.0, 36.0))
"""Room around the brain's grid, mm: left and right, back and front, below and above."""

PSF_MM = 0.9
"""Standard deviation of the blur of every image, mm (chosen; as for the stripped images)."""


def shell_values(sequence: Sequence, protocol: Protocol | None = None) -> dict[str, float]:
    """Return the signal of each tissue of the shell; white matter on T1 is 1.

    Examples
    --------
    >>> shell_values(Sequence.T1)["fat"] > 1.5 > shell_values(Sequence.T1)["bone"]
    True
    """
    values = table(sequence, protocol or PROTOCOLS[DEFAULT])
    return {tissue: values[tissue] * SCALE.get(sequence, 1.0) for tissue in TISSUES}


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
    volumes: Mapping[Sequence, Volume],
    brain: NDArray[np.bool_],
    truth: LabelMap,
    unit: float = 1000.0,
    protocol: Protocol | None = None,
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
    protocol : Protocol, optional
        Of the volumes.

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
    grid, widths = padded(truth.grid)
    inside = np.pad(brain, widths)
    shell = draw_shell(inside, grid)
    sigma = [PSF_MM / s for s in grid.spacing_mm]
    made = {}
    for sequence, volume in volumes.items():
        values = np.array([*shell_values(sequence, protocol).values()], dtype=np.float32) * np.float32(unit)
        image = np.where(inside, np.pad(volume.data, widths).astype(np.float32), values[shell])
        made[sequence] = Volume(ndi.gaussian_filter(image, sigma), grid)
    return Head(made, Volume(inside, grid), LabelMap(np.pad(truth.data, widths), grid))


def padded(grid: Grid) -> tuple[Grid, list[tuple[int, int]]]:
    """Return the grid of a whole head around that of its brain, and the voxels added before and behind.

    Examples
    --------
    >>> padded(Grid((30, 30, 30), np.diag([4.0, 4.0, 4.0, 1.0])))[1]
    [(12, 12), (11, 16), (19, 9)]
    """
    widths = [(round(a / s), round(b / s)) for (a, b), s in zip(PAD_MM, grid.spacing_mm, strict=True)]
    i, j, k = (n + a + b for n, (a, b) in zip(grid.shape, widths, strict=True))
    affine = grid.affine.copy()
    affine[:3, 3] = grid.to_world([[-a for a, _ in widths]])[0]
    return Grid((i, j, k), affine), widths
