"""What is written: the same answers as JSON, Markdown, HTML and a picture; the audit; the reference."""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tumorboard.appraise import CHECKLISTS, RunFacts, appraise, read_checklist
from tumorboard.appraise.audit import audit, audit_markdown
from tumorboard.appraise.describe import checklists_page, describe, describe_facts
from tumorboard.appraise.picture import appraisal_picture
from tumorboard.appraise.text import DIGITAL, score_words
from tumorboard.appraise.words import paths
from tumorboard.appraise.write import appraisal_html, appraisal_json, appraisal_markdown, write_appraisals
from tumorboard.errors import InputError

_spec = importlib.util.spec_from_file_location("facts_of_runs", Path(__file__).with_name("facts_of_runs.py"))
runs = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(runs)

each_checklist = pytest.mark.parametrize("name", CHECKLISTS)


@each_checklist
def test_json_and_markdown_hold_every_answer(name):
    found = appraise(runs.everything(), read_checklist(name))
    table = json.loads(appraisal_json(found))
    assert [i["answer"] for i in table["items"]] == [a.answer.value for a in found.answers]
    assert sum(i["points"]["low"] for i in table["items"] if table["score"]["kind"] != "percent") in (
        0,
        table["score"]["low"],
    )
    rows = [line for line in appraisal_markdown(found).splitlines() if line.startswith("| ")][2:]
    assert [row.split(" | ")[0].strip("| ") for row in rows] == [i.number for i in found.checklist.items]
    assert all(len(re.split(r"(?<!\\)\|", row)) == 7 for row in rows)


@each_checklist
def test_what_is_not_verified_is_printed(name):
    found = appraise(RunFacts(), read_checklist(name))
    notes = [*found.checklist.unverified.values(), *(i.unverified for i in found.checklist.items if i.unverified)]
    for text in (appraisal_markdown(found), appraisal_json(found), describe(found.checklist)):
        assert all(note in text for note in notes)
    assert found.checklist.reading in appraisal_markdown(found)


def test_digital_patients_are_named_everywhere():
    found = appraise(runs.everything(data={"digital": True, "prospective": None}), read_checklist("rqs"))
    assert DIGITAL in appraisal_markdown(found)
    assert f'<p class="digital">{DIGITAL}</p>' in appraisal_html(found)
    assert json.loads(appraisal_json(found))["digital"] is True
    real = appraise(runs.everything(), read_checklist("rqs"))
    assert "simulated" not in appraisal_markdown(real) + appraisal_html(real)


def test_text_of_users_is_escaped():
    facts = runs.everything(data={"eligibility": "age < 18 | <script>x</script>\nnot"})
    found = appraise(facts, read_checklist("clear"))
    assert "<script>" not in appraisal_html(found)
    assert "&lt;script&gt;" in appraisal_html(found)
    (row,) = [line for line in appraisal_markdown(found).splitlines() if line.startswith("| 11 ")]
    assert r"age < 18 \| <script>x</script> not" in row


def test_the_range_is_in_the_score():
    assert score_words(appraise(RunFacts(), read_checklist("metrics"))).startswith(
        "0 % (very low); up to 100 % (excellent)"
    )
    full = appraise(runs.everything(), read_checklist("rqs"))
    assert score_words(full) == "36 of 36 points"


def test_files_are_written_and_the_same_twice(tmp_path):
    found = [appraise(runs.everything(), read_checklist(name)) for name in ("rqs", "metrics")]
    written = write_appraisals(tmp_path / "a", found)
    assert {p.name for p in written} == {p.name for p in (tmp_path / "a").iterdir()}
    assert {"rqs.json", "rqs.md", "metrics.json", "metrics.md", "checklists.html", "checklists.png"} == {
        p.name for p in written
    }
    again = write_appraisals(tmp_path / "b", found)
    assert [p.read_bytes() for p in written] == [p.read_bytes() for p in again]


def test_the_picture_needs_something():
    with pytest.raises(InputError):
        appraisal_picture([])


@each_checklist
def test_the_reference_names_every_item(name):
    text = describe(read_checklist(name))
    for item in read_checklist(name).items:
        assert f"| {item.number} | {item.section} | {item.text}" in text


def test_the_tables_claim_nothing_of_a_device():
    """What the pages of the docs may not say, their generated parts do not say either."""
    claims = r"medical device|diagnos\w+|FDA|CE[- ]mark|clinical(?:ly)?[- ](?:grade|validated|use)"
    assert re.findall(claims, checklists_page(), re.I) == []


def test_the_reference_names_every_fact():
    text = describe_facts()
    assert all(f"`{path}`" in text for path in paths())


def test_the_audit_counts_runs():
    found = audit({"full": runs.everything(), "none": runs.nothing(), "empty": RunFacts(), "digital": _digital()})
    by = {row.question.text: row for row in found.rows}
    external = by["tested on patients of other hospitals"]
    assert (external.yes, external.no, external.unknown) == (("full",), ("none", "digital"), ("empty",))
    assert all(set(r.yes) | set(r.no) | set(r.unknown) == set(found.runs) for r in found.rows)
    assert found.digital == ("digital",)
    mean, deviation = found.mean("rqs")
    scores = [a.score.low for a in found.scores["rqs"].values()]
    assert mean == pytest.approx(sum(scores) / 4)
    assert deviation > 0
    text = audit_markdown(found)
    assert "18.2 % of 77" in text
    assert "1 (25 %)" in text
    assert "18.5 ± 4.0 items" in text


def _digital() -> RunFacts:
    return runs.everything(data={"digital": True, "prospective": None})


def test_an_audit_of_nothing_is_refused():
    with pytest.raises(InputError):
        audit({})


def test_one_run_has_no_deviation():
    assert " ± " not in audit_markdown(audit({"one": runs.everything()})).replace("mean ± SD", "").replace(
        "18.5 ± 4.0", ""
    )


def test_appraising_imports_nothing_heavy():
    heavy = "('matplotlib', 'pandas', 'sklearn', 'torch')"
    code = f"import sys, tumorboard.appraise; print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
