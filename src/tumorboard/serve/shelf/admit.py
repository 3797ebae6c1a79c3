"""Taking in one object: header, rows, place on the shelf, in an order that loses nothing.

Why it exists: the DIMSE node, STOW-RS, fetched earlier studies and our own results all come in through this one door.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tumorboard.serve.data.session import Database
from tumorboard.serve.data.tables import Instance, Study
from tumorboard.serve.data.words import Origin
from tumorboard.serve.shelf.files import Shelf, force
from tumorboard.serve.shelf.header import Header, read_header
from tumorboard.serve.shelf.rows import Coming, enrol

TRIES = 5
"""How often rows are written, where two processes make the same one at one time (PostgreSQL)."""


@dataclass(frozen=True)
class Admitted:
    """What became of an object.

    Parameters
    ----------
    coming : Coming
        New, a duplicate, a replacement, or restored after a purge.
    study_key : str
        For logs.
    instance_id : int
        Its row.
    reopened : bool
        Its study was at work or done, and now waits again.
    """

    coming: Coming
    study_key: str
    instance_id: int
    reopened: bool


def admit(
    db: Database,
    shelf: Shelf,
    file: Path,
    *,
    origin: Origin = Origin.RECEIVED,
    sender: str = "",
    header: Header | None = None,
) -> Admitted:
    """Take in a file; afterwards it lies on the shelf, or is removed as a duplicate.

    Parameters
    ----------
    db : Database
        The department's.
    shelf : Shelf
        The department's.
    file : Path
        A DICOM file on the disk of the shelf, best in :attr:`Shelf.incoming`; it is moved.
    origin : Origin
        Where it came from.
    sender : str
        Title or name of who sent it.
    header : Header, optional
        Of the file, if it was read already.

    Returns
    -------
    Admitted
        Only now may the sender be told that it is safe.

    Raises
    ------
    FileFormatError
        The file is no DICOM object; it is left where it was.
    OSError
        The disk is full or cannot be written; no row tells of the file.

    Examples
    --------
    >>> admit(None, Shelf(Path("shelf")), Path(__file__))
    Traceback (most recent call last):
    tumorboard.errors.FileFormatError: object: expected a DICOM object; got a file that cannot be read as one.
    """
    from sqlalchemy.exc import IntegrityError

    header = header or read_header(file)
    force(file)
    for left in reversed(range(TRIES)):
        try:
            return _admit(db, shelf, file, header, origin, sender)
        except IntegrityError:
            if not left:
                raise
    raise AssertionError("the last try returns or raises")


def _admit(db: Database, shelf: Shelf, file: Path, header: Header, origin: Origin, sender: str) -> Admitted:
    with db.begin() as session:
        done = enrol(session, header, origin, sender)
        admitted = Admitted(done.coming, done.study.key, done.instance.id, done.reopened)
        if done.coming is not Coming.DUPLICATE:
            place = shelf.path(done.study.key, done.series.key, done.instance.key)
            begun = not place.parent.is_dir()
            shelf.place(file, place)
    if done.coming is Coming.DUPLICATE:
        file.unlink(missing_ok=True)
        return admitted
    force(place.parent, *((place.parent.parent, shelf.root) if begun else ()))
    return admitted


def file_of(shelf: Shelf, instance: Instance) -> Path:
    """Return where an object's file lies; its series and study are loaded."""
    return shelf.path(instance.series.study.key, instance.series.key, instance.key)


def files_of(shelf: Shelf, study: Study, *origins: Origin) -> list[tuple[Instance, Path]]:
    """Return the stored objects of a study with their files, in order of series and number.

    Parameters
    ----------
    shelf : Shelf
        The department's.
    study : Study
        In its session.
    origins : Origin
        Only objects that came so; none for all.
    """
    from tumorboard.serve.data.words import InstanceState

    wanted = set(origins or Origin)
    return [
        (instance, shelf.path(study.key, series.key, instance.key))
        for series in study.series
        for instance in series.instances
        if instance.state is InstanceState.STORED and instance.origin in wanted
    ]
