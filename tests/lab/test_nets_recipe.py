"""A recipe with a network, from a cohort's images to a model that is saved and read."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from tumorboard.errors import InputError
from tumorboard.lab.dataset import Dataset, Material
from tumorboard.lab.fold import fit
from tumorboard.lab.nets import NETS
from tumorboard.lab.outcome import Outcome
from tumorboard.lab.recipe import Recipe, parse_recipe
from tumorboard.lab.represent import represent
from tumorboard.lab.represent.network import HandedOver
from tumorboard.lab.run import run_recipe
from tumorboard.lab.table import Table, Unit

WORDS = """
id: X1
title: A network on crops, with age
endpoint: {kind: binary, column: idh}
sequences: [T1C]
region: [WT]
representation: [{name: network, side: 8}, {name: clinical, columns: [age]}]
prepare: [{name: impute, how: mean}, zscore]
learner: {name: network, net: vgg, width: 4, epochs: 12, rate: 0.01, device: cpu}
validation: {name: kfold, folds: 3}
"""


def dataset(rows=42, patients=None, effect=3.0, seed=0):
    rng = np.random.default_rng(seed)
    y = np.arange(rows) % 2
    crops = 0.5 * rng.normal(size=(rows, 1, 8, 8, 8)).astype(np.float32)
    crops[:, 0, 2:6, 2:6, 2:6] += (effect * y)[:, None, None, None]
    units = [Unit(f"P{n}" if patients is None else f"P{n // patients}", lesion=str(n)) for n in range(rows)]
    table = Table.of(units, {"age": rng.normal(60, 10, rows)})
    data = Dataset.of(table, Outcome.binary(y))
    make = partial(HandedOver, channels=("T1C",), view="cube")
    return replace(data, material=(Material("network", tuple(crops), make),))


def test_out_of_fold_a_planted_effect_is_found_and_a_run_repeats_itself(tmp_path):
    recipe = parse_recipe(WORDS)
    run = run_recipe(recipe, dataset())
    assert run.metrics["auc"].value > 0.85
    again = run_recipe(recipe, dataset())
    assert np.array_equal(run.predicted.values, again.predicted.values)


def test_prepared_columns_reach_the_network():
    data = dataset(effect=0.0)
    fitted = fit(parse_recipe(WORDS), data)
    learner = fitted.pipeline.learner
    assert learner.module.extras == 2  # age and the flag of T1C
    older = Table(data.table.units, data.table.names, data.table.values + 30.0)

    assert not np.allclose(fitted.predict(data), fitted.predict(replace(data, table=older)))


def test_a_model_is_kept_and_answers_alike(tmp_path):
    from tumorboard.lab.model import CardFacts, Model

    recipe, data = parse_recipe(WORDS), dataset()
    Model.of(recipe, data, fit(recipe, data), None, CardFacts({}, {}, {})).save(tmp_path)
    read = Model.load(tmp_path)
    assert np.array_equal(read.fitted.predict(data), fit(recipe, data).predict(data))


@pytest.mark.parametrize("name", [n for n in NETS if NETS[n].views[0] == "cube" and n in ("vgg", "gated")])
def test_a_cohort_of_images_can_be_learned_from(name, digital_cohort):
    made = represent(
        "network",
        digital_cohort,
        digital_cohort.units(),
        sequences=["T1C", "FLAIR"],
        regions=["WT"],
        settings={"side": 16},
    )

    material = (Material("network", made.learned.material, made.learned.make),)
    data = replace(Dataset.of(made.table, Outcome.binary([0, 1, 0, 1])), material=material)
    recipe = parse_recipe(WORDS)
    changes = recipe.model_dump(mode="python")
    changes["learner"] |= {"net": name, "epochs": 2}
    changes |= {"representation": [{"name": "network", "side": 16}], "prepare": []}
    found = fit(Recipe.model_validate(changes), data).predict(data)
    assert found.shape == (4, 1)
    assert ((found > 0) & (found < 1)).all()


def test_a_network_without_images_is_refused():
    with pytest.raises(InputError, match=r"add \{name: network\} to representation"):
        parse_recipe(WORDS.replace("{name: network, side: 8}, ", ""))


def test_a_setting_that_no_network_has_is_refused():
    with pytest.raises(InputError, match="did you mean 'epochs'"):
        parse_recipe(WORDS.replace("epochs", "epocs"))
