"""What explains a learner of the laboratory exactly, where anything does.

Why it exists: linear learners and trees have exact Shapley values, but most of ours are wrapped: a Cox model,
components of columns, a machine behind a calibration. What is linear or a tree inside is taken out, for the page of a
model and for that of a patient alike.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tumorboard.errors import InputError
from tumorboard.lab.learners import Learner, OneEach, Wrapped
from tumorboard.lab.learners.cox import Cox
from tumorboard.lab.learners.hazard_forest import HazardForest
from tumorboard.lab.learners.supervised_pca import SupervisedPca
from tumorboard.lab.step import Floats


@dataclass(frozen=True)
class Number:
    """Which number of a model.

    Parameters
    ----------
    column : int
        Of the predictions.
    quantity : bool
        Whether it is higher or lower rather than more or less likely.
    discrete : bool
        Whether it is the chance of a class.
    """

    column: int
    quantity: bool = False
    discrete: bool = True


@dataclass(frozen=True)
class Inside:
    """What is handed to :func:`tumorboard.explain.shapley`.

    Parameters
    ----------
    model : estimator or callable
        What is linear or a tree, else a function of columns.
    target : int
        Place of the class that is asked for.
    unit : str
        Of the answer; empty for what the package says.
    exact : bool
        Whether values need not be sampled.
    """

    model: Any
    target: int = 1
    unit: str = ""
    exact: bool = True


def inside_of(learner: Learner, question: Number) -> Inside:
    """Return what is linear or a tree inside a learner, else the learner as a function.

    Parameters
    ----------
    learner : Learner
        Fitted.
    question : Number
        Which of its numbers.

    Raises
    ------
    InputError
        The training rows had none of the class.

    Examples
    --------
    >>> from tumorboard.lab.learners import make_learner
    >>> from tumorboard.lab.outcome import Outcome
    >>> from tumorboard.lab.recipe import Outcomes
    >>> x = np.arange(8.0).reshape(-1, 1)
    >>> learner = make_learner("logistic", {}, Outcomes.BINARY, 0).fit(x, Outcome.binary([0, 1, 0, 0, 1, 1, 0, 1]))
    >>> inside_of(learner, Number(0)).exact
    True
    """
    if isinstance(learner, OneEach):
        return inside_of(learner.each_[question.column], replace(question, column=0))
    if isinstance(learner, Cox):
        return Inside(_linear_at(learner.coef_ / learner.spread_, learner.mean_), unit="log hazard")
    if isinstance(learner, HazardForest):
        return Inside(learner.forest_, unit="deaths beyond what was expected")
    if type(learner) is Wrapped and _known(learner.estimator):
        return Inside(learner.estimator, _class(learner, question.column))
    linear = _components(learner) if isinstance(learner, SupervisedPca) else None
    if linear is not None:
        return linear
    unit = "1" if question.quantity or not question.discrete else "probability"
    return Inside(lambda x: learner.predict(np.asarray(x))[:, question.column], unit=unit, exact=False)


def _known(estimator: Any) -> bool:
    words = ("LogisticRegression", "Ridge", "Lasso", "ElasticNet", "RandomForest", "HistGradientBoosting")
    return type(estimator).__name__.startswith(words)


def _class(learner: Wrapped, column: int) -> int:
    """Return the place of a class among those that the training rows had."""
    classes = getattr(learner.estimator, "classes_", None)
    if classes is None:
        return 0
    if len(classes) == 2 and learner.count_ <= 2:
        return 1
    found = np.flatnonzero(np.asarray(classes) == column)
    if not len(found):
        raise InputError("a class of the training rows", got="one that they lack", where="Shapley values")
    return int(found[0])


def _linear_at(slopes: Floats, centre: Floats) -> Any:
    """Return a linear estimator of these slopes that is 0 at a centre; Shapley values of such a one are exact."""
    from sklearn.linear_model import LinearRegression

    made = LinearRegression()
    made.coef_, made.intercept_, made.n_features_in_ = slopes, -float(slopes @ centre), len(slopes)
    return made


def _components(learner: SupervisedPca) -> Inside | None:
    """Return the regression on components as one on columns, which it is; None for several classes at once."""
    slopes = np.zeros(len(learner.mean_))
    head: Any = learner.head_
    if isinstance(head, Cox):
        slopes[learner.kept_] = learner.directions_ @ (head.coef_ / head.spread_)
        return Inside(_linear_at(slopes / learner.spread_, learner.mean_), unit="log hazard")
    weights = np.atleast_2d(np.asarray(head.estimator.coef_, dtype=np.float64))
    if len(weights) > 1:
        return None
    slopes[learner.kept_] = learner.directions_ @ weights[0]
    made = _linear_at(slopes / learner.spread_, learner.mean_)
    made.intercept_ += float(np.ravel(head.estimator.intercept_)[0])
    return Inside(made, unit="log-odds" if hasattr(head.estimator, "predict_proba") else "")
