"""From a heap of files to series: parted, mended or refused, in words that name nobody."""

import shutil

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom import Dataset

from tumorboard.errors import FileFormatError
from tumorboard.io.dicom.read import read_series
from tumorboard.io.dicom.scan import is_dicom, scan_dicom
from tumorboard.io.dicom.stacks import people
from tumorboard.series import Person

SEGMENTATION_CLASS = "1.2.840.10008.5.1.4.1.1.66.4"


def told(made, found):
    """Return all that is said about the series; none of it may name anybody."""
    words = [text for s in found.series for text in (s.refusal, s.remedy, *s.notes)]
    assert made.says_nobody(*words, str(found.others), str(found.unreadable))
    return words


def two_stacks(made, folder, **differences):
    """Write one series whose files are there twice, with other headers the second time."""
    first = made.write_stack(folder, made.Stack(), "a")
    second = made.write_stack(folder, made.Stack(header=differences, first=101), "b")
    return [*first, *second]


@pytest.mark.parametrize(
    "difference",
    [
        pytest.param({"EchoTime": "20", "EchoNumbers": "2"}, id="echo"),
        pytest.param({"DiffusionBValue": 1000.0}, id="b-value"),
        pytest.param({"ImageType": ["ORIGINAL", "PRIMARY", "P", "ND"]}, id="phase"),
        pytest.param({"ImageType": ["DERIVED", "PRIMARY", "ADC", "ND"]}, id="ADC"),
        pytest.param({"TemporalPositionIdentifier": "2"}, id="time point"),
        pytest.param({"ContrastBolusAgent": "Gd"}, id="contrast"),
        pytest.param({"PixelSpacing": [2.0, 2.0]}, id="pixel spacing"),
        pytest.param({"ImageOrientationPatient": [0, 1, 0, 0, 0, -1]}, id="orientation"),
    ],
)
def test_what_differs_in_kind_is_parted(made, tmp_path, difference):
    found = scan_dicom(two_stacks(made, tmp_path, **difference))
    assert [s.part for s in found.series] == [1, 2]
    if "ImageOrientationPatient" not in difference:  # turned planes at these positions are no stack
        assert [len(s.planes) for s in found.series] == [4, 4]
        assert [s.refusal for s in found.series] == ["", ""]
        assert not [note for s in found.series for note in s.notes]
    told(made, found)


def test_rows_and_columns_part_a_series(made, tmp_path):
    made.write_stack(tmp_path, made.Stack(), "a")
    made.write_stack(tmp_path, made.Stack(shape=(8, 8, 5), first=101), "b")
    assert [len(s.planes) for s in scan_dicom(tmp_path.iterdir()).series] == [4, 5]


def test_echoes_and_time_points_are_counted_over_the_whole_series(made, tmp_path):
    files = two_stacks(made, tmp_path, EchoTime="20", TemporalPositionIdentifier="2")
    for series in scan_dicom(files).series:
        assert (series.tags.echoes, series.tags.temporal_positions) == (2, 2)
    assert [s.tags.te_ms for s in scan_dicom(files).series] == [90.0, 20.0]


def test_each_part_tells_its_own_b_value(made, tmp_path):
    files = [
        *made.write_stack(tmp_path, made.Stack(header={"DiffusionBValue": 0.0}), "a"),
        *made.write_stack(tmp_path, made.Stack(header={"DiffusionBValue": 800.0}, first=50), "b"),
    ]
    assert [s.tags.b_values for s in scan_dicom(files).series] == [(0.0,), (800.0,)]


@pytest.mark.parametrize(
    ("creator", "group", "offset", "vr", "value"),
    [
        ("SIEMENS MR HEADER", 0x0019, 0x0C, "IS", "1000"),
        ("GEMS_PARM_01", 0x0043, 0x39, "IS", ["1000001000", "8", "0", "0"]),
        ("Philips Imaging DD 001", 0x2001, 0x03, "FL", 1000.0),
    ],
    ids=["Siemens", "GE", "Philips"],
)
def test_private_b_values_are_read(made, tmp_path, creator, group, offset, vr, value):
    stack = made.Stack()
    for k in range(4):
        dataset = made.plane_dataset(stack, k)
        dataset.private_block(group, creator, create=True).add_new(offset, vr, value)
        made.write(dataset, tmp_path / f"{k}.dcm")
    assert scan_dicom(tmp_path.iterdir()).series[0].tags.b_values == (1000.0,)


def test_directions_at_one_place_are_counted_and_the_last_is_kept(made, tmp_path):
    files = []
    for n, direction in enumerate([[1.0, 0, 0], [0, 1.0, 0], [0, 0, 1.0]]):
        header = {"DiffusionBValue": 1000.0, "DiffusionGradientOrientation": direction}
        files += made.write_stack(tmp_path, made.Stack(header=header, first=1 + 10 * n), f"d{n}")
    (series,) = scan_dicom(files).series
    assert (series.tags.directions, series.tags.temporal_positions) == (3, 1)
    assert "8 slices lie where a later one does" in series.notes[0]
    assert [plane.sop_uid.rsplit(".", 1)[1] for plane in series.planes] == ["21", "22", "23", "24"]


def test_unnamed_time_points_are_told_by_what_lies_at_one_place(made, tmp_path):
    files = [f for n in range(5) for f in made.write_stack(tmp_path, made.Stack(first=1 + 10 * n), f"t{n}")]
    (series,) = scan_dicom(files).series
    assert series.tags.temporal_positions == 5


def test_of_two_images_at_one_place_the_later_is_kept_and_it_is_said(made, tmp_path):
    files = made.write_stack(tmp_path, made.Stack())
    again = made.plane_dataset(made.Stack(), 2, np.full((6, 5), 7, np.int16))
    again.SOPInstanceUID = again.file_meta.MediaStorageSOPInstanceUID = "1.2.3.4.5.99"
    again.AcquisitionTime = "101200"
    (series,) = scan_dicom([*files, made.write(again, tmp_path / "again.dcm")]).series
    assert len(series.planes) == 4
    assert series.notes == ("1 slice lies where a later one does, which is kept",)
    assert (read_series(series)[0].data[:, :, 2] == 7).all()


def test_a_file_that_is_there_twice_is_read_once(made, axial, tmp_path):
    copies = [shutil.copy(path, tmp_path / f"copy-{path.name}") for path in axial[1][:2]]
    (series,) = scan_dicom([*axial[1], *copies]).series
    assert series.notes == ("2 duplicate files left out",)
    assert not series.refusal
    assert len(series.planes) == 4


def test_a_damaged_copy_of_a_good_file_harms_nothing(made, axial, tmp_path):
    (tmp_path / "copy.dcm").write_bytes(axial[1][1].read_bytes()[:-20])
    found = scan_dicom([*axial[1], tmp_path / "copy.dcm"])
    assert not found.series[0].refusal
    assert found.series[0].notes == ("1 duplicate file left out",)
    assert found.unreadable == {"DICOM file that ends early": 1}


@pytest.mark.parametrize(
    ("gone", "refusal"),
    [
        ((10, 11, 12), "3 of 24 slices missing after slice 10"),
        ((1,), "1 of 24 slices missing after slice 1"),
        ((4, 10, 11), "3 of 24 slices missing after slices 4 and 9"),
    ],
)
def test_missing_slices_are_counted_and_placed(made, tmp_path, gone, refusal):
    files = made.write_stack(tmp_path, made.Stack(shape=(4, 4, 24)))
    (series,) = scan_dicom([f for n, f in enumerate(files) if n not in gone]).series
    assert series.refusal == refusal
    assert "copy" in series.remedy
    with pytest.raises(FileFormatError, match=refusal):
        read_series(series, "T2")


def test_every_other_slice_missing_is_told_where_the_header_knows(made, tmp_path):
    files = made.write_stack(tmp_path, made.Stack(shape=(4, 4, 24), header={"SpacingBetweenSlices": "3"}))
    (series,) = scan_dicom(files[::2]).series
    assert "every other one may be missing" in series.notes[0]
    assert not scan_dicom(files).series[0].notes


def test_very_uneven_slices_are_refused_in_numbers(made, tmp_path):
    stack = made.Stack(places=(0, 1, 2.3, 3.1, 4), shape=(4, 4, 5))
    (series,) = scan_dicom(made.write_stack(tmp_path, stack)).series
    assert series.refusal == "gaps between slices of 2.40 to 3.90 mm"


@pytest.mark.parametrize("count", [1, 2])
def test_fewer_than_three_slices_are_refused(made, tmp_path, count):
    (series,) = scan_dicom(made.write_stack(tmp_path, made.Stack(shape=(4, 4, count)))).series
    assert series.refusal == f"{count} slice{'s' * (count > 1)}, fewer than 3"


def test_slices_beside_one_another_are_refused(made, tmp_path):
    (series,) = scan_dicom(made.write_stack(tmp_path, made.Stack(step=(0.0, 40.0, 3.0)))).series
    assert series.refusal == "slices that do not lie over one another"


def test_directions_that_are_not_at_right_angles_are_refused(made, tmp_path):
    stack = made.Stack(header={"ImageOrientationPatient": [1, 0, 0, 0.1, 0.995, 0]})
    (series,) = scan_dicom(made.write_stack(tmp_path, stack)).series
    assert series.refusal == "rows and columns that are not at right angles"


def test_a_truncated_file_refuses_its_series_and_no_other(made, tmp_path):
    good = made.write_stack(tmp_path / "good", made.Stack(series_uid="1.2.3.4.6"))
    bad = made.write_stack(tmp_path / "bad", made.Stack())
    bad[2].write_bytes(bad[2].read_bytes()[:-30])
    found = scan_dicom([*good, *bad])
    assert [s.refusal for s in found.series] == ["1 of 4 files that are damaged or end early", ""]
    assert found.unreadable == {"DICOM file that ends early": 1}
    told(made, found)


def test_a_truncated_compressed_file_is_noticed_without_decoding(made, tmp_path):
    from pydicom.uid import JPEGLSLossless

    for k in range(4):
        dataset = made.plane_dataset(made.Stack(), k)
        dataset.compress(JPEGLSLossless, generate_instance_uid=False)
        made.write(dataset, tmp_path / f"{k}.dcm")
    assert not scan_dicom(tmp_path.iterdir()).series[0].refusal
    (tmp_path / "1.dcm").write_bytes((tmp_path / "1.dcm").read_bytes()[:-12])
    assert scan_dicom(tmp_path.iterdir()).series[0].refusal == "1 of 4 files that are damaged or end early"


def test_a_file_without_a_readable_header_is_blamed_on_the_one_series_beside_it(made, axial):
    axial[1][1].write_bytes(axial[1][1].read_bytes()[:140])
    (series,) = scan_dicom(axial[1]).series
    assert series.refusal == "1 of 4 files that are damaged or end early"


def test_a_stranger_beside_a_series_harms_nothing(made, axial, tmp_path):
    for name, content in {"README.txt": b"text" * 99, "empty": b"", "picture.png": b"\x89PNG" + bytes(300)}.items():
        (axial[1][0].parent / name).write_bytes(content)
    found = scan_dicom(axial[1][0].parent.iterdir())
    assert found.unreadable == {"file that is not DICOM": 3}
    assert not found.series[0].refusal


@pytest.mark.parametrize(
    ("sop_class", "word"),
    [
        ("1.2.840.10008.5.1.4.1.1.88.33", "structured report"),
        ("1.2.840.10008.5.1.4.1.1.88.59", "key object selection"),
        ("1.2.840.10008.5.1.4.1.1.104.1", "encapsulated document"),
        ("1.2.840.10008.5.1.4.1.1.11.1", "presentation state"),
        ("1.2.840.10008.5.1.4.1.1.66", "raw data"),
        ("1.2.840.10008.5.1.4.1.1.66.1", "registration"),
        ("1.2.840.10008.5.1.4.1.1.67", "real world value mapping"),
        ("1.2.840.10008.5.1.4.1.1.481.3", "radiotherapy object"),
        ("1.2.840.10008.5.1.4.1.1.4.2", "spectroscopy"),
        ("1.3.12.2.1107.5.9.1", "another object without an image"),
        (SEGMENTATION_CLASS, "segmentation"),
    ],
)
def test_objects_without_an_image_are_counted_in_words(made, axial, tmp_path, sop_class, word):
    other = Dataset()
    other.SOPClassUID, other.SOPInstanceUID, other.PatientName = sop_class, "1.2.3.4.77", made.NAMES[0]
    path = made.write(made.finish(other), tmp_path / "other.dcm")
    found = scan_dicom([*axial[1], path])
    assert found.others == {word: 1}
    assert found.segmentations == ((path,) if sop_class == SEGMENTATION_CLASS else ())
    assert [len(s.planes) for s in found.series] == [4]
    assert not found.series[0].refusal


def test_a_dicomdir_is_counted(made, tmp_path):
    directory = Dataset()
    directory.SOPInstanceUID, directory.SOPClassUID = "1.2.3.4.78", "1.2.840.10008.1.3.10"
    made.finish(directory)
    del directory.SOPClassUID
    assert scan_dicom([made.write(directory, tmp_path / "DICOMDIR")]).others == {"DICOMDIR": 1}


def test_a_screen_capture_is_a_refused_series_without_planes(made, axial, tmp_path):
    capture = made.plane_dataset(made.Stack(series_uid="1.2.3.4.8"), 0)
    capture.SOPClassUID, capture.SeriesNumber = "1.2.840.10008.5.1.4.1.1.7", 99
    del capture.ImagePositionPatient, capture.ImageOrientationPatient
    found = scan_dicom([*axial[1], made.write(capture, tmp_path / "capture.dcm")])
    assert [(s.number, len(s.planes), bool(s.refusal)) for s in found.series] == [(7, 4, False), (99, 0, True)]
    assert found.series[1].refusal == "images that do not say where they lie in the patient"


def test_one_image_of_a_series_without_its_place_refuses_the_series(made, tmp_path):
    """Its place may be garbled; a slice must not go missing in silence."""
    stack = made.Stack(shape=(4, 4, 5))
    for k in range(5):
        dataset = made.plane_dataset(stack, k)
        if k == 4:
            del dataset.ImagePositionPatient
        made.write(dataset, tmp_path / f"{k}.dcm")
    assert scan_dicom(tmp_path.iterdir()).series[0].refusal == "1 of 5 files that are damaged or end early"


def test_mosaics_are_refused_in_words(made, tmp_path):
    header = {"ImageType": ["ORIGINAL", "PRIMARY", "M", "ND", "MOSAIC"]}
    (series,) = scan_dicom(made.write_stack(tmp_path, made.Stack(header=header))).series
    assert "mosaics" in series.refusal


def test_two_patients_in_one_series_are_refused_and_named_to_nobody(made, tmp_path):
    each = {"PatientID": ["1", "1", "2", "2"], "PatientName": ["A^B", "A^B", "C^D", "C^D"]}
    found = scan_dicom(made.write_stack(tmp_path, made.Stack(each=each)))
    assert found.series[0].refusal == "files of 2 patients in one series"
    assert found.series[0].person.patient_id == "1"
    assert found.mixed == ("1.2.3.4",)
    told(made, found)


@pytest.mark.parametrize(
    ("persons", "count"),
    [
        ([Person("7", name="Doe^Jane"), Person("7", name="DOE^JANE^^")], 1),
        ([Person("7", name="Doe^Jane"), Person("7")], 1),
        ([Person("7"), Person("8")], 2),
        ([Person("7", issuer="A"), Person("7", issuer="B")], 2),
        ([Person("", name="Doe^Jane"), Person("", name="Doe^John")], 2),
        ([Person("7", birth_date="19600101"), Person("7", birth_date="19610101")], 2),
        ([], 0),
    ],
)
def test_people_are_told_apart_by_what_both_say(persons, count):
    assert people(persons) == count


@settings(max_examples=20)
@given(
    gone=st.sets(st.integers(0, 11), max_size=3),
    twice=st.sets(st.integers(0, 11), max_size=3),
    seed=st.integers(0, 2**32 - 1),
)
def test_whatever_is_missing_or_double_the_order_of_files_changes_nothing(made, tmp_path_factory, gone, twice, seed):
    folder = tmp_path_factory.mktemp("heap")
    files = made.write_stack(folder, made.Stack(shape=(3, 3, 12)))
    files += [shutil.copy(files[n], folder / f"copy{n}.dcm") for n in twice]
    files = [f for n, f in enumerate(files) if n not in gone]
    shuffled = [files[n] for n in np.random.default_rng(seed).permutation(len(files))]
    assert scan_dicom(files) == scan_dicom(shuffled)


def test_study_facts_are_taken_over(made, axial):
    import datetime as dt

    (series,) = scan_dicom(axial[1]).series
    assert (series.study_uid, series.series_uid, series.number, series.part) == ("1.2.3.4", "1.2.3.4.5", 7, 0)
    assert (series.date, series.time_s) == (dt.date(2026, 1, 2), 10 * 3600 + 11 * 60 + 12)
    assert series.person == Person("ID-4711-XY", "", "Doe^Jane", "19581231")
    assert (series.tags.tr_ms, series.tags.te_ms, series.tags.flip_deg, series.tags.echo_train) == (2000, 90, 150, 12)
    assert series.tags.acquired_s == 10 * 3600 + 11 * 60 + 13
    assert series.files == tuple(axial[1])


def test_dicom_is_told_by_its_beginning(tmp_path):
    beginnings = {
        bytes(128) + b"DICM": True,
        b"\x08\x00\x05\x00CS\x0a\x00ISO_IR 100": True,
        b"\x08\x00\x00\x00\x04\x00\x00\x00\x10\x00\x00\x00": False,
        b"\x08\x00\x00\x00\x04\x00\x00\x00\x10\x00\x00\x00\x08\x00\x05\x00": True,
        b"GIF89a" + bytes(200): False,
        b"": False,
    }
    for start, expected in beginnings.items():
        (tmp_path / "file").write_bytes(start)
        assert is_dicom(tmp_path / "file") is expected, start
    assert not is_dicom(tmp_path)
    assert not is_dicom(tmp_path / "missing")
