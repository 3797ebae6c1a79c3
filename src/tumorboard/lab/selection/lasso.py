"""Keep the columns to which an L1-penalised model gives a weight.

Why it exists: the second commonest selection of radiomics papers, before any learner.

Source: Tibshirani R. J R Stat Soc B 1996;58:267-288; for survival Stat Med 1997;16:385-395.
"""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray

from tumorboard.lab.outcome import Outcome
from tumorboard.lab.recipe import Outcomes
from tumorboard.lab.step import Floats, Selection


class Lasso(Selection):
    """Follow the path of the lasso until ``keep`` columns have a weight.

    Classes are taken as numbers (a linear probability model: the same columns enter first), several classes and
    labels one by one; survival by its martingale residuals.

    Parameters
    ----------
    keep : int
        At most so many.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> x, y = rng.normal(size=(60, 5)), np.arange(60) % 2
    >>> x[:, 3] += 2 * y
    >>> Lasso(keep=1).choose(x, Outcome.binary(y)).tolist()
    [3]
    """

    def __init__(self, keep: int = 20) -> None:
        self.keep = keep

    def choose(self, x: Floats, outcome: Outcome) -> NDArray[np.int64]:
        """Return the columns that enter first; all targets may bring equally many."""
        spread = x.std(axis=0)
        z = (x - x.mean(axis=0)) / np.where(spread > 1e-12, spread, 1.0)
        z[:, spread <= 1e-12] = 0.0
        paths = [_path(z, y, self.keep) for y in _targets(outcome)]
        kept: set[int] = set()
        for each in range(1, self.keep + 1):
            more = {int(j) for weights in paths for j in _alive(weights, each)}
            if len(more) > self.keep:
                break
            kept = more
        return np.array(sorted(kept), dtype=np.int64)


def _path(z: Floats, y: Floats, keep: int) -> Floats:
    """Return absolute weights along the path, shape (columns, steps)."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import lars_path, lasso_path

    y = y - y.mean()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # columns that repeat another are dropped: wanted here
        try:
            weights = lars_path(z, y, method="lasso", max_iter=4 * keep, return_path=True)[2]
        except ValueError:  # columns that nearly repeat others can leave its active set apart from its weights
            weights = lasso_path(z, y)[1]
    return np.asarray(np.abs(weights))


def _alive(weights: Floats, most: int) -> NDArray[np.int64]:
    counts = (weights > 0).sum(axis=0)
    return np.flatnonzero(weights[:, int(np.flatnonzero(counts <= most)[-1])] > 0)


def _targets(outcome: Outcome) -> list[Floats]:
    if outcome.kind is Outcomes.MULTILABEL:
        return [np.nan_to_num(c, nan=float(np.nanmean(c))) for c in outcome.values.T]
    if outcome.kind is Outcomes.MULTICLASS:
        return [(outcome.classes == c).astype(np.float64) for c in np.unique(outcome.classes)]
    return [outcome.target]
