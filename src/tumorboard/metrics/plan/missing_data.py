"""What is missing in a table: how much of each column, in which patterns, and whether that goes with the outcome.

Why it exists: rows that are left out for a missing value change who is studied; a value that is missing more often in
one outcome can teach a model the outcome. Both are to be seen before anything is imputed.

Source: Rubin DB. Biometrika 1976;63:581-592; Sterne JAC et al. BMJ 2009;338:b2393; test: Fisher RA, exact, with Holm's
adjustment over columns.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from tumorboard.errors import InputError
from tumorboard.metrics.agreement import share
from tumorboard.metrics.checked import Flags, checked_truth
from tumorboard.metrics.comparing import adjusted_p
from tumorboard.metrics.estimate import Estimate

_WHERE = "missing data"


@dataclass(frozen=True, slots=True)
class MissingColumn:
    """What one column lacks.

    Parameters
    ----------
    name : str
    share : Estimate
        Of rows without a value.
    with_event, without_event : float
        The same share among rows with and without the event; NaN where there is no binary outcome.
    p : float
        That the two are the same (Fisher's exact test, adjusted over columns); NaN where it cannot be tested.
    """

    name: str
    share: Estimate
    with_event: float
    without_event: float
    p: float


@dataclass(frozen=True, slots=True)
class MissingReport:
    """What a table lacks.

    Parameters
    ----------
    rows : int
    complete : int
        Rows without a gap.
    columns : tuple of MissingColumn
        In the order of the table.
    patterns : tuple of (tuple of str, int)
        Which columns are missing together and in how many rows, the most frequent first; an empty tuple is complete.
    """

    rows: int
    complete: int
    columns: tuple[MissingColumn, ...]
    patterns: tuple[tuple[tuple[str, ...], int], ...]

    @property
    def suspicious(self) -> tuple[str, ...]:
        """Columns whose gaps go with the outcome (adjusted p below 0.05)."""
        return tuple(c.name for c in self.columns if c.p < 0.05)


def missing_report(values: ArrayLike, names: Sequence[str], outcome: ArrayLike | None = None) -> MissingReport:
    """Report what is missing.

    Parameters
    ----------
    values : array_like of float, shape (n, k)
        NaN is missing.
    names : sequence of str
        Of columns.
    outcome : array_like of bool, shape (n,), optional
        Whether each row had the event.

    Returns
    -------
    MissingReport

    Raises
    ------
    InputError
        Shapes differ, or an outcome other than 0 and 1.

    Examples
    --------
    >>> nan = float("nan")
    >>> report = missing_report([[1, nan], [2, 5], [nan, nan], [4, 6]], ["age", "volume"])
    >>> report.complete, [(c.name, c.share.value) for c in report.columns]
    (2, [('age', 0.25), ('volume', 0.5)])
    >>> report.patterns
    (((), 2), (('volume',), 1), (('age', 'volume'), 1))
    """
    table = np.asarray(values, dtype=np.float64)
    if table.ndim != 2 or table.shape[1] != len(names):
        raise InputError(f"{len(names)} columns", got=f"shape {table.shape}", where=_WHERE)
    y = None if outcome is None else checked_truth(outcome)
    if y is not None and len(y) != len(table):
        raise InputError(f"{len(table)} outcomes", got=f"{len(y)}", where=_WHERE)
    gone = np.isnan(table)
    patterns = Counter(tuple(name for name, lacks in zip(names, row, strict=True) if lacks) for row in gone)
    ordered = sorted(patterns.items(), key=lambda item: (-item[1], len(item[0]), item[0]))
    shares = [share(int(column.sum()), len(table)) for column in gone.T]
    told = [_by_outcome(column, y) for column in gone.T]
    columns = tuple(
        MissingColumn(name, part, *sides, p)
        for name, part, sides, p in zip(
            names, shares, [t[:2] for t in told], _adjusted([t[2] for t in told]), strict=True
        )
    )
    return MissingReport(len(table), int((~gone).all(axis=1).sum()), columns, tuple(ordered))


def _by_outcome(gone: Flags, y: Flags | None) -> tuple[float, float, float]:
    from scipy.stats import fisher_exact

    if y is None or y.all() or not y.any():
        return math.nan, math.nan, math.nan
    sides = float(gone[y].mean()), float(gone[~y].mean())
    if gone.all() or not gone.any():
        return *sides, math.nan
    table = np.array([[(part & side).sum() for part in (gone, ~gone)] for side in (y, ~y)], dtype=np.int64)
    return *sides, float(fisher_exact(table).pvalue)


def _adjusted(p: Sequence[float]) -> list[float]:
    found = np.array(p, dtype=np.float64)
    known = ~np.isnan(found)
    found[known] = adjusted_p(found[known], "holm")
    return [float(one) for one in found]
