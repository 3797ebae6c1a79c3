"""Valid DICOM files in which identifiers stand wherever they have been found: names, comments, private, nested ...

Used by the tests and by ``benchmarks/deidentify.py``. Every planted text is its own, so that a search tells
which place was missed.
"""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from pydicom import dcmwrite
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

MR = "1.2.840.10008.5.1.4.1.1.4"
SR = "1.2.840.10008.5.1.4.1.1.88.33"
SC = "1.2.840.10008.5.1.4.1.1.7"
PDF = "1.2.840.10008.5.1.4.1.1.104.1"
ROOT = "1.2.276.0.7230010.3.471108"
"""A site's own root of unique identifiers."""

_STANDARD_TEXTS = """
    InstitutionName InstitutionalDepartmentName AccessionNumber StudyID StationName PatientComments
    AdditionalPatientHistory Occupation CountryOfResidence RegionOfResidence PatientReligiousPreference
    MedicalAlerts Allergies MilitaryRank BranchOfService MedicalRecordLocator ImageComments DeviceSerialNumber
    ProtocolName SeriesDescription StudyDescription SequenceName DerivationDescription AdmissionID
    CurrentPatientLocation RequestingService PerformedProcedureStepID PerformedProcedureStepDescription
    PerformedLocation PerformedStationName CommentsOnThePerformedProcedureStep SpecialNeeds PatientState
    VisitComments ContrastBolusAgent ClinicalTrialSponsorName ClinicalTrialProtocolName ClinicalTrialSiteID
    ClinicalTrialSiteName ClinicalTrialProtocolID ClinicalTrialSubjectID RequestedProcedureDescription
    GantryID PlateID CassetteID AdmittingDiagnosesDescription InstitutionAddress IssuerOfPatientID
"""
STANDARD_TEXTS = _STANDARD_TEXTS.split()
_PEOPLE = """
    ReferringPhysicianName PerformingPhysicianName OperatorsName NameOfPhysiciansReadingStudy
    PhysiciansOfRecord RequestingPhysician OtherPatientNames PatientBirthName PatientMotherBirthName
    ResponsiblePerson ConsultingPhysicianName
"""
PEOPLE = _PEOPLE.split()
_NUMBERS = """
    OtherPatientIDs PatientTelephoneNumbers OrderCallbackPhoneNumber ReferringPhysicianTelephoneNumbers
    FillerOrderNumberImagingServiceRequest PlacerOrderNumberImagingServiceRequest
"""
NUMBERS = _NUMBERS.split()


@dataclass
class Poison:
    """Where the files lie, and what was planted where."""

    root: Path
    planted: dict[str, str] = field(default_factory=dict)
    dates: dict[str, list[str]] = field(default_factory=dict)

    def word(self, place: str) -> str:
        """A made-up word of its own for one place."""
        return self.planted.setdefault(place, f"Zq{len(self.planted):03d}vornkamp")

    def number(self, place: str) -> str:
        """A number of its own for one place."""
        return self.planted.setdefault(place, f"{73190042000 + 17 * len(self.planted)}")


def _person(ds: Dataset, poison: Poison, letter: str, birth: str) -> None:
    given, family = poison.word(f"{letter} given name"), poison.word(f"{letter} family name")
    ideographic = poison.planted.setdefault(f"{letter} ideographic", "鶴岡鷹司" if letter == "A" else "蘇我馬子")
    phonetic = poison.planted.setdefault(f"{letter} phonetic", "つるおかたかじ" if letter == "A" else "そがのうまこ")
    ds.SpecificCharacterSet = "ISO_IR 192"
    ds.PatientName = f"{family}^{given}={ideographic}={phonetic}"
    ds.PatientID = poison.number(f"{letter} PatientID")
    ds.PatientBirthDate = poison.planted.setdefault(f"{letter} PatientBirthDate", birth)
    ds.PatientSex, ds.PatientAge, ds.PatientWeight = "F", "094Y" if letter == "A" else "061Y", 71.5


def _study(ds: Dataset, letter: str, number: int, date: str) -> None:
    ds.StudyInstanceUID = f"{ROOT}.{ord(letter)}.{number}"
    ds.FrameOfReferenceUID = f"{ROOT}.{ord(letter)}.{number}.99"
    for keyword in ("StudyDate", "SeriesDate", "AcquisitionDate", "ContentDate", "InstanceCreationDate"):
        setattr(ds, keyword, date)
    for keyword in ("StudyTime", "SeriesTime", "AcquisitionTime", "ContentTime", "InstanceCreationTime"):
        setattr(ds, keyword, "101530.25")
    ds.AcquisitionDateTime = f"{date}101530.25+0900"


def _code(value: str, scheme: str, meaning: str) -> Dataset:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    return item


def _nested(ds: Dataset, poison: Poison) -> None:
    """Identifiers two sequences deep, in requests, operators and codes of the site."""
    request = Dataset()
    request.ScheduledProcedureStepDescription = poison.word("RequestAttributesSequence description")
    request.ScheduledProcedureStepID = poison.number("RequestAttributesSequence id")[:16]
    request.RequestedProcedureID = poison.number("RequestAttributesSequence procedure")[:16]
    inner = _code(poison.number("nested code value")[:16], "99WARD", poison.word("nested code meaning"))
    request.ScheduledProtocolCodeSequence = [inner]
    ds.RequestAttributesSequence = [request]
    operator = Dataset()
    operator.InstitutionName = poison.word("OperatorIdentificationSequence institution")
    operator.PersonIdentificationCodeSequence = [_code("77", "99STAFF", poison.word("operator code meaning"))]
    ds.OperatorIdentificationSequence = [operator]
    ds.ProcedureCodeSequence = [
        _code(poison.number("ProcedureCodeSequence value")[:16], "99SITE", poison.word("procedure"))
    ]
    ds.AnatomicRegionSequence = [_code("12738006", "SCT", "Brain")]
    ds.AnatomicRegionSequence[0].CodeMeaning = poison.word("AnatomicRegionSequence meaning")


def _private(ds: Dataset, poison: Poison) -> None:
    """Private text, binary and sequences, beside a b-value that may stay."""
    own = ds.private_block(0x0029, "WARD INTERNAL 1", create=True)
    own.add_new(0x10, "LO", poison.word("private LO"))
    own.add_new(0x11, "OB", f"..{poison.word('private OB')}..".encode())
    own.add_new(0x12, "PN", f"{poison.word('private PN')}^A")
    item = Dataset()
    item.PatientName = poison.word("private SQ")
    own.add_new(0x13, "SQ", [item])
    own.add_new(0x14, "UN", poison.word("private UN").encode() + b" ")
    own.add_new(0x15, "UT", poison.word("private UTF-16"))
    named = ds.private_block(0x0031, poison.word("private creator"), create=True)
    named.add_new(0x01, "DS", "1.0")
    siemens = ds.private_block(0x0019, "SIEMENS MR HEADER", create=True)
    siemens.add_new(0x0C, "IS", "1000")
    siemens.add_new(0x18, "LO", poison.word("private text of a maker"))


def _texts(ds: Dataset, poison: Poison) -> None:
    for keyword in STANDARD_TEXTS:
        setattr(ds, keyword, poison.word(keyword))
    for keyword in PEOPLE:
        setattr(ds, keyword, f"{poison.word(keyword)}^Dr")
    ds.OperatorsName = [f"{poison.word('OperatorsName')}^B", f"{poison.word('second operator')}^C"]
    for keyword in NUMBERS:
        setattr(ds, keyword, poison.number(keyword))
    ds.SeriesDescription = f"AX T1 {poison.word('SeriesDescription')} post GD"
    ds.RetrieveAETitle = poison.word("RetrieveAETitle")[:16]
    ds.AcquisitionDeviceProcessingCode = poison.word("AcquisitionDeviceProcessingCode")
    ds.BodyPartExamined = "HEAD"
    ds.PatientBirthTime, ds.ResponsiblePersonRole = "0304", "PARENT"
    ds.IssuerOfPatientID = poison.word("IssuerOfPatientID")


def _overlay(ds: Dataset, poison: Poison) -> None:
    ds.add_new(0x60000010, "US", 8)
    ds.add_new(0x60000011, "US", 8)
    ds.add_new(0x60000022, "LO", poison.word("overlay description"))
    ds.add_new(0x60000040, "CS", "G")
    ds.add_new(0x60000050, "SS", [1, 1])
    ds.add_new(0x60000100, "US", 1)
    ds.add_new(0x60000102, "US", 0)
    ds.add_new(0x60003000, "OB", poison.word("overlay data").encode() + b" ")


def mr_slice(poison: Poison, letter: str, number: int, date: str, k: int) -> Dataset:
    """Return one slice of an MR series."""
    ds = Dataset()
    _person(ds, poison, letter, "19310304" if letter == "A" else "19640405")
    _study(ds, letter, number, date)
    _texts(ds, poison)
    _nested(ds, poison)
    _private(ds, poison)
    if k == 1:
        _overlay(ds, poison)
    ds.SOPClassUID, ds.Modality = MR, "MR"
    ds.SeriesInstanceUID = f"{ds.StudyInstanceUID}.3"
    ds.SOPInstanceUID = f"{ds.SeriesInstanceUID}.{k}"
    poison.planted[f"{letter}{number} SOPInstanceUID {k}"] = ds.SOPInstanceUID
    poison.planted[f"{letter}{number} StudyInstanceUID"] = ds.StudyInstanceUID
    ds.SeriesNumber, ds.InstanceNumber, ds.AcquisitionNumber = 3, k, 1
    ds.Manufacturer, ds.ManufacturerModelName, ds.SoftwareVersions = "SIEMENS", "Skyra", "syngo MR E11"
    ds.ImageType = ["ORIGINAL", "PRIMARY", "M", "ND"]
    ds.ScanningSequence, ds.SequenceVariant, ds.ScanOptions, ds.MRAcquisitionType = "SE", "SK", "", "2D"
    ds.RepetitionTime, ds.EchoTime, ds.EchoTrainLength, ds.SliceThickness = 500, 10, 1, 5
    ds.MagneticFieldStrength, ds.FlipAngle, ds.ImagedNucleus = 3, 90, "1H"
    ds.PatientPosition, ds.PositionReferenceIndicator = "HFS", ""
    ds.ImagePositionPatient, ds.ImageOrientationPatient = [-8, -8, 5.0 * k], [1, 0, 0, 0, 1, 0]
    ds.PixelSpacing, ds.Rows, ds.Columns = [1, 1], 16, 16
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 12, 11, 0
    if k > 1:
        reference = Dataset()
        reference.ReferencedSOPClassUID, reference.ReferencedSOPInstanceUID = MR, f"{ds.SeriesInstanceUID}.1"
        ds.ReferencedImageSequence = [reference]
    pixels = np.random.default_rng(k).integers(0, 4096, (16, 16), dtype=np.uint16)
    ds.PixelData = pixels.tobytes()
    return ds


def _item(kind: str, relation: str, name: tuple[str, str], **value: Any) -> Dataset:
    item = Dataset()
    item.RelationshipType, item.ValueType = relation, kind
    item.ConceptNameCodeSequence = [_code(name[0], "DCM", name[1])]
    for keyword, content in value.items():
        setattr(item, keyword, content)
    return item


def report(poison: Poison, image: Dataset) -> Dataset:
    """Return a structured report on an image, with names, texts and dates in its content."""
    ds = Dataset()
    _person(ds, poison, "A", "19310304")
    _study(ds, "A", 1, image.StudyDate)
    ds.SOPClassUID, ds.Modality = SR, "SR"
    ds.SeriesInstanceUID, ds.SOPInstanceUID = f"{image.StudyInstanceUID}.7", f"{image.StudyInstanceUID}.7.1"
    ds.SeriesNumber, ds.InstanceNumber, ds.Manufacturer = 7, 1, "SIEMENS"
    ds.ReferringPhysicianName, ds.AccessionNumber, ds.StudyID = "", "", ""
    ds.ReferencedPerformedProcedureStepSequence, ds.PerformedProcedureCodeSequence = [], []
    ds.CompletionFlag, ds.VerificationFlag = "COMPLETE", "VERIFIED"
    observer = Dataset()
    observer.VerifyingObserverName = f"{poison.word('VerifyingObserverName')}^Dr"
    observer.VerifyingOrganization = poison.word("VerifyingOrganization")
    observer.VerificationDateTime = f"{image.StudyDate}111213"
    observer.VerifyingObserverIdentificationCodeSequence = []
    ds.VerifyingObserverSequence = [observer]
    ds.ValueType, ds.ContinuityOfContent = "CONTAINER", "SEPARATE"
    ds.ConceptNameCodeSequence = [_code("126000", "DCM", "Imaging Measurement Report")]
    referenced = Dataset()
    referenced.ReferencedSOPClassUID, referenced.ReferencedSOPInstanceUID = MR, image.SOPInstanceUID
    finding = _item("TEXT", "CONTAINS", ("121071", "Finding"), TextValue=f"Mr {poison.word('TextValue')} has a tumour")
    person = _item("PNAME", "HAS OBS CONTEXT", ("121008", "Person Observer Name"), PersonName=poison.word("PersonName"))
    when = _item("DATETIME", "CONTAINS", ("111526", "DateTime Started"), DateTime=f"{image.StudyDate}101112")
    uid = _item("UIDREF", "CONTAINS", ("112040", "Tracking Unique Identifier"), UID=f"{ROOT}.5.5")
    poison.planted["UIDREF"] = f"{ROOT}.5.5"
    picture = _item("IMAGE", "CONTAINS", ("121112", "Source of Measurement"), ReferencedSOPSequence=[referenced])
    ds.ContentSequence = [person, finding, when, uid, picture]
    series, study = Dataset(), Dataset()
    series.SeriesInstanceUID, series.ReferencedSOPSequence = image.SeriesInstanceUID, [referenced]
    study.StudyInstanceUID, study.ReferencedSeriesSequence = image.StudyInstanceUID, [series]
    ds.CurrentRequestedProcedureEvidenceSequence = [study]
    return ds


def capture(poison: Poison) -> Dataset:
    """Return a screen capture that does not say whether text is burned in."""
    ds = mr_slice(poison, "A", 1, "20210304", 1)
    ds.SOPClassUID, ds.Modality, ds.ConversionType = SC, "OT", "WSD"
    ds.SeriesInstanceUID, ds.SOPInstanceUID = f"{ROOT}.8", f"{ROOT}.8.1"
    return ds


def document(poison: Poison) -> Dataset:
    """Return a PDF with a name in it."""
    ds = mr_slice(poison, "A", 1, "20210304", 1)
    del ds.PixelData
    ds.SOPClassUID, ds.Modality = PDF, "DOC"
    ds.SeriesInstanceUID, ds.SOPInstanceUID = f"{ROOT}.9", f"{ROOT}.9.1"
    ds.EncapsulatedDocument = f"%PDF {poison.word('inside a PDF')} ".encode()
    return ds


def file_bytes(ds: Dataset, poison: Poison) -> bytes:
    """Return a PS3.10 file with identifiers in its preamble and file meta information."""
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = ds.SOPClassUID, ds.SOPInstanceUID
    meta.TransferSyntaxUID, meta.ImplementationClassUID = ExplicitVRLittleEndian, f"{ROOT}.1"
    meta.SourceApplicationEntityTitle = poison.word("SourceApplicationEntityTitle")[:16]
    meta.PrivateInformationCreatorUID, meta.PrivateInformation = (
        f"{ROOT}.2",
        poison.word("PrivateInformation").encode() + b" ",
    )
    poison.planted["site root in file meta"] = f"{ROOT}.2"
    ds.file_meta = meta
    ds.preamble = poison.word("preamble").encode().ljust(128, b"\0")
    stream = io.BytesIO()
    dcmwrite(stream, ds, enforce_file_format=True)
    return stream.getvalue()


def write_poisoned(root: Path) -> Poison:
    """Write two patients: A with two studies, a report and what must not leave; B with one study."""
    poison = Poison(root)
    poison.dates = {"A": ["20210304", "20210611"], "B": ["20200229"]}
    poison.planted["folder"], poison.planted["birthday in a folder"] = "WEISSENBORN", "19610304"
    first = [mr_slice(poison, "A", 1, "20210304", k) for k in (1, 2, 3)]
    everything = {f"{poison.word('file name')}_{k}.dcm": ds for k, ds in enumerate(first)}
    everything |= {f"second/{k}": mr_slice(poison, "A", 2, "20210611", k) for k in (1, 2)}
    everything |= {f"other/{k}.ima": mr_slice(poison, "B", 1, "20200229", k) for k in (1, 2)}
    everything |= {"sr": report(poison, first[0]), "capture": capture(poison), "document": document(poison)}
    for name, ds in everything.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(file_bytes(ds, poison))
    (root / "notes.txt").write_text(poison.word("a text file"))
    return poison


def left_in(content: bytes, poison: Poison) -> list[str]:
    """Return the places whose text stands in these bytes, in any usual encoding."""
    lowered = content.lower()
    return [
        place
        for place, text in poison.planted.items()
        if any(text.lower().encode(e, "ignore") in lowered for e in ("utf-8", "utf-16-le", "utf-16-be") if text)
    ]
