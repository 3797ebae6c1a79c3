"""Where to cut a score: a threshold is chosen on training patients and only applied to others.

Why it exists: the best threshold of the patients on whom it is judged flatters every number that follows. The choice is
its own step with its own data, and what it returns remembers how and on how many patients it was made.

Source: Youden WJ. Cancer 1950;3:32-35; Perkins NJ, Schisterman EF. Am J Epidemiol 2006;163:670-675; on optimism:
Leeflang MMG et al. Clin Chem 2008;54:729-737.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tumorboard.errors import InputError, did_you_mean
from tumorboard.metrics.checked import Floats, checked_floats, checked_pair
from tumorboard.metrics.classify.roc import counts_above

_EPSILON = 1e-12


@dataclass(frozen=True, slots=True)
class Threshold:
    """A threshold and where it comes from.

    Parameters
    ----------
    value : float
        At or above it a patient is positive.
    how : str
        The rule.
    patients, events : int
        Of the training data.
    """

    value: float
    how: str
    patients: int
    events: int

    def apply(self, scores: ArrayLike) -> NDArray[np.bool_]:
        """Return which of other patients are positive.

        Raises
        ------
        InputError
            A score that is not finite.
        """
        return checked_floats(scores, "scores") >= self.value


def _youden(sensitivity: Floats, specificity: Floats, precision: Floats, least: float) -> Floats:
    return sensitivity + specificity


def _closest(sensitivity: Floats, specificity: Floats, precision: Floats, least: float) -> Floats:
    return np.asarray(-((1 - sensitivity) ** 2 + (1 - specificity) ** 2))


def _f1(sensitivity: Floats, specificity: Floats, precision: Floats, least: float) -> Floats:
    return np.asarray(2 * sensitivity * precision / np.maximum(sensitivity + precision, _EPSILON))


def _sensitivity(sensitivity: Floats, specificity: Floats, precision: Floats, least: float) -> Floats:
    return np.where(sensitivity >= least - _EPSILON, 1 + specificity, sensitivity - 1)


def _specificity(sensitivity: Floats, specificity: Floats, precision: Floats, least: float) -> Floats:
    return np.where(specificity >= least - _EPSILON, 1 + sensitivity, specificity - 1)


RULES: dict[str, Callable[[Floats, Floats, Floats, float], Floats]] = {
    "youden": _youden,
    "closest": _closest,
    "f1": _f1,
    "sensitivity": _sensitivity,
    "specificity": _specificity,
}
"""What is made as great as can be: Youden's index, nearness to the corner, F1, or one share once the other suffices."""


def choose_threshold(
    training_truth: ArrayLike, training_scores: ArrayLike, how: str = "youden", least: float = 0.9
) -> Threshold:
    """Choose a threshold on training patients.

    Parameters
    ----------
    training_truth : array_like of bool, shape (n,)
        Outcomes of training patients, never of those to be judged.
    training_scores : array_like of float, shape (n,)
        Their scores, best out of fold: a model's scores of its own training patients are too sure.
    how : {'youden', 'closest', 'f1', 'sensitivity', 'specificity'}
        ``sensitivity`` seeks the highest specificity at a sensitivity of at least ``least``; ``specificity`` the
        reverse.
    least : float
        For these two.

    Returns
    -------
    Threshold
        Halfway between two neighbouring scores; of equally good ones the highest.

    Raises
    ------
    InputError
        One class only, an unknown rule, or as :func:`~.checked.checked_pair`.

    Examples
    --------
    >>> choose_threshold([0, 0, 1, 1], [0.1, 0.3, 0.5, 0.9]).value
    0.4
    """
    if how not in RULES:
        remedy = did_you_mean(how, RULES)
        raise InputError(f"a rule of {', '.join(RULES)}", got=repr(how), where="threshold", remedy=remedy)
    if not 0 <= least <= 1:
        raise InputError("a share from 0 to 1", got=f"{least:g}", where="threshold")
    y, s = checked_pair(training_truth, training_scores)
    if y.all() or not y.any():
        raise InputError("training patients of both classes", got="of one", where="threshold")
    scores, hits, called = counts_above(y, s)
    specificity = 1 - (called - hits) / (~y).sum()
    worth = RULES[how](hits / y.sum(), specificity, hits / called, least)
    best = int(np.flatnonzero(worth >= worth.max() - _EPSILON)[0])
    below = scores[best + 1] if best + 1 < len(scores) else scores[best]
    rule = f"{how} of at least {least:g}" if how in ("sensitivity", "specificity") else how
    return Threshold(float((scores[best] + below) / 2), rule, len(y), int(y.sum()))
