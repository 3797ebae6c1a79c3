"""Lesion instances in a study: metastases, one by one, each with a score. One line enrols a method."""

from __future__ import annotations

from tumorboard.detect.base import Detected, Detection, Detector
from tumorboard.registry import Registry

__all__ = ["DETECTORS", "Detected", "Detection", "Detector"]

DETECTORS: Registry[Detector] = Registry("detector")


def _template() -> Detector:
    from tumorboard.detect.template import TemplateDetector

    return TemplateDetector()


def _metastases() -> Detector:
    from tumorboard.detect.learned import LearnedDetector
    from tumorboard.networks.bundle import read_bundle, shipped

    return LearnedDetector(read_bundle(shipped("metastases")))


DETECTORS.add("metastases", _metastases)
DETECTORS.add("template", _template)
