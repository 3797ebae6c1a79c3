"""Results of the study stages on disk, written and read back unchanged.

Why it exists: a run that was killed, or that adds a later study, goes on from files. What is read back
is bit for bit what was computed, so that both ways end in the same numbers.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tumorboard.intake.redact import shown_name
from tumorboard.io.images import read_volume, write_volume
from tumorboard.labels import TISSUE_NAMES, LabelMap, Tissue
from tumorboard.measure.by_hand import HandDiameters
from tumorboard.measure.lesions import Lesions
from tumorboard.measure.sources import Files
from tumorboard.measure.study import Measured, Segmented
from tumorboard.measurement import Diameters, StudyMeasurements
from tumorboard.prepare.back import transform_files
from tumorboard.prepare.prepare import Prepared
from tumorboard.report.csv_table import measurements_csv
from tumorboard.sequences import Sequence
from tumorboard.series import Series
from tumorboard.store import CaseFolder, write_atomic, write_json
from tumorboard.study import FileChoice, Study
from tumorboard.transform import Frame
from tumorboard.volume import Grid, Volume

REFUSED = "desc-refused_"
"""How an image is called that was left out because its motion was refused."""


@dataclass(frozen=True)
class Outlined:
    """A segmentation as it is kept: what is measured, and what is told about how it came about."""

    segmented: Segmented
    told: dict[str, Any]


def files_of(folder: CaseFolder, study: str) -> Files:
    """Return the names that measurements of a study cite."""
    return Files(
        labels=folder.relative(folder.seg(study, "dseg.nii.gz")),
        lesions=folder.relative(folder.seg(study, "lesions.nii.gz")),
        brain=folder.relative(folder.anat(study, "desc-brain_mask")),
        native_labels=folder.relative(folder.native(study, "dseg.nii.gz")),
        native_lesions=folder.relative(folder.native(study, "lesions.nii.gz")),
    )


def source_card(choice: FileChoice, volume: Volume, input_digest: str) -> dict[str, Any]:
    """Return what ``source.json`` says of one sequence: which file or objects, why, and on which grid."""
    card: dict[str, Any] = {"file": shown_name(choice.path)} if choice.series is None else _objects(choice.series)
    return card | {
        "digest": input_digest,
        "reason": choice.reason,
        "shape": list(volume.grid.shape),
        "affine": volume.affine.tolist(),
        "axcodes": volume.grid.axcodes,
    }


def _objects(series: Series) -> dict[str, Any]:
    planes = [{"SOPInstanceUID": plane.sop_uid, "frame": plane.frame} for plane in series.planes]
    return {"series": series.number, "SeriesInstanceUID": series.series_uid, "planes": planes}


def save_prepared(folder: CaseFolder, prepared: Prepared, source: dict[str, Any]) -> list[Path]:
    """Write the prepared images, brain mask, frame, transforms, quality and source; return the files."""
    study = prepared.study
    written = []
    for sequence, volume in study.volumes.items():
        written.append(folder.anat(study.id, sequence.bids_suffix))
        write_volume(volume, written[-1])
    written.append(folder.anat(study.id, "desc-brain_mask"))
    write_volume(Volume(study.brain, study.grid), written[-1])
    if prepared.subtraction is not None:
        written.append(folder.anat(study.id, Sequence.SUB.bids_suffix))
        write_volume(prepared.subtraction, written[-1])
    for sequence, refused in prepared.dropped.items():
        written.append(folder.anat(study.id, f"{REFUSED}{sequence.bids_suffix}"))
        write_volume(refused.image, written[-1])
    for name, text in transform_files(prepared).items():
        written.append(folder.session(study.id) / "xfm" / f"{folder.stem(study.id)}_{name}")
        write_atomic(written[-1], text)
    frame = study.frame.as_json() if study.frame else {}
    session = folder.session(study.id)
    native = None if study.native is None else {"shape": study.native.shape, "affine": study.native.affine.tolist()}
    about = {"native_axcodes": study.native_axcodes, "native_grid": native, "sequences": list(study.volumes)}
    quality = prepared.quality() | about
    for name, content in (
        (f"xfm/{folder.stem(study.id)}_frame.json", frame),
        ("quality.json", quality),
        ("source.json", source),
    ):
        written.append(session / name)
        write_json(written[-1], content)
    return written


def load_refused(folder: CaseFolder, study: str) -> dict[Sequence, Volume]:
    """Read the images whose motions were refused, as they would have lain."""
    dropped = read_json(folder.session(study) / "quality.json")["dropped"]
    names = (Sequence(name) for name in dropped)
    return {s: read_volume(folder.anat(study, f"{REFUSED}{s.bids_suffix}"), s.value) for s in names}


def load_study(folder: CaseFolder, study: str) -> Study:
    """Read a prepared study back."""
    session = folder.session(study)
    quality = read_json(session / "quality.json")
    sequences = (Sequence(name) for name in quality["sequences"])
    volumes = {s: read_volume(folder.anat(study, s.bids_suffix), s.value) for s in sequences}
    brain = read_volume(folder.anat(study, "desc-brain_mask"), "brain mask").data > 0
    given = quality["native_grid"]
    native = None if given is None else Grid(tuple(given["shape"]), np.array(given["affine"]))
    frame = Frame.from_json(read_json(session / f"xfm/{folder.stem(study)}_frame.json"))
    return Study(study, volumes, brain, quality["native_axcodes"], frame, native)


def read_json(path: Path) -> Any:
    """Read a JSON file that a finished stage wrote."""
    return json.loads(path.read_text())


def save_outlined(folder: CaseFolder, study: Study, outlined: Outlined) -> list[Path]:
    """Write the label map (working and native space), memberships and what is told; return the files."""
    labels = outlined.segmented.labels
    native = outlined.segmented.native or labels.reoriented(study.native_axcodes)
    written = [folder.seg(study.id, "dseg.nii.gz"), folder.native(study.id, "dseg.nii.gz")]
    write_volume(labels, written[0])
    write_volume(native, written[1])
    for region, volume in outlined.segmented.memberships.items():
        written.append(folder.seg(study.id, f"label-{region}_probseg.nii.gz"))
        write_volume(volume, written[-1])
    side: dict[str, Any] = {
        "LabelNames": {str(int(t)): t.name for t in Tissue},
        "LabelDescriptions": {str(int(t)): TISSUE_NAMES[t] for t in Tissue},
        "SpatialReference": folder.relative(folder.anat(study.id, study.reference.bids_suffix)),
        "Memberships": sorted(outlined.segmented.memberships),
        "NotAssessable": dict(outlined.segmented.not_assessable),
        "Intervals": {region: list(bounds) for region, bounds in outlined.segmented.intervals.items()},
        "Method": outlined.told,
    }
    if outlined.segmented.by_hand:
        side["DiametersByHand"] = [hand.model_dump(mode="json") for hand in outlined.segmented.by_hand]
    written.append(folder.seg(study.id, "dseg.json"))
    write_json(written[-1], side)
    return written


def load_outlined(folder: CaseFolder, study: Study) -> Outlined:
    """Read a segmentation back."""
    side = read_json(folder.seg(study.id, "dseg.json"))
    read = read_volume(folder.seg(study.id, "dseg.nii.gz"), "labels")
    memberships = {
        region: Volume(read_volume(folder.seg(study.id, f"label-{region}_probseg.nii.gz"), region).data, study.grid)
        for region in side["Memberships"]
    }
    native = None
    if study.native is not None:
        native = LabelMap(read_volume(folder.native(study.id, "dseg.nii.gz"), "native labels").data, study.native)
    intervals = {region: (low, high) for region, (low, high) in side["Intervals"].items()}
    labels = LabelMap(read.data, study.grid)
    by_hand = tuple(HandDiameters.model_validate(hand) for hand in side.get("DiametersByHand", ()))
    segmented = Segmented(labels, memberships, side["NotAssessable"], native, intervals, by_hand)
    return Outlined(segmented, side["Method"])


def save_measured(folder: CaseFolder, measured: Measured, listed: StudyMeasurements, study: Study) -> list[Path]:
    """Write measurements (JSON, CSV), diameters and lesion numbers; return the files."""
    session = folder.session(study.id)
    lesions = folder.seg(study.id, "lesions.nii.gz")
    write_volume(Volume(measured.lesions.numbers, study.grid), lesions)
    written = [lesions, session / "measurements.json", session / "measurements.csv", session / "diameters.json"]
    if measured.native_lesions is not None and study.native is not None:
        written.append(folder.native(study.id, "lesions.nii.gz"))
        write_volume(Volume(measured.native_lesions, study.native), written[-1])
    write_json(session / "measurements.json", listed.model_dump(mode="json"))
    write_atomic(session / "measurements.csv", measurements_csv(listed))
    drawn = {str(n): {k: d.model_dump(mode="json") for k, d in by.items()} for n, by in measured.diameters.items()}
    about = {"region": measured.lesions.region, "fragments_ml": measured.lesions.fragments_ml, "lesions": drawn}
    write_json(session / "diameters.json", about)
    return written


def load_measured(folder: CaseFolder, study: Study) -> tuple[Measured, StudyMeasurements]:
    """Read the measurements of a study back."""
    session = folder.session(study.id)
    listed = StudyMeasurements.model_validate_json((session / "measurements.json").read_text())
    about = read_json(session / "diameters.json")
    numbers = read_volume(folder.seg(study.id, "lesions.nii.gz"), "lesions").data.astype(np.uint16)
    diameters = {int(n): {k: Diameters.model_validate(d) for k, d in by.items()} for n, by in about["lesions"].items()}
    count = int(numbers.max()) if numbers.size else 0
    lesions = Lesions(about["region"], numbers, count, about["fragments_ml"])
    native = None
    if study.native is not None:
        native = read_volume(folder.native(study.id, "lesions.nii.gz"), "lesions").data.astype(np.uint16)
    return Measured(listed.measurements, lesions, diameters, native), listed
