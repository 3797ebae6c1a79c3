"""What the database keeps of a DICOM file, read without its pixels and without trust.

Why it exists: a file comes from a stranger. Its UIDs become keys and its texts become rows, so each is checked and cut
to size here, once, and a file without the three UIDs is refused. Source: PS3.5 9.1 (UIDs), PS3.3 C.7.
"""

from __future__ import annotations

import hashlib
import re
import threading
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tumorboard.errors import FileFormatError
from tumorboard.serve.data.priority import Priority
from tumorboard.serve.log import silence

_UID = re.compile(r"[0-9]+(\.[0-9]+)*")
_MAX_UID = 64
_NO_ID = "(no patient ID)"
_PARSING = threading.Lock()  # silencing a library's warnings is for the whole process

STUDY_TEXTS = {
    "date": ("StudyDate", 8),
    "time": ("StudyTime", 16),
    "description": ("StudyDescription", 64),
    "accession": ("AccessionNumber", 16),
    "study_id": ("StudyID", 16),
    "referring": ("ReferringPhysicianName", 330),
}
SERIES_TEXTS = {
    "modality": ("Modality", 16),
    "description": ("SeriesDescription", 64),
    "body_part": ("BodyPartExamined", 16),
}
PATIENT_TEXTS = {"name": ("PatientName", 330), "birth_date": ("PatientBirthDate", 8), "sex": ("PatientSex", 16)}


@dataclass(frozen=True)
class Header:
    """What a file says of itself; never shown as a whole.

    Parameters
    ----------
    study_uid, series_uid, sop_uid, sop_class, transfer_syntax : str
        UIDs.
    issuer, patient_id : str
        Who it is of, unique in a department; for a file without a patient ID its name and birth date, else its study.
    patient, study, series, instance : dict
        Columns of the rows of those tables.
    digital : bool
        It calls its patient simulated.
    digest : str
        Of the data set, without the file's own header.
    size : int
        Bytes of the file.
    whole : bool
        Its pixels are as long as they should be.
    """

    study_uid: str = field(repr=False)
    series_uid: str = field(repr=False)
    sop_uid: str = field(repr=False)
    sop_class: str
    transfer_syntax: str
    issuer: str = field(repr=False)
    patient_id: str = field(repr=False)
    patient: dict[str, str] = field(repr=False)
    study: dict[str, str] = field(repr=False)
    series: dict[str, Any] = field(repr=False)
    instance: dict[str, int | None] = field(repr=False)
    digital: bool
    digest: str
    size: int
    whole: bool


def read_header(path: Path) -> Header:
    """Read what the database keeps of a file.

    Parameters
    ----------
    path : Path
        A DICOM file.

    Returns
    -------
    Header

    Raises
    ------
    FileFormatError
        It is no DICOM file, or lacks a UID that a store needs.
    """
    from tumorboard.io.dicom.files import is_dicom, open_header

    silence()
    with _PARSING, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        opened = open_header(path) if is_dicom(path) else None
        if opened is None:
            raise FileFormatError("a DICOM object", got="a file that cannot be read as one", where="object")
        said = _said(opened.dataset)
    try:
        content, size = _digest(path), path.stat().st_size
    except OSError as error:
        raise FileFormatError("a file that can be opened", got=type(error).__name__, where="object") from error
    return Header(**said, digest=content, size=size, whole=opened.whole)


def _said(dataset: Any) -> dict[str, Any]:
    from tumorboard.intake.dicom import owner_key
    from tumorboard.intake.group import Owner
    from tumorboard.intake.pseudonyms import is_digital
    from tumorboard.io.dicom.header import number, text, whole
    from tumorboard.series import Person

    names = {
        "study_uid": "StudyInstanceUID",
        "series_uid": "SeriesInstanceUID",
        "sop_uid": "SOPInstanceUID",
        "sop_class": "SOPClassUID",
    }
    uids = {column: _checked(text(dataset, name), name) for column, name in names.items()}
    uids["transfer_syntax"] = _checked(text(dataset.file_meta, "TransferSyntaxUID"), "TransferSyntaxUID")
    about = ("PatientID", "IssuerOfPatientID", "PatientName", "PatientBirthDate")
    person = Person(*(text(dataset, name) for name in about))
    sizes = {"rows": "Rows", "columns": "Columns", "frames": "NumberOfFrames"}
    issuer, patient_id = _who(person.issuer, person.patient_id, person.name + person.birth_date, uids["study_uid"])
    series: dict[str, Any] = _texts(dataset, SERIES_TEXTS)
    serial = number(dataset, "SeriesNumber")
    return {
        **uids,
        "issuer": issuer,
        "patient_id": patient_id,
        "patient": _texts(dataset, PATIENT_TEXTS),
        "study": _texts(dataset, STUDY_TEXTS) | {"ordered": _ordered(dataset)},
        "series": series | {"number": None if serial is None else int(serial)},
        "instance": {c: whole(dataset, n) or None for c, n in ({"number": "InstanceNumber"} | sizes).items()},
        "digital": is_digital(Owner("DICOM", owner_key(person), Path())),
    }


def _ordered(dataset: Any) -> str:
    """Return the most urgent priority that the order was given, in DICOM's word; empty where none is told.

    Requested Procedure Priority (0040,1003) stands in worklists; scanners that pass it on write it beside the image's
    other attributes, or into its Request Attributes Sequence (0040,0275).
    """
    from tumorboard.io.dicom.header import text, value

    places = (dataset, *(value(dataset, "RequestAttributesSequence") or ()))
    return Priority.highest(*(text(place, "RequestedProcedurePriority") for place in places))


def _checked(uid: str, name: str) -> str:
    if len(uid) > _MAX_UID or not _UID.fullmatch(uid):
        raise FileFormatError(f"a {name}", got="none that is one" if uid else "none", where="object")
    return uid


def _texts(dataset: Any, wanted: dict[str, tuple[str, int]]) -> dict[str, str]:
    from tumorboard.io.dicom.header import text

    return {column: _cut(text(dataset, name), longest) for column, (name, longest) in wanted.items()}


def _cut(said: str, longest: int) -> str:
    """Return text that any database takes: no control characters, no half characters, not too long."""
    clean = "".join(c for c in said if c.isprintable()).encode("utf-8", "replace").decode("utf-8")
    return clean[:longest]


def _who(issuer: str, patient_id: str, described: str, study_uid: str) -> tuple[str, str]:
    if patient_id:
        return _cut(issuer, 64), _cut(patient_id, 256)
    return _NO_ID, _cut(described, 256) or study_uid


def _digest(path: Path) -> str:
    """Return the digest of what stands behind a file's own header, which tells only how it travelled."""
    hasher = hashlib.blake2b(digest_size=16)
    with path.open("rb") as stream:
        stream.seek(_end_of_meta(stream.read(144)))
        while block := stream.read(1 << 20):
            hasher.update(block)
    return hasher.hexdigest()


def _end_of_meta(start: bytes) -> int:
    """Return where the data set begins: behind the group whose length (0002,0000) tells. Source: PS3.10 7.1."""
    if start[128:140] == b"DICM\x02\x00\x00\x00UL\x04\x00":
        return 144 + int.from_bytes(start[140:144], "little")
    return 0
