"""How sure a network is of a volume and of itself: intervals and predicted Dice, calibrated on digital patients.

Why it exists: a volume without an interval is compared with another as if both were exact. The width follows from
the probabilities of this very patient; how far it must be stretched was found on digital patients that the network
had not learned from. Digital patients are not people: in people intervals may be too narrow, and outputs say so.

Source: normalised split conformal prediction - Lei J et al., J Am Stat Assoc 2018;113:1094-1111; Dice expected from
probabilities as in Li X et al., MIDL 2022 (expected confusion matrix).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from tumorboard.networks.bundle import Calibration

Float = NDArray[np.float32]
Mask = NDArray[np.bool_]

NARROW, WIDE = 0.8, 0.2
"""Probabilities between whose volumes the network is unsure; chosen."""

CRUMB_ML = 0.05
"""Added to both volumes, so that the width of a tiny lesion is finite."""

OFFSET_ML = 0.2
"""Added to volumes before their ratio is taken, so that an interval of a small lesion may begin at zero; chosen."""

INTERCEPT = "intercept"
"""Name of the constant among the weights of the clues."""

COVERAGE = 0.9
"""Share of digital patients whose true volume lies in the interval."""


def unsureness(probability: Float, voxel_ml: float) -> float:
    """Return the logarithm of the ratio of the volumes above a low and above a high probability.

    Examples
    --------
    >>> p = np.array([0.9, 0.9, 0.5, 0.0], np.float32)
    >>> round(unsureness(p, 1.0), 3)
    0.447
    """
    wide, narrow = (float((probability > level).sum()) * voxel_ml for level in (WIDE, NARROW))
    return float(np.log((wide + CRUMB_ML) / (narrow + CRUMB_ML))) + 0.05


def volume_interval(
    region: str, probability: Float, mask: Mask, voxel_ml: float, calibration: Calibration
) -> tuple[float, float] | None:
    """Return the 90 % interval of a region's volume in mL, or None where nothing was outlined or calibrated.

    Parameters
    ----------
    region : str
        Name.
    probability : ndarray of float32, shape (i, j, k)
        Calibrated.
    mask : ndarray of bool, shape (i, j, k)
        What was outlined.
    voxel_ml : float
        Volume of a voxel.
    calibration : Calibration
        Of the network.

    Returns
    -------
    (float, float) or None
        mL.

    Examples
    --------
    >>> how = Calibration(volume_low={"WT": 1.0}, volume_high={"WT": 2.0})
    >>> p = np.array([0.9, 0.9, 0.9, 0.5], np.float32)
    >>> low, high = volume_interval("WT", p, p > 0.6, 1.0, how)
    >>> low < 3.0 < high
    True
    """
    if not mask.any() or region not in calibration.volume_low:
        return None
    return bounds_ml(region, float(mask.sum()) * voxel_ml, unsureness(probability, voxel_ml), calibration)


def bounds_ml(region: str, volume_ml: float, width: float, calibration: Calibration) -> tuple[float, float]:
    """Return the 90 % interval of a volume in mL whose :func:`unsureness` is ``width``; not below zero.

    Examples
    --------
    >>> how = Calibration(volume_low={"WT": 1.0}, volume_high={"WT": 1.0}, offset_ml=0.2)
    >>> [round(bound, 2) for bound in bounds_ml("WT", 0.1, 1.0, how)]
    [0.0, 0.62]
    """
    low, high, more = calibration.volume_low[region], calibration.volume_high[region], calibration.offset_ml
    least, most = (volume_ml + more) * np.exp([-low * width, high * width]) - more
    return max(0.0, float(least)), float(most)


def expected_dice(probability: Float, mask: Mask) -> float:
    """Return the Dice that probabilities promise for a mask; 1 where neither holds anything.

    Examples
    --------
    >>> p = np.array([1.0, 1.0, 0.0], np.float32)
    >>> expected_dice(p, p > 0.5)
    1.0
    """
    total = float(mask.sum()) + float(probability.sum())
    return 2.0 * float(probability[mask].sum()) / total if total > 0 else 1.0


def clues(
    probability: Float, mask: Mask, voxel_ml: float, hints: Mapping[str, float] | None = None
) -> dict[str, float]:
    """Return what tells how good an outline is before anybody has judged it.

    Parameters
    ----------
    probability : ndarray of float32, shape (i, j, k)
        Of a region.
    mask : ndarray of bool, shape (i, j, k)
        What was outlined.
    voxel_ml : float
        Volume of a voxel.
    hints : mapping of str to float, optional
        Of the members of a joint opinion, see :func:`tumorboard.segment.fused.hints`.

    Returns
    -------
    dict of str to float
        ``expected``: :func:`expected_dice`; ``size``: logarithm of the volume in mL; ``unsure``: :func:`unsureness`;
        the hints.

    Examples
    --------
    >>> p = np.array([0.9, 0.9, 0.0], np.float32)
    >>> {name: round(value, 2) for name, value in clues(p, p > 0.5, 1.0, {'agreement': 0.7}).items()}
    {'expected': 0.95, 'size': 0.72, 'unsure': 0.05, 'agreement': 0.7}
    """
    return {
        "expected": expected_dice(probability, mask),
        "size": float(np.log(float(mask.sum()) * voxel_ml + CRUMB_ML)),
        "unsure": unsureness(probability, voxel_ml),
        **(hints or {}),
    }


def predicted_dice(region: str, found: Mapping[str, float], calibration: Calibration) -> float | None:
    """Return the Dice that digital patients with such clues had, 0 to 1; None where not calibrated.

    Examples
    --------
    >>> how = Calibration(dice={"WT": {"intercept": 0.1, "expected": 0.8}})
    >>> round(predicted_dice("WT", {"expected": 0.9, "size": 2.0}, how), 2)
    0.82
    >>> predicted_dice("ET", {"expected": 0.9}, how) is None
    True
    """
    weights = calibration.dice.get(region)
    if weights is None or any(name not in found for name in weights if name != INTERCEPT):
        return None
    value = sum(weight * (1.0 if name == INTERCEPT else found[name]) for name, weight in weights.items())
    return float(np.clip(value, 0.0, 1.0))


def told(
    found: Mapping[str, tuple[Float, Mask]],
    voxel_ml: float,
    calibration: Calibration,
    hints: Mapping[str, Mapping[str, float]] | None = None,
) -> tuple[dict[str, tuple[float, float]], dict[str, float]]:
    """Return the intervals of volumes in mL and the expected Dice of all regions, where they are calibrated.

    Parameters
    ----------
    found : mapping of str to (ndarray of float32, ndarray of bool), each of shape (i, j, k)
        Probability and outline by region.
    voxel_ml : float
        Volume of a voxel.
    calibration : Calibration
        Of the network, or of the joint opinion.
    hints : mapping of str to (mapping of str to float), optional
        Of the members of a joint opinion, by region.

    Examples
    --------
    >>> how = Calibration(volume_low={"WT": 1.0}, volume_high={"WT": 2.0}, dice={"WT": {"intercept": 0.5}})
    >>> p = np.array([0.9, 0.9, 0.5], np.float32)
    >>> intervals, dices = told({"WT": (p, p > 0.6), "RC": (p, p > 0.6)}, 1.0, how)
    >>> list(intervals), dices
    (['WT'], {'WT': 0.5})
    """
    intervals: dict[str, tuple[float, float]] = {}
    dices: dict[str, float] = {}
    for region, (probability, mask) in found.items():
        interval = volume_interval(region, probability, mask, voxel_ml, calibration)
        own = clues(probability, mask, voxel_ml, (hints or {}).get(region))
        expected = predicted_dice(region, own, calibration)
        intervals |= {} if interval is None else {region: interval}
        dices |= {} if expected is None else {region: expected}
    return intervals, dices
