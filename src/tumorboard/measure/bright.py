"""What is bright on T1 before contrast agent, in and near the tumour: a sign that may be blood.

Why it exists: bleeding into a tumour is urgent, and susceptibility images, on which it is seen, are not read.
Methaemoglobin, from some days on, is brighter on T1 than any brain. So is fat, melanin, protein and some
calcification; and blood of the first days is not. What is found is called bright signal, never
blood, and none found excludes nothing.

Source: Bradley WG, Radiology 1993;189:15-26 (signal of blood by age). The numbers are those of
:mod:`tumorboard.respond.surgery.blood`, chosen on digital courses.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from tumorboard.labels import Tissue
from tumorboard.measure.sources import Files, source_of
from tumorboard.measurement import Measurement
from tumorboard.segment.space import distance_to, drop_small
from tumorboard.sequences import Sequence
from tumorboard.study import Study

if TYPE_CHECKING:
    from tumorboard.measure.study import Segmented

NORMAL_MM, NORMAL_ML = 10.0, 20.0
"""Brain so far from everything outlined is called normal, and so much of it is needed; chosen."""

BRIGHT_PERCENT = 99.5
"""Brighter than so much of normal brain; chosen."""

REACH_MM = 3.0
"""It is looked for in what is outlined and so far around; chosen: beyond lie dura and vessels."""

LEAST_ML = 0.05
"""Smaller parts are left out; chosen."""

METHOD = (
    f"Brighter on T1 before contrast agent than {BRIGHT_PERCENT:g} % of normal brain, in tumour and cavity and "
    f"{REACH_MM:g} mm around; parts of at least {LEAST_ML:g} mL. May be blood that is some days old, fat, melanin or "
    "protein; fresh blood is not bright. Numbers were chosen on digital patients."
)

NAME, REGION, UNIT = "t1_bright_volume", "WT", "mL"


def t1_bright(study: Study, segmented: Segmented, files: Files) -> Measurement:
    """Return the volume of what is bright on T1 in and near the tumour, or why it cannot be told.

    Parameters
    ----------
    study : Study
        Prepared.
    segmented : Segmented
        Labels on the study's grid.
    files : Files
        Names for the source.

    Examples
    --------
    >>> from tumorboard.labels import LabelMap
    >>> from tumorboard.measure.study import Segmented
    >>> from tumorboard.volume import Volume
    >>> i, j, k = np.indices((50, 50, 50)) - 25
    >>> r = np.sqrt(i**2 + j**2 + k**2)
    >>> labels = LabelMap.of(np.where(r < 8, np.uint8(2), np.uint8(0)), np.eye(4))
    >>> t1 = np.random.default_rng(0).normal(0, 1, r.shape) + np.where(r < 4, 9.0, 0.0)
    >>> study = Study("ses-01", {Sequence.T1: Volume(t1, labels.grid)}, r < 99)
    >>> found = t1_bright(study, Segmented(labels), Files())
    >>> bool(found.value == (r < 4).sum() / 1000), found.quality
    (True, 'proxy')
    """
    reason = _why_not(study, segmented)
    if reason:
        return Measurement.missing(NAME, REGION, UNIT, reason)
    data, spacing = segmented.labels.data, study.grid.spacing_mm
    away = distance_to(data > 0, spacing)
    normal = study.brain & (away > NORMAL_MM)
    if normal.sum() * study.grid.voxel_volume_ml < NORMAL_ML:
        told = f"there are less than {NORMAL_ML:g} mL of normal brain to compare with"
        return Measurement.missing(NAME, REGION, UNIT, told)
    t1: NDArray[np.floating] = study.volumes[Sequence.T1].data
    bright = study.brain & (away <= REACH_MM) & (t1 > np.percentile(t1[normal], BRIGHT_PERCENT))
    bright = drop_small(bright, LEAST_ML, spacing)
    source = source_of(bright if bright.any() else data > 0, files.labels, tuple(int(t) for t in Tissue))
    return Measurement(
        name=NAME,
        region=REGION,
        value=float(bright.sum()) * study.grid.voxel_volume_ml,
        unit=UNIT,
        method=METHOD,
        source=source,
        quality="proxy",
    )


def _why_not(study: Study, segmented: Segmented) -> str:
    if Sequence.T1 not in study.volumes:
        return "T1 not given"
    if "WT" in segmented.not_assessable:
        return segmented.not_assessable["WT"]
    return "" if (segmented.labels.data > 0).any() else "no tumour was found to look in"
