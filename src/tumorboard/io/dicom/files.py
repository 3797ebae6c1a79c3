"""Opening DICOM files that may be damaged or hostile: bounded in bytes, in elements and in time.

Why it exists: a length field may promise 4 GB, a deflated kilobyte may hold a gigabyte, sequences may be
nested a thousand deep, and a file may end anywhere. What is opened here has cost a bounded effort, and
whether its pixels are all there is known without reading them. Source: PS3.5 7 and A, PS3.10 7.
"""

from __future__ import annotations

import io
import stat
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

from tumorboard.io.dicom.header import value, whole

MAX_HEADER_BYTES = 32 * 2**20
"""Most that is read before the pixels. Chosen: an enhanced object of ten thousand frames has about a half."""

MAX_READS = 2_000_000
"""Most pieces that are read from one file; an element is two or three. Chosen: half a minute of a hostile file."""

MAX_INFLATED_BYTES = 512 * 2**20
"""Largest dataset in a deflated transfer syntax. Chosen."""

_DEFLATED, _INFLATED = b"1.2.840.10008.1.2.1.99", b"1.2.840.10008.1.2.1\0\0\0"
_LONG = (b"OB", b"OW", b"OF", b"OD", b"UN", b"OL", b"OV")
_UNDEFINED = 0xFFFFFFFF
_ITEM, _LAST = b"\xfe\xff\x00\xe0", b"\xfe\xff\xdd\xe0"


@dataclass(frozen=True)
class Opened:
    """A header and whether its file is whole.

    Parameters
    ----------
    dataset : pydicom.Dataset
        Everything before the pixels.
    whole : bool
        The pixel data element is there and as long as it says; True where the object needs none.
    """

    dataset: Any
    whole: bool


class _Deflated(Exception):
    """Raised where pydicom would inflate the rest of a stream without a bound."""


class _Bounded:
    """A stream that reads no more than there is, and that gives up when too much was asked."""

    def __init__(self, stream: BinaryIO, size: int, most_bytes: int) -> None:
        self.stream, self.size, self._bytes, self._reads = stream, size, most_bytes, MAX_READS

    def read(self, count: int = -1) -> bytes:
        if count < 0:
            raise _Deflated  # the one place where pydicom reads to the end
        count = min(count, max(0, self.size - self.stream.tell()))
        self._bytes -= count
        self._reads -= 1
        if self._bytes < 0 or self._reads < 0:
            raise ValueError("too much")
        return self.stream.read(count)

    def seek(self, offset: int, whence: int = 0) -> int:
        return self.stream.seek(offset, whence)

    def tell(self) -> int:
        return self.stream.tell()


def is_dicom(path: Path) -> bool:
    """Whether a file begins as DICOM does: the prefix after 128 bytes, or a first element that fits.

    Without a preamble, a file begins with group 0002 or 0008, a small element number, and a value
    representation in capitals or a small length.

    Examples
    --------
    >>> is_dicom(Path(__file__))
    False
    """
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            return False  # a pipe would wait for ever
        with path.open("rb") as stream:
            start = stream.read(132)
    except (OSError, ValueError):
        return False
    if start[128:132] == b"DICM":
        return True
    if len(start) < 16 or start[:2] not in (b"\x02\x00", b"\x08\x00") or start[3] != 0:
        return False
    explicit = start[4:6].isalpha() and start[4:6].isupper()
    return explicit or int.from_bytes(start[4:8], "little") < 1024


def open_header(path: Path) -> Opened | None:
    """Read everything before the pixels, and look whether they are there; None when it cannot be read.

    Call it within :func:`tumorboard.io.dicom.header.quiet`, as :func:`open_whole`.
    """
    try:
        with path.open("rb") as file:
            dataset, stream = _parse(file, path.stat().st_size, stop=True)
            return Opened(dataset, _is_whole(stream, dataset)) if len(dataset) else None
    except (Exception, RecursionError):  # damaged files throw anything
        return None


def open_whole(path: Path) -> Any:
    """Read a file with its pixels, not decoded.

    Raises
    ------
    Exception
        Of any kind; the caller translates it.
    """
    with path.open("rb") as file:
        return _parse(file, path.stat().st_size, stop=False)[0]


def _parse(file: BinaryIO, size: int, *, stop: bool) -> tuple[Any, _Bounded]:
    import pydicom

    stream = _Bounded(file, size, MAX_HEADER_BYTES + (0 if stop else size))
    try:
        dataset = pydicom.dcmread(cast(BinaryIO, stream), stop_before_pixels=stop, force=True)
    except _Deflated:
        stream = _inflated(file)
        dataset = pydicom.dcmread(cast(BinaryIO, stream), stop_before_pixels=stop, force=True)
    if not isinstance(value(dataset.file_meta, "TransferSyntaxUID"), pydicom.uid.UID):  # none: as it could be parsed
        implicit, little = dataset.original_encoding
        explicit = pydicom.uid.ExplicitVRLittleEndian if little else pydicom.uid.ExplicitVRBigEndian
        dataset.file_meta.pop("TransferSyntaxUID", None)  # one of another kind would keep it
        dataset.file_meta.TransferSyntaxUID = pydicom.uid.ImplicitVRLittleEndian if implicit else explicit
    return dataset, stream


def _inflated(file: BinaryIO) -> _Bounded:
    """Return what a deflated file holds as an explicit little endian one (PS3.5 A.5)."""
    start = file.tell()
    file.seek(0)
    head = file.read(start).replace(_DEFLATED, _INFLATED, 1)
    inflate = zlib.decompressobj(-zlib.MAX_WBITS)
    body = inflate.decompress(file.read(), MAX_INFLATED_BYTES)
    if not inflate.eof:
        raise ValueError("a deflated dataset that is too large or ends early")
    return _Bounded(io.BytesIO(head + body), len(head) + len(body), MAX_HEADER_BYTES + len(head) + len(body))


def _is_whole(stream: _Bounded, dataset: Any) -> bool:
    """Whether the pixels at which a stream stands are as long as they must be."""
    rows, columns = whole(dataset, "Rows"), whole(dataset, "Columns")
    if not rows or not columns:
        return True
    implicit, little = dataset.original_encoding
    head = stream.read(8)
    explicit = not implicit and head[4:6].isalpha()
    length = head[4:8]
    if explicit:
        length = stream.read(4) if head[4:6] in _LONG else head[6:8]
    if len(head) < 8 or not length:
        return False
    promised = int.from_bytes(length, "little" if little else "big")
    if promised == _UNDEFINED:
        return _fragments_end(stream)
    frames, bits = max(1, whole(dataset, "NumberOfFrames", 1)), whole(dataset, "BitsAllocated", 8)
    needed = rows * columns * frames * bits // 8  # of one sample; colour is refused on reading
    return needed <= promised <= stream.size - stream.tell()


def _fragments_end(stream: _Bounded) -> bool:
    """Whether encapsulated pixels go on to their delimiter (PS3.5 A.4)."""
    while len(head := stream.read(8)) == 8:
        if head[:4] == _LAST:
            return True
        if head[:4] != _ITEM:
            return False
        stream.seek(int.from_bytes(head[4:], "little"), io.SEEK_CUR)
    return False
