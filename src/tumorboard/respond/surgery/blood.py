"""Fresh blood at a resection cavity: bright before contrast agent came, and not brighter after.

Why it exists: methaemoglobin is as bright on T1C as enhancing tumour, and whoever looks at T1C alone outlines it. What
T1 shows already is not enhancement. Where T1 lies a little off T1C, an edge of blood seems to enhance; so blood is
looked for twice, and what only the second look calls blood widens the interval of the residue.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tumorboard.prepare.subtract import subtraction
from tumorboard.respond.surgery.model import Operated
from tumorboard.sequences import Sequence

Mask = NDArray[np.bool_]
Float = NDArray[np.floating]

NORMAL_MM, NORMAL_ML = 10.0, 20.0
"""Brain so far from everything outlined is called normal, and so much of it is needed; chosen."""

BRIGHT_PERCENT = 99.5
"""Blood is brighter on T1 than so much of normal brain; chosen on eight digital courses, not tried on people."""

GAIN_SPREADS = 3.0
"""Contrast agent added nothing where T1C-T1 is within so many robust standard deviations of normal brain; chosen."""

REACH_MM = 5.0
"""Blood is looked for so far from core and cavity; chosen."""

LEAST_ML = 0.05
"""Smaller parts are no blood; chosen."""

OFF_MM = 1.0
"""How far T1 may lie off T1C after a good alignment; chosen."""

DUST = 1e-3
"""Differences of intensity below it are rounding."""

METHOD = (
    "Blood is brighter than 99.5 % of normal brain on T1, and T1C-T1 there is within 3 robust standard deviations of "
    "normal brain; parts of at least 0.05 mL within 5 mm of core and cavity. Numbers were chosen on digital patients."
)


@dataclass(frozen=True)
class Blood:
    """Where fresh blood lies.

    Parameters
    ----------
    certain : ndarray of bool, shape (i, j, k)
        Blood where T1 lies exactly on T1C.
    possible : ndarray of bool, shape (i, j, k)
        That, and what would be blood if T1 lay ``OFF_MM`` off.
    """

    certain: Mask
    possible: Mask


def find_blood(after: Operated) -> Blood | None:
    """Return where blood lies in a study; None where there is too little normal brain to compare with.

    Parameters
    ----------
    after : Operated
        With T1 and T1C.
    """
    from tumorboard.segment.space import distance_to, drop_small

    study, labels = after.study, after.labels
    spacing = study.grid.spacing_mm
    t1c = study.volumes[Sequence.T1C]
    gain = subtraction(t1c, study.volumes[Sequence.T1], study.brain).data
    plain = t1c.data - gain  # T1, matched to T1C
    normal = study.brain & (distance_to(labels.data > 0, spacing) > NORMAL_MM)
    if float(normal.sum()) * study.grid.voxel_volume_ml < NORMAL_ML:
        return None
    bright, most = float(np.percentile(plain[normal], BRIGHT_PERCENT)) + DUST, _most_gain(gain[normal])
    near = study.brain & (distance_to(labels.region("TC") | labels.region("RC"), spacing) <= REACH_MM)
    certain = drop_small(near & (plain > bright) & (gain <= most), LEAST_ML, spacing)
    around = _brightest_around(np.where(study.brain, plain, -np.inf), spacing)
    possible = certain | drop_small(near & (around > bright) & (t1c.data - around <= most), LEAST_ML, spacing)
    return Blood(certain, possible)


def _most_gain(values: Float) -> float:
    middle = float(np.median(values))
    return middle + GAIN_SPREADS * 1.4826 * float(np.median(np.abs(values - middle))) + DUST


def _brightest_around(plain: Float, spacing_mm: tuple[float, float, float]) -> Float:
    """Return the brightest value within ``OFF_MM`` of each voxel."""
    from scipy import ndimage as ndi

    steps = [int(OFF_MM / s + 1e-6) for s in spacing_mm]
    axes = np.meshgrid(*(np.arange(-n, n + 1) * s for n, s in zip(steps, spacing_mm, strict=True)), indexing="ij")
    ball = sum(a**2 for a in axes) <= OFF_MM**2 + 1e-6
    return np.asarray(ndi.maximum_filter(plain, footprint=ball, mode="nearest"))
