"""What digital patients showed of outlines, and what follows from it: stretched intervals, weights of clues to Dice.

Why it exists: a single network and a joint opinion are calibrated in the same way; only where probabilities come from
differs.
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence as Several
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tumorboard.metrics.maps.overlap import dice
from tumorboard.networks.bundle import Calibration
from tumorboard.segment.calibrated import COVERAGE, INTERCEPT, OFFSET_ML, clues

JUDGED = ("WT", "TC", "ET", "RC")
"""Regions with intervals and predicted Dice."""

LEAST_STUDIES = 10
"""Fewer studies calibrate nothing."""

RIDGE = 1.0
"""Penalty on the weights of standardised clues: they say much the same, and patients are few."""


@dataclass(frozen=True)
class Judged:
    """What one study showed of one region.

    Parameters
    ----------
    region : str
        Name.
    true_ml, found_ml : float
        Volumes, mL.
    clues : dict of str to float
        See :func:`tumorboard.segment.calibrated.clues`.
    dice : float
        Against the truth.
    """

    region: str
    true_ml: float
    found_ml: float
    clues: dict[str, float]
    dice: float


def judged(
    region: str,
    probability: NDArray[np.float32],
    masks: tuple[NDArray[np.bool_], NDArray[np.bool_]],
    voxel_ml: float,
    hints: Mapping[str, float] | None = None,
) -> Judged:
    """Compare a region's outline with the truth.

    Parameters
    ----------
    region : str
        Name.
    probability : ndarray of float32, shape (i, j, k)
        Of the region.
    masks : (ndarray of bool, ndarray of bool), each of shape (i, j, k)
        What was outlined, and the truth.
    voxel_ml : float
        Volume of a voxel.
    hints : mapping of str to float, optional
        Of the members of a joint opinion.

    Returns
    -------
    Judged

    Examples
    --------
    >>> mask = np.array([True, True, False])
    >>> judged("WT", mask.astype(np.float32), (mask, mask), 1.0).dice
    1.0
    """
    found, true = masks
    told = clues(probability, found, voxel_ml, hints)
    return Judged(region, float(true.sum()) * voxel_ml, float(found.sum()) * voxel_ml, told, dice(true, found))


def calibration_of(studies: Several[Several[Judged]]) -> Calibration:
    """Return what follows from studies for intervals and expected Dice, and nothing else.

    Parameters
    ----------
    studies : sequence of sequence of Judged
        One a study, of the regions that could be looked for.

    Examples
    --------
    >>> calibration_of([()]).patients, calibration_of([()]).volume_low
    (1, {})
    """
    rows = tuple(row for study in studies for row in study)
    low, high = stretch(rows)
    return Calibration(
        volume_low=low, volume_high=high, offset_ml=OFFSET_ML, dice=dice_weights(rows), patients=len(studies)
    )


def stretch(rows: tuple[Judged, ...]) -> tuple[dict[str, float], dict[str, float]]:
    """Return by how much the width must be stretched below and above, so that both tails hold half the rest.

    However small a true volume is, it counts: where it is left out, intervals miss it. Volumes are larger by
    :data:`~tumorboard.segment.calibrated.OFFSET_ML`, so that ratios of crumbs do not decide.

    Examples
    --------
    >>> stretch(())
    ({}, {})
    """
    low, high = {}, {}
    for region in JUDGED:
        used = [r for r in rows if r.region == region and r.true_ml > 0 and r.found_ml > 0]
        if len(used) < LEAST_STUDIES:
            continue
        ratios = [(r.found_ml + OFFSET_ML) / (r.true_ml + OFFSET_ML) for r in used]
        scores = np.log(ratios) / [r.clues["unsure"] for r in used]
        level = min(1.0, (1 - (1 - COVERAGE) / 2) * (1 + 1 / len(used)))
        low[region] = max(0.0, float(np.quantile(scores, level)))
        high[region] = max(0.0, float(np.quantile(-scores, level)))
    return low, high


def dice_weights(rows: tuple[Judged, ...]) -> dict[str, dict[str, float]]:
    """Return the weights of the clues to the true Dice by ridge regression, by region; the intercept among them.

    Studies in which a region neither is nor was found say nothing of its outline.

    Examples
    --------
    >>> dice_weights(())
    {}
    """
    out = {}
    for region in JUDGED:
        used = [r for r in rows if r.region == region and r.true_ml + r.found_ml > 0]
        if len(used) < LEAST_STUDIES:
            continue
        names = sorted(set.intersection(*(set(r.clues) for r in used)))
        x, y = np.array([[r.clues[n] for n in names] for r in used]), np.array([r.dice for r in used])
        mean, spread = x.mean(axis=0), np.maximum(x.std(axis=0), 1e-6)
        z = (x - mean) / spread
        weights = np.linalg.solve(z.T @ z + RIDGE * np.eye(len(names)), z.T @ (y - y.mean())) / spread
        told = {INTERCEPT: float(y.mean() - weights @ mean)}
        out[region] = told | {n: float(w) for n, w in zip(names, weights, strict=True)}
    return out
