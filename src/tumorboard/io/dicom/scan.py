"""Which of many files are DICOM, and which series they make; only headers are read.

Why it exists: a folder from a PACS holds several patients, reports, segmentations, half-copied files
and strangers. Every file is opened once, nothing of its text is shown, and what cannot be read is counted.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tumorboard.io.dicom.diffusion import b_value, gradient
from tumorboard.io.dicom.files import Opened, is_dicom, open_header
from tumorboard.io.dicom.header import Asked, clock_s, date_of, number, quiet, text, whole
from tumorboard.io.dicom.objects import SEGMENTATION, object_word, sop_class_of
from tumorboard.io.dicom.stacks import Found, Kind, people, stacks_of
from tumorboard.io.dicom.tags import acquired_s, asked_of, echo_time, person_of, planes_of, tags_of
from tumorboard.series import Plane, Series, SeriesTags

__all__ = ["DicomScan", "is_dicom", "scan_dicom"]

NOT_DICOM = "file that is not DICOM"
DAMAGED = "DICOM file whose header cannot be read"
SHORT = "DICOM file that ends early"


@dataclass(frozen=True)
class DicomScan:
    """What files hold.

    Parameters
    ----------
    series : tuple of Series
        Images of any modality, in order of study, series number and part. Images without a place in the
        patient (screen captures) are a refused series without planes.
    others : Counter
        Objects without images, in words, and how many.
    unreadable : Counter
        Files that cannot be read, by reason.
    segmentations : tuple of Path
        DICOM segmentations; never printed.
    mixed : tuple of str
        Study Instance UIDs of studies in which one series names several patients; never printed.
    """

    series: tuple[Series, ...] = field(repr=False)
    others: Counter[str] = field(default_factory=Counter)
    unreadable: Counter[str] = field(default_factory=Counter)
    segmentations: tuple[Path, ...] = field(default=(), repr=False)
    mixed: tuple[str, ...] = field(default=(), repr=False)


@dataclass
class _Heap:
    """What was found of one DICOM series, before it is sorted into stacks.

    ``placeless`` holds the images without a place, ``lost`` counts files of unreadable headers.
    """

    planes: list[Found] = field(default_factory=list)
    placeless: list[Found] = field(default_factory=list)
    lost: int = 0

    @property
    def folders(self) -> set[Path]:
        """Where its files lie."""
        return {item.plane.path.parent for item in self.planes}


def scan_dicom(files: Iterable[Path]) -> DicomScan:
    """Read the headers of files and sort them into series.

    Parameters
    ----------
    files : iterable of Path
        DICOM or not; what is not is counted. Their order changes nothing.

    Returns
    -------
    DicomScan
        A damaged file refuses its series; the others go on. Where its header cannot be read, it is taken
        to belong to the series of its folder, if that holds one alone.

    Examples
    --------
    >>> scan_dicom([Path(__file__)]).unreadable
    Counter({'file that is not DICOM': 1})
    """
    with quiet():
        return _scan(files)


def _scan(files: Iterable[Path]) -> DicomScan:
    heaps: dict[tuple[str, ...], _Heap] = defaultdict(_Heap)
    others: Counter[str] = Counter()
    unreadable: Counter[str] = Counter()
    segmentations: list[Path] = []
    lost: list[Path] = []
    for path in sorted(files):
        if not is_dicom(path):
            unreadable[NOT_DICOM] += 1
        elif (opened := open_header(path)) is None or not sop_class_of(opened.dataset):
            unreadable[DAMAGED] += 1
            lost.append(path)
        elif word := object_word(opened.dataset):
            others[word] += 1
            segmentations += [path] if word == SEGMENTATION else []
        else:
            unreadable[SHORT] += not opened.whole
            _sort_in(heaps, opened, path)
    for path in lost:
        _blame([heap for heap in heaps.values() if path.parent in heap.folders])
    series = [series for heap in heaps.values() for series in _stacks(heap)]
    ordered = sorted(series, key=lambda s: (s.study_uid, s.number, s.series_uid, s.part))
    return DicomScan(tuple(ordered), others, +unreadable, tuple(segmentations), _mixed(heaps.values()))


def _sort_in(heaps: dict[tuple[str, ...], _Heap], opened: Opened, path: Path) -> None:
    """Add the planes of one image file to its series."""
    dataset = opened.dataset
    uids = text(dataset, "StudyInstanceUID"), text(dataset, "SeriesInstanceUID")
    heap = heaps[uids if uids[1] else (*uids, text(dataset, "SeriesNumber"), str(path.parent))]
    planes = planes_of(dataset, path)
    if planes:
        intact = opened.whole and len(planes) == max(1, whole(dataset, "NumberOfFrames", 1))
        heap.planes += _found(dataset, planes, intact=intact)
    else:
        nowhere = Plane(
            path=path,
            sop_uid=text(dataset, "SOPInstanceUID"),
            sop_class=text(dataset, "SOPClassUID"),
            position_mm=(0.0, 0.0, 0.0),
            orientation=(0.0,) * 6,
            spacing_mm=(0.0, 0.0),
            rows=whole(dataset, "Rows"),
            columns=whole(dataset, "Columns"),
        )
        heap.placeless += _found(dataset, (nowhere,), intact=False)


def _found(dataset: Any, planes: tuple[Plane, ...], *, intact: bool) -> list[Found]:
    frames = asked_of(dataset)
    tags: dict[Kind, SeriesTags] = {}
    made = []
    person, instance = person_of(dataset), whole(dataset, "InstanceNumber")
    of_file: dict[str, Any] = {
        "study_uid": text(dataset, "StudyInstanceUID"),
        "series_uid": text(dataset, "SeriesInstanceUID"),
        "number": abs(whole(dataset, "SeriesNumber")),
        "date": date_of(dataset, "StudyDate", "SeriesDate", "AcquisitionDate"),
        "time_s": clock_s(dataset, "SeriesTime", "AcquisitionTime", "StudyTime"),
    }
    for plane in planes:
        asked = frames[plane.frame - 1]
        kind = kind_of(asked)
        if kind not in tags:
            tags[kind] = tags_of(dataset, plane.frame)
        order = (acquired_s(asked) or 0.0, instance)
        made.append(Found(plane, kind, tags[kind], person, order, gradient(asked), intact, **of_file))
    return made


def kind_of(asked: Asked) -> Kind:
    """Return what parts a plane from others of its series."""
    content = asked.group("FrameContentSequence")
    index = number(content, "TemporalPositionIndex") or asked.number("TemporalPositionIdentifier") or 0
    return Kind(
        image_type=asked.words("FrameType", "MRImageFrameTypeSequence") or asked.words("ImageType"),
        component=asked.words("ComplexImageComponent", "MRImageFrameTypeSequence"),
        echo=(int(asked.number("EchoNumbers") or 0), round(echo_time(asked) or 0.0, 2)),
        b_value=b_value(asked),
        contrast=_has_contrast(asked),
        time_point=int(index),
        stack_id=text(content, "StackID"),
    )


def _has_contrast(asked: Asked) -> bool:
    usage = asked.group("ContrastBolusUsageSequence")
    if usage is not None:
        return text(usage, "ContrastBolusAgentAdministered").upper() == "YES"
    return bool(text(asked.dataset, "ContrastBolusAgent"))


def _blame(heaps: list[_Heap]) -> None:
    """Count a file of an unreadable header as one of the series beside it, if there is one alone."""
    if len(heaps) == 1:
        heaps[0].lost += 1


def _mixed(heaps: Iterable[_Heap]) -> tuple[str, ...]:
    several = (heap.planes for heap in heaps if people(item.person for item in heap.planes) > 1)
    return tuple(sorted({item.study_uid for planes in several for item in planes}))


def _stacks(heap: _Heap) -> list[Series]:
    """Return the stacks of a series; its images without a place as one refused series without planes."""
    sizes = {(item.plane.sop_class, item.plane.rows, item.plane.columns) for item in heap.planes}
    strangers = [i for i in heap.placeless if (i.plane.sop_class, i.plane.rows, i.plane.columns) not in sizes]
    # an image like the others, whose place cannot be read, is a damaged one of them
    out = stacks_of(heap.planes, heap.lost + len(heap.placeless) - len(strangers)) if heap.planes else []
    if strangers:
        first = min(strangers, key=lambda item: item.sorting)
        out.append(
            Series(
                study_uid=first.study_uid,
                series_uid=first.series_uid,
                number=first.number,
                planes=(),
                tags=first.tags,
                person=first.person,
                part=len(out) + 1 if out else 0,
                date=first.date,
                time_s=first.time_s,
                refusal="images that do not say where they lie in the patient",
                remedy="give the series as the scanner wrote it",
            )
        )
    return out
