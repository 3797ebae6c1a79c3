"""Decoding in a process apart, for a decoder that ends its process on damaged pixels.

Why it exists: JPEG Lossless, which most archives use, is decoded by GDCM alone here, and GDCM aborts the whole
program on some damaged streams. A child that dies is an error like any other; its terminal is closed. One
child serves one series.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Sequence as Many
from typing import Any

import numpy as np
from numpy.typing import NDArray

NEEDED = ("1.2.840.10008.1.2.4.57", "1.2.840.10008.1.2.4.70")
"""JPEG Lossless, process 14, and its first-order prediction."""

_KEYWORDS = (
    *("Rows", "Columns", "SamplesPerPixel", "PhotometricInterpretation", "BitsAllocated", "BitsStored", "HighBit"),
    *("PixelRepresentation", "NumberOfFrames"),
)
_SIZE_BYTES = 8


class Apart:
    """A child process that decodes; started when first needed, ended with the ``with`` block."""

    def __init__(self) -> None:
        self._child: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Apart:
        return self

    def __exit__(self, *_: object) -> None:
        if self._child is not None:
            self._child.kill()
            self._child.communicate()

    def decode(self, dataset: Any, frames: Many[int]) -> NDArray[Any]:
        """Return frames (1-based) as stored, shape (frames, rows, columns).

        Raises
        ------
        ValueError
            The child ended, or its decoder failed.
        """
        if self._child is None:
            command = [sys.executable, "-P", "-m", __name__]
            pipe, nowhere = subprocess.PIPE, subprocess.DEVNULL
            self._child = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=nowhere)  # noqa: S603 - our own
        told: dict[str, Any] = {keyword: dataset[keyword].value for keyword in _KEYWORDS if keyword in dataset}
        told = {keyword: value if isinstance(value, int) else str(value) for keyword, value in told.items()}
        request = {"header": told, "syntax": str(dataset.file_meta.TransferSyntaxUID), "frames": list(frames)}
        try:
            _send(self._child.stdin, json.dumps(request).encode(), bytes(dataset.PixelData))
            shape, pixels = _receive(self._child.stdout), _receive(self._child.stdout)
        except (OSError, EOFError) as error:
            raise ValueError("the decoder ended") from error
        answer = json.loads(shape)
        return np.frombuffer(pixels, answer["dtype"]).reshape(answer["shape"])


def _send(stream: Any, *parts: bytes) -> None:
    for part in parts:
        stream.write(len(part).to_bytes(_SIZE_BYTES, "little"))
        stream.write(part)
    stream.flush()


def _receive(stream: Any) -> bytes:
    size = stream.read(_SIZE_BYTES)
    part = stream.read(int.from_bytes(size, "little")) if len(size) == _SIZE_BYTES else b""
    if len(size) < _SIZE_BYTES or len(part) < int.from_bytes(size, "little"):
        raise EOFError
    return bytes(part)


def _serve() -> None:
    """Decode what comes until nothing comes; any failure ends the process."""
    with contextlib.suppress(EOFError):
        while True:
            request, pixels = json.loads(_receive(sys.stdin.buffer)), _receive(sys.stdin.buffer)
            decoded = _decoded(request, pixels)
            told = {"dtype": decoded.dtype.str, "shape": decoded.shape}
            _send(sys.stdout.buffer, json.dumps(told).encode(), decoded.tobytes())


def _decoded(request: dict[str, Any], pixels: bytes) -> NDArray[Any]:
    from pydicom import Dataset
    from pydicom.dataset import FileMetaDataset
    from pydicom.pixels.utils import iter_pixels
    from pydicom.uid import UID

    dataset = Dataset()
    for keyword, value in request["header"].items():
        setattr(dataset, keyword, value)
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = UID(request["syntax"])
    dataset.PixelData = pixels
    dataset["PixelData"].VR = "OB"
    dataset["PixelData"].is_undefined_length = True
    return np.stack(list(iter_pixels(dataset, indices=[n - 1 for n in request["frames"]])))


if __name__ == "__main__":
    _serve()
