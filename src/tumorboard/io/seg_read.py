"""DICOM segmentations, ours and others', read into our classes on a grid of their own.

Why it exists: a mask that a department drew arrives as a DICOM segmentation, whose segments say in codes
and words what they are. What they say is translated once, here; a segment that says nothing we know is a
refusal, not a guess. Places come from the segmentation's own frames, never from the order of its files.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tumorboard.errors import FileFormatError, GeometryError, LabelError
from tumorboard.io.dicom.templates import quiet
from tumorboard.labels import LabelMap, Tissue
from tumorboard.volume import Grid

if TYPE_CHECKING:
    from pydicom import Dataset

SEGMENTATION_CLASSES = {"1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7"}
"""Segmentation Storage and Label Map Segmentation Storage."""

FRACTION = 0.5
"""A fractional segment holds a pixel from this share on; chosen."""

PLACE_TOLERANCE_MM, PLACE_TOLERANCE = 0.01, 0.01
"""How far a frame may lie from its place in an even stack, in mm or as a share of the step; chosen."""

SAID: tuple[tuple[str, str, Tissue], ...] = (
    ("resection cavity", r"\brc\b|cavit|resection", Tissue.RC),
    ("oedema", r"\bsnfh\b|\bed\b|flair|o?edema|infiltrat", Tissue.SNFH),
    ("necrosis or non-enhancing core", r"\bnetc?\b|\bncr\b|necro|non.?enhanc", Tissue.NETC),
    ("enhancing tumour", r"\bet\b|enhanc", Tissue.ET),
    ("tumour core", r"\btc\b|tumou?r core", Tissue.NETC),
    ("whole tumour", r"\bwt\b|whole.?(tumou?r|lesion)", Tissue.SNFH),
)
"""Words in a segment's label or type, the first that fits: what they mean and our class. Source: BraTS."""

CODED: dict[tuple[str, str], str] = {
    ("79654002", "SCT"): "oedema",
    ("6574001", "SCT"): "necrosis or non-enhancing core",
    ("C81175", "NCIt"): "necrosis or non-enhancing core",
    ("C113842", "NCIt"): "enhancing tumour",
}
"""Property types (PS3.16 CID 7159) that say what a segment is, where its label does not."""

PAINTED = ("whole tumour", "oedema", "tumour core", "necrosis or non-enhancing core", "enhancing tumour")
"""Where segments overlap, a later one lies on top; the resection cavity on all."""

_CLASS = {meaning: tissue for meaning, _, tissue in SAID}
_OURS = {
    "NETC": "necrosis or non-enhancing core",
    "SNFH": "oedema",
    "ET": "enhancing tumour",
    "RC": "resection cavity",
}


@dataclass(frozen=True)
class SegmentationRead:
    """A segmentation in our classes.

    Parameters
    ----------
    labels : LabelMap
        On the segmentation's own grid: (column, row, plane) to RAS mm.
    segments : dict of int to str
        What each segment was read as, by its number.
    notes : tuple of str
        What was decided on the way, in words that identify nobody.
    """

    labels: LabelMap
    segments: dict[int, str]
    notes: tuple[str, ...] = ()


def read_segmentation(path: Path) -> SegmentationRead:
    """Read a DICOM segmentation: binary, label map, or fractional at one half.

    Parameters
    ----------
    path : Path
        One file.

    Returns
    -------
    SegmentationRead

    Raises
    ------
    FileFormatError
        Not a DICOM segmentation, or one that cannot be decoded.
    GeometryError
        Its frames do not form an even stack.
    LabelError
        A segment says nothing that we know; its coded type is named, its free text is not.

    Examples
    --------
    >>> from pydicom.data import get_testdata_file
    >>> read_segmentation(Path(get_testdata_file("MR_small.dcm")))
    Traceback (most recent call last):
    tumorboard.errors.FileFormatError: labels: expected a DICOM segmentation; got another DICOM object.
    """
    dataset, pixels = _load(path)
    meanings = {int(s.SegmentNumber): _meaning(s) for s in _described(dataset)}
    places, grid = _places(dataset)
    data = np.zeros(grid.shape, np.uint8)
    notes = []
    for number in sorted(meanings, key=lambda n: _height(meanings[n])):
        mask = _mask(dataset, pixels, places, number, grid)
        if (data[mask] != 0).any():
            notes.append(f"segments overlap; {meanings[number]} lies on top")
        data[mask] = int(_CLASS[meanings[number]])
    if str(dataset.get("SegmentationType", "")) == "FRACTIONAL":
        notes.append(f"fractional segments were cut at {FRACTION:g}")
    return SegmentationRead(LabelMap(data, grid), meanings, tuple(notes))


def _load(path: Path) -> tuple[Any, NDArray[Any]]:
    from pydicom import dcmread

    try:
        with quiet():
            dataset = dcmread(path)
            if dataset.get("SOPClassUID") not in SEGMENTATION_CLASSES:
                raise FileFormatError("a DICOM segmentation", got="another DICOM object", where="labels")
            pixels = np.asarray(dataset.pixel_array)
    except FileFormatError:
        raise
    except Exception as error:
        got = "a file that cannot be decoded"
        raise FileFormatError("a DICOM segmentation", got=got, where="labels", remedy="export it again") from error
    return dataset, pixels if pixels.ndim == 3 else pixels[None]


def _described(dataset: Dataset) -> list[Any]:
    """Return the segments, without the background that label maps describe too."""
    padding = dataset.get("PixelPaddingValue")
    found = [s for s in dataset.get("SegmentSequence") or () if s.SegmentNumber not in (0, padding)]
    if not found:
        raise LabelError("a segmentation with segments", got="none", where="labels")
    return found


def _meaning(segment: Any) -> str:
    """Return what a segment is, in our words: by our own label, by its words, by its coded type."""
    label = str(segment.get("SegmentLabel", ""))
    kinds = segment.get("SegmentedPropertyTypeCodeSequence") or ()
    if label in _OURS:
        return _OURS[label]
    spoken = re.sub(r"[_\W]+", " ", label).lower()
    for meaning, words, _ in SAID:
        if re.search(words, spoken):
            return meaning
    for kind in kinds:
        coded = CODED.get((str(kind.get("CodeValue", "")), str(kind.get("CodingSchemeDesignator", ""))))
        if coded:
            return coded
    raise LabelError(
        "segments that say what they are: enhancing tumour, necrosis, oedema, cavity or whole tumour",
        got=f"a segment of type {_public_meaning(kinds)}",
        where="labels",
        remedy="name the segments so, or give the masks as NIfTI with --scheme",
    )


def _public_meaning(kinds: Any) -> str:
    """Name a coded type by its public code alone; meanings are text that anybody may have typed."""
    shown = [f"{k.get('CodeValue', '')} ({k.get('CodingSchemeDesignator', '')})" for k in kinds]
    return ", ".join(s for s in shown if re.fullmatch(r"[A-Z]?-?[0-9A-F]{1,10} \((SCT|SRT|NCIt|DCM)\)", s)) or "unknown"


def _height(meaning: str) -> int:
    return PAINTED.index(meaning) if meaning in PAINTED else len(PAINTED)


def _groups(dataset: Any) -> Iterator[tuple[Any, Any]]:
    """Yield the functional groups of each frame: its own, and those shared by all."""
    shared = dataset.SharedFunctionalGroupsSequence[0]
    for own in dataset.PerFrameFunctionalGroupsSequence:
        yield own, shared


def _group(name: str, own: Any, shared: Any) -> Any:
    found = own.get(name) or shared.get(name)
    if not found:
        raise GeometryError("frames with a place in space", got="none", where="labels")
    return found[0]


def _places(dataset: Any) -> tuple[NDArray[np.intp], Grid]:
    """Return each frame's plane in the stack, and the stack's grid."""
    try:
        groups = [_frame_geometry(own, shared) for own, shared in _groups(dataset)]
    except (AttributeError, TypeError, ValueError, IndexError) as error:
        raise GeometryError("frames with a place in space", got="none", where="labels") from error
    positions, turns, spacings, told = (np.array(part, float) for part in zip(*groups, strict=True))
    if np.abs(turns - turns[0]).max() > 1e-4 or np.abs(spacings - spacings[0]).max() > 1e-4:
        raise GeometryError("frames of one direction and spacing", got="several", where="labels")
    row, column = turns[0, :3], turns[0, 3:]
    normal = np.cross(row, column)
    along = positions @ normal
    first = positions[int(along.argmin())]
    step = _step(np.unique(np.round(along - along.min(), 3)), float(told[0]))
    places = np.rint((along - along.min()) / step).astype(np.intp)
    between = _mean_step(positions, places, normal * step)
    off = np.linalg.norm(positions - first - places[:, None] * between, axis=1).max()
    if off > max(PLACE_TOLERANCE_MM, PLACE_TOLERANCE * step):
        remedy = "give the masks as NIfTI on the series' own grid"
        raise GeometryError("an even stack of frames", got=f"frames {off:.2f} mm off", where="labels", remedy=remedy)
    affine = np.eye(4)
    affine[:3, 0], affine[:3, 1] = row * spacings[0, 1], column * spacings[0, 0]
    affine[:3, 2], affine[:3, 3] = between, first
    shape = int(dataset.Columns), int(dataset.Rows), int(places.max()) + 1
    return places, Grid(shape, np.diag([-1.0, -1.0, 1.0, 1.0]) @ affine)


def _frame_geometry(own: Any, shared: Any) -> tuple[list[float], list[float], list[float], float]:
    measures = _group("PixelMeasuresSequence", own, shared)
    told = measures.get("SpacingBetweenSlices") or measures.get("SliceThickness") or 0.0
    position = _group("PlanePositionSequence", own, shared).ImagePositionPatient
    turned = _group("PlaneOrientationSequence", own, shared).ImageOrientationPatient
    return [float(v) for v in position], [float(v) for v in turned], [float(v) for v in measures.PixelSpacing], told


def _step(along: NDArray[np.float64], told: float) -> float:
    """Return the distance of planes: the smallest found, for empty planes may be left out; else as told."""
    if len(along) > 1:
        smallest = float(np.diff(along).min())
        between = round(smallest / told) if told > 0 else 1
        return smallest / between if between > 1 and abs(smallest / between - told) < PLACE_TOLERANCE_MM else smallest
    return float(told) or 1.0


def _mean_step(
    positions: NDArray[np.float64], places: NDArray[np.intp], step: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the step between planes over the whole stack, so that rounding does not add up."""
    low, high = int(places.argmin()), int(places.argmax())
    if places[low] == places[high]:
        return step
    return np.asarray((positions[high] - positions[low]) / (places[high] - places[low]))


def _mask(dataset: Any, pixels: NDArray[Any], places: NDArray[np.intp], number: int, grid: Grid) -> NDArray[np.bool_]:
    """Return one segment on the grid, shape (column, row, plane)."""
    kind = str(dataset.get("SegmentationType", ""))
    out = np.zeros(grid.shape, bool)
    for frame, (own, shared) in enumerate(_groups(dataset)):
        if kind == "LABELMAP":
            here = pixels[frame] == number
        elif int(_group("SegmentIdentificationSequence", own, shared).ReferencedSegmentNumber) != number:
            continue
        elif kind == "FRACTIONAL":
            here = pixels[frame] >= FRACTION * float(dataset.MaximumFractionalValue)
        else:
            here = pixels[frame] > 0
        out[:, :, places[frame]] |= here.T
    return out
