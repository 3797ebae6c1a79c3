"""``export``: results of finished runs in the forms that other systems read.

Why it exists: a record system wants FHIR, an analyst wants BIDS; neither should need the chain to run again.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tumorboard.errors import InputError
from tumorboard.store import CaseFolder

Case = Annotated[Path, typer.Argument(help="A sub- folder that run wrote.", show_default=False)]
Cases = Annotated[
    list[Path], typer.Argument(help="Output folders of run, or sub- folders in them.", show_default=False)
]
File = Annotated[Path, typer.Option("--out", "-o", help="File to write.", show_default=False)]
Folder = Annotated[Path, typer.Option("--out", "-o", help="New folder.", show_default=False)]


def _fhir(case: Case, out: File) -> None:
    """Write a patient's results as a FHIR R4B bundle: reports, measurements, imaging studies."""
    from tumorboard.report.fhir_case import case_bundle
    from tumorboard.store import write_json

    bundle = case_bundle(_case_folder(case))
    write_json(out, bundle)
    kinds = [entry["resource"]["resourceType"] for entry in bundle["entry"]]
    told = ", ".join(f"{kinds.count(kind)} {kind}" for kind in dict.fromkeys(kinds))
    typer.echo(f"{out.name}: {told}; all preliminary, signed by nobody.")


def _case_folder(case: Path) -> CaseFolder:
    folder = case.resolve()
    if not folder.name.startswith("sub-") or not folder.is_dir():
        raise InputError("a sub- folder that run wrote", got="another", where="case", remedy="name the sub- folder")
    return CaseFolder(folder.parent, folder.name.removeprefix("sub-"))


def _bids(cases: Cases, out: Folder) -> None:
    """Write finished patients as a BIDS derivative dataset."""
    from tumorboard.report.bids import export_bids

    folders = [sub for case in cases for sub in _subjects(case)]
    done = export_bids(folders, out)
    told = f"{_count(done.patients, 'patient', 'patients')}, {_count(done.studies, 'study', 'studies')}"
    typer.echo(f"{out.name}: {told}, {done.files} files.")


def _count(number: int, one: str, more: str) -> str:
    return f"{number} {one if number == 1 else more}"


def _subjects(case: Path) -> list[Path]:
    folder = case.resolve()
    if folder.name.startswith("sub-"):
        return [folder]
    found = sorted(p for p in folder.glob("sub-*") if (p / "patient.json").is_file())
    if not found:
        raise InputError("an output folder of run", got="one without patients", where="cases")
    return found


def register_export(app: typer.Typer) -> None:
    """Enrol ``export``."""
    export = typer.Typer(no_args_is_help=True, help="Write results of finished runs in the forms other systems read.")
    export.command("fhir")(_fhir)
    export.command("bids")(_bids)
    app.add_typer(export, name="export")
