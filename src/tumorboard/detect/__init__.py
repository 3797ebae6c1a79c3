"""Lesion instances in a study: metastases, one by one, each with a score. One line enrols a method."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from tumorboard.detect.base import Detected, Detection, Detector
from tumorboard.errors import InputError
from tumorboard.registry import Registry

__all__ = ["DETECTORS", "Detected", "Detection", "Detector", "detector_of"]

DETECTORS: Registry[Detector] = Registry("detector")


def _template() -> Detector:
    from tumorboard.detect.template import TemplateDetector

    return TemplateDetector()


def _metastases() -> Detector:
    from tumorboard.detect.learned import LearnedDetector
    from tumorboard.networks.bundle import read_bundle, shipped

    return LearnedDetector(read_bundle(shipped("metastases")))


def _joined() -> Detector:
    from tumorboard.detect.joined import JoinedDetector

    return JoinedDetector(detector_of("metastases"), detector_of("template"))


DETECTORS.add("joined", _joined)
DETECTORS.add("metastases", _metastases)
DETECTORS.add("template", _template)


@lru_cache(maxsize=4)
def detector_of(text: str) -> Detector:
    """Return a method, loaded; the same text gives the same warm object.

    Parameters
    ----------
    text : str
        An enrolled method, or the folder of a bundle of the task ``detect``.

    Raises
    ------
    InputError
        Neither of them.

    Examples
    --------
    >>> detector_of("template").card.id, detector_of("template") is detector_of("template")
    ('template', True)
    """
    folder = Path(text)
    if text in set(DETECTORS) or not folder.is_dir():
        return DETECTORS.make(text)
    from tumorboard.detect.learned import LearnedDetector
    from tumorboard.networks.bundle import read_bundle

    bundle = read_bundle(folder)
    if bundle.metadata.task != "detect":
        got = f"one of the task {bundle.metadata.task}"
        raise InputError("a bundle that detects lesions", got=got, where="--method")
    return LearnedDetector(bundle)
