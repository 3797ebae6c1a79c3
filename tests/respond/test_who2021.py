"""The integrated diagnosis: cases of the table, an independent tree over all completions, and what knowledge may do."""

import itertools
import json
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tumorboard.errors import InputError
from tumorboard.respond.indices.who2021 import NO_CHANGE, RULES_OUT, integrated_diagnosis, words
from tumorboard.respond.indices.who2021_rules import NEG, NOT, POS, Entity, conflicts, outcomes

NAMES = (
    *("idh_r132h_ihc", "idh_sequencing", "codeletion_1p19q", "atrx_loss", "h3_alteration", "tert_promoter"),
    *("egfr_amplification", "gain7_loss10", "microvascular_proliferation", "necrosis", "cdkn2ab_deletion", "anaplasia"),
)
SHORT = dict(
    zip(
        ("ihc", "seq", "codel", "atrx", "h3", "tert", "egfr", "7/10", "mvp", "nec", "cdkn", "ana"),
        NAMES,
        strict=True,
    )
)
OLIGO = "Oligodendroglioma, IDH-mutant and 1p/19q-codeleted"
ASTRO = "Astrocytoma, IDH-mutant"
GBM = "Glioblastoma, IDH-wildtype, CNS WHO grade 4"
NEC = "Diffuse glioma, IDH-wildtype, NEC"
WILD_NOS = "Diffuse glioma, IDH-wildtype, NOS"
MUTANT_NOS = "Diffuse glioma, IDH-mutant, NOS"
NOS = "Diffuse glioma, NOS"
FEATURES = ("mvp", "nec", "tert", "egfr", "7/10")


def facts(text: str) -> dict[str, str]:
    """Return markers from words like ``+seq -codel``."""
    return {SHORT[word[1:]]: "positive" if word[0] == "+" else "negative" for word in text.split()}


BENIGN = "-mvp -nec -tert -egfr -7/10"
CASES = {
    # IDH
    "": NOS,
    "-ihc": NOS,
    "-ihc -h3 +tert": NOS,
    "-ihc -seq -h3 +tert": GBM,
    "+ihc": MUTANT_NOS,
    "+seq": MUTANT_NOS,
    "-ihc +seq": MUTANT_NOS,
    "+ihc +seq": MUTANT_NOS,
    "-seq": WILD_NOS,
    # IDH-mutant: codeletion and ATRX
    "+ihc +codel": f"{OLIGO}, CNS WHO grade 2 or 3",
    "+ihc +codel -atrx -ana -nec -mvp": f"{OLIGO}, CNS WHO grade 2",
    "+ihc +codel +ana": f"{OLIGO}, CNS WHO grade 3",
    "+ihc -codel": f"{ASTRO}, CNS WHO grade 2, 3 or 4",
    "+ihc +atrx": f"{ASTRO}, CNS WHO grade 2, 3 or 4",
    "+ihc -atrx": MUTANT_NOS,
    "+ihc -codel -atrx": f"{ASTRO}, CNS WHO grade 2, 3 or 4",
    # grade of an astrocytoma
    "+ihc -codel +cdkn": f"{ASTRO}, CNS WHO grade 4",
    "+ihc -codel +cdkn -nec -mvp -ana": f"{ASTRO}, CNS WHO grade 4",
    "+ihc -codel +nec": f"{ASTRO}, CNS WHO grade 4",
    "+ihc -codel +mvp -cdkn": f"{ASTRO}, CNS WHO grade 4",
    "+ihc -codel -cdkn -nec -mvp +ana": f"{ASTRO}, CNS WHO grade 3",
    "+ihc -codel -cdkn -nec -mvp -ana": f"{ASTRO}, CNS WHO grade 2",
    "+ihc -codel -nec -mvp +ana": f"{ASTRO}, CNS WHO grade 3 or 4",
    "+ihc -codel -nec -mvp -ana": f"{ASTRO}, CNS WHO grade 2 or 4",
    # CDKN2A/B grades no oligodendroglioma here, and features of a glioblastoma make no mutant tumour one
    "+ihc +codel +cdkn -ana -nec -mvp": f"{OLIGO}, CNS WHO grade 2",
    "+ihc -codel +tert +egfr +7/10 -cdkn -nec -mvp -ana": f"{ASTRO}, CNS WHO grade 2",
    # IDH-wildtype: one feature is enough, with H3
    **{f"-seq -h3 +{feature}": GBM for feature in FEATURES},
    "-seq +tert": WILD_NOS,
    "-seq -h3": WILD_NOS,
    f"-seq -h3 {BENIGN}": NEC,
    f"-seq {BENIGN}": WILD_NOS,
    **{f"-seq -h3 {BENIGN.replace('-' + f, '')}": WILD_NOS for f in FEATURES},
    "-seq +h3": "Diffuse glioma, IDH-wildtype, H3-altered, NEC",
    "-seq +h3 +tert": "Diffuse glioma, IDH-wildtype, H3-altered, NEC",
    "-seq -h3 +tert +codel +atrx +cdkn": GBM,
}


@pytest.mark.parametrize(("known", "diagnosis"), CASES.items(), ids=[c or "nothing" for c in CASES])
def test_cases(known, diagnosis):
    result = integrated_diagnosis(facts(known))
    assert result.diagnosis == diagnosis
    assert result.sentence.startswith(f"{diagnosis}.")
    assert diagnosis in result.possible or result.entity is Entity.NOS
    assert (len(result.possible) > 1) == (result.entity is Entity.NOS)


@pytest.mark.parametrize(
    ("known", "by"),
    [
        ("+ihc +codel -atrx +ana", "ihc codel ana"),
        ("+ihc +seq -codel +cdkn +nec -mvp", "ihc seq codel nec cdkn"),
        ("-ihc +seq +atrx -cdkn -nec -mvp -ana", "seq atrx mvp nec cdkn ana"),
        ("+ihc -codel", "ihc codel"),
        ("-ihc -seq -h3 +tert -egfr", "seq h3 tert"),
        (f"-seq -h3 {BENIGN}", "seq h3 tert egfr 7/10 mvp nec"),
        ("-seq +h3 +tert", "seq h3"),
        ("+ihc", ""),
    ],
)
def test_what_decided(known, by):
    assert set(integrated_diagnosis(facts(known)).decided_by) == {SHORT[name] for name in by.split()}


@pytest.mark.parametrize(
    ("known", "missing"),
    [
        ("+ihc", "codel atrx mvp nec cdkn ana"),
        ("+ihc +codel", "mvp nec ana"),
        ("+ihc -codel", "mvp nec cdkn ana"),
        ("+ihc -codel +nec", ""),
        ("-seq -h3", "tert egfr 7/10 mvp nec"),
        ("-seq -h3 +tert", ""),
        ("-seq +h3", ""),
        (f"-seq {BENIGN}", "h3"),
        ("-ihc -h3 +tert -codel +nec", "seq"),
    ],
)
def test_what_is_missing(known, missing):
    assert set(integrated_diagnosis(facts(known)).missing) == {SHORT[name] for name in missing.split()}


def test_what_would_change():
    changes = integrated_diagnosis(facts("-ihc -h3 +tert -codel +cdkn")).would_change
    assert changes["idh_sequencing"] == {"positive": f"{ASTRO}, CNS WHO grade 4", "negative": GBM}
    changes = integrated_diagnosis(facts("-seq +tert")).would_change
    assert changes == {"h3_alteration": {"positive": f"{NEC[:-3]}H3-altered, NEC", "negative": GBM}}
    changes = integrated_diagnosis(facts("+ihc")).would_change
    assert changes["atrx_loss"] == {"positive": f"{ASTRO}, CNS WHO grade 2, 3 or 4", "negative": NO_CHANGE}
    assert changes["cdkn2ab_deletion"]["positive"] == f"{RULES_OUT}{ASTRO}, CNS WHO grade 2 or 3"


def test_the_sentence_names_what_decided_and_what_is_missing():
    text = integrated_diagnosis(facts("+ihc -codel -nec -mvp +ana")).sentence
    assert text == (
        "Astrocytoma, IDH-mutant, CNS WHO grade 3 or 4. Decided by: IDH1 R132H immunohistochemistry positive; 1p/19q "
        "whole-arm codeletion negative. Would change with: CDKN2A/B homozygous deletion."
    )


def test_nec_says_what_to_do():
    assert "Work-up: methylation" in integrated_diagnosis(facts(f"-seq -h3 {BENIGN}")).sentence


# --- conflicts --------------------------------------------------------------------------------------------------


def test_a_stain_against_a_sequence_is_a_conflict_and_leaves_idh_open():
    result = integrated_diagnosis(facts("+ihc -seq -h3 +tert -codel"))
    assert result.diagnosis == NOS
    assert "R132H" in result.conflicts[0]
    assert "Conflict: " in result.sentence


def test_codeletion_overrides_atrx_and_both_are_a_conflict():
    result = integrated_diagnosis(facts("+ihc +codel +atrx +ana"))
    assert result.diagnosis == f"{OLIGO}, CNS WHO grade 3"
    assert "ATRX" in result.conflicts[0]
    assert "atrx_loss" not in result.decided_by
    assert integrated_diagnosis(facts("+ihc +codel -atrx +ana")).conflicts == ()


# --- an independent tree over all completions -------------------------------------------------------------------


def complete(m: dict[str, bool]) -> set[tuple[Entity, int | None]]:
    """The classification of a tumour of which everything is known; empty where findings contradict."""
    if (m["ihc"] and not m["seq"]) or (m["atrx"] and m["codel"]):
        return set()
    if m["seq"]:
        if m["codel"]:
            return {(Entity.OLIGODENDROGLIOMA, 3 if m["ana"] or m["nec"] or m["mvp"] else 2)}
        return {(Entity.ASTROCYTOMA, 4 if m["cdkn"] or m["nec"] or m["mvp"] else 3 if m["ana"] else 2)}
    if m["h3"]:
        return {(Entity.H3_ALTERED, None)}
    return {(Entity.GLIOBLASTOMA, 4) if any(m[f] for f in FEATURES) else (Entity.NEC, None)}


def expected_by_completion(free: tuple[str, ...]):
    """Return a function from a partial state of these markers (others negative) to all that it can become."""

    @cache
    def reach(state: tuple[bool | None, ...]) -> frozenset:
        if None not in state:
            told = dict(zip(free, state, strict=True))
            return frozenset(complete({name: told.get(name, False) for name in SHORT}))
        at = state.index(None)
        both = (reach((*state[:at], answer, *state[at + 1 :])) for answer in (True, False))
        return frozenset().union(*both)

    return reach


TRI = {True: POS, False: NEG, None: NOT}
CORE = ("ihc", "seq", "codel", "atrx", "h3", "tert", "nec", "cdkn", "ana")


def check_all(free: tuple[str, ...]) -> int:
    reach = expected_by_completion(free)
    count = 0
    for state in itertools.product((True, False, None), repeat=len(free)):
        markers = dict.fromkeys(NAMES, NEG) | {SHORT[n]: TRI[v] for n, v in zip(free, state, strict=True)}
        found = outcomes(markers)
        assert found, state
        if not conflicts(markers):
            assert found == reach(state), state
        count += 1
    return count


def test_outcomes_are_those_of_all_completions():
    assert check_all(CORE) == 3**9


@pytest.mark.slow
def test_outcomes_are_those_of_all_completions_of_every_marker():
    assert check_all(tuple(SHORT)) == 3**12


@pytest.mark.parametrize("one", ["tert", "egfr", "7/10"])
def test_molecular_features_are_alike(one):
    for answer in ("positive", "negative"):
        rest = facts("-seq -h3 " + " ".join(f"-{f}" for f in FEATURES if f != one))
        assert integrated_diagnosis({**rest, SHORT[one]: answer}).diagnosis == (GBM if answer == "positive" else NEC)


def test_more_knowledge_only_ever_rules_out():
    """Learning one marker never adds an outcome, and never turns one diagnosis into another, save for a conflict."""
    free = [SHORT[name] for name in CORE]
    states = {}
    for state in itertools.product((POS, NEG, NOT), repeat=len(free)):
        markers = dict.fromkeys(NAMES, NEG) | dict(zip(free, state, strict=True))
        states[state] = (outcomes(markers), conflicts(markers))
    turned = set()
    for state, (before, wrong) in states.items():
        for at in (n for n, told in enumerate(state) if told is NOT):
            for answer in (POS, NEG):
                after, clash = states[(*state[:at], answer, *state[at + 1 :])]
                if after <= before:
                    continue
                assert len(clash) > len(wrong), (state, free[at], answer)
                turned.add((free[at], answer))
    # a conflict that comes up may: stain against sequence, and a codeletion after a loss of ATRX
    assert turned == {("idh_r132h_ihc", POS), ("idh_sequencing", NEG), ("codeletion_1p19q", POS)}


# --- properties of the result -----------------------------------------------------------------------------------

known_markers = st.fixed_dictionaries({name: st.sampled_from(["positive", "negative", "unknown"]) for name in NAMES})


@given(known_markers)
def test_what_decided_is_known_and_enough(markers):
    result = integrated_diagnosis(markers)
    assert all(markers[name] != "unknown" for name in result.decided_by)
    again = integrated_diagnosis({name: markers[name] for name in result.decided_by})
    assert again.entity is result.entity
    if result.grade is not None:
        assert again.diagnosis == result.diagnosis


@given(known_markers)
def test_what_would_change_comes_true(markers):
    result = integrated_diagnosis(markers)
    assert set(result.missing) == set(result.would_change)
    assert all(set(answers) == {"positive", "negative"} for answers in result.would_change.values())
    for name in (n for n in NAMES if markers[n] == "unknown"):
        for answer in ("positive", "negative"):
            after = integrated_diagnosis({**markers, name: answer})
            said = result.would_change.get(name, {}).get(answer)
            if after.conflicts != result.conflicts:
                assert said is None
            elif said is None or said == NO_CHANGE:
                assert (after.diagnosis, after.possible) == (result.diagnosis, result.possible)
            elif said.startswith(RULES_OUT):
                assert after.diagnosis == result.diagnosis
                assert after.possible != result.possible
            else:
                assert after.diagnosis == said != result.diagnosis


@given(known_markers, st.sampled_from(["positive", "negative"]))
def test_mgmt_classifies_nothing(markers, mgmt):
    plain, told = integrated_diagnosis(markers), integrated_diagnosis({**markers, "mgmt_methylation": mgmt})
    assert (plain.diagnosis, plain.possible, plain.would_change) == (told.diagnosis, told.possible, told.would_change)
    assert "mgmt_methylation" not in (*plain.missing, *told.decided_by)
    assert "MGMT methylation is no part" in told.sentence
    assert "MGMT" not in plain.sentence


@given(known_markers)
def test_a_result_is_json_and_whole(markers):
    held = json.loads(json.dumps(integrated_diagnosis(markers, who2016=True).as_dict(), allow_nan=False))
    assert {name: held["markers"][name] for name in NAMES} == markers
    assert held["diagnosis"]
    assert held["source"]
    assert held["version"]


# --- 2016 -------------------------------------------------------------------------------------------------------

PLAIN = "-nec -mvp -ana"
NAMES_2016 = {
    f"+ihc +codel {PLAIN}": "Oligodendroglioma, IDH-mutant and 1p/19q-codeleted, WHO grade II",
    "+ihc +codel -nec -mvp +ana": "Anaplastic oligodendroglioma, IDH-mutant and 1p/19q-codeleted, WHO grade III",
    "+ihc +codel +nec": "Anaplastic oligodendroglioma, IDH-mutant and 1p/19q-codeleted, WHO grade III",
    f"+ihc -codel {PLAIN}": "Diffuse astrocytoma, IDH-mutant, WHO grade II",
    f"+ihc -codel +cdkn {PLAIN}": "Diffuse astrocytoma, IDH-mutant, WHO grade II",
    "+ihc +atrx -nec -mvp +ana": "Anaplastic astrocytoma, IDH-mutant, WHO grade III",
    "+ihc -codel +mvp": "Glioblastoma, IDH-mutant, WHO grade IV",
    f"-seq -h3 +tert {PLAIN}": "Diffuse astrocytoma, IDH-wildtype, WHO grade II",
    "-seq -nec -mvp +ana": "Anaplastic astrocytoma, IDH-wildtype, WHO grade III",
    "-seq +nec": "Glioblastoma, IDH-wildtype, WHO grade IV",
    "+ihc -codel +ana": "",
    f"+ihc {PLAIN}": "",
    f"-ihc {PLAIN}": "",
    "-seq +h3 +nec": "",
}


@pytest.mark.parametrize(("known", "name"), NAMES_2016.items())
def test_names_of_2016(known, name):
    result = integrated_diagnosis(facts(known), who2016=True)
    assert result.who2016 == name
    assert any(doubt.startswith("who2016") for doubt in result.unverified)


def test_names_of_2016_only_where_they_are_asked_for():
    result = integrated_diagnosis(facts("-seq +nec"))
    assert result.who2016 is None
    assert result.unverified == ()


def test_grades_of_oligodendrogliomas_are_unverified():
    (doubt,) = integrated_diagnosis(facts("+ihc +codel +ana")).unverified
    assert doubt.startswith("oligodendroglioma: ")


# --- input ------------------------------------------------------------------------------------------------------


def test_words_that_are_read():
    for positive, negative, nothing in (("positive", "neg", "unknown"), ("POS", " no ", ""), (True, False, None)):
        given_words = {"idh_sequencing": positive, "codeletion_1p19q": negative, "necrosis": nothing}
        held = integrated_diagnosis(given_words).markers
        assert [held[name] for name in given_words] == ["positive", "negative", "unknown"]


@pytest.mark.parametrize("bad", ["mutant", "Doe", 1, 0.0, "+", "retained"])
def test_other_words_are_refused(bad):
    with pytest.raises(InputError, match="positive, negative or unknown") as refused:
        integrated_diagnosis({"atrx_loss": bad})
    assert "Doe" not in str(refused.value)


def test_a_marker_by_another_name_is_refused_with_the_right_one():
    """ATRX that a pathologist calls negative is lost: the name of the input says which is meant."""
    with pytest.raises(InputError, match="did you mean 'atrx_loss'"):
        integrated_diagnosis({"atrx": "negative"})


def test_every_marker_has_its_words():
    assert set(words().markers) == {*NAMES, "mgmt_methylation"}
    assert {e for e in Entity if e is not Entity.NOS} == set(words().names)
