"""What metrics may be given: outcomes, scores, probabilities, classes; anything else is refused before it counts.

Why it exists: a missing prediction that is left out in silence, or counted as wrong, makes models look better or worse
than they are. Whoever computes a metric decides about it first.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tumorboard.errors import InputError

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Codes = NDArray[np.intp]

ONE_CLASS = "patients of one class only"
"""Why most metrics of classification are missing."""

_REMEDY = "leave out or impute what is missing, and say so"
_SUM = 1e-6


def checked_floats(values: ArrayLike, where: str, n: int | None = None) -> Floats:
    """Return finite numbers as a vector.

    Parameters
    ----------
    values : array_like of float, shape (n,)
        NaN and infinity are refused.
    where : str
        For the message.
    n : int, optional
        How many there must be.

    Raises
    ------
    InputError
        They are not finite, not a vector, or of another length.

    Examples
    --------
    >>> checked_floats([1, 2], "scores").tolist()
    [1.0, 2.0]
    """
    found = np.asarray(values, dtype=np.float64)
    if found.ndim != 1 or (n is not None and len(found) != n):
        expected = "one number a row" if n is None else f"{n} numbers, one a row"
        raise InputError(expected, got=f"shape {found.shape}", where=where)
    if not np.isfinite(found).all():
        raise InputError("finite numbers", got="NaN or infinity", where=where, remedy=_REMEDY)
    return found


def checked_truth(truth: ArrayLike, where: str = "truth") -> Flags:
    """Return whether each patient had the event.

    Raises
    ------
    InputError
        Something other than 0 and 1, or True and False.

    Examples
    --------
    >>> checked_truth([0, 1]).tolist()
    [False, True]
    """
    found = checked_floats(truth, where)
    if not np.isin(found, (0.0, 1.0)).all():
        raise InputError("0 and 1", got="another value", where=where)
    return found.astype(np.bool_)


def checked_pair(truth: ArrayLike, scores: ArrayLike) -> tuple[Flags, Floats]:
    """Return outcomes and scores of the same rows.

    Raises
    ------
    InputError
        As :func:`checked_truth` and :func:`checked_floats`.

    Examples
    --------
    >>> checked_pair([0, 1], [0.2, 0.7])[1].tolist()
    [0.2, 0.7]
    """
    found = checked_truth(truth)
    return found, checked_floats(scores, "scores", len(found))


def checked_probabilities(truth: ArrayLike, probabilities: ArrayLike) -> tuple[Flags, Floats]:
    """Return outcomes and probabilities of the event.

    Raises
    ------
    InputError
        As :func:`checked_pair`; a probability outside 0 to 1.

    Examples
    --------
    >>> checked_probabilities([0, 1], [0.2, 0.7])[0].tolist()
    [False, True]
    """
    y, p = checked_pair(truth, probabilities)
    if ((p < 0) | (p > 1)).any():
        raise InputError("probabilities from 0 to 1", got="a number outside", where="probabilities")
    return y, p


def checked_classes(truth: ArrayLike, probabilities: ArrayLike) -> tuple[Codes, Floats]:
    """Return classes as numbers from 0 and a row of probabilities for each.

    Parameters
    ----------
    truth : array_like of int, shape (n,)
        Place of the true class among the columns.
    probabilities : array_like of float, shape (n, k)
        Rows add up to 1.

    Raises
    ------
    InputError
        Shapes differ, a class without its column, a value that is no probability, or rows of another sum.

    Examples
    --------
    >>> checked_classes([0, 2], [[0.8, 0.1, 0.1], [0.2, 0.2, 0.6]])[0].tolist()
    [0, 2]
    """
    found = checked_floats(truth, "truth")
    p = np.asarray(probabilities, dtype=np.float64)
    if p.ndim != 2 or len(p) != len(found) or p.shape[1] < 2:
        raise InputError(f"{len(found)} rows of at least 2 classes", got=f"shape {p.shape}", where="probabilities")
    if not np.isfinite(p).all():
        raise InputError("finite numbers", got="NaN or infinity", where="probabilities", remedy=_REMEDY)
    if (p < 0).any() or (np.abs(p.sum(axis=1) - 1) > _SUM).any():
        raise InputError("probabilities that add up to 1", got="another row", where="probabilities")
    if not np.isin(found, np.arange(p.shape[1])).all():
        raise InputError(f"classes 0 to {p.shape[1] - 1}", got="another class", where="truth")
    return found.astype(np.intp), p
