"""Penalised logistic regression, ridge and lasso.

Why it exists: the model that most recipes must beat, and the one that a reader can check by hand.

Sources: Hoerl AE, Kennard RW. Technometrics 1970;12:55-67; Tibshirani R. J R Stat Soc B 1996;58:267-288; Zou H,
Hastie T. J R Stat Soc B 2005;67:301-320.
"""

from __future__ import annotations

from tumorboard.lab.learners.base import Learner, Wrapped
from tumorboard.lab.step import positive


def logistic(strength: float = 1.0, l1: float = 0.0, balanced: bool = False, seed: int = 0) -> Learner:
    """Return penalised logistic regression; columns should be standardised.

    Parameters
    ----------
    strength : float
        Of the penalty: 1/C of scikit-learn.
    l1 : float
        Share of the lasso: 0 is ridge, 1 is lasso.
    balanced : bool
        Whether classes weigh the same.
    seed : int
        Of the solver where ``l1`` is above 0.

    Raises
    ------
    InputError
        The strength is not above 0.
    """
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(
        C=1.0 / positive(strength, "strength"),
        l1_ratio=l1,
        solver="saga" if l1 > 0 else "lbfgs",
        class_weight="balanced" if balanced else None,
        max_iter=5000,
        random_state=seed,
    )
    return Wrapped(model)


def ridge(strength: float = 1.0) -> Learner:
    """Return ridge regression."""
    from sklearn.linear_model import Ridge

    return Wrapped(Ridge(alpha=positive(strength, "strength")))


def lasso(strength: float = 0.1, l1: float = 1.0) -> Learner:
    """Return lasso (``l1`` = 1) or elastic-net regression."""
    from sklearn.linear_model import ElasticNet

    return Wrapped(ElasticNet(alpha=positive(strength, "strength"), l1_ratio=l1, max_iter=20000))
