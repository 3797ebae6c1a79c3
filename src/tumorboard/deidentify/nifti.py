"""NIfTI files without words: texts and extensions of the header gone, the voxels as they were.

Why it exists: converters write names into ``descrip`` and whole DICOM headers into extensions, and people
write names into file names. Voxels and geometry are not touched, byte for byte.
"""

from __future__ import annotations

import gzip
import io
import math
import re
import struct
from pathlib import Path

from tumorboard.deidentify.identifiers import Identifiers
from tumorboard.deidentify.objects import NOT_WHOLE, TOO_LARGE
from tumorboard.deidentify.read import MAX_BYTES, LeftOut
from tumorboard.deidentify.words import clean_text
from tumorboard.intake.identity import identify
from tumorboard.intake.vocabulary import EXTENSION, stem_of

_ENDINGS = (".nii", ".nii.gz")
_TEXTS = {
    348: ((4, 10), (14, 18), (148, 80), (228, 24), (328, 16)),  # data_type, db_name, descrip, aux_file, intent_name
    540: ((240, 80), (320, 24), (508, 16), (525, 15)),  # descrip, aux_file, intent_name, unused_str
}
"""Offset and length of the texts of a NIfTI-1 (348 bytes) and NIfTI-2 (540 bytes) header (nifti1.h, nifti2.h)."""

_OFFSET = {348: (108, "f"), 540: (168, "q")}
_SIZES = {348: (40, "8h", 72), 540: (16, "8q", 14)}
_TOKEN = re.compile(r"[^\W_]+")


def is_nifti(path: Path) -> bool:
    """Whether a name is that of a single-file NIfTI."""
    return path.name.lower().endswith(_ENDINGS)


def owner_of(root: Path, path: Path) -> tuple[tuple[str, ...], str]:
    """Return whose a file is, and of which session: a BIDS or BraTS name, else its first folder in the input.

    Examples
    --------
    >>> owner_of(Path("in"), Path("in/sub-7/ses-b/anat/sub-7_ses-b_T1w.nii.gz"))
    (('bids', '7'), 'b')
    >>> owner_of(Path("in"), Path("in/Doe Jane/2021-03-04/T1.nii"))
    (('folder', 'Doe Jane'), '2021-03-04')
    """
    parts = path.relative_to(root).parts
    for name in (stem_of(path.name), *reversed(parts[:-1])):
        if found := identify(name):
            return (found.convention.lower(), found.patient.casefold()), found.session or _session(parts)
    return ("folder", parts[0] if len(parts) > 1 else root.name), "/".join(parts[1:-1])


def _session(parts: tuple[str, ...]) -> str:
    return next((p for p in parts[:-1] if p.lower().startswith("ses-")), "")


def gather(root: Path, path: Path, known: Identifiers) -> None:
    """Take every token of a file's path below the input's parent that is no word of the field."""
    for part in (root.name, *path.relative_to(root).parts):
        for token in _TOKEN.findall(EXTENSION.sub("", part)):
            known.add_text(token)


def new_name(path: Path, number: int) -> str:
    """Return the words of the field in a file's name, with a number in front.

    Examples
    --------
    >>> new_name(Path("DOE_JANE_19610304_T1_post.nii.gz"), 2)
    '002_T1_post.nii.gz'
    """
    ending = EXTENSION.search(path.name)
    stem = stem_of(path.name)
    identity = identify(stem)
    words = clean_text(stem[identity.end :] if identity else stem).replace("+", "plus").replace("*", "star").split()
    return "_".join([f"{number:03d}", *words]) + (ending[0].lower() if ending else ".nii")


def cleaned_bytes(path: Path, *, deface: bool = False) -> tuple[bytes, bytes]:
    """Return a NIfTI file without texts and extensions.

    Parameters
    ----------
    path : Path
        A ``.nii`` or ``.nii.gz`` file.
    deface : bool
        Blank the face, too.

    Returns
    -------
    tuple of bytes
        The file, and what it holds when unpacked.

    Raises
    ------
    LeftOut
        Not NIfTI, cut short, too large, or its brain is not found.
    """
    packed = path.name.lower().endswith(".gz")
    try:
        raw = _read(path, packed)
        plain = _without_texts(raw)
    except LeftOut:
        raise
    except (OSError, EOFError, struct.error, ValueError, KeyError, OverflowError):
        raise LeftOut(NOT_WHOLE) from None
    if deface:
        from tumorboard.deidentify.faces import blank_nifti

        plain = blank_nifti(plain)
    return (_pack(plain) if packed else plain), plain


def _read(path: Path, packed: bool) -> bytes:
    with gzip.open(path) if packed else path.open("rb") as stream:
        raw: bytes = stream.read(MAX_BYTES + 1)
    if len(raw) > MAX_BYTES:
        raise LeftOut(TOO_LARGE)
    return raw


def _without_texts(raw: bytes) -> bytes:
    order = "<" if struct.unpack("<i", raw[:4])[0] in _TEXTS else ">"
    size = struct.unpack(order + "i", raw[:4])[0]
    at, kind = _OFFSET[size]
    start = int(struct.unpack_from(order + kind, raw, at)[0])
    dims_at, dims_kind, bits_at = _SIZES[size]
    axes, *lengths = struct.unpack_from(order + dims_kind, raw, dims_at)
    voxels = math.prod(lengths[:axes]) * struct.unpack_from(order + "h", raw, bits_at)[0] // 8
    if not 1 <= axes <= 7 or voxels < 1 or not size <= start <= len(raw) - voxels:
        raise ValueError
    header = bytearray(raw[:size])
    for offset, length in _TEXTS[size]:
        header[offset : offset + length] = bytes(length)
    if size == 348:
        header[38] = ord("r")  # "regular", as ANALYZE readers expect
    struct.pack_into(order + kind, header, at, size + 4)
    return bytes(header) + bytes(4) + raw[start : start + voxels]


def _pack(plain: bytes) -> bytes:
    stream = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", fileobj=stream, mtime=0) as file:
        file.write(plain)
    return stream.getvalue()
