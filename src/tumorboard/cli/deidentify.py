"""``deidentify``: a tree of DICOM and NIfTI files, free of whose they are.

Why it exists: the one command between a department's archive and everybody else.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from tumorboard.deidentify.tree import Deidentified, Options

PASSPHRASE = "TUMORBOARD_KEY_PASSPHRASE"  # noqa: S105 - the name of a variable
"""Environment variable that holds the key's passphrase; without it, it is asked for."""

Inputs = Annotated[list[Path], typer.Argument(help="Folders or files: DICOM, NIfTI.", show_default=False)]
Out = Annotated[Path, typer.Option("--out", "-o", help="Output folder, apart from the input.", show_default=False)]
KeyFile = Annotated[
    Path | None,
    typer.Option(
        "--key",
        help="Encrypted file that holds the secret and who is who; made where there is none. Same key: same "
        "pseudonyms. Without it nothing leads back.",
        show_default=False,
    ),
]
Keep = Annotated[bool, typer.Option("--keep-dates/--shift-dates", help="Keep dates, or move them, by patient.")]
Deface = Annotated[bool, typer.Option("--deface", help="Cut faces off MR heads; images that cannot be are left out.")]


def _deidentify(inputs: Inputs, out: Out, key: KeyFile = None, keep: Keep = False, deface: Deface = False) -> None:
    """Remove whose images these are from a tree of DICOM and NIfTI files (PS3.15 Annex E)."""
    from tumorboard.deidentify.tree import Options

    passphrase = _passphrase(new=not key.exists()) if key is not None else ""
    options = Options(shift_dates=not keep, deface=deface, key=key, passphrase=passphrase)
    done = _with_bar(tuple(inputs), out, options)
    _show(done, key is not None)


def _passphrase(*, new: bool) -> str:
    told = os.environ.get(PASSPHRASE)
    if told is not None or not sys.stdin.isatty():
        return told or ""
    return str(typer.prompt("Passphrase of the key", hide_input=True, confirmation_prompt=new))


def _with_bar(inputs: tuple[Path, ...], out: Path, options: Options) -> Deidentified:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    from tumorboard.deidentify.tree import deidentify_tree

    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed}/{task.total} files"))
    with Progress(*columns, TimeElapsedColumn(), console=Console(), transient=True) as progress:
        task = progress.add_task("looking", total=None)
        return deidentify_tree(
            inputs, out, options, lambda phase, n, of: progress.update(task, description=phase, completed=n, total=of)
        )


def _show(done: Deidentified, keyed: bool) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console()
    table = Table("patient", "files", title="Written", title_justify="left")
    for name, files in sorted(done.written.items()):
        table.add_row(f"sub-{name}", str(files))
    console.print(table)
    for why, files in sorted(done.left_out.items()):
        console.print(f"[yellow]left out:[/] {files} x {why}", highlight=False)
    console.print("what was done stands in deidentification.md in the output folder", highlight=False)
    if not keyed:
        console.print("no key was kept: another run gives other pseudonyms, and nothing leads back", highlight=False)


def register_deidentify(app: typer.Typer) -> None:
    """Enrol ``deidentify``."""
    app.command("deidentify")(_deidentify)
