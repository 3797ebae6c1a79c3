"""A series as a volume: pixels decoded once, in their own values, on a right-angled grid.

Why it exists: decoders, rescaling, tilted and uneven stacks are dealt with below, so that everything
after it sees a :class:`~tumorboard.volume.Volume`. Whatever a decoder throws becomes one clear error
that names the transfer syntax and no file.
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tumorboard.errors import FileFormatError, GeometryError, TumorboardError
from tumorboard.io.dicom.apart import Apart
from tumorboard.io.dicom.files import open_whole
from tumorboard.io.dicom.header import quiet, text, whole
from tumorboard.io.dicom.pixels import frame_values, is_inverted
from tumorboard.io.dicom.regrid import on_grid
from tumorboard.io.images import MAX_VOXELS
from tumorboard.series import Plane, Series
from tumorboard.volume import Volume

INVERTED = "grey values are stored inverted (MONOCHROME1); turned round"
_AGAIN = "copy the series again from its source"


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
        data[i = column, j = row, k = plane], RAS mm; int16 (int32 where that is too small) as stored where
        there is no rescaling, else float32.
    notes : tuple of str
        What was mended.

    Raises
    ------
    FileFormatError
        The series was refused, has several samples a pixel, is larger than ``MAX_VOXELS``, cannot be decoded
        (its transfer syntax is named), or changed since it was scanned.
    GeometryError
        Its planes make no grid.

    Examples
    --------
    >>> from tumorboard.series import Person, SeriesTags
    >>> read_series(Series("1", "2", 3, (), SeriesTags(), Person(), refusal="2 slices, fewer than 3"), "T2")
    Traceback (most recent call last):
    ...
    tumorboard.errors.FileFormatError: T2: expected a series that is a volume; got 2 slices, fewer than 3.
    """
    if series.refusal or not series.planes:
        got = series.refusal or "no planes"
        raise FileFormatError("a series that is a volume", got=got, where=where, remedy=series.remedy)
    if sum(plane.rows * plane.columns for plane in series.planes) > MAX_VOXELS:
        raise FileFormatError(f"at most {MAX_VOXELS} voxels", got="more", where=where, remedy="check the header")
    try:
        frames, notes = _frames(series, where)
        return on_grid(frames, series.planes), (*series.notes, *notes)
    except GeometryError as error:
        raise GeometryError(error.expected, got=error.got, where=where, remedy=error.remedy) from error
    except MemoryError as error:
        raise FileFormatError("a series that fits into memory", got="one too large", where=where) from error


def _frames(series: Series, where: str) -> tuple[NDArray[Any], tuple[str, ...]]:
    """Decode every plane once, each file being opened once; (planes, rows, columns), and notes."""
    wanted: dict[Path, list[int]] = defaultdict(list)
    for n, plane in enumerate(series.planes):
        wanted[plane.path].append(n)
    found: list[Any] = [None] * len(series.planes)
    inverted = False
    with Apart() as apart:
        for path, places in wanted.items():
            values, turned = _decode(path, [series.planes[n] for n in places], where, apart)
            inverted |= turned
            for n, pixels in zip(places, values, strict=True):
                found[n] = pixels
    return _joined(found, where), (INVERTED,) if inverted else ()


def _decode(path: Path, planes: list[Plane], where: str, apart: Apart) -> tuple[list[NDArray[Any]], bool]:
    """Return the values of some frames of one file, and whether its greys were inverted."""
    dataset: Any = None
    try:
        with quiet():
            dataset = open_whole(path)
            _check(dataset, planes, where)
            values = frame_values(dataset, [plane.frame for plane in planes], apart)
            return list(values), is_inverted(dataset)
    except (TumorboardError, MemoryError):
        raise
    except (Exception, RecursionError) as error:  # decoders throw anything on damaged pixels
        raise _undecodable(dataset, where) from error


def _check(dataset: Any, planes: list[Plane], where: str) -> None:
    """Refuse colour, and a file that is no longer the one that was scanned."""
    samples = whole(dataset, "SamplesPerPixel", 1)
    if samples != 1:
        told = f"{samples} samples a pixel (colour)"
        raise FileFormatError("one value a pixel", got=told, where=where, remedy="give the series it was made from")
    now = (text(dataset, "SOPInstanceUID"), whole(dataset, "Rows"), whole(dataset, "Columns"))
    if any((plane.sop_uid, plane.rows, plane.columns) != now for plane in planes):
        raise FileFormatError("files that stay as they are", got="one that changed", where=where, remedy="run again")


def _undecodable(dataset: Any, where: str) -> FileFormatError:
    """Say which transfer syntax no decoder reads, or that the pixels are damaged."""
    if dataset is None:
        return FileFormatError("a readable DICOM file", got="a damaged or missing one", where=where, remedy=_AGAIN)
    name, readable = _syntax(dataset)
    if not readable:
        remedy = "export the series uncompressed (explicit VR little endian)"
        told = f"{name}, which none here does"
        return FileFormatError("a transfer syntax that a decoder reads", got=told, where=where, remedy=remedy)
    return FileFormatError("readable pixels", got=f"damaged or missing ones ({name})", where=where, remedy=_AGAIN)


def undecodable(series: Series) -> str:
    """Return why no decoder here reads the pixels of a series; empty when one does, or when nobody can tell.

    Parameters
    ----------
    series : Series
        Only its first file is opened, and no pixel is read.

    Examples
    --------
    >>> from pydicom.data import get_testdata_file
    >>> from tumorboard.io.dicom.scan import scan_dicom
    >>> undecodable(scan_dicom([Path(get_testdata_file("MR_small.dcm"))]).series[0])
    ''
    """
    from pydicom import dcmread

    try:
        with quiet():
            name, readable = _syntax(dcmread(series.files[0], stop_before_pixels=True, force=True))
    except Exception:  # damaged headers have many faults; reading the series says which
        return ""
    return "" if readable else f"its pixels are stored as {name}, which no decoder here reads; export them uncompressed"


def _syntax(dataset: Any) -> tuple[str, bool]:
    """Return the name of a dataset's transfer syntax, and whether a decoder reads it."""
    from pydicom.pixels.decoders.base import get_decoder

    with quiet():
        syntax = dataset.file_meta.TransferSyntaxUID
        if syntax.is_private or syntax.name == str(syntax):
            return "an unknown transfer syntax", False
        try:
            return str(syntax.name), not syntax.is_compressed or bool(get_decoder(syntax).is_available)
        except (NotImplementedError, ValueError):  # pydicom has no decoder for it, or it is not one for images
            return str(syntax.name), False


def _joined(frames: list[NDArray[Any]], where: str) -> NDArray[Any]:
    data = np.stack(frames)
    if data.dtype.kind == "f":
        if not np.isfinite(data).all():
            raise FileFormatError("finite values", got="others", where=where, remedy=_AGAIN)
        return data.astype(np.float32, copy=False)
    low, high = int(data.min()), int(data.max())
    fits = np.iinfo(np.int16)
    return data.astype(np.int16 if fits.min <= low and high <= fits.max else np.int32, copy=False)
