"""Small tables with a known effect, for tests of the frame."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tumorboard.lab import Dataset, Outcome, Recipe, Table, Unit

KINDS: dict[str, dict[str, Any]] = {
    "binary": {"kind": "binary", "column": "y"},
    "multiclass": {"kind": "multiclass", "column": "y"},
    "multilabel": {"kind": "multilabel", "columns": ["p", "q"]},
    "survival": {"kind": "survival", "days": "d", "event": "e"},
    "regression": {"kind": "regression", "column": "y"},
}


def recipe(kind: str = "binary", learner: Any = "logistic", prepare: Any = ("zscore",), **more: Any) -> Recipe:
    """A recipe on a table that is given."""
    content = {"id": "t", "title": "t", "endpoint": KINDS[kind], "representation": ["clinical"]}
    return Recipe.model_validate(content | {"learner": learner, "prepare": prepare} | more)


def dataset(
    kind: str = "binary", n: int = 90, columns: int = 12, effect: float = 1.0, seed: int = 0, rows_each: int = 1
) -> Dataset:
    """Columns f0 and f1 move the outcome by ``effect``, the others do not; three sites in turn."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, columns))
    z = effect * (x[:, 0] - x[:, 1])
    noisy = z + rng.normal(size=n)
    y = (noisy > 0).astype(int)
    second = (z + rng.normal(size=n) > 0).astype(int)
    outcomes = {
        "binary": lambda: Outcome.binary(y),
        "multiclass": lambda: Outcome.multiclass(np.digitize(noisy, [-0.8, 0.8]), ("a", "b", "c")),
        "multilabel": lambda: Outcome(recipe("multilabel").endpoint.kind, np.stack([y, second], 1) * 1.0, ("p", "q")),
        "survival": lambda: Outcome.survival(
            np.round(300 * np.exp(-z) * rng.exponential(size=n)) + 1, rng.random(n) < 0.8
        ),
        "regression": lambda: Outcome.regression(noisy),
    }
    units = [Unit(f"P{i // rows_each}", "", str(i % rows_each + 1) if rows_each > 1 else "") for i in range(n)]
    table = Table.of(units, {f"f{j}": x[:, j] for j in range(columns)})
    return Dataset.of(table, outcomes[kind](), (["a", "b", "c"] * n)[:n])


@pytest.fixture(scope="session")
def make_recipe() -> Callable[..., Recipe]:
    return recipe


@pytest.fixture(scope="session")
def make_dataset() -> Callable[..., Dataset]:
    return dataset
