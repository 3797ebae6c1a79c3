"""``joined``: what either of two detectors finds; where both find the same lesion, the first one's outline counts.

Why it exists: a template finds small balls that a network misses, and a network finds rings and large lesions that no
ball matches. Scores of different methods mean different things, so each is measured by its own operating point.
"""

from __future__ import annotations

import numpy as np

from tumorboard.detect.base import Detected, Detection, Detector, Scored, ranked, size_class
from tumorboard.segment.base import Card, Validity
from tumorboard.study import Study

HALF = (0.5, 0.5, 0.5)
"""Operating point of scores that were measured by their own."""


class JoinedDetector:
    """Two detectors as one.

    Parameters
    ----------
    first, second : Detector
        The first one's outlines are preferred.
    """

    def __init__(self, first: Detector, second: Detector) -> None:
        self._members = (first, second)
        one, two = first.card, second.card
        self.card = Card(
            id=f"joined:{one.id}+{two.id}",
            version=f"{one.version}+{two.version}",
            title=f"What {one.id} or {two.id} finds",
            citation=f"{one.citation} {two.citation}",
            method=f"Lesions were taken that either of two methods found. {one.method} {two.method}",
            limits=f"False alarms of both add up. {one.limits} {two.limits}",
            needs_any=tuple(dict.fromkeys((*one.needs_any, *two.needs_any))),
        )

    def detect(self, study: Study) -> Detected:
        """Find lesions in a prepared study; raises what the members do."""
        one, two = (member.detect(study) for member in self._members)
        return joined(one, two, study, self.card)


def joined(first: Detected, second: Detected, study: Study, card: Card) -> Detected:
    """Return what either found.

    Parameters
    ----------
    first, second : Detected
        Of the same study.
    study : Study
        That study.
    card : Card
        Of the pair.

    Returns
    -------
    Detected
        Scores are relative: 0.5 is the operating point of the method that found it.
    """
    if first.not_assessable:
        return second
    if second.not_assessable:
        return first
    numbers = first.numbers.data.astype(np.int32)
    scores = {d.number: relative(d, first.thresholds) for d in first.found}
    free = len(first.found)
    for d in second.found:
        inside = second.numbers.data == d.number
        met = np.bincount(numbers[inside])
        met[0] = 0
        if met.any():
            same = int(met.argmax())
            scores[same] = max(scores[same], relative(d, second.thresholds))
        else:
            free += 1
            numbers[inside] = free
            scores[free] = relative(d, second.thresholds)
    shown, found = ranked(Scored(numbers, scores), study.grid)
    reasons = tuple(dict.fromkeys((*first.validity.reasons, *second.validity.reasons)))
    validity = Validity(min(first.validity.score, second.validity.score), reasons)
    return Detected(shown, found, HALF, validity, card)


def relative(found: Detection, thresholds: tuple[float, ...]) -> float:
    """Return a score that is 0.5 at the operating point of the size, 1 at 1 and 0 at 0.

    Examples
    --------
    >>> lesion = Detection(1, 0.8, (0.0, 0.0, 0.0), 0.1, 5.8)
    >>> relative(lesion, (0.3, 0.8, 0.2)), round(relative(lesion, (0.3, 0.6, 0.2)), 3)
    (0.5, 0.75)
    """
    least = thresholds[size_class(found.diameter_mm)]
    if found.score < least:
        return 0.5 * found.score / least
    return 0.5 + 0.5 * (found.score - least) / max(1.0 - least, 1e-6)
