"""Whole runs: from tables of digital patients to a page, and a recipe of fifteen lines that a newcomer writes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tumorboard.errors import InputError
from tumorboard.lab import parse_recipe, read_recipe, run_recipe
from tumorboard.lab.cohort import Cohort, read_cohort
from tumorboard.lab.model import Model
from tumorboard.simulate.subject import Kind, draw_member
from tumorboard.simulate.tables import PARTICIPANTS, expression, expression_header, participant

NEWCOMER = """\
id: mine
title: Survival from age, performance and MGMT
question: Do three columns tell survival?
endpoint: {kind: survival, days: survival_days, event: dead}
where: {grade: "4"}
representation:
  - {name: clinical, columns: [age, kps]}
  - {name: molecular, columns: [mgmt]}
prepare: [{name: impute, how: mean}, zscore]
learner: {name: cox, penalty: 0.05}
validation: {name: kfold, folds: 4}
compare: [age]
"""


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Cohort:
    """Tables of 120 digital gliomas of three sites."""
    folder: Path = tmp_path_factory.mktemp("tables")
    members = {f"digital{n + 1}": draw_member(1, n, Kind.GLIOMA, 3, 1) for n in range(120)}
    sheets = {
        "participants": [PARTICIPANTS, *(participant(k, m) for k, m in members.items())],
        "expression": [expression_header(), *(expression(k, m) for k, m in members.items())],
    }
    for name, rows in sheets.items():
        (folder / f"{name}.tsv").write_text("\n".join("\t".join(map(str, r)) for r in rows) + "\n")
    return read_cohort(folder / "participants.tsv", tables=[folder / "expression.tsv"])


def test_a_newcomers_recipe_runs(tables, tmp_path):
    recipe = parse_recipe(NEWCOMER)
    assert len(NEWCOMER.splitlines()) <= 15
    run = run_recipe(recipe, tables, tmp_path)
    assert run.world == "digital patients"
    assert any("outside grade" in w for w in run.warnings)
    assert run.metrics["harrell_c"].low > 0.5
    told = json.loads((tmp_path / "metrics.json").read_text())
    assert told["reference"]["harrell_c"]["value"] == run.reference["harrell_c"].value
    assert told["difference"]["value"] == pytest.approx(
        run.metrics["harrell_c"].value - run.reference["harrell_c"].value, abs=1e-12
    )
    page = (tmp_path / "page.html").read_text()
    assert "Measured on digital patients" in page
    assert "data:image/png;base64" in page


def test_components_of_expression_are_learned_inside_the_folds_and_kept_in_the_model(tables, tmp_path):
    recipe = read_recipe("D26").with_settings(metrics=["accuracy"])
    run = run_recipe(recipe, tables, tmp_path)
    assert run.metrics["accuracy"].low > 0.75  # subtypes are well apart in the invented expression
    assert run.fitted.names == tuple(f"pc{n:02d}" for n in range(1, 11))
    assert run.metrics["macro_auc"].value > 0.9
    model = Model.load(tmp_path / "model")
    answers = model.answer_rows(run.data)
    assert [a.names[int(np.argmax(a.values))] for a in answers[:20]] == [
        run.data.outcome.names[c] for c in run.data.outcome.classes[:20]
    ]
    null = run_recipe(recipe, tables, null=True).metrics["accuracy"]
    assert null.low <= 1 / 6 + 0.05


def test_leave_site_out_of_a_cohort(tables):
    recipe = read_recipe("example").with_settings(validation={"name": "leave_site_out"}, metrics=["auc"])
    run = run_recipe(recipe, tables)
    assert [r.fold.name for r in run.folds] == ["site01", "site02", "site03"]
    assert run.metrics["auc"].low > 0.6


def test_a_missing_column_is_named_with_its_nearest(tables):
    recipe = read_recipe("example").with_settings(endpoint={"kind": "binary", "column": "idhh"})
    with pytest.raises(InputError, match=r"got 'idhh'.*did you mean 'idh'"):
        run_recipe(recipe, tables)
    with pytest.raises(InputError, match="a cohort with images"):
        run_recipe("E1", tables)


@pytest.mark.slow
def test_images_to_page(tmp_path):
    """Radiomics of a small digital cohort, killed nowhere: features are kept, folds are kept, the page is written."""
    from tumorboard.simulate.cohort import CohortPlan, write_cohort

    list(write_cohort(CohortPlan(patients=16, visits=1, spacing_mm=6.0, sites=2), tmp_path / "cohort"))
    cohort = read_cohort(tmp_path / "cohort")
    recipe = read_recipe("E1").with_settings(
        validation={"name": "kfold", "folds": 3}, learner={"name": "supervised_pca", "choices": [0.1, 0.3], "folds": 3}
    )
    run = run_recipe(recipe, cohort, tmp_path / "out")
    assert len(run.fitted.names) > 200
    assert run.metrics["harrell_c"].known
    again = run_recipe(recipe, cohort, tmp_path / "out")
    assert np.array_equal(run.predicted.values, again.predicted.values)
