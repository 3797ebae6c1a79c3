"""Write a digital patient as a BIDS-like folder, so that the whole chain can be shown on it.

Why it exists: a demonstration begins with files, as a hospital's day does. The tree says in every
description that the patient is digital. Truth lies apart under ``derivatives/truth`` and is never
offered as input.

Source: BIDS specification 1.10 (https://bids-specification.readthedocs.io); ``events.csv`` is ours.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from pathlib import Path

from tumorboard import __version__
from tumorboard.csv_text import table_text
from tumorboard.io.images import write_volume
from tumorboard.labels import TISSUE_NAMES
from tumorboard.simulate.patient import DigitalPatient, DigitalStudy
from tumorboard.store import write_atomic, write_json
from tumorboard.study import Event

SUBJECT = "digital"
"""BIDS subject label and ``patient_id``."""

NOTICE = "Digital, made from a seed; not a patient. Nothing measured here is evidence about people."

EVENT_COLUMNS = ("patient_id", "date", "end_date", "event", "value", "unit", "detail")


def write_digital_patient(patient: DigitalPatient, folder: Path) -> None:
    """Write images, sessions, events, descriptions and truth.

    Parameters
    ----------
    patient : DigitalPatient
        From :func:`tumorboard.simulate.patient.digital_patient`.
    folder : Path
        Root of the tree; made if absent. Each file is written whole or not at all; files of the same
        name are replaced.

    Raises
    ------
    OutputError
        The folder cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from tumorboard.simulate.patient import digital_patient
    >>> with tempfile.TemporaryDirectory() as place:
    ...     write_digital_patient(digital_patient(spacing_mm=6.0), Path(place))
    ...     sorted(f.name for f in (Path(place) / "sub-digital" / "ses-01" / "anat").iterdir())[0]
    'sub-digital_ses-01_FLAIR.nii.gz'
    """
    subject, truth = f"sub-{SUBJECT}", folder / "derivatives" / "truth"
    for study in patient.studies:
        _write_study(study, folder / subject, truth / subject, f"{subject}_{study.id}")
    dates = ((study.id, study.date) for study in patient.studies)
    write_atomic(folder / subject / f"{subject}_sessions.tsv", sessions_table(dates))
    write_atomic(folder / "events.csv", events_table(patient.events, SUBJECT))
    write_descriptions(folder, "Digital patient", patient.seed)


def write_descriptions(folder: Path, name: str, seed: int) -> None:
    """Write what the tree and its truth are, and what labels mean."""
    truth = folder / "derivatives" / "truth"
    write_json(folder / "dataset_description.json", described(name, "raw", seed))
    write_json(truth / "dataset_description.json", described(f"{name}: truth", "derivative", seed))
    write_atomic(truth / "dseg.tsv", label_table())


def events_table(events: Iterable[Event], subject: str) -> str:
    r"""Return ``events.csv`` of one patient as text.

    Examples
    --------
    >>> events_table([], "digital")
    'patient_id,date,end_date,event,value,unit,detail\n'
    """
    return table_text(EVENT_COLUMNS, (_event_row(subject, event) for event in events), ",")


def label_table() -> str:
    r"""Return what the values of a label map mean, as text (BIDS ``dseg.tsv``).

    Examples
    --------
    >>> label_table().splitlines()[3]
    '3\tenhancing tumour\tET'
    """
    rows = ((int(tissue), name, tissue.name) for tissue, name in TISSUE_NAMES.items())
    return table_text(("index", "name", "abbreviation"), rows, "\t")


def _write_study(study: DigitalStudy, images: Path, truth: Path, stem: str) -> None:
    for sequence, volume in study.volumes.items():
        write_volume(volume, images / study.id / "anat" / f"{stem}_{sequence.bids_suffix}.nii.gz")
    write_volume(study.truth, truth / study.id / "seg" / f"{stem}_dseg.nii.gz")


def sessions_table(dates: Iterable[tuple[str, dt.date]]) -> str:
    r"""Return ``sessions.tsv`` of studies with their dates, as text.

    Examples
    --------
    >>> sessions_table([("ses-01", dt.date(2000, 1, 3))]).splitlines()[1]
    'ses-01\t2000-01-03T00:00:00'
    """
    return table_text(("session_id", "acq_time"), ((name, f"{day.isoformat()}T00:00:00") for name, day in dates), "\t")


def _event_row(subject: str, event: Event) -> Sequence[object]:
    end = event.end_date.isoformat() if event.end_date else ""
    return (subject, event.date.isoformat(), end, event.kind.value, event.value, event.unit, event.detail)


def described(name: str, kind: str, seed: int) -> dict[str, object]:
    """Return ``dataset_description.json``; ``kind`` is ``raw`` or ``derivative``."""
    made_by = {"Name": "tumorboard", "Version": __version__, "Description": f"{NOTICE} Seed {seed}."}
    return {"Name": name, "BIDSVersion": "1.10.0", "DatasetType": kind, "License": "CC0", "GeneratedBy": [made_by]}
