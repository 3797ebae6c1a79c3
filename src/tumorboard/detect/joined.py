"""``joined``: what either of two detectors finds; where both find the same lesion, the first one's outline counts.

Why it exists: a template finds small balls that a network misses, and a network finds rings and large lesions that no
ball matches. Scores of different methods mean different things: an arbiter that knows both weighs them; for other
methods each is measured by its own operating point.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tumorboard.detect.arbiter import arbiter_of, clues
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
            method="Places that either of two methods found were weighed by trees that were fitted on digital "
            f"patients; without such trees the surer method counts. {one.method} {two.method}",
            limits=f"Without such trees false alarms of both add up. {one.limits} {two.limits}",
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
        Scores are chances where an arbiter knows both methods; else they are relative: 0.5 is the operating point of
        the method that found it.
    """
    if first.not_assessable:
        return second
    if second.not_assessable:
        return first
    numbers, told = candidates(first, second)
    arbiter = arbiter_of((first.card, second.card), study)
    if arbiter is None:
        scores, points = {n: max(one.relative, two.relative) for n, (one, two) in told.items()}, HALF
    else:
        rows = clues(numbers, {n: (one.score, two.score) for n, (one, two) in told.items()}, study)
        chances = arbiter.chances(np.array(list(rows.values())).reshape(len(rows), len(arbiter.clues)))
        scores, points = dict(zip(rows, chances.tolist(), strict=True)), arbiter.thresholds
    shown, found = ranked(Scored(numbers, scores), study.grid)
    reasons = tuple(dict.fromkeys((*first.validity.reasons, *second.validity.reasons)))
    validity = Validity(min(first.validity.score, second.validity.score), reasons)
    return Detected(shown, found, points, validity, card)


class Opinion(NamedTuple):
    """What one method says of a candidate."""

    score: float = 0.0
    relative: float = 0.0


Candidates = dict[int, tuple[Opinion, Opinion]]


def candidates(first: Detected, second: Detected) -> tuple[NDArray[np.int32], Candidates]:
    """Return the places that either found, and what both say of each; where both found one, the first outlines it.

    Parameters
    ----------
    first, second : Detected
        Of the same study.

    Returns
    -------
    ndarray of int32, shape (i, j, k)
        Numbers, 0 elsewhere.
    dict of int to (Opinion, Opinion)
        By number.
    """
    numbers = first.numbers.data.astype(np.int32)
    none = Opinion()
    told: Candidates = {d.number: (Opinion(d.score, relative(d, first.thresholds)), none) for d in first.found}
    free = len(first.found)
    for d in second.found:
        inside = second.numbers.data == d.number
        met = np.bincount(numbers[inside])
        met[0] = 0
        own = Opinion(d.score, relative(d, second.thresholds))
        if met.any():
            same = int(met.argmax())
            told[same] = (told[same][0], max(told[same][1], own))
        else:
            free += 1
            numbers[inside] = free
            told[free] = (none, own)
    return numbers, told


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
