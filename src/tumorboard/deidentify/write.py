"""One cleaned DICOM file: file meta rebuilt, pixels of their exact length, the same bytes every time.

Why it exists: a preamble, a sender's name in the file meta or bytes behind the last pixel are where names
survive a cleaned header.
"""

from __future__ import annotations

import io
from collections import Counter
from typing import Any

from tumorboard.deidentify.dataset import Rules, clean_dataset, mark
from tumorboard.deidentify.objects import IMAGES, NOT_WHOLE, ONLY_WHEN_SAID
from tumorboard.deidentify.read import LeftOut

PIXELS = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")
"""Where the pixels of an image stand."""

VERSION_NAME = "TUMORBOARD"
"""Implementation Version Name (0002,0013) of what is written."""


def cleaned_bytes(dataset: Any, rules: Rules, options: tuple[str, ...], counts: Counter[tuple[str, str]]) -> bytes:
    """Clean a dataset and return it as a PS3.10 file.

    Parameters
    ----------
    dataset : pydicom.FileDataset
        As read; changed.
    rules : Rules
        Of its patient.
    options : tuple of str
        Codes of what was done.
    counts : Counter
        Grows.

    Returns
    -------
    bytes
        The same for the same input, always.

    Raises
    ------
    LeftOut
        Fewer pixels than the header says, or something that cannot be written.
    """
    from pydicom.filewriter import dcmwrite

    syntax = dataset.file_meta.TransferSyntaxUID
    try:
        _trim_pixels(dataset, syntax.is_compressed)
        clean_dataset(dataset, rules, counts)
        mark(dataset, options, dates_kept=rules.shift_days is None)
        dataset.preamble = bytes(128)
        dataset.file_meta = _file_meta(dataset, syntax)
        stream = io.BytesIO()
        dcmwrite(stream, dataset, enforce_file_format=True)
        return stream.getvalue()
    except LeftOut:
        raise
    except Exception:  # what cannot be written may quote its value
        raise LeftOut(NOT_WHOLE) from None


def _file_meta(dataset: Any, syntax: Any) -> Any:
    from pydicom.dataset import FileMetaDataset
    from pydicom.uid import PYDICOM_IMPLEMENTATION_UID

    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    meta.TransferSyntaxUID = syntax
    meta.ImplementationClassUID = PYDICOM_IMPLEMENTATION_UID
    meta.ImplementationVersionName = VERSION_NAME
    return meta


def _trim_pixels(dataset: Any, compressed: bool) -> None:
    """Cut what stands behind the last pixel; refuse fewer than there should be (PS3.5 8.1.1)."""
    pixels = next((k for k in PIXELS if k in dataset), None)
    if pixels is None and str(dataset.SOPClassUID) in {**IMAGES, **ONLY_WHEN_SAID}:
        raise LeftOut(NOT_WHOLE)
    if pixels != "PixelData" or compressed:
        return
    samples, frames = int(dataset.get("SamplesPerPixel") or 1), int(dataset.get("NumberOfFrames") or 1)
    if samples == 3 and dataset.PhotometricInterpretation == "YBR_FULL_422":
        samples = 2
    bits = int(dataset.Rows) * int(dataset.Columns) * frames * samples * int(dataset.BitsAllocated)
    wanted = -(-bits // 8)
    if len(dataset.PixelData) < wanted:
        raise LeftOut(NOT_WHOLE)
    dataset.PixelData = dataset.PixelData[:wanted] + bytes(wanted % 2)
