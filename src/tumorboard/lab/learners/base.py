"""What a learner is: fitted on features and an outcome, it predicts one or several numbers a row.

Why it exists: the frame around learners must not know their names. Scikit-learn's estimators are wrapped here; those
for survival are our own classes with the same two methods.
"""

from __future__ import annotations

import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from tumorboard.errors import InputError
from tumorboard.lab.outcome import Outcome
from tumorboard.lab.recipe import Outcomes

Floats = NDArray[np.float64]


class Learner(ABC):
    """Fitted on training rows; final classes give ``fit`` and ``predict``."""

    takes_missing = False
    """Whether features may be NaN."""

    takes_images = False
    """Whether it learns from images beside the columns; see :class:`ImageLearner`."""

    def whose(self, patients: Sequence[str]) -> Self:
        """Take the patient of each training row, before :meth:`fit`: folds inside these rows keep patients together."""
        return self

    @abstractmethod
    def fit(self, x: Floats, outcome: Outcome) -> Self:
        """Learn from training rows, ``x`` of shape (n, columns)."""

    @abstractmethod
    def predict(self, x: Floats) -> Floats:
        """Return predictions, shape (m, k).

        Binary: the chance of yes. Multiclass and multilabel: a chance for each class or label. Survival: a risk, higher
        is sooner. Regression: the quantity.
        """

    def survival_at(self, x: Floats, days: Floats) -> Floats | None:
        """Return chances to live beyond ``days``, shape (m, days), or None where the learner has none."""
        return None

    @property
    def weights(self) -> Floats | None:
        """Weight or importance of each column, where the learner has one; higher says more."""
        return None


class ImageLearner(Protocol):
    """What a learner that takes images has; images are what the representation ``network`` hands over."""

    def fit_images(self, images: Any, x: Floats, outcome: Outcome) -> Self:
        """Learn from training rows."""

    def predict_images(self, images: Any, x: Floats) -> Floats:
        """Return predictions, shape (m, k)."""

    def survival_images(self, images: Any, x: Floats, days: Floats) -> Floats | None:
        """Return chances to live beyond ``days``, where the learner has them."""


class Wrapped(Learner):
    """An estimator of scikit-learn.

    Parameters
    ----------
    estimator : object
        With ``fit`` and ``predict_proba`` or ``predict``.
    takes_missing : bool
        Whether it accepts NaN.
    """

    def __init__(self, estimator: Any, takes_missing: bool = False) -> None:
        self.estimator, self.takes_missing = estimator, takes_missing

    def fit(self, x: Floats, outcome: Outcome) -> Self:
        """Fit the estimator; ``settled_`` tells whether it converged."""
        from sklearn.exceptions import ConvergenceWarning

        self.kind_, self.count_ = outcome.kind.value, max(len(outcome.names), 1)
        y = outcome.classes if outcome.discrete else outcome.values[:, 0]
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("ignore")
            warnings.simplefilter("always", ConvergenceWarning)
            self.estimator.fit(x, y)
        self.settled_ = not told
        return self

    def predict(self, x: Floats) -> Floats:
        """Return chances or quantities, shape (m, k)."""
        if self.kind_ == Outcomes.REGRESSION.value:
            return np.asarray(self.estimator.predict(x), dtype=np.float64).reshape(-1, 1)
        chances = np.asarray(self.estimator.predict_proba(x), dtype=np.float64)
        out = np.zeros((len(x), self.count_))
        out[:, np.asarray(self.estimator.classes_, dtype=np.int64)] = chances
        return out[:, [1]] if self.kind_ == Outcomes.BINARY.value else out

    @property
    def weights(self) -> Floats | None:
        """Absolute coefficients or impurity importances."""
        model = self.estimator
        if hasattr(model, "feature_importances_"):
            return np.asarray(model.feature_importances_, dtype=np.float64)
        if hasattr(model, "coef_"):
            return np.asarray(np.abs(np.atleast_2d(np.asarray(model.coef_, dtype=np.float64))).mean(axis=0))
        return None


class OneEach(Learner):
    """One binary learner for each label.

    Parameters
    ----------
    make : callable
        Makes a fresh binary learner.
    """

    def __init__(self, make: Callable[[], Learner]) -> None:
        self._make: Callable[[], Learner] | None = make
        self._patients: Sequence[str] = ()

    def whose(self, patients: Sequence[str]) -> Self:
        """Take the patient of each training row."""
        self._patients = patients
        return self

    def fit(self, x: Floats, outcome: Outcome) -> Self:
        """Fit each label on the rows where it is known.

        Raises
        ------
        InputError
            A label has one value only.
        """
        if self._make is None:
            raise InputError("a learner that is new", got="one that was read from a file")
        self.each_: list[Learner] = []
        for n, name in enumerate(outcome.names):
            label = outcome.label(n)
            known = ~np.isnan(label.values[:, 0])
            if len(np.unique(label.values[known])) < 2:
                raise InputError("both values of each label among training rows", got="one", where=f"label {name}")
            theirs = [p for p, there in zip(self._patients, known, strict=False) if there]
            self.each_.append(self._make().whose(theirs).fit(x[known], label.take(known)))
        self._make, self._patients = None, ()  # a function is nothing that could be saved, and patients must not be
        return self

    def predict(self, x: Floats) -> Floats:
        """Return a chance for each label, shape (m, labels)."""
        return np.hstack([learner.predict(x) for learner in self.each_])
