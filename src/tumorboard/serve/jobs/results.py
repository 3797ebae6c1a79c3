"""Keeping what a run made: objects on the shelf, rows that say which version holds.

Why it exists: running twice must not make two sets, and a later set must not make an earlier one vanish: who read it
must still find it, marked as superseded.
"""

from __future__ import annotations

import secrets
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tumorboard.serve.data.session import Database
from tumorboard.serve.data.tables import Instance, Result, Study
from tumorboard.serve.data.words import Origin, ResultState
from tumorboard.serve.queue.board import Claim
from tumorboard.serve.settings import Kind
from tumorboard.serve.shelf.admit import admit
from tumorboard.serve.shelf.files import Shelf

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


@dataclass(frozen=True)
class Made:
    """An object of a run that lies on the shelf: its name in the case folder and its row."""

    name: str
    instance_id: int


def shelve(db: Database, shelf: Shelf, folder: Path, sender: str) -> list[Made]:
    """Put the DICOM objects of a session's folder on the shelf.

    Parameters
    ----------
    db, shelf : Database, Shelf
        The department's.
    folder : Path
        ``ses-…/dicom`` of the case folder; what lies there stays.
    sender : str
        Our own title.
    """
    made = []
    for path in sorted(folder.glob("*.dcm")):
        copy = shelf.incoming / f"result-{secrets.token_hex(8)}.dcm"
        shutil.copyfile(path, copy)
        made.append(Made(path.stem, admit(db, shelf, copy, origin=Origin.RESULT, sender=sender).instance_id))
    return made


def register(session: Session, claim: Claim, made: list[Made], cards: list[str]) -> list[Result]:
    """Write the rows of a run's results, and mark those of earlier runs as superseded.

    Parameters
    ----------
    session : Session
        In the transaction that ends the job.
    claim : Claim
        The job.
    made : list of Made
        What lies on the shelf.
    cards : list of str
        Models and methods that made them, with their versions.

    Returns
    -------
    list of Result
        Those that hold now.
    """
    study = session.get_one(Study, claim.study_id)
    there = {result.uid: result for result in study.results}
    holding = []
    for one in made:
        uid = session.get_one(Instance, one.instance_id).uid
        result = there.get(uid) or Result(study_id=study.id, uid=uid)
        result.kind, result.name = Kind.of_file(one.name).value, one.name
        result.instance_id, result.job_id, result.version = one.instance_id, claim.job_id, claim.version
        result.state, result.cards = ResultState.CURRENT, cards
        session.add(result)
        holding.append(result)
    session.flush()
    for result in study.results:
        if result not in holding:
            result.state = ResultState.SUPERSEDED
    return holding
