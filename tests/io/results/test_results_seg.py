"""Segmentations: beside their source, valid, read alike by three readers, equal byte for byte."""

import highdicom
import numpy as np
import pytest
from pydicom import dcmread

from tumorboard.errors import FileFormatError, GeometryError, LabelError
from tumorboard.io.dicom.templates import save, source_headers, to_bytes
from tumorboard.io.seg import on_planes, read_segmentation, segmentation
from tumorboard.labels import LabelMap, Tissue
from tumorboard.volume import Grid

KINDS = ("binary", "labelmap")
SOURCES = {
    "axial": {},
    "sagittal": {"direction": "sagittal"},
    "coronal": {"direction": "coronal"},
    "oblique": {"direction": "oblique"},
    "enhanced": {"direction": "oblique", "enhanced": True},
    "one plane": {"steps": [0.0]},
}


@pytest.fixture(params=SOURCES)
def series(request, make_series):
    return make_series(**SOURCES[request.param])


@pytest.fixture
def saved(tmp_path):
    def write(dataset):
        save(dataset, tmp_path / "seg.dcm")
        return tmp_path / "seg.dcm"

    return write


@pytest.fixture
def labels(series, labels_of, grid_of):
    if len(series.planes) > 1:
        return labels_of(series)
    plane = series.planes[0]
    affine = np.diag([-1.1, -0.8, 3.0, 1.0])
    affine[:3, 3] = np.array([-1, -1, 1]) * plane.position_mm
    data = np.random.default_rng(3).integers(0, 5, (plane.columns, plane.rows, 1)).astype(np.uint8)
    return LabelMap.of(data, affine)


@pytest.mark.parametrize("kind", KINDS)
def test_a_segmentation_is_valid(series, labels, maker, complaints, kind):
    errors, warnings = complaints(segmentation(labels, series, maker, kind))
    assert not errors
    assert all("99TUMORBOARD" in told for told in warnings), warnings


@pytest.mark.parametrize("kind", KINDS)
def test_labels_come_back_voxel_by_voxel(series, labels, maker, saved, kind):
    read = read_segmentation(saved(segmentation(labels, series, maker, kind)))
    assert not labels.grid.explain_mismatch(read.labels.grid)
    np.testing.assert_array_equal(read.labels.data, labels.data)
    assert set(read.segments.values()) == {
        "necrosis or non-enhancing core",
        "oedema",
        "enhancing tumour",
        "resection cavity",
    }
    assert not read.notes


@pytest.mark.parametrize("stored", ["RAS", "LAS", "LPS", "SAR", "PIR"])
def test_any_order_of_axes_gives_the_same_pixels(make_series, labels_of, maker, stored):
    series = make_series("oblique")
    labels = labels_of(series)
    as_given = segmentation(labels, series, maker)
    assert segmentation(labels.reoriented(stored), series, maker).PixelData == as_given.PixelData


@pytest.mark.parametrize("kind", KINDS)
def test_highdicom_reads_each_source_plane(make_series, labels_of, maker, saved, kind):
    series = make_series("oblique")
    labels = labels_of(series)
    seg = highdicom.seg.segread(saved(segmentation(labels, series, maker, kind)))
    pixels = seg.get_pixels_by_source_instance([p.sop_uid for p in series.planes], combine_segments=True)
    np.testing.assert_array_equal(pixels, labels.data.transpose(2, 1, 0))


def test_highdicom_reads_each_frame_of_an_enhanced_source(make_series, labels_of, maker, saved):
    series = make_series(enhanced=True)
    labels = labels_of(series)
    seg = highdicom.seg.segread(saved(segmentation(labels, series, maker)))
    frames = [p.frame for p in series.planes]
    pixels = seg.get_pixels_by_source_frame(series.planes[0].sop_uid, frames, combine_segments=True)
    np.testing.assert_array_equal(pixels, labels.data.transpose(2, 1, 0))


@pytest.mark.parametrize("kind", KINDS)
def test_dcmqi_reads_the_same_voxels(series, labels, maker, saved, tool, tmp_path, kind):
    sitk = pytest.importorskip("SimpleITK")
    path = saved(segmentation(labels, series, maker, kind))
    out = tmp_path / "dcmqi"
    out.mkdir()
    ended = tool(
        "segimage2itkimage", "--inputDICOM", path, "--outputDirectory", out, "-p", "s", "-t", "nifti", "--mergeSegments"
    )
    assert ended.returncode == 0, ended.stderr
    image = sitk.ReadImage(str(next(out.glob("*.nii.gz"))))
    affine = np.eye(4)
    affine[:3, :3] = np.array(image.GetDirection()).reshape(3, 3) * image.GetSpacing()
    affine[:3, 3] = image.GetOrigin()
    read = LabelMap.of(sitk.GetArrayFromImage(image).transpose(2, 1, 0), np.diag([-1.0, -1, 1, 1]) @ affine)
    np.testing.assert_array_equal(on_planes(read, series.planes), on_planes(labels, series.planes))


@pytest.mark.parametrize(("kind", "steps"), [("binary", [0, 3.5, 7, 11, 14.2]), ("labelmap", [0, 3.5, 7, 11, 14.2])])
def test_uneven_planes_keep_their_places(make_series, maker, saved, complaints, kind, steps):
    series = make_series(steps=steps)
    affine = np.diag([-1.1, -0.8, 1.0, 1.0])
    affine[:3, 3] = np.array([-1, -1, 1]) * series.planes[0].position_mm
    labels = LabelMap.of(np.random.default_rng(5).integers(0, 5, (14, 12, 20)).astype(np.uint8), affine)
    seg = segmentation(labels, series, maker, kind)
    assert not complaints(seg)[0]
    np.testing.assert_array_equal(on_planes(labels, series.planes)[4], labels.data[:, :, 14].T)
    found = {
        round(float(g.PlanePositionSequence[0].ImagePositionPatient[2] - series.planes[0].position_mm[2]), 3)
        for g in seg.PerFrameFunctionalGroupsSequence
    }
    assert found == set(steps)
    with pytest.raises(GeometryError, match="even stack"):
        read_segmentation(saved(seg))


def test_tilted_planes_are_written_and_refused_as_a_volume(make_series, maker, saved, complaints):
    series = make_series(tilt_mm=1.0)
    affine = np.diag([-1.0, -1.0, 1.0, 1.0])
    affine[:3, 3] = np.array([-1, -1, 1]) * series.planes[0].position_mm
    labels = LabelMap.of(np.full((30, 30, 40), 3, np.uint8), affine)
    seg = segmentation(labels, series, maker)
    assert not complaints(seg)[0]
    with pytest.raises(GeometryError, match="right angles"):
        read_segmentation(saved(seg))


def test_it_belongs_to_the_patient_the_study_and_the_place(make_series, labels_of, maker):
    series = make_series()
    seg = segmentation(labels_of(series), series, maker)
    source = source_headers(series)[0]
    for keyword in ("PatientName", "PatientID", "PatientBirthDate", "PatientSex", "StudyInstanceUID", "StudyDate"):
        assert seg[keyword].value == source[keyword].value
    assert seg.FrameOfReferenceUID == "1.2.3.4.6"
    assert seg.StudyDescription == "MR HEAD"
    assert seg.SeriesInstanceUID != series.series_uid
    assert seg.SeriesDescription == "tumorboard segmentation - research"
    referenced = seg.ReferencedSeriesSequence[0]
    assert referenced.SeriesInstanceUID == series.series_uid
    assert [r.ReferencedSOPInstanceUID for r in referenced.ReferencedInstanceSequence] == [
        p.sop_uid for p in series.planes
    ]


def test_one_frame_is_written_for_each_plane_and_class(make_series, maker, grid_of):
    series = make_series()
    data = np.zeros(grid_of(series).shape, np.uint8)
    data[3, 4, 2], data[5, 6, 3] = Tissue.ET, Tissue.SNFH
    labels = LabelMap(data, grid_of(series))
    assert int(segmentation(labels, series, maker).NumberOfFrames) == 2 * len(series.planes)
    assert int(segmentation(labels, series, maker, "labelmap").NumberOfFrames) == len(series.planes)


def test_segments_say_what_they_are_in_codes(make_series, labels_of, maker):
    series = make_series()
    seg = segmentation(labels_of(series), series, maker)
    told = {s.SegmentLabel: s.SegmentedPropertyTypeCodeSequence[0].CodeValue for s in seg.SegmentSequence}
    assert told == {"NETC": "C81175", "SNFH": "79654002", "ET": "C113842", "RC": "RC"}
    assert {s.SegmentAlgorithmType for s in seg.SegmentSequence} == {"AUTOMATIC"}
    assert all(s.TrackingUID.startswith("2.25.") and s.TrackingID == s.SegmentLabel for s in seg.SegmentSequence)


def test_masks_drawn_by_hand_are_manual(make_series, labels_of, maker, complaints):
    from dataclasses import replace

    series = make_series()
    seg = segmentation(labels_of(series), series, replace(maker, algorithm_type="MANUAL", family="manual"))
    assert {s.SegmentAlgorithmType for s in seg.SegmentSequence} == {"MANUAL"}
    assert not complaints(seg)[0]


def test_a_simulated_patient_is_said_in_the_description(make_series, labels_of, maker):
    from dataclasses import replace

    series = make_series()
    assert "simulated" in segmentation(labels_of(series), series, replace(maker, digital=True)).SeriesDescription


def test_nothing_labelled_makes_no_segmentation(make_series, labels_of, maker):
    series = make_series()
    assert segmentation(labels_of(series, values=(0,)), series, maker) is None


def test_labels_beside_the_planes_are_refused(make_series, labels_of, maker):
    series = make_series()
    labels = labels_of(series)
    away = np.array(labels.affine)
    away[:3, 3] += 500
    with pytest.raises(GeometryError, match="outside its planes"):
        segmentation(LabelMap(labels.data, Grid(labels.grid.shape, away)), series, maker)


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_input_gives_the_same_bytes(make_series, labels_of, maker, kind):
    series = make_series("oblique")
    first, second = (to_bytes(segmentation(labels_of(series), series, maker, kind)) for _ in range(2))
    assert first == second


def test_other_labels_or_settings_give_other_uids(make_series, labels_of, maker):
    from dataclasses import replace

    series = make_series()
    made = [
        segmentation(labels_of(series), series, maker),
        segmentation(labels_of(series, seed=2), series, maker),
        segmentation(labels_of(series), series, replace(maker, settings_digest="cd")),
        segmentation(labels_of(series), series, maker, "labelmap"),
    ]
    assert len({s.SOPInstanceUID for s in made}) == len(made)


@pytest.mark.parametrize(
    ("keyword", "value"),
    [
        ("PatientSex", "female"),
        ("PatientSex", None),
        ("PatientAge", "0Y"),
        ("StudyID", None),
        ("AccessionNumber", None),
        ("PatientBirthDate", "1960-02-03"),
        ("FrameOfReferenceUID", None),
        ("StudyTime", None),
    ],
)
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_headers_that_lack_something_still_give_a_valid_result(
    make_series, labels_of, maker, complaints, keyword, value
):
    series = make_series(**{keyword: value})
    assert not complaints(segmentation(labels_of(series), series, maker))[0]


@pytest.mark.parametrize(
    ("charset", "name"),
    [("ISO_IR 100", "Müller^Jürgen"), ("ISO_IR 192", "Łukasz^Żółć"), ("ISO_IR 144", "Люкceмбypг")],
)
def test_names_keep_their_letters(make_series, labels_of, maker, saved, charset, name):
    series = make_series(name=name, SpecificCharacterSet=charset)
    assert str(dcmread(saved(segmentation(labels_of(series), series, maker))).PatientName) == name


def _relabelled(seg, words, code=("1", "99X", "Something")):
    for segment, word in zip(seg.SegmentSequence, words, strict=True):
        segment.SegmentLabel = word
        kind = segment.SegmentedPropertyTypeCodeSequence[0]
        kind.CodeValue, kind.CodingSchemeDesignator, kind.CodeMeaning = code
    return seg


@pytest.mark.parametrize(
    "words",
    [
        ("Necrosis", "Peritumoral edema", "Enhancing tumor", "Resection cavity"),
        ("NCR", "ED", "ET", "surgical cavity"),
        ("Non-enhancing core", "FLAIR hyperintensity", "Contrast-enhancing", "RC"),
    ],
)
def test_segments_of_others_are_known_by_their_words(make_series, labels_of, maker, saved, words):
    series = make_series()
    labels = labels_of(series)
    read = read_segmentation(saved(_relabelled(segmentation(labels, series, maker), words)))
    np.testing.assert_array_equal(read.labels.data, labels.data)


def test_a_segment_of_another_is_known_by_its_code(make_series, labels_of, maker, saved):
    series = make_series()
    labels = labels_of(series, values=(0, 3))
    seg = _relabelled(segmentation(labels, series, maker), ["Segment_1"], ("79654002", "SCT", "Edema"))
    read = read_segmentation(saved(seg))
    assert read.segments == {1: "oedema"}
    assert set(np.unique(read.labels.data)) == {0, Tissue.SNFH}


def test_an_unknown_segment_is_refused_without_its_text(make_series, labels_of, maker, saved):
    series = make_series()
    seg = _relabelled(segmentation(labels_of(series, values=(0, 3)), series, maker), ["Jane Doe left"])
    with pytest.raises(LabelError, match="type unknown") as told:
        read_segmentation(saved(seg))
    assert "Doe" not in str(told.value)


def test_overlapping_segments_of_others_are_stacked(make_series, labels_of, maker, saved, grid_of):
    series = make_series()
    data = np.zeros(grid_of(series).shape, np.uint8)
    data[:6], data[6:] = Tissue.SNFH, Tissue.ET
    seg = segmentation(LabelMap(data, grid_of(series)), series, maker)
    n = len(series.planes) * 14 * 12
    bits = np.unpackbits(np.frombuffer(seg.PixelData, np.uint8), bitorder="little")
    whole = bits[: 2 * n].copy()
    whole[:n] = 1  # the first segment now holds the second too
    seg.PixelData = np.packbits(whole, bitorder="little").tobytes()
    read = read_segmentation(saved(_relabelled(seg, ["whole tumour", "enhancing"])))
    np.testing.assert_array_equal(read.labels.data, data)
    assert any("overlap" in note for note in read.notes)


def test_fractions_are_cut_at_one_half(make_series, maker, saved, grid_of):
    series = make_series()
    shares = np.random.default_rng(2).uniform(0, 1, (7, 12, 14)).astype(np.float32)
    described = segmentation(LabelMap(np.full((14, 12, 7), 3, np.uint8), grid_of(series)), series, maker)
    headers = [dcmread(p.path) for p in series.planes]
    seg = highdicom.seg.Segmentation(
        headers, shares, "FRACTIONAL", list(described.SegmentSequence), "1.2", 1, "1.2.3", 1, "x", "x", "1", "1"
    )
    read = read_segmentation(saved(seg))
    expected = np.rint(shares * 255) >= 127.5
    np.testing.assert_array_equal(read.labels.data == 3, expected.transpose(2, 1, 0))
    assert any("0.5" in note for note in read.notes)


def test_frames_that_others_leave_out_are_empty_planes(make_series, maker, saved, grid_of):
    series = make_series("oblique")
    described = segmentation(LabelMap(np.full((14, 12, 7), 3, np.uint8), grid_of(series)), series, maker)
    pixels = np.zeros((7, 12, 14), np.uint8)
    pixels[1, 3:5, 4:6] = pixels[5, 2:4, 7:9] = 1
    headers = [dcmread(p.path) for p in series.planes]
    seg = highdicom.seg.Segmentation(
        headers, pixels, "BINARY", list(described.SegmentSequence), "1.2", 1, "1.2.3", 1, "x", "x", "1", "1"
    )
    assert int(seg.NumberOfFrames) == 2
    read = read_segmentation(saved(seg)).labels
    assert read.data.shape == (14, 12, 5)
    np.testing.assert_array_equal(on_planes(read, series.planes) == 3, pixels > 0)


@pytest.mark.parametrize("content", [b"", b"nothing of DICOM" * 40])
def test_what_is_no_segmentation_is_refused_without_its_name(tmp_path, content):
    path = tmp_path / "Jane Doe.dcm"
    path.write_bytes(content)
    with pytest.raises(FileFormatError) as told:
        read_segmentation(path)
    assert "Doe" not in str(told.value)


def test_an_image_is_no_segmentation(make_series):
    with pytest.raises(FileFormatError, match="another DICOM object"):
        read_segmentation(make_series().planes[0].path)


def test_a_truncated_segmentation_is_refused(make_series, labels_of, maker, tmp_path):
    series = make_series()
    whole = to_bytes(segmentation(labels_of(series), series, maker))
    path = tmp_path / "cut.dcm"
    for share in (0.3, 0.6, 0.97):
        path.write_bytes(whole[: int(len(whole) * share)])
        with pytest.raises((FileFormatError, GeometryError, LabelError)):
            read_segmentation(path)


@pytest.mark.parametrize("direction", ["axial", "oblique"])
def test_planes_of_several_directions_are_refused(make_series, labels_of, maker, direction):
    from dataclasses import replace

    series = make_series(direction)
    odd = replace(series.planes[2], orientation=(0.0, 1.0, 0.0, 0.0, 0.0, -1.0))
    mixed = replace(series, planes=(*series.planes[:2], odd))
    with pytest.raises(GeometryError, match="several kinds"):
        segmentation(labels_of(series), mixed, maker)
