"""From a request to patients: the one call of this room.

Why it exists: everything decided about the input is decided here, once, with its reason, before any
voxel is read. Nothing is written, and no image is changed.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterable
from collections.abc import Sequence as Files
from dataclasses import dataclass, field, replace
from pathlib import Path

from tumorboard.errors import SequenceError
from tumorboard.intake.choose import choose, shown
from tumorboard.intake.dicom import DicomStudies, dicom_studies, named_by_hand, series_warnings
from tumorboard.intake.events import assign, read_table
from tumorboard.intake.group import Owner, StudyFiles, group
from tumorboard.intake.own import overrule, own_brain_mask, own_labels, own_sequences, study_of_own, without
from tumorboard.intake.pseudonyms import (
    check_pseudonym,
    identity_of,
    is_digital,
    looks_like_a_number_of_a_person,
    tell_apart,
)
from tumorboard.intake.redact import shown_name
from tumorboard.intake.request import Decision, Intake, IntakeRequest
from tumorboard.intake.scan import ImageFile, Scan, describe, scan
from tumorboard.intake.sessions import order, study_ids
from tumorboard.sequences import REFERENCE_ORDER, TAKEN, Sequence
from tumorboard.study import Event, FileChoice, LabelsInput, PatientInput, StudyInput


@dataclass
class _Log:
    decisions: list[Decision] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def skip(self, files: Iterable[ImageFile], patient: str = "", study: str = "") -> None:
        for file in files:
            self.add(patient, study, file.role, file, file.recognition.reason)

    def add(self, patient: str, study: str, role: str, image: ImageFile | Path, reason: str) -> None:
        name = shown(image) if isinstance(image, ImageFile) else shown_name(image)
        decision = Decision(patient, study, role, name, reason)
        is_part = isinstance(image, ImageFile) and image.series is not None and image.series.part > 0
        if not is_part or decision not in self.decisions:  # the planes of a localizer are told once
            self.decisions.append(decision)


def take_in(request: IntakeRequest) -> Intake:
    """Find out which file is which sequence, of whom, and when; refuse what is not certain.

    Parameters
    ----------
    request : IntakeRequest
        Folders, files, and what the user says about them.

    Returns
    -------
    Intake
        Patients with their studies in order of date (else of name), every decision with its reason, and
        warnings. No text in it holds a path, a date or a name from the input.

    Raises
    ------
    SequenceError
        No MR sequence, two equal files for one, one study that mixes patients, or an option that needs a
        single study or patient where there are more.
    LabelError, EventsError
        The masks or the table of events cannot be used.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as d:
    ...     _ = (Path(d) / "BraTS-GLI-00001-000-t2f.nii.gz").write_bytes(b"")
    ...     patient = take_in(IntakeRequest(inputs=(Path(d),))).patients[0]
    >>> patient.pseudonym, patient.studies[0].id, list(patient.studies[0].files)
    ('GLI00001', 'ses-01', [<Sequence.FLAIR: 'FLAIR'>])
    """
    given = None if request.patient is None else check_pseudonym(request.patient)
    log, labels = _Log(), own_labels(request.labels, request.scheme)
    own = own_sequences(request.sequences)
    mask = own_brain_mask(request.brain_mask)
    studies, holder = _studies(request, own, labels, log)
    names = _names(studies, given, log)
    mine: dict[tuple[str, str], list[StudyFiles]] = defaultdict(list)
    for study in studies:
        mine[study.owner.key].append(study)
    in_order = sorted(names, key=lambda k: names[k])
    patients = [_patient(names[k], mine[k], request.date, (labels, mask), log) for k in in_order]
    patients = _with_events(patients, studies, names, request.events, log)
    return Intake(tuple(patients), tuple(log.decisions), tuple(log.warnings), holder)


def _studies(
    request: IntakeRequest, own: tuple[ImageFile, ...], labels: LabelsInput | None, log: _Log
) -> tuple[list[StudyFiles], object]:
    """Return every study, after the checks that concern their number, and what keeps archives unpacked."""
    found = scan(request.inputs)
    taken = [file.path for file in own] + ([labels.path] if labels else [])
    found.images = without(found.images, taken)
    studies, orphans = group(found.images)
    dicom = _dicom(found, taken)
    studies += dicom.studies
    orphans += dicom.orphans
    log.warnings += dicom.warnings
    if own and len(studies) > 1:
        raise _too_many("a sequence named by hand", studies)
    if request.series and len(studies) != 1:
        raise _too_many("a series named by hand", studies)
    if request.series:
        studies = [named_by_hand(studies[0], {s.value: name for s, name in request.series.items()})]
    if own:
        studies = [overrule(studies[0], own)] if studies else [study_of_own(own)]
    if not studies:
        raise _nothing(found, request, dicom)
    for option, used in (("--date", request.date), ("--labels", labels), ("--brain-mask", request.brain_mask)):
        if used is not None and len(studies) > 1:
            raise _too_many(option, studies)
    log.warnings += [f"{count} × {told}" for told, count in sorted(found.told.items())]
    log.skip(orphans)
    return studies, found.holder


def _dicom(found: Scan, taken: Iterable[Path]) -> DicomStudies:
    """Return the DICOM studies among the files that a walk found; pydicom is loaded only when there are any."""
    gone = {path.resolve() for path in taken}
    files = [path for path in found.dicom if path.resolve() not in gone]
    return dicom_studies(files) if files else DicomStudies()


def _nothing(found: Scan, request: IntakeRequest, dicom: DicomStudies) -> SequenceError:
    if not request.inputs:
        return SequenceError("a folder, files, or sequences by name", got="none of them", where="input")
    remedy = "name the files with --sequence NAME=FILE"
    if dicom.objects:
        found.endings = dicom.objects
        told = {f"{image.role}: {image.recognition.reason}" for image in dicom.orphans}
        remedy = "give the images they were made from"
        if told:
            remedy = "; ".join(sorted(told)[:3])
    expected = f"at least one MR sequence ({', '.join(s.value for s in REFERENCE_ORDER)})"
    return SequenceError(expected, got=describe(found), where="input", remedy=remedy)


def _too_many(option: str, studies: Files[StudyFiles]) -> SequenceError:
    got = f"{len(studies)} studies"
    return SequenceError(
        f"a single study with {option}", got=got, where="input", remedy="give that study's folder alone"
    )


def _names(studies: Files[StudyFiles], given: str | None, log: _Log) -> dict[tuple[str, str], str]:
    """Return the pseudonym of every patient."""
    owners = {study.owner.key: study.owner for study in studies}
    if given is None:
        return tell_apart(owners.values())
    if len(owners) > 1:
        got, remedy = f"{len(owners)} patients", "leave --patient out, or give one patient's folder"
        raise SequenceError("a single patient with --patient", got=got, where="input", remedy=remedy)
    if looks_like_a_number_of_a_person(given):
        log.warnings.append(
            "--patient holds a long number; it will stand in every file name, so make sure it names nobody"
        )
    return dict.fromkeys(owners, given)


def _patient(
    pseudonym: str,
    studies: Files[StudyFiles],
    date: dt.date | None,
    own: tuple[LabelsInput | None, Path | None],
    log: _Log,
) -> PatientInput:
    dates = [date or study.date for study in studies]
    if any(study.date is not None and study.date != known for study, known in zip(studies, dates, strict=True)):
        log.warnings.append(f"{pseudonym}: --date overrules another date that the input holds")
    if any(dates) and not all(dates):
        unknown = sum(d is None for d in dates)
        log.warnings.append(f"{pseudonym}: {unknown} of {len(dates)} studies without a date; all are in order of name")
    places = order([study.name for study in studies], dates)
    ids = study_ids([studies[place].label for place in places])
    taken = [_study(pseudonym, id_, studies[n], dates[n], own, log) for id_, n in zip(ids, places, strict=True)]
    owner = studies[0].owner
    return PatientInput(pseudonym, tuple(taken), identity=identity_of(owner), digital=is_digital(owner))


def _study(
    pseudonym: str,
    id_: str,
    study: StudyFiles,
    date: dt.date | None,
    own: tuple[LabelsInput | None, Path | None],
    log: _Log,
) -> StudyInput:
    labels, mask = own
    by_sequence: dict[Sequence, list[ImageFile]] = defaultdict(list)
    for image in study.images:
        if image.recognition.sequence is not None:
            by_sequence[image.recognition.sequence].append(image)
    where = f"{pseudonym} {id_}"
    files: dict[Sequence, FileChoice] = {}
    for sequence in (s for s in TAKEN if s in by_sequence):
        choice = choose(sequence, by_sequence[sequence], where)
        files[sequence] = FileChoice(choice.taken.path, choice.reason, choice.taken.series)
        log.add(pseudonym, id_, sequence.value, choice.taken, choice.reason)
        if choice.taken.series is not None:
            log.warnings += [f"{where}: {told}" for told in series_warnings(choice.taken.series, sequence.value)]
        for left in choice.left:
            log.add(pseudonym, id_, "skipped", left, f"{sequence.value}, but another file is the better one")
        if choice.unreadable:
            log.warnings.append(
                f"{where}: the header of {choice.unreadable} {sequence.value} candidates cannot be read"
            )
    _check_company(files, where)
    missing = [s.value for s in REFERENCE_ORDER if s not in files]
    if missing:
        log.warnings.append(f"{where}: no {', '.join(missing)} found")
    if labels is not None:
        log.add(pseudonym, id_, "labels", labels.path, f"named by the user, scheme {labels.scheme}")
    if mask is not None:
        log.add(pseudonym, id_, "brain mask", mask, "given by the user")
    refused = [image for image in study.skipped if image.role == "refused"]
    log.warnings += [f"{where}: {shown(image)} was left out: {image.recognition.reason}" for image in refused]
    log.skip(study.skipped, pseudonym, id_)
    return StudyInput(id_, files, date, labels, mask, study.protocol)


def _check_company(files: dict[Sequence, FileChoice], where: str) -> None:
    """Refuse black-blood alone: nothing could be laid on it."""
    if files and not any(s in files for s in REFERENCE_ORDER):
        wanted = f"one of {', '.join(s.value for s in REFERENCE_ORDER)} beside black-blood"
        raise SequenceError(wanted, got="black-blood alone", where=where, remedy="give the study's other series too")


def _with_events(
    patients: list[PatientInput],
    studies: Files[StudyFiles],
    names: dict[tuple[str, str], str],
    path: Path | None,
    log: _Log,
) -> list[PatientInput]:
    if path is None:
        return patients
    called: dict[str, set[str]] = {pseudonym: set() for pseudonym in names.values()}
    for study in studies:
        called[names[study.owner.key]] |= _called(study.owner, study.name)
    table = read_table(path)
    events, told = assign(table.rows, {pseudonym: sorted(also) for pseudonym, also in called.items()})
    log.warnings += [*table.warnings, *told]
    for patient in patients:
        if events[patient.pseudonym]:
            log.add(patient.pseudonym, "", "events", path, _kinds(events[patient.pseudonym]))
    return [replace(patient, events=events[patient.pseudonym]) for patient in patients]


def _called(owner: Owner, study: str) -> set[str]:
    """Return the names a table of events may call a patient by."""
    if not owner.patient:
        return {owner.folder.name}
    if owner.convention == "DICOM":
        return {owner.patient.rpartition("\0")[2]}
    return {owner.patient, f"{owner.patient}-{study}"} if study else {owner.patient}


def _kinds(events: Iterable[Event]) -> str:
    counts = Counter(event.kind.value for event in events)
    return ", ".join(f"{count} {kind}" for kind, count in sorted(counts.items()))
