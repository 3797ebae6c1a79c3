"""How noisy an image is, from itself.

Why it exists: noise that is added to see what it does must be of the size that the scanner's has.

Source: Chang SG, Yu B, Vetterli M. IEEE Trans Image Process 2000;9:1532-1546: median of the absolute diagonal details
of a wavelet over 0.6745; with Coiflet 1 as in Zwanenburg A et al., Sci Rep 2019;9:614.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pywt
from numpy.typing import NDArray
from scipy import ndimage as ndi

from tumorboard.radiomics.region import Mask
from tumorboard.volume import box_around

NORMAL_MEDIAN = 0.6744897501960817
"""Median of the absolute value of a standard normal variable."""


def noise_sd(image: NDArray[Any], inside: Mask) -> float:
    """Estimate the standard deviation of white noise, from details in the plane of i and j.

    Parameters
    ----------
    image : ndarray, shape (i, j, k)
        Any unit.
    inside : ndarray of bool, shape (i, j, k)
        Where; air has no noise after skull-stripping.

    Returns
    -------
    float
        In the unit of the image; 0 where nothing is inside.

    Examples
    --------
    >>> image = np.random.default_rng(0).normal(100.0, 5.0, (40, 40, 20))
    >>> round(noise_sd(image, image > 0))
    5
    """
    box = box_around(inside)
    if box is None:
        return 0.0
    high = np.asarray(pywt.Wavelet("coif1").dec_hi)
    near = (*(slice(max(b.start - len(high), 0), b.stop + len(high)) for b in box[:2]), box[2])
    part = np.asarray(image[near], dtype=np.float64)
    details = ndi.convolve1d(ndi.convolve1d(part, high, axis=0), high, axis=1)
    return float(np.median(np.abs(details[inside[near]]))) / NORMAL_MEDIAN
