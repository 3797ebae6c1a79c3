"""``simulate``: a digital patient's files, as a hospital exports them or as BIDS.

Why it exists: whoever wants to try the house on data that may be shown needs files first. What is simulated
says so in every header, and nothing measured on it is evidence about people.
"""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tumorboard.errors import InputError, OutputError
from tumorboard.sequences import Sequence

if TYPE_CHECKING:
    from tumorboard.simulate.cohort import CohortPlan

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


class KindName(StrEnum):
    """What the patients of a cohort have."""

    GLIOMA = "glioma"
    METASTASES = "metastases"
    PCNSL = "pcnsl"
    MIXED = "mixed"


As = Annotated[
    Form | None,
    typer.Option(
        "--format",
        "--as",
        help="dicom: whole heads as scanners give them (default of one patient); bids: stripped brains (of a cohort).",
        show_default=False,
    ),
]
Patients = Annotated[
    int | None, typer.Option("--patients", help="A cohort of so many, with truth and outcomes.", show_default=False)
]
Kinds = Annotated[KindName, typer.Option("--kind", help="Tumours of a cohort.")]
Sites = Annotated[int, typer.Option("--sites", help="Scanners of a cohort, 1 to 7; things go wrong on the seventh.")]
Visits = Annotated[int, typer.Option("--visits", help="Studies of each patient of a cohort, 1 to 12.")]
Spacing = Annotated[float, typer.Option("--spacing-mm", help="Voxel size of a cohort's heads, 1 to 6 mm.")]
Workers = Annotated[int, typer.Option("--workers", min=1, help="Patients of a cohort that are made at once.")]
Null = Annotated[bool, typer.Option("--null", help="A cohort in which images and survival depend on nothing known.")]
Also = Annotated[
    list[str] | None,
    typer.Option("--also", help="A further map or series of a cohort, such as ADC, DSC or CT.", show_default=False),
]
Grades = Annotated[
    list[int] | None,
    typer.Option("--grade", help="Only gliomas of this WHO grade, 2 to 4; give it again for more.", show_default=False),
]
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
    kind: Kinds = KindName.GLIOMA,
    sites: Sites = 1,
    visits: Visits = 4,
    spacing_mm: Spacing = 2.0,
    workers: Workers = 1,
    null: Null = False,
    also: Also = None,
    grade: Grades = None,
) -> None:
    """Make a digital patient with three studies of a growing tumour, or a cohort, and write files with the truth."""
    if patients is not None:
        from tumorboard.simulate.cohort import CohortPlan
        from tumorboard.simulate.subject import Kind

        if protocol is not None:
            told = "leave --protocol or --patients out"
            raise InputError("--protocol for one patient only", got="a cohort", where="--protocol", remedy=told)
        extras, written = _named(also or []), (form or Form.BIDS).value
        grades, of = tuple(sorted(set(grade or ()))), Kind(kind.value)
        plan = CohortPlan(patients, seed, visits, spacing_mm, null, of, sites, extras, written, grades)
        lines = _cohort(out, plan, workers)
    else:
        lines = _one(out, seed, form or Form.DICOM, protocol)
    for line in lines:
        typer.echo(line)
    whom = "digital patients, made from a seed" if patients is not None else "a digital patient, made from a seed"
    typer.echo(f"{whom}: nothing measured on it is evidence about people")


def _named(names: list[str]) -> tuple[Sequence, ...]:
    known = {s.value: s for s in Sequence}
    for name in names:
        if name.upper() not in known:
            told = ", ".join(known)
            raise InputError(f"one of {told}", got=name, where="--also", remedy="name one of these")
    return tuple(dict.fromkeys(known[name.upper()] for name in names))


def _one(out: Path, seed: int, form: Form, protocol: ProtocolName | None) -> list[str]:
    if form is Form.BIDS and protocol is not None:
        got, remedy = "both", "leave --protocol out, or write --as dicom"
        raise InputError("--protocol with --as dicom only", got=got, where="--protocol", remedy=remedy)
    used = (protocol or ProtocolName.MIXED).value if form is Form.DICOM else ""
    _take(out, {"digital patient": True, "seed": seed, "as": form.value, "protocol": used})
    return _bids(out, seed) if form is Form.BIDS else _dicom(out, seed, used)


def _cohort(out: Path, plan: CohortPlan, workers: int) -> list[str]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from tumorboard.simulate.cohort import write_cohort

    told = {"extras": [s.value for s in plan.extras], "grades": list(plan.grades)}
    _take(out, {"digital cohort": True, **vars(plan), **told})
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(), transient=True) as bar:
        task = bar.add_task("patients", total=plan.patients)
        for done in write_cohort(plan, out, workers):
            bar.update(task, completed=done)
    lines = [
        f"{plan.patients} patients, {plan.patients * plan.visits} studies: participants.tsv",
        "course: events.csv; truth: derivatives/truth",
    ]
    if plan.null:
        lines.append("null: neither images nor survival depend on anything in the tables")
    return lines


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
