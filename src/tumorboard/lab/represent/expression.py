"""Principal components of a table of expression, fitted inside the folds.

Why it exists: thousands of genes and dozens of patients; components that saw the test patients have seen the answer.

Source: Li A et al., Cancer Res 2009;69:2091-2099 (D26: six subtypes of glioma from principal components).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Self

import numpy as np
from pydantic import Field

from tumorboard.errors import InputError
from tumorboard.lab.represent.base import Gap, Job, Learned, Material, Representation, Represented, Settings
from tumorboard.lab.represent.learned import Scaler, pooled
from tumorboard.lab.table import Floats, Table


class ExpressionSet(Settings):
    """Settings of :class:`Expression`.

    Parameters
    ----------
    table : str
        Its name.
    components : int
        As many as the training patients allow, at most.
    """

    table: str = "expression"
    components: int = Field(default=10, ge=1, le=500)


class Expression(Representation[ExpressionSet]):
    """Components of expression: ``pc01``."""

    name = "expression"
    title = "principal components of expression"
    source = "Li A et al., Cancer Res 2009;69:2091-2099"
    settings = ExpressionSet
    learns = True
    images = False
    needs = ()

    def represent(self, job: Job[ExpressionSet]) -> Represented:
        """Return the genes of each unit as material.

        Raises
        ------
        InputError
            There is no such table, or a cell is no number.
        """
        sheet = job.cohort.sheets.get(job.settings.table)
        if sheet is None:
            got = f"{job.settings.table!r}; there are {', '.join(job.cohort.sheets) or 'none'}"
            raise InputError("a table of expression", got=got, where=self.name)
        rows: list[Material | None] = []
        gaps = []
        for unit in job.units:
            words = [sheet.cell(unit, c) for c in sheet.columns]
            known = bool(words) and all(words)
            rows.append(_numbers(words) if known else None)
            gaps += [] if known else [Gap(unit, "pc", "no expression, or not of every gene")]
        if all(r is None for r in rows):
            raise InputError("expression of at least one unit", got="none", where=self.name)
        learned = Learned(tuple(rows), partial(Components, count=job.settings.components))
        table = Table(job.units, (), np.empty((len(rows), 0)))
        return Represented(self.name, table, learned, tuple(gaps), dict.fromkeys(sheet.columns, ()))


class Components:
    """Principal components of training units; see :class:`~tumorboard.lab.represent.base.FoldTransformer`.

    Parameters
    ----------
    seed : int
        Not used: the fit is exact.
    count : int
        Of components; fewer where the training units do not have as many, the rest is 0.

    Examples
    --------
    >>> step = Components(0, count=1).fit([np.array([[0.0, 0.0]]), np.array([[1.0, 2.0]]), np.array([[2.0, 4.0]])])
    >>> np.abs(step.transform([np.array([[1.0, 2.0]]), None])).round(6).tolist()
    [[0.0], [nan]]
    """

    def __init__(self, seed: int, count: int = 10) -> None:
        self.count = count
        self.names = tuple(f"pc{n:02d}" for n in range(1, count + 1))

    def fit(self, material: Sequence[Material | None]) -> Self:
        """Learn directions; each gene has standard deviation 1 in the training units.

        Raises
        ------
        InputError
            Fewer than two units with expression.
        """
        from sklearn.utils.extmath import svd_flip

        items = pooled(material, 2, "expression")
        self.scale = Scaler.of(items)
        u, _, directions = np.linalg.svd(self.scale(items), full_matrices=False)
        _, directions = svd_flip(u, directions)
        kept = directions[: self.count]
        self.directions = np.vstack([kept, np.zeros((self.count - len(kept), items.shape[1]))])
        return self

    def transform(self, material: Sequence[Material | None]) -> Floats:
        """Return scores."""
        empty = np.full(self.count, np.nan)
        rows = [empty if m is None else (self.scale(m) @ self.directions.T)[0] for m in material]
        return np.array(rows, dtype=np.float64).reshape(len(material), self.count)


def _numbers(words: Sequence[str]) -> Material:
    try:
        return np.array([[float(w) for w in words]], dtype=np.float64)
    except ValueError as error:
        raise InputError("numbers in a table of expression", got="a word", where="expression") from error
