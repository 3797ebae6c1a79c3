"""Where the label map of a study comes from: a segmenter, or the user's own masks.

Why it exists: own masks are measured, compared and reported exactly as a segmenter's, but their
classes are only those that their scheme can express.
"""

from __future__ import annotations

from typing import Any

from tumorboard.chain.saved import Outlined
from tumorboard.errors import GeometryError
from tumorboard.io.images import read_volume
from tumorboard.labels import REGIONS, SCHEMES, LabelMap
from tumorboard.measure.study import Segmented
from tumorboard.segment import SEGMENTERS
from tumorboard.study import LabelsInput, Study


def outline_by_segmenter(study: Study, name: str) -> Outlined:
    """Segment a study with an enrolled method."""
    found = SEGMENTERS.make(name).segment(study)
    card = found.card
    told: dict[str, Any] = {
        "id": card.id,
        "version": card.version,
        "title": card.title,
        "text": card.method,
        "citation": card.citation,
        "limits": card.limits,
        "validity": found.validity.score,
        "warnings": list(found.validity.reasons),
        "origin": card.id,
    }
    return Outlined(Segmented(found.labels, found.probabilities, found.not_assessable), told)


def outline_by_own_masks(study: Study, labels: LabelsInput) -> Outlined:
    """Read the user's masks, translate their scheme and put them on the study's grid (no resampling).

    Raises
    ------
    GeometryError
        The masks are not on the grid of the study's reference sequence.
    LabelError
        Values outside the scheme.
    """
    own = LabelMap.from_scheme(read_volume(labels.path, "labels"), labels.scheme).canonical()
    if not study.grid.matches(own.grid):
        told = study.grid.explain_mismatch(own.grid, (study.reference.value, "labels"))
        raise GeometryError(
            f"masks on the grid of {study.reference.value}",
            got=told,
            where="labels",
            remedy=f"resample the masks to {study.reference.value} with nearest neighbour",
        )
    scheme = SCHEMES[labels.scheme]
    can = {t for t in scheme.values.values() if t is not None}
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
    return Outlined(Segmented(LabelMap(own.data, study.grid), {}, missing), told_method)
