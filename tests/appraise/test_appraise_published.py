"""The tables reproduce what the papers publish: numbers of items, weights, points, and who an item is for."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from tumorboard.appraise import CHECKLISTS, Answer, Told, appraise, read_checklist
from tumorboard.appraise.answer import Appraisal

_spec = importlib.util.spec_from_file_location("facts_of_runs", Path(__file__).with_name("facts_of_runs.py"))
runs = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(runs)

YES, NO = Told(Answer.YES, "page 1"), Told(Answer.NO, "not done")


def settled(facts, name: str, answer: Told) -> Appraisal:
    """Appraise, with this answer of the author wherever one is asked for."""
    checklist = read_checklist(name)
    first = appraise(facts, checklist)
    left = [a for a in first.answers if a.answer is Answer.AUTHOR]
    given = {a.item.number: NO if a.denied else answer for a in left}
    return appraise(facts, checklist, given)


@pytest.mark.parametrize(
    ("name", "items", "least", "most"),
    [
        ("tripod-2015", 37, 0, 37),  # 22 items, 37 with their parts
        ("tripod-ai", 52, 0, 52),  # 27 items, 52 with their parts
        ("claim-2020", 42, 0, 42),
        ("claim-2024", 44, 0, 44),
        ("rqs", 16, -8, 36),
        ("metrics", 30, 0, 100),
        ("clear", 58, 0, 56),  # items 53 and 58 are recommended, not essential
    ],
)
def test_items_and_range_are_those_of_the_paper(name, items, least, most):
    checklist = read_checklist(name)
    assert (len(checklist.items), checklist.least, checklist.most) == (items, least, most)
    roots = {"tripod-2015": 22, "tripod-ai": 27}
    if name in roots:
        assert len({"".join(c for c in item.number if c.isdigit()) for item in checklist.items}) == roots[name]


@pytest.mark.parametrize("name", CHECKLISTS)
def test_a_run_that_did_everything_reaches_the_most(name):
    """Every item that the facts can answer is yes, and the rest is the author's."""
    facts = runs.everything()
    first = appraise(facts, read_checklist(name))
    assert {a.answer for a in first.answers} <= {Answer.YES, Answer.AUTHOR}
    assert all(a.item.ask is None for a in first.answers if a.answer is Answer.AUTHOR)
    score = settled(facts, name, YES).score
    assert score.low == score.high == score.most == read_checklist(name).most


TOLD = {
    "tripod-2015": {"14a"},
    "tripod-ai": {"18e", "18f", "21"},
    "claim-2020": {"5", "20"},
    "claim-2024": {"5", "19", "43"},
    "clear": {"10", "17", "27", "38"},
}
"""What such a run reports all the same: how many patients, that it is retrospective, that nothing is shared."""


@pytest.mark.parametrize("name", CHECKLISTS)
def test_a_run_that_did_nothing_reaches_the_least(name):
    found = settled(runs.nothing(), name, NO)
    assert {a.item.number for a in found.answers if a.answer is Answer.YES} == TOLD.get(name, set())
    assert found.score.low == found.score.high == read_checklist(name).least + len(TOLD.get(name, ()))


METRICS = (
    *(3.68, 7.35, 9.19, 4.38, 2.92, 4.38, 2.92, 3.37, 2.25, 1.12, 6.22, 3.11, 4.15, 2.00, 2.00),
    *(3.00, 2.00, 5.99, 3.00, 3.52, 2.34, 1.76, 1.17, 2.93, 1.76, 3.75, 7.49, 0.75, 0.75, 0.75),
)
"""Weights in per cent. Source: Kocak B et al. Insights Imaging 2024;15:8, table 2."""


def test_metrics_weights_are_those_of_the_paper_and_sum_to_100():
    assert tuple(item.points for item in read_checklist("metrics").items) == METRICS
    assert sum(METRICS) == pytest.approx(100.0)


def test_metrics_of_three_items_is_what_its_tool_gives():
    """Only items 2, 3 and 27, everything applicable: 24.03 %, *low*."""
    checklist = read_checklist("metrics")
    keep = runs.everything(
        **{name: _off(name) for name in ("images", "features", "model", "performance", "open")},
        validation={"design": "kfold", "inside_folds": False},
        data={"sites": 1, "public_protocol": False, "acquisition": False, "enough": False, "events": 9},
    )
    first = appraise(keep, checklist)
    answers = {a.item.number: YES if a.item.number == "2" else NO for a in first.answers if a.answer is Answer.AUTHOR}
    found = appraise(keep, checklist, answers)
    assert {a.item.number for a in found.answers if a.answer is Answer.YES} == {"2", "3", "27"}
    assert found.score.low == found.score.high == 24.03
    assert found.bands == ("low",)


def _off(section: str) -> dict:
    """Turn a section off, but for what makes items applicable and the external AUC."""
    kept = {
        "images": {"segmentation": "automated"},
        "features": {"hand_crafted": True, "tabular": True, "end_to_end": True, "candidates": 400, "reduction": ()},
        "performance": {"metrics": (runs.OUTSIDE.model_copy(update={"low": None, "high": None}),), "calibration": ()},
    }
    values = runs.EVERYTHING[section]
    off = {fact: False if value is True else None for fact, value in values.items()}
    return off | kept.get(section, {})


@pytest.mark.parametrize(
    ("changes", "gone"),
    [
        ({"images": {"segmentation": "none", "dice": None, "segmenter": None, "single_test_mask": None}}, {8, 9, 10}),
        ({"images": {"segmentation": "manual", "dice": None}}, {9}),
        ({"features": {"hand_crafted": False, "standard": None}}, {12}),
        (
            {"features": {"tabular": False, "robust": None, "reduction": None}, "data": {"enough": None, "events": 9}},
            {14, 15, 16},
        ),
        ({"features": {"end_to_end": False}, "performance": {"robustness": None}}, {17}),
    ],
)
def test_metrics_conditions_take_items_out_of_the_sum(changes, gone):
    found = settled(runs.everything(**changes), "metrics", YES)
    assert {int(a.item.number) for a in found.answers if a.answer is Answer.NOT_APPLICABLE} == gone
    assert found.score.low == 100.0
    assert sum(a.most for a in found.answers) == pytest.approx(100 - sum(METRICS[n - 1] for n in gone))


def test_rqs_domains_have_the_published_ranges():
    """Source: table 1 of PMC11364578."""
    items = read_checklist("rqs").items
    ranges = {}
    for item in items:
        low, high = ranges.get(item.section, (0.0, 0.0))
        ranges[item.section] = (low + item.otherwise, high + item.most)
    assert list(ranges.values()) == [(0, 5), (-8, 8), (0, 6), (0, 5), (0, 8), (0, 4)]


@pytest.mark.parametrize(
    ("validation", "points"),
    [
        ({"design": "kfold", "external": False}, -5),
        ({"design": "leave_site_out", "external": False}, -5),
        ({"design": "split", "external": False}, 2),
        ({"design": "kfold", "external": True, "external_sites": 1}, 3),
        ({"design": "kfold", "external": True, "external_sites": 2}, 4),
        ({"design": "kfold", "external": True, "external_sites": 1, "earlier_model": True}, 4),
        ({"design": "split", "external": True, "external_sites": 3}, 5),
    ],
)
def test_rqs_validation_gives_the_best_of_its_points(validation, points):
    none = {"external_patients": None, "external_sites": None, "external_events": None, "earlier_model": False}
    facts = runs.everything(validation=none | validation, performance={"metrics": (runs.AUC,)})
    (item,) = [a for a in appraise(facts, read_checklist("rqs")).answers if a.item.number == "12"]
    assert item.low == points


LETTERS = {
    "tripod-2015": ({"10a", "10b", "14a", "14b", "15a", "15b"}, {"10c", "10e", "12", "13c", "17", "19a"}),
    "tripod-ai": ({"9a", "12a", "12b", "12c", "15", "22", "27a", "27b"}, {"12f", "12g", "20c", "24"}),
}
"""Items for development alone, and for validation (evaluation) alone, as the checklists mark them."""


@pytest.mark.parametrize("name", LETTERS)
def test_tripod_items_are_for_the_type_of_study(name):
    development, validation = LETTERS[name]
    items = read_checklist(name).items
    assert {i.number for i in items if "D" in i.scope} == development
    assert {i.number for i in items if {"V", "E"} & set(i.scope)} == validation
    inside = {"external": False, "external_patients": None, "external_sites": None, "external_events": None}
    inside |= {"design": "kfold", "earlier_model": None}
    facts = runs.everything(validation=inside, performance={"metrics": (runs.AUC,)})
    assert gone(facts, name) == validation  # though its written model would answer how predictions are made
    assert gone(runs.everything(question={"develops": False}), name) == development
    assert gone(runs.everything(), name) == set()


def gone(facts, name: str) -> set[str]:
    """Return the items that do not apply."""
    found = appraise(facts, read_checklist(name))
    return {a.item.number for a in found.answers if a.answer is Answer.NOT_APPLICABLE}


def test_tripod_counts_of_items_are_those_of_its_two_forms():
    """31 of 37 items are in the checklist for development, and 31 in that for validation."""
    checklist = read_checklist("tripod-2015")
    assert sum(not {"V"} & set(i.scope) for i in checklist.items) == 31
    assert sum(not {"D"} & set(i.scope) for i in checklist.items) == 31


def test_tripod_types():
    """Source: Collins GS et al. BMJ 2015;350:g7594, types of prediction model studies."""
    alone = {"external": False, "external_patients": None, "external_sites": None, "external_events": None}
    one = {"metrics": (runs.AUC,)}
    types = {
        "apparent": "1a",
        "bootstrap": "1b",
        "nested": "1b",
        "split": "2a",
        "temporal": "2b",
        "leave_site_out": "2b",
    }
    for design, kind in types.items():
        facts = runs.everything(validation=alone | {"design": design}, performance=one)
        assert facts.look("derived.tripod_type").value == kind
    assert runs.everything().look("derived.tripod_type").value == "3"
    assert runs.everything(question={"develops": False}).look("derived.tripod_type").value == "4"
    assert (
        runs.everything(validation=alone | {"external": None}, performance=one).look("derived.tripod_type").value
        is None
    )
