"""What the user names by hand: ``--t1 FILE``, ``--sequence NAME=FILE``, ``--labels FILE --scheme NAME``.

Why it exists: what a person says overrules what a name seems to say, but it does not overrule whose
images they are: files that name two patients are refused here too.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from tumorboard.errors import LabelError, SequenceError, did_you_mean
from tumorboard.intake.group import Owner, StudyFiles
from tumorboard.intake.names import Recognition
from tumorboard.intake.scan import ImageFile
from tumorboard.intake.vocabulary import EXTENSION
from tumorboard.labels import DICOM_SEG, SCHEMES
from tumorboard.sequences import Sequence
from tumorboard.study import LabelsInput

NAMED = "named by the user"


def own_sequences(sequences: Mapping[Sequence, Path]) -> tuple[ImageFile, ...]:
    """Return the files given by sequence, after checking that they are there and are images.

    Raises
    ------
    SequenceError
        Nothing there, not an image by its ending, or one file for two sequences.
    """
    files: dict[Path, Sequence] = {}
    for sequence, path in sequences.items():
        _check_image(path, sequence.value, SequenceError)
        place = path.parent.resolve() / path.name
        if place in files:
            got = f"the same file for {files[place].value} and {sequence.value}"
            raise SequenceError("one file for each sequence", got=got, where=sequence.value)
        files[place] = sequence
    return tuple(ImageFile(p, p.parent, Recognition(s, NAMED), given=True) for p, s in files.items())


def own_labels(path: Path | None, scheme: str | None) -> LabelsInput | None:
    """Return the user's masks with their scheme, or None where there are none.

    Raises
    ------
    LabelError
        Nothing there, not an image by its ending, no scheme, or an unknown one.
    """
    known = ", ".join(s for s in SCHEMES if s != DICOM_SEG)
    if path is not None and path.is_file() and not EXTENSION.search(path.name) and _is_segmentation(path):
        if scheme not in (None, DICOM_SEG):
            told = "a DICOM segmentation says itself what its segments are"
            raise LabelError("no --scheme beside a DICOM segmentation", got="one", where="labels", remedy=told)
        return LabelsInput(path.parent.resolve() / path.name, DICOM_SEG)
    if path is None:
        if scheme is not None:
            raise LabelError(
                "--labels FILE beside --scheme", got="a scheme alone", remedy="add --labels or drop --scheme"
            )
        return None
    _check_image(path, "labels", LabelError)
    if scheme is None:
        told = f"add one of {known}"
        raise LabelError("--labels and --scheme together", got="labels alone", where="labels", remedy=told)
    if scheme not in SCHEMES or scheme == DICOM_SEG:
        remedy = did_you_mean(scheme, SCHEMES, "use one of those")
        raise LabelError(f"one of the schemes {known}", got="an unknown one", where="--scheme", remedy=remedy)
    return LabelsInput(path.parent.resolve() / path.name, scheme)


def own_brain_mask(path: Path | None) -> Path | None:
    """Return the user's brain mask after checking that it is there and is an image by its ending."""
    if path is None:
        return None
    _check_image(path, "--brain-mask", LabelError)
    return path.parent.resolve() / path.name


def _is_segmentation(path: Path) -> bool:
    from tumorboard.io.dicom.scan import scan_dicom

    return bool(scan_dicom([path]).segmentations)


def _check_image(path: Path, where: str, error: type[SequenceError] | type[LabelError]) -> None:
    if not path.is_file():
        got = "a folder" if path.is_dir() else "nothing there"
        raise error("an image file", got=got, where=where, remedy="check the name given")
    if not EXTENSION.search(path.name):
        endings = ".nii, .nii.gz, .nrrd, .nhdr, .mha or .mhd"
        raise error(f"an image file ({endings})", got="another ending", where=where, remedy="convert the file")


def study_of_own(files: tuple[ImageFile, ...]) -> StudyFiles:
    """Return the study that the files given by hand make up on their own."""
    first = _one_patient(files)
    if first is not None and first.identity is not None:
        i = first.identity
        return StudyFiles(Owner(i.convention, i.patient, first.root), i.session, "", None, files, ())
    names = "|".join(sorted(file.path.name for file in files))
    return StudyFiles(Owner("", "", min(file.root for file in files) / names), "", "", None, files, ())


def overrule(study: StudyFiles, files: tuple[ImageFile, ...]) -> StudyFiles:
    """Put the files given by hand in the place of what was recognised for their sequences.

    Raises
    ------
    SequenceError
        Their names belong to another patient or time point than the study.
    """
    _one_patient((*files, *study.images))
    mine = {file.recognition.sequence for file in files}
    left = tuple(
        replace(file, recognition=Recognition(None, f"another file is {NAMED} for its sequence"))
        for file in study.images
        if file.recognition.sequence in mine
    )
    kept = tuple(file for file in study.images if file.recognition.sequence not in mine)
    return replace(study, images=(*files, *kept), skipped=(*study.skipped, *left))


def without(images: Iterable[ImageFile], taken: Iterable[Path]) -> list[ImageFile]:
    """Return the images that the user has not given a role by hand."""
    gone = {path.resolve() for path in taken}
    return [image for image in images if image.path.resolve() not in gone] if gone else list(images)


def _one_patient(files: Iterable[ImageFile]) -> ImageFile | None:
    """Return a file that names its patient; refuse files that name two, or two time points."""
    named = [file for file in files if file.identity is not None]
    owners = {(i.convention, i.patient.casefold(), i.session) for file in named if (i := file.identity) is not None}
    if len(owners) > 1:
        what = "patients" if len({owner[:2] for owner in owners}) > 1 else "time points"
        raise SequenceError(
            "files of one patient and one time point",
            got=f"names of {len(owners)} {what}",
            where="input",
            remedy="give the files of one study only, or rename them if their names are wrong",
        )
    return named[0] if named else None
