"""Calibrate a joint opinion on digital patients that none of its members learned from.

Why it exists: the members are calibrated one by one, but ``run`` reports what they say together.
"""

from __future__ import annotations

from collections.abc import Iterable

from tumorboard.labels import LabelMap
from tumorboard.learn.calibrate import Calibrated
from tumorboard.learn.judged import JUDGED, Judged, dice_weights, judged, stretch
from tumorboard.networks.bundle import Calibration
from tumorboard.segment.base import Segmentation
from tumorboard.segment.calibrated import OFFSET_ML
from tumorboard.segment.fused import FusedSegmenter, hints
from tumorboard.study import Study


def calibrate_joint(segmenter: FusedSegmenter, cases: Iterable[tuple[Study, LabelMap]]) -> Calibrated:
    """Estimate what intervals and expected Dice of a joint opinion should be.

    Parameters
    ----------
    segmenter : FusedSegmenter
        Its own calibration does not matter.
    cases : iterable of (Study, LabelMap)
        Prepared digital studies and their truth on the study's grid.

    Returns
    -------
    Calibrated
        Without temperature and quantiles: members have their own.
    """
    rows: list[Judged] = []
    count = 0
    for study, truth in cases:
        count += 1
        given = [member.segment(study) for member in segmenter.segmenters]
        found = segmenter.fused(given)
        rows += rows_of(found, hints(given, found.labels), truth)
    low, high = stretch(tuple(rows))
    weights = dice_weights(tuple(rows))
    calibration = Calibration(volume_low=low, volume_high=high, offset_ml=OFFSET_ML, dice=weights, patients=count)
    return Calibrated(calibration, tuple(rows))


def rows_of(found: Segmentation, told: dict[str, dict[str, float]], truth: LabelMap) -> list[Judged]:
    """Compare every region that was looked for with the truth."""
    ml = truth.grid.voxel_volume_ml
    return [
        judged(r, v.data, (found.labels.region(r), truth.region(r)), ml, told.get(r))
        for r, v in found.probabilities.items()
        if r in JUDGED and r not in found.not_assessable
    ]
