"""The input of one run: a study and its patient's earlier ones, laid out beside the shelf.

Why it exists: the chain reads folders, and whose study it is stands in the files. Files are linked, not copied; where
two patients turned out to be one, or a name was corrected, the run reads copies that say what the database says now.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tumorboard.serve.data.session import Database
from tumorboard.serve.data.tables import Study
from tumorboard.serve.data.words import Origin
from tumorboard.serve.node.inputs import earlier_studies, rests_on
from tumorboard.serve.outlines.into_chain import corrections_of
from tumorboard.serve.shelf.admit import files_of
from tumorboard.serve.shelf.files import Shelf
from tumorboard.serve.shelf.rows import people_of

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


@dataclass(frozen=True)
class Gathered:
    """Where a run's input lies.

    Parameters
    ----------
    folder : Path
        One folder a study, called by its key.
    patient : str
        Key of the patient.
    study_uid : str
        Of the study that is worked on.
    uids : dict
        UID of each study by its key.
    corrections : dict
        Files of accepted corrections, below home, by the UID of their study.
    rests_on : dict
        Digest of each earlier study's input by its UID; kept beside the results.
    """

    folder: Path
    patient: str
    study_uid: str
    uids: dict[str, str]
    corrections: dict[str, str] = field(default_factory=dict)
    rests_on: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class _Item:
    source: Path
    study_key: str
    series_key: str
    said: dict[str, str] | None


def gather(db: Database, shelf: Shelf, study_id: int, folder: Path) -> Gathered:
    """Lay out a study and the earlier ones of its patient.

    Parameters
    ----------
    db, shelf : Database, Shelf
        The department's.
    study_id : int
        The study that is worked on.
    folder : Path
        Emptied and filled; on the disk of the shelf.

    Raises
    ------
    SequenceError
        The objects of the study name several patients.
    """
    with db.read() as session:
        study = session.get_one(Study, study_id)
        _check_one_patient(session, study)
        studies = [*earlier_studies(session, study), study]
        items = [item for s in studies for item in _items(session, shelf, s)]
        told = Gathered(
            folder,
            study.patient.key,
            study.uid,
            {s.key: s.uid for s in studies},
            corrections_of(session, studies),
            rests_on(session, study),
        )
    shutil.rmtree(folder, ignore_errors=True)
    for number, item in enumerate(items):
        place = folder / item.study_key / item.series_key / f"{number:06d}.dcm"
        place.parent.mkdir(parents=True, exist_ok=True)
        if item.said is None:
            _link(item.source, place)
        else:
            _corrected(item.source, place, item.said)
    return told


def leave_out(gathered: Gathered, study_key: str) -> None:
    """Take an earlier study out of a run."""
    shutil.rmtree(gathered.folder / study_key, ignore_errors=True)
    gathered.uids.pop(study_key, None)


def _check_one_patient(session: Session, study: Study) -> None:
    from tumorboard.errors import SequenceError

    count = len(people_of(session, study))
    if count > 1:
        raise SequenceError(
            "one patient in a study",
            got=f"objects that name {count}",
            where="study",
            remedy="send the study again under the right patient, or merge the patients",
        )


def _items(session: Session, shelf: Shelf, study: Study) -> list[_Item]:
    owner = study.patient
    said = {
        "PatientID": owner.patient_id,
        "IssuerOfPatientID": owner.issuer,
        "PatientName": owner.name,
        "PatientBirthDate": owner.birth_date,
        "PatientSex": owner.sex,
    }
    out = []
    for instance, path in files_of(shelf, study, Origin.RECEIVED, Origin.PRIOR):
        renamed = instance.patient_id != owner.id and not owner.issuer.startswith("(")
        out.append(_Item(path, study.key, instance.series.key, said if renamed else None))
    return out


def _link(source: Path, place: Path) -> None:
    try:
        os.link(source, place)
    except OSError:
        shutil.copyfile(source, place)


def _corrected(source: Path, place: Path, said: dict[str, str]) -> None:
    import pydicom

    from tumorboard.io.dicom.header import quiet

    with quiet():
        ds = pydicom.dcmread(source)
        ds.SpecificCharacterSet = "ISO_IR 192"
        for keyword, text in said.items():
            if text:
                setattr(ds, keyword, text)
            elif keyword in ds:
                delattr(ds, keyword)
        ds.save_as(place)
