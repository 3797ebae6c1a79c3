"""The T1C–T1 map: what contrast agent added, in units of the normalised images.

Why it exists: faint and T1-bright things are told apart by the difference, not by T1C alone.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tumorboard.volume import Volume

MOST = 50_000
"""Voxels that the regression looks at."""

KEPT_MAD = 2.5
"""Voxels further than this many median deviations from the line are left out of it: they enhance. Chosen."""


def subtraction(t1c: Volume, t1: Volume, brain: NDArray[np.bool_]) -> Volume:
    """Return T1C minus the T1 that is matched to it by robust regression in the brain; 0 outside.

    Parameters
    ----------
    t1c, t1 : Volume
        Normalised, on one grid.
    brain : ndarray of bool, shape (i, j, k)

    Returns
    -------
    Volume
        float32; 1 is one robust standard deviation of T1C in the brain.

    Examples
    --------
    >>> t1 = Volume.of(np.random.default_rng(0).normal(size=(9, 9, 9)).astype(np.float32), np.eye(4))
    >>> t1c = t1.with_data(2 * t1.data + 1); t1c.data[4, 4, 4] += 5
    >>> round(float(subtraction(t1c, t1, np.ones((9, 9, 9), bool)).data[4, 4, 4]), 2)
    5.0
    """
    x, y = t1.data[brain].astype(np.float64), t1c.data[brain].astype(np.float64)
    step = max(1, x.size // MOST)
    a, b = _line(x[::step], y[::step])
    return t1c.with_data(np.where(brain, t1c.data - (a * t1.data + b), 0).astype(np.float32))


def _line(x: NDArray[np.float64], y: NDArray[np.float64]) -> tuple[float, float]:
    kept = np.ones(x.size, dtype=np.bool_)
    a, b = 1.0, 0.0
    for _ in range(5):
        if int(kept.sum()) < 10 or float(np.ptp(x[kept])) == 0:
            break
        a, b = (float(v) for v in np.polyfit(x[kept], y[kept], 1))
        off = np.abs(y - (a * x + b))
        kept = off <= KEPT_MAD * max(float(np.median(off)), 1e-9)
    return a, b
