"""``index`` as it is typed: what it prints, what it writes, what it refuses."""

import json

import pytest
import typer
from typer.testing import CliRunner

from tumorboard.cli.indices import register_indices
from tumorboard.errors import InputError


@pytest.fixture
def command():
    app = typer.Typer()
    app.callback()(lambda: None)
    register_indices(app)

    def run(*words: object) -> str:
        ended = CliRunner().invoke(app, ["index", *map(str, words)], env={"COLUMNS": "200"})
        if ended.exception is not None:
            raise ended.exception
        return ended.stdout

    return run


def test_without_a_name_all_are_listed(command):
    told = command()
    for name in ("gpa-2008", "rpa-brain-metastases", "rano-resect", "bmv", "who-2021", "mgmt_methylation"):
        assert name in told
    assert "not shipped: gpa-breast-2020 (points unverified)" in told


def test_an_index_is_printed_and_written(command, tmp_path):
    told = command("gpa-gi-2019", "kps=80", "age=55", "extracranial=no", "--json", tmp_path / "index.json")
    assert "between 2 and 3 of 4" in told
    assert "brain_metastases" in told
    assert "month" not in told
    held = json.loads((tmp_path / "index.json").read_text())
    assert held["possible"] == [2.0, 3.0]


def test_months_are_asked_for(command):
    assert "12.4 months" in command("bmv", "new_metastases=1", "years=1", "--months")


def test_a_diagnosis_is_printed_and_written(command, tmp_path):
    told = command("who-2021", "idh_r132h_ihc=neg", "--who2016", "--json", tmp_path / "who.json")
    assert "Diffuse glioma, NOS." in told
    assert "WHO 2016: open" in told
    assert "idh_sequencing" in told
    assert json.loads((tmp_path / "who.json").read_text())["entity"] == "nos"


def test_a_decided_diagnosis_lists_nothing_that_is_missing(command):
    told = command("who-2021", "idh_r132h_ihc=pos", "codeletion_1p19q=neg", "cdkn2ab_deletion=pos")
    assert "Astrocytoma, IDH-mutant, CNS WHO grade 4." in told
    assert "Possible" not in told
    assert "if positive" not in told


def test_a_table_of_ones_own(command, tmp_path):
    path = tmp_path / "own.toml"
    path.write_text(
        '[[points]]\nid = "own"\ntitle = "Own"\nversion = "1"\nsource = "here"\nmaximum = 1.0\n'
        'groups = [{ name = "all" }]\n[points.factors]\nkps = [{ below = 70, points = 0 }, { points = 1 }]\n'
    )
    assert "1 of 1" in command("own", "kps=70", "--table", path)
    listed = command("--table", path)
    assert "own" in listed
    assert "gpa-2008" not in listed


@pytest.mark.parametrize("words", [("kps",), ("=80",), ("kps=80", "kps=90")])
def test_facts_are_pairs(command, words):
    with pytest.raises(InputError, match="factor=value"):
        command("gpa-2008", *words)
