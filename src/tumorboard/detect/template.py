"""``template``: balls of several sizes, matched to T1C by normalised cross-correlation.

Why it exists: it needs no training and nobody's data, it is what detection was before networks, and networks must
beat it on the same cases. It refuses to guess without T1C (or black-blood).

Source: Ambrosini RD et al., Computer-aided detection of metastatic brain tumors using automated three-dimensional
template matching, J Magn Reson Imaging 2010;31:85-93; Perez-Ramirez U et al., J Magn Reson Imaging 2016;43:1231-1240.
Sizes and the measure of tubes are ours; thresholds were found on digital patients.
"""

from __future__ import annotations

from dataclasses import dataclass

import cc3d
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi
from scipy.signal import fftconvolve

from tumorboard.detect.base import Detected, Scored, ranked, unseen
from tumorboard.detect.tubes import tubeness
from tumorboard.networks.grid import to_network
from tumorboard.segment.base import Card, Validity
from tumorboard.sequences import Sequence
from tumorboard.study import Study
from tumorboard.volume import box_around

Float = NDArray[np.float32]

CARD = Card(
    id="template",
    version="1",
    title="Three-dimensional template matching on contrast-enhanced T1",
    citation="Ambrosini RD et al. J Magn Reson Imaging 2010;31:85-93; Perez-Ramirez U et al. J Magn Reson Imaging "
    "2016;43:1231-1240.",
    method="Balls of several diameters were matched to the enhanced T1 by normalised cross-correlation; what looks "
    "like a tube was scored lower.",
    limits="No training. Lesions that are not ball-shaped, rings above 12 mm and lesions at vessels are missed.",
    needs_any=(Sequence.BB, Sequence.T1C),
)


@dataclass(frozen=True)
class TemplateSettings:
    """Every number of the method; chosen, none of them on real cases.

    Parameters
    ----------
    spacing_mm : float
        Voxel size at which templates are matched.
    diameters_mm : tuple of float
        Of the balls.
    least_correlation, least_contrast : float
        Of a candidate; contrast in robust standard deviations of the brain.
    thresholds, thresholds_bb : tuple of float
        Least score by size class at the operating point, on T1C and on black-blood; found on digital patients.
    """

    spacing_mm: float = 1.0
    diameters_mm: tuple[float, ...] = (2.5, 4.0, 6.0, 9.0, 12.0)
    least_correlation: float = 0.45
    least_contrast: float = 1.0
    thresholds: tuple[float, float, float] = (0.48, 0.49, 0.3)
    thresholds_bb: tuple[float, float, float] = (0.42, 0.43, 0.3)


class TemplateDetector:
    """The method ``template``; see the module.

    Parameters
    ----------
    settings : TemplateSettings, optional
        Every number of the method.

    Examples
    --------
    >>> TemplateDetector().card.id
    'template'
    """

    card = CARD

    def __init__(self, settings: TemplateSettings | None = None) -> None:
        self.settings = settings or TemplateSettings()

    def detect(self, study: Study) -> Detected:
        """Find lesions in a prepared study."""
        used = next((s for s in self.card.needs_any if s in study.volumes), None)
        box = box_around(study.brain)
        if used is None or box is None:
            return unseen(study, self.settings.thresholds, self.card, "neither T1C nor black-blood was given")
        s, spacing = self.settings, study.grid.spacing_mm
        image = to_network(study.volumes[used].data[box], spacing, s.spacing_mm)
        brain = to_network(study.brain[box], spacing, s.spacing_mm) > 0.5
        scored = matched(image, brain, s)
        whole = np.zeros(study.grid.shape, dtype=np.int32)
        inner = _on_grid(scored.numbers.astype(np.int32), study.brain[box].shape, spacing, s.spacing_mm)
        whole[box] = inner * study.brain[box]
        there = set(np.unique(whole).tolist())
        kept = Scored(whole, {n: v for n, v in scored.scores.items() if n in there})
        numbers, found = ranked(kept, study.grid)
        points = s.thresholds_bb if used is Sequence.BB else s.thresholds
        return Detected(numbers, found, points, Validity(1.0), self.card)


def matched(image: Float, brain: NDArray[np.bool_], settings: TemplateSettings) -> Scored:
    """Return candidates and scores on the grid of the templates.

    Parameters
    ----------
    image : ndarray of float32, shape (i, j, k)
        Normalised in the brain.
    brain : ndarray of bool, shape (i, j, k)
        Mask.
    settings : TemplateSettings
        Every number.
    """
    inside = np.where(brain, np.clip(image, -4.0, 8.0), np.float32(0))
    best = np.full(image.shape, -1.0, dtype=np.float32)
    for diameter in settings.diameters_mm:
        np.maximum(best, correlation(inside, diameter / settings.spacing_mm), out=best)
    bright = inside > settings.least_contrast
    core = ndi.binary_erosion(brain, iterations=2) & bright
    parts = np.asarray(cc3d.connected_components((best > settings.least_correlation) & core, connectivity=26))
    scores: dict[int, float] = {}
    tube = tubeness(inside, brain)
    for n, peak in enumerate(ndi.maximum(best, parts, np.arange(1, int(parts.max()) + 1)), start=1):
        scores[n] = float(np.clip(peak, 0, 1))
    for n, share in enumerate(ndi.mean(tube, parts, np.arange(1, int(parts.max()) + 1)), start=1):
        scores[n] *= 1.0 - 0.5 * float(share)
    return Scored(parts.astype(np.int32), scores)


def correlation(image: Float, diameter: float) -> Float:
    """Return the normalised cross-correlation of an image with a ball in its surroundings, -1 to 1.

    Parameters
    ----------
    image : ndarray of float32, shape (i, j, k)
        Any scale.
    diameter : float
        Of the ball, voxels; the surroundings are twice as wide.

    Returns
    -------
    ndarray of float32, shape (i, j, k)

    Examples
    --------
    >>> image = np.zeros((15, 15, 15), np.float32); image[6:9, 6:9, 6:9] = 1
    >>> found = correlation(image, 3.5)
    >>> [int(i) for i in np.unravel_index(found.argmax(), found.shape)]
    [7, 7, 7]
    """
    template = _ball(diameter)
    count = template.size
    zero_mean = template - template.mean()
    above = fftconvolve(image, zero_mean[::-1, ::-1, ::-1], mode="same")
    ones = np.ones_like(template)
    total = fftconvolve(image, ones, mode="same")
    squares = fftconvolve(image**2, ones, mode="same")
    spread = np.sqrt(np.maximum(squares - total**2 / count, 1e-3) * float((zero_mean**2).sum()))
    return np.asarray(above / spread, dtype=np.float32)


def _ball(diameter: float) -> Float:
    half = int(np.ceil(diameter))
    axis = np.arange(-half, half + 1)
    radius = np.sqrt(axis[:, None, None] ** 2 + axis[None, :, None] ** 2 + axis[None, None, :] ** 2)
    return np.asarray(np.clip(diameter / 2 + 0.5 - radius, 0, 1), dtype=np.float32)


def _on_grid(
    numbers: NDArray[np.int32], shape: tuple[int, ...], spacing: tuple[float, float, float], source_mm: float
) -> NDArray[np.int32]:
    """Carry numbers to the study's grid by nearest neighbour (both grids share their first outer edge)."""
    at = [
        np.clip(((np.arange(n) + 0.5) * s / source_mm).astype(int), 0, m - 1)
        for n, s, m in zip(shape, spacing, numbers.shape, strict=True)
    ]
    return numbers[np.ix_(*at)]
