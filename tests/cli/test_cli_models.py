"""``run --models`` and ``lab page``: exit codes and sentences for whatever can be wrong with a model."""

from __future__ import annotations

import json
import shutil

import pytest

RUN = ("run", "--segmenter", "fuzzy")


@pytest.fixture
def model(idh_model, tmp_path):
    shutil.copytree(idh_model, tmp_path / "trained")
    return tmp_path / "trained"


def test_a_model_of_digital_patients_is_refused_on_a_patient(refused, write, home, tmp_path, model):
    write("T1C", "FLAIR")
    says = (
        "expected a model that learned from patients",
        "digital patients",
        "train the recipe on a cohort of patients",
    )
    refused(*RUN, home, "--out", tmp_path / "out", "--models", model, says=says)
    assert not list((tmp_path / "out").glob("sub-*"))


def test_whatever_is_wrong_with_a_model_is_told(refused, write, home, tmp_path, model):
    write("T1C", "FLAIR")
    given = (*RUN, home, "--out", tmp_path / "out", "--models")
    refused(*given, tmp_path / "nothing", says=("a model that tumorboard lab wrote",))
    refused(*given, model, "--models", model, says=("models of different ids", "give it once"))
    refused(*given, model, "--clinical", tmp_path / "none.csv", says=("a table as CSV or TSV",))
    card = json.loads((model / "metadata.json").read_text())
    (model / "metadata.json").write_text(json.dumps(card | {"format": 9}))
    refused(*given, model, says=("a model of format 1; got format 9",))
    lost = card["recipe"].replace("name: logistic", "name: logistik")
    (model / "metadata.json").write_text(json.dumps(card | {"recipe": lost}))
    refused(*given, model, says=("a recipe of this version", "logistik"))
    assert not list((tmp_path / "out").glob("sub-*"))


def test_clinical_columns_are_for_models(refused, write, home, tmp_path, digital_tables):
    write("T1C", "FLAIR")
    table = digital_tables / "participants.tsv"
    refused(*RUN, home, "--out", tmp_path / "out", "--clinical", table, says=("add --models",))


def test_a_page_of_a_case_folder(command, refused, tmp_path, model, digital_tables):
    root = tmp_path / "out" / "sub-digital7"
    root.mkdir(parents=True)
    card = {"pseudonym": "digital7", "identity": "", "digital": True, "studies": [], "events": []}
    (root / "patient.json").write_text(json.dumps(card))
    page = tmp_path / "page.pdf"
    refused("lab", "page", model, root, "--out", page, says=("none of: column age; column sex; column kps",))
    assert not page.exists()
    ended = command("lab", "page", model, root, "--out", page, "--clinical", digital_tables / "participants.tsv")
    assert ended.code == 0, ended.text
    assert page.read_bytes().startswith(b"%PDF")
    refused("lab", "page", model, tmp_path, "--out", page, says=("the case folder of one patient",))
