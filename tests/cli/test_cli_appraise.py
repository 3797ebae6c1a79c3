"""``tumorboard lab appraise`` and ``lab audit``: from facts beside a run, and from a table of papers."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from tumorboard.appraise import DataFacts, RunFacts
from tumorboard.cli.main import app


@pytest.fixture
def folder(tmp_path):
    place = tmp_path / "results"
    place.mkdir()
    facts = RunFacts(data=DataFacts(digital=False, patients=80, events=30))
    (place / "facts.json").write_text(facts.model_dump_json(exclude_none=True))
    return place


def run(*words):
    return CliRunner().invoke(app, ["lab", *map(str, words)])


def test_appraise_writes_pages_and_a_form_and_prints_items(folder):
    told = run("appraise", folder, "--checklist", "rqs")
    assert told.exit_code == 0, told.output
    assert "rqs (2017)" in told.output
    assert "clear" not in told.output
    assert "fill it in" in told.output
    assert (folder / "authors.yaml").is_file()
    assert (folder / "checklists" / "checklists.html").is_file()
    (folder / "authors.yaml").write_text("facts:\n  data.prospective: no\n")
    again = run("appraise", folder)
    assert "fill it in" not in again.output
    assert "tripod-ai" in again.output


def test_appraise_refuses_with_a_remedy(folder):
    (folder / "authors.yaml").write_text("facts:\n  data.patients: 900\n")
    told = run("appraise", folder)
    assert told.exit_code != 0
    assert "the run has settled it" in str(told.exception) + told.output


def test_audit_takes_a_table_and_runs_beside_it(folder, tmp_path):
    (tmp_path / "papers.csv").write_text("study,validation.external\nLao 2017,no\n")
    told = run("audit", tmp_path / "papers.csv", folder, "--out", tmp_path / "audit")
    assert told.exit_code == 0, told.output
    assert {"Lao 2017", "results"} <= {
        line.split(",")[0] for line in (tmp_path / "audit" / "audit.csv").read_text().splitlines()
    }
