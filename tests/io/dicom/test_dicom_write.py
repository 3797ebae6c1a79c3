"""Writing a series: the textbook's geometry for every grid, valid, compressed without loss, the same bytes again."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from copy import deepcopy
from pathlib import Path

import numpy as np
import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tumorboard.errors import InputError
from tumorboard.io.dicom.read import read_series
from tumorboard.io.dicom.scan import scan_dicom
from tumorboard.io.dicom.write import SYNTAXES, write_series
from tumorboard.volume import Grid, Volume

DCIODVFY = Path(sys.executable).parent / "dciodvfy"
TURNS = {
    "axial": [[-0.7, 0, 0], [0, -0.9, 0], [0, 0, 5]],
    "coronal": [[-0.7, 0, 0], [0, 0, 5], [0, -0.9, 0]],
    "sagittal, mirrored": [[0, 0, -3], [0.7, 0, 0], [0, -0.9, 0]],
    "oblique": [[-0.56, 0.54, 0.0], [-0.42, -0.72, 0.0], [0, 0, -3]],
}


def header_of(**more):
    out = pydicom.Dataset()
    out.StudyInstanceUID, out.SeriesInstanceUID = "2.25.11", "2.25.12"
    for keyword, value in more.items():
        setattr(out, keyword, value)
    return out


def volume_of(turn="axial", shape=(40, 36, 4), dtype=np.int16, seed=0):
    affine = np.eye(4)
    affine[:3, :3], affine[:3, 3] = TURNS[turn], (31.25, -17.5, 8.125)
    smooth = np.add.outer(np.add.outer(np.arange(shape[0]), 3 * np.arange(shape[1])), 50 * np.arange(shape[2]))
    noise = np.random.default_rng(seed).integers(0, 9, shape)
    return Volume.of((smooth + noise).astype(dtype), affine)


@settings(max_examples=60)
@given(st.from_type(Grid), st.sampled_from([np.int16, np.uint16]), st.integers(0, 2**32 - 1))
def test_every_voxel_lies_where_its_attributes_say(grid, dtype, seed):
    """Image Position, Orientation and Pixel Spacing by equation C.7.6.2.1-1, for every order and flip of axes."""
    limits = np.iinfo(dtype)
    data = np.random.default_rng(seed).integers(limits.min, limits.max, grid.shape, endpoint=True).astype(dtype)
    with tempfile.TemporaryDirectory() as folder:
        images = [pydicom.dcmread(p) for p in write_series(Volume(data, grid), Path(folder), header_of()).files]
    for k, image in enumerate(images):
        between_rows, between_columns = map(float, image.PixelSpacing)
        turn = np.array(image.ImageOrientationPatient, dtype=float)
        place = np.array(image.ImagePositionPatient, dtype=float)
        for i, j in ((0, 0), (grid.shape[0] - 1, grid.shape[1] - 1)):
            lps = place + turn[:3] * between_columns * i + turn[3:] * between_rows * j
            np.testing.assert_allclose(lps * (-1, -1, 1), grid.to_world([[i, j, k]])[0], atol=1e-6)
        np.testing.assert_array_equal(image.pixel_array, data[:, :, k].T)
        assert float(image.SliceLocation) == pytest.approx(float(place @ np.cross(turn[:3], turn[3:])), abs=1e-6)
        assert float(image.SpacingBetweenSlices) == pytest.approx(grid.spacing_mm[2], abs=1e-6)
        assert image.InstanceNumber == k + 1


@pytest.mark.parametrize("turn", sorted(TURNS))
@pytest.mark.parametrize("enhanced", [False, True], ids=["classic", "enhanced"])
@pytest.mark.parametrize("compress", sorted(SYNTAXES, key=str))
def test_what_is_written_is_read_again(tmp_path, turn, enhanced, compress):
    volume = volume_of(turn)
    written = write_series(volume, tmp_path, header_of(), enhanced=enhanced, compress=compress)
    assert len(written.files) == (1 if enhanced else 4)
    assert {str(pydicom.dcmread(p).file_meta.TransferSyntaxUID) for p in written.files} == {SYNTAXES[compress]}
    (series,) = scan_dicom(written.files).series
    found, wanted = read_series(series)[0].canonical(), volume.canonical()
    assert found.grid.matches(wanted.grid)
    np.testing.assert_array_equal(found.data, wanted.data)


def test_another_library_finds_the_same_volume(tmp_path):
    import SimpleITK as sitk

    volume = volume_of("oblique")
    files = write_series(volume, tmp_path, header_of()).files
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames([str(path) for path in reversed(files)])  # against its normal: ITK wants right-handed axes
    image = reader.Execute()
    backward = Volume.of(volume.data[:, :, ::-1], volume.affine @ np.array(
        [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, -1, volume.data.shape[2] - 1], [0, 0, 0, 1]]
    ))  # fmt: skip
    np.testing.assert_array_equal(sitk.GetArrayFromImage(image).T, backward.data)
    lps = [image.TransformContinuousIndexToPhysicalPoint(index) for index in ((0.0, 0.0, 0.0), (7.0, 5.0, 2.0))]
    np.testing.assert_allclose(np.array(lps) * (-1, -1, 1), backward.grid.to_world([[0, 0, 0], [7, 5, 2]]), atol=1e-3)


@pytest.mark.skipif(not DCIODVFY.exists(), reason="dicom3tools is not installed")
@pytest.mark.parametrize("enhanced", [False, True], ids=["classic", "enhanced"])
@pytest.mark.parametrize(
    "more",
    [
        {},
        {"ScanningSequence": ["SE", "IR"], "SequenceVariant": "SK", "RepetitionTime": 9000, "InversionTime": 2500},
        {"ContrastBolusAgent": "Gd", "BodyPartExamined": "HEAD", "PatientName": "Digital^Patient"},
        {"BodyPartExamined": ""},
    ],
    ids=["bare", "inversion", "contrast", "no body part"],
)
def test_a_header_of_any_richness_becomes_a_valid_object(tmp_path, enhanced, more):
    files = write_series(volume_of(), tmp_path, header_of(**more), enhanced=enhanced).files
    told = subprocess.run([DCIODVFY, "-new", files[0]], capture_output=True, text=True, check=False)
    assert [line for line in (told.stdout + told.stderr).splitlines() if line.startswith("Error")] == []


def test_equal_input_gives_equal_bytes_and_the_header_stays(tmp_path):
    header = header_of(InstanceNumber=9, Modality="OT", ImageType=["ORIGINAL", "PRIMARY"], SOPInstanceUID="2.25.5")
    before = deepcopy(header)
    one, two = (write_series(volume_of(), tmp_path / n, header).files for n in ("one", "two"))
    assert [p.read_bytes() for p in one] == [p.read_bytes() for p in two]
    assert header == before


def test_a_series_in_two_parts_goes_on_counting(tmp_path):
    one = write_series(volume_of(), tmp_path, header_of())
    two = write_series(volume_of("coronal"), tmp_path, header_of(), first=5)
    assert [path.name for path in (*one.files, *two.files)] == [f"IM{n:04d}" for n in range(1, 9)]
    assert len({*one.sop_uids, *two.sop_uids}) == 8


@pytest.mark.parametrize(
    ("header", "wanted", "thickness"), [({}, None, 5.0), ({"SliceThickness": 4}, None, 4.0), ({}, 3.5, 3.5)]
)
def test_thickness_is_what_is_told_else_the_step(tmp_path, header, wanted, thickness):
    files = write_series(volume_of(), tmp_path, header_of(**header), thickness_mm=wanted).files
    image = pydicom.dcmread(files[0])
    assert (float(image.SliceThickness), float(image.SpacingBetweenSlices)) == (thickness, 5.0)


@pytest.mark.parametrize("dtype", [np.uint8, np.int32, np.float32])
def test_other_types_of_values_are_refused(tmp_path, dtype):
    with pytest.raises(InputError, match="16-bit"):
        write_series(volume_of(dtype=dtype), tmp_path / "new", header_of())
    assert not (tmp_path / "new").exists()


def test_a_header_without_a_series_is_refused(tmp_path):
    header = header_of(PatientName="Doe^Jane")
    del header.SeriesInstanceUID
    with pytest.raises(InputError) as refused:
        write_series(volume_of(), tmp_path / "new", header)
    assert "Doe" not in str(refused.value)
