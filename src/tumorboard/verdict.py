"""What a response criterion says of a visit, and when a patient progressed by it.

Why it exists: a category without what it was compared with, which rule fired and what was missing is an opinion. The
chain, the report and the tables all carry these nouns; how they come about is the business of ``respond``.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Category(StrEnum):
    """Response categories of all criteria; ``BL`` is a reference study, ``NE`` not evaluable."""

    BL = "BL"
    CR = "CR"
    CRU = "CRu"
    PR = "PR"
    MR = "MR"
    SD = "SD"
    PD = "PD"
    NE = "NE"


BEST_FIRST = (Category.CR, Category.CRU, Category.PR, Category.MR, Category.SD, Category.PD)
"""Categories from best to worst; ``BL`` and ``NE`` stand outside."""

RESPONSES = (Category.CR, Category.CRU, Category.PR, Category.MR)
"""Categories that are a response."""


class Confirmed(StrEnum):
    """Whether a response or a progression was seen again."""

    YES = "yes"
    NO = "no"
    PENDING = "pending"
    NOT_REQUIRED = "not_required"


@dataclass(frozen=True, slots=True)
class Verdict:
    """One criterion on one visit of one patient.

    Parameters
    ----------
    patient : str
        Pseudonym.
    date : date
        Of the visit.
    criterion : str
        Its id, for example ``rano-2.0``.
    raw : Category
        From what is known of this visit (images, steroids, clinical state), before windows and confirmation.
    category : Category
        After them; ``NE`` where steroid or clinical facts are missing that the criterion needs.
    confirmed : Confirmed
        Of a response or a progression.
    imaging_only : Category
        From the images alone.
    total : float or None
        The sum that was compared; ``None`` where it could not be made.
    unit : str
        Of the sum: ``mm2``, ``mm`` or ``mL``.
    reference : date or None
        Of the visit that the sum was compared with.
    rule : str
        Which rule fired, for example ``pd.sum``.
    reason : str
        The verdict as a sentence with its numbers.
    probabilities : mapping of Category to float
        Of each raw category under the errors of measurement; empty where no sum decided.
    """

    patient: str
    date: dt.date
    criterion: str
    raw: Category
    category: Category
    confirmed: Confirmed
    imaging_only: Category
    total: float | None
    unit: str
    reference: dt.date | None
    rule: str
    reason: str
    probabilities: Mapping[Category, float] = field(default_factory=dict)

    @property
    def probability(self) -> float | None:
        """Of the raw category under the errors of measurement; ``None`` where none was computed."""
        return self.probabilities.get(self.raw) if self.probabilities else None


@dataclass(frozen=True, slots=True)
class TimeToProgression:
    """When a patient progressed by one criterion.

    Parameters
    ----------
    patient, criterion : str
        Whose, by what.
    start : date
        From when time counts.
    progression : date or None
        Of the visit that showed it first, once it is confirmed where that is asked.
    days : int
        From ``start`` to progression, else to the last visit that could be evaluated.
    event : bool
        False when the patient had not progressed by then (censored).
    """

    patient: str
    criterion: str
    start: dt.date
    progression: dt.date | None
    days: int
    event: bool
