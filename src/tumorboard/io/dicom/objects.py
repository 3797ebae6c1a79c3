"""What DICOM objects are called that are no images of planes.

Why it exists: a user who gives a whole export wants to read "2 structured reports", not a UID.
Source: PS3.4 B.5 (Standard SOP Classes), PS3.6 A.
"""

from __future__ import annotations

from typing import Any

from tumorboard.io.dicom.header import text, whole

SEGMENTATION = "segmentation"
"""What :func:`object_word` calls segmentations, binary, fractional or as label maps."""

_STORAGE = "1.2.840.10008.5.1.4.1.1"

_OBJECTS = (
    (f"{_STORAGE}.66.4", SEGMENTATION),
    (f"{_STORAGE}.66.7", SEGMENTATION),
    (f"{_STORAGE}.66.5", "surface segmentation"),
    (f"{_STORAGE}.66.6", "tractography"),
    (f"{_STORAGE}.66.1", "registration"),
    (f"{_STORAGE}.66.3", "registration"),
    (f"{_STORAGE}.66.2", "fiducials"),
    (f"{_STORAGE}.66", "raw data"),
    (f"{_STORAGE}.67", "real world value mapping"),
    (f"{_STORAGE}.88.59", "key object selection"),
    (f"{_STORAGE}.88", "structured report"),
    (f"{_STORAGE}.104", "encapsulated document"),
    (f"{_STORAGE}.11", "presentation state"),
    (f"{_STORAGE}.9", "waveform"),
    (f"{_STORAGE}.481", "radiotherapy object"),
    (f"{_STORAGE}.4.2", "spectroscopy"),
    ("1.2.840.10008.1.3.10", "DICOMDIR"),
)
"""SOP classes by their beginning; the first that fits."""

NO_IMAGE = "another object without an image"


def sop_class_of(dataset: Any) -> str:
    """Return the SOP class, from the file's own header where the dataset has none (DICOMDIR)."""
    return text(dataset, "SOPClassUID") or text(getattr(dataset, "file_meta", None), "MediaStorageSOPClassUID")


def object_word(dataset: Any) -> str:
    """Return what an object is that holds no image of planes; the empty string for an image.

    Examples
    --------
    >>> from pydicom import Dataset
    >>> header = Dataset(); header.SOPClassUID = "1.2.840.10008.5.1.4.1.1.88.33"
    >>> object_word(header), object_word(Dataset())
    ('structured report', 'another object without an image')
    """
    sop_class = sop_class_of(dataset)
    for start, word in _OBJECTS:
        if sop_class == start or sop_class.startswith(f"{start}."):
            return word
    return "" if whole(dataset, "Rows") > 0 and whole(dataset, "Columns") > 0 else NO_IMAGE
