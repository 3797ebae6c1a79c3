"""A department of its own for each test, and DICOM objects made in code."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tumorboard.serve.data.session import open_database
from tumorboard.serve.settings import DepartmentSettings
from tumorboard.serve.shelf.files import shelf_of


@pytest.fixture(scope="session")
def empty_home(tmp_path_factory) -> Path:
    """A home with an empty database; making the tables takes longer than copying them."""
    home = tmp_path_factory.mktemp("department") / "home"
    open_database(DepartmentSettings(home=home)).close()
    return home


@pytest.fixture
def settings(tmp_path, empty_home, monkeypatch) -> DepartmentSettings:
    """A department in a folder of its own, on free ports, with little patience, on a disk that nobody waits for."""
    shutil.copytree(empty_home, tmp_path / "home")
    monkeypatch.setattr("tumorboard.serve.shelf.admit.force", lambda *_: None)
    node = {"port": 0, "quiet_seconds": 0.2, "idle_seconds": 20.0}
    return DepartmentSettings(home=tmp_path / "home", node=node, web={"port": 0}, keep={"reserve_gib": 0})


@pytest.fixture
def db(settings):
    database = open_database(settings)
    yield database
    database.close()


@pytest.fixture
def shelf(settings):
    return shelf_of(settings)


def _make_object(number: int = 1, *, study: str = "1", series: str = "1", patient: str = "P1", pixels: int = 0, **said):
    """Return a small MR image as a data set, ready to be sent; its UIDs follow from the numbers."""
    from pydicom.dataset import FileDataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian

    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    ds.SOPClassUID = meta.MediaStorageSOPClassUID = "1.2.840.10008.5.1.4.1.1.4"
    ds.SOPInstanceUID = meta.MediaStorageSOPInstanceUID = f"2.25.{study}.{series}.{number}"
    ds.StudyInstanceUID, ds.SeriesInstanceUID = f"2.25.{study}", f"2.25.{study}.{series}"
    ds.PatientID, ds.PatientName, ds.PatientBirthDate, ds.PatientSex = patient, f"Secret^{patient}", "19500102", "F"
    ds.StudyDate, ds.StudyTime, ds.StudyID, ds.AccessionNumber = "20200103", "101500", "7", "A77"
    ds.Modality, ds.SeriesNumber, ds.InstanceNumber, ds.SeriesDescription = "MR", int(series), number, "T1"
    ds.Rows = ds.Columns = 4
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 16, 15, 0
    ds.PixelData = bytes([pixels % 256, 0]) * 16
    for keyword, content in said.items():
        setattr(ds, keyword, content)
    return ds


@pytest.fixture(scope="session")
def make_object():
    """Make a small MR image as a data set; its UIDs follow from the numbers, anything may be given another value."""
    return _make_object


@pytest.fixture
def put(db, shelf):
    """Take an object in as if it had been sent."""
    from tumorboard.serve.shelf.admit import admit

    def go(ds, **how):
        file: Path = shelf.incoming / "x.dcm"
        ds.save_as(file, enforce_file_format=True)
        return admit(db, shelf, file, sender="SCANNER", **how)

    return go
