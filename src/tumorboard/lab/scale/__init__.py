"""Scales of columns; learned on training rows only."""

from __future__ import annotations

from tumorboard.lab.parts import Parts
from tumorboard.lab.scale.log import LogScale
from tumorboard.lab.scale.pca import Components
from tumorboard.lab.scale.zscore import Standardise
from tumorboard.lab.step import Step

SCALES: Parts[Step] = Parts("scale")
"""One line enrols another."""

SCALES.add("zscore", Standardise, source="chosen")
SCALES.add("log", LogScale, source="chosen")
SCALES.add("pca", Components, source="Pearson 1901")

__all__ = ["SCALES", "Components", "LogScale", "Standardise"]
