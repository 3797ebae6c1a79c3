"""Where a detector's score is high enough, for each size of lesion: its operating points.

Why it exists: one threshold for all sizes either floods the reader with specks or misses them. Each class of size gets
its own budget of false alarms, and the lowest threshold that keeps to it on digital patients that the network did not
learn from. A false alarm belongs to the class of the size it was found with.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tumorboard.detect.base import Detected, size_class
from tumorboard.detect.learned import LearnedDetector
from tumorboard.networks.bundle import Bundle, Calibration
from tumorboard.segment.learned import Options
from tumorboard.segment.likeness import quantiles, usual
from tumorboard.study import Study

BUDGET = (0.3, 0.2, 0.1)
"""False alarms a patient that are allowed below 3 mm, below 10 mm, and from 10 mm; chosen, 0.6 in all."""

LEAST = 0.1
"""No threshold is below this."""


@dataclass(frozen=True)
class Alarm:
    """A detection, as far as its operating point needs it."""

    size: int
    score: float
    right: bool


def alarms(found: Detected, lesions: NDArray[np.uint16]) -> list[Alarm]:
    """Tell which detections of a study hit a lesion.

    Parameters
    ----------
    found : Detected
        By a method.
    lesions : ndarray of uint16, shape (i, j, k)
        Numbers of the true ones, on the same grid.

    Returns
    -------
    list of Alarm
        One a detection.
    """
    hit = {int(part) for part in np.unique(found.numbers.data[lesions > 0])} - {0}
    return [Alarm(size_class(d.diameter_mm), d.score, d.number in hit) for d in found.found]


def operating_points(studies: Iterable[list[Alarm]]) -> tuple[float, float, float]:
    """Return the least score by class of size that keeps to the budget of false alarms.

    Parameters
    ----------
    studies : iterable of list of Alarm
        One list a patient; a patient without a detection counts.

    Returns
    -------
    (float, float, float)
        Below 3 mm, below 10 mm, from 10 mm.

    Examples
    --------
    >>> patients = [[Alarm(0, 0.9, True), Alarm(0, 0.4, False)], [Alarm(0, 0.8, False)], [], []]
    >>> operating_points(patients)
    (0.40..., 0.1, 0.1)
    """
    told = list(studies)
    points = []
    for size, budget in enumerate(BUDGET):
        wrong = sorted((a.score for s in told for a in s if a.size == size and not a.right), reverse=True)
        allowed = int(budget * len(told))
        points.append(max(LEAST, wrong[allowed] + 1e-6) if len(wrong) > allowed else LEAST)
    return points[0], points[1], points[2]


def calibrate_detector(
    bundle: Bundle, cases: Iterable[tuple[Study, NDArray[np.uint16]]], options: Options | None = None
) -> tuple[Calibration, list[list[Alarm]]]:
    """Estimate operating points and usual input of a detector.

    Parameters
    ----------
    bundle : Bundle
        Of the task ``detect``, trained.
    cases : iterable of (Study, ndarray of uint16)
        Prepared digital studies, and numbers of their lesions on the study's grid.
    options : Options, optional
        How the network is run.

    Returns
    -------
    Calibration
        For the bundle.
    list of list of Alarm
        What it was estimated from, a list a patient.
    """
    detector = LearnedDetector(bundle, options)
    seen: dict[str, list[NDArray[np.float64]]] = {s.value: [] for s in bundle.metadata.sequences}
    told = []
    for study, lesions in cases:
        looked = detector.look(study)
        told.append(alarms(detector.found_in(study, looked), lesions))
        for sequence, image in zip(bundle.metadata.sequences, looked.images, strict=True):
            if image.any():
                seen[sequence.value].append(quantiles(image, looked.brain))
    return (
        Calibration(
            thresholds=operating_points(told),
            quantiles={s: usual(v) for s, v in seen.items() if len(v) > 2},
            patients=len(told),
        ),
        told,
    )
