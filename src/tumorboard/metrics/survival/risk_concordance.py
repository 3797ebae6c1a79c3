"""Harrell's and Uno's C of a risk: higher is earlier; rows may share a patient.

Why it exists: models of survival predict risks, :mod:`.concordance` takes scores that rise with survival; the sign is
turned here, once, and where rows share a patient the interval comes from drawing patients.

Source: as :mod:`.concordance`.
"""

from __future__ import annotations

from numpy.typing import ArrayLike

from tumorboard.metrics.checked import Floats, checked_floats
from tumorboard.metrics.estimate import LEVEL, Estimate
from tumorboard.metrics.resampling import Groups, bootstrap, shared
from tumorboard.metrics.survival.concordance import harrell_c, uno_c
from tumorboard.metrics.survival.kaplan_meier import Flags, checked_times


def risk_harrell_c(
    days: ArrayLike, events: ArrayLike, risk: ArrayLike, groups: Groups | None = None, level: float = LEVEL
) -> Estimate:
    """Return how often, of two patients, the one with the higher risk died first.

    Parameters
    ----------
    days : array_like of float, shape (n,)
        To death or to the end of follow-up.
    events : array_like of bool, shape (n,)
        Whether it was death.
    risk : array_like of float, shape (n,)
        Higher is earlier.
    groups : sequence, optional
        To which patient each row belongs; patients are then drawn.
    level : float
        Of the interval.

    Returns
    -------
    Estimate
        0.5 is chance. Missing where no pair can be compared.

    Raises
    ------
    InputError
        Lengths differ, or a value is not finite.

    Examples
    --------
    >>> risk_harrell_c([100, 200, 300, 400], [1, 1, 1, 0], [9, 8, 3, 1]).value
    1.0
    """
    t, d, r = _checked(days, events, risk)
    if shared(groups, len(t)) is None:
        return harrell_c(t, d, -r, level=level)
    return bootstrap(lambda rows: harrell_c(t[rows], d[rows], -r[rows]).value, len(t), groups, level)


def risk_uno_c(
    days: ArrayLike,
    events: ArrayLike,
    risk: ArrayLike,
    groups: Groups | None = None,
    level: float = LEVEL,
    tau: float | None = None,
) -> Estimate:
    """Return Uno's C of a risk.

    Parameters
    ----------
    days, events, risk, groups, level
        As :func:`risk_harrell_c`.
    tau : float, optional
        Deaths on or after this day do not count; by default all do.

    Returns
    -------
    Estimate
        0.5 is chance. Missing where no pair can be compared.

    Raises
    ------
    InputError
        As :func:`risk_harrell_c`; tau is not above 0.

    Examples
    --------
    >>> round(risk_uno_c([100, 200, 300, 400], [1, 0, 1, 1], [9, 8, 3, 4], tau=401).value, 3)
    0.571
    """
    t, d, r = _checked(days, events, risk)
    last = tau if tau is not None else float(t.max()) + 1 if len(t) else 1.0
    if shared(groups, len(t)) is None:
        return uno_c(t, d, -r, last, level)
    return bootstrap(lambda rows: uno_c(t[rows], d[rows], -r[rows], last).value, len(t), groups, level)


def _checked(days: ArrayLike, events: ArrayLike, risk: ArrayLike) -> tuple[Floats, Flags, Floats]:
    t, d = checked_times(days, events)
    return t, d, checked_floats(risk, "risk", len(t))
