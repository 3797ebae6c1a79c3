"""A network asked about a case folder: the crop is that of training, and it is explained by sequences and a map."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest

from tumorboard.lab import parse_recipe, run_recipe
from tumorboard.lab.apply.ask import ask
from tumorboard.lab.apply.case import read_case
from tumorboard.lab.apply.explained import Case
from tumorboard.lab.apply.network import map_of
from tumorboard.lab.apply.rows import new_rows
from tumorboard.lab.apply.shelf import read_ready
from tumorboard.lab.cohort import read_cohort
from tumorboard.lab.dataset import gather
from tumorboard.lab.results import model_of

NET = """\
id: net
title: MGMT by a network
endpoint: {kind: binary, column: mgmt, positive: "1", negative: "0"}
sequences: [T1C, FLAIR]
region: [WT]
representation: [{name: network, side: 12}, {name: clinical, columns: [age]}]
prepare: [{name: impute, how: mean}, zscore]
learner: {name: network, net: vgg, width: 4, epochs: 2, rate: 0.01, device: cpu}
validation: {name: kfold, folds: 2}
metrics: [auc]
"""

SHAPE = """\
id: shape
title: MGMT by shape and T1C
endpoint: {kind: binary, column: mgmt, positive: "1", negative: "0"}
sequences: [T1C]
region: [WT]
representation:
  - {name: shape}
  - {name: radiomics, preset: mri, families: [statistics]}
  - {name: clinical, columns: [age]}
prepare: [{name: impute, how: mean}, zscore]
learner: {name: forest, trees: 10}
validation: {name: kfold, folds: 2}
metrics: [auc]
"""


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """Sixteen digital patients as results of a run: case folders whose outlines are the truth."""
    from tumorboard.chain import run_intake
    from tumorboard.intake import IntakeRequest, take_in
    from tumorboard.settings import RunSettings
    from tumorboard.simulate.cohort import CohortPlan, write_cohort

    place = tmp_path_factory.mktemp("net")
    list(write_cohort(CohortPlan(patients=16, visits=1, spacing_mm=6.0), place / "in"))
    request = IntakeRequest(inputs=(place / "in",))
    run_intake(take_in(request), request, place / "out", RunSettings(segmenter="fuzzy"), until="measure")
    shutil.copy(place / "in" / "participants.tsv", place / "out" / "participants.tsv")
    return place / "out"


@pytest.mark.slow
@pytest.mark.parametrize("text", [NET, SHAPE], ids=["network", "columns"])
def test_images_of_a_case_are_seen_as_in_training(text, results, tmp_path):
    cohort = read_cohort(results)
    recipe = parse_recipe(text)
    model_of(run_recipe(recipe, cohort)).save(tmp_path / "model")
    ready = read_ready(tmp_path / "model")
    data = gather(recipe, cohort)
    predicted = dict(zip(data.table.patients, ready.model.fitted.predict(data)[:, 0], strict=True))
    asked = 0
    for patient, expected in predicted.items():
        case = read_case(results / f"sub-{patient}", tuple(cohort.sheets.values()))
        told = ask(ready, case, explain=asked == 0)
        if told.status != "answered":
            assert any("region" in m or "images" in m for m in told.missing)
            continue
        (answer,) = told.answers
        assert answer.study == "ses-01"
        assert answer.values["1"] == pytest.approx(expected, abs=1e-6)
        if not asked:
            assert answer.why.drivers
            assert answer.why.similar
        asked += 1
    assert asked > 8
    if text is NET:
        rows = new_rows(ready, case).data
        picture = map_of(Case(ready, rows, 0), told.answers[0]) if rows is not None else None
        assert picture is None or picture.media_type == "image/jpeg"
        assert {d.column for d in ask(ready, case).answers[0].why.drivers} <= {"T1C", "FLAIR"}


@pytest.mark.slow
def test_a_sequence_that_was_not_acquired_is_named(results, tmp_path):
    cohort = read_cohort(results)
    model_of(run_recipe(parse_recipe(SHAPE), cohort)).save(tmp_path / "model")
    patient = cohort.patients[0]
    copy = tmp_path / f"sub-{patient}"
    shutil.copytree(results / f"sub-{patient}", copy)
    next((copy / "ses-01" / "anat").glob("*ce-gadolinium_T1w.nii.gz")).unlink()
    told = ask(read_ready(tmp_path / "model"), read_case(copy, tuple(cohort.sheets.values())))
    assert told.missing == ("sequence T1C",)
    assert np.all([m.status == "not applied" for m in (told,)])
    assert json.loads((copy / "patient.json").read_text())["digital"] is True
