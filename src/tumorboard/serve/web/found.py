"""Finding what an address names, by keys alone.

Why it exists: an address stands in histories and on screens; a key in it tells nothing of a patient.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.orm import joinedload, selectinload

from tumorboard.serve.data.tables import Patient, Series, Study
from tumorboard.serve.shelf.rows import resolved
from tumorboard.serve.web.refusals import NotFound

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


def study_by_key(session: Session, key: str) -> Study:
    """Return a study with its patient, series, results and jobs; not its objects, which may be thousands.

    Raises
    ------
    NotFound
        There is none of this key.
    """
    loads = (
        selectinload(Study.series),
        selectinload(Study.results),
        selectinload(Study.jobs),
        joinedload(Study.patient),
    )
    found = session.scalars(select(Study).where(Study.key == key).options(*loads)).one_or_none()
    if found is None:
        raise NotFound("the key of a study that is here")
    return found


def series_of(session: Session, study_ids: list[int]) -> dict[int, set[str]]:
    """Return the UIDs of the series of studies, by study; empty for one that has none."""
    found: dict[int, set[str]] = {study_id: set() for study_id in study_ids}
    for study_id, uid in session.execute(select(Series.study_id, Series.uid).where(Series.study_id.in_(study_ids))):
        found[study_id].add(uid)
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
