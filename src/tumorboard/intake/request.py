"""What the user asks intake for, and what intake answers.

Why it exists: the doors (command line, Python) and intake share these types and nothing else. They
hold paths, and paths are never printed; a :class:`Decision` holds what may be.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tumorboard.sequences import Sequence
from tumorboard.study import PatientInput


@dataclass(frozen=True)
class IntakeRequest:
    """What the user gave.

    Parameters
    ----------
    inputs : tuple of Path
        Folders or files.
    sequences : mapping of Sequence to Path
        Files named by sequence; they overrule recognition.
    labels : Path or None
        The user's own masks, for a single study.
    scheme : str or None
        What the values of ``labels`` mean (a name of :data:`tumorboard.labels.SCHEMES`).
    events : Path or None
        ``events.csv``.
    date : date or None
        When a single study was acquired.
    patient : str or None
        The pseudonym of a single patient: letters and digits.
    series : mapping of Sequence to str
        DICOM series by number or UID; they overrule recognition.
    brain_mask : Path or None
        The user's own brain mask, for a single study.

    Examples
    --------
    >>> IntakeRequest(inputs=(Path("my-patient"),), patient="P01").labels is None
    True
    """

    inputs: tuple[Path, ...] = ()
    sequences: Mapping[Sequence, Path] = field(default_factory=dict)
    labels: Path | None = None
    scheme: str | None = None
    events: Path | None = None
    date: dt.date | None = None
    patient: str | None = None
    series: Mapping[Sequence, str] = field(default_factory=dict)
    brain_mask: Path | None = None


@dataclass(frozen=True)
class Decision:
    """One row of the printed table: a file, what it is taken for, and why.

    Parameters
    ----------
    patient : str
        Pseudonym; empty for a file that belongs to none.
    study : str
        ``ses-01`` …; empty for a file that belongs to none.
    role : str
        A sequence's name, ``labels``, ``events`` or ``skipped``.
    name : str
        The file's name, redacted.
    reason : str
        Words that identify nobody.
    """

    patient: str
    study: str
    role: str
    name: str
    reason: str


@dataclass(frozen=True)
class Intake:
    """Patients in order of pseudonym, every decision made on the way, and what to be warned of.

    ``holder`` keeps unpacked archives on disk as long as the intake lives.
    """

    patients: tuple[PatientInput, ...]
    decisions: tuple[Decision, ...]
    warnings: tuple[str, ...]
    holder: object = field(default=None, compare=False, repr=False)
