"""All thirty features of the VASARI lexicon for one study: a value, or why it is left to a reader.

Why it exists: a lexicon is useful whole. What outlines can answer is answered by its own definitions, not by counting
components; the rest says why it is not, and is never guessed.

Source: see :mod:`tumorboard.measure.signs.features`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

from tumorboard.errors import GeometryError
from tumorboard.measure.signs import foci, proportions, rim, size, whereabouts
from tumorboard.measure.signs.case import Case, Known, Mask, Reading
from tumorboard.measure.signs.features import FEATURES, Feature
from tumorboard.measure.sources import Files
from tumorboard.measurement import Measurement
from tumorboard.study import Study

if TYPE_CHECKING:
    from tumorboard.measure.study import Segmented

REGION = "WT"
"""Region that every feature is filed under."""

READERS: dict[int, Callable[[Case], Reading]] = {
    1: whereabouts.location,
    2: whereabouts.side,
    4: proportions.enhancement_quality,
    5: proportions.proportion_enhancing,
    6: proportions.proportion_ncet,
    7: proportions.proportion_necrosis,
    9: foci.multifocal,
    11: rim.rim_thickness,
    14: proportions.proportion_oedema,
    15: whereabouts.oedema_crosses,
    19: whereabouts.ependyma,
    20: whereabouts.cortex,
    22: whereabouts.ncet_crosses,
    23: whereabouts.cet_crosses,
    24: foci.satellites,
}
"""What reads each feature; F26 to F28 follow from extents of resection, F29 and F30 from one search."""


def vasari(
    study: Study,
    segmented: Segmented,
    files: Files,
    necrosis: Mask | None = None,
    resected: Mapping[str, float] | None = None,
    known: Known | None = None,
) -> tuple[Measurement, ...]:
    """Read the thirty features of one study.

    Parameters
    ----------
    study : Study
        Prepared (with its frame).
    segmented : Segmented
        Labels on the study's grid.
    files : Files
        Names for the sources.
    necrosis : ndarray of bool, shape (i, j, k), optional
        Necrosis apart from other core, on the study's grid; without it F6, F7 and F22 are answered where nothing hangs
        on it.
    resected : mapping of str to float, optional
        Extents of resection in percent of the volume before surgery, of ``ET``, ``nCET`` and ``SNFH``.
    known : Known, optional
        What measuring has found already.

    Returns
    -------
    tuple of Measurement
        Thirty, in order, of region ``WT``; values are words of the lexicon, or lengths in mm.

    Raises
    ------
    GeometryError
        The outline of necrosis is not on the study's grid.
    InputError
        An extent of resection that is none.

    Examples
    --------
    >>> import numpy as np
    >>> from tumorboard.labels import LabelMap
    >>> from tumorboard.measure.study import Segmented
    >>> from tumorboard.sequences import Sequence
    >>> from tumorboard.volume import Volume
    >>> data = np.zeros((20, 20, 20), np.uint8); data[4:14, 4:14, 4:14] = 2; data[7:11, 7:11, 7:11] = 3
    >>> labels = LabelMap.of(data, np.eye(4))
    >>> study = Study("ses-01", {Sequence.T1C: Volume(data * 1.0, labels.grid)}, brain=data >= 0)
    >>> found = vasari(study, Segmented(labels), Files())
    >>> len(found), found[4].name, found[4].value, found[9].reason
    (30, 'vasari_F05_proportion_enhancing', '6-33 %', 'the abnormality on T1 is not outlined')
    """
    if necrosis is not None and necrosis.shape != study.grid.shape:
        raise GeometryError(f"an outline of shape {study.grid.shape}", got=f"{necrosis.shape}", where="necrosis")
    case = Case.of(study, segmented, files, known or Known.of(study, segmented, files), necrosis)
    given = proportions.resected(case, resected or {})
    return tuple(_measurement(feature, reading) for feature, reading in _readings(case, given))


def _readings(case: Case, given: Mapping[int, Reading]) -> Iterator[tuple[Feature, Reading]]:
    lengths: tuple[Reading, Reading] | None = None
    for feature in FEATURES:
        reason = case.why_untold(feature.needs, feature.treated)
        if feature.number in given:
            yield feature, given[feature.number]
        elif feature.answers and not reason:
            yield feature, READERS[feature.number](case)
        elif feature.unit == "mm" and not reason:
            lengths = lengths or size.sizes(case)
            yield feature, lengths[feature.number - 29]
        else:
            yield feature, feature.reader if feature.route == "man" else reason


def _measurement(feature: Feature, reading: Reading) -> Measurement:
    if isinstance(reading, str):
        return Measurement.missing(feature.name, REGION, feature.unit, reading)
    return Measurement(
        name=feature.name,
        region=REGION,
        value=reading.value,
        unit=feature.unit,
        method=reading.method + (" Its values are unverified." if feature.unverified else ""),
        source=reading.source,
        quality=reading.quality,
    )
