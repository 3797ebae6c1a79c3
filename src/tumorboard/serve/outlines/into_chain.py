"""Accepted corrections on their way into the chain: they take the place of the method's outline.

Why it exists: a run of the chain must rest on what readers accepted, whoever starts it and why. So the run asks here,
and what it is told goes into the digest of its input.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from tumorboard.intake import Intake
from tumorboard.serve.outlines.versions import beside, correction_of
from tumorboard.study import LabelsInput, StudyInput

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from tumorboard.serve.data.tables import Study

SCHEME = "tumorboard"


def correction_digest(session: Session, study: Study) -> tuple[str, ...]:
    """Return what the accepted correction adds to the digest of a study's input; nothing without one."""
    edit = correction_of(session, study)
    return () if edit is None else ("correction", edit.digest)


def corrections_of(session: Session, studies: list[Study]) -> dict[str, str]:
    """Return the files of accepted corrections, below the home folder, by the UID of their study."""
    found = {study.uid: correction_of(session, study) for study in studies}
    return {uid: edit.file for uid, edit in found.items() if edit is not None}


def with_corrections(intake: Intake, corrections: Mapping[str, str], home: Path) -> Intake:
    """Return what intake found, with accepted corrections in the place of outlines.

    Parameters
    ----------
    intake : Intake
        From DICOM files.
    corrections : mapping of str to str
        From :func:`corrections_of`.
    home : Path
        The department's home folder.

    Returns
    -------
    Intake
        A study without an accepted correction is as it was.

    Examples
    --------
    >>> with_corrections(Intake((), (), ()), {}, Path("home")).patients
    ()
    """

    def corrected(found: StudyInput) -> StudyInput:
        uids = {choice.series.study_uid for choice in found.files.values() if choice.series is not None}
        files = [corrections[uid] for uid in uids if uid in corrections]
        if not files:
            return found
        mask = home / files[0]
        return replace(found, labels=LabelsInput(mask, SCHEME, beside(mask)))

    patients = tuple(replace(p, studies=tuple(corrected(s) for s in p.studies)) for p in intake.patients)
    return replace(intake, patients=patients)
