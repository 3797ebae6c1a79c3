"""What every DICOM result of ours has in common: the source's patient and study, our equipment, one moment.

Why it exists: a result without the study's own patient, study and dates is filed beside nothing. And the
libraries that build results ask the clock and random numbers; here is where both are put right, so that
the same input makes the same bytes.
"""

from __future__ import annotations

import contextlib
import logging
import re
import warnings
from collections.abc import Iterable, Iterator
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tumorboard.errors import FileFormatError, GeometryError
from tumorboard.io.codes import PRIVATE, Code
from tumorboard.io.dicom.maker import Maker
from tumorboard.io.dicom.uids import uid_from
from tumorboard.series import Plane, Series
from tumorboard.store import write_atomic

if TYPE_CHECKING:
    from pydicom import Dataset

MR_IMAGE = "1.2.840.10008.5.1.4.1.1.4"
"""MR Image Storage."""

EXPLICIT_LITTLE_ENDIAN = "1.2.840.10008.1.2.1"

SERIES_NUMBERS = {"segmentation": 9101, "measurements": 9102, "report": 9103, "captures": 9104}
"""Series numbers of results, beyond those that scanners give; chosen."""

PATIENT_AND_STUDY = (
    *("PatientName", "PatientID", "IssuerOfPatientID", "TypeOfPatientID", "IssuerOfPatientIDQualifiersSequence"),
    *("PatientBirthDate", "PatientBirthTime", "PatientSex", "OtherPatientIDsSequence", "EthnicGroup"),
    *("PatientComments", "PatientSpeciesDescription", "PatientIdentityRemoved", "DeidentificationMethod"),
    *("DeidentificationMethodCodeSequence", "LongitudinalTemporalInformationModified", "QualityControlSubject"),
    *("StudyInstanceUID", "StudyDate", "StudyTime", "ReferringPhysicianName", "StudyID", "AccessionNumber"),
    *("IssuerOfAccessionNumberSequence", "StudyDescription", "ProcedureCodeSequence", "PhysiciansOfRecord"),
    *("PatientAge", "PatientSize", "PatientWeight", "AdditionalPatientHistory", "AdmissionID"),
    *("ClinicalTrialSponsorName", "ClinicalTrialProtocolID", "ClinicalTrialProtocolName", "ClinicalTrialSiteID"),
    *("ClinicalTrialSiteName", "ClinicalTrialSubjectID", "ClinicalTrialSubjectReadingID"),
    *("ClinicalTrialTimePointID", "ClinicalTrialTimePointDescription", "SpecificCharacterSet"),
    *("TimezoneOffsetFromUTC",),
)
"""Attributes a result takes over. Source: PS3.3 C.7.1.1, C.7.1.3, C.7.2.1, C.7.2.2, C.7.2.3, C.12.1."""

_MAY_BE_EMPTY = (
    *("PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyDate", "StudyTime", "StudyID"),
    *("AccessionNumber", "ReferringPhysicianName"),
)
"""Attributes of type 2: there, if only empty."""

_SHAPES = {
    "PatientSex": re.compile(r"[MFO]"),
    "PatientBirthDate": re.compile(r"\d{8}"),
    "StudyDate": re.compile(r"\d{8}"),
    "StudyTime": re.compile(r"\d{2,6}(\.\d{1,6})?"),
    "PatientAge": re.compile(r"\d{3}[DWMY]"),
}
"""What a value must look like; another one is left empty. Source: PS3.5 6.2."""


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep the DICOM libraries from warning or logging: what they print may hold a name.

    Examples
    --------
    >>> with quiet():
    ...     logging.getLogger("highdicom.base").warning("somebody's name")
    """
    loggers = [logging.getLogger(name) for name in ("pydicom", "highdicom")]
    levels = [logger.level for logger in loggers]
    try:
        for logger in loggers:
            logger.setLevel(logging.CRITICAL + 1)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def first_header(series: Series) -> Dataset:
    """Return the header of a series' first file, with what a result must take over put right.

    Attributes of type 2 that are missing, and values that DICOM does not allow there (a sex in words, a
    date with dashes), are empty. A series that names no frame of reference is given one of its own.

    Raises
    ------
    GeometryError
        The series has no planes.
    FileFormatError
        The file cannot be read.
    """
    from pydicom import dcmread

    if not series.planes:
        raise GeometryError("a series with planes", got="none", where="source series")
    try:
        with quiet():
            header = dcmread(series.planes[0].path, stop_before_pixels=True, force=True)
            header.walk(lambda _, element: element.value)  # a damaged element is met here, not later
    except Exception as error:
        raise FileFormatError("a DICOM file", got="one that cannot be read", where="source series") from error
    with quiet():
        wrong = [k for k, shape in _SHAPES.items() if k in header and not shape.fullmatch(str(header.get(k) or ""))]
        for keyword in (*wrong, *(k for k in _MAY_BE_EMPTY if k not in header)):
            setattr(header, keyword, "")
        header.StudyInstanceUID, header.SeriesInstanceUID = series.study_uid, series.series_uid
        if not header.get("FrameOfReferenceUID"):
            header.FrameOfReferenceUID = uid_from(series.series_uid, "frame of reference")
    return header


def source_headers(series: Series) -> list[Dataset]:
    """Return one header for each plane of a series, in order of planes, without pixels.

    Patient, study and series are those of the first file; identity and place are each plane's own. Planes
    of a multi-frame file become one header each, with the file's UIDs and the classic attributes.

    Parameters
    ----------
    series : Series
        With planes.

    Returns
    -------
    list of Dataset

    Raises
    ------
    GeometryError, FileFormatError
        See :func:`first_header`.

    Examples
    --------
    >>> from pydicom.data import get_testdata_file
    >>> from tumorboard.io.dicom.scan import scan_dicom
    >>> series = scan_dicom([Path(get_testdata_file("MR_small.dcm"))]).series[0]
    >>> [(h.Rows, h.Columns, "PixelData" in h) for h in source_headers(series)]
    [(64, 64, False)]
    """
    header = first_header(series)
    thickness = thickness_mm(series, header)
    with quiet():
        return [_header_of(plane, header, thickness) for plane in series.planes]


def thickness_mm(series: Series, header: Dataset) -> float | None:
    """Return the thickness of a series' planes: as it says, else their smallest distance; None when unknown."""
    told = series.tags.thickness_mm or float(header.get("SliceThickness") or 0)
    if told or len(series.planes) < 2:
        return told or None
    gaps = np.linalg.norm(np.diff([plane.position_mm for plane in series.planes], axis=0), axis=1)
    return float(gaps.min()) or None


def _header_of(plane: Plane, header: Dataset, thickness: float | None) -> Dataset:
    from pydicom import Dataset
    from pydicom.valuerep import DS

    out = Dataset()
    keep = (*PATIENT_AND_STUDY, "SeriesInstanceUID", "FrameOfReferenceUID", "Modality", "Manufacturer")
    lossy = ("LossyImageCompression", "LossyImageCompressionRatio", "LossyImageCompressionMethod")
    for keyword in (*keep, *lossy, "ManufacturerModelName", "PositionReferenceIndicator"):
        if keyword in header:
            out[keyword] = header[keyword]
    out.SOPClassUID, out.SOPInstanceUID = plane.sop_class, plane.sop_uid
    out.Rows, out.Columns = plane.rows, plane.columns
    numbers = {
        "ImagePositionPatient": plane.position_mm,
        "ImageOrientationPatient": plane.orientation,
        "PixelSpacing": plane.spacing_mm,
    }
    for keyword, values in numbers.items():
        setattr(out, keyword, [DS(float(v), auto_format=True) for v in values])
    if thickness:
        out.SliceThickness = DS(thickness, auto_format=True)
    return out


def evidence_of(all_series: Iterable[Series]) -> list[Dataset]:
    """Return what cites each file of some series once: the UIDs alone."""
    from pydicom import Dataset

    out: dict[str, Dataset] = {}
    with quiet():
        for series, plane in [(each, plane) for each in all_series for plane in each.planes]:
            item = Dataset()
            item.StudyInstanceUID, item.SeriesInstanceUID = series.study_uid, series.series_uid
            item.SOPClassUID, item.SOPInstanceUID = plane.sop_class, plane.sop_uid
            out.setdefault(plane.sop_uid, item)
    return list(out.values())


def equipment(dataset: Dataset, maker: Maker) -> None:
    """Write who made a result, and when, in place of whatever a library wrote.

    Source: PS3.3 C.7.5.1 and C.7.5.2 (equipment), C.12.1 (creation).
    """
    dataset.Manufacturer = dataset.ManufacturerModelName = maker.software
    dataset.SoftwareVersions = maker.version
    dataset.DeviceSerialNumber = maker.settings_digest or "0"
    dataset.InstanceCreationDate, dataset.InstanceCreationTime = maker.date, maker.time
    dataset.ContentDate, dataset.ContentTime = maker.date, maker.time
    for item in dataset.get("ContributingEquipmentSequence") or ():
        if "ContributionDateTime" in item:
            item.ContributionDateTime = maker.date + maker.time


def blank(header: Dataset, maker: Maker, sop_class: str, modality: str, kind: str, uids: tuple[str, str]) -> Dataset:
    """Return a result with its patient, study, series and equipment, and nothing in it yet.

    Parameters
    ----------
    header : Dataset
        Of the source, from :func:`first_header`.
    maker : Maker
        Who makes it.
    sop_class, modality : str
        What it is.
    kind : str
        A key of :data:`SERIES_NUMBERS`; named in the description.
    uids : (str, str)
        Series and SOP instance.
    """
    from pydicom import Dataset

    out = Dataset()
    for keyword in PATIENT_AND_STUDY:
        if keyword in header:
            out[keyword] = header[keyword]
    out.SOPClassUID, out.Modality = sop_class, modality
    out.SeriesInstanceUID, out.SOPInstanceUID = uids
    out.SeriesNumber, out.InstanceNumber = SERIES_NUMBERS[kind], 1
    out.SeriesDescription = maker.describe(kind)
    equipment(out, maker)
    return out


def name_scheme(dataset: Dataset) -> None:
    """Say whose the private codes are (PS3.3 C.12.1, Coding Scheme Identification)."""
    from pydicom import Dataset

    item = Dataset()
    item.CodingSchemeDesignator = PRIVATE
    item.CodingSchemeName = "Codes of the tumorboard software"
    item.CodingSchemeResponsibleOrganization = "tumorboard"
    dataset.CodingSchemeIdentificationSequence = [item]


def concept(code: Code) -> Any:
    """Return a code as highdicom's coded concept."""
    from highdicom.sr import CodedConcept

    return CodedConcept(code.value, code.scheme, code.meaning)


def save(dataset: Dataset, path: Path) -> None:
    """Write a result as a DICOM file, atomically; equal results give equal bytes.

    Parameters
    ----------
    dataset : Dataset
        From one of the writers of results.
    path : Path
        Final name; it must hold no identity.

    Raises
    ------
    OutputError
        The folder cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from pydicom import Dataset
    >>> made = Dataset()
    >>> made.SOPClassUID, made.SOPInstanceUID = MR_IMAGE, "2.25.1"
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save(made, Path(folder) / "one.dcm")
    ...     (Path(folder) / "one.dcm").read_bytes()[128:132]
    b'DICM'
    """
    write_atomic(path, to_bytes(dataset))


def to_bytes(dataset: Dataset) -> bytes:
    """Return a result as the bytes of its DICOM file (explicit VR little endian, PS3.10 7.1)."""
    from pydicom.dataset import FileMetaDataset
    from pydicom.uid import UID

    meta = FileMetaDataset()
    meta.TransferSyntaxUID = UID(EXPLICIT_LITTLE_ENDIAN)
    meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    dataset.file_meta = meta
    dataset.preamble = b"\0" * 128
    stream = BytesIO()
    with quiet():
        dataset.save_as(stream, enforce_file_format=True)
    return stream.getvalue()
