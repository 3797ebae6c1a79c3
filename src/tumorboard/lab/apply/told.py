"""What a model says of a patient, as it is written: ``models.json`` of a case folder.

Why it exists: report, page, table and other programs must read one story. No answer stands here without the id of its
card, its validity check, its uncertainty, and the world that the model comes from.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Status = Literal["answered", "not applied", "refused"]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class DriverTold(_Frozen):
    """One column and what it does to the answer."""

    column: str
    words: str = Field(description="the column as a reader would say it")
    effect: float = Field(description="signed; in the unit of the drivers")
    value: float | None = Field(default=None, description="of the patient, before preparing")
    percentile: float | None = Field(default=None, description="among training rows, per cent")


class CaseTold(_Frozen):
    """One training patient like this one."""

    case: str = Field(description="running number; names are not kept")
    outcome: str
    distance: float = Field(description="standard deviations a column")
    differs: tuple[str, ...] = Field(default=(), description="columns that differ most")


class Why(_Frozen):
    """Drivers and similar patients of one answer; empty ones say why."""

    drivers: tuple[DriverTold, ...] = ()
    drivers_unit: str = ""
    drivers_method: str = ""
    drivers_of: str = Field(default="", description="which outcome is made more or less likely")
    drivers_note: str = ""
    similar: tuple[CaseTold, ...] = ()
    similar_usual: float | None = Field(default=None, description="median distance of a training row to its nearest")
    similar_note: str = ""


class Told(_Frozen):
    """What a model says of one row: a patient, a study or a lesion."""

    study: str = Field(default="", description="whose images; empty: none were used")
    lesion: str = ""
    values: Mapping[str, float] = Field(description="chance of each class or label; risk; or the quantity")
    best: str = Field(default="", description="class of the highest chance")
    among: tuple[str, ...] = Field(default=(), description="classes that hold the truth as often as promised")
    interval: tuple[float, float] | None = Field(default=None, description="of a quantity, likewise")
    coverage: float | None = Field(default=None, description="the promise, from 0 to 1")
    percentile: Mapping[str, float] = Field(default_factory=dict, description="among rows that were tested, per cent")
    hits: tuple[int, int, float, float] | None = Field(
        default=None, description="of tested rows whose chance was within 10 points: right, all, interval of the share"
    )
    like: bool = Field(description="whether the row is like the training rows")
    like_percentile: float = Field(description="share of training rows nearer to their centre, per cent")
    outside: tuple[str, ...] = Field(default=(), description="columns far outside the training range")
    missing: tuple[str, ...] = Field(default=(), description="columns without a value, filled in as in training")
    notes: tuple[str, ...] = ()
    why: Why = Why()


class AppliedModel(_Frozen):
    """One model and what came of it."""

    card: str
    title: str
    question: str
    cites: str
    kind: str = Field(description="binary, multiclass, multilabel, survival or regression")
    column: str = Field(default="", description="that holds the class or quantity; empty for labels and survival")
    outcome: tuple[str, ...]
    unit: str
    world: str = Field(description="whose rows it learned from")
    digital: bool
    training: Mapping[str, int]
    measured: Mapping[str, Mapping[str, float | None]]
    leading: str
    validation: str
    tested: int = Field(default=0, description="rows that it was tested on")
    use: str
    status: Status
    missing: tuple[str, ...] = Field(default=(), description="what the patient lacks")
    answers: tuple[Told, ...] = ()
    page: str = Field(default="", description="printable page, relative to the case folder")


class PatientModels(_Frozen):
    """All models that were asked about one patient."""

    schema_version: Literal["1.0"] = "1.0"
    patient: str
    world: str = Field(description="patients or digital patients")
    models: tuple[AppliedModel, ...]
