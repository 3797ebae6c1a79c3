"""Which attributes can be searched and are returned, and the columns that they stand in.

Why it exists: a table instead of branches; a new column is one line. Source: PS3.18 10.6.1 (tables 10.6.1-3 to -5).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tumorboard.serve.data.tables import Instance, Patient, Series, Study


@dataclass(frozen=True)
class Attribute:
    """An attribute of a search.

    Parameters
    ----------
    tag, vr, keyword : str
        As DICOM calls it.
    column : column
        Where it stands.
    match : str
        ``uid``, ``text`` (wildcards), ``name`` (wildcards, any case), ``range`` or ``whole`` (a number).
    """

    tag: str
    vr: str
    keyword: str
    column: Any
    match: str


STUDY = (
    Attribute("00080020", "DA", "StudyDate", Study.date, "range"),
    Attribute("00080030", "TM", "StudyTime", Study.time, "range"),
    Attribute("00080050", "SH", "AccessionNumber", Study.accession, "text"),
    Attribute("00080090", "PN", "ReferringPhysicianName", Study.referring, "name"),
    Attribute("00081030", "LO", "StudyDescription", Study.description, "text"),
    Attribute("00100010", "PN", "PatientName", Patient.name, "name"),
    Attribute("00100020", "LO", "PatientID", Patient.patient_id, "text"),
    Attribute("00100021", "LO", "IssuerOfPatientID", Patient.issuer, "text"),
    Attribute("00100030", "DA", "PatientBirthDate", Patient.birth_date, "range"),
    Attribute("00100040", "CS", "PatientSex", Patient.sex, "text"),
    Attribute("0020000D", "UI", "StudyInstanceUID", Study.uid, "uid"),
    Attribute("00200010", "SH", "StudyID", Study.study_id, "text"),
)
SERIES = (
    Attribute("00080060", "CS", "Modality", Series.modality, "text"),
    Attribute("0008103E", "LO", "SeriesDescription", Series.description, "text"),
    Attribute("00180015", "CS", "BodyPartExamined", Series.body_part, "text"),
    Attribute("0020000E", "UI", "SeriesInstanceUID", Series.uid, "uid"),
    Attribute("00200011", "IS", "SeriesNumber", Series.number, "whole"),
)
INSTANCE = (
    Attribute("00080016", "UI", "SOPClassUID", Instance.sop_class, "uid"),
    Attribute("00080018", "UI", "SOPInstanceUID", Instance.uid, "uid"),
    Attribute("00083002", "UI", "AvailableTransferSyntaxUID", Instance.transfer_syntax, "uid"),
    Attribute("00200013", "IS", "InstanceNumber", Instance.number, "whole"),
    Attribute("00280008", "IS", "NumberOfFrames", Instance.frames, "whole"),
    Attribute("00280010", "US", "Rows", Instance.rows, "whole"),
    Attribute("00280011", "US", "Columns", Instance.columns, "whole"),
)

MODALITIES = "00080061"
"""Modalities in Study: matched, counted over the series."""

LEVELS = {"studies": STUDY, "series": (*STUDY, *SERIES), "instances": (*STUDY, *SERIES, *INSTANCE)}
"""What can be searched and is returned at each level."""


def element(vr: str, *values: Any) -> dict[str, Any]:
    """Return an element of the DICOM JSON model; without values it is empty. Source: PS3.18 F.2.

    Examples
    --------
    >>> element("DA", "20200103"), element("PN", "A^B"), element("SH", "")
    ({'vr': 'DA', 'Value': ['20200103']}, {'vr': 'PN', 'Value': [{'Alphabetic': 'A^B'}]}, {'vr': 'SH'})
    """
    kept = [_name(v) if vr == "PN" else v for v in values if v not in (None, "")]
    return {"vr": vr, "Value": kept} if kept else {"vr": vr}


def _name(text: str) -> dict[str, str]:
    kinds = ("Alphabetic", "Ideographic", "Phonetic")
    return {kind: part for kind, part in zip(kinds, text.split("=")[:3], strict=False) if part}
