"""What a DICOM series is to the rest of the house: planes in space, tags in words, and whose it is.

Why it exists: readers, recognition, intake and the writers of results all speak of series; none of them
needs a pydicom dataset to do so. Units are those of DICOM (ms, degrees, mm, LPS). Names, ids and dates
are kept out of every ``repr``, so that no message can show them.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class SeriesTags:
    """What one series says about itself; None or empty where it says nothing.

    Times are ms, angles degrees, lengths mm, clock times seconds since midnight. Texts are as written
    (upper case is not forced). Enhanced multi-frame values are read from the functional groups and
    translated into the classic ones (PS3.3 C.7.6.16, C.8.13).

    Parameters
    ----------
    b_values : tuple of float
        Every distinct b-value among the planes, s/mm², sorted.
    directions : int
        Distinct diffusion gradient directions.
    temporal_positions : int
        Time points of a dynamic series; 1 otherwise.
    echoes : int
        Distinct echo times in the series before it was split.
    contrast_agent : str or None
        Contrast/Bolus Agent; the empty string when the tag is there and empty.
    contrast_start_s, acquired_s : float or None
        Contrast/Bolus Start Time and Acquisition Time, seconds since midnight.

    Free texts (description, protocol, derivation) may name people, and are hidden from ``repr``.
    """

    modality: str = ""
    sop_class: str = ""
    manufacturer: str = ""
    model: str = ""
    field_t: float | None = None
    image_type: tuple[str, ...] = ()
    description: str = field(default="", repr=False)
    protocol: str = field(default="", repr=False)
    sequence_name: str = ""
    body_part: str = ""
    scanning_sequence: tuple[str, ...] = ()
    sequence_variant: tuple[str, ...] = ()
    scan_options: tuple[str, ...] = ()
    acquisition_type: str = ""
    tr_ms: float | None = None
    te_ms: float | None = None
    ti_ms: float | None = None
    flip_deg: float | None = None
    echo_train: int | None = None
    contrast_agent: str | None = None
    contrast_start_s: float | None = None
    acquired_s: float | None = None
    b_values: tuple[float, ...] = ()
    directions: int = 0
    temporal_positions: int = 1
    echoes: int = 1
    thickness_mm: float | None = None
    between_mm: float | None = None
    burned_in: bool = False
    derivation: str = field(default="", repr=False)


@dataclass(frozen=True)
class Plane:
    """One image plane: where it lies and in which file and frame.

    Parameters
    ----------
    path : Path
        The file; never printed.
    frame : int
        1-based; 1 in a single-frame file.
    position_mm : tuple of float
        Image Position (Patient): centre of the first pixel, LPS mm.
    orientation : tuple of six float
        Image Orientation (Patient): directions of a row (along columns) and of a column, LPS.
    spacing_mm : tuple of float
        Pixel Spacing: between rows, between columns.
    rows, columns : int
        Pixels.
    sop_uid, sop_class : str
        Of the file.
    """

    path: Path = field(repr=False)
    sop_uid: str = field(repr=False)
    sop_class: str
    position_mm: tuple[float, float, float]
    orientation: tuple[float, float, float, float, float, float]
    spacing_mm: tuple[float, float]
    rows: int
    columns: int
    frame: int = 1


@dataclass(frozen=True)
class Person:
    """Whom a series says it is of; compared, never shown."""

    patient_id: str = field(default="", repr=False)
    issuer: str = field(default="", repr=False)
    name: str = field(default="", repr=False)
    birth_date: str = field(default="", repr=False)


@dataclass(frozen=True)
class Series:
    """One stack of planes: a DICOM series, or one part of it where a series holds several.

    Parameters
    ----------
    study_uid, series_uid : str
        As in the files; hidden from ``repr``.
    part : int
        0 where the series is one stack; else 1, 2 … (echoes, orientations, b-values, time points).
    number : int
        Series Number; 0 when absent.
    planes : tuple of Plane
        Sorted along the normal (row direction × column direction), one for each place. Empty for an object
        without planes.
    tags : SeriesTags
        As the files say.
    person : Person
        Whose.
    date, time_s : date or None, float or None
        Study Date; Series Time (else Acquisition Time) in seconds since midnight, for what came later.
    notes : tuple of str
        What was seen and mended (duplicates left out, uneven gaps, tilt), in words that identify nobody.
    refusal : str
        Why the stack cannot be used as a volume; empty when it can.
    remedy : str
        What the user can do about the refusal.
    """

    study_uid: str = field(repr=False)
    series_uid: str = field(repr=False)
    number: int
    planes: tuple[Plane, ...]
    tags: SeriesTags
    person: Person
    part: int = 0
    date: dt.date | None = field(default=None, repr=False)
    time_s: float | None = field(default=None, repr=False)
    notes: tuple[str, ...] = ()
    refusal: str = ""
    remedy: str = ""

    @property
    def files(self) -> tuple[Path, ...]:
        """The files of its planes, each once, in order."""
        return tuple(dict.fromkeys(plane.path for plane in self.planes))
