"""What is to be predicted, as numbers: classes, labels, days with events, or a quantity.

Why it exists: one object that splits, learners, checks and metrics all read, so that none of them can mistake which
class is which or what a censored day means.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tumorboard.errors import InputError
from tumorboard.lab.recipe import Endpoint, Outcomes

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Outcome:
    """The outcome of each row; a row without an outcome is not here.

    Parameters
    ----------
    kind : Outcomes
        Of outcome.
    values : ndarray of float64, shape (n, k)
        Binary: 0 or 1. Multiclass: number of the class. Multilabel: 0, 1 or NaN for each label. Survival: days and
        event. Regression: the quantity.
    names : tuple of str
        Multiclass and binary: words of the classes; else names of the k columns.

    Examples
    --------
    >>> Outcome.survival([100, 200], [1, 0]).target.tolist()
    [0.5, -0.5]
    """

    kind: Outcomes
    values: Floats = field(repr=False)
    names: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.values)

    @classmethod
    def binary(cls, values: ArrayLike, names: tuple[str, ...] = ("no", "yes")) -> Self:
        """Return yes (1) and no (0)."""
        return cls(Outcomes.BINARY, np.asarray(values, dtype=np.float64).reshape(-1, 1), names)

    @classmethod
    def multiclass(cls, values: ArrayLike, names: tuple[str, ...]) -> Self:
        """Return numbers of classes."""
        return cls(Outcomes.MULTICLASS, np.asarray(values, dtype=np.float64).reshape(-1, 1), names)

    @classmethod
    def survival(cls, days: ArrayLike, events: ArrayLike) -> Self:
        """Return days, and whether the event was seen then."""
        both = np.stack([np.asarray(days, dtype=np.float64), np.asarray(events, dtype=np.float64)], axis=1)
        return cls(Outcomes.SURVIVAL, both, ("days", "event"))

    @classmethod
    def regression(cls, values: ArrayLike, name: str = "value") -> Self:
        """Return a quantity."""
        return cls(Outcomes.REGRESSION, np.asarray(values, dtype=np.float64).reshape(-1, 1), (name,))

    @property
    def classes(self) -> NDArray[np.int64]:
        """Number of the class of each row, shape (n,)."""
        return self.values[:, 0].astype(np.int64)

    @property
    def days(self) -> Floats:
        """Days to the event or the end of follow-up, shape (n,)."""
        return self.values[:, 0]

    @property
    def events(self) -> NDArray[np.bool_]:
        """Whether the event was seen, shape (n,)."""
        return self.values[:, 1] > 0

    @property
    def discrete(self) -> bool:
        """Whether :attr:`target` holds classes."""
        return self.kind in (Outcomes.BINARY, Outcomes.MULTICLASS, Outcomes.MULTILABEL)

    @property
    def target(self) -> Floats:
        """One number a row, for selection: class, quantity, or the martingale residual of the null model.

        Source: Therneau TM, Grambsch PM, Fleming TR. Biometrika 1990;77:147-160 (residuals stand for the outcome).
        """
        if self.kind is Outcomes.SURVIVAL:
            return martingale(self.days, self.events)
        if self.kind is Outcomes.MULTILABEL:
            code = np.nan_to_num(self.values) @ (2.0 ** np.arange(self.values.shape[1]))
            return np.unique(code, return_inverse=True)[1].astype(np.float64)
        return self.values[:, 0]

    @property
    def strata(self) -> NDArray[np.int64]:
        """Number of the stratum of each row, for splits: class, labels, event, or third of a quantity."""
        if self.kind is Outcomes.SURVIVAL:
            return self.events.astype(np.int64)
        if self.kind is Outcomes.REGRESSION:
            thirds = np.quantile(self.values[:, 0], [1 / 3, 2 / 3])
            return np.searchsorted(thirds, self.values[:, 0]).astype(np.int64)
        return self.target.astype(np.int64)

    def take(self, rows: ArrayLike) -> Self:
        """Return the outcome of some rows, by number or by a mask."""
        return type(self)(self.kind, self.values[np.asarray(rows)], self.names)

    def label(self, number: int) -> Self:
        """Return one label of a multilabel outcome as a binary one; rows where it is unknown are NaN."""
        return type(self)(Outcomes.BINARY, self.values[:, [number]], ("no", self.names[number]))


def martingale(days: ArrayLike, events: ArrayLike) -> Floats:
    """Return martingale residuals of the model without predictors: event − cumulative hazard (Nelson, Aalen).

    Parameters
    ----------
    days, events : array_like, shape (n,)
        Follow-up.

    Returns
    -------
    ndarray, shape (n,)
        Above 0: died sooner than the others. They sum to 0.

    Examples
    --------
    >>> martingale([1, 2, 3], [1, 1, 1]).round(3).tolist()
    [0.667, 0.167, -0.833]
    """
    t, d = np.asarray(days, dtype=np.float64), np.asarray(events).astype(bool)
    when, deaths = np.unique(t[d], return_counts=True)
    at_risk = len(t) - np.searchsorted(np.sort(t), when, side="left")
    hazard = np.concatenate([[0.0], np.cumsum(deaths / at_risk)])
    return np.asarray(d - hazard[np.searchsorted(when, t, side="right")])


def outcome_of(endpoint: Endpoint, columns: Mapping[str, Sequence[str]]) -> tuple[Outcome, NDArray[np.bool_]]:
    """Read an outcome from words.

    Parameters
    ----------
    endpoint : Endpoint
        What to read.
    columns : mapping of str to sequence of str
        The endpoint's columns, one word a row; ``""`` and ``n/a`` are missing.

    Returns
    -------
    outcome : Outcome
        Of the rows that have one.
    known : ndarray of bool, shape (rows,)
        Which rows these are.

    Raises
    ------
    InputError
        A word is no number where one is needed.

    Examples
    --------
    >>> endpoint = Endpoint(kind="binary", column="idh", positive="1", negative="0")
    >>> outcome, known = outcome_of(endpoint, {"idh": ["1", "0", "n/a"]})
    >>> outcome.values[:, 0].tolist(), known.tolist()
    ([1.0, 0.0], [True, True, False])
    """
    reader = {
        Outcomes.BINARY: _binary,
        Outcomes.MULTICLASS: _multiclass,
        Outcomes.MULTILABEL: _multilabel,
        Outcomes.SURVIVAL: _survival,
        Outcomes.REGRESSION: _regression,
    }[endpoint.kind]
    values, names = reader(endpoint, columns)
    known = ~np.isnan(values).all(axis=1) if endpoint.kind is Outcomes.MULTILABEL else ~np.isnan(values).any(axis=1)
    return Outcome(endpoint.kind, values[known], names), known


_MISSING = ("", "n/a", "nan", "na", "none", "unknown")


def numbers(words: Sequence[str], column: str) -> Floats:
    """Return words as numbers, NaN where missing.

    Raises
    ------
    InputError
        A word that is no number; only the column is named.
    """
    try:
        return np.array([np.nan if str(w).strip().lower() in _MISSING else float(w) for w in words])
    except ValueError as error:
        raise InputError("numbers", got="a word that is none", where=f"column {column}") from error


def _yes_no(endpoint: Endpoint, column: str, words: Sequence[str]) -> Floats:
    if endpoint.above is not None:
        found = numbers(words, column)
        return np.where(np.isnan(found), np.nan, found > endpoint.above)
    yes, no = ({w.lower() for w in side} for side in (endpoint.positive, endpoint.negative))
    small = [str(w).strip().lower().removesuffix(".0") for w in words]
    return np.array(
        [1.0 if w in yes else np.nan if w in _MISSING or (no and w not in no) else 0.0 for w in small], dtype=np.float64
    )


def _binary(endpoint: Endpoint, columns: Mapping[str, Sequence[str]]) -> tuple[Floats, tuple[str, ...]]:
    yes = endpoint.positive[0] if endpoint.above is None else f"above {endpoint.above:g}"
    no = endpoint.negative[0] if endpoint.negative else f"not {yes}"
    return _yes_no(endpoint, endpoint.column, columns[endpoint.column]).reshape(-1, 1), (no, yes)


def _multiclass(endpoint: Endpoint, columns: Mapping[str, Sequence[str]]) -> tuple[Floats, tuple[str, ...]]:
    words = [str(w).strip() for w in columns[endpoint.column]]
    names = endpoint.classes or tuple(sorted({w for w in words if w.lower() not in _MISSING}))
    at = {n: float(i) for i, n in enumerate(names)}
    return np.array([at.get(w, np.nan) for w in words], dtype=np.float64).reshape(-1, 1), names


def _multilabel(endpoint: Endpoint, columns: Mapping[str, Sequence[str]]) -> tuple[Floats, tuple[str, ...]]:
    each = [_yes_no(endpoint, c, columns[c]) for c in endpoint.columns]
    return np.stack(each, axis=1), endpoint.columns


def _survival(endpoint: Endpoint, columns: Mapping[str, Sequence[str]]) -> tuple[Floats, tuple[str, ...]]:
    days = numbers(columns[endpoint.days], endpoint.days)
    return np.stack([days, _yes_no(endpoint, endpoint.event, columns[endpoint.event])], axis=1), ("days", "event")


def _regression(endpoint: Endpoint, columns: Mapping[str, Sequence[str]]) -> tuple[Floats, tuple[str, ...]]:
    return numbers(columns[endpoint.column], endpoint.column).reshape(-1, 1), (endpoint.column,)
