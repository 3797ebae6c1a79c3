"""Penalised Cox regression: ridge, lasso and elastic net, with Efron's ties and Breslow's baseline.

Why it exists: molecular, clinical and image features against survival in one model (Kickingereder 2018, Lao 2017).
Lifelines smooths the lasso; here weights that should be 0 are 0, so the fit is our own and its ridge is tested against
lifelines.

Sources: Cox DR. J R Stat Soc B 1972;34:187-220; Efron B. J Am Stat Assoc 1977;72:557-565; Simon N et al. J Stat Softw
2011;39(5):1-13 (elastic net); Breslow N. Biometrics 1974;30:89-99.
"""

from __future__ import annotations

from typing import Self

import numpy as np
from numpy.typing import NDArray

from tumorboard.errors import InputError
from tumorboard.lab.learners.base import Floats, Learner
from tumorboard.lab.outcome import Outcome

_ROUNDS, _SWEEPS = 100, 200


class Cox(Learner):
    """Maximise (log partial likelihood)/n − penalty·(l1·|w| + (1 − l1)/2·w²) over weights of standardised columns.

    Parameters
    ----------
    penalty : float
        Its strength, as lifelines' ``penalizer``.
    l1 : float
        Share of the lasso.
    free : int
        So many first columns are not penalised.

    Examples
    --------
    >>> x = np.array([[1.0], [2.0], [3.0], [2.5]])
    >>> model = Cox(penalty=0.1).fit(x, Outcome.survival([40, 20, 30, 10], [1, 1, 0, 1]))
    >>> bool(model.predict(x)[3, 0] > model.predict(x)[0, 0])
    True
    """

    def __init__(self, penalty: float = 0.1, l1: float = 0.0, free: int = 0) -> None:
        if penalty < 0 or not 0 <= l1 <= 1:
            raise InputError("a penalty of 0 or more and a share from 0 to 1", got="another", where="learner cox")
        self.penalty, self.l1, self.free = penalty, l1, free

    def fit(self, x: Floats, outcome: Outcome) -> Self:
        """Fit weights and the baseline."""
        self.mean_ = x.mean(axis=0)
        spread = x.std(axis=0, ddof=1) if len(x) > 1 else np.ones(x.shape[1])
        self.spread_ = np.where(spread > 1e-12, spread, 1.0)
        z = (x - self.mean_) / self.spread_
        order = np.argsort(outcome.days, kind="stable")
        z, t, d = z[order], outcome.days[order], outcome.events[order]
        strength = np.full(x.shape[1], float(self.penalty))
        strength[: self.free] = 0.0
        self.coef_, self.settled_ = _maximise(z, t, d, strength, self.l1)
        self.times_, self.hazard_ = breslow(t, d, np.exp(np.clip(z @ self.coef_, -50, 50)))
        return self

    def predict(self, x: Floats) -> Floats:
        """Return the log relative hazard against the mean training row, shape (m, 1)."""
        return np.asarray((x - self.mean_) / self.spread_ @ self.coef_).reshape(-1, 1)

    def survival_at(self, x: Floats, days: Floats) -> Floats:
        """Return chances to live beyond ``days``, shape (m, days)."""
        return survival_curve(self.times_, self.hazard_, self.predict(x)[:, 0], days)

    @property
    def weights(self) -> Floats:
        """Absolute weights of standardised columns."""
        return np.abs(self.coef_)


def breslow(days: Floats, events: NDArray[np.bool_], relative: Floats) -> tuple[Floats, Floats]:
    """Return days of events and the cumulative baseline hazard after each.

    Parameters
    ----------
    days, events : ndarray, shape (n,)
        Follow-up.
    relative : ndarray, shape (n,)
        Hazard of each row against the baseline.

    Examples
    --------
    >>> breslow(np.array([1.0, 2.0]), np.array([True, True]), np.array([1.0, 1.0]))[1].tolist()
    [0.5, 1.5]
    """
    when, deaths = np.unique(days[events], return_counts=True)
    order = np.argsort(days, kind="stable")
    beyond = np.concatenate([np.cumsum(relative[order][::-1])[::-1], [0.0]])
    at_risk = beyond[np.searchsorted(days[order], when, side="left")]
    return when, np.cumsum(deaths / np.maximum(at_risk, 1e-300))


def survival_curve(times: Floats, hazard: Floats, log_relative: Floats, days: Floats) -> Floats:
    """Return exp(−baseline·relative hazard) at ``days``, shape (rows, days)."""
    base = np.concatenate([[0.0], hazard])[np.searchsorted(times, days, side="right")]
    return np.asarray(np.exp(-np.outer(np.exp(np.clip(log_relative, -50, 50)), base)))


def _maximise(z: Floats, t: Floats, d: NDArray[np.bool_], strength: Floats, l1: float) -> tuple[Floats, bool]:
    """Proximal Newton steps with halving; rows ascend by time."""
    n, w = len(z), np.zeros(z.shape[1])
    lasso, ridge = strength * l1, strength * (1 - l1)

    def objective(v: Floats) -> float:
        return float(-_likelihood(z, t, d, v)[0] / n + lasso @ np.abs(v) + ridge @ v**2 / 2)

    now = objective(w)
    for _ in range(_ROUNDS):
        _, gradient, information = _likelihood(z, t, d, w, curved=True)
        smooth = -gradient / n + ridge * w
        curve = information / n + np.diag(ridge)
        step = _newton_step(w, smooth, curve, lasso)
        size, after = 1.0, objective(w + step)
        while after > now + 1e-14 and size > 1e-8:
            size /= 2
            after = objective(w + size * step)
        w = w + size * step
        if np.abs(size * step).max(initial=0.0) < 1e-10 or abs(now - after) < 1e-15:
            return w, True
        now = after
    return w, False


def _newton_step(w: Floats, smooth: Floats, curve: Floats, lasso: Floats) -> Floats:
    """Minimise the quadratic model plus the lasso by coordinate descent; without lasso by solving."""
    jitter = 1e-10 * max(float(np.trace(curve)) / len(w), 1e-12)
    if not lasso.any():
        return np.asarray(-np.linalg.lstsq(curve + jitter * np.eye(len(w)), smooth, rcond=None)[0])
    step, diagonal = np.zeros_like(w), np.diag(curve) + jitter
    slope = smooth.copy()
    for _ in range(_SWEEPS):
        moved = 0.0
        for j in range(len(w)):
            at = w[j] + step[j]
            wanted = at - slope[j] / diagonal[j]
            new = np.sign(wanted) * max(abs(wanted) - lasso[j] / diagonal[j], 0.0)
            if new != at:
                slope += curve[:, j] * (new - at)
                step[j] += new - at
                moved = max(moved, abs(new - at))
        if moved < 1e-12:
            break
    return step


def _likelihood(
    z: Floats, t: Floats, d: NDArray[np.bool_], w: Floats, curved: bool = False
) -> tuple[float, Floats, Floats]:
    """Return Efron's log partial likelihood, and with ``curved`` its gradient and information."""
    score = z @ w
    shift = float(score.max(initial=0.0))
    r = np.exp(score - shift)
    columns = z.shape[1]
    gradient, information = np.zeros(columns), np.zeros((columns, columns))
    total = 0.0
    when = np.unique(t[d])
    starts = np.searchsorted(t, when, side="left")
    beyond = np.cumsum(r[::-1])[::-1]
    if curved:
        first = np.cumsum((r[:, None] * z)[::-1], axis=0)[::-1]
        risk2 = np.zeros((columns, columns))
        last = len(t)
    for start, day in zip(starts[::-1], when[::-1], strict=True):
        dead = start + np.flatnonzero(d[start : np.searchsorted(t, day, side="right")])
        tied = np.arange(len(dead)) / len(dead)
        sums = beyond[start] - tied * r[dead].sum()
        total += float(score[dead].sum() - np.log(sums).sum() - shift * len(dead))
        if curved:
            block = z[start:last]
            risk2 += (block * r[start:last, None]).T @ block
            last = start
            s1 = first[start] - tied[:, None] * (r[dead] @ z[dead])
            mean = s1 / sums[:, None]
            dead2 = (z[dead] * r[dead, None]).T @ z[dead]
            gradient += z[dead].sum(axis=0) - mean.sum(axis=0)
            information += risk2 * (1 / sums).sum() - dead2 * (tied / sums).sum() - mean.T @ mean
    return total, gradient, information
