"""Where the label map of a study comes from: a segmenter, or the user's own masks.

Why it exists: own masks are measured, compared and reported exactly as a segmenter's, but their
classes are only those that their scheme can express.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from tumorboard.chain.saved import Outlined
from tumorboard.errors import GeometryError
from tumorboard.io.images import read_volume
from tumorboard.labels import DICOM_SEG, REGIONS, SCHEMES, LabelMap, Tissue
from tumorboard.measure.study import Segmented
from tumorboard.prepare.back import labels_to_native
from tumorboard.segment.named import segmenter_of
from tumorboard.study import LabelsInput, Study
from tumorboard.transform import resample
from tumorboard.volume import Grid


def outline_by_segmenter(study: Study, name: str) -> Outlined:
    """Segment a study with a method (see :func:`tumorboard.segment.named.segmenter_of`)."""
    found = segmenter_of(name).segment(study)
    card = found.card
    told: dict[str, Any] = {
        "id": card.id,
        "version": card.version,
        "title": card.title,
        "text": card.method,
        "citation": card.citation,
        "limits": card.limits,
        "validity": found.validity.score,
        "warnings": [*found.validity.reasons, *_doubts(found.predicted_dice)],
        "origin": card.id,
        "predicted_dice": dict(found.predicted_dice),
    }
    segmented = Segmented(found.labels, found.probabilities, found.not_assessable, intervals=found.intervals)
    return Outlined(segmented, told)


DOUBTED = 0.7
"""Expected Dice below which the reader is told; chosen."""


def _doubts(predicted: Mapping[str, float]) -> list[str]:
    """Say of which outlines the method itself expects little.

    Examples
    --------
    >>> _doubts({"WT": 0.93, "ET": 0.41})
    ['the method expects a Dice of only 0.41 of its outline of ET: look at the pictures']
    """
    told = "the method expects a Dice of only {:.2f} of its outline of {}: look at the pictures"
    return [told.format(value, region) for region, value in predicted.items() if value < DOUBTED]


def outline_by_own_masks(study: Study, labels: LabelsInput) -> Outlined:
    """Read the user's masks, translate their scheme and put them on the study's grid (no resampling).

    Raises
    ------
    GeometryError
        The masks are not on the grid of the study's reference sequence.
    LabelError
        Values outside the scheme.
    """
    own, can = read_masks(labels)
    native = None if study.native is None else placed_on(own, study.native)
    working = placed_on(own, study.grid)
    if native is not None and working is None:
        working = LabelMap(resample(native, study.grid, "nearest").data, study.grid)
    if working is None:
        grid = study.native or study.grid
        told = grid.explain_mismatch(own.grid, (study.reference.value, "labels"))
        raise GeometryError(
            f"masks on the grid of {study.reference.value}",
            got=told,
            where="labels",
            remedy=f"resample the masks to {study.reference.value} with nearest neighbour",
        )
    scheme = SCHEMES[labels.scheme]
    missing = {
        name: f"the scheme {scheme.name} of the masks does not hold it"
        for name, tissues in REGIONS.items()
        if not set(tissues) <= can and not (name == "WT" and can & set(tissues))
    }
    told_method: dict[str, Any] = {
        "id": "own masks",
        "version": scheme.name,
        "title": "Masks given by the user",
        "text": f"The tumour was outlined outside this software (scheme {scheme.name}, {scheme.source}).",
        "citation": "",
        "limits": "",
        "validity": None,
        "warnings": [],
        "origin": "own masks",
    }
    return Outlined(Segmented(working, {}, missing, native), told_method)


def read_masks(labels: LabelsInput) -> tuple[LabelMap, set[Tissue]]:
    """Read the user's masks in our classes, and which classes they can express.

    Raises
    ------
    LabelError
        Values outside the scheme, or segments that are none of ours.
    """
    if labels.scheme == DICOM_SEG:
        from tumorboard.io.seg_read import read_segmentation

        read = read_segmentation(labels.path)
        return LabelMap(read.labels.data, read.labels.grid), {Tissue(value) for value in read.segments}
    can = {t for t in SCHEMES[labels.scheme].values.values() if t is not None}
    return LabelMap.from_scheme(read_volume(labels.path, "labels"), labels.scheme), can


def placed_on(labels: LabelMap, grid: Grid) -> LabelMap | None:
    """Put labels on a grid without resampling: reordered, or as a part of it; None where they do not fit.

    Parameters
    ----------
    labels : LabelMap
        Any orientation; a segmentation may cover only some slices.
    grid : Grid
        Where they are wanted.

    Examples
    --------
    >>> part = LabelMap.of(np.full((2, 2, 1), 3, np.uint8), np.diag([-1.0, 1.0, 1.0, 1.0]))
    >>> whole = Grid((4, 4, 3), np.array([[1, 0, 0, -2], [0, 1, 0, 0], [0, 0, 1, -1], [0, 0, 0, 1.0]]))
    >>> placed = placed_on(part, whole)
    >>> placed is not None and np.argwhere(placed.data)[0].tolist()
    [1, 0, 1]
    """
    turned = labels.reoriented(grid.axcodes)
    if grid.matches(turned.grid):
        return LabelMap(turned.data, grid)
    start = np.round(grid.to_voxel(turned.grid.to_world([(0, 0, 0)]))[0]).astype(int)
    stop = start + turned.grid.shape
    if (start < 0).any() or (stop > grid.shape).any():
        return None
    part = grid.affine.copy()
    part[:3, 3] = grid.to_world([start])[0]
    if not Grid(turned.grid.shape, part).matches(turned.grid):
        return None
    out = np.zeros(grid.shape, dtype=np.uint8)
    out[tuple(slice(a, b) for a, b in zip(start, stop, strict=True))] = turned.data
    return LabelMap(out, grid)


def with_native(outlined: Outlined, study: Study) -> Outlined:
    """Add the label map on the native grid where the study has one apart and the outline lacks it."""
    if study.native is None or outlined.segmented.native is not None:
        return outlined
    native = labels_to_native(outlined.segmented.labels, study.native)
    return replace(outlined, segmented=replace(outlined.segmented, native=native))
