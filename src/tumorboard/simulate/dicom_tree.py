"""A digital patient as a folder of DICOM files, as a hospital's archive hands it out.

Why it exists: the way from an archive to a report begins in nested folders of files without endings, with
localizers, reformats and screen shots among what matters. Everything written here says that it is of no real
person. Truth lies beside the DICOM files, never among them.

What is beside the four sequences is for recognition, not for measurement: the localizer is sampled from the
T1, the reformat from the T1C, and the diffusion series has the FLAIR's values.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from pydicom import Dataset
from pydicom.uid import SecondaryCaptureImageStorage
from pydicom.valuerep import DS

from tumorboard.io.dicom.uids import uid_from
from tumorboard.io.dicom.write import describe_pixels, put_pixels, to_bytes, write_series
from tumorboard.io.images import write_volume
from tumorboard.sequences import Sequence
from tumorboard.simulate.head import Head
from tumorboard.simulate.header_words import AFTER, AGENTS, BEFORE, LANGUAGES, PLANES
from tumorboard.simulate.headers import draw_header
from tumorboard.simulate.native import PROTOCOLS, Acquisition, NativePatient, NativeStudy, centre_of, grid_of
from tumorboard.simulate.tree import EVENT_COLUMNS, _event_row, _table
from tumorboard.store import write_atomic, write_json
from tumorboard.transform import resample
from tumorboard.volume import Volume

VENDORS = ("SIEMENS", "GE", "PHILIPS")
"""Vendors of the studies, in turn."""

COMMENT = "digital patient, no real person"

PLAN: tuple[tuple[str, int], ...] = (
    ("localizer", 0),
    ("T1", 120),
    ("FLAIR", 420),
    ("DWI", 720),
    ("T2", 840),
    ("T1C", 1290),
    ("MPR", 1500),
    ("capture", 1560),
)
"""The series of a study, and when each begins, s after the study (chosen)."""

INJECTED_S = 1140
"""When the contrast agent goes in, s after the beginning of the study (chosen)."""

THIN_MM = 2.0
"""Slices thinner than this are acquired in 3D (chosen)."""

LOCALIZER = tuple(Acquisition(plane, 2.0, 8.0, 12.0, (256.0, 256.0, 60.0)) for plane in ("axial", "coronal", "sagittal"))
REFORMAT = Acquisition("axial", 1.0, 4.0, 0.0, (220.0, 240.0, 160.0))
DIFFUSION = Acquisition("axial", 1.8, 5.0, 1.0, (230.0, 230.0, 150.0))
"""Planes of what is beside the four sequences (chosen)."""

B_VALUE = 1000.0
"""Of the diffusion series, s/mm² (chosen)."""

_LOCALIZERS = {"SIEMENS": "localizer", "GE": "3-Plane Loc", "PHILIPS": "Survey"}
_WEIGHTING = {Sequence.T1: "T1", Sequence.T1C: "T1", Sequence.T2: "T2", Sequence.FLAIR: "FLAIR"}
_CONTRAST = {Sequence.T1: BEFORE, Sequence.T1C: AFTER}
_PHYSICS = (
    *("RepetitionTime", "EchoTime", "FlipAngle", "EchoTrainLength"),
    *("ScanningSequence", "SequenceVariant", "MRAcquisitionType"),
)
_TRIES = 1000
"""Headers drawn before it is given up; one in a few fits."""


def write_digital_dicom(patient: NativePatient, folder: Path) -> None:
    """Write studies as DICOM, and truth, motion and events beside them.

    Parameters
    ----------
    patient : NativePatient
        From :func:`tumorboard.simulate.native.native_patient`.
    folder : Path
        Made if absent. ``dicom/PAT0001/ST0001/SE0001/IM0001`` and on; ``truth/ses-01_dseg.nii.gz``,
        ``_brain.nii.gz`` (both in the world of the T1C) and ``_motion.json`` (4 x 4, from the world of the T1C
        to that of each sequence, RAS mm); ``events.csv``. The same patient gives the same bytes.

    Raises
    ------
    OutputError
        The folder cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from tumorboard.simulate.native import native_patient
    >>> with tempfile.TemporaryDirectory() as place:
    ...     write_digital_dicom(native_patient(spacing_mm=6.0, studies=1), Path(place))
    ...     sorted(p.name for p in Path(place).iterdir()), sorted(p.name for p in Path(place).glob("dicom/*/*/*"))[-1]
    (['dicom', 'events.csv', 'truth'], 'SE0008')
    """
    rng = np.random.default_rng([patient.seed, 3])
    language = _one(rng, LANGUAGES)
    for n, study in enumerate(patient.studies):
        visit = _visit(rng, patient.seed, study, VENDORS[(patient.seed + n) % len(VENDORS)], language)
        _write_study(visit, folder / "dicom" / "PAT0001" / f"ST{n + 1:04d}")
        _write_truth(study, folder / "truth")
    rows = [(patient_id(patient.seed), *_event_row(event)[1:]) for event in patient.events]
    write_atomic(folder / "events.csv", _table(EVENT_COLUMNS, rows, ","))


def patient_id(seed: int) -> str:
    """Return the Patient ID of a digital patient.

    Examples
    --------
    >>> patient_id(7)
    'DIGITAL-7'
    """
    return f"DIGITAL-{seed}"


@dataclass(frozen=True)
class _Series:
    """What is written as one series: parts in different planes, what it is called, and how it is acquired."""

    parts: tuple[Volume, ...]
    said: str
    header: Dataset
    thickness_mm: float


@dataclass
class _Visit:
    """How one study is run, what all its series share, and the main series made so far."""

    study: NativeStudy
    rng: np.random.Generator
    vendor: str
    language: str
    start_s: int
    shared: Dataset
    main: dict[Sequence, _Series] = field(default_factory=dict)

    def image(self, sequence: Sequence) -> Volume:
        return self.study.images[sequence].volume

    def plane_word(self, axis: str) -> str:
        """Return a word for the planes whose normal is nearest to an axis: S, R or A."""
        words = PLANES[self.language]["SRA".index(axis)]
        return _one(self.rng, tuple(word for word in words if word))

    def drawn(self, what: str, dims: str) -> Dataset:
        """Draw a header until it is complete and of that acquisition type."""
        headers = (draw_header(self.rng, what, self.vendor, self.language) for _ in range(_TRIES))
        return next(header for header in headers if _is_complete(header, dims))


def _visit(rng: np.random.Generator, seed: int, study: NativeStudy, vendor: str, language: str) -> _Visit:
    scanner = draw_header(rng, "T1", vendor, language)
    start = int(rng.integers(8 * 3600, 16 * 3600))
    shared = Dataset()
    shared.SpecificCharacterSet = "ISO_IR 192"
    shared.PatientName, shared.PatientID = "Digital^Patient", patient_id(seed)
    shared.PatientBirthDate, shared.PatientSex, shared.PatientPosition = "19500101", "O", "HFS"
    shared.StudyInstanceUID = uid_from("digital patient", str(seed), study.id)
    shared.FrameOfReferenceUID = uid_from(shared.StudyInstanceUID, "frame of reference")
    shared.StudyDate = shared.SeriesDate = shared.AcquisitionDate = f"{study.date:%Y%m%d}"
    shared.StudyTime, shared.StudyID, shared.ReferringPhysicianName = _clock(start), study.id, ""
    shared.AccessionNumber = f"D{shared.StudyInstanceUID[-8:]}"
    shared.StudyDescription, shared.BodyPartExamined = "MR brain, digital patient", "HEAD"
    shared.ImageComments = COMMENT
    for keyword in ("Manufacturer", "ManufacturerModelName", "MagneticFieldStrength"):
        shared[keyword] = deepcopy(scanner[keyword])
    return _Visit(study, rng, vendor, language, start, shared)


def _write_study(visit: _Visit, folder: Path) -> None:
    for number, (what, offset_s) in enumerate(PLAN, start=1):
        place = folder / f"SE{number:04d}"
        if what == "capture":
            _write_capture(visit.image(Sequence.T1C), _identified(visit, Dataset(), number, offset_s), place)
            continue
        series = _BESIDE[what](visit) if what in _BESIDE else _main(visit, Sequence(what))
        header = _identified(visit, series.header, number, offset_s)
        header.SeriesDescription = header.ProtocolName = series.said
        header.SliceThickness = DS(series.thickness_mm, auto_format=True)
        header.InstanceNumber = 1
        for part in series.parts:
            header.InstanceNumber += len(write_series(part, header, place))


def _identified(visit: _Visit, header: Dataset, number: int, offset_s: int) -> Dataset:
    """Return a copy of a header with whose it is, which of the study's series, and when."""
    out = deepcopy(header)
    for element in visit.shared:
        out[element.tag] = deepcopy(element)
    out.SeriesInstanceUID = uid_from(out.StudyInstanceUID, "series", str(number))
    out.SeriesNumber = number
    out.SeriesTime = out.AcquisitionTime = _clock(visit.start_s + offset_s)
    return out


def _main(visit: _Visit, sequence: Sequence) -> _Series:
    """Return one of the four sequences, its T1C acquired as the T1 was where both are 2D or both 3D."""
    volume = visit.image(sequence)
    thickness = _thickness_mm(sequence, volume)
    dims = "3D" if thickness < THIN_MM else "2D"
    before = visit.main.get(Sequence.T1) if sequence is Sequence.T1C else None
    alike = before is not None and before.header.MRAcquisitionType == dims
    header = deepcopy(before.header) if before is not None and alike else visit.drawn(sequence.value, dims)
    words = ["3D"] if dims == "3D" else []
    words += [_WEIGHTING[sequence], visit.plane_word(_normal(volume))]
    _tell_contrast(visit, header, after=sequence is Sequence.T1C)
    if sequence in _CONTRAST:
        words.append(_one(visit.rng, _CONTRAST[sequence][visit.language]))
    visit.main[sequence] = _Series((volume,), " ".join(words), header, thickness)
    return visit.main[sequence]


def _localizer(visit: _Visit) -> _Series:
    parts = _sampled(visit, Sequence.T1, LOCALIZER)
    return _Series(parts, _LOCALIZERS[visit.vendor], visit.drawn("localizer", "2D"), LOCALIZER[0].thickness_mm)


def _diffusion(visit: _Visit) -> _Series:
    header = visit.drawn("DWI", "2D")
    header.DiffusionBValue = B_VALUE
    if "SequenceName" in header:
        del header.SequenceName  # may name another b-value
    said = f"DWI {visit.plane_word('S')} b{B_VALUE:.0f} TRACE"
    _tell_contrast(visit, header, after=False)
    return _Series(_sampled(visit, Sequence.FLAIR, (DIFFUSION,)), said, header, DIFFUSION.thickness_mm)


def _reformat(visit: _Visit) -> _Series:
    source = visit.main[Sequence.T1C]
    header = deepcopy(source.header)
    header.ImageType = ["DERIVED", "SECONDARY", "MPR"]
    header.DerivationDescription = "Axial reformat of another series of the study"
    parts = _sampled(visit, Sequence.T1C, (REFORMAT,))
    return _Series(parts, f"{source.said} MPR", header, REFORMAT.thickness_mm)


_BESIDE: dict[str, Callable[[_Visit], _Series]] = {"localizer": _localizer, "DWI": _diffusion, "MPR": _reformat}


def _write_capture(volume: Volume, header: Dataset, folder: Path) -> None:
    """Write the middle slice of a volume as a secondary capture of 8 bits (PS3.3 A.8.1)."""
    plane = volume.data[:, :, volume.data.shape[2] // 2].astype(np.float32)
    shown = np.clip(plane * (255.0 / max(float(np.percentile(plane, 99.5)), 1.0)), 0, 255).astype(np.uint8)
    del header.FrameOfReferenceUID  # it lies nowhere
    header.SOPClassUID, header.Modality, header.ConversionType = SecondaryCaptureImageStorage, "OT", "WSD"
    header.SOPInstanceUID, header.InstanceNumber = uid_from(header.SeriesInstanceUID, "1"), 1
    header.ImageType, header.BurnedInAnnotation = ["DERIVED", "SECONDARY", "SCREEN SAVE"], "NO"
    header.SeriesDescription, header.PatientOrientation = "Screen Save", ""
    describe_pixels(header, shown)
    put_pixels(header, shown.T)
    write_atomic(folder / "IM0001", to_bytes(header))


def _write_truth(study: NativeStudy, folder: Path) -> None:
    write_volume(study.truth, folder / f"{study.id}_dseg.nii.gz")
    write_volume(study.brain, folder / f"{study.id}_brain.nii.gz")
    moved = {sequence.value: image.motion.tolist() for sequence, image in study.images.items()}
    write_json(folder / f"{study.id}_motion.json", moved)


def _is_complete(header: Dataset, dims: str) -> bool:
    """Whether nothing of a header was spoilt, and it keeps to the rule for its inversion time (PS3.3 C.8.3.1)."""
    inverts = "IR" in header.get("ScanningSequence", ())
    there = all(keyword in header for keyword in _PHYSICS)
    return there and header.MRAcquisitionType == dims and ("InversionTime" in header) == inverts


def _tell_contrast(visit: _Visit, header: Dataset, *, after: bool) -> None:
    """Write the agent and its time after the injection, and neither before it."""
    for keyword in ("ContrastBolusAgent", "ContrastBolusStartTime"):
        if keyword in header:
            delattr(header, keyword)
    if after:
        header.ContrastBolusAgent = _one(visit.rng, AGENTS)
        header.ContrastBolusStartTime = _clock(visit.start_s + INJECTED_S)


def _thickness_mm(sequence: Sequence, volume: Volume) -> float:
    """Return the thickness of the acquisition with this distance of slices; of an unknown one, the distance."""
    apart = volume.spacing_mm[2]
    known = (protocol[sequence] for protocol in PROTOCOLS.values())
    return next((how.thickness_mm for how in known if abs(how.thickness_mm + how.gap_mm - apart) < 1e-3), apart)


def _sampled(visit: _Visit, sequence: Sequence, planes: tuple[Acquisition, ...]) -> tuple[Volume, ...]:
    """Sample one of the study's images on other planes around its brain."""
    centre = centre_of(Head({}, visit.study.brain, visit.study.truth))
    found = (resample(visit.image(sequence), grid_of(how, centre)) for how in planes)
    return tuple(volume.with_data(np.rint(volume.data).astype(np.int16)) for volume in found)


def _normal(volume: Volume) -> str:
    """Return the axis nearest to the normal of a volume's planes: R, A or S."""
    return {"L": "R", "P": "A", "I": "S"}.get(volume.grid.axcodes[2], volume.grid.axcodes[2])


def _clock(seconds: int) -> str:
    return f"{seconds // 3600:02d}{seconds // 60 % 60:02d}{seconds % 60:02d}"


def _one(rng: np.random.Generator, items: tuple[str, ...]) -> str:
    return items[int(rng.integers(len(items)))]
