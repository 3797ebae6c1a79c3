"""Small DICOM series made here, file by file, with voxel values that tell where they lie in the patient.

The affine is written down by the textbook formula (PS3.3 C.7.6.2.1.1), never taken from the reader.
"""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.uid import EnhancedMRImageStorage, ExplicitVRLittleEndian, MRImageStorage, generate_uid

AXIAL = ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0))
SAGITTAL = ((0.0, 1.0, 0.0), (0.0, 0.0, -1.0))
CORONAL = ((1.0, 0.0, 0.0), (0.0, 0.0, -1.0))
OBLIQUE = ((0.9396926207859084, 0.0, -0.3420201433256687), (0.0594, 0.9848077530122080, 0.1632))

NAMES = ("Doe^Jane", "ID-4711-XY", "19581231", "Secret description", "Dr^Who")
"""What no message may ever hold."""


def orthogonal(turn):
    """Return row and column directions at right angles and of length one."""
    row = np.array(turn[0]) / np.linalg.norm(turn[0])
    column = np.array(turn[1]) - row * (row @ np.array(turn[1]))
    return row, column / np.linalg.norm(column)


@dataclass
class Stack:
    """A stack to be written: pixels (rows, columns, planes), its place, and headers."""

    turn: tuple = AXIAL
    origin: tuple = (-10.0, -12.0, 5.0)
    spacing: tuple = (1.5, 0.75)
    step: tuple | float = 3.0
    shape: tuple = (6, 5, 4)
    places: tuple | None = None
    header: dict = field(default_factory=dict)
    each: dict = field(default_factory=dict)
    series_uid: str = "1.2.3.4.5"
    first: int = 1

    @property
    def count(self):
        return self.shape[2]

    @property
    def pixels(self):
        r, c, k = np.indices(self.shape)
        return (100 * k + 10 * r + c + 1).astype(np.int16)

    def position(self, k):
        row, column = orthogonal(self.turn)
        step = np.cross(row, column) * self.step if np.isscalar(self.step) else np.array(self.step)
        return np.array(self.origin) + (k if self.places is None else self.places[k]) * step

    @property
    def affine(self):
        """Return (column, row, plane) to RAS mm, for an even stack."""
        row, column = orthogonal(self.turn)
        lps = np.eye(4)
        lps[:3, 0], lps[:3, 1] = row * self.spacing[1], column * self.spacing[0]
        lps[:3, 2], lps[:3, 3] = self.position(1) - self.position(0), self.position(0)
        return np.diag([-1.0, -1.0, 1.0, 1.0]) @ lps


def common_header(stack):
    out = Dataset()
    out.SOPClassUID = MRImageStorage
    out.Modality = "MR"
    out.PatientName, out.PatientID, out.PatientBirthDate = NAMES[:3]
    out.SeriesDescription, out.ReferringPhysicianName = NAMES[3:]
    out.StudyInstanceUID, out.SeriesInstanceUID, out.FrameOfReferenceUID = "1.2.3.4", stack.series_uid, "1.2.3.9"
    out.StudyDate, out.SeriesTime, out.SeriesNumber = "20260102", "101112", 7
    out.ImageType = ["ORIGINAL", "PRIMARY", "M", "ND"]
    out.Rows, out.Columns = stack.shape[:2]
    out.SamplesPerPixel, out.PhotometricInterpretation = 1, "MONOCHROME2"
    out.BitsAllocated, out.BitsStored, out.HighBit, out.PixelRepresentation = 16, 16, 15, 1
    out.RepetitionTime, out.EchoTime, out.FlipAngle, out.EchoTrainLength = "2000", "90", "150", "12"
    out.ScanningSequence, out.SequenceVariant, out.MRAcquisitionType = "SE", ["SK", "SP"], "2D"
    out.SliceThickness = "3"
    return out


def finish(dataset, syntax=ExplicitVRLittleEndian):
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    dataset.preamble = b"\0" * 128
    return dataset


def plane_dataset(stack, k, pixels=None):
    out = common_header(stack)
    out.SOPInstanceUID = f"{stack.series_uid}.{k + stack.first}"
    out.InstanceNumber = k + stack.first
    out.AcquisitionTime = "101113"
    row, column = orthogonal(stack.turn)
    out.ImagePositionPatient = [f"{v:.9g}"[:16] for v in stack.position(k)]
    out.ImageOrientationPatient = [f"{v:.10f}"[:16] for v in (*row, *column)]
    out.PixelSpacing = list(stack.spacing)
    out.PixelData = np.ascontiguousarray(stack.pixels[:, :, k] if pixels is None else pixels).tobytes()
    out["PixelData"].VR = "OW"
    for keyword, value in stack.header.items():
        setattr(out, keyword, value)
    for keyword, values in stack.each.items():
        setattr(out, keyword, values[k])
    return finish(out)


def write(dataset, path):
    dataset.save_as(path, enforce_file_format=True)
    return path


def write_stack(folder, stack, name="im"):
    folder.mkdir(parents=True, exist_ok=True)
    return [write(plane_dataset(stack, k), folder / f"{name}{k:03d}.dcm") for k in range(stack.count)]


def enhanced_dataset(stack, frames=None, sop_uid="1.2.3.4.5.100"):
    """Return one enhanced MR object with the planes of a stack (PS3.3 C.8.13, C.7.6.16)."""
    out = common_header(stack)
    out.SOPClassUID, out.SOPInstanceUID = EnhancedMRImageStorage, sop_uid
    for keyword in ("RepetitionTime", "EchoTime", "FlipAngle", "EchoTrainLength", "SliceThickness"):
        delattr(out, keyword)
    for keyword in ("ScanningSequence", "SequenceVariant"):
        delattr(out, keyword)
    order = list(range(stack.count)) if frames is None else frames
    row, column = orthogonal(stack.turn)
    shared = Dataset()
    shared.PlaneOrientationSequence = [Dataset()]
    shared.PlaneOrientationSequence[0].ImageOrientationPatient = [f"{v:.10f}"[:16] for v in (*row, *column)]
    shared.PixelMeasuresSequence = [Dataset()]
    shared.PixelMeasuresSequence[0].PixelSpacing = list(stack.spacing)
    shared.PixelMeasuresSequence[0].SliceThickness = 3
    shared.MRTimingAndRelatedParametersSequence = [Dataset()]
    shared.MRTimingAndRelatedParametersSequence[0].RepetitionTime = 2000
    shared.MRTimingAndRelatedParametersSequence[0].FlipAngle = 150
    shared.MRTimingAndRelatedParametersSequence[0].EchoTrainLength = 12
    shared.MREchoSequence = [Dataset()]
    shared.MREchoSequence[0].EffectiveEchoTime = 90.0
    out.EchoPulseSequence, out.NumberOfFrames = "SPIN", len(order)
    out.SharedFunctionalGroupsSequence = [shared]
    out.PerFrameFunctionalGroupsSequence = [_frame(stack, k) for k in order]
    out.PixelData = np.stack([stack.pixels[:, :, k] for k in order]).tobytes()
    out["PixelData"].VR = "OW"
    for keyword, value in stack.header.items():
        setattr(out, keyword, value)
    return finish(out)


def _frame(stack, k):
    item = Dataset()
    item.PlanePositionSequence = [Dataset()]
    item.PlanePositionSequence[0].ImagePositionPatient = [f"{v:.9g}"[:16] for v in stack.position(k)]
    item.FrameContentSequence = [Dataset()]
    item.FrameContentSequence[0].StackID = "1"
    item.FrameContentSequence[0].InStackPositionNumber = k + 1
    return item


def jpeg_lossless(dataset, folder, process="JPEGLosslessProcess14_1"):
    """Return the bytes of a dataset's file in JPEG Lossless, which only GDCM encodes."""
    gdcm = pytest.importorskip("gdcm")
    plain, packed = folder / "plain", folder / "packed"
    write(dataset, plain)
    reader, change, writer = gdcm.ImageReader(), gdcm.ImageChangeTransferSyntax(), gdcm.ImageWriter()
    reader.SetFileName(str(plain))
    assert reader.Read()
    change.SetTransferSyntax(gdcm.TransferSyntax(getattr(gdcm.TransferSyntax, process)))
    change.SetInput(reader.GetImage())
    assert change.Change()
    writer.SetFile(reader.GetFile())
    writer.SetImage(change.GetOutput())
    writer.SetFileName(str(packed))
    assert writer.Write()
    content = packed.read_bytes()
    plain.unlink()
    packed.unlink()
    return content


class Made:
    """What tests need of this file (helpers are not importable under importlib mode)."""

    Stack = Stack
    AXIAL, SAGITTAL, CORONAL, OBLIQUE, NAMES = AXIAL, SAGITTAL, CORONAL, OBLIQUE, NAMES
    write, write_stack, finish = staticmethod(write), staticmethod(write_stack), staticmethod(finish)
    plane_dataset, enhanced_dataset = staticmethod(plane_dataset), staticmethod(enhanced_dataset)
    orthogonal, jpeg_lossless = staticmethod(orthogonal), staticmethod(jpeg_lossless)

    @staticmethod
    def uid():
        return generate_uid()

    @staticmethod
    def says_nobody(*texts: object) -> bool:
        told = " ".join(str(t) for t in texts) + " ".join(repr(t) for t in texts)
        return not any(name in told for name in (*NAMES, "/tmp", ".dcm", "1.2.3.4"))


@pytest.fixture(scope="session")
def made():
    return Made


@pytest.fixture
def axial(tmp_path: Path):
    """An even axial stack: its description and its files."""
    stack = Stack()
    return stack, write_stack(tmp_path / "axial", stack)
