"""Lesions of a case folder under names that hold over its studies.

Why it exists: each study numbers its lesions anew, by size. Alignment says where the same place is, following says
which lesion is which; here both read a patient's folder.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import overload

import numpy as np

from tumorboard.respond.align import Alignment, align
from tumorboard.respond.follow import Fate, LesionsAt, Tracks, follow
from tumorboard.respond.session import Session
from tumorboard.respond.visits import Compartment
from tumorboard.study import Study

PREFIX = {Compartment.CE: "", Compartment.NCE: "FLAIR-"}
"""Names of both compartments lie in one table and must differ."""


class _Studies(Sequence[Study]):
    """The studies, each read when it is wanted, so that memory holds one."""

    def __init__(self, sessions: Sequence[Session]) -> None:
        self._sessions = sessions

    def __len__(self) -> int:
        return len(self._sessions)

    @overload
    def __getitem__(self, index: int) -> Study: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[Study]: ...

    def __getitem__(self, index: int | slice) -> Study | Sequence[Study]:
        if isinstance(index, slice):
            return _Studies(self._sessions[index])
        return self._sessions[index].study()


def aligned(sessions: Sequence[Session]) -> Alignment:
    """Bring the studies of a case folder into one space; tumour and cavity are left out of the comparison.

    Parameters
    ----------
    sessions : sequence of Session
        In order of date.

    Returns
    -------
    Alignment
        Studies that could not be aligned are not in it, and it says why.
    """
    if len(sessions) == 1:
        return Alignment({sessions[0].id: np.eye(4)})
    return align(_Studies(sessions), {session.id: session.labels for session in sessions})


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
