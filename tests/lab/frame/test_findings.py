"""What a run found beside its metrics: against plain code, never with a patient's own outcome, and told as facts."""

from __future__ import annotations

import csv
import re
from dataclasses import replace

import numpy as np
import pytest

from tumorboard.errors import InputError
from tumorboard.lab import run_recipe
from tumorboard.lab.evidence import facts_of
from tumorboard.lab.findings import FINDINGS, Asked, findings_of
from tumorboard.lab.findings.calibrated import _recalibrated, calibrated
from tumorboard.lab.findings.decision import decision
from tumorboard.lab.findings.learning import _thinned, learning
from tumorboard.lab.findings.missing import missing
from tumorboard.lab.findings.needed import needed
from tumorboard.lab.findings.operating import _called, operating
from tumorboard.lab.findings.people import people
from tumorboard.lab.results import model_of
from tumorboard.lab.scores import Predicted
from tumorboard.metrics.plan.sample_size import development_binary

LEARNERS = {"survival": {"name": "cox", "penalty": 0.1}, "regression": "ridge"}
EXPECTED = {
    "binary": {"calibration", "decision_curve", "operating", "confusion", "wrong", "subgroups", "learning_curve"},
    "multiclass": {"calibration", "decision_curve", "confusion", "wrong", "subgroups", "learning_curve"},
    "survival": {"calibration", "decision_curve", "over_time", "subgroups", "learning_curve"},
    "regression": {"calibration", "wrong", "subgroups", "learning_curve"},
}
ALWAYS = {"characteristics", "missing", "sample_size", "predictors"}


def described(data):
    """Sexes in turn; ages that rise; one age unknown."""
    n = len(data)
    ages = ["", *(str(30 + i) for i in range(1, n))]
    return replace(data, described={"sex": tuple("FM"[i % 2] for i in range(n)), "age": tuple(ages)})


@pytest.fixture(scope="module")
def runs(make_recipe, make_dataset):
    """One run of each kind of outcome, with 90 rows, and what it found."""
    made = {}
    for kind in EXPECTED:
        recipe = make_recipe(kind, LEARNERS.get(kind, "logistic"), compare=["f0"])
        run = run_recipe(recipe, described(make_dataset(kind)))
        made[kind] = (run, {one.name: one for one in findings_of(run)})
    return made


def cell(finding, *key):
    """The value of the row that begins so."""
    (row,) = [r for r in finding.rows if r[: len(key)] == key]
    return row[len(key)]


@pytest.mark.parametrize("kind", EXPECTED)
def test_every_kind_has_its_findings_and_each_has_a_table(kind, runs):
    run, found = runs[kind]
    assert set(found) == EXPECTED[kind] | ALWAYS
    assert set(found) <= set(FINDINGS)
    for name, one in found.items():
        assert one.rows or one.note, name
        assert {len(row) for row in one.rows} <= {len(one.header)}, name
        assert {len(row) for row in one.on_page} <= {len(one.header)}, name
    curves = {"decision_curve", "learning_curve", "over_time", "subgroups", "confusion"} & set(found)
    assert all(found[name].pictures for name in curves)
    facts_of(run, (), found.values())  # facts that contradict one another would be refused


def test_subgroups_are_those_of_plain_code(runs):
    from sklearn.metrics import roc_auc_score

    run, found = runs["binary"]
    y, p = run.predicted.outcome.classes, run.predicted.values[:, 0]
    women = np.arange(90) % 2 == 0
    assert cell(found["subgroups"], "sex", "F", 45, int(y[women].sum())) == pytest.approx(
        roc_auc_score(y[women], p[women])
    )
    by_age = [r for r in found["subgroups"].rows if r[0] == "age"]
    assert [(r[1], r[2]) for r in by_age] == [("up to 75", 45), ("above 75", 44), ("not known", 1)]
    assert by_age[-1][7].startswith("fewer than 5")
    assert {r[1] for r in found["subgroups"].rows if r[0] == "site"} == {"a", "b", "c"}


def test_net_benefit_and_confusion_are_those_of_plain_code(runs):
    run, found = runs["binary"]
    y, p = run.predicted.outcome.classes, run.predicted.values[:, 0]
    act = p >= 0.3
    benefit = (act & (y == 1)).mean() - (act & (y == 0)).mean() * 0.3 / 0.7
    assert cell(found["decision_curve"], "", 0.3) == pytest.approx(benefit)
    said = (p >= 0.5).astype(int)
    missed, hit = ((said == c) & (y == 1) for c in (0, 1))
    assert found["confusion"].rows[1] == ("yes", int(missed.sum()), int(hit.sum()))
    wrong = {r[0] for r in found["wrong"].rows}
    assert wrong == {f"P{i}" for i in np.flatnonzero(said != y)}


def test_a_threshold_never_sees_the_outcomes_it_is_judged_on(runs):
    """Other outcomes in one fold change nobody's call in that fold, and somebody's in another."""
    run, _ = runs["binary"]
    here = run.folds[0].fold.test
    values = run.predicted.outcome.values.copy()
    values[here] = 1 - values[here]
    changed = replace(run.predicted, outcome=replace(run.predicted.outcome, values=values))
    other = replace(run, predicted=changed)
    (_, _, before), (_, _, after) = list(_called(run))[1], list(_called(other))[1]
    assert (before[here] == after[here]).all()
    assert (before != after).any()
    mended, again = _recalibrated(run, run.predicted), _recalibrated(other, changed)
    assert np.array_equal(mended.values[here], again.values[here])
    assert not np.array_equal(mended.values, again.values)


def test_recalibration_mends_a_slope(runs):
    run, _ = runs["binary"]
    logit = np.log(run.predicted.values / (1 - run.predicted.values))
    extreme = replace(run.predicted, values=1 / (1 + np.exp(-3 * logit)))
    found = calibrated(Asked(replace(run, predicted=extreme)))
    assert cell(found, "as predicted", "slope") < 0.6
    assert cell(found, "recalibrated", "slope") == pytest.approx(1, abs=0.2)


def test_the_learning_curve_ends_at_the_folds_and_thins_only_training(runs, make_recipe):
    from sklearn.metrics import roc_auc_score

    run, found = runs["binary"]
    y = run.data.outcome.classes
    last = [r[2] for r in found["learning_curve"].rows if r[0] == 72]
    assert last == pytest.approx([roc_auc_score(y[r.fold.test], r.values[:, 0]) for r in run.folds])
    fold = run.folds[0].fold
    small, large = (_thinned(run, fold, share, 0) for share in (1 / 3, 2 / 3))
    assert set(small.train) < set(large.train) < set(fold.train)
    assert np.array_equal(small.test, fold.test)
    network = replace(run, recipe=run.recipe.with_settings(learner="network"))
    assert learning(Asked(network)).note.startswith("Left out: a network")


def test_a_learning_curve_of_single_patients_is_drawn_from_folds(make_recipe, make_dataset):
    recipe = make_recipe(validation={"name": "leave_one_out"}, metrics=["auc"])
    found = learning(Asked(run_recipe(recipe, make_dataset(n=40))))
    assert len(found.rows) == 15
    assert found.rows[-1][0] == 32


def test_the_sample_size_is_that_of_riley_and_of_what_was_published(runs):
    run, found = runs["binary"]
    told = needed(Asked(replace(run, recipe=run.recipe.with_settings(published={"auc": 0.9}))))
    share = float(run.data.outcome.values.mean())
    assert told.facts["data.needed"] == development_binary(12, share, c_statistic=0.9).n
    assert found["sample_size"].facts["data.needed"] > told.facts["data.needed"]
    assert found["sample_size"].facts["data.enough"] is False
    several = runs["multiclass"][1]["sample_size"]
    assert several.facts["data.needed"] == max(row[1] for row in several.rows)
    assert "of each pair" in several.rows[0][0]


def test_gaps_that_go_with_the_outcome_are_named(make_recipe, make_dataset):
    data = make_dataset()
    values = data.table.values.copy()
    values[data.outcome.classes == 1, 3] = np.nan
    values[:4, 4] = np.nan
    gappy = replace(data, table=replace(data.table, values=values))
    run = run_recipe(make_recipe(prepare=["impute", "zscore"], metrics=["auc"]), gappy)
    found = missing(Asked(run))
    assert "Gaps go with the outcome in f3" in found.note
    assert cell(found, "f4") == pytest.approx(4 / 90)
    assert [row[0] for row in found.on_page] == ["f3", "f4"]


def test_development_and_test_are_compared_where_they_are_two(make_recipe, make_dataset):
    run = run_recipe(make_recipe(validation={"name": "split"}, metrics=["auc"]), described(make_dataset()))
    table = people(Asked(run))
    assert table.facts["validation.compared"] is True
    assert [h.split(" ")[0] for h in table.header] == ["characteristic", "all", "development", "test", "difference"]
    train, test = run.folds[0].fold.train, run.folds[0].fold.test
    x = run.data.table.column("f0")
    apart = (x[test].mean() - x[train].mean()) / np.sqrt((x[test].var() + x[train].var()) / 2)
    (row,) = [r for r in table.rows if r[0] == "f0"]
    assert row[-1] == pytest.approx(apart)
    assert "Youden" not in operating(Asked(run)).note  # one fold has no other patients to choose on


def test_nothing_is_told_that_was_not_done(runs):
    run, found = runs["regression"]
    facts = facts_of(run, (), found.values())
    assert facts.performance.confusion is None
    assert facts.performance.decision_curve is None
    assert facts.closed().performance.decision_curve is False
    assert facts.performance.clinical is False  # a table against a table
    bare = facts_of(run)
    assert bare.data.characteristics is None
    assert bare.performance.subgroups is None
    assert facts.performance.subgroups == ("sex", "age")
    assert facts.data.sharing_checked is True


def test_twins_that_cannot_be_found_were_not_searched(make_recipe, make_dataset):
    few = make_dataset(columns=3)
    assert facts_of(run_recipe(make_recipe(metrics=["auc"]), few)).data.sharing_checked is None


def test_survival_over_time_is_that_of_scikit_survival_where_it_is_there(runs):
    sksurv = pytest.importorskip("sksurv.metrics")
    run, found = runs["survival"]
    p = run.predicted
    y = np.array(list(zip(p.outcome.events, p.outcome.days, strict=True)), dtype=[("e", bool), ("t", float)])
    theirs, _ = sksurv.cumulative_dynamic_auc(y, y, p.values[:, 0], p.days)
    ours = [r[2] for r in found["over_time"].rows if r[0] == "AUC"]
    assert ours == pytest.approx(theirs, abs=1e-9)


def test_shuffled_patients_are_still_patients(make_recipe, make_dataset, tmp_path):
    """Whose rows and whether outcomes were shuffled are two facts, and a model of shuffled outcomes is for nobody."""
    real, digital = make_dataset(), replace(make_dataset(), digital=True)
    for data, word in ((real, "patients"), (digital, "digital patients")):
        run = run_recipe(make_recipe(metrics=["auc"]), data, null=True)
        assert run.world == f"{word}, outcomes shuffled (null cohort)"
        facts = facts_of(run)
        assert (facts.data.digital, facts.data.shuffled) == (word != "patients", True)
        model = model_of(run)
        assert model.card.shuffled
        assert model.card.digital is (word != "patients")
        for side in (True, False):
            with pytest.raises(InputError, match="one of shuffled outcomes"):
                model.answer(data.table, digital=side)


def test_files_and_page_hold_every_finding(make_recipe, make_dataset, tmp_path):
    run = run_recipe(make_recipe(), described(make_dataset(n=60)), tmp_path)
    page = (tmp_path / "page.html").read_text()
    for one in findings_of(run, tmp_path / "cache" / "folds"):
        rows = list(csv.DictReader((tmp_path / f"{one.name}.csv").read_text().splitlines()))
        assert {row["world"] for row in rows} == {"patients"}
        assert f'href="{one.name}.csv"' in page
        assert all(f'alt="{title}, patients"' in page for title, _ in one.pictures)
    assert len(re.findall(r"<figure>", page)) >= 8


def test_subgroups_of_the_recipe_come_first(make_recipe):
    from tumorboard.lab.cohort import Cohort, parse_sheet
    from tumorboard.lab.dataset import gather

    lines = [f"P{n},{40 + n},{'FM'[n % 2]},{'wx'[n % 3 == 0]},{n % 2}" for n in range(20)]
    sheet = parse_sheet("people", "participant_id,age,Sex,ward,y\n" + "\n".join(lines) + "\n")
    cohort = Cohort({}, {"people": sheet})
    recipe = make_recipe(representation=[{"name": "clinical", "columns": ["age"]}])
    assert set(gather(recipe, cohort).described) == {"Sex", "age"}
    assert set(gather(recipe.with_settings(subgroups="ward"), cohort).described) == {"ward"}
    with pytest.raises(InputError, match="did you mean 'ward'"):
        gather(recipe.with_settings(subgroups="wards"), cohort)
    assert isinstance(gather(recipe, cohort).left_out, int)


def test_predictions_of_labels_are_looked_at_one_by_one(make_recipe, make_dataset):
    run = run_recipe(make_recipe("multilabel", metrics=["auc"]), described(make_dataset("multilabel")))
    assert {r[0] for r in decision(Asked(run)).rows} == {"p", "q"}
    assert isinstance(run.predicted, Predicted)
