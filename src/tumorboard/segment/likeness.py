"""Is this input like what the network learned from? A score and the reasons that lowered it.

Why it exists: a network answers always. Quantiles of each sequence's intensities inside the brain are compared with
those of the samples that it was calibrated on; what is far outside is named.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tumorboard.networks.bundle import Calibration
from tumorboard.segment.base import Validity
from tumorboard.sequences import Sequence

Float = NDArray[np.float32]

QUANTILES = (1, 5, 10, 90, 95, 99)
"""Per cent; median and quartiles are the same in all images, by normalisation."""

STRANGE = 3.0
"""Root mean square of the standard scores from which a sequence is called unlike; chosen."""


WITHOUT = {
    Sequence.T1C: "T1C was not given: enhancing tumour is unknown, and the core is a guess from the other sequences",
    Sequence.FLAIR: "FLAIR was not given: oedema is hard to tell from fluid",
}
"""Which conclusions are weak without a sequence."""


def quantiles(image: Float, brain: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the quantiles of a normalised image inside the brain, shape (6,)."""
    return np.asarray(np.percentile(image[brain], QUANTILES), dtype=np.float64)


def usual(found: list[NDArray[np.float64]]) -> tuple[tuple[float, float], ...]:
    """Return mean and standard deviation over studies of each quantile; no deviation is below 0.05.

    Examples
    --------
    >>> usual([np.array([0.0, 1.0]), np.array([0.0, 3.0])])
    ((0.0, 0.05), (2.0, 1.0))
    """
    stacked = np.array(found)
    pairs = zip(stacked.mean(axis=0), stacked.std(axis=0), strict=True)
    return tuple((float(mean), max(float(deviation), 0.05)) for mean, deviation in pairs)


def likeness(
    images: Float, brain: NDArray[np.bool_], sequences: tuple[Sequence, ...], calibration: Calibration
) -> Validity:
    """Compare an input with what a network learned from.

    Parameters
    ----------
    images : ndarray of float32, shape (sequences, i, j, k)
        Normalised; a sequence that is 0 everywhere is missing.
    brain : ndarray of bool, shape (i, j, k)
        Mask.
    sequences : tuple of Sequence
        Names of the channels.
    calibration : Calibration
        Holds means and standard deviations of quantiles.

    Returns
    -------
    Validity
        Score 1 for what is usual, falling to 0; a missing sequence lowers it by a tenth.

    Examples
    --------
    >>> image = np.linspace(-3, 3, 64, dtype=np.float32).reshape(1, 4, 4, 4)
    >>> likeness(image, np.ones((4, 4, 4), bool), (Sequence.T1,), Calibration()).score
    1.0
    """
    reasons, scores = [], []
    for n, sequence in enumerate(sequences):
        if not images[n].any():
            reasons.append(WITHOUT.get(sequence, f"{sequence.value} was not given"))
            continue
        known = calibration.quantiles.get(sequence.value)
        if known is None:
            continue
        mean, deviation = np.array(known).T
        away = float(np.sqrt(np.mean(((quantiles(images[n], brain) - mean) / deviation) ** 2)))
        scores.append(float(np.clip(1.5 - away / (2 * STRANGE), 0.0, 1.0)))
        if away > STRANGE:
            reasons.append(f"intensities of {sequence.value} are unlike those that the network learned from")
    missing = sum(not image.any() for image in images)
    return Validity(max(0.0, min(scores, default=1.0) - 0.1 * missing), tuple(reasons))
