"""A series as a volume: pixels decoded once, in their own values, on a right-angled grid.

Why it exists: decoders, rescaling, tilted and uneven stacks are dealt with here, so that everything
after it sees a :class:`Volume`. Source: PS3.3 C.7.6.3 (pixels), C.11.1 (rescale), C.7.6.16.2.9 (per frame).
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage as ndi

from tumorboard.errors import FileFormatError, TumorboardError
from tumorboard.io.dicom.geometry import EVEN_MM, TILT_DEG, normal_of, plane_grid, stack_of
from tumorboard.io.dicom.scan import quiet
from tumorboard.io.dicom.tags import groups, macro, number, text
from tumorboard.io.images import MAX_VOXELS
from tumorboard.series import Plane, Series
from tumorboard.volume import Volume

_COPY = "copy the series again from its source"


def read_series(series: Series, where: str = "image") -> tuple[Volume, tuple[str, ...]]:
    """Read a series.

    Parameters
    ----------
    series : Series
        From :func:`tumorboard.io.dicom.scan.scan_dicom`.
    where : str
        Role of the series (``"T1C"``), for messages.

    Returns
    -------
    volume : Volume
        data[i = column, j = row, k = plane], RAS mm; int16 or uint16 as stored where there is no
        rescaling, else float32.
    notes : tuple of str
        What was mended.

    Raises
    ------
    FileFormatError
        The series was refused, a file cannot be decoded (its transfer syntax is named), has several
        samples a pixel, or changed since it was scanned.
    """
    if series.refusal:
        raise FileFormatError("a whole series", got=series.refusal, where=where, remedy=series.remedy)
    _check_size(series, where)
    data = _common(_frames(series, where))
    return _on_grid(data, series.planes, series.notes)


def _check_size(series: Series, where: str) -> None:
    first = series.planes[0]
    if first.rows * first.columns * len(series.planes) > MAX_VOXELS:
        raise FileFormatError(f"at most {MAX_VOXELS} voxels", got="more", where=where)


def _frames(series: Series, where: str) -> list[NDArray[Any]]:
    """Decode every plane, in order; each file is opened once."""
    wanted: dict[Any, list[int]] = defaultdict(list)
    for n, plane in enumerate(series.planes):
        wanted[plane.path].append(n)
    out: list[NDArray[Any] | None] = [None] * len(series.planes)
    for path, places in wanted.items():
        for n, pixels in zip(places, _decode(path, [series.planes[n] for n in places], where), strict=True):
            out[n] = pixels
    return [pixels for pixels in out if pixels is not None]


def _decode(path: Any, planes: list[Plane], where: str) -> list[NDArray[Any]]:
    import pydicom

    try:
        with quiet():
            dataset = pydicom.dcmread(path, force=True)
            _check_samples(dataset, where)
            return _values(dataset, planes, where)
    except TumorboardError:
        raise
    except MemoryError as error:
        raise FileFormatError("pixels that fit into memory", got="too many", where=where) from error
    except (Exception, RecursionError) as error:  # decoders throw anything on damaged pixels
        raise _undecodable(dataset if "dataset" in locals() else None, error, where) from error


def _check_samples(dataset: Any, where: str) -> None:
    samples = number(dataset, "SamplesPerPixel") or 1
    if samples != 1:
        told = f"{samples:.0f} samples a pixel (colour)"
        raise FileFormatError("one sample a pixel", got=told, where=where, remedy="give the original series")


def _undecodable(dataset: Any, error: BaseException, where: str) -> FileFormatError:
    """Say which transfer syntax no decoder reads, or that the pixels are damaged."""
    name, missing = "an unnamed transfer syntax", False
    if dataset is not None:
        with quiet():
            try:
                syntax = dataset.file_meta.TransferSyntaxUID
                name = syntax.name if syntax.name != str(syntax) else "an unknown transfer syntax"
                from pydicom.pixels.decoders.base import get_decoder

                missing = not get_decoder(syntax).is_available
            except Exception:  # an unknown syntax has no decoder
                missing = True
    if missing or isinstance(error, NotImplementedError):
        remedy = "export the series uncompressed (explicit VR little endian)"
        return FileFormatError(
            "pixels that a decoder reads", got=f"{name}, which none does", where=where, remedy=remedy
        )
    return FileFormatError("readable pixels", got=f"damaged ones ({name})", where=where, remedy=_COPY)


def _values(dataset: Any, planes: list[Plane], where: str) -> list[NDArray[Any]]:
    pixels = np.asarray(dataset.pixel_array)
    frames = pixels[None] if pixels.ndim == 2 else pixels
    shared, per_frame = groups(dataset)
    out = []
    for plane in planes:
        if plane.frame > len(frames) or frames[plane.frame - 1].shape != (plane.rows, plane.columns):
            raise FileFormatError("a file that did not change", got="another number of pixels", where=where)
        frame = per_frame[plane.frame - 1] if per_frame else None
        mapped = macro(shared, frame, "PixelValueTransformationSequence") or dataset
        out.append(_rescaled(_stored(frames[plane.frame - 1], dataset), mapped).T)
    return out


def _stored(pixels: NDArray[Any], dataset: Any) -> NDArray[Any]:
    """Return stored values: bits above the highest one (old overlays) dropped, MONOCHROME1 turned round."""
    bits = int(number(dataset, "BitsStored") or 16)
    allocated, signed = int(number(dataset, "BitsAllocated") or 16), bool(number(dataset, "PixelRepresentation") or 0)
    if np.issubdtype(pixels.dtype, np.integer) and bits < allocated:
        kept = pixels & ((1 << bits) - 1)
        pixels = np.where(kept >> (bits - 1), kept - (1 << bits), kept).astype(pixels.dtype) if signed else kept
    if text(dataset, "PhotometricInterpretation").upper() == "MONOCHROME1":
        top = (1 << (bits - 1)) - 1 if signed else (1 << bits) - 1
        pixels = (top - pixels.astype(np.int32)) + (-(1 << (bits - 1)) if signed else 0)
    return pixels


def _rescaled(pixels: NDArray[Any], mapped: Any) -> NDArray[Any]:
    slope, intercept = number(mapped, "RescaleSlope"), number(mapped, "RescaleIntercept")
    slope, intercept = slope or 1.0, intercept or 0.0
    if slope == 1.0 and intercept == 0.0:
        return pixels
    return (pixels.astype(np.float64) * slope + intercept).astype(np.float32)


def _common(frames: list[NDArray[Any]]) -> NDArray[Any]:
    data = np.stack(frames, axis=-1)
    if np.issubdtype(data.dtype, np.integer):
        info = np.iinfo(np.int16)
        fits = data.size == 0 or (info.min <= int(data.min()) and int(data.max()) <= info.max)
        return data.astype(np.int16 if fits else np.int32)
    return data.astype(np.float32, copy=False)


def _on_grid(data: NDArray[Any], planes: tuple[Plane, ...], notes: tuple[str, ...]) -> tuple[Volume, tuple[str, ...]]:
    stack = stack_of(planes)
    if stack.tilt_deg > TILT_DEG:
        return _sheared(data, planes), notes
    if stack.deviation_mm > EVEN_MM:
        places = np.array([plane.position_mm for plane in planes]) @ normal_of(planes[0])
        even = np.linspace(places[0], places[-1], len(places))
        data = _interpolated(data, np.interp(even, places, np.arange(len(places))))
    return Volume(data, plane_grid(planes)), notes


def _interpolated(data: NDArray[Any], at: NDArray[np.float64]) -> NDArray[np.float32]:
    low = np.clip(np.floor(at).astype(int), 0, data.shape[2] - 2)
    part = (at - low).astype(np.float32)
    return np.asarray(data[:, :, low] * (1 - part) + data[:, :, low + 1] * part, dtype=np.float32)


def _sheared(data: NDArray[Any], planes: tuple[Plane, ...]) -> Volume:
    """Shift every plane within itself so that columns of pixels run along the normal; nothing is cut off."""
    first = planes[0]
    across, down, normal = np.array(first.orientation[:3]), np.array(first.orientation[3:]), normal_of(first)
    places = np.array([plane.position_mm for plane in planes])
    shift = np.stack(
        [(places - places[0]) @ across / first.spacing_mm[1], (places - places[0]) @ down / first.spacing_mm[0]]
    )
    low, high = np.floor(shift.min(axis=1)).astype(int), np.ceil(shift.max(axis=1)).astype(int)
    size = (data.shape[0] + high[0] - low[0], data.shape[1] + high[1] - low[1])
    out = np.zeros((*size, len(planes)), dtype=np.float32)
    for k in range(len(planes)):
        # output pixel p shows input pixel p + low - shift
        ndi.shift(
            np.pad(data[:, :, k].astype(np.float32), ((0, size[0] - data.shape[0]), (0, size[1] - data.shape[1]))),
            shift[:, k] - low,
            output=out[:, :, k],
            order=1,
        )
    start = places[0] + low[0] * first.spacing_mm[1] * across + low[1] * first.spacing_mm[0] * down
    gap = float((places[-1] - places[0]) @ normal) / (len(planes) - 1)
    affine = np.eye(4)
    affine[:3, 0], affine[:3, 1] = across * first.spacing_mm[1], down * first.spacing_mm[0]
    affine[:3, 2], affine[:3, 3] = normal * gap, start
    return Volume.of(out, np.diag([-1.0, -1.0, 1.0, 1.0]) @ affine)
