"""A coarse name for a place in the brain: the lobe of the nearest labelled coordinate.

Why it exists: a report says "left frontal", and no lobe map ships with our dependencies. The
Dosenbach-160 coordinates do (in nilearn's package), each with a word for its place. This is a guess
for a sentence, not a parcellation: points are sparse in the temporal poles, orbitofrontal cortex and
deep white matter, and none lies in the brainstem. Callers mark it coarse and print the distance.

Source: Dosenbach NUF et al., Science 2010;329:1358-1361 (coordinates and words). The lobe of each word
is ours, and so are the corrections of :data:`CORRECTED`.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from tumorboard.atlas.icbm152 import nilearn_data
from tumorboard.errors import GeometryError

MIDLINE_MM = 3.0
"""Within this distance of x = 0 (MNI mm) a place is called midline (chosen)."""


class Lobe(StrEnum):
    """Places that a report names; no brainstem, for the table holds no point in it."""

    FRONTAL = "frontal"
    PARIETAL = "parietal"
    TEMPORAL = "temporal"
    OCCIPITAL = "occipital"
    INSULA = "insula"
    CINGULATE = "cingulate"
    DEEP_GREY = "deep grey matter"
    CEREBELLUM = "cerebellum"


LOBE_OF_LABEL: dict[str, Lobe] = {
    label: lobe
    for lobe, labels in {
        Lobe.FRONTAL: (
            "SMA", "aPFC", "dFC", "dlPFC", "frontal", "mFC", "mPFC", "pre-SMA", "precentral gyrus", "sup frontal",
            "vFC", "vPFC", "vent aPFC", "vlPFC", "vmPFC",
        ),
        Lobe.PARIETAL: (
            "IPL", "IPS", "TPJ", "angular gyrus", "parietal", "post parietal", "precuneus", "sup parietal",
        ),
        Lobe.TEMPORAL: ("fusiform", "inf temporal", "sup temporal", "temporal"),
        Lobe.OCCIPITAL: ("occipital", "post occipital"),
        Lobe.INSULA: ("ant insula", "mid insula", "post insula"),
        Lobe.CINGULATE: ("ACC", "dACC", "post cingulate"),
        Lobe.DEEP_GREY: ("basal ganglia", "thalamus"),
        Lobe.CEREBELLUM: ("inf cerebellum", "lat cerebellum", "med cerebellum"),
    }.items()
    for label in labels
}  # fmt: skip
"""Lobe of every word in the table."""

CORRECTED: dict[tuple[int, int, int], Lobe] = {
    (-28, -42, -11): Lobe.TEMPORAL,  # "occipital"; medial temporal, well in front of the occipital lobe
    (-26, -8, 54): Lobe.FRONTAL,  # "parietal"; in front of the central sulcus, as are the next two
    (-47, -12, 36): Lobe.FRONTAL,
    (-38, -15, 59): Lobe.FRONTAL,
    (-6, 17, 34): Lobe.CINGULATE,  # "basal ganglia"; above the corpus callosum
    (-4, -31, -4): Lobe.DEEP_GREY,  # "post cingulate"; below the splenium, at the pulvinar and midbrain
}
"""MNI mm of points whose word contradicts their coordinate, and the lobe we take instead."""


@dataclass(frozen=True)
class LobeGuess:
    """The nearest labelled coordinate.

    Parameters
    ----------
    lobe : Lobe
        Coarse place.
    label : str
        The table's own word, for example ``"dlPFC"``.
    distance_mm : float
        Distance to that coordinate in mm; beyond some 25 mm it says little.
    side : str
        ``"left"``, ``"right"`` or ``"midline"`` (|x| <= 3 mm), from the place asked for, not from the table.
    """

    lobe: Lobe
    label: str
    distance_mm: float
    side: str


def nearest_lobe(mni_mm: Sequence[float] | NDArray[np.floating]) -> LobeGuess:
    """Name the lobe of the labelled coordinate nearest to a place.

    Parameters
    ----------
    mni_mm : array_like, shape (3,)
        RAS mm in MNI space.

    Returns
    -------
    LobeGuess
        Coarse; at equal distance the earlier row of the table.

    Raises
    ------
    GeometryError
        Not three finite numbers.

    Examples
    --------
    >>> guess = nearest_lobe((-44.0, 27.0, 30.0))
    >>> guess.side, guess.lobe.value, guess.label, guess.distance_mm
    ('left', 'frontal', 'dlPFC', 3.0)
    """
    point = np.asarray(mni_mm, dtype=np.float64)
    if point.shape != (3,) or not np.isfinite(point).all():
        raise GeometryError("three finite coordinates in MNI mm", got=f"shape {point.shape}", where="lobe")
    coordinates, labels, lobes = dosenbach_160()
    distances = np.linalg.norm(coordinates - point, axis=1)
    nearest = int(distances.argmin())
    return LobeGuess(lobes[nearest], labels[nearest], float(distances[nearest]), _side(float(point[0])))


def _side(x_mm: float) -> str:
    if abs(x_mm) <= MIDLINE_MM:
        return "midline"
    return "right" if x_mm > 0 else "left"


@lru_cache(maxsize=1)
def dosenbach_160() -> tuple[NDArray[np.float64], tuple[str, ...], tuple[Lobe, ...]]:
    """Read the table.

    Returns
    -------
    coordinates : ndarray, shape (160, 3)
        MNI mm (RAS).
    labels : tuple of str
        The table's words.
    lobes : tuple of Lobe
        By :data:`LOBE_OF_LABEL`, then :data:`CORRECTED`.

    Raises
    ------
    MissingDependency
        nilearn's files are not installed.

    Examples
    --------
    >>> coordinates, labels, lobes = dosenbach_160()
    >>> coordinates.shape, labels[0], lobes[0].value
    ((160, 3), 'vmPFC', 'frontal')
    """
    with nilearn_data("dosenbach_2010.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    points = [(int(row["x"]), int(row["y"]), int(row["z"])) for row in rows]
    labels = tuple(row["name"] for row in rows)
    lobes = tuple(CORRECTED.get(p, LOBE_OF_LABEL[label]) for p, label in zip(points, labels, strict=True))
    coordinates = np.array(points, dtype=np.float64)
    coordinates.setflags(write=False)
    return coordinates, labels, lobes
