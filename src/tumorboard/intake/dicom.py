"""DICOM series into studies of patients, each series with what it is taken for and why.

Why it exists: in DICOM the patient and the study stand in the files, not in folders. A study whose series
name two patients is refused; what is no sequence, or cannot be a volume, is left out with its reason.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from collections.abc import Sequence as Files
from dataclasses import dataclass, field, replace
from pathlib import Path

from tumorboard.errors import SequenceError
from tumorboard.intake.group import Owner, StudyFiles
from tumorboard.intake.names import Recognition
from tumorboard.intake.scan import ImageFile
from tumorboard.sequences import TAKEN
from tumorboard.series import Person, Series

LEAST_FIELD_MM = (140.0, 60.0)
"""In-plane and through-plane fields of view below which a head is called cut; chosen."""


@dataclass(frozen=True)
class DicomStudies:
    """What DICOM files hold.

    Parameters
    ----------
    studies : tuple of StudyFiles
        With at least one series that is used.
    orphans : tuple of ImageFile
        Series of studies without any.
    warnings : tuple of str
        What to be told; identifies nobody.
    objects : Counter
        Everything that is no image, in words.
    """

    studies: tuple[StudyFiles, ...] = ()
    orphans: tuple[ImageFile, ...] = ()
    warnings: tuple[str, ...] = ()
    objects: Counter[str] = field(default_factory=Counter)


def dicom_studies(files: Iterable[Path]) -> DicomStudies:
    """Read headers, sort series into studies, and say what each is.

    Raises
    ------
    SequenceError
        A study names two patients.
    """
    from tumorboard.io.dicom.scan import NOT_DICOM, scan_dicom

    found = scan_dicom(files)
    by_study: dict[str, list[Series]] = defaultdict(list)
    for series in found.series:
        by_study[series.study_uid].append(series)
    mixed = [uid for uid, of in by_study.items() if len({owner_key(s.person) for s in of}) > 1 or uid in found.mixed]
    if mixed:
        raise SequenceError(
            "one patient in a study",
            got=f"{len(mixed)} of {len(by_study)} DICOM studies whose series name several patients",
            where="input",
            remedy="part the series by patient, or correct the patient IDs, and give the studies again",
        )
    studies: list[StudyFiles] = []
    orphans: list[ImageFile] = []
    for of in by_study.values():
        images, protocol = _recognised(of)
        used = tuple(i for i in images if i.recognition.sequence is not None)
        skipped = tuple(i for i in images if i.recognition.sequence is None)
        first = of[0]
        owner = Owner("DICOM", owner_key(first.person), Path())
        study = StudyFiles(owner, first.study_uid, "", first.date, used, skipped, protocol)
        if used:
            studies.append(study)
        else:
            orphans += skipped
    unread = {why: n for why, n in found.unreadable.items() if why != NOT_DICOM}
    told = [f"{n} × {why} left out" for why, n in sorted(unread.items())]
    told += [f"{n} × {what} left out" for what, n in sorted(found.others.items())]
    objects = Counter({f"DICOM {what}": n for what, n in found.others.items()}) + _kinds(orphans)
    return DicomStudies(tuple(studies), tuple(orphans), tuple(told), objects)


def owner_key(person: Person) -> str:
    """Return what makes two series the same patient's: the ID with its issuer, else name and birth date."""
    if person.patient_id:
        return f"{person.issuer}\0{person.patient_id}" if person.issuer else person.patient_id
    return f"{person.name}\0{person.birth_date}"


def _recognised(series: Files[Series]) -> tuple[list[ImageFile], tuple[tuple[str, str, str, str], ...]]:
    """Return every series with what it is, and how the study compares with the consensus protocols."""
    from tumorboard.intake.evidence import recognise_study
    from tumorboard.intake.protocol import BTIP_2015, BTIP_BM_2020, check_protocol
    from tumorboard.io.dicom.read import undecodable

    verdicts = recognise_study([s.tags for s in series])
    reports = [check_protocol(series, verdicts, protocol) for protocol in (BTIP_2015, BTIP_BM_2020)]
    answers = tuple((r.protocol, row.requirement, row.state.value, row.seen) for r in reports for row in r.rows)
    out = []
    for one, verdict in zip(series, verdicts, strict=True):
        role, reason, sequence = verdict.kind, verdict.reason, verdict.sequence
        refusal = one.refusal or (undecodable(one) if sequence in TAKEN else "")
        if sequence is not None and refusal:
            reason, sequence = f"{sequence.value}, but {refusal}", None
            role = "refused"
        elif sequence is not None and sequence not in TAKEN:
            reason, sequence = f"recognised, not used yet: {reason}", None
        elif sequence is None and not verdict.sure:
            reason = f"{reason}; say what it is with --sequence NAME={one.number}"
        path = one.planes[0].path if one.planes else Path("series")
        out.append(ImageFile(path, path.parent, Recognition(sequence, reason), series=one, role=role))
    return out, answers


def _kinds(orphans: Iterable[ImageFile]) -> Counter[str]:
    return Counter(f"DICOM series taken for {image.role}" for image in orphans)


def named_by_hand(study: StudyFiles, wanted: dict[str, str]) -> StudyFiles:
    """Take series for sequences as the user says.

    Parameters
    ----------
    study : StudyFiles
        The only one.
    wanted : dict of str to str
        Sequence name to series number or Series Instance UID.

    Raises
    ------
    SequenceError
        No series is called so, several are, or it cannot be a volume.
    """
    from tumorboard.sequences import Sequence

    images = [*study.images, *study.skipped]
    for name, called in wanted.items():
        sequence = Sequence(name)
        hits = [i for i in images if i.series and called in (str(i.series.number), i.series.series_uid)]
        if len(hits) != 1:
            known = ", ".join(sorted({str(i.series.number) for i in images if i.series}, key=lambda n: (len(n), n)))
            got = "none" if not hits else f"{len(hits)} stacks of images"
            remedy = f"the series are {known}"
            raise SequenceError(f"one series for --sequence {name}", got=got, where="--sequence", remedy=remedy)
        series = hits[0].series
        if series is not None and series.refusal:
            raise SequenceError("a series that is a volume", got=series.refusal, where=name, remedy=series.remedy)
        images = [_given(i, sequence, i is hits[0]) for i in images]
    used = tuple(i for i in images if i.recognition.sequence is not None)
    return replace(study, images=used, skipped=tuple(i for i in images if i.recognition.sequence is None))


def _given(image: ImageFile, sequence: object, chosen: bool) -> ImageFile:
    from tumorboard.sequences import Sequence

    if chosen and isinstance(sequence, Sequence):
        return replace(image, recognition=Recognition(sequence, "named by the user"), role=sequence.value)
    if image.recognition.sequence is sequence:
        return replace(image, recognition=Recognition(None, "another series is named by the user for its sequence"))
    return image


def series_warnings(series: Series, name: str) -> list[str]:
    """Return what to be told of a series that is used: what was mended, and a field of view that cuts the head."""
    told = [f"{name}: {note}" for note in series.notes]
    first = series.planes[0]
    in_plane = min(first.rows * first.spacing_mm[0], first.columns * first.spacing_mm[1])
    ends = (series.planes[0].position_mm, series.planes[-1].position_mm)
    through = sum((a - b) ** 2 for a, b in zip(*ends, strict=True)) ** 0.5
    if in_plane < LEAST_FIELD_MM[0] or through < LEAST_FIELD_MM[1]:
        size = f"{in_plane:.0f} mm in plane, {through:.0f} mm through the slices"
        told.append(f"{name}: a field of view of {size} cuts a head")
    return told
