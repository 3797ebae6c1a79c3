"""``simulate``: a digital patient as files, to try everything on before anybody's images are touched.

Why it exists: a hospital tries the whole way, from an archive's folders on, without a patient. What comes
out says in every file that nobody is shown.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from tumorboard.errors import InputError, OutputError


class Form(StrEnum):
    """How the files lie."""

    BIDS = "bids"
    DICOM = "dicom"


class Protocol(StrEnum):
    """Names of :data:`tumorboard.simulate.native.PROTOCOLS`; written out, so that help loads nothing."""

    MIXED = "mixed"
    THICK = "thick"
    THIN = "3d"


Out = Annotated[Path, typer.Option("--out", "-o", help="New or empty folder.", show_default=False)]
Seed = Annotated[int, typer.Option("--seed", min=0, help="Another seed makes another patient.")]
As = Annotated[Form, typer.Option("--as", help="bids: stripped brains on one grid; dicom: whole heads as acquired.")]
How = Annotated[
    Protocol | None,
    typer.Option("--protocol", help="How thick the slices are, for dicom (mixed, if not given).", show_default=False),
]
Spacing = Annotated[float, typer.Option("--spacing", help="Voxel size of the digital brain, mm.")]


def _simulate(out: Out, seed: Seed = 7, form: As = Form.BIDS, protocol: How = None, spacing: Spacing = 2.0) -> None:
    """Write a digital patient with three studies, truth and events; it is nobody, and resembles nobody."""
    from rich.console import Console

    if form is Form.BIDS and protocol is not None:
        raise InputError(
            "--protocol with --as dicom", got="it with --as bids", remedy="add --as dicom, or leave it out"
        )
    _check_empty(out)
    console = Console()
    with console.status("making a digital patient with three studies"):
        if form is Form.BIDS:
            told = _as_bids(seed, spacing, out)
        else:
            told = _as_dicom(seed, spacing, protocol or Protocol.MIXED, out)
    console.print(f"[green]done:[/] {told}; truth lies beside them in the output folder", highlight=False)


def _as_bids(seed: int, spacing_mm: float, out: Path) -> str:
    from tumorboard.simulate.patient import digital_patient
    from tumorboard.simulate.tree import write_digital_patient

    patient = digital_patient(seed, spacing_mm)
    write_digital_patient(patient, out)
    return f"{len(patient.studies)} studies of brains as NIfTI"


def _as_dicom(seed: int, spacing_mm: float, protocol: Protocol, out: Path) -> str:
    from tumorboard.simulate.dicom_tree import write_digital_dicom
    from tumorboard.simulate.native import native_patient

    patient = native_patient(seed, spacing_mm, protocol.value)
    write_digital_dicom(patient, out)
    files = sum(1 for path in (out / "dicom").rglob("*") if path.is_file())
    return f"{len(patient.studies)} studies of heads as {files} DICOM files"


def _check_empty(out: Path) -> None:
    """Refuse a folder that holds anything: what is written could not be told from it."""
    try:
        full = out.exists() and (not out.is_dir() or any(out.iterdir()))
    except OSError as error:
        raise output_error(error) from error
    if full:
        got = "one that holds something"
        raise OutputError("a new or empty folder", got=got, where="output", remedy="choose another --out")


def register_simulate(app: typer.Typer) -> None:
    """Enrol ``simulate``."""
    app.command("simulate")(_simulate)
