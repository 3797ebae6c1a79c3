"""The bias field: slow changes of brightness that the receive coils make, taken out before intensities are scaled.

Source: Tustison NJ et al., IEEE Trans Med Imaging 2010;29:1310-1320 (N4), through SimpleITK.
Why it exists: thresholds and clusters see a bright side of the head as tissue.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tumorboard.io.images import to_itk
from tumorboard.volume import Volume

WORKING_MM = 4.0
ITERATIONS = (30, 20, 10)
"""Grid on which the field is fitted, and iterations of its levels; chosen: the field is smooth."""


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
    import SimpleITK as sitk

    positive = Volume(np.maximum(volume.data, 0).astype(np.float32) + np.float32(1e-3), volume.grid)
    image, mask = to_itk(positive), to_itk(Volume(brain.astype(np.uint8), volume.grid))
    factors = [max(1, round(WORKING_MM / s)) for s in image.GetSpacing()]
    n4: Any = sitk.N4BiasFieldCorrectionImageFilter()
    n4.SetMaximumNumberOfIterations(list(ITERATIONS))
    n4.SetNumberOfThreads(1)
    n4.Execute(sitk.Shrink(image, factors), sitk.Shrink(mask, factors))
    log_field = sitk.GetArrayFromImage(n4.GetLogBiasFieldAsImage(image)).transpose(2, 1, 0)
    inside = log_field[brain]
    field = np.exp(log_field - float(inside.mean())).astype(np.float32)
    return volume.with_data((volume.data / field).astype(np.float32)), float(inside.std())
