"""Verdicts in a measurement report: coded, dated, valid, and silent about what may not be said."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace

import highdicom
import pytest

from tumorboard.io import codes
from tumorboard.io.dicom.templates import save, to_bytes
from tumorboard.io.sr import measurement_report, read_report_numbers
from tumorboard.io.sr_response import CAUTION, Rated
from tumorboard.measurement import Measurement, Source, StudyMeasurements
from tumorboard.verdict import Category, Confirmed, Verdict

PROGRESSED = Verdict(
    patient="PSEUDO-1",
    date=dt.date(2020, 3, 4),
    criterion="rano-hgg",
    raw=Category.PD,
    category=Category.PD,
    confirmed=Confirmed.NOT_REQUIRED,
    imaging_only=Category.PD,
    total=1548.2782,
    unit="mm2",
    reference=dt.date(2020, 1, 2),
    rule="pd.sum",
    reason="PD: the sum has risen enough above the nadir – +44 %.",
    probabilities={Category.PD: 0.9},
)
NOT_TOLD = replace(
    PROGRESSED,
    criterion="ipcg",
    category=Category.NE,
    reason="PD: the sum has risen. Not told: eye examination; from the images alone PD, overall NE.",
)
WAITS = replace(
    PROGRESSED, criterion="volumetric", category=Category.SD, confirmed=Confirmed.PENDING, total=29.4, unit="mL"
)
REFERENCE = replace(
    PROGRESSED,
    criterion="mrano",
    raw=Category.BL,
    category=Category.BL,
    imaging_only=Category.BL,
    reference=None,
    total=None,
    rule="bl",
    reason="BL: reference study.",
    probabilities={},
)
EVERY = (PROGRESSED, NOT_TOLD, WAITS, REFERENCE)


def rated(verdict: Verdict) -> Rated:
    return Rated(verdict, verdict.criterion.upper(), "2010", "Wen PY et al.", "sum of products")


@pytest.fixture
def listed() -> StudyMeasurements:
    known = Measurement(
        name="volume", region="brain", value=1500.0, unit="mL", method="m", source=Source(file="brain.nii.gz")
    )
    absent = Measurement.missing("volume", "ET", "mL", "T1C is missing")
    return StudyMeasurements(
        patient="PSEUDO-1", study="ses-02", sequences=(), segmenter="f", measurements=(known, absent)
    )


@pytest.fixture
def make(make_series, maker, listed):
    series = make_series("oblique")

    def made(*verdicts):
        return measurement_report(listed, series, (series,), None, maker, None, [rated(v) for v in verdicts])

    return made


def items(node):
    for item in node.get("ContentSequence", ()):
        yield item
        yield from items(item)


def named(node, code: codes.Code):
    return [i for i in items(node) if i.ConceptNameCodeSequence[0].get("CodeValue") == code.value]


def group(report, criterion):
    """The measurement group of one criterion."""
    (found,) = [
        g
        for g in items(report)
        if g.ValueType == "CONTAINER" and any(i.get("TextValue") == f"response {criterion}" for i in items(g))
        if g.ConceptNameCodeSequence[0].CodeValue == "125007"
    ]
    return found


def coded(node, code: codes.Code) -> list[tuple[str, str]]:
    values = [i.ConceptCodeSequence[0] for i in named(node, code)]
    return [(v.CodeValue, v.CodingSchemeDesignator) for v in values]


def test_it_is_valid(make, complaints):
    errors, warnings = complaints(make(*EVERY))
    assert not errors
    assert all("99TUMORBOARD" in told for told in warnings), warnings


def test_a_progression_stands_there_with_all_that_it_rests_on(make):
    found = group(make(*EVERY), "rano-hgg")
    assert coded(found, codes.RESPONSE_METHOD) == [("C114879", "NCIt")]
    assert coded(found, codes.RESPONSE) == [("C35571", "NCIt")]
    assert coded(found, codes.IMAGING_ONLY) == coded(found, codes.UNSETTLED) == [("C35571", "NCIt")]
    assert coded(found, codes.CONFIRMATION) == [("not_required", "99TUMORBOARD")]
    (total,) = named(found, codes.RESPONSE_SUM)
    value = total.MeasuredValueSequence[0]
    assert float(value.FloatingPointValue) == 1548.2782
    unit = value.MeasurementUnitsCodeSequence[0]
    assert (unit.CodeValue, unit.CodingSchemeDesignator) == ("mm2", "UCUM")
    assert [i.TextValue for i in named(total, codes.METHOD)] == ["sum of products"]
    assert [str(i.Date) for i in named(found, codes.REFERENCE_DATE)] == ["20200102"]
    assert [i.TextValue for i in named(found, codes.RULE)] == ["pd.sum"]
    assert [i.TextValue for i in named(found, codes.CRITERION)] == ["RANO-HGG 2010: Wen PY et al."]
    assert [i.TextValue for i in named(found, codes.IN_WORDS)] == [PROGRESSED.reason.replace("–", "-")]
    (chance,) = named(found, codes.CHANCE)
    assert float(chance.MeasuredValueSequence[0].NumericValue) == 0.9


def test_where_facts_are_missing_only_the_images_category_stands_beside_not_evaluable(make):
    found = group(make(NOT_TOLD), "ipcg")
    assert coded(found, codes.RESPONSE) == [codes.CATEGORIES["NE"][:2]]
    assert coded(found, codes.IMAGING_ONLY) == [codes.CATEGORIES["PD"][:2]]
    for hidden in (codes.UNSETTLED, codes.CONFIRMATION, codes.RULE, codes.CHANCE):
        assert not named(found, hidden), hidden.meaning
    (words,) = [i.TextValue for i in named(found, codes.IN_WORDS)]
    assert words.startswith("Not evaluable.")
    assert "eye examination" in words


def test_what_waits_keeps_its_settled_category(make):
    found = group(make(WAITS), "volumetric")
    assert coded(found, codes.RESPONSE) == [codes.CATEGORIES["SD"][:2]]
    assert coded(found, codes.UNSETTLED) == [codes.CATEGORIES["PD"][:2]]
    assert coded(found, codes.CONFIRMATION) == [("pending", "99TUMORBOARD")]


def test_a_reference_study_has_neither_sum_nor_reference(make):
    found = group(make(REFERENCE), "mrano")
    assert coded(found, codes.RESPONSE) == [("121079", "DCM")]
    assert coded(found, codes.RESPONSE_METHOD) == [("mrano", "99TUMORBOARD")]
    for absent in (codes.RESPONSE_SUM, codes.REFERENCE_DATE, codes.CHANCE):
        assert not named(found, absent)


@pytest.mark.parametrize("category", list(Category))
def test_every_category_has_a_code_of_its_own(category):
    code = codes.CATEGORIES[category.value]
    assert len(code.meaning) <= 64
    assert sum(other[:2] == code[:2] for other in codes.CATEGORIES.values()) == 1


def test_private_code_values_fit(make):
    private = [c for c in vars(codes).values() if isinstance(c, codes.Code) and c.scheme == codes.PRIVATE]
    private += [*codes.CONFIRMED.values(), *(codes.criterion_code(v.criterion, v.criterion) for v in EVERY)]
    assert all(len(c.value) <= 16 and len(c.meaning) <= 64 for c in private)


def test_it_stays_unverified_and_says_who_must_confirm(make):
    report = make(PROGRESSED)
    assert (report.VerificationFlag, report.PreliminaryFlag) == ("UNVERIFIED", "PRELIMINARY")
    assert CAUTION in [i.get("TextValue") for i in items(report)]
    assert CAUTION not in [i.get("TextValue") for i in items(make())]
    assert "PSEUDO" not in str(report)


def test_the_numbers_of_the_study_are_read_as_before(make, listed, tmp_path):
    save(make(*EVERY), tmp_path / "sr.dcm")
    assert read_report_numbers(tmp_path / "sr.dcm") == {(m.name, m.region): m.value for m in listed.measurements}


def test_highdicom_and_dcmqi_read_the_groups(make, tmp_path, tool):
    save(make(*EVERY), tmp_path / "sr.dcm")
    read = highdicom.sr.srread(tmp_path / "sr.dcm").content
    groups = {g.tracking_identifier: g for g in read.get_image_measurement_groups()}
    assert {f"response {v.criterion}" for v in EVERY} < set(groups)
    evaluated = groups["response rano-hgg"].get_qualitative_evaluations()
    assert ("Current Response", "Progressive Disease") in {(e.name.meaning, e.value.meaning) for e in evaluated}
    (measured,) = groups["response rano-hgg"].get_measurements(highdicom.sr.CodedConcept(*_swapped(codes.RESPONSE_SUM)))
    assert measured.value == 1548.2782
    ended = tool("tid1500reader", "--inputDICOM", tmp_path / "sr.dcm", "--outputMetadata", tmp_path / "read.json")
    assert ended.returncode == 0, ended.stderr + ended.stdout
    told = json.loads((tmp_path / "read.json").read_text())["Measurements"]
    assert {f"response {v.criterion}" for v in EVERY} < {g["TrackingIdentifier"] for g in told}


def _swapped(code: codes.Code) -> tuple[str, str, str]:
    return code.value, code.scheme, code.meaning


def test_the_same_verdicts_give_the_same_bytes_and_others_another_uid(make):
    assert len({to_bytes(make(*EVERY)) for _ in range(2)}) == 1
    other = replace(PROGRESSED, total=1548.3)
    assert len({make(v).SOPInstanceUID for v in (PROGRESSED, other)}) == 2
    assert make().SOPInstanceUID != make(PROGRESSED).SOPInstanceUID


def test_each_criterion_is_tracked_by_a_uid_of_its_own(make):
    report = make(*EVERY)
    uids = [next(i.UID for i in items(group(report, v.criterion)) if i.ValueType == "UIDREF") for v in EVERY]
    assert len(set(uids)) == len(EVERY)
