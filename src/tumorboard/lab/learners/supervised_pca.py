"""Supervised principal components: components of the columns that have to do with the outcome.

Why it exists: Kickingereder's radiomic signatures for survival and for bevacizumab are this learner.

Sources: Bair E, Tibshirani R. PLoS Biol 2004;2:e108; Bair E et al. J Am Stat Assoc 2006;101:119-137; Kickingereder P
et al. Radiology 2016;280:880-889.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np

from tumorboard.lab.learners.base import Floats, Learner
from tumorboard.lab.learners.cox import Cox
from tumorboard.lab.learners.linear import logistic, ridge
from tumorboard.lab.outcome import Outcome
from tumorboard.lab.selection.scores import strength
from tumorboard.lab.splits import inner_folds


class SupervisedPca(Learner):
    """Keep the columns with the strongest univariate score, take their components, and regress on these.

    Parameters
    ----------
    keep : float
        Share of the columns (at most 1), or their number (above 1).
    components : int
        That enter the regression.
    choices : sequence of float, optional
        Candidates for ``keep``, chosen by folds inside the training rows that keep patients together; empty: ``keep``
        as given.
    folds : int
        For that choice.
    seed : int
        Of these folds.
    """

    def __init__(
        self,
        keep: float = 0.1,
        components: int = 1,
        choices: tuple[float, ...] | list[float] = (),
        folds: int = 5,
        seed: int = 0,
    ) -> None:
        self.keep, self.components, self.choices = keep, components, tuple(choices)
        self.folds, self.seed = folds, seed
        self._patients: Sequence[str] = ()

    def whose(self, patients: Sequence[str]) -> Self:
        """Take the patient of each training row."""
        self._patients = patients
        return self

    def fit(self, x: Floats, outcome: Outcome) -> Self:
        """Choose columns, find components, regress."""
        self.mean_ = x.mean(axis=0)
        spread = x.std(axis=0)
        self.spread_ = np.where(spread > 1e-12, spread, 1.0)
        z = (x - self.mean_) / self.spread_
        self.chosen_ = self._choose(z, outcome) if self.choices else self.keep
        self.kept_, self.directions_ = self._directions(z, outcome, self.chosen_)
        self.head_ = _head(outcome).fit(z[:, self.kept_] @ self.directions_, outcome)
        self._patients = ()  # a model keeps no name
        return self

    def _directions(self, z: Floats, outcome: Outcome, keep: float) -> tuple[Any, Floats]:
        count = round(keep * z.shape[1]) if keep <= 1 else round(keep)
        count = min(max(count, 1), z.shape[1])
        kept = np.sort(np.argsort(-strength(z, outcome), kind="stable")[:count])
        _, s, vt = np.linalg.svd(z[:, kept] - z[:, kept].mean(axis=0), full_matrices=False)
        some = vt[: min(self.components, len(s))]
        signs = np.sign(some[np.arange(len(some)), np.abs(some).argmax(axis=1)])
        return kept, (some * signs[:, None]).T / np.sqrt(len(kept))

    def _choose(self, z: Floats, outcome: Outcome) -> float:
        folds = inner_folds(outcome.strata, self._patients, self.folds, self.seed)
        folds = [(train, test) for train, test in folds if np.ptp(outcome.take(train).target) > 0]  # some teach nothing
        gains = []
        for keep in self.choices:
            gain = 0.0
            for train, test in folds:
                kept, directions = self._directions(z[train], outcome.take(train), keep)
                head = _head(outcome).fit(z[train][:, kept] @ directions, outcome.take(train))
                found = head.predict(z[test][:, kept] @ directions)[:, 0]
                wanted = outcome.take(test).target
                told = np.ptp(found) > 0 and np.ptp(wanted) > 0  # few rows may be all alike
                gain += float(np.corrcoef(found, wanted)[0, 1]) if told else 0.0
            gains.append(gain)
        return float(self.choices[int(np.argmax(gains))])

    def _components(self, x: Floats) -> Floats:
        return np.asarray(((x - self.mean_) / self.spread_)[:, self.kept_] @ self.directions_)

    def predict(self, x: Floats) -> Floats:
        """Return chances, risks or quantities of new rows."""
        return self.head_.predict(self._components(x))

    def survival_at(self, x: Floats, days: Floats) -> Floats | None:
        """Return chances to live beyond ``days``, where the outcome is survival."""
        return self.head_.survival_at(self._components(x), days)

    @property
    def weights(self) -> Floats:
        """Share of each column in the first component; 0 where it was left out."""
        out = np.zeros(len(self.mean_))
        out[self.kept_] = np.abs(self.directions_[:, 0])
        return out


def _head(outcome: Outcome) -> Learner:
    if outcome.kind.value == "survival":
        return Cox(penalty=1e-4)
    return logistic(strength=1e-2) if outcome.discrete else ridge(strength=1e-2)
