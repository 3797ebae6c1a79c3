"""A mask that comes from a browser: read with suspicion, or refused with a sentence.

Why it exists: what comes here becomes a measurement of a patient. It must be a label map in our classes, on the very
grid of the study, and small when unpacked; anything else is refused before a single voxel is kept.
"""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np

from tumorboard.errors import FileFormatError, GeometryError, LabelError, TumorboardError
from tumorboard.labels import LabelMap, Tissue
from tumorboard.volume import Grid

HEADER_BYTES = 64 * 1024
"""What a file may have beside its voxels."""


def largest_body(grid: Grid) -> int:
    """Return how many bytes a mask on a grid may have, compressed or not.

    Examples
    --------
    >>> largest_body(Grid((2, 3, 4), np.eye(4)))
    65560
    """
    return int(np.prod(grid.shape)) + HEADER_BYTES


def read_mask(body: bytes, grid: Grid, unseen: tuple[Tissue, ...] = ()) -> LabelMap:
    """Read a mask.

    Parameters
    ----------
    body : bytes
        A NIfTI file of whole numbers, compressed by gzip or not.
    grid : Grid
        The study's working grid.
    unseen : tuple of Tissue
        Classes that nobody can see in this study; enhancing tumour without T1C.

    Returns
    -------
    LabelMap

    Raises
    ------
    FileFormatError
        No NIfTI file, or one that is larger than the grid asks for.
    GeometryError
        Another grid.
    LabelError
        Values that are none of our classes, or a class that cannot be seen.

    Examples
    --------
    >>> read_mask(b"no image", Grid((2, 3, 4), np.eye(4)))
    Traceback (most recent call last):
    tumorboard.errors.FileFormatError: mask: expected a NIfTI file; got something else.
    """
    volume = _nifti(_unpacked(body, largest_body(grid)))
    if volume.dataobj.shape != grid.shape:
        raise GeometryError(f"a mask of shape {grid.shape}", got=f"{volume.dataobj.shape}", where="mask")
    told = grid.explain_mismatch(Grid(grid.shape, volume.affine), ("the study", "the mask"))
    if told:
        raise GeometryError("a mask on the grid of the study", got=told, where="mask")
    if volume.get_data_dtype() != np.dtype(np.uint8):
        raise LabelError("labels of one byte", got=str(volume.get_data_dtype()), where="mask")
    labels = LabelMap(np.asanyarray(volume.dataobj.get_unscaled()), grid)
    drawn = [tissue.name for tissue in unseen if (labels.data == tissue).any()]
    if drawn:
        raise LabelError(f"no {' or '.join(drawn)}, which cannot be seen in this study", got="some", where="mask")
    return labels


def _unpacked(body: bytes, most: int) -> bytes:
    if not body.startswith(b"\x1f\x8b"):
        return _not_larger(body, most)
    unpacker = zlib.decompressobj(wbits=31)
    try:
        out = unpacker.decompress(body, most + 1)
    except zlib.error as error:
        raise FileFormatError("a NIfTI file", got="damaged gzip", where="mask") from error
    if not unpacker.eof and len(out) <= most:
        raise FileFormatError("a NIfTI file", got="only the first part of one", where="mask")
    return _not_larger(out, most)


def _not_larger(data: bytes, most: int) -> bytes:
    if len(data) > most:
        raise FileFormatError(f"a mask of at most {most} bytes", got="a larger one", where="mask")
    return data


def _nifti(data: bytes) -> Any:
    """Return the image in a file; its voxels are not read yet."""
    import nibabel as nib

    try:
        image = nib.Nifti1Image.from_bytes(data)
        proxy: Any = image.dataobj
        offset = int(proxy.offset)
        if len(image.shape) != 3 or min(image.shape) < 1 or offset < 348:
            raise ValueError("not a volume")
        needed = offset + int(np.prod(image.shape, dtype=np.int64)) * image.get_data_dtype().itemsize
        if needed > len(data):
            raise ValueError("fewer voxels than the header tells")
        return image
    except TumorboardError:
        raise
    except Exception as error:  # nibabel raises anything on what is no image
        raise FileFormatError("a NIfTI file", got="something else", where="mask") from error
