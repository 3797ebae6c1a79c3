"""Which of many files are DICOM, and which series they make; only headers are read.

Why it exists: a folder from a PACS holds several patients, reports, segmentations, half-copied files
and strangers. Every file is opened once, nothing of its text is shown, and what cannot be read is counted.
"""

from __future__ import annotations

import contextlib
import logging
import warnings
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tumorboard.io.dicom.stacks import Found, stacks_of
from tumorboard.io.dicom.tags import (
    b_value,
    clock_s,
    date_of,
    groups,
    macro,
    number,
    person_of,
    planes_of,
    tags_of,
    text,
    words,
)
from tumorboard.series import Series

MAX_HEADER_BYTES = 64 * 2**20
"""Longest element that is kept in memory while headers are read; longer ones are left on disk."""

_OBJECTS = (
    ("1.2.840.10008.5.1.4.1.1.66.4", "segmentation"),
    ("1.2.840.10008.5.1.4.1.1.66.7", "segmentation"),
    ("1.2.840.10008.5.1.4.1.1.66", "registration, surface or raw object"),
    ("1.2.840.10008.5.1.4.1.1.67", "real world value mapping"),
    ("1.2.840.10008.5.1.4.1.1.88.59", "key object selection"),
    ("1.2.840.10008.5.1.4.1.1.88", "structured report"),
    ("1.2.840.10008.5.1.4.1.1.104", "encapsulated document"),
    ("1.2.840.10008.5.1.4.1.1.11", "presentation state"),
    ("1.2.840.10008.5.1.4.1.1.481", "radiotherapy object"),
    ("1.2.840.10008.5.1.4.1.1.4.2", "spectroscopy"),
    ("1.2.840.10008.1.3.10", "DICOMDIR"),
)
"""Objects without planes of an image, by the beginning of their SOP class (the first that fits)."""

SEGMENTATION = "segmentation"
OTHER = "another object without image planes"
_UNREADABLE = "file that is not readable as DICOM"


@dataclass(frozen=True)
class DicomScan:
    """What files hold.

    Parameters
    ----------
    series : tuple of Series
        Image stacks of any modality, in order of study, series number and part.
    others : Counter
        Objects without image planes, in words, and how many.
    unreadable : Counter
        Files that cannot be read, by reason.
    segmentations : tuple of Path
        DICOM segmentations; never printed.
    """

    series: tuple[Series, ...]
    others: Counter[str] = field(default_factory=Counter)
    unreadable: Counter[str] = field(default_factory=Counter)
    segmentations: tuple[Path, ...] = ()


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Silence what pydicom says about damaged values; it may repeat them."""
    logger = logging.getLogger("pydicom")
    level = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)


def is_dicom(path: Path) -> bool:
    """Whether a file begins as DICOM does: the prefix after 128 bytes, or a first element of a known group.

    Examples
    --------
    >>> is_dicom(Path(__file__))
    False
    """
    try:
        with path.open("rb") as stream:
            start = stream.read(132)
    except OSError:
        return False
    if start[128:132] == b"DICM":
        return True
    # without a preamble: group 0002 or 0008, a small element number, then an explicit VR or a small length
    if len(start) < 16 or start[:2] not in (b"\x02\x00", b"\x08\x00") or start[3] != 0:
        return False
    explicit = start[4:6].isalpha() and start[4:6].isupper()
    return explicit or int.from_bytes(start[4:8], "little") < 1024


def read_header(path: Path) -> Any:
    """Return a file's dataset without pixel data, or None when it cannot be read."""
    import pydicom

    try:
        with quiet():
            dataset = pydicom.dcmread(path, stop_before_pixels=True, force=True, defer_size=MAX_HEADER_BYTES)
            return dataset if text(dataset, "SOPClassUID") else None
    except (Exception, RecursionError):  # damaged files throw anything
        return None


def scan_dicom(files: Iterable[Path], tell: Callable[[int], None] = lambda _: None) -> DicomScan:
    """Read the headers of files and sort them into series.

    Parameters
    ----------
    files : iterable of Path
        DICOM or not; what is not is counted.
    tell : callable
        Hears how many files were read, for a progress bar.

    Returns
    -------
    DicomScan
    """
    sorting = _Sorting()
    for count, path in enumerate(files, start=1):
        dataset = read_header(path)
        with quiet():
            if dataset is None:
                sorting.unreadable[_UNREADABLE] += 1
                sorting.strange += [path] if is_dicom(path) else []
            else:
                sorting.take(dataset, path)
        tell(count)
    series = sorted(sorting.series(), key=lambda s: (s.study_uid, s.number, s.series_uid, s.part))
    return DicomScan(tuple(series), sorting.others, sorting.unreadable, tuple(sorting.segmentations))


@dataclass
class _Sorting:
    """Planes by series while files are read; ``cut`` of files that end early, ``strange`` unreadable files."""

    whole: dict[str, list[Found]] = field(default_factory=lambda: defaultdict(list))
    cut: dict[str, list[Found]] = field(default_factory=lambda: defaultdict(list))
    strange: list[Path] = field(default_factory=list)
    others: Counter[str] = field(default_factory=Counter)
    unreadable: Counter[str] = field(default_factory=Counter)
    segmentations: list[Path] = field(default_factory=list)

    def take(self, dataset: Any, path: Path) -> None:
        word = _object_word(dataset)
        if word is not None:
            self.others[word] += 1
            self.segmentations += [path] if word == SEGMENTATION else []
            return
        items = _found(dataset, path)
        if not items:
            self.others[_without_place(dataset)] += 1
        elif _is_truncated(path, dataset):
            self.unreadable["file that ends early"] += 1
            self.cut[items[0].series_uid] += items
        else:
            self.whole[items[0].series_uid] += items

    def series(self) -> Iterator[Series]:
        for uid in dict.fromkeys([*self.whole, *self.cut]):
            damaged = len({item.plane.path for item in self.cut[uid]}) + self._strangers_of(uid)
            yield from stacks_of(self.whole[uid] or self.cut[uid], damaged)

    def _strangers_of(self, uid: str) -> int:
        """Count unreadable files in a folder that holds this series alone: they are taken for some of its files."""
        homes = {item.plane.path.parent for item in self.whole[uid]}
        others = {item.plane.path.parent for other, items in self.whole.items() if other != uid for item in items}
        return sum(path.parent in homes - others for path in self.strange)


def _object_word(dataset: Any) -> str | None:
    sop_class = text(dataset, "SOPClassUID")
    return next((word for start, word in _OBJECTS if sop_class == start or sop_class.startswith(f"{start}.")), None)


def _without_place(dataset: Any) -> str:
    modality = text(dataset, "Modality").upper()
    return f"{modality} image without a place in the patient" if modality in ("MR", "CT", "PT", "US", "CR") else OTHER


def _is_truncated(path: Path, dataset: Any) -> bool:
    """Whether the file is shorter than its uncompressed pixels alone."""
    try:
        syntax = dataset.file_meta.TransferSyntaxUID
        if syntax.is_compressed:
            return False
        rows, columns = number(dataset, "Rows") or 0, number(dataset, "Columns") or 0
        frames = number(dataset, "NumberOfFrames") or 1
        samples, bits = number(dataset, "SamplesPerPixel") or 1, number(dataset, "BitsAllocated") or 8
        return path.stat().st_size < rows * columns * frames * samples * bits / 8
    except Exception:  # without a readable syntax the reader decides later
        return False


def _found(dataset: Any, path: Path) -> list[Found]:
    tags = tags_of(dataset)
    shared, frames = groups(dataset)
    acquired = clock_s(dataset, "AcquisitionTime", "AcquisitionDateTime", "ContentTime") or 0.0
    instance = int(min(number(dataset, "InstanceNumber") or 0, 2**31))
    made = []
    for plane in planes_of(dataset, path):
        frame = frames[plane.frame - 1] if frames else None
        made.append(
            Found(
                plane=plane,
                kind=_kind(dataset, shared, frame),
                tags=tags,
                person=person_of(dataset),
                order=(acquired, instance),
                study_uid=text(dataset, "StudyInstanceUID"),
                series_uid=text(dataset, "SeriesInstanceUID"),
                number=int(min(abs(number(dataset, "SeriesNumber") or 0), 2**31)),
                date=date_of(dataset, "StudyDate", "SeriesDate", "AcquisitionDate"),
                time_s=clock_s(dataset, "SeriesTime", "AcquisitionTime", "StudyTime"),
            )
        )
    return made


def _kind(dataset: Any, shared: Any, frame: Any) -> tuple[Any, ...]:
    """Return what parts a series into stacks: type, echo, b-value, contrast, time point and stack id."""
    frame_type = macro(shared, frame, "MRImageFrameTypeSequence")
    echo = macro(shared, frame, "MREchoSequence")
    content = macro(None, frame, "FrameContentSequence")
    if content is None:
        time = number(dataset, "TemporalPositionIdentifier")
    else:
        time = number(content, "TemporalPositionIndex")
    return (
        words(dataset if frame_type is None else frame_type, "ImageType" if frame_type is None else "FrameType")[2:4],
        number(echo, "EffectiveEchoTime") if echo is not None else number(dataset, "EchoTime"),
        b_value(dataset, shared, frame),
        time,
        text(content, "StackID") if content is not None else "",
    )
