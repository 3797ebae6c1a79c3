"""Files on disk: atomic writes, digests, the case folder, and the record of finished stages.

Why it exists: a stage that is killed must leave nothing half-written under its final name, and the
same command must then finish the rest. Everything the product writes goes through here. Nothing here
opens a file outside the folder it was given, and no temporary file outlives the next run.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tumorboard.errors import OutputError

TEMPORARY_PREFIX = ".tumorboard-tmp-"
"""Every temporary file starts so; whatever starts so is removed when a run begins."""

_REMEDIES = {
    errno.ENOSPC: ("free space on the output disk", "the disk is full", "free some space or choose another --out"),
    errno.EDQUOT: ("free space on the output disk", "the quota is used up", "free some space or choose another --out"),
    errno.EROFS: ("an output folder that can be written", "a read-only disk", "choose another --out"),
    errno.EACCES: ("an output folder that can be written", "no permission", "choose another --out or ask for access"),
    errno.EPERM: ("an output folder that can be written", "no permission", "choose another --out or ask for access"),
    errno.ENOTDIR: ("a folder for --out", "a file in its place", "choose another --out"),
    errno.EEXIST: ("a folder for --out", "a file in its place", "choose another --out"),
    errno.ENAMETOOLONG: ("a shorter --out or --patient name", "a name too long for this disk", "shorten it"),
}


def output_error(error: OSError) -> OutputError:
    """Translate an operating-system error on writing into one that says what to do (no path in it)."""
    fallback = (
        "an output folder that can be written",
        errno.errorcode.get(error.errno or 0, "an error"),
        "check --out",
    )
    expected, got, remedy = _REMEDIES.get(error.errno or 0, fallback)
    return OutputError(expected, got=got, where="output", remedy=remedy)


def write_atomic(path: Path, content: bytes | str) -> None:
    """Write a file so that its final name holds either all of it or nothing new.

    Parameters
    ----------
    path : Path
        Final name; folders above it are made.
    content : bytes or str
        Text is written as UTF-8.

    Raises
    ------
    OutputError
        The folder cannot be written, or the disk is full; nothing is left behind.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as d:
    ...     write_atomic(Path(d) / "a" / "b.txt", "x"); (Path(d) / "a" / "b.txt").read_text()
    'x'
    """
    data = content.encode() if isinstance(content, str) else content
    temporary = path.parent / f"{TEMPORARY_PREFIX}{os.getpid()}-{hashlib.blake2b(path.name.encode()).hexdigest()[:12]}"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_bytes(data)
        temporary.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise output_error(error) from error


def write_json(path: Path, content: Any) -> None:
    """Write JSON with sorted keys and a final newline, atomically; equal content gives equal bytes."""
    write_atomic(path, json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n")


def digest(*parts: bytes | str) -> str:
    """Return a 32-hex BLAKE2 digest of the parts; their borders count."""
    hasher = hashlib.blake2b(digest_size=16)
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        hasher.update(len(data).to_bytes(8, "little"))
        hasher.update(data)
    return hasher.hexdigest()


def digest_file(path: Path) -> str:
    """Return a 32-hex BLAKE2 digest of a file's bytes."""
    with path.open("rb") as stream:
        hasher = hashlib.blake2b(digest_size=16)
        while block := stream.read(1 << 22):
            hasher.update(block)
    return hasher.hexdigest()


@dataclass(frozen=True)
class CaseFolder:
    """Where the results of one patient lie: ``OUT/sub-<pseudonym>`` (BIDS-derivatives style).

    Parameters
    ----------
    out : Path
        Folder of all patients.
    pseudonym : str
        Letters and digits.

    Examples
    --------
    >>> CaseFolder(Path("out"), "A1").anat("ses-01", "FLAIR").as_posix()
    'out/sub-A1/ses-01/anat/sub-A1_ses-01_FLAIR.nii.gz'
    """

    out: Path
    pseudonym: str

    @property
    def root(self) -> Path:
        """The patient's folder."""
        return self.out / f"sub-{self.pseudonym}"

    def session(self, study: str) -> Path:
        """Return the folder of one study."""
        return self.root / study

    def stem(self, study: str) -> str:
        """Return the start of every BIDS file name of one study."""
        return f"sub-{self.pseudonym}_{study}"

    def anat(self, study: str, suffix: str) -> Path:
        """Return the path of a prepared image."""
        return self.session(study) / "anat" / f"{self.stem(study)}_{suffix}.nii.gz"

    def seg(self, study: str, suffix: str) -> Path:
        """Return the path of a label or probability map on the working grid."""
        return self.session(study) / "seg" / f"{self.stem(study)}_{suffix}"

    def native(self, study: str, suffix: str) -> Path:
        """Return the path of a label map in the input's own space."""
        return self.session(study) / "seg" / "native" / f"{self.stem(study)}_{suffix}"

    def relative(self, path: Path) -> str:
        """Return a path inside the case folder as text with forward slashes."""
        return path.relative_to(self.root).as_posix()


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold a folder for one run, and remove what a killed run left; the lock ends with the process.

    Raises
    ------
    OutputError
        The folder cannot be made, or another run holds it.
    """
    with _held(folder, fcntl.LOCK_EX | fcntl.LOCK_NB):
        remove_temporaries(folder)
        yield


def write_shared_json(path: Path, content: Any) -> None:
    """Write JSON into a folder that several runs share, one run after another; a killed one's rest is removed.

    Raises
    ------
    OutputError
        The folder cannot be written, or the disk is full.
    """
    with _held(path.parent, fcntl.LOCK_EX):
        for left in path.parent.glob(f"{TEMPORARY_PREFIX}*"):
            left.unlink(missing_ok=True)
        write_json(path, content)


@contextlib.contextmanager
def _held(folder: Path, how: int) -> Iterator[None]:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder, os.O_RDONLY)
    except OSError as error:
        raise output_error(error) from error
    try:
        try:
            fcntl.flock(handle, how)
        except BlockingIOError as error:
            raise OutputError(
                "an output folder used by one run",
                got="another run at work in it",
                where="output",
                remedy="wait for it",
            ) from error
        except OSError as error:
            raise output_error(error) from error
        yield
    finally:
        os.close(handle)


def remove_temporaries(folder: Path) -> int:
    """Remove temporary files that a killed run left below ``folder``; return how many."""
    left = [p for p in folder.rglob(f"{TEMPORARY_PREFIX}*") if p.is_file()]
    for path in left:
        path.unlink(missing_ok=True)
    return len(left)


@dataclass(frozen=True)
class StageRecord:
    """What a finished stage wrote: its key, the digest of every output, and what it cost."""

    key: str
    outputs: Mapping[str, str]
    cost: Mapping[str, float]

    @classmethod
    def read(cls, path: Path) -> StageRecord | None:
        """Return the record, or None where there is none that can be read."""
        try:
            raw = json.loads(path.read_text())
            outputs = {str(name): str(d) for name, d in raw["outputs"].items()}
            return cls(str(raw["key"]), outputs, {name: float(raw["cost"][name]) for name in ("cpu_s", "peak_mib")})
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None

    def write(self, path: Path) -> None:
        """Write the record atomically; it is the last thing a stage does."""
        write_json(path, {"key": self.key, "outputs": dict(self.outputs), "cost": dict(self.cost)})

    def whole(self, root: Path, key: str) -> bool:
        """Whether the key is the same and every output is there, byte for byte."""
        if self.key != key:
            return False
        return all((root / name).is_file() and digest_file(root / name) == d for name, d in self.outputs.items())
