"""``export``: a finished case as FHIR and as BIDS by the command line, and what it says of the wrong folder."""

import json

import pytest
from typer.testing import CliRunner

from tumorboard.cli.main import app
from tumorboard.errors import InputError
from tumorboard.measurement import Measurement, StudyMeasurements
from tumorboard.report.model import RESEARCH_BANNER, Report


@pytest.fixture
def case(tmp_path):
    root = tmp_path / "out" / "sub-P1"
    (root / "ses-01").mkdir(parents=True)
    (root / ".stages").mkdir()
    absent = Measurement.missing("volume", "RC", "mL", "no cavities are looked for")
    listed = StudyMeasurements(patient="P1", study="ses-01", sequences=(), segmenter="s", measurements=(absent,))
    (root / "ses-01" / "measurements.json").write_text(listed.model_dump_json())
    (root / "patient.json").write_text(json.dumps({"pseudonym": "P1", "digital": True, "studies": [{"id": "ses-01"}]}))
    report = Report(patient="P1", created_by="tumorboard 0.1", banners=(RESEARCH_BANNER,), facts=(), studies=())
    (root / ".stages" / "report_model.json").write_text(report.model_dump_json())
    return root


def run(*words):
    return CliRunner().invoke(app, ["export", *map(str, words)], catch_exceptions=True)


def test_fhir(case, tmp_path):
    ended = run("fhir", case, "--out", tmp_path / "p1.json")
    assert ended.exit_code == 0, ended.output
    assert "1 DiagnosticReport; all preliminary" in ended.output
    assert json.loads((tmp_path / "p1.json").read_text())["resourceType"] == "Bundle"


def test_bids_takes_the_output_folder_of_a_run_or_a_patient_in_it(case, tmp_path):
    for n, given in enumerate((case, case.parent)):
        ended = run("bids", given, "--out", tmp_path / f"bids{n}")
        assert ended.exit_code == 0, ended.output
        assert "1 patient, 1 study" in ended.output
        assert (tmp_path / f"bids{n}" / "sub-P1" / "ses-01" / "anat" / "sub-P1_ses-01_measurements.tsv").is_file()


@pytest.mark.parametrize("words", [("fhir", "."), ("bids", ".")])
def test_another_folder_is_refused(tmp_path, words, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ended = run(*words, "--out", "x")
    assert isinstance(ended.exception, InputError)
    assert str(tmp_path) not in str(ended.exception)
