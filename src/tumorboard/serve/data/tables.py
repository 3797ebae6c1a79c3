"""The tables of what comes from and goes to a PACS: patients, studies, series, objects, results, jobs, sendings.

Why it exists: which study is where, on which input a result stands, and what became of it, must survive any crash.
Identifiers of patients stand here and in the DICOM files only; everything else speaks of keys.
"""

from __future__ import annotations

import datetime as dt
import secrets
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from tumorboard.serve.data.base import Base, now
from tumorboard.serve.data.words import (
    InstanceState,
    JobState,
    Origin,
    ResultState,
    SentState,
    Step,
    StudyState,
)

UID = String(64)
KEY = String(16)


def new_patient_key() -> str:
    """Return a key that says nothing of its patient: twelve letters, for file names and logs.

    Examples
    --------
    >>> len(new_patient_key()), new_patient_key() == new_patient_key()
    (12, False)
    """
    return "".join(secrets.choice("abcdefghijkmnpqrstuvwxyz") for _ in range(12))


class Patient(Base):
    """A person, as one issuer of patient IDs calls them; ``merged_into`` where two turned out to be one."""

    __tablename__ = "patient"
    __table_args__ = (UniqueConstraint("issuer", "patient_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(KEY, unique=True, default=new_patient_key)
    issuer: Mapped[str] = mapped_column(String(64), default="")
    patient_id: Mapped[str] = mapped_column(String(256))
    name: Mapped[str] = mapped_column(String(330), default="")
    birth_date: Mapped[str] = mapped_column(String(8), default="")
    sex: Mapped[str] = mapped_column(String(16), default="")
    merged_into_id: Mapped[int | None] = mapped_column(ForeignKey("patient.id"))
    created_at: Mapped[dt.datetime] = mapped_column(default=now)

    studies: Mapped[list[Study]] = relationship(back_populates="patient", order_by="Study.date, Study.id")


class Study(Base):
    """A visit to the scanner. ``version`` counts the inputs it was worked on with; ``input_digest`` names the last.

    ``rests_on``: digests of the earlier studies' inputs that its results were made with, by UID. ``left_id``: whose it
    was until its identity was corrected. ``ordered``: priority of the order. ``teaching``: an administrator said that
    its corrections may train networks.
    """

    __tablename__ = "study"

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(KEY, unique=True)
    uid: Mapped[str] = mapped_column(UID, unique=True)
    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"), index=True)
    date: Mapped[str] = mapped_column(String(8), default="")
    time: Mapped[str] = mapped_column(String(16), default="")
    description: Mapped[str] = mapped_column(String(64), default="")
    accession: Mapped[str] = mapped_column(String(16), default="")
    study_id: Mapped[str] = mapped_column(String(16), default="")
    referring: Mapped[str] = mapped_column(String(330), default="")
    state: Mapped[StudyState] = mapped_column(default=StudyState.RECEIVING, index=True)
    reason: Mapped[str] = mapped_column(String(500), default="")
    prior: Mapped[bool] = mapped_column(default=False)
    digital: Mapped[bool] = mapped_column(default=False)
    teaching: Mapped[bool] = mapped_column(default=False)
    version: Mapped[int] = mapped_column(default=0)
    input_digest: Mapped[str] = mapped_column(String(32), default="")
    rests_on: Mapped[dict[str, Any]] = mapped_column(default=dict)
    left_id: Mapped[int | None]
    ordered: Mapped[str] = mapped_column(String(16), default="")
    expected: Mapped[int | None]
    first_at: Mapped[dt.datetime] = mapped_column(default=now)
    last_at: Mapped[dt.datetime] = mapped_column(default=now, index=True)

    patient: Mapped[Patient] = relationship(back_populates="studies")
    series: Mapped[list[Series]] = relationship(back_populates="study", order_by="Series.number, Series.id")
    results: Mapped[list[Result]] = relationship(back_populates="study", order_by="Result.id")
    jobs: Mapped[list[Job]] = relationship(back_populates="study", order_by="Job.id")


class Awaited(Base):
    """An earlier study that a peer was asked to send to our node (C-MOVE), until it has or that time is over."""

    __tablename__ = "awaited"

    study_uid: Mapped[str] = mapped_column(UID, primary_key=True)
    until: Mapped[dt.datetime]


class Series(Base):
    """A series of a study; results are series of ours."""

    __tablename__ = "series"
    __table_args__ = (UniqueConstraint("study_id", "uid"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(KEY)
    uid: Mapped[str] = mapped_column(UID, index=True)
    study_id: Mapped[int] = mapped_column(ForeignKey("study.id"))
    number: Mapped[int | None] = mapped_column(BigInteger)
    modality: Mapped[str] = mapped_column(String(16), default="")
    description: Mapped[str] = mapped_column(String(64), default="")
    body_part: Mapped[str] = mapped_column(String(16), default="")

    study: Mapped[Study] = relationship(back_populates="series")
    instances: Mapped[list[Instance]] = relationship(back_populates="series", order_by="Instance.number, Instance.id")


class Instance(Base):
    """A DICOM object. ``patient_id`` is whose it says it is; the study follows once all its objects agree."""

    __tablename__ = "instance"
    __table_args__ = (UniqueConstraint("series_id", "uid"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(KEY)
    uid: Mapped[str] = mapped_column(UID, index=True)
    series_id: Mapped[int] = mapped_column(ForeignKey("series.id"))
    patient_id: Mapped[int] = mapped_column(ForeignKey("patient.id"), index=True)
    sop_class: Mapped[str] = mapped_column(UID)
    transfer_syntax: Mapped[str] = mapped_column(UID)
    number: Mapped[int | None] = mapped_column(BigInteger)
    rows: Mapped[int | None]
    columns: Mapped[int | None]
    frames: Mapped[int | None]
    digest: Mapped[str] = mapped_column(String(32))
    size: Mapped[int] = mapped_column(BigInteger)
    origin: Mapped[Origin] = mapped_column(default=Origin.RECEIVED)
    state: Mapped[InstanceState] = mapped_column(default=InstanceState.STORED)
    sender: Mapped[str] = mapped_column(String(64), default="")
    received_at: Mapped[dt.datetime] = mapped_column(default=now)

    series: Mapped[Series] = relationship(back_populates="instances")


class Result(Base):
    """An object that we made of a study; older ones stay, marked."""

    __tablename__ = "result"
    __table_args__ = (UniqueConstraint("study_id", "uid"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    study_id: Mapped[int] = mapped_column(ForeignKey("study.id"), index=True)
    job_id: Mapped[int | None] = mapped_column(ForeignKey("job.id"))
    instance_id: Mapped[int] = mapped_column(ForeignKey("instance.id"))
    version: Mapped[int]
    kind: Mapped[str] = mapped_column(String(16))
    name: Mapped[str] = mapped_column(String(32))
    uid: Mapped[str] = mapped_column(UID)
    state: Mapped[ResultState] = mapped_column(default=ResultState.CURRENT, index=True)
    cards: Mapped[list[str]] = mapped_column(default=list)
    created_at: Mapped[dt.datetime] = mapped_column(default=now)

    study: Mapped[Study] = relationship(back_populates="results")
    instance: Mapped[Instance] = relationship()
    sent: Mapped[list[Sent]] = relationship(back_populates="result", order_by="Sent.id")


class Job(Base):
    """Work on one input of a study. ``beat_at`` is the worker's last sign of life; ``due_at`` when to begin."""

    __tablename__ = "job"
    __table_args__ = (UniqueConstraint("study_id", "step", "input_digest"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    study_id: Mapped[int] = mapped_column(ForeignKey("study.id"), index=True)
    step: Mapped[Step]
    input_digest: Mapped[str] = mapped_column(String(32))
    state: Mapped[JobState] = mapped_column(default=JobState.QUEUED, index=True)
    priority: Mapped[int] = mapped_column(default=0)
    tries: Mapped[int] = mapped_column(default=0)
    reason: Mapped[str] = mapped_column(String(500), default="")
    stage: Mapped[str] = mapped_column(String(32), default="")
    worker: Mapped[str] = mapped_column(String(64), default="")
    created_at: Mapped[dt.datetime] = mapped_column(default=now)
    due_at: Mapped[dt.datetime] = mapped_column(default=now)
    announced_at: Mapped[dt.datetime | None]
    started_at: Mapped[dt.datetime | None]
    beat_at: Mapped[dt.datetime | None]
    ended_at: Mapped[dt.datetime | None]

    study: Mapped[Study] = relationship(back_populates="jobs")


class Sent(Base):
    """A result that went to a peer, and what the peer said."""

    __tablename__ = "sent"
    __table_args__ = (UniqueConstraint("result_id", "peer"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    result_id: Mapped[int] = mapped_column(ForeignKey("result.id"), index=True)
    peer: Mapped[str] = mapped_column(String(32))
    how: Mapped[str] = mapped_column(String(8))
    state: Mapped[SentState]
    status: Mapped[str] = mapped_column(String(64), default="")
    transaction_uid: Mapped[str] = mapped_column(UID, default="", index=True)
    sent_at: Mapped[dt.datetime] = mapped_column(default=now)

    result: Mapped[Result] = relationship(back_populates="sent")
