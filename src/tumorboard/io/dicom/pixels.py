"""Pixels of single frames: decoded, freed of what is not image, in the values they stand for.

Why it exists: stored bits are not yet values. Old overlays hide in unused bits, some greys are inverted,
every frame may have its own rescaling, and a compressed frame may claim a size its header does not.
Source: PS3.3 C.7.6.3 (Image Pixel), C.11.1 (Modality LUT), C.7.6.16.2.9; PS3.5 8.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tumorboard.io.dicom.apart import NEEDED, Apart
from tumorboard.io.dicom.header import Asked, groups, text, whole

_DECODERS = {
    **dict.fromkeys((f"1.2.840.10008.1.2.4.{n}" for n in (80, 81)), "pyjpegls"),
    **dict.fromkeys((f"1.2.840.10008.1.2.4.{n}" for n in (90, 91, 201, 202, 203)), "pylibjpeg"),
    **dict.fromkeys((f"1.2.840.10008.1.2.4.{n}" for n in (50, 51)), "pillow"),
}
"""The one decoder of each compressed syntax (RLE has its own, GDCM decodes apart): another would write to the
terminal, and the same file must give the same values everywhere."""

_MAPPING = "PixelValueTransformationSequence"


def frame_values(dataset: Any, frames: Iterable[int], apart: Apart) -> Iterator[NDArray[Any]]:
    """Yield frames as arrays (rows, columns): stored integers where there is no rescaling, else float32.

    Parameters
    ----------
    dataset : pydicom.Dataset
        With pixels of one sample.
    frames : iterable of int
        1-based, in the order wanted; only these are decoded, each once.
    apart : Apart
        Decodes what must not be decoded in this process.

    Raises
    ------
    Exception
        Of any kind, by decoders of damaged pixels; ValueError where sizes contradict one another.
    """
    wanted = list(frames)
    compressed = dataset.file_meta.TransferSyntaxUID.is_compressed
    if compressed:
        _check_codestreams(dataset)
    grouped = groups(dataset)
    for n, pixels in zip(wanted, _decoded(dataset, wanted, apart), strict=True):
        stored = pixels if pixels.dtype.kind == "f" else _stored(pixels, dataset, native=not compressed)
        yield _rescaled(stored, Asked(dataset, n, grouped))


def _decoded(dataset: Any, frames: list[int], apart: Apart) -> Iterable[NDArray[Any]]:
    from pydicom.pixels.utils import iter_pixels

    syntax = str(dataset.file_meta.TransferSyntaxUID)
    if syntax in NEEDED:
        return apart.decode(dataset, frames)
    return iter_pixels(dataset, indices=[n - 1 for n in frames], decoding_plugin=_DECODERS.get(syntax, ""))


def is_inverted(dataset: Any) -> bool:
    """Whether high stored values mean dark (PS3.3 C.7.6.3.1.2)."""
    return text(dataset, "PhotometricInterpretation").upper() == "MONOCHROME1"


def _stored(pixels: NDArray[Any], dataset: Any, *, native: bool) -> NDArray[Any]:
    """Return stored values: bits outside the stored ones dropped, inverted greys turned round."""
    allocated = pixels.dtype.itemsize * 8
    bits = whole(dataset, "BitsStored", allocated)
    signed = whole(dataset, "PixelRepresentation") == 1
    if not 0 < bits <= allocated:
        raise ValueError("more bits stored than there are")
    above = whole(dataset, "HighBit", bits - 1) + 1 - bits
    if native and 0 < above <= allocated - bits:
        pixels = pixels >> above
    if bits < allocated:
        kept = pixels & np.asarray((1 << bits) - 1, dtype=pixels.dtype)
        pixels = np.where(kept >> (bits - 1), kept - (1 << bits), kept).astype(pixels.dtype) if signed else kept
    if is_inverted(dataset):
        ends = -1 if signed else (1 << bits) - 1  # lowest plus highest value
        pixels = (ends - pixels.astype(np.int64)).astype(np.int32)
    return pixels


def _rescaled(pixels: NDArray[Any], asked: Asked) -> NDArray[Any]:
    slope, intercept = asked.number("RescaleSlope", _MAPPING) or 1.0, asked.number("RescaleIntercept", _MAPPING) or 0.0
    if slope == 1.0 and intercept == 0.0:
        return pixels
    with np.errstate(over="ignore", invalid="ignore"):  # what is not finite is refused when the series is whole
        return np.asarray(pixels * np.float64(slope) + intercept).astype(np.float32)


def _check_codestreams(dataset: Any) -> None:
    """Refuse compressed frames of another size than the header's before a decoder takes memory for them."""
    from pydicom.encaps import generate_frames

    size = whole(dataset, "Rows"), whole(dataset, "Columns"), 1
    count = max(1, whole(dataset, "NumberOfFrames", 1))
    for frame in generate_frames(dataset.PixelData, number_of_frames=count):
        claimed = _jpeg_2000_size(frame) if frame[:2] != b"\xff\xd8" else _jpeg_size(frame)
        if claimed not in (None, size):
            raise ValueError("a compressed frame of another size")


def _jpeg_2000_size(frame: bytes) -> tuple[int, int, int] | None:
    """Return rows, columns and components of a JPEG 2000 codestream (ISO 15444-1 A.5.1); None for another."""
    start = frame.find(b"\xff\x4f\xff\x51", 0, 4096)
    if start < 0 or len(frame) < start + 42:
        return None
    right, bottom, left, top = struct.unpack(">4I", frame[start + 8 : start + 24])
    return bottom - top, right - left, int.from_bytes(frame[start + 40 : start + 42], "big")


def _jpeg_size(frame: bytes) -> tuple[int, int, int] | None:
    """Return rows, columns and components of a JPEG or JPEG-LS stream (ISO 10918-1 B.2, ISO 14495-1 C.2)."""
    at = 2
    while at + 9 < len(frame) and frame[at] == 0xFF:
        marker = frame[at + 1]
        if marker == 0xF7 or (0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC)):
            rows, columns, components = struct.unpack(">HHB", frame[at + 5 : at + 10])
            return rows, columns, components
        at += 1 if marker == 0xFF else 2 + int.from_bytes(frame[at + 2 : at + 4], "big")
    return None
