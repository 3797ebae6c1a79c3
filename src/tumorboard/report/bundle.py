"""What the chain hands to the report: one bundle a study, one header a patient.

Why it exists: the report reads finished results and computes no measurement of its own. A bundle
holds a whole study in memory, so bundles may be handed over one at a time.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray

from tumorboard.errors import GeometryError
from tumorboard.labels import LabelMap
from tumorboard.measurement import Diameters, StudyMeasurements
from tumorboard.sequences import Sequence
from tumorboard.study import Event, Study
from tumorboard.volume import Volume


@dataclass(frozen=True)
class MethodSentence:
    """One sentence about a step that ran, and the work it cites."""

    text: str
    citation: str = ""


@dataclass(frozen=True)
class StudyBundle:
    """One study with everything measured on it.

    Parameters
    ----------
    study : Study
        Volumes in RAS, z-like intensities, 0 outside the brain.
    date : date or None
        When it was acquired.
    labels : LabelMap
        Tissue labels on the study's grid.
    lesions : ndarray of int, shape (i, j, k)
        Lesion numbers, 1 the largest; 0 elsewhere.
    measurements : StudyMeasurements
        Every number of the study.
    diameters : mapping of int to mapping of str to Diameters
        Lesion number to reading (``ce_only``, ``filled`` or ``flair``) to diameters.
    decisions : list of (str, str, str)
        Role, shown file name, reason.
    warnings : list of str
        Printed with the study.
    segmenter_name, labels_origin : str
        What made the labels: ``fuzzy`` or ``own masks``.
    quality : mapping
        What preparing measured (``quality.json``).
    refused : mapping of Sequence to Volume
        Images that were left out because they could not be laid onto the reference, on the study's grid.
    protocol : tuple of (str, str, str, str)
        Consensus protocol, what it asks, whether that is met, what was seen.

    Raises
    ------
    GeometryError
        Labels or lesions are not on the study's grid.
    """

    study: Study
    date: dt.date | None
    labels: LabelMap
    lesions: NDArray[Any]
    measurements: StudyMeasurements
    diameters: Mapping[int, Mapping[str, Diameters]] = field(default_factory=dict)
    decisions: list[tuple[str, str, str]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    segmenter_name: str = ""
    labels_origin: str = "fuzzy"
    quality: Mapping[str, Any] = field(default_factory=dict)
    refused: Mapping[Sequence, Volume] = field(default_factory=dict)
    protocol: tuple[tuple[str, str, str, str], ...] = ()

    def __post_init__(self) -> None:
        told = self.study.grid.explain_mismatch(self.labels.grid, ("the study", "the label map"))
        if told:
            raise GeometryError("labels on the study's grid", got=told, where=self.study.id)
        shape = self.study.grid.shape
        if self.lesions.shape != shape:
            raise GeometryError(f"lesions of shape {shape}", got=f"{self.lesions.shape}", where=self.study.id)


@dataclass(frozen=True)
class PatientHeader:
    """What holds for all studies of a patient.

    Parameters
    ----------
    pseudonym : str
        Letters and digits.
    events : tuple of Event
        In order of date.
    software_version : str
        Version of this software.
    settings : dict
        Every setting of the run.
    methods : list of MethodSentence
        What ran, in order.
    costs : list of (str, str, float, float)
        Stage, study, CPU seconds, peak memory in MiB.
    digital : bool
        A simulated patient.
    """

    pseudonym: str
    events: tuple[Event, ...] = ()
    software_version: str = ""
    settings: dict[str, Any] = field(default_factory=dict)
    methods: list[MethodSentence] = field(default_factory=list)
    costs: list[tuple[str, str, float, float]] = field(default_factory=list)
    digital: bool = False
