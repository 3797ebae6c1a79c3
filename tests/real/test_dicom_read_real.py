"""Files as scanners wrote them: the volume another converter made of them, within bounds of time."""

import time
import zipfile

import numpy as np
import pytest

from tumorboard.io.dicom.read import read_series
from tumorboard.io.dicom.scan import scan_dicom
from tumorboard.io.images import read_volume


@pytest.fixture(scope="module")
def dicom(real):
    if not (real / "dicom").is_dir():
        pytest.skip("real DICOM files are not there (../shared/data/dicom)")
    return real / "dicom"


@pytest.fixture(scope="module")
def mprage(dicom, tmp_path_factory):
    folder = tmp_path_factory.mktemp("mprage")
    with zipfile.ZipFile(dicom / "siemens-skyra-mprage.zip") as archive:
        archive.extractall(folder)
    return sorted(path for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("name", ["001", "001_implicit"])
def test_a_ge_series_is_the_nifti_another_converter_made(dicom, name):
    found = scan_dicom((dicom / "ge-mr750-anatomical" / name).iterdir())
    (series,) = found.series
    assert not series.refusal
    volume = read_series(series)[0].canonical()
    expected = read_volume(dicom / "ge-mr750-anatomical" / f"{name}_ground_truth.nii.gz").canonical()
    assert not volume.grid.explain_mismatch(expected.grid)
    np.testing.assert_array_equal(volume.data, expected.data)


def test_a_siemens_series_is_scanned_and_read_in_time_and_as_simpleitk_does(mprage):
    import SimpleITK as sitk

    start = time.process_time()
    found = scan_dicom(mprage)
    assert time.process_time() - start < 2.0
    (series,) = found.series
    assert (len(series.planes), series.refusal, series.notes) == (192, "", ())
    start = time.process_time()
    volume, _ = read_series(series)
    assert time.process_time() - start < 3.0
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames([str(path) for path in series.files])
    image = reader.Execute()
    np.testing.assert_array_equal(sitk.GetArrayViewFromImage(image).transpose(2, 1, 0), volume.data)
    corner = tuple(n - 1 for n in volume.data.shape)
    expected = np.multiply(image.TransformIndexToPhysicalPoint(corner), (-1, -1, 1))
    np.testing.assert_allclose(volume.grid.to_world([corner])[0], expected, atol=0.01)


def test_odd_files_are_told_apart_and_refused_in_words(dicom):
    found = scan_dicom((dicom / "odd").iterdir())
    assert not found.unreadable
    refused = {series.number: series.refusal for series in found.series}
    assert refused == {
        18: "1 slice, fewer than 3",  # an overlay in the unused bits
        301: "images that do not say where they lie in the patient",  # enhanced, its functional groups removed
        1: "1 slice, fewer than 3",  # JPEG 2000
    }


@pytest.mark.parametrize("number", [18, 1], ids=["overlay", "JPEG 2000"])
def test_odd_pixels_are_those_of_simpleitk(dicom, number):
    """Three copies of the plane, one above the other, make a stack that may be read."""
    from dataclasses import replace

    import SimpleITK as sitk

    from tumorboard.io.dicom.geometry import axes_of

    series = next(s for s in scan_dicom((dicom / "odd").iterdir()).series if s.number == number)
    (plane,) = series.planes
    step = axes_of(plane)[2]
    planes = tuple(replace(plane, position_mm=tuple(np.array(plane.position_mm) + k * step)) for k in range(3))
    volume, _ = read_series(replace(series, planes=planes, refusal=""))
    expected = sitk.GetArrayFromImage(sitk.ReadImage(str(plane.path)))[0]
    np.testing.assert_allclose(volume.data[:, :, 1], expected.T, rtol=1e-5, atol=1e-3)


def test_results_beside_images_are_counted_in_words(dicom):
    found = scan_dicom(path for path in (dicom / "seg-sr-example").rglob("*") if path.is_file())
    assert not found.series
    assert found.others == {"segmentation": 1, "structured report": 1, "real world value mapping": 1}
    assert [path.name for path in found.segmentations] == ["seg.dcm"]
