"""The states that things in a department can be in.

Why it exists: a state is one word from a closed list, the same in the database, on the pages and in the logs.
"""

from __future__ import annotations

from enum import StrEnum


class StudyState(StrEnum):
    """How far a study has come; one that is stored was fetched as an earlier one and is not worked on by itself."""

    STORED = "stored"
    RECEIVING = "receiving"
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    ATTENTION = "attention"
    PURGED = "purged"


class InstanceState(StrEnum):
    """Whether an object's file is there."""

    STORED = "stored"
    PURGED = "purged"


class Origin(StrEnum):
    """Where an object came from."""

    RECEIVED = "received"
    PRIOR = "prior"
    RESULT = "result"


class ResultState(StrEnum):
    """Whether a result is the one that holds."""

    CURRENT = "current"
    SUPERSEDED = "superseded"


class JobState(StrEnum):
    """How far a job has come; one that failed and will be tried again is queued, with its reason."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    ATTENTION = "attention"


class Step(StrEnum):
    """What a job does with a study."""

    CHAIN = "chain"
    SEND = "send"


class SentState(StrEnum):
    """What became of a result that was sent."""

    SENT = "sent"
    COMMITTED = "committed"
    REFUSED = "refused"


class Role(StrEnum):
    """What a user may do: read and correct; also export for research; also administer."""

    READER = "reader"
    RESEARCHER = "researcher"
    ADMIN = "admin"


class EditState(StrEnum):
    """What became of a corrected mask."""

    DRAFT = "draft"
    ACCEPTED = "accepted"
    REJECTED = "rejected"


class WorkState(StrEnum):
    """State of a work item. Source: PS3.4 CC.1.1 (Unified Procedure Step states)."""

    SCHEDULED = "SCHEDULED"
    IN_PROGRESS = "IN PROGRESS"
    COMPLETED = "COMPLETED"
    CANCELED = "CANCELED"


class WorkPriority(StrEnum):
    """Priority of a work item. Source: PS3.3 C.30.2 (Scheduled Procedure Step Priority, 0074,1200)."""

    HIGH = "HIGH"
    MEDIUM = "MEDIUM"
    LOW = "LOW"
