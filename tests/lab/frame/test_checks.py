"""What is refused or warned of before anything is trained."""

from __future__ import annotations

import numpy as np
import pytest

from tumorboard.errors import InputError
from tumorboard.lab import Dataset, Outcome, Table, Unit, parse_recipe, run_recipe
from tumorboard.lab.checks import check_dataset
from tumorboard.lab.recipe import read_recipe, recipe_names
from tumorboard.lab.shelf import show_recipe

TEXT = """
id: x
title: x
endpoint: {kind: binary, column: idh}
representation: [clinical]
prepare: [{name: impute, how: mean}, zscore]
learner: logistic
"""


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("learner: logistic", "learner: {name: logistik}", "did you mean 'logistic'"),
        ("learner: logistic", "learner: {name: logistic, strenght: 2}", "did you mean 'strength'"),
        ("learner: logistic", "learner: {name: cox}", "a learner for binary: logistic"),
        ("learner: logistic", "learner: {name: logistic, tune: {strengt: [1]}}", "did you mean 'strength'"),
        ("zscore", "zcore", "did you mean 'zscore'"),
        ("how: mean", "how: maen", "did you mean 'mean'"),
        ("zscore", "{name: correlation, over: 0.9}", "a setting of the selection correlation"),
        ("[clinical]", "[clinicl]", "did you mean 'clinical'"),
        ("[clinical]", "[]", "representation"),
        ("kind: binary", "kind: binry", "endpoint.kind"),
        ("column: idh", "colum: idh", "did you mean 'column'"),
        ("kind: binary, column: idh", "kind: survival, days: d", "names event"),
        ("id: x", "idd: x", "did you mean 'id'"),
        ("title: x", "", "the key 'title'"),
        ("id: x", "id: x\nvalidation: {name: kfoldd}", "did you mean 'kfold'"),
        ("id: x", "id: x\nvalidation: {name: nested}", "settings to tune in nested folds"),
        ("id: x", "id: x\nvalidation: {folds: 1}", "validation.folds"),
        ("id: x", "id: x\nmetrics: [acu]", "did you mean 'auc'"),
        ("id: x", "id: x\nmetrics: [harrell_c]", "a metric of binary outcomes"),
        ("id: x", "id: x\nsequences: [T1X]", "did you mean 'T1"),
        ("id: x", "id: [x", "expected YAML; got a mistake in line"),
        (TEXT, "- a", "keys and values"),
    ],
)
def test_a_wrong_recipe_is_told_what_is_near(old, new, told):
    assert parse_recipe(TEXT).learner.name == "logistic"
    with pytest.raises(InputError) as error:
        parse_recipe(TEXT.replace(old, new))
    assert told in str(error.value)


def test_unknown_ids_and_files_are_refused(tmp_path):
    with pytest.raises(InputError, match="did you mean 'example'"):
        read_recipe("exampel")
    with pytest.raises(InputError, match="none that can be read"):
        read_recipe(tmp_path / "secret.yaml")


@pytest.mark.parametrize("name", recipe_names())
def test_every_recipe_is_read_is_short_and_cites(name):
    from importlib.resources import files

    recipe = read_recipe(name)
    text = files("tumorboard").joinpath("recipes", f"{name}.yaml").read_text(encoding="utf-8")
    assert recipe.id == name
    assert len(text.splitlines()) <= 40
    assert recipe.cites
    assert recipe.question
    assert name.startswith("example") or recipe.published
    assert parse_recipe(show_recipe(name)) == recipe


@pytest.mark.parametrize(
    ("outcome", "told"),
    [
        (Outcome.binary(np.ones(40)), "at least two classes; got one"),
        (Outcome.binary(np.arange(40) < 3), "5 rows of each class at least; got 3"),
        (Outcome.survival(np.arange(40) - 1.0, np.ones(40)), "days above 0; got 2 rows"),
        (Outcome.survival(np.arange(40) + 1.0, np.zeros(40)), "5 events at least; got 0"),
        (Outcome.regression(np.ones(40)), "a quantity that varies"),
    ],
)
def test_an_outcome_that_cannot_be_learned_is_refused(make_recipe, outcome, told):
    x = np.random.default_rng(0).normal(size=(40, 2))
    table = Table.of([Unit(f"P{i}") for i in range(40)], {"a": x[:, 0], "b": x[:, 1]})
    kind = outcome.kind.value
    recipe = make_recipe(kind, {"survival": "cox", "regression": "ridge"}.get(kind, "logistic"))
    with pytest.raises(InputError, match=told):
        run_recipe(recipe, Dataset.of(table, outcome))


def test_a_patient_under_two_ids_is_refused(make_recipe, make_dataset):
    data = make_dataset(n=60)
    x = data.table.values.copy()
    x[31] = x[7] * (1 + 1e-6)
    twins = Dataset.of(Table(data.table.units, data.table.names, x), data.outcome)
    with pytest.raises(InputError, match="1 pair of patients with the same 12 features") as error:
        check_dataset(make_recipe(), twins)
    assert "P7" not in str(error.value)
    one = tuple(Unit("P7", "ses-02") if i == 31 else u for i, u in enumerate(data.table.units))
    check_dataset(make_recipe(), Dataset.of(Table(one, data.table.names, x), data.outcome))  # one patient: fine


def test_few_events_are_warned_of_with_the_ratio(make_recipe, make_dataset):
    data = make_dataset(n=60)
    events = int(min(data.outcome.values.sum(), 60 - data.outcome.values.sum()))
    told = check_dataset(make_recipe(), data)
    assert told[0].startswith(f"{events} rows of the rarer class for 12 candidate predictors: {events / 12:.1f} each")


@pytest.mark.parametrize("kind", ["binary", "multiclass", "survival", "regression", "multilabel"])
def test_a_column_that_is_the_outcome_in_disguise_is_warned_of(make_recipe, make_dataset, kind):
    data = make_dataset(kind, n=120)
    recipe = make_recipe(kind, {"survival": "cox", "regression": "ridge"}.get(kind, "logistic"))
    assert not any("outcome itself" in w for w in check_dataset(recipe, data))
    leak = 3 - data.outcome.values[:, 0]
    if kind == "survival":  # days until death, known for the dead only
        leak = np.where(data.outcome.events, data.outcome.days, data.outcome.days.mean())
    more = Table.of(data.table.units, {"days_alive": leak})
    told = check_dataset(recipe, Dataset.of(data.table.beside(more), data.outcome))
    assert [w for w in told if w.startswith("days_alive: alone almost the outcome itself")]


def test_sites_that_are_the_outcome_in_disguise_are_warned_of(make_recipe, make_dataset):
    data = make_dataset(n=80)
    same = Dataset.of(data.table, data.outcome, [f"site{int(v)}" for v in data.outcome.values[:, 0]])
    assert any("the site alone tells the class of 100% of rows" in w for w in check_dataset(make_recipe(), same))
    assert not any("site" in w for w in check_dataset(make_recipe(), data))


def test_missing_values_without_imputation_are_named(make_recipe, make_dataset):
    data = make_dataset(n=60)
    x = data.table.values.copy()
    x[3, 4] = np.nan
    gaps = Dataset.of(Table(data.table.units, data.table.names, x), data.outcome)
    with pytest.raises(InputError, match="missing ones in f4"):
        check_dataset(make_recipe(), gaps)
    check_dataset(make_recipe("binary", "boosting", []), gaps)
    assert run_recipe(make_recipe("binary", {"name": "boosting", "rounds": 5}, []), gaps).metrics["auc"].known


def test_tables_refuse_what_is_no_table():
    with pytest.raises(InputError, match="each column once"):
        Table((Unit("A"),), ("a", "a"), np.zeros((1, 2)))
    with pytest.raises(InputError, match="each row once"):
        Table((Unit("A"), Unit("A")), ("a",), np.zeros((2, 1)))
    with pytest.raises(InputError, match="column b: expected finite"):
        Table((Unit("A"),), ("a", "b"), np.array([[0.0, np.inf]]))
    with pytest.raises(InputError, match="no 'c'"):
        Table.of([Unit("A")], {"a": [1.0]}).columns(["a", "c"])


# --- before images are read ---------------------------------------------------------------------------------------


class Unread:
    """A cohort whose images must not be asked for."""

    def __getattr__(self, name):
        raise AssertionError(f"{name} was read")


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"region": "rimg"}, "did you mean 'ring'"),
        ({"representation": {"name": "histogram", "region": "WTT"}}, "did you mean 'WT'"),
        ({"representation": {"name": "histogram", "sequences": ["T1CC"]}}, "did you mean 'T1C'"),
        ({"representation": {"name": "histogram", "bins": "many"}}, "histogram"),
        ({"sequences": ()}, "sequences for histogram"),
        ({"learner": {"name": "logistic", "strength": -1}}, "a number above 0"),
        ({"learner": {"name": "logistic", "tune": {"strength": [1, 0]}}}, "a number above 0"),
        ({"learner": {"name": "cox", "l1": 7}, "endpoint": {"kind": "survival", "days": "d", "event": "e"}}, "0 to 1"),
    ],
)
def test_wrong_settings_are_refused_before_an_image_is_read(make_recipe, changes, match):
    base = {"representation": "histogram", "sequences": ["T1C"], "region": "WT"}
    recipe = make_recipe(**(base | {k: v for k, v in changes.items() if k not in ("endpoint", "learner")}))
    recipe = recipe.with_settings(**{k: v for k, v in changes.items() if k in ("endpoint", "learner")})
    with pytest.raises(InputError, match=match):
        run_recipe(recipe, Unread())
