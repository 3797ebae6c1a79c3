"""A forest for survival from parts that are always there.

Why it exists: random survival forests come under the GPL. A forest on martingale residuals asks the same question,
and ranks patients about as well, with scikit-learn alone.

Sources: LeBlanc M, Crowley J. Biometrics 1992;48:411-425 (trees by the null model's residuals); Therneau TM et al.
Biometrika 1990;77:147-160.
"""

from __future__ import annotations

from typing import Self

import numpy as np

from tumorboard.lab.learners.base import Floats, Learner
from tumorboard.lab.learners.cox import Cox
from tumorboard.lab.outcome import Outcome


class HazardForest(Learner):
    """A random forest on martingale residuals; its prediction is the risk, scaled by a Cox model on out-of-bag values.

    Parameters
    ----------
    trees : int
        How many.
    leaf : int
        Rows in a leaf, at least.
    seed : int
        Of draws.
    """

    def __init__(self, trees: int = 500, leaf: int = 10, seed: int = 0) -> None:
        self.trees, self.leaf, self.seed = trees, leaf, seed

    def fit(self, x: Floats, outcome: Outcome) -> Self:
        """Grow the forest and scale its risk."""
        from sklearn.ensemble import RandomForestRegressor

        forest = RandomForestRegressor(
            n_estimators=self.trees,
            min_samples_leaf=self.leaf,
            max_features="sqrt",
            oob_score=True,
            random_state=self.seed,
        )
        self.forest_ = forest.fit(x, outcome.target)
        self.head_ = Cox(penalty=1e-3).fit(np.asarray(forest.oob_prediction_).reshape(-1, 1), outcome)
        return self

    def predict(self, x: Floats) -> Floats:
        """Return the risk, shape (m, 1)."""
        return np.asarray(self.forest_.predict(x), dtype=np.float64).reshape(-1, 1)

    def survival_at(self, x: Floats, days: Floats) -> Floats:
        """Return chances to live beyond ``days``, shape (m, days)."""
        return self.head_.survival_at(self.predict(x), days)

    @property
    def weights(self) -> Floats:
        """Impurity importances."""
        return np.asarray(self.forest_.feature_importances_, dtype=np.float64)
