"""What explanations of tables are given: rows, names, and a function that predicts.

Why it exists: a function that answers another number of rows than it was given would be explained nonetheless; each
explanation therefore asks through here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tumorboard.errors import InputError, did_you_mean

Floats = NDArray[np.float64]
Predict = Callable[[Floats], ArrayLike]
"""From rows, shape (n, columns), to one number a row, or to one for each class."""


@dataclass(frozen=True)
class Rows:
    """Rows of a table that is explained.

    Parameters
    ----------
    values : array_like of float, shape (n, columns)
        NaN where missing.
    names : tuple of str
        Of the columns; each once.
    patients : tuple of str, length n
        Pseudonym of each row; empty: each row is a patient.

    Raises
    ------
    InputError
        The shape is another, a column is there twice, or a value is infinite.

    Examples
    --------
    >>> Rows([[60, 12.5]], ("age", "volume")).column_at("volume")
    1
    """

    values: Floats = field(repr=False)
    names: tuple[str, ...]
    patients: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        values, names = np.array(self.values, dtype=np.float64), tuple(self.names)
        if values.ndim != 2 or values.shape[1] != len(names) or not names or not len(values):
            expected = f"rows of {len(names)} named columns, one at least"
            raise InputError(expected, got=f"shape {values.shape}", where="explanation")
        if len(set(names)) < len(names):
            raise InputError("each column once", got="a column twice", where="explanation")
        if np.isinf(values).any():
            raise InputError("finite numbers, or NaN where missing", got="an infinite one", where="explanation")
        if self.patients and len(self.patients) != len(values):
            raise InputError(f"{len(values)} patients", got=str(len(self.patients)), where="explanation")
        values.setflags(write=False)
        for name, value in (("values", values), ("names", names), ("patients", tuple(self.patients))):
            object.__setattr__(self, name, value)

    def __len__(self) -> int:
        return len(self.values)

    @property
    def groups(self) -> tuple[str, ...] | None:
        """Patients for intervals; None where each row is one."""
        return self.patients or None

    def at_least(self, count: int) -> Floats:
        """Return the values.

        Raises
        ------
        InputError
            There are fewer rows.
        """
        if len(self) < count:
            raise InputError(f"at least {count} rows", got=str(len(self)), where="explanation")
        return self.values

    def column_at(self, column: str) -> int:
        """Return the place of a column.

        Raises
        ------
        InputError
            There is none of that name; the nearest is proposed.
        """
        if column not in self.names:
            remedy = did_you_mean(column, self.names, "")
            raise InputError("a column of the table", got=repr(column), where="explanation", remedy=remedy)
        return self.names.index(column)


def answers(predict: Predict, rows: Floats) -> Floats:
    """Return what a function predicts, shape (n,) or (n, k); one column is made a vector.

    Raises
    ------
    InputError
        Another number of answers than rows, or one that is not finite.

    Examples
    --------
    >>> answers(lambda rows: rows[:, :1], np.ones((3, 2))).tolist()
    [1.0, 1.0, 1.0]
    """
    found = np.asarray(predict(rows), dtype=np.float64)
    if found.ndim == 2 and found.shape[1] == 1:
        found = found[:, 0]
    if found.ndim not in (1, 2) or len(found) != len(rows):
        raise InputError(f"{len(rows)} predictions", got=f"shape {found.shape}", where="model that is explained")
    if not np.isfinite(found).all():
        raise InputError("finite predictions", got="NaN or infinity", where="model that is explained")
    return found


def one_answer(predict: Predict, rows: Floats) -> Floats:
    """Return one number a row, shape (n,).

    Raises
    ------
    InputError
        As :func:`answers`; or several numbers a row.

    Examples
    --------
    >>> one_answer(lambda rows: rows.sum(axis=1), np.ones((2, 3))).tolist()
    [3.0, 3.0]
    """
    found = answers(predict, rows)
    if found.ndim != 1:
        remedy = "give a function that returns the column of one class"
        raise InputError("one number a row", got=f"{found.shape[1]}", where="model that is explained", remedy=remedy)
    return found


def standardised(rows: Floats, like: Floats) -> Floats:
    """Return rows less the mean of ``like`` over its spread; missing values and constant columns become 0.

    Examples
    --------
    >>> standardised(np.array([[4.0, 1.0]]), np.array([[0.0, 1.0], [2.0, 1.0]])).tolist()
    [[3.0, 0.0]]
    """
    known = ~np.isnan(like)
    count = np.maximum(known.sum(axis=0), 1)
    centre = np.where(known, like, 0.0).sum(axis=0) / count
    spread = np.sqrt(np.where(known, (like - centre) ** 2, 0.0).sum(axis=0) / count)
    varies = spread > 1e-12 * np.maximum(np.abs(centre), 1e-300)
    z = (rows - centre) / np.where(varies, spread, 1.0)
    return np.where(np.isnan(z) | ~varies, 0.0, z)
