"""The page of every recipe: what was published beside what was measured on digital patients and on a null cohort."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from types import ModuleType

from reference_pages.words import MADE

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"

CONTROL = (
    "A recipe that misses a large effect may be blind, or the effect may show in nothing that the paper's features",
    "look at, or patients may be few. So `benchmarks/recipes_control.py` deals the same outcomes out anew among the",
    "same rows, by size (volume of tumour or lesion, cells at the needle) with chance added, for recipes of images",
    "whose figure above is not above chance. What is not found here either is too weak for so few rows.",
)


def recipes() -> list[str]:
    """Return the page; its numbers are those of ``benchmarks/recipes.csv``, which the benchmark wrote."""
    benchmark, control = _benchmark("recipes"), _benchmark("recipes_control")
    pairs = benchmark.read_results(BENCHMARKS / "recipes.csv")
    told = [
        "What papers report of their patients, what the same sentence finds on digital patients, and what it finds",
        "where there is nothing to find. Figures on digital patients show that a recipe runs, sees what was planted",
        "and does not leak; they say nothing about people. The numbers were written by `benchmarks/recipes.py`, whose",
        "head names the cohorts; a recipe that has not been run at full size is not in the table.",
    ]
    table = benchmark.summary(pairs) + "\n" + benchmark.table(pairs, False)
    lines = ["# Recipes", "", MADE, "", *told, "", *table.splitlines()]
    return [*lines, "", "## Positive control", "", *CONTROL, "", *control.table(control.read_controls()).splitlines()]


def _benchmark(name: str) -> ModuleType:
    if str(BENCHMARKS) not in sys.path:
        sys.path.insert(0, str(BENCHMARKS))  # one benchmark imports the other
    return importlib.import_module(name)
