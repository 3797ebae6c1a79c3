"""The mean over matrices of features that were read off each.

Why it exists: a slice of one voxel has no pair of neighbours, and one of one grey level no correlation. Such a matrix
does not count in the mean of what it does not define, and where none does the feature is NaN.
"""

from __future__ import annotations

import numpy as np

from tumorboard.radiomics.feature import Feature
from tumorboard.radiomics.region import Float


def averaged(features: tuple[Feature, ...], rows: list[Float]) -> dict[str, float]:
    """Return the mean of each feature over the matrices that define it.

    Parameters
    ----------
    features : tuple of Feature
        In the order of columns.
    rows : list of ndarray of float64, shape (d, f)
        One row for each matrix; NaN where it does not define a feature.

    Returns
    -------
    dict of str to float
        By name; NaN where no matrix defines a feature.

    Examples
    --------
    >>> pair = (Feature("a", "", "1", "one"), Feature("b", "", "1", "other"))
    >>> averaged(pair, [np.array([[1.0, np.nan]]), np.array([[3.0, np.nan]])])
    {'a': 2.0, 'b': nan}
    """
    table = np.concatenate([np.empty((0, len(features))), *rows])
    means = table[0] if len(table) == 1 else _means(table)
    return {feature.name: float(mean) for feature, mean in zip(features, means, strict=True)}


def _means(table: Float) -> Float:
    """Return the mean of each column over what is no NaN."""
    defined = ~np.isnan(table)
    count = defined.sum(axis=0)
    total = np.where(defined, table, 0.0).sum(axis=0)
    means = np.full(table.shape[1], np.nan)
    np.divide(total, count, out=means, where=count > 0)
    return means
