"""Orthogonal matching pursuit of many patches at once.

Why it exists: a recipe codes hundreds of thousands of patches in every fold. scikit-learn follows each of them in a
loop of its own; the same steps, taken for all patches together, give the same codes in a small part of the time.

Source: Rubinstein R, Zibulevsky M, Elad M, Technion CS-2008-08 (batch orthogonal matching pursuit).
"""

from __future__ import annotations

import numpy as np

from tumorboard.lab.table import Floats

TINY = float(np.finfo(np.float64).eps)
"""A squared correlation below this leaves nothing to explain; scikit-learn's choice."""


def pursue(patches: Floats, atoms: Floats, nonzero: int) -> Floats:
    """Return each patch as a sum of at most so many atoms.

    Parameters
    ----------
    patches : array of float64, shape (n, length)
        To be explained.
    atoms : array of float64, shape (k, length)
        Of the dictionary, each of length 1.
    nonzero : int
        Atoms that one patch may use.

    Returns
    -------
    array of float64, shape (n, k)
        Coefficients.

    Examples
    --------
    >>> pursue(np.array([[3.0, 0.0, -1.0], [0.0, 0.0, 0.0]]), np.eye(3), 1)
    array([[3., 0., 0.],
           [0., 0., 0.]])
    """
    gram, first = atoms @ atoms.T, patches @ atoms.T
    codes, left = np.zeros_like(first), first.copy()
    chosen = np.empty((len(patches), nonzero), dtype=np.intp)
    rows = np.arange(len(patches))
    for k in range(nonzero):
        best = np.abs(left[rows]).argmax(axis=1)
        more = left[rows, best] ** 2 > TINY
        rows = rows[more]
        if not len(rows):
            break
        chosen[rows, k] = best[more]
        picked = chosen[rows, : k + 1]
        among = gram[picked[:, :, None], picked[:, None, :]] + TINY * np.eye(k + 1)  # twins among atoms
        found = np.linalg.solve(among, np.take_along_axis(first[rows], picked, 1)[:, :, None])[:, :, 0]
        fresh = np.zeros((len(rows), len(atoms)))
        np.put_along_axis(fresh, picked, found, 1)
        codes[rows], left[rows] = fresh, first[rows] - fresh @ gram
    return codes
