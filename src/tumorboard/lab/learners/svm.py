"""Support vector machines, and SMOTE for rare classes.

Why it exists: Zhang's 94–96 % for grade came from SMOTE and an SVM. Made-up rows are made inside the training rows
only: a neighbour of a test patient among them would be a leak.

Sources: Cortes C, Vapnik V. Mach Learn 1995;20:273-297; Platt J. 1999 (chances); Chawla NV et al. J Artif Intell Res
2002;16:321-357; Zhang X et al. Oncotarget 2017;8:47816-47830.
"""

from __future__ import annotations

from typing import Self

import numpy as np

from tumorboard.errors import InputError
from tumorboard.lab.learners.base import Floats, Learner, Wrapped
from tumorboard.lab.outcome import Outcome
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
    learner = Platt(CalibratedClassifierCV(machine, ensemble=False, cv=_PARTS))
    return Smote(learner, seed=seed) if smote else learner


class Platt(Wrapped):
    """A calibrated classifier whose own folds are as many as the rarest class allows."""

    def fit(self, x: Floats, outcome: Outcome) -> Self:
        """Fit; at least two rows of each class are needed.

        Raises
        ------
        InputError
            A class has one row.
        """
        rarest = int(np.bincount(outcome.classes)[np.unique(outcome.classes)].min())
        if rarest < 2:
            raise InputError("two training rows of each class at least", got="one", where="learner svm")
        self.estimator.set_params(cv=min(_PARTS, rarest))
        return super().fit(x, outcome)


class Smote(Learner):
    """Make up rows of the rarer classes between neighbours, then fit a learner.

    Parameters
    ----------
    learner : Learner
        That is fitted.
    neighbours : int
        Among which a row is made up.
    seed : int
        Of draws.
    """

    def __init__(self, learner: Learner, neighbours: int = 5, seed: int = 0) -> None:
        self.learner, self.neighbours, self.seed = learner, neighbours, seed

    def fit(self, x: Floats, outcome: Outcome) -> Self:
        """Fit on real and made-up rows; ``made_up_`` counts the latter."""
        from imblearn.over_sampling import SMOTE

        y = outcome.classes
        rarest = int(np.bincount(y)[np.unique(y)].min())
        if rarest < 2:
            self.made_up_ = 0
            self.learner.fit(x, outcome)
            return self
        maker = SMOTE(k_neighbors=min(self.neighbours, rarest - 1), random_state=self.seed)
        more, classes = maker.fit_resample(x, y)
        self.made_up_ = len(more) - len(x)
        self.learner.fit(more, Outcome(outcome.kind, classes.astype(np.float64).reshape(-1, 1), outcome.names))
        return self

    def predict(self, x: Floats) -> Floats:
        """Return what the learner predicts."""
        return self.learner.predict(x)
