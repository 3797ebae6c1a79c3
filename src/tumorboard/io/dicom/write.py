"""A volume as a DICOM series: one file a slice, each saying where it lies in the patient.

Why it exists: readers, de-identification and results can be tried only on files, and files of people may not
be shipped. What is written here is valid by itself and is the same, byte for byte, whenever it is made from
the same volume and header. Source: PS3.3 A.4 (MR Image), A.36.2 (Enhanced MR Image), C.7.6.2 (Image Plane).
"""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from tumorboard.errors import FileFormatError, IntensityError
from tumorboard.io.dicom.header import quiet, text
from tumorboard.io.dicom.uids import uid_from
from tumorboard.store import write_atomic
from tumorboard.volume import Affine, Volume

if TYPE_CHECKING:
    from pydicom import Dataset

MR_IMAGE = "1.2.840.10008.5.1.4.1.1.4"
"""MR Image Storage."""

EXPLICIT_LITTLE_ENDIAN = "1.2.840.10008.1.2.1"

COMPRESSIONS = {
    "rle": "1.2.840.10008.1.2.5",
    "jpeg2000": "1.2.840.10008.1.2.4.90",
    "jpegls": "1.2.840.10008.1.2.4.80",
}
"""Lossless transfer syntaxes by name. Source: PS3.5 A.4."""

REQUIRED: dict[str, Any] = {
    **dict.fromkeys(("PatientName", "PatientID", "PatientBirthDate", "PatientSex"), ""),
    **dict.fromkeys(("StudyDate", "StudyTime", "StudyID", "AccessionNumber", "ReferringPhysicianName"), ""),
    **dict.fromkeys(("SeriesNumber", "Manufacturer", "PositionReferenceIndicator"), ""),
    **dict.fromkeys(("ScanOptions", "MRAcquisitionType", "RepetitionTime", "EchoTime", "EchoTrainLength"), ""),
    "Modality": "MR",
    "PatientPosition": "HFS",
    "ImageType": ["ORIGINAL", "PRIMARY", "OTHER"],
    "ScanningSequence": "RM",
    "SequenceVariant": "NONE",
}
"""Attributes of type 1 and 2 with what stands there where the header has none. Source: PS3.3 A.4, C.8.3.1."""

_STALE = (
    *("NumberOfFrames", "RescaleSlope", "RescaleIntercept", "RescaleType", "WindowCenter", "WindowWidth"),
    *("SmallestImagePixelValue", "LargestImagePixelValue", "PixelPaddingValue", "PatientOrientation"),
    *("RealWorldValueMappingSequence", "PixelData"),
)
"""Attributes that told of other pixels."""

_RAS_TO_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])


def write_series(
    volume: Volume,
    header: Dataset,
    folder: Path,
    *,
    names: Callable[[int], str] = "IM{:04d}".format,
    compress: str | None = None,
) -> tuple[Path, ...]:
    """Write a volume as one series of MR images.

    Parameters
    ----------
    volume : Volume
        int16 or uint16; data[i = column, j = row, k = plane], RAS mm, axes in any order and direction.
    header : pydicom.Dataset
        What all files share, with Study and Series Instance UID. What it says of pixels and of places is
        replaced, but for Slice Thickness (else the distance of the planes). Its Instance Number is that of
        the first file, so that a series may be written in parts.
    folder : Path
        Made if absent; files of the same names are replaced.
    names : callable
        File name from the Instance Number.
    compress : str or None
        A key of :data:`COMPRESSIONS`; None writes explicit VR little endian.

    Returns
    -------
    tuple of Path
        One file a plane, in order of k. SOP Instance UIDs follow from series and number.

    Raises
    ------
    IntensityError
        Other types of values than DICOM's 16 bits.
    FileFormatError
        The header names no study or no series.
    OutputError
        The folder cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from pydicom import Dataset
    >>> header = Dataset()
    >>> header.StudyInstanceUID, header.SeriesInstanceUID = "2.25.1", "2.25.2"
    >>> volume = Volume.of(np.zeros((4, 3, 2), np.int16), np.diag([-1.0, -1.0, 5.0, 1.0]))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     [path.name for path in write_series(volume, header, Path(folder))]
    ['IM0001', 'IM0002']
    """
    with quiet():
        shared = _shared(volume, header)
        first = int(text(header, "InstanceNumber") or 1)
        made = []
        for k in range(volume.data.shape[2]):
            plane = _plane(volume, shared, k, first + k)
            path = folder / names(first + k)
            write_atomic(path, to_bytes(plane, compress))
            made.append(path)
    return tuple(made)


def to_bytes(dataset: Dataset, compress: str | None = None) -> bytes:
    """Return an image as the bytes of its DICOM file (PS3.10 7.1); equal images give equal bytes."""
    from pydicom.dataset import FileMetaDataset
    from pydicom.uid import UID

    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = UID(EXPLICIT_LITTLE_ENDIAN)
    dataset.preamble = b"\0" * 128
    stream = BytesIO()
    with quiet():
        if compress is not None:
            dataset.compress(COMPRESSIONS[compress], generate_instance_uid=False)
        dataset.save_as(stream, enforce_file_format=True)
    return stream.getvalue()


def _shared(volume: Volume, header: Dataset) -> Dataset:
    """Return what all planes of a volume share."""
    from pydicom.valuerep import DS

    if volume.data.dtype not in (np.int16, np.uint16):
        raise IntensityError("int16 or uint16 values", got=str(volume.data.dtype), where="volume to be written")
    if not text(header, "StudyInstanceUID") or not text(header, "SeriesInstanceUID"):
        raise FileFormatError("a header that names its study and its series", got="one that does not")
    out = deepcopy(header)
    for keyword in _STALE:
        if keyword in out:
            delattr(out, keyword)
    for keyword, usual in REQUIRED.items():
        if keyword not in out:
            setattr(out, keyword, usual)
    if not text(out, "BodyPartExamined"):
        out.Laterality = ""  # asked for where the part might be one of a pair (PS3.3 C.7.3.1)
    out.SOPClassUID = MR_IMAGE
    if not text(out, "FrameOfReferenceUID"):
        out.FrameOfReferenceUID = uid_from(out.SeriesInstanceUID, "frame of reference")
    describe_pixels(out, volume.data)
    columns_mm, rows_mm, planes_mm = volume.spacing_mm
    out.PixelSpacing = _decimals((rows_mm, columns_mm))
    out.ImageOrientationPatient = _decimals((*_direction(volume, 0), *_direction(volume, 1)))
    out.SpacingBetweenSlices = DS(planes_mm, auto_format=True)
    if not text(out, "SliceThickness"):
        out.SliceThickness = out.SpacingBetweenSlices
    return out


def describe_pixels(out: Dataset, data: NDArray[Any]) -> None:
    """Write the shape and the type of grey values, of which the first two axes are columns and rows."""
    bits = data.dtype.itemsize * 8
    out.SamplesPerPixel, out.PhotometricInterpretation = 1, "MONOCHROME2"
    out.Columns, out.Rows = data.shape[:2]
    out.BitsAllocated = out.BitsStored = bits
    out.HighBit, out.PixelRepresentation = bits - 1, int(data.dtype.kind == "i")


def _plane(volume: Volume, shared: Dataset, k: int, number: int) -> Dataset:
    from pydicom.valuerep import DS

    out = deepcopy(shared)
    place = _lps(volume) @ (0, 0, k, 1)
    normal = np.cross(_direction(volume, 0), _direction(volume, 1))
    out.SOPInstanceUID = uid_from(out.SeriesInstanceUID, str(number))
    out.InstanceNumber = number
    out.ImagePositionPatient = _decimals(place[:3])
    out.SliceLocation = DS(float(place[:3] @ normal), auto_format=True)
    put_pixels(out, volume.data[:, :, k].T)
    return out


def put_pixels(out: Dataset, rows: NDArray[Any]) -> None:
    """Write grey values; shape (rows, columns)."""
    content = np.ascontiguousarray(rows, dtype=rows.dtype.newbyteorder("<")).tobytes()
    out.PixelData = content + b"\0" * (len(content) % 2)
    out["PixelData"].VR = "OW" if rows.dtype.itemsize > 1 else "OB"


def _lps(volume: Volume) -> Affine:
    return np.asarray(_RAS_TO_LPS @ volume.affine)


def _direction(volume: Volume, axis: int) -> NDArray[np.float64]:
    step = _lps(volume)[:3, axis]
    return np.asarray(step / np.linalg.norm(step))


def _decimals(values: Any) -> list[Any]:
    """Return numbers as decimal strings of at most 16 characters (PS3.5 6.2)."""
    from pydicom.valuerep import DS

    return [DS(float(v) + 0.0, auto_format=True) for v in values]
