"""Which lesions of a patient a detector hit, at which score, and what it found where there is nothing.

Why it exists: whether small metastases are found decides on treatment, and overlap of masks does not
tell it. A detection is a score with either a part of a number map or a point. A part hits every lesion
that it shares a voxel with. A point hits every lesion whose centre (mean of its voxels) is at most the
larger of the lesion's radius and ``LEAST_REACH_MM`` away. A lesion counts once, at the best score that
hits it: further detections of it are neither true nor false positives. What hits no lesion is a false
positive. The size of a lesion is the diameter of the ball of its volume. Nothing is invented here: no
minimal size, no merging of lesions; a threshold belongs to :mod:`tumorboard.metrics.maps.froc`.

Source: Bunch PC et al., A free response approach to the measurement and characterization of radiographic
observer performance, Proc SPIE 1977;127:124-135; point rule as in Setio AAA et al., LUNA16, Med Image
Anal 2017;42:1-13, with a least reach for lesions of a few voxels (chosen).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tumorboard.errors import GeometryError, InputError
from tumorboard.metrics.maps.components import Numbers, as_numbers, shared_voxels
from tumorboard.volume import Grid

Floats = NDArray[np.float64]
Point = tuple[float, float, float]

LEAST_REACH_MM = 2.0
"""A point this near the centre of a lesion hits it, however small the lesion is; chosen."""


@dataclass(frozen=True)
class Found:
    """One detection: a score, and where it is.

    Parameters
    ----------
    score : float
        Higher is surer; on one scale for all patients.
    number : int, optional
        Its number in the ``found_numbers`` of its :class:`Case` (mask mode).
    centre_mm : tuple of float, optional
        Its centre, RAS mm (point mode). Exactly one of the two is given.

    Raises
    ------
    InputError
        The score or the centre is not finite, or there is not exactly one place.

    Examples
    --------
    >>> Found(0.9, centre_mm=(10.0, -4.0, 31.0)).score
    0.9
    """

    score: float
    number: int | None = None
    centre_mm: Point | None = None

    def __post_init__(self) -> None:
        if (self.number is None) == (self.centre_mm is None):
            raise InputError("a number or a centre for each detection", got="both or none", where="detection")
        if not np.isfinite([self.score, *(self.centre_mm or ())]).all():
            raise InputError("a finite score and place", got=f"score {self.score}", where="detection")


@dataclass(frozen=True, eq=False)
class Case:
    """The lesions of one patient, and what was found.

    Parameters
    ----------
    numbers : ndarray of int, shape (i, j, k)
        Lesions of the reference, numbered above 0; 0 elsewhere.
    grid : Grid
        Where the voxels are.
    found : tuple of Found
        Every detection, however low its score.
    found_numbers : ndarray of int, shape (i, j, k), optional
        Parts that detections with a ``number`` name.

    Raises
    ------
    GeometryError
        A map is not on the grid.
    InputError
        A detection names a part that the map does not hold.
    LabelError
        A map holds something else than whole numbers from 0.

    Examples
    --------
    >>> lesions = np.zeros((9, 9, 9), int); lesions[2:5, 2:5, 2:5] = 1
    >>> Case(lesions, Grid((9, 9, 9), np.eye(4)), (Found(0.8, centre_mm=(3.0, 3.0, 4.0)),)).grid.shape
    (9, 9, 9)
    """

    numbers: Any
    grid: Grid
    found: tuple[Found, ...] = ()
    found_numbers: Any = field(default=None)

    def __post_init__(self) -> None:
        for name, role in (("numbers", "reference"), ("found_numbers", "detections")):
            given = getattr(self, name)
            if given is None:
                continue
            numbers = as_numbers(given, role)
            if numbers.shape != self.grid.shape:
                raise GeometryError(
                    f"a map of shape {self.grid.shape}", got=f"shape {numbers.shape}", where=role, remedy="resample it"
                )
            object.__setattr__(self, name, numbers)
        held = set() if self.found_numbers is None else set(np.unique(self.found_numbers).tolist()) - {0}
        lost = sorted({f.number for f in self.found if f.number is not None} - held)
        if lost:
            raise InputError("detections that their map holds", got=f"numbers {lost}", where="detections")


@dataclass(frozen=True, eq=False)
class Hits:
    """What a detector did for one patient, as far as any threshold of its score needs it.

    Parameters
    ----------
    diameters_mm : ndarray of float64, shape (lesions,)
        Diameter of the ball of each lesion's volume, mm.
    scores : ndarray of float64, shape (lesions,)
        Best score that hits the lesion; -inf where nothing does.
    false_scores : ndarray of float64, shape (n,)
        Scores of detections that hit no lesion.
    """

    diameters_mm: Floats
    scores: Floats
    false_scores: Floats


def match(case: Case) -> Hits:
    """Match detections with lesions.

    Parameters
    ----------
    case : Case
        One patient.

    Returns
    -------
    Hits
        Lesions in the order of their numbers.

    Examples
    --------
    >>> lesions = np.zeros((9, 9, 9), int); lesions[2:5, 2:5, 2:5] = 1
    >>> found = (Found(0.8, centre_mm=(3.0, 3.0, 4.0)), Found(0.3, centre_mm=(8.0, 8.0, 8.0)))
    >>> hits = match(Case(lesions, Grid((9, 9, 9), np.eye(4)), found))
    >>> hits.scores.tolist(), hits.false_scores.tolist()
    ([0.8], [0.3])
    """
    names, diameters, centres = _lesions(case)
    touched = _by_parts(case, names) | _by_points(case, diameters, centres)
    scores = np.array([f.score for f in case.found], dtype=np.float64)
    best = np.where(touched, scores[:, None], -np.inf).max(axis=0, initial=-np.inf)
    return Hits(diameters, best, scores[~touched.any(axis=1)])


def _lesions(case: Case) -> tuple[Numbers, Floats, Floats]:
    """Numbers (n,), diameters in mm (n,) and centres in RAS mm (n, 3)."""
    places = np.argwhere(case.numbers)
    names, which = np.unique(case.numbers[tuple(places.T)], return_inverse=True)
    counts = np.bincount(which, minlength=len(names))
    sums = [np.bincount(which, weights=places[:, axis], minlength=len(names)) for axis in range(3)]
    centres = case.grid.to_world(np.stack(sums, axis=1) / counts[:, None])
    volumes_mm3 = counts * case.grid.voxel_volume_ml * 1000.0
    return names, np.cbrt(6.0 * volumes_mm3 / np.pi), centres


def _by_parts(case: Case, names: Numbers) -> NDArray[np.bool_]:
    """Which detection (row) shares voxels with which lesion (column)."""
    touched = np.zeros((len(case.found), len(names)), dtype=np.bool_)
    if case.found_numbers is None:
        return touched
    pairs, _ = shared_voxels(case.found_numbers, case.numbers)
    for row, found in enumerate(case.found):
        if found.number is not None:
            touched[row] = np.isin(names, pairs[pairs[:, 0] == found.number, 1])
    return touched


def _by_points(case: Case, diameters_mm: Floats, centres_mm: Floats) -> NDArray[np.bool_]:
    """Which detection (row) lies near enough to the centre of which lesion (column)."""
    points = np.array([f.centre_mm or (np.inf,) * 3 for f in case.found], dtype=np.float64).reshape(-1, 3)
    away = np.linalg.norm(points[:, None] - centres_mm[None], axis=2)
    return np.asarray(away <= np.maximum(diameters_mm / 2.0, LEAST_REACH_MM) + 1e-9)
