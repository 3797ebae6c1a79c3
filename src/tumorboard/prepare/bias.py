"""The bias field: slow changes of brightness that the receive coils make, taken out before intensities are scaled.

Source: Tustison NJ et al., IEEE Trans Med Imaging 2010;29:1310-1320 (N4), through SimpleITK.
Why it exists: thresholds and clusters see a bright side of the head as tissue.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tumorboard.io.images import to_itk
from tumorboard.prepare.steady import one_thread
from tumorboard.volume import Volume

WORKING_MM = 8.0
ITERATIONS = (30, 20, 10)
"""Grid on which the field is fitted, and iterations of its levels; chosen: against 4 mm the field changes by less
than 1 % (digital heads of seed 3), for a fifth of the time."""

LEAST_SIZE = 4
"""Smaller images have no field that could be fitted."""

SIGNAL = 0.5
"""What is brighter than this part of the mean of an image is head, not air; chosen."""


def without_bias(volume: Volume, brain: NDArray[np.bool_]) -> tuple[Volume, float]:
    """Divide a volume by its bias field, fitted inside the brain.

    Parameters
    ----------
    volume : Volume
        Values of at least 0; any spacing.
    brain : ndarray of bool, shape of ``volume``
        Where the field is fitted.

    Returns
    -------
    volume : Volume
        float32; the mean of the field in the brain is 1.
    spread : float
        Standard deviation of the field's logarithm in the brain: how strong it was.

    Examples
    --------
    >>> data = np.full((24, 24, 24), 100.0) * np.exp(np.linspace(-0.3, 0.3, 24))[:, None, None]
    >>> flat, spread = without_bias(Volume.of(data, np.diag([6.0, 6.0, 6.0, 1.0])), np.ones(data.shape, bool))
    >>> bool(flat.data.std() < 0.5 * data.std()), bool(spread > 0.1)
    (True, True)
    """
    field = np.exp(_log_field(volume, brain))
    inside = np.log(field[brain])
    return volume.with_data((volume.data / field * np.exp(inside.mean())).astype(np.float32)), float(inside.std())


def without_rough_bias(volume: Volume) -> Volume:
    """Divide a head by a rough bias field, fitted where there is signal: enough to compare it with other images.

    Parameters
    ----------
    volume : Volume
        A native head; where its brain lies is not known.

    Returns
    -------
    Volume
        float32.

    Examples
    --------
    >>> data = np.full((24, 24, 24), 100.0) * np.exp(np.linspace(-0.3, 0.3, 24))[:, None, None]
    >>> flat = without_rough_bias(Volume.of(data, np.diag([6.0, 6.0, 6.0, 1.0])))
    >>> bool(flat.data.std() < 0.5 * data.std())
    True
    """
    thin = volume.data[::2, ::2, :]
    signal = volume.data > SIGNAL * float(thin.mean())
    return without_bias(volume, signal)[0] if signal.any() else volume


def _log_field(volume: Volume, where: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Fit the field on a coarse grid and spread it over the fine one: it is smooth, and fitting is dear."""
    import SimpleITK as sitk

    positive = Volume(np.maximum(volume.data, 0).astype(np.float32) + np.float32(1e-3), volume.grid)
    image, mask = to_itk(positive), to_itk(Volume(where.astype(np.uint8), volume.grid))
    factors = [max(1, round(WORKING_MM / s)) for s in image.GetSpacing()]
    small, small_mask = sitk.Shrink(image, factors), sitk.Shrink(mask, factors)
    if min(small.GetSize()) < LEAST_SIZE or not sitk.GetArrayViewFromImage(small_mask).any():
        return np.zeros(volume.grid.shape, dtype=np.float32)
    with one_thread():
        n4: Any = sitk.N4BiasFieldCorrectionImageFilter()
        n4.SetMaximumNumberOfIterations(list(ITERATIONS))
        n4.Execute(small, small_mask)
        spread = sitk.ResampleImageFilter()
        spread.SetReferenceImage(image)
        spread.SetInterpolator(sitk.sitkLinear)
        spread.UseNearestNeighborExtrapolatorOn()
        field = spread.Execute(n4.GetLogBiasFieldAsImage(small))
    return np.asarray(sitk.GetArrayFromImage(field).transpose(2, 1, 0), dtype=np.float32)
