"""What the results of a study rest on: its own objects, and the earlier studies that it is compared with.

Why it exists: a job is done once for each input, so an input must have a name; and a result is no longer true when an
earlier study comes late, grows, is corrected, or turns out to be of somebody else. What was purged meanwhile changes
nothing: the result was made when it was there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tumorboard.serve.data.tables import Instance, Patient, Series, Study
from tumorboard.serve.data.words import InstanceState, Origin, StudyState
from tumorboard.serve.outlines.into_chain import correction_digest
from tumorboard.store import digest

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

_WITHOUT = (StudyState.ATTENTION, StudyState.PURGED)


def input_digest(session: Session, study: Study) -> str:
    """Return what names the input of a study: whose it is, every object that came, and the accepted correction.

    Parameters
    ----------
    session : Session
        Of the study.
    study : Study
        Any.
    """
    parts = (
        session.query(Series.uid, Instance.uid, Instance.digest)
        .join(Instance, Instance.series_id == Series.id)
        .filter(Series.study_id == study.id, Instance.origin != Origin.RESULT)
        .filter(Instance.state == InstanceState.STORED)
        .order_by(Series.uid, Instance.uid)
    )
    owner = session.get_one(Patient, study.patient_id).key
    return digest(owner, *(part for row in parts for part in row), *correction_digest(session, study))


def purged_objects(session: Session, study: Study) -> int:
    """Return how many objects of a study came and are no longer there; without them it is not worked on."""
    of_study = session.query(Instance).join(Series).filter(Series.study_id == study.id)
    return of_study.filter(Instance.origin != Origin.RESULT, Instance.state == InstanceState.PURGED).count()


def earlier_studies(session: Session, study: Study) -> list[Study]:
    """Return the studies of its patient that a study can be compared with: not later, and they could be read."""
    of_patient = session.query(Study).filter_by(patient_id=study.patient_id).order_by(Study.date, Study.id)
    moment = (study.date, study.time)
    return [s for s in of_patient if s.state not in _WITHOUT and s.date and (s.date, s.time) < moment]


def rests_on(session: Session, study: Study) -> dict[str, str]:
    """Return the digest of each earlier study's input, by its UID."""
    return {earlier.uid: input_digest(session, earlier) for earlier in earlier_studies(session, study)}


def is_outdated(session: Session, study: Study) -> bool:
    """Whether the results of a study were made with other earlier studies than there are now.

    Parameters
    ----------
    session : Session
        Of the study.
    study : Study
        One that was worked on; :attr:`Study.rests_on` tells with what.
    """
    then = study.rests_on
    if any(then.get(uid) != found for uid, found in rests_on(session, study).items()):
        return True
    of_patient = {uid for (uid,) in session.query(Study.uid).filter_by(patient_id=study.patient_id)}
    return not of_patient.issuperset(then)
