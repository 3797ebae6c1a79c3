"""The files that lie below the folders a user gave.

Why it exists: a folder may hold ten thousand strangers, a loop of links, or the results of the last
run. The walk is bounded in depth and in number, follows no loop, opens no image, and counts what it
leaves aside; it never lists a stranger's name.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from tumorboard.errors import SequenceError
from tumorboard.intake.archive import Unpacked, is_archive, unpack
from tumorboard.intake.identity import Identity, identify
from tumorboard.intake.names import UNKNOWN, Recognition, recognise
from tumorboard.intake.vocabulary import EXTENSION, stem_of
from tumorboard.series import Series

MAX_DEPTH = 7
"""Levels of folders below the one given."""

MAX_ENTRIES = 200_000
"""Files and folders looked at, at most. A listing cut short could lose a patient, so more is refused."""

_SKIPPED_FOLDERS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"derivatives", re.I), "derivatives folder left out"),
    (re.compile(r"sourcedata|code|__MACOSX", re.I), ""),
    (re.compile(r"\..*"), ""),
)
_NEVER_DICOM = frozenset(
    (".json", ".tsv", ".csv", ".txt", ".md", ".html", ".pdf", ".png", ".jpg", ".jpeg", ".tif", ".bval", ".bvec", ".py")
)
"""Endings of files that are not opened to see whether they are DICOM."""

_OWN_RESULTS = frozenset({"patient.json", "provenance.json", "measurements.json"})
_OUTPUT_TOLD = "folder with earlier results of this program left out"


@dataclass(frozen=True)
class ImageFile:
    """An image as its name presents it.

    Parameters
    ----------
    path : Path
        Where it lies; never printed.
    root : Path
        The folder given by the user below which it was found; for files given by name, that of the first.
    recognition : Recognition
        What its name (or, where that says nothing, its folder's) speaks of.
    given : bool
        Whether the user gave the file itself; all such files are one study.
    series : Series or None
        The DICOM series, of which ``path`` is the first file.
    role : str
        What a series is taken for, when it is not used.
    """

    path: Path
    root: Path
    recognition: Recognition
    given: bool = False
    series: Series | None = None
    role: str = "skipped"

    @property
    def identity(self) -> Identity | None:
        """Whose image its own name says it is; a series says it in its tags."""
        return None if self.series else identify(stem_of(self.path.name))


@dataclass
class Scan:
    """What a walk found: images, and counts of everything else."""

    images: list[ImageFile] = field(default_factory=list)
    dicom: list[Path] = field(default_factory=list)
    holder: Unpacked = field(default_factory=Unpacked)
    endings: Counter[str] = field(default_factory=Counter)
    told: Counter[str] = field(default_factory=Counter)
    entries: int = 0


def scan(inputs: Iterable[Path]) -> Scan:
    """Look at every file below the given folders, and at the given files.

    Parameters
    ----------
    inputs : iterable of Path
        Folders or files; a file given by name is taken whatever its depth.

    Returns
    -------
    Scan
        Images in natural order of their paths.

    Raises
    ------
    SequenceError
        Nothing at one of the places, or more than ``MAX_ENTRIES`` entries.
    """
    result = Scan()
    seen: set[tuple[int, int]] = set()
    given: Path | None = None
    for number, place in enumerate(inputs, start=1):
        if place.is_dir():
            _walk(place.resolve(), result, seen)
        elif place.is_file():
            if is_archive(place):
                _walk(unpack(place, result.holder), result, seen)
                continue
            given = given or place.parent.resolve()
            _take(place.parent.resolve() / place.name, given, result, given=True)
        else:
            where = f"input {number}"
            raise SequenceError("a folder or a file", got="nothing there", where=where, remedy="check the name")
    unique = {image.path: image for image in result.images}
    result.images = [unique[path] for path in sorted(unique, key=lambda p: natural(str(p)))]
    return result


def _walk(root: Path, result: Scan, seen: set[tuple[int, int]]) -> None:
    stack = [(root, 0)]
    while stack:
        folder, depth = stack.pop()
        try:
            status = folder.stat()
            with os.scandir(folder) as listing:
                entries = list(listing)
        except OSError:
            result.told["folder that cannot be opened left out"] += 1
            continue
        if (status.st_dev, status.st_ino) in seen:
            continue
        seen.add((status.st_dev, status.st_ino))
        _count(len(entries), result)
        if depth and not _OWN_RESULTS.isdisjoint(entry.name for entry in entries):
            result.told[_OUTPUT_TOLD] += 1
            continue
        for entry in entries:
            if entry.is_dir():
                _descend(entry, depth + 1, stack, result)
            elif entry.is_file():
                _take(folder / entry.name, root, result)


def _count(more: int, result: Scan) -> None:
    result.entries += more
    if result.entries > MAX_ENTRIES:
        expected, remedy = f"at most {MAX_ENTRIES} files and folders", "give the patients' own folders"
        raise SequenceError(expected, got="more", where="input", remedy=remedy)


def _descend(entry: os.DirEntry[str], depth: int, stack: list[tuple[Path, int]], result: Scan) -> None:
    for pattern, told in _SKIPPED_FOLDERS:
        if pattern.fullmatch(entry.name):
            if told:
                result.told[told] += 1
            return
    if depth > MAX_DEPTH:
        result.told[f"folder more than {MAX_DEPTH} levels down left out"] += 1
        return
    stack.append((Path(entry.path), depth))


def _take(path: Path, root: Path, result: Scan, *, given: bool = False) -> None:
    """Keep an image, named by itself or by its folder; count anything else by its ending."""
    if path.name.startswith("."):
        return
    if is_archive(path):
        _walk(unpack(path, result.holder), result, set())
        return
    if not EXTENSION.search(path.name):
        result.endings[_ending(path)] += 1
        if path.suffix.lower() not in _NEVER_DICOM:
            result.dicom.append(path)
        return
    recognition = recognise(path.name)
    if recognition is UNKNOWN and path.parent != root:
        by_folder = recognise(path.parent.name)
        if by_folder is not UNKNOWN:
            recognition = Recognition(by_folder.sequence, f"its folder's name: {by_folder.reason}")
    result.images.append(ImageFile(path, root, recognition, given))


def _ending(path: Path) -> str:
    """Return a short, plain ending; anything else could be part of a name."""
    suffix = path.suffix.lower()
    return suffix if re.fullmatch(r"\.[a-z]{1,5}", suffix) else "other"


def describe(result: Scan) -> str:
    """Return what a walk found, as counts by ending and never as names.

    Examples
    --------
    >>> describe(Scan(endings=Counter({".txt": 3, ".dcm": 5})))
    '5 .dcm and 3 .txt'
    """
    counts = result.endings.copy()
    if result.images:
        counts["images of which no name holds a sequence"] = len(result.images)
    if not counts:
        return "no files"
    listed = [f"{count} {ending}" for ending, count in counts.most_common(5)]
    rest = sum(counts.values()) - sum(count for _, count in counts.most_common(5))
    if rest:
        listed.append(f"{rest} others")
    return " and ".join(listed) if len(listed) < 3 else ", ".join(listed)


def natural(text: str) -> tuple[tuple[int, int, str], ...]:
    """Return a sorting key that counts: ``run-2`` before ``run-10``.

    Examples
    --------
    >>> sorted(["run-10", "run-2"], key=natural)
    ['run-2', 'run-10']
    """
    parts = re.findall(r"[0-9]+|[^0-9]+", text)
    return tuple((0, int(p), p) if p.isascii() and p.isdigit() else (1, 0, p.casefold()) for p in parts)
