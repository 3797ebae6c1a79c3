"""Keeping the house: images whose time is over go, forgotten files are swept, patients are merged.

Why it exists: patients' images may be kept only so long, disks are finite, and identities are corrected. Rows, results
and the audit stay: what was said about a patient must be found later. Nothing goes while a study is at work.
"""

from __future__ import annotations

import datetime as dt
import shutil
from typing import TYPE_CHECKING

from tumorboard.errors import InputError
from tumorboard.serve.audit import SYSTEM, record
from tumorboard.serve.data.base import now
from tumorboard.serve.data.session import Database
from tumorboard.serve.data.tables import Job, Patient, Series, Study
from tumorboard.serve.data.words import InstanceState, JobState, Origin, StudyState
from tumorboard.serve.log import tell
from tumorboard.serve.node.renew import renew_later
from tumorboard.serve.outlines.places import series_of
from tumorboard.serve.room.pictures import forget
from tumorboard.serve.settings import DepartmentSettings
from tumorboard.serve.shelf.admit import files_of
from tumorboard.serve.shelf.files import Shelf, shelf_of
from tumorboard.serve.shelf.room import GIB, stored_bytes

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

_ENDED = (StudyState.DONE, StudyState.STORED, StudyState.ATTENTION)
MAKE_ROOM_AT = 0.9
"""Share of the quota from which the oldest studies go, so that nobody has to be refused. Chosen."""


def keep_house(db: Database, settings: DepartmentSettings) -> int:
    """Purge what is over its time or over the quota, and sweep; return how many studies were purged."""
    shelf = shelf_of(settings)
    shelf.sweep()
    purged = 0
    for study_id in _overdue(db, settings.keep.days):
        purged += purge(db, settings, study_id, SYSTEM)
    quota = settings.keep.disk_gib * GIB
    for study_id in _oldest(db) if quota else ():
        if stored_bytes(db) <= MAKE_ROOM_AT * quota:
            break
        purged += purge(db, settings, study_id, SYSTEM)
    _remove_left(db, settings)
    forget(settings.viewer)
    return purged


def _remove_left(db: Database, settings: DepartmentSettings) -> None:
    """Remove what case folders hold of studies that are another's now: patients were merged, or names corrected."""
    with db.read() as session:
        of_study = session.query(Series.uid, Patient.key, Study.state)
        held = of_study.select_from(Series).join(Study).join(Patient).all()
        running = session.query(Patient.key).join(Study, Study.patient_id == Patient.id).join(Job)
        at_work = {key for (key,) in running.filter(Job.state == JobState.RUNNING)}
        known = {key for (key,) in session.query(Patient.key)}
    owner = {uid: key for uid, key, _ in held}
    living = {key for _, key, state in held if state is not StudyState.PURGED}
    for key in known - at_work:
        folder = settings.cases / f"sub-{key}"
        if key not in living:
            shutil.rmtree(folder, ignore_errors=True)
            shutil.rmtree(settings.viewer / folder.name, ignore_errors=True)
        for visit in folder.glob("ses-*"):
            whose = {owner[uid] for uid in series_of(visit) if uid in owner}
            if whose and key not in whose:
                shutil.rmtree(visit, ignore_errors=True)


def purge(db: Database, settings: DepartmentSettings, study_id: int, who: str) -> bool:
    """Remove the images of a study that is not at work, and its patient's case folder with the last of them.

    Parameters
    ----------
    db, settings : Database, DepartmentSettings
        The department's.
    study_id : int
        Which study.
    who : str
        On whose word.

    Returns
    -------
    bool
        False where the study is at work, or was purged before. Results and rows stay.
    """
    shelf = shelf_of(settings)
    with db.begin() as session:
        study = session.get_one(Study, study_id)
        if study.state not in _ENDED:
            return False
        gone = files_of(shelf, study, Origin.RECEIVED, Origin.PRIOR)
        for instance, _ in gone:
            instance.state = InstanceState.PURGED
        study.state = StudyState.PURGED
        record(session, who, "study purged", study.key, objects=len(gone))
        last = all(other.state is StudyState.PURGED for other in study.patient.studies)
        case = settings.cases / f"sub-{study.patient.key}"
        key = study.key
    for _, path in gone:
        path.unlink(missing_ok=True)
    _remove_empty(shelf, key)
    if last:
        shutil.rmtree(case, ignore_errors=True)
        shutil.rmtree(settings.viewer / case.name, ignore_errors=True)
    tell("node", "study purged", study=key, objects=len(gone))
    return True


def merge_patients(session: Session, wrong: Patient, right: Patient, who: str) -> list[str]:
    """Make two patients one; return the keys of the studies that are worked on anew.

    Parameters
    ----------
    session : Session
        In a transaction that writes.
    wrong, right : Patient
        The first becomes the second; what is sent for the first from now on is the second's.
    who : str
        On whose word.

    Raises
    ------
    InputError
        They are one already.
    """
    if wrong.id == right.id or wrong.merged_into_id is not None or right.merged_into_id == wrong.id:
        remedy = "choose two that stand for themselves"
        raise InputError("two patients", got="one, or one that was merged before", where="merge", remedy=remedy)
    wrong.merged_into_id = right.id
    moved = []
    for study in list(wrong.studies):
        study.patient_id = right.id
        if study.state not in (StudyState.STORED, StudyState.PURGED):
            study.state = StudyState.RECEIVING  # complete at once: nothing new came
            moved.append(study.key)
    session.flush()
    record(session, who, "patients merged", wrong.key, into=right.key, studies=len(moved))
    return [*moved, *renew_later(session, right.id)]


def merge(db: Database, wrong: str, right: str, who: str) -> list[str]:
    """Make two patients one by their keys; see :func:`merge_patients`.

    Raises
    ------
    InputError
        There is no such patient, or they are one already.
    """
    with db.begin() as session:
        rows = [session.query(Patient).filter_by(key=key).one_or_none() for key in (wrong, right)]
        first, second = rows
        if first is None or second is None:
            remedy = "take it from the address of the patient's page"
            raise InputError("the keys of two patients", got="another", where="merge", remedy=remedy)
        return merge_patients(session, first, second, who)


def purge_by_key(db: Database, settings: DepartmentSettings, study_key: str, who: str) -> bool:
    """Remove the images of a study by its key; see :func:`purge`.

    Raises
    ------
    InputError
        There is no such study.
    """
    with db.read() as session:
        study = session.query(Study).filter_by(key=study_key).one_or_none()
    if study is None:
        raise InputError("the key of a study", got="another", where="study", remedy="see: tumorboard serve status")
    return purge(db, settings, study.id, who)


def _overdue(db: Database, days: int) -> list[int]:
    if not days:
        return []
    with db.read() as session:
        limit = now() - dt.timedelta(days=days)
        return [row.id for row in session.query(Study.id).filter(Study.last_at < limit, Study.state.in_(_ENDED))]


def _oldest(db: Database) -> list[int]:
    with db.read() as session:
        ended = session.query(Study.id).filter(Study.state.in_((StudyState.DONE, StudyState.STORED)))
        return [row.id for row in ended.order_by(Study.last_at)]


def _remove_empty(shelf: Shelf, study_key: str) -> None:
    for folder in (*(shelf.root / study_key).glob("*"), shelf.root / study_key):
        if folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()
