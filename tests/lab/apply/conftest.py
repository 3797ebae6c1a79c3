"""Models of digital patients from tables, and case folders that hold nobody's images."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tumorboard.lab import parse_recipe, run_recipe
from tumorboard.lab.apply.case import read_case, read_tables
from tumorboard.lab.cohort import Cohort, read_cohort
from tumorboard.lab.results import model_of

SURVIVAL = """\
id: months
title: Survival from age and MGMT
question: Do two columns tell survival?
endpoint: {kind: survival, days: survival_days, event: dead}
where: {grade: "4"}
representation: [{name: clinical, columns: [age]}, {name: molecular, columns: [mgmt]}]
prepare: [{name: impute, how: mean}, zscore]
learner: {name: cox, penalty: 0.05}
validation: {name: kfold, folds: 3}
metrics: [harrell_c]
"""

SUBTYPE = """\
id: subtype
title: Subtype from expression
question: Which subtype?
endpoint: {kind: multiclass, column: expression_subtype}
representation: [{name: expression, components: 3}, {name: clinical, columns: [diagnosis]}]
prepare: [zscore]
learner: {name: knn, k: 5, by_distance: true}
validation: {name: kfold, folds: 3}
metrics: [accuracy]
"""


@pytest.fixture(scope="session")
def trained(digital_tables: Path, idh_model: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Folders of three models: of a class, of survival, and of several classes from genes."""
    place = tmp_path_factory.mktemp("trained")
    cohort = read_cohort(digital_tables / "participants.tsv", tables=[digital_tables / "expression.tsv"])
    folders = {"idh": idh_model}
    for text in (SURVIVAL, SUBTYPE):
        run = run_recipe(parse_recipe(text), cohort)
        folders[run.recipe.id] = place / run.recipe.id
        model_of(run).save(folders[run.recipe.id])
    return folders


@pytest.fixture
def make_case(tmp_path: Path, digital_tables: Path) -> Callable[..., Cohort]:
    """Return a case folder of a patient as a cohort, with tables whose text may be changed."""

    def make(
        patient: str = "digital7", digital: bool = True, edit: Callable[[str], str] = lambda t: t, tables: bool = True
    ) -> Cohort:
        root = tmp_path / f"sub-{patient}"
        root.mkdir(exist_ok=True)
        card = {"pseudonym": patient, "identity": "", "digital": digital, "studies": [], "events": []}
        (root / "patient.json").write_text(json.dumps(card))
        files = []
        for name in ("participants", "expression") if tables else ():
            files.append(tmp_path / f"{name}.tsv")
            files[-1].write_text(edit((digital_tables / f"{name}.tsv").read_text()))
        return read_case(root, read_tables(files))

    return make
