"""The outcome of the nearest training rows.

Why it exists: the learner that explains itself by similar patients.

Source: Cover T, Hart P. IEEE Trans Inf Theory 1967;13:21-27.
"""

from __future__ import annotations

from tumorboard.lab.learners.base import Learner, Wrapped


def nearest_rows(kind: str, k: int = 7, by_distance: bool = False) -> Learner:
    """Return k nearest neighbours; columns should be standardised.

    Parameters
    ----------
    kind : str
        Of outcome.
    k : int
        Neighbours.
    by_distance : bool
        Whether nearer ones weigh more.
    """
    from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor

    make = KNeighborsRegressor if kind == "regression" else KNeighborsClassifier
    return Wrapped(make(n_neighbors=k, weights="distance" if by_distance else "uniform"))
