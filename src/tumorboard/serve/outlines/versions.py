"""Versions of an outline: which one holds, saving a new one, accepting or rejecting it.

Why it exists: two readers at two screens must never silently undo each other. Every change names the version that it
was made on; when that is no longer the newest, it is refused. A mask is written before its row, under the name of its
digest, so it is there whole or not at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from tumorboard.chain.correction import Correction
from tumorboard.io.images import read_volume, write_volume
from tumorboard.labels import LabelMap
from tumorboard.serve.data.base import now
from tumorboard.serve.data.people import Edit
from tumorboard.serve.data.words import EditState
from tumorboard.store import digest, write_atomic
from tumorboard.volume import Grid

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from tumorboard.serve.data.tables import Study
    from tumorboard.serve.settings import DepartmentSettings

LONGEST_COMMENT = 4000


class StaleVersion(Exception):
    """Somebody else was faster; ``by`` tells who, for the page."""

    def __init__(self, by: str) -> None:
        self.by = by
        super().__init__("the newest version")


@dataclass(frozen=True)
class Head:
    """The newest version of a study's outline.

    Parameters
    ----------
    token : str
        Names it; a change must bring it along.
    last : Edit or None
        The newest change, whatever became of it.
    shown : Edit or None
        The newest change that was not rejected; None where the method's own outline holds.
    """

    token: str
    last: Edit | None
    shown: Edit | None


def head_of(session: Session, study: Study) -> Head:
    """Return the newest version of a study's outline."""
    edits = session.scalars(select(Edit).where(Edit.study_id == study.id).order_by(Edit.number.desc())).all()
    last = edits[0] if edits else None
    shown = next((e for e in edits if e.state is not EditState.REJECTED), None)
    token = f"{study.version}.0" if last is None else f"{study.version}.{last.number}.{last.state.value}"
    return Head(token, last, shown)


def check_newest(session: Session, study: Study, token: str) -> Head:
    """Return the newest version if ``token`` names it.

    Raises
    ------
    StaleVersion
        It does not.
    """
    head = head_of(session, study)
    if head.token != token:
        raise StaleVersion(head.last.author.shown_name or head.last.author.name if head.last else "a new run")
    return head


def mask_file(settings: DepartmentSettings, study: Study, labels: LabelMap, correction: Correction) -> tuple[str, str]:
    """Write a mask and what is known of it; return the file's name below the home folder, and its digest.

    Parameters
    ----------
    settings : DepartmentSettings
        They say where corrected masks lie.
    study : Study
        Of the mask.
    labels : LabelMap
        On the study's grid.
    correction : Correction
        What is known of it.
    """
    told = correction.model_dump_json(indent=1)
    named = digest(labels.data.tobytes(order="F"), labels.affine.tobytes(), told)
    path = settings.edits / study.key / f"{named}.nii.gz"
    write_atomic(beside(path), told)
    write_volume(labels, path)
    return path.relative_to(settings.home).as_posix(), named


def beside(path: Path) -> Path:
    """Return where what is known of a corrected mask lies.

    Examples
    --------
    >>> beside(Path("edits/a1/b2.nii.gz")).as_posix()
    'edits/a1/b2.json'
    """
    return path.with_name(path.name.removesuffix(".nii.gz") + ".json")


def files_of_edit(settings: DepartmentSettings, edit: Edit) -> tuple[Path, Path]:
    """Return the mask of a version, and what is known of it."""
    path = settings.home / edit.file
    return path, beside(path)


def read_edit(settings: DepartmentSettings, edit: Edit, grid: Grid) -> LabelMap | None:
    """Return the mask of a version; None where it lies on another grid, because the study has new images."""
    read = read_volume(files_of_edit(settings, edit)[0], "correction")
    return LabelMap(read.data, grid) if grid.matches(read.grid) else None


def add_version(
    session: Session,
    study: Study,
    author_id: int,
    file: tuple[str, str],
    changes: dict[str, Any],
    comment: str,
    state: EditState = EditState.DRAFT,
) -> Edit:
    """Add a version to a study; the caller has checked that nobody was faster.

    Parameters
    ----------
    session : Session
        In a transaction that writes.
    study : Study
        In it.
    author_id : int
        Who.
    file : pair of str
        From :func:`mask_file`.
    changes : dict
        What changed, in mL and mm.
    comment : str
        By the author.
    state : EditState
        A draft, unless the author decides at once.
    """
    head = head_of(session, study)
    edit = Edit(
        study_id=study.id,
        number=1 if head.last is None else head.last.number + 1,
        result_version=study.version,
        author_id=author_id,
        state=state,
        file=file[0],
        digest=file[1],
        comment=comment[:LONGEST_COMMENT],
        changes=changes,
        decided_at=None if state is EditState.DRAFT else now(),
    )
    session.add(edit)
    session.flush()
    return edit


def accepted_of(session: Session, study: Study) -> Edit | None:
    """Return the newest accepted version; None without any."""
    accepted = select(Edit).where(Edit.study_id == study.id, Edit.state == EditState.ACCEPTED)
    return session.scalars(accepted.order_by(Edit.number.desc()).limit(1)).first()


def correction_of(session: Session, study: Study) -> Edit | None:
    """Return the accepted correction that the chain takes; None where an outline was accepted as it was."""
    edit = accepted_of(session, study)
    return None if edit is None or edit.changes.get("as_is") else edit


def decide(edit: Edit, state: EditState, comment: str) -> None:
    """Accept or reject a version; what was said before stays.

    Examples
    --------
    >>> edit = Edit(comment="rim", state=EditState.DRAFT)
    >>> decide(edit, EditState.ACCEPTED, "checked on T1"); edit.state.value, edit.comment
    ('accepted', 'rim; checked on T1')
    """
    edit.state = state
    edit.decided_at = now()
    edit.comment = "; ".join(part for part in (edit.comment, comment.strip()) if part)[:LONGEST_COMMENT]
