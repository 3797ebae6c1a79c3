"""Folds that a learner draws inside the training rows keep patients together as well."""

from __future__ import annotations

import numpy as np

from tumorboard.lab.fold import fit
from tumorboard.lab.learners import supervised_pca
from tumorboard.lab.learners.supervised_pca import SupervisedPca
from tumorboard.lab.outcome import Outcome
from tumorboard.lab.splits import inner_folds


def test_no_patient_is_on_both_sides_of_an_inner_fold():
    patients = [f"P{n // 3}" for n in range(60)]
    for train, test in inner_folds(np.arange(60) % 2, patients, 5, 1):
        assert {patients[n] for n in train}.isdisjoint(patients[n] for n in test)
        assert len(train) + len(test) == 60


def test_rows_of_patients_reach_the_learner_and_are_forgotten(make_recipe, make_dataset, monkeypatch):
    seen = []
    real = supervised_pca.inner_folds
    monkeypatch.setattr(supervised_pca, "inner_folds", lambda s, who, *a: seen.append(list(who)) or real(s, who, *a))
    data = make_dataset("binary", n=60, rows_each=3)
    fitted = fit(make_recipe(learner={"name": "supervised_pca", "choices": [0.2, 1.0]}), data)
    assert seen == [list(data.table.patients)]
    assert not any("P1" in str(v) for v in vars(fitted.pipeline.learner).values())

    seen.clear()
    labels = make_dataset("multilabel", n=60, rows_each=3)
    fit(make_recipe("multilabel", {"name": "supervised_pca", "choices": [0.2, 1.0]}), labels)
    assert seen == [list(labels.table.patients)] * 2


def test_a_patient_seen_thrice_does_not_choose_noise():
    """Columns that only tell patients apart look good where folds part a patient, and only there."""
    rng = np.random.default_rng(1)
    who = np.repeat(np.arange(30), 3)
    x = rng.normal(size=(90, 400))
    x[:, 200:] = rng.normal(size=(30, 200))[who] + 0.05 * rng.normal(size=(90, 200))  # a patient's own mark
    y = (np.arange(30) % 2)[who]
    outcome = Outcome.binary(y)

    def gain(patients):
        folds = inner_folds(outcome.strata, patients, 5, 1)
        found = np.zeros(90)
        for train, test in folds:
            model = SupervisedPca(keep=60, components=20).fit(x[train], outcome.take(train))
            found[test] = model.predict(x[test])[:, 0]
        return np.corrcoef(found, y)[0, 1]

    assert gain(()) > 0.4
    assert gain([f"P{n}" for n in who]) < 0.2
