"""Results beside real series: valid, in place, and the segmentation voxel by voxel as it was."""

import datetime as dt
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tumorboard.errors import LabelError
from tumorboard.io.capture import capture
from tumorboard.io.dicom.maker import Maker
from tumorboard.io.dicom.read import read_series
from tumorboard.io.dicom.scan import scan_dicom
from tumorboard.io.dicom.templates import save
from tumorboard.io.pdf import encapsulated_pdf
from tumorboard.io.seg import read_segmentation, segmentation
from tumorboard.labels import LabelMap

MAKER = Maker("tumorboard", "0.1", "tumorboard fuzzy", "1.0", False, "ab12", dt.datetime(2026, 1, 2, 3, 4, 5))


@pytest.fixture(params=["001", "001_implicit"])
def series(real, request):
    files = sorted((real / "dicom" / "ge-mr750-anatomical" / request.param).glob("*.dcm"))
    return scan_dicom(files).series[0]


@pytest.fixture
def labels(series):
    grid = read_series(series)[0].grid
    return LabelMap(np.random.default_rng(0).choice([0, 0, 1, 2, 3, 4], grid.shape).astype(np.uint8), grid)


def test_labels_on_a_real_series_come_back(series, labels, tmp_path):
    save(segmentation(labels.canonical(), series, MAKER), tmp_path / "seg.dcm")
    read = read_segmentation(tmp_path / "seg.dcm").labels
    assert not labels.grid.explain_mismatch(read.grid)
    np.testing.assert_array_equal(read.data, labels.data)


def test_results_beside_a_real_series_are_valid(series, labels, tmp_path):
    program = Path(sys.executable).parent / "dciodvfy"
    if not program.exists():
        pytest.skip("dciodvfy is not installed")
    made = [
        segmentation(labels, series, MAKER),
        encapsulated_pdf(b"%PDF-1.7", series, "Report", MAKER),
        capture(np.zeros((300, 400, 3), np.uint8), series, "Picture", 1, MAKER),
    ]
    for result in made:
        save(result, tmp_path / "result.dcm")
        told = subprocess.run([program, "-new", tmp_path / "result.dcm"], capture_output=True, text=True, check=False)
        assert not [line for line in (told.stdout + told.stderr).splitlines() if line.startswith("Error")]


def test_a_segmentation_of_another_field_is_refused_by_its_code(real):
    with pytest.raises(LabelError, match=r"M-80003 \(SRT\)"):
        read_segmentation(real / "dicom" / "seg-sr-example" / "sr-example" / "seg.dcm")
