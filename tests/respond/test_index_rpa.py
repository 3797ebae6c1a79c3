"""Classes by rules: RPA of metastases and glioblastoma, RANO resect; exact about what is missing."""

import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tumorboard.errors import InputError
from tumorboard.respond.indices import assess
from tumorboard.respond.indices.resect import resect_class
from tumorboard.respond.indices.tables import read_tables, shipped

GOOD = {"kps": 90, "age": 50, "primary_controlled": "yes", "extracranial": "no"}
YOUNG = {"age": 40, "performance_status": 0}
OLD = {"age": 60, "surgery": "resection", "mmse": 29}

# (index, facts, class, rule of the table)
CASES = [
    ("rpa-brain-metastases", GOOD, "I", "all four"),
    ("rpa-brain-metastases", GOOD | {"kps": 70}, "I", "KPS 70 is enough"),
    ("rpa-brain-metastases", GOOD | {"kps": 60}, "III", "KPS below 70"),
    ("rpa-brain-metastases", GOOD | {"age": 64}, "I", "below 65"),
    ("rpa-brain-metastases", GOOD | {"age": 64.9}, "I", "below 65"),
    ("rpa-brain-metastases", GOOD | {"age": 65}, "II", "65 is not below 65"),
    ("rpa-brain-metastases", GOOD | {"age": 66}, "II", "above"),
    ("rpa-brain-metastases", GOOD | {"primary_controlled": "no"}, "II", "primary not controlled"),
    ("rpa-brain-metastases", GOOD | {"extracranial": "yes"}, "II", "extracranial metastases"),
    ("rpa-brain-metastases", GOOD | {"kps": 60, "age": 80, "extracranial": "yes"}, "III", "KPS goes first"),
    ("rpa-glioblastoma-eortc", YOUNG, "III", "below 50, status 0"),
    ("rpa-glioblastoma-eortc", YOUNG | {"age": 49}, "III", "below 50"),
    ("rpa-glioblastoma-eortc", YOUNG | {"performance_status": 1}, "IV", "below 50, status 1"),
    ("rpa-glioblastoma-eortc", YOUNG | {"performance_status": 2}, "IV", "below 50, status 2"),
    ("rpa-glioblastoma-eortc", OLD, "IV", "from 50, resected, MMSE 27 or more"),
    ("rpa-glioblastoma-eortc", OLD | {"age": 50}, "IV", "from 50"),
    ("rpa-glioblastoma-eortc", OLD | {"mmse": 27}, "IV", "MMSE 27"),
    ("rpa-glioblastoma-eortc", OLD | {"mmse": 26}, "V", "MMSE 26"),
    ("rpa-glioblastoma-eortc", OLD | {"surgery": "biopsy"}, "V", "biopsy"),
    ("rpa-glioblastoma-eortc", OLD | {"surgery": "biopsy", "mmse": 20}, "V", "both"),
]
RESECT = [
    ((0, 0), "1"),
    ((0, 5), "1"),
    ((0, 5.01), "2"),
    ((0.01, 0), "2"),
    ((1, 0), "2"),
    ((1, 90), "2"),
    ((1.01, 0), "3"),
    ((5, 90), "3"),
    ((5.01, 0), "3"),
    ((40, 90), "3"),
]
MONTHS = {
    "rpa-brain-metastases": {"I": 7.1, "II": 4.2, "III": 2.3},
    "rpa-glioblastoma-eortc": {"III": 17, "IV": 15, "V": 10},
    "rano-resect": {"1": 24, "2": 19, "3": 15, "4": 10},
}
CHOICES = {
    "rpa-brain-metastases": {
        "kps": (60, 70, 80),
        "age": (64, 65, 66),
        "primary_controlled": ("yes", "no"),
        "extracranial": ("yes", "no"),
    },
    "rpa-glioblastoma-eortc": {
        "age": (49, 50, 51),
        "performance_status": (0, 1, 2, 3, 4),
        "surgery": ("resection", "biopsy"),
        "mmse": (0, 26, 27, 28),
    },
    "rano-resect": {
        "surgery": ("resection", "biopsy"),
        "residual_ce_ml": (0, 0.5, 1, 2, 5, 6),
        "residual_nce_ml": (0, 5, 6),
    },
}
each_table = pytest.mark.parametrize("index", CHOICES)


@pytest.mark.parametrize(("index", "facts", "expected", "rule"), CASES, ids=lambda x: x if isinstance(x, str) else None)
def test_every_rule(index, facts, expected, rule):
    result = assess(index, facts)
    assert result.group == expected, rule
    assert f"class {expected}" in result.sentence
    assert result.possible_groups == (expected,)
    assert result.missing == ()


@pytest.mark.parametrize(("volumes", "expected"), RESECT)
def test_every_cut_of_a_resection(volumes, expected):
    assert resect_class(*volumes).group == expected
    assert resect_class(*volumes, surgery="biopsy").group == "4"


@pytest.mark.parametrize(("left", "says"), [(3, "at most 5 mL left"), (7, "more than 5 mL left")])
def test_both_parts_of_class_3_are_told_apart(left, says):
    assert says in resect_class(left, 0).sentence


def test_more_left_is_never_a_better_class():
    volumes = [0, 0.2, 1, 1.5, 5, 9]
    for a, b in itertools.product(volumes, repeat=2):
        grid = [[int(resect_class(ce, nce).group) for nce in (0, 5, 8)] for ce in sorted((a, b))]
        assert all(x <= y for x, y in zip(*grid, strict=True))
        assert all(row == sorted(row) for row in grid)


def test_all_tables_are_tested():
    assert set(CHOICES) == set(shipped().classes)


@each_table
def test_months_of_every_class(index):
    assert {g.name: g.months for g in shipped().classes[index].groups} == MONTHS[index]


@given(st.data())
def test_what_is_missing_is_bounded_by_all_it_can_be(data):
    index = data.draw(st.sampled_from(sorted(CHOICES)))
    choices = CHOICES[index]
    facts = {name: data.draw(st.sampled_from(values)) for name, values in choices.items()}
    gone = data.draw(st.sets(st.sampled_from(sorted(facts))))
    result = assess(index, {name: fact for name, fact in facts.items() if name not in gone})
    ways = itertools.product(*(choices[n] if n in gone else [facts[n]] for n in facts))
    full = {assess(index, dict(zip(facts, way, strict=True))).group for way in ways}
    assert set(result.possible_groups) == full - {None}
    assert result.group == (next(iter(full)) if len(full) == 1 else None)
    assert set(result.missing) == (set() if result.group else gone)


@pytest.mark.parametrize(
    ("index", "known", "expected"),
    [
        ("rpa-brain-metastases", {"kps": 60}, "III"),
        ("rpa-brain-metastases", {"kps": 70, "age": 65}, "II"),
        ("rpa-brain-metastases", {"kps": 100, "extracranial": "yes"}, "II"),
        ("rpa-glioblastoma-eortc", {"age": 70, "mmse": 20}, "V"),
        ("rpa-glioblastoma-eortc", {"performance_status": 1, "surgery": "resection", "mmse": 30}, "IV"),
        ("rano-resect", {"surgery": "biopsy"}, "4"),
        ("rano-resect", {"surgery": "resection", "residual_ce_ml": 0.4}, "2"),
    ],
)
def test_a_class_that_is_certain_is_told_although_facts_are_missing(index, known, expected):
    assert assess(index, known).group == expected


def test_a_class_that_is_open_says_between_what():
    result = assess("rpa-brain-metastases", {"age": 40})
    assert result.possible_groups == ("I", "II", "III")
    assert "KPS and primary tumour controlled and extracranial metastases unknown" in result.sentence
    assert "class I or II or III" in result.sentence


def test_facts_outside_the_tree_have_no_class():
    result = assess("rpa-glioblastoma-eortc", YOUNG | {"performance_status": 3})
    assert (result.group, result.possible_groups) == (None, ())
    assert "no class for these facts" in result.sentence


def test_facts_that_may_be_outside_the_tree():
    result = assess("rpa-glioblastoma-eortc", {"performance_status": 3, "surgery": "biopsy"})
    assert (result.group, result.possible_groups) == (None, ("V",))
    assert "class V or none" in result.sentence


def test_months_only_where_they_are_asked_for():
    assert resect_class(0, 0).months is None
    assert "month" not in resect_class(0, 0).sentence
    assert resect_class(0, 0, months=True).months == 24
    assert resect_class(0, None, months=True).months is None
    with pytest.raises(InputError, match="digital patient"):
        resect_class(0, 0, months=True, digital=True)


@pytest.mark.parametrize(
    ("index", "doubts"),
    [("rpa-brain-metastases", set()), ("rpa-glioblastoma-eortc", {"classes"}), ("rano-resect", {"classes"})],
)
def test_what_was_not_read_in_the_source_is_said(index, doubts):
    assert {doubt.split(":")[0] for doubt in assess(index, {}).unverified} == doubts


@each_table
def test_a_result_is_json(index):
    held = json.loads(json.dumps(assess(index, {}).as_dict(), allow_nan=False))
    assert held["value"] is None
    assert held["possible_groups"] == [g.name for g in shipped().classes[index].groups]


def test_the_tree_of_rtog_is_not_shipped():
    with pytest.raises(InputError, match="tree is unverified"):
        assess("rpa-glioblastoma-rtog", {})


@pytest.mark.parametrize(
    "facts", [{"surgery": "resected"}, {"residual_ce_ml": -0.1}, {"residual_ce_ml": 2001}, {"residual_ce_ml": "1 mL"}]
)
def test_bad_input_is_refused(facts):
    with pytest.raises(InputError, match=next(iter(facts))):
        assess("rano-resect", facts)


# --- tables of one's own ----------------------------------------------------------------------------------------

OWN = """
[[classes]]
id = "own"
title = "Own"
version = "1"
source = "here"
factors = ["age", "surgery"]
groups = [{ name = "A" }, { name = "B" }]
rules = [{ group = "A", when = { age = ["< 119"], surgery = ["biopsy"] } }, { group = "B" }]
"""
UNSOUND = {
    "a class without a name": ('{ group = "B" }', '{ group = "C" }', "got C"),
    "a factor that is not named": ('surgery = ["biopsy"]', 'kps = ["< 70"]', "got kps"),
    "another word": ('["biopsy"]', '["punch"]', "words of surgery"),
    "a word for a number": ('["< 119"]', '["young"]', "words of age"),
    "no space": ('["< 119"]', '["<119"]', "words of age"),
    "a class twice": ('{ name = "B" }', '{ name = "A" }', "each class once"),
    "a class with a limit": ('{ name = "B" }', '{ name = "B", below = 2 }', "without limits"),
    "no rules": (OWN[OWN.index("rules = ") :], "rules = []", "rules"),
}


@pytest.mark.parametrize(("old", "new", "says"), UNSOUND.values(), ids=UNSOUND.keys())
def test_unsound_tables_are_refused(tmp_path, old, new, says):
    assert old in OWN
    path = tmp_path / "own.toml"
    path.write_text(OWN.replace(old, new))
    with pytest.raises(InputError, match=says):
        read_tables(path)


@pytest.mark.parametrize("cut", ["< 119", "<= 119", "> 119", ">= 119.5", "< 0", "> 120", ">= 200"])
def test_cuts_at_the_ends_of_a_range_are_reached_or_not(tmp_path, cut):
    """Whether an unknown age leaves both classes open is what trying every age says."""
    path = tmp_path / "own.toml"
    path.write_text(OWN.replace("< 119", cut))
    known = {"surgery": "biopsy"}
    tried = {assess("own", {**known, "age": tenth / 10}, table=path).group for tenth in range(1201)}
    assert set(assess("own", known, table=path).possible_groups) == tried
