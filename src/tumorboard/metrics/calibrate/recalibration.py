"""Making probabilities right again: logistic, beta and isotonic recalibration, fitted on patients of their own.

Why it exists: a model that travels keeps its order of patients but not its probabilities. A recalibration is fitted on
patients that neither trained nor judge the model, holds only numbers (no pickle), and says on how many it was fitted.

Source: Platt JC. Advances in large margin classifiers, 1999:61-74, and Cox DR. Biometrika 1958;45:562-565 (logistic);
Kull M et al. Electron J Stat 2017;11:5052-5080 (beta); Zadrozny B, Elkan C. KDD 2002:694-699 (isotonic).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike

from tumorboard.errors import InputError, did_you_mean
from tumorboard.metrics.calibrate.logistic import NEAREST, expit, fit_logistic, logit
from tumorboard.metrics.checked import Flags, Floats, checked_floats, checked_probabilities


class Recalibration(Protocol):
    """A fitted map from probabilities to probabilities."""

    @property
    def patients(self) -> int:
        """On how many patients it was fitted."""

    def apply(self, probabilities: ArrayLike) -> Floats:
        """Return recalibrated probabilities, shape (n,)."""


def _checked(probabilities: ArrayLike) -> Floats:
    p = checked_floats(probabilities, "probabilities")
    if ((p < 0) | (p > 1)).any():
        raise InputError("probabilities from 0 to 1", got="a number outside", where="recalibration")
    return p


@dataclass(frozen=True, slots=True)
class LogisticRecalibration:
    """The logit times a slope plus an intercept.

    Parameters
    ----------
    intercept, slope : float
    patients : int
        On how many it was fitted.
    """

    intercept: float
    slope: float
    patients: int

    def apply(self, probabilities: ArrayLike) -> Floats:
        """Return recalibrated probabilities, shape (n,).

        Raises
        ------
        InputError
            Something that is no probability.
        """
        return expit(self.intercept + self.slope * logit(_checked(probabilities)))


@dataclass(frozen=True, slots=True)
class BetaRecalibration:
    """The logit a·ln p - b·ln(1 - p) + c, with a and b not below 0.

    Parameters
    ----------
    a, b, c : float
    patients : int
        On how many it was fitted.
    """

    a: float
    b: float
    c: float
    patients: int

    def apply(self, probabilities: ArrayLike) -> Floats:
        """Return recalibrated probabilities, shape (n,).

        Raises
        ------
        InputError
            Something that is no probability.
        """
        up, down = _logs(_checked(probabilities))
        return expit(self.a * up + self.b * down + self.c)


@dataclass(frozen=True, slots=True)
class IsotonicRecalibration:
    """Steps that never fall, straight between their corners, flat beyond.

    Parameters
    ----------
    predicted, observed : tuple of float
        Corners.
    patients : int
        On how many it was fitted.
    """

    predicted: tuple[float, ...]
    observed: tuple[float, ...]
    patients: int

    def apply(self, probabilities: ArrayLike) -> Floats:
        """Return recalibrated probabilities, shape (n,).

        Raises
        ------
        InputError
            Something that is no probability.
        """
        return np.asarray(np.interp(_checked(probabilities), self.predicted, self.observed), dtype=np.float64)


def _logs(p: Floats) -> tuple[Floats, Floats]:
    q = np.clip(p, NEAREST, 1 - NEAREST)
    return np.asarray(np.log(q)), np.asarray(-np.log1p(-q))


def _coefficients(columns: list[Floats], y: Flags) -> Floats:
    fit = fit_logistic(np.column_stack([*columns, np.ones(len(y))]), y)
    if fit is None:
        remedy = "give more patients, or use isotonic"
        expected = "predictions that vary and do not part the classes"
        raise InputError(expected, got="others", where="recalibration", remedy=remedy)
    return fit.coefficients


def _logistic(y: Flags, p: Floats) -> Recalibration:
    slope, intercept = _coefficients([logit(p)], y)
    return LogisticRecalibration(float(intercept), float(slope), len(y))


def _beta(y: Flags, p: Floats) -> Recalibration:
    up, down = _logs(p)
    a, b, c = _coefficients([up, down], y)
    if a < 0:  # as in the paper, a coefficient that would fall is left out
        (b, c), a = _coefficients([down], y), 0.0
    elif b < 0:
        (a, c), b = _coefficients([up], y), 0.0
    return BetaRecalibration(max(float(a), 0.0), max(float(b), 0.0), float(c), len(y))


def _isotonic(y: Flags, p: Floats) -> Recalibration:
    from sklearn.isotonic import IsotonicRegression

    fit = IsotonicRegression(y_min=0.0, y_max=1.0, out_of_bounds="clip").fit(p, y.astype(np.float64))
    return IsotonicRecalibration(tuple(fit.X_thresholds_.tolist()), tuple(fit.y_thresholds_.tolist()), len(y))


RECALIBRATIONS: dict[str, Callable[[Flags, Floats], Recalibration]] = {
    "logistic": _logistic,
    "beta": _beta,
    "isotonic": _isotonic,
}
"""Ways to recalibrate, by name."""


def fit_recalibration(truth: ArrayLike, probabilities: ArrayLike, how: str = "logistic") -> Recalibration:
    """Fit a recalibration on patients that neither trained the model nor will judge it.

    Parameters
    ----------
    truth : array_like of bool, shape (n,)
        Whether each had the event.
    probabilities : array_like of float, shape (n,)
        Of the event, out of sample.
    how : {'logistic', 'beta', 'isotonic'}
        Two, three, or as many numbers as needed; isotonic wants some hundreds of patients.

    Returns
    -------
    Recalibration
        With ``apply``.

    Raises
    ------
    InputError
        One class only, an unknown way, predictions that part the classes, or as
        :func:`~.checked.checked_probabilities`.

    Examples
    --------
    >>> truth = [0, 0, 0, 1] * 5 + [0, 1, 1, 1] * 5
    >>> fitted = fit_recalibration(truth, [0.1] * 20 + [0.9] * 20)
    >>> fitted.apply([0.1, 0.5, 0.9]).round(3).tolist()
    [0.25, 0.5, 0.75]
    """
    if how not in RECALIBRATIONS:
        remedy = did_you_mean(how, RECALIBRATIONS)
        raise InputError(f"a way of {', '.join(RECALIBRATIONS)}", got=repr(how), where="recalibration", remedy=remedy)
    y, p = checked_probabilities(truth, probabilities)
    if y.all() or not y.any():
        raise InputError("patients of both classes", got="of one", where="recalibration")
    return RECALIBRATIONS[how](y, p)
