"""Graded prognostic assessments: every cell of every table, bounds of what is missing, tables of one's own."""

import itertools
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tumorboard.errors import InputError
from tumorboard.respond.indices import assess, factors_of
from tumorboard.respond.indices.tables import read_tables, shipped

# what the tables say, typed a second time: (values that give these points, points)
AGE_70 = [((18, 69, 69.9), 0.5), ((70, 71, 95), 0.0)]
KPS_ONE = [((0, 60, 70), 0.0), ((80,), 0.5), ((90, 100), 1.0)]
KPS_TWO = [((0, 60, 70), 0.0), ((80,), 1.0), ((90, 100), 2.0)]
NONE_ONE = [(("no",), 1.0), (("yes",), 0.0)]
NONE_HALF = [(("no",), 0.5), (("yes",), 0.0)]
UP_TO_FOUR = [((1, 2, 4), 0.5), ((5, 20), 0.0)]
CELLS = {
    "gpa-2008": {
        "age": [((30, 49), 1.0), ((50, 59), 0.5), ((61, 80), 0.0)],
        "kps": [((0, 60), 0.0), ((70, 80), 0.5), ((90, 100), 1.0)],
        "brain_metastases": [((1,), 1.0), ((2, 3), 0.5), ((4, 30), 0.0)],
        "extracranial": NONE_ONE,
    },
    "gpa-lung-adeno-2017": {
        "age": AGE_70,
        "kps": KPS_ONE,
        "extracranial": NONE_ONE,
        "brain_metastases": UP_TO_FOUR,
        "egfr_or_alk": [(("yes",), 1.0), (("no",), 0.0)],
    },
    "gpa-lung-non-adeno-2017": {
        "age": AGE_70,
        "kps": KPS_ONE,
        "extracranial": NONE_ONE,
        "brain_metastases": UP_TO_FOUR,
    },
    "gpa-melanoma-2017": {
        "age": AGE_70,
        "kps": KPS_ONE,
        "extracranial": NONE_ONE,
        "brain_metastases": [((1,), 1.0), ((2, 3, 4), 0.5), ((5, 20), 0.0)],
        "braf": [(("yes",), 0.5), (("no",), 0.0)],
    },
    "gpa-renal-2018": {
        "kps": KPS_TWO,
        "extracranial": NONE_HALF,
        "haemoglobin_g_dl": [((6, 11.0), 0.0), ((11.1, 12.5), 0.5), ((12.6, 16), 1.0)],
        "brain_metastases": UP_TO_FOUR,
    },
    "gpa-gi-2019": {
        "kps": KPS_TWO,
        "age": [((30, 59, 59.9), 0.5), ((60, 61, 80), 0.0)],
        "extracranial": NONE_HALF,
        "brain_metastases": [((1,), 1.0), ((2, 3), 0.5), ((4, 9), 0.0)],
    },
}
FOUR = {(0.0, 1.0): "0-1.0", (1.5, 2.0): "1.5-2.0", (2.5, 3.0): "2.5-3.0", (3.5, 4.0): "3.5-4.0"}
GROUPS = {
    "gpa-2008": ({(0.0, 1.0): "0-1.0", (1.5, 2.5): "1.5-2.5", (3.0, 3.0): "3.0", (3.5, 4.0): "3.5-4.0"}),
    "gpa-lung-non-adeno-2017": {k: v for k, v in FOUR.items() if v != "3.5-4.0"},
}
MONTHS = {
    "gpa-2008": (2.6, 3.8, 6.9, 11.0),
    "gpa-lung-adeno-2017": (6.9, 13.7, 26.5, 46.8),
    "gpa-lung-non-adeno-2017": (5.3, 9.8, 12.8),
    "gpa-melanoma-2017": (4.9, 8.3, 15.8, 34.1),
    "gpa-renal-2018": (4, 12, 17, 35),
    "gpa-gi-2019": (3, 7, 11, 17),
}
RANGES = {
    "gpa-lung-adeno-2017": (7, 47),
    "gpa-melanoma-2017": (5, 34),
    "gpa-gi-2019": (3, 17),
    "gpa-renal-2018": (4, 35),
}
"""Worst and best median months of the abstract that reviewed all of them (2020), in whole months."""

HIGHER_IS_BETTER = {"kps", "haemoglobin_g_dl"}
WORD_FROM_WORSE = {
    "extracranial": ("yes", "no"),
    "egfr_or_alk": ("no", "yes"),
    "braf": ("no", "yes"),
}
each_index = pytest.mark.parametrize("index", CELLS)


def extreme(index: str, which) -> dict[str, object]:
    """Facts of which each gives the best or the worst points."""
    return {name: which(cells, key=lambda c: c[1])[0][0] for name, cells in CELLS[index].items()}


def values(index: str, name: str) -> st.SearchStrategy:
    return st.sampled_from([v for cell, _ in CELLS[index][name] for v in cell])


# --- every cell -------------------------------------------------------------------------------------------------


def test_all_tables_are_tested():
    assert set(CELLS) == set(shipped().points)
    for index, cells in CELLS.items():
        assert set(factors_of()[index]) == set(cells)


CASES = [(i, n, v, p) for i, cells in CELLS.items() for n, bands in cells.items() for vs, p in bands for v in vs]


@pytest.mark.parametrize(("index", "factor", "value", "points"), CASES)
def test_points_of_every_cell(index, factor, value, points):
    facts = extreme(index, max) | {factor: value}
    result = assess(index, facts)
    assert result.points[factor] == points
    best = assess(index, extreme(index, max))
    assert result.value == pytest.approx(best.value - best.points[factor] + points)


@each_index
def test_best_adds_up_to_the_maximum_and_worst_to_nothing(index):
    assert assess(index, extreme(index, max)).value == (3.0 if "non-adeno" in index else 4.0)
    assert assess(index, extreme(index, min)).value == 0.0


def test_an_age_of_60_in_2008_is_told_as_unsure():
    result = assess("gpa-2008", extreme("gpa-2008", max) | {"age": 60})
    assert result.points["age"] == 0.0
    assert any("exactly 60" in doubt for doubt in result.unverified)


@each_index
def test_every_sum_falls_in_its_group(index):
    expected = GROUPS.get(index, FOUR)
    seen = set()
    choices = [[cell[0][0] for cell in bands] for bands in CELLS[index].values()]
    for chosen in itertools.product(*choices):
        result = assess(index, dict(zip(CELLS[index], chosen, strict=True)))
        assert result.group == next(name for (low, high), name in expected.items() if low <= result.value <= high)
        seen.add(result.group)
    assert seen == set(expected.values())


@each_index
def test_months_of_every_group(index):
    groups = shipped().points[index].groups
    assert tuple(g.months for g in groups) == MONTHS[index]
    assert list(MONTHS[index]) == sorted(MONTHS[index]), "a better group lives longer"
    if index in RANGES:
        assert (round(groups[0].months), round(groups[-1].months)) == RANGES[index]


# --- monotone, and bounds ---------------------------------------------------------------------------------------


@given(st.data())
def test_a_worse_factor_never_gives_more_points(data):
    index = data.draw(st.sampled_from(sorted(CELLS)))
    facts = {name: data.draw(values(index, name)) for name in CELLS[index]}
    name = data.draw(st.sampled_from(sorted(CELLS[index])))
    if name in WORD_FROM_WORSE:
        worse, better = WORD_FROM_WORSE[name]
    else:
        both = sorted(float(data.draw(values(index, name))) for _ in range(2))
        worse, better = both if name in HIGHER_IS_BETTER else reversed(both)
    assert assess(index, facts | {name: worse}).value <= assess(index, facts | {name: better}).value


@given(st.data())
def test_what_is_missing_is_bounded_by_all_it_can_be(data):
    index = data.draw(st.sampled_from(sorted(CELLS)))
    facts = {name: data.draw(values(index, name)) for name in CELLS[index]}
    gone = data.draw(st.sets(st.sampled_from(sorted(facts))))
    result = assess(index, {name: fact for name, fact in facts.items() if name not in gone})
    choices = [[c[0][0] for c in CELLS[index][n]] if n in gone else [facts[n]] for n in facts]
    full = [assess(index, dict(zip(facts, chosen, strict=True))) for chosen in itertools.product(*choices)]
    assert result.possible == (min(r.value for r in full), max(r.value for r in full))
    assert set(result.possible_groups) == {r.group for r in full}
    assert set(result.missing) == gone
    assert result.assessable == (not gone)
    if gone:
        assert (result.value, result.group) == (None, None)
        assert "not assessable" in result.sentence
        assert all(result.points[name] is None for name in gone)


@pytest.mark.parametrize("nothing", [None, "", "unknown", " Unknown "])
def test_all_that_says_nothing_is_missing(nothing):
    result = assess("gpa-gi-2019", {"kps": nothing})
    assert result.missing == ("kps", "age", "extracranial", "brain_metastases")
    assert result.possible == (0.0, 4.0)


# --- what comes with a result -----------------------------------------------------------------------------------


def test_months_only_where_they_are_asked_for():
    facts = extreme("gpa-renal-2018", max)
    plain = assess("gpa-renal-2018", facts)
    assert plain.months is None
    assert "month" not in plain.sentence
    assert not any(doubt.startswith("months") for doubt in plain.unverified)
    told = assess("gpa-renal-2018", facts, months=True)
    assert told.months == 35
    assert "35 months" in told.sentence
    assert any(doubt.startswith("months") for doubt in told.unverified)


def test_months_stay_out_where_the_group_is_open():
    assert assess("gpa-renal-2018", {"kps": 90}, months=True).months is None


def test_digital_patients_have_no_months():
    facts = extreme("gpa-renal-2018", max)
    assert assess("gpa-renal-2018", facts, digital=True).value == 4.0
    with pytest.raises(InputError, match="digital patient"):
        assess("gpa-renal-2018", facts, months=True, digital=True)


UNVERIFIED = {
    "gpa-2008": {"age", "kps"},
    "gpa-gi-2019": set(),
    **{i: {"points"} for i in CELLS if i not in ("gpa-2008", "gpa-gi-2019")},
}


@each_index
def test_what_was_not_read_in_the_source_is_said(index):
    result = assess(index, extreme(index, max))
    assert {doubt.split(":")[0] for doubt in result.unverified} == UNVERIFIED[index]
    assert ("Unverified" in result.sentence) == bool(UNVERIFIED[index])
    assert result.source
    assert result.version


@each_index
@pytest.mark.parametrize("known", [{}, {"kps": 80}])
def test_a_result_is_json(index, known):
    for facts in (known, extreme(index, max)):
        held = json.loads(json.dumps(assess(index, facts, months=True).as_dict(), allow_nan=False))
        assert held["index"] == index
        assert set(held["facts"]) == set(CELLS[index])


def test_the_sentence_holds_its_numbers():
    result = assess("gpa-gi-2019", {"kps": 80, "age": 61, "extracranial": True, "brain_metastases": 2})
    assert result.sentence == (
        "Gastrointestinal GPA: 1.5 of 4 (KPS 80: 1; age 61 years: 0; extracranial metastases yes: 0; "
        "brain metastases 2: 0.5), group 1.5-2.0."
    )


# --- bad input --------------------------------------------------------------------------------------------------

BAD = {
    "KPS not in tens": ({"kps": 85}, "multiple of 10"),
    "KPS above 100": ({"kps": 110}, "0 to 100"),
    "KPS below 0": ({"kps": -10}, "0 to 100"),
    "age above 120": ({"age": 121}, "0 to 120"),
    "age below 0": ({"age": "-1"}, "0 to 120"),
    "no metastasis": ({"brain_metastases": 0}, "1 to 1000"),
    "half a metastasis": ({"brain_metastases": 1.5}, "multiple of 1"),
    "no number": ({"age": float("nan")}, "0 to 120"),
    "endless": ({"age": float("inf")}, "0 to 120"),
    "decimal comma": ({"age": "61,5"}, "decimal point"),
    "a number as a list": ({"age": [61]}, "a number"),
    "a number as a bool": ({"age": True}, "a number"),
    "another word": ({"extracranial": "perhaps"}, "no, yes or unknown"),
    "a number for a word": ({"extracranial": 1}, "no, yes or unknown"),
    "another factor": ({"kpss": 80}, "did you mean 'kps'"),
    "a factor of another table": ({"haemoglobin_g_dl": 12}, "the factors"),
}


@pytest.mark.parametrize(("facts", "says"), BAD.values(), ids=BAD.keys())
def test_bad_input_is_refused(facts, says):
    with pytest.raises(InputError, match=says):
        assess("gpa-gi-2019", facts)


def test_numbers_of_arrays_are_numbers():
    facts = {"kps": np.int64(80), "age": np.float32(55), "extracranial": "no", "brain_metastases": np.int16(2)}
    assert assess("gpa-gi-2019", facts).value == 2.5


def test_haemoglobin_in_grams_per_litre_is_refused():
    with pytest.raises(InputError, match="3 to 25 g/dL"):
        assess("gpa-renal-2018", {"haemoglobin_g_dl": 131})


def test_a_refusal_repeats_no_typed_word():
    for facts in ({"extracranial": "Doe"}, {"Doe": 1}, {"age": "Doe"}):
        with pytest.raises(InputError) as refused:
            assess("gpa-gi-2019", facts)
        assert "Doe" not in str(refused.value)


@pytest.mark.parametrize("name", ["gpa-breast-2020", "gpa-lung-2022"])
def test_what_is_not_verified_is_not_shipped(name):
    assert name not in factors_of()
    with pytest.raises(InputError, match=r"points unverified.*--table"):
        assess(name, {})


def test_another_name_is_refused_with_those_there_are():
    with pytest.raises(InputError, match="gpa-renal-2018"):
        assess("gpa", {})


# --- tables of one's own ----------------------------------------------------------------------------------------

OWN = """
[factors.subtype]
label = "subtype"
words = ["a", "b", "c"]

[[points]]
id = "own"
title = "Own"
version = "1"
source = "here"
maximum = 0.3
groups = [{ name = "poor", below = 0.3 }, { name = "good", months = 9.0 }]
[points.factors]
kps = [{ below = 70, points = 0.0 }, { points = 0.1 }]
subtype = [{ word = "a", points = 0.0 }, { word = "b", points = 0.1 }, { word = "c", points = 0.2 }]
"""


@pytest.fixture
def own(tmp_path):
    def write(text: str = OWN):
        path = tmp_path / "own.toml"
        path.write_text(text)
        return path

    return write


def test_a_table_of_ones_own(own):
    result = assess("own", {"kps": 80, "subtype": "C"}, table=own(), months=True)
    assert (result.value, result.group, result.months, result.unverified) == (0.3, "good", 9.0, ())
    assert assess("own", {"kps": 80}, table=own()).possible == (0.1, 0.3)
    assert factors_of(own()) == {"own": ("kps", "subtype")}


def test_the_shipped_indices_are_not_in_a_file_of_ones_own(own):
    with pytest.raises(InputError, match="one of own"):
        assess("bmv", {}, table=own())


def test_a_table_that_is_not_shipped_can_be_given(own):
    path = own(OWN.replace('"own"', '"gpa-breast-2020"'))
    assert assess("gpa-breast-2020", {"kps": 80, "subtype": "a"}, table=path).value == 0.1


UNSOUND = {
    "the best is not the maximum": ("maximum = 0.3", "maximum = 0.4", "add up to 0.3"),
    "no rest": ("{ points = 0.1 }", "{ below = 90, points = 0.1 }", "kps: limits that rise"),
    "limits that fall": (
        "{ below = 70, points = 0.0 }",
        "{ up_to = 90, points = 0 }, { below = 70, points = 0 }",
        "rise",
    ),
    "two limits in one": ("below = 70,", "below = 70, up_to = 71,", "rise"),
    "a rest before the end": ("{ below = 70, points = 0.0 }", "{ points = 0.0 }", "rise"),
    "no bands": ("kps = [{ below = 70, points = 0.0 }, { points = 0.1 }]", "kps = []", "rise"),
    "groups without a rest": (', { name = "good", months = 9.0 }', "", "groups"),
    "a word is lacking": ('{ word = "b", points = 0.1 }, ', "", "each word of subtype"),
    "a word too many": ('words = ["a", "b", "c"]', 'words = ["a", "c"]', "each word of subtype"),
    "words for a number": ("kps = [{ below = 70,", 'kps = [{ word = "low",', "each word of kps"),
    "a factor that nobody described": ("kps = [", "kpss = [", "kpss"),
    "another key": ('title = "Own"', 'title = "Own"\nweight = 2', "weight"),
    "no TOML": ("[[points]]", "[[points", "TOML"),
}


@pytest.mark.parametrize(("old", "new", "says"), UNSOUND.values(), ids=UNSOUND.keys())
def test_unsound_tables_are_refused(own, old, new, says):
    assert old in OWN
    with pytest.raises(InputError, match=says) as refused:
        read_tables(own(OWN.replace(old, new)))
    assert "--table" in str(refused.value)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(InputError) as refused:
        read_tables(tmp_path / "none.toml")
    assert "none.toml" not in str(refused.value)
