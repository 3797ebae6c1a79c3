"""From a prepared study to a tissue label map. One line enrols a method."""

from __future__ import annotations

from tumorboard.registry import Registry
from tumorboard.segment.base import Card, Segmentation, Segmenter, Validity

__all__ = ["SEGMENTERS", "Card", "Segmentation", "Segmenter", "Validity"]

SEGMENTERS: Registry[Segmenter] = Registry("segmenter")


def _fuzzy() -> Segmenter:
    from tumorboard.segment.fuzzy import FuzzySegmenter

    return FuzzySegmenter()


def _glioma() -> Segmenter:
    from tumorboard.networks.bundle import read_bundle, shipped
    from tumorboard.segment.learned import LearnedSegmenter

    return LearnedSegmenter(read_bundle(shipped("glioma")))


SEGMENTERS.add("glioma", _glioma)
SEGMENTERS.add("fuzzy", _fuzzy)
