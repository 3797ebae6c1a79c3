"""Making shelf and rows agree after a crash.

Why it exists: a process may be killed between the move of a file and the end of its transaction. The file is there and
whole, so it is enrolled; a row whose file is gone (a disk was restored from a backup) says so.
"""

from __future__ import annotations

import logging
from pathlib import Path

from tumorboard.errors import FileFormatError
from tumorboard.serve.data.session import Database
from tumorboard.serve.data.tables import Instance, Series, Study
from tumorboard.serve.data.words import InstanceState, Origin
from tumorboard.serve.log import tell
from tumorboard.serve.settings import DepartmentSettings
from tumorboard.serve.shelf.files import INCOMING, Shelf, shelf_of
from tumorboard.serve.shelf.header import read_header
from tumorboard.serve.shelf.rows import enrol


def recover(db: Database, settings: DepartmentSettings) -> int:
    """Enrol the files on the shelf that have no row, and mark the rows that have no file; return how many of both.

    Parameters
    ----------
    db : Database
        The department's.
    settings : DepartmentSettings
        Where the shelf is.
    """
    shelf = shelf_of(settings)
    with db.read() as session:
        known = {
            shelf.path(study, series, key): (number, state)
            for study, series, key, number, state in session.query(
                Study.key, Series.key, Instance.key, Instance.id, Instance.state
            )
            .join(Series, Instance.series_id == Series.id)
            .join(Study, Series.study_id == Study.id)
        }
    there = set(_files(shelf))
    stored = {path for path, (_, state) in known.items() if state is InstanceState.STORED}
    found = sum(_enrol(db, path) for path in sorted(there - stored))
    return found + _mark_lost(db, [known[path][0] for path in stored - there])


def _files(shelf: Shelf) -> list[Path]:
    folders = [folder for folder in shelf.root.iterdir() if folder.name != INCOMING and folder.is_dir()]
    return [path for folder in folders for path in folder.glob("*/*.dcm")]


def _enrol(db: Database, path: Path) -> bool:
    try:
        header = read_header(path)
    except FileFormatError:
        tell("node", "file on the shelf that cannot be read", level=logging.WARNING)
        return False
    with db.begin() as session:
        enrol(session, header, Origin.RECEIVED, "")
    return True


def _mark_lost(db: Database, lost: list[int]) -> int:
    with db.begin() as session:
        for number in lost:
            session.get_one(Instance, number).state = InstanceState.PURGED
    if lost:
        tell("node", "files that are no longer on the shelf", level=logging.WARNING, count=len(lost))
    return len(lost)
