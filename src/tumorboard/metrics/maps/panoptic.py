"""Panoptic quality: how many instances were recognised, and how well those were outlined, in one number.

Why it exists: one large lesion outlined well hides five that were missed; here each instance counts once.
An instance of the prediction recognises one of the reference when their intersection over union exceeds
a threshold; each recognises at most one. Both maps empty: they agree (1). Nothing recognised though
something is there: quality 0, and the mean outline of no instance is None, never 0.

Source: Kirillov A et al., Panoptic segmentation, CVPR 2019:9404-9413, arXiv 1801.00868.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field
from scipy.optimize import linear_sum_assignment

from tumorboard.errors import InputError
from tumorboard.metrics.maps.components import Numbers, as_numbers, shared_voxels


class Match(BaseModel):
    """One instance of the reference and that which recognises it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    ref: int
    pred: int
    iou: float = Field(description="intersection over union of their voxels")


class PanopticQuality(BaseModel):
    """How well the instances of two maps agree; ``pq`` is ``rq`` times ``sq``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    threshold: float = Field(description="an intersection over union above this recognises")
    pq: float = Field(description="panoptic quality, 0 to 1")
    rq: float = Field(description="recognition quality: the F1 score of instances, 0 to 1")
    sq: float | None = Field(description="segmentation quality: mean IoU of matches; None without any")
    matches: tuple[Match, ...]
    missed: int = Field(description="instances of the reference that nothing recognises")
    invented: int = Field(description="instances of the prediction that recognise nothing")


def panoptic_quality(ref: Any, pred: Any, threshold: float = 0.5) -> PanopticQuality:
    """Compare the instances of two maps.

    Parameters
    ----------
    ref, pred : array_like of int, shape (i, j, k)
        Instances numbered above 0, on one grid; the numbers of the two need not agree.
    threshold : float
        An intersection over union above this recognises, 0 to below 1. From 0.5 on no instance can have
        two partners; below, the pairs of the largest sum of overlaps are taken.

    Returns
    -------
    PanopticQuality

    Raises
    ------
    GeometryError
        The shapes differ.
    LabelError
        A map holds something else than whole numbers from 0.
    InputError
        The threshold is not from 0 to below 1.

    Examples
    --------
    >>> found = panoptic_quality([[[1, 1, 1, 1, 0, 2]]], [[[0, 7, 7, 7, 0, 0]]])
    >>> found.pq, round(found.rq, 3), found.sq, found.missed
    (0.5, 0.667, 0.75, 1)
    """
    if not 0.0 <= threshold < 1.0:
        raise InputError("a threshold from 0 to below 1", got=repr(threshold), where="threshold", remedy="take 0.5")
    a, b = as_numbers(ref, "reference"), as_numbers(pred, "prediction")
    pairs, iou = _overlaps(a, b)
    above = iou > threshold
    matches = _one_to_one(pairs[above], iou[above])
    missed, invented = (_instances(m) - len(matches) for m in (a, b))
    return _quality(threshold, matches, missed, invented)


def _instances(numbers: Numbers) -> int:
    return len(np.unique(numbers[numbers > 0]))


def _overlaps(a: Numbers, b: Numbers) -> tuple[Numbers, NDArray[np.float64]]:
    """Pairs that share voxels, and their intersection over union."""
    pairs, shared = shared_voxels(a, b)
    sizes = []
    for numbers, column in ((a, pairs[:, 0]), (b, pairs[:, 1])):
        names, counts = np.unique(numbers, return_counts=True)
        sizes.append(counts[np.searchsorted(names, column)])
    return pairs, shared / (sizes[0] + sizes[1] - shared)


def _one_to_one(pairs: Numbers, iou: NDArray[np.float64]) -> tuple[Match, ...]:
    if not len(pairs):
        return ()
    (refs, i), (preds, j) = (np.unique(pairs[:, n], return_inverse=True) for n in range(2))
    table = np.zeros((len(refs), len(preds)))
    table[i, j] = iou
    rows, columns = linear_sum_assignment(table, maximize=True)
    chosen = [(r, c) for r, c in zip(rows, columns, strict=True) if table[r, c] > 0]
    return tuple(Match(ref=int(refs[r]), pred=int(preds[c]), iou=float(table[r, c])) for r, c in chosen)


def _quality(threshold: float, matches: tuple[Match, ...], missed: int, invented: int) -> PanopticQuality:
    weight = len(matches) + (missed + invented) / 2
    total = sum(m.iou for m in matches)
    outline = total / len(matches) if matches else None
    return PanopticQuality(
        threshold=threshold,
        pq=total / weight if weight else 1.0,
        rq=len(matches) / weight if weight else 1.0,
        sq=outline if weight else 1.0,
        matches=matches,
        missed=missed,
        invented=invented,
    )
