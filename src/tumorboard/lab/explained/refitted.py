"""Models of folds, fitted again, so that every row is explained by a model that has not seen its patient.

Why it exists: importance on training rows is importance for memory. A run keeps predictions of its folds, not their
models; they are fitted again from the same rows and settings, which costs at most what the run cost, without tuning.

How many folds are fitted is decided by counting, never by a clock: equal runs explain the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tumorboard.lab.dataset import Dataset
from tumorboard.lab.fold import Fitted, fit
from tumorboard.lab.recipe import Validation
from tumorboard.lab.run import Run
from tumorboard.lab.splits import Fold, make_folds
from tumorboard.lab.step import Floats

MOST, INSTEAD = 10, 5
"""Folds that are fitted again at most; with more, as where one patient is left out at a time, so many are drawn."""


@dataclass(frozen=True)
class Part:
    """One fold: its model, and where its test rows stand among all that are explained.

    Parameters
    ----------
    fitted : Fitted
        On the training rows.
    train, test : Dataset
        Rows.
    at : ndarray of int
        Places of the test rows.
    """

    fitted: Fitted = field(repr=False)
    train: Dataset = field(repr=False)
    test: Dataset = field(repr=False)
    at: NDArray[np.int64] = field(repr=False)


@dataclass(frozen=True)
class OutOfFold:
    """Test rows of folds, and the models that have not seen them.

    Parameters
    ----------
    parts : tuple of Part
        At least one.
    rows : ndarray of int
        Rows of the run's dataset, in the order in which they are explained.
    values : ndarray, shape (rows, columns)
        Their columns, those included that representations learned in each fold.
    names : tuple of str
        Of the columns.
    how : str
        In words.
    """

    parts: tuple[Part, ...]
    rows: NDArray[np.int64] = field(repr=False)
    values: Floats = field(repr=False)
    names: tuple[str, ...]
    how: str

    @property
    def fold_of(self) -> list[int]:
        """Number of the fold of each row."""
        found = np.zeros(len(self.rows), dtype=np.int64)
        for n, part in enumerate(self.parts):
            found[part.at] = n
        return [int(f) for f in found]

    def predict(self, x: Floats) -> Floats:
        """Return predictions, shape (m, k), each row by the model of its fold.

        Parameters
        ----------
        x : ndarray, shape (m, columns)
            These rows in their order, once or several times below each other, with other values.
        """
        times = len(x) // len(self.rows)
        stack = x.reshape(times, len(self.rows), -1)
        out: Floats | None = None
        for part in self.parts:
            found = np.stack([*_asked(part, stack[:, part.at])])
            out = np.zeros((times, len(self.rows), found.shape[2])) if out is None else out
            out[:, part.at] = found
        return np.asarray(out).reshape(len(x), -1)


def _asked(part: Part, stack: Floats) -> Sequence[Floats]:
    """Return predictions of several versions of a fold's test rows; in one call where there are no images."""
    pipeline, images = part.fitted.pipeline, part.fitted.images(part.test)
    if images is not None and pipeline.learner.takes_images:
        return [pipeline.predict(x, part.test.sites, images) for x in stack]
    flat = pipeline.predict(stack.reshape(-1, stack.shape[2]), np.tile(part.test.sites, len(stack)))
    return np.split(flat, len(stack))


def refitted(run: Run, alone: bool = False) -> OutOfFold:
    """Fit the models of a run's first repeat again.

    Parameters
    ----------
    run : Run
        That ended.
    alone : bool
        Whether the first fold is enough, as for networks, which take long to train.

    Returns
    -------
    OutOfFold

    Raises
    ------
    InputError
        Rows of a fold cannot be learned from.
    """
    chosen, how = _folds(run, alone)
    parts: list[Part] = []
    rows: list[NDArray[np.int64]] = []
    count = 0
    for fold, settings in chosen:
        train, test = run.data.take(fold.train), run.data.take(fold.test)
        fitted = run.fitted if _is_final(run, fold) else fit(run.recipe, train, settings)
        if parts and fitted.names != parts[0].fitted.names:
            continue  # what was learned there has other columns
        parts.append(Part(fitted, train, test, np.arange(count, count + len(fold.test))))
        rows.append(fold.test)
        count += len(fold.test)
    values = np.vstack([p.fitted.features(p.test) for p in parts])
    return OutOfFold(tuple(parts), np.concatenate(rows), values, parts[0].fitted.names, how)


def _folds(run: Run, alone: bool) -> tuple[list[tuple[Fold, dict[str, Any] | None]], str]:
    tunes = bool(run.recipe.learner.tune)
    first = [r for r in run.folds if r.fold.repeat == 1]
    if len(first) <= MOST:
        found = [(r.fold, dict(r.settings) if tunes else None) for r in first]
        told = (
            f"models of {len(found)} folds, fitted again" if len(found) > 1 else "the model of the test, fitted again"
        )
    else:
        drawn = make_folds(Validation(name="kfold", folds=INSTEAD), run.data.rowwise, run.recipe.seed)
        found = [(fold, dict(run.fitted.settings) if tunes else None) for fold in drawn]
        told = f"models of {INSTEAD} folds by patient, fitted for this"
    if alone and len(found) > 1:
        told = f"the model of fold 1 of {len(found)}, fitted again, and that fold's patients, whom it has not seen"
        return found[:1], told
    return found, f"{told}; each row by a model that has not seen its patient"


def _is_final(run: Run, fold: Fold) -> bool:
    """Whether the final model learned from just these rows, as in external validation."""
    return np.array_equal(np.sort(fold.train), np.flatnonzero(~run.data.external))
