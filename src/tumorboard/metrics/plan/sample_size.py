"""How many patients a new prediction model needs, for binary, survival and continuous outcomes: every criterion.

Why it exists: "ten events a variable" is a rule of thumb that fails both ways. These criteria ask for little
overfitting, for an honest difference between apparent and true fit, and for the mean and the spread of the outcome to
be known; the greatest of their numbers is the least to recruit.

Source: Riley RD et al. BMJ 2020;368:m441; Stat Med 2019;38:1262-1275 (continuous) and 1276-1296 (binary, survival); van
Smeden M et al. Stat Methods Med Res 2019;28:2455-2474 (mean absolute error); Riley RD et al. Stat Med
2021;40:859-864 (Cox and Snell's R2 from a C statistic).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tumorboard.errors import InputError
from tumorboard.metrics.estimate import normal_quantile

SHRINKAGE = 0.9
"""Least expected shrinkage factor."""
OPTIMISM = 0.05
"""Most difference between apparent and adjusted R2 (Nagelkerke's where it has a maximum)."""
MARGIN = 0.05
"""Most error of the overall risk."""
RATIO = 1.1
"""Most multiplicative error of the intercept and the residual spread."""
_MOST = 10_000_000
_WHERE = "sample size"


@dataclass(frozen=True, slots=True)
class Criterion:
    """One criterion.

    Parameters
    ----------
    name : str
        What it is for.
    n : int
        Patients it asks for.
    """

    name: str
    n: int


@dataclass(frozen=True, slots=True)
class SampleSize:
    """The least number of patients.

    Parameters
    ----------
    n : int
        The greatest of the criteria.
    events : int
        Expected among them; ``n`` where the outcome is continuous.
    per_parameter : float
        Events for each parameter of the model; NaN where the question is validation.
    criteria : tuple of Criterion
    """

    n: int
    events: int
    per_parameter: float
    criteria: tuple[Criterion, ...]

    @property
    def driver(self) -> str:
        """Name of the criterion that asks for most."""
        return max(self.criteria, key=lambda c: c.n).name


def round_up(value: float) -> int:
    """Return the next whole number of patients; what is whole but for rounding stays.

    Examples
    --------
    >>> round_up(401.0000000001), round_up(401.1)
    (401, 402)
    """
    return math.ceil(value - 1e-9)


def require(right: bool, expected: str, got: float) -> None:
    """Refuse an assumption that is out of range.

    Raises
    ------
    InputError
        It is not right.

    Examples
    --------
    >>> require(True, "a prevalence between 0 and 1", 0.2)
    """
    if not right:
        raise InputError(expected, got=f"{got:g}", where=_WHERE)


def shrunk(parameters: int, r2: float, shrinkage: float) -> int:
    """Return how many patients let a model shrink no more than to that factor.

    Examples
    --------
    >>> shrunk(24, 0.288, 0.9)
    623
    """
    return round_up(parameters / ((shrinkage - 1) * math.log(1 - r2 / shrinkage)))


def most_r2_binary(prevalence: float) -> float:
    """Return the greatest Cox and Snell R2 that a binary outcome allows.

    Examples
    --------
    >>> round(most_r2_binary(0.174), 3)
    0.603
    """
    require(0 < prevalence < 1, "a prevalence between 0 and 1", prevalence)
    bare = prevalence * math.log(prevalence) + (1 - prevalence) * math.log(1 - prevalence)
    return 1 - math.exp(2 * bare)


def r2_from_c(c_statistic: float, prevalence: float) -> float:
    """Return the Cox and Snell R2 of a model with that C statistic, its scores normal with one spread in both classes.

    Parameters
    ----------
    c_statistic : float
        Between 0.5 and 1.
    prevalence : float
        Between 0 and 1.

    Raises
    ------
    InputError
        One of them lies outside.

    Examples
    --------
    >>> round(r2_from_c(0.89, 0.174), 2)
    0.29
    """
    from scipy.special import ndtri

    require(0.5 < c_statistic < 1, "a C statistic between 0.5 and 1", c_statistic)
    most = most_r2_binary(prevalence)
    apart = math.sqrt(2) * float(ndtri(c_statistic))
    z = np.linspace(-9, 9, 4001)
    weight = np.exp(-(z**2) / 2)
    weight /= weight.sum()
    # with equal spreads the logit is linear in the score, and these are its true coefficients
    at = [math.log(prevalence / (1 - prevalence)) + apart * (z + m) - apart**2 / 2 for m in (apart, 0.0)]
    fitted = -prevalence * (weight @ np.logaddexp(0, -at[0])) - (1 - prevalence) * (weight @ np.logaddexp(0, at[1]))
    return float(1 - math.exp(2 * (math.log(1 - most) / 2 - float(fitted))))


def development_binary(
    parameters: int,
    prevalence: float,
    r2: float | None = None,
    c_statistic: float | None = None,
    mean_error: float | None = None,
) -> SampleSize:
    """Return the sample size to develop a model of a binary outcome.

    Parameters
    ----------
    parameters : int
        That are candidates: a category of k levels counts k - 1.
    prevalence : float
        Of the event.
    r2 : float, optional
        Cox and Snell's, expected of the model.
    c_statistic : float, optional
        Instead of ``r2``; see :func:`r2_from_c`.
    mean_error : float, optional
        Most mean absolute error of predicted risks, such as 0.05; adds that criterion, which was made for up to 30
        parameters and a prevalence of up to 0.5.

    Returns
    -------
    SampleSize

    Raises
    ------
    InputError
        Not exactly one of ``r2`` and ``c_statistic``, or a number out of range.

    Examples
    --------
    >>> found = development_binary(24, 0.174, r2=0.288)
    >>> found.n, found.driver
    (662, 'optimism in fit')
    """
    require(parameters >= 1, "1 parameter or more", parameters)
    most = most_r2_binary(prevalence)
    fit = _fit(r2, c_statistic, prevalence)
    require(0 < fit < most, f"an R2 between 0 and its maximum {most:.3f}", fit)
    z = normal_quantile(0.95)
    found = [
        Criterion("little overfitting", shrunk(parameters, fit, SHRINKAGE)),
        Criterion("optimism in fit", shrunk(parameters, fit, fit / (fit + OPTIMISM * most))),
        Criterion("overall risk", round_up((z / MARGIN) ** 2 * prevalence * (1 - prevalence))),
    ]
    if mean_error is not None:
        require(0 < mean_error < 1, "a mean error between 0 and 1", mean_error)
        log = -0.508 + 0.259 * math.log(prevalence) + 0.504 * math.log(parameters) - math.log(mean_error)
        found.append(Criterion("mean absolute error", round_up(math.exp(log / 0.544))))
    n = max(c.n for c in found)
    return SampleSize(n, round_up(n * prevalence), n * prevalence / parameters, tuple(found))


def _fit(r2: float | None, c_statistic: float | None, prevalence: float) -> float:
    if (r2 is None) == (c_statistic is None):
        raise InputError("an R2 or a C statistic", got="both" if r2 is not None else "neither", where=_WHERE)
    return r2 if r2 is not None else r2_from_c(c_statistic or 0.0, prevalence)


def development_survival(parameters: int, rate: float, horizon: float, follow_up: float, r2: float) -> SampleSize:
    """Return the sample size to develop a model of survival.

    Parameters
    ----------
    parameters : int
        That are candidates.
    rate : float
        Of events, per unit of time.
    horizon : float
        At which risk is predicted, in that unit.
    follow_up : float
        Mean of it, in that unit.
    r2 : float
        Cox and Snell's, expected of the model.

    Returns
    -------
    SampleSize

    Raises
    ------
    InputError
        A number out of range.

    Examples
    --------
    >>> found = development_survival(30, rate=0.065, horizon=2, follow_up=2.07, r2=0.051)
    >>> found.n, found.events, round(found.per_parameter, 1)
    (5143, 692, 23.1)
    """
    require(parameters >= 1, "1 parameter or more", parameters)
    for value in (rate, horizon, follow_up):
        require(value > 0, "a rate and times above 0", value)
    each = rate * follow_up
    most = 1 - math.exp(2 * (each * math.log(each) - each))
    require(0 < r2 < most, f"an R2 between 0 and its maximum {most:.3f}", r2)
    apart = math.log(1 + MARGIN * math.exp(rate * horizon)) / horizon  # error of the rate that moves the risk so far
    found = (
        Criterion("little overfitting", shrunk(parameters, r2, SHRINKAGE)),
        Criterion("optimism in fit", shrunk(parameters, r2, r2 / (r2 + OPTIMISM * most))),
        Criterion("overall risk", round_up(rate / follow_up * (normal_quantile(0.95) / apart) ** 2)),
    )
    n = max(c.n for c in found)
    return SampleSize(n, round_up(n * each), n * each / parameters, found)


def development_continuous(parameters: int, r2: float, mean: float, spread: float) -> SampleSize:
    """Return the sample size to develop a model of a continuous outcome.

    Parameters
    ----------
    parameters : int
        That are candidates.
    r2 : float
        Adjusted, expected of the model.
    mean, spread : float
        Of the outcome: mean (not 0) and standard deviation.

    Returns
    -------
    SampleSize

    Raises
    ------
    InputError
        A number out of range.

    Examples
    --------
    >>> found = development_continuous(25, r2=0.2, mean=1.9, spread=0.6)
    >>> [criterion.n for criterion in found.criteria]
    [918, 401, 259, 38]
    """
    require(parameters >= 1, "1 parameter or more", parameters)
    require(0 < r2 < 1, "an R2 between 0 and 1", r2)
    require(spread > 0 and mean != 0, "a spread above 0 and a mean that is not 0", spread if mean else mean)
    found = (
        Criterion(
            "little overfitting",
            first_enough(lambda n: _expected_shrinkage(n, parameters, r2) >= SHRINKAGE, parameters),
        ),
        Criterion("optimism in fit", round_up(1 + parameters * (1 - r2) / OPTIMISM)),
        Criterion("residual spread", first_enough(lambda n: spread_error(n - parameters - 1) <= RATIO, parameters)),
        Criterion(
            "mean", first_enough(lambda n: _mean_error(n, parameters, r2, spread / abs(mean)) <= RATIO, parameters)
        ),
    )
    n = max(c.n for c in found)
    return SampleSize(n, n, n / parameters, found)


def first_enough(enough: Callable[[int], bool], parameters: int) -> int:
    """Return the least n from which on a criterion holds; it must hold for all greater ones.

    Parameters
    ----------
    enough : callable
        Whether so many patients are enough.
    parameters : int
        Of the model; n is greater by 3 at least.

    Raises
    ------
    InputError
        It never holds.

    Examples
    --------
    >>> first_enough(lambda n: n >= 100, 5)
    100
    """
    low, high = parameters + 2, parameters + 3
    while not enough(high):
        low, high = high, high * 2
        require(high < _MOST, "a criterion that can be met", high)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high


def _expected_shrinkage(n: int, p: int, r2: float) -> float:
    """Return the shrinkage of Copas for an adjusted R2, through the apparent one."""
    apparent = (r2 * (n - p - 1) + p) / (n - 1)
    return 1 + (p - 2) / (n * math.log(1 - apparent))


def spread_error(degrees: int) -> float:
    """Return the multiplicative error of a residual standard deviation at the ends of its 95 % interval.

    Examples
    --------
    >>> round(spread_error(234), 3)
    1.1
    """
    from scipy.special import chdtri

    # chdtri takes the upper tail
    wide, narrow = float(chdtri(degrees, 0.025)), float(chdtri(degrees, 0.975))
    return max(math.sqrt(wide / degrees), math.sqrt(degrees / narrow))


def _mean_error(n: int, p: int, r2: float, relative: float) -> float:
    from scipy.special import stdtrit

    return 1 + float(stdtrit(n - p - 1, 0.975)) * relative * math.sqrt((1 - r2) / n)
