"""From the planes of one DICOM series to stacks that can be volumes.

Why it exists: one series number may hold two echoes, three directions, twelve b-values or forty time
points. What differs in kind is parted first; only then are places compared. The order in which files
come changes nothing.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np

from tumorboard.io.dicom.geometry import MISSING, Judgement, along_normal, axes_of, judge
from tumorboard.series import Person, Plane, Series, SeriesTags

SAME_DIRECTION = 0.01
"""Direction cosines that differ by no more are the same direction. Chosen."""

SAME_PLACE_MM = 0.01
"""Planes that lie nearer are at one place. Chosen."""

MOSAIC = "MOSAIC"
"""Value of Image Type of slices tiled in one picture (Siemens)."""

_AGAIN = "copy the series again from its source"


class Kind(NamedTuple):
    """What parts the planes of a series: planes of one stack agree in all of it."""

    image_type: tuple[str, ...] = ()
    component: tuple[str, ...] = ()
    echo: tuple[int, float] = (0, 0.0)
    b_value: float | None = None
    contrast: bool = False
    time_point: int = 0
    stack_id: str = ""


@dataclass(frozen=True)
class Found:
    """One plane and what its file says around it.

    Parameters
    ----------
    plane : Plane
        Where.
    kind : Kind
        What it is.
    tags : SeriesTags
        Of its kind in its file.
    person : Person
        Whose.
    order : (float, int)
        Acquisition time in seconds and instance number, for what came later.
    gradient : tuple of float or None
        Diffusion gradient direction.
    intact : bool
        The file ends where it must, and every frame says its place.
    """

    plane: Plane
    kind: Kind
    tags: SeriesTags
    person: Person
    order: tuple[float, int]
    gradient: tuple[float, ...] | None = None
    intact: bool = True
    study_uid: str = field(default="", repr=False)
    series_uid: str = field(default="", repr=False)
    number: int = 0
    date: dt.date | None = field(default=None, repr=False)
    time_s: float | None = field(default=None, repr=False)

    @property
    def sorting(self) -> tuple[object, ...]:
        """Puts planes in one order, whatever the order of the files."""
        return (*self.order, self.plane.sop_uid, self.plane.frame, str(self.plane.path))

    @property
    def copy_of(self) -> Hashable:
        """Equal for two copies of one image."""
        return self.plane.sop_uid or str(self.plane.path), self.plane.frame


@dataclass(frozen=True)
class _Whole:
    """What holds for all stacks of a series: files that cannot be read, and counts before it was parted."""

    damaged: int
    files: int
    patients: int
    echoes: int
    time_points: int


def stacks_of(found: Iterable[Found], lost: int = 0) -> list[Series]:
    """Return the stacks of one DICOM series, each a :class:`Series`.

    Parameters
    ----------
    found : iterable of Found
        All planes of one Series Instance UID; at least one. Of copies of one image, an intact one is kept.
    lost : int
        Files of the series that cannot be read at all. With such files, or damaged ones, it is refused.

    Returns
    -------
    list of Series
        In order of acquisition; numbered from 1 where there are several, else 0.
    """
    everything = sorted(found, key=lambda item: (not item.intact, item.sorting))
    copies = {item.copy_of: item for item in reversed(everything)}
    unique = sorted(copies.values(), key=lambda item: item.sorting)
    left_out = len({item.plane.path for item in everything}) - len({item.plane.path for item in unique})
    whole = _Whole(
        damaged=lost + len({item.plane.path for item in unique if not item.intact}),
        files=lost + len({item.plane.path for item in unique}),
        patients=people(item.person for item in everything),
        echoes=len({item.kind.echo for item in unique}),
        time_points=len({item.kind.time_point for item in unique}),
    )
    parts: dict[Hashable, list[Found]] = defaultdict(list)
    turns: list[np.ndarray] = []
    for item in unique:
        size = (item.plane.rows, item.plane.columns, *(round(s, 3) for s in item.plane.spacing_mm))
        parts[_direction(item.plane, turns), size, item.kind].append(item)
    made = [_series(part, n if len(parts) > 1 else 0, whole) for n, part in enumerate(parts.values(), start=1)]
    told = [f"{left_out} duplicate {'files' if left_out > 1 else 'file'} left out"] if left_out else []
    return [replace(series, notes=(*told, *series.notes)) for series in made]


def _direction(plane: Plane, turns: list[np.ndarray]) -> int:
    """Return the number of a direction, numbered as they come."""
    mine = np.array(plane.orientation)
    for n, other in enumerate(turns):
        if float(np.abs(mine - other).max()) <= SAME_DIRECTION:
            return n
    turns.append(mine)
    return len(turns) - 1


def _series(part: list[Found], number: int, whole: _Whole) -> Series:
    kept, repeats = _one_a_place(part)
    planes = tuple(item.plane for item in kept)
    judged = _refused(part, whole) or judge(planes)
    first = part[0]
    tags = _joined(part, whole, repeats)
    notes = list(judged.notes)
    if overlaid := len(part) - len(kept):
        notes.append(
            f"{overlaid} {'slices lie' if overlaid > 1 else 'slice lies'} where a later one does, which is kept"
        )
    if not judged.refusal and tags.between_mm and tags.thickness_mm:
        notes += _thinned(planes, tags.between_mm, tags.thickness_mm)
    return Series(
        study_uid=first.study_uid,
        series_uid=first.series_uid,
        number=first.number,
        planes=planes,
        tags=tags,
        person=first.person,
        part=number,
        date=first.date,
        time_s=first.time_s,
        notes=tuple(notes),
        refusal=judged.refusal,
        remedy=judged.remedy,
    )


def _refused(part: list[Found], whole: _Whole) -> Judgement | None:
    """Return why no stack of such files can be used, whatever its geometry."""
    if whole.patients > 1:
        told = f"files of {whole.patients} patients in one series"
        return Judgement(refusal=told, remedy="part the patients and give one alone")
    if whole.damaged:
        told = f"{whole.damaged} of {whole.files} files that are damaged or end early"
        return Judgement(refusal=told, remedy=_AGAIN)
    if MOSAIC in part[0].kind.image_type:
        told = "mosaics (several slices tiled in one picture)"
        return Judgement(refusal=told, remedy="export the series with one slice in each picture")
    return None


def _one_a_place(part: list[Found]) -> tuple[list[Found], int]:
    """Sort along the normal, keep the latest of those at one place, and count the most at one place."""
    places = along_normal([item.plane for item in part], axes_of(part[0].plane)[2])
    groups: list[list[int]] = []
    for n in sorted(range(len(part)), key=lambda n: (places[n], part[n].sorting)):
        if groups and abs(places[n] - places[groups[-1][0]]) < SAME_PLACE_MM:
            groups[-1].append(n)
        else:
            groups.append([n])
    kept = [part[max(group, key=lambda n: part[n].sorting)] for group in groups]
    return kept, max(len(group) for group in groups)


def _joined(part: list[Found], whole: _Whole, repeats: int) -> SeriesTags:
    """Join what the files of a stack say: the middle file's words, everybody's b-values and directions."""
    middle = part[len(part) // 2].tags
    times = [item.tags.acquired_s for item in part if item.tags.acquired_s is not None]
    directions = len({item.gradient for item in part} - {None})
    # images that lie at one place and tell no direction are time points, named or not
    points = max(whole.time_points, middle.temporal_positions, 1 if directions > 1 else repeats)
    return replace(
        middle,
        b_values=tuple(sorted({b for item in part for b in item.tags.b_values})),
        directions=directions,
        echoes=whole.echoes,
        acquired_s=min(times, default=None),
        temporal_positions=points,
    )


def _thinned(planes: tuple[Plane, ...], between_mm: float, thickness_mm: float) -> list[str]:
    """Tell when slices lie much farther apart than the header says (some give the gap alone: less than a slice)."""
    places = along_normal(planes, axes_of(planes[0])[2])
    gap = float(np.median(np.diff(places)))
    if between_mm < thickness_mm or gap < MISSING * between_mm:
        return []
    return [f"slices lie {gap:.1f} mm apart where the header says {between_mm:.1f} mm; every other one may be missing"]


def people(persons: Iterable[Person]) -> int:
    """Count the patients that persons name; what one leaves empty contradicts nobody.

    Examples
    --------
    >>> people([Person("7", name="A^B"), Person("7", name="A^B^^"), Person(name="a^b")])
    1
    """
    known: list[Person] = []
    for person, _ in Counter(persons).most_common():
        if not any(_same(person, other) for other in known):
            known.append(person)
    return len(known)


def _same(one: Person, other: Person) -> bool:
    """Whether nothing that both say differs; the number decides where both have one of one issuer."""
    fields = ("patient_id", "issuer", "name", "birth_date")
    pairs = [(_folded(getattr(one, name)), _folded(getattr(other, name))) for name in fields]
    return all(a == b for a, b in pairs if a and b)


def _folded(text: str) -> str:
    return " ".join(text.replace("^", " ").casefold().split())
