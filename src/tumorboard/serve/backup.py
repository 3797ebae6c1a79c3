"""A department's data in one file, and back: databases, images, results and corrections, each with its digest.

Why it exists: a disk fails. The databases are copied while the service runs (SQLite's online backup), before the files,
so that no row of the copy names a file that came later; every file is listed with its digest in a manifest, and a
restore that finds one byte changed, one file missing or one too many restores nothing. The file holds images of
patients in the clear: it is written for its owner only, and belongs where such images belong.

Source: SQLite, "SQLite Backup API"; Python, "tarfile: extraction filters".
"""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import io
import json
import os
import shutil
import sqlite3
import tarfile
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any

from tumorboard import __version__
from tumorboard.errors import FileFormatError, InputError, OutputError
from tumorboard.serve.settings import DepartmentSettings
from tumorboard.serve.settings_file import FILE
from tumorboard.store import TEMPORARY_PREFIX, output_error

MANIFEST = "manifest.json"
FORMAT = "tumorboard-backup-1"
FOLDERS = ("shelf", "cases", "edits")
"""What is kept beside the databases and the settings; logs and locks are not."""

_BLOCK = 1 << 20


@dataclass(frozen=True)
class Copied:
    """How many files, and how many bytes of them, were backed up or restored."""

    files: int
    size: int


def backup(settings: DepartmentSettings, out: Path) -> Copied:
    """Write everything that a department keeps into one file; the service may run meanwhile.

    Parameters
    ----------
    settings : DepartmentSettings
        Whose home folder.
    out : Path
        A new file, outside the home folder.

    Returns
    -------
    Copied

    Raises
    ------
    InputError
        The home folder is not there, or the database is not a file in it.
    OutputError
        The file is there already, lies in the home folder, or cannot be written.

    Examples
    --------
    >>> with tempfile.TemporaryDirectory() as d:
    ...     home = DepartmentSettings(home=Path(d) / "home")
    ...     (home.home / "shelf").mkdir(parents=True); _ = (home.home / "shelf" / "a.dcm").write_bytes(b"abc")
    ...     made = backup(home, Path(d) / "kept.tar")
    ...     other = DepartmentSettings(home=Path(d) / "other")
    ...     back = restore(Path(d) / "kept.tar", other)
    ...     made == back, (other.home / "shelf" / "a.dcm").read_bytes()
    (True, b'abc')
    """
    home = settings.home.resolve()
    _may_back_up(settings, home, out)
    temporary = out.parent / f"{TEMPORARY_PREFIX}{os.getpid()}-backup"
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "wb") as stream:
            copied = _write(home, stream)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(out)
    except OSError as error:
        raise output_error(error) from error
    finally:
        temporary.unlink(missing_ok=True)
    return copied


def _may_back_up(settings: DepartmentSettings, home: Path, out: Path) -> None:
    if not home.is_dir():
        raise InputError("the home folder of a department", got="none", where="settings", remedy="check home")
    if not settings.database_url.startswith("sqlite"):
        remedy = "back the database up with its own tools (pg_dump), and the home folder with yours"
        raise InputError("a database in the home folder", got="a server's", where="settings", remedy=remedy)
    if out.exists():
        raise OutputError("a new file", got="one that is there", where="--out", remedy="choose another name")
    if home in out.resolve().parents:
        raise OutputError("a file outside the home folder", got="one inside", where="--out", remedy="choose another")


def _write(home: Path, stream: IO[bytes]) -> Copied:
    listed: dict[str, dict[str, Any]] = {}
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name, path in _databases(home):
            with path:
                listed[name] = _add(tar, name, path.name)
        for folder in (FILE, *FOLDERS):
            for path in sorted((home / folder).rglob("*")) if folder in FOLDERS else [home / folder]:
                name = path.relative_to(home).as_posix()
                if path.is_symlink() or not path.is_file() or path.name.startswith(TEMPORARY_PREFIX):
                    continue
                with contextlib.suppress(FileNotFoundError):  # purged meanwhile
                    listed[name] = _add(tar, name, str(path))
        told = {"format": FORMAT, "version": __version__, "made": _now(), "files": listed}
        content = json.dumps(told, indent=1, sort_keys=True).encode()
        entry = tarfile.TarInfo(MANIFEST)
        entry.size, entry.mode = len(content), 0o600
        tar.addfile(entry, io.BytesIO(content))
    return Copied(len(listed), sum(f["size"] for f in listed.values()))


def _databases(home: Path) -> Iterator[tuple[str, Any]]:
    """Yield a consistent copy of every SQLite file, as a temporary file that goes when it is closed."""
    for path in sorted(home.glob("*.sqlite")):
        copy = tempfile.NamedTemporaryFile(suffix=".sqlite", dir=home.parent, prefix=TEMPORARY_PREFIX)  # noqa: SIM115
        source, target = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=60), sqlite3.connect(copy.name)
        try:
            source.backup(target)
        finally:
            source.close()
            target.close()
        yield path.name, copy


def _add(tar: tarfile.TarFile, name: str, path: str) -> dict[str, Any]:
    """Add a file and return its size and digest, of the very bytes that were written."""
    with Path(path).open("rb") as stream:
        entry = tarfile.TarInfo(name)
        entry.size, entry.mode = os.fstat(stream.fileno()).st_size, 0o600
        read = _Digesting(stream)
        tar.addfile(entry, read)
    return {"size": entry.size, "sha256": read.digest.hexdigest()}


class _Digesting:
    """A stream whose digest is known once it was read."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream, self.digest = stream, hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        """Read on."""
        block = self._stream.read(size)
        self.digest.update(block)
        return block


def restore(file: Path, settings: DepartmentSettings) -> Copied:
    """Restore a backup into a home folder that holds nothing yet, once every file of it was checked.

    A settings file that is there stays; else that of the backup comes back.

    Parameters
    ----------
    file : Path
        From :func:`backup`.
    settings : DepartmentSettings
        Their home folder must be missing, or hold no more than a settings file.

    Returns
    -------
    Copied

    Raises
    ------
    InputError
        The home folder holds something.
    FileFormatError
        The file is no backup, or not the one that was written; nothing is restored.
    OutputError
        The home folder cannot be written.
    """
    home = settings.home.resolve()
    if home.exists() and (not home.is_dir() or any(p.name != FILE for p in home.iterdir())):
        remedy = "move it away, or restore into another home"
        raise InputError("an empty home folder", got="one with files", where="settings", remedy=remedy)
    try:
        home.parent.mkdir(parents=True, exist_ok=True)
        place = Path(tempfile.mkdtemp(prefix=TEMPORARY_PREFIX, dir=home.parent))
    except OSError as error:
        raise output_error(error) from error
    try:
        copied = _extract(file, place)
        _check_databases(place)
        if (home / FILE).exists():
            (home / FILE).replace(place / FILE)
        if home.exists():
            home.rmdir()
        place.replace(home)
    except OSError as error:
        raise output_error(error) from error
    finally:
        shutil.rmtree(place, ignore_errors=True)
    return copied


def _extract(file: Path, place: Path) -> Copied:
    found: dict[str, dict[str, Any]] = {}
    told: dict[str, Any] | None = None
    try:
        with tarfile.open(file, mode="r:") as tar:
            for entry in tar:
                stream = tar.extractfile(entry) if entry.isfile() else None
                if stream is None or told is not None or entry.name in found:
                    raise _broken("an entry that no backup has")
                if entry.name == MANIFEST:
                    told = json.loads(stream.read())
                else:
                    found[entry.name] = _take(stream, entry, place)
    except (tarfile.TarError, ValueError, EOFError, FileNotFoundError, IsADirectoryError) as error:
        raise _broken("another file, or one that ends early") from error
    if told is None or told.get("format") != FORMAT:
        raise _broken("one without its list")
    if told["files"] != found:
        wrong = sum(told["files"].get(name) != found.get(name) for name in {*told["files"], *found})
        raise _broken(f"{wrong} files that are not as they were written")
    return Copied(len(found), sum(f["size"] for f in found.values()))


def _take(stream: IO[bytes], entry: tarfile.TarInfo, place: Path) -> dict[str, Any]:
    path = PurePosixPath(entry.name)
    top_level = entry.name == FILE or (len(path.parts) == 1 and path.suffix == ".sqlite")
    if path.is_absolute() or ".." in path.parts or not (top_level or path.parts[0] in FOLDERS):
        raise _broken("a name that no backup has")
    target = place.joinpath(*path.parts)
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    digest = hashlib.sha256()
    with target.open("xb") as out:
        os.fchmod(out.fileno(), 0o600)
        while block := stream.read(_BLOCK):
            digest.update(block)
            out.write(block)
    return {"size": target.stat().st_size, "sha256": digest.hexdigest()}


def _check_databases(place: Path) -> None:
    for path in place.glob("*.sqlite"):
        try:
            with contextlib.closing(sqlite3.connect(path)) as database:
                (said,) = database.execute("PRAGMA integrity_check").fetchone()
        except sqlite3.DatabaseError as error:
            raise _broken("a database that is damaged") from error
        if said != "ok":
            raise _broken("a database that is damaged")


def _broken(got: str) -> FileFormatError:
    return FileFormatError("a backup as it was written", got=got, where="backup", remedy="take another one")


def _now() -> str:
    return dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
