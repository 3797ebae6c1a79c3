"""Where a detector's score is high enough, for each size of lesion: its operating points.

Why it exists: one threshold for all sizes either floods the reader with specks or misses them. Each class of size gets
its own budget of false alarms, and the lowest threshold that keeps to it on digital patients that the network did not
learn from. A false alarm belongs to the class of the size it was found with.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from tumorboard.detect.base import Detected, Detector, size_class
from tumorboard.detect.learned import LearnedDetector
from tumorboard.networks.bundle import Bundle, Calibration
from tumorboard.segment.learned import Options
from tumorboard.segment.likeness import quantiles, usual
from tumorboard.sequences import Sequence
from tumorboard.study import Study

Points = tuple[float, float, float]

BUDGET = (0.15, 0.1, 0.05)
"""False alarms a patient that are allowed below 3 mm, below 10 mm, and from 10 mm; chosen: 0.3 in all, so that two
methods together stay within 0.6, at which published figures are told."""

LEAST = 0.1
"""No threshold is below this."""


@dataclass(frozen=True)
class Alarm:
    """A detection, as far as its operating point needs it.

    Parameters
    ----------
    size : int
        Class of the size it was found with.
    score : float
        0 to 1.
    lesions : frozenset of int
        Numbers of the true lesions that it hits; none: a false alarm.
    """

    size: int
    score: float
    lesions: frozenset[int] = frozenset()


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
    inside = (lesions > 0) & (found.numbers.data > 0)
    pairs = np.unique(np.stack([found.numbers.data[inside], lesions[inside]], axis=1), axis=0)
    hit = {d.number: frozenset(pairs[pairs[:, 0] == d.number, 1].tolist()) for d in found.found}
    return [Alarm(size_class(d.diameter_mm), d.score, hit[d.number]) for d in found.found]


def operating_points(studies: Iterable[list[Alarm]]) -> Points:
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
    >>> patients = [[Alarm(0, 0.9, frozenset({1})), Alarm(0, 0.4)], [Alarm(0, 0.8)], [], []]
    >>> operating_points(patients)
    (0.80..., 0.1, 0.1)
    """
    told = list(studies)
    points = []
    for size, budget in enumerate(BUDGET):
        wrong = sorted((a.score for s in told for a in s if a.size == size and not a.lesions), reverse=True)
        allowed = int(budget * len(told))
        points.append(max(LEAST, wrong[allowed] + 1e-6) if len(wrong) > allowed else LEAST)
    return points[0], points[1], points[2]


@dataclass(frozen=True)
class Worth:
    """What an operating point gives.

    Parameters
    ----------
    sensitivity : float
        Share of the lesions that are hit, 0 to 1.
    false_alarms : float
        A patient.
    lesions, patients : int
        How many.
    """

    sensitivity: float
    false_alarms: float
    lesions: int
    patients: int


def worth(studies: list[list[Alarm]], lesions: int, points: Points) -> Worth:
    """Return what an operating point gives on some patients.

    Parameters
    ----------
    studies : list of list of Alarm
        One list a patient.
    lesions : int
        True lesions of all of them, at least one.
    points : (float, float, float)
        Least score by class of size.

    Returns
    -------
    Worth

    Examples
    --------
    >>> patients = [[Alarm(0, 0.9, frozenset({1})), Alarm(0, 0.4, frozenset({2}))], [Alarm(1, 0.8)]]
    >>> worth(patients, 2, (0.5, 0.5, 0.5))
    Worth(sensitivity=0.5, false_alarms=0.5, lesions=2, patients=2)
    """
    reported = [[a for a in study if a.score >= points[a.size]] for study in studies]
    hit = sum(len(frozenset().union(*(a.lesions for a in study))) for study in reported)
    wrong = sum(not a.lesions for study in reported for a in study)
    return Worth(hit / lesions, wrong / len(studies), lesions, len(studies))


@dataclass
class Told:
    """Alarms of a detector without and with black-blood, a list a patient, and how many lesions there were."""

    plain: list[list[Alarm]] = field(default_factory=list)
    with_bb: list[list[Alarm]] = field(default_factory=list)
    lesions: int = 0

    def add(self, plain: Detected, with_bb: Detected | None, lesions: NDArray[np.uint16]) -> None:
        """Add what was found in a study without its black-blood series, and with it where there is one."""
        self.lesions += np.unique(lesions[lesions > 0]).size
        self.plain.append(alarms(plain, lesions))
        if with_bb is not None:
            self.with_bb.append(alarms(with_bb, lesions))

    def points(self) -> tuple[Points, Points | None]:
        """Return the operating points without and with black-blood."""
        return operating_points(self.plain), operating_points(self.with_bb) if self.with_bb else None


def without_bb(study: Study) -> Study:
    """Return a study without its black-blood series."""
    return replace(study, volumes={s: v for s, v in study.volumes.items() if s is not Sequence.BB})


def calibrate_detectors(
    bundle: Bundle,
    others: tuple[Detector, ...],
    cases: Iterable[tuple[Study, NDArray[np.uint16]]],
    options: Options | None = None,
) -> tuple[Calibration, tuple[Told, ...]]:
    """Estimate operating points and usual input of a network, and operating points of other methods beside it.

    Parameters
    ----------
    bundle : Bundle
        Of the task ``detect``, trained.
    others : tuple of Detector
        Tried on the same cases.
    cases : iterable of (Study, ndarray of uint16)
        Prepared digital studies, and numbers of their lesions on the study's grid.
    options : Options, optional
        How the network is run.

    Returns
    -------
    Calibration
        For the bundle.
    tuple of Told
        What was found by the network, and by each other method.
    """
    detector = LearnedDetector(bundle, options)
    seen: dict[str, list[NDArray[np.float64]]] = {s.value: [] for s in bundle.metadata.sequences}
    told = tuple(Told() for _ in (detector, *others))
    for study, lesions in cases:
        looked = detector.look(study)
        for sequence, image in zip(bundle.metadata.sequences, looked.images, strict=True):
            if image.any():
                seen[sequence.value].append(quantiles(image, looked.brain))
        whole, bare = detector.found_in(study, looked), without_bb(study)
        has_bb = Sequence.BB in study.volumes
        told[0].add(detector.detect(bare) if has_bb else whole, whole if has_bb else None, lesions)
        for one, method in zip(told[1:], others, strict=True):
            one.add(method.detect(bare), method.detect(study) if has_bb else None, lesions)
    plain, with_bb = told[0].points()
    usually = {s: usual(v) for s, v in seen.items() if len(v) > 2}
    made = Calibration(thresholds=plain, thresholds_bb=with_bb, quantiles=usually, patients=len(told[0].plain))
    return made, told
