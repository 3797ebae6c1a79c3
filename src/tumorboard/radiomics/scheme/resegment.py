"""Leave voxels out of a region because of their intensity.

Why it exists: air in a CT outline or a bright vessel in a tumour says nothing about the tumour. Only the intensity
mask loses voxels; the outline itself stays as it was drawn.

Source: IBSI reference manual, arXiv:1612.07003, "Range re-segmentation" (USB3), "Intensity outlier filtering" (7ACA).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tumorboard.radiomics.region import Mask


def resegmented(
    image: NDArray[Any],
    mask: Mask,
    low: float | None = None,
    high: float | None = None,
    sigma: float | None = None,
) -> Mask:
    """Return the intensity mask: inside a range first, then within some standard deviations of what is left.

    Parameters
    ----------
    image : ndarray, shape (i, j, k)
        Intensities.
    mask : ndarray of bool, shape (i, j, k)
        The region as it was drawn.
    low, high : float, optional
        Bounds that are themselves inside.
    sigma : float, optional
        Distance from the mean, in standard deviations of the population, that is still inside.

    Returns
    -------
    ndarray of bool, shape (i, j, k)
        A part of the mask. A voxel whose intensity is NaN or infinite is not in it.

    Examples
    --------
    >>> image = np.array([[[-900.0, 10.0, 30.0, 400.0]]])
    >>> resegmented(image, image < 500.0, low=-500.0, high=400.0)
    array([[[False,  True,  True,  True]]])
    >>> resegmented(image, image < 500.0, low=-500.0, sigma=1.0)
    array([[[False,  True,  True, False]]])
    """
    mask = np.asarray(mask, dtype=np.bool_)
    values = np.asarray(image[mask], dtype=np.float64)
    kept = np.isfinite(values)
    if low is not None:
        kept &= values >= low
    if high is not None:
        kept &= values <= high
    if sigma is not None and kept.any():
        above = values - values[kept].min()  # equal intensities then deviate by exactly nothing
        kept &= np.abs(above - above[kept].mean()) <= sigma * above[kept].std()
    result = np.zeros(mask.shape, dtype=np.bool_)
    result[mask] = kept
    return result
