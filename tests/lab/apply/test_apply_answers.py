"""Answers for one patient are those of the model on the very rows it was trained on, or name what is missing."""

from __future__ import annotations

import numpy as np
import pytest

from tumorboard.lab.apply.ask import TRAINED_ON, ask
from tumorboard.lab.apply.cases import FILE
from tumorboard.lab.apply.shelf import read_all, read_ready
from tumorboard.lab.apply.words import among_words, answer_words, measured_words, outcome_words, validity_words
from tumorboard.lab.cohort import read_cohort
from tumorboard.lab.dataset import gather
from tumorboard.lab.recipe import Endpoint
from tumorboard.lab.represent.columns import coded, coded_as
from tumorboard.lab.table import Unit


@pytest.fixture(scope="module")
def whole(digital_tables, trained):
    """Every training row with what the model says of it, by model and patient."""
    cohort = read_cohort(digital_tables / "participants.tsv", tables=[digital_tables / "expression.tsv"])
    out = {}
    for name, folder in trained.items():
        ready = read_ready(folder)
        data = gather(ready.recipe, cohort)
        out[name] = ready, dict(zip(data.table.patients, ready.model.fitted.predict(data), strict=True))
    return out


@pytest.mark.parametrize("name", ["idh", "months", "subtype"])
def test_one_patient_alone_is_coded_as_among_all(name, whole, make_case):
    ready, predicted = whole[name]
    asked = 0
    for patient in list(predicted)[:12]:
        (answer,) = ask(ready, make_case(patient), explain=False).answers
        expected = predicted[patient]
        found = np.array(list(answer.values.values()))
        assert found[-len(expected) :] == pytest.approx(expected, abs=1e-12), patient
        asked += 1
    assert asked == 12


def test_genes_are_found_in_any_order_and_a_gap_is_counted(whole, make_case):
    ready, _ = whole["subtype"]

    def turned(text):
        if "age" in text.split("\n")[0]:
            return text
        rows = [line.split("\t") for line in text.strip().split("\n")]
        return "\n".join("\t".join([r[0], *reversed(r[1:])]) for r in rows) + "\n"

    first, second = (ask(ready, make_case(edit=e), explain=False).answers[0].values for e in (turned, lambda t: t))
    assert first == second

    def without_last(text):
        return text if "age" in text.split("\n")[0] else "\n".join(r.rpartition("\t")[0] for r in text.split("\n"))

    told = ask(ready, make_case(edit=without_last))
    assert told.status == "not applied"
    assert "no table with all 60 genes of the training patients; the best has 59" in told.missing[0]


def test_what_is_missing_is_named(whole, make_case):
    bare = make_case(tables=False)
    assert ask(whole["idh"][0], bare).missing == ("column age", "column sex", "column kps")
    assert "column grade" in ask(whole["months"][0], bare).missing
    unknown = make_case(edit=lambda t: t.replace("\tF\t", "\tn/a\t").replace("\tM\t", "\tn/a\t"))
    assert ask(whole["idh"][0], unknown).missing == ("column sex",)


def test_a_word_that_training_did_not_have_is_not_taken_for_another(whole, make_case):
    told = ask(whole["idh"][0], make_case(edit=lambda t: t.replace("\tF\t", "\tfemale\t").replace("\tM\t", "\tmale\t")))
    assert told.status == "not applied"
    assert "column sex: expected one of F, M; got another word" in told.missing[0]


def test_a_model_is_for_those_it_was_trained_on(whole, make_case, digital_tables):
    rows = [line.split("\t") for line in (digital_tables / "participants.tsv").read_text().strip().split("\n")]
    grade = rows[0].index("grade")
    other = next(r[0].removeprefix("sub-") for r in rows[1:] if r[grade] != "4")
    told = ask(whole["months"][0], make_case(other))
    assert told.missing == ("it was trained where grade is 4, and here it is not",)


def test_a_model_of_digital_patients_is_refused_on_a_patient(whole, make_case):
    told = ask(whole["idh"][0], make_case(digital=False))
    assert told.status == "refused"
    assert told.answers == ()
    assert "one that learned from digital patients" in told.missing[0]


def test_a_risk_is_told_beside_others_and_never_as_a_time(whole, make_case):
    ready, predicted = whole["months"]
    patient = next(iter(predicted))
    told = ask(ready, make_case(patient))
    (answer,) = told.answers
    tested = ready.model.cases.tested[:, 0]
    risk = np.float32(predicted[patient][0])
    expected = 100 * ((tested < risk).mean() + (np.isclose(tested, risk)).mean() / 2)
    assert answer.percentile["risk"] == pytest.approx(expected, abs=100 / len(tested))
    words = answer_words(told, answer)
    assert words.startswith("risk above that of ")
    assert "digital patients it was tested on" in words
    assert among_words(told, answer) == ""
    assert not any(w in told.model_dump_json() for w in ("days", "months of", "weeks"))
    assert all("third" in c.outcome for c in answer.why.similar)


def test_contributions_add_up_to_the_answer(whole, make_case):
    for name, link in (("idh", lambda p: np.log(p / (1 - p))), ("months", lambda r: r)):
        ready, predicted = whole[name]
        patient = list(predicted)[3]
        (answer,) = ask(ready, make_case(patient)).answers
        pipeline = ready.model.fitted.pipeline
        base = np.mean(link(pipeline.learner.predict(ready.model.cases.prepared)[:, 0]))
        total = sum(d.effect for d in answer.why.drivers)
        assert base + total == pytest.approx(link(predicted[patient][0]), abs=1e-5), name


def test_drivers_are_told_in_the_patients_own_values(whole, make_case, digital_tables):
    rows = [line.split("\t") for line in (digital_tables / "participants.tsv").read_text().strip().split("\n")]
    row = next(r for r in rows if r[0] == "sub-digital7")
    (answer,) = ask(whole["idh"][0], make_case()).answers
    (age,) = [d for d in answer.why.drivers if d.column == "age"]
    assert age.value == float(row[rows[0].index("age")])
    ages = np.array([float(r[rows[0].index("age")]) for r in rows[1:]])
    assert age.percentile == pytest.approx(100 * ((ages < age.value).mean() + (ages == age.value).mean() / 2), abs=2)


def test_a_patient_it_learned_from_is_noticed_and_not_shown_as_similar(whole, make_case):
    ready, predicted = whole["idh"]
    patient = list(predicted)[5]
    (known,) = ask(ready, make_case(patient)).answers
    assert TRAINED_ON in known.notes
    assert "case 6" not in {c.case for c in known.why.similar}

    def older(text):
        rows = [line.split("\t") for line in text.strip().split("\n")]
        return "\n".join("\t".join([r[0], str(float(r[1]) + 0.37) if i and "age" in rows[0] else r[1], *r[2:]])
                         for i, r in enumerate(rows)) + "\n"  # fmt: skip

    (new,) = ask(ready, make_case(patient, edit=older)).answers
    assert TRAINED_ON not in new.notes
    assert new.why.similar[0].case == "case 6"


def test_how_often_such_answers_were_right_is_counted(whole, make_case):
    ready, _ = whole["idh"]
    (answer,) = ask(ready, make_case()).answers
    cases = ready.model.cases
    chance = cases.tested[:, 0] if answer.best == "1" else 1 - cases.tested[:, 0]
    near = np.abs(chance - answer.values[answer.best]) <= 0.1
    right = int((cases.truth[near, 0] == float(answer.best)).sum())
    assert near.sum() >= 10
    assert answer.hits[:2] == (right, int(near.sum()))
    assert answer.hits[2] < right / near.sum() <= answer.hits[3]


def test_a_stranger_is_called_one(whole, make_case):
    def ancient(text):
        rows = [line.split("\t") for line in text.strip().split("\n")]
        return "\n".join("\t".join([r[0], "900" if i and "age" in rows[0] else r[1], *r[2:]])
                         for i, r in enumerate(rows)) + "\n"  # fmt: skip

    (answer,) = ask(whole["idh"][0], make_case(edit=ancient)).answers
    assert not answer.like
    assert "age" in answer.outside
    assert validity_words(answer).startswith("UNLIKE the training rows")


def test_without_its_cases_a_model_answers_and_says_what_it_cannot(whole, make_case, tmp_path):
    import shutil

    ready, _ = whole["idh"]
    folder = tmp_path / "bare"
    ready.model.save(folder)
    raw = (folder / FILE).read_bytes()
    assert b"digital1" not in raw
    assert b"sub-" not in raw
    (folder / FILE).unlink()
    (answer,) = ask(read_ready(folder), make_case()).answers
    (full,) = ask(ready, make_case()).answers
    assert answer.values == full.values
    assert answer.why.similar == ()
    assert "no training cases" in answer.why.similar_note
    assert "no training cases" in answer.why.drivers_note
    assert answer.percentile == {}
    shutil.rmtree(folder)


def test_figures_name_their_world(whole, make_case):
    told = ask(whole["idh"][0], make_case())
    assert measured_words(told).endswith("out of fold, digital patients")
    assert told.measured["auc"]["value"] == whole["idh"][0].card.measured["auc"]["value"]


def test_models_are_read_each_once(trained):
    assert [r.card.id.partition("-")[0] for r in read_all(list(trained.values()))] == ["idh", "months", "subtype"]


def test_words_of_outcomes():
    labels = Endpoint(kind="multilabel", columns=("idh", "mgmt"))
    values = np.array([[1.0, np.nan]])
    assert outcome_words(labels, ("idh", "mgmt"), values[0], values) == "idh yes, mgmt unknown"
    days = Endpoint(kind="survival", days="d", event="dead")
    every = np.array([[100.0, 1], [200, 1], [300, 0]])
    assert outcome_words(days, ("days", "event"), every[2], every) == "followed into the last third"


def test_coding_is_that_of_the_cohort_whatever_the_words():
    units = [Unit(str(n)) for n in range(6)]
    for words in (["F", "M", "", "M", "F", "F"], ["2", "3", "IV", "3", "", "2"], ["1", "0", "", "1", "0", "1"]):
        made = coded(units, "x", words)
        known = () if made.names == ("x",) else tuple(sorted({w for w in words if w}))
        for unit, word, row in zip(units, words, made.values, strict=True):
            alone = coded_as([unit], "x", [word], known)
            assert alone.names == made.names
            assert np.array_equal(alone.values[0], row, equal_nan=True)
