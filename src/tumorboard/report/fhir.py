"""The results of a patient as FHIR resources, for electronic records that read neither DICOM nor PDF.

Why it exists: a record system takes a report apart only if it comes as resources. One bundle holds a diagnostic report
for each study, its measurements as observations with UCUM units and the codes of the structured report, the categories
of response criteria, and the imaging study where the input was DICOM. Everything is *preliminary*: no reader has
signed it. What could not be measured says why, in the words FHIR has for it.

Source: HL7 FHIR R4B (4.3.0): Bundle, DiagnosticReport, Observation, ImagingStudy, Device, Patient; IHE AI Results for
the grouping of measurements by what they are of. The package fhir.resources checks the bundle before it is given.
"""

from __future__ import annotations

import base64
import datetime as dt
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid5

from tumorboard.errors import MissingDependency
from tumorboard.io import codes
from tumorboard.measurement import Measurement, StudyMeasurements
from tumorboard.report.model import Report
from tumorboard.report.words import label_text

Json = dict[str, Any]

NAMESPACE = UUID("8d0ae1f0-6c5e-5e0b-9d0a-3f0e6c1b7a11")
"""Ours; names below it never change, so that the same results have the same identifiers."""

SYSTEMS = {
    "SCT": "http://snomed.info/sct",
    "DCM": "http://dicom.nema.org/resources/ontology/DCM",
    "NCIt": "http://ncicb.nci.nih.gov/xml/owl/EVS/Thesaurus.owl",
    "LN": "http://loinc.org",
    "UCUM": "http://unitsofmeasure.org",
    codes.PRIVATE: "urn:uuid:8d0ae1f0-6c5e-5e0b-9d0a-3f0e6c1b7a11",
}
"""Code systems by the designators of DICOM. Source: terminology.hl7.org; ours is the namespace above."""

ABSENT = {
    "coding": [
        {
            "system": "http://terminology.hl7.org/CodeSystem/data-absent-reason",
            "code": "not-performed",
            "display": "Not Performed",
        }
    ]
}
IMAGING = {
    "coding": [
        {
            "system": "http://terminology.hl7.org/CodeSystem/observation-category",
            "code": "imaging",
            "display": "Imaging",
        }
    ]
}
RADIOLOGY = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0074", "code": "RAD"}]}
TEST_DATA = {
    "system": "http://terminology.hl7.org/CodeSystem/v3-ActReason",
    "code": "HTEST",
    "display": "test health data",
}
"""Tag of everything about a digital patient."""


@dataclass(frozen=True)
class DicomSeries:
    """A series of a study: UID, modality, what it is, and the UIDs of its objects with their classes."""

    uid: str
    modality: str
    description: str
    instances: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class DicomStudy:
    """A study as a PACS knows it: Study Instance UID, and its series as far as they were used or made."""

    uid: str
    series: tuple[DicomSeries, ...]


@dataclass(frozen=True)
class FhirStudy:
    """A study to be told.

    Parameters
    ----------
    listed : StudyMeasurements
        As in ``measurements.json``.
    date : date or None
        Of the images.
    dicom : DicomStudy or None
        Where the input was DICOM.
    verdicts : tuple of mapping of str to str
        Lines of ``verdicts.csv`` about this study.
    """

    listed: StudyMeasurements
    date: dt.date | None = None
    dicom: DicomStudy | None = None
    verdicts: tuple[Mapping[str, str], ...] = ()


@dataclass(frozen=True)
class FhirPatient:
    """Whose results they are, and the report in print (PDF), if there is one; ``digital`` is a simulated patient."""

    pseudonym: str
    digital: bool = False
    pdf: bytes | None = field(default=None, repr=False)


def fhir_bundle(report: Report, studies: tuple[FhirStudy, ...], patient: FhirPatient) -> Json:
    """Return a patient's results as a FHIR R4B bundle.

    Parameters
    ----------
    report : Report
        Of the patient: its banners, key facts and words about response are the conclusion.
    studies : tuple of FhirStudy
        In order of date.
    patient : FhirPatient
        Pseudonym only.

    Returns
    -------
    dict
        JSON of a Bundle of type ``collection``; equal input gives equal output.

    Raises
    ------
    MissingDependency
        The package fhir.resources is not installed.

    Examples
    --------
    >>> from tumorboard.report.model import RESEARCH_BANNER
    >>> report = Report(patient="P1", created_by="tumorboard 0.1", banners=(RESEARCH_BANNER,), facts=(), studies=())
    >>> absent = Measurement.missing("volume", "RC", "mL", "no cavities are looked for")
    >>> listed = StudyMeasurements(patient="P1", study="ses-01", sequences=(), segmenter="s", measurements=(absent,))
    >>> made = fhir_bundle(report, (FhirStudy(listed),), FhirPatient("P1"))
    >>> [entry["resource"]["resourceType"] for entry in made["entry"]]
    ['Patient', 'Device', 'Observation', 'Observation', 'DiagnosticReport']
    """
    entries = list(_Bundle(report, patient).entries(studies))
    if patient.digital:
        for entry in entries:
            entry["resource"]["meta"] = {"tag": [TEST_DATA]}
    return _checked({"resourceType": "Bundle", "type": "collection", "entry": entries})


def _checked(bundle: Json) -> Json:
    """Return the bundle as fhir.resources writes it, once that has read it."""
    try:
        from fhir.resources.R4B.bundle import Bundle  # noqa: PLC0415 - an optional part
    except ImportError as error:
        raise MissingDependency(
            "the package fhir.resources", got="none", remedy='pip install "tumorboard[department]"'
        ) from error
    held: Json = json.loads(Bundle.model_validate(bundle).model_dump_json(exclude_none=True))
    return held


class _Bundle:
    """What every resource of one bundle needs to know."""

    def __init__(self, report: Report, patient: FhirPatient) -> None:
        self.report, self.patient = report, patient

    def url(self, *name: str) -> str:
        return f"urn:uuid:{uuid5(NAMESPACE, '|'.join((self.patient.pseudonym, *name)))}"

    def entry(self, resource: Json, *name: str) -> Json:
        return {"fullUrl": self.url(*name), "resource": resource}

    def to(self, *name: str) -> Json:
        return {"reference": self.url(*name)}

    def entries(self, studies: tuple[FhirStudy, ...]) -> Iterator[Json]:
        yield self.entry(self._person(), "patient")
        yield self.entry(self._device(), "device")
        for study in studies:
            yield from self._study(study)

    def _person(self) -> Json:
        told = {"system": "urn:ietf:rfc:3986", "value": self.url("patient")}
        return {"resourceType": "Patient", "identifier": [told, {"value": self.patient.pseudonym}]}

    def _device(self) -> Json:
        name, _, version = self.report.created_by.rpartition(" ")
        made: Json = {"resourceType": "Device", "deviceName": [{"name": name or version, "type": "model-name"}]}
        return made | ({"version": [{"value": version}]} if name else {})

    def _study(self, study: FhirStudy) -> Iterator[Json]:
        name = study.listed.study
        common = self._common(study)
        if study.dicom is not None:
            yield self.entry(self._imaging(study.dicom, study.date), name, "imaging")
        groups: dict[str, list[Measurement]] = {}
        for m in study.listed.measurements:
            groups.setdefault(m.region, []).append(m)
        for region, found in groups.items():
            for m in found:
                yield self.entry({**common, **_observation(m)}, name, region, m.name)
            members = [self.to(name, region, m.name) for m in found]
            told = {"code": _concept(codes.region_code(region), f"Measurements: {region}"), "hasMember": members}
            yield self.entry({**common, **told}, name, region)
        for verdict in study.verdicts:
            yield self.entry({**common, **_category(verdict)}, name, "response", verdict["criterion"])
        results = [self.to(name, region) for region in groups]
        results += [self.to(name, "response", v["criterion"]) for v in study.verdicts]
        yield self.entry(self._report(study, results), name, "report")

    def _common(self, study: FhirStudy) -> Json:
        common: Json = {
            "resourceType": "Observation",
            "status": "preliminary",
            "category": [IMAGING],
            "subject": self.to("patient"),
            "device": self.to("device"),
            "bodySite": _concept(codes.BRAIN),
        }
        if study.date is not None:
            common["effectiveDateTime"] = study.date.isoformat()
        if study.dicom is not None:
            common["derivedFrom"] = [self.to(study.listed.study, "imaging")]
        return common

    def _imaging(self, study: DicomStudy, date: dt.date | None) -> Json:
        made: Json = {
            "resourceType": "ImagingStudy",
            "identifier": [{"system": "urn:dicom:uid", "value": f"urn:oid:{study.uid}"}],
            "status": "available",
            "subject": self.to("patient"),
            "series": [_series(s) for s in study.series],
        }
        return made | ({"started": date.isoformat()} if date else {})

    def _report(self, study: FhirStudy, results: list[Json]) -> Json:
        made: Json = {
            "resourceType": "DiagnosticReport",
            "status": "preliminary",
            "category": [RADIOLOGY],
            "code": _concept(codes.MR_BRAIN),
            "subject": self.to("patient"),
            "result": results,
            "conclusion": self._conclusion(study),
        }
        if study.date is not None:
            made["effectiveDateTime"] = study.date.isoformat()
        if study.dicom is not None:
            made["imagingStudy"] = [self.to(study.listed.study, "imaging")]
        if self.patient.pdf is not None and self._latest(study):
            data = base64.b64encode(self.patient.pdf).decode()
            made["presentedForm"] = [{"contentType": "application/pdf", "title": "Report", "data": data}]
        return made

    def _latest(self, study: FhirStudy) -> bool:
        return not self.report.studies or self.report.studies[-1].id == study.listed.study

    def _conclusion(self, study: FhirStudy) -> str:
        """Banners first; key facts and response are of the latest study only."""
        lines = [f"{banner}." for banner in self.report.banners]
        if self._latest(study):
            lines += [f"{f.label}: {' '.join(p for p in (f.value, f.unit) if p)}." for f in self.report.facts]
            lines += [self.report.response.summary] if self.report.response else []
        return "\n".join((*lines, *study.listed.warnings))


def _coding(code: codes.Code) -> Json:
    return {"system": SYSTEMS[code.scheme], "code": code.value, "display": code.meaning}


def _concept(code: codes.Code, text: str = "") -> Json:
    return {"coding": [_coding(code)]} | ({"text": text} if text else {})


def _quantity(value: float, unit: str) -> Json:
    code = codes.unit_code(unit)
    return {"value": value, "unit": unit, "system": SYSTEMS[code.scheme], "code": code.value}


def _observation(m: Measurement) -> Json:
    """Return what is said of one measurement: a quantity, a word, or why there is none."""
    made: Json = {"code": _concept(codes.measurement_code(m.name), label_text(m))}
    if isinstance(m.value, str):
        made["valueCodeableConcept"] = _concept(codes.word_code(m.value), m.value)
    elif m.value is not None:
        made["valueQuantity"] = _quantity(m.value, m.unit)
    else:
        made["dataAbsentReason"] = {**ABSENT, "text": m.reason}
    if m.method:
        made["method"] = {"text": m.method}
    notes = [f"Quality: {m.quality}."] if m.quality != "measured" and m.value is not None else []
    if notes:
        made["note"] = [{"text": note} for note in notes]
    if m.interval is not None:
        pairs = zip((codes.LOWER, codes.UPPER), m.interval, strict=True)
        made["component"] = [{"code": _concept(c), "valueQuantity": _quantity(v, m.unit)} for c, v in pairs]
    return made


def _category(verdict: Mapping[str, str]) -> Json:
    """Return what a criterion says: its category, what the images alone say, and the verdict as a sentence."""
    criterion = codes.criterion_code(verdict["criterion"], verdict["criterion"])
    parts = [{"code": _concept(codes.RESPONSE_METHOD), "valueCodeableConcept": _concept(criterion)}]
    images = _concept(codes.CATEGORIES[verdict["imaging_only"]], verdict["imaging_only"])
    parts.append({"code": _concept(codes.IMAGING_ONLY), "valueCodeableConcept": images})
    return {
        "code": _concept(codes.RESPONSE, f"Response: {verdict['criterion']}"),
        "valueCodeableConcept": _concept(codes.CATEGORIES[verdict["category"]], verdict["category"]),
        "component": parts,
        "note": [{"text": verdict["reason"]}],
    }


def _series(series: DicomSeries) -> Json:
    system = SYSTEMS["DCM"]
    described = {"description": series.description} if series.description.strip() else {}  # FHIR has no empty text
    return described | {
        "uid": series.uid,
        "modality": {"system": system, "code": series.modality},
        "instance": [
            {"uid": uid, "sopClass": {"system": "urn:ietf:rfc:3986", "code": f"urn:oid:{kind}"}}
            for uid, kind in series.instances
        ],
    }
