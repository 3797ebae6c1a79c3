"""One scale of intensities: median 0 and robust spread 1 inside the brain.

Why it exists: MR values have no unit. Median and interquartile range are used because a tumour moves
them little. Input that already has this scale is left as it is, bit for bit.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tumorboard.errors import IntensityError
from tumorboard.volume import Volume

IQR_TO_SD = 1.349
"""Interquartile range of a normal distribution in standard deviations."""

TINY = np.float32(1e-6)
"""Written for an exact 0 inside the brain, so that 0 always means outside."""

ALREADY = 1e-3
"""How near to median 0 and spread 1 an image counts as normalised already."""


@dataclass(frozen=True)
class Scale:
    """What was subtracted and divided by; ``applied`` is False when the input had the scale already."""

    median: float
    spread: float
    applied: bool


def normalise(volume: Volume, brain: NDArray[np.bool_], where: str) -> tuple[Volume, Scale]:
    """Return the volume as float32 with median 0 and robust spread 1 in the brain, exactly 0 outside.

    Raises
    ------
    IntensityError
        The values inside the brain have no spread.

    Examples
    --------
    >>> v = Volume.of(np.arange(64.0).reshape(4, 4, 4), np.eye(4))
    >>> out, scale = normalise(v, np.ones((4, 4, 4), bool), "T1")
    >>> float(np.median(out.data)), scale.applied
    (0.0, True)
    """
    inside = volume.data[brain].astype(np.float64)
    low, median, high = (float(v) for v in np.percentile(inside, (25, 50, 75))) if inside.size else (0.0, 0.0, 0.0)
    spread = (high - low) / IQR_TO_SD
    if spread <= 0:
        raise IntensityError("contrast inside the brain", got="no spread of values", where=where)
    if abs(median) < ALREADY and abs(spread - 1.0) < ALREADY:
        return volume.with_data(np.where(brain, volume.data, 0).astype(np.float32)), Scale(0.0, 1.0, applied=False)
    scaled = ((volume.data.astype(np.float64) - median) / spread).astype(np.float32)
    scaled[scaled == 0] = TINY
    return volume.with_data(np.where(brain, scaled, np.float32(0))), Scale(median, spread, applied=True)
