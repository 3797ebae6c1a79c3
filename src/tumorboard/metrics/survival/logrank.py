"""Do groups differ in survival: the log-rank test; and groups of risk, cut where training patients were cut.

Why it exists: cutting a score where the test is smallest finds a difference in noise. Cuts are quantiles of training
patients, or given; the test only looks.

Source: Mantel N. Cancer Chemother Rep 1966;50:163-170; Peto R, Peto J. J R Stat Soc A 1972;135:185-207; on cut points:
Altman DG et al. J Natl Cancer Inst 1994;86:829-835.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tumorboard.errors import InputError
from tumorboard.metrics.checked import Codes, Floats, checked_floats
from tumorboard.metrics.survival.kaplan_meier import checked_times


@dataclass(frozen=True, slots=True)
class LogRank:
    """A log-rank test.

    Parameters
    ----------
    statistic : float
        Chi-square; NaN where there is none.
    degrees : int
        Groups less one.
    p : float
        That survival is the same in all groups; NaN where there is none.
    observed, expected : tuple of float
        Deaths of each group, and those it would have had if all were alike.
    reason : str
        Why there is no test, else empty.
    """

    statistic: float
    degrees: int
    p: float
    observed: tuple[float, ...]
    expected: tuple[float, ...]
    reason: str = ""


def log_rank(days: ArrayLike, events: ArrayLike, groups: ArrayLike) -> LogRank:
    """Test whether survival is the same in two groups or more.

    Parameters
    ----------
    days : array_like of float, shape (n,)
        To death or to the end of follow-up.
    events : array_like of bool, shape (n,)
        Whether it was death.
    groups : array_like of int, shape (n,)
        Groups from 0.

    Returns
    -------
    LogRank
        Without a test where there is one group, or nobody died while two groups were at risk.

    Raises
    ------
    InputError
        Lengths differ, a day is negative, or a group that is not a number from 0.

    Examples
    --------
    >>> found = log_rank([100, 200, 300, 400, 500, 600], [1, 1, 1, 1, 1, 0], [0, 0, 0, 1, 1, 1])
    >>> round(found.statistic, 3), round(found.p, 3)
    (5.052, 0.025)
    """
    from scipy.stats import chi2

    t, d = checked_times(days, events)
    codes = checked_floats(groups, "groups of the log-rank test", len(t))
    if (codes < 0).any() or (codes != np.round(codes)).any():
        raise InputError("numbers from 0", got="another value", where="groups of the log-rank test")
    present = np.unique(codes)
    member = codes[:, None] == present
    when = np.unique(t[d])
    # shape (days, groups): at risk and died
    risk = np.array([member[t >= day].sum(axis=0) for day in when]).reshape(len(when), len(present))
    died = np.array([member[d & (t == day)].sum(axis=0) for day in when]).reshape(len(when), len(present))
    observed, expected, covariance = _sums(risk, died)
    kept = covariance[:-1, :-1]
    told = tuple(observed.tolist()), tuple(expected.tolist())
    if len(present) < 2 or np.linalg.matrix_rank(kept) < len(kept):
        reason = "one group only" if len(present) < 2 else "nobody died while these groups were at risk together"
        return LogRank(math.nan, max(len(present) - 1, 0), math.nan, *told, reason)
    away = (observed - expected)[:-1]
    statistic = float(away @ np.linalg.solve(kept, away))
    return LogRank(statistic, len(kept), float(chi2.sf(statistic, len(kept))), *told)


def _sums(risk: NDArray[np.int64], died: NDArray[np.int64]) -> tuple[Floats, Floats, Floats]:
    n, deaths = risk.sum(axis=1, dtype=np.float64), died.sum(axis=1, dtype=np.float64)
    share = risk / np.maximum(n, 1)[:, None]
    ties = np.divide(n - deaths, n - 1, out=np.zeros_like(n), where=n > 1) * deaths
    covariance = np.diag(ties @ share) - share.T @ (share * ties[:, None])
    return died.sum(axis=0).astype(np.float64), np.asarray(deaths @ share), np.asarray(covariance)


@dataclass(frozen=True, slots=True)
class RiskGroups:
    """Cuts of a risk, from training patients.

    Parameters
    ----------
    cuts : tuple of float
        Rising; a risk at or above a cut belongs to the higher group.
    names : tuple of str
        From the lowest risk up.
    """

    cuts: tuple[float, ...]
    names: tuple[str, ...]

    def apply(self, risk: ArrayLike) -> Codes:
        """Return the group of other patients, from 0 for the lowest risk.

        Raises
        ------
        InputError
            A risk that is not finite.
        """
        found = checked_floats(risk, "risk")
        return np.asarray(np.searchsorted(np.asarray(self.cuts), found, side="right"), dtype=np.intp)


_NAMES = {2: ("low", "high"), 3: ("low", "middle", "high")}


def risk_groups(training_risk: ArrayLike, number: int = 2) -> RiskGroups:
    """Cut a risk into groups of equal size on training patients.

    Parameters
    ----------
    training_risk : array_like of float, shape (n,)
        Of training patients, never of those to be judged.
    number : int
        Of groups; 2 cuts at the median.

    Raises
    ------
    InputError
        Fewer than two groups, fewer patients than groups, or a risk so often the same that no cut parts it.

    Examples
    --------
    >>> cut = risk_groups([1, 2, 3, 4])
    >>> cut.cuts, cut.apply([2.4, 2.5]).tolist()
    ((2.5,), [0, 1])
    """
    risk = checked_floats(training_risk, "training risk")
    if not 2 <= number <= max(len(risk), 2) or len(risk) < number:
        raise InputError(f"2 groups or more, and as many patients as {number}", got=f"{len(risk)}", where="risk groups")
    cuts = np.quantile(risk, np.arange(1, number) / number)
    sizes = np.bincount(np.searchsorted(cuts, risk, side="right"), minlength=number)
    if (sizes == 0).any():
        raise InputError(
            "a risk that differs between patients", got="one that is too often the same", where="risk groups"
        )
    names = _NAMES.get(number, tuple(f"group {place + 1}" for place in range(number)))
    return RiskGroups(tuple(cuts.tolist()), names)
