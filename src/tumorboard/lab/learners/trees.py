"""Random forests and gradient boosting.

Why it exists: columns in any unit, with interactions and without scaling.

Sources: Breiman L. Mach Learn 2001;45:5-32; Friedman JH. Ann Stat 2001;29:1189-1232; scikit-learn's histogram boosting
after Ke G et al. NeurIPS 2017.
"""

from __future__ import annotations

from tumorboard.lab.learners.base import Learner, Wrapped


def forest(
    kind: str, trees: int = 500, depth: int = 0, leaf: int = 1, balanced: bool = False, seed: int = 0
) -> Learner:
    """Return a random forest.

    Parameters
    ----------
    kind : str
        Of outcome.
    trees : int
        How many.
    depth : int
        Largest; 0 is any.
    leaf : int
        Rows in a leaf, at least.
    balanced : bool
        Whether classes weigh the same.
    seed : int
        Of draws.
    """
    from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

    common = {"n_estimators": trees, "max_depth": depth or None, "min_samples_leaf": leaf, "random_state": seed}
    if kind == "regression":
        return Wrapped(RandomForestRegressor(**common))
    return Wrapped(RandomForestClassifier(class_weight="balanced" if balanced else None, **common))


def boosting(kind: str, rounds: int = 100, rate: float = 0.1, depth: int = 3, leaf: int = 5, seed: int = 0) -> Learner:
    """Return gradient boosting of histograms; it takes missing values as they are.

    Parameters
    ----------
    kind : str
        Of outcome.
    rounds : int
        Trees (of each class).
    rate : float
        Of learning.
    depth : int
        Of a tree, at most.
    leaf : int
        Rows in a leaf, at least.
    seed : int
        Of draws.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    make = HistGradientBoostingRegressor if kind == "regression" else HistGradientBoostingClassifier
    model = make(
        max_iter=rounds,
        learning_rate=rate,
        max_depth=depth,
        min_samples_leaf=leaf,
        early_stopping=False,
        random_state=seed,
    )
    return Wrapped(model, takes_missing=True)
