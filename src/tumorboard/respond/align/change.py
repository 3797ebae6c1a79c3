"""Where tumour appeared and went between two visits, and where the signal changed.

Why it exists: a sum of volumes stays the same while a tumour moves from one lobe to the other. A map shows where; it is
made of resampled masks, so it never gives a volume: volumes come from each study's own grid, and what resampling made
of them is told beside. A place that one of the studies did not image has neither gained nor lost anything.

A map may lie on the later study's grid, so that it fits the pictures of the day, or in the template's space, where both
studies are resampled alike. A rim of a voxel or less around a lesion is an error of alignment as often as a change.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from tumorboard.errors import IntensityError, LabelError, SequenceError
from tumorboard.labels import LabelMap, present_values
from tumorboard.respond.align.carry import carried
from tumorboard.respond.align.motions import inverse
from tumorboard.respond.align.template import Alignment
from tumorboard.sequences import Sequence
from tumorboard.study import Study
from tumorboard.volume import Affine, Grid, Volume

Mask = NDArray[np.bool_]

WHOLE = 0.999
"""A resampled voxel is brain where all that it was made of is."""


class Change(IntEnum):
    """Values of a :class:`ChangeMap`; 0 is tumour at neither visit."""

    STABLE = 1
    APPEARED = 2
    GONE = 3
    UNSEEN = 4


CHANGE_NAMES: dict[Change, str] = {
    Change.STABLE: "tumour at both visits",
    Change.APPEARED: "tumour at the later visit only",
    Change.GONE: "tumour at the earlier visit only",
    Change.UNSEEN: "tumour where the other visit has no image",
}


@dataclass(frozen=True)
class ChangeMap(Volume):
    """A map of changes (uint8, see :class:`Change`) on a grid.

    Raises
    ------
    LabelError
        The array is not of integers, or holds a value that is no change.

    Examples
    --------
    >>> ChangeMap.of(np.array([[[0, 2]]], dtype=np.uint8), np.eye(4)).mask(Change.APPEARED).tolist()
    [[[False, True]]]
    """

    def __post_init__(self) -> None:
        super().__post_init__()
        if not np.issubdtype(self.data.dtype, np.integer) or present_values(self.data) - {int(c) for c in Change}:
            raise LabelError("values of a map of changes", got=f"dtype {self.data.dtype} with others")

    def mask(self, change: Change) -> Mask:
        """Return where a change is, shape (i, j, k)."""
        return np.asarray(self.data == change)

    def map_ml(self, change: Change) -> float:
        """Volume of a change in this map, mL: of resampled masks, for the picture's legend only."""
        return float(self.mask(change).sum()) * self.grid.voxel_volume_ml


@dataclass(frozen=True)
class Place:
    """Where two studies are compared.

    Parameters
    ----------
    grid : Grid
        Of the map.
    to_earlier, to_later : ndarray, shape (4, 4)
        From the world of the grid to the world of each study, RAS mm.
    """

    grid: Grid
    to_earlier: Affine
    to_later: Affine


def on_later(alignment: Alignment, earlier: str, later: str, grid: Grid) -> Place:
    """Return the place of a map on the later study's own grid.

    Parameters
    ----------
    alignment : Alignment
        Of the patient.
    earlier, later : str
        Names of the studies.
    grid : Grid
        Of the later study.

    Raises
    ------
    InputError
        One of them was not aligned.

    Examples
    --------
    >>> alignment = Alignment({"ses-01": np.eye(4), "ses-02": np.diag([1.0, 1, 1, 1])})
    >>> on_later(alignment, "ses-01", "ses-02", Grid((2, 2, 2), np.eye(4))).to_earlier[0].tolist()
    [1.0, 0.0, 0.0, 0.0]
    """
    return Place(grid, alignment.between(later, earlier), np.eye(4))


def in_template(alignment: Alignment, earlier: str, later: str, grid: Grid) -> Place:
    """Return the place of a map in the template's space; parameters and errors as :func:`on_later`.

    Examples
    --------
    >>> alignment = Alignment({"ses-01": np.eye(4), "ses-02": np.eye(4)})
    >>> in_template(alignment, "ses-01", "ses-02", Grid((2, 2, 2), np.eye(4))).grid.shape
    (2, 2, 2)
    """
    alignment.between(earlier, later)  # refuses studies that were not aligned
    return Place(grid, inverse(alignment.to_template[earlier]), inverse(alignment.to_template[later]))


@dataclass(frozen=True)
class LabelChange:
    """How a region changed.

    Parameters
    ----------
    region : str
        A name of :data:`tumorboard.labels.REGIONS`.
    map : ChangeMap
        Where.
    earlier_ml, later_ml : float
        Its volumes, each on its study's own grid.
    resampled_ml : (float, float)
        The same as the map holds them.
    """

    region: str
    map: ChangeMap
    earlier_ml: float
    later_ml: float
    resampled_ml: tuple[float, float]

    @property
    def change_ml(self) -> float:
        """Later minus earlier volume, from each study's own grid."""
        return self.later_ml - self.earlier_ml

    @property
    def note(self) -> str:
        """Say what resampling made of the volumes."""
        (one, two), own = self.resampled_ml, (self.earlier_ml, self.later_ml)
        return (
            f"{self.region} {own[0]:.2f} mL, then {own[1]:.2f} mL, each on its own grid; resampled for the map "
            f"{one:.2f} ({one - own[0]:+.2f}) and {two:.2f} ({two - own[1]:+.2f}) mL"
        )


def label_change(earlier: LabelMap, later: LabelMap, place: Place, region: str) -> LabelChange:
    """Map where a region appeared, stayed and went.

    Parameters
    ----------
    earlier, later : LabelMap
        Each on its study's own grid. Without T1C enhancing tumour was not looked for: do not ask for it.
    place : Place
        Where the map lies.
    region : str
        A name of :data:`tumorboard.labels.REGIONS`.

    Returns
    -------
    LabelChange

    Raises
    ------
    LabelError
        The region is not one of ours.

    Examples
    --------
    >>> one, two = np.zeros((1, 1, 6), np.uint8), np.zeros((1, 1, 6), np.uint8)
    >>> one[..., 1:4], two[..., 2:6] = 3, 3
    >>> grid = Grid((1, 1, 6), np.diag([10.0, 10.0, 10.0, 1.0]))
    >>> change = label_change(LabelMap(one, grid), LabelMap(two, grid), Place(grid, np.eye(4), np.eye(4)), "ET")
    >>> change.map.data.ravel().tolist()
    [0, 3, 1, 1, 2, 2]
    >>> change.note
    'ET 3.00 mL, then 4.00 mL, each on its own grid; resampled for the map 3.00 (+0.00) and 4.00 (+0.00) mL'
    """
    ways = ((earlier, place.to_earlier), (later, place.to_later))
    (was, imaged), (now, imaged_now) = (_laid(labels, region, way, place.grid) for labels, way in ways)
    found = np.zeros(place.grid.shape, dtype=np.uint8)
    found[was & now] = Change.STABLE
    found[now & ~was] = Change.APPEARED
    found[was & ~now] = Change.GONE
    found[(was | now) & ~(imaged & imaged_now)] = Change.UNSEEN
    each = place.grid.voxel_volume_ml
    resampled = float(was.sum()) * each, float(now.sum()) * each
    volumes = earlier.volume_ml(region), later.volume_ml(region)
    return LabelChange(region, ChangeMap(found, place.grid), *volumes, resampled)


def _laid(labels: LabelMap, region: str, way: Affine, grid: Grid) -> tuple[Mask, Mask]:
    """Return where a region is on a grid, and where its study has an image at all."""
    data = np.where(labels.region(region), 1.0, 0.0)
    laid = carried(data, labels.grid, way, grid, order=0, outside=-1.0)
    return np.asarray(laid > 0), np.asarray(laid >= 0)


@dataclass(frozen=True)
class IntensityChange:
    """How the signal of a sequence changed.

    Parameters
    ----------
    sequence : Sequence
        Which.
    difference : Volume
        Later minus earlier, float32, in robust standard deviations of the later study's brain; 0 outside ``seen``.
    seen : ndarray of bool, shape (i, j, k)
        Brain at both visits; nothing is known elsewhere.
    gain, offset : float
        What the earlier signal was multiplied by and then moved by, so that unchanged brain has no difference.
    """

    sequence: Sequence
    difference: Volume
    seen: Mask
    gain: float
    offset: float


def intensity_change(
    earlier: Study,
    later: Study,
    place: Place,
    sequence: Sequence,
    labels: tuple[LabelMap | None, LabelMap | None] = (None, None),
) -> IntensityChange:
    """Map how the signal of a sequence changed, both visits brought to one scale in brain without tumour.

    Parameters
    ----------
    earlier, later : Study
        Prepared: intensities normalised.
    place : Place
        Where the map lies.
    sequence : Sequence
        T1C or FLAIR, for instance.
    labels : (LabelMap or None, LabelMap or None)
        Tumour and cavity of each study, left out where the scales are compared.

    Returns
    -------
    IntensityChange

    Raises
    ------
    SequenceError
        A study lacks the sequence.
    IntensityError
        The studies share no brain, or it has no contrast.

    Examples
    --------
    >>> brain, image = np.ones((3, 3, 3), bool), np.arange(27.0).reshape(3, 3, 3)
    >>> one, two = (Study("ses", {Sequence.T2: Volume.of(x, np.eye(4))}, brain) for x in (image, 2.0 * image))
    >>> change = intensity_change(one, two, Place(one.grid, np.eye(4), np.eye(4)), Sequence.T2)
    >>> change.gain, float(np.abs(change.difference.data).max())
    (2.0, 0.0)
    """
    for study in (earlier, later):
        if sequence not in study.volumes:
            raise SequenceError(f"{sequence.value} at both visits", got="none", where=study.id)
    ways = ((earlier, place.to_earlier, labels[0]), (later, place.to_later, labels[1]))
    (was, brain, free), (now, brain_now, free_now) = (_signal(s, sequence, way, place.grid, m) for s, way, m in ways)
    seen = brain & brain_now
    gain, offset = _scale(was, now, seen & free & free_now, sequence)
    difference = np.where(seen, now - (gain * was + offset), np.float32(0)).astype(np.float32)
    return IntensityChange(sequence, Volume(difference, place.grid), seen, gain, offset)


def _signal(
    study: Study, sequence: Sequence, way: Affine, grid: Grid, labels: LabelMap | None
) -> tuple[NDArray[np.float32], Mask, Mask]:
    """Return a study's signal on a grid, where it is brain, and where there is no tumour."""
    signal = carried(study.volumes[sequence].data, study.grid, way, grid)
    brain = carried(study.brain, study.grid, way, grid) > WHOLE
    if labels is None:
        return signal, brain, brain
    return signal, brain, carried(labels.data > 0, labels.grid, way, grid) == 0


def _scale(was: NDArray[np.float32], now: NDArray[np.float32], steady: Mask, sequence: Sequence) -> tuple[float, float]:
    """Return gain and offset that bring median and interquartile range of one image to those of the other."""
    if not steady.any():
        raise IntensityError("brain that both visits show", got="none", where=sequence.value)
    low, middle, high = np.percentile(was[steady], (25, 50, 75))
    low_now, middle_now, high_now = np.percentile(now[steady], (25, 50, 75))
    if not high > low:
        raise IntensityError("contrast inside the brain", got="no spread of values", where=sequence.value)
    gain = float((high_now - low_now) / (high - low))
    return gain, float(middle_now - gain * middle)
