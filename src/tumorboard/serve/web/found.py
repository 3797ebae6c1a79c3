"""Finding what an address names, by keys alone.

Why it exists: an address stands in histories and on screens; a key in it tells nothing of a patient.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.orm import selectinload

from tumorboard.serve.data.tables import Patient, Series, Study
from tumorboard.serve.shelf.rows import resolved
from tumorboard.serve.web.refusals import NotFound

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


def study_by_key(session: Session, key: str) -> Study:
    """Return a study with its patient, series, results and jobs.

    Raises
    ------
    NotFound
        There is none of this key.
    """
    loads = (
        selectinload(Study.series).selectinload(Series.instances),
        selectinload(Study.results),
        selectinload(Study.jobs),
        selectinload(Study.patient),
    )
    found = session.scalars(select(Study).where(Study.key == key).options(*loads)).one_or_none()
    if found is None:
        raise NotFound("the key of a study that is here")
    return found


def patient_by_key(session: Session, key: str) -> Patient:
    """Return a patient, after merges, with their studies.

    Raises
    ------
    NotFound
        There is none of this key.
    """
    found = session.scalars(select(Patient).where(Patient.key == key)).one_or_none()
    if found is None:
        raise NotFound("the key of a patient who is here")
    return resolved(found, session)
