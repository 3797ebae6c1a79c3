"""Explanations beside every model: what they explain, how much, where, and what speaks against them."""

from tumorboard.explain.explanation import About, Driver, Drivers, Explanation, Scope, Stage
from tumorboard.explain.tables.inputs import Rows

__all__ = ["About", "Driver", "Drivers", "Explanation", "Rows", "Scope", "Stage"]
