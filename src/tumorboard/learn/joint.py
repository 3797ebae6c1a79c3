"""Calibrate a joint opinion on digital patients that none of its members learned from.

Why it exists: the members are calibrated one by one, but ``run`` reports what they say together.
"""

from __future__ import annotations

from collections.abc import Iterable

from tumorboard.labels import LabelMap
from tumorboard.learn.calibrate import Calibrated
from tumorboard.learn.judged import JUDGED, Judged, calibration_of, judged
from tumorboard.segment.base import Segmentation
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
    by_study = []
    for study, truth in cases:
        given = [member.segment(study) for member in segmenter.segmenters]
        found = segmenter.fused(given)
        by_study.append(rows_of(found, hints(given, found.labels), truth))
    return Calibrated(calibration_of(by_study), tuple(row for rows in by_study for row in rows))


def rows_of(found: Segmentation, told: dict[str, dict[str, float]], truth: LabelMap) -> list[Judged]:
    """Compare every region that was looked for with the truth."""
    ml = truth.grid.voxel_volume_ml
    return [
        judged(r, v.data, (found.labels.region(r), truth.region(r)), ml, told.get(r))
        for r, v in found.probabilities.items()
        if r in JUDGED and r not in found.not_assessable
    ]
