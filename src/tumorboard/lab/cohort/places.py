"""Where the images, masks and maps of a cohort lie on disk.

Why it exists: a cohort comes as what ``tumorboard simulate`` writes, as a BIDS tree with masks, as BraTS folders, or as
the results of ``tumorboard run``. Each is looked through once; nothing is opened here but small JSON files.

Source: BIDS specification 1.10; derivatives as in docs/concepts/case-folder.md.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import takewhile
from pathlib import Path

from tumorboard.errors import InputError
from tumorboard.intake.names import recognise
from tumorboard.intake.scan import natural
from tumorboard.intake.sessions import read_sessions_tsv
from tumorboard.lab.cohort.sheets import bare
from tumorboard.sequences import BIDS_SUFFIX, TAKEN, Sequence

ENDINGS: dict[Sequence, tuple[str, ...]] = {
    Sequence.BB: ("acq-blackblood_T1w",),
    Sequence.SWI: ("swi",),
    Sequence.T2STAR: ("T2starw",),
    Sequence.DWI: ("acq-trace_dwi",),
    Sequence.DTI: ("acq-tensor_dwi", "dir-*_dwi"),
    Sequence.ADC: ("ADC", "adc", "desc-ADC_dwi", "MD"),
    Sequence.FA: ("FA", "fa"),
    Sequence.DSC: ("dsc", "DSC"),
    Sequence.CBV: ("cbv", "CBV", "rCBV"),
    Sequence.DCE: ("dce", "DCE"),
    Sequence.KTRANS: ("ktrans", "Ktrans"),
    Sequence.BOLD: ("bold",),
    Sequence.SUB: (BIDS_SUFFIX[Sequence.SUB],),
    Sequence.PET_FET: ("trc-FET_pet",),
    Sequence.PET_MET: ("trc-MET_pet",),
    Sequence.CT: ("ct",),
}
"""Ends of file names of what is no T1, T1C, T2 or FLAIR, before ``.nii.gz``; the first that fits counts."""

SERIES = frozenset({Sequence.DSC, Sequence.DCE, Sequence.DWI, Sequence.DTI, Sequence.BOLD})
"""What has a fourth axis: time, or b-values."""

_MASK = re.compile(r"(?:^|[_-])(?:dseg|seg|segmentation|labels?)$", re.I)
_OTHER_MASK = re.compile(r"desc-|lesions|native|probseg", re.I)
_IMAGE = (".nii.gz", ".nii")
_ONE = "ses-01"
"""What a study is called that has no session of its own."""

_LEFT_OUT = re.compile(r"^(?:\.|sourcedata$|code$)")


@dataclass(frozen=True, eq=False)
class Visit:
    """One study of a patient, as files.

    Parameters
    ----------
    id : str
        ``ses-01`` …
    images : mapping of Sequence to Path
        Images, maps and series.
    labels : Path or None
        Label map.
    scheme : str
        What its values mean.
    lesions, necrosis, brain : Path or None
        Lesions by number; necrosis; the brain mask.
    prepared : Path or None
        The study's folder in the results of a run, whose images are ready.
    date : date or None
        When it was acquired; never shown.
    """

    id: str
    images: Mapping[Sequence, Path] = field(default_factory=dict, repr=False)
    labels: Path | None = field(default=None, repr=False)
    scheme: str = "tumorboard"
    lesions: Path | None = field(default=None, repr=False)
    necrosis: Path | None = field(default=None, repr=False)
    brain: Path | None = field(default=None, repr=False)
    prepared: Path | None = field(default=None, repr=False)
    date: dt.date | None = field(default=None, repr=False)

    def files(self, sequences: Iterable[Sequence] = ()) -> tuple[Path, ...]:
        """Return what a number may depend on: the four sequences, masks, and these images."""
        wanted = [s for s in self.images if s in TAKEN or s in set(sequences)]
        masks = (self.labels, self.lesions, self.necrosis, self.brain)
        return tuple([self.images[s] for s in wanted] + [m for m in masks if m is not None])


People = dict[str, dict[str, Visit]]
"""Studies by patient and id, in order."""


def find_people(home: Path, scheme: str | None) -> tuple[People, bool]:
    """Look through a folder of images.

    Parameters
    ----------
    home : Path
        BIDS tree, results of a run, or folders of cases.
    scheme : str or None
        What values of masks mean, where they are not ours.

    Returns
    -------
    (People, bool)
        Studies by patient; and whether the folder says that they are digital.
    """
    cards = sorted(home.glob("sub-*/patient.json"))
    if cards:
        return _results(cards)
    if any(p.is_dir() for p in home.glob("sub-*")):
        return _bids(home, scheme), _says_digital(home)
    return _cases(home, scheme), False


def find_case(card: Path) -> tuple[People, bool]:
    """Look through the results of one patient.

    Parameters
    ----------
    card : Path
        ``patient.json`` of a case folder.

    Returns
    -------
    (People, bool)
        As :func:`find_people`.

    Raises
    ------
    InputError
        It is none.
    """
    return _results([card])


def with_maps(people: People, others: People) -> People:
    """Return studies with maps and series of another folder; images that tumours are outlined on stay their own."""
    out: People = {}
    for patient, visits in people.items():
        theirs = others.get(patient, {})
        out[patient] = {}
        for name, visit in visits.items():
            extra = {s: p for s, p in theirs[name].images.items() if s not in TAKEN} if name in theirs else {}
            out[patient][name] = replace(visit, images={**extra, **visit.images})
    return out


# --- results of a run -----------------------------------------------------------------------------------------


def _results(cards: list[Path]) -> tuple[People, bool]:
    people: People = {}
    digital = []
    for card in cards:
        try:
            told = json.loads(card.read_text(encoding="utf-8"))
            dates = {s["id"]: s["date"] for s in told["studies"]}
            digital.append(bool(told["digital"]))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InputError("results of tumorboard run", got="a patient.json that is none", where="cohort") from error
        home = card.parent
        found = {i: _of_run(home / i, dates[i]) for i in sorted(dates, key=natural) if (home / i).is_dir()}
        people[bare(home.name)] = found
    if len(set(digital)) > 1:
        raise _mixed()
    return people, digital[0]


def _of_run(folder: Path, date: str | None) -> Visit:
    stem = f"{folder.parent.name}_{folder.name}"
    places = {s: folder / "anat" / f"{stem}_{BIDS_SUFFIX[s]}.nii.gz" for s in (*TAKEN, Sequence.SUB)}
    brain, seg = folder / "anat" / f"{stem}_desc-brain_mask.nii.gz", folder / "seg"
    return Visit(
        folder.name,
        {s: p for s, p in places.items() if p.is_file()},
        labels=_there(seg / f"{stem}_dseg.nii.gz"),
        lesions=_there(seg / f"{stem}_lesions.nii.gz"),
        brain=_there(brain),
        prepared=folder,
        date=dt.date.fromisoformat(date) if date else None,
    )


# --- BIDS -----------------------------------------------------------------------------------------------------


def _bids(home: Path, scheme: str | None) -> People:
    people: People = {}
    trees = [home, *sorted(p for p in home.glob("derivatives/*") if p.is_dir())]
    names = sorted({p.name for p in home.glob("sub-*") if p.is_dir()}, key=natural)
    for name in names:
        dates = read_sessions_tsv(home / name / f"{name}_sessions.tsv")
        found = {}
        for session in _sessions(home / name):
            places = [t / name / session if session else t / name for t in trees]
            files = [f for p in places for f in _images_in(p)]
            visit = _visit(session or _ONE, files, scheme, dates.get(session.removeprefix("ses-")))
            if visit.images:
                found[visit.id] = visit
        people[bare(name)] = found
    return people


def _sessions(folder: Path) -> list[str]:
    found = sorted((p.name for p in folder.glob("ses-*") if p.is_dir()), key=natural)
    return found or [""]


def _images_in(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*.nii*")):
        if path.name.endswith(_IMAGE) and not any(_LEFT_OUT.match(p) for p in path.relative_to(folder).parts):
            yield path


def _visit(name: str, files: list[Path], scheme: str | None, date: dt.date | None) -> Visit:
    images: dict[Sequence, Path] = {}
    masks: dict[str, Path] = {}
    for path in files:
        stem = path.name.removesuffix(".gz").removesuffix(".nii")
        role = _role(stem)
        if role:
            masks.setdefault(role, path)
            continue
        kind = _kind(stem)
        if kind is not None:
            images.setdefault(kind, path)
    labels = masks.get("labels")
    own = labels is not None and labels.name.endswith("_dseg.nii.gz")
    told = scheme or ("tumorboard" if own or labels is None else "")
    if not told:
        remedy = "give --scheme, for example brats2023"
        raise InputError("what the values of the masks mean", got="masks of another's", where="cohort", remedy=remedy)
    lesions, necrosis, brain = (masks.get(m) for m in ("lesions", "necrosis", "brain"))
    return Visit(name, images, labels, told, lesions, necrosis, brain, None, date)


def _role(stem: str) -> str:
    """Return which mask a file is; empty for none of them."""
    for ending, role in (("desc-lesions_dseg", "lesions"), ("lesions", "lesions"), ("desc-necrosis_mask", "necrosis")):
        if stem.endswith(ending):
            return role
    if stem.endswith(("desc-brain_mask", "brain_mask", "brainmask")):
        return "brain"
    return "labels" if _MASK.search(stem) and not _OTHER_MASK.search(stem) else ""


def _kind(stem: str) -> Sequence | None:
    """Return which sequence or map a file is."""
    for sequence, endings in ENDINGS.items():
        if any(re.search(rf"(?:^|_|-){e.replace('*', '[^_]*')}$", stem) for e in endings):
            return sequence
    return recognise(stem).sequence


def _says_digital(home: Path) -> bool:
    """Whether a tree's description says that it was made from a seed."""
    try:
        told = json.loads((home / "dataset_description.json").read_text(encoding="utf-8"))
        makers = told.get("GeneratedBy", [])
        return any(str(m.get("Description", "")).startswith("Digital") for m in makers)
    except (OSError, ValueError, AttributeError, TypeError):
        return False


# --- folders of cases -----------------------------------------------------------------------------------------


def _cases(home: Path, scheme: str | None) -> People:
    """Return what intake recognises (BraTS and others), with the mask that lies beside its images."""
    from tumorboard.intake.patients import take_in
    from tumorboard.intake.request import IntakeRequest

    people: People = {}
    found_here = take_in(IntakeRequest(inputs=(home,))).patients
    if all(c.series is not None for p in found_here for s in p.studies for c in s.files.values()):
        remedy = "run `tumorboard run` on them first, and give its results"
        raise InputError("images that are prepared, as NIfTI", got="DICOM", where="cohort", remedy=remedy)
    for patient in found_here:
        found = {}
        for study in patient.studies:
            taken = {s: c.path for s, c in study.files.items() if c.series is None}
            beside = _beside(taken.values())
            masks = [f for f in beside if _role(f.name.removesuffix(".gz").removesuffix(".nii"))]
            visit = _visit(study.id, [*masks, *_maps(beside)], scheme, study.date)
            found[study.id] = Visit(
                visit.id, {**visit.images, **taken}, visit.labels, visit.scheme, visit.lesions, None, visit.brain,
                None, study.date,
            )  # fmt: skip
        people[patient.pseudonym] = found
    return people


def _beside(images: Iterable[Path]) -> list[Path]:
    """Return the images that lie beside those of a study and begin as all of them do."""
    known = list(images)
    columns = zip(*(p.name for p in known), strict=False)
    shared = "".join(letters[0] for letters in takewhile(lambda c: len(set(c)) == 1, columns))
    start = re.split(r"[-_](?=[^-_]*$)", shared)[0]
    return sorted({f for p in known for f in p.parent.glob("*.nii*") if f.name.startswith(start)})


def _maps(files: Iterable[Path]) -> list[Path]:
    stems = ((f, f.name.removesuffix(".gz").removesuffix(".nii")) for f in files)
    return [f for f, stem in stems if (k := _kind(stem)) is not None and k not in TAKEN]


def _there(path: Path) -> Path | None:
    return path if path.is_file() else None


def _mixed() -> InputError:
    remedy = "keep them apart: nothing that is learned from digital patients holds for patients"
    return InputError("a cohort of patients, or one of digital patients", got="both", where="cohort", remedy=remedy)
