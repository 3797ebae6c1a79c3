"""Learners for tables. A new one is a file here and a line below.

``kind`` (of outcome) and ``seed`` are given by the run; every other parameter of a maker is a setting of the recipe.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from functools import partial
from typing import Any

from tumorboard.errors import InputError
from tumorboard.lab.learners.base import Learner, OneEach, Wrapped
from tumorboard.lab.learners.cox import Cox
from tumorboard.lab.learners.hazard_forest import HazardForest
from tumorboard.lab.learners.linear import lasso, logistic, ridge
from tumorboard.lab.learners.neighbours import nearest_rows
from tumorboard.lab.learners.neural import deep, network
from tumorboard.lab.learners.subtypes import Subtypes
from tumorboard.lab.learners.supervised_pca import SupervisedPca
from tumorboard.lab.learners.survival_forest import SurvivalForest
from tumorboard.lab.learners.svm import svm
from tumorboard.lab.learners.trees import boosting, forest
from tumorboard.lab.parts import Parts
from tumorboard.lab.recipe import Outcomes

LEARNERS: Parts[Learner] = Parts("learner")
"""One line enrols another, with the kinds of outcome it serves."""

_CLASSES = "binary multiclass multilabel"
_ALL = f"{_CLASSES} regression"

LEARNERS.add("logistic", logistic, _CLASSES, "Zou 2005")
LEARNERS.add("ridge", ridge, "regression", "Hoerl 1970")
LEARNERS.add("lasso", lasso, "regression", "Tibshirani 1996")
LEARNERS.add("forest", forest, _ALL, "Breiman 2001")
LEARNERS.add("boosting", boosting, _ALL, "Friedman 2001")
LEARNERS.add("svm", svm, _ALL, "Cortes 1995; Chawla 2002")
LEARNERS.add("ann", network, _ALL, "Levner 2009")
LEARNERS.add("dnn", deep, _ALL, "Bae 2020")
LEARNERS.add("knn", nearest_rows, _ALL, "Cover 1967")
LEARNERS.add("supervised_pca", SupervisedPca, f"{_ALL} survival", "Bair 2004")
LEARNERS.add("subtypes", Subtypes, f"{_ALL} survival", "Rathore 2018")
LEARNERS.add("cox", Cox, "survival", "Simon 2011")
LEARNERS.add("hazard_forest", HazardForest, "survival", "LeBlanc 1992")
LEARNERS.add("survival_forest", SurvivalForest, "survival", "Ishwaran 2008")
LEARNERS.add("network", "tumorboard.lab.nets:image_network", f"{_ALL} survival", "see tumorboard.lab.nets", joint=True)


def make_learner(name: str, settings: Mapping[str, Any], kind: Outcomes, seed: int) -> Learner:
    """Return a new learner for a kind of outcome.

    Parameters
    ----------
    name : str
        One of :data:`LEARNERS`.
    settings : mapping
        Of the recipe.
    kind : Outcomes
        What it will learn.
    seed : int
        Of its draws.

    Raises
    ------
    InputError
        An unknown name or setting, or a learner that does not serve the kind.

    Examples
    --------
    >>> type(make_learner("cox", {"penalty": 0.2}, Outcomes.SURVIVAL, 1)).__name__
    'Cox'
    """
    check_learner(name, settings, kind)
    if kind is Outcomes.MULTILABEL and not LEARNERS.entry(name).joint:
        return OneEach(partial(make_learner, name, settings, Outcomes.BINARY, seed))
    given = dict(settings)
    if "kind" in inspect.signature(LEARNERS.entry(name).make).parameters:
        given["kind"] = kind.value
    return LEARNERS.make(name, given, seed)


def check_learner(name: str, settings: Mapping[str, Any], kind: Outcomes) -> None:
    """Refuse an unknown learner or setting, or one that does not serve the kind of outcome.

    Raises
    ------
    InputError
        With the nearest name, or the learners that serve the kind.
    """
    LEARNERS.check(name, settings)
    if kind.value not in LEARNERS.entry(name).serves:
        serving = ", ".join(n for n in LEARNERS if kind.value in LEARNERS.entry(n).serves)
        raise InputError(f"a learner for {kind.value}: {serving}", got=repr(name), where="recipe")


__all__ = ["LEARNERS", "Learner", "OneEach", "Wrapped", "check_learner", "make_learner"]
