"""``metastases``: a U-Net's probability map, cut into lesions, each with a score; tubes are trusted less.

Why it exists: networks find small metastases that readers and templates miss. Windows run over the whole brain at
1 mm, since a lesion of three voxels is nothing on a coarse grid.

Source of the approach: Park YW et al., Robust performance of deep learning for automatic detection and segmentation
of brain metastases using three-dimensional black-blood and three-dimensional gradient echo imaging, Eur Radiol
2021;31:6686-6695.
"""

from __future__ import annotations

from collections.abc import Mapping

import cc3d
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from tumorboard.detect.base import Detected, Scored, ranked, unseen
from tumorboard.detect.tubes import tubeness
from tumorboard.networks.bundle import Bundle
from tumorboard.networks.grid import to_network
from tumorboard.segment.learned import LearnedSegmenter, Options, Seen, card_of, softmax
from tumorboard.segment.likeness import likeness
from tumorboard.sequences import Sequence
from tumorboard.study import Study

Float = NDArray[np.float32]

WHOLE = 0.3
"""Probability from which voxels belong to a lesion; its score is the highest in it."""

LEAST = 0.1
"""Maxima below this are not kept at all."""


class LearnedDetector:
    """A bundle of the task ``detect``, loaded and ready.

    Parameters
    ----------
    bundle : Bundle
        Trained network.
    options : Options, optional
        How it is run.
    """

    def __init__(self, bundle: Bundle, options: Options | None = None) -> None:
        self.bundle, self.card = bundle, card_of(bundle)
        self._network = LearnedSegmenter(bundle, options)

    def detect(self, study: Study) -> Detected:
        """Find lesions in a prepared study.

        Raises
        ------
        InputError
            The brain mask is empty.
        IntensityError
            A sequence is constant or not finite.
        """
        meta = self.bundle.metadata
        if not any(s in study.volumes for s in meta.needs_any):
            return unseen(
                study, self._points(study), self.card, "none of the sequences that the network needs was given"
            )
        return self.found_in(study, self.look(study))

    def look(self, study: Study) -> Seen:
        """Return what the network sees and says; raises what :meth:`detect` does."""
        return self._network.look(study)

    def found_in(self, study: Study, seen: Seen) -> Detected:
        """Cut what the network said of a study into lesions, with scores and the operating point."""
        meta = self.bundle.metadata
        like = likeness(seen.images, seen.brain, meta.sequences, meta.calibration)
        probability = softmax(seen.logits)[1:].sum(axis=0) * seen.brain
        shown = seen.images[[bool(image.any()) for image in seen.images].index(True)]
        scored = instances(probability, shown, seen.brain, study.grid.spacing_mm)
        whole = np.zeros(study.grid.shape, dtype=np.int32)
        whole[seen.box] = scored.numbers
        numbers, found = ranked(Scored(whole, scored.scores), study.grid)
        return Detected(numbers, found, self._points(study), like, self.card)

    def _points(self, study: Study) -> tuple[float, float, float]:
        """Return the operating point: black-blood makes false alarms rarer, so less is asked of a score."""
        told = self.bundle.metadata.calibration
        return told.thresholds_bb if told.thresholds_bb and Sequence.BB in study.volumes else told.thresholds


def instances(
    probability: Float, image: Float, brain: NDArray[np.bool_], spacing_mm: tuple[float, float, float]
) -> Scored:
    """Cut a probability map into lesions.

    Parameters
    ----------
    probability, image : ndarray of float32, shape (i, j, k)
        Of lesion; and what shows vessels.
    brain : ndarray of bool, shape (i, j, k)
        Mask.
    spacing_mm : (float, float, float)
        Voxel size.

    Returns
    -------
    Scored
        26-connected parts above a low probability; the score is the highest probability, less for tubes.

    Examples
    --------
    >>> p = np.zeros((8, 8, 8), np.float32); p[2:4, 2:4, 2:4] = 0.9
    >>> instances(p, 0 * p, np.ones(p.shape, bool), (1.0, 1.0, 1.0)).scores
    {1: 0.89...}
    """
    parts = np.asarray(cc3d.connected_components(probability > LEAST, connectivity=26), dtype=np.int32)
    count = int(parts.max()) if parts.size else 0
    if not count:
        return Scored(parts, {})
    every = np.arange(1, count + 1)
    peak = ndi.maximum(probability, parts, every)
    tube = _tubes(image, brain, parts, spacing_mm)
    scores = {int(n): float(peak[n - 1]) * (1.0 - 0.3 * tube.get(int(n), 0.0)) for n in every}
    core = parts * (probability > np.minimum(WHOLE, 0.5 * np.concatenate([[0], peak]))[parts])
    return Scored(core, scores)


def _tubes(
    image: Float, brain: NDArray[np.bool_], parts: NDArray[np.int32], spacing_mm: tuple[float, float, float]
) -> Mapping[int, float]:
    """Return the mean tubeness of each part, where voxels are near to cubes of 1 mm; nothing elsewhere."""
    if max(abs(s - 1.0) for s in spacing_mm) > 0.3:
        return {}
    tube = tubeness(to_network(image, spacing_mm, spacing_mm[0]), brain)
    every = np.arange(1, int(parts.max()) + 1)
    return {int(n): float(v) for n, v in zip(every, ndi.mean(tube, parts, every), strict=True)}
