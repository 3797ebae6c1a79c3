"""What only an author knows: the form, facts that answer many items, and what may not be told."""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path

import pytest

from tumorboard.appraise import CHECKLISTS, RunFacts, appraise, read_checklist
from tumorboard.appraise.answer import Answer
from tumorboard.appraise.beside import AUTHORS, appraise_again
from tumorboard.appraise.fields import DataFacts, ModelFacts
from tumorboard.appraise.text import SHUFFLED
from tumorboard.appraise.told import author_form, parse_authors
from tumorboard.appraise.write import appraisal_html, appraisal_json, appraisal_markdown
from tumorboard.errors import InputError

_spec = importlib.util.spec_from_file_location("facts_of_runs", Path(__file__).with_name("facts_of_runs.py"))
runs = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(runs)

RUN = RunFacts(data=DataFacts(digital=False, patients=80, events=30), model=ModelFacts(learner="logistic"))


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "facts.json").write_text(RUN.model_dump_json(exclude_none=True))
    return tmp_path


def test_the_form_names_what_is_open_and_is_read_back():
    facts = runs.everything()
    found = [appraise(facts, read_checklist(name)) for name in CHECKLISTS]
    form = author_form(facts, found)
    empty = parse_authors(form)
    assert (dict(empty.facts), empty.answers) == ({}, {name: {} for name in CHECKLISTS})
    filled = re.sub(r'^#(    ".*": "yes: page )', r" \g<1>3", form, flags=re.M)
    told = parse_authors(filled).answers
    for first in found:
        name = first.checklist.id
        assert set(told[name]) == {a.item.number for a in first.answers if a.answer is Answer.AUTHOR}
        score = appraise(facts, first.checklist, told[name]).score
        assert score.low == score.most


def test_every_fact_of_the_form_can_be_told_as_it_stands():
    """Each line, its # taken away, is YAML of the right kind (words are put between the quotes)."""
    facts = RUN.closed()
    form = author_form(facts, [appraise(facts, read_checklist(name)) for name in CHECKLISTS])
    lines = [line for line in form.splitlines() if re.match(r"#  \w+\.\w+:", line)]
    assert len(lines) > 40
    kinds = {"images.segmentation": '"manual"', "model.output": '"risk"', "validation.design": '"kfold"'}
    assert "none, manual, semi-automated, automated" in form
    text = "facts:\n" + "\n".join(" " + line[1:].replace('""', '"x"').replace("[ ]", "[x]") for line in lines)
    text = re.sub(r" ([\w.]+): \"x\"", lambda m: f" {m[1]}: {kinds.get(m[1], '1x')}", text)
    told = parse_authors(text)
    wrong = []
    for path, value in told.facts.items():
        try:
            type(told)({path: max(value, 2) if type(value) in (int, float) else value}).joined(facts)
        except InputError as error:
            wrong.append((path, str(error)))
    assert [w for w in wrong if "no more" not in w[1] and "less than or equal" not in w[1]] == []


def test_a_fact_answers_items_of_many_checklists(folder):
    before = appraise_again(folder)
    assert not before.told
    assert before.form == folder / AUTHORS
    (folder / AUTHORS).write_text(
        'facts:\n  data.prospective: no\n  data.sources: [one hospital]\nanswers:\n  clear:\n    "1": "yes: page 1"\n'
    )
    after = appraise_again(folder)
    assert after.told
    more = {
        b.checklist.id: [y.item.number for x, y in zip(b.answers, a.answers, strict=True) if x.answer is not y.answer]
        for b, a in zip(before.appraisals, after.appraisals, strict=True)
    }
    assert sum(bool(numbers) for numbers in more.values()) >= 4
    assert "1" in more["clear"]
    written = json.loads((folder / "checklists" / "clear.json").read_text())
    assert written["items"][0]["evidence"] == "the author: page 1"
    assert "checklists.png" in after.page.read_text()
    assert (folder / AUTHORS).read_text().startswith("facts:")  # never written over


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("facts:\n  data.patients: 90", "the run has settled it"),
        ("facts:\n  performance.decision_curve: yes", "the run has settled it"),
        ("facts:\n  data.prospectiv: no", "did you mean"),
        ("facts:\n  data.prospective: perhaps", "data.prospective"),
        ("facts:\n  derived.intervals: yes", "follow from others"),
        ("facts:\n  data.needed: 900\n  data.enough: yes", "are not enough"),
        ("answers:\n  rqs:\n    '1': 'yes'", "an answer like"),
        ("answers:\n  rqs:\n    '1': 'maybe: page 2'", "an answer like"),
        ("answers:\n  rqs:\n    '1': 'yes: page '", "an answer like"),
        ("answers:\n  rqs:\n    '99': 'yes: page 2'", "left to the author"),
        ("answers:\n  rq:\n    '1': 'yes: p. 2'", "answers to"),
        ("answers: 3", "a table"),
        ("else: 3", "the keys facts and answers"),
        ("[", "YAML"),
    ],
)
def test_what_an_author_may_not_tell_is_refused(folder, text, said):
    place = folder / "mine.yaml"
    place.write_text(text)
    with pytest.raises(InputError, match=said):
        appraise_again(folder, place)
    assert not (folder / "checklists").exists()


def test_an_unknown_checklist_and_a_strange_folder_are_refused(folder, tmp_path):
    with pytest.raises(InputError, match="did you mean 'clear'"):
        appraise_again(folder, names=["cleer"])
    with pytest.raises(InputError, match=r"without facts\.json"):
        appraise_again(tmp_path / "nowhere")


def test_a_null_cohort_is_named_above_every_answer():
    facts = RunFacts(data=DataFacts(digital=False, shuffled=True, patients=80))
    found = appraise(facts, read_checklist("rqs"))
    assert SHUFFLED in appraisal_markdown(found)
    assert f'<p class="digital">{SHUFFLED}</p>' in appraisal_html(found)
    assert json.loads(appraisal_json(found))["shuffled"] is True
    assert json.loads(appraisal_json(found))["digital"] is False
