"""FHIR: the bundle is R4B, says what was measured with its codes and units, and what was not with its reason."""

import datetime as dt
import json

import pytest
from fhir.resources.R4B.bundle import Bundle

from tumorboard.errors import InputError
from tumorboard.io import codes
from tumorboard.measurement import Measurement, Source, StudyMeasurements
from tumorboard.report.fhir import SYSTEMS, DicomSeries, DicomStudy, FhirPatient, FhirStudy, fhir_bundle
from tumorboard.report.fhir_case import case_bundle
from tumorboard.report.model import DIGITAL_BANNER, RESEARCH_BANNER, Report, Row
from tumorboard.store import CaseFolder

AT = Source(file="dseg.nii.gz")
MEASURED = (
    Measurement(name="volume", region="ET", value=12.5, unit="mL", method="m", source=AT, interval=(10.0, 14.0)),
    Measurement(name="lobe", region="WT", value="temporal", unit="1", method="m", source=AT, quality="coarse"),
    Measurement(name="lesion_count", region="TC", value=2, unit="1", method="m", source=AT),
    Measurement(name="diameter_product_ce_only", region="lesion 1", value=300.0, unit="mm2", method="m", source=AT),
    Measurement(name="midline_shift", region="brain", value=-0.0, unit="mm", method="m", source=AT, quality="proxy"),
    Measurement.missing("volume", "RC", "mL", "no cavities are looked for"),
)
LISTED = StudyMeasurements(
    patient="P1", study="ses-01", sequences=("T1C",), segmenter="s 1", measurements=MEASURED, warnings=("w: faint",)
)
REPORT = Report(
    patient="P1",
    created_by="tumorboard 0.9",
    banners=(RESEARCH_BANNER, DIGITAL_BANNER),
    facts=(Row(label="Enhancing tumour", value="12.5", unit="mL"),),
    studies=(),
)
DICOM = DicomStudy("1.2.3", (DicomSeries("1.2.3.1", "MR", "T1C", (("1.2.3.1.1", "1.2.840.10008.5.1.4.1.1.4"),)),))
VERDICT = {"criterion": "rano-2.0", "category": "NE", "imaging_only": "PD", "reason": "NE: steroids are not known."}
FULL = FhirStudy(LISTED, dt.date(2020, 1, 2), DICOM, (VERDICT,))


@pytest.fixture(scope="module")
def bundle():
    return fhir_bundle(REPORT, (FULL,), FhirPatient("P1", digital=True, pdf=b"%PDF-1.7"))


def resources(bundle, kind):
    return [e["resource"] for e in bundle["entry"] if e["resource"]["resourceType"] == kind]


def observation(bundle, name):
    code = codes.measurement_code(name)
    wanted = (SYSTEMS[code.scheme], code.value)
    return [
        o
        for o in resources(bundle, "Observation")
        if wanted == tuple(o["code"]["coding"][0][k] for k in ("system", "code"))
    ]


def test_it_is_read_by_the_library_and_equal_input_gives_equal_output(bundle):
    assert Bundle.model_validate(bundle).type == "collection"
    again = fhir_bundle(REPORT, (FULL,), FhirPatient("P1", digital=True, pdf=b"%PDF-1.7"))
    assert json.dumps(again) == json.dumps(bundle)


def test_every_reference_leads_to_a_resource(bundle):
    known = {e["fullUrl"] for e in bundle["entry"]}
    assert len(known) == len(bundle["entry"])
    text = json.dumps(bundle)
    asked = {part.split('"')[0] for part in text.split('"reference": "')[1:]}
    assert asked
    assert asked <= known


@pytest.mark.parametrize("m", [m for m in MEASURED if isinstance(m.value, int | float)], ids=lambda m: m.name)
def test_each_number_has_its_code_and_its_ucum_unit(bundle, m):
    found = [o for o in observation(bundle, m.name) if "valueQuantity" in o]
    assert [o["valueQuantity"] for o in found] == [
        {"value": m.value, "unit": m.unit, "system": "http://unitsofmeasure.org", "code": m.unit}
    ]
    assert found[0]["method"]["text"] == "m"


def test_units_are_ucum():
    """UCUM's own words for square millimetre, millilitre, percent and one."""
    assert {"mm2", "mL", "mm", "%", "1"} == set(codes.UNITS)


def test_a_word_is_a_code_and_what_is_missing_says_why(bundle):
    (lobe,) = observation(bundle, "lobe")
    assert lobe["valueCodeableConcept"]["coding"][0]["code"] == "78277001"
    assert lobe["note"][0]["text"] == "Quality: coarse."
    missing = [o for o in observation(bundle, "volume") if "dataAbsentReason" in o]
    assert [o["dataAbsentReason"]["text"] for o in missing] == ["no cavities are looked for"]
    for o in resources(bundle, "Observation"):  # invariant obs-6
        assert not ("dataAbsentReason" in o and any(k.startswith("value") for k in o))


def test_intervals_are_components(bundle):
    (volume,) = [o for o in observation(bundle, "volume") if "component" in o]
    assert [c["valueQuantity"]["value"] for c in volume["component"]] == [10.0, 14.0]


def test_everything_is_preliminary_and_told_to_be_research_and_digital(bundle):
    (report,) = resources(bundle, "DiagnosticReport")
    assert {r["status"] for r in [report, *resources(bundle, "Observation")]} == {"preliminary"}
    assert report["conclusion"].startswith(f"{RESEARCH_BANNER}.\n{DIGITAL_BANNER}.\nEnhancing tumour: 12.5 mL.")
    assert report["conclusion"].endswith("w: faint")
    assert all(e["resource"]["meta"]["tag"][0]["code"] == "HTEST" for e in bundle["entry"])
    assert report["presentedForm"][0]["contentType"] == "application/pdf"
    real = fhir_bundle(REPORT, (FULL,), FhirPatient("P1"))
    assert all("meta" not in e["resource"] for e in real["entry"])


def test_regions_group_their_measurements(bundle):
    groups = {o["code"]["text"]: o for o in resources(bundle, "Observation") if "hasMember" in o}
    assert set(groups) == {f"Measurements: {m.region}" for m in MEASURED}
    (report,) = resources(bundle, "DiagnosticReport")
    assert len(report["result"]) == len(groups) + 1


def test_a_verdict_keeps_what_the_images_alone_say(bundle):
    (verdict,) = [o for o in resources(bundle, "Observation") if o["code"].get("text") == "Response: rano-2.0"]
    assert verdict["valueCodeableConcept"]["text"] == "NE"
    assert verdict["component"][1]["valueCodeableConcept"]["text"] == "PD"
    assert verdict["note"][0]["text"] == VERDICT["reason"]


def test_the_imaging_study_has_its_uids(bundle):
    (study,) = resources(bundle, "ImagingStudy")
    assert study["identifier"] == [{"system": "urn:dicom:uid", "value": "urn:oid:1.2.3"}]
    assert study["series"][0]["instance"][0]["sopClass"]["code"] == "urn:oid:1.2.840.10008.5.1.4.1.1.4"
    without = fhir_bundle(REPORT, (FhirStudy(LISTED),), FhirPatient("P1"))
    assert resources(without, "ImagingStudy") == []
    assert "effectiveDateTime" not in json.dumps(without)


def test_no_name_is_in_it(bundle):
    (patient,) = resources(bundle, "Patient")
    assert set(patient) == {"resourceType", "identifier", "meta"}


def test_a_case_folder_is_read(tmp_path):
    folder = CaseFolder(tmp_path, "P1")
    session = folder.session("ses-01")
    session.mkdir(parents=True)
    (session / "measurements.json").write_text(LISTED.model_dump_json())
    told = {"pseudonym": "P1", "digital": True, "studies": [{"id": "ses-01", "date": "2020-01-02"}]}
    (folder.root / "patient.json").write_text(json.dumps(told))
    with pytest.raises(InputError, match="report"):
        case_bundle(folder)
    (folder.root / ".stages").mkdir()
    (folder.root / ".stages" / "report_model.json").write_text(REPORT.model_dump_json())
    (folder.root / "verdicts.csv").write_text(
        "date,criterion,category,imaging_only,reason\n2020-01-02,mrano,SD,SD,stable\n2020-02-02,mrano,PD,PD,later\n"
    )
    bundle = case_bundle(folder)
    assert len(resources(bundle, "DiagnosticReport")) == 1
    responses = [
        o["note"][0]["text"] for o in resources(bundle, "Observation") if o["code"].get("text", "").startswith("Resp")
    ]
    assert responses == ["stable"]
    assert resources(bundle, "DiagnosticReport")[0]["effectiveDateTime"] == "2020-01-02"


def test_a_case_from_dicom_names_its_study(tmp_path):
    from pydicom.data import get_testdata_file

    folder = CaseFolder(tmp_path, "P1")
    session = folder.session("ses-01")
    (session / "dicom").mkdir(parents=True)
    (session / "measurements.json").write_text(LISTED.model_dump_json())
    source = {"T1C": {"SeriesInstanceUID": "1.2.9", "planes": [{"SOPInstanceUID": "1.2.9.1", "frame": 1}]}}
    (session / "source.json").write_text(json.dumps(source))
    made = get_testdata_file("MR_small.dcm", read=True)
    made.save_as(session / "dicom" / "sr.dcm")
    (folder.root / "patient.json").write_text(json.dumps({"pseudonym": "P1", "studies": [{"id": "ses-01"}]}))
    (folder.root / ".stages").mkdir()
    (folder.root / ".stages" / "report_model.json").write_text(REPORT.model_dump_json())
    (study,) = resources(case_bundle(folder), "ImagingStudy")
    assert study["identifier"][0]["value"] == f"urn:oid:{made.StudyInstanceUID}"
    assert [s["uid"] for s in study["series"]] == ["1.2.9", made.SeriesInstanceUID]
