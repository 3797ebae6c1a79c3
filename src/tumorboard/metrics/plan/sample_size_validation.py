"""How many patients an external validation needs, so that calibration and discrimination are known well enough.

Why it exists: a validation with thirty events cannot tell a good model from a useless one, and its failure to show harm
is then printed as success. The widths of the intervals are chosen first; the greatest number is the least to recruit.

Source: Riley RD et al. Stat Med 2021;40:4230-4251 (binary: O/E, slope, C, net benefit); Archer L et al. Stat Med
2021;40:133-146 (continuous); Newcombe RG. Stat Med 2006;25:559-573 (standard error of C).
"""

from __future__ import annotations

import math

import numpy as np

from tumorboard.errors import InputError
from tumorboard.metrics.calibrate.logistic import expit
from tumorboard.metrics.estimate import normal_quantile
from tumorboard.metrics.plan.sample_size import (
    RATIO,
    Criterion,
    SampleSize,
    first_enough,
    require,
    round_up,
    spread_error,
)

_Z = normal_quantile(0.95)


def validation_binary(
    prevalence: float,
    c_statistic: float,
    linear_predictor: tuple[float, float],
    oe_width: float = 0.2,
    slope_width: float = 0.2,
    c_width: float = 0.1,
) -> SampleSize:
    """Return the sample size to validate a model of a binary outcome.

    Parameters
    ----------
    prevalence : float
        Of the event in the patients to come.
    c_statistic : float
        Expected there.
    linear_predictor : (float, float)
        Mean and standard deviation of the model's logits there, taken as normal.
    oe_width, slope_width, c_width : float
        Of the 95 % intervals of O/E (at 1), of the calibration slope (at 1) and of the C statistic.

    Returns
    -------
    SampleSize

    Raises
    ------
    InputError
        A number out of range.

    Examples
    --------
    >>> found = validation_binary(0.018, 0.8, (-5.0, 2.5), oe_width=1.0)
    >>> {criterion.name: criterion.n for criterion in found.criteria}
    {'observed over expected': 906, 'calibration slope': 4554, 'C statistic': 4252}
    """
    require(0 < prevalence < 1, "a prevalence between 0 and 1", prevalence)
    require(0.5 < c_statistic < 1, "a C statistic between 0.5 and 1", c_statistic)
    for width in (oe_width, slope_width, c_width):
        require(width > 0, "a width above 0", width)
    error = math.asinh(oe_width / 2) / _Z  # of ln(O/E)
    found = (
        Criterion("observed over expected", round_up((1 - prevalence) / (prevalence * error**2))),
        Criterion("calibration slope", _slope(linear_predictor, slope_width / (2 * _Z))),
        Criterion("C statistic", first_enough(lambda n: c_error(n, c_statistic, prevalence) <= c_width / (2 * _Z), 0)),
    )
    n = max(c.n for c in found)
    return SampleSize(n, round_up(n * prevalence), math.nan, found)


def c_error(n: int, c_statistic: float, prevalence: float) -> float:
    """Return Newcombe's standard error of a C statistic.

    Parameters
    ----------
    n : int
        Patients.
    c_statistic, prevalence : float

    Examples
    --------
    >>> round(c_error(4252, 0.8, 0.018), 4)
    0.0255
    """
    c, half = c_statistic, n / 2 - 1
    above = c * (1 - c) * (1 + half * (1 - c) / (2 - c) + half * c / (1 + c))
    return math.sqrt(above / (n**2 * prevalence * (1 - prevalence)))


def _slope(linear_predictor: tuple[float, float], error: float) -> int:
    """Invert the information of intercept and slope, averaged over the predictor's distribution."""
    mean, spread = linear_predictor
    require(math.isfinite(mean) and spread > 0, "a mean and a standard deviation above 0", spread)
    z = np.linspace(-9, 9, 4001)
    weight = np.exp(-(z**2) / 2)
    x = mean + spread * z
    p = expit(x)
    each = weight / weight.sum() * p * (1 - p)
    one, cross, square = float(each.sum()), float(each @ x), float(each @ x**2)
    return round_up(one / (error**2 * (one * square - cross**2)))


def validation_net_benefit(
    prevalence: float, sensitivity: float, specificity: float, threshold: float, width: float = 0.2
) -> SampleSize:
    """Return the sample size to know a standardised net benefit.

    Parameters
    ----------
    prevalence : float
        Of the event.
    sensitivity, specificity : float
        Expected at the threshold.
    threshold : float
        Risk from which on one would act.
    width : float
        Of the 95 % interval of the net benefit over the prevalence.

    Raises
    ------
    InputError
        A number out of range.

    Examples
    --------
    >>> validation_net_benefit(0.2, 0.8, 0.7, 0.2).n
    625
    """
    for value in (prevalence, sensitivity, specificity, threshold):
        require(0 < value < 1, "shares between 0 and 1", value)
    require(width > 0, "a width above 0", width)
    weight = (1 - prevalence) / prevalence * threshold / (1 - threshold)
    spread = sensitivity * (1 - sensitivity) / prevalence
    spread += weight**2 * specificity * (1 - specificity) / (1 - prevalence)
    spread += weight**2 * (1 - specificity) ** 2 / (prevalence * (1 - prevalence))
    n = round_up(spread / (width / (2 * _Z)) ** 2)
    return SampleSize(n, round_up(n * prevalence), math.nan, (Criterion("net benefit", n),))


def validation_continuous(
    r2: float, spread: float, intercept_width: float, slope_width: float = 0.2, r2_width: float = 0.1
) -> SampleSize:
    """Return the sample size to validate a model of a continuous outcome, its slope expected to be 1.

    Parameters
    ----------
    r2 : float
        Expected in the patients to come.
    spread : float
        Standard deviation of the outcome there.
    intercept_width, slope_width, r2_width : float
        Of the 95 % intervals: of the mean error in the outcome's unit, of the calibration slope, of R2.

    Raises
    ------
    InputError
        A number out of range.

    Examples
    --------
    >>> found = validation_continuous(0.5, 20, intercept_width=5)
    >>> [criterion.n for criterion in found.criteria]
    [769, 123, 386, 235]
    """
    if not 0 < r2 < 1:
        raise InputError("an R2 between 0 and 1", got=f"{r2:g}", where="sample size")
    for value in (spread, intercept_width, slope_width, r2_width):
        require(value > 0, "a spread and widths above 0", value)
    r2_error, mean_error, slope_error = (w / (2 * _Z) for w in (r2_width, intercept_width, slope_width))
    found = (
        Criterion("explained variance", round_up(4 * r2 * (1 - r2) ** 2 / r2_error**2)),
        Criterion("mean error", round_up(spread**2 * (1 - r2) / mean_error**2)),
        Criterion("calibration slope", round_up((1 - r2) / (r2 * slope_error**2) + 1)),
        Criterion("residual spread", first_enough(lambda n: spread_error(n - 2) <= RATIO, 0)),
    )
    n = max(c.n for c in found)
    return SampleSize(n, n, math.nan, found)
