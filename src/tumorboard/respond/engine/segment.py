"""A course cut at its reference studies: what later visits are compared with, and which lesions are followed.

Why it exists: the studies before treatment, after surgery and after radiotherapy are the reference of different
criteria, and a further operation starts the comparison anew.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from tumorboard.respond.criterion import Criterion, Measure
from tumorboard.respond.engine.sizes import is_measurable, present, size_of
from tumorboard.respond.visits import REFERENCES, Compartment, Course, Kind, Role, Seen, Visit


@dataclass(frozen=True, slots=True)
class Segment:
    """Visits that share a reference.

    Parameters
    ----------
    visits : tuple of Visit
        The judged ones, in order of date.
    before : tuple of Visit
        Studies of the reference block; they are not judged.
    baseline : Visit
        Reference of responses.
    start : Visit
        From which the nadir counts.
    """

    visits: tuple[Visit, ...]
    before: tuple[Visit, ...]
    baseline: Visit
    start: Visit


@dataclass(frozen=True, slots=True)
class Followed:
    """The lesions of one compartment (or of several together) in one segment.

    Parameters
    ----------
    targets : tuple of str
        What is summed.
    others : tuple of str
        What is there at the baseline and not summed.
    candidates : int
        How many could have been targets.
    """

    targets: tuple[str, ...]
    others: tuple[str, ...]
    candidates: int


def segments(course: Course, criterion: Criterion) -> tuple[tuple[Visit, ...], list[Segment]]:
    """Cut a course at its reference studies.

    Parameters
    ----------
    course : Course
        In order of date.
    criterion : Criterion
        Says which kinds of study are references.

    Returns
    -------
    early : tuple of Visit
        Visits before any reference.
    segments : list of Segment
        In order of date.
    """
    kinds = {*criterion.baseline, *criterion.nadir_from}
    if not any(v.kind in kinds for v in course.visits):
        kinds = set(REFERENCES)
    blocks: list[tuple[list[Visit], list[Visit]]] = []
    early: list[Visit] = []
    for visit in course.visits:
        if visit.kind in kinds and (not blocks or blocks[-1][1]):
            blocks.append(([visit], []))
        elif visit.kind in kinds:
            blocks[-1][0].append(visit)
        elif blocks:
            blocks[-1][1].append(visit)
        else:
            early.append(visit)
    return tuple(early), [_segment(tuple(b), tuple(v), criterion) for b, v in blocks]


def _segment(block: tuple[Visit, ...], judged: tuple[Visit, ...], criterion: Criterion) -> Segment:
    baseline = _best(block, (*criterion.baseline, *criterion.nadir_from, *REFERENCES))
    start = _best(block, criterion.nadir_from) if any(v.kind in criterion.nadir_from for v in block) else baseline
    return Segment(judged, block, baseline, start)


def _best(block: tuple[Visit, ...], kinds: tuple[Kind, ...]) -> Visit:
    """Return the last study of the first kind that occurs."""
    return next(v for kind in kinds for v in reversed(block) if v.kind is kind)


def follow(baseline: Visit, criterion: Criterion, compartments: tuple[Compartment, ...]) -> Followed:
    """Choose targets at the reference study: the largest measurable lesions, unless a reader chose.

    Ties are broken by name, so that the order of rows is irrelevant.
    """
    measure = criterion.measure
    there = [s for s in baseline.lesions if s.compartment in compartments and present(s) is not False]
    able = [s for s in there if _able(s, criterion)]
    chosen = [s for s in there if s.role is Role.TARGET]
    pool = chosen or [s for s in able if s.role is not Role.NONTARGET]
    pool = sorted(pool, key=lambda s: (-(size_of(s, measure) or 0.0), s.lesion))
    targets = tuple(s.lesion for s in pool[: criterion.max_targets])
    rest = tuple(sorted(s.lesion for s in there if s.lesion not in targets))
    return Followed(targets, rest, len(pool))


def _able(seen: Seen, criterion: Criterion) -> bool:
    if criterion.targets == "all":
        return seen.measurable is not False and _known(seen, criterion.measure)
    return is_measurable(seen, criterion.size, criterion.measure)


def _known(seen: Seen, measure: Measure) -> bool:
    return size_of(seen, measure) is not None


def by_name(visit: Visit, compartments: tuple[Compartment, ...]) -> dict[str, Seen]:
    """Return the lesions of some compartments by name."""
    return {s.lesion: s for s in visit.lesions if s.compartment in compartments}


def births(course: Course) -> dict[str, dt.date]:
    """Return the date of the first row of every lesion that was marked new there."""
    known: set[str] = set()
    born: dict[str, dt.date] = {}
    for visit in course.visits:
        for seen in visit.lesions:
            if seen.lesion not in known:
                known.add(seen.lesion)
                if seen.new:
                    born[seen.lesion] = visit.date
    return born
