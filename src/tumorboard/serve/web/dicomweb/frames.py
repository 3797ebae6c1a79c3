"""Frames of an object: as bytes, as they were compressed, or as a picture.

Why it exists: a header may promise pixels that no memory holds. What a frame would take is counted before anything is
decoded. Sources: PS3.18 8.7.3.3 (media types of frames), PS3.3 C.7.6.3, C.11.2 (windows).
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tumorboard.serve.web.dicomweb.common import read_dataset
from tumorboard.serve.web.refusals import NotAcceptable, NotFound, TooLarge

MOST_PIXELS = 128 * 2**20
"""Bytes that a decoded frame may have."""

OCTETS = "application/octet-stream"
KINDS = {
    "1.2.840.10008.1.2.4.50": "image/jpeg",
    "1.2.840.10008.1.2.4.51": "image/jpeg",
    "1.2.840.10008.1.2.4.57": "image/jpeg",
    "1.2.840.10008.1.2.4.70": "image/jpeg",
    "1.2.840.10008.1.2.4.80": "image/jls",
    "1.2.840.10008.1.2.4.81": "image/jls",
    "1.2.840.10008.1.2.4.90": "image/jp2",
    "1.2.840.10008.1.2.4.91": "image/jp2",
    "1.2.840.10008.1.2.4.201": "image/jphc",
    "1.2.840.10008.1.2.4.202": "image/jphc",
    "1.2.840.10008.1.2.4.203": "image/jphc",
    "1.2.840.10008.1.2.5": "image/dicom-rle",
}
"""Media types of compressed frames by transfer syntax."""

DEFLATED = "1.2.840.10008.1.2.1.99"


@dataclass(frozen=True)
class Window:
    """Centre and width of what is shown between black and white, in the units of the image."""

    centre: float
    width: float


def opened(file: Path) -> Any:
    """Return an object with its pixels still coded, once it is sure that a frame fits.

    Raises
    ------
    NotFound, NotAcceptable, TooLarge
        It has no pixels, or cannot be decoded here, or a frame would be too large.
    """
    head = read_dataset(file, pixels=False)
    if str(head.file_meta.get("TransferSyntaxUID", "")) == DEFLATED:
        raise NotAcceptable("an object that is not deflated")
    sizes = [head.get(name) for name in ("Rows", "Columns", "BitsAllocated")]
    if not all(isinstance(size, int) and size > 0 for size in sizes):
        raise NotFound("an object with pixels")
    rows, columns, bits = (int(size) for size in sizes if size)
    if rows * columns * int(head.get("SamplesPerPixel") or 1) * max(1, bits // 8) > MOST_PIXELS:
        raise TooLarge("a smaller frame")
    return read_dataset(file, pixels=True)


def frame_count(dataset: Any) -> int:
    """Return how many frames an object has."""
    try:
        return max(1, int(dataset.get("NumberOfFrames") or 1))
    except (TypeError, ValueError):
        return 1


def compressed_frames(dataset: Any, numbers: list[int]) -> list[bytes]:
    """Return frames as they were compressed; numbers count from 1."""
    from pydicom.encaps import get_frame

    count = frame_count(dataset)
    try:
        return [get_frame(dataset.PixelData, n - 1, number_of_frames=count) for n in numbers]
    except (ValueError, AttributeError, TypeError) as error:
        raise NotFound("a frame that can be read") from error


def plain_frame(dataset: Any, number: int) -> bytes:
    """Return a frame without compression, little endian; bits are packed. ``number`` counts from 1.

    Raises
    ------
    NotFound
        It cannot be decoded.
    """
    pixels = _decoded(dataset, number, raw=True)
    if dataset.BitsAllocated == 1:
        from pydicom.pixels.utils import pack_bits

        return pack_bits(pixels.ravel(), pad=False)
    return np.ascontiguousarray(pixels).astype(pixels.dtype.newbyteorder("<"), copy=False).tobytes()


def rendered(dataset: Any, number: int, window: Window | None, size: tuple[int, int] | None) -> NDArray[np.uint8]:
    """Return a frame as a grey or colour picture, at most of a size.

    Parameters
    ----------
    dataset : Dataset
        As :func:`opened` returns it.
    number : int
        From 1 on.
    window : Window or None
        None takes that of the object, else what lies between the first and the 99th hundredth.
    size : (int, int) or None
        Greatest width and height; the picture keeps its shape.

    Raises
    ------
    NotFound
        It cannot be decoded.
    """
    from PIL import Image

    pixels = _decoded(dataset, number, raw=False)
    if pixels.ndim == 2:
        pixels = _grey(dataset, pixels, window)
    picture = Image.fromarray(np.ascontiguousarray(pixels[..., :3] if pixels.ndim == 3 else pixels).astype(np.uint8))
    if size is not None:
        picture.thumbnail(size)
    return np.asarray(picture)


def encoded(pixels: NDArray[np.uint8], kind: str, quality: int = 90) -> bytes:
    """Return a picture as ``image/png`` or ``image/jpeg``.

    Examples
    --------
    >>> encoded(np.zeros((2, 2), np.uint8), "image/png")[1:4]
    b'PNG'
    """
    from PIL import Image

    out = io.BytesIO()
    how: dict[str, Any] = {"quality": quality} if kind == "image/jpeg" else {}
    Image.fromarray(pixels).save(out, "JPEG" if kind == "image/jpeg" else "PNG", **how)
    return out.getvalue()


def _decoded(dataset: Any, number: int, *, raw: bool) -> NDArray[Any]:
    from pydicom.pixels.utils import pixel_array

    if not 1 <= number <= frame_count(dataset):
        raise NotFound("the number of a frame that is there")
    try:
        return np.asarray(pixel_array(dataset, index=number - 1, raw=raw))
    except Exception as error:  # decoders raise many kinds on damaged pixels
        raise NotFound("a frame that can be decoded") from error


def _grey(dataset: Any, pixels: NDArray[Any], window: Window | None) -> NDArray[np.uint8]:
    slope, intercept = _number(dataset.get("RescaleSlope"), 1.0), _number(dataset.get("RescaleIntercept"), 0.0)
    values = pixels.astype(np.float32) * np.float32(slope) + np.float32(intercept)
    low, high = _bounds(dataset, values, window)
    grey: NDArray[np.uint8] = np.clip((values - low) / max(high - low, 1e-6) * 255.0, 0, 255).astype(np.uint8)
    return np.invert(grey) if dataset.get("PhotometricInterpretation") == "MONOCHROME1" else grey


def _bounds(dataset: Any, values: NDArray[np.float32], window: Window | None) -> tuple[float, float]:
    if window is None:
        centre, width = _number(dataset.get("WindowCenter"), np.nan), _number(dataset.get("WindowWidth"), np.nan)
        window = Window(centre, width) if width > 0 and np.isfinite(centre) else None
    if window is not None:
        return window.centre - window.width / 2, window.centre + window.width / 2
    low, high = np.percentile(values, (1, 99)) if values.max() - values.min() > 1 else (values.min(), values.max())
    return float(low), float(high)


def _number(value: Any, otherwise: float) -> float:
    """Return the first number of an element that may have several, or none."""
    from pydicom.multival import MultiValue

    first = value[0] if isinstance(value, MultiValue) and len(value) else value
    try:
        return float(first) if first not in (None, "") else otherwise
    except (TypeError, ValueError):
        return otherwise
