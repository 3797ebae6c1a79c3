"""Dice and HD95 lesion by lesion, as the BraTS challenges score since 2023.

Why it exists: the Dice of a whole image is that of the largest lesion; who misses the small ones, or
invents some, hardly pays. Here every lesion counts alike. Parts of the reference that nearly touch are
one lesion: they are joined where they meet after dilation. All parts of the prediction that meet a
lesion's dilation are its answer; a lesion without one, and a part that answers none, score Dice 0 and
the penalty. Small lesions of the reference are ignored, and so is what answers them. Both empty: 1 and
0 mm. It refuses masks on two grids, and it does not join lesions across tissues, as the code of BraTS
2024 does for gliomas after surgery.

Source: Saluja R et al., lesion-wise metrics of BraTS 2023 (github.com/rachitsaluja/BraTS-2023-Metrics);
Moawad AW et al., The Brain Tumor Segmentation (BraTS-METS) Challenge 2023, arXiv 2306.00838. HD95 here is
that of :mod:`tumorboard.metrics.maps.surface` (voxel centres); theirs weighs surface elements by area.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field
from scipy import ndimage as ndi

from tumorboard.metrics.maps.components import Numbers, components, shared_voxels
from tumorboard.metrics.maps.overlap import Mask, as_masks, dice
from tumorboard.metrics.maps.surface import Spacing, check_spacing, image_diagonal_mm, surface_distances
from tumorboard.volume import box_around

Box = tuple[slice, ...]


class LesionRules(BaseModel):
    """What is one lesion, what answers it, and what a miss costs.

    Examples
    --------
    >>> LesionRules(dilations=1).least_ml
    0.05
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    dilations: int = Field(default=3, ge=0, description="steps by the 18 nearest voxels; BraTS 2023: 3, metastases 1")
    least_ml: float = Field(
        default=0.05, ge=0, description="lesions of at most this volume are ignored; BraTS 2023: 0.05, metastases 0.002"
    )
    penalty_mm: float | None = Field(
        default=374.0, ge=0, description="HD95 of a miss or an invention; None: the diagonal of the image"
    )


BRATS_2023_GLI = LesionRules()
"""Gliomas (2023): pieces up to six voxels apart are one lesion; from 51 voxels of 1 mm."""

BRATS_2023_MET = LesionRules(dilations=1, least_ml=0.002)
"""Metastases (2023): pieces up to two voxels apart are one lesion; from 3 voxels of 1 mm."""


class LesionScore(BaseModel):
    """How well one lesion of the reference was answered."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    volume_ml: float
    answered_by: int = Field(description="parts of the prediction that meet it; 0: missed")
    dice: float
    hd95_mm: float


class LesionWise(BaseModel):
    """Scores of all lesions of one region, and their mean."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rules: LesionRules
    dice: float = Field(description="mean over answered, missed and invented lesions")
    hd95_mm: float = Field(description="mean over the same")
    answered: int = Field(description="true positives: lesions of the reference that were found")
    missed: int = Field(description="false negatives")
    invented: int = Field(description="false positives: parts of the prediction that meet no lesion")
    ignored: int = Field(description="lesions of the reference that are too small to count")
    lesions: tuple[LesionScore, ...] = Field(description="those that count, in the order of the image")


def lesion_wise(ref: Any, pred: Any, spacing_mm: Spacing, rules: LesionRules = BRATS_2023_GLI) -> LesionWise:
    """Score a prediction lesion by lesion.

    Parameters
    ----------
    ref, pred : array_like of bool, shape (i, j, k)
        One region, on one grid.
    spacing_mm : tuple of float
        Voxel size along i, j, k, mm.
    rules : LesionRules
        What counts as a lesion, and what a miss costs.

    Returns
    -------
    LesionWise
        Dice 1 and HD95 0 mm when nothing counts and nothing was invented.

    Raises
    ------
    GeometryError
        The shapes differ, or a voxel size is not above 0.

    Examples
    --------
    >>> ref = np.zeros((40, 9, 9), bool); ref[2:7, 2:7, 2:7] = True; ref[25:30, 2:7, 2:7] = True
    >>> pred = ref.copy(); pred[25:30] = False
    >>> found = lesion_wise(ref, pred, (1.0, 1.0, 1.0))
    >>> found.dice, found.hd95_mm, found.answered, found.missed
    (0.5, 187.0, 1, 1)
    """
    a, b = as_masks(ref, pred)
    check_spacing(spacing_mm, a.ndim)
    penalty = image_diagonal_mm(a.shape, spacing_mm) if rules.penalty_mm is None else rules.penalty_mm
    box = box_around(a | b) or (slice(0, 1),) * 3
    a, b = a[box], b[box]  # dilations that meet outside it meet at its edge too
    grown = components(_dilated(a, rules.dilations))
    parts = components(b)
    pairs, _ = shared_voxels(grown, parts)
    scores = _scores(np.where(a, grown, 0), parts, pairs, spacing_mm, penalty)
    counted = tuple(s for s in scores if s.volume_ml > rules.least_ml * (1 + 1e-9))
    invented = int(parts.max(initial=0)) - len(np.unique(pairs[:, 1]))
    return _summary(rules, counted, len(scores) - len(counted), invented, penalty)


def _dilated(mask: Mask, steps: int) -> Mask:
    if not steps:  # scipy takes 0 for "until nothing changes"
        return mask
    return np.asarray(ndi.binary_dilation(mask, ndi.generate_binary_structure(3, 2), iterations=steps))


def _scores(lesions: Numbers, parts: Numbers, pairs: Numbers, spacing_mm: Spacing, penalty: float) -> list[LesionScore]:
    lesion_boxes, part_boxes = ndi.find_objects(lesions), ndi.find_objects(parts)
    scores = []
    for number, own in enumerate(lesion_boxes, 1):
        answers = pairs[pairs[:, 0] == number, 1]
        box = _joined([own, *(part_boxes[n - 1] for n in answers)])
        lesion, answer = lesions[box] == number, np.isin(parts[box], answers)
        hd95 = surface_distances(lesion, answer, spacing_mm).hd95_mm if len(answers) else penalty
        volume_ml = int(np.count_nonzero(lesion)) * float(np.prod(spacing_mm)) / 1000.0
        score = LesionScore(volume_ml=volume_ml, answered_by=len(answers), dice=dice(lesion, answer), hd95_mm=hd95)
        scores.append(score)
    return scores


def _joined(boxes: list[Box]) -> Box:
    return tuple(slice(min(s.start for s in axis), max(s.stop for s in axis)) for axis in zip(*boxes, strict=True))


def _summary(
    rules: LesionRules, lesions: tuple[LesionScore, ...], ignored: int, invented: int, penalty: float
) -> LesionWise:
    total = len(lesions) + invented
    answered = sum(s.answered_by > 0 for s in lesions)
    return LesionWise(
        rules=rules,
        dice=sum(s.dice for s in lesions) / total if total else 1.0,
        hd95_mm=(sum(s.hd95_mm for s in lesions) + invented * penalty) / total if total else 0.0,
        answered=answered,
        missed=len(lesions) - answered,
        invented=invented,
        ignored=ignored,
        lesions=lesions,
    )
