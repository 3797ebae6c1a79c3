"""Outcomes dealt out by size: the same outcomes, in the order of the sizes but for chance, for every kind."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import numpy as np
import pytest

from tumorboard.lab.dataset import Dataset
from tumorboard.lab.outcome import Outcome
from tumorboard.lab.recipe import Outcomes
from tumorboard.lab.table import Table, Unit

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
ROWS = 60
SIZES = np.random.default_rng(1).permutation(ROWS) + 1.0


@pytest.fixture
def control(monkeypatch):
    monkeypatch.setattr(sys, "path", [str(BENCHMARKS), *sys.path])
    yield importlib.import_module("recipes_control")
    for name in ("recipes", "recipes_control"):
        sys.modules.pop(name, None)


def rows(kind: Outcomes, values: np.ndarray) -> Dataset:
    table = Table.of([Unit(f"P{n}") for n in range(ROWS)], {"age": np.arange(ROWS)})
    return Dataset.of(table, Outcome(kind, values, tuple(str(n) for n in range(values.shape[1]))))


@pytest.mark.parametrize("kind", [Outcomes.BINARY, Outcomes.REGRESSION, Outcomes.MULTICLASS])
def test_values_rise_with_size_and_stay_the_same_values(control, kind):
    rng = np.random.default_rng(0)
    values = rng.integers(0, 2 if kind is Outcomes.BINARY else 3, (ROWS, 1)).astype(float)
    data = rows(kind, values)
    told = control.dealt(data, SIZES)
    assert np.array_equal(np.sort(told.outcome.values, axis=0), np.sort(values, axis=0))
    assert np.corrcoef(told.outcome.values[:, 0], SIZES)[0, 1] > 0.6
    assert told.permuted
    assert np.array_equal(told.table.values, data.table.values)


def test_the_largest_die_first_and_days_keep_their_events(control):
    rng = np.random.default_rng(0)
    values = np.stack([rng.permutation(ROWS) + 1.0, rng.integers(0, 2, ROWS)], axis=1)
    told = control.dealt(rows(Outcomes.SURVIVAL, values), SIZES).outcome.values
    assert np.corrcoef(told[:, 0], SIZES)[0, 1] < -0.7
    assert {tuple(r) for r in told.tolist()} == {tuple(r) for r in values.tolist()}


def test_labels_that_are_not_known_stay_unknown(control):
    values = np.random.default_rng(0).integers(0, 2, (ROWS, 2)).astype(float)
    values[:20, 1] = np.nan
    told = control.dealt(rows(Outcomes.MULTILABEL, values), SIZES).outcome.values
    assert np.isnan(told[:20, 1]).all()
    assert np.nansum(told, axis=0).tolist() == np.nansum(values, axis=0).tolist()


def test_sizes_are_read_from_the_truth_of_a_cohort(control, tmp_path):
    truth = tmp_path / "derivatives" / "truth"
    truth.mkdir(parents=True)
    head = "participant_id\tsession_id\t"
    (truth / "visits.tsv").write_text(head + "et_ml\tnetc_ml\tsnfh_ml\nsub-A\tses-01\t1\t2\t3\n")
    (truth / "lesions.tsv").write_text(head + "lesion\tvolume_ml\nsub-A\tses-01\t1\t0.5\n")
    (truth / "biopsies.tsv").write_text(head + "biopsy\tcells_mm2\n")
    sizes = control.sizes_of(tmp_path)
    assert control.size(Unit("A"), sizes) == 6.0
    assert control.size(Unit("A", "ses-01", "1"), sizes) == 0.5


def test_what_was_measured_is_read_back_and_told(control, tmp_path):
    line = control.Line("D7", "", "auc", "planted", 50, 0.9, 0.8, 1.0, 0.7, 1.0, 0.5, 3.0)
    control.write_controls({("D7", ""): line}, tmp_path / "c.csv")
    assert control.read_controls(tmp_path / "c.csv") == {("D7", ""): line}
    assert "| D7 | auc | 0.90 (0.80 to 1.00) | 50 | yes |" in control.table({("D7", ""): line})
    assert "found in 1 of 1 lines" in control.table({("D7", ""): line})
    assert control.read_controls(tmp_path / "none.csv") == {}
