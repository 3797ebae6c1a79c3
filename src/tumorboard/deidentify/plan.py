"""The first pass: every file looked at, sorted by patient, study and series, and given its new name.

Why it exists: what identifies a patient may stand in one file and slip out of another, and numbers of
studies follow from all of them. Only headers are read; nothing is written.
"""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tumorboard.deidentify import nifti
from tumorboard.deidentify.identifiers import Identifiers
from tumorboard.deidentify.key import Entry
from tumorboard.deidentify.objects import COPY, LINK, refusal_of
from tumorboard.deidentify.read import LeftOut, quiet, read_dicom
from tumorboard.deidentify.secret import Secret
from tumorboard.intake.group import Owner
from tumorboard.intake.pseudonyms import is_digital

Count = Callable[[str, int, int], None]
"""Hears a phase, how many files are done, and how many there are."""


@dataclass(frozen=True)
class Found:
    """One file that may leave.

    Parameters
    ----------
    path : Path
        Never printed.
    study, series : tuple
        By which they are told apart and sorted.
    place : tuple
        Order within the series.
    uid : str
        SOP Instance UID; empty for NIfTI.
    frame : tuple of str
        Study and frame of reference: images that share it lie in one space.
    """

    path: Path = field(repr=False)
    study: tuple[str, ...] = field(repr=False)
    series: tuple[int, str] = field(repr=False)
    place: tuple[int, str] = field(repr=False)
    uid: str = field(default="", repr=False)
    frame: tuple[str, str] = field(default=("", ""), repr=False)


@dataclass
class PatientPlan:
    """All files of one patient.

    Parameters
    ----------
    entry : Entry
        Who it is, and what they become.
    known : Identifiers
        What may stand in no output.
    files : list of Found
        In no order.
    """

    entry: Entry
    known: Identifiers = field(default_factory=Identifiers, repr=False)
    files: list[Found] = field(default_factory=list, repr=False)

    def targets(self) -> Iterator[tuple[Found, Path]]:
        """Yield each file with its place below the output folder, in order of study and series.

        ``sub-<pseudonym>/<study>/<series>/IM00001.dcm``; a NIfTI file keeps the words of the field in its name.
        """
        root = Path(f"sub-{self.entry.pseudonym}")
        studies = {s: n for n, s in enumerate(sorted({f.study for f in self.files}), 1)}
        by_series: dict[tuple[tuple[str, ...], tuple[int, str]], list[Found]] = defaultdict(list)
        for found in self.files:
            by_series[found.study, found.series].append(found)
        counted: Counter[tuple[str, ...]] = Counter()
        for (study, _), members in sorted(by_series.items()):
            counted[study] += 1
            folder = root / f"{studies[study]:02d}" / f"{counted[study]:03d}"
            members.sort(key=lambda f: (f.place, f.uid))
            yield from ((found, folder / _name(found, n)) for n, found in enumerate(members, 1))


@dataclass
class Plan:
    """What the first pass found.

    Parameters
    ----------
    patients : dict
        By identity.
    left_out : Counter of str
        Reasons, and how many files each.
    """

    patients: dict[tuple[str, ...], PatientPlan] = field(default_factory=dict, repr=False)
    left_out: Counter[str] = field(default_factory=Counter)

    @property
    def size(self) -> int:
        """Files that may leave."""
        return sum(len(p.files) for p in self.patients.values())


def _name(found: Found, number: int) -> str:
    return f"IM{number:05d}.dcm" if found.uid else nifti.new_name(found.path, number)


def make_plan(inputs: Iterable[Path], secret: Secret, shift: bool, count: Count) -> Plan:
    """Look at every file below the inputs.

    Parameters
    ----------
    inputs : iterable of Path
        Folders or files; links that lead out of them are not followed.
    secret : Secret
        Of the run.
    shift : bool
        Whether dates move.
    count : callable
        Hears how far it is.

    Returns
    -------
    Plan
    """
    plan = Plan()
    paths = list(_walk(inputs, plan.left_out))
    seen: set[str] = set()
    with quiet():
        for number, (root, path) in enumerate(paths, 1):
            count("looking", number, len(paths))
            try:
                identity, found, dataset = _look(root, path)
            except LeftOut as error:
                plan.left_out[str(error)] += 1
                continue
            if identity not in plan.patients:
                plan.patients[identity] = PatientPlan(_entry(identity, dataset, secret, shift))
            patient = plan.patients[identity]
            if dataset is None:
                nifti.gather(root, path, patient.known)
            else:
                patient.known.gather(dataset)
                patient.known.gather(dataset.file_meta)
            reason = refusal_of(dataset) if dataset is not None else ""
            if reason or (found.uid and found.uid in seen):
                plan.left_out[reason or COPY] += 1
                continue
            seen.add(found.uid)
            patient.files.append(found)
    _join_issuers(plan.patients)
    plan.patients = {identity: p for identity, p in sorted(plan.patients.items()) if p.files}
    return plan


def _join_issuers(patients: dict[tuple[str, ...], PatientPlan]) -> None:
    """Give files that name no issuer to the one patient of the same id and birth date whose files do."""
    for identity in [i for i in patients if i[0] == "id" and not i[1]]:
        lone = patients[identity]
        born = lone.entry.birth_date
        same = [i for i in patients if i[0] == "id" and i[1] and i[2] == identity[2]]
        if len(same) == 1 and born in ("", patients[same[0]].entry.birth_date):
            patients[same[0]].files += lone.files
            patients[same[0]].known.absorb(lone.known)
            del patients[identity]


def _walk(inputs: Iterable[Path], left_out: Counter[str]) -> Iterator[tuple[Path, Path]]:
    """Yield every regular file with the input it lies in, in order of name."""
    for given in inputs:
        if given.is_file():
            yield given.parent, given
            continue
        root = given.resolve()
        for folder, below, names in os.walk(root):
            below.sort()
            for name in sorted(names):
                path = Path(folder) / name
                if path.is_symlink() and root not in path.resolve().parents:
                    left_out[LINK] += 1
                elif path.is_file():
                    yield root, path


def _look(root: Path, path: Path) -> tuple[tuple[str, ...], Found, Any]:
    """Return whose a file is, where it belongs, and its header; None for NIfTI."""
    if nifti.is_nifti(path):
        owner, session = nifti.owner_of(root, path)
        return ("nifti", *owner), Found(path, (session,), (0, ""), (0, path.name)), None
    ds = read_dicom(path, pixels=False)
    study = (_text(ds, "StudyDate"), _text(ds, "StudyTime"), _text(ds, "StudyInstanceUID"))
    series = (_number(ds, "SeriesNumber"), _text(ds, "SeriesInstanceUID"))
    uid = _text(ds, "SOPInstanceUID")
    frame = (study[2], _text(ds, "FrameOfReferenceUID") or series[1])
    return _identity(ds), Found(path, study, series, (_number(ds, "InstanceNumber"), uid), uid, frame), ds


def _identity(ds: Any) -> tuple[str, ...]:
    """Return what makes two datasets one patient's: issuer and id, else name and birth date, else the study."""
    if patient_id := _text(ds, "PatientID"):
        return ("id", _text(ds, "IssuerOfPatientID"), patient_id)
    if name := _text(ds, "PatientName"):
        return ("name", name.casefold(), _text(ds, "PatientBirthDate"))
    return ("study", _text(ds, "StudyInstanceUID"))


def _entry(identity: tuple[str, ...], ds: Any, secret: Secret, shift: bool) -> Entry:
    days = secret.shift_days(*identity) if shift else 0
    if ds is None:
        return Entry(secret.pseudonym(*identity), "", identity[-1], "", "", 0)
    issuer, number, name, born = (
        _text(ds, k) for k in ("IssuerOfPatientID", "PatientID", "PatientName", "PatientBirthDate")
    )
    mark = "DIGITAL" if is_digital(Owner("DICOM", number, Path())) else ""  # what is simulated goes on saying so
    return Entry(mark + secret.pseudonym(*identity), issuer, number, name, born, days)


def _text(ds: Any, keyword: str) -> str:
    try:
        return str(ds.get(keyword) or "").strip("\0 ")
    except Exception:  # a damaged value says nothing
        return ""


def _number(ds: Any, keyword: str) -> int:
    try:
        return int(ds.get(keyword) or 0)
    except Exception:  # a damaged value says nothing
        return 0
