"""Patients, studies and events: whose images, from when.

Why it exists: a volume alone has no patient and no date. ``*Input`` types say where things lie on the
user's disk (the output of intake); :class:`Study` holds what later stages work on: named volumes on
one grid.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tumorboard.errors import GeometryError, SequenceError
from tumorboard.sequences import REFERENCE_ORDER, Sequence
from tumorboard.series import Series
from tumorboard.transform import Frame
from tumorboard.volume import Grid, Volume


class EventKind(StrEnum):
    """What can happen to a patient between studies."""

    SURGERY = "surgery"
    RADIOTHERAPY = "radiotherapy"
    DRUG = "drug"
    STEROID = "steroid"
    CLINICAL = "clinical"
    KPS = "kps"


@dataclass(frozen=True)
class Event:
    """One row of ``events.csv``: what happened when, with value, unit and detail as written."""

    date: dt.date
    kind: EventKind
    end_date: dt.date | None = None
    value: str = ""
    unit: str = ""
    detail: str = ""


@dataclass(frozen=True)
class FileChoice:
    """A file and why it was taken.

    Parameters
    ----------
    path : Path
        Where it lies; never printed as it is.
    reason : str
        Why it was taken for its role, in words that identify nobody.
    series : Series or None
        The DICOM series, of which ``path`` is the first file; None for a file that is a whole image.
    """

    path: Path
    reason: str
    series: Series | None = None


@dataclass(frozen=True)
class LabelsInput:
    """The user's own masks and the scheme their values follow.

    ``correction`` is what is known of masks that a reader made of a segmenter's (``chain/correction.py``).
    """

    path: Path
    scheme: str
    correction: Path | None = None


@dataclass(frozen=True)
class StudyInput:
    """One study as found on disk.

    Parameters
    ----------
    id : str
        ``ses-01``, ``ses-02`` … in order of date.
    files : mapping of Sequence to FileChoice
        At least one.
    date : date or None
        When it was acquired, where known.
    labels : LabelsInput or None
        Masks that replace segmentation.
    brain_mask : Path or None
        The user's own brain mask on the grid of the reference sequence; it replaces ours.
    protocol : tuple of (str, str, str, str)
        Consensus protocol, what it asks, whether that is met, what was seen; only for DICOM.
    """

    id: str
    files: Mapping[Sequence, FileChoice]
    date: dt.date | None = None
    labels: LabelsInput | None = None
    brain_mask: Path | None = None
    protocol: tuple[tuple[str, str, str, str], ...] = ()

    def __post_init__(self) -> None:
        if not self.files:
            raise SequenceError("at least one MR sequence in a study", got="none", where=self.id)


@dataclass(frozen=True)
class PatientInput:
    """One patient as found on disk.

    Parameters
    ----------
    pseudonym : str
        Letters and digits; the case folder is ``sub-<pseudonym>``.
    studies : tuple of StudyInput
        In order of date, else of name.
    events : tuple of Event
        In order of date.
    identity : str
        What the input itself calls the patient (a BIDS subject, a BraTS id), hashed; empty when the
        input has no name of its own. Two different identities never share a case folder.
    digital : bool
        The input calls itself simulated; every output says so.
    """

    pseudonym: str
    studies: tuple[StudyInput, ...]
    events: tuple[Event, ...] = ()
    identity: str = ""
    digital: bool = False


@dataclass(frozen=True)
class Study:
    """Named volumes of one study on one grid, with the brain mask.

    Parameters
    ----------
    id : str
        ``ses-01`` …
    volumes : mapping of Sequence to Volume
        Canonical orientation (RAS), one grid; intensities normalised (see ``prepare``).
    brain : ndarray of bool, shape (i, j, k)
        Brain mask on the same grid.
    native_axcodes : str
        Orientation in which the reference sequence was given, so that results can go back.
    native : Grid or None
        The reference sequence's own grid, where the working grid is another one (same world, RAS mm);
        diameters are read on its slices. None where the working grid is the native one, reordered.
    frame : Frame or None
        Midline and way to the atlas, once they have been found.

    Raises
    ------
    SequenceError
        No volume.
    GeometryError
        The volumes do not share a grid; the message says by how much.
    """

    id: str
    volumes: Mapping[Sequence, Volume]
    brain: NDArray[np.bool_]
    native_axcodes: str = "RAS"
    frame: Frame | None = None
    native: Grid | None = None

    def __post_init__(self) -> None:
        if not self.volumes:
            raise SequenceError("at least one MR sequence in a study", got="none", where=self.id)
        name = self.reference
        for other, volume in self.volumes.items():
            told = self.grid.explain_mismatch(volume.grid, (name.value, other.value))
            if told:
                raise GeometryError("sequences on one grid", got=told, where=self.id)
        if self.brain.shape != self.grid.shape:
            raise GeometryError(f"a brain mask of shape {self.grid.shape}", got=f"{self.brain.shape}", where=self.id)

    @property
    def reference(self) -> Sequence:
        """The sequence that gives the study its grid: T1C, else FLAIR, T2, T1."""
        return next(s for s in REFERENCE_ORDER if s in self.volumes)

    @property
    def grid(self) -> Grid:
        """The grid that all volumes share."""
        return self.volumes[self.reference].grid

    def array(self, sequence: Sequence) -> NDArray[Any] | None:
        """Voxel values of a sequence, or None when the study lacks it."""
        volume = self.volumes.get(sequence)
        return None if volume is None else volume.data
