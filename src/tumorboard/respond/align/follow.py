"""Lesions followed over the visits of a patient: which is which, and what became of it.

Why it exists: criteria compare a lesion with itself. Lesions are numbered anew at every visit, by size; a sum over the
wrong lesions is a wrong verdict, and a lesion that only changed its number is not a new one.

How lesions meet
----------------
A place of one visit belongs to the nearest lesion of the other within ``tolerance_mm``. Two lesions *overlap* where
that is so for at least ``share`` of either's volume. Overlapping lesions are paired so that what all pairs share is
most (an assignment problem): first with lesions that were there when looked for last, then with vanished ones, since
what reappears in its old place is the same lesion. What overlaps nothing is paired by the distance of centroids, up to
``reach_mm``. A lesion that overlaps one that is already paired is another part of it.

Names
-----
``L1``, ``L2`` … by first visit, then by size. After a *split* several lesions of a visit bear one name: criteria must
see their **sum**. After a *merge* the name of what was larger goes on; the other has not vanished, it is recorded as
merged into it and its name ends: should they part again, both parts bear the name that went on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tumorboard.errors import GeometryError
from tumorboard.metrics.maps.components import as_numbers
from tumorboard.respond.align.meeting import Cloud, Floats, Meeting, clouds
from tumorboard.volume import Affine, Grid


@dataclass(frozen=True)
class FollowSettings:
    """When two lesions are one; chosen on random crowds of lesions.

    Parameters
    ----------
    tolerance_mm : float
        How far the border of a lesion may have moved: error of alignment, and brain that gives way.
    reach_mm : float
        How far the centroid of a lesion may have moved that overlaps nothing.
    share : float
        Part of a lesion's volume that must belong to the other.
    """

    tolerance_mm: float = 3.0
    reach_mm: float = 6.0
    share: float = 0.5


FOLLOW = FollowSettings()


@dataclass(frozen=True)
class LesionsAt:
    """The lesions of one visit.

    Parameters
    ----------
    numbers : ndarray of int, shape (i, j, k)
        Number of each lesion, from 1; 0 elsewhere. All 0 where none was found.
    grid : Grid
        The visit's own.
    to_template : ndarray, shape (4, 4)
        From the visit's world to the space in which visits are compared
        (:attr:`~tumorboard.respond.align.Alignment.to_template`); by default all visits share one world.

    Raises
    ------
    GeometryError
        The numbers have another shape than the grid.
    LabelError
        They are no whole numbers from 0.
    """

    numbers: NDArray[Any]
    grid: Grid
    to_template: Affine = field(default_factory=lambda: np.eye(4))

    def __post_init__(self) -> None:
        if self.numbers.shape != self.grid.shape:
            raise GeometryError(f"numbers of shape {self.grid.shape}", got=f"shape {self.numbers.shape}")
        object.__setattr__(self, "numbers", as_numbers(self.numbers, "lesions"))


class Fate(StrEnum):
    """What became of a lesion at a visit; ``SPLIT``: it has more parts than when it was last seen."""

    APPEAR = "appear"
    MATCH = "match"
    SPLIT = "split"
    MERGE = "merge"
    VANISH = "vanish"
    REAPPEAR = "reappear"


@dataclass(frozen=True)
class TrackEvent:
    """One lesion at one visit.

    Parameters
    ----------
    visit : int
        From 0.
    fate : Fate
        What became of it.
    name : str
        Of the lesion.
    numbers : tuple of int
        Its numbers at this visit; empty where it vanished or merged.
    into : str
        Name of the lesion that it merged into; empty otherwise.
    """

    visit: int
    fate: Fate
    name: str
    numbers: tuple[int, ...] = ()
    into: str = ""


@dataclass(frozen=True)
class Tracks:
    """Lesions over the visits.

    Parameters
    ----------
    names : tuple of mapping of int to str
        At each visit, number to name. Several numbers may bear one name; criteria must see their sum.
    events : tuple of TrackEvent
        By visit, then in order of names. Nothing is told of a lesion while it stays away.
    """

    names: tuple[Mapping[int, str], ...]
    events: tuple[TrackEvent, ...]

    def numbers(self, visit: int, name: str) -> tuple[int, ...]:
        """Return the numbers that a lesion has at a visit, ascending; none where it is not there."""
        return tuple(sorted(number for number, own in self.names[visit].items() if own == name))


def follow(visits: Sequence[LesionsAt], settings: FollowSettings = FOLLOW) -> Tracks:
    """Follow lesions over visits.

    Parameters
    ----------
    visits : sequence of LesionsAt
        In order of date, any grids; only visits at which lesions were looked for.
    settings : FollowSettings
        When two lesions are one.

    Returns
    -------
    Tracks
        However lesions are numbered, the same lesions bear the same names.

    Examples
    --------
    >>> first, later = np.zeros((30, 30, 30), int), np.zeros((30, 30, 30), int)
    >>> first[5:12, 5:12, 5:12], first[20:24, 20:24, 20:24] = 1, 2
    >>> later[20:26, 20:26, 20:26], later[5:9, 20:24, 5:9] = 1, 2
    >>> grid = Grid((30, 30, 30), np.eye(4))
    >>> tracks = follow([LesionsAt(first, grid), LesionsAt(later, grid)])
    >>> tracks.names
    ({1: 'L1', 2: 'L2'}, {1: 'L2', 2: 'L3'})
    >>> [f"{e.name} {e.fate}" for e in tracks.events if e.visit == 1]
    ['L1 vanish', 'L2 match', 'L3 appear']
    """
    tracks: list[_Track] = []
    names: list[Mapping[int, str]] = []
    events: list[TrackEvent] = []
    for visit, given in enumerate(visits):
        lesions = clouds(given.numbers, given.grid, given.to_template)
        open_ = [track for track in tracks if not track.merged]
        owners = _Owners(open_, lesions, settings)
        events += _advance(visit, open_, lesions, owners)
        fresh = [lesion for n, lesion in enumerate(lesions) if n not in owners.of]
        born = [_Track(f"L{len(tracks) + n}", lesion) for n, lesion in enumerate(fresh, 1)]
        events += [TrackEvent(visit, Fate.APPEAR, track.name, track.last.numbers) for track in born]
        tracks += born
        seen = [track for track in tracks if track.there]
        names.append(dict(sorted((number, track.name) for track in seen for number in track.last.numbers)))
    return Tracks(tuple(names), tuple(events))


@dataclass
class _Track:
    """A lesion as it was last seen."""

    name: str
    last: Cloud
    there: bool = True
    merged: bool = False


def _advance(visit: int, tracks: list[_Track], lesions: list[Cloud], owners: _Owners) -> list[TrackEvent]:
    """Bring tracks up to a visit and tell what became of each."""
    told = []
    for n, track in enumerate(tracks):
        parts = [lesions[lesion] for lesion, owner in sorted(owners.of.items()) if owner == n]
        if parts:
            now = parts[0].with_parts(parts[1:])
            more = Fate.SPLIT if len(now.numbers) > len(track.last.numbers) else Fate.MATCH
            told.append(TrackEvent(visit, more if track.there else Fate.REAPPEAR, track.name, now.numbers))
            track.last, track.there = now, True
        elif n in owners.merged:
            into = tracks[owners.merged[n]].name
            told.append(TrackEvent(visit, Fate.MERGE, track.name, into=into))
            track.there, track.merged = False, True
        elif track.there:
            told.append(TrackEvent(visit, Fate.VANISH, track.name))
            track.there = False
    return told


class _Owners:
    """Which lesion belongs to which track (``of``), and which track merged into which (``merged``), by place."""

    def __init__(self, tracks: list[_Track], lesions: list[Cloud], settings: FollowSettings) -> None:
        meeting = Meeting.of([track.last for track in tracks], lesions, settings.tolerance_mm)
        self.of: dict[int, int] = {}
        self.merged: dict[int, int] = {}
        # what lies within the other is all of it, however large that is; of two such the one of like size is meant
        overlap = 0.5 * (meeting.share + meeting.dice) * (meeting.share >= settings.share)
        live = np.array([track.there for track in tracks], dtype=bool)[:, None]
        self._pair(overlap * live)
        self._add_parts(overlap * live)
        self._merge(overlap * live, [track.last.volume_ml for track in tracks])
        self._pair(overlap * ~live)
        self._add_parts(overlap * ~live)
        near = np.maximum(settings.reach_mm - meeting.distance_mm, 0.0)
        self._pair(near * live)

    def _pair(self, worth: Floats) -> None:
        """Pair free tracks with free lesions so that the sum of what pairs are worth is largest."""
        from scipy.optimize import linear_sum_assignment

        free = worth.copy()
        free[[*self.of.values(), *self.merged]] = 0.0
        free[:, list(self.of)] = 0.0
        for track, lesion in zip(*linear_sum_assignment(free, maximize=True), strict=True):
            if free[track, lesion] > 0:
                self.of[int(lesion)] = int(track)

    def _add_parts(self, worth: Floats) -> None:
        """Give a free lesion to the track that it overlaps most: it is a part of it."""
        for lesion in range(worth.shape[1]):
            if lesion not in self.of and worth[:, lesion].max(initial=0.0) > 0:
                self.of[lesion] = int(worth[:, lesion].argmax())

    def _merge(self, worth: Floats, volumes_ml: list[float]) -> None:
        """Let tracks that were left without a lesion, but overlap one, go into it; the largest gives the name."""
        left = [n for n in range(len(worth)) if n not in self.of.values() and worth[n].max(initial=0.0) > 0]
        claims: dict[int, list[int]] = {}
        for track in left:
            claims.setdefault(int(worth[track].argmax()), []).append(track)
        for lesion, tracks in claims.items():
            everyone = sorted([self.of[lesion], *tracks])
            heir = max(everyone, key=lambda n: volumes_ml[n])
            self.of[lesion] = heir
            self.merged |= {n: heir for n in everyone if n not in self.of.values()}
