"""Steps and a learner as one thing that is fitted on training rows and nothing else.

Why it exists: whatever learns stands in here, so that a fold can fit all of it anew. There is no way to fit a step
before the folds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Self, cast

import numpy as np

from tumorboard.errors import InputError
from tumorboard.lab.harmonise import HARMONISERS
from tumorboard.lab.impute import IMPUTERS
from tumorboard.lab.learners import Learner, make_learner
from tumorboard.lab.learners.base import ImageLearner
from tumorboard.lab.parts import Parts
from tumorboard.lab.recipe import Part, Recipe, nearest
from tumorboard.lab.scale import SCALES
from tumorboard.lab.selection import SELECTIONS
from tumorboard.lab.step import Floats, Known, Step, Words


class Pipeline:
    """Steps in order, then a learner.

    Parameters
    ----------
    steps : list of Step
        Fitted one after another, each on what the one before made of the training rows.
    learner : Learner
        Fitted on what the last step made.

    Examples
    --------
    >>> from tumorboard.lab.outcome import Outcome
    >>> from tumorboard.lab.recipe import read_recipe
    >>> x, y = np.random.default_rng(0).normal(size=(40, 3)), np.arange(40) % 2
    >>> known = Known(Outcome.binary(y), np.array([""] * 40), ("a", "b", "c"))
    >>> pipeline_of(read_recipe("example")).fit(x, known).predict(x, known.sites).shape
    (40, 1)
    """

    def __init__(self, steps: list[Step], learner: Learner) -> None:
        self.steps, self.learner = steps, learner

    def fit(self, x: Floats, known: Known, images: Any = None) -> Self:
        """Fit every step and the learner on training rows, ``x`` of shape (n, columns), and their images if it asks.

        Raises
        ------
        InputError
            A step or the learner cannot learn from these rows.
        """
        names = known.names
        if not names:
            self.steps = []  # images alone: there is nothing to prepare
        for step in self.steps:
            step.fit(x, replace(known, names=names))
            x, names = step.transform(x, known.sites), step.names(names)
        self.names_ = names
        if np.isnan(x).any() and not self.learner.takes_missing:
            column = names[int(np.argwhere(np.isnan(x))[0, 1])]
            remedy = "add {name: impute, how: mean} to prepare"
            raise InputError("features without missing values", got="some", where=f"column {column}", remedy=remedy)
        if self.learner.takes_images and images is not None:
            cast(ImageLearner, self.learner).fit_images(images, x, known.outcome)
        else:
            self.learner.whose(known.patients).fit(x, known.outcome)
        return self

    def prepared(self, x: Floats, sites: Words) -> Floats:
        """Return rows as the learner sees them, shape (m, columns that are left)."""
        for step in self.steps:
            x = step.transform(x, sites)
        return x

    def predict(self, x: Floats, sites: Words, images: Any = None) -> Floats:
        """Return predictions of new rows, shape (m, k); see :meth:`Learner.predict`."""
        ready = self.prepared(x, sites)
        if self.learner.takes_images and images is not None:
            return cast(ImageLearner, self.learner).predict_images(images, ready)
        return self.learner.predict(ready)

    def survival_at(self, x: Floats, sites: Words, days: Floats, images: Any = None) -> Floats | None:
        """Return chances to live beyond ``days``, shape (m, days), or None where the learner has none."""
        ready = self.prepared(x, sites)
        if self.learner.takes_images and images is not None:
            return cast(ImageLearner, self.learner).survival_images(images, ready, days)
        return self.learner.survival_at(ready, days)


def pipeline_of(recipe: Recipe, settings: Mapping[str, Any] | None = None) -> Pipeline:
    """Return a pipeline that has learned nothing.

    Parameters
    ----------
    recipe : Recipe
        Which parts.
    settings : mapping, optional
        Settings of the learner that replace those of the recipe (tuning).

    Raises
    ------
    InputError
        A part or a setting does not exist.
    """
    given = recipe.learner.settings | dict(settings or {})
    learner = make_learner(recipe.learner.name, given, recipe.endpoint.kind, recipe.seed)
    return Pipeline([make_step(p, recipe.seed) for p in recipe.prepare], learner)


def make_step(part: Part, seed: int = 0) -> Step:
    """Return a new step of a recipe's ``prepare``.

    Raises
    ------
    InputError
        It or a setting does not exist; the nearest is proposed.

    Examples
    --------
    >>> make_step(Part.model_validate({"name": "impute", "how": "median"})).of
    'median'
    """
    registry, name, settings = registry_of(part)
    return registry.make(name, settings, seed)


def registry_of(part: Part) -> tuple[Parts[Step], str, dict[str, Any]]:
    """Return the registry of a part of ``prepare``, its name there, and its settings.

    Raises
    ------
    InputError
        No registry has it; the nearest name is proposed.
    """
    settings = part.settings
    if part.name == "impute":
        return IMPUTERS, str(settings.pop("how", "mean")), settings
    for registry in (HARMONISERS, SCALES, SELECTIONS):
        if part.name in registry:
            return registry, part.name, settings
    known = ["impute", *HARMONISERS, *SCALES, *SELECTIONS]
    raise InputError("a step that exists", got=f"{part.name!r}{nearest(part.name, known)}", where="recipe.prepare")
