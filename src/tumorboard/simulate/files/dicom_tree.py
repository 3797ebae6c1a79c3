"""Write a digital patient as a hospital exports one: DICOM files in folders, with everything around the four sequences.

Why it exists: intake must find four series among localizers, diffusion, reformats and screenshots, and a
demonstration begins with files. Truth lies apart and is never offered as input; every header says that the
patient is digital.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydicom import Dataset

from tumorboard.io.dicom.uids import uid_from
from tumorboard.io.dicom.write import to_bytes, write_series
from tumorboard.io.images import write_volume
from tumorboard.labels import REGIONS, LabelMap
from tumorboard.sequences import Sequence
from tumorboard.simulate.files.headers import LANGUAGES, VENDORS
from tumorboard.simulate.files.study_headers import StudyHeaders, Wanted
from tumorboard.simulate.files.tree import events_table, label_table
from tumorboard.simulate.native import NativeImage, NativePatient, NativeStudy
from tumorboard.simulate.scanner.acquisition import PROTOCOLS, REFORMAT, grid_of
from tumorboard.store import write_atomic, write_json
from tumorboard.transform import resample
from tumorboard.volume import Volume

SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
"""Secondary Capture Image Storage."""

B_VALUES = (0.0, 1000.0)
"""What the two images of the diffusion series are called, s/mm²."""


@dataclass(frozen=True)
class _Planned:
    """A series to be written: what its header must fit, and its stacks, each with tags of its own."""

    wanted: Wanted
    stacks: tuple[tuple[NativeImage, dict[str, object]], ...]


def write_digital_dicom(
    patient: NativePatient, folder: Path, told: Callable[[str, int], None] | None = None
) -> dict[str, int]:
    """Write images, events and truth.

    Parameters
    ----------
    patient : NativePatient
        From :func:`tumorboard.simulate.native.native_patient`.
    folder : Path
        Made if absent. ``dicom/`` holds the studies (one folder each, one below for each series, files
        without ending), ``events.csv`` the course, ``truth/`` what is known. Equal patients give equal bytes.
    told : callable, optional
        Called with the study's name and the number of files after each series.

    Returns
    -------
    dict of str to int
        DICOM files written, by study.

    Raises
    ------
    OutputError
        The folder cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from tumorboard.simulate.native import native_patient
    >>> with tempfile.TemporaryDirectory() as place:
    ...     written = write_digital_dicom(native_patient(spacing_mm=6.0, protocol="thick", studies=1), Path(place))
    ...     kinds = sorted(path.name for path in Path(place).iterdir())
    >>> list(written), kinds
    (['ses-01'], ['dicom', 'events.csv', 'truth'])
    """
    rng = np.random.default_rng([patient.seed, 3])
    language = LANGUAGES[int(rng.integers(len(LANGUAGES)))]
    vendors = rng.permutation(VENDORS)
    written = {}
    for n, study in enumerate(patient.studies):
        headers = StudyHeaders(rng, patient.seed, study.id, study.date, str(vendors[n % len(vendors)]), language)
        place = folder / "dicom" / f"PA{patient.seed:04d}" / f"ST{n + 1:04d}"
        written[study.id] = 0
        for count in _write_study(study, patient.protocol, headers, place):
            written[study.id] += count
            if told is not None:
                told(study.id, written[study.id])
        _write_truth(study, folder / "truth")
    write_atomic(folder / "truth" / "dseg.tsv", label_table())
    write_atomic(folder / "events.csv", events_table(patient.events, f"DIGITAL-{patient.seed}"))
    return written


def _write_study(study: NativeStudy, protocol: str, headers: StudyHeaders, folder: Path) -> Iterator[int]:
    """Write one study, series by series; yield how many files each has."""
    for planned in _plan(study, protocol):
        header = headers.draw(planned.wanted)
        place = folder / f"SE{header.SeriesNumber:04d}"
        first = 1
        for image, more in planned.stacks:
            for keyword, value in more.items():
                setattr(header, keyword, value)
            done = write_series(image.volume, place, header, thickness_mm=image.thickness_mm, first=first)
            first += len(done.files)
        yield first - 1
    header = headers.draw(Wanted("secondary capture"))
    shot = screenshot(study.images[Sequence.T1C].volume, header)
    write_atomic(folder / f"SE{header.SeriesNumber:04d}" / "IM0001", to_bytes(shot))
    yield 1


def _plan(study: NativeStudy, protocol: str) -> Iterator[_Planned]:
    """Return the series of a study in the order of acquisition, but for the screenshot."""
    yield _Planned(Wanted("localizer"), tuple((image, {}) for image in study.localizer))
    for sequence in (Sequence.T1, Sequence.T2, Sequence.FLAIR):
        yield _main(study, protocol, sequence)
    weighted = zip(study.diffusion, B_VALUES, strict=True)
    yield _Planned(Wanted("DWI", "axial", "2D"), tuple((image, {"DiffusionBValue": b}) for image, b in weighted))
    yield _main(study, protocol, Sequence.T1C)
    yield _Planned(Wanted("derived", REFORMAT.plane, after=True), ((reformat(study.images[Sequence.T1C]), {}),))


def _main(study: NativeStudy, protocol: str, sequence: Sequence) -> _Planned:
    how = PROTOCOLS[protocol][sequence]
    dims = "3D" if how.is_3d else "2D"
    wanted = Wanted(sequence.value, how.plane, dims, after=sequence is Sequence.T1C)
    return _Planned(wanted, ((study.images[sequence], {}),))


def reformat(image: NativeImage) -> NativeImage:
    """Return a multiplanar reformat, as consoles make them: straight, of another plane and thickness.

    Examples
    --------
    >>> volume = Volume.of(np.full((20, 20, 20), 100, np.int16), np.diag([8.0, 8.0, 8.0, 1.0]))
    >>> reformat(NativeImage(volume, np.eye(4))).volume.grid.axcodes
    'LIA'
    """
    given = image.volume.grid
    grid = grid_of(REFORMAT, given.to_world([(np.array(given.shape) - 1) / 2])[0])
    made = np.rint(resample(image.volume, grid).data).astype(np.int16)
    return NativeImage(Volume(made, grid), image.motion, REFORMAT.thickness_mm)


def screenshot(volume: Volume, header: Dataset) -> Dataset:
    """Return the middle slice as a secondary capture: 8 bits, without a place (PS3.3 A.8.1).

    Parameters
    ----------
    volume : Volume
        Axes are columns, rows, slices.
    header : pydicom.Dataset
        With patient, study and series; it is changed and returned.
    """
    picture = volume.data[:, :, volume.grid.shape[2] // 2].T.astype(np.float64)
    grey = np.clip(255.0 * picture / max(1.0, float(np.percentile(picture, 99.5))), 0, 255).astype(np.uint8)
    grey = np.pad(grey, ((0, grey.shape[0] % 2), (0, grey.shape[1] % 2)))  # pixel data are of even length
    header.SOPClassUID, header.SOPInstanceUID = SECONDARY_CAPTURE, uid_from(header.SeriesInstanceUID, "1")
    header.InstanceNumber, header.ConversionType, header.PatientOrientation = 1, "WSD", ""
    header.Rows, header.Columns = grey.shape
    header.SamplesPerPixel, header.PhotometricInterpretation = 1, "MONOCHROME2"
    header.BitsAllocated, header.BitsStored, header.HighBit, header.PixelRepresentation = 8, 8, 7, 0
    header.BurnedInAnnotation = "NO"
    del header.FrameOfReferenceUID
    header.PixelData = grey.tobytes()
    header["PixelData"].VR = "OW"
    return header


def _write_truth(study: NativeStudy, folder: Path) -> None:
    """Write label map and brain on the slices of T1C, and in numbers what is known."""
    slices = study.images[Sequence.T1C].volume.grid
    truth = resample(study.truth, slices, "nearest")
    write_volume(LabelMap(truth.data, slices), folder / f"{study.id}_dseg.nii.gz")
    brain = study.brain.with_data(study.brain.data.astype(np.uint8))
    write_volume(resample(brain, slices, "nearest"), folder / f"{study.id}_brain.nii.gz")
    known = {
        "note": "volumes are those of the digital head; label maps are its values at the centres of the T1C's voxels; "
        "motion maps the world of T1C to that of each sequence, pose that of the average head to T1C; RAS mm",
        "volume_ml": {region: round(study.truth.volume_ml(region), 4) for region in REGIONS if region != "RC"},
        "brain_ml": round(float(study.brain.data.sum()) * study.brain.grid.voxel_volume_ml, 4),
        "motion": {sequence.value: image.motion.tolist() for sequence, image in study.images.items()},
        "pose": study.pose.tolist(),
    }
    write_json(folder / f"{study.id}.json", known)
