"""Files of strangers read without a word of theirs in any message.

Why it exists: a reader's own warnings and errors quote the values they stumble over. Here they become one
of a few reasons.
"""

from __future__ import annotations

import contextlib
import logging
import os
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from tumorboard.deidentify.objects import COMPRESSED_HEADER, NOT_DICOM, NOT_WHOLE, TOO_LARGE

MAX_BYTES = 4 << 30
"""Largest file that is read; chosen."""

_UNDEFINED = 0xFFFFFFFF
_DEFLATED = "1.2.840.10008.1.2.1.99"


class LeftOut(Exception):
    """A file that is left out; its text is one of the reasons of :mod:`.objects`."""


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep a reader's warnings and log to itself: they quote what they read."""
    logger = logging.getLogger("pydicom")
    before = logger.disabled
    logger.disabled = True
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.disabled = before


def read_dicom(path: Path, *, pixels: bool) -> Any:
    """Read a DICOM file (PS3.10), or say why not; call within :func:`quiet`.

    Parameters
    ----------
    path : Path
        Any file.
    pixels : bool
        Whether pixel data are wanted too.

    Returns
    -------
    pydicom.FileDataset

    Raises
    ------
    LeftOut
        Not DICOM, damaged, deflated as a whole, or too large.
    """
    import pydicom

    try:
        with path.open("rb") as stream:
            if os.fstat(stream.fileno()).st_size > MAX_BYTES:
                raise LeftOut(TOO_LARGE)
            if stream.read(132)[128:] != b"DICM":
                raise LeftOut(NOT_DICOM)
            meta = pydicom.filereader.read_file_meta_info(path)
            if str(meta.get("TransferSyntaxUID") or "") == _DEFLATED:
                raise LeftOut(COMPRESSED_HEADER)
            dataset = pydicom.dcmread(path, stop_before_pixels=not pixels)
            named = all(str(dataset.get(k) or "") for k in ("SOPClassUID", "SOPInstanceUID", "StudyInstanceUID"))
            if not named or not str(dataset.get("SeriesInstanceUID") or "") or not meta.get("TransferSyntaxUID"):
                raise LeftOut(NOT_WHOLE)
            if pixels and not _is_whole(dataset, stream):
                raise LeftOut(NOT_WHOLE)
            return dataset
    except LeftOut:
        raise
    except Exception:  # a damaged file may raise anything, and its text may hold anything
        raise LeftOut(NOT_WHOLE) from None


def _is_whole(dataset: Any, stream: BinaryIO) -> bool:
    """Whether a file ends where its last element does: pydicom drops an element that is cut short without a word."""
    from pydicom.dataelem import RawDataElement

    last = dataset.get_item(max(dataset.keys()))
    if not isinstance(last, RawDataElement) or last.length == _UNDEFINED:
        return True  # it was read up to its delimiter
    end = last.value_tell + last.length
    stream.seek(end)
    return end <= os.fstat(stream.fileno()).st_size and not any(stream.read())
