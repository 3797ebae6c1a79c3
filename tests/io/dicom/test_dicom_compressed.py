"""Every transfer syntax gives the values of the uncompressed series; what no decoder reads is named in words."""

import struct

import numpy as np
import pytest
from pydicom.uid import (
    JPEG2000,
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
    JPEGLSNearLossless,
    RLELossless,
)

from tumorboard.errors import FileFormatError
from tumorboard.io.dicom.read import read_series
from tumorboard.io.dicom.scan import scan_dicom

JPEG_LOSSLESS = {"JPEG lossless": "JPEGLosslessProcess14_1", "JPEG lossless, process 14": "JPEGLosslessProcess14"}
SHAPE = (40, 36, 4)


def read_all(files):
    found = scan_dicom(files)
    assert not found.unreadable
    assert [series.refusal for series in found.series] == [""]
    return read_series(found.series[0])[0]


def smooth(shape, signed):
    """Values that use many bits and compress."""
    r, c, k = np.indices(shape)
    return (900 * np.sin(r / 5) * np.cos(c / 7) + 100 * k + (0 if signed else 1000)).astype(np.int16)


def datasets(made, signed, **header):
    stack = made.Stack(shape=SHAPE, header={"PixelRepresentation": int(signed)} | header)
    values = smooth(SHAPE, signed)
    return values, [made.plane_dataset(stack, k, values[:, :, k]) for k in range(SHAPE[2])]


@pytest.mark.parametrize("signed", [False, True], ids=["unsigned", "signed"])
@pytest.mark.parametrize(
    "syntax", [RLELossless, JPEGLSLossless, JPEG2000Lossless], ids=["RLE", "JPEG-LS", "JPEG 2000 lossless"]
)
def test_lossless_compression_changes_no_value(made, tmp_path, syntax, signed):
    values, originals = datasets(made, signed)
    for k, dataset in enumerate(originals):
        dataset.compress(syntax, generate_instance_uid=False)
        made.write(dataset, tmp_path / f"{k}.dcm")
    volume = read_all(tmp_path.iterdir())
    np.testing.assert_array_equal(volume.data, values.transpose(1, 0, 2))


@pytest.mark.parametrize("name", JPEG_LOSSLESS.values(), ids=JPEG_LOSSLESS.keys())
def test_jpeg_lossless_changes_no_value(made, tmp_path, name):
    values, originals = datasets(made, signed=False, BitsStored=12, HighBit=11)
    for k, dataset in enumerate(originals):
        content = made.jpeg_lossless(dataset, tmp_path, name)
        (tmp_path / f"{k}.dcm").write_bytes(content)
    volume = read_all(tmp_path.iterdir())
    np.testing.assert_array_equal(volume.data, values.transpose(1, 0, 2))


@pytest.mark.parametrize(
    ("syntax", "options"),
    [(JPEGLSNearLossless, {"jls_error": 2}), (JPEG2000, {"j2k_psnr": [100]})],
    ids=["JPEG-LS near-lossless", "JPEG 2000"],
)
def test_lossy_compression_stays_near(made, tmp_path, syntax, options):
    values, originals = datasets(made, signed=False)
    for k, dataset in enumerate(originals):
        dataset.compress(syntax, generate_instance_uid=False, **options)
        made.write(dataset, tmp_path / f"{k}.dcm")
    volume = read_all(tmp_path.iterdir())
    assert np.abs(volume.data - values.transpose(1, 0, 2)).max() <= 8


@pytest.mark.parametrize(
    "syntax",
    [ImplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian],
    ids=["implicit", "big endian", "deflated"],
)
def test_uncompressed_syntaxes_give_the_same_values(made, tmp_path, syntax):
    values, originals = datasets(made, signed=True)
    for k, dataset in enumerate(originals):
        dataset.file_meta.TransferSyntaxUID = syntax
        if syntax == ExplicitVRBigEndian:
            dataset.PixelData = np.frombuffer(dataset.PixelData, "<i2").astype(">i2").tobytes()
        dataset.save_as(tmp_path / f"{k}.dcm", enforce_file_format=True)
    volume = read_all(tmp_path.iterdir())
    np.testing.assert_array_equal(volume.data, values.transpose(1, 0, 2))


@pytest.mark.parametrize("implicit", [True, False], ids=["implicit", "explicit"])
def test_files_without_a_preamble_are_read(made, tmp_path, implicit):
    values, originals = datasets(made, signed=True)
    for k, dataset in enumerate(originals):
        del dataset.file_meta, dataset.preamble
        dataset.save_as(tmp_path / f"IM{k}", implicit_vr=implicit, little_endian=True)
    volume = read_all(tmp_path.iterdir())
    np.testing.assert_array_equal(volume.data, values.transpose(1, 0, 2))


def test_frames_of_a_compressed_enhanced_object_are_their_own(made, tmp_path):
    stack = made.Stack(shape=(32, 32, 5))
    dataset = made.enhanced_dataset(stack, frames=[3, 1, 4, 0, 2])
    dataset.compress(JPEGLSLossless, generate_instance_uid=False)
    volume = read_all([made.write(dataset, tmp_path / "all.dcm")])
    np.testing.assert_array_equal(volume.data, stack.pixels.transpose(1, 0, 2))


@pytest.mark.parametrize(
    ("uid", "words"),
    [
        ("1.2.840.10008.1.2.4.102", "MPEG-4 AVC/H.264 High Profile / Level 4.1"),
        ("1.2.840.10008.1.2.4.92", "JPEG 2000 Part 2"),
        ("1.2.3.4711", "an unknown transfer syntax"),
    ],
)
def test_a_syntax_that_no_decoder_reads_is_named_with_a_remedy(made, tmp_path, uid, words):
    _, originals = datasets(made, signed=False)
    for k, dataset in enumerate(originals):
        data = bytearray(made.write(dataset, tmp_path / f"{k}.dcm").read_bytes())
        old = b"1.2.840.10008.1.2.1\0"
        new = uid.encode() + b"\0" * (len(uid) % 2)
        at = data.index(old)
        data[at - 2 : at] = struct.pack("<H", len(new))
        data[at : at + len(old)] = new
        (tmp_path / f"{k}.dcm").write_bytes(bytes(data))
    found = scan_dicom(tmp_path.iterdir())
    assert UID(uid) not in repr(found)
    with pytest.raises(FileFormatError, match=words) as told:
        read_series(found.series[0], "FLAIR")
    assert "export the series uncompressed" in str(told.value)
    assert str(told.value).startswith("FLAIR")
    assert "4711" not in str(told.value)


def test_damaged_compressed_pixels_are_named_as_such(made, tmp_path):
    _, originals = datasets(made, signed=False)
    for k, dataset in enumerate(originals):
        dataset.compress(JPEGLSLossless, generate_instance_uid=False)
        data = bytearray(made.write(dataset, tmp_path / f"{k}.dcm").read_bytes())
        at = data.index(b"\xff\xf7")
        data[at + 60 : at + 200] = bytes(140)
        (tmp_path / f"{k}.dcm").write_bytes(bytes(data))
    series = scan_dicom(tmp_path.iterdir()).series[0]
    with pytest.raises(FileFormatError, match="damaged or missing ones \\(JPEG-LS Lossless") as told:
        read_series(series)
    assert made.says_nobody(told.value)
