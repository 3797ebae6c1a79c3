"""Measurement reports: every number once, with unit and method, valid, and read alike by three readers."""

import json
from dataclasses import replace

import highdicom
import numpy as np
import pytest
from pydicom import dcmread

from tumorboard.errors import FileFormatError
from tumorboard.io.dicom.templates import save, to_bytes
from tumorboard.io.seg import segmentation
from tumorboard.io.sr import measurement_report, read_report_numbers
from tumorboard.labels import LabelMap
from tumorboard.measure.sources import Files
from tumorboard.measure.study import Segmented, measure_study
from tumorboard.measurement import Measurement, Source, StudyMeasurements
from tumorboard.sequences import Sequence
from tumorboard.study import Study
from tumorboard.volume import Grid, Volume

LABELS, LESIONS, BRAIN = "seg/dseg.nii.gz", "seg/lesions.nii.gz", "seg/brain.nii.gz"
AT = Source(file=LABELS)
BY_HAND = (
    Measurement(name="lobe", region="WT", value="insula", unit="1", method="m", source=AT, quality="coarse"),
    Measurement(name="lobe_word", region="WT", value="deep grey matter", unit="1", method="m", source=AT),
    Measurement(name="midline_shift", region="brain", value=0.5453, unit="mm", method="m", source=AT, quality="proxy"),
    Measurement(
        name="volume_native", region="ET", value=1 / 3, unit="mL", method="5 × 4 mm²", source=AT, interval=(0.1, 0.7)
    ),
    Measurement(name="largest_distance", region="TC", value=1e-7, unit="mm", method="m", source=AT),
)


@pytest.fixture
def series(make_series):
    return make_series("oblique")


@pytest.fixture
def labels(series, grid_of):
    data = np.zeros(grid_of(series).shape, np.uint8)
    data[2:12, 2:10, 1:6] = 2
    data[3:10, 3:9, 2:5] = 3
    data[5:7, 5:7, 3] = 1
    return LabelMap(data, grid_of(series))


@pytest.fixture
def listed(labels):
    study = Study("ses-01", {Sequence.T1C: Volume(labels.data * 1.0, labels.grid)}, brain=labels.data >= 0)
    missing = {"RC": "this method does not look for cavities"}
    measured = measure_study(study, Segmented(labels, not_assessable=missing), Files(LABELS, LESIONS, BRAIN))
    return StudyMeasurements(
        patient="P1",
        study="ses-01",
        sequences=("T1C",),
        segmenter="fuzzy 1",
        measurements=(*measured.measurements, *BY_HAND),
        warnings=("FLAIR is missing – oedema is uncertain",),
    )


@pytest.fixture(params=["binary", "labelmap", "none"])
def seg(request, labels, series, maker):
    return None if request.param == "none" else segmentation(labels, series, maker, request.param)


@pytest.fixture
def report(listed, series, seg, maker, labels):
    return measurement_report(listed, series, (series,), seg, maker, {LESIONS: labels.grid})


@pytest.fixture
def saved(tmp_path):
    def write(dataset):
        save(dataset, tmp_path / "sr.dcm")
        return tmp_path / "sr.dcm"

    return write


def _items(node):
    for item in node.get("ContentSequence", ()):
        yield item
        yield from _items(item)


def _named(node, value):
    return [i for i in _items(node) if i.ConceptNameCodeSequence[0].get("CodeValue") == value]


UNKNOWN_TO_DCIODVFY = "ReferencedSegmentNumber(0062,000b)> - Shall not be present for Referenced SOP Class"
"""dciodvfy does not count the newer Label Map Segmentation among the segmentations here."""


def test_a_report_is_valid(report, seg, complaints):
    errors, warnings = complaints(report)
    if seg is not None and seg.SegmentationType == "LABELMAP":
        errors = [told for told in errors if UNKNOWN_TO_DCIODVFY not in told]
    assert not errors
    assert all("99TUMORBOARD" in told for told in warnings), warnings


def test_every_number_stands_in_it_once_and_exactly(report, listed, saved):
    assert read_report_numbers(saved(report)) == {(m.name, m.region): m.value for m in listed.measurements}


def test_units_are_ucum_and_methods_are_told(report, listed):
    expected = [m for m in listed.measurements if isinstance(m.value, int | float)]
    numbers = [i for i in _items(report) if i.ValueType == "NUM" and i.RelationshipType == "CONTAINS"]
    units = [i.MeasuredValueSequence[0].MeasurementUnitsCodeSequence[0] for i in numbers]
    assert {u.CodingSchemeDesignator for u in units} == {"UCUM"}
    assert sorted(u.CodeValue for u in units) == sorted(m.unit for m in expected)
    assert all(_named(i, "370129005")[0].TextValue for i in numbers)


def test_what_is_not_assessable_says_why_and_has_no_value(report, listed):
    absent = [i for i in _items(report) if i.ValueType == "CODE" and i.ConceptCodeSequence[0].CodeValue == "114007"]
    assert len(absent) == sum(m.value is None for m in listed.measurements)
    reasons = {_named(i, "reason")[0].TextValue for i in absent}
    assert "this method does not look for cavities" in reasons


def test_a_cavity_that_was_not_looked_for_is_no_finding(report, listed):
    told = {
        _named(g, "112039")[0].TextValue: [i.ConceptCodeSequence[0].CodeMeaning for i in _named(g, "121071")]
        for g in _named(report, "125007")
    }
    assert told["RC"] == told["study"] == []
    assert told["ET"] == ["Enhancing Lesion"]
    assert told["lesion 1"] == ["Lesion"]
    assert listed.get("volume", "RC").value is None


def test_intervals_and_qualities_are_told(report, listed):
    bounds = {n: [i.MeasuredValueSequence[0].FloatingPointValue for i in _named(report, n)] for n in ("lower", "upper")}
    assert bounds == {"lower": [0.1], "upper": [0.7]}
    told = sorted(i.ConceptCodeSequence[0].CodeValue for i in _named(report, "quality"))
    assert told == sorted(m.quality for m in listed.measurements if m.quality != "measured")
    assert set(told) == {"coarse", "proxy"}


def test_it_says_that_it_is_unverified_research_in_english(report):
    assert report.VerificationFlag == "UNVERIFIED"
    assert report.PreliminaryFlag == "PRELIMINARY"
    comments = [i.TextValue for i in _named(report, "121106")]
    assert "Research software - not for diagnosis" in comments
    assert "FLAIR is missing - oedema is uncertain" in comments
    assert _named(report, "121049")[0].ConceptCodeSequence[0].CodeValue.startswith("en")
    assert _named(report, "121058")
    assert [i.TextValue for i in _named(report, "121013")] == ["tumorboard"]
    assert {i.TextValue for i in _named(report, "111001")} == {"tumorboard fuzzy"}


def test_a_simulated_patient_is_said_in_the_text(listed, series, maker):
    out = measurement_report(listed, series, (), None, replace(maker, digital=True))
    assert any("Simulated" in i.TextValue for i in _named(out, "121106"))


def test_all_inputs_and_the_segmentation_are_cited(listed, series, make_series, labels, maker):
    planes = tuple(replace(p, sop_uid=f"9.8.{n}") for n, p in enumerate(make_series().planes))
    other = replace(series, series_uid="9.8", planes=planes)
    seg = segmentation(labels, series, maker)
    out = measurement_report(listed, series, (series, other), seg, maker)
    cited = {
        item.ReferencedSOPInstanceUID
        for study in out.CurrentRequestedProcedureEvidenceSequence
        for of_series in study.ReferencedSeriesSequence
        for item in of_series.ReferencedSOPSequence
    }
    assert cited == {p.sop_uid for p in (*series.planes, *planes)} | {seg.SOPInstanceUID}


def test_regions_refer_to_their_segments_by_the_same_tracking_uid(listed, series, labels, maker):
    seg = segmentation(labels, series, maker)
    out = measurement_report(listed, series, (), seg, maker)
    tracked = {}
    for group in _named(out, "125007"):
        name, uid = _named(group, "112039")[0].TextValue, _named(group, "112040")[0].UID
        referred = [i.ReferencedSOPSequence[0].ReferencedSegmentNumber for i in _items(group) if i.ValueType == "IMAGE"]
        tracked[name] = uid, referred
    for segment in seg.SegmentSequence:
        assert tracked[segment.SegmentLabel] == (segment.TrackingUID, [segment.SegmentNumber])
    assert tracked["TC"][1] == [[1, 3]]
    assert tracked["WT"][1] == [[1, 2, 3]]
    assert tracked["lesion 1"][1] == [[1, 3]]
    assert tracked["brain"][1] == []
    assert len({uid for uid, _ in tracked.values()}) == len(tracked)


def test_diameters_are_drawn_where_they_lie(listed, series, labels, maker):
    out = measurement_report(listed, series, (), None, maker, {LESIONS: labels.grid})
    lines = [i for i in _items(out) if i.ValueType == "SCOORD3D"]
    assert lines
    assert {i.ReferencedFrameOfReferenceUID for i in lines} == {"1.2.3.4.6"}
    m = listed.get("longest_diameter_ce_only", "lesion 1")
    item = next(i for i in _items(out) if i.ValueType == "NUM" and _holds(i, m.name))
    drawn = np.array(next(i for i in _items(item) if i.ValueType == "SCOORD3D").GraphicData).reshape(2, 3)
    np.testing.assert_allclose(drawn * (-1, -1, 1), labels.grid.to_world(m.source.points_ijk), atol=1e-4)
    length = np.linalg.norm(drawn[0] - drawn[1])
    assert 0 < m.value - length < 3, "the value is the drawn line and the edge convention"


def _holds(item, name):
    return any(i.get("TextValue") == name for i in _items(item))


def test_highdicom_reads_the_groups(report, saved, listed):
    read = highdicom.sr.srread(saved(report))
    groups = read.content.get_image_measurement_groups()
    groups += read.content.get_volumetric_roi_measurement_groups()
    regions = {g.tracking_identifier for g in groups}
    assert regions == {m.region for m in listed.measurements}


def test_dcmqi_reads_the_numbers(listed, series, labels, maker, saved, tool, tmp_path):
    seg = segmentation(labels, series, maker)
    path = saved(measurement_report(listed, series, (series,), seg, maker, {LESIONS: labels.grid}))
    ended = tool("tid1500reader", "--inputDICOM", path, "--outputMetadata", tmp_path / "read.json")
    assert ended.returncode == 0, ended.stderr + ended.stdout
    read = json.loads((tmp_path / "read.json").read_text())
    for group in read["Measurements"]:
        region = group["TrackingIdentifier"]
        told = sorted(float(item["value"]) for item in group["measurementItems"] if "value" in item)
        expected = sorted(
            float(m.value) for m in listed.measurements if m.region == region and isinstance(m.value, int | float)
        )
        np.testing.assert_allclose(told, expected, rtol=1e-6)


def test_it_belongs_to_the_patient_and_the_study(report):
    assert (str(report.PatientName), report.PatientID, report.StudyInstanceUID) == ("Doe^Jane", "SECRET-7", "1.2.3.4")
    assert (report.StudyDate, report.StudyDescription, report.Modality) == ("20200102", "MR HEAD", "SR")
    assert "P1" not in str(report)


def test_the_same_input_gives_the_same_bytes(listed, series, seg, maker, labels):
    made = {
        to_bytes(measurement_report(listed, series, (series,), seg, maker, {LESIONS: labels.grid})) for _ in range(2)
    }
    assert len(made) == 1


def test_other_numbers_give_another_uid(listed, series, maker):
    fewer = listed.model_copy(update={"measurements": listed.measurements[1:]})
    uids = {measurement_report(each, series, (), None, maker).SOPInstanceUID for each in (listed, fewer)}
    assert len(uids) == 2


def test_an_enhanced_source_gives_a_valid_report(make_series, labels_of, listed, maker, complaints):
    series = make_series(enhanced=True)
    seg = segmentation(labels_of(series), series, maker)
    assert not complaints(measurement_report(listed, series, (series,), seg, maker))[0]


def test_points_without_their_grid_are_not_drawn(listed, series, maker):
    out = measurement_report(listed, series, (), None, maker, {"other.nii.gz": Grid((2, 2, 2), np.eye(4))})
    assert not [i for i in _items(out) if i.ValueType == "SCOORD3D"]


def test_what_is_no_report_is_refused_without_its_name(series, tmp_path):
    path = tmp_path / "Jane Doe.dcm"
    save(dcmread(series.planes[0].path), path)
    with pytest.raises(FileFormatError) as told:
        read_report_numbers(path)
    assert "Doe" not in str(told.value)
