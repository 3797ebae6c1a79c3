"""Zip archives, unpacked where nobody else looks, within limits, and removed at the end.

Why it exists: a PACS exports zips. An archive may also be a bomb, may name files outside itself, or may be
locked; each of these is refused before anything is written outside a private temporary folder.
"""

from __future__ import annotations

import re
import shutil
import stat
import tempfile
import weakref
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from tumorboard.errors import FileFormatError, SequenceError

MAX_FILES = 100_000
MAX_BYTES = 30 * 2**30
MAX_RATIO = 200
"""Most files, most bytes unpacked, and most bytes out of one byte stored, from ``RATIO_FROM`` bytes on; chosen."""

RATIO_FROM = 64 * 2**20
_WHERE = "archive"


class Unpacked:
    """A temporary folder that lives as long as this object (and no longer than the process).

    Examples
    --------
    >>> holder = Unpacked(); place = holder.folder(); place.is_dir()
    True
    """

    def __init__(self) -> None:
        self._place: Path | None = None
        self._count = 0

    def folder(self) -> Path:
        """Return a new, empty folder, readable by the user alone."""
        if self._place is None:
            self._place = Path(tempfile.mkdtemp(prefix="tumorboard-"))
            weakref.finalize(self, shutil.rmtree, self._place, ignore_errors=True)
        self._count += 1
        place = self._place / f"{self._count}"
        place.mkdir(mode=0o700)
        return place


def is_archive(path: Path) -> bool:
    """Whether a file is called a zip archive."""
    return path.suffix.lower() == ".zip"


def unpack(path: Path, holder: Unpacked) -> Path:
    """Unpack an archive into a new folder of ``holder``.

    Raises
    ------
    FileFormatError
        Not a zip, damaged, or locked with a password.
    SequenceError
        More than the limits, or a member that names a place outside the archive.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = [m for m in archive.infolist() if not m.is_dir()]
            _check(members)
            folder = holder.folder()
            written = 0
            for number, member in enumerate(members):
                written += _extract(archive, member, folder, MAX_BYTES - written, number)
            return folder
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError, OSError) as error:
        remedy = "copy the archive again, or unpack it yourself and give the folder"
        raise FileFormatError("a readable zip archive", got="a damaged one", where=_WHERE, remedy=remedy) from error


def _check(members: list[zipfile.ZipInfo]) -> None:
    if len(members) > MAX_FILES:
        raise _refused(f"at most {MAX_FILES} files", f"{len(members)}")
    if sum(m.file_size for m in members) > MAX_BYTES:
        raise _refused(f"at most {MAX_BYTES // 2**30} GiB unpacked", "more")
    for member in members:
        if member.flag_bits & 1:
            remedy = "unpack it with its password and give the folder"
            raise FileFormatError("an archive without a password", got="a locked one", where=_WHERE, remedy=remedy)
        name = PurePosixPath(member.filename.replace("\\", "/"))
        outside = name.is_absolute() or ".." in name.parts or re.match(r"[A-Za-z]:", member.filename)
        if outside or "\0" in member.filename:
            raise _refused("files inside the archive", "a member that names a place outside it")
        if stat.S_ISLNK(member.external_attr >> 16):
            raise _refused("files", "a symbolic link")
        if member.file_size > RATIO_FROM and member.file_size > MAX_RATIO * max(member.compress_size, 1):
            raise _refused(f"at most {MAX_RATIO} bytes out of one", "a member that grows far more")


def _extract(archive: zipfile.ZipFile, member: zipfile.ZipInfo, folder: Path, left: int, number: int) -> int:
    """Write one member under its own folders; names that the disk cannot hold are replaced by a number."""
    parts = [_plain(part) for part in PurePosixPath(member.filename.replace("\\", "/")).parts]
    target = folder.joinpath(*parts[-12:-1], parts[-1] if parts else f"{number}")
    if target.exists():
        target = target.with_name(f"{number}_{target.name}"[:200])
    target.parent.mkdir(parents=True, exist_ok=True)
    written = 0
    with archive.open(member) as source, target.open("xb") as out:
        while chunk := source.read(1 << 20):
            written += len(chunk)
            if written > min(left, member.file_size + (1 << 20)):
                shutil.rmtree(folder, ignore_errors=True)
                raise _refused("members as long as they say", "one that is longer")
            out.write(chunk)
    return written


def _plain(part: str) -> str:
    return re.sub(r"[\x00-\x1f]", "_", part)[:120] or "_"


def _refused(expected: str, got: str) -> SequenceError:
    return SequenceError(expected, got=got, where=_WHERE, remedy="unpack it yourself and give the folder")
