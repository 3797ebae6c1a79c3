"""Pictures as secondary captures, with the statement in their pixels."""

from dataclasses import replace

import numpy as np
import pytest
from pydicom import dcmread

from tumorboard.errors import IntensityError
from tumorboard.io.capture import SIMULATED, STATEMENT, _font, capture, marked
from tumorboard.io.dicom.templates import save, source_headers, to_bytes


@pytest.fixture
def picture():
    return np.random.default_rng(1).integers(0, 256, (301, 403, 3)).astype(np.uint8)


def test_a_capture_is_valid(make_series, maker, complaints, picture):
    errors, warnings = complaints(capture(picture, make_series(), "Tumour – T1C", 1, maker))
    assert not errors
    assert not warnings


def test_the_picture_comes_back_between_two_strips(make_series, maker, tmp_path, picture):
    save(capture(picture, make_series(), "Tumour", 2, maker), tmp_path / "c.dcm")
    read = dcmread(tmp_path / "c.dcm")
    strip = (read.Rows - 301) // 2
    assert strip >= 18
    np.testing.assert_array_equal(read.pixel_array[strip : strip + 301], picture)
    assert read.InstanceNumber == 2
    assert (read.ConversionType, read.BurnedInAnnotation) == ("WSD", "YES")


def _ink(strip):
    """Columns of a strip that hold light pixels, as a share of its width."""
    return (strip.max(axis=(0, 2)) > 128).mean()


@pytest.mark.parametrize("columns", range(340, 900, 80))
def test_a_long_title_ends_before_the_edge(columns):
    upper = marked(np.zeros((100, columns, 3), np.uint8), "Lesion 1: longest diameter on the T1C, slice 40")[:18]
    assert not upper[:, -4:].any()


@pytest.mark.parametrize("shape", [(40, 30, 3), (120, 90, 3), (512, 512, 3), (900, 1600, 3)])
def test_the_statement_is_burned_in_above_and_below_in_whole(shape):
    shown = marked(np.zeros(shape, np.uint8), "", digital=True)
    strip = (shown.shape[0] - shape[0]) // 2
    for part in (shown[:strip], shown[-strip:]):
        columns = np.flatnonzero(part.max(axis=(0, 2)) > 128)
        rows = np.flatnonzero(part.max(axis=(1, 2)) > 128)
        assert columns.max() < shown.shape[1] - 2, "the words end before the edge"
        assert np.ptp(rows) >= 8, "the letters are high enough to be read"
        assert np.ptp(columns) > 10 * np.ptp(rows), "all the words are there"
    assert not shown[strip:-strip].any()


def test_the_type_has_every_letter_of_the_statement():
    font = _font(20)
    absent = bytes(font.getmask("\U0010fffe"))
    assert not [letter for letter in {*STATEMENT, *SIMULATED} if bytes(font.getmask(letter)) == absent]


def test_the_title_and_a_simulated_patient_change_the_strips():
    picture = np.zeros((300, 900, 3), np.uint8)
    bare, titled, simulated = marked(picture, ""), marked(picture, "Lesion 1"), marked(picture, "", digital=True)
    assert _ink(titled[:18]) > _ink(bare[:18])
    assert _ink(simulated[-18:]) > _ink(bare[-18:])


def test_it_belongs_to_the_patient_and_the_study(make_series, maker, picture):
    series = make_series()
    out, source = capture(picture, series, "T", 1, maker), source_headers(series)[0]
    for keyword in ("PatientName", "PatientID", "StudyInstanceUID", "StudyDate", "StudyDescription"):
        assert out[keyword].value == source[keyword].value


def test_captures_of_one_study_are_one_series_of_several_images(make_series, maker, picture):
    series = make_series()
    one, two = capture(picture, series, "T", 1, maker), capture(picture[::-1].copy(), series, "T", 2, maker)
    assert one.SeriesInstanceUID == two.SeriesInstanceUID != series.series_uid
    assert one.SOPInstanceUID != two.SOPInstanceUID


def test_the_same_picture_gives_the_same_bytes(make_series, maker, picture):
    series = make_series()
    assert len({to_bytes(capture(picture, series, "T", 1, maker)) for _ in range(2)}) == 1


def test_a_simulated_patient_is_said_in_the_description(make_series, maker, picture):
    assert "simulated" in capture(picture, make_series(), "T", 1, replace(maker, digital=True)).SeriesDescription


@pytest.mark.parametrize("wrong", [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 3)), np.zeros((0, 4, 3), np.uint8)])
def test_what_is_no_picture_is_refused(make_series, maker, wrong):
    with pytest.raises(IntensityError):
        capture(wrong, make_series(), "T", 1, maker)
