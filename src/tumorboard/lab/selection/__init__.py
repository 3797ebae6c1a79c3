"""Ways to choose columns; each chooses by training rows only."""

from __future__ import annotations

from tumorboard.lab.parts import Parts
from tumorboard.lab.selection.correlation import Correlation
from tumorboard.lab.selection.lasso import Lasso
from tumorboard.lab.selection.mrmr import Mrmr
from tumorboard.lab.selection.stability import Stability
from tumorboard.lab.selection.univariate import Univariate
from tumorboard.lab.selection.variance import Variance
from tumorboard.lab.step import Step

SELECTIONS: Parts[Step] = Parts("selection")
"""One line enrols another."""

SELECTIONS.add("variance", Variance, source="chosen")
SELECTIONS.add("correlation", Correlation, source="chosen")
SELECTIONS.add("univariate", Univariate, source="Benjamini 1995")
SELECTIONS.add("mrmr", Mrmr, source="Peng 2005")
SELECTIONS.add("lasso", Lasso, source="Tibshirani 1996")
SELECTIONS.add("stability", Stability, source="Meinshausen 2010")

__all__ = ["SELECTIONS", "Correlation", "Lasso", "Mrmr", "Stability", "Univariate", "Variance"]
