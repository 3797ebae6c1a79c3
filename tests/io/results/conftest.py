"""Source series for the writers of results: oblique, flipped, tilted, uneven, classic and enhanced."""

import datetime as dt
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from pydicom import Dataset
from pydicom.dataset import FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian
from scipy.spatial.transform import Rotation

from tumorboard.io.dicom.maker import Maker
from tumorboard.labels import LabelMap
from tumorboard.series import Person, Plane, Series, SeriesTags
from tumorboard.volume import Grid

MR, ENHANCED = "1.2.840.10008.5.1.4.1.1.4", "1.2.840.10008.5.1.4.1.1.4.1"
SHAPE = (14, 12, 7)
"""Columns, rows, planes."""

DIRECTIONS = {
    "axial": np.eye(3),
    "sagittal": np.array([[0, 0, -1], [1, 0, 0], [0, -1, 0]]).T,
    "coronal": np.array([[1, 0, 0], [0, 0, -1], [0, 1, 0]]).T,
    "oblique": Rotation.from_euler("xyz", [11, -7, 23], degrees=True).as_matrix().T,
}
"""Rows: direction of a row, of a column, and the normal (LPS)."""


def _classic(plane, number, header):
    out = Dataset()
    out.update(header)
    out.SOPClassUID, out.SOPInstanceUID, out.InstanceNumber = MR, plane.sop_uid, number
    out.ImageType = ["ORIGINAL", "PRIMARY", "M"]
    out.ImagePositionPatient = [round(v, 6) for v in plane.position_mm]
    out.ImageOrientationPatient = [round(v, 8) for v in plane.orientation]
    out.PixelSpacing, out.SliceThickness = list(plane.spacing_mm), 3.0
    out.Rows, out.Columns = plane.rows, plane.columns
    out.SamplesPerPixel, out.PhotometricInterpretation = 1, "MONOCHROME2"
    out.BitsAllocated = out.BitsStored = 16
    out.HighBit, out.PixelRepresentation = 15, 0
    out.PixelData = np.full((plane.rows, plane.columns), number, np.uint16).tobytes()
    return out


def _enhanced(planes, header):
    out = _classic(planes[0], 1, header)
    for name in ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "SliceThickness"):
        delattr(out, name)
    out.SOPClassUID, out.NumberOfFrames = ENHANCED, len(planes)
    out.PixelData = np.zeros((len(planes), planes[0].rows, planes[0].columns), np.uint16).tobytes()
    return out


def _header(patient_name, charset):
    out = Dataset()
    out.SpecificCharacterSet = charset
    out.PatientName, out.PatientID, out.PatientBirthDate, out.PatientSex = patient_name, "SECRET-7", "19600203", "F"
    out.StudyInstanceUID, out.SeriesInstanceUID = "1.2.3.4", "1.2.3.4.5"
    out.FrameOfReferenceUID, out.PositionReferenceIndicator = "1.2.3.4.6", ""
    out.StudyDate, out.StudyTime, out.StudyID, out.AccessionNumber = "20200102", "101500", "7", "A7"
    out.StudyDescription, out.ReferringPhysicianName = "MR HEAD", ""
    out.PatientAge, out.PatientWeight = "059Y", "70"
    out.Modality, out.SeriesNumber, out.Manufacturer = "MR", 4, "Someone"
    return out


def _write(dataset, path):
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.save_as(path, enforce_file_format=True)


@pytest.fixture
def make_series(tmp_path):
    """Return a factory of written source series."""

    def make(direction="axial", *, steps=None, tilt_mm=0.0, enhanced=False, name="Doe^Jane", **header):
        columns, rows, count = SHAPE
        row, column, normal = DIRECTIONS[direction]
        steps = np.arange(count) * 3.5 if steps is None else np.asarray(steps, float)
        origin = np.array([-61.25, 40.5, -12.75])
        folder = tmp_path / f"source-{len(list(tmp_path.iterdir()))}"
        folder.mkdir()
        planes = []
        for n, step in enumerate(steps):
            at = origin + normal * step + column * tilt_mm * n
            place = tuple(float(round(v, 6)) for v in at)
            turned = tuple(float(round(v, 8)) for v in (*row, *column))
            file, uid = (
                (folder / "all.dcm", "1.2.3.4.5.1") if enhanced else (folder / f"{n}.dcm", f"1.2.3.4.5.{90 - n}")
            )
            sop_class = ENHANCED if enhanced else MR
            frame = n + 1 if enhanced else 1
            planes.append(Plane(file, uid, sop_class, place, turned, (0.8, 1.1), rows, columns, frame))
        base = _header(name, header.pop("SpecificCharacterSet", "ISO_IR 100"))
        for keyword, value in header.items():
            if value is None:
                delattr(base, keyword)
            else:
                setattr(base, keyword, value)
        if enhanced:
            _write(_enhanced(planes, base), planes[0].path)
        else:
            for n, plane in enumerate(planes):
                _write(_classic(plane, n + 1, base), plane.path)
        return Series("1.2.3.4", "1.2.3.4.5", 4, tuple(planes), SeriesTags(modality="MR"), Person("SECRET-7"))

    return make


@pytest.fixture
def grid_of():
    """Return what gives an even series its grid: (column, row, plane) to RAS mm."""

    def grid(series):
        first, last, n = series.planes[0], series.planes[-1], len(series.planes)
        row, column = np.array(first.orientation[:3]), np.array(first.orientation[3:])
        affine = np.eye(4)
        affine[:3, 0], affine[:3, 1] = row * first.spacing_mm[1], column * first.spacing_mm[0]
        affine[:3, 2] = np.subtract(last.position_mm, first.position_mm) / (n - 1)
        affine[:3, 3] = first.position_mm
        return Grid((first.columns, first.rows, n), np.diag([-1.0, -1.0, 1.0, 1.0]) @ affine)

    return grid


@pytest.fixture
def labels_of(grid_of):
    """Return random labels on a series' own grid; no two planes are alike."""

    def labels(series, seed=1, values=(0, 0, 0, 1, 2, 3, 4)):
        grid = grid_of(series)
        return LabelMap(np.random.default_rng(seed).choice(values, grid.shape).astype(np.uint8), grid)

    return labels


@pytest.fixture
def maker():
    return Maker("tumorboard", "0.1", "tumorboard fuzzy", "1.0", False, "ab12", dt.datetime(2026, 1, 2, 3, 4, 5))


@pytest.fixture
def tool():
    """Return what runs a program of the test environment; the test is skipped where it is missing."""

    def run(name, *words):
        program = Path(sys.executable).parent / name
        if not program.exists():
            pytest.skip(f"{name} is not installed")
        return subprocess.run([program, *map(str, words)], capture_output=True, text=True, check=False)

    return run


@pytest.fixture
def complaints(tool, tmp_path):
    """Return what tells the errors and warnings of dciodvfy about a dataset."""
    from tumorboard.io.dicom.templates import save

    def tell(dataset):
        path = tmp_path / "told.dcm"
        save(dataset, path)
        told = tool("dciodvfy", "-new", path)
        lines = (told.stdout + told.stderr).splitlines()
        return [s for s in lines if s.startswith("Error")], [s for s in lines if s.startswith("Warning")]

    return tell
