"""Reading a multipart body while it comes: each part becomes a file, none stands in memory.

Why it exists: a body of gigabytes must cost no more than its disk, and one part that is too large must not take the
others with it. Sources: RFC 2046 5.1, RFC 2387; the parser is python-multipart's.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from typing import IO, TYPE_CHECKING

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser

from tumorboard.serve.web.refusals import BadRequest, TooLarge, Unsupported

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

MOST_PARTS = 10_000
"""Parts of one body."""

BINARY = frozenset({"", "binary", "8bit", "7bit"})


@dataclass(frozen=True)
class Came:
    """A part that came whole: its file, or none where it was larger than is taken."""

    file: Path | None
    kind: str


def boundary_of(content_type: str) -> bytes:
    """Return the boundary of a body of DICOM objects.

    Raises
    ------
    Unsupported
        It is no such body.
    BadRequest
        It has no boundary.

    Examples
    --------
    >>> boundary_of('multipart/related; type="application/dicom"; boundary=abc')
    b'abc'
    """
    message = Message()
    message["content-type"] = "".join(c for c in content_type[:1000] if c.isprintable())
    if message.get_content_type() != "multipart/related":
        raise Unsupported('multipart/related; type="application/dicom"')
    if str(message.get_param("type", "application/dicom")).lower() != "application/dicom":
        raise Unsupported('multipart/related; type="application/dicom"')
    boundary = str(message.get_param("boundary", "") or "")
    if not 1 <= len(boundary) <= 70 or not boundary.isascii():
        raise BadRequest("a boundary of 1 to 70 characters")
    return boundary.encode()


class Parts:
    """Takes a body in pieces and hands over each part when it is whole.

    Parameters
    ----------
    boundary : bytes
        Between the parts.
    folder : Path
        For the files.
    most : int
        Bytes of a part; a larger one is read to its end and handed over without a file.
    hand : callable
        Is given each part; takes care of its file.
    """

    def __init__(self, boundary: bytes, folder: Path, most: int, hand: Callable[[Came], None]) -> None:
        self._folder, self._most, self._hand = folder, most, hand
        self._name, self._value = bytearray(), bytearray()
        self._headers: dict[str, str] = {}
        self._stream: IO[bytes] | None = None
        self._file: Path | None = None
        self._size, self._count, self._ended = 0, 0, False
        calls: MultipartCallbacks = {
            "on_part_begin": self._begin,
            "on_header_field": lambda data, start, end: self._name.extend(data[start:end]),
            "on_header_value": lambda data, start, end: self._value.extend(data[start:end]),
            "on_header_end": self._header,
            "on_headers_finished": self._open,
            "on_part_data": self._data,
            "on_part_end": self._end,
            "on_end": self._finish,
        }
        self._parser = MultipartParser(boundary, calls)

    def write(self, piece: bytes) -> None:
        """Take a piece.

        Raises
        ------
        BadRequest, TooLarge, Unsupported
            The body is no multipart body, or has too many parts, or a part is coded.
        """
        try:
            self._parser.write(piece)
        except FormParserError as error:
            raise BadRequest("a multipart body") from error

    def close(self) -> None:
        """Check that the body came to its end.

        Raises
        ------
        BadRequest
            It did not.
        """
        if not self._ended:
            raise BadRequest("a multipart body that comes to its end")

    def drop(self) -> None:
        """Remove what is left of a part that did not come whole."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None
        if self._file is not None:
            with contextlib.suppress(OSError):
                self._file.unlink(missing_ok=True)

    def _begin(self) -> None:
        self._count += 1
        if self._count > MOST_PARTS:
            raise TooLarge(f"at most {MOST_PARTS} parts")
        self._headers, self._size = {}, 0

    def _header(self) -> None:
        name = bytes(self._name).decode("latin-1").strip().lower()
        self._headers[name] = bytes(self._value).decode("latin-1").strip().lower()
        self._name.clear()
        self._value.clear()

    def _open(self) -> None:
        coded = {self._headers.get("content-transfer-encoding", ""), self._headers.get("content-encoding", "")}
        if not coded <= BINARY:
            raise Unsupported("parts that are not coded")
        handle, name = tempfile.mkstemp(dir=self._folder, prefix="stow-", suffix=".dcm")
        self._stream, self._file = os.fdopen(handle, "wb"), Path(name)

    def _data(self, data: bytes, start: int, end: int) -> None:
        self._size += end - start
        if self._size <= self._most and self._stream is not None:
            self._stream.write(data[start:end])
        elif self._stream is not None:
            self.drop()
            self._file = None

    def _end(self) -> None:
        if self._stream is not None:
            self._stream.close()
            self._stream = None
        file, self._file = self._file, None
        self._hand(Came(file, self._headers.get("content-type", "").partition(";")[0]))

    def _finish(self) -> None:
        self._ended = True
