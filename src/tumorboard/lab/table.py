"""Features as a table: rows are patients or lesions, columns are named numbers.

Why it exists: every representation ends here and every learner begins here, so that no learner sees a string, no column
loses its name, and no row forgets whose it is. What is missing is NaN; what is a category is one column for each word
(``sex=F``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tumorboard.errors import InputError
from tumorboard.store import digest

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, order=True)
class Unit:
    """What a row is about.

    Parameters
    ----------
    patient : str
        Pseudonym.
    study : str
        Session, as ``ses-01``; empty: the patient.
    lesion : str
        Number of the lesion; empty: the study.
    """

    patient: str
    study: str = ""
    lesion: str = ""


@dataclass(frozen=True)
class Table:
    """Features of units.

    Parameters
    ----------
    units : tuple of Unit
        Rows; each once.
    names : tuple of str
        Columns; each once.
    values : ndarray of float64, shape (units, names)
        NaN where missing.

    Raises
    ------
    InputError
        The shape is another, a row or a column is there twice, or a value is infinite.

    Examples
    --------
    >>> table = Table.of([Unit("A"), Unit("B")], {"age": [60, 71]})
    >>> table.take([1]).column("age").tolist()
    [71.0]
    """

    units: tuple[Unit, ...]
    names: tuple[str, ...]
    values: Floats = field(repr=False)

    def __post_init__(self) -> None:
        values = np.array(self.values, dtype=np.float64)
        if values.shape != (len(self.units), len(self.names)):
            expected = f"{len(self.units)} rows and {len(self.names)} columns"
            raise InputError(expected, got=f"shape {values.shape}", where="table of features")
        for what, things in (("row", self.units), ("column", self.names)):
            if len(set(things)) < len(things):
                raise InputError(f"each {what} once", got=f"a {what} twice", where="table of features")
        if np.isinf(values).any():
            column = self.names[int(np.argwhere(np.isinf(values))[0, 1])]
            raise InputError("finite numbers, or NaN where missing", got="an infinite one", where=f"column {column}")
        values.setflags(write=False)
        object.__setattr__(self, "values", values)

    @classmethod
    def of(cls, units: Iterable[Unit], columns: Mapping[str, ArrayLike]) -> Self:
        """Return a table of columns by name."""
        rows = tuple(units)
        arrays = [np.asarray(c, dtype=np.float64) for c in columns.values()]
        return cls(rows, tuple(columns), np.stack(arrays, axis=1) if arrays else np.empty((len(rows), 0)))

    @cached_property
    def patients(self) -> tuple[str, ...]:
        """Patient of each row."""
        return tuple(u.patient for u in self.units)

    @property
    def digest(self) -> str:
        """Hash of rows, names and values."""
        rows = "\n".join("\t".join((u.patient, u.study, u.lesion)) for u in self.units)
        values = np.where(np.isnan(self.values), np.nan, self.values + 0.0)  # one NaN, one zero
        return digest(rows, "\n".join(self.names), np.ascontiguousarray(values).tobytes())

    def column(self, name: str) -> Floats:
        """Return one column, shape (units,).

        Raises
        ------
        InputError
            There is none of that name.
        """
        return self.values[:, self._at([name])[0]]

    def columns(self, names: Sequence[str]) -> Self:
        """Return the table with these columns only, in this order.

        Raises
        ------
        InputError
            A column is missing; it is named.
        """
        return type(self)(self.units, tuple(names), self.values[:, self._at(names)])

    def take(self, rows: ArrayLike) -> Self:
        """Return some rows, by number or by a mask, in this order."""
        index = np.arange(len(self.units))[np.asarray(rows)]
        return type(self)(tuple(self.units[i] for i in index), self.names, self.values[index])

    def of_units(self, units: Sequence[Unit]) -> Self:
        """Return one row for each of ``units``: its own, or that of the study or patient it belongs to; else NaN.

        Examples
        --------
        >>> ages = Table.of([Unit("A")], {"age": [60]})
        >>> ages.of_units([Unit("A", "ses-01", "1"), Unit("B")]).values.tolist()
        [[60.0], [nan]]
        """
        at = {u: i for i, u in enumerate(self.units)}
        values = np.full((len(units), len(self.names)), np.nan)
        for row, u in enumerate(units):
            wider = (u, Unit(u.patient, u.study), Unit(u.patient))
            found = next((at[w] for w in wider if w in at), None)
            if found is not None:
                values[row] = self.values[found]
        return type(self)(tuple(units), self.names, values)

    def beside(self, other: Self) -> Self:
        """Return both tables side by side, joined on the rows of this one (see :meth:`of_units`).

        Raises
        ------
        InputError
            A column is in both.
        """
        joined = other.of_units(self.units)
        return type(self)(self.units, self.names + other.names, np.hstack([self.values, joined.values]))

    def without_constant(self) -> Self:
        """Return the table without columns that hold one value, or none.

        Only for columns that no patient has; a column that is constant by chance is left out inside the folds.
        """
        with np.errstate(invalid="ignore"):
            spread = np.array([np.ptp(c[~np.isnan(c)]) if (~np.isnan(c)).any() else 0.0 for c in self.values.T])
        return self.columns([n for n, s in zip(self.names, spread, strict=True) if s > 0])

    def as_frame(self) -> Any:
        """Return a pandas DataFrame with columns ``patient``, ``study``, ``lesion`` before the features."""
        import pandas as pd

        who = pd.DataFrame([(u.patient, u.study, u.lesion) for u in self.units], columns=["patient", "study", "lesion"])
        return pd.concat([who, pd.DataFrame(self.values, columns=list(self.names))], axis=1)

    def _at(self, names: Sequence[str]) -> list[int]:
        place = {n: i for i, n in enumerate(self.names)}
        missing = [n for n in names if n not in place]
        if missing:
            shown = ", ".join(repr(m) for m in missing[:10])
            raise InputError("columns that the table has", got=f"no {shown}", where="table of features")
        return [place[n] for n in names]


def one_hot(units: Iterable[Unit], column: str, words: Sequence[str], missing: Sequence[str] = ("", "n/a")) -> Table:
    """Code words as one column each, ``column=word``, in alphabetical order.

    Parameters
    ----------
    units : iterable of Unit
        Rows.
    column : str
        Its name.
    words : sequence of str
        One for each row.
    missing : sequence of str
        What stands for a missing word; such a row is NaN in all columns.

    Returns
    -------
    Table

    Examples
    --------
    >>> one_hot([Unit("A"), Unit("B")], "sex", ["F", "M"]).names
    ('sex=F', 'sex=M')
    """
    known = sorted({w for w in words if w not in missing})
    gone = np.array([w in missing for w in words], dtype=bool)
    coded = {f"{column}={k}": np.where(gone, np.nan, [float(w == k) for w in words]) for k in known}
    return Table.of(units, coded)
