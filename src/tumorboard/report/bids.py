"""Case folders as a BIDS derivative dataset: names, sidecars and tables that other tools read.

Why it exists: a case folder is laid out for people and for the chain. Whoever analyses a cohort wants a dataset that
the BIDS validator accepts, without what only we understand. Images are copied byte for byte, dates stay behind, and
digital patients are told as such in the dataset's description.

Source: BIDS 1.10, "Derivatives" (common data types, imaging: preprocessed data, masks, segmentations).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tumorboard import __version__
from tumorboard.errors import FileFormatError, InputError, OutputError
from tumorboard.labels import TISSUE_NAMES, Tissue
from tumorboard.store import write_atomic, write_json

BIDS_VERSION = "1.10.0"

IMAGES = {
    "T1w": "desc-preproc_T1w",
    "ce-gadolinium_T1w": "ce-gadolinium_desc-preproc_T1w",
    "T2w": "desc-preproc_T2w",
    "FLAIR": "desc-preproc_FLAIR",
    "acq-blackblood_T1w": "acq-blackblood_desc-preproc_T1w",
}
"""Prepared images: end of the name in the case folder, and in the dataset."""

SKULL_STRIPPED = {
    "SkullStripped": True,
    "Description": "Aligned to one grid, bias field removed, median 0 and robust standard deviation 1 in the brain.",
}

_IGNORED = ("*_measurements.tsv", "*_measurements.json")
"""BIDS has no place for these; they are kept, and the validator is told so."""


@dataclass(frozen=True)
class Exported:
    """How many patients, studies and files were written."""

    patients: int
    studies: int
    files: int


def export_bids(cases: Sequence[Path], out: Path) -> Exported:
    """Write case folders as a BIDS derivative dataset.

    Parameters
    ----------
    cases : sequence of Path
        ``sub-`` folders of finished runs, of one patient each.
    out : Path
        A new or empty folder.

    Returns
    -------
    Exported

    Raises
    ------
    InputError
        A folder is no case folder, or two are of one pseudonym.
    OutputError
        The output folder is not empty, or cannot be written.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise OutputError("a new or empty folder", got="one with files", where="--out", remedy="choose another")
    told = [_patient(case) for case in cases]
    names = [str(t["pseudonym"]) for t in told]
    if not names or len(set(names)) != len(names):
        got = "one pseudonym twice" if names else "none"
        raise InputError("case folders of different patients", got=got, where="case folders")
    studies = files = 0
    for case, patient in zip(cases, told, strict=True):
        for study in patient["studies"]:
            written = len(list(_study(case, case.name, str(study["id"]), out)))
            studies, files = studies + (written > 0), files + written
    _dataset(out, told)
    return Exported(len(cases), studies, files)


def _patient(case: Path) -> dict[str, Any]:
    try:
        told: dict[str, Any] = json.loads((case / "patient.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        remedy = "give sub- folders that tumorboard run wrote"
        raise InputError("a case folder", got="another", where="case folders", remedy=remedy) from error
    return told


def _dataset(out: Path, told: Sequence[dict[str, Any]]) -> None:
    digital = [bool(t.get("digital", False)) for t in told]
    about = "Digital patients: simulated images, no real persons. " * any(digital)
    write_json(
        out / "dataset_description.json",
        {
            "Name": f"{about}Brain tumours, prepared, outlined and measured",
            "BIDSVersion": BIDS_VERSION,
            "DatasetType": "derivative",
            "GeneratedBy": [{"Name": "tumorboard", "Version": __version__, "Description": "Research software"}],
        },
    )
    rows = [[f"sub-{t['pseudonym']}", "yes" if d else "no"] for t, d in zip(told, digital, strict=True)]
    write_atomic(out / "participants.tsv", _tsv([["participant_id", "digital"], *rows]))
    write_json(out / "participants.json", {"digital": {"Description": "Whether the patient is simulated"}})
    write_atomic(out / ".bidsignore", "".join(f"{name}\n" for name in _IGNORED))
    write_atomic(out / "README", f"{about}Research, not for diagnosis. Written by tumorboard {__version__}.\n")


def _study(case: Path, subject: str, study: str, out: Path) -> Iterator[Path]:
    """Write one study and yield its files."""
    start, folder = f"{subject}_{study}", out / subject / study / "anat"
    images, outlines = case / study / "anat", case / study / "seg"
    for ending, name in IMAGES.items():
        yield from _image(images / f"{start}_{ending}.nii.gz", folder / f"{start}_{name}", SKULL_STRIPPED)
    yield from _image(
        images / f"{start}_desc-brain_mask.nii.gz", folder / f"{start}_desc-brain_mask", {"Type": "Brain"}
    )
    dseg = outlines / f"{start}_dseg.nii.gz"
    if dseg.is_file():
        told = _read(outlines / f"{start}_dseg.json")
        about = {"Manual": told.get("segmenter", "").startswith("manual")} if told else {}
        yield from _image(dseg, folder / f"{start}_desc-tumour_dseg", about)
        lines = [["index", "name", "abbreviation"], *([str(int(t)), TISSUE_NAMES[t], t.name] for t in Tissue)]
        yield _wrote(folder / f"{start}_desc-tumour_dseg.tsv", _tsv(lines))
    for path in sorted(outlines.glob(f"{start}_label-*_probseg.nii.gz")):
        region = path.name.split("_label-")[1].split("_")[0]
        yield from _image(path, folder / f"{start}_label-{region}_probseg", {})
    yield from _measurements(case / study / "measurements.json", folder / f"{start}_measurements")


def _image(source: Path, target: Path, about: dict[str, Any]) -> Iterator[Path]:
    """Copy an image and write its sidecar; nothing where it is not there."""
    if not source.is_file():
        return
    yield _wrote(target.parent / f"{target.name}.nii.gz", source.read_bytes())
    if about:
        path = target.parent / f"{target.name}.json"
        write_json(path, about)
        yield path


def _measurements(source: Path, target: Path) -> Iterator[Path]:
    if not source.is_file():
        return
    listed = _read(source)["measurements"]
    columns = ("region", "name", "value", "unit", "status", "reason", "quality", "method")
    rows = [[_cell(m.get(c)) for c in columns] for m in listed]
    yield _wrote(target.parent / f"{target.name}.tsv", _tsv([list(columns), *rows]))


def _cell(value: Any) -> str:
    text = "" if value is None else str(value)
    return " ".join(text.split()) or "n/a"


def _tsv(rows: list[list[str]]) -> str:
    return "".join("\t".join(row) + "\n" for row in rows)


def _read(path: Path) -> dict[str, Any]:
    try:
        told: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    except (OSError, ValueError) as error:
        raise FileFormatError("a case folder as the chain writes it", got="a broken file", where=path.name) from error
    return told


def _wrote(path: Path, content: bytes | str) -> Path:
    write_atomic(path, content)
    return path
