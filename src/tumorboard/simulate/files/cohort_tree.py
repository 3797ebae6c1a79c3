"""A cohort as files: a BIDS tree, or DICOM studies, with truth and tables beside.

Why it exists: others' tools must read it, so names and sidecars follow BIDS 1.10 where it has them; perfusion, PET, CT
and maps, for which it asks for facts that a digital scanner lacks or has no name, stand in ``derivatives/maps``.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tumorboard.atlas.icbm152 import icbm152
from tumorboard.csv_text import table_text
from tumorboard.io.images import write_volume
from tumorboard.labels import LabelMap
from tumorboard.sequences import Sequence
from tumorboard.simulate.files.dicom_tree import write_digital_dicom
from tumorboard.simulate.files.series import write_series_nifti
from tumorboard.simulate.files.tree import (
    EVENT_COLUMNS,
    described,
    events_table,
    sessions_table,
    write_descriptions,
)
from tumorboard.simulate.native import NativePatient, native_study
from tumorboard.simulate.scanner.acquisition import PROTOCOLS as PLANES
from tumorboard.simulate.scanner.head import whole_head
from tumorboard.simulate.scanner.maps import Extra
from tumorboard.simulate.scanner.render import clean_signals
from tumorboard.simulate.scanner.sites import Site
from tumorboard.simulate.scanner.weighting import PROTOCOLS
from tumorboard.simulate.subject import Made, Member, studies
from tumorboard.simulate.tables import (
    BIOPSIES,
    LESIONS,
    PARTICIPANTS,
    VISITS,
    biopsy_rows,
    events_of,
    expression,
    expression_header,
    lesion_rows,
    participant,
    visit_row,
)
from tumorboard.store import write_atomic, write_json
from tumorboard.volume import Grid, Volume

FOLDERS: dict[Sequence, tuple[str, str]] = {
    Sequence.BB: ("anat", "acq-blackblood_T1w"),
    Sequence.SWI: ("anat", "swi"),
    Sequence.T2STAR: ("anat", "T2starw"),
    Sequence.ADC: ("dwi", "ADC"),
    Sequence.FA: ("dwi", "FA"),
    Sequence.DSC: ("perf", "dsc"),
    Sequence.CBV: ("perf", "cbv"),
    Sequence.DCE: ("perf", "dce"),
    Sequence.KTRANS: ("perf", "ktrans"),
    Sequence.BOLD: ("func", "task-rest_bold"),
    Sequence.PET_FET: ("pet", "trc-FET_pet"),
    Sequence.PET_MET: ("pet", "trc-MET_pet"),
    Sequence.CT: ("ct", "ct"),
}
"""Folder and ending of what stands in ``derivatives/maps``."""

RAW: dict[Sequence, str] = {Sequence.DWI: "acq-trace_dwi", Sequence.DTI: "acq-tensor_dwi"}
"""Ending of what stands in the raw tree, with b-values and directions."""

PLANES_OF_SITE = {"3t-spgr": "3d", "3t-mprage": "mixed", "1.5t-se": "thick"}
"""How sites of each protocol lay their planes in DICOM."""


def is_whole(folder: Path, label: str) -> bool:
    """Whether a patient is written to the end."""
    return (_truth(folder, label) / f"sub-{label}_visits.tsv").exists()


def write_cohort_tables(folder: Path, name: str, seed: int, members: Mapping[str, Member], dicom: bool = False) -> None:
    """Write what is known before any image: descriptions, people, expression and events.

    Events name patients as their images do: by BIDS label, or by the patient ID of their DICOM files.
    """
    derivatives = folder / "derivatives"
    write_descriptions(folder, name, seed)
    write_json(derivatives / "maps" / "dataset_description.json", described(f"{name}: maps", "derivative", seed))
    write_atomic(folder / "README", f"{name}. Digital patients, made from seed {seed}: nothing measured on them is\n"
                 "evidence about people. Tables of truth: derivatives/truth.\n")  # fmt: skip
    rows = [participant(label, member) for label, member in members.items()]
    write_atomic(folder / "participants.tsv", table_text(PARTICIPANTS, rows, "\t"))
    write_json(folder / "participants.json", _explained())
    rows = [expression(label, member) for label, member in members.items()]
    write_atomic(derivatives / "truth" / "expression.tsv", table_text(expression_header(), rows, "\t"))
    happened = []
    for label, member in members.items():
        who = f"DIGITAL-{dicom_number(seed, member)}" if dicom else label
        happened.append(events_table(events_of(member), who).partition("\n")[2])
    write_atomic(folder / "events.csv", ",".join(EVENT_COLUMNS) + "\n" + "".join(happened))
    write_atomic(folder / ".bidsignore", "events.csv\ndigital.json\nsub-*/dicom\n")


def _explained() -> dict[str, object]:
    units = {"age": "year", "survival_days": "day", "progression_days": "day", "two_hg_mm": "mmol/L"}
    return {
        column: {"Description": column.replace("_", " "), **({"Units": units[column]} if column in units else {})}
        for column in PARTICIPANTS[1:]
    }


def write_patient(
    folder: Path, label: str, seed: int, member: Member, spacing_mm: float, extras: tuple[Sequence, ...]
) -> None:
    """Write one patient of a BIDS tree; the table of visits comes last, so that it says the patient is whole."""
    subject = f"sub-{label}"
    truth, tables = _truth(folder, label), _Tables()
    dates = []
    for n, made in enumerate(studies(seed, member, spacing_mm, extras)):
        stem = f"{subject}_{made.id}"
        for sequence, volume in made.volumes.items():
            image = folder / subject / made.id / "anat" / f"{stem}_{sequence.bids_suffix}"
            write_volume(volume, image.with_name(f"{image.name}.nii.gz"))
            write_json(image.with_name(f"{image.name}.json"), sidecar(member.site, sequence))
        for sequence, extra in made.extras.items():
            _write_extra(folder, subject, made.id, stem, sequence, extra)
        _write_truth(truth / made.id / "seg" / stem, made)
        tables.add(label, seed, member, n, made)
        dates.append((made.id, made.date))
    write_atomic(folder / subject / f"{subject}_sessions.tsv", sessions_table(dates))
    tables.write(truth / subject)


def sidecar(site: Site, sequence: Sequence) -> dict[str, object]:
    """Return what BIDS wants to know of an image: scanner, field and times (BIDS 1.10, MRI sidecar).

    Examples
    --------
    >>> from tumorboard.simulate.scanner.sites import SITES
    >>> sidecar(SITES[2], Sequence.FLAIR)["MagneticFieldStrength"]
    1.5
    """
    protocol = PROTOCOLS[site.protocol]
    how = protocol.weightings[sequence]
    told: dict[str, object] = {
        "Manufacturer": site.vendor,
        "InstitutionName": site.name,
        "MagneticFieldStrength": protocol.field_t,
        "ScanningSequence": {"SE": "SE", "GRE": "GR", "IR": "IR"}[how.kind],
        "RepetitionTime": how.tr_ms / 1e3,
        "EchoTime": how.te_ms / 1e3,
        "FlipAngle": how.flip_deg,
        "SkullStripped": True,
    }
    if how.ti_ms:
        told["InversionTime"] = how.ti_ms / 1e3
    if site.slice_mm.get(sequence):
        told["SliceThickness"] = site.slice_mm[sequence]
    return told


def dicom_number(seed: int, member: Member) -> int:
    """Return the number in a patient's DICOM ID; it is another in every cohort."""
    return 100_000 * (seed % 20_000) + member.number + 1


def write_patient_dicom(folder: Path, label: str, seed: int, member: Member, spacing_mm: float) -> None:
    """Write one patient as whole heads in DICOM, and its tables."""
    how, planes = PROTOCOLS[member.site.protocol], PLANES_OF_SITE[member.site.protocol]
    tables, native = _Tables(), []
    for n, made in enumerate(studies(seed, member, spacing_mm, volumes=False)):
        signals = clean_signals(made.mixture, how)
        full = icbm152(spacing_mm).grid
        volumes = {s: Volume(_placed(1000.0 * image, made, full), full) for s, image in signals.items()}
        truth = LabelMap(_placed(made.truth.data, made, full), full)
        head = whole_head(volumes, _placed(made.head.brain, made, full), truth, protocol=how)
        rng = np.random.default_rng([seed, member.number, 11, n])
        native.append(native_study(head, made.id, made.date, PLANES[planes], rng))
        tables.add(label, seed, member, n, made)
    patient = NativePatient(
        dicom_number(seed, member), member.site.name, tuple(native), tuple(events_of(member)), planes
    )
    write_digital_dicom(patient, folder / f"sub-{label}")
    tables.write(_truth(folder, label) / f"sub-{label}")


def _placed(data: NDArray[np.generic], made: Made, full: Grid) -> NDArray[Any]:
    """Put a brain's box back into the whole field of view."""
    first = np.rint(full.to_voxel(made.truth.grid.affine[:3, 3][None])[0]).astype(int)
    out = np.zeros(full.shape, dtype=data.dtype)
    out[tuple(slice(f, f + n) for f, n in zip(first, data.shape, strict=True))] = data
    return out


class _Tables:
    """Rows of one patient's tables."""

    def __init__(self) -> None:
        self.visits: list[tuple[object, ...]] = []
        self.lesions: list[tuple[object, ...]] = []
        self.biopsies: list[tuple[object, ...]] = []

    def add(self, label: str, seed: int, member: Member, n: int, made: Made) -> None:
        self.visits.append(visit_row(label, member, n, made))
        self.lesions += lesion_rows(label, made)
        if n == 0:
            self.biopsies += biopsy_rows(label, made, np.random.default_rng([seed, member.number, 12]))

    def write(self, stem: Path) -> None:
        for name, columns, rows in (
            ("lesions", LESIONS, self.lesions),
            ("biopsies", BIOPSIES, self.biopsies),
            ("visits", VISITS, self.visits),
        ):
            write_atomic(stem.with_name(f"{stem.name}_{name}.tsv"), table_text(columns, rows, "\t"))


def write_merged_tables(folder: Path, members: Mapping[str, Member]) -> None:
    """Write the tables of all patients as one each."""
    for name, columns in (("visits", VISITS), ("lesions", LESIONS), ("biopsies", BIOPSIES)):
        rows: list[list[str]] = []
        for label in members:
            with (_truth(folder, label) / f"sub-{label}_{name}.tsv").open(newline="") as file:
                rows += list(csv.reader(file, delimiter="\t"))[1:]
        write_atomic(folder / "derivatives" / "truth" / f"{name}.tsv", table_text(columns, rows, "\t"))


def _truth(folder: Path, label: str) -> Path:
    return folder / "derivatives" / "truth" / f"sub-{label}"


def _write_truth(stem: Path, made: Made) -> None:
    write_volume(made.truth, stem.with_name(f"{stem.name}_dseg.nii.gz"))
    grid = made.truth.grid
    if made.necrosis.any():
        mask = Volume(made.necrosis.astype(np.uint8), grid)
        write_volume(mask, stem.with_name(f"{stem.name}_desc-necrosis_mask.nii.gz"))
    if made.lesions is not None:
        write_volume(Volume(made.lesions, grid), stem.with_name(f"{stem.name}_desc-lesions_dseg.nii.gz"))


def _write_extra(folder: Path, subject: str, session: str, stem: str, sequence: Sequence, extra: Extra) -> None:
    if sequence in RAW:
        write_series_nifti(extra, folder / subject / session / "dwi" / f"{stem}_{RAW[sequence]}")
        return
    where, ending = FOLDERS[sequence]
    write_series_nifti(extra, folder / "derivatives" / "maps" / subject / session / where / f"{stem}_{ending}")
