"""Fuzzy c-means, deterministic: centres start at quantiles, so the same voxels give the same bytes.

Source: Bezdek JC, Ehrlich R, Full W. FCM: the fuzzy c-means clustering algorithm. Comput Geosci
1984;10:191-203; fuzzifier 2.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

MAX_ITERATIONS = 60
TOLERANCE = 1e-3
"""Largest move of a centre (feature units) that ends the iteration."""

Float = NDArray[np.float64]


def fuzzy_c_means(features: Float, clusters: int) -> Float:
    """Return the cluster centres, shape (clusters, features), in order of the first feature.

    Parameters
    ----------
    features : ndarray, shape (n, features)
        One row a voxel.
    clusters : int
        How many centres.

    Examples
    --------
    >>> x = np.array([[0.0], [0.2], [5.0], [5.2]])
    >>> fuzzy_c_means(x, 2).round(1).tolist()
    [[0.1], [5.1]]
    """
    order = np.argsort(features[:, 0], kind="stable")
    places = (np.linspace(0.02, 0.995, clusters) * (len(order) - 1)).astype(int)
    centres = features[order[places]].astype(np.float64)
    for _ in range(MAX_ITERATIONS):
        weight = memberships(features, centres) ** 2
        moved = weight.T @ features / weight.sum(axis=0)[:, None]
        shift = float(np.abs(moved - centres).max())
        centres = moved
        if shift < TOLERANCE:
            break
    return np.asarray(centres[np.argsort(centres[:, 0], kind="stable")])


def memberships(features: Float, centres: Float) -> Float:
    """Return the membership of every row in every cluster, shape (n, clusters); rows sum to 1."""
    inverse = np.empty((len(features), len(centres)))
    for n, centre in enumerate(centres):
        inverse[:, n] = 1.0 / (((features - centre) ** 2).sum(axis=1) + 1e-6)
    return np.asarray(inverse / inverse.sum(axis=1, keepdims=True))
