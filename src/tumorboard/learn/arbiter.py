"""Fit the trees that weigh what two detectors say, on digital patients that neither learned from.

Why it exists: see :mod:`tumorboard.detect.arbiter`. Operating points come from chances that trees give patients whom
they were not fitted on, so that they do not promise what only the fitted ones keep.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import GradientBoostingClassifier

from tumorboard.detect.arbiter import Arbiter, Tree, clue_names, clues
from tumorboard.detect.base import Detected, Detector, size_class
from tumorboard.detect.joined import candidates
from tumorboard.errors import InputError
from tumorboard.learn.operating import Alarm, operating_points, without_bb
from tumorboard.sequences import Sequence
from tumorboard.study import Study

FOLDS = 5
"""Of patients, for the operating points."""

TREES, DEPTH, RATE, LEAF = 80, 3, 0.1, 20
"""Number and depth of trees, how much of each counts, and candidates in a leaf at least; chosen."""


@dataclass(frozen=True)
class Heard:
    """Candidates of one study.

    Parameters
    ----------
    rows : ndarray of float64, shape (candidates, clues)
        Clues (see :func:`tumorboard.detect.arbiter.clues`).
    lesions : tuple of frozenset of int
        True lesions that each candidate hits; none: a false alarm.
    """

    rows: NDArray[np.float64]
    lesions: tuple[frozenset[int], ...]

    @property
    def right(self) -> NDArray[np.bool_]:
        """Whether each candidate hits a lesion."""
        return np.array([bool(h) for h in self.lesions], dtype=np.bool_)

    def alarms(self, chances: NDArray[np.float64]) -> list[Alarm]:
        """Return the candidates as alarms of these chances."""
        sizes = [size_class(d) for d in self.rows[:, 2]]
        return [Alarm(s, float(c), h) for s, c, h in zip(sizes, chances, self.lesions, strict=True)]


def heard(first: Detected, second: Detected, study: Study, lesions: NDArray[np.uint16]) -> Heard:
    """Return what two methods say of a study, beside the truth.

    Parameters
    ----------
    first, second : Detected
        Of the study.
    study : Study
        Prepared.
    lesions : ndarray of uint16, shape (i, j, k)
        Numbers of the true ones, on the same grid.
    """
    numbers, told = candidates(first, second)
    rows = clues(numbers, {n: (one.score, two.score) for n, (one, two) in told.items()}, study)
    inside = (lesions > 0) & (numbers > 0)
    pairs = np.unique(np.stack([numbers[inside], lesions[inside]], axis=1), axis=0)
    hits = tuple(frozenset(pairs[pairs[:, 0] == n, 1].tolist()) for n in rows)
    return Heard(np.array(list(rows.values())).reshape(len(rows), len(clue_names(study))), hits)


def calibrate_arbiter(
    first: Detector, second: Detector, cases: Iterable[tuple[Study, NDArray[np.uint16]]]
) -> tuple[Arbiter, Arbiter | None]:
    """Fit trees for studies without and with black-blood.

    Parameters
    ----------
    first, second : Detector
        The first one's outlines are preferred.
    cases : iterable of (Study, ndarray of uint16)
        Prepared digital studies with T1C, and numbers of their lesions on the study's grid.

    Returns
    -------
    Arbiter
        For T1C alone.
    Arbiter or None
        For T1C with black-blood, where the studies have it.

    Raises
    ------
    InputError
        No candidate hits a lesion, or none misses.
    """
    plain: list[Heard] = []
    with_bb: list[Heard] = []
    for study, lesions in cases:
        bare = without_bb(study)
        plain.append(heard(first.detect(bare), second.detect(bare), bare, lesions))
        if Sequence.BB in study.volumes:
            with_bb.append(heard(first.detect(study), second.detect(study), study, lesions))
            names = clue_names(study)
    one = fitted(plain, clue_names(bare))
    return one, fitted(with_bb, names) if with_bb else None


def fitted(studies: list[Heard], names: tuple[str, ...]) -> Arbiter:
    """Fit trees on candidates, and find their operating points.

    Parameters
    ----------
    studies : list of Heard
        One a patient.
    names : tuple of str
        Of the clues.

    Returns
    -------
    Arbiter

    Raises
    ------
    InputError
        No candidate hits a lesion, or none misses.
    """
    told: list[list[Alarm]] = []
    for n, study in enumerate(studies):
        others = [s for m, s in enumerate(studies) if m % FOLDS != n % FOLDS]
        told.append(study.alarms(_grown(others, names, (0.5, 0.5, 0.5)).chances(study.rows)))
    return _grown(studies, names, operating_points(told))


def _grown(studies: list[Heard], names: tuple[str, ...], points: tuple[float, float, float]) -> Arbiter:
    rows, right = np.concatenate([s.rows for s in studies]), np.concatenate([s.right for s in studies])
    if right.all() or not right.any():
        wanted = "candidates that hit lesions and candidates that miss"
        raise InputError(wanted, got="only one kind", where="cases", remedy="give more patients")
    trees = GradientBoostingClassifier(
        n_estimators=TREES, max_depth=DEPTH, learning_rate=RATE, min_samples_leaf=LEAF, random_state=0
    ).fit(rows, right)
    start = float(np.log(right.mean() / (1 - right.mean())))
    kept = tuple(_tree(t[0].tree_) for t in trees.estimators_)
    return Arbiter(clues=names, start=start, trees=kept, thresholds=points, patients=len(studies))


def _tree(grown: Any) -> Tree:
    return Tree(
        clue=tuple(max(int(f), 0) for f in grown.feature),
        border=tuple(float(b) for b in grown.threshold),
        left=tuple(int(n) for n in grown.children_left),
        right=tuple(int(n) for n in grown.children_right),
        value=tuple(RATE * float(v) for v in grown.value[:, 0, 0]),
    )
