"""What a model keeps of its training rows: features, outcomes, and predictions out of fold; nobody's name.

Why it exists: a risk means something only beside the risks of others, a driver only against a background, and a board
asks for patients like this one. All of that needs rows; they are numbered here, in the order of the training rows, and
carry neither pseudonym nor date. A model whose file was taken away answers without them, and says so.

The file is safetensors: numbers by name, nothing that runs. Equal runs give equal bytes.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from tumorboard.errors import FileFormatError
from tumorboard.lab.step import Floats

if TYPE_CHECKING:
    from tumorboard.lab.run import Run

FILE = "cases.safetensors"
"""Beside the card; it may be taken away before a model is given to others."""

_TOLD = "tumorboard"
_PARTS = ("prepared", "raw", "seen", "outcome", "patient", "tested", "truth")


@dataclass(frozen=True)
class TrainingCases:
    """Training rows without names.

    Parameters
    ----------
    names : tuple of str
        Columns as the learner sees them.
    prepared : ndarray, shape (n, names)
        Their values there: imputed, scaled.
    raw : ndarray, shape (n, names)
        Before that; NaN for a column that steps have made, or that was missing.
    seen : ndarray, shape (n, features)
        What the last layer of a network sees; no column for other learners.
    outcome : ndarray, shape (n, k)
        See :attr:`tumorboard.lab.outcome.Outcome.values`.
    patient : ndarray, shape (n,)
        Running number of the patient, from 1.
    tested : ndarray, shape (t, p)
        Predictions of rows that were not trained on, in their fold.
    truth : ndarray, shape (t, k)
        Their outcomes.

    Examples
    --------
    >>> one = np.ones((2, 1))
    >>> kept = TrainingCases(("age",), one, one, np.empty((2, 0)), one, np.array([1.0, 2.0]), one, one)
    >>> TrainingCases.of_bytes(kept.as_bytes()).titles
    ('case 1', 'case 2')
    """

    names: tuple[str, ...]
    prepared: Floats = field(repr=False)
    raw: Floats = field(repr=False)
    seen: Floats = field(repr=False)
    outcome: Floats = field(repr=False)
    patient: Floats = field(repr=False)
    tested: Floats = field(repr=False)
    truth: Floats = field(repr=False)

    @property
    def titles(self) -> tuple[str, ...]:
        """What each row's patient is called."""
        return tuple(f"case {n:.0f}" for n in self.patient)

    @classmethod
    def of(cls, run: Run) -> Self:
        """Return what is kept of a run.

        Parameters
        ----------
        run : Run
            That ended.
        """
        data, fitted = run.training, run.fitted
        x = fitted.features(data)
        prepared = fitted.pipeline.prepared(x, data.sites)
        names = fitted.pipeline.names_
        at = {n: i for i, n in enumerate(fitted.names)}
        none = np.full(len(x), np.nan)
        raw = np.stack([x[:, at[n]] if n in at else none for n in names], axis=1) if names else np.empty((len(x), 0))
        learner: Any = fitted.pipeline.learner
        images = fitted.images(data) if learner.takes_images else None
        network = images is not None and hasattr(learner, "activations")
        seen = learner.activations(images, prepared) if network else np.empty((len(x), 0))
        patient = np.unique(np.array(data.table.patients), return_inverse=True)[1]
        order = {p: n + 1.0 for n, p in enumerate(dict.fromkeys(patient.tolist()))}
        number = np.array([order[p] for p in patient.tolist()])
        tested, truth = run.predicted.values, run.predicted.outcome.values
        return cls(names, prepared, raw, seen, data.outcome.values, number, tested, truth)

    def as_bytes(self) -> bytes:
        """Return the file."""
        from safetensors.numpy import save

        parts = {p: np.ascontiguousarray(getattr(self, p), dtype=np.float32) for p in _PARTS}
        return save(parts, metadata={_TOLD: json.dumps({"names": self.names})})

    @classmethod
    def of_bytes(cls, raw: bytes) -> Self:
        """Read the file.

        Raises
        ------
        FileFormatError
            It is damaged, or another.
        """
        from safetensors import SafetensorError
        from safetensors.numpy import load

        try:
            size = int.from_bytes(raw[:8], "little")
            names = tuple(json.loads(json.loads(raw[8 : 8 + size])["__metadata__"][_TOLD])["names"])
            read = load(raw)
            parts = {p: np.asarray(read[p], dtype=np.float64) for p in _PARTS}
            kept = cls(names, **parts)
        except (ValueError, KeyError, TypeError, SafetensorError) as error:
            raise _damaged() from error
        rows = len(kept.prepared)
        told = (kept.raw, kept.seen, kept.outcome, kept.patient)
        if kept.prepared.shape[1:] != (len(names),) or any(len(t) != rows for t in told):
            raise _damaged()
        return kept


def _damaged() -> FileFormatError:
    remedy = "take cases.safetensors away: the model answers without similar patients, or train it again"
    return FileFormatError("training cases that tumorboard lab wrote", got="others", where="model", remedy=remedy)
