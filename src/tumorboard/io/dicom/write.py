"""A volume as a DICOM MR series: one file for each slice, or one enhanced multi-frame file.

Why it exists: reading must be tried on files whose truth is known, and digital patients leave the house as
studies do. It writes images and nothing else; results have their own writers.
Source: PS3.3 A.4 (MR Image), A.36 (Enhanced MR Image), C.7.6.2 (Image Plane), C.8.3 (MR Image module).
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from tumorboard.errors import InputError, IntensityError
from tumorboard.io.dicom.header import quiet
from tumorboard.io.dicom.plane_tags import number, plane_tags
from tumorboard.io.dicom.uids import uid_from
from tumorboard.store import write_atomic
from tumorboard.volume import Volume

if TYPE_CHECKING:
    from pydicom import Dataset
    from pydicom.uid import UID

Compression = Literal["jpeg2000", "jpegls", "rle"]

SYNTAXES: dict[Compression | None, str] = {
    None: "1.2.840.10008.1.2.1",
    "jpeg2000": "1.2.840.10008.1.2.4.90",
    "jpegls": "1.2.840.10008.1.2.4.80",
    "rle": "1.2.840.10008.1.2.5",
}
"""Transfer syntaxes by name, all lossless; without one, explicit VR little endian."""

MR_IMAGE = "1.2.840.10008.5.1.4.1.1.4"
"""MR Image Storage."""

SHOWN_PERCENT = (1.0, 99.5)
"""Percentiles of the values that the window spans (chosen)."""

_COMMON: dict[str, Any] = {
    **dict.fromkeys(("PatientName", "PatientID", "PatientBirthDate", "PatientSex"), ""),
    **dict.fromkeys(("StudyDate", "StudyTime", "StudyID", "AccessionNumber", "ReferringPhysicianName"), ""),
    **dict.fromkeys(("SeriesNumber", "Manufacturer", "PositionReferenceIndicator"), ""),
    "PatientPosition": "HFS",
    "BodyPartExamined": "BRAIN",
    "ImageType": ["ORIGINAL", "PRIMARY", "OTHER"],
}
"""What stands in every image, where the header does not say it (types 1 and 2)."""

_CLASSIC: dict[str, Any] = {
    "ScanningSequence": "RM",
    "SequenceVariant": "NONE",
    **dict.fromkeys(("ScanOptions", "MRAcquisitionType", "RepetitionTime", "EchoTime", "EchoTrainLength"), ""),
}
"""The same in a classic MR image; ``RM`` is research mode."""


@dataclass(frozen=True)
class WrittenSeries:
    """What was written.

    Parameters
    ----------
    files : tuple of Path
        In order of the slices; one for an enhanced object.
    sop_uids : tuple of str
        Of the files.
    """

    files: tuple[Path, ...]
    sop_uids: tuple[str, ...]


def write_series(
    volume: Volume,
    folder: Path,
    header: Dataset,
    *,
    thickness_mm: float | None = None,
    first: int = 1,
    enhanced: bool = False,
    compress: Compression | None = None,
) -> WrittenSeries:
    """Write a volume as a series of MR images.

    Parameters
    ----------
    volume : Volume
        int16 or uint16; array axes are columns, rows, slices, in any directions.
    folder : Path
        Made if absent; files are named ``IM0001`` … by their instance number.
    header : pydicom.Dataset
        Patient, study, series and technique. It must hold Study and Series Instance UID; what else an image
        needs is added, and its own geometry and pixels are replaced. It is not changed.
    thickness_mm : float, optional
        Of a slice; the header's own, else the step between slices, when it is not given.
    first : int
        Instance number of the first slice.
    enhanced : bool
        One multi-frame file instead of one for each slice.
    compress : {'jpeg2000', 'jpegls', 'rle'}, optional
        Lossless.

    Returns
    -------
    WrittenSeries
        Instance UIDs follow from the series' and the instance number; equal input gives equal bytes.

    Raises
    ------
    InputError
        The header lacks an UID, or the values are not 16-bit integers.
    OutputError
        The folder cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from pydicom import Dataset, dcmread
    >>> header = Dataset()
    >>> header.StudyInstanceUID, header.SeriesInstanceUID = "2.25.1", "2.25.2"
    >>> volume = Volume.of(np.zeros((4, 5, 3), np.int16), np.diag([-1.0, -2.0, 3.0, 1.0]))
    >>> with tempfile.TemporaryDirectory() as place:
    ...     written = write_series(volume, Path(place), header)
    ...     image = dcmread(written.files[2])
    >>> image.Rows, image.Columns, image.PixelSpacing, float(image.ImagePositionPatient[2])
    (5, 4, [2.0, 1.0], 6.0)
    """
    for keyword in ("StudyInstanceUID", "SeriesInstanceUID"):
        if not header.get(keyword):
            raise InputError(f"a header with {keyword}", got="none", where="series to write")
    if volume.data.dtype not in (np.dtype(np.int16), np.dtype(np.uint16)):
        got, remedy = f"dtype {volume.data.dtype}", "round to int16"
        raise IntensityError("16-bit integers", got=got, where="series to write", remedy=remedy)
    from tumorboard.io.dicom.write_enhanced import enhanced_image

    made = (
        iter([enhanced_image(volume, _filled(volume, header, _COMMON, first), thickness_mm)])
        if enhanced
        else _classic(volume, header, thickness_mm, first)
    )
    files, uids = [], []
    for image in made:
        path = folder / f"IM{int(image.InstanceNumber):04d}"
        write_atomic(path, to_bytes(image, compress))
        files.append(path)
        uids.append(str(image.SOPInstanceUID))
    return WrittenSeries(tuple(files), tuple(uids))


def _classic(volume: Volume, header: Dataset, thickness_mm: float | None, first: int) -> Iterator[Dataset]:
    """Make one MR Image for each slice."""
    from pydicom import Dataset

    base = _filled(volume, header, _COMMON | _CLASSIC, first)
    base.SOPClassUID = MR_IMAGE
    if "IR" in base.ScanningSequence and "InversionTime" not in base:
        base.InversionTime = None
    tags = plane_tags(volume.grid)
    thickness = base.get("SliceThickness") or tags.between
    base.SliceThickness = thickness if thickness_mm is None else number(thickness_mm)
    base.SpacingBetweenSlices, base.PixelSpacing = tags.between, list(tags.spacing)
    base.ImageOrientationPatient = list(tags.orientation)
    for k, (position, place) in enumerate(zip(tags.positions, tags.places, strict=True)):
        image = Dataset()
        image.update(base)
        image.InstanceNumber = first + k
        image.SOPInstanceUID = uid_from(base.SeriesInstanceUID, str(first + k))
        image.ImagePositionPatient, image.SliceLocation = list(position), place
        image.PixelData = np.ascontiguousarray(volume.data[:, :, k].T).astype("<i2").tobytes()
        image["PixelData"].VR = "OW"
        yield image


def _filled(volume: Volume, header: Dataset, more: dict[str, Any], first: int) -> Dataset:
    """Copy a header, add what is missing, and describe the pixels."""
    from pydicom import Dataset

    out = Dataset()
    out.update({e.tag: deepcopy(e) for e in header if e.tag.group not in (0x0002, 0x7FE0)})
    for keyword, value in more.items():
        if out.get(keyword) in (None, ""):
            setattr(out, keyword, value)
    if not out.get("FrameOfReferenceUID"):
        out.FrameOfReferenceUID = uid_from(out.StudyInstanceUID, "frame of reference")
    image_type = [out.ImageType] if isinstance(out.ImageType, str) else list(out.ImageType)
    out.ImageType = [*image_type, *_COMMON["ImageType"][len(image_type) :]]  # three values at least
    out.Modality, out.InstanceNumber = "MR", first
    out.SOPInstanceUID = uid_from(out.SeriesInstanceUID, str(first))
    out.Columns, out.Rows = volume.grid.shape[:2]
    out.SamplesPerPixel, out.PhotometricInterpretation = 1, "MONOCHROME2"
    out.BitsAllocated, out.BitsStored, out.HighBit = 16, 16, 15
    out.PixelRepresentation = int(volume.data.dtype == np.int16)
    low, high = np.percentile(volume.data, SHOWN_PERCENT)
    out.WindowCenter, out.WindowWidth = number(round((low + high) / 2)), number(max(1, round(high - low)))
    return out


def to_bytes(image: Dataset, compress: Compression | None = None) -> bytes:
    """Return an image as the bytes of its DICOM file (PS3.10 7.1).

    Parameters
    ----------
    image : pydicom.Dataset
        With pixels, uncompressed.
    compress : {'jpeg2000', 'jpegls', 'rle'}, optional
        Lossless.

    Raises
    ------
    InputError
        The encoder refuses the pixels (JPEG 2000: fewer than 32 rows or columns).
    """
    from pydicom.dataset import FileMetaDataset
    from pydicom.uid import UID

    image.file_meta = FileMetaDataset()
    image.file_meta.TransferSyntaxUID = UID(SYNTAXES[None])
    image.file_meta.MediaStorageSOPClassUID = image.SOPClassUID
    image.file_meta.MediaStorageSOPInstanceUID = image.SOPInstanceUID
    image.preamble = b"\0" * 128
    stream = BytesIO()
    with quiet():
        if compress is not None:
            _compress(image, UID(SYNTAXES[compress]))
        image.save_as(stream, enforce_file_format=True)
    return stream.getvalue()


def _compress(image: Dataset, syntax: UID) -> None:
    try:
        image.compress(syntax, generate_instance_uid=False)
    except RuntimeError as error:  # what every encoder's own error becomes
        remedy = "write it uncompressed"
        got = f"{image.Columns} x {image.Rows} pixels that {syntax.name} refuses"
        raise InputError("pixels that can be compressed", got=got, where="series to write", remedy=remedy) from error
