"""What one part of a run's results is: a table, its pictures, a sentence, and the facts that it shows.

Why it exists: a figure that is computed but reaches no file, no page and no checklist has not been reported. Each
finding brings all four at once, so that none can be forgotten, and one that cannot be had says why.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tumorboard.lab.outcome import Outcome
from tumorboard.lab.recipe import Outcomes
from tumorboard.lab.run import Run
from tumorboard.lab.scores import Predicted, labels_of
from tumorboard.metrics.estimate import Estimate

Cell = str | int | float | None
Rows = NDArray[np.bool_]
Picture = tuple[str, str]
"""Title, and a PNG as base64."""

HELD_OUT = ("split", "temporal", "external")
"""Validations that part patients into development and test once; repeats of a split draw them anew."""
_FOLDED = 12
MOST_VIEWS = 4
"""Classes or labels that are looked at one by one."""


@dataclass(frozen=True)
class Finding:
    """One part of a run's results.

    Parameters
    ----------
    name : str
        Of its file, ``{name}.csv``.
    title : str
        On the page.
    header : tuple of str
        Of its table.
    rows : tuple of tuple
        Cells; NaN and None are empty in the file.
    note : str
        A sentence: how it was made, or why it could not be.
    pictures : tuple of (str, str)
        Titles, and PNG as base64.
    facts : mapping of str to object
        What it lets checklists know, by ``section.fact``.
    shown : tuple of tuple, optional
        Rows on the page; by default all of them.
    """

    name: str
    title: str
    header: tuple[str, ...] = ()
    rows: tuple[tuple[Cell, ...], ...] = ()
    note: str = ""
    pictures: tuple[Picture, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    shown: tuple[tuple[Cell, ...], ...] | None = None

    @property
    def open(self) -> bool:
        """Whether the page shows it unasked: long tables without a picture are folded."""
        return bool(self.pictures) or 0 < len(self.on_page) <= _FOLDED

    @property
    def on_page(self) -> tuple[tuple[str, ...], ...]:
        """Rows as the page prints them."""
        rows = self.rows if self.shown is None else self.shown
        return tuple(tuple(printed(cell) for cell in row) for row in rows)


@dataclass(frozen=True)
class Asked:
    """What a finding may look at.

    Parameters
    ----------
    run : Run
        That ended.
    cache : Path, optional
        Where folds that are fitted are kept.
    """

    run: Run
    cache: Path | None = None


def printed(cell: Cell) -> str:
    """Return a cell for the page.

    Examples
    --------
    >>> printed(0.12345), printed(3), printed(None), printed(float("nan")), printed(1234.5)
    ('0.123', '3', '', '', '1234')
    """
    if cell is None or (isinstance(cell, float) and np.isnan(cell)):
        return ""
    if isinstance(cell, float):
        return f"{cell:.0f}" if abs(cell) >= 1000 else f"{cell:.3g}"
    return str(cell)


def cells(estimate: Estimate) -> tuple[Cell, ...]:
    """Return an estimate as four cells: value, low, high, and why something is missing.

    Examples
    --------
    >>> cells(Estimate(0.8, 0.7, 0.9, 50))
    (0.8, 0.7, 0.9, '')
    """
    return estimate.value, estimate.low, estimate.high, estimate.reason


def picture(title: str, png: bytes) -> Picture:
    """Return a picture for the page."""
    return title, base64.b64encode(png).decode()


def views(predicted: Predicted) -> list[tuple[str, Predicted]]:
    """Return predictions as questions of yes or no: of two classes as they are, else each class or label by its name.

    Parameters
    ----------
    predicted : Predicted
        Of any kind.

    Returns
    -------
    list of (str, Predicted)
        At most :data:`MOST_VIEWS`; none for survival and quantities.

    Examples
    --------
    >>> three = Outcome.multiclass([0, 1, 2], ("a", "b", "c"))
    >>> found = views(Predicted(three, np.eye(3), ("A", "B", "C"), np.empty(0)))
    >>> [(name, one.outcome.classes.tolist()) for name, one in found]
    [('a', [1, 0, 0]), ('b', [0, 1, 0]), ('c', [0, 0, 1])]
    """
    kind, names = predicted.outcome.kind, predicted.outcome.names
    if kind is Outcomes.BINARY:
        return [("", predicted)]
    if kind is Outcomes.MULTILABEL:
        return labels_of(predicted)[:MOST_VIEWS]
    if kind is not Outcomes.MULTICLASS:
        return []
    shares = predicted.values / np.maximum(predicted.values.sum(axis=1, keepdims=True), 1e-12)
    return [
        (name, replace(predicted, outcome=Outcome.binary(predicted.outcome.classes == n), values=shares[:, [n]]))
        for n, name in enumerate(names[:MOST_VIEWS])
    ]


def titled(title: str, name: str) -> str:
    """Return a title with the class or label that it is about.

    Examples
    --------
    >>> titled("Calibration", "idh"), titled("Calibration", "")
    ('Calibration: idh', 'Calibration')
    """
    return f"{title}: {name}" if name else title


def in_folds(run: Run) -> NDArray[np.int64] | None:
    """Return in which fold of the first repeat each tested row was predicted; None for one fold only."""
    first = [r for r in run.folds if r.fold.repeat == 1]
    if len(first) < 2:
        return None
    of = np.full(len(run.data), -1, dtype=np.int64)
    for n, r in enumerate(first):
        of[r.fold.test] = n
    found: NDArray[np.int64] = of[run.rows]
    return None if (found < 0).any() else found


def parts(run: Run) -> dict[str, Rows]:
    """Return rows that are looked at apart: development and test where these are two, else sites; empty for neither."""
    data = run.data
    if run.recipe.validation.name in HELD_OUT and len({r.fold.name for r in run.folds}) == 1 == len(run.folds):
        test = np.zeros(len(data), dtype=bool)
        test[run.folds[0].fold.test] = True
        train = np.zeros(len(data), dtype=bool)
        train[run.folds[0].fold.train] = True
        return {"development": train, "test": test}
    names = [str(s) for s in np.unique(data.sites) if s]
    return {f"site {s}": data.sites == s for s in names} if 2 <= len(names) <= 12 else {}


def counted(number: int, what: str) -> str:
    """Return a number with its noun.

    Examples
    --------
    >>> counted(1, "row"), counted(2, "row")
    ('1 row', '2 rows')
    """
    return f"{number} {what}{'' if number == 1 else 's'}"


def joined(words: Sequence[str]) -> str:
    """Return words as a list in a sentence, at most five of them.

    Examples
    --------
    >>> joined(["a", "b"]), joined(list("abcdefg"))
    ('a, b', 'a, b, c, d, e and 2 more')
    """
    return ", ".join(words[:5]) + (f" and {len(words) - 5} more" if len(words) > 5 else "")
