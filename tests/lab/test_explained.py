"""Explanations of tables beside a run: the planted column comes first, nobody is explained by a model that saw them."""

from __future__ import annotations

import csv
import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest

from tumorboard.appraise import appraise, read_checklist
from tumorboard.lab import run_recipe
from tumorboard.lab.evidence import facts_of
from tumorboard.lab.explained import explain_run, explained, write_explained
from tumorboard.lab.explained.asked import OfColumns
from tumorboard.lab.explained.questions import questions
from tumorboard.lab.explained.refitted import refitted
from tumorboard.lab.page import page

FOREST = {"name": "forest", "trees": 20}


def _frame():
    place = Path(__file__).parent / "frame" / "conftest.py"
    spec = importlib.util.spec_from_file_location("frame_of_explained", place)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


FRAME = _frame()


def ran(kind, learner, **more):
    data = {k: more.pop(k) for k in ("n", "effect", "rows_each", "seed") if k in more}
    return run_recipe(FRAME.recipe(kind, learner, **more), FRAME.dataset(kind, **({"n": 60, "effect": 2.0} | data)))


def leading(found, slug, count=2):
    drivers = next(p for p in found.parts if p.slug == slug).record["drivers"][:count]
    return {name for d in drivers for name in d["names"]}


CHEAP = [("binary", "logistic"), ("survival", {"name": "cox", "penalty": 0.01}), ("regression", FOREST)]
DEAR = [
    *(("binary", name) for name in ("svm", "ann", "knn", "boosting", {"name": "svm", "smote": True})),
    *(("survival", name) for name in ("supervised_pca", {"name": "hazard_forest", "trees": 40})),
    *(("regression", name) for name in ("ridge", "lasso", "dnn")),
]


def planted_comes_first(kind, learner):
    found = explain_run(ran(kind, learner))
    assert {p.slug for p in found.of("columns")} == {"shap", "importance", "effects", "rules"}
    assert leading(found, "importance") == leading(found, "shap") == {"f0", "f1"}
    assert not found.missing


@pytest.mark.parametrize(("kind", "learner"), CHEAP)
def test_planted_columns_come_first(kind, learner):
    planted_comes_first(kind, learner)


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "learner"), DEAR)
def test_planted_columns_come_first_whatever_learns(kind, learner):
    planted_comes_first(kind, learner)


def test_labels_are_explained_one_by_one_where_they_are_known():
    data = FRAME.dataset("multilabel", n=60, effect=2.0)
    values = data.outcome.values.copy()
    values[::7, 1] = np.nan
    data = FRAME.Dataset.of(data.table, type(data.outcome)(data.outcome.kind, values, data.outcome.names))
    found = explain_run(run_recipe(FRAME.recipe("multilabel"), data))
    assert leading(found, "importance-1") == leading(found, "importance-2") == {"f0", "f1"}
    assert {d["effect"]["n"] for p in found.parts if p.slug == "importance-2" for d in p.record["drivers"]} == {51}


@pytest.mark.slow
def test_of_many_classes_those_with_most_patients_are_explained():
    data = FRAME.dataset("regression", n=150, effect=2.0)
    cuts = np.quantile(data.outcome.values, [0.1, 0.3, 0.6, 0.8])
    outcome = FRAME.Outcome.multiclass(np.digitize(data.outcome.values[:, 0], cuts), tuple("abcde"))
    found = explain_run(run_recipe(FRAME.recipe("multiclass"), FRAME.Dataset.of(data.table, outcome)))
    told = {p.title for p in found.of("columns") if p.slug.startswith("shap")}
    assert told == {f"Shapley values: y: {c}" for c in "bcde"}
    assert [m.what for m in found.missing] == ["1 of 5 classes"]


def test_nobody_is_explained_by_a_model_that_saw_them_or_another_row_of_theirs():
    run = ran("binary", "logistic", rows_each=3)
    source = refitted(run)
    for part in source.parts:
        assert set(part.train.table.patients).isdisjoint(part.test.table.patients)
    assert sorted(source.rows.tolist()) == list(range(60))
    told = np.empty((60, 1))
    told[source.rows] = source.predict(source.values)
    assert np.array_equal(told, run.predicted.values)  # the fitted folds are those of the run
    assert np.array_equal(source.predict(np.vstack([source.values] * 2)), np.vstack([told[source.rows]] * 2))


def test_left_out_one_at_a_time_is_explained_in_five_folds_by_patient():
    run = ran("binary", "logistic", n=40, validation={"name": "leave_one_out"})
    source = refitted(run)
    assert len(source.parts) == 5
    assert "5 folds by patient" in source.how


def test_noise_is_not_explained_as_if_it_were_something():
    found = explain_run(ran("binary", FOREST, effect=0.0, seed=3))
    importance = next(p for p in found.parts if p.slug == "importance")
    lows = [d["effect"]["low"] for d in importance.record["drivers"]]
    assert sum(low is not None and low > 0 for low in lows) <= 1
    rules = next(p for p in found.parts if p.slug == "rules")
    assert not rules.checks[0].passed


@pytest.mark.parametrize(("kind", "learner"), [("binary", "supervised_pca"), ("survival", "supervised_pca")])
def test_components_are_taken_apart_into_columns_exactly(kind, learner):
    run = ran(kind, {"name": learner, "components": 2, "keep": 0.5})
    source = refitted(run)
    of = OfColumns(run, source, questions(run.recipe.endpoint, run.data.outcome.take(source.rows))[0])
    found = of.additive
    told = of.told[found.at]
    answer = np.log(told / (1 - told)) if kind == "binary" else told
    np.testing.assert_allclose(found.base + found.values.sum(axis=1), answer, atol=1e-9)
    assert found.how == "exact (linear)"


def test_shapley_values_add_up_in_the_file_and_no_file_names_a_patient(tmp_path):
    run = ran("regression", FOREST)
    write_explained(explain_run(run), tmp_path)
    rows = list(csv.DictReader((tmp_path / "shap.csv").read_text(encoding="utf-8").splitlines()))
    sums, told = {}, {}
    for row in rows:
        sums.setdefault(row["patient"], float(row["base"]))
        sums[row["patient"]] += float(row["contribution"])
        told[row["patient"]] = float(row["told"])
    assert len(sums) == 60
    assert sums == pytest.approx(told, abs=1e-6)
    values = {r["patient"]: float(r["value"]) for r in rows if r["column"] == "f0"}
    assert values == pytest.approx(
        {u.patient: v for u, v in zip(run.data.table.units, run.data.table.column("f0"), strict=True)}
    )
    names = {p.name for p in tmp_path.iterdir()}
    assert {"explanations.json", "importance.csv", "effects.csv", "rules.csv", "cases.csv", "importance.png"} <= names
    patients = set(run.data.table.patients)
    assert not any(word in patients for name in names for word in name.replace(".", "-").split("-"))


def test_a_run_that_was_killed_goes_on_and_repeats_its_bytes(tmp_path, monkeypatch):
    run = ran("binary", "logistic")
    write_explained(explain_run(run), tmp_path / "plain")
    real = explained.explain_classes
    monkeypatch.setattr(explained, "explain_classes", _dies)
    with pytest.raises(KeyboardInterrupt):
        explain_run(run, tmp_path / "cache")
    monkeypatch.setattr(explained, "explain_classes", real)
    fitted = []
    monkeypatch.setattr(explained, "refitted", lambda *a, **k: fitted.append(1))
    done = []
    write_explained(explain_run(run, tmp_path / "cache", lambda n, of: done.append((n, of))), tmp_path / "again")
    assert (fitted, done) == ([], [(1, 2), (2, 2)])
    every = [{p.name: p.read_bytes() for p in (tmp_path / f).iterdir()} for f in ("plain", "again")]
    assert every[0] == every[1]
    other = run_recipe(run.recipe.with_settings(seed=9), run.data)
    with pytest.raises(AttributeError):  # another seed asks for models again, which here are none
        explain_run(other, tmp_path / "cache")


def _dies(*_):
    raise KeyboardInterrupt


def test_checklists_page_and_world_know_of_it(tmp_path):
    data = FRAME.dataset("binary", n=60, effect=2.0)
    run = run_recipe(FRAME.recipe("binary"), FRAME.Dataset.of(data.table, data.outcome, digital=True))
    found = explain_run(run)
    facts = facts_of(run, explained=found)
    assert "Shapley values" in facts.performance.explanation
    assert "fidelity" in facts.performance.explanation_checked
    for name, number in (("claim-2024", None), ("clear", None)):
        told = appraise(facts.closed(), read_checklist(name))
        item = next(a for a in told.answers if "xplanation" in a.item.text)
        assert item.answer.value == "yes", (name, number)
    made = page(run, facts, explained=found)
    assert "not what causes the outcome" in made
    assert made.count("data:image/png;base64") >= len(found.parts) // 2
    write_explained(found, tmp_path)
    told = json.loads((tmp_path / "explanations.json").read_text(encoding="utf-8"))
    assert told["world"] == "digital patients"
    assert all("(digital patients)" in p["sentence"] for p in told["explanations"])


def test_wrongly_told_patients_are_among_those_shown():
    run = ran("binary", "logistic", effect=0.7)
    cases = [p for p in explain_run(run).of("patients") if p.slug.endswith("alike")]
    why = [p.title.partition(" – ")[2] for p in cases]
    assert sum(w.startswith("typical") for w in why) == sum(w.startswith("wrong") for w in why) == 2
    own = {p.record["nearest"]["about"]["case"] for p in cases}
    assert len(own) == 4
    for part in cases:
        assert part.record["nearest"]["about"]["case"] not in [c["name"] for c in part.record["nearest"]["cases"]]
