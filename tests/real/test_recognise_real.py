"""Headers of real scanners, where they are present: a GE and a Siemens T1, an SR and a SEG."""

from __future__ import annotations

import io
import zipfile

import pytest

from tumorboard.intake.evidence import recognise_series
from tumorboard.io.dicom.tags import tags_of

pydicom = pytest.importorskip("pydicom")


@pytest.fixture(scope="session")
def dicom(real):
    folder = real / "dicom"
    if not folder.is_dir():
        pytest.skip("real DICOM files are not there (../shared/data/dicom)")
    return folder


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("ge-mr750-anatomical/001/IM-0001-0113-0001.dcm", "T1"),
        ("odd/MR-SIEMENS-DICOM-WithOverlays.dcm", "derived"),
        ("seg-sr-example/sr-example/sr.dcm", "not an image"),
        ("seg-sr-example/sr-example/seg.dcm", "not an image"),
    ],
)
def test_real_header_is_recognised(dicom, path, kind):
    header = pydicom.dcmread(dicom / path, stop_before_pixels=True)
    assert recognise_series(tags_of(header)).kind == kind


def test_siemens_mprage_is_a_t1(dicom):
    with zipfile.ZipFile(dicom / "siemens-skyra-mprage.zip") as archive:
        name = next(n for n in archive.namelist() if n.endswith(".dcm"))
        header = pydicom.dcmread(io.BytesIO(archive.read(name)), stop_before_pixels=True)
    found = recognise_series(tags_of(header))
    assert found.kind == "T1"
    assert "TI 900 ms at TR 2000 ms" in found.reason
