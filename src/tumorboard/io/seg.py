"""Label maps as DICOM segmentations on the planes of the series they were drawn on, and back.

Why it exists: a PACS shows a segmentation over the images it refers to, plane by plane. So labels are
written one frame for each source plane, empty planes included, whatever order their own grid is stored
in; and reading takes the geometry from the segmentation itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from tumorboard.errors import GeometryError
from tumorboard.io.codes import ABNORMAL, BRAIN, COLOURS, FAMILIES, TISSUES
from tumorboard.io.dicom.maker import LONG_STRING, Maker, plain
from tumorboard.io.dicom.templates import (
    MR_IMAGE,
    SERIES_NUMBERS,
    concept,
    equipment,
    first_header,
    name_scheme,
    quiet,
    source_headers,
    thickness_mm,
)
from tumorboard.io.dicom.uids import uid_from
from tumorboard.io.seg_read import SegmentationRead, read_segmentation
from tumorboard.labels import TISSUE_NAMES, LabelMap, Tissue
from tumorboard.series import Plane, Series
from tumorboard.store import digest

if TYPE_CHECKING:
    from pydicom import Dataset

__all__ = ["SegmentationRead", "read_segmentation", "segmentation"]

LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])

UNKNOWN_MM = 1.0
"""Stands for an unknown thickness while the library builds a segmentation; taken out again."""

EMPTY = "nothing is labelled, and a DICOM segmentation has at least one segment"
"""Why there is no segmentation of an empty label map. Source: PS3.3 C.8.20.2 (Segment Sequence, type 1)."""


def segmentation(
    labels: LabelMap, series: Series, maker: Maker, kind: Literal["binary", "labelmap"] = "binary"
) -> Dataset | None:
    """Return labels as a DICOM segmentation beside their source series.

    Each pixel takes the label of the voxel whose centre is nearest to its own; on the series' own grid,
    stored in any order, that is the voxel itself.

    Parameters
    ----------
    labels : LabelMap
        On the series' native grid in any order of axes, or on another grid (RAS mm).
    series : Series
        The planes; one frame (for ``binary`` one for each class) is written for each.
    maker : Maker
        Who makes it.
    kind : {'binary', 'labelmap'}
        Segmentation Storage, understood everywhere, or the smaller Label Map Segmentation Storage.

    Returns
    -------
    Dataset or None
        None where :data:`EMPTY` holds.

    Raises
    ------
    GeometryError
        The series has no planes or planes of several kinds, or no label lies on them.
    FileFormatError
        A source file cannot be read.

    Examples
    --------
    >>> import datetime as dt
    >>> from pathlib import Path
    >>> from pydicom.data import get_testdata_file
    >>> from tumorboard.io.dicom.scan import scan_dicom
    >>> series = scan_dicom([Path(get_testdata_file("MR_small.dcm"))]).series[0]
    >>> maker = Maker("tumorboard", "0.1", "fuzzy", "1.0", False, "a1", dt.datetime(2026, 1, 2))
    >>> place = plane_affine(series.planes[0])
    >>> seg = segmentation(LabelMap.of(np.full((64, 64, 1), Tissue.ET, np.uint8), place), series, maker)
    >>> seg.Modality, [s.SegmentLabel for s in seg.SegmentSequence], int(seg.NumberOfFrames)
    ('SEG', ['ET'], 1)
    """
    present = [tissue for tissue in Tissue if (labels.data == tissue).any()]
    if not present:
        return None
    _one_kind(series)
    pixels = on_planes(labels, series.planes)
    if not pixels.any():
        told = "all labels outside its planes"
        raise GeometryError("labels that lie on the source series", got=told, where="segmentation")
    if kind == "binary":
        pixels = _numbered(pixels, present)
    numbers = {t: n if kind == "binary" else int(t) for n, t in enumerate(present, 1)}
    made = digest(pixels.tobytes(), kind, maker.settings_digest, maker.version, str(series.part))
    with quiet():
        out: Dataset = _build(pixels, numbers, series, maker, kind, made)
        _settle(out, series, maker, made)
    return out


def on_planes(labels: LabelMap, planes: tuple[Plane, ...]) -> NDArray[np.uint8]:
    """Return the label nearest to the centre of each pixel, shape (planes, rows, columns).

    Pixels outside the labels' grid are 0.
    """
    first = planes[0]
    out = np.zeros((len(planes), first.rows, first.columns), np.uint8)
    inverse = np.linalg.inv(labels.affine)
    rows, columns = np.arange(first.rows)[:, None], np.arange(first.columns)[None, :]
    for n, plane in enumerate(planes):
        step = inverse @ plane_affine(plane)
        index = [np.rint(step[a, 0] * columns + step[a, 1] * rows + step[a, 3]).astype(np.intp) for a in range(3)]
        inside = np.logical_and.reduce(
            [(i >= 0) & (i < size) for i, size in zip(index, labels.data.shape, strict=True)]
        )
        out[n][inside] = labels.data[tuple(i[inside] for i in index)]
    return out


def plane_affine(plane: Plane) -> NDArray[np.float64]:
    """Return (column, row, 0, 1) to RAS mm of one plane, (4, 4). Source: PS3.3 C.7.6.2.1.1."""
    row, column = np.array(plane.orientation[:3]), np.array(plane.orientation[3:])
    between_rows, between_columns = plane.spacing_mm
    affine = np.eye(4)
    affine[:3, 0], affine[:3, 1] = row * between_columns, column * between_rows
    affine[:3, 2], affine[:3, 3] = np.cross(row, column), plane.position_mm
    return LPS_TO_RAS @ affine


def segment_uid(series: Series, maker: Maker, name: str) -> str:
    """Return the tracking UID of a region; the same in a segmentation and in its measurement report."""
    return uid_from(series.series_uid, str(series.part), maker.settings_digest, "region", name)


def _one_kind(series: Series) -> None:
    if not series.planes:
        raise GeometryError("a series with planes", got="none", where="source series")
    first = series.planes[0]
    for plane in series.planes:
        turned = np.abs(np.subtract(plane.orientation, first.orientation)).max() > 1e-3
        resized = (plane.rows, plane.columns) != (first.rows, first.columns)
        if turned or resized or not np.allclose(plane.spacing_mm, first.spacing_mm, rtol=1e-4):
            raise GeometryError("planes of one size, spacing and direction", got="several kinds", where="source series")


def _numbered(pixels: NDArray[np.uint8], present: list[Tissue]) -> NDArray[np.uint8]:
    """Return the classes numbered from 1 without gaps, as binary segments are (PS3.3 C.8.20.2)."""
    lut = np.zeros(max(Tissue) + 1, np.uint8)
    for number, tissue in enumerate(present, 1):
        lut[tissue] = number
    return np.asarray(lut[pixels])


def _build(
    pixels: NDArray[np.uint8], numbers: dict[Tissue, int], series: Series, maker: Maker, kind: str, made: str
) -> Any:
    from highdicom.seg import Segmentation

    return Segmentation(
        source_images=_stand_ins(series),
        pixel_array=pixels,
        segmentation_type=kind.upper(),
        segment_descriptions=[_segment(tissue, n, series, maker) for tissue, n in numbers.items()],
        series_instance_uid=uid_from(series.series_uid, "segmentation", made),
        series_number=SERIES_NUMBERS["segmentation"],
        sop_instance_uid=uid_from(series.series_uid, "segmentation", made, "1"),
        instance_number=1,
        manufacturer=maker.software,
        manufacturer_model_name=maker.software,
        software_versions=maker.version,
        device_serial_number=maker.settings_digest or "0",
        content_label="TUMOUR_LABELS",
        content_description=plain(f"{maker.algorithm} {maker.algorithm_version}", LONG_STRING),
        content_creator_name=f"{maker.software}^software",
        omit_empty_frames=False,
        series_description=maker.describe("segmentation"),
    )


def _stand_ins(series: Series) -> list[Any]:
    """Return a classic image for each plane, numbered in its UID, so that frames and files are one thing."""
    headers = source_headers(series)
    for n, header in enumerate(headers):
        header.setdefault("SliceThickness", UNKNOWN_MM)
        header.SOPClassUID, header.SOPInstanceUID = MR_IMAGE, _stand_in_uid(n)
        header.ImageOrientationPatient = headers[0].ImageOrientationPatient
    return headers


def _stand_in_uid(n: int) -> str:
    return f"2.25.{n + 1}"


def _segment(tissue: Tissue, number: int, series: Series, maker: Maker) -> Any:
    from highdicom import AlgorithmIdentificationSequence
    from highdicom.color import CIELabColor
    from highdicom.seg import SegmentDescription

    algorithm = AlgorithmIdentificationSequence(
        name=plain(maker.algorithm, LONG_STRING),
        family=concept(FAMILIES[maker.family]),
        version=plain(maker.algorithm_version, LONG_STRING),
        source=maker.software,
    )
    out = SegmentDescription(
        segment_number=number,
        segment_label=tissue.name,
        segmented_property_category=concept(ABNORMAL),
        segmented_property_type=concept(TISSUES[tissue]),
        algorithm_type=maker.algorithm_type,
        algorithm_identification=None if maker.algorithm_type == "MANUAL" else algorithm,
        tracking_uid=segment_uid(series, maker, tissue.name),
        tracking_id=tissue.name,
        anatomic_regions=[concept(BRAIN)],
        display_color=CIELabColor(*COLOURS[tissue]),
    )
    out.SegmentDescription = plain(TISSUE_NAMES[tissue])
    return out


def _settle(out: Any, series: Series, maker: Maker, made: str) -> None:
    """Put real references in place of the stand-ins, and ours in place of random UIDs and the clock."""
    header = first_header(series)
    many = int(header.get("NumberOfFrames") or 0) > 0
    planes = {_stand_in_uid(n): plane for n, plane in enumerate(series.planes)}
    for item in out.PerFrameFunctionalGroupsSequence:
        for derivation in item.DerivationImageSequence:
            for source in derivation.SourceImageSequence:
                plane = planes.get(source.ReferencedSOPInstanceUID)
                if plane is None:  # the library shares one item among the frames of a plane
                    continue
                source.ReferencedSOPClassUID, source.ReferencedSOPInstanceUID = plane.sop_class, plane.sop_uid
                if many:
                    source.ReferencedFrameNumber = plane.frame
    out.SourceImageSequence = references(series)
    out.ReferencedSeriesSequence[0].ReferencedInstanceSequence = references(series)
    organization = uid_from(out.SOPInstanceUID, "dimensions")
    out.DimensionOrganizationSequence[0].DimensionOrganizationUID = organization
    for index in out.DimensionIndexSequence:
        index.DimensionOrganizationUID = organization
    if thickness_mm(series, header) is None:
        del out.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0].SliceThickness
    out.BodyPartExamined = "BRAIN"
    equipment(out, maker)
    name_scheme(out)


def references(series: Series) -> list[Any]:
    """Return a reference to each file of a series once."""
    from pydicom import Dataset

    out: dict[str, Any] = {}
    for plane in series.planes:
        item = Dataset()
        item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = plane.sop_class, plane.sop_uid
        out.setdefault(plane.sop_uid, item)
    return list(out.values())
