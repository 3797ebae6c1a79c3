"""What a run writes: the same bytes again, after a kill, and in parallel; a model that is refused where it must be."""

from __future__ import annotations

import html
import json
import re
import zipfile

import numpy as np
import pytest

from tumorboard.appraise import CHECKLISTS, RunFacts, appraise, read_checklist
from tumorboard.errors import FileFormatError, InputError
from tumorboard.lab import Dataset, Table, run_recipe
from tumorboard.lab import run as frame
from tumorboard.lab.learners import LEARNERS
from tumorboard.lab.model import Model
from tumorboard.lab.results import FILES, model_of
from tumorboard.lab.shelf import compare, list_recipes, new_recipe, show_recipe

PREPARE = ["impute", {"name": "combat"}, "variance", "zscore", {"name": "mrmr", "keep": 6}]


def every_byte(folder):
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_repeated_and_killed_runs_give_the_same_bytes(make_recipe, make_dataset, tmp_path, monkeypatch):
    recipe = make_recipe("binary", {"name": "forest", "trees": 3, "tune": {"depth": [2, 4]}}, PREPARE, compare=["f0"])
    recipe = recipe.with_settings(metrics=["auc"])
    data = make_dataset("binary", n=60)
    run_recipe(recipe, data, tmp_path / "first")
    run_recipe(recipe, data, tmp_path / "again")
    done = []

    def dies(recipe, data, fold, cache=None):
        if len(done) == 3:
            raise KeyboardInterrupt
        done.append(fold.name)
        return real(recipe, data, fold, cache)

    real = frame.run_fold
    monkeypatch.setattr(frame, "run_fold", dies)
    with pytest.raises(KeyboardInterrupt):
        run_recipe(recipe, data, tmp_path / "killed")
    assert len(list((tmp_path / "killed" / "cache" / "folds").iterdir())) == 3
    monkeypatch.setattr(frame, "run_fold", real)
    run_recipe(recipe, data, tmp_path / "killed")
    first = every_byte(tmp_path / "first")
    assert set(FILES) <= set(first)
    assert {f"checklists/{name}.json" for name in CHECKLISTS} <= set(first)
    assert first == every_byte(tmp_path / "again") == every_byte(tmp_path / "killed")


def test_a_finished_fold_is_not_fitted_again(make_recipe, make_dataset, tmp_path, monkeypatch):
    from tumorboard.lab import fold

    recipe, data = make_recipe(), make_dataset(n=60)
    run_recipe(recipe, data, tmp_path)
    fits = []
    real = fold.fit
    monkeypatch.setattr(fold, "fit", lambda *a, **k: fits.append(1) or real(*a, **k))
    run_recipe(recipe, data, tmp_path)
    assert fits == []
    run_recipe(recipe.with_settings(seed=2), data, tmp_path)
    assert len(fits) == 5 + 10  # the folds, and those of the learning curve


@pytest.mark.slow  # processes start slowly
def test_workers_change_nothing(make_recipe, make_dataset):
    recipe, data = make_recipe("survival", {"name": "cox", "penalty": 0.1}), make_dataset("survival", n=60)
    one, two = run_recipe(recipe, data), run_recipe(recipe, data, workers=2)
    assert np.array_equal(one.predicted.values, two.predicted.values)


def test_every_learner_is_saved_and_read_without_pickle(make_recipe, make_dataset, tmp_path):
    small = {"forest": {"trees": 5}, "boosting": {"rounds": 5}, "hazard_forest": {"trees": 20}, "dnn": {"rounds": 5}}
    from tumorboard.lab.fold import fit
    from tumorboard.lab.model import CardFacts

    tried = 0
    for name in LEARNERS:
        for kind in sorted(LEARNERS.entry(name).serves):
            if name in ("survival_forest", "network") or (kind != "multilabel" and tried > 3 and kind == "multiclass"):
                continue
            data = make_dataset(kind, n=45, columns=5)
            recipe = make_recipe(kind, {"name": name, **small.get(name, {})}, ["impute", {"name": "combat"}, "zscore"])
            model = Model.of(recipe, data, fit(recipe, data), None, CardFacts({}, {}, {}))
            model.save(tmp_path / name / kind)
            back = Model.load(tmp_path / name / kind)
            sites = tuple(data.sites.tolist())
            assert back.answer(data.table, True, sites) == model.answer(data.table, True, sites), (name, kind)
            tried += 1
    assert tried > 20


def test_a_model_of_digital_patients_is_refused_on_patients(make_recipe, make_dataset, tmp_path):
    data = make_dataset(n=60)
    digital = Dataset.of(data.table, data.outcome, data.sites.tolist(), digital=True)
    run_recipe(make_recipe(), digital, tmp_path)
    card = json.loads((tmp_path / "model" / "metadata.json").read_text())
    assert card["digital"] is True
    assert card["world"] == "digital patients"
    model = Model.load(tmp_path / "model")
    assert len(model.answer(data.table, digital=True)) == 60
    with pytest.raises(InputError, match="expected a model of patients; got one of digital patients"):
        model.answer(data.table, digital=False)


def test_a_model_names_the_column_it_lacks_and_knows_strangers(make_recipe, make_dataset):
    data = make_dataset(n=80)
    model = model_of(run_recipe(make_recipe(), data))
    assert not model.card.digital
    with pytest.raises(InputError, match="no 'f11'"):
        model.answer(data.table.columns(data.table.names[:11]), digital=False)
    strange = Table(data.table.units[:1], data.table.names, np.full((1, 12), 40.0))
    answer = model.answer(strange, digital=False)[0]
    assert not answer.validity.like
    assert answer.validity.outside == data.table.names
    usual = [a.validity.like for a in model.answer(data.table, digital=False)]
    assert np.mean(usual) > 0.95


def test_prediction_sets_hold_the_truth_as_often_as_they_promise(make_recipe, make_dataset):
    train, new = make_dataset(n=300, seed=1), make_dataset(n=600, seed=2)
    model = model_of(run_recipe(make_recipe(), train))
    names = np.array(train.outcome.names)
    inside = [
        names[y] in a.among for y, a in zip(new.outcome.classes, model.answer(new.table, digital=False), strict=True)
    ]
    assert 0.86 < np.mean(inside) < 0.94


def test_a_damaged_or_strange_model_is_refused(make_recipe, make_dataset, tmp_path):
    run_recipe(make_recipe(), make_dataset(n=60), tmp_path)
    place = tmp_path / "model" / "model.skops"
    with zipfile.ZipFile(place) as archive:
        content = {n: archive.read(n) for n in archive.namelist()}
    evil = (
        content["schema.json"]
        .replace(b'"Standardise"', b'"Popen"')
        .replace(b"tumorboard.lab.scale.zscore", b"subprocess")
    )
    with zipfile.ZipFile(place, "w") as archive:
        for name, raw in (content | {"schema.json": evil}).items():
            archive.writestr(name, raw)
    with pytest.raises(FileFormatError, match=r"the class subprocess\.Popen"):
        Model.load(tmp_path / "model")
    place.write_bytes(b"PK no")
    with pytest.raises(FileFormatError):
        Model.load(tmp_path / "model")


def test_the_page_names_the_world_and_the_published_number(make_recipe, make_dataset, tmp_path):
    recipe = make_recipe(published={"auc": 0.91, "note": "a <note>"}, title="T < 1")
    data = make_dataset(n=60)
    run_recipe(recipe, Dataset.of(data.table, data.outcome, digital=True), tmp_path / "digital")
    run_recipe(recipe, Dataset.of(data.table, data.outcome), tmp_path / "null", null=True)
    page = (tmp_path / "digital" / "page.html").read_text()
    assert "Measured on digital patients" in page
    assert "0.91" in page
    assert "a &lt;note&gt;" in page
    assert "T &lt; 1" in page
    assert "http" not in page.split("<pre>")[0]
    told = compare([tmp_path / "digital", tmp_path / "null"])
    assert [(c.metric, c.world, c.published) for c in told] == [
        ("auc", "digital patients", "0.91"),
        ("auc", "patients, outcomes shuffled (null cohort)", "0.91"),
    ]
    facts = json.loads((tmp_path / "digital" / "facts.json").read_text())
    assert facts["data"]["digital"] is True
    assert facts["validation"]["grouped"] is True


def test_external_cohort_is_tested_and_never_trained_on(make_recipe, make_dataset):
    ours, theirs = make_dataset(n=80, seed=1, effect=2.0), make_dataset(n=40, seed=2, effect=2.0)
    run = run_recipe(make_recipe(), ours, external=theirs)
    assert run.rows.tolist() == list(range(80, 120))
    assert len(run.training) == 80
    assert run.metrics["auc"].value > 0.8
    digital = Dataset.of(theirs.table, theirs.outcome, digital=True)
    with pytest.raises(InputError, match="two cohorts of one world"):
        run_recipe(make_recipe(), ours, external=digital)


def test_the_shelf():
    listed = {one.id: one for one in list_recipes()}
    assert listed["example"].outcome == "binary: idh"
    assert "learner:" in show_recipe("E2")
    assert "example" not in new_recipe("mine")


@pytest.mark.parametrize("name", CHECKLISTS)
def test_the_page_counts_the_answers_that_lie_beside_it(name, make_recipe, make_dataset, tmp_path):
    out = tmp_path / "out"
    run_recipe(make_recipe("binary", {"name": "logistic"}, PREPARE), make_dataset("binary", n=60), out)
    told = json.loads((out / "checklists" / f"{name}.json").read_text())
    facts = RunFacts.model_validate_json((out / "facts.json").read_text())
    again = appraise(facts.closed(), read_checklist(name))
    assert [item["answer"] for item in told["items"]] == [a.answer.value for a in again.answers]
    page, title = (out / "page.html").read_text(), f"{told['title']} ({told['version']})"
    row = re.search(rf"<tr><th scope=\"row\">{re.escape(html.escape(title))}</th>(.*?)</tr>", page)
    assert row is not None
    counts = [int(n) for n in re.findall(r"<td>(\d+)</td>", row[1])]
    assert sum(counts) == len(told["items"])
    assert counts[0] == sum(item["answer"] == "yes" for item in told["items"])
