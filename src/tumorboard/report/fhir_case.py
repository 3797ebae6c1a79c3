"""A case folder as FHIR: what :mod:`tumorboard.report.fhir` needs, read from what the chain wrote.

Why it exists: a report that was made yesterday can be handed to a record system today, without running anything again.
"""

from __future__ import annotations

import csv
import datetime as dt
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydicom import dcmread

from tumorboard.errors import FileFormatError, InputError
from tumorboard.measurement import StudyMeasurements
from tumorboard.report.fhir import DicomSeries, DicomStudy, FhirPatient, FhirStudy, Json, fhir_bundle
from tumorboard.report.model import Report
from tumorboard.store import CaseFolder

MR_IMAGE = "1.2.840.10008.5.1.4.1.1.4"
"""SOP class of images that were read, where the case folder does not tell it."""


def case_bundle(folder: CaseFolder) -> Json:
    """Return the results of a case folder as a FHIR R4B bundle.

    Parameters
    ----------
    folder : CaseFolder
        As ``tumorboard run`` wrote it, with its report.

    Returns
    -------
    dict

    Raises
    ------
    InputError
        There is no report in the folder.
    FileFormatError
        A file of it cannot be read.
    """
    model = folder.root / ".stages" / "report_model.json"
    if not model.is_file():
        remedy = "give the sub- folder of a run that went to its report"
        raise InputError("a case folder with its report", got="none", where="case folder", remedy=remedy)
    report = Report.model_validate(_json(model))
    told = _json(folder.root / "patient.json")
    pdf = folder.root / "report.pdf"
    patient = FhirPatient(
        pseudonym=str(told["pseudonym"]),
        digital=bool(told.get("digital", False)),
        pdf=pdf.read_bytes() if pdf.is_file() else None,
    )
    return fhir_bundle(report, tuple(_studies(folder, told)), patient)


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise FileFormatError("a case folder as the chain writes it", got="one file less", where=path.name) from error


def _studies(folder: CaseFolder, told: Json) -> Iterator[FhirStudy]:
    for study in sorted(told["studies"], key=lambda s: (str(s.get("date") or ""), str(s["id"]))):
        path = folder.session(study["id"]) / "measurements.json"
        if not path.is_file():
            continue
        date = dt.date.fromisoformat(study["date"]) if study.get("date") else None
        yield FhirStudy(
            listed=StudyMeasurements.model_validate(_json(path)),
            date=date,
            dicom=_dicom(folder.session(study["id"])),
            verdicts=tuple(_verdicts(folder.root / "verdicts.csv", study.get("date"))),
        )


def _verdicts(path: Path, date: str | None) -> Iterator[dict[str, str]]:
    if date is None or not path.is_file():
        return
    with path.open(encoding="utf-8", newline="") as file:
        yield from (row for row in csv.DictReader(file) if row["date"] == date)


def _dicom(session: Path) -> DicomStudy | None:
    """Return the study as a PACS knows it, from the objects that were made of it; None where it was no DICOM."""
    made: dict[str, DicomSeries] = {}
    study = ""
    for path in sorted((session / "dicom").glob("*.dcm")):
        header = dcmread(path, stop_before_pixels=True, specific_tags=list(_TAGS))
        study = str(header.StudyInstanceUID)
        uid, known = str(header.SeriesInstanceUID), made.get(str(header.SeriesInstanceUID))
        instances = (*(known.instances if known else ()), (str(header.SOPInstanceUID), str(header.SOPClassUID)))
        made[uid] = DicomSeries(uid, str(header.Modality), str(header.get("SeriesDescription", "")), instances)
    return DicomStudy(study, (*_inputs(session), *made.values())) if study else None


_TAGS = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "SOPClassUID", "Modality", "SeriesDescription")


def _inputs(session: Path) -> Iterator[DicomSeries]:
    for name, source in _json(session / "source.json").items():
        if isinstance(source, dict) and "SeriesInstanceUID" in source:
            uids = dict.fromkeys(plane["SOPInstanceUID"] for plane in source["planes"])
            yield DicomSeries(source["SeriesInstanceUID"], "MR", name, tuple((uid, MR_IMAGE) for uid in uids))
