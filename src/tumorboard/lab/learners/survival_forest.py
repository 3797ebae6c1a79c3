"""Random survival forests of scikit-survival, where it is installed.

Why it exists: Bae's forest on radiomics. Scikit-survival is GPL: tumorboard neither needs nor brings it, and imports it
only when a recipe asks for this learner.

Source: Ishwaran H et al. Ann Appl Stat 2008;2:841-860; Bae S et al. Radiology 2018;289:797-806.
"""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from tumorboard.errors import MissingDependency
from tumorboard.lab.learners.base import Floats, Learner
from tumorboard.lab.outcome import Outcome


class SurvivalForest(Learner):
    """A random survival forest.

    Parameters
    ----------
    trees : int
        How many.
    leaf : int
        Rows in a leaf, at least.
    seed : int
        Of draws.

    Raises
    ------
    MissingDependency
        Scikit-survival is not installed.
    """

    def __init__(self, trees: int = 300, leaf: int = 10, seed: int = 0) -> None:
        self.trees, self.leaf, self.seed = trees, leaf, seed
        self.forest_ = _forest()(n_estimators=trees, min_samples_leaf=leaf, max_features="sqrt", random_state=seed)

    def fit(self, x: Floats, outcome: Outcome) -> Self:
        """Grow the forest."""
        y = np.array(list(zip(outcome.events, outcome.days, strict=True)), dtype=[("event", bool), ("days", float)])
        self.forest_.fit(x, y)
        return self

    def predict(self, x: Floats) -> Floats:
        """Return the expected number of events, shape (m, 1)."""
        return np.asarray(self.forest_.predict(x), dtype=np.float64).reshape(-1, 1)

    def survival_at(self, x: Floats, days: Floats) -> Floats:
        """Return chances to live beyond ``days``, shape (m, days)."""
        curves = np.asarray(self.forest_.predict_survival_function(x, return_array=True), dtype=np.float64)
        at = np.searchsorted(self.forest_.unique_times_, days, side="right")
        return np.hstack([np.ones((len(x), 1)), curves])[:, at]


def _forest() -> Any:
    try:
        from sksurv.ensemble import RandomSurvivalForest
    except ImportError as error:
        hint = "pip install scikit-survival (its licence is GPL 3), or use the learner cox or hazard_forest"
        raise MissingDependency("scikit-survival", got="none", where="learner survival_forest", remedy=hint) from error
    return RandomSurvivalForest
