"""Where DICOM files lie, and how one comes to lie there whole or not at all.

Why it exists: what was acknowledged to the sender may never be lost. A file is written beside the shelf, forced to the
disk, and moved to its place in one step; only then is it acknowledged. Names are digests of UIDs.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from tumorboard.serve.settings import DepartmentSettings
from tumorboard.store import digest

INCOMING = ".incoming"
"""Folder of files that are not acknowledged yet, on the same disk."""

FORGOTTEN_SECONDS = 3600.0
"""A file in ``INCOMING`` that nobody wrote to for this time was left by an ended connection."""


def key_of(*uids: str) -> str:
    """Return the key of a study, a series or an object: 16 hexadecimal digits that tell nothing.

    Examples
    --------
    >>> len(key_of("1.2.3")), key_of("1.2.3") == key_of("1.2", "3")
    (16, False)
    """
    return digest(*uids)[:16]


@dataclass(frozen=True)
class Shelf:
    """The folder of all DICOM files.

    Parameters
    ----------
    root : Path
        Made if it is not there.

    Examples
    --------
    >>> Shelf(Path("shelf")).path("a1", "b2", "c3").as_posix()
    'shelf/a1/b2/c3.dcm'
    """

    root: Path

    @property
    def incoming(self) -> Path:
        """Folder in which files wait to be acknowledged."""
        return self.root / INCOMING

    def make(self) -> None:
        """Make the folders."""
        self.incoming.mkdir(parents=True, exist_ok=True)

    def path(self, study_key: str, series_key: str, instance_key: str) -> Path:
        """Return where an object lies or would lie."""
        return self.root / study_key / series_key / f"{instance_key}.dcm"

    def place(self, temporary: Path, final: Path) -> None:
        """Move a file to its place in one step.

        Raises
        ------
        OSError
            The disk is full or cannot be written; the file stays where it was.
        """
        final.parent.mkdir(parents=True, exist_ok=True)
        temporary.replace(final)

    def sweep(self, older_s: float = FORGOTTEN_SECONDS) -> int:
        """Remove files that never were acknowledged, and return how many."""
        count, limit = 0, time.time() - older_s
        for path in self.incoming.glob("*"):
            with contextlib.suppress(OSError):
                if path.stat().st_mtime <= limit:
                    path.unlink()
                    count += 1
        return count

    def remove_study(self, study_key: str) -> None:
        """Remove all files of a study."""
        shutil.rmtree(self.root / study_key, ignore_errors=True)

    def free_bytes(self) -> int:
        """Return what the disk has left."""
        return shutil.disk_usage(self.root).free


def shelf_of(settings: DepartmentSettings) -> Shelf:
    """Return the department's shelf, with its folders made."""
    shelf = Shelf(settings.shelf)
    shelf.make()
    return shelf


def force(*places: Path) -> None:
    """Wait until files' bytes, and the names in folders, are on the disk."""
    for place in places:
        handle = os.open(place, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
