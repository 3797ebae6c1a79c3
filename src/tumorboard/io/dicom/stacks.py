"""From the planes of one DICOM series to stacks that can be volumes.

Why it exists: one series number may hold two echoes, three directions, twelve b-values or forty time
points. What differs in kind is parted first; only then are places compared.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field, replace

import numpy as np

from tumorboard.io.dicom.geometry import along_normal, judge, normal_of
from tumorboard.series import Person, Plane, Series, SeriesTags

SAME_DIRECTION = 0.01
"""Direction cosines that differ by less are the same direction."""

SAME_PLACE_MM = 0.01


@dataclass(frozen=True)
class Found:
    """One plane with what tells it from others at the same place.

    Parameters
    ----------
    plane : Plane
        Where.
    kind : tuple
        What parts a series: echo time, b-value, image type, contrast, time point, stack id.
    tags : SeriesTags
        Of its file.
    person : Person
        Whose.
    order : (float, int)
        Acquisition time and instance number, for what came later.
    date, time_s : date or None, float or None
        Of the study and of the series.
    content : str
        Digest of the file, for duplicates.
    """

    plane: Plane
    kind: tuple[Hashable, ...]
    tags: SeriesTags
    person: Person
    order: tuple[float, int]
    study_uid: str = field(repr=False)
    series_uid: str = field(repr=False)
    number: int = 0
    date: dt.date | None = None
    time_s: float | None = None


def stacks_of(found: Iterable[Found], damaged: int = 0) -> list[Series]:
    """Return the stacks of one DICOM series, each a :class:`Series`.

    Parameters
    ----------
    found : iterable of Found
        All planes of one Series Instance UID.
    damaged : int
        Files of the series that cannot be read; a stack with such files is refused.
    """
    parts: dict[tuple[Hashable, ...], list[Found]] = defaultdict(list)
    items = list(found)
    turns: list[np.ndarray] = []
    for item in items:
        size = (item.plane.rows, item.plane.columns, *(round(s, 3) for s in item.plane.spacing_mm))
        parts[(_direction(item.plane, turns), size, *item.kind)].append(item)
    whole = len(items)
    several = len(parts) > 1
    ordered = sorted(parts.values(), key=lambda part: min(i.order for i in part))
    echoes = len({item.tags.te_ms for item in items})
    return [
        _series(part, n if several else 0, damaged, echoes=echoes, share=len(part) / whole)
        for n, part in enumerate(ordered, start=1)
    ]


def _direction(plane: Plane, turns: list[np.ndarray]) -> int:
    mine = np.array(plane.orientation)
    for n, other in enumerate(turns):
        if float(np.abs(mine - other).max()) < SAME_DIRECTION:
            return n
    turns.append(mine)
    return len(turns) - 1


def _series(part: list[Found], number: int, damaged: int, echoes: int, share: float) -> Series:
    unique = {(item.plane.sop_uid, item.plane.frame): item for item in part}
    kept, overlaid = _one_a_place(list(unique.values()))
    planes = tuple(item.plane for item in kept)
    notes, refusal, remedy = judge(planes)
    told = list(notes)
    if len(part) > len(unique):
        told.append(f"{len(part) - len(unique)} duplicate files left out")
    if overlaid:
        told.append(f"{overlaid} slices at places already taken left out; the later ones are kept")
    people = {item.person for item in part}
    if len(people) > 1:
        refusal, remedy = f"files of {len(people)} patients in one series", "part the patients and give one alone"
    if damaged:
        refusal = f"{damaged} of {len(part) + damaged} files that cannot be read"
        remedy = "copy the series again from its source"
    first = kept[0]
    return Series(
        study_uid=first.study_uid,
        series_uid=first.series_uid,
        number=first.number,
        planes=planes,
        tags=_joined(part, echoes),
        person=first.person,
        part=number,
        date=first.date,
        time_s=first.time_s,
        notes=tuple(told),
        refusal=refusal,
        remedy=remedy,
    )


def _one_a_place(items: list[Found]) -> tuple[list[Found], int]:
    """Sort along the normal and keep the latest of those at one place."""
    normal = normal_of(items[0].plane)
    places = along_normal([item.plane for item in items], normal)
    order = sorted(range(len(items)), key=lambda n: (places[n], items[n].order))
    kept: list[int] = []
    for n in order:
        if kept and abs(places[n] - places[kept[-1]]) < SAME_PLACE_MM:
            kept[-1] = n if items[n].order >= items[kept[-1]].order else kept[-1]
        else:
            kept.append(n)
    return [items[n] for n in kept], len(items) - len(kept)


def _joined(part: list[Found], echoes: int) -> SeriesTags:
    """Join what the files of a stack say: the middle file's words, everybody's b-values and directions."""
    middle = part[len(part) // 2].tags
    b_values = sorted({b for item in part for b in item.tags.b_values})
    times = [item.tags.acquired_s for item in part if item.tags.acquired_s is not None]
    return replace(
        middle,
        b_values=tuple(b_values),
        directions=max(item.tags.directions for item in part),
        echoes=echoes,
        acquired_s=min(times) if times else middle.acquired_s,
        temporal_positions=max(item.tags.temporal_positions for item in part),
    )
