"""Nothing is answered that was not done: knowing less never earns more, digital patients prove nothing of hospitals."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tumorboard.appraise import (
    CHECKLISTS,
    Answer,
    DataFacts,
    ImageFacts,
    MetricFact,
    RunFacts,
    Told,
    appraise,
    parse_checklist,
    read_checklist,
)
from tumorboard.appraise.audit import questions
from tumorboard.appraise.expression import Ask
from tumorboard.appraise.fields import SECTIONS
from tumorboard.appraise.words import DERIVED, about_world, noun, paths
from tumorboard.errors import InputError
from tumorboard.metrics.estimate import Estimate

_spec = importlib.util.spec_from_file_location("facts_of_runs", Path(__file__).with_name("facts_of_runs.py"))
runs = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(runs)

TOLD = [p for p in paths() if not p.startswith("derived.")]


@st.composite
def some_facts(draw) -> RunFacts:
    """Facts of which each is as in the full run, another value, or unknown; contradictory ones too."""
    facts = RunFacts()
    for name, values in runs.EVERYTHING.items():
        others = {fact: draw(st.sampled_from(_values(name, fact, value))) for fact, value in values.items()}
        facts = facts.model_copy(update={name: getattr(facts, name).model_copy(update=others)})
    return facts


def _values(section: str, fact: str, value: object) -> list:
    if isinstance(value, bool):
        return [True, False, None]
    if isinstance(value, tuple):
        return [value, (), None]
    if isinstance(value, int | float):
        return [value, 1, None]
    field = SECTIONS[section].model_fields[fact]
    choices = [c for arm in getattr(field.annotation, "__args__", ()) for c in getattr(arm, "__args__", ())]
    return [value, None, *(c for c in choices if isinstance(c, str))]


@settings(max_examples=25, deadline=None)
@given(facts=some_facts(), path=st.sampled_from(TOLD), name=st.sampled_from(CHECKLISTS))
def test_taking_a_fact_away_never_earns_anything(facts, path, name):
    checklist = read_checklist(name)
    for before, after in zip(
        appraise(facts, checklist).answers, appraise(facts.without(path), checklist).answers, strict=True
    ):
        assert after.low <= before.low
        if after.answer is Answer.YES:
            assert before.answer is Answer.YES, f"{name} {before.item.number} became yes without {path}"


@pytest.mark.parametrize("name", CHECKLISTS)
def test_taking_any_fact_of_a_full_run_away_never_earns_anything(name):
    checklist, facts = read_checklist(name), runs.everything()
    full = appraise(facts, checklist)
    yes = {a.item.number for a in full.answers if a.answer is Answer.YES}
    for path in facts.known():
        fewer = appraise(facts.without(path), checklist)
        assert {a.item.number for a in fewer.answers if a.answer is Answer.YES} <= yes
        assert fewer.score.low <= full.score.low


@pytest.mark.parametrize("name", CHECKLISTS)
def test_no_facts_no_yes(name):
    for facts in (
        RunFacts(),
        RunFacts(data=DataFacts(digital=True)),
        RunFacts(data=DataFacts(digital=False)),
        RunFacts().closed(),
    ):
        found = appraise(facts, read_checklist(name))
        assert not {Answer.YES, Answer.PARTLY} & {a.answer for a in found.answers}
        assert found.score.low == read_checklist(name).least


@settings(max_examples=25, deadline=None)
@given(facts=some_facts(), name=st.sampled_from(CHECKLISTS))
def test_the_score_lies_between_its_ends_and_its_sections_sum_to_it(facts, name):
    found = appraise(facts, read_checklist(name))
    score = found.score
    assert score.low <= score.high <= score.most + 1e-9
    if found.checklist.score != "percent":
        for end in ("low", "high", "most"):
            assert sum(getattr(s, end) for s in found.by_section.values()) == pytest.approx(getattr(score, end))
    assert score.settled or any(a.answer is Answer.AUTHOR or a.high > a.low for a in found.answers)


def test_digital_patients_show_nothing_of_hospitals():
    digital = runs.everything(data={"digital": True, "prospective": None})
    unknown = runs.everything(data={"digital": None})
    for name in CHECKLISTS:
        for answered in appraise(digital, read_checklist(name)).answers:
            asks = [p for part in answered.item.ways if part.ask for p in part.ask.paths]
            whole = [p for p in asks if about_world(p)]
            if whole and len(answered.item.ways) == 1 and not answered.item.ways[0].ask.any:
                assert answered.answer is not Answer.YES, f"{name} {answered.item.number}"
    rqs = {a.item.number: a for a in appraise(digital, read_checklist("rqs")).answers}
    assert (rqs["12"].low, rqs["12"].answer) == (-5, Answer.NO)
    assert rqs["11"].answer is Answer.NO
    open_ones = {a.item.number: a for a in appraise(unknown, read_checklist("rqs")).answers}
    assert (open_ones["12"].low, open_ones["12"].answer) == (-5, Answer.AUTHOR)


def test_evidence_has_the_numbers_and_what_is_missing_is_named():
    facts = runs.everything(data={"sites": 1, "sample_size": None}, performance={"decision_curve": None})
    metrics = {a.item.number: a for a in appraise(facts, read_checklist("metrics")).answers}
    assert metrics["4"].missing == "number of hospitals"
    assert metrics["9"].evidence == "automated segmentation; mean Dice 0.88 against readers"
    tripod = {a.item.number: a for a in appraise(facts, read_checklist("tripod-2015")).answers}
    assert "AUC 0.85 (95 % interval 0.80 to 0.90, n = 240)" in tripod["16"].evidence
    assert tripod["8"].answer is Answer.AUTHOR
    told = "300 patients, 120 with the outcome, 10.0 outcomes per candidate predictor"
    assert tripod["8"].missing == f"a calculation of the sample size; the run tells: {told}"
    rqs = {a.item.number: a for a in appraise(facts, read_checklist("rqs")).answers}
    assert rqs["14"].missing == "a decision curve"


def test_an_item_may_be_partly_answered():
    facts = runs.everything(open={"code": False, "features": False})
    (item,) = [a for a in appraise(facts, read_checklist("rqs")).answers if a.item.number == "16"]
    assert (item.answer, item.low, item.high, item.most) == (Answer.PARTLY, 2, 2, 4)
    assert item.missing == "code, public; features and outcomes, public"


def test_an_item_is_no_yes_until_it_is_known_to_apply():
    without = runs.everything(question={"develops": None})
    (item,) = [a for a in appraise(without, read_checklist("tripod-2015")).answers if a.item.number == "15b"]
    assert (item.answer, item.low, item.high, item.denied) == (Answer.AUTHOR, 0, 1, False)
    told = (
        "whether it applies (for studies that develop a model); the run tells: a card that tells how to use the model"
    )
    assert item.missing == told


# --- the author ------------------------------------------------------------------------------------------------------


def test_the_author_settles_what_is_open_and_nothing_else():
    facts, checklist = runs.everything(), read_checklist("tripod-2015")
    first = appraise(facts, checklist)
    found = appraise(
        facts, checklist, {"1": Told(Answer.YES, "page 1"), "10e": Told(Answer.NOT_APPLICABLE, "not done")}
    )
    by = {a.item.number: a for a in found.answers}
    assert (by["1"].answer, by["1"].evidence) == (Answer.YES, "the author: page 1")
    assert (by["10e"].answer, by["10e"].most) == (Answer.NOT_APPLICABLE, 0)
    assert found.score.low == first.score.low + 1
    assert found.score.most == first.score.most - 1
    for number in ("9", "99"):
        with pytest.raises(InputError, match="left to the author"):
            appraise(facts, checklist, {number: Told(Answer.YES, "page 2")})


def test_the_author_cannot_claim_what_the_facts_deny():
    """Whether a fully automated segmentation was used is unknown; that nobody evaluated one is known."""
    facts = runs.everything(features={"end_to_end": None, "deep": None}, performance={"robustness": None})
    checklist = parse_checklist(
        TABLE + 'ask = "open.code"\nscope = ["s"]\n[scopes.s]\nwords = "for some"\n'
        'not_applicable_when = {is = {"features.end_to_end" = false}}\n'
    )
    facts = facts.model_copy(update={"open": facts.open.model_copy(update={"code": False})})
    (item,) = appraise(facts, checklist).answers
    assert item.answer is Answer.AUTHOR
    assert item.denied
    with pytest.raises(InputError, match="did not do it"):
        appraise(facts, checklist, {"1": Told(Answer.YES, "page 3")})
    assert appraise(facts, checklist, {"1": Told(Answer.NO, "no")}).answers[0].answer is Answer.NO
    assert appraise(facts, checklist, {"1": Told(Answer.NOT_APPLICABLE, "no network")}).score.most == 0


def test_a_long_list_is_cut():
    many = tuple(MetricFact(name=f"m{k}", value=0.5, n=9) for k in range(9))
    said = runs.everything(performance={"metrics": many}).say("performance.metrics")
    assert said.endswith("m5 0.50 (n = 9), 3 more")


def test_an_author_says_where():
    with pytest.raises(InputError):
        Told(Answer.YES, " ")
    with pytest.raises(InputError):
        Told(Answer.AUTHOR, "page 1")


# --- the language ----------------------------------------------------------------------------------------------------

TABLE = """
id = "mine"
title = "Mine"
version = "1"
source = "ours"
reading = "ours"
score = "count"
count = 1
most = 1

[[item]]
number = "1"
section = "Data"
text = "Something"
"""


def asked(table, facts: RunFacts) -> bool | None:
    return Ask.model_validate(table).of(facts).truth


def test_three_values():
    facts = RunFacts(data=DataFacts(digital=False, patients=50, consecutive=False), images=ImageFacts(steps=()))
    yes, no, unknown = "data.patients", "data.consecutive", "data.dates"
    assert [asked(p, facts) for p in (yes, no, unknown)] == [True, False, None]
    assert asked({"all": [yes, no, unknown]}, facts) is False
    assert asked({"all": [yes, unknown]}, facts) is None
    assert asked({"any": [no, unknown]}, facts) is None
    assert asked({"any": [no, yes]}, facts) is True
    assert asked({"any": [no, {"at_least": {"data.patients": 51}}]}, facts) is False
    assert asked({"at_least": {"data.patients": 50}}, facts) is True
    assert asked({"at_most": {"data.patients": 49}}, facts) is False
    assert asked({"known": ["data.consecutive"]}, facts) is True
    assert asked({"is": {"data.consecutive": False}}, facts) is True
    assert asked("images.steps", facts) is False
    assert asked({"known": ["images.steps"]}, facts) is True


def test_one_is_not_true():
    assert asked({"is": {"data.patients": True}}, RunFacts(data=DataFacts(patients=1))) is False


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ('ask = "data.patient"', "data.patients"),
        ('ask = "data.sites"\nalso = ["open.cod"]', "open.code"),
        ("ask = {}", "one fact at least"),
        ('ask = {exec = "import os"}', "checklist"),
        ('scope = ["V"]', "no such kind of study: V"),
        ("points = 2.0", "do not sum to 1"),
        ('[[item]]\nnumber = "2"\nsection = "Data"\ntext = "More"', "1 items are declared and 2"),
        ("otherwise = -1.0", "do not sum to 0"),
        ("= 3", "TOML"),
    ],
)
def test_a_wrong_table_is_refused_in_words(more, told):
    with pytest.raises(InputError, match=told):
        parse_checklist(TABLE + more)


def test_an_unknown_checklist_proposes_the_nearest():
    with pytest.raises(InputError, match="did you mean 'claim-2024'"):
        read_checklist("claim2024")


def test_every_fact_has_a_reader():
    """A fact that no checklist and no audit asks for would be told for nothing."""
    asked_for = {p for name in CHECKLISTS for p in read_checklist(name).paths()}
    asked_for |= {p for q in questions() for p in q.ask.paths}
    derived_from = {"question.cites", "features.deep", "data.rows", "validation.external_events", "open.images"}
    derived_from |= {"data.shuffled"}  # said above every appraisal
    assert set(paths()) - asked_for <= derived_from | {f"derived.{n}" for n in DERIVED}


# --- facts -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wrong",
    [
        {"data": {"patients": 10, "rows": 10, "events": 11}},
        {"data": {"patients": 10, "rows": 9}},
        {"data": {"patients": 10, "needed": 40, "enough": True}},
        {"data": {"digital": True, "prospective": True}},
        {"data": {"patients": 0}},
        {"data": {"missing_share": 1.2}},
        {"data": {"patients": "10"}},
        {"data": {"patient": 10}},
        {"images": {"segmentation": "manual", "dice": 0.9}},
        {"images": {"segmentation": "by hand"}},
        {"features": {"candidates": 3, "selected": 4}},
        {"model": {"groups": False, "risk_groups": 2}},
        {"validation": {"external": False, "external_sites": 2}},
        {"validation": {"external": False, "design": "external"}},
        {"validation": {"external_patients": 5, "external_events": 6}},
        {"performance": {"metrics": [{"name": "AUC", "value": 0.9, "low": 0.5, "high": 0.8, "n": 5}]}},
        {"performance": {"metrics": [{"name": "AUC", "value": 0.9, "low": 0.5, "n": 5}]}},
    ],
)
def test_contradictions_are_refused(wrong):
    import json

    with pytest.raises(InputError):
        RunFacts.read(json.dumps(wrong))


def test_no_external_test_no_external_measure():
    with pytest.raises(ValueError, match="nothing is measured on external patients"):
        runs.everything(
            validation={"external": False, "external_patients": None, "external_sites": None, "external_events": None}
        )


def test_facts_come_back_from_json():
    facts = runs.everything()
    assert RunFacts.read(facts.model_dump_json()) == facts
    with pytest.raises(InputError):
        RunFacts.read("{")


def test_a_closed_run_tells_what_it_did_not_do():
    facts = runs.everything(performance={"decision_curve": None, "failures": None}).closed()
    assert (facts.performance.decision_curve, facts.performance.failures) == (False, False)
    assert facts.performance.clinical is True
    assert RunFacts().closed().data.consecutive is None
    assert RunFacts().closed().features.reduction == ()
    assert RunFacts().closed().features.families is None
    (item,) = [a for a in appraise(RunFacts().closed(), read_checklist("rqs")).answers if a.item.number == "10"]
    assert (item.answer, item.high) == (Answer.NO, 0)


def test_an_estimate_without_a_whole_interval_gives_none():
    nan = float("nan")
    assert MetricFact.of("AUC", Estimate.bare(1.0, "all pairs go one way", 9)).low is None
    assert MetricFact.of("median", Estimate(10.0, 5.0, float("inf"), 9)).high is None
    with pytest.raises(ValueError, match="finite"):
        MetricFact.of("AUC", Estimate(nan, nan, nan, 0))


@pytest.mark.parametrize(
    ("name", "yes"), [("harrell_c", True), ("macro_auc", True), ("hand_till", True), ("brier", False)]
)
def test_measures_of_discrimination_are_known_by_name(name, yes):
    facts = runs.everything(performance={"metrics": (MetricFact(name=name, value=0.5, n=9),)})
    assert facts.look("derived.discrimination").value is yes


def test_every_fact_has_a_noun_and_speaks():
    facts = runs.everything()
    for path in paths():
        assert noun(path)
        assert facts.say(path), path
        assert "{" not in facts.say(path)
    assert RunFacts().say("data.patients") == ""
