"""From a case folder, as ``tumorboard run`` writes it, to a patient's course as criteria see it.

Why it exists: masks, numbers and events of a patient lie there already; nobody should type them again. What was not
looked for is left out, what was looked for and not found is 0, and the two never meet.

Which lesions
-------------
*Enhancing* (``ce``) rows are made of every study in which enhancement could be looked for (with T1C). *Not enhancing*
(``nce``) rows are the T2/FLAIR abnormality (WT): the target of RANO-LGG, and of RANO 2.0 where tumour does not enhance.
Around a tumour that enhances the same signal is mostly oedema, which no criterion measures; so these rows are made
only where no reference study shows an enhancing lesion, unless the settings say otherwise.

Names come from :mod:`tumorboard.respond.align.follow`. A lesion in several parts is one lesion: volumes add up, longest
diameters add up (RECIST 1.1 for fragments of a target), and the perpendicular is such that the product is the sum of
the parts' products. A named lesion that is not found in a later study that could show it has vanished: 0 mm; so is one
that grew into another, which holds both from then on (told). Pieces below what the study lists as a lesion count as
nothing; their volume is told. A study that cannot be aligned is not evaluable.

T2/FLAIR: a reader's word in the events counts (``clinical`` with *FLAIR* in its detail), else the volume stands in for
it, see :mod:`tumorboard.respond.case.flair`.

Sources: Eisenhauer 2009 (RECIST 1.1, read in secondary sources) for lesions in parts; otherwise chosen.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from tumorboard.errors import InputError
from tumorboard.measurement import Measurement
from tumorboard.respond.align import Alignment
from tumorboard.respond.case.facts import Facts, facts_of
from tumorboard.respond.case.fits import FITS, read_fits
from tumorboard.respond.case.flair import FlairChange, flair_changes
from tumorboard.respond.case.named import aligned, followed, merged
from tumorboard.respond.case.session import Part, Session, read_session
from tumorboard.respond.visits import REFERENCES, Compartment, Course, Seen, Visit
from tumorboard.store import CaseFolder
from tumorboard.study import Event, EventKind

LEAST_MM, LEAST_SLICES = 10.0, 2
"""What size rules ask of a lesion: longest diameter, and slices that show it (RANO-HGG, RANO-BM)."""

THICKNESS_MM = 0.1
"""A change of the slice distance by more than this is told (chosen)."""

Able = Mapping[Compartment, Sequence[bool]]
"""Which studies could show a compartment and lie where lesions can be compared."""


@dataclass(frozen=True)
class CaseRules:
    """How a case folder becomes a course.

    Parameters
    ----------
    nce : bool or None
        Whether the T2/FLAIR abnormality is followed; ``None``: where no reference study shows an enhancing lesion.
    t2flair_from_volume : bool
        Whether its volume stands in for a reader's word (unverified).
    """

    nce: bool | None = None
    t2flair_from_volume: bool = True


CASE_RULES = CaseRules()


@dataclass(frozen=True)
class CaseCourse:
    """A course, and what has to be told with it.

    Parameters
    ----------
    course : Course
        Visits in order of date.
    studies : tuple of str
        Which study each visit is.
    t2flair : tuple of Measurement
        Change of the T2/FLAIR volume at each visit (a ``proxy``), or why there is none.
    warnings : tuple of str
        Without names, dates and places.
    digital : bool
        The patient is simulated; every output says so.
    alignment : Alignment
        Where the studies lie to each other, for pictures of two of them.
    digests : mapping of str to str
        Of what was read of each study that lies to another, by which its fits are known again.
    """

    course: Course
    studies: tuple[str, ...]
    t2flair: tuple[Measurement, ...]
    warnings: tuple[str, ...] = ()
    digital: bool = False
    alignment: Alignment = field(default_factory=lambda: Alignment({}))
    digests: Mapping[str, str] = field(default_factory=dict)


def course_of(case: Path, rules: CaseRules = CASE_RULES) -> CaseCourse:
    """Read a patient's case folder.

    Parameters
    ----------
    case : Path
        ``OUT/sub-<pseudonym>``.
    rules : CaseRules
        What is made of it.

    Returns
    -------
    CaseCourse

    Raises
    ------
    InputError
        No case folder, studies that were not measured, without dates or on one day, or files that do not agree.

    Examples
    --------
    >>> course_of(Path("nowhere"))
    Traceback (most recent call last):
    tumorboard.errors.InputError: case folder: expected a case folder; got none...
    """
    folder, card = _card(case)
    dated = _dated(card["studies"])
    dates, sessions = [d for d, _ in dated], [read_session(folder, study) for _, study in dated]
    events = tuple(_event(e) for e in card["events"])
    alignment = aligned(sessions, read_fits(folder.root / FITS, sessions))
    able = {c: [s.evaluated(c) and s.id in alignment.to_template for s in sessions] for c in Compartment}
    told = list(alignment.warnings)
    compartments = _compartments(sessions, facts_of(dates, events, able[Compartment.CE])[0], able, rules, told)
    usable = [any(able[c][n] for c in compartments) for n in range(len(sessions))]
    facts, unread = facts_of(dates, events, usable)
    changes = flair_changes(sessions, [f.kind for f in facts])
    lesions = _lesions(sessions, able, compartments, alignment, told)
    visits = tuple(
        _visit(date, fact, change, tuple(seen), rules, evaluable)
        for date, fact, change, seen, evaluable in zip(dates, facts, changes, lesions, usable, strict=True)
    )
    told += [*unread, *_differences(sessions), *_doubts(sessions, facts, visits)]
    return CaseCourse(
        Course(card["pseudonym"], visits),
        tuple(session.id for session in sessions),
        tuple(change.measured for change in changes),
        tuple(dict.fromkeys(told)),
        bool(card["digital"]),
        alignment,
        {s.id: s.digest for s in sessions if any(s.id in pair for pair in alignment.fits)},
    )


def _visit(
    date: dt.date, fact: Facts, change: FlairChange, lesions: tuple[Seen, ...], rules: CaseRules, evaluable: bool
) -> Visit:
    by_volume = change.trend if rules.t2flair_from_volume else None
    return Visit(
        date,
        fact.kind,
        lesions,
        t2flair=fact.t2flair or by_volume,
        clinical=fact.clinical,
        dexamethasone_mg=fact.dexamethasone_mg,
        steroid_reason=fact.steroid_reason,
        evaluable=evaluable,
        rt_end=fact.rt_end,
        drug=fact.drug,
        drug_start=fact.drug_start,
    )


# --- what lies in the folder -------------------------------------------------------------------------------------


def _card(case: Path) -> tuple[CaseFolder, Mapping[str, Any]]:
    place = case.resolve()
    remedy = "give the folder sub-... that `tumorboard run` wrote"
    try:
        card = json.loads((place / "patient.json").read_text(encoding="utf-8"))
        pseudonym, _, _, _ = (card[key] for key in ("pseudonym", "studies", "events", "digital"))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError("a case folder", got="none", where="case folder", remedy=remedy) from error
    folder = CaseFolder(place.parent, pseudonym)
    if folder.root != place:
        got = "another name, which its files do not bear"
        raise InputError("a case folder under its own name", got=got, where="case folder", remedy="name it as it was")
    return folder, card


def _event(row: Mapping[str, Any]) -> Event:
    end = dt.date.fromisoformat(row["end_date"]) if row["end_date"] else None
    texts = {name: str(row[name]) for name in ("value", "unit", "detail")}
    return Event(dt.date.fromisoformat(row["date"]), EventKind(row["event"]), end, **texts)


def _dated(studies: Sequence[Mapping[str, Any]]) -> list[tuple[dt.date, str]]:
    """Return dates and ids of the studies in order of date."""
    undated = [s["id"] for s in studies if not s["date"]]
    if undated or not studies:
        raise InputError(
            "studies with dates",
            got=f"{len(undated)} of {len(studies)} studies without one",
            where="case folder",
            remedy="run again with dates: DICOM has them, BIDS in sessions.tsv (acq_time), one study takes --date",
        )
    dated = sorted((dt.date.fromisoformat(s["date"]), str(s["id"])) for s in studies)
    for (one, first), (two, second) in pairwise(dated):
        if one == two:
            got, remedy = f"{first} and {second} on one", "leave one of them out and run again"
            raise InputError("each study on a day of its own", got=got, where="case folder", remedy=remedy)
    return dated


# --- which lesions are followed ----------------------------------------------------------------------------------


def _compartments(
    sessions: Sequence[Session], facts: Sequence[Facts], able: Able, rules: CaseRules, told: list[str]
) -> tuple[Compartment, ...]:
    """Return what is followed: enhancing lesions always, the T2/FLAIR abnormality where it is the tumour."""
    wanted = rules.nce
    if wanted is None:
        looked = zip(sessions, facts, able[Compartment.CE], strict=True)
        references = [s for s, f, seen in looked if seen and f.kind in REFERENCES]
        wanted = bool(references) and not any(s.parts(Compartment.CE) for s in references)
        if wanted:
            told.append("no reference study shows an enhancing lesion: the T2/FLAIR abnormality is followed as tumour")
    if not any(s.evaluated(Compartment.CE) for s in sessions):
        told.append("enhancing tumour could be looked for in no study (without T1C, or by the scheme of the masks)")
    return (Compartment.CE, Compartment.NCE) if wanted else (Compartment.CE,)


def _lesions(
    sessions: Sequence[Session],
    able: Able,
    compartments: Sequence[Compartment],
    alignment: Alignment,
    told: list[str],
) -> list[list[Seen]]:
    """Return the rows of every study."""
    rows: list[list[Seen]] = [[] for _ in sessions]
    for compartment in compartments:
        places = [n for n, seen in enumerate(able[compartment]) if seen]
        looked = [sessions[n] for n in places]
        tracks = followed(looked, compartment, alignment)
        told += merged(tracks)
        for n, found in zip(places, _rows(looked, tracks.names, compartment), strict=True):
            rows[n] += found
    return rows


def _rows(
    sessions: Sequence[Session], names: Sequence[Mapping[int, str]], compartment: Compartment
) -> Iterator[list[Seen]]:
    """Yield the lesions of each study that could show them: those found, and those that vanished."""
    known: list[str] = []
    for n, (session, named) in enumerate(zip(sessions, names, strict=True)):
        parts: dict[str, list[Part]] = {}
        for number, part in session.parts(compartment).items():
            parts.setdefault(named[number], []).append(part)
        total = sum(p.volume_ml for own in parts.values() for p in own)
        sd = session.volume_sd_ml(compartment)
        rows = []
        for name in (*known, *(name for name in parts if name not in known)):
            seen = _seen(name, compartment, parts.get(name, []), session.slice_mm)
            if sd is not None and seen.volume_ml:
                # lesions' variances add up to that of the whole
                seen = replace(seen, volume_sd_ml=sd * (seen.volume_ml / total) ** 0.5)
            rows.append(replace(seen, new=n > 0 and name not in known))
        known += [name for name in parts if name not in known]
        yield rows


def _seen(name: str, compartment: Compartment, parts: Sequence[Part], slice_mm: float) -> Seen:
    """Return one lesion from its parts; no parts means that it vanished."""
    able = not parts or _may_be_measurable(parts, slice_mm)
    long, perp = _diameters(parts)
    volume = float(sum(p.volume_ml for p in parts))
    return Seen(name, compartment, long, perp, volume, measurable=None if able else False, slice_mm=slice_mm)


def _diameters(parts: Sequence[Part]) -> tuple[float | None, float | None]:
    """Return diameters whose longest and whose product are the sums of the parts'; 0 without any part.

    Parts that the slices do not show add nothing, unless there is no other.
    """
    pairs = [(p.long_mm, p.perp_mm) for p in parts if p.long_mm is not None and p.perp_mm is not None]
    if len(pairs) == 1:
        return pairs[0]
    if parts and not pairs:
        return None, None
    long = float(sum(a for a, _ in pairs))
    return long, sum(a * b for a, b in pairs) / long if long else 0.0


def _may_be_measurable(parts: Sequence[Part], slice_mm: float) -> bool:
    """Return whether any part alone is seen on two slices and long enough for some criterion's size rule."""
    alone = len(parts) == 1
    least = 0.0 if alone else max(LEAST_MM, 2.0 * slice_mm)
    return any(p.slices >= LEAST_SLICES and (p.long_mm or 0.0) >= least for p in parts)


# --- what is told ------------------------------------------------------------------------------------------------


def _differences(sessions: Sequence[Session]) -> Iterator[str]:
    """Yield how studies differ in what makes numbers comparable."""
    ways = list(dict.fromkeys(s.listed.segmenter for s in sessions))
    if len(ways) > 1 and all(w.startswith("own masks") for w in ways):
        yield f"masks follow different label schemes over the studies ({', '.join(ways)}): regions may differ"
    elif len(ways) > 1:
        yield f"studies were outlined in different ways ({', '.join(ways)}): changes may come from that"
    for one, two in pairwise(sessions):
        if abs(one.slice_mm - two.slice_mm) > THICKNESS_MM:
            yield (
                f"{two.id}: slices of {two.slice_mm:g} mm after {one.slice_mm:g} mm: what is measurable changes, and "
                "diameters may"
            )


def _doubts(sessions: Sequence[Session], facts: Sequence[Facts], visits: Sequence[Visit]) -> Iterator[str]:
    """Yield what was not looked for, not measured, or taken from a volume."""
    for session, fact, visit in zip(sessions, facts, visits, strict=True):
        if not session.evaluated(Compartment.CE):
            reason = session.listed.get("volume", "ET").reason
            yield f"{session.id}: enhancing tumour was not evaluated ({reason})"
        elif loose := session.fragments_ml():
            yield f"{session.id}: {loose:.3f} mL of enhancing tumour in pieces too small for lesions counts as none"
        unseen = sum(1 for s in visit.lesions if s.long_mm is None)
        if unseen:
            yield f"{session.id}: {unseen} lesions too small for the slices of the reference sequence have no diameters"
        if visit.t2flair is not None and fact.t2flair is None:
            yield (
                "T2/FLAIR was taken as stable, better or worse from its volume (proxy; thresholds unverified for this "
                "use): a clinical event with FLAIR in its detail replaces it"
            )
