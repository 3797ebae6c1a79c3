"""The checklists of a run that ended, answered again with what its author tells.

Why it exists: a run answers what it knows when it ends; its author knows more, a day later. Both together are answered
here, from the facts that the run wrote, without running anything again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tumorboard.appraise.answer import Appraisal, appraise
from tumorboard.appraise.checklist import CHECKLISTS, read_checklist
from tumorboard.appraise.facts import RunFacts
from tumorboard.appraise.told import Authors, author_form, parse_authors
from tumorboard.appraise.write import write_appraisals
from tumorboard.errors import InputError, did_you_mean
from tumorboard.store import write_atomic

AUTHORS = "authors.yaml"
"""Of the author's file beside a run; it is made as a form where there is none."""
_MOST_BYTES = 1_000_000


@dataclass(frozen=True)
class Again:
    """Checklists that were answered again.

    Parameters
    ----------
    appraisals : tuple of Appraisal
        Of the checklists that were asked for.
    page : Path
        All of them with a picture.
    form : Path
        The author's file.
    told : bool
        Whether the author told anything.
    """

    appraisals: tuple[Appraisal, ...]
    page: Path
    form: Path
    told: bool


def appraise_again(folder: Path, authors: Path | None = None, names: Sequence[str] = ()) -> Again:
    """Answer the checklists of a run again, and write them beside it.

    Parameters
    ----------
    folder : Path
        Results of ``tumorboard lab run``.
    authors : Path, optional
        What the author tells; by default ``authors.yaml`` in the folder, which is made as a form where there is none.
    names : sequence of str
        Of checklists to return; by default all. All are written.

    Returns
    -------
    Again

    Raises
    ------
    InputError
        The folder has no facts, the file cannot be read or tells what the run has settled, or no such checklist.
    OutputError
        The folder cannot be written.
    """
    for name in names:
        if name not in CHECKLISTS:
            remedy = did_you_mean(name, CHECKLISTS)
            raise InputError(f"a checklist of {', '.join(CHECKLISTS)}", got=repr(name), where="appraise", remedy=remedy)
    facts = facts_of_folder(folder)
    place = folder / AUTHORS if authors is None else authors
    told = parse_authors(_read(place)) if authors is not None or place.is_file() else Authors()
    known = told.joined(facts)
    every = tuple(appraise(known, read_checklist(n), told.answers.get(n)) for n in CHECKLISTS)
    write_appraisals(folder / "checklists", every)
    if not place.is_file():
        write_atomic(place, author_form(known, every))
    wanted = tuple(a for a in every if not names or a.checklist.id in names)
    return Again(wanted, folder / "checklists" / "checklists.html", place, bool(told.facts or told.answers))


def facts_of_folder(folder: Path) -> RunFacts:
    """Return the facts that a run wrote; what it would know and did not tell was not done.

    Raises
    ------
    InputError
        There are none.
    """
    try:
        text = (folder / "facts.json").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        expected = "a folder that `tumorboard lab run` wrote"
        raise InputError(expected, got="one without facts.json", where="appraise") from error
    return RunFacts.read(text).closed()


def _read(place: Path) -> str:
    try:
        if place.stat().st_size > _MOST_BYTES:
            raise InputError("a file of answers", got="one far too large", where="the author's answers")
        return place.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError("a YAML file", got="none that can be read", where="the author's answers") from error
