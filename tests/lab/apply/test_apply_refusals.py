"""Whatever is wrong with a model is told before it is asked: damaged, of another version, twice, of nobody."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import pytest

from tumorboard.errors import FileFormatError, InputError
from tumorboard.lab.apply.ask import ask
from tumorboard.lab.apply.case import read_case, read_tables
from tumorboard.lab.apply.cases import FILE
from tumorboard.lab.apply.shelf import Ready, may_answer, read_all, read_ready, refusal


@pytest.fixture
def copy(idh_model, tmp_path):
    """A copy of a model that may be changed, and how to change its card."""
    folder = tmp_path / "model"
    shutil.copytree(idh_model, folder)

    def change(**told):
        card = json.loads((folder / "metadata.json").read_text())
        (folder / "metadata.json").write_text(json.dumps(card | told))
        return folder

    return change


def test_results_of_a_run_are_as_good_as_the_model_in_them(copy, tmp_path):
    assert read_ready(tmp_path).card == read_ready(copy()).card


@pytest.mark.parametrize("name", ["metadata.json", "model.skops", FILE])
def test_a_damaged_file_is_refused(name, copy):
    place = copy() / name
    place.write_bytes(place.read_bytes()[:-40])
    with pytest.raises(FileFormatError, match="model: expected"):
        read_ready(place.parent)


def test_a_folder_that_is_no_model_is_refused(tmp_path):
    with pytest.raises(FileFormatError, match="a model that tumorboard lab wrote; got another folder"):
        read_ready(tmp_path / "nowhere")


def test_another_format_is_named(copy):
    with pytest.raises(FileFormatError, match=r"a model of format 1; got format 7.*the version of tumorboard"):
        read_ready(copy(format=7))


def test_a_part_that_is_no_more_is_named(copy, idh_model):
    recipe = json.loads((idh_model / "metadata.json").read_text())["recipe"]
    with pytest.raises(
        InputError, match=r"model idh-\w+: expected a recipe of this version; .*'zzscore'.*train it again"
    ):
        read_ready(copy(recipe=recipe.replace("name: zscore", "name: zzscore")))


def test_a_model_of_a_bare_table_is_refused(copy):
    with pytest.raises(InputError, match="a model of a cohort; got one of a bare table"):
        read_ready(copy(origins=[]))


def test_the_card_of_another_model_is_refused(copy):
    with pytest.raises(FileFormatError, match="a card of its own model"):
        read_ready(copy(inputs=["age"]))


def test_one_id_twice_is_refused(copy, idh_model):
    with pytest.raises(InputError, match=r"models of different ids; got idh-\w+ twice"):
        read_all([idh_model, copy()])


def test_who_may_answer(idh_model):
    card = read_ready(idh_model).card
    assert may_answer(card, digital=True)
    assert not may_answer(card, digital=False)
    assert may_answer(card.model_copy(update={"digital": False}), digital=False)
    shuffled = card.model_copy(update={"shuffled": True})
    assert not may_answer(shuffled, digital=True)
    assert "shuffled outcomes" in str(refusal(shuffled))


def test_a_model_of_shuffled_outcomes_answers_for_nobody(idh_model, make_case):
    ready = read_ready(idh_model)
    model = replace(ready.model, card=ready.card.model_copy(update={"shuffled": True}))
    assert ask(Ready(model, ready.recipe, ""), make_case()).status == "refused"


def test_a_digest_changes_with_any_file(copy):
    before = read_ready(copy()).digest
    (copy() / FILE).unlink()
    assert read_ready(copy()).digest != before


def test_a_place_that_is_no_case_is_refused(tmp_path):
    with pytest.raises(InputError, match="the case folder of one patient"):
        read_case(tmp_path)
    (tmp_path / "patient.json").write_text("{}")
    with pytest.raises(InputError, match=r"a patient\.json that is none"):
        read_case(tmp_path)


def test_two_tables_of_one_name_are_refused(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "people.csv").write_text("participant_id,age\nx,1\n")
    with pytest.raises(InputError, match="tables of different names"):
        read_tables([tmp_path / "a" / "people.csv", tmp_path / "b" / "people.csv"])
