"""``simulate``: a digital patient's files, as a hospital exports them or as BIDS.

Why it exists: whoever wants to try the house on data that may be shown needs files first. What is simulated
says so in every header, and nothing measured on it is evidence about people.
"""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from tumorboard.errors import InputError, OutputError

MARK = "digital.json"
"""Says that a folder is ours, and which patient it holds."""


class Form(StrEnum):
    """What is written."""

    DICOM = "dicom"
    BIDS = "bids"


class ProtocolName(StrEnum):
    """How the heads are acquired."""

    MIXED = "mixed"
    THICK = "thick"
    THREE_D = "3d"


Out = Annotated[Path, typer.Option("--out", "-o", help="Folder for the digital patient.", show_default=False)]
Seed = Annotated[int, typer.Option("--seed", min=0, help="Another seed makes another patient.")]
As = Annotated[
    Form | None,
    typer.Option(
        "--as",
        help="dicom: whole heads as scanners give them (the default of one patient); bids: stripped brains.",
        show_default=False,
    ),
]
Patients = Annotated[
    int | None, typer.Option("--patients", help="A cohort of so many, with outcomes, as BIDS.", show_default=False)
]
Visits = Annotated[int, typer.Option("--visits", help="Studies of each patient of a cohort, 1 to 3.")]
Spacing = Annotated[float, typer.Option("--spacing-mm", help="Voxel size of a cohort, 1 to 6 mm.")]
Workers = Annotated[int, typer.Option("--workers", min=1, help="Patients of a cohort that are made at once.")]
Null = Annotated[bool, typer.Option("--null", help="A cohort whose survival depends on nothing.")]
How = Annotated[
    ProtocolName | None,
    typer.Option(
        "--protocol",
        help="Planes of the DICOM series: 2-D of several planes (mixed, the default), 2-D 5 mm (thick), 3-D 1 mm (3d).",
        show_default=False,
    ),
]


def _simulate(
    out: Out,
    seed: Seed = 7,
    form: As = None,
    protocol: How = None,
    patients: Patients = None,
    visits: Visits = 3,
    spacing_mm: Spacing = 2.0,
    workers: Workers = 1,
    null: Null = False,
) -> None:
    """Make a digital patient with three studies of a growing tumour, or a cohort, and write files with the truth."""
    if patients is not None:
        _refuse_dicom(form, protocol)
        lines = _cohort(out, patients, seed, visits, spacing_mm, workers, null)
    else:
        lines = _one(out, seed, form or Form.DICOM, protocol)
    for line in lines:
        typer.echo(line)
    whom = "digital patients, made from a seed" if patients is not None else "a digital patient, made from a seed"
    typer.echo(f"{whom}: nothing measured on it is evidence about people")


def _refuse_dicom(form: Form | None, protocol: ProtocolName | None) -> None:
    if form is Form.DICOM or protocol is not None:
        told = "leave --as and --protocol out, or --patients"
        raise InputError("a cohort as BIDS", got="--as dicom or --protocol", where="--patients", remedy=told)


def _one(out: Path, seed: int, form: Form, protocol: ProtocolName | None) -> list[str]:
    if form is Form.BIDS and protocol is not None:
        got, remedy = "both", "leave --protocol out, or write --as dicom"
        raise InputError("--protocol with --as dicom only", got=got, where="--protocol", remedy=remedy)
    used = (protocol or ProtocolName.MIXED).value if form is Form.DICOM else ""
    _take(out, {"digital patient": True, "seed": seed, "as": form.value, "protocol": used})
    return _bids(out, seed) if form is Form.BIDS else _dicom(out, seed, used)


def _cohort(out: Path, patients: int, seed: int, visits: int, spacing_mm: float, workers: int, null: bool) -> list[str]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from tumorboard.simulate.cohort import CohortPlan, write_cohort

    plan = CohortPlan(patients, seed, visits, spacing_mm, null)
    _take(out, {"digital cohort": True, **vars(plan)})
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(), transient=True) as bar:
        task = bar.add_task("patients", total=patients)
        for done in write_cohort(plan, out, workers):
            bar.update(task, completed=done)
    return [
        f"{patients} patients, {patients * visits} studies: participants.tsv",
        "course: events.csv; truth: derivatives/truth",
        "images depend on neither genotype nor outcome in this version",
    ]


def _take(out: Path, what: dict[str, object]) -> None:
    """Refuse a folder that is not empty and not this patient's; mark it; remove what a killed run left."""
    from tumorboard.store import output_error, remove_temporaries, write_json

    try:
        filled = out.is_dir() and any(out.iterdir())
        same = filled and _mark_of(out) == what
    except OSError as error:
        raise output_error(error) from error
    if filled and not same:
        raise OutputError(
            "an empty folder, or one that holds this digital patient",
            got="other files, or another digital patient",
            where="output",
            remedy="choose another --out",
        )
    write_json(out / MARK, what)
    remove_temporaries(out)


def _mark_of(out: Path) -> object:
    try:
        return json.loads((out / MARK).read_text())
    except (OSError, ValueError):
        return None


def _bids(out: Path, seed: int) -> list[str]:
    from rich.console import Console

    from tumorboard.simulate.files.tree import write_digital_patient
    from tumorboard.simulate.patient import digital_patient

    with Console().status("making a digital patient with three studies"):
        patient = digital_patient(seed)
        write_digital_patient(patient, out)
    images = sum(len(study.volumes) for study in patient.studies)
    return [
        f"{len(patient.studies)} studies, {images} stripped images: sub-digital",
        "course: events.csv; truth: derivatives/truth",
        f"try: tumorboard run {out} --events {out / 'events.csv'} --out RESULTS",
    ]


def _dicom(out: Path, seed: int, protocol: str) -> list[str]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    from tumorboard.simulate.files.dicom_tree import write_digital_dicom
    from tumorboard.simulate.native import native_patient

    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[told]}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(), transient=True) as bar:
        task = bar.add_task("imaging three heads", total=None, told="")
        patient = native_patient(seed, protocol=protocol)
        bar.update(task, description="writing")
        written = write_digital_dicom(patient, out, lambda study, files: bar.update(task, told=f"{study}: {files}"))
    studies = [f"{study}: {files} DICOM files" for study, files in written.items()]
    return [
        *studies,
        "studies: dicom; course: events.csv; truth: truth",
        f"try: tumorboard run {out / 'dicom'} --events {out / 'events.csv'} --out RESULTS",
    ]


def register_simulate(app: typer.Typer) -> None:
    """Enrol ``simulate``."""
    app.command("simulate")(_simulate)
