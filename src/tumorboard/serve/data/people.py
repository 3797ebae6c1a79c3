"""The tables of what people do: users, log-ins, corrections, urgency, work items, and who saw or changed what.

Why it exists: a correction without its author, or a look without its trace, is worth nothing later.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from tumorboard.serve.data.base import Base, now
from tumorboard.serve.data.tables import UID, Study
from tumorboard.serve.data.words import EditState, ResultState, Role, WorkPriority, WorkState


class User(Base):
    """A person who may log in. ``password`` is an argon2 hash, never the password."""

    __tablename__ = "user_account"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(64), unique=True)
    shown_name: Mapped[str] = mapped_column(String(128), default="")
    password: Mapped[str] = mapped_column(String(256))
    role: Mapped[Role]
    active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[dt.datetime] = mapped_column(default=now)
    last_login_at: Mapped[dt.datetime | None]


class Login(Base):
    """A user's session in a browser; the token itself is not kept, only its digest."""

    __tablename__ = "login"

    id: Mapped[int] = mapped_column(primary_key=True)
    token_digest: Mapped[str] = mapped_column(String(64), unique=True)
    csrf: Mapped[str] = mapped_column(String(64))
    user_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"), index=True)
    created_at: Mapped[dt.datetime] = mapped_column(default=now)
    last_at: Mapped[dt.datetime] = mapped_column(default=now)

    user: Mapped[User] = relationship()


class Urgency(Base):
    """How urgent a study looks, from which findings; an earlier opinion stays, marked."""

    __tablename__ = "urgency"

    id: Mapped[int] = mapped_column(primary_key=True)
    study_id: Mapped[int] = mapped_column(ForeignKey("study.id"), index=True)
    version: Mapped[int]
    score: Mapped[float | None]
    priority: Mapped[WorkPriority] = mapped_column(default=WorkPriority.MEDIUM)
    reasons: Mapped[list[Any]] = mapped_column(default=list)
    state: Mapped[ResultState] = mapped_column(default=ResultState.CURRENT, index=True)
    created_at: Mapped[dt.datetime] = mapped_column(default=now)

    study: Mapped[Study] = relationship()


class WorkItem(Base):
    """A work item of the worklist. Source: PS3.4 CC (Unified Procedure Step); ``content`` is its DICOM JSON."""

    __tablename__ = "work_item"

    id: Mapped[int] = mapped_column(primary_key=True)
    uid: Mapped[str] = mapped_column(UID, unique=True)
    study_id: Mapped[int | None] = mapped_column(ForeignKey("study.id"), index=True)
    state: Mapped[WorkState] = mapped_column(default=WorkState.SCHEDULED, index=True)
    priority: Mapped[WorkPriority] = mapped_column(default=WorkPriority.MEDIUM)
    label: Mapped[str] = mapped_column(String(64), default="")
    transaction_uid: Mapped[str] = mapped_column(UID, default="")
    claimed_by: Mapped[str] = mapped_column(String(64), default="")
    content: Mapped[dict[str, Any]] = mapped_column(default=dict)
    created_at: Mapped[dt.datetime] = mapped_column(default=now)
    changed_at: Mapped[dt.datetime] = mapped_column(default=now, onupdate=now)

    study: Mapped[Study | None] = relationship()


class Edit(Base):
    """A corrected mask: a new version, with its author and its time. ``file`` is below the home folder."""

    __tablename__ = "edit"
    __table_args__ = (UniqueConstraint("study_id", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    study_id: Mapped[int] = mapped_column(ForeignKey("study.id"), index=True)
    number: Mapped[int]
    result_version: Mapped[int]
    author_id: Mapped[int] = mapped_column(ForeignKey("user_account.id"))
    state: Mapped[EditState] = mapped_column(default=EditState.DRAFT)
    file: Mapped[str] = mapped_column(String(256))
    digest: Mapped[str] = mapped_column(String(32))
    comment: Mapped[str] = mapped_column(Text, default="")
    changes: Mapped[dict[str, Any]] = mapped_column(default=dict)
    created_at: Mapped[dt.datetime] = mapped_column(default=now)
    decided_at: Mapped[dt.datetime | None]

    study: Mapped[Study] = relationship()
    author: Mapped[User] = relationship()


class Audit(Base):
    """Who saw or changed what, when; the database itself refuses to change or delete a row."""

    __tablename__ = "audit"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[dt.datetime] = mapped_column(default=now, index=True)
    who: Mapped[str] = mapped_column(String(64))
    what: Mapped[str] = mapped_column(String(64), index=True)
    on: Mapped[str] = mapped_column("on_what", String(128), default="", index=True)
    detail: Mapped[dict[str, Any]] = mapped_column(default=dict)


class Running(Base):
    """A process of the department that is alive; its last sign of life."""

    __tablename__ = "running"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    part: Mapped[str] = mapped_column(String(16))
    pid: Mapped[int]
    started_at: Mapped[dt.datetime] = mapped_column(default=now)
    beat_at: Mapped[dt.datetime] = mapped_column(default=now)
    detail: Mapped[dict[str, Any]] = mapped_column(default=dict)


class Schema(Base):
    """Which version of the tables this database has."""

    __tablename__ = "schema_version"

    version: Mapped[int] = mapped_column(primary_key=True)
