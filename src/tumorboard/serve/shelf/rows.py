"""From a file's header to rows: which patient, study, series and object it is, and what that changes.

Why it exists: objects come twice, out of order, late, and under a corrected name. What each of these means is decided
here and nowhere else: a duplicate changes nothing; another content under the same UID replaces; a late object re-opens
its study; a study follows a corrected identity once all its objects agree.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeVar

from tumorboard.serve.data.base import Base, now
from tumorboard.serve.data.priority import Priority
from tumorboard.serve.data.tables import Awaited, Instance, Patient, Series, Study
from tumorboard.serve.data.words import InstanceState, Origin, StudyState
from tumorboard.serve.shelf.files import key_of
from tumorboard.serve.shelf.header import Header

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

Row = TypeVar("Row", bound=Base)


class Coming(StrEnum):
    """What an object is to what is there already."""

    NEW = "new"
    DUPLICATE = "duplicate"
    REPLACES = "replaces"
    RESTORED = "restored"


@dataclass(frozen=True)
class Enrolled:
    """What became of an object: its row, and what it was to what was there."""

    coming: Coming
    instance: Instance
    series: Series
    study: Study
    reopened: bool = False


def resolved(patient: Patient, session: Session) -> Patient:
    """Return the patient that a row stands for, after all merges."""
    seen = {patient.id}
    while patient.merged_into_id is not None and patient.merged_into_id not in seen:
        seen.add(patient.merged_into_id)
        patient = session.get_one(Patient, patient.merged_into_id)
    return patient


def enrol(session: Session, header: Header, origin: Origin, sender: str) -> Enrolled:
    """Find or make the rows of an object.

    Parameters
    ----------
    session : Session
        In a transaction that writes.
    header : Header
        Of the object.
    origin : Origin
        A result of ours re-opens nothing; an earlier study that we fetched is not worked on by itself.
    sender : str
        Title or name of who sent it.

    Returns
    -------
    Enrolled
        The file must lie in its place before the transaction ends.
    """
    origin = _origin(session, header, origin)
    named = _patient(session, header)
    study = _study(session, header, named, origin)
    series = _series(session, header, study)
    instance, coming = _instance(session, header, series, named, origin)
    if coming is Coming.DUPLICATE:
        return Enrolled(coming, instance, series, study)
    _write(instance, header, named, origin, sender)
    _added(session, instance)
    if origin is Origin.RESULT:
        return Enrolled(coming, instance, series, study)
    _follow_identity(session, study, named)
    reopened = _reopen(study, origin, coming)
    return Enrolled(coming, instance, series, study, reopened)


def _origin(session: Session, header: Header, origin: Origin) -> Origin:
    """Take for an earlier study what a peer was asked to send; not every peer says that it was asked."""
    awaited = session.get(Awaited, header.study_uid) if origin is Origin.RECEIVED else None
    return Origin.PRIOR if awaited is not None and awaited.until > now() else origin


def _patient(session: Session, header: Header) -> Patient:
    found = session.query(Patient).filter_by(issuer=header.issuer, patient_id=header.patient_id).one_or_none()
    if found is None:
        found = _added(session, Patient(issuer=header.issuer, patient_id=header.patient_id, **header.patient))
    for column, said in header.patient.items():
        if said and getattr(found, column) != said:
            setattr(found, column, said)  # the last word on a name holds
    return found


def _study(session: Session, header: Header, named: Patient, origin: Origin) -> Study:
    found = session.query(Study).filter_by(uid=header.study_uid).one_or_none()
    if found is None:
        prior = origin is Origin.PRIOR
        state = StudyState.STORED if prior else StudyState.RECEIVING
        made = Study(uid=header.study_uid, key=key_of(header.study_uid), prior=prior, state=state, **header.study)
        made.patient_id, made.digital = resolved(named, session).id, header.digital
        return _added(session, made)
    for column, said in header.study.items():
        if said and not getattr(found, column):
            setattr(found, column, said)
    found.ordered = Priority.highest(found.ordered, header.study["ordered"])
    return found


def _series(session: Session, header: Header, study: Study) -> Series:
    found = session.query(Series).filter_by(study_id=study.id, uid=header.series_uid).one_or_none()
    if found is None:
        key = key_of(header.study_uid, header.series_uid)
        found = _added(session, Series(uid=header.series_uid, key=key, study_id=study.id, **header.series))
    return found


def _instance(
    session: Session, header: Header, series: Series, named: Patient, origin: Origin
) -> tuple[Instance, Coming]:
    found = session.query(Instance).filter_by(series_id=series.id, uid=header.sop_uid).one_or_none()
    if found is None:
        key = key_of(header.study_uid, header.series_uid, header.sop_uid)
        return Instance(uid=header.sop_uid, key=key, series_id=series.id), Coming.NEW
    same = found.digest == header.digest
    if found.state is InstanceState.PURGED:
        return found, Coming.RESTORED if same else Coming.REPLACES
    ours = found.origin is Origin.RESULT is not origin
    recoded = found.transfer_syntax != header.transfer_syntax and found.patient_id == named.id
    return found, Coming.DUPLICATE if same or ours or recoded else Coming.REPLACES


def _write(instance: Instance, header: Header, named: Patient, origin: Origin, sender: str) -> None:
    said: dict[str, Any] = {"sop_class": header.sop_class, "transfer_syntax": header.transfer_syntax, **header.instance}
    said |= {"digest": header.digest, "size": header.size, "sender": sender[:64], "patient_id": named.id}
    said |= {"origin": origin, "state": InstanceState.STORED, "received_at": now()}
    for column, content in said.items():
        setattr(instance, column, content)


def _follow_identity(session: Session, study: Study, named: Patient) -> None:
    """Move a study to another patient once none of its received objects names any other."""
    if resolved(named, session).id == study.patient_id:
        return
    if people_of(session, study) == {resolved(named, session).id}:
        study.left_id, study.patient_id = study.patient_id, resolved(named, session).id


def people_of(session: Session, study: Study) -> set[int]:
    """Return the ids of the patients that the received objects of a study name, after merges."""
    named = (
        session.query(Patient)
        .join(Instance, Instance.patient_id == Patient.id)
        .join(Series, Instance.series_id == Series.id)
        .filter(Series.study_id == study.id, Instance.origin != Origin.RESULT)
        .distinct()
    )
    return {resolved(patient, session).id for patient in named}


def _reopen(study: Study, origin: Origin, coming: Coming) -> bool:
    """Let a study wait for its objects again; what we fetched for comparison alone stays as it is."""
    study.last_at = now()
    fetched = origin is Origin.PRIOR and (study.prior or study.state is StudyState.PURGED)
    if fetched and study.state is StudyState.PURGED:
        study.state = StudyState.DONE if study.version else StudyState.STORED
    if fetched or (coming is Coming.RESTORED and study.state not in (StudyState.PURGED, StudyState.ATTENTION)):
        return False
    again = study.state not in (StudyState.RECEIVING, StudyState.STORED)
    study.state, study.prior, study.reason = StudyState.RECEIVING, False, ""
    return again


def _added(session: Session, row: Row) -> Row:
    session.add(row)
    session.flush()
    return row
