"""Which objects may leave at all: those whose content is known, and whose pixels hold no text.

Why it exists: what is drawn into pixels, typed into a PDF or hidden in a maker's own object cannot be
cleaned by a table. Such files are left out, and the report says how many and why.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

IMAGES: Mapping[str, str] = {
    "1.2.840.10008.5.1.4.1.1.4": "MR Image",
    "1.2.840.10008.5.1.4.1.1.4.1": "Enhanced MR Image",
    "1.2.840.10008.5.1.4.1.1.4.3": "Enhanced MR Color Image",
    "1.2.840.10008.5.1.4.1.1.4.4": "Legacy Converted Enhanced MR Image",
    "1.2.840.10008.5.1.4.1.1.2": "CT Image",
    "1.2.840.10008.5.1.4.1.1.2.1": "Enhanced CT Image",
    "1.2.840.10008.5.1.4.1.1.2.2": "Legacy Converted Enhanced CT Image",
    "1.2.840.10008.5.1.4.1.1.128": "PET Image",
    "1.2.840.10008.5.1.4.1.1.130": "Enhanced PET Image",
    "1.2.840.10008.5.1.4.1.1.128.1": "Legacy Converted Enhanced PET Image",
    "1.2.840.10008.5.1.4.1.1.30": "Parametric Map",
}
"""Images made by a scanner or computed voxel by voxel."""

DOCUMENTS: Mapping[str, str] = {
    "1.2.840.10008.5.1.4.1.1.4.2": "MR Spectroscopy",
    "1.2.840.10008.5.1.4.1.1.66.4": "Segmentation",
    "1.2.840.10008.5.1.4.1.1.66.7": "Label Map Segmentation",
    "1.2.840.10008.5.1.4.1.1.66.1": "Spatial Registration",
    "1.2.840.10008.5.1.4.1.1.66.3": "Deformable Spatial Registration",
    "1.2.840.10008.5.1.4.1.1.67": "Real World Value Mapping",
    "1.2.840.10008.5.1.4.1.1.481.3": "RT Structure Set",
    "1.2.840.10008.5.1.4.1.1.481.2": "RT Dose",
    "1.2.840.10008.5.1.4.1.1.88.11": "Basic Text SR",
    "1.2.840.10008.5.1.4.1.1.88.22": "Enhanced SR",
    "1.2.840.10008.5.1.4.1.1.88.33": "Comprehensive SR",
    "1.2.840.10008.5.1.4.1.1.88.34": "Comprehensive 3D SR",
    "1.2.840.10008.5.1.4.1.1.88.59": "Key Object Selection",
}
"""Objects without pictures of a screen; their texts are cleaned."""

ONLY_WHEN_SAID: Mapping[str, str] = {
    "1.2.840.10008.5.1.4.1.1.7": "Secondary Capture Image",
    "1.2.840.10008.5.1.4.1.1.7.1": "Multi-frame Single Bit Secondary Capture Image",
    "1.2.840.10008.5.1.4.1.1.7.2": "Multi-frame Grayscale Byte Secondary Capture Image",
    "1.2.840.10008.5.1.4.1.1.7.3": "Multi-frame Grayscale Word Secondary Capture Image",
    "1.2.840.10008.5.1.4.1.1.7.4": "Multi-frame True Color Secondary Capture Image",
    "1.2.840.10008.5.1.4.1.1.6.1": "Ultrasound Image",
    "1.2.840.10008.5.1.4.1.1.3.1": "Ultrasound Multi-frame Image",
}
"""Pictures that usually hold text; they pass only where Burned In Annotation (0028,0301) is NO."""

BURNED_IN = "text burned into the pixels (it says so itself)"
MAYBE_BURNED_IN = "perhaps text burned into the pixels (a capture, and it does not say NO)"
SCREEN = "a saved screen, where text is drawn into the pixels"
UNKNOWN_KIND = "a kind of object that cannot be cleaned soundly (PDF, presentation state, maker's own, ...)"
NOT_WHOLE = "damaged, cut short, or without its unique identifiers"
NOT_DICOM = "neither DICOM nor NIfTI"
TOO_LARGE = "larger than can be held in memory"
COPY = "a second file of the same SOP Instance UID"
COMPRESSED_HEADER = "deflated as a whole, which is not read"
LINK = "a link that leads out of the input"
HIT = "withdrawn: the self-check found an original identifier in it"
NOT_DEFACED = "an image that could not be defaced"

_SCREENS = ("SCREEN", "CAPTURE", "VXTL", "REPORT", "MONTAGE", "DISPLAY")


def refusal_of(dataset: Any) -> str:
    """Return why an object may not leave; empty where it may.

    Parameters
    ----------
    dataset : pydicom.Dataset
        Its header is enough.

    Examples
    --------
    >>> from pydicom.dataset import Dataset
    >>> ds = Dataset(); ds.SOPClassUID = "1.2.840.10008.5.1.4.1.1.7"
    >>> refusal_of(ds)
    'perhaps text burned into the pixels (a capture, and it does not say NO)'
    """
    kind = str(dataset.get("SOPClassUID") or "")
    said = str(dataset.get("BurnedInAnnotation") or "").strip().upper()
    image_type = dataset.get("ImageType") or ""
    screen = any(word in str(image_type).upper() for word in _SCREENS)
    coloured = str(dataset.get("PhotometricInterpretation") or "").startswith(("RGB", "YBR"))
    if kind not in {**IMAGES, **DOCUMENTS, **ONLY_WHEN_SAID}:
        return UNKNOWN_KIND
    if said == "YES":
        return BURNED_IN
    if said != "NO" and screen:
        return SCREEN
    if said != "NO" and (kind in ONLY_WHEN_SAID or (kind in IMAGES and coloured)):
        return MAYBE_BURNED_IN
    return ""
