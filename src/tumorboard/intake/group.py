"""Which images belong to one study, and which studies to one patient.

Why it exists: a patient mix-up is the worst thing intake can do. What the files' own names say (BIDS,
BraTS) comes first, then the folders. One folder whose files name two patients is refused; nothing is
ever joined because it looks alike.
"""

from __future__ import annotations

import datetime as dt
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from collections.abc import Sequence as Files
from dataclasses import dataclass, replace
from pathlib import Path

from tumorboard.errors import SequenceError
from tumorboard.intake.identity import Identity, identify
from tumorboard.intake.names import UNKNOWN, Recognition, recognise
from tumorboard.intake.scan import ImageFile
from tumorboard.intake.sessions import date_of_folder, is_container, is_study_folder, read_sessions_tsv
from tumorboard.intake.vocabulary import WORDS, stem_of, words

ONE_EACH = "give each patient a folder of its own, or name the right files with --sequence NAME=FILE"


@dataclass(frozen=True)
class Owner:
    """Whose images these are: a layout's patient, or a folder where names say nothing.

    Parameters
    ----------
    convention : str
        ``BIDS``, ``BraTS`` or empty.
    patient : str
        As the layout writes it; empty for a folder.
    folder : Path
        The patient's folder, for loose files; never printed.
    """

    convention: str
    patient: str
    folder: Path

    @property
    def key(self) -> tuple[str, str]:
        """What makes two owners the same."""
        return (self.convention, self.patient.casefold()) if self.patient else ("", str(self.folder))


@dataclass(frozen=True)
class StudyFiles:
    """The images of one study before any choice among them.

    Parameters
    ----------
    owner : Owner
        The patient.
    name : str
        Session label, time point or folder name; only for sorting and matching.
    label : str
        BIDS session label, else empty.
    date : date or None
        When it was, where a folder's name or ``sessions.tsv`` says so.
    images, skipped : tuple of ImageFile
        With a sequence, and without.
    protocol : tuple of (str, str, str, str)
        Consensus protocol, what it asks, whether that is met, what was seen; only for DICOM.
    """

    owner: Owner
    name: str
    label: str
    date: dt.date | None
    images: tuple[ImageFile, ...]
    skipped: tuple[ImageFile, ...]
    protocol: tuple[tuple[str, str, str, str], ...] = ()


def group(images: Iterable[ImageFile]) -> tuple[list[StudyFiles], list[ImageFile]]:
    """Sort images into studies of patients.

    Parameters
    ----------
    images : iterable of ImageFile
        Every image found, in any order.

    Returns
    -------
    studies : list of StudyFiles
        Those with at least one recognised image, in order of path.
    orphans : list of ImageFile
        Images that belong to none of them, with the reason.

    Raises
    ------
    SequenceError
        One folder holds files of different patients.
    """
    homes = _homes(images)
    holding = {home: files for home, files in homes.items() if any(f.recognition.sequence for f in files)}
    studies: dict[tuple[tuple[str, str], str], StudyFiles] = {}
    orphans = [file for home, files in homes.items() if home not in holding for file in files]
    for home, files in holding.items():
        appendix = _is_appendix(home, holding)
        for file, identity in _with_identity(home, files):
            if appendix and file.identity is None:
                orphans.append(_told(file, "lies in a subfolder of a folder that is already a study"))
                continue
            study = _identified(home, identity) if identity else _loose(home, holding)
            key = (study.owner.key, study.name)
            studies[key] = _add(studies.get(key, study), file)
    found = [s for s in studies.values() if s.images]
    return found, orphans + [f for s in studies.values() if not s.images for f in s.skipped]


def _add(study: StudyFiles, file: ImageFile) -> StudyFiles:
    if file.recognition.sequence is None:
        return replace(study, skipped=(*study.skipped, file))
    return replace(study, images=(*study.images, file))


def _told(file: ImageFile, reason: str) -> ImageFile:
    return replace(file, recognition=Recognition(None, reason))


def _homes(images: Iterable[ImageFile]) -> dict[Path, list[ImageFile]]:
    """Images by the folder that stands for their study: above ``anat`` and above one folder per sequence."""
    images = list(images)
    inside: dict[Path, set[object]] = defaultdict(set)
    for image in images:
        if image.recognition.sequence is not None:
            inside[image.path.parent].add(image.recognition.sequence)
    homes: dict[Path, list[ImageFile]] = defaultdict(list)
    for image in images:
        home = image.root if image.given else image.path.parent
        while home != image.root and (is_container(home.name) or _is_sequence_folder(home, inside)):
            home = home.parent
        homes[home].append(image)
    return homes


def _is_sequence_folder(folder: Path, inside: Mapping[Path, set[object]]) -> bool:
    """Whether a folder is named by one sequence and nothing else, and holds no other."""
    said = words(folder.name)
    known = all(word in WORDS or (word.isdigit() and len(word) < 5) for word in said)
    if not said or not (known or said[0] == "vsd") or identify(folder.name) is not None:
        return False
    named = recognise(folder.name)
    return named is not UNKNOWN and inside.get(folder, set()) <= {named.sequence}


def _with_identity(home: Path, files: Files[ImageFile]) -> list[tuple[ImageFile, Identity | None]]:
    """Return each file with the patient it belongs to, after refusing a folder that mixes patients."""
    folder = _folder_identity(home, files[0].root)
    own = [(file, file.identity) for file in files]
    named = [i for file, i in own if i is not None and file.recognition.sequence is not None]
    patients = {(i.convention, i.patient.casefold()) for i in named}
    if folder is not None and any(convention == folder.convention for convention, _ in patients):
        patients.add((folder.convention, folder.patient.casefold()))
    if len(patients) > 1:
        got = f"file names of {len(patients)} patients ({', '.join(sorted({c for c, _ in patients}))} names)"
        raise SequenceError("one patient in a study", got=got, where="input", remedy=ONE_EACH)
    _refuse_two_names(files)
    points = {(i.patient.casefold(), i.session): i for i in named}
    default = next(iter(points.values())) if len(points) == 1 else folder
    if len(points) > 1 and default is None:
        unclear = "its name does not say which time point it belongs to"
        own = [(file if i else _told(file, unclear), i or named[0]) for file, i in own]
    return [(file, _complete(identity or default, folder)) for file, identity in own]


def _complete(identity: Identity | None, folder: Identity | None) -> Identity | None:
    """Give a file's patient the session that only its folder names."""
    if identity is None or folder is None or identity.session or identity.convention != folder.convention:
        return identity
    return replace(identity, session=folder.session)


def _folder_identity(home: Path, root: Path) -> Identity | None:
    """Return the patient that the nearest folder, up to the one the user gave, is named by."""
    session = ""
    for folder in (home, *home.parents):
        found = identify(folder.name)
        if found is not None:
            return replace(found, session=found.session or session)
        if not session and is_study_folder(folder.name):
            session = folder.name.removeprefix("ses-")
        if folder == root:
            break
    found = identify(root.parent.name)
    return replace(found, session=session) if found and session else None


def _refuse_two_names(files: Files[ImageFile]) -> None:
    """Refuse ``A_t1, A_t2, B_t1, B_t2``, and ``t1/A, t1/B``: the same sequences under two names."""
    rests: dict[object, set[str]] = defaultdict(set)
    unnamed: dict[object, set[str]] = defaultdict(set)
    for file in files:
        if file.recognition.sequence is not None and file.identity is None:
            rests[file.recognition.sequence].add(_rest(file.path.name))
            if recognise(file.path.name) is UNKNOWN:
                unnamed[file.recognition.sequence].add(_rest(file.path.name))
    doubled = [names for names in rests.values() if len(names) > 1]
    alike = len(doubled) > 1 and all(names == doubled[0] for names in doubled)
    if alike or any(len(names) > 1 for names in unnamed.values()):
        got = f"files of one sequence under {len(doubled[0])} different names"
        raise SequenceError("one patient in a study", got=got, where="input", remedy=ONE_EACH)


def _rest(name: str) -> str:
    """Return what a name says beside words of the field and short numbers."""
    return " ".join(w for w in words(stem_of(name)) if w not in WORDS and not re.fullmatch(r"(?:run)?\d{1,4}", w))


def _identified(home: Path, identity: Identity) -> StudyFiles:
    """Return the study of a file whose name or folder names its patient."""
    owner = Owner(identity.convention, identity.patient, home)
    session = identity.session or (home.name if is_study_folder(home.name) else "")
    dates: dict[str, dt.date] = {}
    for folder in (home, *home.parents)[:3] if identity.convention == "BIDS" else ():
        if identify(folder.name) is not None:
            dates |= read_sessions_tsv(folder / f"{folder.name}_sessions.tsv")
    date = dates.get(session) or date_of_folder(session) or date_of_folder(home.name)
    return StudyFiles(owner, session, session if identity.convention == "BIDS" else "", date, (), ())


def _loose(home: Path, holding: Mapping[Path, Files[ImageFile]]) -> StudyFiles:
    """Return the study of a folder whose files name no patient."""
    dated = next((p for p in (home, *_above(home, holding)) if is_study_folder(p.name)), None)
    if dated is not None and (dated == home or _alone_below(dated, holding)):
        real = dated.resolve()
        return StudyFiles(Owner("", "", real.parent), real.name, "", date_of_folder(real.name), (), ())
    return StudyFiles(Owner("", "", home.resolve()), "", "", None, (), ())


def _above(home: Path, holding: Mapping[Path, Files[ImageFile]]) -> list[Path]:
    """Return the folders above one, up to the one the user gave."""
    root = holding[home][0].root
    return [folder for folder in home.parents if folder == root or root in folder.parents]


def _is_appendix(home: Path, holding: Mapping[Path, Files[ImageFile]]) -> bool:
    """Whether a folder without a study's name lies below one that is a study already."""
    return not is_study_folder(home.name) and any(folder in holding for folder in _above(home, holding))


def _alone_below(folder: Path, holding: Mapping[Path, Files[ImageFile]]) -> bool:
    return sum(folder == home or folder in home.parents for home in holding) == 1
