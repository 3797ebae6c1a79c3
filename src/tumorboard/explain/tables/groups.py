"""Columns that go together: permuting one of two that say the same shows neither to be important.

Why it exists: radiomic features repeat each other. Importance is therefore given to groups of correlated columns, and
the group is named, rather than shared among its members by chance.

Source: Spearman's rank correlation, average linkage; Toloşi L, Lengauer T. Bioinformatics 2011;27:1986-1994 (why).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tumorboard.errors import InputError

Floats = NDArray[np.float64]

ABOVE = 0.7
"""Absolute rank correlation from which columns go together; chosen."""


def correlated_groups(x: Floats, above: float = ABOVE) -> tuple[tuple[int, ...], ...]:
    """Return columns in groups whose absolute rank correlation is on average above a limit.

    Parameters
    ----------
    x : ndarray of float64, shape (n, columns)
        Missing values count as the column's median.
    above : float
        From 0 to 1; at 1 every column stands alone.

    Returns
    -------
    tuple of tuple of int
        Each column once, in the order of the first of each group.

    Raises
    ------
    InputError
        The limit is not from 0 to 1.

    Examples
    --------
    >>> a = np.arange(10.0)
    >>> correlated_groups(np.stack([a, (a * 7) % 10, -(a**3)], axis=1))
    ((0, 2), (1,))
    """
    if not 0 <= above <= 1:
        raise InputError("a correlation from 0 to 1", got=f"{above:g}", where="groups of columns")
    columns = x.shape[1]
    if columns == 1 or above == 1:
        return tuple((c,) for c in range(columns))
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import squareform

    distance = 1 - np.abs(rank_correlation(x))
    tree = linkage(squareform(np.clip((distance + distance.T) / 2, 0, 1), checks=False), method="average")
    of = fcluster(tree, t=1 - above, criterion="distance")
    groups = [tuple(int(c) for c in np.flatnonzero(of == g)) for g in np.unique(of)]
    return tuple(sorted(groups))


def rank_correlation(x: Floats) -> Floats:
    """Return Spearman's correlation of columns, shape (columns, columns); 0 for constant ones, 1 with themselves.

    Examples
    --------
    >>> rank_correlation(np.array([[1.0, 5.0], [2.0, 5.0], [3.0, 5.0]])).tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    from scipy.stats import rankdata

    known = ~np.isnan(x)
    middle = np.array([np.median(c[k]) if k.any() else 0.0 for c, k in zip(x.T, known.T, strict=True)])
    ranks = rankdata(np.where(known, x, middle), axis=0)
    z = ranks - ranks.mean(axis=0)
    length = np.sqrt((z**2).sum(axis=0))
    z = np.where(length > 0, z / np.where(length > 0, length, 1.0), 0.0)
    found = np.clip(z.T @ z, -1, 1)
    np.fill_diagonal(found, 1.0)
    return np.asarray(found)
