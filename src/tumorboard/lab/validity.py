"""Whether a new row is like the rows that a model was trained on.

Why it exists: a model answers any input. A patient whose features lie outside what it has seen must be told apart
before anybody reads the answer.

Sources: Mahalanobis PC. Proc Natl Inst Sci India 1936;2:49-55, on principal components; the percentile is taken among
training rows that were each left out of their own fold.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from tumorboard.lab.impute.mean import fill_values

Floats = NDArray[np.float64]

LIMIT = 99.0
"""Percentile of the training rows beyond which a row is called unlike them."""

_PARTS, _COMPONENTS, _BEYOND = 5, 10, 1.0


@dataclass(frozen=True)
class Verdict:
    """How a row compares with the training rows.

    Parameters
    ----------
    percentile : float
        Share of training rows that lie nearer to the centre, in per cent.
    like : bool
        Whether it is at or below :data:`LIMIT`.
    outside : tuple of str
        Columns further beyond the training range than that range is wide.
    missing : tuple of str
        Columns that have no value.
    """

    percentile: float
    like: bool
    outside: tuple[str, ...]
    missing: tuple[str, ...]


class Validity:
    """Mahalanobis distance on the principal components of standardised columns.

    Examples
    --------
    >>> rows = np.random.default_rng(0).normal(size=(60, 3))
    >>> check = Validity().fit(rows, ("a", "b", "c"))
    >>> check.judge(np.zeros((1, 3)))[0].like, check.judge(np.full((1, 3), 30.0))[0].like
    (True, False)
    """

    def fit(self, x: Floats, names: tuple[str, ...]) -> Self:
        """Learn centre, components and the distances of training rows, ``x`` of shape (n, columns)."""
        self.names_ = names
        self.centre_ = fill_values(x)
        spread = np.sqrt(fill_values((x - self.centre_) ** 2))
        self.spread_ = np.where(spread > 1e-12, spread, 1.0)
        with_values = ~np.isnan(x)
        self.low_ = np.array([c[t].min() if t.any() else 0.0 for c, t in zip(x.T, with_values.T, strict=True)])
        self.high_ = np.array([c[t].max() if t.any() else 0.0 for c, t in zip(x.T, with_values.T, strict=True)])
        z = self._standard(x) if x.shape[1] else np.zeros((len(x), 1))  # no columns: nothing can be unlike
        parts = np.arange(len(z)) % min(_PARTS, len(z))
        left_out = [_distance(z[parts == p], *_components(z[parts != p])) for p in np.unique(parts)]
        self.reference_ = np.sort(np.concatenate(left_out))
        self.directions_, self.variances_, self.rest_ = _components(z)
        return self

    def _standard(self, x: Floats) -> Floats:
        return np.where(np.isnan(x), 0.0, (x - self.centre_) / self.spread_)

    def distance(self, x: Floats) -> Floats:
        """Return the distance of rows from the centre of the training rows, shape (m,)."""
        z = self._standard(x) if x.shape[1] else np.zeros((len(x), 1))
        return _distance(z, self.directions_, self.variances_, self.rest_)

    def judge(self, x: Floats) -> tuple[Verdict, ...]:
        """Return a verdict for each row, ``x`` of shape (m, columns)."""
        distances = self.distance(x)
        reach = _BEYOND * np.maximum(self.high_ - self.low_, 1e-12)
        far = (x < self.low_ - reach) | (x > self.high_ + reach)
        gone = np.isnan(x)
        out = []
        for d, beyond, missing in zip(distances, far, gone, strict=True):
            percentile = 100.0 * float(np.searchsorted(self.reference_, d, side="left")) / len(self.reference_)
            named = tuple(n for n, b in zip(self.names_, beyond, strict=True) if b)
            absent = tuple(n for n, m in zip(self.names_, missing, strict=True) if m)
            out.append(Verdict(percentile, percentile <= LIMIT and not (missing.size and missing.all()), named, absent))
        return tuple(out)


def _components(z: Floats) -> tuple[Floats, Floats, float]:
    """Return directions, their variances, and the mean variance of what they leave out."""
    _, s, vt = np.linalg.svd(z, full_matrices=False)
    variances = s**2 / max(len(z) - 1, 1)
    count = max(1, min(_COMPONENTS, len(z) // 5, int((variances > 1e-9).sum())))
    left = z.shape[1] - count
    rest = float(variances[count:].sum()) / left if left > 0 else 0.0
    return vt[:count], np.maximum(variances[:count], 1e-9), max(rest, 1e-3)


def _distance(z: Floats, directions: Floats, variances: Floats, rest: float) -> Floats:
    found = z @ directions.T
    inside = (found**2 / variances).sum(axis=1)
    outside = ((z - found @ directions) ** 2).sum(axis=1) / rest
    return np.asarray(np.sqrt(inside + outside))
