"""Explanations of networks: a planted bright spot is found inside the region, and every view has a word or a reason."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from tumorboard.lab.dataset import Dataset, Material
from tumorboard.lab.explained import explain_run, explanation_facts, write_explained
from tumorboard.lab.outcome import Outcome
from tumorboard.lab.recipe import parse_recipe
from tumorboard.lab.represent.network import HandedOver
from tumorboard.lab.run import run_recipe
from tumorboard.lab.table import Table, Unit

WORDS = """
id: X1
title: A network on crops, with age
endpoint: {kind: binary, column: idh}
sequences: [T1C, FLAIR]
region: [WT]
representation: [{name: network, side: 16}, {name: clinical, columns: [age]}]
prepare: [{name: impute, how: mean}, zscore]
learner: {name: network, net: NET, width: 4, epochs: EPOCHS, rate: 0.01, device: cpu}
validation: {name: kfold, folds: 3}
"""


def recipe(net, epochs):
    return parse_recipe(WORDS.replace("NET", net).replace("EPOCHS", str(epochs)))


def dataset(view="cube", rows=42, side=16, marked=True):
    """T1C is bright inside a box somewhere in the crop where the outcome is yes; FLAIR is noise."""
    rng = np.random.default_rng(0)
    y = np.arange(rows) % 2
    crops = 0.5 * rng.normal(size=(rows, 3, side, side, side)).astype(np.float32)
    crops[:, 2] = 0
    for n in range(rows):
        box = tuple(slice(a, a + 4) for a in rng.integers(2, max(side - 6, 3), 3))
        crops[(n, 2, *box)] = 1
        crops[(n, 0, *box)] += 3.0 * y[n]
    if view == "slices":
        crops = np.ascontiguousarray(np.moveaxis(crops, 4, 1))
    if view == "curve":
        crops = crops[:, :2, :, 0, 0] + y[:, None, None]
    units = [Unit(f"P{n}") for n in range(rows)]
    table = Table.of(units, {"age": rng.normal(60, 10, rows)})
    make = partial(HandedOver, channels=("T1C", "FLAIR"), view=view, marked=marked and view != "curve")
    if not marked and view == "cube":
        crops = crops[:, :2]
    data = Dataset.of(table, Outcome.binary(y), digital=True)
    return replace(data, material=(Material("network", tuple(crops), make),))


@pytest.mark.slow
def test_a_planted_bright_spot_is_found_where_it_lies(tmp_path):
    run = run_recipe(recipe("vgg", 12), dataset())
    found = explain_run(run)
    by = {p.slug: p for p in found.parts}
    assert by["sequences"].record["drivers"][0]["names"] == ["T1C"]
    yes = next(p for p in found.of("images") if p.slug.startswith("guided") and "typical: yes" in p.title)
    share = yes.record["regions"][0]
    assert share["region"] == "WT"
    assert share["share"] > 5 * share["expected"]
    assert {c.ground: c.passed for c in yes.checks} == {"place": True, "weights": True}
    assert yes.pictures
    assert by["importance"].warnings  # age says nothing, and that is told
    assert "weights" in explanation_facts(found)["explanation_checked"]
    assert any("used up" in m.why for m in found.missing)  # passes are counted, not seconds
    write_explained(found, tmp_path / "one")
    write_explained(explain_run(run), tmp_path / "two")
    one, two = ({p.name: p.read_bytes() for p in (tmp_path / f).iterdir()} for f in ("one", "two"))
    assert one == two


@pytest.mark.slow
@pytest.mark.parametrize(
    ("net", "view", "marked"),
    [
        *(("conv_recurrent", "slices", True), ("resnet18", "cube", False), ("gated", "cube", True)),
        *(("attention_lstm", "curve", False), ("multitask", "slices", True)),
    ],
)
def test_every_view_is_explained_or_told_why_not(net, view, marked):
    run = run_recipe(recipe(net, 4), dataset(view, rows=30, marked=marked))
    found = explain_run(run)
    assert "sequences" in {p.slug for p in found.parts}
    maps = [p for p in found.parts if p.table == "maps" and p.slug != "places"]
    if view == "curve":
        assert not maps
        assert {p.method for p in found.of("images")} == {"sequence-ablation", "attention"}
        assert any("no places" in m.why for m in found.missing)
        return
    assert maps
    for part in maps:
        told = {c.ground: c for c in part.checks}
        assert set(told) == {"place", "weights"}
        assert ("not known" in told["place"].verdict) is not marked


@pytest.mark.parametrize(
    ("given", "wanted"), [("cube", "cube"), ("cube", "slices"), ("cube", "planes"), ("slices", "slices")]
)
def test_a_network_answers_one_image_as_it_answers_its_rows(given, wanted):
    """What explanations ask is what training saw: views, columns, and the flag of a sequence that is not there."""
    torch = pytest.importorskip("torch")
    from tumorboard.lab.explained.answering import Answering, pictured
    from tumorboard.lab.nets.learner import image_network

    data = dataset(given, rows=12, side=8 if given == "cube" else 16)
    step = data.material[0].make(0)
    images = step.images(data.material[0].rows, data.table.patients)
    learner = image_network(net="vgg", view=wanted, width=2, epochs=1, hold=0, device="cpu")
    learner.fit_images(images, data.table.values, data.outcome)
    rows = list(data.material[0].rows)
    rows[3] = rows[3].copy()
    rows[3][(slice(None), 1) if given == "slices" else 1] = 0  # no FLAIR
    images = step.images(rows, data.table.patients)
    regions = step.regions(rows)
    with torch.inference_mode():
        expected = learner.module.eval()(*learner.tensors(images, data.table.values))
        for n in (0, 3):
            one = pictured(images, regions[n], n)
            told = Answering(learner, given, data.table.values[[n]])(torch.from_numpy(one.pixels[None].copy()))
            torch.testing.assert_close(told[0], expected[n], rtol=1e-4, atol=1e-5)
            assert one.region.shape == one.pixels.shape[1:]
            assert one.region.sum() == 64
