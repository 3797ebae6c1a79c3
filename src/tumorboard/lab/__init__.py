"""The laboratory: published systems as recipes, validated without leaking.

Why it exists: some seventy papers differ only in sequences, region, representation, learner and validation. Here that
sentence is executed; whatever learns is fitted inside the folds.
"""

from tumorboard.lab.dataset import Dataset
from tumorboard.lab.outcome import Outcome
from tumorboard.lab.recipe import Recipe, parse_recipe, read_recipe, recipe_names
from tumorboard.lab.run import Run, run_recipe
from tumorboard.lab.table import Table, Unit

__all__ = [
    "Dataset",
    "Outcome",
    "Recipe",
    "Run",
    "Table",
    "Unit",
    "parse_recipe",
    "read_recipe",
    "recipe_names",
    "run_recipe",
]
