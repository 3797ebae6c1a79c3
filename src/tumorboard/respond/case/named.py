"""Lesions of a case folder under names that hold over its studies.

Why it exists: each study numbers its lesions anew, by size. Alignment says where the same place is, following says
which lesion is which; here both read a patient's folder.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from tumorboard.respond.align import Alignment, PairFit, Side, align_sides
from tumorboard.respond.align.follow import Fate, LesionsAt, Tracks, follow
from tumorboard.respond.case.session import Session
from tumorboard.respond.visits import Compartment

PREFIX = {Compartment.CE: "", Compartment.NCE: "FLAIR-"}
"""Names of both compartments lie in one table and must differ."""


def aligned(sessions: Sequence[Session], kept: Mapping[tuple[str, str], PairFit] | None = None) -> Alignment:
    """Bring the studies of a case folder into one space; tumour and cavity are left out of the comparison.

    Parameters
    ----------
    sessions : sequence of Session
        In order of date; images of a study are read only where one of its pairs is not kept.
    kept : mapping of pairs of str to PairFit, optional
        From :func:`tumorboard.respond.case.course.fits.read_fits`.

    Returns
    -------
    Alignment
        Studies that could not be aligned are not in it, and it says why.
    """
    by_name = {session.id: session for session in sessions}
    return align_sides(sorted(by_name), lambda name: Side.of(by_name[name].study(), by_name[name].labels), kept=kept)


def followed(sessions: Sequence[Session], compartment: Compartment, alignment: Alignment) -> Tracks:
    """Follow the lesions of one compartment.

    Parameters
    ----------
    sessions : sequence of Session
        In order of date; studies that were aligned and could show the compartment.
    compartment : Compartment
        What the lesions consist of.
    alignment : Alignment
        Of all studies.

    Returns
    -------
    Tracks
        Names are ``L1`` ... for enhancing lesions, ``FLAIR-L1`` ... for the T2/FLAIR abnormality.
    """
    at = [LesionsAt(s.numbers(compartment), s.labels.grid, alignment.to_template[s.id]) for s in sessions]
    found = follow(at)
    prefix = PREFIX[compartment]
    names = tuple({number: f"{prefix}{name}" for number, name in named.items()} for named in found.names)
    return Tracks(names, found.events)


def merged(tracks: Tracks) -> Iterator[str]:
    """Yield how lesions grew together: their sum stands under one name from then on."""
    for event in tracks.events:
        if event.fate is Fate.MERGE and event.into:
            yield f"{event.name} grew into {event.into}: both are measured as {event.into} from then on"
