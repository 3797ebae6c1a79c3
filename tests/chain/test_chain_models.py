"""Models asked on the way: kept when nothing changed, asked again when something did, refused beforehand."""

from __future__ import annotations

import json
import shutil

import pytest

from tumorboard.chain import models, patient, run_intake
from tumorboard.errors import InputError
from tumorboard.intake import IntakeRequest, take_in
from tumorboard.lab.apply import ask as asking
from tumorboard.lab.apply import page
from tumorboard.lab.apply.told import PatientModels
from tumorboard.report.html import render_html
from tumorboard.report.model import Report
from tumorboard.report.pdf import PdfResult
from tumorboard.sequences import Sequence
from tumorboard.settings import RunSettings

PEOPLE = "participant_id,age,sex,kps\nsub-a,{age},F,90\nsub-b,70,F,80\n"


@pytest.fixture(autouse=True)
def no_paper(monkeypatch):
    """Leave the layout out: it takes long and is tested elsewhere."""
    monkeypatch.setattr(patient, "render_pdf", lambda report: PdfResult(None, "left out here"))
    monkeypatch.setattr(page, "pdf_of", lambda made: PdfResult(made().encode()))


def go(folder, model, steps, **changes):
    request = IntakeRequest(inputs=(folder / "in",))
    told = {"models": (str(model),), "clinical": (str(folder / "people.csv"),)} if model else {}
    settings = RunSettings(**({"digital": True, "segmenter": "fuzzy"} | told | changes))

    def listen(step):
        steps.append((step.stage, step.state))

    return run_intake(take_in(request), request, folder / "out", settings, listen)


@pytest.fixture(scope="module")
def finished(tmp_path_factory, make_study, idh_model):
    """A finished run with one model: (folder, what was heard)."""
    folder, steps = tmp_path_factory.mktemp("asked"), []
    make_study(folder / "in", (Sequence.T1C, Sequence.FLAIR), subject="a")
    (folder / "people.csv").write_text(PEOPLE.format(age=45))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(patient, "render_pdf", lambda report: PdfResult(None, "left out here"))
        patch.setattr(page, "pdf_of", lambda made: PdfResult(made().encode()))
        done = go(folder, idh_model, steps)
    return folder, steps, done


@pytest.fixture
def copy(finished, tmp_path):
    shutil.copytree(finished[0], tmp_path / "copy")
    return tmp_path / "copy"


def did(steps):
    return [stage for stage, state in steps if state == "done"]


def test_the_answer_stands_in_the_case_folder_and_in_the_report(finished):
    folder, steps, done = finished
    root = folder / "out" / "sub-a"
    assert did(steps)[-2:] == ["models", "report"]
    told = PatientModels.model_validate_json((root / "models.json").read_text())
    (model,) = told.models
    assert (told.world, model.status, model.world) == ("digital patients", "answered", "digital patients")
    assert (root / model.page).is_file()
    assert (root / "models.csv").read_text().count(model.card) == 2
    report = Report.model_validate_json((root / ".stages" / "report_model.json").read_text())
    (answer,) = report.models.answers
    assert answer.card == model.card
    assert {"Among", "Validity", "Measured", "Learned from"} <= {name for name, _ in answer.rows}
    assert any("digital patients" in w for w in answer.warnings)
    html = render_html(report)
    assert "research output" in html
    assert f'href="{model.page}"' in html
    assert "href" not in render_html(report, unfold=True).partition("research output")[2].partition("Events")[0]
    assert model.card in (root / "methods.md").read_text()
    stages = {s["stage"]: s for s in json.loads((root / "provenance.json").read_text())["stages"]}
    assert "models" in stages
    assert not (root / models.FEATURES).exists()
    assert done.warnings == () or all("model" not in w for w in done.warnings)


def test_settings_tell_no_places(finished):
    text = (finished[0] / "out" / "sub-a" / "provenance.json").read_text()
    assert "people" not in text
    assert str(finished[0]) not in text


def test_nothing_changed_is_kept_and_a_cell_asks_again(copy, idh_model):
    steps = []
    go(copy, idh_model, steps)
    assert did(steps) == []
    (copy / "people.csv").write_text(PEOPLE.format(age=45).replace("sub-b,70", "sub-b,71"))
    go(copy, idh_model, steps := [])
    assert did(steps) == []
    (copy / "people.csv").write_text(PEOPLE.format(age=46))
    go(copy, idh_model, steps := [])
    assert did(steps) == ["models", "report"]


def test_without_models_no_answer_outlives_the_question(copy):
    go(copy, None, steps := [])
    root = copy / "out" / "sub-a"
    assert did(steps) == ["report"]
    assert not any(root.glob("models*/*"))
    assert not any(root.glob("models.*"))
    assert "research output" not in (root / "report.html").read_text()


def test_what_is_missing_is_said_and_the_report_stands(copy, idh_model):
    (copy / "people.csv").write_text("participant_id,age,sex\nsub-a,45,F\n")
    done = go(copy, idh_model, [])
    assert any("was not applied: column kps" in w for w in done.warnings)
    root = copy / "out" / "sub-a"
    report = Report.model_validate_json((root / ".stages" / "report_model.json").read_text())
    assert report.models.answers == ()
    assert report.models.left_out.rows[0][2:] == ("not applied", "column kps")
    assert not list((root / "models").glob("*.pdf"))


def test_a_killed_run_goes_on(copy, idh_model, monkeypatch):
    (copy / "people.csv").write_text(PEOPLE.format(age=50))

    class Killed(BaseException):
        pass

    def dies(*_, **__):
        raise Killed

    before = (copy / "out" / "sub-a" / "models.json").read_bytes()
    with monkeypatch.context() as patch:
        patch.setattr(page, "models_csv", dies)
        with pytest.raises(Killed):
            go(copy, idh_model, [])
    go(copy, idh_model, steps := [])
    assert did(steps) == ["models", "report"]
    assert (copy / "out" / "sub-a" / "models.json").read_bytes() != before


def test_a_model_that_fails_costs_neither_the_others_nor_the_report(copy, idh_model, monkeypatch):
    def fails(*_, **__):
        raise InputError("features", got="a broken study", where="radiomics")

    (copy / "people.csv").write_text(PEOPLE.format(age=51))
    monkeypatch.setattr(asking, "new_rows", fails)
    done = go(copy, idh_model, [])
    assert any("not applied: radiomics: expected features; got a broken study" in w for w in done.warnings)
    assert (copy / "out" / "sub-a" / "report.html").is_file()


def test_a_patient_is_refused_before_anything_is_computed(copy, idh_model, contents):
    before = contents(copy / "out")
    with pytest.raises(InputError, match="one that learned from digital patients"):
        go(copy, idh_model, steps := [], digital=False)
    assert steps == []
    assert contents(copy / "out") == before


def test_a_table_without_models_is_refused(copy):
    with pytest.raises(InputError, match="--clinical with --models"):
        go(copy, None, [], clinical=(str(copy / "people.csv"),))
