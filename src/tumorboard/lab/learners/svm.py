"""Support vector machines, their chances, and SMOTE for rare classes.

Why it exists: Zhang's 94–96 % for grade came from SMOTE and an SVM. Made-up rows are made inside the training rows
only: a neighbour of a test patient among them would be a leak.

Sources: Cortes C, Vapnik V. Mach Learn 1995;20:273-297; Platt J. 1999 (chances); Zhang X et al. Oncotarget
2017;8:47816-47830.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np

from tumorboard.errors import InputError
from tumorboard.lab.learners.base import Floats, Learner, Wrapped
from tumorboard.lab.outcome import Outcome
from tumorboard.lab.splits import inner_folds
from tumorboard.lab.step import positive

_PARTS = 3


def svm(
    kind: str,
    kernel: str = "rbf",
    strength: float = 1.0,
    balanced: bool = False,
    smote: bool = False,
    seed: int = 0,
) -> Learner:
    """Return a support vector machine; chances are Platt's, from folds inside the training rows.

    Parameters
    ----------
    kind : str
        Of outcome.
    kernel : str
        ``rbf``, ``linear``, ``poly`` or ``sigmoid``.
    strength : float
        Of the penalty: 1/C.
    balanced : bool
        Whether classes weigh the same.
    smote : bool
        Whether rows of the rarer classes are made up until classes are equal.
    seed : int
        Of draws.
    """
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.svm import SVC, SVR

    cost = 1.0 / positive(strength, "strength")
    if kind == "regression":
        return Wrapped(SVR(kernel=kernel, C=cost))
    machine = SVC(kernel=kernel, C=cost, class_weight="balanced" if balanced else None, random_state=seed)
    if smote:
        from tumorboard.lab.learners.evened import Evened

        machine = Evened(machine, seed=seed)
    return Platt(CalibratedClassifierCV(machine, ensemble=False), seed)


class Platt(Wrapped):
    """A classifier whose chances are learned on folds inside the training rows that keep patients together.

    Parameters
    ----------
    estimator : CalibratedClassifierCV
        Its folds are set here: as many as the rarest class allows.
    seed : int
        Of these folds.
    """

    def __init__(self, estimator: Any, seed: int = 0) -> None:
        super().__init__(estimator)
        self.seed = seed
        self._patients: Sequence[str] = ()

    def whose(self, patients: Sequence[str]) -> Self:
        """Take the patient of each training row."""
        self._patients = patients
        return self

    def fit(self, x: Floats, outcome: Outcome) -> Self:
        """Fit; rows of two patients of each class are needed.

        Raises
        ------
        InputError
            A class has rows of one patient only.
        """
        self.estimator.set_params(cv=self._folds(outcome))
        super().fit(x, outcome)
        self.estimator.set_params(cv=None)
        self._patients = ()  # a model keeps no name
        return self

    def _folds(self, outcome: Outcome) -> Any:
        classes = outcome.classes
        who = np.array(list(self._patients) or range(len(classes)))  # where nobody is named, each row is a patient
        every = set(classes)
        rarest = min(len(set(who[classes == c])) for c in every)
        if rarest >= 2:
            if len(set(who)) == len(who):
                return min(_PARTS, rarest)
            folds = inner_folds(outcome.strata, list(who), min(_PARTS, rarest), self.seed)
            if all(set(classes[train]) == every for train, _ in folds):
                return folds
        raise InputError("training rows of two patients of each class at least", got="one", where="learner svm")
