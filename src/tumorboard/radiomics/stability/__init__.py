"""Stability: what becomes of features when nothing about the tumour has changed.

Why it exists: a feature that another outline, another day or a turned head changes as much as another patient does
cannot be learned from.
"""

from tumorboard.radiomics.stability.icc import Icc, icc
from tumorboard.radiomics.stability.perturb import Perturbed, Ranges, perturbed
from tumorboard.radiomics.stability.repeat import icc_table, repeated, stable

__all__ = ["Icc", "Perturbed", "Ranges", "icc", "icc_table", "perturbed", "repeated", "stable"]
