"""The page of every recipe: what was published beside what was measured on digital patients and on a null cohort."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

from reference_pages.words import MADE

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"


def recipes() -> list[str]:
    """Return the page; its numbers are those of ``benchmarks/recipes.csv``, which the benchmark wrote."""
    benchmark = _benchmark()
    pairs = benchmark.read_results(BENCHMARKS / "recipes.csv")
    told = [
        "What papers report of their patients, what the same sentence finds on digital patients, and what it finds",
        "where there is nothing to find. Figures on digital patients show that a recipe runs, sees what was planted",
        "and does not leak; they say nothing about people. The numbers were written by `benchmarks/recipes.py`, whose",
        "head names the cohorts; a recipe that has not been run at full size is not in the table.",
    ]
    table = benchmark.summary(pairs) + "\n" + benchmark.table(pairs, False)
    return ["# Recipes", "", MADE, "", *told, "", *table.splitlines()]


def _benchmark() -> ModuleType:
    spec = importlib.util.spec_from_file_location("benchmark_of_recipes", BENCHMARKS / "recipes.py")
    if spec is None or spec.loader is None:
        raise FileNotFoundError("benchmarks/recipes.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module
